// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dojo/Target/Target.h"
#include "dojo/Target/Sha256.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace dojo;
using Json = nlohmann::ordered_json;

static Target load(const std::string &name) {
  Target target;
  std::string error;
  EXPECT_TRUE(loadTarget(name, target, error)) << error;
  return target;
}

static std::string parseError(const Json &json) {
  Target target;
  std::string error;
  EXPECT_FALSE(parseTarget(json.dump(), "t", target, error));
  return error;
}

TEST(Sha256, KnownDigests) {
  EXPECT_EQ(sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // 56 bytes: the padding needs a second block.
  EXPECT_EQ(sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256Hex(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Target, BuiltinsDifferWhereTheTableSays) {
  EXPECT_EQ(builtinTargets(), (std::vector<std::string>{"d1", "d1-pessimistic"}));
  Target d1 = load("d1"), slow = load("d1-pessimistic");
  EXPECT_EQ(d1.positions(), 360);
  EXPECT_EQ(d1.dieUsableNodes, 354);
  EXPECT_EQ(d1.usableNodes().size(), 354u);
  EXPECT_EQ(d1.clockHz, 2'000'000'000);
  EXPECT_EQ(d1.sramBytes, 1'310'720);
  EXPECT_EQ(d1.hopCycles, 1);
  EXPECT_EQ(slow.hopCycles, 2);
  EXPECT_EQ(d1.accumulators, 8);
  EXPECT_EQ(slow.accumulators, 4);
  EXPECT_TRUE(d1.multicast);
  EXPECT_FALSE(slow.multicast);
  EXPECT_EQ(slow.sramBytes, d1.sramBytes);
  EXPECT_EQ(slow.name, "d1-pessimistic");
  EXPECT_EQ(d1.label("mesh.hop"), 'D');
  EXPECT_EQ(slow.label("mesh.hop"), 'X');
  EXPECT_EQ(d1.label("no.such"), 0);
  EXPECT_NE(d1.hash(), slow.hash());
  EXPECT_EQ(d1.hash().size(), 64u);
}

TEST(Target, DisabledPositionsForwardButDoNotCompute) {
  Target d1 = load("d1");
  EXPECT_EQ(d1.node(1, 6), 26);
  EXPECT_FALSE(d1.isUsable(26));
  EXPECT_TRUE(d1.forwards(26));
  EXPECT_TRUE(d1.isUsable(25));
  EXPECT_FALSE(d1.forwards(Position{-1, 0}));
  EXPECT_FALSE(d1.forwards(Position{0, 20}));
}

TEST(Target, PartitionKeepsTheDiesNumbers) {
  Target d1 = load("d1"), part;
  std::string error;
  ASSERT_TRUE(d1.withPartition(2, 3, part, error));
  EXPECT_EQ(part.usableNodes(), (std::vector<int64_t>{0, 1, 2, 20, 21, 22}));
  EXPECT_TRUE(part.forwards(100)) << "a router outside the partition";
  EXPECT_EQ(part.dieUsableNodes, 354);
  EXPECT_EQ(part.hash(), d1.hash());
  EXPECT_FALSE(d1.withPartition(19, 1, part, error));
  EXPECT_EQ(error, "a partition of 19x1 does not fit: the die of d1 has 18x20 positions");
  EXPECT_FALSE(d1.withPartition(0, 1, part, error));
}

TEST(Target, DeadPositionsForwardUnlessTheFileSaysNot) {
  Json json = Json::parse(load("d1").toJson());
  json["values"]["die.not_forwarding"]["value"] = {{0, 1}, {3, 3}};
  Target target, dead;
  std::string error;
  ASSERT_TRUE(parseTarget(json.dump(), "t", target, error)) << error;
  EXPECT_TRUE(target.forwards(Position{0, 1})) << "alive";
  ASSERT_TRUE(target.withDead(0, 1, dead, error));
  ASSERT_TRUE(dead.withDead(0, 0, dead, error));
  EXPECT_FALSE(dead.forwards(Position{0, 1}));
  EXPECT_TRUE(dead.forwards(Position{0, 0}));
  EXPECT_EQ(dead.dead, (std::vector<Position>{{0, 0}, {0, 1}}));
  EXPECT_EQ(dead.usableNodes().size(), 352u);
  ASSERT_TRUE(dead.withDead(1, 6, dead, error)) << "already disabled";
  EXPECT_EQ(dead.usableNodes().size(), 352u);
  EXPECT_FALSE(dead.withDead(18, 0, dead, error));
  EXPECT_EQ(error,
            "the dead position 18,0 is not on the die of d1: rows are 0 to 17, columns 0 to 19");
  ASSERT_TRUE(target.withPartition(1, 1, dead, error));
  EXPECT_FALSE(dead.withDead(0, 0, dead, error)) << "the last node";
}

TEST(Target, JsonRoundTrip) {
  Target target = load("d1-pessimistic"), back;
  std::string error;
  ASSERT_TRUE(target.withPartition(4, 5, target, error));
  ASSERT_TRUE(target.withDead(2, 2, target, error));
  ASSERT_TRUE(parseTarget(target.toJson(), "t", back, error)) << error;
  EXPECT_EQ(back.toJson(), target.toJson());
  EXPECT_EQ(back.usableNodes(), target.usableNodes());
  EXPECT_EQ(back.hash(), target.hash());
  EXPECT_EQ(back.labelSummary(), target.labelSummary());
}

TEST(Target, HashFollowsValuesOnly) {
  Json json = Json::parse(load("d1").toJson());
  Target target;
  std::string error;
  json["name"] = "other";
  json["values"]["mesh.hop"]["label"] = "X";
  ASSERT_TRUE(parseTarget(json.dump(), "t", target, error)) << error;
  EXPECT_EQ(target.hash(), load("d1").hash());
  json["values"]["mesh.hop"]["value"] = 3;
  ASSERT_TRUE(parseTarget(json.dump(), "t", target, error)) << error;
  EXPECT_NE(target.hash(), load("d1").hash());
}

TEST(Target, BadFilesAreErrorsThatNameTheKey) {
  const Json good = Json::parse(load("d1").toJson());
  auto with = [&](const char *key, const char *field, Json value) {
    Json json = good;
    json["values"][key][field] = std::move(value);
    return parseError(json);
  };
  EXPECT_EQ(with("mesh.hop", "value", 0),
            "target t: value \"mesh.hop\" must be between 1 and 1000");
  EXPECT_EQ(with("mesh.hop", "value", "1"), "target t: value \"mesh.hop\" must be an integer");
  EXPECT_EQ(with("mesh.hop", "value", UINT64_MAX),
            "target t: value \"mesh.hop\" must be an integer");
  EXPECT_EQ(with("mesh.hop", "unit", "bytes"),
            "target t: value \"mesh.hop\" must have the unit \"cycles\"");
  EXPECT_EQ(with("mesh.hop", "label", "Z"),
            "target t: value \"mesh.hop\" must have the label D, I or X");
  EXPECT_EQ(with("vector.lanes", "value", 32), "target t: value \"vector.lanes\" must be 16");
  EXPECT_EQ(with("mesh.reduction", "value", true),
            "target t: value \"mesh.reduction\" must be false");
  EXPECT_EQ(with("die.usable_nodes", "value", 355),
            "target t: value \"die.usable_nodes\" must be positions less disabled ones: 354");
  EXPECT_EQ(with("node.decode", "value", 9),
            "target t: value \"node.decode\" must be node.decode_threads times "
            "node.decode_per_thread: 8");
  EXPECT_EQ(with("sram.load_ports", "value", 1),
            "target t: value \"sram.load_ports\" must be as scalar.agu_slots: 2");
  EXPECT_EQ(with("sram.operations", "value", 3),
            "target t: value \"sram.operations\" must be as scalar.agu_slots: 2");
  EXPECT_EQ(with("die.disabled", "value", {{1, 6}, {1, 6}}),
            "target t: value \"die.disabled\" names a position twice");
  EXPECT_EQ(with("die.not_forwarding", "value", {{18, 0}}),
            "target t: value \"die.not_forwarding\" names a position outside the die");
  EXPECT_EQ(with("no.such", "value", 1), "target t: value \"no.such\" is unknown");

  Json json = good;
  json["values"].erase("sram.bytes");
  EXPECT_EQ(parseError(json), "target t: value \"sram.bytes\" is missing");
  json = good, json["base"] = "d2";
  EXPECT_EQ(parseError(json), "target t: \"base\" names no built-in target: \"d2\"");
  json = good, json["partition"] = {19, 20};
  EXPECT_NE(parseError(json).find("does not fit"), std::string::npos);
  json = good, json["dead"] = {{0, 99}};
  EXPECT_NE(parseError(json).find("not on the die"), std::string::npos);
  EXPECT_NE(parseError(Json::array()).find("not a target file"), std::string::npos);

  Target target;
  std::string error;
  EXPECT_FALSE(parseTarget("{", "t", target, error));
  EXPECT_EQ(error, "target t: is not valid JSON");
  EXPECT_FALSE(loadTarget("/nonexistent/x.json", target, error));
  EXPECT_EQ(error, "target /nonexistent/x.json: cannot read the file, and no built-in target has "
                   "this name (d1, d1-pessimistic)");
}
