// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::dojo;

void mlir::dojo::buildLayerPipeline(OpPassManager &manager, const LayerPipelineOptions &options) {
  OpPassManager &functions = manager.nest<func::FuncOp>();
  functions.addPass(createFormViews());
  functions.addPass(createCSEPass());
  functions.addPass(createUnflattenProducts());
  functions.addPass(createSetPrecision({options.precision, options.store}));
  if (options.fuse)
    functions.addPass(createFuseElementwise());
  AssignLayoutsOptions layouts;
  layouts.epilogues = options.fuse;
  functions.addPass(createAssignLayouts(layouts));
  functions.addPass(createCSEPass());
  functions.addPass(createFormLayers());
  // Bodies of loops whose results nobody reads.
  manager.addPass(createSymbolDCEPass());
}

namespace {
struct TextOptions : PassPipelineOptions<TextOptions> {
  Option<Precision> precision{
      *this, "precision", llvm::cl::desc("Type of the operands of matrix products"),
      llvm::cl::init(Precision::BF16),
      llvm::cl::values(clEnumValN(Precision::BF16, "bf16", "bf16, sums in fp32"),
                       clEnumValN(Precision::FP32, "fp32", "fp32"))};
  Option<Precision> store{*this, "store", llvm::cl::desc("Type of tensors between ops"),
                          llvm::cl::init(Precision::BF16),
                          llvm::cl::values(clEnumValN(Precision::BF16, "bf16", "bf16"),
                                           clEnumValN(Precision::FP32, "fp32", "fp32"))};
  Option<bool> fuse{*this, "fuse", llvm::cl::desc("Fuse elementwise ops"), llvm::cl::init(true)};
};
} // namespace

void mlir::dojo::registerLayerPipeline() {
  PassPipelineRegistration<TextOptions>(
      "dojo-to-layers", "Bring functions from the import form to the layer form",
      [](OpPassManager &manager, const TextOptions &text) {
        buildLayerPipeline(manager, {text.precision, text.store, text.fuse});
      });
}
