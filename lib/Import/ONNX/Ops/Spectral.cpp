// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// DFT, STFT, the windows and MelWeightMatrix.

#include "Fourier.h"
#include "Take.h"
#include <cmath>

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

constexpr int64_t kLongest = int64_t(1) << 24;

/// `tensor` cut or filled with zeros at the end of dimension `axis`.
Value withLength(TensorBuilder &b, Value tensor, int64_t axis, int64_t length) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(tensor);
  if (length <= dims[axis])
    return sliceAlong(b, tensor, axis, 0, length);
  Dims low(dims.size(), 0), high(dims.size(), 0);
  high[axis] = length - dims[axis];
  return b.pad(tensor, low, high, scalarAttr(TensorBuilder::elementOf(tensor), int64_t(0)));
}

/// The whole spectrum [outer, c, n, inner] of real numbers, of which `half` has the frequencies up
/// to n / 2: the others are their conjugates.
Value mirrored(TensorBuilder &b, Value half, int64_t n) {
  const int64_t more = n - (n / 2 + 1);
  if (more <= 0)
    return half;
  const Dims dims(TensorBuilder::dimsOf(half));
  Value tail = sliceAlong(b, half, 2, more, more, -1);
  if (dims[1] == 2) {
    Value imaginary = sliceAlong(b, tail, 1, 1, 1);
    imaginary = b.elementwise(TensorBuilder::dimsOf(imaginary), TensorBuilder::elementOf(half),
                              b.broadcast(imaginary, TensorBuilder::dimsOf(imaginary)),
                              [](OpBuilder &ob, Location loc, ValueRange v) {
                                return Scalars(ob, loc, ElemClass::Float).neg(v[0]);
                              });
    tail = b.concat({sliceAlong(b, tail, 1, 0, 1), imaginary}, 1);
  }
  return b.concat({half, tail}, 2);
}

/// A constant scalar operand, or nothing.
std::optional<int64_t> scalarOperand(Lowering &l, unsigned i) {
  const Constant *constant = l.node.constant(i);
  return constant && constant->count() == 1 ? std::optional(constant->asInt(0)) : std::nullopt;
}

LogicalResult dft(Lowering &l) {
  TensorBuilder &b = l.b;
  const int64_t rank = l.node.rank(0);
  if (rank < 2)
    return l.fail("the input must have a dimension for the parts of complex numbers");
  Dims dims(l.node.dims(0));
  const int64_t c = dims.back();
  if ((c != 1 && c != 2) || l.node.info(0).kind != ElemClass::Float)
    return l.fail("the last dimension must hold one or two floats, a real or a complex number");
  if (l.node.isDynamic(1) || l.node.isDynamic(2))
    return l.fail("the length or the axis depends on values known only at run time");
  int64_t axis = l.node.intAttr("axis", l.node.since < 20 ? 1 : -2);
  if (auto given = scalarOperand(l, 2))
    axis = *given;
  auto normal = normaliseAxis(axis, rank);
  if (!normal || *normal == rank - 1)
    return l.fail("axis is outside the dimensions of the signal");
  axis = *normal;
  const bool inverse = l.node.intAttr("inverse", 0), half = l.node.intAttr("onesided", 0);
  const int64_t own = dims[axis];
  const int64_t length = scalarOperand(l, 1).value_or(inverse && half ? 2 * (own - 1) : own);
  if (length < 1 || length > kLongest || tooLongToTransform(length))
    return l.fail("a transform of length " + Twine(length) + " is " +
                  (length < 1 ? "not possible" : "too large"));
  if (is_contained(dims, 0))
    return l.fail("an empty signal cannot be transformed");

  const int64_t outer = saturatedProduct(ArrayRef(dims).take_front(axis));
  const int64_t inner = saturatedProduct(ArrayRef(dims).slice(axis + 1, rank - axis - 2));
  Value x = b.reshape(l.in(0), {outer, own, inner, c});
  x = c == 1 ? b.reshape(x, {outer, 1, own, inner}) : b.transpose(x, {0, 3, 1, 2});
  if (inverse && half)
    x = mirrored(b, withLength(b, x, 2, length / 2 + 1), length);
  else
    x = withLength(b, x, 2, length);
  Value y = fourierTransform(l, x, l.node.elem(0), inverse);
  if (half)
    y = inverse ? sliceAlong(b, y, 3, 0, 1) : sliceAlong(b, y, 1, 0, length / 2 + 1);
  dims[axis] = TensorBuilder::dimsOf(y)[1];
  dims.back() = TensorBuilder::dimsOf(y)[3];
  return l.set(b.reshape(y, dims));
}

LogicalResult stft(Lowering &l) {
  TensorBuilder &b = l.b;
  const int64_t rank = l.node.rank(0);
  if (rank < 2 || rank > 3 || (rank == 3 && l.node.dims(0)[2] != 1 && l.node.dims(0)[2] != 2) ||
      l.node.info(0).kind != ElemClass::Float)
    return l.fail("the signal must be floats [batch, length, 1 or 2]");
  if (l.node.isDynamic(1) || l.node.isDynamic(3))
    return l.fail("the frames depend on values known only at run time");
  const int64_t batch = l.node.dims(0)[0], own = l.node.dims(0)[1];
  const int64_t c = rank == 3 ? l.node.dims(0)[2] : 1;
  auto step = scalarOperand(l, 1);
  const bool windowed = l.node.has(2);
  const int64_t length =
      scalarOperand(l, 3).value_or(windowed && l.node.rank(2) == 1 ? l.node.dims(2)[0] : own);
  if (!step || *step < 1 || *step > kLongest || length < 1 || length > own || batch < 1 ||
      tooLongToTransform(length))
    return l.fail("frames of " + Twine(length) + " elements are not possible or too large");
  if (windowed && l.node.dims(2) != ArrayRef<int64_t>{length})
    return l.fail("the window must have the length of a frame");
  const int64_t frames = 1 + (own - length) / *step;

  // Loops (batch, frame, part, place).
  AffineExpr d[4];
  bindDimsList(b.getContext(), MutableArrayRef<AffineExpr>(d));
  Value signal = b.reshape(l.in(0), {batch, own, c});
  SmallVector<Operand> operands{
      {signal, AffineMap::get(4, 0, {d[0], d[1] * *step + d[3], d[2]}, b.getContext()), {}}};
  if (windowed)
    operands.push_back(b.along(l.in(2), {3}, 4));
  Value x =
      b.elementwise({batch, frames, c, length}, l.elementType(0), operands,
                    [&](OpBuilder &ob, Location loc, ValueRange v) {
                      return windowed ? Scalars(ob, loc, ElemClass::Float).mul(v[0], v[1]) : v[0];
                    });
  Value y = fourierTransform(l, b.reshape(x, {batch * frames, c, length, 1}), l.node.elem(0),
                             /*inverse=*/false);
  const int64_t kept = l.node.intAttr("onesided", 1) ? length / 2 + 1 : length;
  // Shape inference takes the default of onesided for 0.
  Dims &out = l.node.outputs[0].dims;
  out = {batch, frames, kept, 2};
  return l.set(b.reshape(sliceAlong(b, y, 1, 0, kept), out));
}

/// The window a0 + a1 cos(t) + a2 cos(2t) over one turn t.
template <int which> LogicalResult window(Lowering &l) {
  constexpr double kHamming = 25.0 / 46.0;
  constexpr double coefficients[3][3] = {
      {0.5, -0.5, 0}, {kHamming, kHamming - 1, 0}, {0.42, -0.5, 0.08}};
  const double *a = coefficients[which];
  auto size = scalarOperand(l, 0);
  if (!size || *size < 0 || *size > kLongest)
    return l.fail("the size is too large or known only at run time");
  const int64_t turn = l.node.intAttr("periodic", 1) ? *size : *size - 1;
  std::vector<double> values;
  for (int64_t i = 0; i < *size; ++i)
    values.push_back(turn == 0 ? std::nan("")
                               : a[0] + a[1] * cosOfTurn(i, turn) + a[2] * cosOfTurn(2 * i, turn));
  return l.set(l.materialise(realConstant(l.node.outputs[0].elem, values, {*size})));
}

/// Triangles between neighbouring ones of bins + 2 frequencies that lie evenly on the mel scale.
LogicalResult melWeights(Lowering &l) {
  TensorBuilder &b = l.b;
  auto bins = scalarOperand(l, 0), length = scalarOperand(l, 1);
  if (!bins || !length || *bins < 1 || *bins > kLongest || *length < 1 || *length > kLongest)
    return l.fail("the sizes are too large or known only at run time");
  for (unsigned i = 2; i < 5; ++i)
    if (elementCount(l.node.dims(i)) != 1)
      return l.fail("the sample rate and the edges must be scalars");
  auto asFloat = [&](Scalars &s, Value x, unsigned i) {
    return castScalar(s.b, s.loc, x, l.node.elem(i), TensorProto::FLOAT);
  };
  auto iota = [&](int64_t count, double scale) {
    SmallVector<float> values;
    for (int64_t i = 0; i < count; ++i)
      values.push_back(float(double(i) * scale));
    return Constant::ofFloats(values, {count});
  };
  const int64_t points = *bins + 2, rows = *length / 2 + 1;
  auto scalar = [&](unsigned i) { return b.broadcast(b.reshape(l.in(i), {}), points); };
  // In the numbers of the spectrum's rows, whole.
  Value edges =
      b.elementwise(points, b.getF32Type(),
                    {scalar(2), scalar(3), scalar(4),
                     l.constantOperand(iota(points, 1.0 / double(points)), points, 0)},
                    [&](OpBuilder &ob, Location loc, ValueRange v) {
                      Scalars s(ob, loc, ElemClass::Float);
                      auto number = [&](double value) { return s.constant(b.getF32Type(), value); };
                      auto mel = [&](Value hertz) {
                        return s.math<math::LogOp>(s.add(s.div(hertz, number(700)), number(1)));
                      };
                      Value low = mel(asFloat(s, v[1], 3)), high = mel(asFloat(s, v[2], 4));
                      Value at = s.add(low, s.mul(s.sub(high, low), v[3]));
                      Value hertz = s.mul(s.sub(s.math<math::ExpOp>(at), number(1)), number(700));
                      Value row =
                          s.div(s.mul(hertz, number(double(*length + 1))), asFloat(s, v[0], 2));
                      return s.math<math::FloorOp>(row);
                    });
  const Dims dims{rows, *bins};
  auto edge = [&](int64_t offset) {
    return b.along(sliceAlong(b, edges, 0, offset, *bins), {1}, 2);
  };
  return l.set(b.elementwise(
      dims, l.resultElement(),
      {edge(0), edge(1), edge(2), l.constantOperand(iota(rows, 1), dims, 0)},
      [&](OpBuilder &ob, Location loc, ValueRange v) {
        Scalars s(ob, loc, ElemClass::Float);
        Value low = v[0], centre = v[1], high = v[2], row = v[3];
        Value zero = s.constant(b.getF32Type(), 0), one = s.constant(b.getF32Type(), 1);
        auto both = [&](Value x, Value y) -> Value { return arith::AndIOp::create(ob, loc, x, y); };
        Value width = s.sub(centre, low), flat = s.equal(width, zero);
        Value rising = s.div(s.sub(row, low), s.select(flat, one, width));
        rising = s.select(flat, one, rising);
        Value left = both(s.lessOrEqual(low, row), s.lessOrEqual(row, centre));
        Value fall = s.sub(high, centre);
        fall = s.select(s.less(zero, fall), fall, one);
        Value right = both(s.lessOrEqual(centre, row), s.less(row, high));
        Value value = s.select(right, s.div(s.sub(high, row), fall), s.select(left, rising, zero));
        return castScalar(ob, loc, value, TensorProto::FLOAT, l.node.outputs[0].elem);
      }));
}

} // namespace

ArrayRef<OpEntry> spectralOps() {
  static const OpEntry entries[] = {
      {"DFT", 17, 20, dft},
      {"STFT", 17, 17, stft},
      {"HannWindow", 17, 17, window<0>},
      {"HammingWindow", 17, 17, window<1>},
      {"BlackmanWindow", 17, 17, window<2>},
      {"MelWeightMatrix", 17, 17, melWeights},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
