// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The d1 dialect, its register types and enumerations.

#ifndef DOJO_DIALECTS_D1_D1DIALECT_H
#define DOJO_DIALECTS_D1_D1DIALECT_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/Types.h"

#include "dialects/D1/D1Dialect.h.inc"

#include "dialects/D1/D1Enums.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/D1/D1Types.h.inc"

namespace mlir::d1 {

/// Index of a physical register, -1 for a virtual one or a type that is no register.
int getRegisterIndex(Type type);

/// The type of register `index` of the same file as `type` (-1: virtual).
Type withRegisterIndex(Type type, int index);

} // namespace mlir::d1

#endif // DOJO_DIALECTS_D1_D1DIALECT_H
