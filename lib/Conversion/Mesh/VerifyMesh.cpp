// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "VerifyMesh.h"

#include "MeshLowering.h"
#include "dialects/Dojo/DojoDialect.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::dojo;

namespace {
/// Numbers beyond this are refused one by one, so that products of two and sums of a few fit.
constexpr int64_t limit = int64_t(1) << 30;

/// The registers from x10 on that pass the buffers of a kernel.
constexpr size_t mostBuffers = 22;

/// Bytes [low, high) relative to where an access begins.
struct Extent {
  int64_t low = 0, high = 0;

  void step(int64_t count, int64_t stride) {
    int64_t span = (count - 1) * stride;
    (span < 0 ? low : high) += span;
  }
};

bool small(ArrayRef<int64_t> values) {
  return llvm::all_of(values, [](int64_t v) { return v > -limit && v < limit; });
}

class Verifier {
public:
  Verifier(ModuleOp module, const ::dojo::Target &machine)
      : module(module), machine(machine), mesh(planning::Mesh::fromTarget(machine)) {}

  LogicalResult run();

private:
  LogicalResult verify(BufferOp op);
  LogicalResult verify(PlaceOp op);
  LogicalResult verify(ExchangeOp op);
  LogicalResult verify(LaunchOp op);
  LogicalResult verify(PortOp op);
  LogicalResult verify(BarrierOp op);
  LogicalResult verify(RepeatOp op);
  LogicalResult verify(RoutesOp op);
  LogicalResult verifyTransfer(ExchangeOp op, ArrayRef<int64_t> record);
  LogicalResult verifySram();
  LogicalResult verifyBarriersOfLoops();

  /// The buffer of that name, or an error on the op.
  BufferOp bufferOf(Operation *op, StringRef name) {
    BufferOp buffer = buffers.lookup(name);
    if (!buffer)
      op->emitError("names @") << name << ", which is no buffer";
    return buffer;
  }
  LogicalResult inside(Operation *op, const char *what, BufferOp buffer, int64_t offset,
                       const Extent &extent) {
    if (offset + extent.low < 0 || offset + extent.high > int64_t(buffer.getBytes()))
      return op->emitError() << what << " leaves the buffer @" << buffer.getSymName();
    return success();
  }
  bool usable(int64_t node) const {
    return node >= 0 && node < mesh.positions() && mesh.usable[node];
  }
  LogicalResult verifyNodes(Operation *op, ArrayRef<int32_t> nodes) {
    for (int32_t node : nodes)
      if (!usable(node))
        return op->emitError("names node ") << node << ", which the machine has not";
    return success();
  }
  /// Box [lo, lo + size) of a tensor; `strides` in bytes.
  LogicalResult verifyBox(Operation *op, RankedTensorType type, ArrayRef<int64_t> lo,
                          ArrayRef<int64_t> size, ArrayRef<int64_t> strides, BufferOp buffer);
  /// The type as that of a tensor in memory, or an error.
  RankedTensorType tensorType(Operation *op, Type type);

  ModuleOp module;
  const ::dojo::Target &machine;
  planning::Mesh mesh;
  int64_t layers = 0;
  RoutesOp routes;
  llvm::StringMap<BufferOp> buffers;
  DenseSet<int64_t> barriers;
  DenseSet<std::pair<int64_t, int64_t>> launched; ///< layer, node
};
} // namespace

RankedTensorType Verifier::tensorType(Operation *op, Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() || !isStorable(tensor.getElementType()) ||
      !small(tensor.getShape())) {
    op->emitError("describes ") << type << ", which is no tensor that memory holds";
    return {};
  }
  return tensor;
}

LogicalResult Verifier::verifyBox(Operation *op, RankedTensorType type, ArrayRef<int64_t> lo,
                                  ArrayRef<int64_t> size, ArrayRef<int64_t> strides,
                                  BufferOp buffer) {
  Extent extent{0, storageBytes(type.getElementType())};
  for (auto [d, dim] : llvm::enumerate(type.getShape())) {
    if (lo[d] < 0 || size[d] < 1 || lo[d] > dim - size[d])
      return op->emitError("has a box that leaves its tensor");
    if (strides[d] < 0 || strides[d] >= limit)
      return op->emitError("has a bad stride");
    extent.step(size[d], strides[d]);
    if (extent.high >= limit)
      break;
  }
  return inside(op, "has a box that", buffer, 0, extent);
}

LogicalResult Verifier::verify(BufferOp op) {
  if (int64_t(op.getBytes()) > machine.sramBytes)
    return op.emitError("has ") << op.getBytes() << " bytes; a node has " << machine.sramBytes;
  int64_t first = op.getFirst(), last = op.getLast();
  if (first < 0 || last >= std::max<int64_t>(layers, 1))
    return op.emitError("lives from layer ")
           << first << " to " << last << "; there are " << layers << " layers";
  if (auto address = op.getAddress();
      address &&
      (int64_t(*address) < 0 || int64_t(*address) > machine.sramBytes - int64_t(op.getBytes())))
    return op.emitError("does not lie in the SRAM");
  return success();
}

LogicalResult Verifier::verify(PlaceOp op) {
  BufferOp buffer = bufferOf(op, op.getBuffer());
  if (!buffer || failed(verifyNodes(op, op.getNodes())))
    return failure();
  RankedTensorType type = tensorType(op, op.getType());
  if (!type || !tensorType(op, op.getSource()))
    return failure();
  size_t rank = type.getRank();
  if (op.getLo().size() != rank || op.getSize().size() != rank || op.getStrides().size() != rank)
    return op.emitError("has a box of another rank than the constant");
  return verifyBox(op, type, op.getLo(), op.getSize(), op.getStrides(), buffer);
}

LogicalResult Verifier::verifyTransfer(ExchangeOp op, ArrayRef<int64_t> record) {
  int64_t source = record[0], kind = record[1], runBytes = record[9];
  ArrayRef<int64_t> to = record.slice(2, 3), count = record.slice(10, 3);
  if (!small(record.drop_back()) || record.back() < 0 || record.back() > 0xFFFF)
    return op.emitError("has a transfer with a number out of range");
  if (record.back() != 0xFFFF && (!routes || record.back() >= int64_t(routes.getPaths().size())))
    return op.emitError("takes route ") << record.back() << ", which dojo.routes does not have";
  if (!usable(source))
    return op.emitError("sends from node ") << source << ", which the machine has not";
  auto isColumn = [&](int64_t c) { return c >= 0 && c < mesh.columns; };
  auto isRow = [&](int64_t r) { return r >= 0 && r < mesh.rows; };
  if (kind == 0 && !usable(to[0]))
    return op.emitError("sends to node ") << to[0] << ", which the machine has not";
  if ((kind == 1 && !(isColumn(to[0]) && isColumn(to[1]))) ||
      (kind == 2 && !(isColumn(to[0]) && isRow(to[1]) && isRow(to[2]))))
    return op.emitError("sends to a run that leaves the die");
  if ((kind == 1 || kind == 2) && !mesh.multicast)
    return op.emitError("sends to a run of nodes, which the machine cannot");
  if (runBytes < 1 || llvm::any_of(count, [](int64_t c) { return c < 1; }))
    return op.emitError("has a transfer of no bytes");
  for (auto [what, buffer, offset, strides] :
       {std::tuple("reads what", record[5], record[6], record.slice(13, 3)),
        std::tuple("writes what", record[7], record[8], record.slice(16, 3))}) {
    Extent extent{0, runBytes};
    for (int i = 0; i < 3; ++i)
      extent.step(count[i], strides[i]);
    StringRef name = cast<FlatSymbolRefAttr>(op.getBuffers()[buffer]).getValue();
    if (failed(inside(op, what, buffers.lookup(name), offset, extent)))
      return failure();
  }
  return success();
}

LogicalResult Verifier::verify(ExchangeOp op) {
  int64_t layer = op.getLayer(), after = op.getAfter();
  if (layer < 0 || layer >= layers)
    return op.emitError("is for layer ") << layer << ", which has no layer_info";
  if (after < -1 || after >= layer)
    return op.emitError("is sent after layer ") << after << " for layer " << layer;
  for (Attribute name : op.getBuffers())
    if (!bufferOf(op, cast<FlatSymbolRefAttr>(name).getValue()))
      return failure();
  for (unsigned i = 0; i < op.getNumTransfers(); ++i)
    if (failed(verifyTransfer(
            op, op.getTransfers().slice(i * ExchangeOp::recordSize, ExchangeOp::recordSize))))
      return failure();
  return success();
}

LogicalResult Verifier::verify(LaunchOp op) {
  int64_t layer = op.getLayer();
  if (layer < 0 || layer >= layers)
    return op.emitError("is for layer ") << layer << ", which has no layer_info";
  if (failed(verifyNodes(op, op.getNodes())))
    return failure();
  for (int32_t node : op.getNodes())
    if (!launched.insert({layer, node}).second)
      return op.emitError("starts a second kernel on node ") << node << " in one layer";
  if (op.getBuffers().size() > mostBuffers)
    return op.emitError("passes ")
           << op.getBuffers().size() << " buffers; registers pass " << mostBuffers;
  for (auto [attribute, offset] : llvm::zip_equal(op.getBuffers(), op.getOffsets())) {
    auto name = dyn_cast<FlatSymbolRefAttr>(attribute);
    if (!name)
      continue;
    BufferOp buffer = bufferOf(op, name.getValue());
    if (!buffer)
      return failure();
    if (offset < 0 || offset > int64_t(buffer.getBytes()))
      return op.emitError("passes an offset outside of @") << name.getValue();
  }
  for (size_t i = 0; i < op.getAccesses().size(); i += LaunchOp::accessSize) {
    ArrayRef<int64_t> record = op.getAccesses().slice(i, LaunchOp::accessSize);
    int64_t buffer = record[2];
    if (record[0] < 0 || record[0] > 1 || record[1] < 0 || record[1] > 2 || buffer < 0 ||
        buffer >= int64_t(op.getBuffers().size()) ||
        !isa<FlatSymbolRefAttr>(op.getBuffers()[buffer]) || !small(record) || record[4] < 0 ||
        llvm::any_of(record.slice(5, 3), [](int64_t count) { return count < 1; }))
      return op.emitError("declares an access that makes no sense");
  }
  return success();
}

LogicalResult Verifier::verify(PortOp op) {
  StringRef kind = op.getKind();
  if (kind != "input" && kind != "output" && kind != "tensor")
    return op.emitError("is of unknown kind '") << kind << "'";
  BufferOp buffer = bufferOf(op, op.getBuffer());
  RankedTensorType type = buffer ? tensorType(op, op.getType()) : RankedTensorType();
  if (!type || !tensorType(op, op.getLogical()) || failed(verifyNodes(op, op.getNodes())))
    return failure();
  size_t rank = type.getRank(), boxes = op.getNodes().size();
  if (op.getLos().size() != boxes * rank || op.getSizes().size() != boxes * rank ||
      op.getStrides().size() != rank)
    return op.emitError("has boxes of another rank than the tensor");
  if (!small({int64_t(op.getBlock()), int64_t(op.getBlockDim()), int64_t(op.getFirst()),
              int64_t(op.getLast())}))
    return op.emitError("has a number out of range");
  for (size_t i = 0; i < boxes; ++i)
    if (failed(verifyBox(op, type, op.getLos().slice(i * rank, rank),
                         op.getSizes().slice(i * rank, rank), op.getStrides(), buffer)))
      return failure();
  return success();
}

LogicalResult Verifier::verify(BarrierOp op) {
  int64_t after = op.getAfter();
  if (after < 0 || after >= layers)
    return op.emitError("stands after layer ") << after << ", which has no layer_info";
  if (!barriers.insert(after).second)
    return op.emitError("is the second after layer ") << after;
  return success();
}

LogicalResult Verifier::verify(RepeatOp op) {
  int64_t first = op.getFirst(), last = op.getLast();
  if (first < 1 || first >= last || last + 1 >= layers)
    return op.emitError("repeats layers ")
           << first << " to " << last << "; a layer must stand before and behind them";
  BufferOp condition = bufferOf(op, op.getCondition());
  if (!condition)
    return failure();
  if (condition.getKind() != "condition" || int64_t(condition.getBytes()) < 1)
    return op.emitError("asks the buffer @")
           << op.getCondition() << ", which is not of kind 'condition'";
  for (RepeatOp other : module.getOps<RepeatOp>()) {
    int64_t begin = other.getFirst(), end = other.getLast();
    bool inside = first < begin && end < last, around = begin < first && last < end;
    if (other != op && !inside && !around && begin <= last && first <= end)
      return op.emitError("overlaps layers ")
             << begin << " to " << end << " of another dojo.repeat";
  }
  return success();
}

LogicalResult Verifier::verifyBarriersOfLoops() {
  if (barriers.empty() && !module->hasAttr("dojo.sram"))
    return success(); // not placed yet
  for (RepeatOp op : module.getOps<RepeatOp>())
    for (uint64_t after : {op.getFirst() - 1, op.getLast() - 1, op.getLast()})
      if (!barriers.contains(after))
        return op.emitError("has no barrier after layer ") << after;
  return success();
}

LogicalResult Verifier::verify(RoutesOp op) {
  if (op != routes)
    return op.emitError("stands beside another dojo.routes");
  if (int64_t(op.getChannels().size()) != 4 * machine.positions())
    return op.emitError("numbers ")
           << op.getChannels().size() << " links; the die has " << 4 * machine.positions();
  for (auto [i, number] : llvm::enumerate(op.getSignals()))
    if (i % 3 < 2 && !usable(number))
      return op.emitError("names node ") << number << ", which the machine has not";
  return success();
}

LogicalResult Verifier::verifySram() {
  Attribute attribute = module->getAttr("dojo.sram");
  if (!attribute)
    return success();
  auto sram = dyn_cast<DictionaryAttr>(attribute);
  auto good = [&](StringRef key) {
    auto value = sram ? sram.getAs<IntegerAttr>(key) : IntegerAttr();
    return value && value.getType().isInteger(64) && value.getInt() >= 0 &&
           value.getInt() <= machine.sramBytes;
  };
  if (!good("data_end") || !good("lower_bound"))
    return mlir::emitError(module.getLoc(),
                           "has a dojo.sram without sizes; run dojo-allocate-sram again");
  return success();
}

LogicalResult Verifier::run() {
  for (LayerInfoOp info : module.getOps<LayerInfoOp>()) {
    if (int64_t(info.getLayer()) != layers++)
      return info.emitError("is out of order: layers are numbered from 0");
    if (int64_t(info.getMacs()) < 0 || int64_t(info.getCycles()) < 0)
      return info.emitError("has a negative count");
  }
  for (BufferOp buffer : module.getOps<BufferOp>())
    buffers[buffer.getSymName()] = buffer;
  for (RoutesOp op : module.getOps<RoutesOp>())
    routes = routes ? routes : op;
  for (Operation &op : *module.getBody()) {
    LogicalResult good =
        llvm::TypeSwitch<Operation *, LogicalResult>(&op)
            .Case<BufferOp, PlaceOp, ExchangeOp, LaunchOp, PortOp, BarrierOp, RepeatOp, RoutesOp>(
                [&](auto typed) { return verify(typed); })
            .Default([](Operation *) { return success(); });
    if (failed(good))
      return failure();
  }
  if (failed(verifyBarriersOfLoops()))
    return failure();
  return verifySram();
}

LogicalResult mlir::dojo::verifyMesh(ModuleOp module, const ::dojo::Target &machine) {
  return Verifier(module, machine).run();
}
