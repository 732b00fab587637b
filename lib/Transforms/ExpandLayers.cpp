// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The meaning of layers and views as linalg and tensor ops.

#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_EXPANDLAYERS
#include "dojo/Transforms/Passes.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;
using utils::IteratorType;

static void expandLayer(IRRewriter &rewriter, LayerOp layer) {
  rewriter.setInsertionPoint(layer);
  IRMapping mapping;
  mapping.map(layer.getBody().front().getArguments(), layer.getInputs());
  for (Operation &op : layer.getBody().front().without_terminator())
    rewriter.clone(op, mapping);
  SmallVector<Value> results;
  for (Value value : cast<YieldOp>(layer.getBody().front().getTerminator()).getValues())
    results.push_back(mapping.lookup(value));
  rewriter.replaceOp(layer, results);
}

static Value filledTensor(OpBuilder &builder, Location loc, RankedTensorType type, TypedAttr fill) {
  Value empty = tensor::EmptyOp::create(builder, loc, type, ValueRange{});
  Value value = arith::ConstantOp::create(builder, loc, fill);
  return linalg::FillOp::create(builder, loc, value, empty).getResult(0);
}

/// The shape with dimension `dim` taken apart into (parts, rest).
static Value dividedDim(OpBuilder &builder, Location loc, Value value, int64_t dim, int64_t parts) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] /= parts;
  shape.insert(shape.begin() + dim, parts);
  SmallVector<ReassociationIndices> groups;
  for (int64_t from = 0, to = 0; from < type.getRank(); ++from) {
    groups.push_back({to++});
    if (from == dim)
      groups.back().push_back(to++);
  }
  return tensor::ExpandShapeOp::create(builder, loc, type.clone(shape), value, groups);
}

/// Sum of products over (n, fq, y, x, f4, kh, kw, cq, c4) in fp32; with more than one part these
/// follow as a loop of their own, and are the first dimension of the sums.
static Value expandContraction(IRRewriter &rewriter, ConvOp op) {
  Location loc = op.getLoc();
  MLIRContext *context = rewriter.getContext();
  int64_t parts = op.getParts();
  auto dim = [&](unsigned position) { return getAffineDimExpr(position, context); };
  ArrayRef<int64_t> strides = op.getStrides(), dilations = op.getDilations();
  unsigned loops = parts > 1 ? 10 : 9;
  SmallVector<AffineExpr> inputs{dim(0), dim(7), dim(2) * strides[0] + dim(5) * dilations[0],
                                 dim(3) * strides[1] + dim(6) * dilations[1], dim(8)};
  SmallVector<AffineExpr> weights{dim(1).floorDiv(2),        dim(5), dim(6), dim(7),
                                  (dim(1) % 2) * 4 + dim(4), dim(8)};
  SmallVector<AffineExpr> outputs{dim(0), dim(1), dim(2), dim(3), dim(4)};
  SmallVector<int64_t> shape(op.getInitType().getShape());
  SmallVector<IteratorType> iterators(9, IteratorType::parallel);
  std::fill(iterators.begin() + 5, iterators.end(), IteratorType::reduction);
  Value input = op.getInput(), weight = op.getWeight();
  if (parts > 1) {
    input = dividedDim(rewriter, loc, input, 1, parts);
    weight = dividedDim(rewriter, loc, weight, 3, parts);
    inputs.insert(inputs.begin() + 1, dim(9));
    weights.insert(weights.begin() + 3, dim(9));
    outputs.insert(outputs.begin(), dim(9));
    iterators.push_back(IteratorType::parallel);
    shape[0] /= parts;
    shape.insert(shape.begin(), parts);
  }
  AffineMap inputMap = AffineMap::get(loops, 0, inputs, context);
  AffineMap weightMap = AffineMap::get(loops, 0, weights, context);
  AffineMap outputMap = AffineMap::get(loops, 0, outputs, context);
  auto sumType = RankedTensorType::get(shape, rewriter.getF32Type());
  Value zeros = filledTensor(rewriter, loc, sumType, rewriter.getF32FloatAttr(0.0f));
  auto generic = linalg::GenericOp::create(
      rewriter, loc, sumType, ValueRange{input, weight}, zeros,
      ArrayRef{inputMap, weightMap, outputMap}, iterators,
      [](OpBuilder &builder, Location loc, ValueRange arguments) {
        Type f32 = builder.getF32Type();
        Value lhs = arith::ExtFOp::create(builder, loc, f32, arguments[0]);
        Value rhs = arith::ExtFOp::create(builder, loc, f32, arguments[1]);
        Value product = arith::MulFOp::create(builder, loc, lhs, rhs);
        Value sum = arith::AddFOp::create(builder, loc, arguments[2], product);
        linalg::YieldOp::create(builder, loc, sum);
      });
  if (parts == 1)
    return generic.getResult(0);
  auto result = RankedTensorType::get(op.getInitType().getShape(), rewriter.getF32Type());
  SmallVector<ReassociationIndices> groups{{0, 1}, {2}, {3}, {4}, {5}};
  return tensor::CollapseShapeOp::create(rewriter, loc, result, generic.getResult(0), groups);
}

static void expandConv(IRRewriter &rewriter, ConvOp op) {
  rewriter.setInsertionPoint(op);
  SmallVector<Value> inputs{expandContraction(rewriter, op)};
  SmallVector<AffineMap> maps{rewriter.getMultiDimIdentityMap(5)};
  llvm::append_range(inputs, op.getExtras());
  llvm::append_range(maps, op.getExtraMapValues());
  maps.push_back(rewriter.getMultiDimIdentityMap(5));
  SmallVector<IteratorType> iterators(5, IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      rewriter, op.getLoc(), op.getResult().getType(), inputs, op.getInit(), maps, iterators,
      [&](OpBuilder &builder, Location loc, ValueRange arguments) {
        IRMapping mapping;
        Block &block = op.getEpilogue().front();
        mapping.map(block.getArguments(), arguments.drop_back());
        for (Operation &inner : block.without_terminator())
          builder.clone(inner, mapping);
        Value result = cast<YieldOp>(block.getTerminator()).getValues()[0];
        linalg::YieldOp::create(builder, loc, mapping.lookupOrDefault(result));
      });
  rewriter.replaceOp(op, generic);
}

static void expandAssemble(IRRewriter &rewriter, AssembleOp op) {
  rewriter.setInsertionPoint(op);
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op.getResult().getType());
  Value result = filledTensor(rewriter, loc, type, op.getFill());
  SmallVector<OpFoldResult> ones(type.getRank(), rewriter.getIndexAttr(1));
  for (auto [index, piece] : llvm::enumerate(op.getPieces())) {
    auto pieceType = cast<RankedTensorType>(piece.getType());
    SmallVector<OpFoldResult> from, to, sizes;
    SmallVector<int64_t> shape;
    for (auto [offset, size, limit] :
         llvm::zip_equal(op.getOffsetsOf(index), pieceType.getShape(), type.getShape())) {
      int64_t lower = std::max<int64_t>(offset, 0), upper = std::min(offset + size, limit);
      from.push_back(rewriter.getIndexAttr(lower - offset));
      to.push_back(rewriter.getIndexAttr(lower));
      shape.push_back(std::max<int64_t>(upper - lower, 0));
      sizes.push_back(rewriter.getIndexAttr(shape.back()));
    }
    if (llvm::is_contained(shape, 0))
      continue;
    Value part = piece;
    if (ArrayRef(shape) != pieceType.getShape())
      part = tensor::ExtractSliceOp::create(rewriter, loc, pieceType.clone(shape), piece, from,
                                            sizes, ones);
    result = tensor::InsertSliceOp::create(rewriter, loc, part, result, to, sizes, ones);
  }
  rewriter.replaceOp(op, result);
}

static void expandReshape(IRRewriter &rewriter, ReshapeOp op) {
  rewriter.setInsertionPoint(op);
  Location loc = op.getLoc();
  auto from = cast<RankedTensorType>(op.getInput().getType());
  auto to = cast<RankedTensorType>(op.getResult().getType());
  auto all = [](RankedTensorType type, bool scalar) {
    SmallVector<ReassociationIndices> groups;
    if (!scalar)
      groups.push_back(llvm::to_vector(llvm::seq<int64_t>(type.getRank())));
    return groups;
  };
  // Through one dimension, or none where either side has none.
  bool scalar = from.getRank() == 0 || to.getRank() == 0;
  Value flat = op.getInput();
  auto flatType = from.clone(scalar ? ArrayRef<int64_t>{} : ArrayRef{from.getNumElements()});
  if (from != flatType)
    flat = tensor::CollapseShapeOp::create(rewriter, loc, flatType, flat, all(from, scalar));
  if (to != flatType)
    flat = tensor::ExpandShapeOp::create(rewriter, loc, to, flat, all(to, scalar));
  rewriter.replaceOp(op, flat);
}

namespace {
struct ExpandLayersPass : mlir::dojo::impl::ExpandLayersBase<ExpandLayersPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<LayerOp> layers(getOperation().getOps<LayerOp>());
    for (LayerOp layer : layers)
      expandLayer(rewriter, layer);
    getOperation().walk([&](Operation *op) {
      if (auto conv = dyn_cast<ConvOp>(op); conv && conv.hasPureTensorSemantics())
        expandConv(rewriter, conv);
      else if (auto assemble = dyn_cast<AssembleOp>(op))
        expandAssemble(rewriter, assemble);
      else if (auto reshape = dyn_cast<ReshapeOp>(op))
        expandReshape(rewriter, reshape);
    });
  }
};
} // namespace
