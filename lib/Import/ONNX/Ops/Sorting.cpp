// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Index.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace llvm;

namespace mlir::dojo::onnximport {

// Up to kCounted elements are sorted by counting, more in blocks of kBlock, which are then merged.
static constexpr int64_t kCounted = 1024, kBlock = 256;

Value orderKeys(Lowering &l, Value tensor, ElemClass kind, bool largest, bool nanFirst) {
  TensorBuilder &b = l.b;
  Type element = TensorBuilder::elementOf(tensor);
  const unsigned width = element.getIntOrFloatBitWidth();
  const unsigned bits = width > 32 ? 64 : 32;
  const bool isFloat = isa<FloatType>(element);
  const bool isUnsigned = kind == ElemClass::Unsigned || kind == ElemClass::Bool;
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(tensor);
  Type keyType = b.getIntegerType(bits);
  const int64_t greatest = bits == 64 ? INT64_MAX : INT32_MAX;
  const int64_t least = bits == 64 ? INT64_MIN : INT32_MIN;
  return mapIndices(
      b, dims, keyType, b.broadcast(tensor, dims), [&](IndexBody &body, ValueRange v) {
        OpBuilder &ob = body.b;
        Location loc = body.loc;
        Value key = v[0], nan;
        auto number = [&](int64_t value) { return body.constant(scalarAttr(keyType, value)); };
        if (isFloat) {
          if (width < 32)
            key = arith::ExtFOp::create(ob, loc, ob.getF32Type(), key);
          Value zero = body.constant(scalarAttr(key.getType(), int64_t(0)));
          Value isZero = arith::CmpFOp::create(ob, loc, arith::CmpFPredicate::OEQ, key, zero);
          nan = arith::CmpFOp::create(ob, loc, arith::CmpFPredicate::UNO, key, key);
          key = arith::BitcastOp::create(ob, loc, keyType, key);
          // Floats are magnitudes with a sign: negative ones are in the reverse order.
          Value flipped = arith::XOrIOp::create(ob, loc, key, number(greatest));
          key = body.select(body.less(key, number(0)), flipped, key);
          key = body.select(isZero, number(0), key);
        } else if (width < bits) {
          key = isUnsigned ? arith::ExtUIOp::create(ob, loc, keyType, key).getResult()
                           : arith::ExtSIOp::create(ob, loc, keyType, key).getResult();
        } else if (isUnsigned) {
          key = arith::XOrIOp::create(ob, loc, key, number(least));
        }
        if (!largest)
          key = arith::XOrIOp::create(ob, loc, key, number(-1));
        if (nan)
          key = body.select(nan, number(largest || nanFirst ? greatest : least), key);
        return key;
      });
}

/// The same by counting how many elements come before each.
static Value countedPlaces(TensorBuilder &b, Value keys, int64_t axis, int64_t count) {
  Dims dims(TensorBuilder::dimsOf(keys));
  const int64_t n = dims[axis], rank = dims.size();
  // How many come before each: no step depends on another.
  Value ranks = reduceLast(b, dims, n, {firstLoops(b, keys, rank + 1), withLastAs(b, keys, axis)},
                           b.getI32IntegerAttr(0), [&](IndexBody &body, ValueRange v) {
                             Value greater = body.less(v[0], v[1]);
                             Value first =
                                 body.both(body.equal(v[0], v[1]),
                                           body.less(body.loop32(rank), body.loop32(axis)));
                             return body.add(v[2], body.toInt(body.either(greater, first), 32));
                           });
  Dims out(dims);
  out[axis] = count;
  return reduceLast(b, out, n, withLastAs(b, ranks, axis), b.getI32IntegerAttr(0),
                    [&](IndexBody &body, ValueRange v) {
                      Value here = body.equal(v[0], body.loop32(axis));
                      return body.max(v[1], body.select(here, body.loop32(rank), body.i32(0)));
                    });
}

/// One pass of a merge sort of rows: `places` [rows, n] is in order in runs of `run` elements and
/// then of twice as many. Each element of the result finds by bisection how many of those before it
/// come from the first run (Odeh et al., Merge Path, 2012).
static Value mergedRuns(TensorBuilder &b, Value keys, Value places, int64_t run) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(places);
  const int64_t n = dims[1];
  return mapIndices(b, dims, b.getI32Type(), {}, [&](IndexBody &body, ValueRange) {
    Value row = body.loop(0), at = body.loop(1), zero = body.index(0), one = body.index(1);
    auto keyIn = [&](IndexBody &in, Value place) {
      Value inside = in.min(in.max(place, zero), in.index(n - 1));
      return in.read(keys, {row, in.toIndex(in.read(places, {row, inside}))});
    };
    Value rank = body.remainder(at, body.index(2 * run)), first = body.sub(at, rank);
    Value second = body.min(body.add(first, body.index(run)), body.index(n));
    Value end = body.min(body.add(second, body.index(run)), body.index(n));
    Value firstSize = body.sub(second, first), secondSize = body.sub(end, second);
    Value low = body.max(body.sub(rank, secondSize), zero), high = body.min(rank, firstSize);
    auto search = scf::WhileOp::create(
        body.b, body.loc, TypeRange{low.getType(), low.getType()}, ValueRange{low, high},
        [&](OpBuilder &nested, Location loc, ValueRange args) {
          scf::ConditionOp::create(nested, loc, IndexBody(nested, loc).less(args[0], args[1]),
                                   args);
        },
        [&](OpBuilder &nested, Location loc, ValueRange args) {
          IndexBody in(nested, loc);
          Value middle = in.quotient(in.add(args[0], args[1]), in.index(2));
          Value mine = keyIn(in, in.add(first, middle));
          Value other = keyIn(in, in.add(second, in.sub(in.sub(rank, middle), one)));
          Value later = in.less(mine, other);
          scf::YieldOp::create(nested, loc,
                               ValueRange{in.select(later, args[0], in.add(middle, one)),
                                          in.select(later, middle, args[1])});
        });
    Value taken = search.getResult(0), other = body.sub(rank, taken);
    Value left = body.add(first, taken), right = body.add(second, other);
    Value better = body.compare(arith::CmpIPredicate::sge, keyIn(body, left), keyIn(body, right));
    Value fromFirst =
        body.both(body.less(taken, firstSize),
                  body.either(body.compare(arith::CmpIPredicate::sge, other, secondSize), better));
    Value from = body.select(fromFirst, left, right);
    return body.read(places, {row, body.min(body.max(from, zero), body.index(n - 1))});
  });
}

/// The same for rows of many elements.
static Value mergedPlaces(TensorBuilder &b, Value keys, int64_t count) {
  const int64_t rows = TensorBuilder::dimsOf(keys)[0], n = TensorBuilder::dimsOf(keys)[1];
  const int64_t blocks = divideCeil(n, kBlock), padded = blocks * kBlock;
  // What fills up the last block comes last: its places are the highest.
  Type type = TensorBuilder::elementOf(keys);
  Value filled = b.pad(keys, {0, 0}, {0, padded - n}, extremeAttr(type, false, false));
  Value local = countedPlaces(b, b.reshape(filled, {rows, blocks, kBlock}), 2, kBlock);
  Value places = mapIndices(b, {rows, blocks, kBlock}, b.getI32Type(), firstLoops(b, local, 3),
                            [&](IndexBody &body, ValueRange v) {
                              return body.add(v[0], body.mul(body.loop32(1), body.i32(kBlock)));
                            });
  places = b.reshape(places, {rows, padded});
  for (int64_t run = kBlock; run < padded; run *= 2)
    places = mergedRuns(b, filled, places, run);
  return b.slice(places, {Dims{0, 0}, Dims{1, 1}, Dims{rows, count}});
}

Value sortedPlaces(TensorBuilder &b, Value keys, int64_t axis, int64_t count) {
  Dims dims(TensorBuilder::dimsOf(keys));
  const int64_t n = dims[axis], rank = dims.size();
  if (n <= kCounted)
    return countedPlaces(b, keys, axis, count);
  SmallVector<int64_t> toLast, back;
  Dims moved;
  for (int64_t d = 0; d < rank; ++d)
    if (d != axis)
      toLast.push_back(d);
  toLast.push_back(axis);
  for (int64_t d = 0; d < rank; ++d)
    back.push_back(d < axis ? d : d == axis ? rank - 1 : d - 1);
  int64_t rows = 1;
  for (int64_t d : ArrayRef(toLast).drop_back()) {
    moved.push_back(dims[d]);
    rows *= dims[d];
  }
  moved.push_back(count);
  Value last = axis == rank - 1 ? keys : b.transpose(keys, toLast);
  Value places = b.reshape(mergedPlaces(b, b.reshape(last, {rows, n}), count), moved);
  return axis == rank - 1 ? places : b.transpose(places, back);
}

} // namespace mlir::dojo::onnximport
