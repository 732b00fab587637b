// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where tables, lists and texts lie: behind the data, at the same address on every node.

#ifndef DOJO_CONVERSION_MESH_MEMORYPLAN_H
#define DOJO_CONVERSION_MESH_MEMORYPLAN_H

#include "dojo/Target/Target.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::dojo {

/// Byte addresses. The table of thread 0 has for each layer the prologue, the arrivals and the
/// kernel; that of thread 1 the kernel of each layer which has one for it.
/// `lists`: where each part of the transfer list begins.
struct MemoryPlan {
  uint32_t thread0Table, thread1Table, text;
  llvm::SmallVector<uint32_t> lists;
};

MemoryPlan planMemory(ModuleOp module, const ::dojo::Target &machine);

} // namespace mlir::dojo

#endif // DOJO_CONVERSION_MESH_MEMORYPLAN_H
