// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PhysicalGeneric.h"

#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Transforms/WeightViews.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::dojo;
using utils::IteratorType;

//===----------------------------------------------------------------------===//
// Which loops are divided
//===----------------------------------------------------------------------===//

std::optional<unsigned> LoopSplits::loopOf(unsigned operand, const Layout &layout) const {
  if (layout.blockDim < 0)
    return std::nullopt;
  if (auto dim = dyn_cast<AffineDimExpr>(maps[operand].getResult(layout.blockDim)))
    return dim.getPosition();
  return std::nullopt;
}

bool LoopSplits::isRagged(unsigned loop) const {
  return blocks[loop] != 0 && ranges[loop] % blocks[loop] != 0;
}

bool LoopSplits::accepts(unsigned operand, const Layout &layout) const {
  if (layout.blockDim < 0)
    return true;
  AffineMap map = maps[operand];
  std::optional<unsigned> loop = loopOf(operand, layout);
  // Index 0 of a dimension of size one lies at the start of its block.
  if (!loop)
    return map.getResult(layout.blockDim) == getAffineConstantExpr(0, map.getContext());
  if (blocks[*loop] != 0)
    return blocks[*loop] == layout.block;
  int64_t range = ranges[*loop];
  auto operandType = cast<ShapedType>(operands[operand].getType());
  if (range != operandType.getDimSize(layout.blockDim))
    return false;
  if (range % layout.block == 0)
    return true;
  for (AffineMap other : maps)
    for (AffineExpr expr : other.getResults())
      if (!isa<AffineDimExpr>(expr) && expr.isFunctionOfDim(*loop))
        return false;
  return true;
}

void LoopSplits::add(unsigned operand, const Layout &layout) {
  if (std::optional<unsigned> loop = loopOf(operand, layout))
    blocks[*loop] = layout.block;
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

bool mlir::dojo::isZero(Attribute value) {
  if (auto number = dyn_cast_or_null<FloatAttr>(value))
    return number.getValue().isZero();
  if (auto number = dyn_cast_or_null<IntegerAttr>(value))
    return number.getValue().isZero();
  return false;
}

Attribute mlir::dojo::evaluateBody(Block &body, ArrayRef<Attribute> arguments, unsigned result) {
  DenseMap<Value, Attribute> known;
  for (auto [argument, value] : llvm::zip(body.getArguments(), arguments))
    known[argument] = value;
  auto lookup = [&](Value value) -> Attribute {
    auto it = known.find(value);
    if (it != known.end())
      return it->second;
    Attribute constant;
    return matchPattern(value, m_Constant(&constant)) ? constant : Attribute();
  };
  for (Operation &op : body.without_terminator()) {
    if (op.getNumRegions() != 0 || !isMemoryEffectFree(&op))
      continue;
    SmallVector<Attribute> operands;
    for (Value operand : op.getOperands())
      operands.push_back(lookup(operand));
    // Folding may change an op in place, so it works on a copy.
    Operation *copy = op.clone();
    SmallVector<OpFoldResult> results;
    if (succeeded(copy->fold(operands, results)) && results.size() == op.getNumResults())
      for (auto [value, folded] : llvm::zip_equal(op.getResults(), results))
        known[value] =
            isa<Attribute>(folded) ? cast<Attribute>(folded) : lookup(cast<Value>(folded));
    copy->erase();
  }
  return lookup(body.getTerminator()->getOperand(result));
}

Value mlir::dojo::padTo(RewriterBase &rewriter, Value value, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  if (auto weight = value.getDefiningOp<WeightOp>())
    return transformWeight(rewriter, weight, ::dojo::TransformStep::pad(shape.vec()));
  return AssembleOp::create(rewriter, value.getLoc(), type.clone(shape),
                            rewriter.getZeroAttr(type.getElementType()), value,
                            ArrayRef{SmallVector<int64_t>(shape.size(), 0)});
}

void mlir::dojo::sinkConstants(RewriterBase &rewriter, linalg::GenericOp op) {
  DenseMap<Operation *, Value> copies;
  rewriter.setInsertionPointToStart(op.getBody());
  op.getBody()->walk([&](Operation *inner) {
    for (OpOperand &operand : inner->getOpOperands()) {
      auto constant = operand.get().getDefiningOp<arith::ConstantOp>();
      if (!constant || op->isAncestor(constant))
        continue;
      Value &copy = copies[constant];
      if (!copy)
        copy = rewriter.clone(*constant)->getResult(0);
      operand.set(copy);
    }
  });
}

//===----------------------------------------------------------------------===//
// The op
//===----------------------------------------------------------------------===//

namespace {

class PhysicalBuilder {
public:
  PhysicalBuilder(RewriterBase &rewriter, linalg::GenericOp op, ArrayRef<PhysicalValue> inputs,
                  ArrayRef<Layout> results, llvm::function_ref<Value(Value)> adapt)
      : rewriter(rewriter), op(op), inputs(inputs), results(results), adapt(adapt), splits(op),
        ranges(op.getStaticLoopRanges()) {}

  SmallVector<Value> build();

private:
  void orderLoops();
  AffineMap physicalMap(unsigned operand, const Layout &layout);
  /// Sizes of operand `operand` when its loops run over whole blocks.
  SmallVector<int64_t> paddedShape(unsigned operand, const Layout &layout,
                                   ArrayRef<int64_t> logical);
  void buildBody(Block *source, linalg::GenericOp target);
  Value loopIndex(OpBuilder &builder, Location loc, unsigned loop);
  Value maskResult(OpBuilder &builder, Location loc, unsigned result, Value value, Value previous);
  bool staysZero(unsigned result, unsigned loop);
  bool isNeutral(unsigned result, unsigned loop);
  /// What each argument of the body is where loop `loop` runs over padding.
  SmallVector<Attribute> argumentsOnPadding(unsigned loop);

  struct NewLoop {
    unsigned loop;
    bool inner;
  };
  RewriterBase &rewriter;
  linalg::GenericOp op;
  ArrayRef<PhysicalValue> inputs;
  ArrayRef<Layout> results;
  llvm::function_ref<Value(Value)> adapt;
  LoopSplits splits;
  SmallVector<int64_t> ranges;
  SmallVector<NewLoop> newLoops;
  /// Numbers of the new loops of an old one: of the whole or the blocks, and in the block.
  SmallVector<unsigned> outer, inner;
};

/// Results give the order, in memory; reductions follow, with blocks innermost.
void PhysicalBuilder::orderLoops() {
  SmallVector<bool> placed(ranges.size(), false);
  outer.assign(ranges.size(), 0);
  inner.assign(ranges.size(), 0);
  auto place = [&](unsigned loop, bool isInner) {
    (isInner ? inner : outer)[loop] = newLoops.size();
    newLoops.push_back({loop, isInner});
    placed[loop] = true;
  };
  AffineMap map = op.getIndexingMapsArray()[inputs.size()];
  for (int64_t dim : results[0].order) {
    auto expr = dyn_cast<AffineDimExpr>(map.getResult(dim));
    if (!expr || placed[expr.getPosition()])
      continue;
    unsigned loop = expr.getPosition();
    place(loop, false);
    if (splits.block(loop) && dim != results[0].blockDim)
      place(loop, true);
  }
  if (results[0].blockDim >= 0)
    if (auto expr = dyn_cast<AffineDimExpr>(map.getResult(results[0].blockDim)))
      place(expr.getPosition(), true);
  SmallVector<unsigned> blocksLast;
  for (unsigned loop = 0; loop < ranges.size(); ++loop) {
    if (placed[loop])
      continue;
    place(loop, false);
    if (splits.block(loop))
      blocksLast.push_back(loop);
  }
  for (unsigned loop : blocksLast)
    place(loop, true);
}

AffineMap PhysicalBuilder::physicalMap(unsigned operand, const Layout &layout) {
  MLIRContext *context = op.getContext();
  SmallVector<AffineExpr> replacements;
  for (unsigned loop = 0; loop < ranges.size(); ++loop) {
    AffineExpr expr = getAffineDimExpr(outer[loop], context);
    if (int64_t block = splits.block(loop))
      expr = expr * block + getAffineDimExpr(inner[loop], context);
    replacements.push_back(expr);
  }
  AffineMap map = op.getIndexingMapsArray()[operand];
  SmallVector<AffineExpr> exprs;
  AffineExpr inBlock;
  for (int64_t dim : layout.order) {
    AffineExpr expr = map.getResult(dim);
    auto loop = dyn_cast<AffineDimExpr>(expr);
    if (dim != layout.blockDim) {
      exprs.push_back(expr.replaceDims(replacements));
    } else if (loop) {
      exprs.push_back(getAffineDimExpr(outer[loop.getPosition()], context));
      inBlock = getAffineDimExpr(inner[loop.getPosition()], context);
    } else {
      exprs.push_back(getAffineConstantExpr(0, context));
      inBlock = getAffineConstantExpr(0, context);
    }
  }
  if (inBlock)
    exprs.push_back(inBlock);
  return AffineMap::get(newLoops.size(), 0, exprs, context);
}

SmallVector<int64_t> PhysicalBuilder::paddedShape(unsigned operand, const Layout &layout,
                                                  ArrayRef<int64_t> logical) {
  AffineMap map = op.getIndexingMapsArray()[operand];
  SmallVector<int64_t> sizes;
  for (int64_t dim : layout.order) {
    int64_t size = logical[dim];
    auto loop = dyn_cast<AffineDimExpr>(map.getResult(dim));
    if (dim == layout.blockDim)
      size = llvm::divideCeil(size, layout.block);
    else if (loop && splits.isRagged(loop.getPosition()))
      size = llvm::alignTo(size, splits.block(loop.getPosition()));
    sizes.push_back(size);
  }
  if (layout.blockDim >= 0)
    sizes.push_back(layout.block);
  return sizes;
}

SmallVector<Attribute> PhysicalBuilder::argumentsOnPadding(unsigned loop) {
  SmallVector<Attribute> arguments;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  for (auto [index, input] : llvm::enumerate(inputs)) {
    Type element = op.getBody()->getArgument(index).getType();
    // A padded operand is zero there, one that does not depend on the loop can be anything.
    bool zero = maps[index].isFunctionOfDim(loop) && input.zeroPadding;
    arguments.push_back(zero ? rewriter.getZeroAttr(element) : TypedAttr());
  }
  return arguments;
}

/// Constant that fills the destination of result `result`; null if there is none.
static Attribute fillOf(linalg::GenericOp op, unsigned result) {
  Attribute value;
  auto fill = op.getDpsInits()[result].getDefiningOp<linalg::FillOp>();
  return fill && matchPattern(fill.value(), m_Constant(&value)) ? value : Attribute();
}

bool PhysicalBuilder::staysZero(unsigned result, unsigned loop) {
  SmallVector<Attribute> arguments = argumentsOnPadding(loop);
  // Other results of the op may hold anything.
  arguments.resize(inputs.size() + results.size());
  Type type = op.getBody()->getArgument(inputs.size() + result).getType();
  // By induction over the reduction: the first step starts from the fill, the others from zero.
  arguments[inputs.size() + result] = fillOf(op, result);
  if (!isZero(evaluateBody(*op.getBody(), arguments, result)))
    return false;
  arguments[inputs.size() + result] = rewriter.getZeroAttr(type);
  return op.getNumReductionLoops() == 0 || isZero(evaluateBody(*op.getBody(), arguments, result));
}

bool PhysicalBuilder::isNeutral(unsigned result, unsigned loop) {
  Block &body = *op.getBody();
  Value accumulator = body.getArgument(inputs.size() + result);
  Operation *combiner = body.getTerminator()->getOperand(result).getDefiningOp();
  if (!isa_and_nonnull<arith::AddFOp, arith::AddIOp>(combiner))
    return false;
  Value other = combiner->getOperand(combiner->getOperand(0) == accumulator ? 1 : 0);
  if (!llvm::is_contained(combiner->getOperands(), accumulator) || other == accumulator)
    return false;
  SmallVector<Attribute> arguments = argumentsOnPadding(loop);
  arguments.resize(inputs.size() + results.size());
  // What is added, as if it were the result.
  Operation *terminator = body.getTerminator();
  Value yielded = terminator->getOperand(result);
  terminator->setOperand(result, other);
  Attribute added = evaluateBody(body, arguments, result);
  terminator->setOperand(result, yielded);
  return isZero(added);
}

Value PhysicalBuilder::loopIndex(OpBuilder &builder, Location loc, unsigned loop) {
  Value index = linalg::IndexOp::create(builder, loc, outer[loop]);
  int64_t block = splits.block(loop);
  if (!block)
    return index;
  Value size = arith::ConstantIndexOp::create(builder, loc, block);
  index = arith::MulIOp::create(builder, loc, index, size);
  Value position = linalg::IndexOp::create(builder, loc, inner[loop]);
  return arith::AddIOp::create(builder, loc, index, position);
}

/// The operation that makes `value` of `previous` and something, which is left as it is where that
/// is `neutral`. None if `previous` or `value` has a use beside it.
static Operation *combinerOf(Value value, Value previous, TypedAttr &neutral) {
  Operation *combiner = value.getDefiningOp();
  if (!combiner || !value.use_empty() || !previous.hasOneUse() ||
      *previous.user_begin() != combiner || combiner->getNumOperands() != 2)
    return nullptr;
  std::optional<TypedAttr> found = arith::getNeutralElement(combiner);
  if (!found)
    return nullptr;
  neutral = *found;
  return combiner;
}

Value PhysicalBuilder::maskResult(OpBuilder &builder, Location loc, unsigned result, Value value,
                                  Value previous) {
  SmallVector<IteratorType> iterators = op.getIteratorTypesArray();
  AffineMap map = op.getIndexingMapsArray()[inputs.size() + result];
  auto select = [&](unsigned loop, Value in, Value out) -> Value {
    Value range = arith::ConstantIndexOp::create(builder, loc, ranges[loop]);
    Value inside = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult,
                                         loopIndex(builder, loc, loop), range);
    return arith::SelectOp::create(builder, loc, inside, in, out);
  };
  for (unsigned loop = 0; loop < ranges.size(); ++loop) {
    if (!splits.isRagged(loop))
      continue;
    if (iterators[loop] == IteratorType::parallel) {
      // Without a block the padding is cut off.
      int64_t blockDim = results[result].blockDim;
      if (blockDim < 0 || map.getResult(blockDim) != getAffineDimExpr(loop, op.getContext()) ||
          staysZero(result, loop))
        continue;
      value = select(loop, value,
                     arith::ConstantOp::create(builder, loc, builder.getZeroAttr(value.getType())));
      continue;
    }
    if (isNeutral(result, loop))
      continue;
    TypedAttr neutral;
    Operation *combiner = combinerOf(value, previous, neutral);
    if (!combiner) {
      value = select(loop, value, previous);
      continue;
    }
    // Stays a plain reduction, which lanes may share.
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(combiner);
    OpOperand &other = combiner->getOpOperand(combiner->getOperand(0) == previous ? 1 : 0);
    other.set(select(loop, other.get(), arith::ConstantOp::create(builder, loc, neutral)));
  }
  return value;
}

void PhysicalBuilder::buildBody(Block *source, linalg::GenericOp target) {
  SmallVector<Type> types;
  for (Value operand : target->getOperands())
    types.push_back(getElementTypeOrSelf(operand.getType()));
  Block *body = rewriter.createBlock(&target.getRegion(), {}, types,
                                     SmallVector<Location>(types.size(), op.getLoc()));
  IRMapping mapping;
  mapping.map(source->getArguments(), body->getArguments());
  for (Operation &inner : source->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      mapping.map(index.getResult(), loopIndex(rewriter, inner.getLoc(), index.getDim()));
      continue;
    }
    Operation *copy = rewriter.clone(inner, mapping);
    copy->walk([&](Operation *nested) {
      for (OpOperand &operand : nested->getOpOperands())
        if (!target->isAncestor(operand.get().getParentRegion()->getParentOp()))
          operand.set(adapt(operand.get()));
    });
  }
  SmallVector<Value> yielded;
  for (auto [index, value] : llvm::enumerate(source->getTerminator()->getOperands())) {
    Value result = mapping.lookupOrDefault(value);
    if (result == value && value.getParentBlock() != source)
      result = adapt(value);
    yielded.push_back(
        maskResult(rewriter, op.getLoc(), index, result, body->getArgument(inputs.size() + index)));
  }
  linalg::YieldOp::create(rewriter, op.getLoc(), yielded);
}

SmallVector<Value> PhysicalBuilder::build() {
  Location loc = op.getLoc();
  for (auto [index, input] : llvm::enumerate(inputs))
    splits.add(index, input.layout);
  for (auto [index, layout] : llvm::enumerate(results))
    splits.add(inputs.size() + index, layout);
  orderLoops();

  SmallVector<Value> operands, inits;
  SmallVector<AffineMap> maps;
  SmallVector<Type> types;
  for (auto [index, input] : llvm::enumerate(inputs)) {
    auto logical = cast<RankedTensorType>(op.getDpsInputs()[index].getType());
    operands.push_back(
        padTo(rewriter, input.value, paddedShape(index, input.layout, logical.getShape())));
    maps.push_back(physicalMap(index, input.layout));
  }
  for (auto [index, layout] : llvm::enumerate(results)) {
    unsigned operand = inputs.size() + index;
    auto logical = cast<RankedTensorType>(op.getDpsInits()[index].getType());
    RankedTensorType type = logical.clone(paddedShape(operand, layout, logical.getShape()));
    Value init = tensor::EmptyOp::create(rewriter, loc, type, ValueRange{});
    if (Attribute fill = fillOf(op, index)) {
      Value value = arith::ConstantOp::create(rewriter, loc, cast<TypedAttr>(fill));
      init = linalg::FillOp::create(rewriter, loc, value, init).getResult(0);
    }
    inits.push_back(init);
    types.push_back(type);
    maps.push_back(physicalMap(operand, layout));
  }
  SmallVector<IteratorType> iterators;
  for (NewLoop loop : newLoops)
    iterators.push_back(op.getIteratorTypesArray()[loop.loop]);

  auto generic = linalg::GenericOp::create(rewriter, loc, types, operands, inits, maps, iterators);
  generic->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  {
    OpBuilder::InsertionGuard guard(rewriter);
    buildBody(op.getBody(), generic);
  }
  // A copy that moves nothing.
  Block *body = generic.getBody();
  if (generic.getNumDpsInputs() == 1 && generic.getNumResults() == 1 &&
      body->getTerminator()->getOperand(0) == body->getArgument(0) && maps[0] == maps[1] &&
      maps[0].isPermutation() && operands[0].getType() == types[0]) {
    rewriter.eraseOp(generic);
    for (Value init : inits)
      if (init.use_empty())
        rewriter.eraseOp(init.getDefiningOp());
    return {operands[0]};
  }

  SmallVector<Value> values;
  for (auto [index, layout] : llvm::enumerate(results)) {
    Value value = generic.getResult(index);
    auto logical = cast<RankedTensorType>(op.getDpsInits()[index].getType());
    RankedTensorType type = layout.physicalType(logical);
    if (value.getType() != type)
      value = AssembleOp::create(rewriter, loc, type, rewriter.getZeroAttr(type.getElementType()),
                                 value, ArrayRef{SmallVector<int64_t>(type.getRank(), 0)});
    values.push_back(value);
  }
  return values;
}

} // namespace

SmallVector<Value> mlir::dojo::makePhysicalGeneric(RewriterBase &rewriter, linalg::GenericOp op,
                                                   ArrayRef<PhysicalValue> inputs,
                                                   ArrayRef<Layout> results,
                                                   llvm::function_ref<Value(Value)> adapt) {
  return PhysicalBuilder(rewriter, op, inputs, results, adapt).build();
}
