// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Translates the function op by op: each value of the original has a stored counterpart, which may
// have a narrower element type. What an op computes stays in fp32: its body widens what it reads
// and rounds what it stores.

#include "DeadOps.h"

#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Transforms/Contraction.h"
#include "dojo/Transforms/NodeNames.h"
#include "dojo/Transforms/Passes.h"
#include "dojo/Transforms/WeightViews.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_SETPRECISION
#include "dojo/Transforms/Passes.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;
using ::dojo::TransformStep;

namespace {

Type elementOf(Value value) { return getElementTypeOrSelf(value.getType()); }

RankedTensorType withElement(Value value, Type element) {
  return RankedTensorType::get(cast<RankedTensorType>(value.getType()).getShape(), element);
}

// The rounding between two ops may disappear when they are fused; `contract` says so to the
// folders, and sets these casts apart from those of the model.
Value widen(OpBuilder &builder, Location loc, Value value) {
  return builder.createOrFold<arith::ExtFOp>(
      loc, builder.getF32Type(), value,
      arith::FastMathFlagsAttr::get(builder.getContext(), arith::FastMathFlags::contract));
}

Value narrow(OpBuilder &builder, Location loc, Value value) {
  return builder.createOrFold<arith::TruncFOp>(
      loc, builder.getBF16Type(), value, arith::RoundingModeAttr(),
      arith::FastMathFlagsAttr::get(builder.getContext(), arith::FastMathFlags::contract));
}

class Translator {
public:
  Translator(func::FuncOp function, bool storeNarrow)
      : function(function), storeNarrow(storeNarrow), rewriter(function.getContext()),
        f32(rewriter.getF32Type()), bf16(rewriter.getBF16Type()) {}

  void run();

private:
  void findOutputs();
  void translate(Operation *op);
  void translateGeneric(linalg::GenericOp op);
  void translateView(Operation *op);
  void translateWeight(WeightOp op);

  /// What is stored of `original`: the value itself for what is not translated.
  Value stored(Value original) {
    Value value = storedValues.lookup(original);
    return value ? value : original;
  }
  /// `original` in bf16 or in fp32, converted by an op of its own if it is not stored so.
  Value inBF16(Value original);
  Value inF32(Value original);
  Value convert(Value value, Type element);
  /// Whether the result of `op` is stored in bf16 by the op itself.
  bool roundsResult(linalg::GenericOp op, unsigned result);
  /// Whether the fp32 result of a reduction stays as it is.
  bool keepsWide(Value result);

  func::FuncOp function;
  bool storeNarrow;
  IRRewriter rewriter;
  Type f32, bf16;
  DenseMap<Value, Value> storedValues, narrowValues, wideValues;
  /// What the function returns or gives to a loop, also through views: stored in the type of the
  /// model.
  DenseSet<Value> outputs;
};

void Translator::findOutputs() {
  Block &block = function.getBody().front();
  SmallVector<Value> pending(block.getTerminator()->getOperands());
  for (LoopOp loop : block.getOps<LoopOp>())
    llvm::append_range(pending, loop->getOperands());
  while (!pending.empty()) {
    Value value = pending.pop_back_val();
    if (!outputs.insert(value).second)
      continue;
    if (Operation *op = value.getDefiningOp(); isa_and_nonnull<AssembleOp, ReshapeOp>(op))
      llvm::append_range(pending, op->getOperands());
  }
}

Value Translator::convert(Value value, Type element) {
  RankedTensorType type = withElement(value, element);
  Location loc = value.getLoc();
  Value empty = tensor::EmptyOp::create(rewriter, loc, type, ValueRange{});
  unsigned rank = type.getRank();
  AffineMap identity = rewriter.getMultiDimIdentityMap(rank);
  auto generic = linalg::GenericOp::create(
      rewriter, loc, type, value, empty, ArrayRef{identity, identity},
      SmallVector<utils::IteratorType>(rank, utils::IteratorType::parallel),
      [&](OpBuilder &builder, Location loc, ValueRange arguments) {
        Value result = element.isF32() ? widen(builder, loc, arguments[0])
                                       : narrow(builder, loc, arguments[0]);
        linalg::YieldOp::create(builder, loc, result);
      });
  return generic.getResult(0);
}

Value Translator::inBF16(Value original) {
  Value value = stored(original);
  if (!elementOf(value).isF32())
    return value;
  if (Value known = narrowValues.lookup(original))
    return known;
  if (auto weight = value.getDefiningOp<WeightOp>())
    return narrowValues[original] =
               transformWeight(rewriter, weight, TransformStep::cast(::dojo::ElementType::BF16));
  // A view is rounded before it is taken: padding is not worth an op.
  Operation *op = original.getDefiningOp();
  OpBuilder::InsertionGuard guard(rewriter);
  if (isa_and_nonnull<AssembleOp, ReshapeOp>(op)) {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(inBF16(operand));
    rewriter.setInsertionPointAfterValue(value);
    Operation *view = rewriter.clone(*op);
    view->setOperands(operands);
    view->getResult(0).setType(withElement(value, bf16));
    if (auto assemble = dyn_cast<AssembleOp>(view))
      assemble.setFillAttr(
          rewriter.getFloatAttr(bf16, cast<FloatAttr>(assemble.getFill()).getValueAsDouble()));
    return narrowValues[original] = view->getResult(0);
  }
  rewriter.setInsertionPointAfterValue(value);
  return narrowValues[original] = convert(value, bf16);
}

Value Translator::inF32(Value original) {
  Value value = stored(original);
  if (!elementOf(original).isF32() || elementOf(value).isF32())
    return value;
  Value &result = wideValues[original];
  if (!result) {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointAfterValue(value);
    result = convert(value, f32);
  }
  return result;
}

/// Whether the body only takes the maximum or minimum of its first operand and the result so far,
/// which is exact in any type.
bool isMinMax(linalg::GenericOp op) {
  Value yielded = cast<linalg::YieldOp>(op.getBody()->getTerminator()).getOperand(0);
  Operation *combiner = yielded.getDefiningOp();
  if (!isa_and_nonnull<arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp>(
          combiner))
    return false;
  Value in = op.getBody()->getArgument(0), out = op.getBody()->getArgument(op.getNumDpsInputs());
  Value lhs = combiner->getOperand(0), rhs = combiner->getOperand(1);
  return (lhs == in && rhs == out) || (lhs == out && rhs == in);
}

/// The constant that a destination is filled with, if bf16 holds it exactly.
std::optional<APFloat> narrowFill(Value init) {
  auto fill = init.getDefiningOp<linalg::FillOp>();
  FloatAttr value;
  if (!fill || !matchPattern(fill.value(), m_Constant(&value)))
    return std::nullopt;
  APFloat result = value.getValue();
  bool inexact = false;
  result.convert(APFloat::BFloat(), APFloat::rmNearestTiesToEven, &inexact);
  return inexact ? std::nullopt : std::optional(result);
}

bool Translator::roundsResult(linalg::GenericOp op, unsigned result) {
  if (!storeNarrow || !elementOf(op.getResult(result)).isF32() ||
      outputs.contains(op.getResult(result)))
    return false;
  bool readsInit = !op.getBody()->getArgument(op.getNumDpsInputs() + result).use_empty();
  if (op.getNumReductionLoops() == 0)
    return !readsInit;
  return op.getNumResults() == 1 && isMinMax(op) &&
         elementOf(stored(op.getDpsInputs()[0])).isBF16() && narrowFill(op.getDpsInits()[0]);
}

bool Translator::keepsWide(Value result) {
  return llvm::all_of(result.getUsers(), [](Operation *user) {
    auto generic = dyn_cast<linalg::GenericOp>(user);
    return generic && !isSumOfProducts(generic);
  });
}

void Translator::translateGeneric(linalg::GenericOp op) {
  bool product = isSumOfProducts(op);
  unsigned numInputs = op.getNumDpsInputs();
  SmallVector<Value> inputs, inits;
  for (Value input : op.getDpsInputs()) {
    bool narrowInput = product && elementOf(input).isF32();
    inputs.push_back(narrowInput ? inBF16(input) : stored(input));
  }
  SmallVector<Type> results;
  SmallVector<bool> rounded;
  for (auto [index, init] : llvm::enumerate(op.getDpsInits())) {
    rounded.push_back(roundsResult(op, index));
    if (!rounded.back()) {
      inits.push_back(inF32(init));
    } else {
      Location loc = init.getLoc();
      Value empty = tensor::EmptyOp::create(rewriter, loc, withElement(init, bf16), ValueRange{});
      if (op.getNumReductionLoops() != 0) {
        Value value =
            arith::ConstantOp::create(rewriter, loc, FloatAttr::get(bf16, *narrowFill(init)));
        empty = linalg::FillOp::create(rewriter, loc, value, empty).getResult(0);
      }
      inits.push_back(empty);
    }
    results.push_back(inits.back().getType());
  }

  auto generic = linalg::GenericOp::create(rewriter, op.getLoc(), results, inputs, inits,
                                           op.getIndexingMapsArray(), op.getIteratorTypesArray());
  generic->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  SmallVector<Type> types;
  for (Value operand : generic->getOperands())
    types.push_back(elementOf(operand));
  Block *body = rewriter.createBlock(&generic.getRegion(), {}, types,
                                     SmallVector<Location>(types.size(), op.getLoc()));
  IRMapping mapping;
  bool moves = isMinMax(op) && rounded[0];
  for (auto [index, argument] : llvm::enumerate(op.getBody()->getArguments())) {
    Value value = body->getArgument(index);
    if (argument.getType() != value.getType() && !argument.use_empty() && !moves &&
        index < numInputs)
      value = widen(rewriter, op.getLoc(), value);
    mapping.map(argument, value);
  }
  for (Operation &inner : op.getBody()->without_terminator()) {
    Operation *copy = rewriter.clone(inner, mapping);
    SmallVector<tensor::ExtractOp> extracts;
    copy->walk([&](Operation *nested) {
      for (OpOperand &operand : nested->getOpOperands())
        operand.set(stored(operand.get()));
      if (auto extract = dyn_cast<tensor::ExtractOp>(nested))
        extracts.push_back(extract);
    });
    // Elements of a tensor that the body names itself.
    for (tensor::ExtractOp extract : extracts) {
      Type element = elementOf(extract.getTensor());
      if (element == extract.getType())
        continue;
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPointAfter(extract);
      extract.getResult().setType(element);
      Value wide = widen(rewriter, inner.getLoc(), extract);
      extract.getResult().replaceAllUsesExcept(wide, wide.getDefiningOp());
      if (extract == copy)
        mapping.map(inner.getResult(0), wide);
    }
    if (moves)
      copy->getResult(0).setType(bf16);
  }
  SmallVector<Value> yielded;
  for (auto [index, value] : llvm::enumerate(op.getBody()->getTerminator()->getOperands())) {
    Value result = stored(mapping.lookupOrDefault(value));
    if (rounded[index] && !elementOf(result).isBF16())
      result = narrow(rewriter, op.getLoc(), result);
    yielded.push_back(result);
  }
  linalg::YieldOp::create(rewriter, op.getLoc(), yielded);

  rewriter.setInsertionPointAfter(generic);
  for (auto [index, result] : llvm::enumerate(op.getResults())) {
    Value value = generic.getResult(index);
    storedValues[result] = value;
    if (!storeNarrow || !elementOf(value).isF32() || !elementOf(result).isF32())
      continue;
    StringRef reason = "graph outputs keep the type of the model";
    if (!outputs.contains(result)) {
      bool rounds = product || !keepsWide(result);
      reason = rounds ? "the next layer rounds these sums"
                      : "only elementwise ops read these sums: rounding would put the same error "
                        "on every element";
      if (rounds)
        storedValues[result] = inBF16(result);
    }
    generic->setAttr("dojo.fp32", rewriter.getStringAttr(reason));
  }
}

void Translator::translateView(Operation *op) {
  Value result = op->getResult(0);
  auto isNarrow = [&](Value operand) { return elementOf(stored(operand)).isBF16(); };
  bool narrowResult = elementOf(result).isF32() && !outputs.contains(result) &&
                      llvm::any_of(op->getOperands(), isNarrow);
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(narrowResult                ? inBF16(operand)
                       : elementOf(result).isF32() ? inF32(operand)
                                                   : stored(operand));
  Operation *view = rewriter.clone(*op);
  view->setOperands(operands);
  if (narrowResult) {
    view->getResult(0).setType(withElement(result, bf16));
    if (auto assemble = dyn_cast<AssembleOp>(view)) {
      APFloat fill = cast<FloatAttr>(assemble.getFill()).getValue();
      bool inexact;
      fill.convert(APFloat::BFloat(), APFloat::rmNearestTiesToEven, &inexact);
      assemble.setFillAttr(FloatAttr::get(bf16, fill));
    }
  }
  storedValues[result] = view->getResult(0);
}

void Translator::translateWeight(WeightOp op) {
  Value weight = rewriter.clone(*op)->getResult(0);
  storedValues[op.getResult()] = weight;
  if (storeNarrow && elementOf(weight).isF32() && !outputs.contains(op.getResult()))
    storedValues[op.getResult()] = inBF16(op.getResult());
}

void Translator::translate(Operation *op) {
  rewriter.setInsertionPoint(op);
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return translateGeneric(generic);
  if (isa<AssembleOp, ReshapeOp>(op))
    return translateView(op);
  if (auto weight = dyn_cast<WeightOp>(op))
    return translateWeight(weight);
  // Destinations are made where they are needed; anything else sees the types of the model.
  Operation *copy = rewriter.clone(*op);
  for (OpOperand &operand : copy->getOpOperands())
    operand.set(inF32(operand.get()));
  for (auto [result, value] : llvm::zip_equal(op->getResults(), copy->getResults()))
    storedValues[result] = value;
}

void Translator::run() {
  findOutputs();
  Block &block = function.getBody().front();
  SmallVector<Operation *> ops;
  for (Operation &op : block.without_terminator())
    ops.push_back(&op);
  for (Operation *op : ops)
    translate(op);
  rewriter.setInsertionPoint(block.getTerminator());
  for (OpOperand &operand : block.getTerminator()->getOpOperands())
    operand.set(inF32(operand.get()));
  for (Operation *op : llvm::reverse(ops))
    rewriter.eraseOp(op);
  eraseDeadOps(rewriter, block);
}

struct SetPrecisionPass : mlir::dojo::impl::SetPrecisionBase<SetPrecisionPass> {
  using SetPrecisionBase::SetPrecisionBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal() || precision == Precision::FP32)
      return;
    Translator(function, store == Precision::BF16).run();
  }
};

} // namespace
