// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a kernel to the program of one thread, and from there to bytes.

#ifndef DOJO_CONVERSION_CODEGEN_H
#define DOJO_CONVERSION_CODEGEN_H

#include "dialects/D1/D1StructureOps.h"
#include "dojo/Target/Target.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <cstdint>
#include <vector>

namespace mlir::dojo {

struct KernelOptions {
  /// The machine whose latencies the order of instructions follows; null: as generated.
  const ::dojo::Target *target = nullptr;
  /// The code is for thread `thread` of `threads` that share the kernel.
  unsigned thread = 0, threads = 1;
  /// Matrix accumulators of a node; the threads get equal parts.
  unsigned accumulators = 8;
  /// SRAM of this thread for registers that do not fit (64-byte aligned); none if `spillBytes` is
  /// 0.
  int64_t spillAddress = 0, spillBytes = 0;
};

/// The program of one thread for a kernel, with physical registers and labels, ready for
/// encodeProgram(). The kernel is not changed.
///
/// `kernel` has the attribute `dojo.kernel`. Its arguments are memrefs of static shape and strides
/// with the attribute `dojo.address`, the byte address of the memref's base; its body holds linalg
/// operations, memref.subview and dojo.conv on them. Threads divide a kernel of one operation; of
/// several, thread 0 does all. Threads of one kernel write disjoint bytes and need no
/// synchronisation but before and after.
///
/// No register holds anything between the kernel and what is put before and after it, except x0
/// and m0. A program may be empty: nothing is left for the thread.
///
/// Errors are reported on the kernel's operations.
FailureOr<OwningOpRef<d1::FuncOp>> generateKernel(func::FuncOp kernel,
                                                  const KernelOptions &options);

/// Appends the code of a program that is to lie at `address` (a multiple of 4) to `bytes`. Errors
/// are reported on the operations: a virtual register, a label that does not exist or is out of
/// reach, an immediate out of range.
LogicalResult encodeProgram(d1::FuncOp program, uint32_t address, std::vector<uint8_t> &bytes);

/// Bytes that encodeProgram() appends.
uint32_t programBytes(d1::FuncOp program);

} // namespace mlir::dojo

#endif // DOJO_CONVERSION_CODEGEN_H
