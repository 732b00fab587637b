// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The hidden answer of the property test: boxes that a known number of nodes hold parts of, each of
// which can be cut into as many pieces.

#include "Random.h"
#include "dojo/Planning/Planner.h"
#include "dojo/Target/Target.h"

#include <algorithm>
#include <set>

using namespace dojo::planning;
using dojo::planning::test::forSeeds;
using dojo::planning::test::Random;

namespace {

/// Adds `parts` tensors of the shape.
LayerProblem sumProblem(const Coord &shape, int64_t parts) {
  LayerProblem p;
  p.name = "sum";
  for (int64_t extent : shape)
    p.loops.push_back({extent, 1, true});
  for (size_t d = 0; d < shape.size(); ++d)
    p.output.rows.push_back(AccessRow::loop(static_cast<int32_t>(d)));
  p.output.shape = shape;
  p.output.elementBytes = 4;
  for (int64_t i = 0; i < parts; ++i) {
    OperandAccess part = p.output;
    part.shape.insert(part.shape.begin(), parts);
    part.rows.insert(part.rows.begin(), AccessRow{{}, i, 1});
    p.inputs.push_back(part);
  }
  p.work.simdPerPoint = parts;
  p.work.memoryPerPoint = parts;
  p.work.vectorLoops = {static_cast<int32_t>(shape.size()) - 1};
  return p;
}

struct Held {
  std::vector<std::pair<Box, int32_t>> boxes;
};

/// The shape cut into `cuts` parts per dimension, each held by the next `parts` nodes of the mesh.
Held holdParts(const Coord &shape, const std::vector<int64_t> &cuts, int64_t parts,
               const Mesh &mesh) {
  Held held;
  std::vector<int32_t> nodes = mesh.nodesByColumn();
  int64_t boxes = 1;
  for (int64_t c : cuts)
    boxes *= c;
  for (int64_t b = 0, next = 0; b < boxes; ++b) {
    Box box;
    int64_t rest = b;
    for (size_t d = 0; d < shape.size(); ++d) {
      Interval part = partOf(shape[d], 1, cuts[d], rest % cuts[d]);
      rest /= cuts[d];
      box.lo.push_back(part.lo);
      box.size.push_back(part.size);
    }
    for (int64_t i = 0; i < parts; ++i)
      held.boxes.push_back({box, nodes[static_cast<size_t>(next++)]});
  }
  return held;
}

TEST(NearPlan, EachNodeAddsAShareOfTheBoxItHoldsAPartOf) {
  Mesh mesh = Mesh::full(18, 20);
  dojo::Target target;
  std::string error;
  ASSERT_TRUE(dojo::loadTarget("d1", target, error)) << error;
  CostModel model = CostModel::fromTarget(target);
  forSeeds(60, [&](Random &random) {
    int64_t parts = int64_t(1) << random.in(1, 3);
    std::vector<int64_t> cuts{random.in(1, 4), random.in(1, 4), 1};
    // Every box can be cut into `parts` along each of its first dimensions.
    Coord shape{cuts[0] * parts * random.in(1, 3), cuts[1] * parts * random.in(1, 3),
                16 * random.in(1, 2)};
    LayerProblem p = sumProblem(shape, parts);
    ASSERT_EQ(checkLayerProblem(p), "");
    Held held = holdParts(shape, cuts, parts, mesh);
    std::optional<LayerPlan> plan = planNear(p, held.boxes, mesh, model);
    ASSERT_TRUE(plan);
    EXPECT_EQ(verifyPlan(p, *plan, mesh, {int64_t(1) << 30, 1}), "");
    for (size_t cell = 0; cell < plan->nodes.size(); ++cell) {
      Box mine = plan->cellLoops(p, cell);
      bool near = std::any_of(held.boxes.begin(), held.boxes.end(), [&](const auto &h) {
        bool inside = h.second == plan->nodes[cell];
        for (size_t d = 0; d < shape.size(); ++d)
          inside &= h.first.lo[d] <= mine.lo[d] &&
                    mine.lo[d] + mine.size[d] <= h.first.lo[d] + h.first.size[d];
        return inside;
      });
      EXPECT_TRUE(near) << "cell " << cell << " lies outside of what its node holds";
    }
  });
}

TEST(NearPlan, LargeSumsAreSharedByAllNodesThatHoldParts) {
  Mesh mesh = Mesh::full(18, 20);
  dojo::Target target;
  std::string error;
  ASSERT_TRUE(dojo::loadTarget("d1", target, error)) << error;
  Coord shape{64, 56, 64};
  LayerProblem p = sumProblem(shape, 4);
  Held held = holdParts(shape, {8, 4, 1}, 4, mesh);
  std::optional<LayerPlan> plan = planNear(p, held.boxes, mesh, CostModel::fromTarget(target));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->nodes.size(), 8u * 4u * 4u);
}

TEST(NearPlan, MoreCellsThanABoxHasNodesGoElsewhere) {
  // Boxes of 3 and 2 rows: cut at whole rows the sum is even where the boxes are not.
  Mesh mesh = Mesh::full(4, 4);
  dojo::Target target;
  std::string error;
  ASSERT_TRUE(dojo::loadTarget("d1", target, error)) << error;
  Coord shape{5, 16};
  LayerProblem p = sumProblem(shape, 2);
  Held held;
  held.boxes = {{{{0, 0}, {3, 16}}, 0},
                {{{0, 0}, {3, 16}}, 1},
                {{{3, 0}, {2, 16}}, 2},
                {{{3, 0}, {2, 16}}, 3}};
  std::optional<LayerPlan> plan = planNear(p, held.boxes, mesh, CostModel::fromTarget(target));
  ASSERT_TRUE(plan);
  EXPECT_EQ(verifyPlan(p, *plan, mesh, {int64_t(1) << 20, 1}), "");
  EXPECT_EQ(std::set<int32_t>(plan->nodes.begin(), plan->nodes.end()).size(), plan->nodes.size());
}

TEST(NearPlan, WhatIsNoGridHasNoPlan) {
  Mesh mesh = Mesh::full(4, 4);
  dojo::Target target;
  std::string error;
  ASSERT_TRUE(dojo::loadTarget("d1", target, error)) << error;
  CostModel model = CostModel::fromTarget(target);
  LayerProblem p = sumProblem({8, 16}, 2);
  // Three of four quarters.
  std::vector<std::pair<Box, int32_t>> held{
      {{{0, 0}, {4, 8}}, 0}, {{{0, 8}, {4, 8}}, 1}, {{{4, 0}, {4, 8}}, 2}};
  EXPECT_FALSE(planNear(p, held, mesh, model));
  EXPECT_FALSE(planNear(p, {}, mesh, model));
  EXPECT_FALSE(planNear(p, {{{{0}, {8}}, 0}}, mesh, model));
  EXPECT_FALSE(planNear(p, {{{{0, 0}, {8, 16}}, 99}}, mesh, model));
  p.loops[0].parallel = false;
  EXPECT_FALSE(planNear(p, {{{{0, 0}, {8, 16}}, 0}}, mesh, model));
}

} // namespace
