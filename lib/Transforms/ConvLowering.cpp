// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConvLowering.h"

#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Transforms/NodeNames.h"
#include "dojo/Transforms/WeightViews.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dojo;
using ::dojo::TransformStep;
using linalg::GenericOp;
using utils::IteratorType;

Layout mlir::dojo::epilogueLayout(const ConvForm &form, GenericOp user, OpOperand &sum) {
  AffineMap map = user.getMatchingIndexingMap(&sum);
  return layoutFollowing(user.getIndexingMapsArray().back(),
                         loopsInMemoryOrder(map, form.resultLayout),
                         blockLoopOf(map, form.resultLayout), 4);
}

namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

class ConvBuilder {
public:
  ConvBuilder(RewriterBase &rewriter, const ConvForm &form, const Epilogue *epilogue)
      : rewriter(rewriter), form(form), epilogue(epilogue), op(form.roles.op),
        loc(epilogue ? fuseLocations({op.getLoc(), GenericOp(epilogue->op).getLoc()})
                     : op.getLoc()) {}

  Value build(Value image, PhysicalValue kernel);

private:
  int64_t rangeOf(std::optional<unsigned> loop) const { return loop ? form.range(*loop) : 1; }
  Value reshape(Value value, ArrayRef<int64_t> shape) {
    return rewriter.createOrFold<ReshapeOp>(loc, typeOf(value).clone(shape), value);
  }
  /// The part of a tensor whose first dimensions are `loops` that belongs to `batch`.
  Value sliceBatch(Value value, ArrayRef<unsigned> loops, ArrayRef<int64_t> batch);
  /// Where in `loops` `batch` begins: 0 for loops over images.
  SmallVector<int64_t> batchOrigin(ArrayRef<unsigned> loops, ArrayRef<int64_t> batch);
  Value weightKernel(WeightOp weight, ArrayRef<int64_t> batch);
  Value computedKernels(PhysicalValue kernel);
  Value buildOne(Value image, Value kernel, ArrayRef<int64_t> batch, Type element);
  void buildEpilogue(ConvOp conv, bool mask);
  /// Each loop of the contraction in terms of (n, fq, y, x, f4); the output channel as 4 fq + f4.
  SmallVector<AffineExpr> loopExpressions(ArrayRef<int64_t> batch);
  AffineMap extraMap(unsigned input, ArrayRef<AffineExpr> loops, Value &value);
  bool epilogueKeepsZero();

  RewriterBase &rewriter;
  const ConvForm &form;
  const Epilogue *epilogue;
  GenericOp op;
  Location loc;
  int64_t images = 1, height = 1, width = 1, outHeight = 1, outWidth = 1;
  int64_t channelGroups = 1, columnGroups = 1;
};

SmallVector<int64_t> ConvBuilder::batchOrigin(ArrayRef<unsigned> loops, ArrayRef<int64_t> batch) {
  SmallVector<int64_t> origin;
  for (unsigned loop : loops)
    origin.push_back(form.isBatch(loop)
                         ? batch[llvm::find(form.roles.batch, loop) - form.roles.batch.begin()]
                         : 0);
  return origin;
}

Value ConvBuilder::sliceBatch(Value value, ArrayRef<unsigned> loops, ArrayRef<int64_t> batch) {
  RankedTensorType type = typeOf(value);
  SmallVector<int64_t> offsets(type.getRank(), 0), shape(type.getShape());
  for (auto [dim, index] : llvm::enumerate(batchOrigin(loops, batch))) {
    offsets[dim] = -index;
    if (form.isBatch(loops[dim]))
      shape[dim] = 1;
  }
  if (ArrayRef(shape) == type.getShape())
    return value;
  return AssembleOp::create(rewriter, loc, type.clone(shape),
                            rewriter.getZeroAttr(type.getElementType()), value, ArrayRef{offsets});
}

/// [f, c, kh, kw] with f in blocks of 8 and c in blocks of 4, as the matrix unit reads it.
static SmallVector<TransformStep> kernelSteps(int64_t columns, int64_t channels, int64_t kh,
                                              int64_t kw) {
  int64_t fo = llvm::divideCeil(columns, 8), cq = llvm::divideCeil(channels, 4);
  return {TransformStep::pad({fo * 8, cq * 4, kh, kw}),
          TransformStep::reshape({fo, 8, cq, 4, kh, kw}),
          TransformStep::transpose({0, 4, 5, 2, 1, 3})};
}

Value ConvBuilder::weightKernel(WeightOp weight, ArrayRef<int64_t> batch) {
  AffineMap map = op.getIndexingMapsArray()[form.roles.kernel];
  MLIRContext *context = rewriter.getContext();
  ArrayRef<int64_t> shape = typeOf(weight).getShape();
  // This batch, then batches and dimensions read at 0 (of size one) away, the rest in order.
  std::vector<int64_t> slice, permutation, ones;
  auto positionOf = [&](unsigned loop) {
    return map.getResultPosition(getAffineDimExpr(loop, context));
  };
  for (unsigned dim = 0; dim < shape.size(); ++dim) {
    int64_t offset = 0, size = shape[dim];
    for (auto [loop, index] : llvm::zip_equal(form.roles.batch, batch))
      if (map.getResult(dim) == getAffineDimExpr(loop, context)) {
        offset = index;
        size = 1;
      }
    if (isa<AffineConstantExpr>(map.getResult(dim)))
      size = 1;
    slice.push_back(offset);
    slice.push_back(size);
  }
  for (std::optional<unsigned> loop : {std::optional(form.column), std::optional(form.channel),
                                       form.spatial[0].tapLoop, form.spatial[1].tapLoop})
    if (loop)
      permutation.push_back(*positionOf(*loop));
  for (unsigned dim = 0; dim < shape.size(); ++dim)
    if (!llvm::is_contained(permutation, dim))
      permutation.push_back(dim);
  int64_t kh = rangeOf(form.spatial[0].tapLoop), kw = rangeOf(form.spatial[1].tapLoop);
  int64_t columns = form.range(form.column), channels = form.range(form.channel);
  SmallVector<TransformStep> steps{TransformStep::slice(slice),
                                   TransformStep::transpose(permutation),
                                   TransformStep::reshape({columns, channels, kh, kw})};
  llvm::append_range(steps, kernelSteps(columns, channels, kh, kw));
  return transformWeight(rewriter, weight, steps);
}

/// Matrices computed at run time, brought into the order of kernels by one copy over
/// (batch.., fo, kh, kw, cq, f2, f4, c4).
Value ConvBuilder::computedKernels(PhysicalValue kernel) {
  MLIRContext *context = rewriter.getContext();
  AffineMap map = op.getIndexingMapsArray()[form.roles.kernel];
  unsigned numBatch = form.roles.batch.size(), numLoops = numBatch + 7;
  auto loop = [&](unsigned number) { return getAffineDimExpr(numBatch + number, context); };
  AffineExpr fo = loop(0), cq = loop(3), f2 = loop(4), f4 = loop(5), c4 = loop(6);
  int64_t columnBlocks = llvm::divideCeil(form.range(form.column), 8);
  SmallVector<AffineExpr> exprs;
  AffineExpr inBlock;
  SmallVector<int64_t> shape(typeOf(kernel.value).getShape());
  for (auto [position, dim] : llvm::enumerate(kernel.layout.order)) {
    AffineExpr expr = map.getResult(dim);
    bool blocked = dim == kernel.layout.blockDim;
    if (expr == getAffineDimExpr(form.column, context)) {
      exprs.push_back(blocked ? fo * 2 + f2 : fo * 8 + f2 * 4 + f4);
      shape[position] = columnBlocks * (blocked ? 2 : 8);
      inBlock = blocked ? f4 : inBlock;
    } else if (expr == getAffineDimExpr(form.channel, context)) {
      exprs.push_back(blocked ? cq : cq * 4 + c4);
      shape[position] = channelGroups * (blocked ? 1 : 4);
      inBlock = blocked ? c4 : inBlock;
    } else {
      exprs.push_back(getAffineConstantExpr(0, context));
      for (auto [number, batch] : llvm::enumerate(form.roles.batch))
        if (expr == getAffineDimExpr(batch, context))
          exprs.back() = getAffineDimExpr(number, context);
    }
  }
  if (inBlock)
    exprs.push_back(inBlock);
  Value source = padTo(rewriter, kernel.value, shape);
  SmallVector<int64_t> result;
  for (unsigned batch : form.roles.batch)
    result.push_back(form.range(batch));
  result.append({columnBlocks, 1, 1, channelGroups, 2, 4, 4});
  RankedTensorType type = typeOf(source).clone(result);
  Value empty = tensor::EmptyOp::create(rewriter, loc, type, ValueRange{});
  auto copy = GenericOp::create(rewriter, loc, type, source, empty,
                                ArrayRef{AffineMap::get(numLoops, 0, exprs, context),
                                         rewriter.getMultiDimIdentityMap(numLoops)},
                                SmallVector<IteratorType>(numLoops, IteratorType::parallel),
                                [](OpBuilder &builder, Location loc, ValueRange arguments) {
                                  linalg::YieldOp::create(builder, loc, arguments[0]);
                                });
  result.pop_back_n(3);
  result.append({8, 4});
  return reshape(copy.getResult(0), result);
}

SmallVector<AffineExpr> ConvBuilder::loopExpressions(ArrayRef<int64_t> batch) {
  MLIRContext *context = rewriter.getContext();
  auto dim = [&](unsigned position) { return getAffineDimExpr(position, context); };
  SmallVector<AffineExpr> result(op.getNumLoops(), getAffineConstantExpr(0, context));
  for (auto [loop, index] : llvm::zip_equal(form.roles.batch, batch))
    result[loop] = getAffineConstantExpr(index, context);
  // n counts all loops over images, the last fastest.
  int64_t unit = 1;
  for (unsigned loop : llvm::reverse(form.outer)) {
    if (form.isBatch(loop))
      continue;
    AffineExpr expr = dim(0).floorDiv(unit);
    unit *= form.range(loop);
    result[loop] = unit == images ? expr : expr % form.range(loop);
  }
  result[form.column] = dim(1) * 4 + dim(4);
  for (unsigned i = 0; i < 2; ++i)
    if (form.spatial[i].rowLoop)
      result[*form.spatial[i].rowLoop] = dim(2 + i);
  return result;
}

AffineMap ConvBuilder::extraMap(unsigned input, ArrayRef<AffineExpr> loops, Value &value) {
  MLIRContext *context = rewriter.getContext();
  GenericOp user = epilogue->op;
  SmallVector<AffineMap> maps = user.getIndexingMapsArray();
  AffineMap resultMap = op.getIndexingMapsArray()[2];
  // Dimension i of the contraction's result is one loop of each op.
  SmallVector<AffineExpr> userLoops(user.getNumLoops());
  std::optional<unsigned> columnLoop;
  for (unsigned dim = 0; dim < resultMap.getNumResults(); ++dim) {
    unsigned userLoop = maps[epilogue->sum].getDimPosition(dim);
    userLoops[userLoop] = loops[resultMap.getDimPosition(dim)];
    if (resultMap.getDimPosition(dim) == form.column)
      columnLoop = userLoop;
  }
  const Layout &layout = epilogue->inputs[input].layout;
  SmallVector<AffineExpr> exprs;
  SmallVector<int64_t> shape(typeOf(value).getShape());
  AffineExpr inBlock;
  for (auto [position, dim] : llvm::enumerate(layout.order)) {
    AffineExpr expr = maps[input].getResult(dim);
    bool isColumn = expr == getAffineDimExpr(*columnLoop, context);
    if (dim == layout.blockDim) {
      exprs.push_back(isColumn ? getAffineDimExpr(1, context) : getAffineConstantExpr(0, context));
      inBlock = isColumn ? getAffineDimExpr(4, context) : getAffineConstantExpr(0, context);
      continue;
    }
    if (isColumn)
      shape[position] = columnGroups * 4;
    exprs.push_back(expr.replaceDims(userLoops));
  }
  if (inBlock)
    exprs.push_back(inBlock);
  value = padTo(rewriter, value, shape);
  return AffineMap::get(5, 0, exprs, context);
}

/// Whether the epilogue makes zero of the zero sums of channels that are padding.
bool ConvBuilder::epilogueKeepsZero() {
  if (!epilogue || form.range(form.column) % 4 == 0)
    return true;
  GenericOp user = epilogue->op;
  AffineMap map = user.getIndexingMapsArray()[epilogue->sum];
  unsigned columnLoop = *blockLoopOf(map, form.resultLayout);
  SmallVector<Attribute> arguments;
  for (auto [index, input] : llvm::enumerate(epilogue->inputs)) {
    bool zero =
        index == epilogue->sum ||
        (user.getIndexingMapsArray()[index].isFunctionOfDim(columnLoop) && input.zeroPadding);
    arguments.push_back(zero ? rewriter.getZeroAttr(user.getBody()->getArgument(index).getType())
                             : TypedAttr());
  }
  return isZero(evaluateBody(*user.getBody(), arguments, 0));
}

void ConvBuilder::buildEpilogue(ConvOp conv, bool mask) {
  OpBuilder::InsertionGuard guard(rewriter);
  SmallVector<Type> types{rewriter.getF32Type()};
  for (Value extra : conv.getExtras())
    types.push_back(typeOf(extra).getElementType());
  Block *block = rewriter.createBlock(&conv.getEpilogue(), {}, types,
                                      SmallVector<Location>(types.size(), loc));
  Value result = block->getArgument(0);
  if (epilogue) {
    GenericOp user = epilogue->op;
    IRMapping mapping;
    unsigned next = 1;
    for (unsigned i = 0; i < user.getNumDpsInputs(); ++i)
      mapping.map(user.getBody()->getArgument(i),
                  block->getArgument(i == epilogue->sum ? 0 : next++));
    for (Operation &inner : user.getBody()->without_terminator())
      rewriter.clone(inner, mapping);
    result = mapping.lookup(user.getBody()->getTerminator()->getOperand(0));
  }
  if (mask) {
    Type type = types.back();
    Value zero = arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(type));
    Value inside = arith::CmpFOp::create(rewriter, loc, arith::CmpFPredicate::UNE,
                                         block->getArguments().back(), zero);
    Value padding =
        arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(result.getType()));
    result = arith::SelectOp::create(rewriter, loc, inside, result, padding);
  }
  YieldOp::create(rewriter, loc, result);
}

Value ConvBuilder::buildOne(Value image, Value kernel, ArrayRef<int64_t> batch, Type element) {
  SmallVector<Value> extras;
  SmallVector<AffineMap> maps;
  bool mask = !epilogueKeepsZero();
  if (epilogue) {
    SmallVector<AffineExpr> loops = loopExpressions(batch);
    for (unsigned i = 0; i < epilogue->inputs.size(); ++i) {
      if (i == epilogue->sum)
        continue;
      Value value = epilogue->inputs[i].value;
      maps.push_back(extraMap(i, loops, value));
      extras.push_back(value);
    }
  }
  MLIRContext *context = rewriter.getContext();
  if (mask) {
    // Ones for channels, zeros for padding.
    auto type = RankedTensorType::get({form.range(form.column)}, rewriter.getBF16Type());
    auto ones = WeightOp::create(
        rewriter, loc, type,
        DenseElementsAttr::get(type, rewriter.getFloatAttr(rewriter.getBF16Type(), 1.0)),
        TypeAttr(), TransformAttr());
    extras.push_back(transformWeight(
        rewriter, ones,
        {TransformStep::pad({columnGroups * 4}), TransformStep::reshape({columnGroups, 4})}));
    maps.push_back(AffineMap::get(
        5, 0, {getAffineDimExpr(1, context), getAffineDimExpr(4, context)}, context));
  }
  Value empty = tensor::EmptyOp::create(rewriter, loc,
                                        {images, columnGroups, outHeight, outWidth, 4}, element);
  auto conv = ConvOp::create(rewriter, loc, image, kernel, extras, empty,
                             ArrayRef{form.spatial[0].stride, form.spatial[1].stride},
                             ArrayRef{form.spatial[0].dilation, form.spatial[1].dilation}, maps);
  buildEpilogue(conv, mask);
  if (epilogue)
    conv->setDiscardableAttrs(GenericOp(epilogue->op)->getDiscardableAttrDictionary());
  for (NamedAttribute attribute : op->getDiscardableAttrs())
    if (!conv->hasAttr(attribute.getName()))
      conv->setAttr(attribute.getName(), attribute.getValue());
  // A batch is no value of the model, and the batches share the count between them.
  if (form.product(form.roles.batch) > 1)
    conv->removeAttr("dojo.value");
  if (auto macs = op->getAttrOfType<IntegerAttr>("dojo.macs"))
    conv->setAttr("dojo.macs",
                  rewriter.getI64IntegerAttr(macs.getInt() / form.product(form.roles.batch)));
  return conv.getResult();
}

Value ConvBuilder::build(Value image, PhysicalValue kernel) {
  auto logicalImage = cast<RankedTensorType>(op.getDpsInputs()[form.roles.image].getType());
  auto sizeOf = [&](std::optional<unsigned> dim) {
    return dim ? logicalImage.getDimSize(*dim) : 1;
  };
  images = form.product(form.outer) / form.product(form.roles.batch);
  channelGroups = llvm::divideCeil(form.range(form.channel), 4);
  columnGroups = llvm::divideCeil(form.range(form.column), 4);
  height = sizeOf(form.spatial[0].imageDim);
  width = sizeOf(form.spatial[1].imageDim);
  outHeight = rangeOf(form.spatial[0].rowLoop);
  outWidth = rangeOf(form.spatial[1].rowLoop);

  auto logicalResult = cast<RankedTensorType>(op.getResultTypes().front());
  Layout layout = form.resultLayout;
  if (epilogue) {
    GenericOp user = epilogue->op;
    layout = epilogueLayout(form, user, user->getOpOperand(epilogue->sum));
    logicalResult = cast<RankedTensorType>(user.getResultTypes().front());
  }
  RankedTensorType resultType = layout.physicalType(logicalResult);

  // Sizes of one that stand anywhere in memory are dropped; then each batch is one slice.
  SmallVector<int64_t> imageShape;
  for (unsigned loop : form.outer)
    imageShape.push_back(form.range(loop));
  SmallVector<int64_t> resultShape(imageShape);
  imageShape.append({channelGroups, height, width, 4});
  resultShape.append({columnGroups, outHeight, outWidth, 4});
  Value batchedImage = reshape(image, imageShape);

  auto weight = kernel.value.getDefiningOp<WeightOp>();
  Value kernels = weight ? Value() : computedKernels(kernel);
  SmallVector<Value> pieces;
  SmallVector<SmallVector<int64_t>> offsets;
  int64_t batches = form.product(form.roles.batch);
  for (int64_t number = 0; number < batches; ++number) {
    SmallVector<int64_t> batch(form.roles.batch.size());
    int64_t rest = number;
    for (unsigned i = batch.size(); i-- > 0; rest /= form.range(form.roles.batch[i]))
      batch[i] = rest % form.range(form.roles.batch[i]);
    Value one = reshape(sliceBatch(batchedImage, form.outer, batch),
                        {images, channelGroups, height, width, 4});
    Value arranged = weight ? weightKernel(weight, batch)
                            : reshape(sliceBatch(kernels, form.roles.batch, batch),
                                      typeOf(kernels).getShape().take_back(6));
    Value result = buildOne(one, arranged, batch, resultType.getElementType());
    SmallVector<int64_t> pieceShape(resultShape);
    for (auto [dim, loop] : llvm::enumerate(form.outer))
      if (form.isBatch(loop))
        pieceShape[dim] = 1;
    pieces.push_back(reshape(result, pieceShape));
    offsets.push_back(batchOrigin(form.outer, batch));
    offsets.back().append(4, 0);
  }
  Value result = pieces.front();
  if (batches > 1)
    result = AssembleOp::create(rewriter, loc, resultType.clone(resultShape),
                                rewriter.getZeroAttr(resultType.getElementType()), pieces, offsets);
  return reshape(result, resultType.getShape());
}

} // namespace

Value mlir::dojo::lowerConv(RewriterBase &rewriter, const ConvForm &form, Value image,
                            PhysicalValue kernel, const Epilogue *epilogue) {
  return ConvBuilder(rewriter, form, epilogue).build(image, kernel);
}
