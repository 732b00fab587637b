// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Fourier.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// The Taylor series of cosine or sine, for |x| <= pi / 4.
static double series(double x, bool sine) {
  double term = sine ? x : 1, sum = 0;
  // From the 11th term on they are below the last bit.
  double terms[11];
  for (int i = 0; i < 11; ++i) {
    terms[i] = term;
    const int k = 2 * i + (sine ? 2 : 1);
    term = -term * x * x / (double(k) * double(k + 1));
  }
  for (int i = 10; i >= 0; --i)
    sum += terms[i];
  return sum;
}

double cosOfTurn(int64_t m, int64_t n) {
  m = ((m % n) + n) % n;
  if (2 * m > n)
    m = n - m; // the cosine is even
  bool negative = false;
  if (4 * m > n) {
    m = n - 2 * m; // half a turn less the angle, in units of half as many turns
    n *= 2;
    negative = true;
  }
  // Now at most a quarter of a turn.
  constexpr double tau = 6.283185307179586476925286766559;
  const double value = 8 * m > n ? series(tau * double(n - 4 * m) / double(4 * n), /*sine=*/true)
                                 : series(tau * double(m) / double(n), /*sine=*/false);
  return negative ? -value : value;
}

double sinOfTurn(int64_t m, int64_t n) { return cosOfTurn(4 * (m % n) - n, 4 * n); }

Constant realConstant(int32_t elem, ArrayRef<double> values, Dims dims) {
  std::string bytes;
  for (double value : values)
    appendElement(bytes, elem, value);
  return Constant({elem, std::move(dims)}, std::move(bytes));
}

//===----------------------------------------------------------------------===//
// Transform
//===----------------------------------------------------------------------===//

// Products with matrices of up to this many rows are not divided further.
static constexpr int64_t kSmallLength = 64;
// The longest prime length.
static constexpr int64_t kLongestPrime = 1024;

/// The lengths of the products that a transform of length `n` is made of: two of nearly the same
/// length, and each of them again if it is long.
static void factorise(int64_t n, Dims &factors) {
  int64_t root = 1;
  for (int64_t f = 2; f * f <= n; ++f)
    if (n % f == 0)
      root = f;
  if (root == 1)
    return factors.push_back(n);
  for (int64_t part : {root, n / root})
    if (part > kSmallLength)
      factorise(part, factors);
    else
      factors.push_back(part);
}

bool tooLongToTransform(int64_t n) {
  Dims factors;
  factorise(n, factors);
  return *max_element(factors) > kLongestPrime;
}

namespace {

/// The real matrix of multiplication by the complex number of angle `m` / `n` turns: its entry
/// that takes part `from` (0 real, 1 imaginary) to part `to`.
double rotation(int64_t m, int64_t n, int from, int to, bool inverse) {
  if (from == to)
    return cosOfTurn(m, n);
  const double sine = inverse ? -sinOfTurn(m, n) : sinOfTurn(m, n);
  return from == 1 ? sine : -sine;
}

/// One transform of length `f` along dimension 3 of `x` [outer, c, before, f, after].
Value product(Lowering &l, Value x, int32_t elem, bool inverse) {
  TensorBuilder &b = l.b;
  const Dims dims(TensorBuilder::dimsOf(x));
  const int64_t c = dims[1], f = dims[3];
  std::vector<double> weights;
  for (int from = 0; from < int(c); ++from)
    for (int64_t n = 0; n < f; ++n)
      for (int to = 0; to < 2; ++to)
        for (int64_t k = 0; k < f; ++k)
          weights.push_back(rotation(n * k % f, f, from, to, inverse));
  Value matrix = l.materialise(realConstant(elem, weights, {c, f, 2, f}));
  // Loops (outer, to, before, k, after, from, n).
  Dims out{dims[0], 2, dims[2], f, dims[4]};
  SmallVector<utils::IteratorType> iterators(5, utils::IteratorType::parallel);
  iterators.append(2, utils::IteratorType::reduction);
  AffineMap identity = b.getMultiDimIdentityMap(7).getMajorSubMap(5);
  auto op = b.generic({b.along(x, {0, 5, 2, 6, 4}, 7), b.along(matrix, {5, 6, 1, 3}, 7)},
                      b.filled(out, scalarAttr(TensorBuilder::elementOf(x), 0.0)), identity,
                      iterators, [&](OpBuilder &ob, Location loc, ValueRange v) {
                        Scalars s(ob, loc, ElemClass::Float);
                        return s.add(v[2], s.mul(v[0], v[1]));
                      });
  Dims factors = out;
  factors.append({c, f});
  markContraction(op, "matmul", saturatedProduct(factors));
  return op.getResult(0);
}

/// Rotates element (k, r) of dimensions 3 and 4 of `x` [outer, 2, before, f, rest, inner].
Value twiddle(Lowering &l, Value x, int32_t elem, bool inverse) {
  TensorBuilder &b = l.b;
  const Dims dims(TensorBuilder::dimsOf(x));
  const int64_t f = dims[3], rest = dims[4];
  auto table = [&](int from) {
    std::vector<double> weights;
    for (int to = 0; to < 2; ++to)
      for (int64_t k = 0; k < f; ++k)
        for (int64_t r = 0; r < rest; ++r)
          weights.push_back(rotation(k * r, f * rest, from, to, inverse));
    return b.along(l.materialise(realConstant(elem, weights, {2, f, rest})), {1, 3, 4}, 6);
  };
  auto part = [&](int64_t from) {
    SmallVector<AffineExpr> exprs;
    for (unsigned d = 0; d < 6; ++d)
      exprs.push_back(d == 1 ? b.getAffineConstantExpr(from) : b.getAffineDimExpr(d));
    return Operand{x, AffineMap::get(6, 0, exprs, b.getContext()), {}};
  };
  return b.elementwise(dims, TensorBuilder::elementOf(x), {part(0), table(0), part(1), table(1)},
                       [&](OpBuilder &ob, Location loc, ValueRange v) {
                         Scalars s(ob, loc, ElemClass::Float);
                         return s.add(s.mul(v[0], v[1]), s.mul(v[2], v[3]));
                       });
}

} // namespace

Value fourierTransform(Lowering &l, Value x, int32_t elem, bool inverse) {
  TensorBuilder &b = l.b;
  const Dims dims(TensorBuilder::dimsOf(x));
  const int64_t outer = dims[0], length = dims[2], inner = dims[3];
  int64_t before = 1, rest = length;
  Dims factors;
  // One product takes twice as many steps for complex numbers as for real ones.
  if (dims[1] == 1 && length <= kSmallLength)
    factors.push_back(length);
  else
    factorise(length, factors);
  for (int64_t f : factors) {
    rest /= f;
    const int64_t c = TensorBuilder::dimsOf(x)[1];
    x = product(l, b.reshape(x, {outer, c, before, f, rest * inner}), elem, inverse);
    if (rest > 1)
      x = twiddle(l, b.reshape(x, {outer, 2, before, f, rest, inner}), elem, inverse);
    before *= f;
  }
  // Digit i of the frequency has the weight of all factors before it: the last is the slowest.
  Dims split{outer, 2};
  append_range(split, factors);
  split.push_back(inner);
  SmallVector<int64_t> perm{0};
  for (size_t i = factors.size(); i-- > 0;)
    perm.push_back(2 + int64_t(i));
  perm.append({int64_t(split.size()) - 1, 1});
  x = b.reshape(b.transpose(b.reshape(x, split), perm), {outer, length, inner, 2});
  if (!inverse)
    return x;
  const Dims out(TensorBuilder::dimsOf(x));
  return b.elementwise(out, TensorBuilder::elementOf(x), b.broadcast(x, out),
                       [&](OpBuilder &ob, Location loc, ValueRange v) {
                         Scalars s(ob, loc, ElemClass::Float);
                         return s.mul(v[0], s.constant(v[0].getType(), 1.0 / double(length)));
                       });
}

} // namespace mlir::dojo::onnximport
