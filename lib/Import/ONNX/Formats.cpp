// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Formats.h"
#include "BodyInts.h"
#include <cmath>

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

static constexpr int64_t kInfinity = 0x7F800000, kQuietNaN = 0x7FC00000, kMagnitude = 0x7FFFFFFF;
static constexpr int64_t kImplicitBit = 0x00800000;

std::optional<SmallFloat> smallFloat(int32_t elem) {
  switch (elem) {
  case TensorProto::FLOAT8E4M3FN:
    return SmallFloat{4, 3, 7, SmallFloat::LastNaN};
  case TensorProto::FLOAT8E4M3FNUZ:
    return SmallFloat{4, 3, 8, SmallFloat::ZeroNaN};
  case TensorProto::FLOAT8E5M2:
    return SmallFloat{5, 2, 15, SmallFloat::Ieee};
  case TensorProto::FLOAT8E5M2FNUZ:
    return SmallFloat{5, 2, 16, SmallFloat::ZeroNaN};
  case TensorProto::FLOAT6E2M3:
    return SmallFloat{2, 3, 1, SmallFloat::Numbers};
  case TensorProto::FLOAT6E3M2:
    return SmallFloat{3, 2, 3, SmallFloat::Numbers};
  case TensorProto::FLOAT4E2M1:
    return SmallFloat{2, 1, 1, SmallFloat::Numbers};
  default:
    return std::nullopt;
  }
}

std::optional<SmallInt> smallInt(int32_t elem) {
  switch (elem) {
  case TensorProto::INT4:
    return SmallInt{4, true};
  case TensorProto::UINT4:
    return SmallInt{4, false};
  case TensorProto::INT2:
    return SmallInt{2, true};
  case TensorProto::UINT2:
    return SmallInt{2, false};
  default:
    return std::nullopt;
  }
}

unsigned SmallFloat::maxFinite() const {
  switch (top) {
  case Ieee:
    return infinity() - 1;
  case LastNaN:
    return signBit() - 2;
  default:
    return signBit() - 1;
  }
}

unsigned SmallFloat::infinity() const {
  return top == Ieee ? signBit() - (1u << mantissaBits) : nan();
}

unsigned SmallFloat::nan() const {
  switch (top) {
  case Ieee:
    return signBit() - (1u << (mantissaBits - 1));
  case LastNaN:
    return signBit() - 1;
  default:
    return signBit();
  }
}

//===----------------------------------------------------------------------===//
// Floats of a byte or less
//===----------------------------------------------------------------------===//

Value decodeSmallFloat(OpBuilder &b, Location loc, Value code, const SmallFloat &f) {
  BodyInts i(b, loc, 32);
  Value wide = i.zeroExtend(code);
  Value magnitude = i.bitAnd(wide, f.signBit() - 1);
  const int64_t rebias = int64_t(127 - f.bias) << 23;
  Value bits = i.add(i.shiftLeft(magnitude, 23 - f.mantissaBits), rebias);
  // Denormals are whole multiples of the least one.
  Value least = arith::ConstantOp::create(
      b, loc, b.getF32FloatAttr(std::ldexp(1.0f, 1 - f.bias - f.mantissaBits)));
  Value whole = arith::UIToFPOp::create(b, loc, b.getF32Type(), magnitude);
  Value denormal = i.bitcast(i.type(), arith::MulFOp::create(b, loc, whole, least));
  bits = i.select(i.less(magnitude, int64_t(1) << f.mantissaBits), denormal, bits);
  if (f.top == SmallFloat::Ieee)
    bits = i.select(i.equal(magnitude, f.infinity()), kInfinity, bits);
  if (f.top == SmallFloat::Ieee || f.top == SmallFloat::LastNaN)
    bits = i.select(i.greater(magnitude, f.top == SmallFloat::Ieee ? f.infinity() : f.maxFinite()),
                    kQuietNaN, bits);
  Value sign = i.shiftLeft(i.bitAnd(wide, f.signBit()), 31 - (f.exponentBits + f.mantissaBits));
  bits = i.bitOr(bits, sign);
  if (f.top == SmallFloat::ZeroNaN)
    bits = i.select(i.equal(i.bitAnd(wide, 2 * f.signBit() - 1), f.signBit()), kQuietNaN, bits);
  return i.bitcast(b.getF32Type(), bits);
}

Value encodeSmallFloat(OpBuilder &b, Location loc, Value x, const SmallFloat &f, bool saturate) {
  BodyInts i(b, loc, 32);
  Value bits = i.bitcast(i.type(), x);
  Value magnitude = i.bitAnd(bits, kMagnitude);
  // Magnitudes have the order of their bits, so rounding carries into the exponent by itself.
  const int64_t rebias = int64_t(127 - f.bias) << 23;
  Value code = i.roundedShift(i.max(i.add(magnitude, -rebias), 0), 23 - f.mantissaBits);
  // Below the least normal number: adding 2^k rounds to multiples of the least denormal, which the
  // low bits of the sum count.
  const int64_t leastNormal = int64_t(128 - f.bias) << 23;
  FloatAttr shift = b.getF32FloatAttr(std::ldexp(1.0f, 24 - f.bias - f.mantissaBits));
  Value small = i.bitcast(b.getF32Type(), i.min(magnitude, leastNormal));
  Value sum =
      arith::AddFOp::create(b, loc, small, arith::ConstantOp::create(b, loc, shift).getResult());
  const int64_t shiftBits = shift.getValue().bitcastToAPInt().getSExtValue();
  Value denormal = i.add(i.bitcast(i.type(), sum), -shiftBits);
  code = i.select(i.less(magnitude, leastNormal), denormal, code);

  const bool clamps = saturate || f.top == SmallFloat::Numbers;
  code = i.select(i.greater(code, f.maxFinite()), clamps ? f.maxFinite() : f.infinity(), code);
  Value isNaN = i.greater(magnitude, kInfinity);
  if (f.top == SmallFloat::Numbers)
    code = i.select(isNaN, 0, code);
  else if (f.top != SmallFloat::ZeroNaN)
    code = i.select(isNaN, f.nan(), code);
  Value sign = i.bitAnd(i.shiftRight(bits, 31 - (f.exponentBits + f.mantissaBits)), f.signBit());
  Value whole = i.bitOr(code, sign);
  if (f.top == SmallFloat::ZeroNaN) {
    whole = i.select(i.equal(code, 0), 0, whole);
    whole = i.select(isNaN, f.nan(), whole);
  }
  return i.truncate(whole, 8);
}

Value decodePowerOfTwo(OpBuilder &b, Location loc, Value code) {
  BodyInts i(b, loc, 32);
  Value wide = i.zeroExtend(code);
  Value bits = i.shiftLeft(wide, 23);
  bits = i.select(i.equal(wide, 0), kImplicitBit / 2, bits);
  bits = i.select(i.equal(wide, 255), kQuietNaN, bits);
  return i.bitcast(b.getF32Type(), bits);
}

Value encodePowerOfTwo(OpBuilder &b, Location loc, Value x, CastRules rules) {
  BodyInts i(b, loc, 32);
  Value magnitude = i.bitAnd(i.bitcast(i.type(), x), kMagnitude);
  const bool up = rules.round == CastRules::Up, down = rules.round == CastRules::Down;
  // Halfway goes up.
  Value code = i.shiftRight(i.add(magnitude, up     ? kImplicitBit - 1
                                             : down ? 0
                                                    : kImplicitBit / 2),
                            23);
  // Between 2^-127 and 2^-126, where f32 is denormal.
  Value lowest = i.flag(i.greater(magnitude, up     ? kImplicitBit / 2
                                             : down ? kImplicitBit - 1
                                                    : kImplicitBit / 4 * 3 - 1));
  code = i.select(i.less(magnitude, kImplicitBit), lowest, code);
  if (rules.saturate)
    code = i.min(code, 254);
  else
    code = i.select(i.less(magnitude, kImplicitBit / 2), 255, code);
  code = i.select(i.greater(magnitude, kInfinity - (rules.saturate ? 0 : 1)), 255, code);
  return i.truncate(code, 8);
}

Value decodeSmallInt(OpBuilder &b, Location loc, Value code, SmallInt type) {
  BodyInts i(b, loc, 32);
  Value wide = i.zeroExtend(code);
  if (!type.isSigned)
    return i.bitAnd(wide, (1 << type.bits) - 1);
  return i.shiftRightSigned(i.shiftLeft(wide, 32 - type.bits), 32 - type.bits);
}

Value encodeSmallInt(OpBuilder &b, Location loc, Value x, SmallInt type) {
  const unsigned bits = x.getType().getIntOrFloatBitWidth();
  BodyInts i(b, loc, bits);
  Value low = i.bitAnd(x, (1 << type.bits) - 1);
  return bits == 8 ? low : i.truncate(low, 8);
}

Value floatToBFloat16(OpBuilder &b, Location loc, Value x) {
  BodyInts i(b, loc, 32);
  Value bits = i.bitcast(i.type(), x);
  Value isNaN = i.greater(i.bitAnd(bits, kMagnitude), kInfinity);
  Value rounded = i.select(isNaN, i.bitOr(i.shiftRight(bits, 16), 0x40), i.roundedShift(bits, 16));
  return i.bitcast(b.getBF16Type(), i.truncate(rounded, 16));
}

//===----------------------------------------------------------------------===//
// Doubles
//===----------------------------------------------------------------------===//

static constexpr int64_t kDoubleInfinity = int64_t(0x7FF) << 52;
static constexpr int64_t kDoubleMagnitude = std::numeric_limits<int64_t>::max();
static constexpr int64_t kDoubleImplicitBit = int64_t(1) << 52;

/// The bits of the magnitude from the implicit one down.
static Value significand(BodyInts &i, Value magnitude) {
  return i.bitOr(i.bitAnd(magnitude, kDoubleImplicitBit - 1), kDoubleImplicitBit);
}

Value doubleToFloat(OpBuilder &b, Location loc, Value x, bool odd) {
  BodyInts i(b, loc, 64);
  auto shifted = [&](Value value, Value by) {
    if (!odd)
      return i.roundedShift(value, by);
    Value kept = i.shiftRight(value, by);
    Value lost = i.notEqual(i.sub(value, i.shiftLeft(kept, by)), 0);
    return i.bitOr(kept, i.flag(lost));
  };
  Value magnitude = i.bitAnd(x, kDoubleMagnitude);
  Value exponent = i.shiftRight(magnitude, 52);
  constexpr int64_t rebias = int64_t(1023 - 127) << 52, leastNormal = 1023 - 126;
  Value normal = shifted(i.max(i.add(magnitude, -rebias), 0), i.constant(29));
  normal = i.min(normal, odd ? kInfinity - 1 : kInfinity);
  // Far below the least denormal nothing is left to shift.
  Value by = i.min(i.max(i.sub(i.constant(29 + leastNormal), exponent), 29), 56);
  Value denormal = shifted(significand(i, magnitude), by);
  denormal = i.select(i.equal(exponent, 0), 0, denormal);
  Value bits = i.select(i.less(exponent, leastNormal), denormal, normal);
  bits = i.select(i.equal(magnitude, kDoubleInfinity), kInfinity, bits);
  bits = i.select(i.greater(magnitude, kDoubleInfinity), kQuietNaN, bits);
  bits = i.bitOr(bits, i.shiftLeft(i.shiftRight(x, 63), 31));
  return i.bitcast(b.getF32Type(), i.truncate(bits, 32));
}

Value floatToDouble(OpBuilder &b, Location loc, Value x) {
  BodyInts narrow(b, loc, 32), i(b, loc, 64);
  Value bits = narrow.bitcast(narrow.type(), x);
  Value low = narrow.bitAnd(bits, kMagnitude);
  Value magnitude = i.zeroExtend(low);
  Value wide = i.shiftLeft(magnitude, 29);
  Value result = i.add(wide, int64_t(1023 - 127) << 52);
  result = i.select(i.greater(magnitude, kInfinity - 1), i.bitOr(wide, kDoubleInfinity), result);
  // A denormal is a whole number of 2^-149.
  Value whole = narrow.bitcast(narrow.type(), arith::UIToFPOp::create(b, loc, b.getF32Type(), low));
  Value denormal = i.add(i.shiftLeft(i.zeroExtend(whole), 29), int64_t(1023 - 127 - 149) << 52);
  result = i.select(i.less(magnitude, kImplicitBit), denormal, result);
  result = i.select(i.equal(magnitude, 0), 0, result);
  return i.bitOr(result, i.shiftLeft(i.shiftRight(i.zeroExtend(bits), 31), 63));
}

Value integerToDouble(OpBuilder &b, Location loc, Value x, bool isSigned) {
  BodyInts i(b, loc, 64);
  Value negative = isSigned ? i.less(x, 0) : Value();
  Value m = isSigned ? i.select(negative, i.sub(i.constant(0), x), x) : x;
  Value isZero = i.equal(m, 0);
  // The highest bit to the top; the exponent field counts down.
  Value exponent = i.constant(1023 + 63 - 1);
  for (int64_t step : {32, 16, 8, 4, 2, 1}) {
    Value free = i.equal(i.shiftRight(m, 64 - step), 0);
    m = i.select(free, i.shiftLeft(m, step), m);
    exponent = i.select(free, i.add(exponent, -step), exponent);
  }
  Value kept = i.shiftRight(m, 11), rest = i.bitAnd(m, 0x7FF);
  Value odd = i.bitAnd(kept, 1);
  kept = i.add(kept, i.flag(i.greater(i.add(rest, odd), 0x400)));
  // The implicit bit, and a carry out of it, add to the exponent.
  Value result = i.select(isZero, 0, i.add(i.shiftLeft(exponent, 52), kept));
  if (!isSigned)
    return result;
  return i.bitOr(result, i.shiftLeft(i.flag(negative), 63));
}

Value doubleToInteger(OpBuilder &b, Location loc, Value x) {
  BodyInts i(b, loc, 64);
  Value magnitude = i.bitAnd(x, kDoubleMagnitude);
  Value exponent = i.shiftRight(magnitude, 52);
  Value m = significand(i, magnitude);
  Value left = i.min(i.max(i.add(exponent, -1075), 0), 63);
  Value right = i.min(i.max(i.sub(i.constant(1075), exponent), 0), 63);
  Value whole = i.select(i.greater(left, 0), i.shiftLeft(m, left), i.shiftRight(m, right));
  whole = i.select(i.greater(left, 62), 0, whole);
  return i.select(i.less(x, 0), i.sub(i.constant(0), whole), whole);
}

} // namespace mlir::dojo::onnximport
