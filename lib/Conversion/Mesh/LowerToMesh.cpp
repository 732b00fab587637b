// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "MeshLowering.h"

#include "dojo/Conversion/Machine.h"
#include "dojo/Conversion/MeshPasses.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_LOWERTOMESH
#include "dojo/Conversion/MeshPasses.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;

namespace {
struct LowerToMeshPass : public mlir::dojo::impl::LowerToMeshBase<LowerToMeshPass> {
  using LowerToMeshBase::LowerToMeshBase;

  void runOnOperation() override {
    FailureOr<::dojo::Target> machine = getMachine(getOperation());
    if (failed(machine))
      return signalPassFailure();
    planning::Mesh mesh = planning::Mesh::fromTarget(*machine);
    if (failed(MeshLowering(getOperation(), mesh).run()))
      signalPassFailure();
  }
};
} // namespace
