// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Formats of a byte or less: how their codes become f32 and back inside a body. Everything is done
// on 32-bit integers, or by f32 operations that are exact and have no denormal operand, since the
// machine takes those as zero.
//
//   format            layout   codes without a number      source
//   float8e4m3fn      1-4-3    all ones: NaN               Micikevicius et al. 2022 (OCP FP8)
//   float8e5m2        1-5-2    as IEEE                     the same
//   float8e4m3fnuz    1-4-3    0x80: NaN; no -0            Noune et al. 2022
//   float8e5m2fnuz    1-5-2    0x80: NaN; no -0            the same
//   float6e2m3, e3m2  1-2-3    none                        OCP Microscaling 1.0
//   float4e2m1        1-2-1    none                        the same
//   float8e8m0        0-8-0    0xff: NaN; powers of two    the same

#ifndef DOJO_LIB_IMPORT_ONNX_FORMATS_H
#define DOJO_LIB_IMPORT_ONNX_FORMATS_H

#include "Build.h"

namespace mlir::dojo::onnximport {

/// A binary float of at most 8 bits with a sign.
struct SmallFloat {
  int exponentBits, mantissaBits, bias;
  /// How the top of the range is used: as IEEE does; a NaN in the last code; the code of -0 as the
  /// only NaN; or numbers throughout.
  enum Top { Ieee, LastNaN, ZeroNaN, Numbers } top;

  unsigned signBit() const { return 1u << (exponentBits + mantissaBits); }
  unsigned maxFinite() const;
  /// Codes without sign; infinity is nan where there is none. Meaningless for Numbers.
  unsigned nan() const, infinity() const;
};
/// The format of an ONNX type, or nothing if it is none of these.
std::optional<SmallFloat> smallFloat(int32_t elem);

/// An integer type of 2 or 4 bits.
struct SmallInt {
  unsigned bits;
  bool isSigned;
};
std::optional<SmallInt> smallInt(int32_t elem);

/// The f32 that the i8 `code` stands for; exact.
Value decodeSmallFloat(OpBuilder &b, Location loc, Value code, const SmallFloat &format);
/// The i8 code nearest to the f32 `x`, ties to even. Beyond the greatest number it is that if
/// `saturate` is set, also for infinities, else infinity or NaN where the format has one.
Value encodeSmallFloat(OpBuilder &b, Location loc, Value x, const SmallFloat &format,
                       bool saturate);

/// 2^(code - 127), NaN for 255.
Value decodePowerOfTwo(OpBuilder &b, Location loc, Value code);
/// The magnitude of `x` rounded as `rules` say. What lies outside 2^-127..2^127, zero and infinity
/// included, becomes the nearest of them if they saturate, else NaN.
Value encodePowerOfTwo(OpBuilder &b, Location loc, Value x, CastRules rules);

/// The number as i32, and its low bits as a code.
Value decodeSmallInt(OpBuilder &b, Location loc, Value code, SmallInt type);
Value encodeSmallInt(OpBuilder &b, Location loc, Value x, SmallInt type);

/// The f32 nearest to the double with the bits `x`, ties to even; with `odd` rounded to odd (Boldo
/// and Melquiond, 2008), so that rounding it again to fewer bits is rounding once.
Value doubleToFloat(OpBuilder &b, Location loc, Value x, bool odd);
Value floatToDouble(OpBuilder &b, Location loc, Value x);
/// Of an i64, nearest even.
Value integerToDouble(OpBuilder &b, Location loc, Value x, bool isSigned);
/// The low 64 bits of the whole part.
Value doubleToInteger(OpBuilder &b, Location loc, Value x);

/// The bf16 nearest to the f32 `x`, denormals included.
Value floatToBFloat16(OpBuilder &b, Location loc, Value x);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_FORMATS_H
