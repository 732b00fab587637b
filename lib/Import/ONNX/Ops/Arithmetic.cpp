// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise arithmetic, comparison and logic with broadcasting.

#include "../Lowering.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// The dimensions of the result: multidirectional broadcast of all operands. Nothing if they do
/// not fit, or if an old version of the op broadcasts in its own way.
std::optional<Dims> resultDims(Lowering &l) {
  Dims dims;
  for (unsigned i = 0; i < l.node.inputs.size(); ++i) {
    auto next = broadcastDims(dims, l.node.dims(i));
    if (!next)
      return std::nullopt;
    dims = *next;
  }
  return dims;
}

/// Before opset 7 the second operand has the dimensions from `axis` on, if `broadcast` is set.
LogicalResult oldBroadcast(Lowering &l, Operand &second) {
  const int64_t rank = l.node.rank(0), own = l.node.rank(1);
  if (l.node.dims(0) == l.node.dims(1))
    return success();
  if (!l.node.intAttr("broadcast", 0))
    return l.fail("the operands have different dimensions, and broadcast is not set");
  // A scalar may stand behind the last dimension.
  auto axis = normaliseAxis(l.node.intAttr("axis", rank - own), rank + (own == 0));
  if (!axis || *axis + own > rank)
    return l.fail("axis does not fit the operands");
  SmallVector<AffineExpr> exprs;
  for (int64_t d = 0; d < own; ++d) {
    if (l.node.dims(1)[d] != 1 && l.node.dims(1)[d] != l.node.dims(0)[*axis + d])
      return l.fail("the operands do not broadcast to each other");
    exprs.push_back(l.node.dims(1)[d] == 1 ? l.b.getAffineConstantExpr(0)
                                           : l.b.getAffineDimExpr(*axis + d));
  }
  second = {l.in(1), AffineMap::get(rank, 0, exprs, l.b.getContext()), {}};
  return success();
}

using BinaryFn = Value (*)(Scalars &, Value, Value);

/// A binary op whose operands have one type; the result has it too, or is bool.
template <BinaryFn fn> LogicalResult binary(Lowering &l) {
  const bool old = l.node.since < 7;
  auto dims = old ? std::optional(Dims(l.node.dims(0))) : resultDims(l);
  if (!dims)
    return l.fail("the operands do not broadcast to each other");
  Operand second;
  if (old && failed(oldBroadcast(l, second)))
    return failure();
  SmallVector<Operand> operands{l.operand(0, *dims)};
  operands.push_back(second.tensor ? second : l.operand(1, *dims));
  const ElemClass kind = l.node.info(0).kind;
  return l.set(l.b.elementwise(*dims, l.resultElement(), operands,
                               [&](OpBuilder &b, Location loc, ValueRange v) {
                                 Scalars s(b, loc, kind);
                                 return fn(s, v[0], v[1]);
                               }));
}

Value add(Scalars &s, Value x, Value y) { return s.add(x, y); }
Value sub(Scalars &s, Value x, Value y) { return s.sub(x, y); }
Value mul(Scalars &s, Value x, Value y) { return s.mul(x, y); }
Value div(Scalars &s, Value x, Value y) { return s.div(x, y); }
Value equal(Scalars &s, Value x, Value y) { return s.equal(x, y); }
Value less(Scalars &s, Value x, Value y) { return s.less(x, y); }
Value lessOrEqual(Scalars &s, Value x, Value y) { return s.lessOrEqual(x, y); }
Value greater(Scalars &s, Value x, Value y) { return s.less(y, x); }
Value greaterOrEqual(Scalars &s, Value x, Value y) { return s.lessOrEqual(y, x); }
Value logicalAnd(Scalars &s, Value x, Value y) { return arith::AndIOp::create(s.b, s.loc, x, y); }
Value logicalOr(Scalars &s, Value x, Value y) { return arith::OrIOp::create(s.b, s.loc, x, y); }
Value logicalXor(Scalars &s, Value x, Value y) { return arith::XOrIOp::create(s.b, s.loc, x, y); }

Value integerMod(Scalars &s, Value x, Value y) {
  if (s.isUnsigned())
    return arith::RemUIOp::create(s.b, s.loc, x, y);
  // The result has the divisor's sign, as in Python.
  Value rem = arith::RemSIOp::create(s.b, s.loc, x, y);
  Value zero = s.constant(x.getType(), 0);
  Value differs = arith::CmpIOp::create(s.b, s.loc, arith::CmpIPredicate::slt,
                                        arith::XOrIOp::create(s.b, s.loc, rem, y), zero);
  Value nonzero = arith::CmpIOp::create(s.b, s.loc, arith::CmpIPredicate::ne, rem, zero);
  return s.select(arith::AndIOp::create(s.b, s.loc, differs, nonzero), s.add(rem, y), rem);
}

Value truncatedMod(Scalars &s, Value x, Value y) {
  if (s.isFloat())
    return s.rem(x, y);
  return s.isUnsigned() ? arith::RemUIOp::create(s.b, s.loc, x, y).getResult()
                        : arith::RemSIOp::create(s.b, s.loc, x, y).getResult();
}

/// The remainder with the divisor's sign, as in Python; so has a remainder of zero.
Value floorMod(Scalars &s, Value x, Value y) {
  if (!s.isFloat())
    return integerMod(s, x, y);
  Value rem = s.rem(x, y);
  Value zero = s.constant(x.getType(), 0);
  Value differs = arith::XOrIOp::create(s.b, s.loc, s.less(rem, zero), s.less(y, zero));
  Value moved = s.select(differs, s.add(rem, y), rem);
  return s.select(s.equal(rem, zero), s.copySign(zero, y), moved);
}

LogicalResult mod(Lowering &l) {
  return l.node.intAttr("fmod", 0) ? binary<truncatedMod>(l) : binary<floorMod>(l);
}

/// x to a power known at compile time by products and roots; null if there is no short way.
Value constantPower(Scalars &s, Value x, double exponent) {
  if (exponent == 1)
    return x;
  if (exponent == 2)
    return s.mul(x, x);
  if (exponent == 3)
    return s.mul(s.mul(x, x), x);
  if (exponent == 4) {
    Value square = s.mul(x, x);
    return s.mul(square, square);
  }
  if (exponent == 0.5 && s.isFloat())
    return s.math<math::SqrtOp>(x);
  if (exponent == -1 && s.isFloat())
    return s.div(s.constant(x.getType(), 1), x);
  if (exponent == -0.5 && s.isFloat())
    return s.math<math::RsqrtOp>(x);
  return {};
}

/// An integer to an integer power, modulo the type; what a negative power leaves of 1 / x is cut to
/// an integer too. By squares: where the exponent has more bits than are looked at, no power but
/// those of -1, 0 and 1 fits the type.
Value integerPower(Scalars &s, Value x, Value exponent) {
  Type type = x.getType();
  Value zero = s.constant(type, 0), one = s.constant(type, 1);
  Value parity = arith::AndIOp::create(s.b, s.loc, exponent, one);
  Value odd = s.equal(parity, one);
  const unsigned bits = type.getIntOrFloatBitWidth() <= 32 ? 5 : 6;
  Value most = s.constant(type, double((1 << bits) - 2));
  Value rest = s.select(s.less(most, exponent), s.add(most, parity), exponent);
  Value result = one, square = x;
  for (unsigned bit = 0; bit < bits; ++bit) {
    Value digit = arith::AndIOp::create(s.b, s.loc, rest, s.constant(type, double(1 << bit)));
    result = s.select(s.equal(digit, zero), result, s.mul(result, square));
    square = s.mul(square, square);
  }
  if (s.isUnsigned())
    return result;
  Value minusOne = s.constant(type, -1);
  Value inverse = s.select(s.equal(x, minusOne), s.select(odd, minusOne, one),
                           s.select(s.equal(x, one), one, zero));
  return s.select(s.less(exponent, zero), inverse, result);
}

/// An integer to the power of a float, cut to an integer. Whole powers are exact; of others, whose
/// value comes from single precision, one next to an integer counts as that integer.
Value mixedPower(Scalars &s, Value x, int32_t base, Value y, int32_t exponent) {
  OpBuilder &b = s.b;
  Scalars f(b, s.loc, ElemClass::Float);
  Type type = y.getType();
  Value limit = f.constant(type, double(1 << 20));
  Value bounded = f.max(f.min(y, limit), f.neg(limit));
  Value whole = f.math<math::FloorOp>(y);
  Value exact = integerPower(s, x, castScalar(b, s.loc, bounded, exponent, base));
  Value power = math::PowFOp::create(b, s.loc, castScalar(b, s.loc, x, base, exponent), y);
  Value nearest = f.math<math::RoundEvenOp>(power);
  Value close =
      f.lessOrEqual(f.abs(f.sub(power, nearest)), f.mul(f.abs(power), f.constant(type, 0x1p-20)));
  Value cut = castScalar(b, s.loc, f.select(close, nearest, power), exponent, base);
  return s.select(f.equal(whole, y), exact, cut);
}

LogicalResult pow(Lowering &l) {
  if (l.node.since < 7)
    return binary<[](Scalars &s, Value x, Value y) -> Value {
      return math::PowFOp::create(s.b, s.loc, x, y, arith::FastMathFlags::contract);
    }>(l);
  auto dims = resultDims(l);
  if (!dims)
    return l.fail("the operands do not broadcast to each other");
  const int32_t base = l.node.elem(0), exponent = l.node.elem(1);
  const ElemClass kind = l.node.info(0).kind;
  const Constant *constant = l.node.constant(1);
  const bool isSplat = constant && constant->isSplat();
  SmallVector<Operand> operands{l.operand(0, *dims), l.operand(1, *dims)};
  return l.set(l.b.elementwise(
      *dims, l.resultElement(), operands, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Scalars s(b, loc, kind);
        if (isSplat)
          if (Value power = constantPower(s, v[0], constant->asDouble(0)))
            return power;
        if (kind == ElemClass::Float)
          return math::PowFOp::create(b, loc, v[0], castScalar(b, loc, v[1], exponent, base),
                                      arith::FastMathFlags::contract);
        if (l.node.info(1).kind == ElemClass::Float)
          return mixedPower(s, v[0], base, v[1], exponent);
        return integerPower(s, v[0], castScalar(b, loc, v[1], exponent, base));
      }));
}

/// Operands of one elementwise op: a kernel takes its operands in registers.
constexpr size_t operandsAtOnce = 8;

/// Sum, Mean, Min, Max of any number of operands, combined in order.
template <BinaryFn fn, bool mean = false> LogicalResult variadic(Lowering &l) {
  auto dims = resultDims(l);
  if (!dims)
    return l.fail("the operands do not broadcast to each other");
  SmallVector<Operand> operands;
  for (unsigned i = 0; i < l.node.inputs.size(); ++i) {
    if (!l.node.has(i))
      return l.fail("an operand is missing");
    operands.push_back(l.operand(i, *dims));
  }
  const ElemClass kind = l.node.info(0).kind;
  const double count = operands.size();
  while (true) {
    const size_t taken = std::min(operands.size(), operandsAtOnce);
    const bool last = taken == operands.size();
    Value combined = l.b.elementwise(*dims, l.resultElement(), ArrayRef(operands).take_front(taken),
                                     [&](OpBuilder &b, Location loc, ValueRange v) {
                                       Scalars s(b, loc, kind);
                                       Value result = v[0];
                                       for (Value operand : v.drop_front().drop_back())
                                         result = fn(s, result, operand);
                                       if (mean && last)
                                         result =
                                             s.div(result, s.constant(result.getType(), count));
                                       return result;
                                     });
    if (last)
      return l.set(combined);
    operands.erase(operands.begin(), operands.begin() + taken - 1);
    operands.front() = l.b.broadcast(combined, *dims);
  }
}

Value min(Scalars &s, Value x, Value y) { return s.min(x, y); }
Value max(Scalars &s, Value x, Value y) { return s.max(x, y); }

LogicalResult where(Lowering &l) {
  auto dims = resultDims(l);
  if (!dims)
    return l.fail("the operands do not broadcast to each other");
  SmallVector<Operand> operands{l.operand(0, *dims), l.operand(1, *dims), l.operand(2, *dims)};
  return l.set(l.b.elementwise(*dims, l.resultElement(), operands,
                               [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                                 return arith::SelectOp::create(b, loc, v[0], v[1], v[2]);
                               }));
}

LogicalResult logicalNot(Lowering &l) {
  ArrayRef<int64_t> dims = l.node.dims(0);
  return l.set(l.b.elementwise(dims, l.resultElement(), l.operand(0, dims),
                               [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                                 Value one = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
                                 return arith::XOrIOp::create(b, loc, v[0], one);
                               }));
}

} // namespace

ArrayRef<OpEntry> arithmeticOps() {
  static const OpEntry entries[] = {
      {"Add", 1, 14, binary<add>},
      {"Sub", 1, 14, binary<sub>},
      {"Mul", 1, 14, binary<mul>},
      {"Div", 1, 14, binary<div>},
      {"Mod", 10, 28, mod},
      {"Pow", 1, 15, pow},
      {"Sum", 1, 13, variadic<add>},
      {"Mean", 1, 13, variadic<add, true>},
      {"Min", 1, 13, variadic<min>},
      {"Max", 1, 13, variadic<max>},
      {"Equal", 1, 19, binary<equal>},
      {"Less", 1, 13, binary<less>},
      {"LessOrEqual", 12, 16, binary<lessOrEqual>},
      {"Greater", 1, 13, binary<greater>},
      {"GreaterOrEqual", 12, 16, binary<greaterOrEqual>},
      {"And", 1, 7, binary<logicalAnd>},
      {"Or", 1, 7, binary<logicalOr>},
      {"Xor", 1, 7, binary<logicalXor>},
      {"Not", 1, 1, logicalNot},
      {"Where", 9, 16, where},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
