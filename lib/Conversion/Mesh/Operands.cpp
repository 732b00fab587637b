// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How an operand reaches the nodes that read it: in place, or by an exchange into a patch.

#include "MeshLowering.h"

#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace mlir;
using namespace mlir::dojo;

/// Patches larger than this many bytes wait for the layer before theirs.
static constexpr int64_t lateSendBytes = 32 * 1024;

/// Others are sent at most so many layers ahead: each layer that is sent to needs a semaphore, and
/// with the layers of an epoch these are fewer than a node has.
static constexpr int64_t mostLayersAhead = 100;

FailureOr<int32_t> MeshLowering::buildView(Location loc, Value value,
                                           planning::ExchangeProblem &problem,
                                           SmallVectorImpl<Value> &roots,
                                           DenseMap<int32_t, TypedAttr> &fillValues) {
  value = resolve(value);
  planning::Coord shape = toCoord(cast<RankedTensorType>(value.getType()).getShape());
  auto resident = residents.find(value);
  if (resident != residents.end()) {
    int32_t index = roots.size();
    roots.push_back(value);
    problem.sources.push_back({resident->second.buffer, shape, resident->second.held});
    return problem.view.source(index, shape);
  }
  if (auto reshape = value.getDefiningOp<ReshapeOp>()) {
    auto input = buildView(loc, reshape.getInput(), problem, roots, fillValues);
    if (failed(input))
      return failure();
    return problem.view.reshape(*input, shape);
  }
  if (auto assemble = value.getDefiningOp<AssembleOp>()) {
    std::vector<planning::View::Operand> operands;
    for (auto [i, piece] : llvm::enumerate(assemble.getPieces())) {
      auto part = buildView(loc, piece, problem, roots, fillValues);
      if (failed(part))
        return failure();
      operands.push_back({*part, toCoord(assemble.getOffsetsOf(i))});
    }
    int32_t result = problem.view.assemble(shape, operands);
    fillValues[result] = cast<TypedAttr>(assemble.getFillAttr());
    return result;
  }
  if (auto redistribute = value.getDefiningOp<RedistributeOp>())
    return buildView(loc, redistribute.getSource(), problem, roots, fillValues);
  return emitError(loc, "reads a value that neither a layer nor an input makes"), failure();
}

LogicalResult MeshLowering::describeSources(Location loc, Value value,
                                            planning::ExchangeProblem &problem,
                                            SmallVectorImpl<Value> &roots,
                                            DenseMap<int32_t, TypedAttr> &fillValues) {
  return buildView(loc, value, problem, roots, fillValues);
}

/// The record of dojo.exchange for one strided move.
static void appendRecord(SmallVectorImpl<int64_t> &out, int64_t srcNode, int64_t kind,
                         std::array<int64_t, 3> destination, int64_t srcBuffer, int64_t dstBuffer,
                         const planning::Strided &data) {
  out.append({srcNode, kind, destination[0], destination[1], destination[2], srcBuffer,
              data.srcOffset, dstBuffer, data.dstOffset, data.runBytes});
  out.append(data.count.begin(), data.count.end());
  out.append(data.srcStride.begin(), data.srcStride.end());
  out.append(data.dstStride.begin(), data.dstStride.end());
  out.push_back(0xFFFF);
}

LogicalResult MeshLowering::emitExchange(Location loc, const planning::ExchangeProblem &problem,
                                         ArrayRef<Value> roots, int64_t layer, int64_t after,
                                         const std::string &dstBuffer,
                                         planning::Exchange &exchange) {
  std::string error;
  if (!planning::solveExchange(problem, mesh, exchange, error))
    return emitError(loc, "cannot bring an operand to its nodes: ") << error;
  // One exchange for each producer: they are sent at different times.
  for (auto [i, root] : llvm::enumerate(roots)) {
    const Resident &resident = residents[root];
    const int64_t sent = std::max(resident.layer, after);
    SmallVector<int64_t> records;
    for (const planning::Transfer &t : exchange.transfers) {
      if (t.source != int32_t(i))
        continue;
      std::array<int64_t, 3> to{t.to.node, 0, 0};
      if (t.to.kind == planning::Destination::Kind::RowRun)
        to = {t.to.first, t.to.last, 0};
      else if (t.to.kind == planning::Destination::Kind::ColumnRun)
        to = {t.to.column, t.to.first, t.to.last};
      appendRecord(records, t.srcNode, int64_t(t.to.kind), to, 0, 1, t.data);
    }
    for (const planning::LocalCopy &copy : exchange.copies)
      if (copy.source == int32_t(i))
        for (int32_t node : copy.nodes)
          appendRecord(records, node, 3, {0, 0, 0}, 0, 1, copy.data);
    if (records.empty())
      continue;
    SmallVector<Attribute> names{FlatSymbolRefAttr::get(builder.getContext(), resident.buffer),
                                 FlatSymbolRefAttr::get(builder.getContext(), dstBuffer)};
    // Sent behind the barrier that may follow the layer.
    useBuffer(resident.buffer, sent + 1);
    ExchangeOp::create(builder, loc, layer, sent, builder.getArrayAttr(names), records);
  }
  return success();
}

/// The boxes that the tiles need of an input, each with all its nodes.
static std::vector<planning::LocalPiece> collectNeeds(const PlacedLayer &layer, unsigned input,
                                                      const planning::Coord &strides) {
  std::map<std::pair<planning::Coord, planning::Coord>, std::vector<int32_t>> nodes;
  for (auto [tile, node] : llvm::zip_equal(layer.tiles, layer.nodes)) {
    const IndexBox &box = tile.inputs[input].box;
    nodes[{toCoord(box.lo), toCoord(box.size)}].push_back(node);
  }
  std::vector<planning::LocalPiece> needs;
  for (auto &[box, users] : nodes) {
    llvm::sort(users);
    needs.push_back({{box.first, box.second}, strides, 0, users});
  }
  return needs;
}

LogicalResult MeshLowering::bringOperand(PlacedLayer &layer, const LayerAccess::Operand &in,
                                         Value value) {
  unsigned input = in.slot;
  int64_t bytes = storageBytes(in.type.getElementType());
  planning::ExchangeProblem problem;
  problem.elementBytes = bytes;
  SmallVector<Value> roots;
  DenseMap<int32_t, TypedAttr> fillValues;
  if (failed(describeSources(layer.op.getLoc(), value, problem, roots, fillValues)))
    return failure();

  if (auto own = residents.find(value); own != residents.end()) {
    problem.needs = collectNeeds(layer, input, toCoord(own->second.strides));
    int32_t source = 0;
    int64_t distance = 0;
    // Kernels take it that their buffers begin at even addresses, which vector accesses need.
    if (planning::readsInPlace(problem, source, distance) && distance % 2 == 0) {
      for (KernelTile &tile : layer.tiles)
        tile.inputs[input].strides =
            llvm::map_to_vector(own->second.strides, [&](int64_t s) { return s / bytes; });
      layer.buffers[input] = own->second.buffer;
      layer.offsets[input] = distance;
      useBuffer(own->second.buffer, layer.index);
      return success();
    }
  }

  unsigned rank = in.type.getRank();
  int64_t elements = 0, first = layer.index;
  SmallVector<const IndexBox *> boxes;
  for (const KernelTile &tile : layer.tiles)
    boxes.push_back(&tile.inputs[input].box);
  SmallVector<int64_t> strides = commonStrides(boxes, rank, elements);
  for (KernelTile &tile : layer.tiles)
    tile.inputs[input].strides = strides;
  planning::Coord byteStrides;
  for (int64_t s : strides)
    byteStrides.push_back(s * bytes);
  problem.needs = collectNeeds(layer, input, byteStrides);
  // Large patches are sent as late as possible, so that few of them are alive at once. In a loop,
  // what it does not make is brought once, before its first step.
  int64_t ahead = elements * bytes > lateSendBytes ? 1 : mostLayersAhead;
  int64_t after = std::max({layer.index - ahead, firstOfStep(), int64_t(-1)});
  int64_t arrives = layer.index;
  for (const OpenLoop &loop : loops) {
    auto isOutside = [&](Value root) { return residents[root].layer < loop.first; };
    if (!llvm::all_of(roots, isOutside))
      continue;
    arrives = loop.enter;
    after = loop.enter - 1;
    break;
  }
  for (Value root : roots)
    first = std::min(first, std::max(residents[root].layer, after) + 1);
  std::string buffer = addBuffer(layer.op.getName() + ".patch" + Twine(input), "patch",
                                 elements * bytes + tensorSlack, first, layer.index);
  layer.buffers[input] = buffer;
  planning::Exchange exchange;
  if (failed(emitExchange(layer.op.getLoc(), problem, roots, arrives, after, buffer, exchange)))
    return failure();

  for (const planning::Fill &fill : exchange.fills) {
    const planning::LocalPiece &need = problem.needs[fill.need];
    KernelFill part{fill.offset / bytes, {}, {}, fillValues.lookup(fill.value)};
    for (auto [size, stride] : llvm::zip_equal(fill.size, fill.strides)) {
      if (size == 1)
        continue;
      part.size.push_back(size);
      part.strides.push_back(stride / bytes);
    }
    for (KernelTile &tile : layer.tiles) {
      KernelOperand &operand = tile.inputs[input];
      if (toCoord(operand.box.lo) == need.box.lo && toCoord(operand.box.size) == need.box.size)
        operand.fills.push_back(part);
    }
  }
  return success();
}
