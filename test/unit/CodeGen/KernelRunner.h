// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles a kernel, runs its bytes on one emulated node and compares with the interpreter.

#ifndef DOJO_TEST_UNIT_CODEGEN_KERNELRUNNER_H
#define DOJO_TEST_UNIT_CODEGEN_KERNELRUNNER_H

#include "mlir/IR/MLIRContext.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace dojo::test {

using Random = std::mt19937_64;

/// A number of [lo, hi].
inline int64_t pick(Random &random, int64_t lo, int64_t hi) {
  return lo + int64_t(random() % uint64_t(hi - lo + 1));
}

struct KernelRun {
  bool ok = false;
  uint64_t cycles = 0, matrixSteps = 0, simdOperations = 0;
  /// Bytes of the code of all threads.
  uint64_t codeBytes = 0;
  std::vector<uint8_t> memory;
};

/// What a test may ask of a run.
struct KernelCheck {
  unsigned threads = 1;
  unsigned accumulators = 8;
  /// Allowed difference: absolute + relative * |expected|, beside the rounding to the type.
  double absolute = 1e-6, relative = 1e-6;
  /// Random inputs are normal numbers times this, integers up to it (or 100).
  double scale = 1.0;
  bool timing = false;
};

mlir::MLIRContext &context();

/// `body` is a module with one func.func that has the attribute dojo.kernel. Every argument's
/// memory is filled with random numbers from `seed`; afterwards all arguments are compared. An
/// access of the program outside of the arguments is a failure.
KernelRun runKernel(const std::string &text, uint64_t seed, const KernelCheck &check = {});

/// Runs a kernel whose arguments are one-dimensional arrays of f32, the last one the result, which
/// is returned; empty after a failure. Nothing is compared.
std::vector<float> mapFloats(const std::string &text,
                             const std::vector<std::vector<float>> &inputs);

/// An argument "%name: type {dojo.address = n}"; `next` is the first free address and moves on.
std::string argument(const std::string &name, const std::string &type, int64_t bytes,
                     int64_t &next);

} // namespace dojo::test

#endif // DOJO_TEST_UNIT_CODEGEN_KERNELRUNNER_H
