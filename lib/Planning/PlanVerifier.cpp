// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plans checked cell by cell, by boxes instead of the solver's formulas.

#include "dojo/Planning/Planner.h"

#include <algorithm>
#include <map>

namespace dojo::planning {

std::string verifyPlan(const LayerProblem &problem, const LayerPlan &plan, const Mesh &mesh,
                       const PlanLimits &limits) {
  if (plan.splits.size() != problem.loops.size())
    return "splits for " + std::to_string(plan.splits.size()) + " of " +
           std::to_string(problem.loops.size()) + " loops";
  int64_t cells = 1, k = 1;
  for (size_t l = 0; l < plan.splits.size(); ++l) {
    const LoopDim &loop = problem.loops[l];
    int64_t granules = (loop.extent + loop.granularity - 1) / loop.granularity;
    if (plan.splits[l] < 1 || plan.splits[l] > std::max<int64_t>(granules, 1))
      return "loop " + std::to_string(l) + " is divided into " + std::to_string(plan.splits[l]) +
             " parts";
    if (cells > mesh.positions())
      return "more cells than nodes";
    cells *= plan.splits[l];
    k *= loop.parallel ? 1 : plan.splits[l];
  }
  if (static_cast<int64_t>(plan.nodes.size()) != cells)
    return std::to_string(cells) + " cells on " + std::to_string(plan.nodes.size()) + " nodes";
  if (plan.copies * plan.m * plan.n * plan.k != cells || plan.k != k)
    return "copies, m, n, k are not the splits";
  std::vector<uint8_t> taken(mesh.positions(), 0);
  for (int32_t node : plan.nodes) {
    if (node < 0 || node >= mesh.positions() || !mesh.usable[node])
      return "node " + std::to_string(node) + " is not usable";
    if (taken[node]++)
      return "node " + std::to_string(node) + " has two cells";
  }
  std::vector<Box> loops;
  std::map<std::vector<int64_t>, std::vector<Box>> outputs; // by position in the reductions
  int64_t constant = 0, working = 0;
  for (size_t cell = 0; cell < plan.nodes.size(); ++cell) {
    Box box = plan.cellLoops(problem, cell);
    std::vector<int64_t> slice;
    for (size_t l = 0; l < problem.loops.size(); ++l)
      if (!problem.loops[l].parallel)
        slice.push_back(box.lo[l]);
    Box out = touched(problem.output, box);
    int64_t c = 0, w = out.volume() * (k > 1 ? 8 : problem.output.elementBytes);
    for (const OperandAccess &input : problem.inputs)
      (input.constant ? c : w) += touched(input, box).volume() * input.elementBytes;
    constant = std::max(constant, c);
    working = std::max(working, w);
    outputs[slice].push_back(std::move(out));
    loops.push_back(std::move(box));
  }
  Coord extents;
  for (const LoopDim &loop : problem.loops)
    extents.push_back(loop.extent);
  if (!tiles(loops, Box::whole(extents)))
    return "the cells do not tile the loops";
  for (const auto &[slice, boxes] : outputs)
    if (!tiles(boxes, Box::whole(problem.output.shape)))
      return "the cells' outputs do not tile the output";
  // The solver may count bytes of a box that no cell quite reaches, never fewer.
  if (plan.constantBytes < constant || plan.workingBytes < working)
    return "a cell needs more bytes than the plan says";
  if (plan.constantBytes + plan.workingBytes > limits.nodeBytes ||
      plan.workingBytes > limits.workingBytes)
    return "the plan needs more bytes than a node has";
  return "";
}

} // namespace dojo::planning
