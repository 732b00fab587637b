// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bits of integers.

#include "../Lowering.h"

using namespace llvm;

namespace mlir::dojo::onnximport {
namespace {

using BitFn = Value (*)(Lowering &, Scalars &, Value, Value);

/// An op on two integer tensors that broadcast to each other.
template <BitFn fn> LogicalResult bitwise(Lowering &l) {
  auto dims = broadcastDims(l.node.dims(0), l.node.dims(1));
  if (!dims)
    return l.fail("the operands do not broadcast to each other");
  const ElemClass kind = l.node.info(0).kind;
  return l.set(l.b.elementwise(*dims, l.resultElement(), {l.operand(0, *dims), l.operand(1, *dims)},
                               [&](OpBuilder &b, Location loc, ValueRange v) {
                                 Scalars s(b, loc, kind);
                                 return fn(l, s, v[0], v[1]);
                               }));
}

template <typename Op> Value viaArith(Lowering &, Scalars &s, Value x, Value y) {
  return Op::create(s.b, s.loc, x, y);
}

/// By as many bits as the type has, or by a negative number, everything is shifted out: what is
/// left is zero, or the sign of a signed number shifted right.
Value shift(Lowering &l, Scalars &s, Value x, Value y) {
  Type type = x.getType();
  const double bits = type.getIntOrFloatBitWidth();
  const bool right = l.node.stringAttr("direction", "") == "RIGHT";
  Value zero = s.constant(type, 0), last = s.constant(type, bits - 1);
  // As unsigned numbers the negative ones are the largest.
  Value inside = arith::CmpIOp::create(s.b, s.loc, arith::CmpIPredicate::ule, y, last);
  if (right && !s.isUnsigned())
    return arith::ShRSIOp::create(s.b, s.loc, x, s.select(inside, y, last));
  Value amount = s.select(inside, y, zero);
  Value shifted = right ? arith::ShRUIOp::create(s.b, s.loc, x, amount).getResult()
                        : arith::ShLIOp::create(s.b, s.loc, x, amount).getResult();
  return s.select(inside, shifted, zero);
}

LogicalResult bitShift(Lowering &l) {
  StringRef direction = l.node.stringAttr("direction", "");
  if (direction != "LEFT" && direction != "RIGHT")
    return l.fail("direction must be LEFT or RIGHT");
  return bitwise<shift>(l);
}

LogicalResult bitwiseNot(Lowering &l) {
  ArrayRef<int64_t> dims = l.node.dims(0);
  Type element = l.elementType(0);
  return l.set(l.b.elementwise(
      dims, element, l.operand(0, dims), [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value ones = arith::ConstantOp::create(b, loc, scalarAttr(element, int64_t(-1)));
        return arith::XOrIOp::create(b, loc, v[0], ones);
      }));
}

} // namespace

ArrayRef<OpEntry> bitwiseOps() {
  static const OpEntry entries[] = {
      {"BitShift", 11, 28, bitShift},
      {"BitwiseAnd", 18, 18, bitwise<viaArith<arith::AndIOp>>},
      {"BitwiseOr", 18, 18, bitwise<viaArith<arith::OrIOp>>},
      {"BitwiseXor", 18, 18, bitwise<viaArith<arith::XOrIOp>>},
      {"BitwiseNot", 18, 18, bitwiseNot},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
