// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Transforms/Contraction.h"
#include "dojo/Transforms/Passes.h"
#include "dojo/Transforms/WeightViews.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_UNFLATTENPRODUCTS
#include "dojo/Transforms/Passes.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;

namespace {

/// The dimensions of `from` that make up each dimension of `to`, if each is a product of some in a
/// row; ones of `from` go to the dimension before them.
std::optional<SmallVector<SmallVector<unsigned>>> matchCollapse(ArrayRef<int64_t> from,
                                                                ArrayRef<int64_t> to) {
  SmallVector<SmallVector<unsigned>> groups;
  unsigned next = 0;
  for (int64_t size : to) {
    int64_t product = 1;
    SmallVector<unsigned> &group = groups.emplace_back();
    while (next < from.size() && (product < size || group.empty())) {
      product *= from[next];
      group.push_back(next++);
    }
    if (product != size)
      return std::nullopt;
    while (next < from.size() && from[next] == 1)
      group.push_back(next++);
  }
  return next == from.size() ? std::optional(groups) : std::nullopt;
}

/// A product over the flattened channels and pixels of an image, which comes out of `reshape`.
void unflatten(RewriterBase &rewriter, const Contraction &product, ReshapeOp reshape,
               WeightOp weight, unsigned depth, ArrayRef<SmallVector<unsigned>> groups) {
  linalg::GenericOp op = product.op;
  MLIRContext *context = op.getContext();
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  AffineMap image = maps[product.image], kernel = maps[product.kernel];
  ArrayRef<int64_t> imageShape = cast<RankedTensorType>(reshape.getInput().getType()).getShape();
  unsigned flatPosition = *image.getResultPosition(getAffineDimExpr(depth, context));
  const SmallVector<unsigned> &parts = groups[flatPosition];

  // Loop `depth` becomes as many loops as it has parts, at its place.
  unsigned extra = parts.size() - 1, numDims = op.getNumLoops() + extra;
  SmallVector<AffineExpr> renamed;
  for (unsigned d = 0; d < op.getNumLoops(); ++d)
    renamed.push_back(getAffineDimExpr(d > depth ? d + extra : d, context));
  SmallVector<AffineExpr> split;
  for (unsigned i = 0; i <= extra; ++i)
    split.push_back(getAffineDimExpr(depth + i, context));
  auto rename = [&](AffineExpr expr) { return expr.replaceDims(renamed); };

  SmallVector<AffineExpr> imageExprs(imageShape.size(), getAffineConstantExpr(0, context));
  for (auto [position, group] : llvm::enumerate(groups)) {
    if (position == flatPosition) {
      for (auto [part, expr] : llvm::zip_equal(group, split))
        imageExprs[part] = expr;
      continue;
    }
    // One dimension beside ones: the ones are at index 0.
    for (unsigned part : group)
      if (imageShape[part] != 1 || group.size() == 1)
        imageExprs[part] = rename(image.getResult(position));
  }
  SmallVector<AffineExpr> kernelExprs;
  std::vector<int64_t> kernelShape;
  for (auto [expr, size] :
       llvm::zip_equal(kernel.getResults(), cast<RankedTensorType>(weight.getType()).getShape())) {
    if (expr != getAffineDimExpr(depth, context)) {
      kernelExprs.push_back(rename(expr));
      kernelShape.push_back(size);
      continue;
    }
    llvm::append_range(kernelExprs, split);
    for (unsigned part : parts)
      kernelShape.push_back(imageShape[part]);
  }
  SmallVector<AffineMap> newMaps(3);
  newMaps[product.image] = AffineMap::get(numDims, 0, imageExprs, context);
  newMaps[product.kernel] = AffineMap::get(numDims, 0, kernelExprs, context);
  SmallVector<AffineExpr> resultExprs;
  for (AffineExpr expr : maps[2].getResults())
    resultExprs.push_back(rename(expr));
  newMaps[2] = AffineMap::get(numDims, 0, resultExprs, context);
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  iterators.insert(iterators.begin() + depth, extra, utils::IteratorType::reduction);
  SmallVector<Value> inputs(2);
  inputs[product.image] = reshape.getInput();
  inputs[product.kernel] =
      transformWeight(rewriter, weight, ::dojo::TransformStep::reshape(kernelShape));

  rewriter.setInsertionPoint(op);
  auto generic = linalg::GenericOp::create(rewriter, op.getLoc(), op.getResultTypes(), inputs,
                                           op.getDpsInits(), newMaps, iterators);
  generic->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  rewriter.inlineRegionBefore(op.getRegion(), generic.getRegion(), generic.getRegion().end());
  rewriter.replaceOp(op, generic);
}

void tryUnflatten(RewriterBase &rewriter, linalg::GenericOp op) {
  std::optional<Contraction> product = matchContraction(op);
  if (!product || product->depth.size() != 1 || !product->taps.empty() || !product->batch.empty())
    return;
  auto reshape = op.getDpsInputs()[product->image].getDefiningOp<ReshapeOp>();
  auto weight = op.getDpsInputs()[product->kernel].getDefiningOp<WeightOp>();
  if (!reshape || !weight)
    return;
  auto from = cast<RankedTensorType>(reshape.getInput().getType());
  auto to = cast<RankedTensorType>(reshape.getType());
  auto groups = matchCollapse(from.getShape(), to.getShape());
  AffineMap image = op.getIndexingMapsArray()[product->image];
  unsigned depth = product->depth.front();
  std::optional<unsigned> flat = image.getResultPosition(getAffineDimExpr(depth, op.getContext()));
  if (!groups || !flat)
    return;
  auto isPixel = [&](unsigned d) { return from.getDimSize(d) != 1; };
  for (auto [position, group] : llvm::enumerate(*groups)) {
    // An image has channels and at most two dimensions of pixels; the rest stays as it is. With
    // fewer channels than a block has lanes most of the work would be on padding.
    int64_t large = llvm::count_if(group, isPixel);
    if (position == *flat ? large < 2 || group.size() > 3 || from.getDimSize(group.front()) < 4
                          : large > 1)
      return;
  }
  unflatten(rewriter, *product, reshape, weight, depth, *groups);
}

struct UnflattenProductsPass : mlir::dojo::impl::UnflattenProductsBase<UnflattenProductsPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::GenericOp> ops;
    getOperation().walk([&](linalg::GenericOp op) { ops.push_back(op); });
    for (linalg::GenericOp op : ops)
      tryUnflatten(rewriter, op);
  }
};

} // namespace
