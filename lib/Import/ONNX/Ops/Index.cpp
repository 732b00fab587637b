// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Index.h"

using namespace llvm;

namespace mlir::dojo::onnximport {

Value IndexBody::toInt(Value value, unsigned bits) {
  Type type = b.getIntegerType(bits);
  if (value.getType() == type)
    return value;
  if (value.getType().isIndex())
    return arith::IndexCastOp::create(b, loc, type, value);
  if (value.getType().getIntOrFloatBitWidth() > bits)
    return arith::TruncIOp::create(b, loc, type, value);
  if (value.getType().isInteger(1))
    return arith::ExtUIOp::create(b, loc, type, value);
  return arith::ExtSIOp::create(b, loc, type, value);
}

Value IndexBody::toIndex(Value value) {
  return value.getType().isIndex()
             ? value
             : arith::IndexCastOp::create(b, loc, b.getIndexType(), value).getResult();
}

Value IndexBody::wrapped(Value value, int64_t extent) {
  return select(less(value, same(value, 0)), add(value, same(value, extent)), value);
}

Value IndexBody::inside(Value value, int64_t extent) {
  return toIndex(min(max(value, same(value, 0)), same(value, extent - 1)));
}

Value IndexBody::read(Value tensor, ValueRange indices) {
  return tensor::ExtractOp::create(b, loc, tensor, indices);
}

Value IndexBody::countUpTo(Value sorted, Value m) {
  const int64_t n = TensorBuilder::dimsOf(sorted)[0];
  Value count = index(0), end = index(n), one = index(1);
  for (int64_t step = n > 0 ? int64_t(1) << Log2_64(n) : 0; step > 0; step /= 2) {
    Value next = add(count, index(step));
    Value probe = read(sorted, sub(min(next, end), one));
    Value take = both(compare(arith::CmpIPredicate::sle, next, end),
                      compare(arith::CmpIPredicate::sle, probe, m));
    count = select(take, next, count);
  }
  return count;
}

Value mapIndices(TensorBuilder &b, ArrayRef<int64_t> dims, Type element, ArrayRef<Operand> operands,
                 IndexBodyFn body) {
  return b.elementwise(dims, element, operands, [&](OpBuilder &ob, Location loc, ValueRange v) {
    IndexBody inner(ob, loc);
    return body(inner, v);
  });
}

Value reduceLast(TensorBuilder &b, ArrayRef<int64_t> dims, int64_t extent,
                 ArrayRef<Operand> operands, TypedAttr init, IndexBodyFn body) {
  Dims domain(dims);
  domain.push_back(extent);
  // The extent of a loop that no operand has.
  SmallVector<Operand> all(operands);
  AffineMap seen = AffineMap::getMultiDimIdentityMap(domain.size(), b.getContext());
  for (unsigned d = 0; d < domain.size(); ++d)
    if (d + 1 == domain.size() && none_of(operands, [&](const Operand &o) {
          return o.tensor && is_contained(o.map.getResults(), seen.getResult(d));
        }))
      all.push_back({b.empty({extent}, b.getI32Type()),
                     AffineMap::get(domain.size(), 0, {b.getAffineDimExpr(d)}, b.getContext()),
                     {}});
  return b.reduce(domain, {int64_t(dims.size())}, all, init,
                  [&](OpBuilder &ob, Location loc, ValueRange v) {
                    IndexBody inner(ob, loc);
                    return body(inner, v);
                  });
}

Operand withLastAs(TensorBuilder &b, Value tensor, int64_t axis) {
  const int64_t rank = TensorBuilder::dimsOf(tensor).size();
  SmallVector<int64_t> loops = llvm::to_vector(seq<int64_t>(0, rank));
  loops[axis] = rank;
  return b.along(tensor, loops, rank + 1);
}

Operand firstLoops(TensorBuilder &b, Value tensor, int64_t loopCount) {
  const int64_t rank = TensorBuilder::dimsOf(tensor).size();
  return b.along(tensor, llvm::to_vector(seq<int64_t>(0, rank)), loopCount);
}

//===----------------------------------------------------------------------===//
// Running sums
//===----------------------------------------------------------------------===//

// An axis of up to kDirect elements is done at once, a longer one in blocks of kBlock.
static constexpr int64_t kDirect = 64, kBlock = 32;

Value cumulate(TensorBuilder &b, ElemClass kind, Value tensor, int64_t axis, bool exclusive,
               bool reverse, bool product) {
  Dims dims(TensorBuilder::dimsOf(tensor));
  const int64_t n = dims[axis], rank = dims.size();
  TypedAttr neutral = scalarAttr(TensorBuilder::elementOf(tensor), kind, product);
  auto combine = [&](OpBuilder &ob, Location loc, Value x, Value y) {
    Scalars s(ob, loc, kind);
    return product ? s.mul(x, y) : s.add(x, y);
  };
  if (n <= kDirect)
    return reduceLast(
        b, dims, n, withLastAs(b, tensor, axis), neutral, [&](IndexBody &body, ValueRange v) {
          Value at = body.loop32(axis), from = body.loop32(rank);
          if (reverse)
            std::swap(at, from);
          Value counts = body.compare(
              exclusive ? arith::CmpIPredicate::slt : arith::CmpIPredicate::sle, from, at);
          return combine(body.b, body.loc, v[1], body.select(counts, v[0], body.constant(neutral)));
        });
  const int64_t blocks = divideCeil(n, kBlock);
  Dims low(rank, 0), high(rank, 0);
  high[axis] = blocks * kBlock - n;
  Dims split(dims);
  split[axis] = blocks;
  split.insert(split.begin() + axis + 1, kBlock);
  Value parts = b.reshape(b.pad(tensor, low, high, neutral), split);
  Value inner = cumulate(b, kind, parts, axis + 1, exclusive, reverse, product);
  Value totals = b.reduce(
      split, {axis + 1}, firstLoops(b, parts, rank + 1), neutral,
      [&](OpBuilder &ob, Location loc, ValueRange v) { return combine(ob, loc, v[1], v[0]); });
  Value before = cumulate(b, kind, totals, axis, /*exclusive=*/true, reverse, product);
  SmallVector<int64_t> loops;
  for (int64_t d = 0; d <= rank; ++d)
    if (d != axis + 1)
      loops.push_back(d);
  Value whole = b.elementwise(
      split, neutral.getType(), {firstLoops(b, inner, rank + 1), b.along(before, loops, rank + 1)},
      [&](OpBuilder &ob, Location loc, ValueRange v) { return combine(ob, loc, v[0], v[1]); });
  Dims padded(dims);
  padded[axis] = blocks * kBlock;
  return b.slice(b.reshape(whole, padded), {Dims(rank, 0), Dims(rank, 1), dims});
}

Value placesOfOnes(TensorBuilder &b, Value ones, int64_t count) {
  Value sums = cumulate(b, ElemClass::Signed, ones, 0, false, false, false);
  return mapIndices(b, {count}, b.getI32Type(), {}, [&](IndexBody &body, ValueRange) {
    return body.toInt(body.countUpTo(sums, body.loop32(0)), 32);
  });
}

} // namespace mlir::dojo::onnximport
