// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Oracle of the property test: the cost of every possible division of a small layer.

#include "Networks.h"
#include "Random.h"
#include "dojo/Target/Target.h"

#include <algorithm>
#include <functional>

using namespace dojo::planning;
using dojo::planning::test::convProblem;
using dojo::planning::test::ConvShape;
using dojo::planning::test::forSeeds;
using dojo::planning::test::Network;
using dojo::planning::test::Random;

namespace {

struct Die {
  dojo::Target target;
  Mesh mesh;
  CostModel model;
  explicit Die(const std::string &name = "d1", int64_t rows = 0, int64_t columns = 0) {
    std::string error;
    EXPECT_TRUE(dojo::loadTarget(name, target, error)) << error;
    if (rows) {
      dojo::Target part;
      EXPECT_TRUE(target.withPartition(rows, columns, part, error)) << error;
      target = part;
    }
    mesh = Mesh::fromTarget(target);
    model = CostModel::fromTarget(target);
  }
};

LayerProblem randomConv(Random &random) {
  int64_t kernel = random.chance(50) ? 1 : 3;
  return convProblem("conv",
                     {4 * random.in(1, 8), random.in(3, 12), random.in(3, 12), 8 * random.in(1, 6),
                      kernel, random.in(1, 2)},
                     random.chance(30), random.chance(50));
}

TEST(Planner, NoDivisionBeatsTheFirstPlan) {
  Die die("d1", 3, 4);
  forSeeds(40, [&](Random &random) {
    LayerProblem p = randomConv(random);
    ASSERT_EQ(checkLayerProblem(p), "");
    PlanLimits limits{1 << 20, 4};
    std::vector<LayerPlan> plans = solveLayer(p, die.mesh, die.model, limits);
    ASSERT_FALSE(plans.empty());
    for (const LayerPlan &plan : plans)
      EXPECT_EQ(verifyPlan(p, plan, die.mesh, limits), "");
    for (size_t i = 1; i < plans.size(); ++i) {
      EXPECT_GE(plans[i].cost.total, plans[i - 1].cost.total);
      EXPECT_LT(plans[i].constantBytes, plans[i - 1].constantBytes);
    }
    int64_t best = INT64_MAX;
    std::vector<int64_t> splits(p.loops.size(), 1);
    std::function<void(size_t, int64_t, int64_t)> all = [&](size_t l, int64_t cells, int64_t k) {
      if (l == splits.size()) {
        best = std::min(best, costOf(p, splits, die.model).total);
        return;
      }
      const LoopDim &loop = p.loops[l];
      int64_t granules = (loop.extent + loop.granularity - 1) / loop.granularity;
      for (int64_t s = 1; s <= granules && s * cells <= 12; ++s) {
        if (!loop.parallel && s * k > limits.maxReduction)
          break;
        if (!loop.parallel && loop.extent % (s * loop.granularity) != 0)
          continue; // parts of a sum are equal
        splits[l] = s;
        all(l + 1, cells * s, loop.parallel ? k : k * s);
      }
      splits[l] = 1;
    };
    all(0, 1, 1);
    EXPECT_EQ(plans[0].cost.total, best);
  });
}

TEST(Planner, VerifierCatchesMutations) {
  Die die("d1", 3, 4);
  forSeeds(60, [&](Random &random) {
    LayerProblem p = randomConv(random);
    PlanLimits limits{1 << 20, 4};
    LayerPlan good = solveLayer(p, die.mesh, die.model, limits).front();
    ASSERT_EQ(verifyPlan(p, good, die.mesh, limits), "");
    LayerPlan bad = good;
    bad.nodes.pop_back();
    EXPECT_NE(verifyPlan(p, bad, die.mesh, limits), "");
    bad = good;
    bad.splits[2] += 1;
    EXPECT_NE(verifyPlan(p, bad, die.mesh, limits), "");
    bad = good;
    bad.workingBytes -= 1;
    EXPECT_NE(verifyPlan(p, bad, die.mesh, limits), "");
    bad = good;
    bad.nodes[0] = die.mesh.positions() - 1; // outside the partition
    EXPECT_NE(verifyPlan(p, bad, die.mesh, limits), "");
    EXPECT_NE(verifyPlan(p, good, die.mesh, {good.workingBytes - 1, 4}), "");
    if (good.nodes.size() > 1) {
      bad = good;
      bad.nodes[1] = bad.nodes[0];
      EXPECT_NE(verifyPlan(p, bad, die.mesh, limits), "");
    }
  });
}

TEST(Planner, TinyLayersStayOnFewNodes) {
  Die die;
  LayerProblem p;
  p.loops = {{64, 16, true}};
  p.inputs = {{{64}, 2, false, {AccessRow::loop(0)}}};
  p.output = {{64}, 2, false, {AccessRow::loop(0)}};
  p.work.simdPerPoint = 2;
  p.work.memoryPerPoint = 2;
  p.work.vectorLoops = {0};
  auto plans = solveLayer(p, die.mesh, die.model, {1 << 20, 1});
  ASSERT_FALSE(plans.empty());
  EXPECT_LE(plans[0].nodes.size(), 4u);
}

TEST(Planner, LargeLayersFillTheDie) {
  Die die;
  LayerProblem p = convProblem("conv", {64, 56, 56, 64, 3, 1}, false, false);
  auto plans = solveLayer(p, die.mesh, die.model, {1 << 20, 1});
  ASSERT_FALSE(plans.empty());
  EXPECT_GE(plans[0].nodes.size(), 300u);
}

TEST(Planner, DeepLayersOnFewPixelsDivideTheReduction) {
  Die die;
  LayerProblem p = convProblem("conv", {512, 7, 7, 512, 3, 1}, false, true);
  auto plans = solveLayer(p, die.mesh, die.model, {1 << 20, 16});
  ASSERT_FALSE(plans.empty());
  EXPECT_GT(plans[0].k, 1);
  auto whole = solveLayer(p, die.mesh, die.model, {1 << 20, 1});
  ASSERT_FALSE(whole.empty());
  EXPECT_EQ(whole[0].k, 1);
  EXPECT_LT(plans[0].cost.total, whole[0].cost.total);
}

TEST(Planner, CellsWithOnePatchShareColumns) {
  Die die;
  LayerProblem p = convProblem("conv", {64, 56, 56, 64, 3, 1}, false, false);
  std::vector<int64_t> splits(p.loops.size(), 1);
  splits[1] = 8; // channel groups
  splits[2] = 40;
  std::vector<int32_t> nodes = assignNodes(p, splits, die.mesh);
  ASSERT_EQ(nodes.size(), 320u);
  for (int64_t y = 0; y < 40; ++y)
    for (int64_t f = 1; f < 8; ++f)
      EXPECT_EQ(die.mesh.column(nodes[static_cast<size_t>(f * 40 + y)]),
                die.mesh.column(nodes[static_cast<size_t>(y)]));
}

TEST(Planner, BudgetIsMetAtTheLowestPrice) {
  Die die;
  Network net = dojo::planning::test::resnet50(true);
  GraphPlan free, tight;
  std::string error;
  net.graph.constantBudget = 1 << 30;
  ASSERT_TRUE(solveGraph(net.graph, die.mesh, die.model, free, error)) << error;
  EXPECT_EQ(free.repairs, 0);
  EXPECT_LT(free.distinct, 30) << "equal shapes are solved once";
  net.graph.constantBudget = free.constantBytes * 2 / 3;
  ASSERT_TRUE(solveGraph(net.graph, die.mesh, die.model, tight, error)) << error;
  EXPECT_GT(tight.repairs, 0);
  EXPECT_LE(tight.constantBytes, net.graph.constantBudget);
  EXPECT_GE(tight.cycles, free.cycles);
  for (size_t l = 0; l < tight.layers.size(); ++l)
    EXPECT_EQ(verifyPlan(net.graph.layers[l], tight.layers[l], die.mesh, net.graph.limits), "");
  net.graph.constantBudget = 1000;
  EXPECT_FALSE(solveGraph(net.graph, die.mesh, die.model, tight, error));
  EXPECT_NE(error.find("'512.2b'"), std::string::npos) << error;
  EXPECT_EQ(tight.layers.size(), net.graph.layers.size()) << "for the memory map";
  net.graph.limits.nodeBytes = 1000;
  EXPECT_FALSE(solveGraph(net.graph, die.mesh, die.model, tight, error));
  EXPECT_NE(error.find("'conv1'"), std::string::npos) << error;
  EXPECT_EQ(tight.layers.size(), net.graph.layers.size());
}

TEST(Planner, ChoosesTheBudgetItself) {
  Die die;
  GraphPlan plan;
  std::string error;
  for (bool reduction : {true, false}) {
    Network net = dojo::planning::test::resnet50(reduction);
    net.graph.constantBudget = 0;
    ASSERT_TRUE(solveGraph(net.graph, die.mesh, die.model, plan, error)) << error;
    EXPECT_LE(plan.constantBytes, plan.constantBudget);
    // Without a k split the weights alone take more than half of a node.
    EXPECT_EQ(plan.constantBudget > net.graph.limits.nodeBytes / 2, !reduction);
  }
}

TEST(Planner, WorkingSpaceFitsBesideLargeConstants) {
  // Partial sums of the convolution and the weights of the products do not fit together.
  Die die;
  GraphProblem graph;
  graph.limits = {950 * 1024, 8};
  graph.layers = {convProblem("image", {64, 224, 224, 64, 3, 1}, false, true),
                  convProblem("wide", {25088, 1, 1, 4096, 1, 1}, false, true),
                  convProblem("square", {4096, 1, 1, 4096, 1, 1}, false, true)};
  GraphPlan plan;
  std::string error;
  ASSERT_TRUE(solveGraph(graph, die.mesh, die.model, plan, error)) << error;
  int64_t working = 0;
  for (size_t l = 0; l < plan.layers.size(); ++l) {
    EXPECT_EQ(verifyPlan(graph.layers[l], plan.layers[l], die.mesh, graph.limits), "");
    working = std::max(working, plan.layers[l].workingBytes);
  }
  EXPECT_GT(plan.constantBytes, graph.limits.nodeBytes / 2);
  EXPECT_LE(plan.constantBytes + working, graph.limits.nodeBytes);
}

TEST(Planner, DividesSumsFurtherAndLeavesLessBesideWhereNothingElseFits) {
  Die die;
  CostModel &model = die.model;
  GraphProblem graph;
  graph.limits.maxReduction = 8;
  for (int i = 0; i < 60; ++i)
    graph.layers.push_back(
        convProblem("deep " + std::to_string(i), {512, 12, 12, 128, 3, 1}, false, true));
  constexpr int64_t beside = 96 * 1024;
  std::string error;
  auto fit = [&](int64_t bytes, GraphPlan &plan) {
    GraphProblem asked = graph;
    bool fits = fitGraph(asked, bytes, beside, die.mesh, model, plan, error);
    EXPECT_LE(bytes - beside, asked.limits.nodeBytes);
    EXPECT_LE(asked.limits.nodeBytes, bytes);
    for (size_t l = 0; fits && l < plan.layers.size(); ++l)
      EXPECT_EQ(verifyPlan(graph.layers[l], plan.layers[l], die.mesh, asked.limits), "");
    return fits ? asked.limits : PlanLimits{};
  };
  auto fewerParts = [](const LayerPlan &a, const LayerPlan &b) { return a.k < b.k; };
  GraphPlan plan, coarse;
  // Room for all: as solveGraph plans it.
  PlanLimits limits = fit(1 << 20, plan);
  EXPECT_EQ(limits.maxReduction, 8) << error;
  EXPECT_EQ(limits.nodeBytes, (1 << 20) - beside);
  graph.limits.nodeBytes = limits.nodeBytes;
  ASSERT_TRUE(solveGraph(graph, die.mesh, model, coarse, error)) << error;
  for (size_t l = 0; l < plan.layers.size(); ++l)
    EXPECT_EQ(plan.layers[l].splits, coarse.layers[l].splits);
  // Less than sums in eight parts need.
  graph.limits.nodeBytes = 500 * 1024;
  EXPECT_FALSE(solveGraph(graph, die.mesh, model, coarse, error));
  limits = fit(500 * 1024, plan);
  EXPECT_EQ(limits.maxReduction, 32) << error;
  EXPECT_LT(plan.constantBytes, coarse.constantBytes);
  EXPECT_LE(plan.peakBytes(), limits.nodeBytes);
  EXPECT_GT(std::max_element(plan.layers.begin(), plan.layers.end(), fewerParts)->k, 8);
  // No more than is needed, and then less.
  int64_t exactly = plan.peakBytes() + beside / 2;
  while (fit(exactly, plan).nodeBytes == exactly - beside)
    exactly -= 16 * 1024;
  EXPECT_LE(plan.peakBytes(), exactly);
  EXPECT_EQ(fit(1 << 16, plan).nodeBytes, 0);
  EXPECT_NE(error.find("'deep 0'"), std::string::npos) << error;
}

TEST(Planner, ResNet50ExchangesAreSound) {
  for (const char *name : {"d1", "d1-pessimistic"}) {
    Die die(name);
    Network net = dojo::planning::test::resnet50(false);
    net.graph.constantBudget = 1000 * 1024;
    GraphPlan plan, again;
    std::string error;
    ASSERT_TRUE(solveGraph(net.graph, die.mesh, die.model, plan, error)) << error;
    ASSERT_TRUE(solveGraph(net.graph, die.mesh, die.model, again, error)) << error;
    for (size_t l = 0; l < plan.layers.size(); ++l) {
      EXPECT_EQ(plan.layers[l].splits, again.layers[l].splits);
      EXPECT_EQ(plan.layers[l].nodes, again.layers[l].nodes);
    }
    // One 3x3, one strided, one 1x1 and one residual edge of each stage tell enough.
    for (size_t edge = 0; edge < net.graph.edges.size(); edge += 5) {
      ExchangeProblem p = dojo::planning::test::edgeExchange(net, plan, edge);
      Exchange e;
      ASSERT_TRUE(solveExchange(p, die.mesh, e, error)) << error;
      EXPECT_EQ(verifyExchange(p, die.mesh, e), "") << name << " edge " << edge;
    }
  }
}

} // namespace
