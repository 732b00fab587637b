// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "EmptyTensors.h"

#include "dialects/Dojo/DojoDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::dojo;

static bool isEmpty(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && llvm::is_contained(type.getShape(), 0);
}

/// A tensor that is `fill` everywhere; null for element types without a zero.
static Value filled(RewriterBase &rewriter, Location loc, Type type, TypedAttr fill) {
  using Offsets = SmallVector<int64_t>;
  return fill ? AssembleOp::create(rewriter, loc, type, fill, ValueRange{}, ArrayRef<Offsets>{})
              : Value();
}

/// What the result is if no loop is ever executed; null if that is not known.
static Value valueWithoutLoops(RewriterBase &rewriter, linalg::GenericOp op, unsigned result) {
  Value value = op.getResult(result), init = op.getDpsInits()[result];
  Type element = getElementTypeOrSelf(value.getType());
  TypedAttr fill = rewriter.getZeroAttr(element);
  if (!isEmpty(value)) {
    Attribute constant;
    if (auto fillOp = init.getDefiningOp<linalg::FillOp>())
      fill = matchPattern(fillOp.value(), m_Constant(&constant)) ? dyn_cast<TypedAttr>(constant)
                                                                 : TypedAttr();
    else if (!init.getDefiningOp<tensor::EmptyOp>())
      return init;
  }
  return filled(rewriter, op.getLoc(), value.getType(), fill);
}

static void simplify(RewriterBase &rewriter, linalg::GenericOp op) {
  if (!llvm::is_contained(op.getStaticLoopRanges(), 0))
    return;
  for (OpResult result : op->getResults())
    if (Value value = valueWithoutLoops(rewriter, op, result.getResultNumber()))
      rewriter.replaceAllUsesWith(result, value);
}

static void simplify(RewriterBase &rewriter, AssembleOp op) {
  SmallVector<Value> pieces;
  SmallVector<SmallVector<int64_t>> offsets;
  if (!isEmpty(op.getResult()))
    for (auto [i, piece] : llvm::enumerate(op.getPieces()))
      if (!isEmpty(piece)) {
        pieces.push_back(piece);
        offsets.push_back(llvm::to_vector(op.getOffsetsOf(i)));
      }
  if (pieces.size() != op.getPieces().size())
    rewriter.replaceOpWithNewOp<AssembleOp>(op, op.getResult().getType(),
                                            cast<TypedAttr>(op.getFillAttr()), pieces, offsets);
}

void mlir::dojo::removeEmptyTensors(RewriterBase &rewriter, func::FuncOp function) {
  SmallVector<Operation *> ops;
  for (Operation &op : function.getBody().front().without_terminator())
    ops.push_back(&op);
  for (Operation *op : ops) {
    rewriter.setInsertionPoint(op);
    if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
      simplify(rewriter, generic);
    } else if (auto assemble = dyn_cast<AssembleOp>(op)) {
      simplify(rewriter, assemble);
    } else if (isa<ReshapeOp, WeightOp>(op) && isEmpty(op->getResult(0))) {
      Type type = op->getResult(0).getType();
      if (Value value = filled(rewriter, op->getLoc(), type,
                               rewriter.getZeroAttr(getElementTypeOrSelf(type))))
        rewriter.replaceOp(op, value);
    }
  }
}
