// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on doubles by operations on their bits, i64 in a body: the machine has no double. All
// results are IEEE 754's, rounded to nearest even, with denormals; every NaN result is the quiet
// one without a sign.

#ifndef DOJO_LIB_IMPORT_ONNX_SOFTDOUBLE_H
#define DOJO_LIB_IMPORT_ONNX_SOFTDOUBLE_H

#include "BodyInts.h"

namespace mlir::dojo::onnximport {

class SoftDouble {
public:
  SoftDouble(OpBuilder &b, Location loc) : i(b, loc, 64) {}

  static bool isDouble(Value value, ElemClass kind) {
    return kind == ElemClass::Float && value.getType().isInteger(64);
  }
  static TypedAttr attribute(MLIRContext *context, double value);

  Value add(Value x, Value y);
  Value sub(Value x, Value y) { return add(x, neg(y)); }
  Value mul(Value x, Value y);
  Value neg(Value x);
  Value abs(Value x);
  /// NaN if either is; -0 is less than +0.
  Value min(Value x, Value y) { return extreme(x, y, /*greatest=*/false); }
  Value max(Value x, Value y) { return extreme(x, y, /*greatest=*/true); }
  /// Ordered comparison.
  Value less(Value x, Value y);
  Value lessOrEqual(Value x, Value y);
  Value equal(Value x, Value y);
  Value isNaN(Value x);

private:
  /// A number under way: significand * 2^(exponent - 1084), the significand below 2^63.
  struct Parts {
    Value significand, exponent;
  };
  Parts unpack(Value magnitude);
  /// Both as far to the left as `top` and, if set, an exponent of 1 allow.
  Parts normalise(Parts p, int64_t top, bool keepsDenormal);
  /// x / 2^by, the last bit set if anything is lost.
  Value shiftSticky(Value x, Value by);
  /// The magnitude's bits, rounded.
  Value pack(Parts p);
  /// Integers in the order of the doubles.
  Value key(Value x);
  Value withoutSignOfZero(Value x);
  Value extreme(Value x, Value y, bool greatest);
  Value both(Value x, Value y) { return i.bitAnd(x, y); }
  Value numbers(Value x, Value y);

  BodyInts i;
};

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_SOFTDOUBLE_H
