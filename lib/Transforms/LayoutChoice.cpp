// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayoutChoice.h"

#include "ConvForm.h"
#include "dialects/Dojo/DojoDialect.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dojo;
using linalg::GenericOp;

SmallVector<int64_t> mlir::dojo::wholeBlocks(const Layout &a, const Layout &b,
                                             ArrayRef<int64_t> shape) {
  SmallVector<int64_t> whole(shape);
  for (const Layout *layout : {&a, &b})
    if (layout->blockDim >= 0)
      whole[layout->blockDim] = llvm::alignTo(whole[layout->blockDim], layout->block);
  return whole;
}

bool mlir::dojo::isView(const PhysicalValue &source, const Layout &layout,
                        ArrayRef<int64_t> shape) {
  return (source.zeroPadding || layout.blockDim < 0) &&
         sameBytes(source.layout, layout, wholeBlocks(source.layout, layout, shape));
}

namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }
ArrayRef<int64_t> shapeOf(Value value) { return typeOf(value).getShape(); }
bool isWeight(Value value) { return value.getDefiningOp<WeightOp>() != nullptr; }

/// True if the op reduces rows and the layout has rows side by side in blocks: what a node needs of
/// one row would come in pieces of a block.
bool cutsRows(GenericOp op, OpOperand *input, const Layout &layout) {
  std::optional<unsigned> row = reducedRow(op, input);
  AffineMap map = op.getMatchingIndexingMap(input);
  if (!row || blockLoopOf(map, layout) != row)
    return false;
  SmallVector<unsigned> order = loopsInMemoryOrder(map, layout);
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  return std::any_of(llvm::find(order, *row), order.end(),
                     [&](unsigned loop) { return loop != *row && ranges[loop] > 1; });
}

class Chooser {
public:
  Chooser(GenericOp op, int64_t block, const LayoutWishes &wishes,
          llvm::function_ref<const PhysicalValue &(Value)> formOf)
      : op(op), block(block), wishes(wishes), formOf(formOf) {}

  LayoutChoice choose();

private:
  /// The layout of the first result, given the operand it follows and that operand's layout.
  Layout chooseResult(const LoopSplits &splits, OpOperand *dominant, const Layout &source);
  /// How a weight best lies in memory for an op whose other operands have these layouts.
  Layout weightLayout(unsigned operand, const LoopSplits &splits, const Layout &result);

  GenericOp op;
  int64_t block;
  const LayoutWishes &wishes;
  llvm::function_ref<const PhysicalValue &(Value)> formOf;
};

Layout Chooser::chooseResult(const LoopSplits &splits, OpOperand *dominant, const Layout &source) {
  unsigned operand = op.getNumDpsInputs();
  AffineMap map = op.getIndexingMapsArray()[operand];
  // Contractions that stay general: output channels innermost, in blocks where there are pixels
  // and the channels fill at least half of one.
  if (isSumOfProducts(op)) {
    std::optional<ConvForm> form = matchConvForm(op, block);
    if (form && form->hasWindow && 2 * form->range(form->column) >= block &&
        splits.accepts(operand, form->resultLayout))
      return form->resultLayout;
    if (form)
      return Layout::plain(map.getNumResults());
  }
  const Layout *wish = wishes.find(op.getResult(0));
  if (wish && splits.accepts(operand, *wish))
    return *wish;
  if (!dominant)
    return Layout::plain(map.getNumResults());
  AffineMap from = op.getMatchingIndexingMap(dominant);
  Layout carried = layoutFollowing(map, loopsInMemoryOrder(from, source), blockLoopOf(from, source),
                                   source.block);
  return splits.accepts(operand, carried) ? carried : Layout::plain(map.getNumResults());
}

Layout Chooser::weightLayout(unsigned operand, const LoopSplits &splits, const Layout &result) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  AffineMap resultMap = maps[op.getNumDpsInputs()];
  SmallVector<unsigned> order = loopsInMemoryOrder(resultMap, result);
  std::optional<unsigned> blockLoop = blockLoopOf(resultMap, result);
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  // The innermost loop of the result stays innermost here.
  auto place = blockLoop || order.empty() ? order.end() : order.end() - 1;
  order.insert(place, reductions.begin(), reductions.end());
  Layout layout =
      layoutFollowing(maps[operand], order, blockLoop, blockLoop ? splits.block(*blockLoop) : 1);
  if (splits.accepts(operand, layout))
    return layout;
  return Layout::plain(maps[operand].getNumResults());
}

LayoutChoice Chooser::choose() {
  LayoutChoice choice;
  LoopSplits splits(op);
  unsigned numInputs = op.getNumDpsInputs();
  choice.inputs.resize(numInputs);
  // Indices that the body computes for itself are inside of tensors without padding only.
  if (op.getBody()
          ->walk([](tensor::ExtractOp) { return WalkResult::interrupt(); })
          .wasInterrupted()) {
    auto plain = [](Value value) { return Layout::plain(typeOf(value).getRank()); };
    llvm::transform(op.getDpsInputs(), choice.inputs.begin(), plain);
    choice.results = llvm::map_to_vector(op.getDpsInits(), plain);
    return choice;
  }
  // Larger operands first: they are the dear ones to convert.
  SmallVector<OpOperand *> activations;
  for (OpOperand *input : op.getDpsInputOperands())
    if (!isWeight(input->get()))
      activations.push_back(input);
  llvm::sort(activations, [](OpOperand *a, OpOperand *b) {
    return std::pair(-typeOf(a->get()).getNumElements(), a->getOperandNumber()) <
           std::pair(-typeOf(b->get()).getNumElements(), b->getOperandNumber());
  });
  // Padding that a view can take away is not worth masks.
  const Layout *wish = wishes.find(op.getResult(0));
  for (OpOperand *input : activations) {
    const PhysicalValue &form = formOf(input->get());
    Layout plain = Layout::plain(form.layout.rank()),
           &layout = choice.inputs[input->getOperandNumber()];
    layout = form.layout;
    if (form.layout.isRagged(shapeOf(input->get())) && (!wish || wish->blockDim < 0) &&
        isView(form, plain, shapeOf(input->get())))
      layout = plain;
    if (cutsRows(op, input, layout))
      layout = plain;
  }
  OpOperand *dominant = nullptr;
  for (OpOperand *input : activations) {
    const Layout &layout = choice.inputs[input->getOperandNumber()];
    if (!layout.isPlain() && splits.accepts(input->getOperandNumber(), layout) && !dominant) {
      dominant = input;
      splits.add(input->getOperandNumber(), layout);
    }
  }
  if (!dominant && !activations.empty())
    dominant = activations.front();

  Layout result = chooseResult(splits, dominant,
                               dominant ? choice.inputs[dominant->getOperandNumber()] : Layout());
  splits.add(numInputs, result);
  choice.results.push_back(result);
  AffineMap resultMap = op.getIndexingMapsArray()[numInputs];
  for (unsigned i = 1; i < op.getNumResults(); ++i) {
    Layout other = layoutFollowing(op.getIndexingMapsArray()[numInputs + i],
                                   loopsInMemoryOrder(resultMap, result),
                                   blockLoopOf(resultMap, result), result.block);
    if (!splits.accepts(numInputs + i, other))
      other = Layout::plain(other.rank());
    splits.add(numInputs + i, other);
    choice.results.push_back(other);
  }
  for (OpOperand *input : activations) {
    // As it is if that divides no further loop with a remainder, else row-major.
    unsigned operand = input->getOperandNumber();
    Layout layout = choice.inputs[operand];
    LoopSplits with = splits;
    bool fits = splits.accepts(operand, layout);
    if (fits) {
      with.add(operand, layout);
      std::optional<unsigned> loop = blockLoopOf(op.getMatchingIndexingMap(input), layout);
      fits = !loop || splits.block(*loop) || !with.isRagged(*loop) || input == dominant;
    }
    if (fits)
      splits = with;
    else
      layout = Layout::plain(layout.rank());
    choice.inputs[operand] = layout;
  }
  for (OpOperand *input : op.getDpsInputOperands())
    if (isWeight(input->get())) {
      Layout layout = weightLayout(input->getOperandNumber(), splits, result);
      splits.add(input->getOperandNumber(), layout);
      choice.inputs[input->getOperandNumber()] = layout;
    }
  return choice;
}

} // namespace

LayoutChoice mlir::dojo::chooseLayouts(GenericOp op, int64_t block, const LayoutWishes &wishes,
                                       llvm::function_ref<const PhysicalValue &(Value)> formOf) {
  return Chooser(op, block, wishes, formOf).choose();
}
