// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dojo dialect: layers, placement, mesh. See docs/dialects/dojo.md (generated).

#ifndef DIALECTS_DOJO_DOJODIALECT_H
#define DIALECTS_DOJO_DOJODIALECT_H

#include "dojo/Support/Transform.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Dojo/DojoDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Dojo/DojoAttrs.h.inc"

#define GET_OP_CLASSES
#include "dialects/Dojo/DojoOps.h.inc"

#define GET_OP_CLASSES
#include "dialects/Dojo/DojoMeshOps.h.inc"

namespace mlir::dojo {

/// The element type as the IR-free libraries know it; nothing for types that no array in memory
/// has. Signless integers count as signed, i1 as one byte.
std::optional<::dojo::ElementType> getElementType(Type type);

/// The MLIR type of an element type.
Type getType(MLIRContext *context, ::dojo::ElementType type);

/// The array type of a ranked tensor; nothing if its element type has none.
std::optional<::dojo::ArrayType> getArrayType(RankedTensorType type);

} // namespace mlir::dojo

#endif // DIALECTS_DOJO_DOJODIALECT_H
