// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the nodes' programs are made of besides kernels: semaphores, per-node tables, transfer
// lists. Computed from the mesh form, the same wherever it is asked for.
//
// Tables of a node, from the end of data upwards: for each layer two words for thread 0 (prologue,
// arrivals to wait for) and its kernel, then for each layer thread 1's kernel; then its list.

#ifndef DOJO_CONVERSION_MESH_PROGRAMTABLES_H
#define DOJO_CONVERSION_MESH_PROGRAMTABLES_H

#include "dojo/ISA/Descriptor.h"
#include "dojo/Target/Target.h"
#include "dojo/Verify/Verify.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include <map>
#include <vector>

namespace mlir::dojo {

/// Semaphores with a fixed use on every node; arrivals of layers take those from
/// firstArrivalSemaphore on.
enum FixedSemaphore : int {
  goSemaphore = 0,    ///< thread 0 to thread 1: start the kernel
  joinSemaphore = 1,  ///< thread 1 to thread 0: kernel done
  doneSemaphore = 2,  ///< thread 0 to thread 2: one more layer done
  epochSemaphore = 3, ///< thread 2 to thread 0: the barrier is passed
  barrierUpSemaphore = 4,
  barrierDownSemaphore = 5
};
inline constexpr int64_t firstArrivalSemaphore = 8;

/// Table bytes a layer takes on a node: three words for thread 0, one for thread 1.
inline constexpr int64_t tableBytesPerLayer = 16;

/// Bytes that the tables and the longest list take on a node; an upper bound before barriers are
/// placed.
int64_t tableBytesOf(ModuleOp module);

/// The semaphore that counts the arrivals for each layer. Two layers share one only if a barrier
/// lies between the last wait of one and the first send to the other. Fails (empty) if there are
/// too few.
llvm::SmallVector<uint8_t> arrivalSemaphores(ModuleOp module, int64_t semaphores);

/// Numbers of arrivals for which each node waits before each layer: [layer][node].
std::vector<std::vector<uint32_t>> arrivalCounts(ModuleOp module, const ::dojo::Target &machine);

/// A range of layers that the program repeats while a byte in SRAM is not zero, and where it begins
/// and ends among the parts of the transfer lists.
struct RepeatedLayers {
  int64_t first = 0, last = 0; ///< layers
  int64_t condition = 0;       ///< byte address
  size_t firstPart = 0, endPart = 0;
};

/// In the order of their first layers, so that an outer one comes before what it contains.
llvm::SmallVector<RepeatedLayers> repeatedLayers(ModuleOp module);

/// Where the parts of the transfer lists begin: at layer 0, where ranges begin and behind them, and
/// at the end, which is the number of layers.
llvm::SmallVector<int64_t> listParts(ModuleOp module);

struct TransferLists {
  /// Of each usable node its parts, each with its `End`.
  std::map<int32_t, std::vector<::dojo::isa::Descriptor>> lists;
  /// The descriptor that each part begins with, the same on all nodes.
  llvm::SmallVector<int64_t> begins;
};
TransferLists transferLists(ModuleOp module, const ::dojo::Target &machine);

/// The transfers of the module's exchanges, one by one, without semaphores.
std::vector<::dojo::verify::PlannedTransfer> plannedTransfers(ModuleOp module);

/// Number of layers of the module.
int64_t numLayersOf(ModuleOp module);

} // namespace mlir::dojo

#endif // DOJO_CONVERSION_MESH_PROGRAMTABLES_H
