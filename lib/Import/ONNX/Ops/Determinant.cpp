// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Determinants by Gaussian elimination with partial pivoting, all matrices of a batch at once. Each
// step leaves matrices with a row and a column less.

#include "Reduce.h"

using namespace llvm;

namespace mlir::dojo::onnximport {
namespace {

// A step is five layers.
constexpr int64_t kMaxOrder = 64;

/// The pivots of the first column of `a` [batch, m, m].
struct Pivots {
  Value place; ///< row, i32 [batch]
  Value row;   ///< [batch, m]
};

Pivots choosePivots(TensorBuilder &b, Value a) {
  const Dims dims(TensorBuilder::dimsOf(a));
  const int64_t m = dims[1];
  const Dims column{dims[0], m};
  Type element = TensorBuilder::elementOf(a), index = b.getI32Type();
  auto map = [&](unsigned loops, ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(loops, 0, exprs, b.getContext());
  };
  AffineExpr batch = b.getAffineDimExpr(0), row = b.getAffineDimExpr(1);
  Operand first{a, map(2, {batch, row, b.getAffineConstantExpr(0)}), {}};
  Value greatest = reduceBy(
      b, ElemClass::Float, column, {1}, first, scalarAttr(element, int64_t(0)),
      [](Scalars &s, ValueRange v) { return s.abs(v[0]); }, maxOf);
  Value place = b.reduce(
      column, {1}, {first, b.along(greatest, {0}, 2)}, scalarAttr(index, m - 1),
      [&](OpBuilder &ob, Location loc, ValueRange v) {
        Scalars s(ob, loc, ElemClass::Float), i(ob, loc, ElemClass::Signed);
        Value own = arith::IndexCastOp::create(ob, loc, index, linalg::IndexOp::create(ob, loc, 1));
        return i.min(v[2],
                     i.select(s.equal(s.abs(v[0]), v[1]), own, i.constant(index, double(m - 1))));
      });
  // Loops: batch, column, row.
  Value chosen = b.reduce(
      {dims[0], m, m}, {2},
      {{a, map(3, {batch, b.getAffineDimExpr(2), row}), {}}, b.along(place, {0}, 3)},
      scalarAttr(element, int64_t(0)), [&](OpBuilder &ob, Location loc, ValueRange v) {
        Scalars i(ob, loc, ElemClass::Signed);
        Value own = arith::IndexCastOp::create(ob, loc, index, linalg::IndexOp::create(ob, loc, 2));
        return i.select(i.equal(own, v[1]), v[0], v[2]);
      });
  return {place, chosen};
}

/// `a` without its first column and the pivots' rows, whose multiples are subtracted from the
/// others.
Value eliminate(TensorBuilder &b, Value a, const Pivots &pivots) {
  const Dims dims(TensorBuilder::dimsOf(a));
  const Dims rest{dims[0], dims[1] - 1, dims[1] - 1};
  Type element = TensorBuilder::elementOf(a), index = b.getI32Type();
  AffineExpr batch = b.getAffineDimExpr(0), zero = b.getAffineConstantExpr(0);
  AffineExpr row = b.getAffineDimExpr(1) + 1, column = b.getAffineDimExpr(2) + 1;
  auto of = [&](Value tensor, ArrayRef<AffineExpr> exprs) {
    return Operand{tensor, AffineMap::get(3, 0, exprs, b.getContext()), {}};
  };
  return b.elementwise(
      rest, element,
      {of(a, {batch, row, column}), of(a, {batch, row, zero}), of(a, {batch, zero, column}),
       of(a, {batch, zero, zero}), of(pivots.row, {batch, column}), of(pivots.row, {batch, zero}),
       of(pivots.place, {batch})},
      [&](OpBuilder &ob, Location loc, ValueRange v) {
        Scalars s(ob, loc, ElemClass::Float), i(ob, loc, ElemClass::Signed);
        Value own = arith::IndexCastOp::create(ob, loc, index, linalg::IndexOp::create(ob, loc, 1));
        // The first row stands where the pivot's was.
        Value swapped = i.equal(i.add(own, i.constant(index, 1)), v[6]);
        Value value = s.select(swapped, v[2], v[0]), lead = s.select(swapped, v[3], v[1]);
        Value none = s.constant(element, 0);
        Value factor = s.select(s.equal(v[5], none), none, s.div(lead, v[5]));
        return s.sub(value, s.mul(factor, v[4]));
      });
}

LogicalResult determinant(Lowering &l) {
  TensorBuilder &b = l.b;
  Dims dims(l.node.dims(0));
  const int64_t rank = dims.size();
  if (rank < 2 || dims[rank - 1] != dims[rank - 2])
    return l.fail("the input must be square matrices");
  const int64_t n = dims[rank - 1];
  if (n > kMaxOrder)
    return l.fail("it is too large: matrices may have up to " + Twine(kMaxOrder) + " rows");
  const int64_t count = *elementCount(ArrayRef(dims).drop_back(2));
  Type element = l.elementType(0), index = b.getI32Type();
  const Dims batch{count};
  Value product = b.filled(batch, scalarAttr(element, int64_t(1)));
  if (count == 0 || n == 0)
    return l.set(b.reshape(product, l.resultDims()));
  Value a = b.reshape(l.in(0), {count, n, n});
  for (int64_t left = n; left > 1; --left) {
    Pivots pivots = choosePivots(b, a);
    Operand pivot{
        pivots.row,
        AffineMap::get(1, 0, {b.getAffineDimExpr(0), b.getAffineConstantExpr(0)}, b.getContext()),
        {}};
    product = b.elementwise(
        batch, element, {b.broadcast(product, batch), pivot, b.broadcast(pivots.place, batch)},
        [&](OpBuilder &ob, Location loc, ValueRange v) {
          Scalars s(ob, loc, ElemClass::Float), i(ob, loc, ElemClass::Signed);
          Value next = s.mul(v[0], v[1]);
          return s.select(i.equal(v[2], i.constant(index, 0)), next, s.neg(next));
        });
    a = eliminate(b, a, pivots);
  }
  return l.set(b.reshape(
      b.elementwise(batch, element,
                    {b.broadcast(product, batch), b.broadcast(b.reshape(a, batch), batch)},
                    [](OpBuilder &ob, Location loc, ValueRange v) {
                      return Scalars(ob, loc, ElemClass::Float).mul(v[0], v[1]);
                    }),
      l.resultDims()));
}

} // namespace

ArrayRef<OpEntry> determinantOps() {
  static const OpEntry entries[] = {{"Det", 11, 22, determinant}};
  return entries;
}

} // namespace mlir::dojo::onnximport
