// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Iterators.h"
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
    results.push_back(LayerAccess::simplify(expr.replaceDims(shifted) - boxLo[i], loops.size));
  return AffineMap::get(map.getNumDims(), 0, results, ctx);
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

/// The expression of the generic op's loop indices as ops.
Value emitIndex(OpBuilder &builder, Location loc, AffineExpr expr) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return arith::ConstantIndexOp::create(builder, loc, constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return linalg::IndexOp::create(builder, loc, dim.getPosition());
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Value lhs = emitIndex(builder, loc, binary.getLHS());
  Value rhs = emitIndex(builder, loc, binary.getRHS());
  if (expr.getKind() == AffineExprKind::Add)
    return arith::AddIOp::create(builder, loc, lhs, rhs);
  assert(expr.getKind() == AffineExprKind::Mul && "a sum of scaled indices");
  return arith::MulIOp::create(builder, loc, lhs, rhs);
}

/// Reads of captured tensors become loads from what the node holds of them. `from` is the region
/// with the tensors, `to` its clone.
void replaceExtracts(OpBuilder &builder, Region &from, Region &to, const LayerAccess &access,
                     const KernelTile &tile, ValueRange args) {
  SmallVector<tensor::ExtractOp> originals, extracts;
  from.walk([&](tensor::ExtractOp extract) { originals.push_back(extract); });
  to.walk([&](tensor::ExtractOp extract) { extracts.push_back(extract); });
  OpBuilder::InsertionGuard guard(builder);
  for (auto [original, extract] : llvm::zip_equal(originals, extracts)) {
    int argument = cast<BlockArgument>(original.getTensor()).getArgNumber();
    const LayerAccess::Operand *operand = llvm::find_if(
        access.inputs, [&](const auto &in) { return in.captured && in.layerOperand == argument; });
    const IndexBox &box = tile.inputs[operand->slot].box;
    // Where the index is made: the loop indices belong to the op's own block.
    SmallVector<Value> indices;
    for (auto [d, index] : llvm::enumerate(extract.getIndices())) {
      if (std::optional<AffineExpr> expr = affineIndex(index)) {
        builder.setInsertionPointToStart(&to.front());
        AffineMap local = localMap(AffineMap::get(access.numLoops(), 0, *expr), tile.loops,
                                   ArrayRef(box.lo).slice(d, 1));
        indices.push_back(emitIndex(builder, extract.getLoc(), local.getResult(0)));
        continue;
      }
      assert(box.lo[d] == 0 && "indices that only the body knows reach all of a dimension");
      indices.push_back(index);
    }
    builder.setInsertionPoint(extract);
    Value load = memref::LoadOp::create(builder, extract.getLoc(), args[operand->slot], indices);
    extract.getResult().replaceAllUsesWith(load);
    extract.erase();
  }
}

/// Whether all of the tile lies before the end that the bound compares with.
bool holdsInTile(const IndexBound &bound, const IndexBox &loops) {
  SmallVector<int64_t> last;
  for (auto [lo, size] : llvm::zip_equal(loops.lo, loops.size))
    last.push_back(lo + size - 1);
  return bound.holdsUpTo(last);
}

/// Takes out the masks of what the tile does not have.
void dropMasks(OpBuilder &builder, const LayerAccess &access, const KernelTile &tile,
               const IRMapping &mapping) {
  OpBuilder::InsertionGuard guard(builder);
  for (const IndexBound &bound : access.bounds) {
    if (!holdsInTile(bound, tile.loops))
      continue;
    Value compare = mapping.lookup(bound.compare);
    builder.setInsertionPoint(compare.getDefiningOp());
    Value holds = arith::ConstantIntOp::create(builder, compare.getLoc(), 1, 1);
    compare.replaceAllUsesWith(holds);
    for (Operation *user : llvm::make_early_inc_range(holds.getUsers()))
      if (auto select = dyn_cast<arith::SelectOp>(user); select && select.getCondition() == holds)
        select.getResult().replaceAllUsesWith(select.getTrueValue());
  }
}

/// Drops what only computed the indices of reads, and masks.
void eraseUnused(Region &region) {
  region.walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *op) {
    if (isOpTriviallyDead(op))
      op->erase();
  });
}

void cloneGeneric(OpBuilder &builder, linalg::GenericOp generic, const LayerAccess &access,
                  const KernelTile &tile, ValueRange args) {
  SmallVector<AffineMap> maps;
  SmallVector<Value> inputs;
  for (const LayerAccess::Operand &in : access.inputs) {
    if (in.captured)
      continue;
    // Of a tensor that several operands read, the part that is this one's.
    const IndexBox &held = tile.inputs[in.slot].box;
    IndexBox own = in.box(tile.loops);
    Value buffer = args[in.slot];
    if (own != held) {
      SmallVector<int64_t> offsets, ones(own.lo.size(), 1);
      for (auto [lo, from] : llvm::zip_equal(own.lo, held.lo))
        offsets.push_back(lo - from);
      buffer =
          memref::SubViewOp::create(builder, generic.getLoc(), buffer, offsets, own.size, ones);
    }
    maps.push_back(localMap(in.map, tile.loops, own.lo));
    inputs.push_back(buffer);
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
  DenseSet<Operation *> absolute;
  local.getRegion().walk([&](linalg::IndexOp index) { absolute.insert(index); });
  if (llvm::any_of(access.inputs, [](const auto &in) { return in.captured; })) {
    replaceExtracts(builder, generic.getRegion(), local.getRegion(), access, tile, args);
    eraseUnused(local.getRegion());
  }
  if (!access.bounds.empty()) {
    dropMasks(builder, access, tile, mapping);
    eraseUnused(local.getRegion());
  }
  local.getRegion().walk([&](linalg::IndexOp index) {
    if (absolute.contains(index))
      indices.push_back(index);
  });
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

void cloneConv(OpBuilder &builder, ConvOp conv, const LayerAccess &access, const KernelTile &tile,
               ValueRange args) {
  IRMapping mapping;
  for (Operation &op : *conv->getBlock())
    if (isa<arith::ConstantOp>(op))
      builder.clone(op, mapping);
  // Extra operands are read by the indices of the result: n, fq = 2 * fo + f2, y, x, f4.
  const IndexBox &loops = tile.loops;
  IndexBox result{
      {loops.lo[0], 2 * loops.lo[1] + loops.lo[4], loops.lo[2], loops.lo[3], loops.lo[5]},
      {loops.size[0], (loops.size[1] - 1) * 2 + loops.size[4], loops.size[2], loops.size[3],
       loops.size[5]}};
  SmallVector<Value> inputs;
  for (const LayerAccess::Operand &in : access.inputs)
    inputs.push_back(args[in.slot]);
  SmallVector<AffineMap> extraMaps;
  for (auto [map, in] :
       llvm::zip_equal(conv.getExtraMapValues(), ArrayRef(access.inputs).drop_front(2)))
    extraMaps.push_back(localMap(map, result, tile.inputs[in.slot].box.lo));
  auto local =
      ConvOp::create(builder, conv.getLoc(), inputs[0], inputs[1], ArrayRef(inputs).drop_front(2),
                     args.back(), conv.getStrides(), conv.getDilations(), extraMaps);
  local.getEpilogue().getBlocks().clear();
  conv.getEpilogue().cloneInto(&local.getEpilogue(), mapping);
}
} // namespace

std::string mlir::dojo::kernelKey(const LayerAccess &access, const KernelTile &tile) {
  std::string key;
  llvm::raw_string_ostream os(key);
  llvm::interleaveComma(tile.loops.size, os);
  for (unsigned d = 0; d < access.numLoops(); ++d) {
    auto masks = [&](const IndexBound &bound) {
      return bound.strides[d] != 0 && !holdsInTile(bound, tile.loops);
    };
    if (access.indexRead[d] || llvm::any_of(access.bounds, masks))
      os << "@" << tile.loops.lo[d];
  }
  for (const LayerAccess::Operand &in : access.inputs) {
    os << in.slot << ":";
    printOperand(os, tile.inputs[in.slot], in.map, tile.loops);
    IndexBox own = in.box(tile.loops);
    if (own != tile.inputs[in.slot].box)
      for (auto [lo, size, from] : llvm::zip_equal(own.lo, own.size, tile.inputs[in.slot].box.lo))
        os << "[" << lo - from << "+" << size << "]";
  }
  printOperand(os, tile.output, access.outputMap, tile.loops);
  return key;
}

std::string mlir::dojo::prologueKey(const KernelTile &tile) {
  std::string key;
  llvm::raw_string_ostream os(key);
  for (const KernelOperand &operand : tile.inputs) {
    os << "|";
    for (const KernelFill &fill : operand.fills) {
      os << fill.offset << "+";
      llvm::interleaveComma(fill.size, os);
      os << "*";
      llvm::interleaveComma(fill.strides, os);
      os << "=" << fill.value << ";";
    }
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
    cloneConv(builder, cast<ConvOp>(access.root), access, tile, entry.getArguments());
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
    for (const KernelFill &fill : in.fills) {
      auto layout = StridedLayoutAttr::get(builder.getContext(), fill.offset, fill.strides);
      Value part = memref::ReinterpretCastOp::create(
          builder, loc, MemRefType::get(fill.size, in.elementType, layout), entry.getArgument(i),
          fill.offset, fill.size, fill.strides);
      fillMemRef(builder, loc, part, fill.value);
    }
  builder.setInsertionPointToEnd(&entry);
  func::ReturnOp::create(builder, loc);
  return func;
}
