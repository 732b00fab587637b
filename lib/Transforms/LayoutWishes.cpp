// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayoutWishes.h"

#include "ConvForm.h"
#include "PhysicalGeneric.h"
#include "dialects/Dojo/DojoDialect.h"

using namespace mlir;
using namespace mlir::dojo;
using linalg::GenericOp;

LayoutWishes::LayoutWishes(func::FuncOp function, int64_t block, bool matrixUnit)
    : block(block), matrixUnit(matrixUnit) {
  Block &body = function.getBody().front();
  for (Value value : body.getTerminator()->getOperands())
    wishes[value] = Layout::plain(cast<RankedTensorType>(value.getType()).getRank());
  for (Operation &op : llvm::reverse(body.without_terminator())) {
    if (auto generic = dyn_cast<GenericOp>(op))
      visit(generic);
    else if (auto assemble = dyn_cast<AssembleOp>(op))
      visit(assemble);
    else if (auto reshape = dyn_cast<ReshapeOp>(op))
      visit(reshape);
    else if (isa<LoopOp>(op))
      for (Value value : op.getOperands())
        wishes[value] = Layout::plain(cast<RankedTensorType>(value.getType()).getRank());
  }
}

void LayoutWishes::wishInputs(GenericOp op, ArrayRef<unsigned> loopOrder,
                              std::optional<unsigned> blockLoop, OpOperand *except) {
  for (OpOperand *input : op.getDpsInputOperands()) {
    if (input == except || input->get().getDefiningOp<WeightOp>())
      continue;
    Layout layout = layoutFollowing(op.getMatchingIndexingMap(input), loopOrder, blockLoop, block);
    if (!layout.isPlain() && LoopSplits(op).accepts(input->getOperandNumber(), layout))
      wishes[input->get()] = layout;
  }
}

std::optional<unsigned> mlir::dojo::reducedRow(GenericOp op, OpOperand *input) {
  AffineMap map = op.getMatchingIndexingMap(input);
  if (map.getNumResults() == 0)
    return std::nullopt;
  auto row = dyn_cast<AffineDimExpr>(map.getResults().back());
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  // Adding up the lanes in the end has to pay.
  constexpr int64_t leastSteps = 64;
  // Images that are reduced along and across their rows are as good in blocks of channels.
  if (!row || op.getNumReductionLoops() != 1 ||
      kinds[row.getPosition()] == utils::IteratorType::parallel ||
      ranges[row.getPosition()] < leastSteps)
    return std::nullopt;
  for (auto [loop, range] : llvm::enumerate(ranges))
    if (range > 1 && kinds[loop] == utils::IteratorType::parallel && map.isFunctionOfDim(loop))
      return row.getPosition();
  return std::nullopt;
}

void LayoutWishes::visit(GenericOp op) {
  if (matrixUnit) {
    if (OpOperand *sum = findFusedSum(op)) {
      // The epilogue runs in the order of the convolution.
      std::optional<ConvForm> form = matchMatrixUnitConv(sum->get().getDefiningOp<GenericOp>());
      AffineMap map = op.getMatchingIndexingMap(sum);
      wishInputs(op, loopsInMemoryOrder(map, form->resultLayout),
                 blockLoopOf(map, form->resultLayout), sum);
      return;
    }
    if (std::optional<ConvForm> form = matchMatrixUnitConv(op)) {
      wishes[op.getDpsInputs()[form->roles.image]] = form->imageLayout;
      return;
    }
  }
  if (std::optional<ConvForm> form = matchConvForm(op, block)) {
    if (form->hasWindow && form->range(form->channel) >= block)
      wishes[op.getDpsInputs()[form->roles.image]] = form->imageLayout;
    return;
  }
  for (OpOperand *input : op.getDpsInputOperands())
    if (reducedRow(op, input))
      wishes[input->get()] = Layout::plain(op.getMatchingIndexingMap(input).getNumResults());
  const Layout *result = find(op.getResult(0));
  if (!result || result->isPlain())
    return;
  AffineMap map = op.getIndexingMapsArray()[op.getNumDpsInputs()];
  wishInputs(op, loopsInMemoryOrder(map, *result), blockLoopOf(map, *result), nullptr);
}

bool mlir::dojo::canAssemble(AssembleOp op, const Layout &layout) {
  if (layout.blockDim < 0)
    return true;
  int64_t dim = layout.blockDim, block = layout.block;
  auto type = cast<RankedTensorType>(op.getType());
  int64_t size = type.getDimSize(dim);
  for (auto [index, piece] : llvm::enumerate(op.getPieces())) {
    int64_t pieceSize = cast<RankedTensorType>(piece.getType()).getDimSize(dim);
    int64_t offset = op.getOffsetsOf(index)[dim], end = offset + pieceSize;
    if (offset % block != 0)
      return false;
    // A part of a block only at the end of both.
    if (end > size ? size % block != 0 : pieceSize % block != 0 && end != size)
      return false;
  }
  return true;
}

void LayoutWishes::visit(AssembleOp op) {
  const Layout *result = find(op.getResult());
  if (!result || result->isPlain() || !canAssemble(op, *result))
    return;
  Layout layout = *result;
  for (Value piece : op.getPieces())
    wishes[piece] = layout;
}

void LayoutWishes::visit(ReshapeOp op) {
  const Layout *result = find(op.getResult());
  if (!result || result->isPlain())
    return;
  auto shapeOf = [](Value value) { return cast<RankedTensorType>(value.getType()).getShape(); };
  if (std::optional<Layout> layout =
          reshapeLayout(*result, shapeOf(op.getResult()), shapeOf(op.getInput())))
    wishes[op.getInput()] = *layout;
}
