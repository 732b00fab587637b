// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes that turn kernels on local memory into instructions of one node's threads.

#ifndef DOJO_CONVERSION_KERNELPASSES_H
#define DOJO_CONVERSION_KERNELPASSES_H

#include "dialects/D1/D1StructureOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::dojo {

#define GEN_PASS_DECL
#include "dojo/Conversion/KernelPasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "dojo/Conversion/KernelPasses.h.inc"

} // namespace mlir::dojo

#endif // DOJO_CONVERSION_KERNELPASSES_H
