// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NonMaxSuppression: which boxes overlap which is computed for all pairs in parallel; the choice,
// best score first, runs over bits of 64 boxes a word, once for each batch and class.

#include "Index.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// Words of bits that the choice keeps in registers.
constexpr int64_t kWordBits = 64, kMaxWords = 4;

/// `boxes` [batch, boxes, 4] in the order `places` [batch, class, boxes].
Value orderedBoxes(TensorBuilder &b, Value boxes, Value places) {
  Dims dims(TensorBuilder::dimsOf(places));
  const int64_t n = dims[2];
  dims.push_back(4);
  return mapIndices(b, dims, TensorBuilder::elementOf(boxes), b.along(places, {0, 1, 2}, 4),
                    [&](IndexBody &body, ValueRange v) {
                      return body.read(boxes, {body.loop(0), body.inside(v[0], n), body.loop(3)});
                    });
}

/// Lower and upper bound of a box in one direction.
std::pair<Value, Value> bounds(Scalars &s, ValueRange box, bool center, unsigned direction) {
  Value first = box[direction], second = box[direction + 2];
  if (!center)
    return {s.min(first, second), s.max(first, second)};
  Value half = s.mul(second, s.constant(second.getType(), 0.5));
  return {s.sub(first, half), s.add(first, half)};
}

/// i1 [batch, class, boxes, boxes]: the two overlap by more than the threshold.
Value overlaps(TensorBuilder &b, Value boxes, std::optional<Value> threshold, bool center) {
  Dims dims(TensorBuilder::dimsOf(boxes));
  dims.back() = dims[2];
  SmallVector<Operand> operands;
  for (unsigned place : {2, 3})
    for (int64_t k = 0; k < 4; ++k)
      operands.push_back({boxes,
                          AffineMap::get(4, 0,
                                         {b.getAffineDimExpr(0), b.getAffineDimExpr(1),
                                          b.getAffineDimExpr(place), b.getAffineConstantExpr(k)},
                                         b.getContext()),
                          {}});
  if (threshold)
    operands.push_back(b.broadcast(*threshold, dims));
  return b.elementwise(
      dims, b.getI1Type(), operands, [&](OpBuilder &ob, Location loc, ValueRange v) {
        Scalars s(ob, loc, ElemClass::Float);
        Value zero = s.constant(v[0].getType(), 0), shared, areas[2];
        for (unsigned direction = 0; direction < 2; ++direction) {
          auto [lowA, highA] = bounds(s, v.take_front(4), center, direction);
          auto [lowB, highB] = bounds(s, v.slice(4, 4), center, direction);
          Value common = s.max(s.sub(s.min(highA, highB), s.max(lowA, lowB)), zero);
          Value a = s.sub(highA, lowA), c = s.sub(highB, lowB);
          shared = shared ? s.mul(shared, common) : common;
          areas[0] = areas[0] ? s.mul(areas[0], a) : a;
          areas[1] = areas[1] ? s.mul(areas[1], c) : c;
        }
        Value together = s.sub(s.add(areas[0], areas[1]), shared);
        Value ratio = s.div(shared, together);
        Value over = s.less(threshold ? v[8] : zero, ratio);
        return arith::AndIOp::create(ob, loc, over, s.less(zero, shared)).getResult();
      });
}

/// i64 [batch, class, words]: bit r of word w is box 64 w + r, by score, of those chosen.
/// `over` [batch, class, boxes, words] has the bits of the boxes that each one rules out, `wanted`
/// [batch, class, words] those whose score is high enough.
Value choose(TensorBuilder &b, Value over, Value wanted, int64_t n, int64_t most) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(wanted);
  const int64_t words = dims[2];
  return mapIndices(b, dims, b.getI64Type(), {}, [&](IndexBody &body, ValueRange) {
    OpBuilder &ob = body.b;
    Location loc = body.loc;
    Value batch = body.loop(0), klass = body.loop(1);
    Value zero = arith::ConstantIntOp::create(ob, loc, 0, 64);
    Value one = arith::ConstantIntOp::create(ob, loc, 1, 64);
    Value limit = arith::ConstantIntOp::create(ob, loc, most, 64);
    // Bits that may still be chosen, a word each; the number of those chosen; the words of them.
    SmallVector<Value> state, chosen;
    for (int64_t w = 0; w < words; ++w)
      state.push_back(body.read(wanted, {batch, klass, body.index(w)}));
    Value count = zero;
    for (int64_t w = 0; w < words; ++w) {
      SmallVector<Value> carried(state);
      carried.push_back(count);
      carried.push_back(zero);
      const int64_t bits = std::min(kWordBits, n - w * kWordBits);
      auto loop = scf::ForOp::create(
          ob, loc, body.index(0), body.index(bits), body.index(1), carried,
          [&](OpBuilder &nested, Location, Value iv, ValueRange args) {
            IndexBody in(nested, loc);
            Value place = in.add(iv, in.index(w * kWordBits));
            Value bit = arith::ShLIOp::create(nested, loc, one, in.toInt(iv, 64));
            Value left = in.compare(arith::CmpIPredicate::ne, in.both(args[w], bit), zero);
            Value taken = in.both(left, in.less(args[words], limit));
            SmallVector<Value> next;
            for (int64_t other = 0; other < words; ++other) {
              Value out = in.read(over, {batch, klass, place, in.index(other)});
              Value kept =
                  in.both(args[other],
                          arith::XOrIOp::create(nested, loc, out,
                                                arith::ConstantIntOp::create(nested, loc, -1, 64)));
              next.push_back(in.select(taken, kept, args[other]));
            }
            next.push_back(in.add(args[words], in.toInt(taken, 64)));
            next.push_back(in.either(args[words + 1], in.select(taken, bit, zero)));
            scf::YieldOp::create(nested, loc, next);
          });
      state.assign(loop.getResults().begin(), loop.getResults().begin() + words);
      count = loop.getResult(words);
      chosen.push_back(loop.getResult(words + 1));
    }
    Value result = chosen[0];
    for (int64_t w = 1; w < words; ++w)
      result = body.select(body.equal(body.loop(2), body.index(w)), chosen[w], result);
    return result;
  });
}

/// The last dimension of an i1 tensor as i64 words of bits.
Value packed(TensorBuilder &b, Value bits) {
  Dims dims(TensorBuilder::dimsOf(bits));
  const int64_t rank = dims.size(), words = divideCeil(dims.back(), kWordBits);
  Dims low(rank, 0), high(rank, 0);
  high.back() = words * kWordBits - dims.back();
  Value padded = b.pad(bits, low, high, b.getBoolAttr(false));
  dims.back() = words;
  Dims split(dims);
  split.push_back(kWordBits);
  return reduceLast(b, dims, kWordBits, firstLoops(b, b.reshape(padded, split), rank + 1),
                    b.getI64IntegerAttr(0), [&](IndexBody &body, ValueRange v) {
                      Value bit = arith::ShLIOp::create(
                          body.b, body.loc, arith::ConstantIntOp::create(body.b, body.loc, 1, 64),
                          body.toInt(body.loop(rank), 64));
                      return body.either(v[1], body.select(v[0], bit, body.same(bit, 0)));
                    });
}

/// [count, 3]: batch, class and box of those chosen, -1 behind the last.
Value chosenRows(TensorBuilder &b, Value selected, Value boxes, int64_t count) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(selected); // batch, class, rank
  const int64_t all = dims[0] * dims[1] * dims[2];
  Value places = placesOfOnes(b, b.reshape(selected, {all}), count);
  return mapIndices(
      b, {count, 3}, b.getI64Type(), b.along(places, {0}, 2), [&](IndexBody &body, ValueRange v) {
        Value place = body.min(v[0], body.i32(all - 1));
        Value ranks = body.i32(dims[2]), classes = body.i32(dims[1]);
        Value rank = body.remainder(place, ranks);
        Value row = body.quotient(place, ranks);
        Value klass = body.remainder(row, classes);
        Value batch = body.quotient(row, classes);
        Value box =
            body.read(boxes, {body.toIndex(batch), body.toIndex(klass), body.toIndex(rank)});
        Value column = body.loop32(1);
        Value number = body.select(body.equal(column, body.i32(0)), batch,
                                   body.select(body.equal(column, body.i32(1)), klass, box));
        Value exists = body.less(v[0], body.i32(all));
        return body.toInt(body.select(exists, number, body.i32(-1)), 64);
      });
}

LogicalResult nonMaxSuppression(Lowering &l) {
  TensorBuilder &b = l.b;
  ArrayRef<int64_t> boxDims = l.node.dims(0), dims = l.node.dims(1), out = l.resultDims();
  if (boxDims.size() != 3 || boxDims[2] != 4 || dims.size() != 3 || dims[0] != boxDims[0] ||
      dims[2] != boxDims[1] || out.size() != 2 || out[1] != 3)
    return l.fail("boxes and scores do not fit each other");
  if (l.node.isDynamic(2))
    return l.fail("a number of boxes that is not constant is not supported");
  const int64_t n = dims[2], most = l.node.constant(2) ? l.node.constant(2)->asInt(0) : 0;
  if (n > kWordBits * kMaxWords)
    return l.fail("more than " + Twine(kWordBits * kMaxWords) + " boxes are too large",
                  Category::TooLarge);
  if (elementCount(dims) == 0 || out[0] == 0 || most <= 0)
    return l.set(b.filled(out, b.getI64IntegerAttr(-1)));
  const bool center = l.node.intAttr("center_point_box", 0) != 0;
  std::optional<Value> threshold;
  if (l.node.has(3))
    threshold = b.reshape(l.in(3), {});

  Value scores = l.in(1);
  Value keys = orderKeys(l, scores, ElemClass::Float, true, false);
  Value places = sortedPlaces(b, keys, 2, n);
  Value boxes = orderedBoxes(b, l.in(0), places);
  SmallVector<Operand> operands{b.broadcast(places, dims)};
  if (l.node.has(4))
    operands.push_back(b.broadcast(b.reshape(l.in(4), {}), dims));
  Value wanted = mapIndices(b, dims, b.getI1Type(), operands, [&](IndexBody &body, ValueRange v) {
    if (!l.node.has(4))
      return body.constant(b.getBoolAttr(true));
    Value score = body.read(scores, {body.loop(0), body.loop(1), body.inside(v[0], n)});
    return arith::CmpFOp::create(body.b, body.loc, arith::CmpFPredicate::OGT, score, v[1])
        .getResult();
  });
  Value chosen =
      choose(b, packed(b, overlaps(b, boxes, threshold, center)), packed(b, wanted), n, most);
  Value selected = mapIndices(b, dims, b.getI32Type(), {}, [&](IndexBody &body, ValueRange) {
    Value place = body.loop(2), bits = body.index(kWordBits);
    Value word = body.read(chosen, {body.loop(0), body.loop(1), body.quotient(place, bits)});
    Value shift = body.toInt(body.remainder(place, bits), 64);
    Value bit = arith::ShRUIOp::create(body.b, body.loc, word, shift);
    return body.toInt(body.both(bit, body.same(bit, 1)), 32);
  });
  return l.set(chosenRows(b, selected, places, out[0]));
}

} // namespace

ArrayRef<OpEntry> nonMaxSuppressionOps() {
  static const OpEntry entries[] = {{"NonMaxSuppression", 10, 11, nonMaxSuppression}};
  return entries;
}

} // namespace mlir::dojo::onnximport
