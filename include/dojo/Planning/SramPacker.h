// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Static addresses in the SRAM of a node (every node has the same map).
//
// Problem: dynamic storage allocation. A buffer occupies [address, address + bytes) in the epochs
// first..last; buffers whose epochs meet must not share bytes. Solver: first fit in several orders;
// then hill climbing on the order (as Vela's allocator does): a buffer at the peak changes places
// with one below it; then a depth-first search with the pruning ideas of MiniMalloc (Moffitt,
// ASPLOS 2023): buffers are placed in ascending address order at the lowest place above what is
// below them, and a branch ends where some epoch cannot hold what is still unplaced. All steps are
// bounded by counts, never by time, so the result depends on the problem alone.
#ifndef DOJO_PLANNING_SRAMPACKER_H
#define DOJO_PLANNING_SRAMPACKER_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dojo::planning {

struct PackBuffer {
  std::string name;  ///< for the memory map
  std::string layer; ///< the layer that holds it, for the memory map
  int64_t bytes = 0;
  int64_t alignment = 64;      ///< a power of two
  int32_t first = 0, last = 0; ///< epochs, both included
};

/// Bytes that belong to something else in all epochs.
struct Reservation {
  std::string name;
  int64_t address = 0, bytes = 0;
};

struct PackProblem {
  int64_t capacity = 0; ///< bytes
  std::vector<PackBuffer> buffers;
  std::vector<Reservation> reservations; ///< disjoint, within the capacity
};

struct Packing {
  bool fits = false;
  std::vector<int64_t> address; ///< per buffer; complete also when it does not fit
  int64_t peak = 0;             ///< end of the highest buffer or reservation
  int64_t lowerBound = 0; ///< most bytes alive in one epoch, reservations included: no packing
                          ///< can have a lower peak
  int64_t explored = 0;   ///< orders and states tried
  std::string method;     ///< "first fit", "hill climbing" or "search"
};

struct PackOptions {
  // Work to spend on a packing that fits but has a gap to the lower bound, and on one that does not
  // fit yet: orders of the hill climbing, states of the search.
  int64_t improveOrders = 200, fitOrders = 2000;
  int64_t improveStates = 2000, fitStates = 50000;
};

/// Empty, or why the problem is malformed.
std::string checkPackProblem(const PackProblem &problem);

/// \p problem must be well formed.
[[nodiscard]] Packing packSram(const PackProblem &problem, const PackOptions &options = {});

/// Empty if every buffer is aligned, within capacity, and shares no byte with a reservation or with
/// a buffer whose epochs meet its own, and peak and bound are what they say; else the first fault.
std::string verifyPacking(const PackProblem &problem, const Packing &packing);

/// Text for the user: capacity, what is missing, and in the worst epoch the layers that hold memory
/// with their buffers, largest first.
std::string memoryMap(const PackProblem &problem, const Packing &packing);

/// A buffer alive over layers first..last (in PackBuffer's fields).
struct EpochChoice {
  /// Ascending: epoch i + 1 starts with layer starts[i] (epoch 0 with layer 0). A die-wide barrier
  /// stands before each.
  std::vector<int32_t> starts;
  PackProblem problem; ///< the same buffers, first and last now epochs
  Packing packing;     ///< fits unless even one epoch per layer does not
};

/// Finds the fewest epochs whose packing fits: bytes can be shared only across a barrier, so a
/// buffer of layers [a, b] is alive in all of epoch(a)..epoch(b). Tries 1, 2, ... epochs, each with
/// the division that makes the fullest epoch smallest. \p layers is the number of layers.
[[nodiscard]] EpochChoice chooseEpochs(const PackProblem &byLayer, int32_t layers,
                                       const PackOptions &options = {});

/// Epoch of a layer.
int32_t epochOf(const std::vector<int32_t> &starts, int32_t layer);

} // namespace dojo::planning

#endif
