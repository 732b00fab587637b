// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of the checks, and what a checked run must have in common with any other. What they
// report is in test/Tools/dojo-run.
#include "runtime/emulator/LineShadow.h"
#include "runtime/emulator/VectorClock.h"
#include "runtime/emulator/WrittenBytes.h"

#include "TestMachine.h"

using namespace dojo;
using namespace dojo::emu;
using isa::Descriptor;
using Kind = Descriptor::Kind;

namespace {

Knowledge start(uint32_t thread, size_t threads) {
  return {std::shared_ptr<const uint32_t[]>(new uint32_t[threads]()), {thread, 1}};
}

TEST(VectorClock, KnowsWhatItWasToldAndItsOwnPast) {
  Knowledge a = start(0, 3), b = start(1, 3), c = start(2, 3);
  EXPECT_TRUE(a.covers({0, 1}));
  EXPECT_FALSE(a.covers({0, 2}));
  EXPECT_FALSE(a.covers({1, 1}));
  a.self.step = 5;
  ClockMerge one(b, 3);
  one.add(a);
  b = one.get();
  b.self.step = 7;
  EXPECT_TRUE(b.covers({0, 5}));
  EXPECT_FALSE(b.covers({0, 6}));
  ClockMerge two(c, 3);
  two.add(b);
  c = two.get();
  EXPECT_TRUE(c.covers({0, 5})) << "what the other had been told";
  EXPECT_TRUE(c.covers({1, 7}));
  EXPECT_TRUE(c.covers({2, 1}));
  EXPECT_FALSE(a.covers({1, 1})) << "clocks are not shared once they differ";
}

TEST(VectorClock, IsSharedWhenNothingIsNew) {
  Knowledge a = start(0, 2), b = start(1, 2);
  ClockMerge first(b, 2);
  first.add(a);
  b = first.get();
  ClockMerge second(b, 2);
  second.add(a);
  EXPECT_EQ(second.get().clock, b.clock);
}

TEST(WrittenBytes, FindsTheFirstOfEitherKind) {
  WrittenBytes bytes(1000);
  bytes.set(60, 70);
  bytes.set(128, 192);
  EXPECT_EQ(bytes.firstSet(0, 1000), 60u);
  EXPECT_EQ(bytes.firstClear(60, 1000), 70u);
  EXPECT_EQ(bytes.firstClear(62, 70), 70u);
  EXPECT_EQ(bytes.firstSet(70, 128), 128u);
  EXPECT_EQ(bytes.firstClear(128, 300), 192u);
}

// Conflicts of an access with what the shadow knows, if earlier accesses of `before` are ordered.
std::vector<std::pair<uint32_t, uint32_t>> conflicts(LineShadow &shadow, uint32_t begin,
                                                     uint32_t end, bool write, uint32_t thread,
                                                     std::vector<uint32_t> before = {}) {
  std::vector<std::pair<uint32_t, uint32_t>> found;
  shadow.access(
      begin, end, write, {thread, 1, 0},
      [&](const Accessor &a) {
        return a.thread == thread || std::count(before.begin(), before.end(), a.thread);
      },
      [&](const Accessor &, bool, uint32_t first, uint32_t last) {
        found.push_back({first, last});
      });
  return found;
}
using Found = std::vector<std::pair<uint32_t, uint32_t>>;

TEST(LineShadow, IsExactToTheByte) {
  LineShadow shadow(10000);
  EXPECT_EQ(conflicts(shadow, 100, 200, true, 0), Found());
  EXPECT_EQ(conflicts(shadow, 99, 100, true, 1), Found());
  EXPECT_EQ(conflicts(shadow, 200, 201, true, 1), Found());
  EXPECT_EQ(conflicts(shadow, 150, 152, false, 0), Found());
  EXPECT_EQ(conflicts(shadow, 180, 210, false, 2), (Found{{180, 192}, {192, 200}, {200, 201}}));
}

TEST(LineShadow, ReadsConflictWithWritesAlone) {
  LineShadow shadow(10000);
  for (uint32_t thread : {0, 1, 2})
    EXPECT_EQ(conflicts(shadow, 0, 64, false, thread), Found());
  EXPECT_EQ(conflicts(shadow, 4, 8, true, 3), (Found{{4, 8}, {4, 8}, {4, 8}}));
  // The write stands for them now.
  EXPECT_EQ(conflicts(shadow, 4, 8, true, 2), (Found{{4, 8}}));
  EXPECT_EQ(conflicts(shadow, 8, 12, true, 3, {0, 1}), (Found{{8, 12}}));
}

TEST(LineShadow, KeepsReadsThatNothingOrders) {
  LineShadow shadow(10000);
  EXPECT_EQ(conflicts(shadow, 0, 4, false, 0), Found());
  EXPECT_EQ(conflicts(shadow, 0, 4, false, 1, {0}), Found()); // stands for the first
  EXPECT_EQ(conflicts(shadow, 0, 4, false, 2), Found());
  EXPECT_EQ(conflicts(shadow, 0, 4, true, 3, {1}), (Found{{0, 4}}));
}

TEST(LineShadow, HoldsEveryByteOfALineApart) {
  LineShadow shadow(10000);
  for (uint32_t i = 0; i < 64; ++i)
    EXPECT_EQ(conflicts(shadow, i, i + 1, true, i), Found());
  for (uint32_t i = 0; i < 64; ++i)
    EXPECT_EQ(conflicts(shadow, i, i + 1, true, 100), (Found{{i, i + 1}}));
  EXPECT_LT(shadow.hostBytes(), 100000u);
}

CheckOptions both() {
  CheckOptions checks;
  checks.memory = checks.races = true;
  return checks;
}

// Two nodes: each pushes to the other without waiting, and both threads of each use one word.
void racing(TestMachine &m) {
  for (uint16_t node : {0, 1}) {
    Descriptor d;
    d.kind = Kind::Push;
    d.node = static_cast<uint16_t>(1 - node);
    d.localAddress = 0x40000;
    d.remoteAddress = 0x50000;
    d.runBytes = 2048;
    d.hasFarSemaphore = true;
    d.farSemaphore = 1;
    m.listThread(node, 2, {d});
    m.program(node, 0,
              "li x1, 0x50000\nlw x2, 0(x1)\nsw x2, 4(x1)\nwait s1, 1\nlw x2, 8(x1)\nhalt");
    m.program(node, 1, "li x1, 0x50000\nlw x2, 4(x1)\nhalt");
  }
}

TEST(Checks, ChangeNothingAndDoNotDependOnHostThreads) {
  std::vector<std::string> texts;
  for (unsigned threads : {0, 1, 2, 4}) {
    TestMachine m;
    racing(m);
    RunOptions options;
    options.threads = std::max(threads, 1u);
    if (threads)
      options.checks = both();
    RunResult r = m.runGood(options);
    EXPECT_EQ(r.counters.cycles, [] {
      TestMachine plain;
      racing(plain);
      return plain.runGood().counters.cycles;
    }());
    std::string text;
    for (const CheckReport &report : r.checks.reports)
      text += report.message(m.machine->target(), nullptr) + "\n";
    if (threads)
      texts.push_back(text + std::to_string(r.checks.accesses));
    EXPECT_EQ(r.checks.reports.empty(), threads == 0);
  }
  EXPECT_EQ(texts[0], texts[1]);
  EXPECT_EQ(texts[0], texts[2]);
}

TEST(Checks, KeepSoManyReportsAndCountTheOthers) {
  TestMachine m;
  m.program(0, 0, "li x1, 0x50000\nlw x2, 0(x1)\nlw x2, 4(x1)\nlw x2, 8(x1)\nhalt");
  m.program(1, 0, "li x1, 0x50000\nlw x2, 0(x1)\nlw x2, 4(x1)\nlw x2, 8(x1)\nhalt");
  RunOptions options;
  options.checks = both();
  options.checks.maxReports = 2;
  RunResult r = m.runGood(options);
  ASSERT_EQ(r.checks.reports.size(), 2u);
  EXPECT_EQ(r.checks.numReports, 3u);
  EXPECT_EQ(r.checks.reports[0].times, 2u) << "the same code on another node";
  EXPECT_EQ(r.checks.reports[0].access.instruction, "lw x2, 0(x1)");
}

TEST(Checks, EveryRunBeginsWithWhatTheHostPlaced) {
  TestMachine m;
  m.program(0, 0, "li x1, 0x50000\nlw x2, 0(x1)\nlw x2, 8(x1)\nsw x2, 8(x1)\nhalt");
  m.write(0, 0x50000, std::vector<uint32_t>{1});
  RunOptions options;
  options.checks = both();
  for (int run : {0, 1}) {
    RunResult r = m.runGood(options);
    ASSERT_EQ(r.checks.reports.size(), 1u) << run;
    EXPECT_EQ(r.checks.reports[0].begin, 0x50008u);
  }
  m.write(0, 0x50008, std::vector<uint32_t>{1});
  EXPECT_TRUE(m.runGood(options).checks.reports.empty());
}

TEST(Checks, ReportsComeBesideAFault) {
  TestMachine m;
  m.program(0, 0, "li x1, 0x50000\nlw x2, 0(x1)\nlw x2, 1(x1)\nhalt");
  RunOptions options;
  options.checks = both();
  options.checks.outputs = {{0, 0x60000, 0x60004, "y"}};
  RunResult r = m.runFault(FaultClass::Misaligned, options);
  ASSERT_EQ(r.checks.reports.size(), 1u) << "outputs are read after whole runs alone";
  EXPECT_EQ(r.checks.reports[0].kind, CheckReport::Kind::UnwrittenRead);
}

TEST(Checks, IgnoredLoadsAreDeclared) {
  TestMachine m;
  auto labels = m.program(0, 0, "li x1, 0x50000\nlw x2, 0(x1)\nlw x2, 4(x1)\nhalt\nend:");
  uint32_t node = 0;
  std::string error;
  ASSERT_TRUE(m.machine->declareAccesses({&node, 1}, TestMachine::codeAddress(0), labels["end"],
                                         {{0x50000, 0x50008}}, {}, error, {{0x50000, 0x50006}}))
      << error;
  RunOptions options;
  options.checks = both();
  RunResult r = m.runGood(options);
  ASSERT_EQ(r.checks.reports.size(), 1u);
  EXPECT_EQ(r.checks.reports[0].begin, 0x50006u);
  EXPECT_EQ(r.checks.reports[0].end, 0x50008u);
}

} // namespace
