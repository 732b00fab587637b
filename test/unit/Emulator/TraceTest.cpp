// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Traces of small programs whose cycles are worked out by hand (MeshTest.cpp), and what watching a
// run must not change.
#include "RandomCode.h"
#include "TraceReader.h"

#include "dojo/Emulator/Trace.h"

#include <algorithm>
#include <numeric>

using namespace dojo;
using namespace dojo::emu;
using isa::Descriptor;
using Kind = Descriptor::Kind;

namespace {

struct Watched {
  RunResult result;
  std::string bytes;
  std::optional<uint64_t> cutAt;
};

Watched watch(TestMachine &m, TraceOptions traceOptions = {}, RunOptions options = {},
              unsigned runs = 1) {
  Watched w;
  Trace trace(std::move(traceOptions), [&](std::string_view bytes) {
    w.bytes += bytes;
    return true;
  });
  options.trace = &trace;
  options.nodeCounters = true;
  while (runs--)
    w.result = m.run(options);
  EXPECT_EQ(trace.bytes(), w.bytes.size());
  EXPECT_EQ(trace.events(), TraceReader(w.bytes).events);
  w.cutAt = trace.cutAt();
  return w;
}

Descriptor push(uint16_t node, uint32_t bytes) {
  Descriptor d;
  d.kind = Kind::Push;
  d.node = node;
  d.localAddress = 0x40000;
  d.remoteAddress = 0x50000;
  d.runBytes = bytes;
  return d;
}

// Node 0 sends 20 packets to node 3, which waits for them.
void sendAndWait(TestMachine &m) {
  Descriptor d = push(3, 20 * 64);
  d.hasFarSemaphore = true;
  d.farSemaphore = 5;
  m.listThread(0, 1, {d});
  m.program(3, 0, "wait s5, 1\nhalt");
}

Target smallDie() {
  Target die, target;
  std::string error;
  EXPECT_TRUE(loadTarget("d1", die, error)) << error;
  EXPECT_TRUE(die.withPartition(2, 2, target, error)) << error;
  return target;
}

using Strings = std::vector<std::string>;

} // namespace

TEST(Trace, ThreadsTransfersAndWaits) {
  TestMachine m;
  sendAndWait(m);
  std::string error;
  uint32_t code = TestMachine::codeAddress(0);
  const uint32_t receiver = 3;
  ASSERT_TRUE(m.machine->setPcRanges({&receiver, 1}, {{code, code + 64, 0}}, error)) << error;
  TraceOptions options;
  options.layers = {"0 Conv first"};
  Watched w = watch(m, options);
  ASSERT_FALSE(w.result.fault);
  // The first train of 16 packets is issued in cycle 22 and leaves in 38. Node 3 is three links
  // away: it is written from 22 + 4 on, the last four packets from 42 to 45, and shows 4 later.
  TraceReader trace(w.bytes);
  EXPECT_EQ(trace.slicesOf("node 0 (row 0, column 0)", "thread 1"),
            (Strings{"22-42 push to 3 bytes=1280", "6-45 list pc=" + std::to_string(0x5000)}));
  EXPECT_EQ(
      trace.slicesOf("node 0 (row 0, column 0)", "sends"),
      (Strings{"22-38 push to 3 packets=16 issued=22", "38-42 push to 3 packets=4 issued=38"}));
  EXPECT_EQ(trace.slicesOf("node 3 (row 0, column 3)", "receives"),
            (Strings{"26-42 from 0 packets=16 issued=22", "42-46 from 0 packets=4 issued=38"}));
  EXPECT_EQ(trace.slicesOf("node 3 (row 0, column 3)", "thread 0"),
            (Strings{"6-49 wait s5 need=1 pc=" + std::to_string(code), "0-51 0 Conv first"}));
  EXPECT_EQ(trace.slicesOf("die", "layers"), (Strings{"0-51 0 Conv first"}));
  EXPECT_EQ(w.result.counters.cycles, 51u);
}

TEST(Trace, OnlyTheNodesAskedFor) {
  TestMachine m;
  sendAndWait(m);
  TraceOptions options;
  options.nodes = {3};
  TraceReader trace(watch(m, options).bytes);
  EXPECT_TRUE(trace.slicesOf("node 0 (row 0, column 0)", "sends").empty());
  EXPECT_EQ(trace.slicesOf("node 3 (row 0, column 3)", "receives").size(), 2u);
}

TEST(Trace, RunsFollowEachOther) {
  TestMachine m;
  sendAndWait(m);
  TraceReader trace(watch(m, {}, {}, 2).bytes);
  EXPECT_EQ(
      trace.slicesOf("node 0 (row 0, column 0)", "sends"),
      (Strings{"22-38 push to 3 packets=16 issued=22", "38-42 push to 3 packets=4 issued=38",
               "73-89 push to 3 packets=16 issued=22", "89-93 push to 3 packets=4 issued=38"}));
}

TEST(Trace, PullsCopiesAndSignals) {
  TestMachine m;
  Descriptor pull = push(1, 64), copy = push(0, 64);
  pull.kind = Kind::Pull;
  pull.hasOwnSemaphore = true;
  pull.ownSemaphore = 2;
  copy.kind = Kind::Copy;
  Descriptor wait;
  wait.kind = Kind::Wait;
  wait.ownSemaphore = 2;
  wait.amount = 1;
  m.listThread(0, 0, {pull, wait, copy});
  m.program(2, 0, "li x1, 0\nsignalr x1, s9\nhalt");
  m.program(0, 1, "wait s9, 1\nhalt");
  TraceReader trace(watch(m).bytes);
  Strings sends = trace.namesOf("node 0 (row 0, column 0)", "sends");
  EXPECT_EQ(sends, (Strings{"pull from 1", "copy"}));
  EXPECT_EQ(trace.namesOf("node 1 (row 0, column 1)", "sends"), (Strings{"answer to 0"}));
  EXPECT_EQ(trace.namesOf("node 2 (row 0, column 2)", "thread 0"), (Strings{"signal to 0"}));
  EXPECT_EQ(trace.namesOf("node 0 (row 0, column 0)", "thread 0"),
            (Strings{"pull from 1", "wait s2", "copy", "list"}));
}

TEST(Trace, FaultsAndWaitsWithoutEndShow) {
  TestMachine m;
  m.program(0, 0, "wait s1, 1\nhalt");
  m.program(1, 0, "li x1, 1\nlw x2, 0(x1)\nhalt");
  Watched w = watch(m);
  ASSERT_TRUE(w.result.fault);
  TraceReader trace(w.bytes);
  EXPECT_EQ(trace.instantsOf("node 1 (row 0, column 1)", "thread 0"),
            (Strings{std::to_string(w.result.fault->cycle) + " fault: misaligned access"}));
  EXPECT_EQ(trace.slicesOf("node 0 (row 0, column 0)", "thread 0"),
            (Strings{"6-" + std::to_string(w.result.counters.cycles) +
                     " wait s1 need=1 pc=" + std::to_string(TestMachine::codeAddress(0))}));
}

TEST(Trace, EndsBeforeItIsTooLong) {
  const Target target = smallDie();
  auto traced = [&](uint64_t maxBytes) {
    TestMachine m(target);
    RandomCodeOptions code;
    code.ranges = true;
    placeRandomCode(m, target, 3, code);
    TraceOptions options;
    options.maxBytes = maxBytes;
    options.layers = {"a", "b", "c", "d"};
    return watch(m, options);
  };
  Watched whole = traced(1 << 30);
  EXPECT_FALSE(whole.cutAt);
  for (uint64_t maxBytes : {whole.bytes.size() / 2, whole.bytes.size() / 4, size_t(2500)}) {
    Watched cut = traced(maxBytes);
    EXPECT_LE(cut.bytes.size(), maxBytes);
    EXPECT_GT(cut.bytes.size() + 600, maxBytes) << "the place is used";
    ASSERT_TRUE(cut.cutAt);
    TraceReader trace(cut.bytes); // every slice has its end
    EXPECT_EQ(trace.instantsOf("die", "layers"),
              (Strings{std::to_string(*cut.cutAt) + " trace cut at " + std::to_string(maxBytes) +
                       " bytes"}));
    EXPECT_EQ(trace.slicesOf("die", "layers"), TraceReader(whole.bytes).slicesOf("die", "layers"));
    EXPECT_EQ(cut.result.counters.cycles, whole.result.counters.cycles);
  }
  EXPECT_LE(traced(10).bytes.size(), 10u);
}

TEST(Trace, WatchingChangesNothingAndThreadsDoNotShow) {
  const Target target = smallDie();
  for (unsigned seed = 0; seed < 6; ++seed) {
    RandomCodeOptions code;
    code.threads = 1 + seed % 2;
    code.ranges = true;
    TestMachine plain(target);
    placeRandomCode(plain, target, seed, code);
    RunResult result = plain.run();
    std::string first;
    for (unsigned threads : {1u, 2u, 3u}) {
      TestMachine m(target);
      placeRandomCode(m, target, seed, code);
      RunOptions options;
      options.threads = threads;
      Watched w = watch(m, {}, options);
      if (first.empty())
        first = w.bytes;
      EXPECT_TRUE(w.bytes == first) << "seed " << seed << ", " << threads << " threads";
      ASSERT_EQ(w.result.fault.has_value(), result.fault.has_value());
      EXPECT_EQ(w.result.counters.cycles, result.counters.cycles);
      EXPECT_EQ(w.result.counters.instructions, result.counters.instructions);
      for (int64_t node : target.usableNodes())
        EXPECT_TRUE(m.read<uint8_t>(uint32_t(node), 0, size_t(target.sramBytes)) ==
                    plain.read<uint8_t>(uint32_t(node), 0, size_t(target.sramBytes)))
            << "seed " << seed << ", node " << node;

      // Every cycle of every thread is one thing, every instruction of one class.
      const Counters &c = w.result.counters;
      uint64_t issued = 0, received = 0;
      for (const NodeCounters &node : c.nodes) {
        for (const ThreadCounters &thread : node.threads) {
          issued += std::accumulate(thread.issued.begin(), thread.issued.end(), uint64_t(0));
          EXPECT_EQ(std::accumulate(thread.cycles.begin(), thread.cycles.end(), uint64_t(0)),
                    c.cycles)
              << "seed " << seed << ", node " << node.node;
        }
        received += node.receivedPackets;
      }
      EXPECT_EQ(c.nodes.size(), target.usableNodes().size());
      EXPECT_EQ(issued, c.instructions);
      EXPECT_EQ(received, c.packets);
    }
  }
}

TEST(NodeCounters, WhatHoldsAThread) {
  TestMachine m;
  // Thread 0: li in cycle 6, the load in 7, sum and wait in 13, halt in 29. Thread 1: li in 6,
  // divisions in 7 and 27 (the divider is busy for 20 cycles), the signal in 27; it shows in 28.
  m.program(0, 0, "li x1, 4096\nlw x2, 0(x1)\nadd x3, x2, x2\nwait s1, 1\nhalt");
  m.program(0, 1, "li x4, 7\nli x5, 3\ndiv x6, x4, x5\ndiv x7, x4, x5\nsignal s1\nhalt");
  Watched w = watch(m);
  ASSERT_FALSE(w.result.fault) << w.result.fault->message(m.machine->target());
  const NodeCounters &node = w.result.counters.nodes[0];
  auto cycles = [&](unsigned thread, Activity a) {
    return node.threads[thread].cycles[static_cast<unsigned>(a)];
  };
  EXPECT_EQ(cycles(0, Activity::CodeLine), 6u);
  EXPECT_EQ(cycles(0, Activity::Operand), 5u);
  EXPECT_EQ(cycles(1, Activity::Unit), 19u);
  EXPECT_EQ(cycles(0, Activity::Semaphore), 15u);
  EXPECT_EQ(w.result.counters.cycles, 30u);
  EXPECT_EQ(cycles(2, Activity::Idle), w.result.counters.cycles);
  EXPECT_EQ(node.threads[1].issued[static_cast<unsigned>(isa::TimingClass::Div)], 2u);
  EXPECT_EQ(node.threads[0].issued[static_cast<unsigned>(isa::TimingClass::Control)], 3u);
}

TEST(NodeCounters, PortsAndLinks) {
  TestMachine m;
  sendAndWait(m);
  m.listThread(1, 1, {push(3, 64)});
  const Counters c = watch(m).result.counters;
  EXPECT_EQ(c.nodes[0].sentPackets, 20u);
  EXPECT_EQ(c.nodes[3].receivedPackets, 21u);
  EXPECT_EQ(c.nodes[0].linkPackets, (std::array<uint64_t, 4>{20, 0, 0, 0}));
  EXPECT_EQ(c.nodes[1].linkPackets, (std::array<uint64_t, 4>{21, 0, 0, 0}));
  EXPECT_EQ(c.nodes[3].linkPackets, (std::array<uint64_t, 4>{}));
}
