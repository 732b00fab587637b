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

TEST(Machine, LayersEndInOrder) {
  TestMachine m;
  auto labels = m.program(0, 0, R"(
    first:
      ld x1, 0(x0)
    second:
      vmov v1, v0
      mm acc0, v0, v0, 1, bf16
    third:
      nop
      halt
    end:
  )");
  m.program(1, 0, "vmov v1, v0\nhalt");
  std::string error;
  uint32_t node = 0, other = 1;
  ASSERT_TRUE(m.machine->setPcRanges({&node, 1},
                                     {{labels["second"], labels["third"], 1},
                                      {labels["first"], labels["second"], 0},
                                      {labels["third"], labels["end"], 2}},
                                     error))
      << error;
  ASSERT_TRUE(m.machine->setPcRanges({&other, 1}, {{0x1000, 0x1004, 1}}, error)) << error;
  RunResult r = m.runGood();
  ASSERT_EQ(r.counters.layers.size(), 3u);
  const auto &layers = r.counters.layers;
  EXPECT_EQ(r.counters.cycles, 8u); // the last issue is in cycle 7
  EXPECT_EQ(layers[0].end, 8u);     // the load completes in 12, after the end
  EXPECT_EQ(layers[1].end, 8u);
  EXPECT_EQ(layers[2].end, 8u);
  EXPECT_EQ(layers[0].instructions, 1u);
  EXPECT_EQ(layers[1].instructions, 3u);
  EXPECT_EQ(layers[1].matrixSteps, 1u);
  EXPECT_EQ(layers[1].simdOperations, 2u);
  EXPECT_EQ(layers[1].busiestNodeWork, 2u);
  EXPECT_EQ(layers[1].nodesWithWork, 2u);
  EXPECT_EQ(layers[0].nodesWithWork, 0u);
  EXPECT_EQ(r.counters.nodesUsed, 2u);
  EXPECT_EQ(r.counters.instructions, 7u); // one is outside every layer
}

TEST(Machine, SharedCodeCountsForTheLayerThatCalled) {
  for (bool timing : {true, false}) {
    TestMachine m;
    auto labels = m.program(0, 0, R"(
      first:
        jal x1, shared
      second:
        nop
        jal x1, shared
        halt
      shared:
        vmov v1, v0
        vmov v2, v0
        jr x1
      end:
    )");
    std::string error;
    uint32_t node = 0;
    ASSERT_TRUE(m.machine->setPcRanges({&node, 1},
                                       {{labels["first"], labels["second"], 0},
                                        {labels["second"], labels["shared"], 1},
                                        {labels["shared"], labels["end"], -2}},
                                       error))
        << error;
    RunOptions options;
    options.timing = timing;
    RunResult r = m.runGood(options);
    ASSERT_EQ(r.counters.layers.size(), 2u);
    EXPECT_EQ(r.counters.layers[0].instructions, 1 + 3u);
    EXPECT_EQ(r.counters.layers[1].instructions, 3 + 3u);
    EXPECT_EQ(r.counters.layers[0].simdOperations, 2u);
    EXPECT_EQ(r.counters.layers[1].simdOperations, 2u);
  }
}

TEST(Machine, CaptureSeesMemoryAtAPoint) {
  for (bool timing : {true, false}) {
    TestMachine m;
    auto labels = m.program(5, 1, R"(
      li x1, 3
    next:
      sd x1, 0x100(x0)
    here:
      loop x1, next
      halt
    )");
    std::vector<int> seen;
    m.machine->addCapture(5, 1, labels["here"],
                          [&](int64_t node, unsigned thread, uint32_t pc, uint64_t cycle,
                              std::span<const uint8_t> sram) {
                            EXPECT_EQ(node, 5);
                            EXPECT_EQ(thread, 1u);
                            EXPECT_EQ(cycle != 0, timing);
                            seen.push_back(sram[0x100]);
                          });
    RunOptions options;
    options.timing = timing;
    m.runGood(options);
    EXPECT_EQ(seen, (std::vector<int>{3, 2, 1}));
  }
}

// Registers, accumulators and semaphores start from zero again; memory stays.
TEST(Machine, RunsAgainFromTheSameState) {
  TestMachine m;
  m.program(0, 0, R"(
    ld x1, 0x100(x0)
    addi x1, x1, 1
    sd x1, 0x100(x0)
    addi x2, x2, 1
    fill acc0, 0, v1
    mm acc0, v0, v0, 0, bf16
    signal s1
    wait s1, 1
    halt
  )");
  uint64_t cycles = m.runGood().counters.cycles;
  EXPECT_EQ(m.runGood().counters.cycles, cycles);
  EXPECT_EQ(m.read<uint64_t>(0, 0x100, 1)[0], 2u);
  EXPECT_EQ(m.machine->scalarRegister(0, 0, 2), 1u);
}

TEST(Machine, RefusesTargetsItDoesNotModel) {
  Target target;
  std::string error;
  ASSERT_TRUE(loadTarget("d1", target, error));
  target.lanes = 8;
  EXPECT_EQ(Machine::create(target, error), nullptr);
  EXPECT_NE(error.find("lanes"), std::string::npos);
}

TEST(Machine, AMachineWithoutEntriesEndsAtOnce) {
  TestMachine m;
  EXPECT_EQ(m.runGood().counters.instructions, 0u);
  m.runGood(functional());
}

} // namespace
