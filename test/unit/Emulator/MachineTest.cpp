// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole small programs: that they run, run again, and do the same with and without timing.
#include "TestMachine.h"

using namespace dojo;
using namespace dojo::emu;
using isa::Descriptor;

namespace {

TEST(Machine, AddsTwoVectors) {
  TestMachine m;
  std::vector<float> a(64), b(64), sum(64);
  for (int i = 0; i < 64; ++i)
    a[i] = 0.5f * static_cast<float>(i), b[i] = 3.0f - static_cast<float>(i), sum[i] = a[i] + b[i];
  m.write(0, 0x40000, a);
  m.write(0, 0x41000, b);
  m.program(0, 0, R"(
    li x1, 0x40000
    li x2, 0x41000
    li x3, 0x42000
    li x4, 4
  next:
    vld v1, (x1)+64, w32, m0
    vfadd.m v2, v1, (x2)+64, w32
    vst v2, (x3)+64, w32, m0
    loop x4, next
    halt
  )");
  RunResult timed = m.runGood();
  EXPECT_EQ(m.read<float>(0, 0x42000, 64), sum);
  EXPECT_EQ(timed.counters.instructions, 4u + 4 * 4 + 1);
  EXPECT_EQ(timed.counters.simdOperations, 4u);
  EXPECT_EQ(timed.counters.nodesUsed, 1u);
  EXPECT_GT(timed.counters.cycles, 4 * 16u);
  EXPECT_EQ(m.runGood().counters.cycles, timed.counters.cycles);
  m.write(0, 0x42000, std::vector<float>(64));
  RunResult untimed = m.runGood(functional());
  EXPECT_EQ(m.read<float>(0, 0x42000, 64), sum);
  EXPECT_EQ(untimed.counters.instructions, timed.counters.instructions);
  EXPECT_EQ(untimed.counters.cycles, 0u);
}

// Every node pushes to its east neighbour and waits for its western one.
TEST(Machine, PassesBlocksAround) {
  for (bool timing : {true, false}) {
    TestMachine m;
    for (uint32_t c = 0; c < 4; ++c) {
      Descriptor push;
      push.kind = Descriptor::Kind::Push;
      push.localAddress = 0x40000;
      push.node = static_cast<uint16_t>((c + 1) % 4);
      push.remoteAddress = 0x50000;
      push.runBytes = 100;
      push.hasFarSemaphore = true;
      push.farSemaphore = 7;
      m.listThread(c, 2, {push});
      m.program(c, 0, "wait s7, 1\nhalt");
      m.write(c, 0x40000, std::vector<uint8_t>(100, static_cast<uint8_t>(c + 1)));
    }
    RunOptions options;
    options.timing = timing;
    RunResult r = m.runGood(options);
    for (uint32_t c = 0; c < 4; ++c)
      EXPECT_EQ(m.read<uint8_t>(c, 0x50000, 101)[99], (c + 3) % 4 + 1);
    EXPECT_EQ(r.counters.packets, 8u);
    EXPECT_EQ(r.counters.linkPackets, 2u * (3 + 3));
    EXPECT_EQ(r.counters.trains, 4u);
  }
}

} // namespace
