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
  /// The part of a tensor whose first dimensions count batches that belongs to `batch`.
  Value sliceBatch(Value value, ArrayRef<int64_t> batch);
  Value weightKernel(WeightOp weight, ArrayRef<int64_t> batch);
  Value computedKernel(PhysicalValue kernel, ArrayRef<int64_t> batch);
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

Value ConvBuilder::sliceBatch(Value value, ArrayRef<int64_t> batch) {
  RankedTensorType type = typeOf(value);
  SmallVector<int64_t> offsets(type.getRank(), 0), shape(type.getShape());
  for (auto [dim, index] : llvm::enumerate(batch)) {
    offsets[dim] = -index;
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

/// A matrix computed at run time, brought into the order of a kernel by a copy over
/// (fo, cq, f2, f4, c4).
Value ConvBuilder::computedKernel(PhysicalValue kernel, ArrayRef<int64_t> batch) {
  MLIRContext *context = rewriter.getContext();
  AffineMap map = op.getIndexingMapsArray()[form.roles.kernel];
  AffineExpr fo = getAffineDimExpr(0, context), cq = getAffineDimExpr(1, context),
             f2 = getAffineDimExpr(2, context), f4 = getAffineDimExpr(3, context),
             c4 = getAffineDimExpr(4, context);
  int64_t columnBlocks = llvm::divideCeil(form.range(form.column), 8);
  int64_t channelBlocks = channelGroups;
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
      shape[position] = channelBlocks * (blocked ? 1 : 4);
      inBlock = blocked ? c4 : inBlock;
    } else {
      int64_t index = 0;
      for (auto [loop, value] : llvm::zip_equal(form.roles.batch, batch))
        if (expr == getAffineDimExpr(loop, context))
          index = value;
      exprs.push_back(getAffineConstantExpr(index, context));
    }
  }
  if (inBlock)
    exprs.push_back(inBlock);
  Value source = padTo(rewriter, kernel.value, shape);
  auto type = typeOf(source).clone({columnBlocks, 1, 1, channelBlocks, 2, 4, 4});
  Value empty = tensor::EmptyOp::create(rewriter, loc, type, ValueRange{});
  // Loops for the two dimensions of the window, of size one.
  AffineExpr kh = getAffineDimExpr(5, context), kw = getAffineDimExpr(6, context);
  AffineMap in = AffineMap::get(7, 0, exprs, context);
  AffineMap out = AffineMap::get(7, 0, {fo, kh, kw, cq, f2, f4, c4}, context);
  auto copy = GenericOp::create(rewriter, loc, type, source, empty, ArrayRef{in, out},
                                SmallVector<IteratorType>(7, IteratorType::parallel),
                                [](OpBuilder &builder, Location loc, ValueRange arguments) {
                                  linalg::YieldOp::create(builder, loc, arguments[0]);
                                });
  return reshape(copy.getResult(0), {columnBlocks, 1, 1, channelBlocks, 8, 4});
}

SmallVector<AffineExpr> ConvBuilder::loopExpressions(ArrayRef<int64_t> batch) {
  MLIRContext *context = rewriter.getContext();
  auto dim = [&](unsigned position) { return getAffineDimExpr(position, context); };
  SmallVector<AffineExpr> result(op.getNumLoops(), getAffineConstantExpr(0, context));
  for (auto [loop, index] : llvm::zip_equal(form.roles.batch, batch))
    result[loop] = getAffineConstantExpr(index, context);
  // n counts all loops over images, the last fastest.
  int64_t unit = 1;
  for (auto [position, loop] : llvm::enumerate(llvm::reverse(form.images))) {
    AffineExpr expr = dim(0).floorDiv(unit);
    if (position + 1 != form.images.size())
      expr = expr % form.range(loop);
    result[loop] = expr;
    unit *= form.range(loop);
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
  // The batches share the count between them.
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
  images = form.product(form.images);
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

  // In memory batches come first, so each is one slice of image and result. Sizes of one may stand
  // before them; the reshape in front drops those.
  SmallVector<int64_t> batchRanges;
  for (unsigned loop : form.roles.batch)
    batchRanges.push_back(form.range(loop));
  SmallVector<int64_t> imageShape(batchRanges);
  imageShape.append({images, channelGroups, height, width, 4});
  Value batchedImage = reshape(image, imageShape);
  SmallVector<int64_t> resultShape(batchRanges);
  resultShape.append({images, columnGroups, outHeight, outWidth, 4});

  SmallVector<Value> pieces;
  SmallVector<SmallVector<int64_t>> offsets;
  int64_t batches = form.product(form.roles.batch);
  for (int64_t number = 0; number < batches; ++number) {
    SmallVector<int64_t> batch(batchRanges.size());
    int64_t rest = number;
    for (unsigned i = batch.size(); i-- > 0; rest /= batchRanges[i])
      batch[i] = rest % batchRanges[i];
    Value one = reshape(sliceBatch(batchedImage, batch), {images, channelGroups, height, width, 4});
    auto weight = kernel.value.getDefiningOp<WeightOp>();
    Value arranged = weight ? weightKernel(weight, batch) : computedKernel(kernel, batch);
    Value result = buildOne(one, arranged, batch, resultType.getElementType());
    SmallVector<int64_t> pieceShape(batch.size(), 1);
    llvm::append_range(pieceShape, typeOf(result).getShape());
    pieces.push_back(reshape(result, pieceShape));
    offsets.emplace_back(batch);
    offsets.back().append(5, 0);
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
