// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Planning/Router.h"
#include "Random.h"

#include <algorithm>

using namespace dojo::planning;
using dojo::planning::test::forSeeds;
using dojo::planning::test::Random;

namespace {

std::vector<RouteDemand> randomDemands(Random &random, const Mesh &mesh, int64_t count) {
  std::vector<int32_t> nodes = mesh.nodesByColumn();
  std::vector<RouteDemand> demands;
  auto pick = [&] {
    return nodes[static_cast<size_t>(random.in(0, static_cast<int64_t>(nodes.size()) - 1))];
  };
  for (; count > 0; --count) {
    int32_t source = pick();
    std::vector<int32_t> targets;
    for (int64_t n = random.in(1, 4); n > 0; --n)
      if (int32_t t = pick(); t != source)
        targets.push_back(t);
    std::sort(targets.begin(), targets.end());
    targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
    for (const Destination &to : multicastRuns(mesh, source, targets))
      demands.push_back({source, to, random.in(1, 9), static_cast<int32_t>(random.in(0, 3))});
  }
  return demands;
}

TEST(Router, RowThenColumnNeedsNoTable) {
  forSeeds(60, [](Random &random) {
    Mesh mesh =
        Mesh::full(static_cast<int32_t>(random.in(1, 8)), static_cast<int32_t>(random.in(1, 8)));
    for (uint8_t &u : mesh.usable)
      u = random.chance(85);
    if (mesh.nodesByColumn().empty())
      return;
    std::vector<RouteDemand> demands = randomDemands(random, mesh, 40);
    Routing routing;
    std::string error;
    ASSERT_TRUE(solveRouting(mesh, demands, routing, error)) << error;
    EXPECT_TRUE(routing.paths.empty());
    EXPECT_EQ(verifyRouting(mesh, demands, routing), "");
  });
}

TEST(Router, DetoursRoundRoutersThatDoNotForward) {
  int detours = 0;
  forSeeds(100, [&](Random &random) {
    // Holes that do not touch leave the mesh connected.
    Mesh mesh = Mesh::full(9, 10, false);
    for (int32_t r = 1; r < 9; r += 3)
      for (int32_t c = 1; c < 10; c += 3)
        if (random.chance(50)) {
          int32_t n = mesh.node(r + static_cast<int32_t>(random.in(0, 1)),
                                std::min(9, c + static_cast<int32_t>(random.in(0, 1))));
          mesh.usable[n] = mesh.forwards[n] = 0;
        }
    std::vector<RouteDemand> demands = randomDemands(random, mesh, random.in(1, 60));
    Routing routing;
    std::string error;
    ASSERT_TRUE(solveRouting(mesh, demands, routing, error)) << error;
    EXPECT_EQ(verifyRouting(mesh, demands, routing), "");
    detours += !routing.paths.empty();
  });
  EXPECT_GT(detours, 0);
}

TEST(Router, AllPairsRoundAHole) {
  // Every node to every node: row-then-column routes with detours would deadlock, up*/down* routes
  // do not.
  Mesh mesh = Mesh::full(5, 5, false);
  mesh.usable[mesh.node(2, 2)] = mesh.forwards[mesh.node(2, 2)] = 0;
  std::vector<RouteDemand> demands;
  for (int32_t a : mesh.nodesByColumn())
    for (int32_t b : mesh.nodesByColumn())
      if (a != b)
        demands.push_back({a, Destination::toNode(b), 1, 0});
  Routing routing;
  std::string error;
  ASSERT_TRUE(solveRouting(mesh, demands, routing, error)) << error;
  EXPECT_EQ(verifyRouting(mesh, demands, routing), "");
}

TEST(Router, VerifierCatchesMutations) {
  int mutations = 0;
  forSeeds(100, [&](Random &random) {
    Mesh mesh = Mesh::full(6, 6);
    int32_t hole = mesh.node(2, 3);
    mesh.usable[hole] = mesh.forwards[hole] = 0;
    std::vector<RouteDemand> demands = randomDemands(random, mesh, 30);
    demands.push_back({mesh.node(2, 0), Destination::toNode(mesh.node(2, 5)), 1, 0});
    Routing good;
    std::string error;
    if (!solveRouting(mesh, demands, good, error))
      return; // a multicast may stand in the way of every detour
    ASSERT_EQ(verifyRouting(mesh, demands, good), "");
    ASSERT_FALSE(good.paths.empty());
    ++mutations;
    Routing bad = good;
    bad.paths[0].pop_back();
    EXPECT_NE(verifyRouting(mesh, demands, bad), "");
    bad = good;
    bad.route.back() = Routing::rowThenColumn;
    EXPECT_NE(verifyRouting(mesh, demands, bad), "");
    bad = good;
    bad.route.pop_back();
    EXPECT_NE(verifyRouting(mesh, demands, bad), "");
    // Two channels of one route with exchanged numbers.
    bad = good;
    int32_t a = 4 * mesh.node(2, 0) + static_cast<int32_t>(good.paths[good.route.back()][0]);
    int32_t at = neighbour(mesh, mesh.node(2, 0), good.paths[good.route.back()][0]);
    int32_t b = 4 * at + static_cast<int32_t>(good.paths[good.route.back()][1]);
    std::swap(bad.certificate[a], bad.certificate[b]);
    EXPECT_NE(verifyRouting(mesh, demands, bad), "");
  });
  EXPECT_GT(mutations, 20);
}

TEST(Router, CutMeshIsAnError) {
  Mesh mesh = Mesh::full(3, 3, false);
  for (int32_t r = 0; r < 3; ++r)
    mesh.usable[mesh.node(r, 1)] = mesh.forwards[mesh.node(r, 1)] = 0;
  std::vector<RouteDemand> demands{{0, Destination::toNode(2), 1, 0}};
  Routing routing;
  std::string error;
  EXPECT_FALSE(solveRouting(mesh, demands, routing, error));
  EXPECT_NE(error.find("no route from (0, 0) to (0, 2)"), std::string::npos) << error;
}

TEST(Router, LoadsAreCountedByLayer) {
  Mesh mesh = Mesh::full(3, 4);
  std::vector<RouteDemand> demands{{mesh.node(0, 0), Destination::toNode(mesh.node(1, 2)), 5, 7},
                                   {mesh.node(0, 0), Destination::columnRun(1, 0, 2), 3, 7},
                                   {mesh.node(2, 3), Destination::rowRun(1, 0), 2, 1}};
  Routing routing;
  std::string error;
  ASSERT_TRUE(solveRouting(mesh, demands, routing, error)) << error;
  std::vector<LinkLoad> loads = linkLoads(mesh, demands, routing);
  ASSERT_EQ(loads.size(), 2u);
  EXPECT_EQ(loads[0].layer, 1);
  EXPECT_EQ(loads[0].total, 2 * 3);
  EXPECT_EQ(loads[1].total, 5 * 3 + 3 * 3);
  EXPECT_EQ(loads[1].busiest, 8);
  EXPECT_EQ(loads[1].channel, 4 * mesh.node(0, 0));
}

} // namespace
