// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler's levels and the passes between them.

#ifndef DOJO_PIPELINES_PIPELINES_H
#define DOJO_PIPELINES_PIPELINES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include <optional>
#include <string>
#include <vector>

namespace mlir::dojo {

/// In the order of lowering; see docs/architecture.md.
enum class Level { Import, Layers, Placed, Mesh, D1 };

/// The level of a module, by the ops in it.
Level levelOf(ModuleOp module);

/// Options that every named pipeline takes.
struct PipelineOptions : public PassPipelineOptions<PipelineOptions> {
  Option<std::string> precision{*this, "precision", llvm::cl::init("bf16"),
                                llvm::cl::desc("bf16 or fp32")};
  Option<std::string> store{*this, "store", llvm::cl::init(""),
                            llvm::cl::desc("fp32: keep tensors between ops in fp32")};
  Option<std::string> target{*this, "target", llvm::cl::init("d1"),
                             llvm::cl::desc("target name or file")};
  Option<std::string> nodes{*this, "nodes", llvm::cl::init(""), llvm::cl::desc("RxC: partition")};
  ListOption<std::string> dead{*this, "dead", llvm::cl::desc("R:C: dead position")};
  Option<unsigned> optLevel{*this, "opt-level", llvm::cl::init(2),
                            llvm::cl::desc("0: no overlap, no fusion; 2: all")};
  Option<int64_t> codeBytes{*this, "code-bytes", llvm::cl::init(80 * 1024),
                            llvm::cl::desc("SRAM kept for the code of a node")};
};

/// Appends the passes that lead from the level above to `level`.
void addPassesTo(Level level, OpPassManager &pm, const PipelineOptions &options);

/// Makes the named pipelines known: dojo-to-layers, dojo-to-placed, dojo-to-mesh, dojo-to-d1 and
/// dojo-compile (all of them).
void registerPipelines();

} // namespace mlir::dojo

#endif // DOJO_PIPELINES_PIPELINES_H
