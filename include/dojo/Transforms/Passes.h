// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes from the import form to the layer form.

#ifndef DOJO_TRANSFORMS_PASSES_H
#define DOJO_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class OpPassManager;
}

namespace mlir::dojo {

/// Type of the operands of matrix products, and of tensors in memory.
enum class Precision { BF16, FP32 };

#define GEN_PASS_DECL
#include "dojo/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dojo/Transforms/Passes.h.inc"

struct LayerPipelineOptions {
  Precision precision = Precision::BF16;
  Precision store = Precision::BF16;
  /// Fuse elementwise ops with each other and with the products before them.
  bool fuse = true;
};

/// Adds the passes that bring the functions of a module from the import form to the layer form.
void buildLayerPipeline(OpPassManager &manager, const LayerPipelineOptions &options);

/// Registers the same as `dojo-to-layers`.
void registerLayerPipeline();

} // namespace mlir::dojo

#endif // DOJO_TRANSFORMS_PASSES_H
