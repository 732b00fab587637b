// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How each layer is divided between the nodes.
//
// Solver, per layer: every combination of useful split counts of the loops whose product does not
// exceed the usable nodes, judged by an analytic cost (see CostModel); solutions are memoised on
// everything but the layer's name. Kept is the set of plans that no other beats in both time and
// resident bytes. Over the graph: the fastest plan of each layer, then, while constants take more
// than their share of SRAM, the exchange of a plan for a smaller one that costs the fewest cycles
// for each byte it frees.
//
// Nothing depends on the order of addresses or hashing: equal problems have equal plans.
#ifndef DOJO_PLANNING_PLANNER_H
#define DOJO_PLANNING_PLANNER_H

#include "dojo/Planning/LayerProblem.h"
#include "dojo/Planning/Layout.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dojo::planning {

/// The machine as the analytic cost sees it. Hardware figures come from the target; the last block
/// holds the figures that describe our own generated code, in percent or cycles.
struct CostModel {
  int64_t rows = 0, columns = 0; ///< of the mesh
  int64_t lanes = 16, packetBytes = 64, memorySlots = 2, accumulators = 8;
  int64_t matrixRows = 8, hopCycles = 1, listStart = 16, listNext = 2, arrivalLatency = 4;
  bool multicast = true;

  int64_t layerFixed = 150;       ///< control, first loads, last drain, spread between nodes
  int64_t matrixEfficiency = 90;  ///< share of steps that issue back to back
  int64_t simdExposed = 35;       ///< share of the smaller of matrix and SIMD time not hidden
  int64_t generalEfficiency = 70; ///< of the general code path
  int64_t overlap = 0;            ///< share of the exchange hidden behind the kernel
  int64_t linkImbalance = 250;    ///< busiest link over the mean link
  int64_t sendImbalance = 150;    ///< busiest sender over the mean sender

  static CostModel fromTarget(const Target &target);
};

/// Cycles of a layer by cause.
struct LayerCost {
  int64_t fixed = 0;
  int64_t matrix = 0, simd = 0, memory = 0; ///< of the busiest node, each unit alone
  int64_t kernel = 0;                       ///< of the three, with what they do not hide
  int64_t receive = 0, send = 0, links = 0; ///< exchange, each resource alone
  int64_t exchange = 0;                     ///< the most loaded of the three
  int64_t reduce = 0; ///< k split: sending, adding and finishing the partial sums
  int64_t total = 0;
};

struct LayerPlan {
  std::vector<int64_t> splits; ///< per loop: balanced parts in units of the granularity (partOf)
  int64_t copies = 1, m = 1, n = 1, k = 1; ///< the same division by role
  std::vector<int32_t> nodes;              ///< grid cell, row-major over `splits` -> node
  LayerCost cost;
  int64_t constantBytes = 0; ///< of the largest cell: weights and tables, resident
  int64_t workingBytes = 0;  ///< of the largest cell: patches of the inputs and the output

  /// The loop box of a cell.
  Box cellLoops(const LayerProblem &problem, size_t cell) const;
  /// Where the output lies: one compact row-major piece for each cell. With a k split the pieces of
  /// one place overlap: they are partial sums.
  std::vector<LocalPiece> pieces(const LayerProblem &problem) const;
};

struct PlanLimits {
  int64_t nodeBytes = 0;            ///< for a layer's working and constant bytes together
  int64_t maxReduction = 8;         ///< largest k split; 1 forbids it
  int64_t workingBytes = INT64_MAX; ///< for a layer's working bytes alone
};

/// All plans of a layer that no other beats in time and constant bytes, fastest first. Empty only
/// if none has its working and constant bytes within the limits. \p order: usable nodes in the
/// order of use (Mesh::nodesByColumn).
[[nodiscard]] std::vector<LayerPlan> solveLayer(const LayerProblem &problem, const Mesh &mesh,
                                                const CostModel &model, const PlanLimits &limits);

/// The plan of given splits, one count per loop.
LayerPlan planOf(const LayerProblem &problem, std::vector<int64_t> splits, const Mesh &mesh,
                 const CostModel &model);

/// The plan of a layer without reductions that reads \p held, boxes of its output with the nodes
/// that hold what the layer needs for them; a box may be held, in parts, by several nodes. Cuts the
/// output where the boxes end and between the nodes of a box, and gives each its share, so that
/// most of the layer's operands come from neighbours. None if the boxes are no grid.
[[nodiscard]] std::optional<LayerPlan> planNear(const LayerProblem &problem,
                                                const std::vector<std::pair<Box, int32_t>> &held,
                                                const Mesh &mesh, const CostModel &model);

/// The cost of given splits; what the solver minimises.
LayerCost costOf(const LayerProblem &problem, const std::vector<int64_t> &splits,
                 const CostModel &model);

/// Nodes for the cells of a grid: cells that read the same part of the streamed operand become
/// neighbours in a column, as far as columns go without breaking a group.
std::vector<int32_t> assignNodes(const LayerProblem &problem, const std::vector<int64_t> &splits,
                                 const Mesh &mesh);

/// A layer's operand is another layer's output.
struct GraphEdge {
  int32_t producer = 0, consumer = 0; ///< indices into GraphProblem::layers, producer < consumer
  int32_t operand = 0;                ///< of the consumer
};

struct GraphProblem {
  std::vector<LayerProblem> layers;
  std::vector<GraphEdge> edges;
  /// SRAM for constants of all layers together. What is left of nodeBytes is for working bytes:
  /// a layer is kept to half of it (its consumer's patch lives beside its output) if it can be.
  /// 0 leaves the choice to the solver: half of nodeBytes, or a little more than the smallest
  /// plans need where that is not enough.
  int64_t constantBudget = 0;
  PlanLimits limits;
};

struct GraphPlan {
  std::vector<LayerPlan> layers;
  int64_t cycles = 0;         ///< sum of the layers' estimates
  int64_t constantBytes = 0;  ///< sum of the layers' largest cells
  int64_t constantBudget = 0; ///< the problem's, or the solver's choice
  int32_t distinct = 0;       ///< layers solved, the others being equal to one of them
  int32_t repairs = 0;        ///< plans exchanged to meet the budget

  /// Bytes of a node that hold all constants and the working space of any one layer.
  int64_t peakBytes() const;
};

/// False, with a message that names the layers, if a layer is malformed or has no plan within the
/// limits or the constants do not fit even with the smallest plans. In the latter cases \p out is
/// complete all the same, with small plans where they are needed, so that the memory can be shown.
[[nodiscard]] bool solveGraph(const GraphProblem &problem, const Mesh &mesh, const CostModel &model,
                              GraphPlan &out, std::string &error);

/// solveGraph on nodes with \p bytes for constants, working space and, beside these, what is alive
/// of a layer's neighbours. Asks for \p beside bytes of that and coarse sums; where constants and
/// working space do not fit then, for sums in up to 32 parts, which need fewer bytes of constants
/// where outputs are few, and in steps for less beside. Leaves the limits used in \p problem. Plans
/// that miss by working space alone are an answer too, with nothing left beside.
[[nodiscard]] bool fitGraph(GraphProblem &problem, int64_t bytes, int64_t beside, const Mesh &mesh,
                            const CostModel &model, GraphPlan &out, std::string &error);

/// Proves: splits are useful counts, the cells' loop boxes tile the loop space and, without a k
/// split, their outputs tile the output; nodes are distinct and usable; bytes are what the boxes
/// say and within the limits. Empty, or what is wrong first.
std::string verifyPlan(const LayerProblem &problem, const LayerPlan &plan, const Mesh &mesh,
                       const PlanLimits &limits);

/// One line for the layer table: grid, nodes, cycles by cause, bytes.
std::string toString(const LayerPlan &plan);

} // namespace dojo::planning

#endif
