// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Planning/Planner.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

namespace dojo::planning {

namespace {

/// Everything about a layer but its name, for memoisation.
struct LayerKey {
  std::vector<LoopDim> loops;
  std::vector<OperandAccess> inputs;
  OperandAccess output;
  WorkModel work;
  explicit LayerKey(const LayerProblem &p)
      : loops(p.loops), inputs(p.inputs), output(p.output), work(p.work) {}
  friend auto operator<=>(const LayerKey &, const LayerKey &) = default;
};

class GraphSolver {
public:
  GraphSolver(const GraphProblem &problem, const Mesh &mesh, const CostModel &model)
      : problem(problem), mesh(mesh), model(model) {}

  /// Plans with constants of at most \p budget bytes and every layer's working bytes at most
  /// \p workingBytes; layers that have no such plan get little more than they need.
  bool run(int64_t budget, int64_t workingBytes, GraphPlan &out, std::string &error) {
    out = {};
    out.constantBudget = budget;
    error.clear();
    if (!solveLayers(workingBytes, error))
      return false;
    out.distinct = static_cast<int32_t>(solved.size());
    choice.assign(choices.size(), 0);
    constants = 0;
    for (const auto *plans : choices)
      constants += plans->front().constantBytes;
    while (constants > budget && stepDown())
      ++out.repairs;
    while (constants <= budget && stepUp(budget))
      ;
    if (error.empty() && constants > budget)
      error = overBudget(budget);
    for (size_t l = 0; l < choices.size(); ++l) {
      out.layers.push_back(plan(l, choice[l]));
      out.cycles += out.layers.back().cost.total;
    }
    out.constantBytes = constants;
    return error.empty();
  }

private:
  const LayerPlan &plan(size_t layer, size_t index) const { return (*choices[layer])[index]; }

  /// False if a layer is malformed. A layer without a plan within the limits gets its smallest one,
  /// and leaves a message.
  bool solveLayers(int64_t workingBytes, std::string &error) {
    PlanLimits tight = problem.limits;
    tight.workingBytes = std::min(tight.workingBytes, workingBytes);
    for (const LayerProblem &layer : problem.layers) {
      if (std::string fault = checkLayerProblem(layer); !fault.empty()) {
        error = "layer '" + layer.name + "': " + fault;
        return false;
      }
      auto [it, added] = solved.try_emplace(LayerKey(layer));
      if (added) {
        PlanLimits limits = tight;
        it->second = solveLayer(layer, mesh, model, limits);
        while (it->second.empty() && limits.workingBytes < problem.limits.workingBytes) {
          // Steps of a sixteenth of a node at least.
          int64_t more = std::max(limits.workingBytes / 4, problem.limits.nodeBytes / 16 + 1);
          bool all = limits.workingBytes > problem.limits.nodeBytes;
          limits.workingBytes = all ? problem.limits.workingBytes : limits.workingBytes + more;
          it->second = solveLayer(layer, mesh, model, limits);
        }
        if (it->second.empty())
          it->second = smallest(layer);
      }
      const LayerPlan &first = it->second.front();
      int64_t bytes = first.constantBytes + first.workingBytes;
      if (error.empty() && bytes > problem.limits.nodeBytes)
        error = "layer '" + layer.name + "' needs " + std::to_string(bytes) +
                " bytes a node with the division of its work that needs least, of " +
                std::to_string(problem.limits.nodeBytes);
      choices.push_back(&it->second);
    }
    return true;
  }

  std::vector<LayerPlan> smallest(const LayerProblem &layer) const {
    PlanLimits none{INT64_MAX, problem.limits.maxReduction};
    std::vector<LayerPlan> plans = solveLayer(layer, mesh, model, none);
    auto bytes = [](const LayerPlan &p) { return p.constantBytes + p.workingBytes; };
    auto least =
        std::min_element(plans.begin(), plans.end(), [&](const LayerPlan &a, const LayerPlan &b) {
          return bytes(a) < bytes(b);
        });
    return {*least};
  }

  /// Exchanges the plan whose smaller alternative costs the fewest cycles for each byte it frees.
  /// May skip plans that are no bargain.
  bool stepDown() {
    size_t layer = 0, next = 0;
    int64_t slower = 0, saved = 0;
    for (size_t l = 0; l < choices.size(); ++l)
      for (size_t p = choice[l] + 1; p < choices[l]->size(); ++p) {
        int64_t s = plan(l, p).cost.total - plan(l, choice[l]).cost.total;
        int64_t b = plan(l, choice[l]).constantBytes - plan(l, p).constantBytes;
        if (saved == 0 || s * saved < slower * b)
          std::tie(layer, next, slower, saved) = std::tuple(l, p, s, b);
      }
    if (saved == 0)
      return false;
    choice[layer] = next;
    constants -= saved;
    return true;
  }

  /// Spends what the last exchange left over: the larger plan that gains the most cycles and fits.
  bool stepUp(int64_t budget) {
    size_t layer = 0, next = 0;
    int64_t gain = 0;
    for (size_t l = 0; l < choices.size(); ++l)
      for (size_t p = 0; p < choice[l]; ++p) {
        int64_t more = plan(l, p).constantBytes - plan(l, choice[l]).constantBytes;
        int64_t g = plan(l, choice[l]).cost.total - plan(l, p).cost.total;
        if (constants + more <= budget && g > gain)
          std::tie(layer, next, gain) = std::tuple(l, p, g);
      }
    if (gain == 0)
      return false;
    constants += plan(layer, next).constantBytes - plan(layer, choice[layer]).constantBytes;
    choice[layer] = next;
    return true;
  }

  std::string overBudget(int64_t budget) const {
    std::string text = "weights and tables need at least " + std::to_string(constants) +
                       " bytes a node, " + std::to_string(constants - budget) +
                       " more than there are; most of it in";
    std::vector<size_t> order(choices.size());
    std::iota(order.begin(), order.end(), size_t(0));
    auto bytes = [&](size_t l) { return plan(l, choice[l]).constantBytes; };
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return bytes(a) != bytes(b) ? bytes(a) > bytes(b) : a < b;
    });
    constexpr size_t named = 5;
    for (size_t i = 0; i < std::min(order.size(), named); ++i)
      text += (i ? ", '" : " '") + problem.layers[order[i]].name + "' (" +
              std::to_string(bytes(order[i])) + ")";
    return text;
  }

  const GraphProblem &problem;
  const Mesh &mesh;
  const CostModel &model;
  std::map<LayerKey, std::vector<LayerPlan>> solved;
  std::vector<const std::vector<LayerPlan> *> choices; // per layer, fastest first
  std::vector<size_t> choice;
  int64_t constants = 0;
};

} // namespace

int64_t GraphPlan::peakBytes() const {
  int64_t working = 0;
  for (const LayerPlan &layer : layers)
    working = std::max(working, layer.workingBytes);
  return constantBytes + working;
}

/// Plans that keep constants apart take more working space, to bring them or to add partial sums:
/// where both do not fit together, looks for the working space with which they do, or else for the
/// plans that come nearest.
static void balance(const GraphProblem &problem, const Mesh &mesh, const CostModel &model,
                    GraphPlan &out, std::string &error) {
  const int64_t nodeBytes = problem.limits.nodeBytes, least = out.constantBytes;
  for (int64_t working = nodeBytes / 2; working > nodeBytes / 64 && out.peakBytes() > nodeBytes;
       working -= working / 4)
    for (int64_t budget : {nodeBytes - working, std::min(least + least / 16, nodeBytes)}) {
      GraphPlan other;
      std::string fault;
      if (GraphSolver(problem, mesh, model).run(budget, working, other, fault) &&
          (!error.empty() || other.peakBytes() < out.peakBytes())) {
        out = std::move(other);
        error.clear();
      }
    }
}

bool solveGraph(const GraphProblem &problem, const Mesh &mesh, const CostModel &model,
                GraphPlan &out, std::string &error) {
  if (mesh.nodesByColumn().empty()) {
    out = {};
    error = "the mesh has no usable node";
    return false;
  }
  auto attempt = [&](int64_t budget) {
    int64_t left = problem.limits.nodeBytes - budget;
    if (left > 0 && GraphSolver(problem, mesh, model).run(budget, left / 2, out, error))
      return true;
    return GraphSolver(problem, mesh, model).run(budget, problem.limits.workingBytes, out, error);
  };
  if (problem.constantBudget > 0)
    return attempt(problem.constantBudget);
  int64_t half = problem.limits.nodeBytes / 2;
  if (attempt(half) || out.layers.empty() || out.constantBytes <= half)
    return error.empty();
  // Over half even with the smallest plans. A little more than the least is worth most: the last
  // exchanges are the dearest.
  int64_t least = out.constantBytes;
  if (least >= problem.limits.nodeBytes)
    return false;
  attempt(std::min(least + least / 16, problem.limits.nodeBytes));
  balance(problem, mesh, model, out, error);
  return error.empty();
}

bool fitGraph(GraphProblem &problem, int64_t bytes, int64_t beside, const Mesh &mesh,
              const CostModel &model, GraphPlan &out, std::string &error) {
  constexpr int64_t finestReduction = 32, rounds = 6;
  for (int64_t round = rounds; round >= 0; --round) {
    problem.limits.nodeBytes = bytes - beside * round / rounds;
    bool fits = solveGraph(problem, mesh, model, out, error);
    if (fits && out.peakBytes() <= problem.limits.nodeBytes)
      return true;
    problem.limits.maxReduction = finestReduction;
  }
  return error.empty();
}

} // namespace dojo::planning
