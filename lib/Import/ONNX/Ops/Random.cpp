// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Random.h"
#include "Reduce.h"
#include <bit>
#include <numbers>

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

RandomKey randomKey(const Node &node) {
  if (const auto *seed = node.attr("seed")) {
    if (seed->has_f())
      return {std::bit_cast<uint32_t>(seed->f()), 0};
    return {uint32_t(seed->i()), uint32_t(uint64_t(seed->i()) >> 32)};
  }
  // FNV-1a. The second word tells these keys from seeds.
  uint32_t hash = 0x811C9DC5;
  for (char c : node.proto.output(0))
    hash = (hash ^ uint8_t(c)) * 0x01000193;
  return {hash, 0xD1D1D1D1};
}

/// Threefry-2x32-20 of the counter (x0, 0).
static std::array<Value, 2> threefry(OpBuilder &b, Location loc, Value x0, RandomKey key) {
  static constexpr unsigned rotations[] = {13, 15, 26, 6, 17, 29, 16, 24};
  const uint32_t keys[] = {key[0], key[1], 0x1BD11BDA ^ key[0] ^ key[1]};
  Type type = b.getI32Type();
  auto constant = [&](uint32_t value) -> Value {
    return arith::ConstantOp::create(b, loc, scalarAttr(type, int64_t(int32_t(value))));
  };
  auto add = [&](Value x, Value y) -> Value { return arith::AddIOp::create(b, loc, x, y); };
  auto rotated = [&](Value x, unsigned bits) -> Value {
    Value left = arith::ShLIOp::create(b, loc, x, constant(bits));
    Value right = arith::ShRUIOp::create(b, loc, x, constant(32 - bits));
    return arith::OrIOp::create(b, loc, left, right);
  };
  Value x = add(x0, constant(keys[0])), y = constant(keys[1]);
  for (unsigned round = 0; round < 20; ++round) {
    x = add(x, y);
    y = arith::XOrIOp::create(b, loc, rotated(y, rotations[round % 8]), x);
    if (round % 4 == 3) {
      const uint32_t step = round / 4 + 1;
      x = add(x, constant(keys[step % 3]));
      y = add(y, constant(keys[(step + 1) % 3] + step));
    }
  }
  return {x, y};
}

RandomElement::RandomElement(OpBuilder &b, Location loc, ArrayRef<int64_t> dims, RandomKey key)
    : f(b, loc, ElemClass::Float) {
  // The counter is the element's place in row-major order.
  Type type = b.getI32Type();
  Value place = arith::ConstantOp::create(b, loc, scalarAttr(type, int64_t(0)));
  for (auto [d, stride] : enumerate(stridesOf(dims))) {
    if (dims[d] == 1)
      continue;
    Value index =
        arith::IndexCastOp::create(b, loc, type, linalg::IndexOp::create(b, loc, int64_t(d)));
    Value scale = arith::ConstantOp::create(b, loc, scalarAttr(type, stride));
    place = arith::AddIOp::create(b, loc, place, arith::MulIOp::create(b, loc, index, scale));
  }
  words = threefry(b, loc, place, key);
}

Value RandomElement::fraction(Value bits, bool open) {
  OpBuilder &b = f.b;
  auto integer = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(b, f.loc, scalarAttr(bits.getType(), value));
  };
  Value top = arith::ShRUIOp::create(b, f.loc, bits, integer(8));
  if (open)
    top = arith::OrIOp::create(b, f.loc, top, integer(1));
  Type type = b.getF32Type();
  Value number = arith::SIToFPOp::create(b, f.loc, type, top);
  return f.mul(number, f.constant(type, 0x1p-24));
}

Value RandomElement::uniform() { return fraction(words[0], false); }
Value RandomElement::openUniform() { return fraction(words[0], true); }

Value RandomElement::normal() {
  Type type = f.b.getF32Type();
  Value log = f.math<math::LogOp>(fraction(words[0], true));
  Value radius = f.math<math::SqrtOp>(f.mul(log, f.constant(type, -2)));
  Value angle = f.mul(fraction(words[1], false), f.constant(type, 2 * std::numbers::pi));
  return f.mul(radius, f.math<math::CosOp>(angle));
}

namespace {

/// A number, in float, and what it is scaled and moved by.
struct Drawn {
  Value number;
  double scale, offset;
};
using RandomFn = Drawn (*)(const Node &, RandomElement &);

/// RandomUniform, RandomNormal and their forms for a shape like another tensor's.
template <RandomFn fn> LogicalResult random(Lowering &l) {
  ArrayRef<int64_t> dims = l.resultDims();
  const int32_t elem = l.node.outputs[0].elem;
  if (elemInfo(elem).kind != ElemClass::Float)
    return l.fail("the result must be of a float type");
  const RandomKey key = randomKey(l.node);
  return l.set(l.b.elementwise(
      dims, l.resultElement(), {}, [&](OpBuilder &b, Location loc, ValueRange) -> Value {
        Scalars s(b, loc, ElemClass::Float);
        RandomElement element(b, loc, dims, key);
        // Doubles are moved and scaled as such; others are rounded once.
        const int32_t wide = elem == TensorProto::DOUBLE ? elem : int32_t(TensorProto::FLOAT);
        auto [drawn, scale, offset] = fn(l.node, element);
        Value number = castScalar(b, loc, drawn, TensorProto::FLOAT, wide);
        Value moved = s.add(s.mul(number, s.constant(number.getType(), scale)),
                            s.constant(number.getType(), offset));
        return castScalar(b, loc, moved, wide, elem);
      }));
}

Drawn uniform(const Node &n, RandomElement &element) {
  const double low = n.floatAttr("low", 0.0f), high = n.floatAttr("high", 1.0f);
  return {element.uniform(), high - low, low};
}

Drawn normal(const Node &n, RandomElement &element) {
  return {element.normal(), n.floatAttr("scale", 1.0f), n.floatAttr("mean", 0.0f)};
}

/// 1 with the probability that the operand says, else 0.
LogicalResult bernoulli(Lowering &l) {
  ArrayRef<int64_t> dims = l.node.dims(0);
  const RandomKey key = randomKey(l.node);
  Type element = l.resultElement();
  return l.set(l.b.elementwise(
      dims, element, l.operand(0, dims), [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Scalars s(b, loc, ElemClass::Float);
        Value drawn = castScalar(b, loc, RandomElement(b, loc, dims, key).uniform(),
                                 TensorProto::FLOAT, l.node.elem(0));
        Value chosen = s.less(drawn, v[0]);
        return castScalar(b, loc, chosen, TensorProto::BOOL, l.node.outputs[0].elem);
      }));
}

/// Classes drawn by logarithms of probabilities [batch, classes]: that of the greatest sum of
/// logarithm and Gumbel noise, -log(-log(uniform)).
LogicalResult multinomial(Lowering &l) {
  TensorBuilder &b = l.b;
  if (l.node.rank(0) != 2)
    return l.fail("the input must be a matrix");
  const Dims dims{l.node.dims(0)[0], l.node.intAttr("sample_size", 1), l.node.dims(0)[1]};
  if (l.resultDims() != ArrayRef(dims).drop_back())
    return l.fail("the result does not fit sample_size");
  if (dims[2] < 1 || !elementCount(dims))
    return l.fail("there must be at least one class, and not too many samples");
  const RandomKey key = randomKey(l.node);
  Type type = b.getF32Type(), index = b.getI32Type();
  Value noisy = b.elementwise(
      dims, type, b.along(l.in(0), {0, 2}, 3), [&](OpBuilder &ob, Location loc, ValueRange v) {
        Scalars s(ob, loc, ElemClass::Float);
        Value x = castScalar(ob, loc, v[0], l.node.elem(0), TensorProto::FLOAT);
        Value u = RandomElement(ob, loc, dims, key).openUniform();
        Value rate = s.neg(s.math<math::LogOp>(u));
        return s.sub(x, s.math<math::LogOp>(rate));
      });
  Value greatest = reduceBy(b, ElemClass::Float, dims, {2}, b.broadcast(noisy, dims),
                            extremeAttr(type, false, false), firstOf, maxOf);
  Value chosen = b.reduce(
      dims, {2}, {b.broadcast(noisy, dims), b.along(greatest, {0, 1}, 3)},
      scalarAttr(index, dims[2] - 1), [&](OpBuilder &ob, Location loc, ValueRange v) {
        Scalars s(ob, loc, ElemClass::Float), i(ob, loc, ElemClass::Signed);
        Value own = arith::IndexCastOp::create(ob, loc, index, linalg::IndexOp::create(ob, loc, 2));
        Value last = i.constant(index, double(dims[2] - 1));
        return i.min(v[2], i.select(s.equal(v[0], v[1]), own, last));
      });
  return l.set(b.elementwise(l.resultDims(), l.resultElement(), b.broadcast(chosen, l.resultDims()),
                             [&](OpBuilder &ob, Location loc, ValueRange v) {
                               return castScalar(ob, loc, v[0], TensorProto::INT32,
                                                 l.node.outputs[0].elem);
                             }));
}

/// Hands on its operand, or in training each element with the probability 1 - ratio, scaled by its
/// reciprocal. From version 12 on an operand says which; before, it is inference.
LogicalResult dropout(Lowering &l) {
  TensorBuilder &b = l.b;
  ArrayRef<int64_t> dims = l.node.dims(0);
  const bool maskUsed = l.node.outputUsed(1);
  const Constant *known = l.node.since >= 12 ? l.node.constant(2) : nullptr;
  const bool mayTrain = l.node.since >= 12 && l.node.has(2) && !(known && !known->asInt(0));
  if (!mayTrain) {
    if (maskUsed) {
      Type mask = l.resultElement(1);
      (void)l.set(b.filled(l.resultDims(1), scalarAttr(mask, int64_t(1))), 1);
    }
    return l.set(l.in(0));
  }
  const bool hasRatio = l.node.has(1);
  if (elementCount(l.node.dims(2)) != 1 || (hasRatio && elementCount(l.node.dims(1)) != 1))
    return l.fail("ratio and training_mode must be scalars");
  const RandomKey key = randomKey(l.node);
  SmallVector<Operand> operands{l.operand(0, dims), b.broadcast(b.reshape(l.in(2), {}), dims)};
  if (hasRatio)
    operands.push_back(b.broadcast(b.reshape(l.in(1), {}), dims));
  const int32_t elem = l.node.elem(0);
  // The element as it is kept, and whether it is.
  auto kept = [&](OpBuilder &ob, Location loc, ValueRange v) -> std::pair<Value, Value> {
    Scalars s(ob, loc, ElemClass::Float);
    Type type = ob.getF32Type();
    Value ratio = hasRatio ? castScalar(ob, loc, v[2], l.node.elem(1), TensorProto::FLOAT)
                           : s.constant(type, 0.5);
    Value survives = s.lessOrEqual(ratio, RandomElement(ob, loc, dims, key).uniform());
    Value always = arith::ConstantOp::create(ob, loc, ob.getBoolAttr(true));
    Value x = castScalar(ob, loc, v[0], elem, TensorProto::FLOAT);
    Value one = s.constant(type, 1);
    Value scaled = castScalar(ob, loc, s.div(x, s.sub(one, ratio)), TensorProto::FLOAT, elem);
    return {s.select(v[1], scaled, v[0]), s.select(v[1], survives, always)};
  };
  if (maskUsed)
    (void)l.set(b.elementwise(dims, b.getI1Type(), operands,
                              [&](OpBuilder &ob, Location loc, ValueRange v) {
                                return kept(ob, loc, v).second;
                              }),
                1);
  return l.set(b.elementwise(dims, l.resultElement(), operands,
                             [&](OpBuilder &ob, Location loc, ValueRange v) {
                               Scalars s(ob, loc, ElemClass::Float);
                               auto [value, keep] = kept(ob, loc, v);
                               return s.select(keep, value, s.constant(value.getType(), 0));
                             }));
}

} // namespace

ArrayRef<OpEntry> randomOps() {
  static const OpEntry entries[] = {
      {"RandomUniform", 1, 22, random<uniform>},
      {"RandomUniformLike", 1, 22, random<uniform>},
      {"RandomNormal", 1, 22, random<normal>},
      {"RandomNormalLike", 1, 22, random<normal>},
      {"Bernoulli", 15, 22, bernoulli},
      {"Multinomial", 7, 22, multinomial},
      {"Dropout", 1, 22, dropout},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
