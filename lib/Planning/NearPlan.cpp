// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Planning/Planner.h"

#include "LayerCost.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace dojo::planning {

namespace {
class NearPlanner {
public:
  NearPlanner(const LayerProblem &problem, const std::vector<std::pair<Box, int32_t>> &held,
              const Mesh &mesh, const CostModel &model)
      : problem(problem), mesh(mesh), model(model), evaluator(problem, model),
        starts(problem.loops.size()) {
    for (const auto &[box, node] : held)
      for (size_t d = 0; d < starts.size(); ++d)
        starts[d].insert(box.lo[d]);
    for (const auto &[box, node] : held)
      groups[box.lo].push_back(node);
  }

  std::optional<LayerPlan> run() {
    int64_t tiles = 1;
    for (const std::set<int64_t> &s : starts)
      tiles *= static_cast<int64_t>(s.size());
    if (static_cast<int64_t>(groups.size()) != tiles)
      return std::nullopt;
    splits.resize(starts.size());
    size_t most = groups.begin()->second.size();
    for (const auto &[lo, nodes] : groups)
      most = std::min(most, nodes.size());
    search(0, static_cast<int64_t>(most));
    if (best.empty())
      return std::nullopt;
    LayerPlan plan = planOf(problem, best, mesh, model);
    plan.cost = evaluator.cost(best, nullptr, nearby);
    if (!assign(plan))
      return std::nullopt;
    return plan;
  }

private:
  /// Every way to cut the boxes further into at most \p left parts each.
  void search(size_t loop, int64_t left) {
    if (loop == splits.size()) {
      int64_t total = evaluator.cost(splits, nullptr, nearby).total;
      if (best.empty() || std::tie(total, splits) < std::tie(bestTotal, best)) {
        bestTotal = total;
        best = splits;
      }
      return;
    }
    const LoopDim &dim = problem.loops[loop];
    int64_t granules = (dim.extent + dim.granularity - 1) / dim.granularity;
    auto pieces = static_cast<int64_t>(starts[loop].size());
    for (int64_t f = 1; f <= left && pieces * f <= granules; ++f) {
      splits[loop] = pieces * f;
      search(loop + 1, left / f);
    }
  }

  /// Nodes for the plan's cells: of the box that a cell begins in while there are, then any that
  /// are free. False if there are not enough.
  bool assign(LayerPlan &plan) {
    std::vector<uint8_t> taken(static_cast<size_t>(mesh.positions()), 0);
    std::map<Coord, size_t> next;
    std::vector<size_t> open;
    for (size_t cell = 0; cell < plan.nodes.size(); ++cell) {
      Box box = plan.cellLoops(problem, cell);
      for (size_t d = 0; d < starts.size(); ++d)
        box.lo[d] = *std::prev(starts[d].upper_bound(box.lo[d]));
      const std::vector<int32_t> &group = groups.at(box.lo);
      size_t &at = next[box.lo];
      while (at < group.size() && taken[static_cast<size_t>(group[at])])
        ++at;
      if (at == group.size()) {
        open.push_back(cell);
        continue;
      }
      taken[static_cast<size_t>(plan.nodes[cell] = group[at])] = 1;
    }
    std::vector<int32_t> free = mesh.nodesByColumn();
    auto candidate = free.begin();
    for (size_t cell : open) {
      while (candidate != free.end() && taken[static_cast<size_t>(*candidate)])
        ++candidate;
      if (candidate == free.end())
        return false;
      plan.nodes[cell] = *candidate++;
    }
    return true;
  }

  /// Hops between the nodes of a group, about.
  static constexpr int64_t nearby = 4;

  const LayerProblem &problem;
  const Mesh &mesh;
  const CostModel &model;
  CostEvaluator evaluator;
  std::vector<std::set<int64_t>> starts; // of the boxes, per dimension
  std::map<Coord, std::vector<int32_t>> groups;
  std::vector<int64_t> splits, best;
  int64_t bestTotal = 0;
};
} // namespace

std::optional<LayerPlan> planNear(const LayerProblem &problem,
                                  const std::vector<std::pair<Box, int32_t>> &held,
                                  const Mesh &mesh, const CostModel &model) {
  for (const LoopDim &loop : problem.loops)
    if (!loop.parallel)
      return std::nullopt;
  for (const auto &[box, node] : held)
    if (box.lo.size() != problem.loops.size() || node < 0 || node >= mesh.positions() ||
        box.lo < Coord(box.lo.size(), 0))
      return std::nullopt;
  if (held.empty())
    return std::nullopt;
  return NearPlanner(problem, held, mesh, model).run();
}

} // namespace dojo::planning
