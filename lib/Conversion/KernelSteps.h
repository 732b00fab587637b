// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steps from a kernel to instructions as functions; the passes and generateKernel() call them.

#ifndef DOJO_LIB_CONVERSION_KERNELSTEPS_H
#define DOJO_LIB_CONVERSION_KERNELSTEPS_H

#include "dialects/D1/D1StructureOps.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Target/Target.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::dojo {

/// Number of dojo.conv operations in a kernel.
unsigned countConvs(func::FuncOp kernel);

/// linalg to loops around vector code, for one of `threads` threads.
LogicalResult vectorizeKernel(func::FuncOp kernel, unsigned thread, unsigned threads);

/// A vectorised kernel to instructions on virtual registers, at the end of `program`.
LogicalResult lowerKernel(func::FuncOp kernel, d1::FuncOp program, unsigned thread,
                          unsigned threads, unsigned accumulators);

/// Removes instructions whose results nobody reads.
void eliminateDeadCode(d1::FuncOp program);

/// Reorders instructions on virtual registers to hide latencies.
void scheduleProgram(d1::FuncOp program, const ::dojo::Target &target);

LogicalResult allocateRegisters(d1::FuncOp program);

/// Flattens the loops of a program with physical registers.
LogicalResult finalizeProgram(d1::FuncOp program);

class KernelLowering;
LogicalResult lowerConv(KernelLowering &lowering, ConvOp op, unsigned accumulators);

} // namespace mlir::dojo

#endif // DOJO_LIB_CONVERSION_KERNELSTEPS_H
