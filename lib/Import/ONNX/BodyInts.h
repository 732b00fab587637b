// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer bit operations inside a body, in few words.

#ifndef DOJO_LIB_IMPORT_ONNX_BODYINTS_H
#define DOJO_LIB_IMPORT_ONNX_BODYINTS_H

#include "Build.h"

namespace mlir::dojo::onnximport {

/// Operations on integers of one width. Numbers stand for constants of that width.
class BodyInts {
public:
  BodyInts(OpBuilder &b, Location loc, unsigned bits) : b(b), loc(loc), bits(bits) {}

  Type type() const { return b.getIntegerType(bits); }
  Value constant(int64_t value) {
    return arith::ConstantOp::create(b, loc, scalarAttr(type(), value));
  }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value add(Value x, int64_t y) { return add(x, constant(y)); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulIOp::create(b, loc, x, y); }
  Value bitAnd(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
  Value bitAnd(Value x, int64_t y) { return bitAnd(x, constant(y)); }
  Value bitOr(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value bitOr(Value x, int64_t y) { return bitOr(x, constant(y)); }
  Value bitXor(Value x, Value y) { return arith::XOrIOp::create(b, loc, x, y); }
  Value shiftLeft(Value x, Value y) { return arith::ShLIOp::create(b, loc, x, y); }
  Value shiftLeft(Value x, int64_t y) { return shiftLeft(x, constant(y)); }
  Value shiftRight(Value x, Value y) { return arith::ShRUIOp::create(b, loc, x, y); }
  Value shiftRight(Value x, int64_t y) { return shiftRight(x, constant(y)); }
  Value shiftRightSigned(Value x, int64_t y) {
    return arith::ShRSIOp::create(b, loc, x, constant(y));
  }
  Value min(Value x, Value y) { return arith::MinSIOp::create(b, loc, x, y); }
  Value min(Value x, int64_t y) { return min(x, constant(y)); }
  Value max(Value x, Value y) { return arith::MaxSIOp::create(b, loc, x, y); }
  Value max(Value x, int64_t y) { return max(x, constant(y)); }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  Value select(Value condition, int64_t x, Value y) { return select(condition, constant(x), y); }
  Value less(Value x, Value y) { return compare(arith::CmpIPredicate::slt, x, y); }
  Value less(Value x, int64_t y) { return less(x, constant(y)); }
  Value greater(Value x, int64_t y) { return compare(arith::CmpIPredicate::sgt, x, constant(y)); }
  Value equal(Value x, int64_t y) { return compare(arith::CmpIPredicate::eq, x, constant(y)); }
  Value notEqual(Value x, int64_t y) { return compare(arith::CmpIPredicate::ne, x, constant(y)); }
  /// 1 where `condition` holds.
  Value flag(Value condition) { return arith::ExtUIOp::create(b, loc, type(), condition); }
  Value zeroExtend(Value x) {
    return x.getType() == type() ? x : arith::ExtUIOp::create(b, loc, type(), x).getResult();
  }
  Value truncate(Value x, unsigned to) {
    return arith::TruncIOp::create(b, loc, b.getIntegerType(to), x);
  }
  Value bitcast(Type to, Value x) { return arith::BitcastOp::create(b, loc, to, x); }
  /// x / 2^by to the nearest integer, ties to even; 0 < by, no overflow, x not negative.
  Value roundedShift(Value x, Value by) {
    Value half = add(shiftLeft(constant(1), add(by, -1)), -1);
    Value odd = bitAnd(shiftRight(x, by), 1);
    return shiftRight(add(add(x, half), odd), by);
  }
  Value roundedShift(Value x, int64_t by) {
    Value odd = bitAnd(shiftRight(x, by), 1);
    return shiftRight(add(add(x, (int64_t(1) << (by - 1)) - 1), odd), by);
  }

  OpBuilder &b;
  Location loc;

private:
  Value compare(arith::CmpIPredicate predicate, Value x, Value y) {
    return arith::CmpIOp::create(b, loc, predicate, x, y);
  }
  unsigned bits;
};

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_BODYINTS_H
