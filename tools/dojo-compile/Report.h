// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TOOLS_DOJO_COMPILE_REPORT_H
#define TOOLS_DOJO_COMPILE_REPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/raw_ostream.h"

namespace dojo::driver {

/// The layer table: what each layer is, how it is divided, what it should cost.
void printPlan(llvm::raw_ostream &os, mlir::ModuleOp module);

/// The same and the SRAM map as JSON, from the placed or a later level.
void printReport(llvm::raw_ostream &os, mlir::ModuleOp module);

} // namespace dojo::driver

#endif // TOOLS_DOJO_COMPILE_REPORT_H
