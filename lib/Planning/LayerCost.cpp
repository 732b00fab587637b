// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerCost.h"

#include "dojo/Target/Target.h"

#include <algorithm>

namespace dojo::planning {

namespace {

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t percent(int64_t value, int64_t p) { return ceilDiv(value * p, 100); }
int64_t perPercent(int64_t value, int64_t p) {
  return ceilDiv(value * 100, std::max<int64_t>(p, 1));
}

} // namespace

CostModel CostModel::fromTarget(const Target &target) {
  CostModel m;
  m.rows = target.partitionRows;
  m.columns = target.partitionColumns;
  m.lanes = target.lanes;
  m.packetBytes = target.packetBytes;
  m.memorySlots = target.aguSlots;
  m.accumulators = target.accumulators;
  m.matrixRows = target.matrixRows;
  m.hopCycles = target.hopCycles;
  m.listStart = target.listStart;
  m.listNext = target.listNext;
  m.arrivalLatency = target.arrivalLatency;
  m.multicast = target.multicast;
  return m;
}

CostEvaluator::CostEvaluator(const LayerProblem &problem, const CostModel &model)
    : problem(problem), model(model), size(problem.loops.size(), 0) {
  auto prepare = [&](const OperandAccess &access) {
    Operand o{&access, std::vector<uint8_t>(problem.loops.size(), 0),
              std::vector<int64_t>(access.shape.size(), 0)};
    for (const AccessRow &row : access.rows)
      for (const AccessTerm &term : row.terms)
        for (auto [l, scale] : term.loops)
          o.usesLoop[l] |= scale != 0;
    return o;
  };
  for (const OperandAccess &input : problem.inputs)
    inputs.push_back(prepare(input));
  output = prepare(problem.output);
}

std::vector<int64_t> CostEvaluator::usefulSplits(const LoopDim &loop, int64_t most) {
  int64_t granules = ceilDiv(loop.extent, loop.granularity);
  std::vector<int64_t> splits{1};
  for (int64_t p = 2; p <= std::min(granules, most); ++p)
    if (loop.parallel ? ceilDiv(granules, p) < ceilDiv(granules, splits.back())
                      : loop.extent % (p * loop.granularity) == 0)
      splits.push_back(p);
  return splits;
}

/// The box sizes of an operand for a cell that starts at the origin. Constants and low ends do not
/// matter for the size; clipping to the shape does.
void CostEvaluator::measure(Operand &operand) {
  const OperandAccess &access = *operand.access;
  for (size_t d = 0; d < access.rows.size(); ++d) {
    int64_t span = access.rows[d].window;
    for (const AccessTerm &term : access.rows[d].terms) {
      int64_t reach = 0;
      for (auto [l, scale] : term.loops)
        reach += std::abs(scale) * (size[l] - 1);
      // A cell that starts in the middle of a divisor's step touches one value more.
      reach = term.divisor == 1 ? reach : ceilDiv(reach, term.divisor);
      if (term.modulus > 0)
        reach = std::min(reach, term.modulus - 1);
      span += std::abs(term.coefficient) * reach;
    }
    operand.size[d] = std::clamp<int64_t>(span, 0, access.shape[d]);
  }
}

/// Packets of a box cut out of a row-major tensor: whole inner dimensions join the run.
int64_t CostEvaluator::packetsOf(const Operand &operand, int64_t elementBytes) const {
  const Coord &shape = operand.access->shape;
  int64_t run = elementBytes, runs = 1;
  bool whole = true;
  for (size_t d = shape.size(); d-- > 0;) {
    if (whole)
      run *= operand.size[d];
    else
      runs *= operand.size[d];
    whole = whole && operand.size[d] == shape[d];
  }
  return runs * ceilDiv(run, model.packetBytes);
}

void CostEvaluator::work(LayerCost &c, bool partial) const {
  const WorkModel &w = problem.work;
  auto times = [&](const std::vector<int32_t> &loops) {
    int64_t n = 1;
    for (int32_t l : loops)
      n *= size[l];
    return n;
  };
  if (w.matrix()) {
    int64_t last = size[w.rowLoops.back()], rows = times(w.rowLoops);
    int64_t blocks = w.rowsRunOn || last == 0 ? ceilDiv(rows, model.matrixRows)
                                              : rows / last * ceilDiv(last, model.matrixRows);
    int64_t columns = times(w.columnLoops), depth = times(w.depthLoops);
    int64_t steps = blocks * columns * depth;
    int64_t vectors = ceilDiv(blocks * model.matrixRows * columns * 8, model.lanes);
    // Unfinished sums are only drained and stored.
    int64_t simd = partial ? std::min<int64_t>(w.simdPerOutput, 1) : w.simdPerOutput;
    int64_t memory = partial ? std::min<int64_t>(w.memoryPerOutput, 1) : w.memoryPerOutput;
    int64_t reuse = std::max<int64_t>(1, std::min(columns, model.accumulators / 2));
    c.matrix = perPercent(steps, model.matrixEfficiency);
    c.simd = vectors * simd;
    c.memory = ceilDiv(steps + ceilDiv(steps * w.rowLoadSlots, reuse) + vectors * memory,
                       model.memorySlots);
    c.kernel = std::max({c.matrix, c.simd, c.memory}) +
               percent(std::min(c.matrix, c.simd), model.simdExposed);
    return;
  }
  auto vectorsOver = [&](auto counts) {
    int64_t n = 1, along = 1;
    for (size_t l = 0; l < size.size(); ++l) {
      auto &product = std::count(w.vectorLoops.begin(), w.vectorLoops.end(), l) ? along : n;
      product *= counts(l) ? size[l] : 1;
    }
    return w.vectorLoops.empty() ? n : n * ceilDiv(along, model.lanes);
  };
  int64_t points = vectorsOver([](size_t) { return true; });
  int64_t outputs = vectorsOver([&](size_t l) { return problem.loops[l].parallel; });
  c.simd = points * w.simdPerPoint + outputs * w.simdPerOutput;
  c.memory = ceilDiv(points * w.memoryPerPoint + outputs * w.memoryPerOutput, model.memorySlots);
  c.kernel = perPercent(std::max(c.simd, c.memory), model.generalEfficiency);
}

void CostEvaluator::exchange(LayerCost &c, const std::vector<int64_t> &splits, int64_t cells,
                             int64_t hops) {
  int64_t usable = model.rows * model.columns;
  int64_t linksOfMesh = 2 * (model.rows * (model.columns - 1) + model.columns * (model.rows - 1));
  int64_t distance = hops > 0 ? hops : (model.rows + model.columns) / 3;
  int64_t hopPackets = 0;
  for (Operand &input : inputs) {
    if (input.access->constant)
      continue;
    int64_t packets = packetsOf(input, input.access->elementBytes);
    int64_t alike = 1; // cells that need the same box
    for (size_t l = 0; l < splits.size(); ++l)
      if (!input.usesLoop[l])
        alike *= splits[l];
    c.receive += packets;
    // A group of nodes in one column costs one or two runs, each beginning at a turn.
    int64_t runs = !model.multicast || alike == 1 ? alike : 1 + ceilDiv(alike, model.rows);
    int64_t sent = cells / alike * packets * runs;
    int64_t bytes = product(input.access->shape) * input.access->elementBytes;
    int64_t senders = std::clamp<int64_t>(bytes / (4 * model.packetBytes), 1, usable);
    c.send += percent(ceilDiv(sent, senders), model.sendImbalance);
    hopPackets += sent * (distance + (alike > 1 && model.multicast ? alike / runs : 0));
  }
  if (cells == 1 && usable == 1)
    hopPackets = 0;
  if (linksOfMesh > 0)
    c.links = percent(ceilDiv(hopPackets, linksOfMesh), model.linkImbalance);
  c.exchange = std::max({c.receive, c.send, c.links});
}

LayerCost CostEvaluator::cost(const std::vector<int64_t> &splits, CellBytes *bytes, int64_t hops) {
  int64_t cells = 1, k = 1;
  for (size_t l = 0; l < splits.size(); ++l) {
    const LoopDim &loop = problem.loops[l];
    int64_t granules = ceilDiv(loop.extent, loop.granularity);
    size[l] = std::min(loop.extent, ceilDiv(granules, splits[l]) * loop.granularity);
    cells *= splits[l];
    if (!loop.parallel)
      k *= splits[l];
  }
  for (Operand &input : inputs)
    measure(input);
  measure(output);
  LayerCost c;
  work(c, k > 1);
  exchange(c, splits, cells, hops);
  int64_t latency =
      model.listStart + model.arrivalLatency + model.hopCycles * (model.rows + model.columns) / 3;
  c.fixed = model.layerFixed + latency;
  int64_t outputs = 1;
  for (int64_t s : output.size)
    outputs *= s;
  constexpr int64_t partialBytes = 4; // fp32
  if (k > 1) {
    // Each of the k nodes of a group receives and finishes its share of the group's outputs.
    int64_t share = ceilDiv(outputs, k);
    int64_t adds = ceilDiv(share, model.lanes) * (k + problem.work.simdPerOutput);
    c.reduce = c.fixed + k * ceilDiv(share * partialBytes, model.packetBytes) +
               perPercent(adds, model.generalEfficiency);
  }
  c.total = c.fixed + c.kernel + c.exchange + c.reduce -
            std::min(c.kernel, c.exchange) * model.overlap / 100;
  if (bytes) {
    *bytes = {};
    for (Operand &input : inputs) {
      int64_t n = input.access->elementBytes;
      for (int64_t s : input.size)
        n *= s;
      (input.access->constant ? bytes->constant : bytes->working) += n;
    }
    bytes->working += outputs * (k > 1 ? 2 * partialBytes : problem.output.elementBytes);
  }
  return c;
}

LayerCost costOf(const LayerProblem &problem, const std::vector<int64_t> &splits,
                 const CostModel &model) {
  return CostEvaluator(problem, model).cost(splits, nullptr);
}

} // namespace dojo::planning
