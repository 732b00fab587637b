// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of fp32 lanes as instruction sequences. They start from the machine's estimates, of
// which they only assume 12 correct bits and the usual results for zeros, infinities and NaN, or
// from polynomials and quotients of polynomials fitted to the least greatest relative error in
// double precision and rounded to fp32.
//
// Errors against the exact result, over normal inputs and results, in units in the last place:
//   div 1 (most quotients are correctly rounded), sqrt 1.1, rsqrt 2, exp 2, exp2 2, expm1 3, log 2,
//   log2 3, log10 3, log1p 3, tanh 5, erf 5, pow 8, sinh and cosh 8, the inverses of hyperbolic
//   functions 6, of circular ones 4; sin and cos 2e-7 absolute up to |x| = 1e4.
// Denormal inputs and results are zero, as for all instructions.

#ifndef DOJO_LIB_CONVERSION_MATHEXPANSION_H
#define DOJO_LIB_CONVERSION_MATHEXPANSION_H

#include "D1Builder.h"

namespace mlir::dojo {

Value expandDiv(D1Builder &d, Value a, Value b);
/// Remainder with the sign of a; exact while |a / b| < 2^23.
Value expandRem(D1Builder &d, Value a, Value b);
/// Maximum or minimum in which a NaN operand loses against a number.
Value expandNumber(D1Builder &d, Value a, Value b, bool maximum);
Value expandSqrt(D1Builder &d, Value a);
Value expandRsqrt(D1Builder &d, Value a);
Value expandExp(D1Builder &d, Value a);
Value expandExp2(D1Builder &d, Value a);
Value expandExpM1(D1Builder &d, Value a);
/// Logarithm to the base whose natural logarithm is 1 / `scale`; 1 for the natural one.
Value expandLog(D1Builder &d, Value a, double scale);
Value expandLog1P(D1Builder &d, Value a);
Value expandTanh(D1Builder &d, Value a);
Value expandErf(D1Builder &d, Value a);
Value expandSin(D1Builder &d, Value a);
Value expandCos(D1Builder &d, Value a);
Value expandTan(D1Builder &d, Value a);
Value expandSinh(D1Builder &d, Value a);
Value expandCosh(D1Builder &d, Value a);
Value expandAsinh(D1Builder &d, Value a);
Value expandAcosh(D1Builder &d, Value a);
Value expandAtanh(D1Builder &d, Value a);
Value expandAsin(D1Builder &d, Value a);
Value expandAcos(D1Builder &d, Value a);
Value expandAtan(D1Builder &d, Value a);
Value expandPow(D1Builder &d, Value a, Value b);
/// Nearest integer, halves away from zero.
Value expandRound(D1Builder &d, Value a);
Value expandCopySign(D1Builder &d, Value magnitude, Value sign);

} // namespace mlir::dojo

#endif // DOJO_LIB_CONVERSION_MATHEXPANSION_H
