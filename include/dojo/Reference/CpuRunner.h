// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs functions of linalg on tensors on the host, through MLIR's own lowering. It shares no pass
// with the compiler's path to the machine, so that it can check that path.

#ifndef DOJO_REFERENCE_CPURUNNER_H
#define DOJO_REFERENCE_CPURUNNER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"
#include <cstdint>
#include <memory>
#include <vector>

namespace mlir {
class ExecutionEngine;
namespace func {
class FuncOp;
}

namespace dojo {

/// A function compiled for the host.
class CpuFunction {
public:
  /// Compiles the function `name` of `module`: one block, tensors of fixed shape in and out, ops of
  /// linalg, tensor, arith, math, scf, and `dojo.weight`, whose bytes are read from their files
  /// now. `module` is not changed. Null, with an error emitted, if it cannot be compiled.
  static std::unique_ptr<CpuFunction> compile(ModuleOp module, StringRef name);
  ~CpuFunction();

  /// Runs the function on row-major arrays, one an argument, little endian, booleans one byte each,
  /// and returns one array a result. The inputs must have the sizes of the arguments.
  std::vector<std::vector<uint8_t>> run(ArrayRef<ArrayRef<uint8_t>> inputs);

  /// Bytes of each argument.
  ArrayRef<uint64_t> getInputBytes() const { return inputBytes; }

private:
  CpuFunction() = default;

  std::unique_ptr<ExecutionEngine> engine;
  void (*entry)(void **) = nullptr;
  std::vector<uint64_t> inputBytes, outputBytes;
  std::vector<std::vector<uint8_t>> weights;
};

} // namespace dojo
} // namespace mlir

#endif // DOJO_REFERENCE_CPURUNNER_H
