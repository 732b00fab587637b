// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the passes below the mesh form rely on and no verifier of a single op sees: that ops name
// layers, buffers and nodes that exist, and stay inside of them.

#ifndef DOJO_CONVERSION_MESH_VERIFYMESH_H
#define DOJO_CONVERSION_MESH_VERIFYMESH_H

#include "dojo/Target/Target.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::dojo {

/// An error on the op at fault, or on the module.
LogicalResult verifyMesh(ModuleOp module, const ::dojo::Target &machine);

} // namespace mlir::dojo

#endif // DOJO_CONVERSION_MESH_VERIFYMESH_H
