// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The analytic cost of a layer under many splits (private to the library): everything that does not
// depend on the splits is prepared once.
#ifndef DOJO_PLANNING_LAYERCOST_H
#define DOJO_PLANNING_LAYERCOST_H

#include "dojo/Planning/Planner.h"

namespace dojo::planning {

struct CellBytes {
  int64_t constant = 0, working = 0;
};

class CostEvaluator {
public:
  CostEvaluator(const LayerProblem &problem, const CostModel &model);

  /// \p splits: one count per loop. \p bytes may be null. \p hops: from where operands lie to where
  /// they are needed; 0: as in a mesh on average.
  LayerCost cost(const std::vector<int64_t> &splits, CellBytes *bytes, int64_t hops = 0);

  /// Distinct sizes that a loop can be cut to, as the smallest counts that reach them; reductions
  /// are cut to equal parts only.
  static std::vector<int64_t> usefulSplits(const LoopDim &loop, int64_t most);

private:
  struct Operand {
    const OperandAccess *access;
    std::vector<uint8_t> usesLoop;
    std::vector<int64_t> size; // of the box, per dimension; scratch
  };

  void measure(Operand &operand);
  int64_t packetsOf(const Operand &operand, int64_t elementBytes) const;
  void work(LayerCost &c, bool partial) const;
  void exchange(LayerCost &c, const std::vector<int64_t> &splits, int64_t cells, int64_t hops);

  const LayerProblem &problem;
  const CostModel &model;
  std::vector<Operand> inputs;
  Operand output;
  std::vector<int64_t> size; // of the largest cell, per loop; scratch
};

} // namespace dojo::planning

#endif
