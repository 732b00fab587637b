// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "MathExpansion.h"

#include <cmath>
#include <numbers>

using namespace mlir;
using namespace mlir::dojo;
using d1::Cond;

static constexpr int64_t infinityBits = 0x7F800000;
static constexpr int64_t nanBits = 0x7FC00000;
static constexpr double ln2 = std::numbers::ln2;
/// ln 2 in two parts; the first has 9 trailing zero bits, so that its product with an exponent is
/// exact.
static constexpr float ln2High = 0x1.62E4p-1f;
static constexpr float ln2Low = float(ln2 - double(ln2High));

/// c[0] + c[1] x + c[2] x^2 + ... by Horner's rule.
static Value polynomial(D1Builder &d, Value x, ArrayRef<float> c) {
  if (c.size() == 1)
    return d.splatf(c[0]);
  Value sum = d.op<d1::VFmaCXOp>(x, d.splatf(c.back()), d.f(c[c.size() - 2]));
  for (float coefficient : llvm::reverse(c.drop_back(2)))
    sum = d.op<d1::VFmaCXOp>(sum, x, d.f(coefficient));
  return sum;
}

/// a / b for b neither zero nor infinite, and `reciprocal` about 1 / b to 12 bits.
static Value quotient(D1Builder &d, Value a, Value b, Value estimate) {
  Value error = d.fma(b, estimate, d.f(-1.0f));
  Value reciprocal = d.fnma(estimate, error, estimate);
  Value q = d.fmul(a, reciprocal);
  return d.fma(d.fnma(b, q, a), reciprocal, q);
}

static Value isNumber(D1Builder &d, Value a) { return d.fcmp(a, a, Cond::ord); }

Value mlir::dojo::expandDiv(D1Builder &d, Value a, Value b) {
  Value estimate = d.op<d1::VRcpEOp>(b);
  Value q = quotient(d, a, b, estimate);
  // Zeros and infinities have made q a NaN; for them the product with the estimate is right.
  return d.vsel(isNumber(d, q), q, d.fmul(a, estimate));
}

Value mlir::dojo::expandRem(D1Builder &d, Value a, Value b) {
  Value q = d.op<d1::VFTruncOp>(expandDiv(d, a, b));
  Value r = d.fnma(b, q, a);
  // A rounded quotient may be one too large: then the remainder has the other sign.
  Value step = expandCopySign(d, d.op<d1::VFAbsOp>(b), a);
  Value crossed = d.fcmp(d.fmul(r, a), d.x0(), Cond::lt);
  r = d.vsel(crossed, d.fadd(r, step), r);
  // One too small, likewise.
  Value magnitudeB = d.op<d1::VFAbsOp>(b);
  Value large = d.fcmp(d.op<d1::VFAbsOp>(r), magnitudeB, Cond::ge);
  r = d.vsel(large, d.fsub(r, step), r);
  // a mod infinity is a.
  Value infinite = d.op<d1::MAndOp>(d.fcmp(magnitudeB, d.li(infinityBits), Cond::eq),
                                    d.fcmp(d.op<d1::VFAbsOp>(a), d.li(infinityBits), Cond::lt));
  return d.vsel(infinite, a, expandCopySign(d, d.op<d1::VFAbsOp>(r), a));
}

Value mlir::dojo::expandNumber(D1Builder &d, Value a, Value b, bool maximum) {
  Value x = d.vsel(isNumber(d, a), a, b), y = d.vsel(isNumber(d, b), b, a);
  return maximum ? d.fmax(x, y) : d.fmin(x, y);
}

Value mlir::dojo::expandCopySign(D1Builder &d, Value magnitude, Value sign) {
  Value bit = d.iand(sign, d.li(INT32_MIN));
  return d.ior(d.op<d1::VFAbsOp>(magnitude), bit);
}

Value mlir::dojo::expandRound(D1Builder &d, Value a) {
  Value whole = d.op<d1::VFTruncOp>(a);
  Value rest = d.op<d1::VFAbsOp>(d.fsub(a, whole));
  Value up = d.fcmp(rest, d.f(0.5f), Cond::ge);
  Value one = expandCopySign(d, d.splatf(1.0f), a);
  return d.vsel(up, d.fadd(whole, one), whole);
}

//===----------------------------------------------------------------------===//
// Roots
//===----------------------------------------------------------------------===//

/// Mask of the positive normal finite numbers.
static Value isPositiveNormal(D1Builder &d, Value a) {
  return d.icmp(d.iadd(a, d.li(-0x00800000)), d.li(0x7F000000), Cond::ltu);
}

Value mlir::dojo::expandSqrt(D1Builder &d, Value a) {
  // Goldschmidt: g tends to sqrt(a), h to 1 / (2 sqrt(a)); then one correction with the residual.
  Value estimate = d.op<d1::VRsqrtEOp>(a);
  Value g = d.fmul(a, estimate), h = d.fmul(estimate, d.f(0.5f));
  Value error = d.fma(g, h, d.f(-0.5f));
  g = d.fnma(g, error, g);
  h = d.fnma(h, error, h);
  Value root = d.fma(d.fnma(g, g, a), h, g);
  // Zeros, infinity and NaN are their own roots; of a negative number the estimate is NaN.
  Value special = d.vsel(d.fcmp(a, d.x0(), Cond::lt), estimate, a);
  return d.vsel(isPositiveNormal(d, a), root, special);
}

Value mlir::dojo::expandRsqrt(D1Builder &d, Value a) {
  Value estimate = d.op<d1::VRsqrtEOp>(a);
  Value half = d.fmul(a, d.f(0.5f)), y = estimate;
  for (int i = 0; i < 2; ++i) {
    Value error = d.fma(d.fmul(y, half), y, d.f(-0.5f));
    y = d.fnma(y, error, y);
  }
  return d.vsel(isPositiveNormal(d, a), y, estimate);
}

//===----------------------------------------------------------------------===//
// Exponentials
//===----------------------------------------------------------------------===//

/// (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2.
static constexpr float expTail[] = {0x1p-1f, 0x1.55548Ep-3f, 0x1.55545Ep-5f, 0x1.123BDEp-7f,
                                    0x1.6DB4E8p-10f};
/// (2^r - 1) / r on |r| <= 1 / 2.
static constexpr float exp2Tail[] = {0x1.62E43p-1f,  0x1.EBFBEp-3f,   0x1.C6B08Ep-5f,
                                     0x1.3B29FP-7f,  0x1.5D8724p-10f, 0x1.445E6Ap-13f,
                                     0x1.00F134p-16f};

/// p * 2^n for p about 1: half of it through the exponent bits, the last factor of 2 by an
/// addition, which overflows as it should. n in -125 to 128.
static Value scaleByPower(D1Builder &d, Value p, Value n) {
  Value half = d.iadd(p, d.iadd(d.ishl(n, 23), d.li(-(int64_t(1) << 23))));
  return d.fadd(half, half);
}

/// v where a >= least; 0 where a is less, and NaN where it is NaN.
static Value zeroBelow(D1Builder &d, Value a, float least, Value v) {
  Value zeroOrNaN = d.op<d1::VFClampXOp>(a, d.x0(), d.x0());
  return d.vsel(d.fcmp(a, d.f(least), Cond::ge), v, zeroOrNaN);
}

Value mlir::dojo::expandExp(D1Builder &d, Value a) {
  Value x = d.op<d1::VFClampXOp>(a, d.f(-86.5f), d.f(89.0f));
  Value n = d.op<d1::VFRintOp>(d.fmul(x, d.f(float(1 / ln2))));
  Value r = d.fma(n, d.f(-ln2Low), d.fma(n, d.f(-ln2High), x));
  Value tail = polynomial(d, r, expTail);
  Value p = d.fadd(d.fma(d.fmul(r, r), tail, r), d.f(1.0f));
  return zeroBelow(d, a, -86.5f, scaleByPower(d, p, d.op<d1::VCvtF2IOp>(n)));
}

Value mlir::dojo::expandExp2(D1Builder &d, Value a) {
  Value x = d.op<d1::VFClampXOp>(a, d.f(-125.0f), d.f(128.5f));
  Value n = d.op<d1::VFRintOp>(x);
  Value r = d.fsub(x, n);
  Value p = d.fma(polynomial(d, r, exp2Tail), r, d.f(1.0f));
  return zeroBelow(d, a, -125.0f, scaleByPower(d, p, d.op<d1::VCvtF2IOp>(n)));
}

Value mlir::dojo::expandExpM1(D1Builder &d, Value a) {
  // e^x - 1 = 2^n q + (2^n - 1) with q = e^r - 1, so nothing cancels for small x.
  Value x = d.op<d1::VFClampXOp>(a, d.f(-20.0f), d.f(88.3f));
  Value n = d.op<d1::VFRintOp>(d.fmul(x, d.f(float(1 / ln2))));
  Value r = d.fma(n, d.f(-ln2Low), d.fma(n, d.f(-ln2High), x));
  Value q = d.fma(d.fmul(r, r), polynomial(d, r, expTail), r);
  Value power = d.iadd(d.ishl(d.op<d1::VCvtF2IOp>(n), 23), d.f(1.0f));
  Value small = d.fma(power, q, d.fadd(power, d.f(-1.0f)));
  // What the clamp cut off: 88.3 to 88.72 is e^x itself.
  Value large = d.fcmp(a, d.f(88.3f), Cond::gt);
  return d.vsel(large, expandExp(d, a), small);
}

//===----------------------------------------------------------------------===//
// Logarithms
//===----------------------------------------------------------------------===//

/// (log(1 + f) - f + f^2 / 2) / f^3 on sqrt(1/2) <= 1 + f <= sqrt(2).
static constexpr float logTail[] = {0x1.555548p-2f,  -0x1.000006p-2f, 0x1.99A4B8p-3f,
                                    -0x1.555C4Ep-3f, 0x1.23373Cp-3f,  -0x1.FC218Ep-4f,
                                    0x1.E6F2AEp-4f,  -0x1.DE4046p-4f, 0x1.14579Cp-4f};

namespace {
/// a = 2^exponent * (1 + f) with 1 + f between sqrt(1/2) and sqrt(2).
struct Split {
  Value exponent, f;
};
} // namespace

static Split splitExponent(D1Builder &d, Value a) {
  Value e = d.isra(d.iadd(a, d.li(-0x3F3504F3)), 23);
  Value m = d.isub(a, d.ishl(e, 23));
  return {d.op<d1::VCvtI2FOp>(e), d.fadd(m, d.f(-1.0f))};
}

Value mlir::dojo::expandLog(D1Builder &d, Value a, double scale) {
  Split s = splitExponent(d, a);
  Value z = d.fmul(s.f, s.f);
  Value tail = d.fmul(polynomial(d, s.f, logTail), d.fmul(z, s.f));
  Value result;
  if (scale == 1.0) {
    tail = d.fma(s.exponent, d.f(ln2Low), tail);
    tail = d.fma(z, d.f(-0.5f), tail);
    result = d.fma(s.exponent, d.f(ln2High), d.fadd(s.f, tail));
  } else {
    // Both parts of log(1 + f) times both parts of the scale, but for the least product.
    float high = std::bit_cast<float>(std::bit_cast<uint32_t>(float(scale)) & 0xFFFFE000u);
    float low = float(scale - double(high));
    double perExponent = scale * ln2;
    float exponentHigh =
        std::bit_cast<float>(std::bit_cast<uint32_t>(float(perExponent)) & 0xFFFFE000u);
    float exponentLow = float(perExponent - double(exponentHigh));
    tail = d.fma(z, d.f(-0.5f), tail);
    Value sum = d.fmul(tail, d.f(float(scale)));
    if (exponentLow != 0)
      sum = d.fma(s.exponent, d.f(exponentLow), sum);
    sum = d.fma(s.f, d.f(low), sum);
    sum = d.fma(s.f, d.f(high), sum);
    result = d.fma(s.exponent, d.f(exponentHigh), sum);
  }
  // The estimate is exact for zero, infinity, NaN and negative numbers.
  return d.vsel(isPositiveNormal(d, a), result, d.op<d1::VLog2EOp>(a));
}

Value mlir::dojo::expandLog1P(D1Builder &d, Value a) {
  // log(1 + a) = log(u) + (a - (u - 1)) / u with u = 1 + a rounded.
  Value u = d.fadd(a, d.f(1.0f));
  Value lost = d.fsub(a, d.fadd(u, d.f(-1.0f)));
  Value correction = d.fmul(lost, d.op<d1::VRcpEOp>(u));
  Value log = expandLog(d, u, 1.0);
  Value sum = d.fadd(log, correction);
  return d.vsel(isNumber(d, sum), sum, log);
}

//===----------------------------------------------------------------------===//
// Sigmoid functions
//===----------------------------------------------------------------------===//

/// x * P(x^2) / Q(x^2), where Q is at least 1.
static Value oddQuotient(D1Builder &d, Value x, ArrayRef<float> p, ArrayRef<float> q) {
  Value z = d.fmul(x, x);
  Value over = d.fmul(polynomial(d, z, p), x), under = polynomial(d, z, q);
  return quotient(d, over, under, d.op<d1::VRcpEOp>(under));
}

Value mlir::dojo::expandTanh(D1Builder &d, Value a) {
  static constexpr float p[] = {0x1p+0f, 0x1.12043Ap-3f, 0x1.C9F82p-9f, 0x1.5954Fp-16f,
                                0x1.C9A29Cp-27f};
  static constexpr float q[] = {0x1p+0f, 0x1.DE5766p-2f, 0x1.A7DF0Ap-6f, 0x1.58419P-12f,
                                0x1.A0B79Ap-21f};
  Value x = d.op<d1::VFClampXOp>(a, d.f(-9.02f), d.f(9.02f));
  Value y = oddQuotient(d, x, p, q);
  return d.op<d1::VFClampXOp>(y, d.f(-1.0f), d.f(1.0f));
}

Value mlir::dojo::expandErf(D1Builder &d, Value a) {
  static constexpr float p[] = {0x1.20DD74p+0f, 0x1.86B962p-3f,  0x1.B0751Ap-5f,
                                0x1.EF65DCp-9f, 0x1.2AA49Cp-12f, 0x1.1211C2p-19f};
  static constexpr float q[] = {0x1p+0f,        0x1.013BE2p-1f,  0x1.D3FF74p-4f,
                                0x1.EB6F3Ap-7f, 0x1.3173BCp-10f, 0x1.3ECD32p-15f};
  Value x = d.op<d1::VFClampXOp>(a, d.f(-3.93f), d.f(3.93f));
  Value y = oddQuotient(d, x, p, q);
  return d.op<d1::VFClampXOp>(y, d.f(-1.0f), d.f(1.0f));
}

//===----------------------------------------------------------------------===//
// Circular functions
//===----------------------------------------------------------------------===//

namespace {
/// a = quadrant * pi / 2 + r with |r| <= pi / 4; sin(r) and cos(r).
struct Reduced {
  Value quadrant, sine, cosine;
};
} // namespace

static Reduced reduceAngle(D1Builder &d, Value a) {
  static constexpr double halfPi = std::numbers::pi / 2;
  static constexpr float part1 = float(halfPi), part2 = float(halfPi - double(part1)),
                         part3 = float(halfPi - double(part1) - double(part2));
  static constexpr float sine[] = {-0x1.555556p-3f, 0x1.111108p-7f, -0x1.A00F94p-13f,
                                   0x1.6CD5ECp-19f};
  static constexpr float cosine[] = {0x1.555556p-5f, -0x1.6C16B8p-10f, 0x1.A01118p-16f,
                                     -0x1.24290Ap-22f};
  Value n = d.op<d1::VFRintOp>(d.fmul(a, d.f(float(1 / halfPi))));
  Value r = d.fma(n, d.f(-part1), a);
  r = d.fma(n, d.f(-part2), r);
  r = d.fma(n, d.f(-part3), r);
  Value z = d.fmul(r, r);
  Value s = d.fma(d.fmul(polynomial(d, z, sine), z), r, r);
  Value c = d.fma(d.fmul(z, z), polynomial(d, z, cosine), d.fma(z, d.f(-0.5f), d.splatf(1.0f)));
  return {d.op<d1::VCvtF2IOp>(n), s, c};
}

/// The sine after `turn` more quarters.
static Value sineAt(D1Builder &d, const Reduced &r, int turn) {
  Value q = turn ? d.iadd(r.quadrant, d.li(turn)) : r.quadrant;
  Value odd = d.icmp(d.iand(q, d.li(1)), d.x0(), Cond::ne);
  Value sign = d.ishl(d.iand(q, d.li(2)), 30);
  return d.ixor(d.vsel(odd, r.cosine, r.sine), sign);
}

Value mlir::dojo::expandSin(D1Builder &d, Value a) { return sineAt(d, reduceAngle(d, a), 0); }
Value mlir::dojo::expandCos(D1Builder &d, Value a) { return sineAt(d, reduceAngle(d, a), 1); }
Value mlir::dojo::expandTan(D1Builder &d, Value a) {
  Reduced r = reduceAngle(d, a);
  return expandDiv(d, sineAt(d, r, 0), sineAt(d, r, 1));
}

//===----------------------------------------------------------------------===//
// Powers
//===----------------------------------------------------------------------===//

/// 2^(t + low) for |t| up to about 300, low much less than t.
static Value powerOfTwo(D1Builder &d, Value t, Value low) {
  Value n = d.op<d1::VFRintOp>(t);
  Value r = d.fadd(d.fsub(t, n), low);
  Value p = d.fma(polynomial(d, r, exp2Tail), r, d.f(1.0f));
  // In two factors, each a normal number, so that overflow and underflow come from multiplying.
  Value k = d.op<d1::VCvtF2IOp>(n), half = d.isra(k, 1);
  auto power = [&](Value e) { return d.iadd(d.ishl(e, 23), d.f(1.0f)); };
  return d.fmul(d.fmul(p, power(half)), power(d.isub(k, half)));
}

Value mlir::dojo::expandPow(D1Builder &d, Value a, Value b) {
  static constexpr float log2eHigh = 0x1.714p+0f;
  static constexpr float log2eLow = float(1 / ln2 - double(log2eHigh));
  Value magnitude = d.op<d1::VFAbsOp>(a);
  Split s = splitExponent(d, magnitude);
  // log(1 + f) as high + low: f - z / 2 exactly, the rest in single precision.
  Value z = d.fmul(s.f, s.f), zLow = d.fma(s.f, s.f, d.op<d1::VFNegOp>(z));
  Value high = d.fma(z, d.f(-0.5f), s.f);
  Value low = d.fma(z, d.f(-0.5f), d.fsub(s.f, high));
  low = d.fma(zLow, d.f(-0.5f), low);
  low = d.fma(polynomial(d, s.f, logTail), d.fmul(z, s.f), low);
  // Times log2(e), plus the exponent.
  Value scaled = d.fmul(high, d.f(float(1 / ln2)));
  Value scaledLow = d.fma(high, d.f(log2eHigh), d.op<d1::VFNegOp>(scaled));
  scaledLow = d.fma(high, d.f(log2eLow), scaledLow);
  scaledLow = d.fma(low, d.f(float(1 / ln2)), scaledLow);
  Value log = d.fadd(s.exponent, scaled);
  Value logLow = d.fadd(d.fadd(d.fsub(s.exponent, log), scaled), scaledLow);
  // Times b.
  Value t = d.fmul(b, log);
  Value tLow = d.fma(b, logLow, d.fma(b, log, d.op<d1::VFNegOp>(t)));
  Value limited = d.op<d1::VFClampXOp>(t, d.f(-250.0f), d.f(250.0f));
  Value cut = d.fcmp(limited, t, Cond::ne);
  tLow = d.vsel(cut, d.splat(0), tLow);
  Value result = powerOfTwo(d, limited, tLow);

  // Base 0 or infinity: the estimate of the logarithm is infinite, and so is its product with b.
  Value extreme = d.mnot(isPositiveNormal(d, magnitude));
  Value limit = d.fmul(d.op<d1::VLog2EOp>(magnitude), b);
  Value towards = d.vsel(d.fcmp(limit, d.x0(), Cond::lt), d.splat(0), d.li(infinityBits));
  towards = d.vsel(isNumber(d, limit), towards, limit);
  result = d.vsel(extreme, towards, result);
  // Infinite b: 1 for base 1, else by the sign of the logarithm, as t says.
  Value infiniteB = d.fcmp(d.op<d1::VFAbsOp>(b), d.li(infinityBits), Cond::eq);
  Value endless = d.vsel(d.fcmp(t, d.x0(), Cond::lt), d.splat(0), d.li(infinityBits));
  endless = d.vsel(d.fcmp(magnitude, d.f(1.0f), Cond::eq), d.splatf(1.0f), endless);
  Value numberA = isNumber(d, a);
  endless = d.vsel(numberA, endless, a);
  result = d.vsel(infiniteB, endless, result);
  // Negative base: the sign is that of an odd power; other than whole powers are no number.
  Value negative = d.icmp(a, d.x0(), Cond::lt);
  Value half = d.fmul(b, d.f(0.5f));
  Value whole = d.fcmp(d.op<d1::VFTruncOp>(b), b, Cond::eq);
  Value oddPower = d.op<d1::MAndNOp>(whole, d.fcmp(d.op<d1::VFTruncOp>(half), half, Cond::eq));
  Value flip = d.op<d1::MAndOp>(negative, oddPower);
  result = d.vsel(flip, d.op<d1::VFNegOp>(result), result);
  Value undefined = d.op<d1::MAndNOp>(d.fcmp(a, d.x0(), Cond::lt), whole);
  undefined = d.op<d1::MAndNOp>(undefined, infiniteB);
  Value finiteA = d.fcmp(magnitude, d.li(infinityBits), Cond::lt);
  undefined = d.op<d1::MAndOp>(undefined, finiteA);
  result = d.vsel(undefined, d.splat(nanBits), result);
  // x^0 = 1 and 1^y = 1, whatever the other is.
  Value one = d.op<d1::MOrOp>(d.fcmp(b, d.x0(), Cond::eq), d.fcmp(a, d.f(1.0f), Cond::eq));
  return d.vsel(one, d.splatf(1.0f), result);
}
