// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConvForm.h"

#include "dialects/Dojo/DojoDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dojo;
using linalg::GenericOp;

// Each batch is an op of its own; beyond this number they cost more than they gain.
static constexpr int64_t maxBatches = 64;

int64_t ConvForm::product(ArrayRef<unsigned> loops) const {
  int64_t result = 1;
  for (unsigned loop : loops)
    result *= ranges[loop];
  return result;
}

Layout mlir::dojo::layoutFollowing(AffineMap map, ArrayRef<unsigned> loopOrder,
                                   std::optional<unsigned> blockLoop, int64_t block) {
  Layout layout;
  SmallVector<std::pair<unsigned, int64_t>> keyed;
  SmallVector<int64_t> others;
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    const unsigned *first =
        llvm::find_if(loopOrder, [&](unsigned loop) { return expr.isFunctionOfDim(loop); });
    if (first == loopOrder.end())
      others.push_back(dim);
    else
      keyed.push_back({first - loopOrder.begin(), dim});
    if (blockLoop && expr == getAffineDimExpr(*blockLoop, map.getContext())) {
      layout.blockDim = dim;
      layout.block = block;
    }
  }
  llvm::sort(keyed);
  for (auto [key, dim] : keyed)
    layout.order.push_back(dim);
  for (int64_t dim : others) {
    auto place = dim == 0 ? layout.order.begin() : llvm::find(layout.order, dim - 1) + 1;
    layout.order.insert(std::min(place, layout.order.end()), dim);
  }
  return layout;
}

SmallVector<unsigned> mlir::dojo::loopsInMemoryOrder(AffineMap map, const Layout &layout) {
  SmallVector<unsigned> loops;
  for (int64_t dim : layout.order)
    for (unsigned loop = 0; loop < map.getNumDims(); ++loop)
      if (map.getResult(dim).isFunctionOfDim(loop) && !llvm::is_contained(loops, loop))
        loops.push_back(loop);
  return loops;
}

std::optional<unsigned> mlir::dojo::blockLoopOf(AffineMap map, const Layout &layout) {
  if (layout.blockDim < 0)
    return std::nullopt;
  if (auto loop = dyn_cast<AffineDimExpr>(map.getResult(layout.blockDim)))
    return loop.getPosition();
  return std::nullopt;
}

/// The spatial dimension an expression of the image's map describes, if it is a sum of at most one
/// row loop and at most one tap loop with positive factors.
static std::optional<SpatialDim> matchSpatial(AffineExpr expr, unsigned imageDim,
                                              const Contraction &roles) {
  auto terms = matchSum(expr);
  if (!terms)
    return std::nullopt;
  SpatialDim result;
  result.imageDim = imageDim;
  for (auto [loop, factor] : *terms) {
    bool isRow = llvm::is_contained(roles.rows, loop);
    if (factor < 1 || (isRow ? result.rowLoop : result.tapLoop))
      return std::nullopt;
    if (!isRow && !llvm::is_contained(roles.taps, loop))
      return std::nullopt;
    (isRow ? result.rowLoop : result.tapLoop) = loop;
    (isRow ? result.stride : result.dilation) = factor;
  }
  return result;
}

std::optional<ConvForm> mlir::dojo::matchConvForm(GenericOp op, int64_t block) {
  std::optional<Contraction> roles = matchContraction(op);
  if (!roles || roles->columns.size() != 1 || roles->depth.empty())
    return std::nullopt;
  ConvForm form;
  form.roles = *roles;
  form.ranges = op.getStaticLoopRanges();
  form.column = roles->columns.front();
  AffineMap image = op.getIndexingMapsArray()[roles->image];
  AffineMap result = op.getIndexingMapsArray()[2];

  // Windows first, then the loops that stand alone in the image's map, in its order.
  SmallVector<SpatialDim> windows;
  std::optional<unsigned> channel;
  SmallVector<unsigned> outer;
  std::optional<unsigned> lastRow, dimOfLastRow;
  for (auto [dim, expr] : llvm::enumerate(image.getResults())) {
    if (expr == getAffineConstantExpr(0, op.getContext())) {
      if (cast<ShapedType>(op.getDpsInputs()[roles->image].getType()).getDimSize(dim) != 1)
        return std::nullopt;
      continue;
    }
    auto alone = dyn_cast<AffineDimExpr>(expr);
    if (!alone) {
      std::optional<SpatialDim> window = matchSpatial(expr, dim, *roles);
      if (!window)
        return std::nullopt;
      windows.push_back(*window);
      continue;
    }
    unsigned loop = alone.getPosition();
    if (llvm::is_contained(roles->batch, loop)) {
      outer.push_back(loop);
    } else if (llvm::is_contained(roles->rows, loop)) {
      outer.push_back(loop);
      lastRow = loop;
      dimOfLastRow = dim;
    } else if (!channel) {
      channel = loop;
    } else {
      // A product over whole dimensions of pixels: a window as large as the image.
      windows.push_back({dim, std::nullopt, loop, 1, 1});
    }
  }
  unsigned seen = outer.size() + (channel ? 1 : 0);
  for (const SpatialDim &window : windows)
    seen += (window.rowLoop ? 1 : 0) + (window.tapLoop ? 1 : 0);
  if (!channel || windows.size() > 2 || seen + 1 != op.getNumLoops())
    return std::nullopt;
  form.channel = *channel;
  form.hasWindow = !windows.empty();
  if (windows.empty()) {
    // The rows of a matrix are a row of pixels.
    if (lastRow) {
      form.spatial[1].imageDim = dimOfLastRow;
      form.spatial[1].rowLoop = lastRow;
      llvm::erase(outer, *lastRow);
    }
  } else {
    form.spatial[1] = windows.back();
    if (windows.size() == 2)
      form.spatial[0] = windows.front();
  }
  form.outer = outer;

  SmallVector<unsigned> imageOrder(outer), resultOrder(outer);
  imageOrder.push_back(form.channel);
  resultOrder.push_back(form.column);
  for (const SpatialDim &dim : form.spatial) {
    if (dim.rowLoop) {
      imageOrder.push_back(*dim.rowLoop);
      resultOrder.push_back(*dim.rowLoop);
    } else if (dim.tapLoop) {
      imageOrder.push_back(*dim.tapLoop);
    }
  }
  form.imageLayout = layoutFollowing(image, imageOrder, form.channel, block);
  form.resultLayout = layoutFollowing(result, resultOrder, form.column, block);
  return form;
}

std::optional<ConvForm> mlir::dojo::matchMatrixUnitConv(GenericOp op) {
  if (op.getNumDpsInputs() != 2 || !op.hasPureTensorSemantics())
    return std::nullopt;
  for (Value input : op.getDpsInputs())
    if (!getElementTypeOrSelf(input.getType()).isBF16())
      return std::nullopt;
  if (!getElementTypeOrSelf(op.getResultTypes().front()).isF32())
    return std::nullopt;
  std::optional<ConvForm> form = matchConvForm(op, 4);
  if (!form || llvm::is_contained(form->ranges, 0))
    return std::nullopt;
  int64_t batches = form->product(form->roles.batch);
  if (batches > maxBatches)
    return std::nullopt;
  // The channels of a group are a slice of all: whole blocks, or most of the work is on padding.
  if (batches > 1 && form->hasWindow &&
      (form->range(form->channel) % 4 != 0 || form->range(form->column) % 8 != 0))
    return std::nullopt;
  // A kernel computed at run time is rearranged by an op, which knows matrices only.
  bool weight = op.getDpsInputs()[form->roles.kernel].getDefiningOp<WeightOp>() != nullptr;
  if (!weight && form->hasWindow)
    return std::nullopt;
  return form;
}

/// Whether the epilogue can read the other operands of `user` at the place of the sum: each has a
/// value for every channel, or one for all channels and pixels.
static bool readsBesideSum(GenericOp user, OpOperand *sum, GenericOp producer,
                           const ConvForm &form) {
  AffineMap sumMap = user.getMatchingIndexingMap(sum);
  AffineMap resultMap = producer.getIndexingMapsArray().back();
  for (OpOperand *other : user.getDpsInputOperands()) {
    if (other == sum)
      continue;
    AffineMap map = user.getMatchingIndexingMap(other);
    bool channels = false, pixels = false;
    for (unsigned dim = 0; dim < resultMap.getNumResults(); ++dim) {
      unsigned loop = resultMap.getDimPosition(dim);
      if (!map.isFunctionOfDim(sumMap.getDimPosition(dim)))
        continue;
      if (loop == form.column)
        channels = true;
      else
        pixels |= form.range(loop) != 1 && !form.isBatch(loop);
    }
    if (pixels && !channels)
      return false;
  }
  return true;
}

OpOperand *mlir::dojo::findFusedSum(GenericOp user) {
  if (!user.hasPureTensorSemantics() || user.getNumResults() != 1 ||
      user.getNumParallelLoops() != user.getNumLoops() ||
      !user.getIndexingMapsArray().back().isPermutation() ||
      !user.getBody()->getArguments().back().use_empty() ||
      !isa<FloatType>(getElementTypeOrSelf(user.getResultTypes().front())))
    return nullptr;
  for (Operation &inner : *user.getBody()) {
    if (isa<linalg::IndexOp, tensor::ExtractOp>(inner) || inner.getNumRegions() != 0)
      return nullptr;
    for (Value operand : inner.getOperands())
      if (operand.getParentRegion() != &user.getRegion() &&
          !operand.getDefiningOp<arith::ConstantOp>())
        return nullptr;
  }
  OpOperand *result = nullptr;
  for (OpOperand *operand : user.getDpsInputOperands()) {
    auto producer = operand->get().getDefiningOp<GenericOp>();
    if (!producer || !operand->get().hasOneUse() ||
        !user.getMatchingIndexingMap(operand).isPermutation())
      continue;
    std::optional<ConvForm> form = matchMatrixUnitConv(producer);
    if (!form || !readsBesideSum(user, operand, producer, *form))
      continue;
    if (!result || result->get().getDefiningOp()->isBeforeInBlock(producer))
      result = operand;
  }
  return result;
}
