// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions between all element types: what a value is stored as is first read as f32, a plain
// integer or a double's bits, and then brought to the other type.

#include "BodyInts.h"
#include "Formats.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// A number in a body: of a type whose values are what they are stored as.
struct Number {
  Value value;
  int32_t elem; ///< FLOAT, DOUBLE, BOOL or an integer type of whole bytes

  ElemClass kind() const { return elemInfo(elem).kind; }
  bool isUnsigned() const { return kind() == ElemClass::Unsigned || kind() == ElemClass::Bool; }
};

class Caster {
public:
  Caster(OpBuilder &b, Location loc, CastRules rules) : b(b), loc(loc), rules(rules) {}

  Number decode(Value x, int32_t elem);
  Value encode(Number x, int32_t elem);

private:
  /// As f32; with `odd` a double is rounded to odd.
  Value toFloat(Number x, bool odd = false);
  Value toDouble(Number x);
  Value toBool(Number x);
  /// Of `bits` bits; what does not fit wraps.
  Value toInteger(Number x, unsigned bits, bool isUnsigned);
  Value resized(Value x, unsigned bits, bool isUnsigned);

  OpBuilder &b;
  Location loc;
  CastRules rules;
};

Number Caster::decode(Value x, int32_t elem) {
  if (auto format = smallFloat(elem))
    return {decodeSmallFloat(b, loc, x, *format), TensorProto::FLOAT};
  if (auto type = smallInt(elem))
    return {decodeSmallInt(b, loc, x, *type), TensorProto::INT32};
  if (elem == TensorProto::FLOAT8E8M0)
    return {decodePowerOfTwo(b, loc, x), TensorProto::FLOAT};
  if (elem == TensorProto::FLOAT16 || elem == TensorProto::BFLOAT16)
    return {arith::ExtFOp::create(b, loc, b.getF32Type(), x), TensorProto::FLOAT};
  return {x, elem};
}

Value Caster::encode(Number x, int32_t elem) {
  if (auto format = smallFloat(elem))
    return encodeSmallFloat(b, loc, toFloat(x), *format, rules.saturate);
  if (auto type = smallInt(elem))
    return encodeSmallInt(b, loc, toInteger(x, 32, false), *type);
  switch (elem) {
  case TensorProto::FLOAT8E8M0:
    return encodePowerOfTwo(b, loc, toFloat(x), rules);
  case TensorProto::FLOAT16:
    return arith::TruncFOp::create(b, loc, b.getF16Type(), toFloat(x, /*odd=*/true));
  case TensorProto::BFLOAT16:
    return floatToBFloat16(b, loc, toFloat(x));
  case TensorProto::FLOAT:
    return toFloat(x);
  case TensorProto::DOUBLE:
    return toDouble(x);
  case TensorProto::BOOL:
    return toBool(x);
  default:
    return toInteger(x, elemInfo(elem).bytes * 8, elemInfo(elem).kind == ElemClass::Unsigned);
  }
}

Value Caster::toFloat(Number x, bool odd) {
  if (x.elem == TensorProto::FLOAT)
    return x.value;
  if (x.elem == TensorProto::DOUBLE)
    return doubleToFloat(b, loc, x.value, odd);
  return x.isUnsigned() ? arith::UIToFPOp::create(b, loc, b.getF32Type(), x.value).getResult()
                        : arith::SIToFPOp::create(b, loc, b.getF32Type(), x.value).getResult();
}

Value Caster::toDouble(Number x) {
  if (x.elem == TensorProto::DOUBLE)
    return x.value;
  if (x.elem == TensorProto::FLOAT)
    return floatToDouble(b, loc, x.value);
  return integerToDouble(b, loc, resized(x.value, 64, x.isUnsigned()),
                         x.kind() == ElemClass::Signed);
}

Value Caster::toBool(Number x) {
  if (x.elem == TensorProto::BOOL)
    return x.value;
  // All but the sign counts: the machine takes f32 denormals for zero.
  Value bits = x.value;
  BodyInts i(b, loc, bits.getType().getIntOrFloatBitWidth());
  if (x.elem == TensorProto::FLOAT)
    bits = i.bitcast(i.type(), bits);
  if (x.kind() == ElemClass::Float)
    bits = i.shiftLeft(bits, 1);
  return i.notEqual(bits, 0);
}

Value Caster::toInteger(Number x, unsigned bits, bool isUnsigned) {
  Type type = b.getIntegerType(bits);
  if (x.elem == TensorProto::DOUBLE)
    return resized(doubleToInteger(b, loc, x.value), bits, isUnsigned);
  if (x.elem == TensorProto::FLOAT)
    return isUnsigned ? arith::FPToUIOp::create(b, loc, type, x.value).getResult()
                      : arith::FPToSIOp::create(b, loc, type, x.value).getResult();
  return resized(x.value, bits, x.isUnsigned());
}

Value Caster::resized(Value x, unsigned bits, bool isUnsigned) {
  Type type = b.getIntegerType(bits);
  const unsigned from = x.getType().getIntOrFloatBitWidth();
  if (from == bits)
    return x;
  if (from > bits)
    return arith::TruncIOp::create(b, loc, type, x);
  return isUnsigned ? arith::ExtUIOp::create(b, loc, type, x).getResult()
                    : arith::ExtSIOp::create(b, loc, type, x).getResult();
}

} // namespace

Value castScalar(OpBuilder &b, Location loc, Value x, int32_t from, int32_t to, CastRules rules) {
  if (from == to)
    return x;
  Caster caster(b, loc, rules);
  return caster.encode(caster.decode(x, from), to);
}

} // namespace mlir::dojo::onnximport
