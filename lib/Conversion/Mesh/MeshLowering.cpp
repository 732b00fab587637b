// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "MeshLowering.h"

#include "PlanProblem.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>

using namespace mlir;
using namespace mlir::dojo;

int64_t mlir::dojo::storageBytes(Type type) {
  return std::max<int64_t>(1, type.getIntOrFloatBitWidth() / 8);
}

planning::Coord mlir::dojo::toCoord(ArrayRef<int64_t> values) {
  return planning::Coord(values.begin(), values.end());
}

planning::Box mlir::dojo::toBox(const IndexBox &box) {
  return {toCoord(box.lo), toCoord(box.size)};
}

IndexBox mlir::dojo::toIndexBox(const planning::Box &box) {
  return {SmallVector<int64_t>(box.lo.begin(), box.lo.end()),
          SmallVector<int64_t>(box.size.begin(), box.size.end())};
}

static SmallVector<int64_t> scaled(ArrayRef<int64_t> values, int64_t factor) {
  return llvm::map_to_vector(values, [&](int64_t v) { return v * factor; });
}

SmallVector<int64_t> mlir::dojo::commonStrides(ArrayRef<const IndexBox *> boxes, unsigned rank,
                                               int64_t &elements) {
  SmallVector<int64_t> strides(rank, 1);
  elements = 1;
  for (unsigned d = rank; d-- > 0;) {
    strides[d] = elements;
    int64_t extent = 0;
    for (const IndexBox *box : boxes)
      extent = std::max(extent, box->size[d]);
    elements *= extent;
  }
  return strides;
}

/// SRAM for registers of the compute threads that do not fit, half for each.
static constexpr int64_t stackBytes = 4096;

//===----------------------------------------------------------------------===//
// Buffers and ports
//===----------------------------------------------------------------------===//

StringRef MeshLowering::uniqueSymbol(const Twine &name, ArrayRef<StringRef> suffixes) {
  std::string base = name.str(), unique = base;
  auto taken = [&](StringRef suffix) { return symbols.contains(unique + suffix.str()); };
  for (unsigned n = 1; taken("") || llvm::any_of(suffixes, taken); ++n)
    unique = base + "." + std::to_string(n);
  for (StringRef suffix : suffixes)
    symbols.insert(unique + suffix.str());
  return symbols.insert(unique).first->getKey();
}

std::string MeshLowering::addBuffer(const Twine &name, StringRef kind, int64_t bytes, int64_t first,
                                    int64_t last) {
  StringRef key = uniqueSymbol(name);
  buffers[key] = {bytes, first, last, kind};
  return key.str();
}

void MeshLowering::useBuffer(StringRef name, int64_t layer) {
  BufferSpec &spec = buffers[symbols.find(name)->getKey()];
  spec.last = std::max(spec.last, layer);
}

void MeshLowering::emitBuffers() {
  builder.setInsertionPointToStart(module.getBody());
  for (auto &[name, spec] : buffers)
    BufferOp::create(builder, module.getLoc(), name, spec.bytes, 64, spec.kind, spec.first,
                     spec.last, IntegerAttr());
}

void MeshLowering::addPort(StringRef kind, StringRef name, Type logical, int64_t blockDim,
                           int64_t block, const Resident &resident, int64_t last,
                           StringAttr element) {
  SmallVector<int32_t> nodes;
  SmallVector<int64_t> los, sizes;
  for (const planning::LocalPiece &piece : resident.held) {
    nodes.push_back(piece.nodes.front());
    llvm::append_range(los, piece.box.lo);
    llvm::append_range(sizes, piece.box.size);
  }
  PortOp::create(builder, module.getLoc(), kind, name, resident.type, logical, resident.buffer,
                 blockDim, block, nodes, los, sizes, resident.strides, resident.layer, last,
                 element);
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

/// Cuts a tensor into at most as many boxes as there are nodes, outer dimensions first, so that
/// boxes are contiguous runs of the row-major tensor as far as possible.
static planning::Layout spread(ArrayRef<int64_t> shape, int64_t bytes, const planning::Mesh &mesh) {
  planning::Layout layout;
  layout.shape = toCoord(shape);
  layout.elementBytes = bytes;
  std::vector<int32_t> order = mesh.nodesByColumn();
  int64_t left = order.size(), cells = 1;
  for (int64_t extent : shape) {
    int64_t parts = std::max<int64_t>(1, std::min(extent, left));
    layout.cuts.push_back(planning::cutsOf(extent, 1, parts));
    cells *= layout.cuts.back().size() - 1;
    left /= parts;
  }
  if (llvm::is_contained(shape, 0))
    cells = 0;
  for (int64_t c = 0; c < cells; ++c)
    layout.cells.push_back({order[c]});
  return layout;
}

Resident MeshLowering::spreadTensor(const Twine &buffer, StringRef kind, RankedTensorType type,
                                    int64_t layer, int64_t last) {
  int64_t bytes = storageBytes(type.getElementType()), elements = 0;
  planning::Layout layout = spread(type.getShape(), bytes, mesh);
  std::vector<IndexBox> boxes;
  for (size_t c = 0; c < layout.cells.size(); ++c)
    boxes.push_back(toIndexBox(layout.cellBox(c)));
  SmallVector<const IndexBox *> pointers;
  for (const IndexBox &box : boxes)
    pointers.push_back(&box);
  Resident resident;
  resident.layer = layer;
  resident.type = type;
  resident.strides = scaled(commonStrides(pointers, type.getRank(), elements), bytes);
  for (size_t c = 0; c < boxes.size() && elements > 0; ++c)
    resident.held.push_back({toBox(boxes[c]), toCoord(resident.strides), 0, layout.cells[c]});
  resident.buffer =
      addBuffer(buffer, kind, elements * bytes + tensorSlack, std::max<int64_t>(layer, 0), last);
  return resident;
}

LogicalResult MeshLowering::placeInputs(func::FuncOp main) {
  for (BlockArgument arg : main.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(arg.getType());
    auto name = main.getArgAttrOfType<StringAttr>(arg.getArgNumber(), "dojo.name");
    if (!type || !type.hasStaticShape() || !isStorable(type.getElementType()))
      return main.emitError("argument ")
             << arg.getArgNumber() << " is no tensor of fixed shape that memory holds";
    std::string label = name ? name.str() : ("arg" + Twine(arg.getArgNumber())).str();
    Resident resident = spreadTensor("in." + label, "input", type, -1, 0);
    addPort("input", label, type, -1, 1, resident, 0,
            main.getArgAttrOfType<StringAttr>(arg.getArgNumber(), "dojo.type"));
    residents[arg] = std::move(resident);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

std::vector<std::pair<int32_t, IndexBox>> mlir::dojo::cellsOf(const LayerAccess &access,
                                                              PlanAttr plan) {
  unsigned loops = access.numLoops();
  std::vector<std::vector<int64_t>> cuts;
  int64_t cells = 1;
  for (unsigned d = 0; d < loops; ++d) {
    cuts.push_back(planning::cutsOf(access.extents[d], access.granularity[d], plan.getSplits()[d]));
    cells *= cuts.back().size() - 1;
  }
  std::vector<std::pair<int32_t, IndexBox>> result;
  for (int64_t c = 0; c < cells; ++c) {
    IndexBox box{SmallVector<int64_t>(loops), SmallVector<int64_t>(loops)};
    int64_t rest = c;
    for (unsigned d = loops; d-- > 0;) {
      int64_t parts = cuts[d].size() - 1, part = rest % parts;
      rest /= parts;
      box.lo[d] = cuts[d][part];
      box.size[d] = cuts[d][part + 1] - cuts[d][part];
    }
    ArrayRef<int32_t> nodes = plan.getNodes();
    result.push_back({c < int64_t(nodes.size()) ? nodes[c] : -1, std::move(box)});
  }
  return result;
}

/// The smallest box around both; `a` may be of no dimension yet.
static IndexBox hull(const IndexBox &a, IndexBox b) {
  for (unsigned d = 0; d < a.lo.size(); ++d) {
    int64_t end = std::max(a.lo[d] + a.size[d], b.lo[d] + b.size[d]);
    b.lo[d] = std::min(a.lo[d], b.lo[d]);
    b.size[d] = end - b.lo[d];
  }
  return b;
}

LogicalResult MeshLowering::divide(PlacedLayer &layer) {
  auto plan = layer.op->getAttrOfType<PlanAttr>("plan");
  if (!plan)
    return layer.op.emitError("has no plan; run dojo-place first");
  LayerAccess &access = layer.access;
  if (std::string fault = planFault(plan, layer.op, access, mesh); !fault.empty())
    return layer.op.emitError("has an unsound plan: ") << fault;
  std::vector<std::pair<int32_t, IndexBox>> cells = cellsOf(access, plan);
  for (auto &[node, box] : cells) {
    KernelTile tile;
    tile.loops = box;
    tile.inputs.resize(access.numSlots);
    for (const LayerAccess::Operand &in : access.inputs) {
      KernelOperand &operand = tile.inputs[in.slot];
      operand.box = hull(operand.box, in.box(tile.loops));
      operand.elementType = in.type.getElementType();
    }
    tile.output.box =
        LayerAccess::image(access.outputMap, tile.loops, access.outputType.getShape());
    tile.output.elementType = access.outputType.getElementType();
    layer.tiles.push_back(std::move(tile));
    layer.nodes.push_back(node);
  }

  SmallVector<const IndexBox *> boxes;
  for (KernelTile &tile : layer.tiles)
    boxes.push_back(&tile.output.box);
  unsigned rank = access.outputType.getRank();
  int64_t elements = 0;
  SmallVector<int64_t> strides = commonStrides(boxes, rank, elements);
  if (access.isStructured()) {
    // [N][Fq][OH][OW][4]: room for the rest of a block of pixels behind each plane, and planes
    // aligned to blocks.
    int64_t images = elements / std::max<int64_t>(strides[0], 1);
    int64_t quads = strides[0] / std::max<int64_t>(strides[1], 1);
    strides[1] = llvm::alignTo(strides[1] + 7 * 4, 8 * 4);
    strides[0] = strides[1] * quads;
    elements = strides[0] * images;
  }
  Resident resident;
  int64_t bytes = storageBytes(access.outputType.getElementType());
  resident.layer = layer.index;
  resident.type = access.outputType;
  resident.strides = scaled(strides, bytes);
  for (auto [tile, node] : llvm::zip_equal(layer.tiles, layer.nodes)) {
    tile.output.strides = strides;
    resident.held.push_back({toBox(tile.output.box), toCoord(resident.strides), 0, {node}});
  }
  resident.buffer = addBuffer(layer.op.getName(), "tensor", elements * bytes + tensorSlack,
                              layer.index, layer.index);
  layer.buffers.push_back(resident.buffer);
  layer.offsets.push_back(0);
  residents[layer.op->getResult(0)] = std::move(resident);
  return success();
}

LogicalResult MeshLowering::placeConstant(PlacedLayer &layer, const LayerAccess::Operand &in,
                                          WeightOp weight) {
  unsigned input = in.slot;
  SmallVector<const IndexBox *> boxes;
  for (KernelTile &tile : layer.tiles)
    boxes.push_back(&tile.inputs[input].box);
  auto type = cast<RankedTensorType>(weight.getResult().getType());
  int64_t elements = 0, bytes = storageBytes(type.getElementType());
  SmallVector<int64_t> strides = commonStrides(boxes, type.getRank(), elements);
  std::string buffer =
      addBuffer(layer.op.getName() + ".const" + Twine(input), "weight",
                elements * bytes + (layer.isCaptured(input) ? gatherSlack : 0), 0, INT64_MAX);
  std::map<std::pair<planning::Coord, planning::Coord>, SmallVector<int32_t>> users;
  for (auto [tile, node] : llvm::zip_equal(layer.tiles, layer.nodes)) {
    KernelOperand &operand = tile.inputs[input];
    operand.strides = strides;
    users[{toCoord(operand.box.lo), toCoord(operand.box.size)}].push_back(node);
  }
  for (auto &[box, nodes] : users) {
    llvm::sort(nodes);
    PlaceOp::create(builder, weight.getLoc(), buffer, weight.getData(),
                    Type(weight.getSourceType()), weight.getTransformAttr(), Type(type), box.first,
                    box.second, scaled(strides, bytes), nodes);
  }
  layer.buffers[input] = buffer;
  return success();
}

LogicalResult MeshLowering::lowerLayer(LayerOp op) {
  PlacedLayer layer;
  layer.op = op;
  layer.index = numLayers++;
  FailureOr<LayerAccess> access = analyzeLayer(op);
  if (failed(access))
    return failure();
  layer.access = std::move(*access);
  layer.buffers.assign(layer.access.numSlots, "");
  layer.offsets.assign(layer.access.numSlots, 0);
  if (failed(divide(layer)))
    return failure();
  for (auto [i, in] : llvm::enumerate(layer.access.inputs)) {
    if (llvm::any_of(ArrayRef(layer.access.inputs).take_front(i),
                     [&, &in = in](auto &other) { return other.slot == in.slot; }))
      continue;
    if (in.layerOperand < 0 || in.unused) {
      for (KernelTile &tile : layer.tiles) {
        int64_t elements = 0;
        tile.inputs[in.slot].strides =
            commonStrides({&tile.inputs[in.slot].box}, in.type.getRank(), elements);
      }
      continue;
    }
    Value value = resolve(op.getInputs()[in.layerOperand]);
    if (auto redistribute = value.getDefiningOp<RedistributeOp>())
      value = resolve(redistribute.getSource());
    auto weight = value.getDefiningOp<WeightOp>();
    if (failed(weight ? placeConstant(layer, in, weight) : bringOperand(layer, in, value)))
      return failure();
  }
  createKernels(layer);
  auto plan = op->getAttrOfType<PlanAttr>("plan");
  std::string shape =
      llvm::formatv("{0}x{1}x{2}x{3}", plan.getCopies(), plan.getM(), plan.getN(), plan.getK());
  std::string name = op.getName().str();
  for (unsigned number = 2; !loops.empty() && !layerNames.insert(name).second; ++number)
    name = op.getName().str() + "." + std::to_string(number);
  LayerInfoOp::create(builder, op.getLoc(), layer.index, name, op.getOp(), op.getOnnx(),
                      op.getMacs(), plan.getCycles(), shape);
  auto value = op->getAttrOfType<StringAttr>("dojo.value");
  auto logical = op->getAttrOfType<TypeAttr>("dojo.logical");
  auto block = op->getAttrOfType<DenseI64ArrayAttr>("dojo.block");
  const Resident &resident = residents[op->getResult(0)];
  addPort("tensor", value ? value.getValue() : StringRef(name),
          logical ? logical.getValue() : Type(resident.type), block ? block[0] : -1,
          block ? block[1] : 1, resident, layer.index);
  return success();
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

LogicalResult MeshLowering::lowerOutputs(func::FuncOp main) {
  auto ret = cast<func::ReturnOp>(main.getBody().front().getTerminator());
  SmallVector<std::pair<unsigned, Value>> moved;
  for (auto [i, value] : llvm::enumerate(ret.getOperands())) {
    auto found = residents.find(value);
    if (found != residents.end() && found->second.layer >= 0)
      useBuffer(found->second.buffer, INT64_MAX);
    else
      moved.push_back({unsigned(i), value});
  }
  // Views and inputs that are results: one more layer, without code, gathers them.
  for (auto [i, value] : moved) {
    auto type = cast<RankedTensorType>(value.getType());
    if (type.getNumElements() == 0) {
      residents[value] = spreadTensor("out." + Twine(i), "output", type, -1, INT64_MAX);
      continue;
    }
    Resident resident = spreadTensor("out." + Twine(i), "output", type, numLayers, INT64_MAX);
    int64_t layer = addWaypoint(ret.getLoc(), "Output");
    if (failed(gather(ret.getLoc(), value, resident.held, layer, layer - 1, resident.buffer,
                      "result " + Twine(i))))
      return failure();
    residents[value] = std::move(resident);
  }
  // Where nothing is left to do, there is still one layer to say so.
  if (numLayers == 0)
    addWaypoint(ret.getLoc(), "Output");
  for (auto [i, value] : llvm::enumerate(ret.getOperands())) {
    auto name = main.getResultAttrOfType<StringAttr>(i, "dojo.name");
    const Resident &resident = residents[value];
    addPort("output", name ? name.str() : ("result" + Twine(i)).str(), resident.type, -1, 1,
            resident, numLayers - 1, main.getResultAttrOfType<StringAttr>(i, "dojo.type"));
  }
  return success();
}

int64_t MeshLowering::addWaypoint(Location loc, StringRef kind) {
  LayerInfoOp::create(builder, loc, numLayers, "", kind, builder.getArrayAttr({}), 0, 0, "1x1x1x1");
  return numLayers++;
}

LogicalResult MeshLowering::gather(Location loc, Value value,
                                   const std::vector<planning::LocalPiece> &needs, int64_t layer,
                                   int64_t after, const std::string &buffer, const Twine &what) {
  planning::ExchangeProblem problem;
  problem.elementBytes = storageBytes(cast<RankedTensorType>(value.getType()).getElementType());
  SmallVector<Value> roots;
  DenseMap<int32_t, TypedAttr> fillValues;
  if (failed(describeSources(loc, value, problem, roots, fillValues)))
    return failure();
  problem.needs = needs;
  planning::Exchange exchange;
  if (failed(emitExchange(loc, problem, roots, layer, after, buffer, exchange)))
    return failure();
  if (!exchange.fills.empty())
    return emitError(loc) << what << " is padding in part; give it to a layer that copies it";
  return success();
}

Value MeshLowering::resolve(Value value) const {
  for (Value outer; (outer = bound.lookup(value));)
    value = outer;
  return value;
}

LogicalResult MeshLowering::lowerBlock(Block &block) {
  for (Operation &op : block) {
    if (auto layer = dyn_cast<LayerOp>(op)) {
      if (failed(lowerLayer(layer)))
        return failure();
    } else if (auto loop = dyn_cast<LoopOp>(op)) {
      if (failed(lowerLoop(loop)))
        return failure();
    } else if (!isa<WeightOp, AssembleOp, ReshapeOp, RedistributeOp, func::ReturnOp>(op)) {
      return op.emitError("is not in placed form; run the layer passes first");
    }
  }
  return success();
}

static bool isStraightLine(func::FuncOp function) {
  return !function.isExternal() && function.getBody().hasOneBlock() &&
         isa<func::ReturnOp>(function.getBody().front().back());
}

/// The bodies of loops that @main reaches.
static DenseSet<StringAttr> loopBodies(func::FuncOp main, SymbolTable &symbols) {
  DenseSet<StringAttr> bodies;
  SmallVector<func::FuncOp> pending{main};
  while (!pending.empty())
    pending.pop_back_val().walk([&](LoopOp loop) {
      StringAttr name = loop.getBodyAttr().getAttr();
      auto body = symbols.lookup<func::FuncOp>(name);
      if (body && bodies.insert(name).second)
        pending.push_back(body);
    });
  return bodies;
}

LogicalResult MeshLowering::run() {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return mlir::emitError(module.getLoc(), "has no function @main");
  SymbolTable table(module);
  DenseSet<StringAttr> bodies = loopBodies(main, table);
  SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
  for (func::FuncOp function : functions) {
    if (function != main && !bodies.contains(function.getSymNameAttr()))
      return function.emitError("would be lost: only @main is compiled, and the bodies of loops");
    if (!isStraightLine(function))
      return function.emitError("is no straight line of layers");
  }
  for (StringRef name : {"main.0", "main.1", "main.2"}) // of the programs to come
    symbols.insert(name);
  builder.setInsertionPointToEnd(module.getBody());
  if (failed(placeInputs(main)))
    return failure();
  for (LayerOp layer : main.getOps<LayerOp>())
    layerNames.insert(layer.getName());
  if (failed(lowerBlock(main.getBody().front())))
    return failure();
  if (failed(lowerOutputs(main)))
    return failure();
  for (func::FuncOp function : functions)
    function.erase();
  addBuffer("stack", "stack", stackBytes, 0, INT64_MAX);
  for (auto &[name, spec] : buffers)
    spec.last = std::min(spec.last, std::max<int64_t>(numLayers - 1, 0));
  emitBuffers();
  return success();
}
