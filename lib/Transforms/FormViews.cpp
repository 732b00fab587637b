// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From tensor ops that only move elements to the views of the layer form.

#include "DeadOps.h"
#include "EmptyTensors.h"

#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Transforms/NodeNames.h"
#include "dojo/Transforms/Passes.h"
#include "dojo/Transforms/WeightViews.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_FORMVIEWS
#include "dojo/Transforms/Passes.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;

namespace {

using Offsets = SmallVector<int64_t>;

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// The constants in `values`; fails if one is not constant.
FailureOr<Offsets> constants(ArrayRef<OpFoldResult> values) {
  if (std::optional<SmallVector<int64_t>> result = getConstantIntValues(values))
    return *result;
  return failure();
}

bool allOnes(ArrayRef<int64_t> values) {
  return llvm::all_of(values, [](int64_t value) { return value == 1; });
}

class ViewFormer {
public:
  explicit ViewFormer(func::FuncOp function)
      : function(function), rewriter(function.getContext()) {}

  LogicalResult run();

private:
  LogicalResult form(Operation *op);
  LogicalResult formPad(tensor::PadOp op);
  LogicalResult formExtract(tensor::ExtractSliceOp op);
  LogicalResult formInsert(tensor::InsertSliceOp op);
  void formConcat(tensor::ConcatOp op);
  /// A fill or an empty tensor that something other than a destination reads.
  void formFilled(Operation *op, TypedAttr fill);
  Value reshape(Location loc, Value value, RankedTensorType type) {
    return rewriter.createOrFold<ReshapeOp>(loc, type, value);
  }
  Value assemble(Location loc, Type type, TypedAttr fill, ValueRange pieces,
                 ArrayRef<Offsets> offsets) {
    return rewriter.createOrFold<AssembleOp>(loc, type, fill, pieces, offsets);
  }
  /// The box [lower, lower + shape) of `value`.
  Value slice(Location loc, Value value, ArrayRef<int64_t> lower, ArrayRef<int64_t> shape);

  func::FuncOp function;
  IRRewriter rewriter;
};

Value ViewFormer::slice(Location loc, Value value, ArrayRef<int64_t> lower,
                        ArrayRef<int64_t> shape) {
  Offsets offsets;
  for (int64_t offset : lower)
    offsets.push_back(-offset);
  RankedTensorType type = typeOf(value).clone(shape);
  return assemble(loc, type, rewriter.getZeroAttr(type.getElementType()), value, offsets);
}

LogicalResult ViewFormer::formPad(tensor::PadOp op) {
  FailureOr<Offsets> low = constants(op.getMixedLowPad());
  Attribute fill;
  Value padding = op.getConstantPaddingValue();
  if (failed(low) || !op.getResultType().hasStaticShape() || !padding ||
      !matchPattern(padding, m_Constant(&fill)))
    return emitNodeError(op) << "padding by sizes or values known only at run time";
  rewriter.replaceOp(
      op, assemble(op.getLoc(), op.getResultType(), cast<TypedAttr>(fill), op.getSource(), *low));
  return success();
}

LogicalResult ViewFormer::formExtract(tensor::ExtractSliceOp op) {
  FailureOr<Offsets> offsets = constants(op.getMixedOffsets());
  FailureOr<Offsets> sizes = constants(op.getMixedSizes());
  FailureOr<Offsets> strides = constants(op.getMixedStrides());
  if (failed(offsets) || failed(sizes) || failed(strides))
    return emitNodeError(op) << "a slice whose place is known only at run time";
  Location loc = op.getLoc();
  Value result;
  if (allOnes(*strides)) {
    result = slice(loc, op.getSource(), *offsets, *sizes);
  } else {
    SmallVector<AffineExpr> exprs;
    for (auto [d, offset, stride] : llvm::enumerate(*offsets, *strides))
      exprs.push_back(rewriter.getAffineDimExpr(d) * stride + offset);
    unsigned rank = exprs.size();
    RankedTensorType type = typeOf(op.getSource()).clone(*sizes);
    Value empty = tensor::EmptyOp::create(rewriter, loc, type, ValueRange{});
    result = linalg::GenericOp::create(
                 rewriter, loc, type, op.getSource(), empty,
                 ArrayRef{AffineMap::get(rank, 0, exprs, rewriter.getContext()),
                          rewriter.getMultiDimIdentityMap(rank)},
                 SmallVector<utils::IteratorType>(rank, utils::IteratorType::parallel),
                 [](OpBuilder &builder, Location loc, ValueRange arguments) {
                   linalg::YieldOp::create(builder, loc, arguments[0]);
                 })
                 .getResult(0);
  }
  rewriter.replaceOp(op, reshape(loc, result, op.getType()));
  return success();
}

LogicalResult ViewFormer::formInsert(tensor::InsertSliceOp op) {
  FailureOr<Offsets> offsets = constants(op.getMixedOffsets());
  FailureOr<Offsets> sizes = constants(op.getMixedSizes());
  FailureOr<Offsets> strides = constants(op.getMixedStrides());
  if (failed(offsets) || failed(sizes) || failed(strides) || !allOnes(*strides))
    return emitNodeError(op)
           << "an insertion at a place known only at run time or with gaps between elements";
  Location loc = op.getLoc();
  RankedTensorType type = op.getType();
  Value destination = op.getDest();
  TypedAttr fill = rewriter.getZeroAttr(type.getElementType());
  SmallVector<Value> pieces;
  SmallVector<Offsets> places;

  // What the new piece leaves of the destination: all of an assembly it does not touch, else the
  // boxes around it, cut off dimension by dimension.
  auto assembly = destination.getDefiningOp<AssembleOp>();
  if (assembly) {
    for (auto [index, piece] : llvm::enumerate(assembly.getPieces())) {
      pieces.push_back(piece);
      places.emplace_back(assembly.getOffsetsOf(index));
      bool apart = false;
      for (auto [size, place, from, extent] :
           llvm::zip_equal(typeOf(piece).getShape(), places.back(), *offsets, *sizes))
        apart |= place >= from + extent || from >= place + size;
      if (!apart)
        assembly = nullptr;
      if (!assembly)
        break;
    }
  }
  if (assembly) {
    fill = assembly.getFill();
  } else if (!destination.getDefiningOp<tensor::EmptyOp>()) {
    pieces.clear();
    places.clear();
    Offsets lower(type.getRank(), 0), upper(type.getShape());
    auto keep = [&] {
      Offsets shape;
      for (auto [from, to] : llvm::zip_equal(lower, upper))
        shape.push_back(to - from);
      if (llvm::is_contained(shape, 0))
        return;
      pieces.push_back(slice(loc, destination, lower, shape));
      places.push_back(lower);
    };
    for (int64_t d = 0; d < type.getRank(); ++d) {
      int64_t from = lower[d], to = upper[d], begin = (*offsets)[d], end = begin + (*sizes)[d];
      upper[d] = begin;
      keep();
      lower[d] = end;
      upper[d] = to;
      keep();
      lower[d] = begin;
      upper[d] = end;
      assert(from <= begin && end <= to && "slice inside its destination");
    }
  }
  pieces.push_back(reshape(loc, op.getSource(), type.clone(*sizes)));
  places.push_back(*offsets);
  rewriter.replaceOp(op, assemble(loc, type, fill, pieces, places));
  return success();
}

void ViewFormer::formConcat(tensor::ConcatOp op) {
  SmallVector<Offsets> places;
  Offsets offset(op.getResultType().getRank(), 0);
  for (Value piece : op.getInputs()) {
    places.push_back(offset);
    offset[op.getDim()] += typeOf(piece).getDimSize(op.getDim());
  }
  rewriter.replaceOp(op, assemble(op.getLoc(), op.getResultType(),
                                  rewriter.getZeroAttr(op.getResultType().getElementType()),
                                  op.getInputs(), places));
}

/// Whether the use only gives a destination, or the size of a window.
bool isDestination(OpOperand &use) {
  if (isa<linalg::FillOp>(use.getOwner()))
    return true;
  auto structured = dyn_cast<linalg::LinalgOp>(use.getOwner());
  return structured &&
         (structured.isDpsInit(&use) || structured.getMatchingBlockArgument(&use).use_empty());
}

/// Whether the use is an operand of a convolution, product or other reduction.
bool isReduced(OpOperand &use) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(use.getOwner());
  return linalgOp && linalgOp.getNumReductionLoops() != 0;
}

void ViewFormer::formFilled(Operation *op, TypedAttr fill) {
  Value value = op->getResult(0), view, weight;
  auto type = cast<RankedTensorType>(value.getType());
  for (OpOperand &use : llvm::make_early_inc_range(value.getUses())) {
    if (isDestination(use) || isa<tensor::InsertSliceOp>(use.getOwner()))
      continue;
    // Constants can have whatever layout a reduction likes best.
    if (isReduced(use) && type.getNumElements() != 0) {
      if (!weight)
        weight = WeightOp::create(rewriter, op->getLoc(), type, DenseElementsAttr::get(type, fill),
                                  TypeAttr(), TransformAttr());
      use.set(weight);
      continue;
    }
    if (!view)
      view = AssembleOp::create(rewriter, op->getLoc(), value.getType(), fill, ValueRange{},
                                ArrayRef<Offsets>{});
    use.set(view);
  }
  if (!fill || isa<tensor::EmptyOp>(op))
    return;
  // An insertion keeps the elements around it: they have to be there.
  for (OpOperand &use : llvm::make_early_inc_range(value.getUses()))
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(use.getOwner())) {
      if (!view)
        view = AssembleOp::create(rewriter, op->getLoc(), value.getType(), fill, ValueRange{},
                                  ArrayRef<Offsets>{});
      use.set(view);
    }
}

LogicalResult ViewFormer::form(Operation *op) {
  rewriter.setInsertionPoint(op);
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto elements = dyn_cast<ElementsAttr>(constant.getValue());
    if (elements)
      rewriter.replaceOpWithNewOp<WeightOp>(op, constant.getType(), elements, TypeAttr(),
                                            TransformAttr());
    return success();
  }
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op); linalgOp && !isa<linalg::FillOp>(op)) {
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (!generic) {
      FailureOr<linalg::GenericOp> general = linalg::generalizeNamedOp(rewriter, linalgOp);
      if (failed(general))
        return emitNodeError(op) << "no general form of " << op->getName();
      generic = *general;
    }
    if (Value weight = foldTransposeOfWeight(rewriter, generic))
      rewriter.replaceOp(generic, weight);
    return success();
  }
  if (auto fill = dyn_cast<linalg::FillOp>(op)) {
    Attribute value;
    if (!matchPattern(fill.value(), m_Constant(&value)))
      return emitNodeError(op) << "a tensor filled with a value known only at run time";
    rewriter.setInsertionPointAfter(op);
    formFilled(op, cast<TypedAttr>(value));
    return success();
  }
  if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
    rewriter.setInsertionPointAfter(op);
    formFilled(op, rewriter.getZeroAttr(empty.getType().getElementType()));
    return success();
  }
  if (auto pad = dyn_cast<tensor::PadOp>(op))
    return formPad(pad);
  if (auto extract = dyn_cast<tensor::ExtractSliceOp>(op))
    return formExtract(extract);
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
    return formInsert(insert);
  if (auto concat = dyn_cast<tensor::ConcatOp>(op)) {
    formConcat(concat);
    return success();
  }
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(op)) {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    if (!type.hasStaticShape())
      return emitNodeError(op) << "a shape known only at run time";
    rewriter.replaceOp(op, reshape(op->getLoc(), op->getOperand(0), type));
  }
  return success();
}

LogicalResult ViewFormer::run() {
  SmallVector<Operation *> ops;
  for (Operation &op : function.getBody().front().without_terminator())
    ops.push_back(&op);
  for (Operation *op : ops)
    if (failed(form(op)))
      return failure();
  removeEmptyTensors(rewriter, function);
  foldViewsOfWeights(rewriter, function);
  eraseDeadOps(rewriter, function.getBody().front());
  return success();
}

struct FormViewsPass : mlir::dojo::impl::FormViewsBase<FormViewsPass> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    if (!function.getBody().hasOneBlock()) {
      function.emitError() << "has control flow between blocks";
      return signalPassFailure();
    }
    if (failed(ViewFormer(function).run()))
      signalPassFailure();
  }
};

} // namespace
