// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tree over the usable nodes for a die-wide barrier: each node waits for its children, signals
// its parent, waits for the parent's release, and releases its children one descriptor after the
// other.
//
// The trees tried join a tree over every column to a tree over the columns' heads (and the same
// with rows), each made by cutting a line into a number of segments and taking their middles; the
// numbers are those with the lowest estimate.
#ifndef DOJO_PLANNING_BARRIERTREE_H
#define DOJO_PLANNING_BARRIERTREE_H

#include "dojo/Planning/Mesh.h"

#include <string>
#include <vector>

namespace dojo::planning {

struct BarrierNode {
  int32_t node = 0;
  int32_t parent = -1;           ///< node number; -1: the root
  std::vector<int32_t> children; ///< node numbers, in the order of release
};

struct BarrierTree {
  std::vector<BarrierNode> nodes; ///< parents before their children
  std::vector<int32_t> place;     ///< per node number: index into `nodes`, -1 if not usable
  int64_t estimatedCycles = 0;    ///< last node ready to last node released

  int32_t indexOf(int32_t node) const { return place[node]; }
};

[[nodiscard]] BarrierTree buildBarrierTree(const Mesh &mesh);

/// Cycles from the moment when all nodes have reached the barrier until the last one is released,
/// on an otherwise idle mesh.
int64_t estimateBarrier(const BarrierTree &tree, const Mesh &mesh);

/// Empty if the tree joins all usable nodes and no others, with matching parents and children.
std::string verifyBarrierTree(const BarrierTree &tree, const Mesh &mesh);

} // namespace dojo::planning

#endif
