// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SoftDouble.h"

using namespace llvm;

namespace mlir::dojo::onnximport {

TypedAttr SoftDouble::attribute(MLIRContext *context, double value) {
  return IntegerAttr::get(IntegerType::get(context, 64), APFloat(value).bitcastToAPInt());
}

Value SoftDouble::neg(Value x) { return i.bitXor(x, i.constant(kSign)); }
Value SoftDouble::abs(Value x) { return i.bitAnd(x, kMagnitude); }
Value SoftDouble::isNaN(Value x) { return i.greater(abs(x), kInfinity); }

Value SoftDouble::numbers(Value x, Value y) {
  return both(i.less(abs(x), kInfinity + 1), i.less(abs(y), kInfinity + 1));
}

Value SoftDouble::key(Value x) { return i.bitXor(x, i.shiftRight(i.shiftRightSigned(x, 63), 1)); }

Value SoftDouble::withoutSignOfZero(Value x) { return i.select(i.equal(abs(x), 0), 0, x); }

Value SoftDouble::less(Value x, Value y) {
  Value below = i.less(key(withoutSignOfZero(x)), key(withoutSignOfZero(y)));
  return both(below, numbers(x, y));
}

Value SoftDouble::lessOrEqual(Value x, Value y) {
  Value above = i.less(key(withoutSignOfZero(y)), key(withoutSignOfZero(x)));
  Value notAbove = i.select(above, i.constant(0), i.constant(1));
  return both(i.notEqual(notAbove, 0), numbers(x, y));
}

Value SoftDouble::equal(Value x, Value y) {
  Value difference = i.bitXor(withoutSignOfZero(x), withoutSignOfZero(y));
  return both(i.equal(difference, 0), numbers(x, y));
}

Value SoftDouble::extreme(Value x, Value y, bool greatest) {
  Value below = i.less(key(x), key(y));
  Value chosen = greatest ? i.select(below, y, x) : i.select(below, x, y);
  return i.select(numbers(x, y), chosen, i.constant(kNaN));
}

SoftDouble::Parts SoftDouble::unpack(Value magnitude) {
  Value exponent = i.shiftRight(magnitude, 52), fraction = i.bitAnd(magnitude, kImplicitBit - 1);
  Value isDenormal = i.equal(exponent, 0);
  Value whole = i.select(isDenormal, fraction, i.bitOr(fraction, kImplicitBit));
  return {i.shiftLeft(whole, kExtraBits), i.max(exponent, 1)};
}

SoftDouble::Parts SoftDouble::normalise(Parts p, int64_t top, bool keepsDenormal) {
  for (int64_t step : {32, 16, 8, 4, 2, 1}) {
    Value free = i.equal(i.shiftRight(p.significand, top + 1 - step), 0);
    if (keepsDenormal)
      free = both(free, i.greater(p.exponent, step));
    p.significand = i.select(free, i.shiftLeft(p.significand, step), p.significand);
    p.exponent = i.select(free, i.add(p.exponent, -step), p.exponent);
  }
  return p;
}

Value SoftDouble::shiftSticky(Value x, Value by) {
  Value kept = i.shiftRight(x, by);
  Value lost = i.bitXor(i.shiftLeft(kept, by), x);
  return i.bitOr(kept, i.flag(i.notEqual(lost, 0)));
}

Value SoftDouble::pack(Parts p) {
  // One bit too many, from a carry.
  Value over = i.flag(i.greater(p.significand, (int64_t(1) << (kTop + 1)) - 1));
  Value significand = shiftSticky(p.significand, over), exponent = i.add(p.exponent, over);
  Value kept = i.shiftRight(significand, kExtraBits);
  Value rest = i.bitAnd(significand, (1 << kExtraBits) - 1);
  Value up = i.greater(i.add(rest, i.bitAnd(kept, 1)), 1 << (kExtraBits - 1));
  kept = i.add(kept, i.flag(up));
  // The implicit bit adds one to the exponent; a denormal has none.
  return i.min(i.add(i.shiftLeft(i.add(exponent, -1), 52), kept), kInfinity);
}

Value SoftDouble::packWide(Parts p) {
  // Below the least normal number the significand moves to the right instead.
  Value by = i.min(i.max(i.sub(i.constant(1), p.exponent), 0), 63);
  Value magnitude = pack({shiftSticky(p.significand, by), i.max(p.exponent, 1)});
  return i.select(i.greater(p.exponent, 2046), kInfinity, magnitude);
}

SoftDouble::Parts SoftDouble::normal(Value magnitude) {
  Parts p = normalise(unpack(magnitude), kTop, /*keepsDenormal=*/false);
  p.significand = i.shiftRight(p.significand, kExtraBits);
  return p;
}

Value SoftDouble::add(Value x, Value y) {
  Value swap = i.less(abs(x), abs(y));
  Value a = i.select(swap, y, x), c = i.select(swap, x, y);
  Value large = abs(a), small = abs(c);
  Parts p = unpack(large), q = unpack(small);
  Value by = i.min(i.sub(p.exponent, q.exponent), 63);
  Value addend = shiftSticky(q.significand, by);
  Value differ = i.less(i.bitXor(a, c), 0);
  Value sum = i.select(differ, i.sub(p.significand, addend), i.add(p.significand, addend));
  Value magnitude = pack(normalise({sum, p.exponent}, kTop, /*keepsDenormal=*/true));
  Value sign = i.bitAnd(a, kSign);
  Value result = i.bitOr(magnitude, sign);
  // What cancels is +0, the sum of two -0 is not.
  result = i.select(i.equal(sum, 0), i.select(differ, i.constant(0), sign), result);
  Value isInfinite = i.equal(large, kInfinity);
  Value opposite = both(differ, i.equal(small, kInfinity));
  result = i.select(isInfinite, i.select(opposite, i.constant(kNaN), a), result);
  return i.select(i.greater(large, kInfinity), kNaN, result);
}

Value SoftDouble::mul(Value x, Value y) {
  Value a = abs(x), c = abs(y);
  Value sign = i.bitAnd(i.bitXor(x, y), kSign);
  Parts p = normal(a), q = normal(c);
  // 53 by 53 bits in halves of 27.
  constexpr int64_t half = 27, mask = (int64_t(1) << half) - 1;
  Value aHigh = i.shiftRight(p.significand, half), aLow = i.bitAnd(p.significand, mask);
  Value cHigh = i.shiftRight(q.significand, half), cLow = i.bitAnd(q.significand, mask);
  Value low = i.mul(aLow, cLow);
  Value middle = i.add(i.add(i.mul(aHigh, cLow), i.mul(aLow, cHigh)), i.shiftRight(low, half));
  Value high = i.add(i.mul(aHigh, cHigh), i.shiftRight(middle, half));
  // The product is high * 2^54 + ...; its first bit is 104 or 105, of the significand 61 or 62.
  constexpr int64_t taken = kTop - (104 - 54);
  Value significand =
      i.bitOr(i.shiftLeft(high, taken), i.shiftRight(i.bitAnd(middle, mask), half - taken));
  Value rest = i.bitOr(i.bitAnd(middle, (int64_t(1) << (half - taken)) - 1), i.bitAnd(low, mask));
  significand = i.bitOr(significand, i.flag(i.notEqual(rest, 0)));
  Value exponent = i.add(i.add(p.exponent, q.exponent), -1023);
  Value magnitude = packWide({significand, exponent});
  Value isZero = i.notEqual(i.bitOr(i.flag(i.equal(a, 0)), i.flag(i.equal(c, 0))), 0);
  Value least = i.min(a, c), greatest = i.max(a, c);
  magnitude = i.select(isZero, 0, magnitude);
  Value special = i.select(i.equal(least, 0), i.constant(kNaN), i.bitOr(sign, kInfinity));
  Value result = i.bitOr(magnitude, sign);
  result = i.select(i.equal(greatest, kInfinity), special, result);
  return i.select(i.greater(greatest, kInfinity), kNaN, result);
}

} // namespace mlir::dojo::onnximport
