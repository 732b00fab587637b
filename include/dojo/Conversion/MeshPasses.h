// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes from the layer form to node programs.

#ifndef DOJO_CONVERSION_MESHPASSES_H
#define DOJO_CONVERSION_MESHPASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::dojo {

#define GEN_PASS_DECL
#include "dojo/Conversion/MeshPasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "dojo/Conversion/MeshPasses.h.inc"

} // namespace mlir::dojo

#endif // DOJO_CONVERSION_MESHPASSES_H
