// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Division, roots, remainders and rounding of doubles by their bits, all exact, and the exponential
// and the logarithm in fixed point: Qn stands for an integer that counts 2^-n.

#include "SoftDouble.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace llvm;

namespace mlir::dojo::onnximport {

// ln(2) in Q63, in Q61 cut, what is cut off in Q101, and 1 / ln(2) in Q20.
static constexpr int64_t kLn2 = 6393154322601327830, kLn2High = 1598288580650331957;
static constexpr int64_t kLn2Low = 520705438464, kLog2E = 1512775;

static Value divide(BodyInts &i, Value x, Value y) {
  return arith::DivUIOp::create(i.b, i.loc, x, y);
}

static Value remainder(BodyInts &i, Value x, Value y) {
  return arith::RemUIOp::create(i.b, i.loc, x, y);
}

static Value negated(BodyInts &i, Value x) { return i.sub(i.constant(0), x); }

Value SoftDouble::copySign(Value x, Value y) { return i.bitOr(abs(x), i.bitAnd(y, kSign)); }

/// x * y / 2^64, up to two too small; 0 <= y < 2^63.
static Value mulHigh(BodyInts &i, Value x, Value y) {
  constexpr int64_t mask = 0xFFFFFFFF;
  Value xHigh = i.shiftRightSigned(x, 32), xLow = i.bitAnd(x, mask);
  Value yHigh = i.shiftRight(y, 32), yLow = i.bitAnd(y, mask);
  Value middle =
      i.add(i.shiftRightSigned(i.mul(xHigh, yLow), 32), i.shiftRightSigned(i.mul(xLow, yHigh), 32));
  return i.add(i.mul(xHigh, yHigh), middle);
}

Value SoftDouble::div(Value x, Value y) {
  Value a = abs(x), c = abs(y);
  Value sign = i.bitAnd(i.bitXor(x, y), kSign);
  Parts p = normal(a), q = normal(i.max(c, 1));
  // Digits of ten bits: 60 of the quotient, which is between a half and two, behind the point.
  Value quotient = divide(i, p.significand, q.significand);
  Value rest = remainder(i, p.significand, q.significand);
  for (int digit = 0; digit < 6; ++digit) {
    rest = i.shiftLeft(rest, 10);
    quotient = i.bitOr(i.shiftLeft(quotient, 10), divide(i, rest, q.significand));
    rest = remainder(i, rest, q.significand);
  }
  // Its first bit is 59 or 60.
  Value below = i.flag(i.less(quotient, int64_t(1) << 60));
  Value significand = i.shiftLeft(quotient, i.add(below, kTop - 60));
  significand = i.bitOr(significand, i.flag(i.notEqual(rest, 0)));
  Value exponent = i.add(i.sub(i.sub(p.exponent, q.exponent), below), 1023);
  Value magnitude = packWide({significand, exponent});
  magnitude = i.select(i.equal(a, 0), 0, magnitude);
  magnitude = i.select(i.equal(c, 0), kInfinity, magnitude);
  magnitude = i.select(i.equal(a, kInfinity), kInfinity, magnitude);
  magnitude = i.select(i.equal(c, kInfinity), 0, magnitude);
  Value result = i.bitOr(magnitude, sign);
  Value zeros = i.equal(i.bitOr(a, c), 0);
  Value infinities = both(i.equal(a, kInfinity), i.equal(c, kInfinity));
  result = i.select(zeros, kNaN, i.select(infinities, kNaN, result));
  return i.select(i.greater(i.max(a, c), kInfinity), kNaN, result);
}

Value SoftDouble::rem(Value x, Value y) {
  Value a = abs(x), c = abs(y);
  Parts p = normal(a), q = normal(i.max(c, 1));
  // The bits by which x is longer than y follow ten at a time.
  constexpr int64_t digit = 10;
  Value left = i.select(i.less(a, c), 0, i.sub(p.exponent, q.exponent));
  auto loop = scf::WhileOp::create(
      i.b, i.loc, TypeRange{i.type(), i.type()},
      ValueRange{left, remainder(i, p.significand, q.significand)},
      [&](OpBuilder &b, Location loc, ValueRange v) {
        scf::ConditionOp::create(b, loc, BodyInts(b, loc, 64).greater(v[0], 0), v);
      },
      [&](OpBuilder &b, Location loc, ValueRange v) {
        BodyInts in(b, loc, 64);
        Value by = in.min(v[0], digit);
        Value rest = remainder(in, in.shiftLeft(v[1], by), q.significand);
        scf::YieldOp::create(b, loc, ValueRange{in.sub(v[0], by), rest});
      });
  Value rest = loop.getResult(1);
  Parts r = normalise({i.shiftLeft(rest, kExtraBits), q.exponent}, kTop, /*keepsDenormal=*/false);
  Value magnitude = i.select(i.equal(rest, 0), 0, packWide(r));
  Value result = i.select(i.less(a, c), x, i.bitOr(magnitude, i.bitAnd(x, kSign)));
  result = i.select(i.equal(c, 0), kNaN, result);
  Value none =
      i.notEqual(i.bitOr(i.flag(i.greater(a, kInfinity - 1)), i.flag(i.greater(c, kInfinity))), 0);
  return i.select(none, kNaN, result);
}

Value SoftDouble::sqrt(Value x) {
  Value a = abs(x);
  Parts p = normal(a);
  // With an even exponent a number of 53 or 54 bits; its root of 54 bits comes a bit at a time, two
  // bits of the number, or of zeros behind it, for each.
  Value unbiased = i.add(p.exponent, -1023), odd = i.bitAnd(unbiased, 1);
  Value number = i.shiftLeft(p.significand, i.add(odd, 10));
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(i.b, i.loc, value);
  };
  auto loop = scf::ForOp::create(
      i.b, i.loc, index(0), index(56), index(1), ValueRange{number, i.constant(0), i.constant(0)},
      [&](OpBuilder &b, Location loc, Value, ValueRange v) {
        BodyInts in(b, loc, 64);
        Value rest = in.bitOr(in.shiftLeft(v[1], 2), in.shiftRight(v[0], 62));
        Value trial = in.bitOr(in.shiftLeft(v[2], 2), 1);
        Value small = in.less(rest, trial);
        Value root = in.bitOr(in.shiftLeft(v[2], 1), in.sub(in.constant(1), in.flag(small)));
        scf::YieldOp::create(
            b, loc,
            ValueRange{in.shiftLeft(v[0], 2), in.select(small, rest, in.sub(rest, trial)), root});
      });
  Value root = loop.getResult(2);
  Value significand =
      i.bitOr(i.shiftLeft(root, kTop - 55), i.flag(i.notEqual(loop.getResult(1), 0)));
  Value half = i.shiftRightSigned(i.sub(unbiased, odd), 1);
  Value result = pack({significand, i.add(half, 1023)});
  result = i.select(i.less(x, 0), kNaN, result);
  result = i.select(i.equal(a, kInfinity), i.select(i.less(x, 0), i.constant(kNaN), x), result);
  result = i.select(i.equal(a, 0), x, result);
  return i.select(i.greater(a, kInfinity), kNaN, result);
}

Value SoftDouble::integral(Value x, Direction direction) {
  constexpr int64_t kOne = int64_t(1023) << 52;
  Value magnitude = abs(x), exponent = i.shiftRight(magnitude, 52);
  // Of a number that is at least one: the bits behind the point.
  Value bits = i.max(i.min(i.sub(i.constant(1075), exponent), 52), 1);
  Value cut = i.shiftLeft(i.shiftRight(magnitude, bits), bits);
  Value away = i.add(cut, i.shiftLeft(i.constant(1), bits));
  Value isSmall = i.less(exponent, 1023);
  Value result;
  if (direction == Nearest) {
    // A carry goes on into the exponent; that of numbers of one bit is odd, as they are.
    Value rounded = i.shiftLeft(i.roundedShift(magnitude, bits), bits);
    Value small = i.select(i.greater(magnitude, kOne - kImplicitBit), kOne, i.constant(0));
    result = i.select(isSmall, small, rounded);
  } else {
    Value negative = i.less(x, 0);
    Value low = i.select(isSmall, 0, cut), high = i.select(isSmall, kOne, away);
    Value exact = i.equal(i.bitXor(low, magnitude), 0);
    Value grows = direction == Down ? i.select(negative, high, low) : i.select(negative, low, high);
    result = i.select(exact, low, grows);
  }
  result = i.bitOr(result, i.bitAnd(x, kSign));
  return i.select(i.greater(exponent, 1074), x, result);
}

/// step(sum, n) for n from `count` to 1, from `sum` on: Horner's scheme with coefficients that are
/// made as they are needed, as a table of them would need registers.
template <typename Fn> static Value horner(BodyInts &i, Value sum, int64_t count, Fn step) {
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(i.b, i.loc, value);
  };
  auto loop = scf::ForOp::create(i.b, i.loc, index(0), index(count), index(1),
                                 ValueRange{sum, i.constant(count)},
                                 [&](OpBuilder &b, Location loc, Value, ValueRange v) {
                                   BodyInts in(b, loc, 64);
                                   Value next = step(in, v[0], v[1]);
                                   scf::YieldOp::create(b, loc, ValueRange{next, in.add(v[1], -1)});
                                 });
  return loop.getResult(0);
}

Value SoftDouble::exp(Value x) {
  // x in Q61 modulo 2^64, of which only what is left after the reduction counts, and in Q52.
  Value magnitude = abs(x);
  Parts p = unpack(magnitude);
  Value whole = i.shiftRight(p.significand, kExtraBits);
  auto fixed = [&](int64_t point) {
    Value left = i.add(p.exponent, point - 1075), right = i.sub(i.constant(0), left);
    Value large = i.shiftLeft(whole, i.min(i.max(left, 0), 63));
    Value value = i.select(i.less(left, 0), i.shiftRight(whole, i.min(i.max(right, 0), 63)), large);
    return i.select(i.less(x, 0), negated(i, value), value);
  };
  // n = x / ln(2) to the nearest integer, then x - n ln(2).
  Value scaled = i.mul(i.shiftRightSigned(fixed(52), 20), i.constant(kLog2E));
  Value n = i.shiftRightSigned(i.add(scaled, int64_t(1) << 51), 52);
  Value rest = i.sub(fixed(61), i.mul(n, i.constant(kLn2High)));
  rest = i.sub(rest, i.shiftRightSigned(i.mul(n, i.constant(kLn2Low)), 40));
  // The series 1 + r (1 + r / 2 (1 + r / 3 ...)) in Q61, of r in Q64.
  constexpr int64_t one = int64_t(1) << 61;
  Value left = i.shiftLeft(rest, 3);
  Value power = horner(i, i.constant(one), 15, [&](BodyInts &in, Value sum, Value n) {
    Value product = mulHigh(in, left, sum);
    return in.add(arith::DivSIOp::create(in.b, in.loc, product, n).getResult(), one);
  });
  // Its first bit is 60 or 61.
  Value below = i.flag(i.less(power, int64_t(1) << 61));
  Value result = packWide({i.shiftLeft(power, below), i.add(i.sub(n, below), 1023)});
  // Beyond 1024 in magnitude the integers above do not hold x.
  Value isLarge = i.greater(magnitude, (int64_t(1023 + 10) << 52) - 1);
  result = i.select(isLarge, i.select(i.less(x, 0), i.constant(0), i.constant(kInfinity)), result);
  return i.select(i.greater(magnitude, kInfinity), kNaN, result);
}

Value SoftDouble::log(Value x) {
  Value magnitude = abs(x);
  // x = 2^k m with m between the roots of a half and of two: m - 1 and m + 1 in Q53.
  constexpr int64_t kRootOfTwo = 0x16A09E667F3BCD;
  Parts p = normal(magnitude);
  Value isUpper = i.flag(i.greater(p.significand, kRootOfTwo));
  Value k = i.add(i.add(p.exponent, -1023), isUpper);
  Value m = i.shiftLeft(p.significand, i.sub(i.constant(1), isUpper));
  Value difference = i.add(m, -(int64_t(1) << 53)), sum = i.add(m, int64_t(1) << 53);
  // s = (m - 1) / (m + 1) in Q63 and `shift` bits more.
  Value isBelow = i.less(difference, 0);
  Value size = i.select(isBelow, negated(i, difference), difference);
  Parts d = normalise({size, i.constant(0)}, 52, /*keepsDenormal=*/false);
  Value shift = negated(i, d.exponent), rest = d.significand, s = i.constant(0);
  for (int digit = 0; digit < 7; ++digit) {
    rest = i.shiftLeft(rest, 9);
    s = i.bitOr(i.shiftLeft(s, 9), divide(i, rest, sum));
    rest = remainder(i, rest, sum);
  }
  // ln(m) = 2 s (1 + s^2 / 3 + s^4 / 5 + ...): the series in Q62, of s^2 in Q64; the product in Q61
  // is half of it.
  Value plain = i.shiftRight(s, shift);
  Value square = i.shiftLeft(mulHigh(i, plain, plain), 2);
  constexpr int64_t one = int64_t(1) << 62;
  auto coefficient = [&](BodyInts &in, Value n) {
    return divide(in, in.constant(one), in.add(in.shiftLeft(n, 1), -1));
  };
  Value first = i.constant(one / 25);
  Value series = horner(i, first, 12, [&](BodyInts &in, Value sum, Value n) {
    return in.add(mulHigh(in, sum, square), coefficient(in, n));
  });
  Value product = mulHigh(i, s, series);
  auto rounded = [&](Value value, Value exponent, Value negative) {
    Parts wide = normalise({value, exponent}, kTop, /*keepsDenormal=*/false);
    return i.bitOr(packWide(wide), i.select(negative, i.constant(kSign), i.constant(0)));
  };
  Value nearOne = rounded(product, i.sub(i.constant(1024), shift), isBelow);
  // k ln(2) with k's first bit at 62, in Q(z - 1), where k is moved by z.
  Value isFraction = i.less(k, 0);
  Value count = i.select(isFraction, negated(i, k), k);
  Parts c = normalise({count, i.constant(0)}, 62, /*keepsDenormal=*/false);
  Value z = negated(i, c.exponent);
  Value logs = mulHigh(i, c.significand, i.constant(kLn2));
  Value small = i.shiftRight(product, i.min(i.sub(i.add(shift, 61), z), 63));
  Value isOpposite = i.bitXor(isBelow, isFraction);
  Value total = i.select(isOpposite, i.sub(logs, small), i.add(logs, small));
  Value far = rounded(total, i.sub(i.constant(1085), z), isFraction);
  Value result = i.select(i.equal(k, 0), i.select(i.equal(difference, 0), 0, nearOne), far);
  result = i.select(i.equal(x, kInfinity), kInfinity, result);
  result = i.select(i.less(x, 0), kNaN, result);
  result = i.select(i.equal(magnitude, 0), kSign | kInfinity, result);
  return i.select(i.greater(magnitude, kInfinity), kNaN, result);
}

} // namespace mlir::dojo::onnximport
