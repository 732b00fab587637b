// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Networks as planner problems, in the blocked layout [N][C/4][H][W][4] of bf16: shapes of real
// layers for tests of plans, exchanges and time.
#ifndef DOJO_TEST_PLANNING_NETWORKS_H
#define DOJO_TEST_PLANNING_NETWORKS_H

#include "dojo/Planning/Exchange.h"
#include "dojo/Planning/Planner.h"

#include <algorithm>

namespace dojo::planning::test {

struct ConvShape {
  int64_t channels, height, width, filters, kernel, stride;
  int64_t pad() const { return kernel / 2; }
  int64_t outHeight() const { return (height + 2 * pad() - kernel) / stride + 1; }
  int64_t outWidth() const { return (width + 2 * pad() - kernel) / stride + 1; }
};

/// Loops n, fo, y, x, f2, f4, kh, kw, cq, c4; inputs: patch, weights, bias, and with \p residual a
/// tensor added to the output. \p reduction: the channels may be divided too.
inline LayerProblem convProblem(const std::string &name, const ConvShape &s, bool residual,
                                bool reduction) {
  int64_t cq = (s.channels + 3) / 4, fo = (s.filters + 7) / 8, fq = (s.filters + 3) / 4;
  LayerProblem p;
  p.name = name;
  p.loops = {{1, 1, true},
             {fo, 1, true},
             {s.outHeight(), 1, true},
             {s.outWidth(), std::min<int64_t>(8, s.outWidth()), true},
             {2, 2, true},
             {4, 4, true},
             {s.kernel, s.kernel, false},
             {s.kernel, s.kernel, false},
             {cq, reduction ? 1 : cq, false},
             {4, 4, false}};
  auto sum = [](std::pair<int32_t, int64_t> a, std::pair<int32_t, int64_t> b) {
    return AccessRow{{{1, {a, b}}}, 0, 1};
  };
  AccessRow y = sum({2, s.stride}, {6, 1}), x = sum({3, s.stride}, {7, 1});
  AccessRow f = sum({1, 2}, {4, 1});
  auto loop = [](int32_t l) { return AccessRow::loop(l); };
  p.inputs.push_back({{1, cq, s.height + 2 * s.pad(), s.width + 2 * s.pad(), 4},
                      2,
                      false,
                      {loop(0), loop(8), y, x, loop(9)}});
  p.inputs.push_back({{fo, s.kernel, s.kernel, cq, 8, 4},
                      2,
                      true,
                      {loop(1), loop(6), loop(7), loop(8), sum({4, 4}, {5, 1}), loop(9)}});
  p.inputs.push_back({{fq, 4}, 2, true, {f, loop(5)}});
  p.output = {
      {1, fq, s.outHeight(), s.outWidth(), 4}, 2, false, {loop(0), f, loop(2), loop(3), loop(5)}};
  if (residual)
    p.inputs.push_back(p.output);
  p.work.rowLoops = {0, 2, 3};
  p.work.columnLoops = {1};
  p.work.depthLoops = {6, 7, 8};
  p.work.rowLoadSlots = s.stride > 1 ? 4 : s.kernel > 1 ? 2 : 1;
  p.work.rowsRunOn = s.kernel == 1 && s.stride == 1;
  p.work.simdPerOutput = residual ? 4 : 3;
  p.work.memoryPerOutput = residual ? 3 : 2;
  return p;
}

/// A graph whose edges carry the zero padding that the consumer's view adds.
struct Network {
  GraphProblem graph;
  std::vector<int64_t> pads; ///< per edge, rows and columns on each side
};

/// ResNet-50 v1.5, batch 1, 224 x 224: convolutions, max pool and the classifier; the global
/// average is left out.
inline Network resnet50(bool reduction) {
  Network net;
  auto conv = [&](const std::string &name, const ConvShape &s, int32_t from, int32_t residual) {
    net.graph.layers.push_back(convProblem(name, s, residual >= 0, reduction));
    auto self = static_cast<int32_t>(net.graph.layers.size()) - 1;
    if (from >= 0) {
      net.graph.edges.push_back({from, self, 0});
      net.pads.push_back(s.pad());
    }
    if (residual >= 0) {
      net.graph.edges.push_back({residual, self, 3});
      net.pads.push_back(0);
    }
    return self;
  };
  conv("conv1", {3, 224, 224, 64, 7, 2}, -1, -1);
  LayerProblem pool;
  pool.name = "maxpool";
  pool.loops = {{1, 1, true}, {16, 1, true}, {56, 1, true}, {56, 1, true},
                {4, 4, true}, {3, 3, false}, {3, 3, false}};
  AccessRow y{{{1, {{2, 2}, {5, 1}}}}, 0, 1}, x{{{1, {{3, 2}, {6, 1}}}}, 0, 1};
  auto loop = [](int32_t l) { return AccessRow::loop(l); };
  pool.inputs = {{{1, 16, 114, 114, 4}, 2, false, {loop(0), loop(1), y, x, loop(4)}}};
  pool.output = {{1, 16, 56, 56, 4}, 2, false, {loop(0), loop(1), loop(2), loop(3), loop(4)}};
  pool.work.simdPerPoint = 1;
  pool.work.memoryPerPoint = 1;
  pool.work.memoryPerOutput = 1;
  pool.work.vectorLoops = {4};
  net.graph.layers.push_back(pool);
  net.graph.edges.push_back({0, 1, 0});
  net.pads.push_back(1);
  int32_t last = 1;
  int64_t size = 56, in = 64;
  struct Stage {
    int blocks;
    int64_t mid, out, stride;
  };
  for (Stage stage : {Stage{3, 64, 256, 1}, {4, 128, 512, 2}, {6, 256, 1024, 2}, {3, 512, 2048, 2}})
    for (int b = 0; b < stage.blocks; ++b) {
      int64_t stride = b ? 1 : stage.stride;
      std::string name = std::to_string(stage.mid) + "." + std::to_string(b);
      int32_t a = conv(name + "a", {in, size, size, stage.mid, 1, 1}, last, -1);
      int32_t m = conv(name + "b", {stage.mid, size, size, stage.mid, 3, stride}, a, -1);
      int32_t skip = b ? last : conv(name + "s", {in, size, size, stage.out, 1, stride}, last, -1);
      size = (size + stride - 1) / stride;
      last = conv(name + "c", {stage.mid, size, size, stage.out, 1, 1}, m, skip);
      in = stage.out;
    }
  net.graph.limits.nodeBytes = 1310720 - 131072;
  net.graph.constantBudget = 800 * 1024;
  return net;
}

/// The exchange that brings an edge's operand to its consumer, from where the plan leaves it.
inline ExchangeProblem edgeExchange(const Network &net, const GraphPlan &plan, size_t edge) {
  const GraphEdge &e = net.graph.edges[edge];
  const LayerProblem &producer = net.graph.layers[e.producer];
  const LayerProblem &consumer = net.graph.layers[e.consumer];
  const OperandAccess &operand = consumer.inputs[e.operand];
  ExchangeProblem p;
  p.elementBytes = operand.elementBytes;
  p.sources.push_back(
      {producer.name, producer.output.shape, plan.layers[e.producer].pieces(producer)});
  int32_t x = p.view.source(0, producer.output.shape);
  Coord at(operand.shape.size(), 0);
  if (at.size() == 5)
    at[2] = at[3] = net.pads[edge];
  p.view.assemble(operand.shape, {{x, at}});
  const LayerPlan &to = plan.layers[e.consumer];
  std::vector<std::pair<Box, std::vector<int32_t>>> boxes;
  for (size_t cell = 0; cell < to.nodes.size(); ++cell)
    boxes.push_back({touched(operand, to.cellLoops(consumer, cell)), {to.nodes[cell]}});
  std::sort(boxes.begin(), boxes.end());
  for (size_t i = 0; i < boxes.size();) {
    LocalPiece need{boxes[i].first, rowMajorStrides(boxes[i].first.size, p.elementBytes), 0, {}};
    for (; i < boxes.size() && boxes[i].first == need.box; ++i)
      need.nodes.push_back(boxes[i].second[0]);
    p.needs.push_back(std::move(need));
  }
  return p;
}

} // namespace dojo::planning::test

#endif
