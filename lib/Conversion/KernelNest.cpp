// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelNest.h"

#include "D1Builder.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::dojo;

bool Nest::hasReduction() const {
  return llvm::any_of(dims, [](const NestDim &d) { return d.reduction; });
}

int64_t Nest::points(bool parallelOnly) const {
  int64_t n = 1;
  for (const NestDim &d : dims)
    if (!parallelOnly || !d.reduction)
      n *= d.extent;
  return n;
}

const IndexBound *Nest::getBound(Operation *op) const {
  for (const IndexBound &bound : ends.bounds)
    if (bound.compare.getDefiningOp() == op)
      return &bound;
  return nullptr;
}

bool Nest::isRare(Operation *op) const {
  if (auto select = dyn_cast<arith::SelectOp>(op))
    op = select.getCondition().getDefiningOp();
  return op && (getBound(op) || ends.onlyForBounds.contains(op));
}

/// Replaces dimension `dim` by `dim + shift` in a non-linear part.
static AffineExpr shiftDim(AffineExpr e, unsigned dim, int64_t shift, unsigned numDims) {
  if (!e || shift == 0)
    return e;
  AffineExpr d = getAffineDimExpr(dim, e.getContext());
  return simplifyAffineExpr(e.replace(d, d + shift), numDims, 0);
}

void Nest::restrict(unsigned dim, int64_t lo, int64_t hi) {
  auto apply = [&](Access &a) {
    if (!a.root)
      return;
    a.offset += lo * a.strides[dim];
    a.residual = shiftDim(a.residual, dim, lo, dims.size());
  };
  llvm::for_each(inputs, apply);
  llvm::for_each(outputs, apply);
  for (IndexBound &bound : ends.bounds)
    bound.offset += lo * bound.strides[dim];
  dims[dim].extent = hi - lo;
  dims[dim].origin += lo;
}

BlockArgument mlir::dojo::getRootArgument(Value memref) {
  while (Operation *def = memref.getDefiningOp()) {
    if (!isa<memref::SubViewOp, memref::CastOp, memref::ReinterpretCastOp, memref::CollapseShapeOp,
             memref::ExpandShapeOp, memref::TransposeOp>(def))
      return {};
    memref = def->getOperand(0);
  }
  auto arg = cast<BlockArgument>(memref);
  return isa<func::FuncOp>(arg.getOwner()->getParentOp()) ? arg : BlockArgument();
}

std::optional<int64_t> mlir::dojo::getArgumentAddress(BlockArgument arg) {
  auto func = cast<func::FuncOp>(arg.getOwner()->getParentOp());
  if (auto a = func.getArgAttrOfType<IntegerAttr>(arg.getArgNumber(), "dojo.address"))
    return a.getInt();
  return argumentBase(arg.getArgNumber());
}

int64_t mlir::dojo::getArgumentSpan(BlockArgument arg) {
  auto type = cast<MemRefType>(arg.getType());
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  if (failed(type.getStridesAndOffset(strides, offset)) || !type.hasStaticShape())
    return 0;
  int64_t last = offset;
  for (auto [size, stride] : llvm::zip(type.getShape(), strides)) {
    if (size == 0)
      return 0;
    last += (size - 1) * stride;
  }
  return last + 1;
}

static int64_t elementBytes(Type t) {
  return t.isIndex() ? 8 : (t.getIntOrFloatBitWidth() + 7) / 8;
}

bool mlir::dojo::mayOverlap(BlockArgument a, BlockArgument b) {
  if (!a || !b)
    return false;
  if (a == b)
    return true;
  std::optional<int64_t> pa = getArgumentAddress(a), pb = getArgumentAddress(b);
  if (!pa || !pb)
    return false;
  int64_t na = getArgumentSpan(a) * elementBytes(cast<MemRefType>(a.getType()).getElementType());
  int64_t nb = getArgumentSpan(b) * elementBytes(cast<MemRefType>(b.getType()).getElementType());
  return *pa < *pb + nb && *pb < *pa + na;
}

/// Splits a simplified expression into linear strides, a constant and the rest.
static void splitTerms(AffineExpr e, Access &a) {
  if (auto c = dyn_cast<AffineConstantExpr>(e)) {
    a.offset += c.getValue();
    return;
  }
  if (auto d = dyn_cast<AffineDimExpr>(e)) {
    a.strides[d.getPosition()] += 1;
    return;
  }
  auto bin = dyn_cast<AffineBinaryOpExpr>(e);
  if (bin && bin.getKind() == AffineExprKind::Add) {
    splitTerms(bin.getLHS(), a);
    splitTerms(bin.getRHS(), a);
    return;
  }
  if (bin && bin.getKind() == AffineExprKind::Mul) {
    auto d = dyn_cast<AffineDimExpr>(bin.getLHS());
    auto c = dyn_cast<AffineConstantExpr>(bin.getRHS());
    if (d && c) {
      a.strides[d.getPosition()] += c.getValue();
      return;
    }
  }
  a.residual = a.residual ? a.residual + e : e;
}

static LogicalResult readOperand(linalg::GenericOp op, OpOperand &operand, Access &a) {
  unsigned numLoops = op.getNumLoops();
  a.strides.assign(numLoops, 0);
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  if (!type) {
    a.scalar = operand.get();
    a.element = operand.get().getType();
    return success();
  }
  a.element = type.getElementType();
  a.root = getRootArgument(operand.get());
  if (!a.root)
    return op.emitError("operand ")
           << operand.getOperandNumber() << " does not lead to an argument of the kernel";
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  if (!type.hasStaticShape() || failed(type.getStridesAndOffset(strides, offset)) ||
      ShapedType::isDynamic(offset) || llvm::any_of(strides, ShapedType::isDynamic))
    return op.emitError("operand ") << operand.getOperandNumber() << " of type " << type
                                    << " has no static shape, strides and offset";
  AffineExpr e = getAffineConstantExpr(offset, op.getContext());
  AffineMap map = op.getMatchingIndexingMap(&operand);
  for (auto [expr, stride] : llvm::zip(map.getResults(), strides))
    e = e + expr * stride;
  splitTerms(simplifyAffineExpr(e, numLoops, 0), a);
  return success();
}

/// Removes dimension `dim`, whose index is always `value`.
static void dropDim(Nest &nest, unsigned dim, int64_t value) {
  unsigned n = nest.dims.size();
  SmallVector<AffineExpr> repl;
  MLIRContext *ctx = nest.source->getContext();
  for (unsigned i = 0; i < n; ++i)
    repl.push_back(i == dim ? getAffineConstantExpr(value, ctx)
                            : getAffineDimExpr(i < dim ? i : i - 1, ctx));
  auto apply = [&](Access &a) {
    a.offset += value * a.strides[dim];
    a.strides.erase(a.strides.begin() + dim);
    if (!a.residual)
      return;
    AffineExpr e = simplifyAffineExpr(a.residual.replaceDims(repl), n - 1, 0);
    a.residual = {};
    splitTerms(e, a);
  };
  llvm::for_each(nest.inputs, apply);
  llvm::for_each(nest.outputs, apply);
  for (IndexBound &bound : nest.ends.bounds) {
    bound.offset += value * bound.strides[dim];
    bound.strides.erase(bound.strides.begin() + dim);
  }
  for (IndexSource &s : nest.indices) {
    if (s.dim == static_cast<int>(dim))
      s = {-1, s.constant + value + nest.dims[dim].origin};
    else if (s.dim > static_cast<int>(dim))
      --s.dim;
  }
  nest.dims.erase(nest.dims.begin() + dim);
}

/// True if all operands step over the end of `inner` exactly where `outer` advances.
static bool canMerge(const Nest &nest, unsigned outer, unsigned inner) {
  const NestDim &o = nest.dims[outer], &i = nest.dims[inner];
  if (o.pinned || i.pinned || o.reduction != i.reduction)
    return false;
  auto fits = [&](const Access &a) { return a.strides[outer] == a.strides[inner] * i.extent; };
  auto alike = [&](const IndexBound &bound) {
    return bound.strides[outer] == bound.strides[inner] * i.extent;
  };
  return llvm::all_of(nest.inputs, fits) && llvm::all_of(nest.outputs, fits) &&
         llvm::all_of(nest.ends.bounds, alike);
}

static bool mergeOnce(Nest &nest) {
  unsigned n = nest.dims.size();
  for (unsigned outer = 0; outer < n; ++outer) {
    for (unsigned inner = 0; inner < n; ++inner) {
      if (outer == inner || !canMerge(nest, outer, inner))
        continue;
      // Sums keep their order: only reduction dimensions that follow each other merge.
      if (nest.dims[outer].reduction) {
        if (inner < outer)
          continue;
        bool between = false;
        for (unsigned k = outer + 1; k < inner; ++k)
          between |= nest.dims[k].reduction;
        if (between)
          continue;
      }
      nest.dims[inner].extent *= nest.dims[outer].extent;
      nest.dims[outer].extent = 1;
      dropDim(nest, outer, 0);
      return true;
    }
  }
  return false;
}

/// The dimension that alone decides whether the bound holds, or -1.
static int onlyDimOf(const IndexBound &bound) {
  int only = -1;
  for (auto [d, stride] : llvm::enumerate(bound.strides)) {
    if (stride != 0 && only >= 0)
      return -1;
    only = stride != 0 ? d : only;
  }
  return only;
}

/// Ends reductions where what they combine is neutral from there on.
static void shorten(Nest &nest) {
  if (nest.outputs.size() != 1)
    return;
  BlockArgument out = nest.body->getArgument(nest.numInputs());
  Operation *combiner = nest.body->getTerminator()->getOperand(0).getDefiningOp();
  if (!combiner || combiner->getNumOperands() != 2 || !out.hasOneUse() ||
      *out.user_begin() != combiner)
    return;
  std::optional<TypedAttr> neutral = arith::getNeutralElement(combiner);
  unsigned other = combiner->getOperand(0) == out ? 1 : 0;
  auto select = combiner->getOperand(other).getDefiningOp<arith::SelectOp>();
  TypedAttr otherwise;
  if (!neutral || !select || !matchPattern(select.getFalseValue(), m_Constant(&otherwise)) ||
      otherwise != *neutral)
    return;
  const IndexBound *bound = nest.getBound(select.getCondition().getDefiningOp());
  int dim = bound ? onlyDimOf(*bound) : -1;
  if (dim < 0 || !nest.dims[dim].reduction || bound->offset >= bound->limit)
    return;
  int64_t end = llvm::divideCeil(bound->limit - bound->offset, bound->strides[dim]);
  nest.dims[dim].extent = std::min(nest.dims[dim].extent, end);
}

FailureOr<Nest> mlir::dojo::buildNest(linalg::GenericOp op) {
  Nest nest;
  nest.source = op;
  nest.body = op.getBody();
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  for (auto [extent, kind] : llvm::zip(extents, op.getIteratorTypesArray())) {
    if (ShapedType::isDynamic(extent)) {
      op.emitError("loop extents of a kernel must be static");
      return failure();
    }
    nest.dims.push_back({extent, 0, kind != utils::IteratorType::parallel, false});
  }
  for (OpOperand *operand : op.getDpsInputOperands())
    if (failed(readOperand(op, *operand, nest.inputs.emplace_back())))
      return failure();
  for (OpOperand &operand : op.getDpsInitsMutable())
    if (failed(readOperand(op, operand, nest.outputs.emplace_back())))
      return failure();
  nest.inits.resize(nest.outputs.size());
  for (unsigned d = 0; d < nest.dims.size(); ++d)
    nest.indices.push_back({static_cast<int>(d), 0});

  nest.ends = findIndexBounds(op);
  nest.body->walk([&](linalg::IndexOp index) {
    nest.dims[index.getDim()].pinned |= !nest.ends.onlyForBounds.contains(index);
  });
  auto pinResidual = [&](const Access &a) {
    for (unsigned d = 0; d < nest.dims.size(); ++d)
      nest.dims[d].pinned |= a.residual && a.residual.isFunctionOfDim(d);
  };
  llvm::for_each(nest.inputs, pinResidual);
  llvm::for_each(nest.outputs, pinResidual);
  for (const Access &in : nest.inputs)
    for (const Access &out : nest.outputs)
      nest.inPlace |= mayOverlap(in.root, out.root);

  for (unsigned d = nest.dims.size(); d-- > 0;)
    if (nest.dims[d].extent == 1)
      dropDim(nest, d, 0);
  // Ends that are not reached stand in no one's way.
  auto last = llvm::map_to_vector(nest.dims, [](const NestDim &d) { return d.extent - 1; });
  for (IndexBound &bound : nest.ends.bounds)
    if (bound.holdsUpTo(last))
      bound = {bound.compare, 0, 1, SmallVector<int64_t>(nest.dims.size(), 0)};
  while (mergeOnce(nest)) {
  }
  shorten(nest);
  return nest;
}
