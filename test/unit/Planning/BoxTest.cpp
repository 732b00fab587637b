// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Random.h"
#include "dojo/Planning/Layout.h"

#include <algorithm>

using namespace dojo::planning;
using dojo::planning::test::forSeeds;
using dojo::planning::test::Random;

namespace {

Box randomBox(Random &random, size_t rank, int64_t extent) {
  Box b;
  for (size_t d = 0; d < rank; ++d) {
    b.lo.push_back(random.in(0, extent - 1));
    b.size.push_back(random.in(0, extent - b.lo[d]));
  }
  return b;
}

template <typename Fn> void forPoints(const Box &box, Fn fn) {
  if (box.empty())
    return;
  Coord at = box.lo;
  while (true) {
    fn(at);
    size_t d = box.rank();
    while (d > 0 && ++at[d - 1] == box.hi(d - 1)) {
      --d;
      at[d] = box.lo[d];
    }
    if (d == 0)
      return;
  }
}

TEST(Box, SubtractLeavesExactlyTheOtherPoints) {
  forSeeds(300, [](Random &random) {
    size_t rank = static_cast<size_t>(random.in(0, 3));
    Box a = randomBox(random, rank, 6), b = randomBox(random, rank, 6);
    std::vector<Box> rest;
    subtract(a, b, rest);
    EXPECT_LE(rest.size(), 2 * rank + 1);
    std::vector<Box> all = rest;
    if (Box common = intersect(a, b); !common.empty())
      all.push_back(common);
    EXPECT_TRUE(tiles(all, a)) << toString(a) << " - " << toString(b);
    forPoints(a, [&](const Coord &p) {
      auto in =
          std::count_if(rest.begin(), rest.end(), [&](const Box &r) { return r.contains(p); });
      EXPECT_EQ(in, b.contains(p) ? 0 : 1);
    });
  });
}

TEST(Box, TilesRejectsGapsAndOverlaps) {
  Box whole = Box::whole({4, 4});
  std::vector<Box> parts{{{0, 0}, {2, 4}}, {{2, 0}, {2, 1}}, {{2, 1}, {2, 3}}};
  EXPECT_TRUE(tiles(parts, whole));
  auto gap = parts;
  gap[2].size[1] = 2;
  EXPECT_FALSE(tiles(gap, whole));
  auto overlap = parts; // the volume is right, the place is not
  overlap[1].lo = {1, 0};
  EXPECT_FALSE(tiles(overlap, whole));
  EXPECT_TRUE(tiles({Box{}}, Box{})) << "rank 0 holds one point";
}

TEST(Layout, PartsAreBalancedAndCover) {
  forSeeds(200, [](Random &random) {
    int64_t extent = random.in(1, 60), granularity = random.in(1, 8), parts = random.in(1, 12);
    int64_t at = 0, least = INT64_MAX, most = 0;
    for (int64_t i = 0; i < parts; ++i) {
      Interval p = partOf(extent, granularity, parts, i);
      EXPECT_EQ(p.lo, at);
      at += p.size;
      least = std::min(least, (p.size + granularity - 1) / granularity);
      most = std::max(most, (p.size + granularity - 1) / granularity);
    }
    EXPECT_EQ(at, extent);
    EXPECT_LE(most - least, 1);
  });
}

TEST(Layout, VerifierNamesTheFault) {
  Mesh mesh = Mesh::full(2, 2);
  Layout good{{4, 6}, 2, {{0, 2, 4}, {0, 3, 6}}, {{0}, {1}, {2}, {3}}};
  EXPECT_EQ(verifyLayout(good, mesh), "");
  EXPECT_EQ(good.bytesPerNode(), 2 * 3 * 2);
  EXPECT_EQ(good.cellBox(2), (Box{{2, 0}, {2, 3}}));
  Layout bad = good;
  bad.cuts[0] = {0, 2, 3};
  EXPECT_NE(verifyLayout(bad, mesh), "");
  bad = good;
  bad.cells[3] = {0};
  EXPECT_NE(verifyLayout(bad, mesh), "");
  bad = good;
  bad.cells.pop_back();
  EXPECT_NE(verifyLayout(bad, mesh), "");
  mesh.usable[1] = 0;
  EXPECT_NE(verifyLayout(good, mesh), "");
}

TEST(Mesh, RunsReachExactlyTheTargets) {
  forSeeds(400, [](Random &random) {
    Mesh mesh =
        Mesh::full(static_cast<int32_t>(random.in(1, 6)), static_cast<int32_t>(random.in(1, 6)));
    for (int32_t n = 0; n < mesh.positions(); ++n)
      if (random.chance(15)) {
        mesh.usable[n] = 0;
        mesh.forwards[n] = random.chance(70);
      }
    std::vector<int32_t> live = mesh.nodesByColumn();
    if (live.empty())
      return;
    int32_t source = live[static_cast<size_t>(random.in(0, static_cast<int64_t>(live.size()) - 1))];
    std::vector<int32_t> targets;
    int density = static_cast<int>(random.in(5, 100));
    for (int32_t n = 0; n < mesh.positions(); ++n)
      if (mesh.usable[n] && n != source && random.chance(density))
        targets.push_back(n);
    std::vector<int32_t> reached;
    for (const Destination &to : multicastRuns(mesh, source, targets)) {
      auto more = receivers(mesh, source, to);
      reached.insert(reached.end(), more.begin(), more.end());
      if (to.kind == Destination::Kind::Node)
        continue;
      EXPECT_GT(more.size(), 1u);
      // Every router that the multicast passes forwards.
      int32_t turn = to.kind == Destination::Kind::RowRun ? to.last : to.column;
      for (int32_t c = mesh.column(source); c != turn; c += c < turn ? 1 : -1)
        EXPECT_TRUE(mesh.forwards[mesh.node(mesh.row(source), c)]);
      if (to.kind == Destination::Kind::ColumnRun)
        for (int32_t r = mesh.row(source); r != to.last; r += r < to.last ? 1 : -1)
          EXPECT_TRUE(mesh.forwards[mesh.node(r, to.column)]);
    }
    std::sort(reached.begin(), reached.end());
    EXPECT_EQ(reached, targets);
  });
}

TEST(Mesh, AWholeColumnIsOneRunEitherWay) {
  Mesh mesh = Mesh::full(6, 4);
  mesh.usable[mesh.node(4, 2)] = 0;
  std::vector<int32_t> column;
  for (int32_t r : {0, 1, 2, 3, 5})
    column.push_back(mesh.node(r, 2));
  auto runs = multicastRuns(mesh, mesh.node(2, 0), column);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0], Destination::columnRun(2, 2, 5));
  EXPECT_EQ(runs[1], Destination::columnRun(2, 1, 0));
}

} // namespace
