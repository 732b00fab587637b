// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The links that transfers take.
#include "runtime/emulator/Mesh.h"

#include <gtest/gtest.h>
#include <memory>

using namespace dojo;
using namespace dojo::emu;
using isa::Descriptor;

namespace {

Descriptor to(uint32_t node, uint32_t bytes) {
  Descriptor d;
  d.kind = Descriptor::Kind::Push;
  d.node = static_cast<uint16_t>(node);
  d.runBytes = bytes;
  return d;
}

struct Die20 {
  Target target;
  Parameters p;
  std::unique_ptr<Topology> topology;
  explicit Die20(const std::string &name = "d1") {
    std::string error;
    EXPECT_TRUE(loadTarget(name, target, error));
    EXPECT_TRUE(makeParameters(target, p, error)) << error;
    topology = std::make_unique<Topology>(target, p);
  }
  struct Step {
    uint32_t link, node;
  };
  std::vector<Step> steps(const Path &path) const {
    std::vector<Step> all;
    topology->forLinks(path, [&](uint32_t link) { all.push_back({link, topology->endOf(link)}); });
    EXPECT_EQ(all.size(), path.links);
    EXPECT_TRUE(topology->holds(path));
    return all;
  }
  std::vector<uint32_t> receivers(const Path &path) const {
    std::vector<uint32_t> nodes;
    topology->forReceivers(path, [&](uint32_t node) { nodes.push_back(node); });
    EXPECT_EQ(nodes.size(), path.receivers);
    return nodes;
  }
  Path path(uint32_t from, const Descriptor &d) {
    Path path;
    std::string error;
    EXPECT_TRUE(topology->path(from, d, path, error)) << error;
    return path;
  }
  std::string error(uint32_t from, const Descriptor &d) {
    Path path;
    std::string error;
    EXPECT_FALSE(topology->path(from, d, path, error));
    return error;
  }
};

Descriptor run(Descriptor::Run kind, uint8_t first, uint8_t last, uint8_t column = 0) {
  Descriptor d = to(0, 64);
  d.multicast = true;
  d.run = kind;
  d.first = first;
  d.last = last;
  d.column = column;
  return d;
}

TEST(Routes, RowThenColumn) {
  Die20 die;
  Path path = die.path(20 * 2 + 3, to(20 * 5 + 1, 64));
  std::vector<uint32_t> nodes;
  std::vector<Die20::Step> steps = die.steps(path);
  for (const Die20::Step &s : steps)
    nodes.push_back(s.node);
  EXPECT_EQ(nodes, (std::vector<uint32_t>{42, 41, 61, 81, 101}));
  EXPECT_EQ(steps[0].link, 4u * 43 + 1);
  EXPECT_EQ(steps[2].link, 4u * 41 + 2);
  EXPECT_EQ(die.receivers(path), (std::vector<uint32_t>{101}));
  Path own = die.path(43, to(43, 64));
  EXPECT_TRUE(own.isCopy());
  EXPECT_EQ(die.receivers(own), (std::vector<uint32_t>{43}));
}

TEST(Routes, MulticastSkipsDisabled) {
  Die20 die; // position (1, 6), node 26, is disabled; its router forwards
  Path east = die.path(23, run(Descriptor::Run::Row, 4, 8));
  EXPECT_EQ(die.steps(east).size(), 5u);
  EXPECT_EQ(die.receivers(east), (std::vector<uint32_t>{24, 25, 27, 28}));
  Path west = die.path(28, run(Descriptor::Run::Row, 6, 5));
  EXPECT_EQ(die.receivers(west), (std::vector<uint32_t>{25}));
  // The run ends on the disabled position.
  Path toDisabled = die.path(23, run(Descriptor::Run::Row, 5, 6));
  EXPECT_EQ(die.steps(toDisabled).size(), 3u);
  EXPECT_EQ(die.receivers(toDisabled), (std::vector<uint32_t>{25}));
}

TEST(Routes, MulticastToAColumn) {
  Die20 die;
  // From (2, 3) along the row to column 5, then down rows 4 to 6.
  Path down = die.path(43, run(Descriptor::Run::Column, 4, 6, 5));
  EXPECT_EQ(die.steps(down).size(), 2u + 4);
  EXPECT_EQ(die.receivers(down), (std::vector<uint32_t>{85, 105, 125}));
  // The turn is part of the run, upwards.
  Path up = die.path(43, run(Descriptor::Run::Column, 2, 0, 5));
  EXPECT_EQ(die.receivers(up), (std::vector<uint32_t>{45, 25, 5}));
  // The own column: the sender does not receive.
  Path own = die.path(43, run(Descriptor::Run::Column, 2, 4, 3));
  EXPECT_EQ(die.receivers(own), (std::vector<uint32_t>{63, 83}));
}

TEST(Routes, BadRuns) {
  Die20 die, plain("d1-pessimistic");
  EXPECT_NE(plain.error(0, run(Descriptor::Run::Row, 1, 2)).find("no multicast"),
            std::string::npos);
  EXPECT_NE(die.error(5, run(Descriptor::Run::Row, 4, 7)).find("one side"), std::string::npos);
  EXPECT_NE(die.error(5, run(Descriptor::Run::Row, 7, 6)).find("one side"), std::string::npos);
  EXPECT_NE(die.error(5, run(Descriptor::Run::Row, 5, 6)).find("one side"), std::string::npos);
  EXPECT_NE(die.error(45, run(Descriptor::Run::Column, 3, 1, 0)).find("one side"),
            std::string::npos);
  EXPECT_NE(die.error(5, run(Descriptor::Run::Row, 6, 20)).find("not on the die"),
            std::string::npos);
  EXPECT_NE(die.error(5, run(Descriptor::Run::Column, 0, 0, 5)).find("no usable"),
            std::string::npos);
  EXPECT_NE(die.error(25, run(Descriptor::Run::Row, 6, 6)).find("no usable"), std::string::npos);
}

TEST(Routes, ExplicitRoutes) {
  Die20 die;
  std::string error;
  // South, then east: the other way round the corner.
  ASSERT_TRUE(die.topology->setRoutes({{2, 2, 0, 0, 0}, {0, 1}}, error)) << error;
  Descriptor d = to(20 * 2 + 3, 64);
  d.route = 0;
  Path path = die.path(0, d);
  EXPECT_EQ(die.steps(path).size(), 5u);
  EXPECT_EQ(die.steps(path)[1].node, 40u);
  d.node = 5;
  EXPECT_NE(die.error(0, d).find("leads to"), std::string::npos);
  d.route = 7;
  EXPECT_NE(die.error(0, d).find("not in the table"), std::string::npos);
  EXPECT_FALSE(die.topology->setRoutes({{0, 1, 0}, {0, 4}}, error));
  EXPECT_FALSE(die.topology->setRoutes({{0, 1, 0, 1}}, error));
  EXPECT_NE(error.find("twice"), std::string::npos);
  EXPECT_FALSE(die.topology->setRoutes({std::vector<uint8_t>(65, 0)}, error));
}

// As in a saved state that has been tampered with.
TEST(Routes, WhatIsNoPath) {
  Die20 die;
  Path good = die.path(23, run(Descriptor::Run::Row, 4, 8));
  ASSERT_TRUE(die.topology->holds(good));
  std::string error;
  ASSERT_TRUE(die.topology->setRoutes({{0, 0, 0}}, error)) << error;
  Descriptor d = to(27, 64);
  d.route = 0;
  Path route = die.path(24, d);
  ASSERT_TRUE(die.topology->holds(route));
  std::vector<Path> bad(8, good);
  bad[0].from = 20 * 18;     // outside
  bad[1].links = 6;          // more than the legs have
  bad[2].legs[0].links = 18; // off the die
  bad[3].legs[0].direction = static_cast<Direction>(4);
  bad[4].receivers = 5; // one is disabled
  bad[5].firstReceiver = 6;
  bad[6].route = 1;                                       // there is one route
  bad[7].legs[1].direction = static_cast<Direction>(200); // of a leg without links
  bad.insert(bad.end(), 2, route);
  bad[8].from = 23;         // leads to the disabled position
  bad[9].firstReceiver = 1; // a route is to one node
  for (const Path &path : bad)
    EXPECT_FALSE(die.topology->holds(path)) << &path - bad.data();
}

TEST(Routes, RoutersThatDoNotForward) {
  Die20 die;
  die.target.notForwarding = {{1, 6}};
  Topology topology(die.target, die.p);
  Path path;
  std::string error;
  EXPECT_FALSE(topology.path(25, to(27, 64), path, error));
  EXPECT_NE(error.find("does not forward"), std::string::npos);
  EXPECT_TRUE(topology.path(5, to(27, 64), path, error)) << error;
}

} // namespace
