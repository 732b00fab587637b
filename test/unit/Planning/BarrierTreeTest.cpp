// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Planning/BarrierTree.h"
#include "Random.h"
#include "dojo/Target/Target.h"

using namespace dojo::planning;
using dojo::planning::test::forSeeds;
using dojo::planning::test::Random;

namespace {

TEST(BarrierTree, JoinsEveryUsableNode) {
  forSeeds(60, [](Random &random) {
    Mesh mesh =
        Mesh::full(static_cast<int32_t>(random.in(1, 9)), static_cast<int32_t>(random.in(1, 9)));
    for (uint8_t &u : mesh.usable)
      u = random.chance(80);
    BarrierTree tree = buildBarrierTree(mesh);
    EXPECT_EQ(verifyBarrierTree(tree, mesh), "");
  });
}

TEST(BarrierTree, VerifierCatchesMutations) {
  Mesh mesh = Mesh::full(4, 5);
  BarrierTree good = buildBarrierTree(mesh);
  ASSERT_EQ(verifyBarrierTree(good, mesh), "");
  BarrierTree bad = good;
  bad.nodes.pop_back();
  EXPECT_NE(verifyBarrierTree(bad, mesh), "");
  bad = good;
  bad.nodes.back().parent = bad.nodes.back().node;
  EXPECT_NE(verifyBarrierTree(bad, mesh), "");
  bad = good;
  bad.nodes[0].children.pop_back();
  EXPECT_NE(verifyBarrierTree(bad, mesh), "");
  bad = good;
  bad.nodes[0].children.push_back(bad.nodes[0].children[0]);
  EXPECT_NE(verifyBarrierTree(bad, mesh), "");
  mesh.usable[3] = 0;
  EXPECT_NE(verifyBarrierTree(good, mesh), "");
}

TEST(BarrierTree, OneNodeNeedsNoTime) {
  BarrierTree tree = buildBarrierTree(Mesh::full(1, 1));
  ASSERT_EQ(tree.nodes.size(), 1u);
  EXPECT_EQ(tree.nodes[0].parent, -1);
  EXPECT_LE(tree.estimatedCycles, 1);
}

TEST(BarrierTree, WholeDieBeatsAStarAndAChain) {
  dojo::Target target;
  std::string error;
  ASSERT_TRUE(dojo::loadTarget("d1", target, error)) << error;
  Mesh mesh = Mesh::fromTarget(target);
  BarrierTree tree = buildBarrierTree(mesh);
  EXPECT_EQ(verifyBarrierTree(tree, mesh), "");
  EXPECT_EQ(tree.nodes.size(), 354u);
  EXPECT_EQ(tree.estimatedCycles, estimateBarrier(tree, mesh));
  // A die's diameter is 36 hops; there and back with a few descriptors on the way.
  EXPECT_LE(tree.estimatedCycles, 140); // may only shrink
  std::vector<int32_t> nodes = mesh.nodesByColumn();
  BarrierTree star;
  star.place.assign(mesh.positions(), -1);
  for (size_t i = 0; i < nodes.size(); ++i) {
    star.place[nodes[i]] = static_cast<int32_t>(i);
    star.nodes.push_back({nodes[i], i ? nodes[0] : -1, {}});
    if (i)
      star.nodes[0].children.push_back(nodes[i]);
  }
  ASSERT_EQ(verifyBarrierTree(star, mesh), "");
  EXPECT_LT(tree.estimatedCycles, estimateBarrier(star, mesh));
}

} // namespace
