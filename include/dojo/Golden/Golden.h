// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a model on the host through MLIR's own lowering of linalg. Shares no pass with the path to
// the chip, so that each can show the other's mistakes.

#ifndef DOJO_GOLDEN_GOLDEN_H
#define DOJO_GOLDEN_GOLDEN_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mlir::dojo {

/// A tensor in memory: row-major, little-endian, booleans as bytes 0 and 1.
struct HostTensor {
  std::string type; ///< "f32", "bf16", "i64", "u8", "bool", ...
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;
};

/// A tensor that a program takes or gives.
struct HostTensorInfo {
  std::string name; ///< the ONNX name
  std::string type;
  std::vector<int64_t> shape;
  uint64_t bytes = 0;
};

class GoldenProgram {
public:
  /// Compiles `module`, a func.func @main on static tensors of linalg, tensor, arith, math and
  /// dojo.weight ops with dojo.name on its arguments and results, and reads its weights. `module`
  /// is not changed. Beside its results the program gives the values whose ops carry one of the
  /// names in `values` as dojo.value.
  static llvm::Expected<std::unique_ptr<GoldenProgram>>
  compile(ModuleOp module, llvm::ArrayRef<std::string> values = {});
  ~GoldenProgram();

  const std::vector<HostTensorInfo> &getInputs() const;
  /// The results of @main in order, then the values asked for, in the order of the module.
  const std::vector<HostTensorInfo> &getOutputs() const;

  /// Runs the program. `inputs` are the inputs in order; results come in the order of getOutputs.
  /// Fails if their number, types or shapes are not those of getInputs.
  llvm::Expected<std::vector<HostTensor>> run(llvm::ArrayRef<HostTensor> inputs);

private:
  GoldenProgram();
  struct Impl;
  std::unique_ptr<Impl> impl;
};

/// The names of all values of `module` that can be asked for, in order.
std::vector<std::string> goldenValues(ModuleOp module);

/// Compiles `module` and runs it once: the tensors by name, for `inputs` by name.
llvm::Expected<std::map<std::string, HostTensor>>
runGolden(ModuleOp module, const std::map<std::string, HostTensor> &inputs,
          llvm::ArrayRef<std::string> values = {});

} // namespace mlir::dojo

#endif // DOJO_GOLDEN_GOLDEN_H
