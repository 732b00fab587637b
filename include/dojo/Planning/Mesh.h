// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the planner needs of a target: which positions of the die hold usable nodes, which routers
// forward, and whether the network multicasts.
//
// A node's number is columns * row + column over the whole die, also in a partition.
#ifndef DOJO_PLANNING_MESH_H
#define DOJO_PLANNING_MESH_H

#include <cstdint>
#include <vector>

namespace dojo {
struct Target;
}

namespace dojo::planning {

struct Mesh {
  int32_t rows = 0, columns = 0;
  std::vector<uint8_t> usable;   ///< per position: can compute, hold, inject and eject
  std::vector<uint8_t> forwards; ///< per position: the router passes the partition's packets on
  bool multicast = false;

  // Cycles: hop between routers, last packet written to semaphore shown, start of a transfer list
  // to its first descriptor, one descriptor's end to the next.
  int64_t hopCycles = 1, arrivalLatency = 1, listStart = 1, listNext = 1;

  /// A mesh without holes, every router forwarding, every latency one cycle.
  static Mesh full(int32_t rows, int32_t columns, bool multicast = true);
  static Mesh fromTarget(const Target &target);

  int32_t positions() const { return rows * columns; }
  int32_t node(int32_t row, int32_t column) const { return row * columns + column; }
  int32_t row(int32_t node) const { return node / columns; }
  int32_t column(int32_t node) const { return node % columns; }
  int32_t hops(int32_t a, int32_t b) const;

  /// Usable nodes, column after column, rows ascending: nodes next to each other in this order can
  /// mostly be reached by one multicast run.
  std::vector<int32_t> nodesByColumn() const;
};

/// Where a transfer goes: one node, a run of the sender's own row (columns first..last), or a run
/// of a column (rows first..last) reached along the sender's own row. `first` is the end nearer to
/// the sender (for a column run: to the turn), so first > last runs towards decreasing numbers.
/// Runs skip positions that are not usable; every usable one in a run receives.
struct Destination {
  enum class Kind : uint8_t { Node = 0, RowRun = 1, ColumnRun = 2 };
  Kind kind = Kind::Node;
  int32_t node = 0;   ///< Kind::Node
  int32_t column = 0; ///< Kind::ColumnRun
  int32_t first = 0, last = 0;

  static Destination toNode(int32_t node) { return {Kind::Node, node, 0, 0, 0}; }
  static Destination rowRun(int32_t first, int32_t last) {
    return {Kind::RowRun, 0, 0, first, last};
  }
  static Destination columnRun(int32_t column, int32_t first, int32_t last) {
    return {Kind::ColumnRun, 0, column, first, last};
  }
  friend bool operator==(const Destination &, const Destination &) = default;
  friend auto operator<=>(const Destination &, const Destination &) = default;
};

/// The usable nodes in groups that packets can pass between, each ascending, the largest first.
/// More than one if routers that do not forward cut the mesh.
std::vector<std::vector<int32_t>> connectedParts(const Mesh &mesh);

/// The nodes that a transfer from \p source reaches, in the order in which the run passes them.
std::vector<int32_t> receivers(const Mesh &mesh, int32_t source, const Destination &to);

/// Divides \p targets (ascending, without \p source) into destinations that together reach each of
/// them once and no other usable node. Without multicast, and for targets whose runs would cross a
/// router that does not forward, every destination is a single node. Runs are as long as the holes
/// and the other nodes allow; a target in the sender's row joins a column run that starts there,
/// else a row run.
std::vector<Destination> multicastRuns(const Mesh &mesh, int32_t source,
                                       const std::vector<int32_t> &targets);

} // namespace dojo::planning

#endif
