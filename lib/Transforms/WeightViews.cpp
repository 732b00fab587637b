// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Transforms/WeightViews.h"

using namespace mlir;
using namespace mlir::dojo;
using ::dojo::ArrayType;
using ::dojo::TransformStep;
using Kind = TransformStep::Kind;

/// Whether `step` leaves an array of type `type` as it is.
static bool isIdentity(const TransformStep &step, const ArrayType &type) {
  switch (step.kind) {
  case Kind::Pad:
  case Kind::Reshape:
    return step.values == type.shape;
  case Kind::Transpose:
    for (size_t i = 0; i < step.values.size(); ++i)
      if (step.values[i] != int64_t(i))
        return false;
    return true;
  case Kind::Slice:
    for (size_t i = 0; i < type.shape.size(); ++i)
      if (step.values[2 * i] != 0 || step.values[2 * i + 1] != type.shape[i])
        return false;
    return true;
  case Kind::Cast:
    return step.element == type.element;
  }
  return false;
}

Value mlir::dojo::transformWeight(RewriterBase &rewriter, WeightOp weight,
                                  ArrayRef<TransformStep> steps) {
  ArrayType source = *getArrayType(weight.getSourceType());
  SmallVector<TransformStep> all = weight.getTransformSteps();
  std::string error;
  ArrayType type = *getArrayType(cast<RankedTensorType>(weight.getType()));
  for (const TransformStep &step : steps) {
    std::optional<ArrayType> next = ::dojo::transformedType(type, {&step, 1}, error);
    assert(next && "steps fit the weight");
    if (!isIdentity(step, type)) {
      // Of two reshapes only the last counts.
      if (step.kind == Kind::Reshape && !all.empty() && all.back().kind == Kind::Reshape)
        all.pop_back();
      all.push_back(step);
    }
    type = std::move(*next);
  }
  if (ArrayRef(all) == ArrayRef(weight.getTransformSteps()))
    return weight;
  MLIRContext *context = rewriter.getContext();
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfter(weight);
  auto resultType = RankedTensorType::get(type.shape, getType(context, type.element));
  // A cast between integers keeps the type's own spelling, which the element type does not carry.
  if (type.element == getArrayType(cast<RankedTensorType>(weight.getType()))->element)
    resultType = resultType.clone(cast<RankedTensorType>(weight.getType()).getElementType());
  return WeightOp::create(rewriter, weight.getLoc(), resultType, weight.getData(),
                          TypeAttr::get(weight.getSourceType()), TransformAttr::get(context, all));
}

Value mlir::dojo::foldTransposeOfWeight(RewriterBase &rewriter, linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 1 || op.getNumResults() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops() || !op.getRegion().hasOneBlock())
    return {};
  auto weight = op.getDpsInputs()[0].getDefiningOp<WeightOp>();
  auto yield = cast<linalg::YieldOp>(op.getBody()->getTerminator());
  if (!weight || yield.getOperand(0) != op.getBody()->getArgument(0))
    return {};
  AffineMap in = op.getIndexingMapsArray()[0], out = op.getIndexingMapsArray()[1];
  if (!in.isPermutation() || !out.isPermutation())
    return {};
  // Result dimension i runs over loop out(i), which is some dimension of the weight.
  AffineMap toOperand = inversePermutation(in);
  std::vector<int64_t> permutation;
  for (unsigned i = 0; i < out.getNumResults(); ++i)
    permutation.push_back(toOperand.getDimPosition(out.getDimPosition(i)));
  return transformWeight(rewriter, weight, TransformStep::transpose(permutation));
}

/// The steps that do to a weight what `op` does to its one piece.
static std::optional<SmallVector<TransformStep>> assembleSteps(AssembleOp op) {
  if (op.getPieces().size() != 1)
    return std::nullopt;
  auto from = cast<RankedTensorType>(op.getPieces()[0].getType());
  auto to = cast<RankedTensorType>(op.getResult().getType());
  std::vector<int64_t> slices, sizes(to.getShape());
  bool padded = false;
  for (auto [offset, size, limit] :
       llvm::zip_equal(op.getOffsetsOf(0), from.getShape(), to.getShape())) {
    if (offset > 0 || -offset > size)
      return std::nullopt;
    int64_t kept = std::min(size + offset, limit);
    slices.push_back(-offset);
    slices.push_back(kept);
    padded |= kept < limit;
  }
  if (padded && op.getFill() != Builder(op.getContext()).getZeroAttr(to.getElementType()))
    return std::nullopt;
  return SmallVector<TransformStep>{TransformStep::slice(slices), TransformStep::pad(sizes)};
}

void mlir::dojo::foldViewsOfWeights(RewriterBase &rewriter, Operation *function) {
  function->walk([&](Operation *op) {
    if (auto reshape = dyn_cast<ReshapeOp>(op)) {
      if (auto weight = reshape.getInput().getDefiningOp<WeightOp>())
        rewriter.replaceOp(
            op, transformWeight(rewriter, weight,
                                TransformStep::reshape(
                                    cast<RankedTensorType>(reshape.getType()).getShape().vec())));
    } else if (auto assemble = dyn_cast<AssembleOp>(op)) {
      if (assemble.getPieces().empty())
        return;
      auto weight = assemble.getPieces()[0].getDefiningOp<WeightOp>();
      std::optional<SmallVector<TransformStep>> steps = assembleSteps(assemble);
      if (weight && steps)
        rewriter.replaceOp(op, transformWeight(rewriter, weight, *steps));
    }
  });
}
