// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Planning/Router.h"
#include "Random.h"

#include <algorithm>
#include <set>

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

/// Multicast runs that the router asks for become copies until it is content.
bool solveWithSplits(const Mesh &mesh, std::vector<RouteDemand> &demands, Routing &routing,
                     std::string &error) {
  while (!solveRouting(mesh, demands, routing, error)) {
    if (routing.split.empty())
      return false;
    std::vector<RouteDemand> next;
    std::vector<uint8_t> split(demands.size(), 0);
    for (int32_t i : routing.split) {
      EXPECT_NE(demands[i].to.kind, Destination::Kind::Node);
      split[i] = 1;
    }
    for (size_t i = 0; i < demands.size(); ++i)
      for (const Destination &to : splitRun(mesh, demands[i].source, demands[i].to, split[i]))
        next.push_back({demands[i].source, to, demands[i].packets, demands[i].layer});
    demands = next;
  }
  return true;
}

TEST(Router, MostRoutesStayAroundManyHoles) {
  // All pairs and a broadcast from every node, on a die with a dozen dead routers that do not
  // touch: a way for everything, little of it off the default routes.
  forSeeds(6, [](Random &random) {
    Mesh mesh = Mesh::full(18, 20);
    auto isFree = [&](int32_t row, int32_t column) {
      for (int32_t r = std::max(0, row - 1); r <= std::min(17, row + 1); ++r)
        for (int32_t c = std::max(0, column - 1); c <= std::min(19, column + 1); ++c)
          if (!mesh.forwards[mesh.node(r, c)])
            return false;
      return true;
    };
    for (int holes = 0; holes < 12;) {
      auto r = static_cast<int32_t>(random.in(0, 17)), c = static_cast<int32_t>(random.in(0, 19));
      if (!isFree(r, c))
        continue;
      mesh.usable[mesh.node(r, c)] = mesh.forwards[mesh.node(r, c)] = 0;
      ++holes;
    }
    std::vector<int32_t> nodes = mesh.nodesByColumn();
    std::vector<RouteDemand> demands;
    for (int32_t a : nodes) {
      std::vector<int32_t> others = nodes;
      std::erase(others, a);
      std::sort(others.begin(), others.end());
      for (const Destination &to : multicastRuns(mesh, a, others))
        if (to.kind != Destination::Kind::Node)
          demands.push_back({a, to});
      for (int32_t b : others)
        demands.push_back({a, Destination::toNode(b)});
    }
    auto isRun = [](const RouteDemand &d) { return d.to.kind != Destination::Kind::Node; };
    auto runsBefore = std::count_if(demands.begin(), demands.end(), isRun);
    Routing routing;
    std::string error;
    ASSERT_TRUE(solveWithSplits(mesh, demands, routing, error)) << error;
    EXPECT_EQ(verifyRouting(mesh, demands, routing), "");
    auto runsAfter = std::count_if(demands.begin(), demands.end(), isRun);
    EXPECT_GT(runsAfter, runsBefore * 8 / 10);
    auto kept = std::count(routing.route.begin(), routing.route.end(), Routing::rowThenColumn);
    EXPECT_GT(kept, static_cast<int64_t>(demands.size()) * 6 / 10);
  });
}

TEST(Router, CrossingRunsAreSplit) {
  Mesh mesh = Mesh::full(3, 6);
  mesh.usable[mesh.node(0, 3)] = mesh.forwards[mesh.node(0, 3)] = 0;
  auto none = [&](const Destination &to) { return splitRun(mesh, 0, to, false); };
  EXPECT_EQ(none(Destination::rowRun(1, 2)), std::vector{Destination::rowRun(1, 2)});
  EXPECT_EQ(none(Destination::columnRun(2, 0, 2)), std::vector{Destination::columnRun(2, 0, 2)});
  // Columns 4 and 5 lie behind the hole.
  std::vector<Destination> parts = none(Destination::rowRun(1, 5));
  EXPECT_EQ(std::set<Destination>(parts.begin(), parts.end()),
            (std::set<Destination>{Destination::rowRun(1, 2), Destination::toNode(4),
                                   Destination::toNode(5)}));
  EXPECT_EQ(splitRun(mesh, 0, Destination::columnRun(2, 0, 2), true),
            (std::vector{Destination::toNode(2), Destination::toNode(8), Destination::toNode(14)}));
}

TEST(Router, PartsOfACutMesh) {
  Mesh mesh = Mesh::full(3, 4);
  EXPECT_EQ(connectedParts(mesh).size(), 1u);
  for (int32_t n : {mesh.node(0, 1), mesh.node(1, 1), mesh.node(2, 1)})
    mesh.usable[n] = mesh.forwards[n] = 0;
  EXPECT_EQ(connectedParts(mesh),
            (std::vector<std::vector<int32_t>>{{2, 3, 6, 7, 10, 11}, {0, 4, 8}}));
  mesh.forwards[mesh.node(1, 1)] = 1; // dead, but a bridge
  EXPECT_EQ(connectedParts(mesh).size(), 1u);
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
