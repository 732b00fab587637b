// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Planning/Planner.h"

#include "LayerCost.h"

#include <algorithm>
#include <tuple>

namespace dojo::planning {

namespace {

/// The row-major index of a cell taken apart.
Coord cellIndex(const std::vector<int64_t> &splits, size_t cell) {
  Coord at(splits.size());
  auto rest = static_cast<int64_t>(cell);
  for (size_t l = splits.size(); l-- > 0;) {
    at[l] = rest % splits[l];
    rest /= splits[l];
  }
  return at;
}

bool uses(const OperandAccess &operand, size_t loop) {
  for (const AccessRow &row : operand.rows)
    for (const AccessTerm &term : row.terms)
      for (auto [l, scale] : term.loops)
        if (static_cast<size_t>(l) == loop && scale != 0)
          return true;
  return false;
}

/// One combination of splits, as the search keeps it.
struct Candidate {
  int64_t total, constant, cells;
  std::vector<int64_t> splits;
  auto key() const { return std::tie(total, constant, cells, splits); }
};

class LayerSearch {
public:
  LayerSearch(const LayerProblem &problem, const CostModel &model, const PlanLimits &limits,
              int64_t nodes)
      : problem(problem), limits(limits), nodes(nodes), evaluator(problem, model),
        splits(problem.loops.size(), 1) {
    for (const LoopDim &loop : problem.loops)
      useful.push_back(
          CostEvaluator::usefulSplits(loop, loop.parallel ? nodes : limits.maxReduction));
  }

  /// The candidates that no other beats in both time and constant bytes, fastest first.
  std::vector<Candidate> run() {
    search(0, 1, 1);
    std::sort(all.begin(), all.end(),
              [](const Candidate &a, const Candidate &b) { return a.key() < b.key(); });
    std::vector<Candidate> front;
    for (Candidate &c : all)
      if (front.empty() || c.constant < front.back().constant)
        front.push_back(std::move(c));
    return front;
  }

private:
  void search(size_t loop, int64_t cells, int64_t k) {
    if (loop == splits.size()) {
      CellBytes bytes;
      LayerCost cost = evaluator.cost(splits, &bytes);
      if (bytes.constant + bytes.working <= limits.nodeBytes &&
          bytes.working <= limits.workingBytes)
        all.push_back({cost.total, bytes.constant, cells, splits});
      return;
    }
    bool reduction = !problem.loops[loop].parallel;
    for (int64_t p : useful[loop]) {
      if (cells * p > nodes || (reduction && k * p > limits.maxReduction))
        break;
      splits[loop] = p;
      search(loop + 1, cells * p, reduction ? k * p : k);
    }
    splits[loop] = 1;
  }

  const LayerProblem &problem;
  const PlanLimits &limits;
  int64_t nodes;
  CostEvaluator evaluator;
  std::vector<int64_t> splits;
  std::vector<std::vector<int64_t>> useful;
  std::vector<Candidate> all;
};

} // namespace

Box LayerPlan::cellLoops(const LayerProblem &problem, size_t cell) const {
  Coord at = cellIndex(splits, cell);
  Box box;
  for (size_t l = 0; l < splits.size(); ++l) {
    Interval part = partOf(problem.loops[l].extent, problem.loops[l].granularity, splits[l], at[l]);
    box.lo.push_back(part.lo);
    box.size.push_back(part.size);
  }
  return box;
}

std::vector<LocalPiece> LayerPlan::pieces(const LayerProblem &problem) const {
  std::vector<LocalPiece> result;
  for (size_t cell = 0; cell < nodes.size(); ++cell) {
    Box box = touched(problem.output, cellLoops(problem, cell));
    Coord strides = rowMajorStrides(box.size, problem.output.elementBytes);
    result.push_back({std::move(box), std::move(strides), 0, {nodes[cell]}});
  }
  return result;
}

std::vector<int32_t> assignNodes(const LayerProblem &problem, const std::vector<int64_t> &splits,
                                 const Mesh &mesh) {
  // The streamed operand: the one of which most is received, over all nodes.
  const OperandAccess *streamed = nullptr;
  int64_t most = -1;
  for (const OperandAccess &input : problem.inputs) {
    int64_t received = product(input.shape) * input.elementBytes;
    for (size_t l = 0; l < splits.size(); ++l)
      received *= uses(input, l) ? 1 : splits[l];
    if (!input.constant && received > most) {
      most = received;
      streamed = &input;
    }
  }
  // Loops from the slowest to the fastest: those that move the patch, reductions, those that do
  // not.
  std::vector<size_t> order;
  int64_t alike = 1, cells = 1;
  for (int pass = 0; pass < 3; ++pass)
    for (size_t l = 0; l < splits.size(); ++l) {
      bool shared = streamed && !uses(*streamed, l);
      int rank = shared ? 2 : problem.loops[l].parallel ? 0 : 1;
      if (rank == pass)
        order.push_back(l);
      if (rank == pass && shared)
        alike *= splits[l];
    }
  for (int64_t s : splits)
    cells *= s;
  std::vector<int32_t> free = mesh.nodesByColumn(), nodes(static_cast<size_t>(cells));
  int64_t slack = static_cast<int64_t>(free.size()) - cells;
  size_t next = 0;
  for (int64_t i = 0; i < cells; ++i) {
    // Leave the end of a column empty rather than break a group there, while nodes last.
    if (alike > 1 && i % alike == 0) {
      size_t end = next;
      while (end < free.size() && mesh.column(free[end]) == mesh.column(free[next]))
        ++end;
      auto left = static_cast<int64_t>(end - next);
      if (left < alike && alike <= mesh.rows && left <= slack) {
        slack -= left;
        next = end;
      }
    }
    Coord at(splits.size());
    int64_t rest = i;
    for (size_t j = order.size(); j-- > 0;) {
      at[order[j]] = rest % splits[order[j]];
      rest /= splits[order[j]];
    }
    int64_t cell = 0;
    for (size_t l = 0; l < splits.size(); ++l)
      cell = cell * splits[l] + at[l];
    nodes[static_cast<size_t>(cell)] = free[next++];
  }
  return nodes;
}

std::vector<LayerPlan> solveLayer(const LayerProblem &problem, const Mesh &mesh,
                                  const CostModel &model, const PlanLimits &limits) {
  auto usable = static_cast<int64_t>(mesh.nodesByColumn().size());
  std::vector<LayerPlan> plans;
  for (Candidate &c : LayerSearch(problem, model, limits, usable).run())
    plans.push_back(planOf(problem, std::move(c.splits), mesh, model));
  return plans;
}

LayerPlan planOf(const LayerProblem &problem, std::vector<int64_t> splits, const Mesh &mesh,
                 const CostModel &model) {
  LayerPlan plan;
  CellBytes bytes;
  plan.cost = CostEvaluator(problem, model).cost(splits, &bytes);
  plan.constantBytes = bytes.constant;
  plan.workingBytes = bytes.working;
  plan.splits = std::move(splits);
  plan.nodes = assignNodes(problem, plan.splits, mesh);
  std::vector<LoopRole> roles = rolesOf(problem);
  int64_t *counts[] = {&plan.copies, &plan.m, &plan.n, &plan.k};
  for (size_t l = 0; l < roles.size(); ++l)
    *counts[static_cast<size_t>(roles[l])] *= plan.splits[l];
  return plan;
}

std::string toString(const LayerPlan &plan) {
  auto n = [](int64_t v) { return std::to_string(v); };
  const LayerCost &c = plan.cost;
  return n(plan.copies) + " x " + n(plan.m) + " x " + n(plan.n) + " x " + n(plan.k) + " on " +
         n(static_cast<int64_t>(plan.nodes.size())) + " nodes, " + n(c.total) + " cycles (fixed " +
         n(c.fixed) + ", matrix " + n(c.matrix) + ", simd " + n(c.simd) + ", memory " +
         n(c.memory) + ", receive " + n(c.receive) + ", send " + n(c.send) + ", links " +
         n(c.links) + ", reduce " + n(c.reduce) + "), " + n(plan.constantBytes) + " B constant, " +
         n(plan.workingBytes) + " B working";
}

} // namespace dojo::planning
