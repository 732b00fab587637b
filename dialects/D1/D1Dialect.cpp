// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/D1/D1Dialect.h"
#include "dialects/D1/D1Ops.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/TypeSwitch.h"

#include "dialects/D1/D1Dialect.cpp.inc"
#include "dialects/D1/D1Enums.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/D1/D1Types.cpp.inc"

namespace mlir::d1 {

void D1Dialect::initialize() {
  registerTypes();
  registerD1DialectOperations(this);
  registerStructureOps();
}

void D1Dialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/D1/D1Types.cpp.inc"
      >();
}

static LogicalResult verifyIndex(function_ref<InFlightDiagnostic()> emitError, int index,
                                 int numRegisters) {
  if (index >= -1 && index < numRegisters)
    return success();
  return emitError() << "register index " << index << " is not in 0 to " << numRegisters - 1;
}

LogicalResult XType::verify(function_ref<InFlightDiagnostic()> emitError, int index) {
  return verifyIndex(emitError, index, numRegisters);
}

LogicalResult VType::verify(function_ref<InFlightDiagnostic()> emitError, int index) {
  return verifyIndex(emitError, index, numRegisters);
}

LogicalResult MType::verify(function_ref<InFlightDiagnostic()> emitError, int index) {
  return verifyIndex(emitError, index, numRegisters);
}

int getRegisterIndex(Type type) {
  return TypeSwitch<Type, int>(type)
      .Case<XType, VType, MType>([](auto reg) { return reg.getIndex(); })
      .Default(-1);
}

Type withRegisterIndex(Type type, int index) {
  return TypeSwitch<Type, Type>(type)
      .Case<XType, VType, MType>(
          [&](auto reg) { return decltype(reg)::get(reg.getContext(), index); })
      .Default(type);
}

} // namespace mlir::d1
