// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on doubles by operations on their bits, i64 in a body: the machine has no double. All
// results but those of exp and log are IEEE 754's, rounded to nearest even, with denormals; every
// NaN result is the quiet one without a sign.

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
  Value div(Value x, Value y);
  /// The remainder of a division whose quotient is cut to an integer, as C's fmod has it: exact.
  Value rem(Value x, Value y);
  Value sqrt(Value x);
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
  /// x with the sign of y.
  Value copySign(Value x, Value y);
  Value floor(Value x) { return integral(x, Down); }
  Value ceil(Value x) { return integral(x, Up); }
  Value roundEven(Value x) { return integral(x, Nearest); }
  /// Within 0.51 units in the last place: computed in fixed point of more bits and rounded once.
  Value exp(Value x);
  Value log(Value x);

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
  /// The same of a significand whose first bit is at kTop and any exponent: an infinity where it
  /// is too great, denormal where it is too small.
  Value packWide(Parts p);
  /// The significand of 53 bits of a magnitude that is not zero, with its exponent.
  Parts normal(Value magnitude);
  enum Direction { Down, Up, Nearest };
  Value integral(Value x, Direction direction);
  /// Integers in the order of the doubles.
  Value key(Value x);
  Value withoutSignOfZero(Value x);
  Value extreme(Value x, Value y, bool greatest);
  Value both(Value x, Value y) { return i.bitAnd(x, y); }
  Value numbers(Value x, Value y);

  static constexpr int64_t kSign = std::numeric_limits<int64_t>::min();
  static constexpr int64_t kMagnitude = std::numeric_limits<int64_t>::max();
  static constexpr int64_t kInfinity = int64_t(0x7FF) << 52, kNaN = int64_t(0xFFF) << 51;
  static constexpr int64_t kImplicitBit = int64_t(1) << 52;
  /// Bits of a significand below the last that is kept: the first says half, the others that there
  /// is more.
  static constexpr int64_t kExtraBits = 9;
  /// The place of a significand's first bit when the exponent is that of the format.
  static constexpr int64_t kTop = 52 + kExtraBits;

  BodyInts i;
};

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_SOFTDOUBLE_H
