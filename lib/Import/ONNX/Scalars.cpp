// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SoftDouble.h"
#include "llvm/ADT/StringSwitch.h"
#include <cstring>
#include <limits>

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

Type runtimeType(MLIRContext *context, int32_t elem) {
  ElemInfo info = elemInfo(elem);
  if (elem == TensorProto::FLOAT)
    return Float32Type::get(context);
  if (elem == TensorProto::FLOAT16)
    return Float16Type::get(context);
  if (elem == TensorProto::BFLOAT16)
    return BFloat16Type::get(context);
  if (elem == TensorProto::DOUBLE)
    return IntegerType::get(context, 64);
  if (info.kind == ElemClass::Bool)
    return IntegerType::get(context, 1);
  if (info.kind == ElemClass::Signed || info.kind == ElemClass::Unsigned)
    return IntegerType::get(context, info.bytes * 8);
  return info.bytes ? IntegerType::get(context, info.bytes * 8) : Type();
}

TypedAttr storedAttr(MLIRContext *context, const Constant &constant, int64_t i) {
  const ElemInfo info = elemInfo(constant.elem());
  Type type = runtimeType(context, constant.elem());
  uint64_t bits = 0;
  std::memcpy(&bits, constant.bytes().data() + i * info.bytes, info.bytes);
  if (auto floatType = dyn_cast<FloatType>(type))
    return FloatAttr::get(floatType,
                          APFloat(floatType.getFloatSemantics(), APInt(8 * info.bytes, bits)));
  return scalarAttr(type, int64_t(bits));
}

TypedAttr storedAttr(MLIRContext *context, int32_t elem, double value) {
  std::string bytes;
  appendElement(bytes, elem, value);
  return storedAttr(context, Constant({elem, {}}, std::move(bytes)), 0);
}

TypedAttr scalarAttr(Type type, double value) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return FloatAttr::get(floatType, value);
  return scalarAttr(type, int64_t(value));
}

TypedAttr scalarAttr(Type type, int64_t value) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return FloatAttr::get(floatType, double(value));
  return IntegerAttr::get(type, APInt(type.getIntOrFloatBitWidth(), uint64_t(value),
                                      /*isSigned=*/true, /*implicitTrunc=*/true));
}

TypedAttr scalarAttr(Type type, ElemClass kind, double value) {
  return kind == ElemClass::Float && type.isInteger(64)
             ? SoftDouble::attribute(type.getContext(), value)
             : scalarAttr(type, value);
}

TypedAttr extremeAttr(Type type, bool isUnsigned, bool greatest) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return FloatAttr::get(floatType,
                          APFloat::getInf(floatType.getFloatSemantics(), /*Negative=*/!greatest));
  const unsigned bits = type.getIntOrFloatBitWidth();
  if (isUnsigned)
    return IntegerAttr::get(type, greatest ? APInt::getMaxValue(bits) : APInt::getMinValue(bits));
  return IntegerAttr::get(type, greatest ? APInt::getSignedMaxValue(bits)
                                         : APInt::getSignedMinValue(bits));
}

TypedAttr extremeAttr(Type type, ElemClass kind, bool greatest) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (kind == ElemClass::Float && type.isInteger(64))
    return scalarAttr(type, kind, greatest ? infinity : -infinity);
  return extremeAttr(type, kind == ElemClass::Unsigned || kind == ElemClass::Bool, greatest);
}

arith::FastMathFlagsAttr Scalars::contract() {
  return arith::FastMathFlagsAttr::get(b.getContext(), arith::FastMathFlags::contract);
}

Value Scalars::constant(Type type, double value) {
  return arith::ConstantOp::create(b, loc, scalarAttr(type, kind, value));
}

Value Scalars::add(Value x, Value y) {
  if (isDouble(x))
    return SoftDouble(b, loc).add(x, y);
  return isFloat() ? arith::AddFOp::create(b, loc, x, y, contract()).getResult()
                   : arith::AddIOp::create(b, loc, x, y).getResult();
}

Value Scalars::sub(Value x, Value y) {
  if (isDouble(x))
    return SoftDouble(b, loc).sub(x, y);
  return isFloat() ? arith::SubFOp::create(b, loc, x, y, contract()).getResult()
                   : arith::SubIOp::create(b, loc, x, y).getResult();
}

Value Scalars::mul(Value x, Value y) {
  if (isDouble(x))
    return SoftDouble(b, loc).mul(x, y);
  return isFloat() ? arith::MulFOp::create(b, loc, x, y, contract()).getResult()
                   : arith::MulIOp::create(b, loc, x, y).getResult();
}

Value Scalars::div(Value x, Value y) {
  if (isDouble(x))
    return SoftDouble(b, loc).div(x, y);
  if (isFloat())
    return arith::DivFOp::create(b, loc, x, y, contract());
  return isUnsigned() ? arith::DivUIOp::create(b, loc, x, y).getResult()
                      : arith::DivSIOp::create(b, loc, x, y).getResult();
}

Value Scalars::min(Value x, Value y) {
  if (isDouble(x))
    return SoftDouble(b, loc).min(x, y);
  if (isFloat())
    return arith::MinimumFOp::create(b, loc, x, y, contract());
  return isUnsigned() ? arith::MinUIOp::create(b, loc, x, y).getResult()
                      : arith::MinSIOp::create(b, loc, x, y).getResult();
}

Value Scalars::max(Value x, Value y) {
  if (isDouble(x))
    return SoftDouble(b, loc).max(x, y);
  if (isFloat())
    return arith::MaximumFOp::create(b, loc, x, y, contract());
  return isUnsigned() ? arith::MaxUIOp::create(b, loc, x, y).getResult()
                      : arith::MaxSIOp::create(b, loc, x, y).getResult();
}

Value Scalars::neg(Value x) {
  if (isDouble(x))
    return SoftDouble(b, loc).neg(x);
  if (isFloat())
    return arith::NegFOp::create(b, loc, x, contract());
  return arith::SubIOp::create(b, loc, constant(x.getType(), 0), x);
}

Value Scalars::abs(Value x) {
  if (isDouble(x))
    return SoftDouble(b, loc).abs(x);
  if (isFloat())
    return math<math::AbsFOp>(x);
  if (isUnsigned())
    return x;
  return arith::MaxSIOp::create(b, loc, x, neg(x));
}

Value Scalars::rem(Value x, Value y) {
  if (isDouble(x))
    return SoftDouble(b, loc).rem(x, y);
  return arith::RemFOp::create(b, loc, x, y);
}

Value Scalars::copySign(Value x, Value y) {
  if (isDouble(x))
    return SoftDouble(b, loc).copySign(x, y);
  return math::CopySignOp::create(b, loc, x, y);
}

Value Scalars::doubleMath(StringRef op, Value x) {
  SoftDouble d(b, loc);
  using Fn = Value (*)(SoftDouble &, Value);
  Fn fn = StringSwitch<Fn>(op)
              .Case("math.absf", [](SoftDouble &d, Value x) { return d.abs(x); })
              .Case("math.ceil", [](SoftDouble &d, Value x) { return d.ceil(x); })
              .Case("math.exp", [](SoftDouble &d, Value x) { return d.exp(x); })
              .Case("math.floor", [](SoftDouble &d, Value x) { return d.floor(x); })
              .Case("math.log", [](SoftDouble &d, Value x) { return d.log(x); })
              .Case("math.roundeven", [](SoftDouble &d, Value x) { return d.roundEven(x); })
              .Case("math.sqrt", [](SoftDouble &d, Value x) { return d.sqrt(x); })
              .Default(nullptr);
  assert(fn && "takesDouble lists an op that computes what doubles lack");
  return fn(d, x);
}

Value Scalars::less(Value x, Value y) {
  if (isDouble(x))
    return SoftDouble(b, loc).less(x, y);
  if (isFloat())
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, y);
  return arith::CmpIOp::create(
      b, loc, isUnsigned() ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt, x, y);
}

Value Scalars::lessOrEqual(Value x, Value y) {
  if (isDouble(x))
    return SoftDouble(b, loc).lessOrEqual(x, y);
  if (isFloat())
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLE, x, y);
  return arith::CmpIOp::create(
      b, loc, isUnsigned() ? arith::CmpIPredicate::ule : arith::CmpIPredicate::sle, x, y);
}

Value Scalars::equal(Value x, Value y) {
  if (isDouble(x))
    return SoftDouble(b, loc).equal(x, y);
  if (isFloat())
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x, y);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, y);
}

Value Scalars::select(Value condition, Value x, Value y) {
  return arith::SelectOp::create(b, loc, condition, x, y);
}

} // namespace mlir::dojo::onnximport
