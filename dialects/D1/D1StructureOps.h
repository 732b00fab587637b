// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs, loops and labels of the d1 dialect.

#ifndef DOJO_DIALECTS_D1_D1STRUCTUREOPS_H
#define DOJO_DIALECTS_D1_D1STRUCTUREOPS_H

#include "dialects/D1/D1Dialect.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "dialects/D1/D1StructureOps.h.inc"

#endif // DOJO_DIALECTS_D1_D1STRUCTUREOPS_H
