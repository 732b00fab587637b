// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Golden/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_REORDERCONTRACTIONS
#include "dojo/Golden/Passes.h.inc"

namespace {

using linalg::GenericOp;

// A transposed copy of the weights is made where each is read at least this often.
constexpr int64_t kMinUses = 4;

/// The permutation of `rank` dimensions that moves `d` to the end.
SmallVector<int64_t> toLast(int64_t rank, int64_t d) {
  SmallVector<int64_t> perm;
  for (int64_t i = 0; i < rank; ++i)
    if (i != d)
      perm.push_back(i);
  perm.push_back(d);
  return perm;
}

Value transposed(RewriterBase &b, Location loc, Value tensor, ArrayRef<int64_t> perm) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<int64_t> shape;
  for (int64_t p : perm)
    shape.push_back(type.getDimSize(p));
  Value init = tensor::EmptyOp::create(b, loc, shape, type.getElementType());
  return linalg::TransposeOp::create(b, loc, tensor, init, perm)->getResult(0);
}

/// The result of `map` that is the plain dimension `loop`, or -1.
int64_t resultOf(AffineMap map, unsigned loop) {
  for (auto [i, expr] : llvm::enumerate(map.getResults()))
    if (expr == getAffineDimExpr(loop, map.getContext()))
      return i;
  return -1;
}

AffineMap permuted(AffineMap map, ArrayRef<int64_t> perm) {
  SmallVector<AffineExpr> exprs;
  for (int64_t p : perm)
    exprs.push_back(map.getResult(p));
  return AffineMap::get(map.getNumDims(), 0, exprs, map.getContext());
}

void interchange(IRRewriter &rewriter, GenericOp op, unsigned innermost) {
  SmallVector<unsigned> order;
  for (int64_t loop : toLast(op.getNumLoops(), innermost))
    order.push_back(loop);
  rewriter.setInsertionPoint(op);
  (void)linalg::interchangeGenericOp(rewriter, op, order);
}

/// The loop over output channels: in weights and result but not in the input.
std::optional<unsigned> channelLoop(GenericOp op) {
  auto maps = op.getIndexingMapsArray();
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
    if (!maps[0].isFunctionOfDim(loop) && resultOf(maps[1], loop) >= 0 &&
        resultOf(maps[2], loop) >= 0)
      return loop;
  return std::nullopt;
}

void reorder(IRRewriter &rewriter, GenericOp op) {
  auto maps = op.getIndexingMapsArray();
  auto loop = channelLoop(op);
  if (!loop)
    return;
  Location loc = op.getLoc();
  rewriter.setInsertionPoint(op);
  Value weights = op.getDpsInputs()[1], init = op.getDpsInits()[0];
  const int64_t weightRank = maps[1].getNumResults(), outRank = maps[2].getNumResults();
  const int64_t inWeights = resultOf(maps[1], *loop), inOut = resultOf(maps[2], *loop);
  const bool moveWeights = inWeights != weightRank - 1, moveOut = inOut != outRank - 1;
  const int64_t outElements = cast<RankedTensorType>(init.getType()).getNumElements();
  const int64_t weightElements = cast<RankedTensorType>(weights.getType()).getNumElements();
  if (outElements == 0 || weightElements == 0)
    return;
  const int64_t uses = outElements / cast<RankedTensorType>(init.getType()).getDimSize(inOut);
  if (moveWeights && uses < kMinUses)
    return;

  auto outOrder = toLast(outRank, inOut);
  if (moveWeights) {
    auto order = toLast(weightRank, inWeights);
    weights = transposed(rewriter, loc, weights, order);
    maps[1] = permuted(maps[1], order);
  }
  if (moveOut) {
    if (auto fill = init.getDefiningOp<linalg::FillOp>()) {
      SmallVector<int64_t> shape;
      for (int64_t p : outOrder)
        shape.push_back(cast<RankedTensorType>(init.getType()).getDimSize(p));
      Value empty = tensor::EmptyOp::create(rewriter, loc, shape,
                                            cast<ShapedType>(init.getType()).getElementType());
      init = linalg::FillOp::create(rewriter, loc, fill.getInputs()[0], empty).getResult(0);
    } else {
      init = transposed(rewriter, loc, init, outOrder);
    }
    maps[2] = permuted(maps[2], outOrder);
  }
  auto moved = GenericOp::create(rewriter, loc, TypeRange{init.getType()},
                                 ValueRange{op.getDpsInputs()[0], weights}, ValueRange{init}, maps,
                                 op.getIteratorTypesArray());
  rewriter.inlineRegionBefore(op.getRegion(), moved.getRegion(), moved.getRegion().begin());
  Value result = moved.getResult(0);
  if (moveOut) {
    SmallVector<int64_t> back(outRank);
    for (auto [i, p] : llvm::enumerate(outOrder))
      back[p] = i;
    result = transposed(rewriter, loc, result, back);
  }
  rewriter.replaceOp(op, result);
  interchange(rewriter, moved, *loop);
}

struct ReorderContractions : impl::ReorderContractionsBase<ReorderContractions> {
  void runOnOperation() override {
    SmallVector<GenericOp> contractions;
    getOperation().walk([&](GenericOp op) {
      if (op->hasAttr("dojo.op") && op.hasPureTensorSemantics() && op.getNumDpsInputs() == 2 &&
          op.getNumDpsInits() == 1)
        contractions.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (GenericOp op : contractions) {
      if (op->getAttrOfType<StringAttr>("dojo.op").getValue() != "depthwise") {
        reorder(rewriter, op);
        continue;
      }
      if (op.getNumParallelLoops() == 0)
        continue;
      SmallVector<unsigned> parallel;
      op.getParallelDims(parallel);
      interchange(rewriter, op, parallel.back());
    }
  }
};

} // namespace
} // namespace mlir::dojo
