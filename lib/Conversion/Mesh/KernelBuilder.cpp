// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::dojo;

namespace {
MemRefType memrefOf(const KernelOperand &operand) {
  auto layout = StridedLayoutAttr::get(operand.elementType.getContext(), 0, operand.strides);
  return MemRefType::get(operand.box.size, operand.elementType, layout);
}

/// The map from tile-relative loop indices to box-relative operand indices.
AffineMap localMap(AffineMap map, const IndexBox &loops, ArrayRef<int64_t> boxLo) {
  MLIRContext *ctx = map.getContext();
  SmallVector<AffineExpr> shifted;
  for (auto [d, lo] : llvm::enumerate(loops.lo))
    shifted.push_back(getAffineDimExpr(d, ctx) + lo);
  SmallVector<AffineExpr> results;
  for (auto [i, expr] : llvm::enumerate(map.getResults()))
    results.push_back(
        simplifyAffineExpr(expr.replaceDims(shifted) - boxLo[i], map.getNumDims(), 0));
  return AffineMap::get(map.getNumDims(), 0, results, ctx);
}

void printBox(llvm::raw_ostream &os, const IndexBox &box) {
  llvm::interleaveComma(box.lo, os);
  os << "+";
  llvm::interleaveComma(box.size, os);
  os << ";";
}

void printOperand(llvm::raw_ostream &os, const KernelOperand &operand, AffineMap map,
                  const IndexBox &loops) {
  os << memrefOf(operand) << localMap(map, loops, operand.box.lo);
}

SmallVector<Type> argumentTypes(const KernelTile &tile) {
  SmallVector<Type> types;
  for (const KernelOperand &in : tile.inputs)
    types.push_back(memrefOf(in));
  types.push_back(memrefOf(tile.output));
  return types;
}

func::FuncOp createFunc(OpBuilder &builder, StringRef name, Location loc, const KernelTile &tile) {
  auto type = builder.getFunctionType(argumentTypes(tile), {});
  auto func = func::FuncOp::create(builder, loc, name, type);
  func.setPrivate();
  func->setAttr("dojo.kernel", builder.getUnitAttr());
  func.addEntryBlock();
  return func;
}

void fillMemRef(OpBuilder &builder, Location loc, Value memref, TypedAttr value) {
  Value constant = arith::ConstantOp::create(builder, loc, value);
  linalg::FillOp::create(builder, loc, constant, memref);
}

/// The constant that the layer's body initialises the output with, if its root reads it.
TypedAttr outputInit(const LayerAccess &access) {
  auto generic = dyn_cast<linalg::GenericOp>(access.root);
  if (!generic)
    return {};
  if (generic.getMatchingBlockArgument(generic.getDpsInitOperand(0)).use_empty())
    return {};
  auto fill = generic.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  TypedAttr value;
  if (fill && matchPattern(fill.getInputs()[0], m_Constant(&value)))
    return value;
  return {};
}

void cloneGeneric(OpBuilder &builder, linalg::GenericOp generic, const LayerAccess &access,
                  const KernelTile &tile, ValueRange args) {
  SmallVector<AffineMap> maps;
  SmallVector<Value> inputs;
  for (const LayerAccess::Operand &in : access.inputs) {
    maps.push_back(localMap(in.map, tile.loops, tile.inputs[in.slot].box.lo));
    inputs.push_back(args[in.slot]);
  }
  maps.push_back(localMap(access.outputMap, tile.loops, tile.output.box.lo));
  auto local = linalg::GenericOp::create(builder, generic.getLoc(), inputs, args.take_back(), maps,
                                         generic.getIteratorTypesArray());
  IRMapping mapping;
  // Scalar constants of the layer's body may be used inside the region.
  for (Operation &op : *generic->getBlock())
    if (isa<arith::ConstantOp>(op)) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(local);
      builder.clone(op, mapping);
    }
  generic.getRegion().cloneInto(&local.getRegion(), mapping);
  SmallVector<linalg::IndexOp> indices;
  local.getRegion().walk([&](linalg::IndexOp index) { indices.push_back(index); });
  for (linalg::IndexOp index : indices) {
    int64_t lo = tile.loops.lo[index.getDim()];
    if (lo == 0)
      continue;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointAfter(index);
    Value offset = arith::ConstantIndexOp::create(builder, index.getLoc(), lo);
    auto sum = arith::AddIOp::create(builder, index.getLoc(), index.getResult(), offset);
    index.getResult().replaceAllUsesExcept(sum.getResult(), sum);
  }
}

void cloneConv(OpBuilder &builder, ConvOp conv, const LayerAccess &access, ValueRange args) {
  IRMapping mapping;
  for (Operation &op : *conv->getBlock())
    if (isa<arith::ConstantOp>(op))
      builder.clone(op, mapping);
  SmallVector<Value> inputs;
  for (const LayerAccess::Operand &in : access.inputs)
    inputs.push_back(args[in.slot]);
  auto local =
      ConvOp::create(builder, conv.getLoc(), inputs[0], inputs[1], ArrayRef(inputs).drop_front(2),
                     args.back(), conv.getStrides(), conv.getDilations(), conv.getExtraMapValues());
  local.getEpilogue().getBlocks().clear();
  conv.getEpilogue().cloneInto(&local.getEpilogue(), mapping);
}
} // namespace

std::string mlir::dojo::kernelKey(const LayerAccess &access, const KernelTile &tile) {
  std::string key;
  llvm::raw_string_ostream os(key);
  llvm::interleaveComma(tile.loops.size, os);
  for (unsigned d = 0; d < access.numLoops(); ++d)
    if (access.indexRead[d])
      os << "@" << tile.loops.lo[d];
  for (const LayerAccess::Operand &in : access.inputs) {
    os << in.slot << ":";
    printOperand(os, tile.inputs[in.slot], in.map, tile.loops);
  }
  printOperand(os, tile.output, access.outputMap, tile.loops);
  return key;
}

std::string mlir::dojo::prologueKey(const KernelTile &tile) {
  std::string key;
  llvm::raw_string_ostream os(key);
  for (const KernelOperand &operand : tile.inputs) {
    os << "|";
    for (const IndexBox &fill : operand.fills)
      printBox(os, fill);
  }
  return key;
}

func::FuncOp mlir::dojo::buildKernel(OpBuilder &builder, StringRef name, const LayerAccess &access,
                                     const KernelTile &tile) {
  Location loc = access.root->getLoc();
  func::FuncOp func = createFunc(builder, name, loc, tile);
  OpBuilder::InsertionGuard guard(builder);
  Block &entry = func.getBody().front();
  builder.setInsertionPointToStart(&entry);
  if (TypedAttr init = outputInit(access))
    fillMemRef(builder, loc, entry.getArguments().back(), init);
  if (auto generic = dyn_cast<linalg::GenericOp>(access.root))
    cloneGeneric(builder, generic, access, tile, entry.getArguments());
  else
    cloneConv(builder, cast<ConvOp>(access.root), access, entry.getArguments());
  builder.setInsertionPointToEnd(&entry);
  func::ReturnOp::create(builder, loc);
  return func;
}

func::FuncOp mlir::dojo::buildPrologue(OpBuilder &builder, StringRef name,
                                       const LayerAccess &access, const KernelTile &tile) {
  bool any = llvm::any_of(tile.inputs, [](const KernelOperand &in) { return !in.fills.empty(); });
  if (!any)
    return {};
  Location loc = access.root->getLoc();
  func::FuncOp func = createFunc(builder, name, loc, tile);
  OpBuilder::InsertionGuard guard(builder);
  Block &entry = func.getBody().front();
  builder.setInsertionPointToStart(&entry);
  for (auto [i, in] : llvm::enumerate(tile.inputs))
    for (const IndexBox &fill : in.fills) {
      auto toFold = [&](ArrayRef<int64_t> values) {
        return getAsIndexOpFoldResult(builder.getContext(), values);
      };
      SmallVector<int64_t> ones(fill.lo.size(), 1);
      Value part = memref::SubViewOp::create(builder, loc, entry.getArgument(i), toFold(fill.lo),
                                             toFold(fill.size), toFold(ones));
      fillMemRef(builder, loc, part, in.fillValue);
    }
  builder.setInsertionPointToEnd(&entry);
  func::ReturnOp::create(builder, loc);
  return func;
}
