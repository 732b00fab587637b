// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes and pipeline of the golden path.

#ifndef DOJO_GOLDEN_PASSES_H
#define DOJO_GOLDEN_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::dojo {

#define GEN_PASS_DECL
#include "dojo/Golden/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dojo/Golden/Passes.h.inc"

/// Adds the passes from a module without weights, see dojo-hoist-weights, to the LLVM dialect with
/// bare pointers for tensors, results being arguments after the others.
void buildLowerToCpuPipeline(OpPassManager &pm);

/// Registers the pipeline dojo-lower-to-cpu: dojo-hoist-weights and buildLowerToCpuPipeline.
void registerGoldenPipelines();

} // namespace mlir::dojo

#endif // DOJO_GOLDEN_PASSES_H
