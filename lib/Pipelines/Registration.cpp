// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Pipelines/Registration.h"

#include "dialects/D1/D1Dialect.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Conversion/KernelPasses.h"
#include "dojo/Conversion/MeshPasses.h"
#include "dojo/Golden/Passes.h"
#include "dojo/Pipelines/Pipelines.h"
#include "dojo/Transforms/Passes.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"

void mlir::dojo::registerDialects(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registry.insert<DojoDialect, d1::D1Dialect>();
}

void mlir::dojo::registerPasses() {
  registerAllPasses();
  registerTransformsPasses();
  registerGoldenPasses();
  registerGoldenPipelines();
  registerDojoKernelPasses();
  registerLayerPipeline();
  registerMeshPasses();
  registerPipelines();
}
