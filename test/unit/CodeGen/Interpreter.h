// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The meaning of a kernel by the definition of its operations: loops over all points, the body in
// double precision or 64-bit integers, rounded where the types say. Shares nothing with the code
// generator.

#ifndef DOJO_TEST_UNIT_CODEGEN_INTERPRETER_H
#define DOJO_TEST_UNIT_CODEGEN_INTERPRETER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <cstdint>
#include <vector>

namespace dojo::test {

/// Runs `kernel` on memory: argument i starts at byte address `dojo.address`. Fails the current
/// test on operations it does not know.
void interpret(mlir::func::FuncOp kernel, std::vector<uint8_t> &memory);

/// An element of memory as a number; floats exactly, integers sign-extended.
double readNumber(const std::vector<uint8_t> &memory, int64_t address, mlir::Type element);
void writeNumber(std::vector<uint8_t> &memory, int64_t address, mlir::Type element, double value);

/// Bytes of an element.
int64_t bytesOf(mlir::Type element);

/// Element offsets of all elements of a memref in row-major order.
std::vector<int64_t> elementOffsets(mlir::MemRefType type);

} // namespace dojo::test

#endif // DOJO_TEST_UNIT_CODEGEN_INTERPRETER_H
