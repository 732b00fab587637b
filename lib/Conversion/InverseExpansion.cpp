// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Hyperbolic functions and inverses, of magnitudes; the sign is put back at the end. The
// polynomials go through Chebyshev's points of their ranges.

#include "MathExpansion.h"

#include <numbers>

using namespace mlir;
using namespace mlir::dojo;
using d1::Cond;

static constexpr float halfPi = float(std::numbers::pi / 2);
static constexpr float ln2 = float(std::numbers::ln2);

static Value magnitude(D1Builder &d, Value a) { return d.op<d1::VFAbsOp>(a); }

static Value horner(D1Builder &d, Value x, ArrayRef<float> c) {
  Value sum = d.splatf(c.back());
  for (float coefficient : llvm::reverse(c.drop_back()))
    sum = d.fma(sum, x, d.splatf(coefficient));
  return sum;
}

//===----------------------------------------------------------------------===//
// Hyperbolic functions
//===----------------------------------------------------------------------===//

/// e^x / 2 for x >= 0 in two factors, so that it overflows no sooner than it should: the greater
/// one, e^(x / 2), in `root`.
static Value halfExp(D1Builder &d, Value x, Value &root) {
  root = expandExp(d, d.fmul(x, d.f(0.5f)));
  return d.fmul(d.fmul(root, d.f(0.5f)), root);
}

Value mlir::dojo::expandSinh(D1Builder &d, Value a) {
  // From e = e^x - 1 nothing cancels: sinh x = (e + e / (e + 1)) / 2.
  Value x = magnitude(d, a), root;
  Value e = expandExpM1(d, d.op<d1::VFClampXOp>(x, d.x0(), d.f(20.0f)));
  Value small = d.fmul(d.fadd(e, expandDiv(d, e, d.fadd(e, d.f(1.0f)))), d.f(0.5f));
  Value large = halfExp(d, x, root);
  return expandCopySign(d, d.vsel(d.fcmp(x, d.f(16.0f), Cond::lt), small, large), a);
}

Value mlir::dojo::expandCosh(D1Builder &d, Value a) {
  Value root, large = halfExp(d, magnitude(d, a), root);
  return d.fadd(large, expandDiv(d, d.splatf(0.25f), large));
}

//===----------------------------------------------------------------------===//
// Inverse hyperbolic functions
//===----------------------------------------------------------------------===//

/// Above this the inverses of sinh and cosh are log(2 x) to the last place.
static constexpr float large = 8192.0f;

static Value logOfTwice(D1Builder &d, Value x) { return d.fadd(expandLog(d, x, 1.0), d.f(ln2)); }

Value mlir::dojo::expandAsinh(D1Builder &d, Value a) {
  // log(x + sqrt(x^2 + 1)) = log1p(x + x^2 / (1 + sqrt(x^2 + 1))).
  Value x = magnitude(d, a);
  Value square = d.fmul(x, x);
  Value root = expandSqrt(d, d.fadd(square, d.f(1.0f)));
  Value small = expandLog1P(d, d.fadd(x, expandDiv(d, square, d.fadd(root, d.f(1.0f)))));
  Value isLarge = d.fcmp(x, d.f(large), Cond::gt);
  return expandCopySign(d, d.vsel(isLarge, logOfTwice(d, x), small), a);
}

Value mlir::dojo::expandAcosh(D1Builder &d, Value a) {
  // With t = x - 1: log1p(t + sqrt(t (t + 2))).
  Value t = d.fadd(a, d.f(-1.0f));
  Value root = expandSqrt(d, d.fmul(t, d.fadd(t, d.f(2.0f))));
  Value small = expandLog1P(d, d.fadd(t, root));
  // Below 1 there is none; below -2 the root would be a number.
  Value result = d.vsel(d.fcmp(a, d.f(large), Cond::gt), logOfTwice(d, a), small);
  return d.vsel(d.fcmp(a, d.f(1.0f), Cond::lt), d.splat(0x7FC00000), result);
}

Value mlir::dojo::expandAtanh(D1Builder &d, Value a) {
  // log((1 + x) / (1 - x)) / 2 = log1p(2 x / (1 - x)) / 2.
  Value x = magnitude(d, a);
  Value quotient = expandDiv(d, d.fadd(x, x), d.fsub(d.splatf(1.0f), x));
  return expandCopySign(d, d.fmul(expandLog1P(d, quotient), d.f(0.5f)), a);
}

//===----------------------------------------------------------------------===//
// Inverse circular functions
//===----------------------------------------------------------------------===//

Value mlir::dojo::expandAtan(D1Builder &d, Value a) {
  /// (atan(x) / x - 1) / x^2 as a function of x^2 on 0 <= x <= tan(pi / 8).
  static constexpr float p[] = {-0x1.555554p-2f, 0x1.99973Ep-3f, -0x1.2421A8p-3f, 0x1.B82B1Cp-4f,
                                -0x1.089378p-4f};
  // atan x = pi / 2 + atan(-1 / x) = pi / 4 + atan((x - 1) / (x + 1)).
  Value x = magnitude(d, a);
  Value steep = d.fcmp(x, d.f(0x1.3504F4p+1f), Cond::gt),
        middle = d.fcmp(x, d.f(0x1.A8279Ap-2f), Cond::gt);
  Value over = d.vsel(steep, d.splatf(-1.0f), d.vsel(middle, d.fadd(x, d.f(-1.0f)), x));
  Value under = d.vsel(steep, x, d.vsel(middle, d.fadd(x, d.f(1.0f)), d.splatf(1.0f)));
  Value offset =
      d.vsel(steep, d.splatf(halfPi), d.vsel(middle, d.splatf(halfPi / 2), d.splatf(0.0f)));
  Value r = expandDiv(d, over, under);
  Value z = d.fmul(r, r);
  Value tail = d.fma(d.fmul(horner(d, z, p), z), r, r);
  return expandCopySign(d, d.fadd(offset, tail), a);
}

/// asin x for 0 <= x <= 1/2 as x + x z P(z), z = x^2.
static Value smallAsin(D1Builder &d, Value x, Value z) {
  static constexpr float p[] = {0x1.55555Ep-3f, 0x1.3326B6p-4f, 0x1.70BA48p-5f, 0x1.B2150Ep-6f,
                                0x1.38FCBCp-5f};
  return d.fma(d.fmul(horner(d, z, p), z), x, x);
}

namespace {
/// Where `outside` holds, x is sqrt((1 - |a|) / 2) and asin |a| = pi / 2 - 2 asin x, else x is |a|.
struct HalfAngle {
  Value outside, arc; ///< arc is asin x
};
} // namespace

static HalfAngle halfAngle(D1Builder &d, Value a) {
  Value x = magnitude(d, a);
  Value outside = d.fcmp(x, d.f(0.5f), Cond::gt);
  Value half = d.fma(x, d.f(-0.5f), d.splatf(0.5f));
  Value z = d.vsel(outside, half, d.fmul(x, x));
  return {outside, smallAsin(d, d.vsel(outside, expandSqrt(d, half), x), z)};
}

Value mlir::dojo::expandAsin(D1Builder &d, Value a) {
  HalfAngle h = halfAngle(d, a);
  Value rest = d.fma(h.arc, d.f(-2.0f), d.splatf(halfPi));
  return expandCopySign(d, d.vsel(h.outside, rest, h.arc), a);
}

Value mlir::dojo::expandAcos(D1Builder &d, Value a) {
  HalfAngle h = halfAngle(d, a);
  Value twice = d.fadd(h.arc, h.arc);
  Value negative = d.fcmp(a, d.x0(), Cond::lt);
  Value far = d.vsel(negative, d.fsub(d.splatf(2 * halfPi), twice), twice);
  Value near = d.fsub(d.splatf(halfPi), expandCopySign(d, h.arc, a));
  return d.vsel(h.outside, far, near);
}
