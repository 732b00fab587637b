// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TOOLS_DOJO_COMPILE_REPORT_H
#define TOOLS_DOJO_COMPILE_REPORT_H

#include "dojo/Driver/Options.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace dojo::driver {

/// What was decided, as a table and as JSON.
class Report {
public:
  explicit Report(const Options &options) : precision(options.precision), store(options.store) {}

  /// Takes what the module says at its level: layers, tensors kept in fp32 where bf16 is the rule
  /// and why (from the placed level), buffers and machine (from the mesh level). What a level does
  /// not say stays as it was read before.
  void read(mlir::ModuleOp module);

  /// The layer table: what each layer is, how it is divided, what it should cost.
  void print(llvm::raw_ostream &os) const;

  /// {"precision", "store", "target", "target_hash", "layers": [{"name", "op", "plan", "macs",
  /// "estimated_cycles", "nodes", "type"}], "kept_in_fp32": [{"layer", "reason"}], "buffers":
  /// [{"name", "kind", "bytes", "first_layer", "last_layer", "address"}]}
  llvm::json::Value json() const;

private:
  struct Row {
    std::string name, op, plan, type;
    int64_t macs, cycles;
    size_t nodes;
  };

  void readLayers(mlir::ModuleOp module);
  void readLayerInfos(mlir::ModuleOp module);

  std::string precision, store, target, targetHash;
  std::vector<Row> rows;
  std::vector<std::pair<std::string, std::string>> wide; ///< layer, reason
  llvm::json::Array buffers;
};

} // namespace dojo::driver

#endif // TOOLS_DOJO_COMPILE_REPORT_H
