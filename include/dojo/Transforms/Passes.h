// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes from the import form to the layer form.

#ifndef DOJO_TRANSFORMS_PASSES_H
#define DOJO_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::dojo {

#define GEN_PASS_DECL
#include "dojo/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dojo/Transforms/Passes.h.inc"

} // namespace mlir::dojo

#endif // DOJO_TRANSFORMS_PASSES_H
