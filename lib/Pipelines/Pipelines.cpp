// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Pipelines/Pipelines.h"

#include "dialects/D1/D1StructureOps.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Conversion/KernelPasses.h"
#include "dojo/Conversion/MeshPasses.h"
#include "dojo/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::dojo;

Level mlir::dojo::levelOf(ModuleOp module) {
  if (!module.getOps<d1::FuncOp>().empty())
    return Level::D1;
  if (!module.getOps<BufferOp>().empty())
    return Level::Mesh;
  bool layers = false, placed = module->hasAttr("dojo.machine");
  module.walk([&](LayerOp layer) {
    layers = true;
    placed |= layer->hasAttr("plan");
  });
  return placed ? Level::Placed : layers ? Level::Layers : Level::Import;
}

static void addLayers(OpPassManager &pm, const PipelineOptions &options) {
  LayerPipelineOptions layers;
  layers.precision = options.precision == "fp32" ? Precision::FP32 : Precision::BF16;
  layers.store = options.store == "fp32" ? Precision::FP32 : Precision::BF16;
  layers.fuse = options.optLevel > 0;
  buildLayerPipeline(pm, layers);
}

static void addPlaced(OpPassManager &pm, const PipelineOptions &options) {
  PlaceOptions place;
  place.target = options.target;
  place.nodes = options.nodes;
  place.dead = llvm::to_vector(options.dead);
  pm.addPass(createPlace(place));
}

static void addMesh(OpPassManager &pm, const PipelineOptions &options) {
  pm.addPass(createLowerToMesh());
  pm.addPass(createRoute());
  AllocateSramOptions allocate;
  allocate.barrierPerLayer = options.optLevel == 0;
  allocate.codeBytes = options.codeBytes;
  pm.addPass(createAllocateSram(allocate));
}

static void addD1(OpPassManager &pm, const PipelineOptions &options) {
  GenerateKernelsOptions generate;
  generate.threads = 1;
  pm.addPass(createGenerateKernels(generate));
  pm.addPass(createBuildPrograms());
}

void mlir::dojo::addPassesTo(Level level, OpPassManager &pm, const PipelineOptions &options) {
  switch (level) {
  case Level::Import:
    return;
  case Level::Layers:
    return addLayers(pm, options);
  case Level::Placed:
    return addPlaced(pm, options);
  case Level::Mesh:
    return addMesh(pm, options);
  case Level::D1:
    return addD1(pm, options);
  }
}

void mlir::dojo::registerPipelines() {
  static PassPipelineRegistration<PipelineOptions> placed(
      "dojo-to-placed", "From the layer form: plan every layer",
      [](OpPassManager &pm, const PipelineOptions &options) {
        addPassesTo(Level::Placed, pm, options);
      });
  static PassPipelineRegistration<PipelineOptions> mesh(
      "dojo-to-mesh", "From the placed form: buffers, transfers, kernels, routes, addresses",
      [](OpPassManager &pm, const PipelineOptions &options) {
        addPassesTo(Level::Mesh, pm, options);
      });
  static PassPipelineRegistration<PipelineOptions> d1(
      "dojo-to-d1", "From the mesh form: instructions",
      [](OpPassManager &pm, const PipelineOptions &options) {
        addPassesTo(Level::D1, pm, options);
      });
  static PassPipelineRegistration<PipelineOptions> all(
      "dojo-compile", "From the import form to instructions",
      [](OpPassManager &pm, const PipelineOptions &options) {
        for (Level level : {Level::Layers, Level::Placed, Level::Mesh, Level::D1})
          addPassesTo(level, pm, options);
      });
}
