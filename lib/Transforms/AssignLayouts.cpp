// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Translates the function from logical tensors to tensors in memory, op by op: each value of the
// original has forms in one or more layouts, converted where a consumer needs another one.

#include "ConvForm.h"
#include "ConvLowering.h"
#include "DeadOps.h"
#include "LayoutChoice.h"
#include "LayoutWishes.h"
#include "PhysicalGeneric.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Transforms/NodeNames.h"
#include "dojo/Transforms/Passes.h"
#include "dojo/Transforms/WeightViews.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_ASSIGNLAYOUTS
#include "dojo/Transforms/Passes.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;
using ::dojo::TransformStep;
using linalg::GenericOp;

namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }
ArrayRef<int64_t> shapeOf(Value value) { return typeOf(value).getShape(); }

class Translator {
public:
  Translator(func::FuncOp function, int64_t block, bool matrixUnit, bool fuse)
      : function(function), block(block), matrixUnit(matrixUnit), fuse(fuse),
        rewriter(function.getContext()), wishes(function, block, matrixUnit) {}

  LogicalResult run();

private:
  LogicalResult translate(Operation *op);
  void translateGeneric(GenericOp op);
  bool translateContraction(GenericOp op);
  void translateEpilogue(GenericOp op, OpOperand &sum);
  void lower(const ConvForm &form, GenericOp result, Layout layout, const Epilogue *epilogue);
  void translateAssemble(AssembleOp op);
  void translateReshape(ReshapeOp op);
  void translateLoop(LoopOp op);

  /// The first form of a value, as its producer made it.
  const PhysicalValue &first(Value original) { return forms.find(original)->second.front(); }
  bool isWeight(Value original) { return original.getDefiningOp<WeightOp>() != nullptr; }
  /// `original` in `layout`, converted if there is no such form yet.
  PhysicalValue get(Value original, const Layout &layout);
  /// The same with zero padding.
  Value getClean(Value original, const Layout &layout);
  /// Copies `source`, a form of `original`, to `layout`, with zero padding.
  Value copy(Value original, const PhysicalValue &source, const Layout &layout);
  Value getPlain(Value original) {
    return get(original, Layout::plain(typeOf(original).getRank())).value;
  }
  void set(Value original, Value value, Layout layout, bool zeroPadding = true) {
    forms[original] = {PhysicalValue{value, std::move(layout), zeroPadding}};
  }
  /// Notes on the op that computes `value` how it holds the value of the model.
  void describe(Value original, Value value, const Layout &layout);
  /// A copy of one tensor, on logical shapes, to be rewritten by makePhysicalGeneric.
  GenericOp makeCopy(Value original);
  bool fusedSum(OpOperand &operand) { return fused.contains(operand.get().getDefiningOp()); }

  func::FuncOp function;
  int64_t block;
  bool matrixUnit, fuse;
  IRRewriter rewriter;
  LayoutWishes wishes;
  DenseMap<Value, SmallVector<PhysicalValue, 1>> forms;
  /// Sums that an epilogue computes along with itself.
  DenseSet<Operation *> fused;
};

//===----------------------------------------------------------------------===//
// Forms of values
//===----------------------------------------------------------------------===//

GenericOp Translator::makeCopy(Value original) {
  RankedTensorType type = typeOf(original);
  Location loc = original.getLoc();
  Value empty = tensor::EmptyOp::create(rewriter, loc, type, ValueRange{});
  AffineMap identity = rewriter.getMultiDimIdentityMap(type.getRank());
  return GenericOp::create(
      rewriter, loc, type, original, empty, ArrayRef{identity, identity},
      SmallVector<utils::IteratorType>(type.getRank(), utils::IteratorType::parallel),
      [](OpBuilder &builder, Location loc, ValueRange arguments) {
        linalg::YieldOp::create(builder, loc, arguments[0]);
      });
}

Value Translator::copy(Value original, const PhysicalValue &source, const Layout &layout) {
  GenericOp op = makeCopy(original);
  Value result =
      makePhysicalGeneric(rewriter, op, source, layout, [](Value v) { return v; }).front();
  Value empty = op.getDpsInits()[0];
  rewriter.eraseOp(op);
  rewriter.eraseOp(empty.getDefiningOp());
  return result;
}

/// The steps that bring a weight from row-major order to `layout`.
SmallVector<TransformStep> layoutSteps(ArrayRef<int64_t> shape, const Layout &layout) {
  std::vector<int64_t> padded(shape), split, permutation;
  if (layout.blockDim >= 0)
    padded[layout.blockDim] = llvm::alignTo(padded[layout.blockDim], layout.block);
  for (int64_t dim = 0; dim < layout.rank(); ++dim) {
    split.push_back(dim == layout.blockDim ? padded[dim] / layout.block : padded[dim]);
    if (dim == layout.blockDim)
      split.push_back(layout.block);
  }
  auto splitPosition = [&](int64_t dim) {
    return layout.blockDim >= 0 && dim > layout.blockDim ? dim + 1 : dim;
  };
  for (int64_t dim : layout.order)
    permutation.push_back(splitPosition(dim));
  if (layout.blockDim >= 0)
    permutation.push_back(layout.blockDim + 1);
  return {TransformStep::pad(padded), TransformStep::reshape(split),
          TransformStep::transpose(permutation)};
}

PhysicalValue Translator::get(Value original, const Layout &layout) {
  SmallVector<PhysicalValue, 1> &known = forms.find(original)->second;
  for (const PhysicalValue &form : known)
    if (form.layout == layout)
      return form;
  const PhysicalValue source = known.front();
  PhysicalValue result{nullptr, layout, true};
  RankedTensorType type = layout.physicalType(typeOf(original));
  OpBuilder::InsertionGuard guard(rewriter);
  if (auto weight = original.getDefiningOp<WeightOp>()) {
    result.value = transformWeight(rewriter, weight, layoutSteps(shapeOf(original), layout));
  } else if (isView(source, layout, shapeOf(original))) {
    // With the last block filled up, reshaped, and cut to size again.
    SmallVector<int64_t> whole = wholeBlocks(source.layout, layout, shapeOf(original));
    rewriter.setInsertionPointAfterValue(source.value);
    Location loc = original.getLoc();
    Value value = padTo(rewriter, source.value, source.layout.physicalShape(whole));
    value = rewriter.createOrFold<ReshapeOp>(loc, type.clone(layout.physicalShape(whole)), value);
    SmallVector<int64_t> origin(type.getRank(), 0);
    result.value = rewriter.createOrFold<AssembleOp>(
        loc, type, rewriter.getZeroAttr(type.getElementType()), value, ArrayRef{origin});
  } else {
    result.value = copy(original, source, layout);
  }
  forms.find(original)->second.push_back(result);
  return result;
}

Value Translator::getClean(Value original, const Layout &layout) {
  PhysicalValue form = get(original, layout);
  return form.zeroPadding ? form.value : copy(original, form, layout);
}

//===----------------------------------------------------------------------===//
// Structured ops
//===----------------------------------------------------------------------===//

void Translator::describe(Value original, Value value, const Layout &layout) {
  // Views may stand between: they drop padding and dimensions of size one.
  Operation *op = value.getDefiningOp();
  while (isa_and_nonnull<ReshapeOp, AssembleOp>(op) && op->getNumOperands() == 1)
    op = op->getOperand(0).getDefiningOp();
  // A copy that became a view leaves the op behind it as it is described.
  Attribute name = original.getDefiningOp()->getAttr("dojo.value");
  if (!name || !isa_and_nonnull<GenericOp, ConvOp>(op) || op->getAttr("dojo.value") != name)
    return;
  // The type in memory with the blocks put together again.
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<int64_t> shape(type.getShape()), order;
  int64_t dim = -1;
  if (layout.blockDim >= 0) {
    shape.pop_back();
    dim = isa<ConvOp>(op) ? 1 : llvm::find(layout.order, layout.blockDim) - layout.order.begin();
    shape[dim] = shapeOf(original)[layout.blockDim];
  }
  for (int64_t position : layout.order)
    if (shapeOf(original)[position] != 1)
      order.push_back(position);
  RankedTensorType logical = type.clone(shape);
  // Nothing says that dimensions are swapped, or that a result is wider than the value.
  if (!llvm::is_sorted(order) || logical.getNumElements() != typeOf(original).getNumElements()) {
    op->removeAttr("dojo.value");
  } else if (dim >= 0) {
    op->setAttr("dojo.logical", TypeAttr::get(logical));
    op->setAttr("dojo.block", rewriter.getDenseI64ArrayAttr({dim, layout.block}));
  }
}

void Translator::translateGeneric(GenericOp op) {
  const Layout *wish = wishes.find(op.getResult(0));
  // A row-major form that is there already serves a row-major result best.
  auto formOf = [&](Value value) -> const PhysicalValue & {
    auto isPlain = [](const PhysicalValue &form) { return form.layout.isPlain(); };
    auto &known = forms.find(value)->second;
    auto *plain = wish && wish->isPlain() ? llvm::find_if(known, isPlain) : known.end();
    return plain == known.end() ? known.front() : *plain;
  };
  LayoutChoice choice = chooseLayouts(op, block, wishes, formOf);
  SmallVector<PhysicalValue> inputs;
  for (auto [input, layout] : llvm::zip_equal(op.getDpsInputs(), choice.inputs))
    inputs.push_back(get(input, layout));
  // Tensors that the body reads elements of by computed indices.
  SmallVector<std::pair<Value, Value>> captured;
  op.getBody()->walk([&](tensor::ExtractOp extract) {
    captured.push_back({extract.getTensor(), getPlain(extract.getTensor())});
  });
  auto adapt = [&](Value value) {
    for (auto [original, plain] : captured)
      if (original == value)
        return plain;
    return value;
  };
  SmallVector<Value> results = makePhysicalGeneric(rewriter, op, inputs, choice.results, adapt);
  for (auto [original, value, layout] : llvm::zip_equal(op.getResults(), results, choice.results))
    set(original, value, layout);
  describe(op.getResult(0), results[0], choice.results[0]);
}

void Translator::lower(const ConvForm &form, GenericOp result, Layout layout,
                       const Epilogue *epilogue) {
  GenericOp op = form.roles.op;
  Value image = getClean(op.getDpsInputs()[form.roles.image], form.imageLayout);
  Value kernelOperand = op.getDpsInputs()[form.roles.kernel];
  PhysicalValue kernel = first(kernelOperand);
  // The copy that arranges a computed kernel knows blocks of four of its two matrix dimensions.
  if (!isWeight(kernelOperand)) {
    AffineMap map = op.getIndexingMapsArray()[form.roles.kernel];
    std::optional<unsigned> loop = blockLoopOf(map, kernel.layout);
    if (kernel.layout.blockDim >= 0 &&
        (kernel.layout.block != 4 || (loop != form.column && loop != form.channel)))
      kernel = get(kernelOperand, Layout::plain(map.getNumResults()));
  }
  Value value = lowerConv(rewriter, form, image, kernel, epilogue);
  describe(result.getResult(0), value, layout);
  set(result.getResult(0), value, std::move(layout));
}

bool Translator::translateContraction(GenericOp op) {
  std::optional<ConvForm> form = matchMatrixUnitConv(op);
  if (!form)
    return false;
  lower(*form, op, form->resultLayout, nullptr);
  return true;
}

void Translator::translateEpilogue(GenericOp op, OpOperand &sum) {
  GenericOp producer = sum.get().getDefiningOp<GenericOp>();
  std::optional<ConvForm> form = matchMatrixUnitConv(producer);
  AffineMap sumMap = op.getMatchingIndexingMap(&sum);
  SmallVector<unsigned> order = loopsInMemoryOrder(sumMap, form->resultLayout);
  std::optional<unsigned> blockLoop = blockLoopOf(sumMap, form->resultLayout);
  Epilogue epilogue{op, sum.getOperandNumber(), {}};
  for (OpOperand *input : op.getDpsInputOperands()) {
    if (input == &sum) {
      epilogue.inputs.push_back({nullptr, form->resultLayout, true});
      continue;
    }
    AffineMap map = op.getMatchingIndexingMap(input);
    Layout layout = layoutFollowing(map, order, blockLoop, 4);
    if (!LoopSplits(op).accepts(input->getOperandNumber(), layout))
      layout = Layout::plain(map.getNumResults());
    epilogue.inputs.push_back(get(input->get(), layout));
  }
  Layout layout = epilogueLayout(*form, op, sum);
  lower(*form, op, layout, &epilogue);
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

void Translator::translateAssemble(AssembleOp op) {
  // The layouts the pieces have and the one the consumer wishes for; the one that takes the fewest
  // elements to be converted, before and after.
  SmallVector<Layout> candidates{Layout::plain(typeOf(op.getResult()).getRank())};
  const Layout *wish = wishes.find(op.getResult());
  auto addCandidate = [&](const Layout &layout) {
    if (canAssemble(op, layout) && !llvm::is_contained(candidates, layout))
      candidates.push_back(layout);
  };
  if (wish)
    addCandidate(*wish);
  for (Value piece : op.getPieces())
    if (!isWeight(piece))
      addCandidate(first(piece).layout);
  const Layout *best = nullptr;
  int64_t bestCost = 0;
  for (const Layout &layout : llvm::reverse(candidates)) {
    int64_t cost = 0;
    for (Value piece : op.getPieces())
      if (!isWeight(piece) && !sameBytes(first(piece).layout, layout, shapeOf(piece)))
        cost += typeOf(piece).getNumElements();
    if (wish && !sameBytes(*wish, layout, shapeOf(op.getResult())))
      cost += typeOf(op.getResult()).getNumElements();
    if (!best || cost < bestCost) {
      best = &layout;
      bestCost = cost;
    }
  }
  const Layout layout = *best;

  SmallVector<Value> pieces;
  SmallVector<SmallVector<int64_t>> offsets;
  bool zeroPadding = !layout.isRagged(shapeOf(op.getResult())) || isZero(op.getFill());
  for (auto [index, piece] : llvm::enumerate(op.getPieces())) {
    PhysicalValue form = get(piece, layout);
    pieces.push_back(form.value);
    zeroPadding &= form.zeroPadding;
    SmallVector<int64_t> &offset = offsets.emplace_back();
    for (int64_t dim : layout.order)
      offset.push_back(dim == layout.blockDim ? op.getOffsetsOf(index)[dim] / layout.block
                                              : op.getOffsetsOf(index)[dim]);
    if (layout.blockDim >= 0)
      offset.push_back(0);
  }
  Value value = rewriter.createOrFold<AssembleOp>(op.getLoc(), layout.physicalType(op.getType()),
                                                  op.getFill(), pieces, offsets);
  set(op.getResult(), value, layout, zeroPadding);
}

void Translator::translateReshape(ReshapeOp op) {
  Value input = op.getInput();
  auto from = shapeOf(input), to = shapeOf(op.getResult());
  Layout source = isWeight(input) ? Layout::plain(from.size()) : first(input).layout;
  bool zeroPadding = isWeight(input) || first(input).zeroPadding;
  std::optional<Layout> result = reshapeLayout(source, from, to);
  if (!result) {
    // The wish, if the operand can be brought to it; else row-major.
    source = Layout::plain(from.size());
    result = Layout::plain(to.size());
    zeroPadding = true;
    if (const Layout *wish = wishes.find(op.getResult()))
      if (std::optional<Layout> wished = reshapeLayout(*wish, to, from))
        if (reshapeLayout(*wished, from, to) == *wish) {
          source = *wished;
          result = *wish;
        }
  }
  PhysicalValue form = get(input, source);
  set(op.getResult(),
      rewriter.createOrFold<ReshapeOp>(op.getLoc(), result->physicalType(op.getType()), form.value),
      *result, zeroPadding);
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

/// Bodies of loops are functions of their own: what goes in and out lies as in the model.
void Translator::translateLoop(LoopOp op) {
  SmallVector<Value> operands =
      llvm::map_to_vector(op->getOperands(), [&](Value v) { return getPlain(v); });
  auto copy = cast<LoopOp>(rewriter.clone(*op));
  copy->setOperands(operands);
  for (auto [original, value] : llvm::zip_equal(op.getResults(), copy.getResults()))
    set(original, value, Layout::plain(typeOf(value).getRank()));
}

LogicalResult Translator::translate(Operation *op) {
  rewriter.setInsertionPoint(op);
  auto destination = dyn_cast<DestinationStyleOpInterface>(op);
  for (OpOperand &operand : op->getOpOperands())
    if (isa<RankedTensorType>(operand.get().getType()) && !forms.contains(operand.get()) &&
        !(destination && destination.isDpsInit(&operand)) && !fusedSum(operand))
      return emitNodeError(op) << "reads the result of " << operand.get().getDefiningOp()->getName()
                               << ", which is neither a layer nor a view";
  if (auto generic = dyn_cast<GenericOp>(op)) {
    if (fused.contains(op))
      return success();
    OpOperand *sum = matrixUnit && fuse ? findFusedSum(generic) : nullptr;
    if (sum)
      translateEpilogue(generic, *sum);
    else if (!matrixUnit || !translateContraction(generic))
      translateGeneric(generic);
  } else if (auto assemble = dyn_cast<AssembleOp>(op)) {
    translateAssemble(assemble);
  } else if (auto reshape = dyn_cast<ReshapeOp>(op)) {
    translateReshape(reshape);
  } else if (auto loop = dyn_cast<LoopOp>(op)) {
    translateLoop(loop);
  } else if (isa<WeightOp, tensor::EmptyOp>(op)) {
    set(op->getResult(0), op->getResult(0), Layout::plain(typeOf(op->getResult(0)).getRank()));
  } else if (!isa<linalg::FillOp, arith::ConstantOp>(op)) {
    return emitNodeError(op) << op->getName() << " cannot become part of a layer";
  }
  return success();
}

LogicalResult Translator::run() {
  Block &body = function.getBody().front();
  SmallVector<Operation *> ops;
  for (Operation &op : body.without_terminator())
    ops.push_back(&op);
  for (Value argument : body.getArguments())
    set(argument, argument, Layout::plain(typeOf(argument).getRank()));
  for (Operation *op : ops)
    if (auto generic = dyn_cast<GenericOp>(op))
      if (OpOperand *sum = matrixUnit && fuse ? findFusedSum(generic) : nullptr)
        fused.insert(sum->get().getDefiningOp());
  for (Operation *op : ops)
    if (failed(translate(op)))
      return failure();
  rewriter.setInsertionPoint(body.getTerminator());
  for (OpOperand &operand : body.getTerminator()->getOpOperands())
    operand.set(getPlain(operand.get()));
  // What the originals still use are only originals, so from the last one on all are unused.
  for (Operation *op : llvm::reverse(ops))
    if (!isa<WeightOp, tensor::EmptyOp, linalg::FillOp, arith::ConstantOp>(op))
      rewriter.eraseOp(op);
  eraseDeadOps(rewriter, body);
  return success();
}

bool hasMatrixUnitWork(func::FuncOp function) {
  return llvm::any_of(function.getOps<GenericOp>(),
                      [](GenericOp op) { return matchMatrixUnitConv(op).has_value(); });
}

struct AssignLayoutsPass : mlir::dojo::impl::AssignLayoutsBase<AssignLayoutsPass> {
  using AssignLayoutsBase::AssignLayoutsBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    for (Value value : function.getArguments())
      if (auto type = dyn_cast<RankedTensorType>(value.getType());
          !type || !type.hasStaticShape()) {
        function.emitError() << "takes " << value.getType()
                             << ", which is no tensor of fixed shape";
        return signalPassFailure();
      }
    IRRewriter rewriter(&getContext());
    for (GenericOp op : function.getOps<GenericOp>())
      sinkConstants(rewriter, op);
    int64_t size = block ? int64_t(block) : hasMatrixUnitWork(function) ? 4 : 16;
    if (failed(Translator(function, size, /*matrixUnit=*/size == 4, epilogues).run()))
      signalPassFailure();
  }
};

} // namespace
