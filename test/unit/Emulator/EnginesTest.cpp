// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fast engine against the plain one: on random programs every byte, register, counter, cycle
// and fault is the same, on each host path, for any number of host threads, timing on or off.
#include "Agreement.h"
#include "CodeWriter.h"
#include "RandomCode.h"

#include "runtime/emulator/NativeCode.h"

using namespace dojo;
using namespace dojo::emu;

namespace {

struct Snapshot {
  std::string fault;
  Counters counters;
  std::map<uint32_t, std::vector<uint8_t>> memory;
  std::vector<uint64_t> registers;
};

// A run of the same program from the same start.
Snapshot snapshot(const Target &target, unsigned seed, const RandomCodeOptions &code,
                  const RunOptions &options) {
  TestMachine m(target);
  placeRandomCode(m, target, seed, code);
  RunResult result = m.run(options);
  Snapshot s;
  s.counters = result.counters;
  if (result.fault)
    s.fault = result.fault->message(target);
  else
    for (int64_t n : target.usableNodes()) {
      uint32_t node = static_cast<uint32_t>(n);
      s.memory[node] = m.read<uint8_t>(node, 0, static_cast<size_t>(target.sramBytes));
      for (unsigned t = 0; t < 4; ++t) {
        for (unsigned i = 0; i < 32; ++i) {
          s.registers.push_back(m.machine->scalarRegister(node, t, i));
          for (uint32_t w : m.machine->vectorRegister(node, t, i))
            s.registers.push_back(w);
        }
        for (unsigned i = 0; i < 8; ++i)
          s.registers.push_back(m.machine->maskRegister(node, t, i));
      }
      for (unsigned i = 0; i < 8; ++i)
        for (uint32_t w : m.machine->accumulator(node, i))
          s.registers.push_back(w);
    }
  return s;
}

void expectEqual(const Snapshot &a, const Snapshot &b, const std::string &what) {
  ASSERT_EQ(a.fault, b.fault) << what;
  if (!a.fault.empty())
    return; // how far other nodes have run ahead is not defined
  ASSERT_EQ(difference(a.counters, b.counters, true), "") << what;
  ASSERT_TRUE(a.registers == b.registers) << what;
  ASSERT_TRUE(a.memory == b.memory) << what;
}

class Engines : public testing::TestWithParam<std::string> {
protected:
  void hold(unsigned firstSeed, unsigned seeds, const RandomCodeOptions &code, bool alternate) {
    Target die, target;
    std::string error;
    ASSERT_TRUE(loadTarget(GetParam(), die, error)) << error;
    ASSERT_TRUE(die.withPartition(2, 2, target, error)) << error;
    for (unsigned seed = firstSeed; seed < firstSeed + seeds; ++seed)
      for (bool timing : {true, false}) {
        RandomCodeOptions c = code;
        c.declared = alternate && seed % 2;
        c.ranges = alternate && seed % 3;
        RunOptions options;
        options.timing = timing;
        options.watchdog = 300'000;
        options.engine = Engine::Plain;
        if (timing && seed % 4 == 0)
          options.jitterSeed = seed;
        Snapshot reference = snapshot(target, seed, c, options);
        faults += !reference.fault.empty();
        EXPECT_TRUE(c.wild || reference.fault.empty()) << reference.fault;
        good += reference.fault.empty();
        options.engine = Engine::Fast;
        for (HostPath path : supportedHostPaths()) {
          options.hostPath = path;
          options.threads = 1 + seed % 3;
          options.tier = Tier((seed + unsigned(path)) % 3);
          options.nodeOrderSeed = seed + unsigned(path);
          expectEqual(reference, snapshot(target, seed, c, options),
                      "seed " + std::to_string(seed) + ", " + name(path) +
                          (timing ? ", timing on" : ", timing off"));
          if (HasFatalFailure())
            return;
        }
      }
  }
  unsigned faults = 0, good = 0;
};

TEST_P(Engines, AgreeOnRandomCode) {
  uint64_t before = numNativeBlocks();
  hold(1, 40, {.rounds = 3, .pieces = 5}, true);
  if (supported(HostPath::Avx512))
    EXPECT_GT(numNativeBlocks(), before + 100);
}

TEST_P(Engines, AgreeWithTwoComputeThreads) { hold(1001, 15, {.threads = 2}, true); }

TEST_P(Engines, AgreeOnFaults) {
  hold(2001, 80, {.rounds = 2, .pieces = 4, .wild = true}, true);
  EXPECT_GT(faults, 20u);
  EXPECT_GT(good, 5u);
}

// A watchdog in the middle of a run stops both engines at the same instruction.
TEST_P(Engines, AgreeOnTheWatchdog) {
  Target die, target;
  std::string error;
  ASSERT_TRUE(loadTarget(GetParam(), die, error)) << error;
  ASSERT_TRUE(die.withPartition(1, 1, target, error)) << error;
  for (uint64_t watchdog = 50; watchdog < 2000; watchdog += 37)
    for (bool timing : {true, false}) {
      std::string message[2];
      uint64_t instructions[2];
      for (Engine engine : {Engine::Plain, Engine::Fast}) {
        TestMachine m(target);
        m.program(0, 0, R"(
            li x2, 0x40000
          next:
            vld v1, (x2)+64, w32, m0
            vfma v2, v1, v1, v2
            mul x3, x2, x2
            vst v2, 0(x2), w32, m0
            li x2, 0x40000
            j next
        )");
        RunOptions options;
        options.engine = engine;
        options.timing = timing;
        options.watchdog = watchdog;
        RunResult r = m.runFault(FaultClass::Watchdog, options);
        message[engine == Engine::Fast] = r.fault ? r.fault->message(target) : "";
        instructions[engine == Engine::Fast] = r.counters.instructions;
      }
      ASSERT_EQ(message[0], message[1]) << watchdog;
      ASSERT_EQ(instructions[0], instructions[1]) << watchdog;
    }
}

// A matrix loop whose loads leave the SRAM in some turn faults in that turn, with the registers
// that it has by then.
TEST_P(Engines, AgreeOnMatrixLoopsThatLeaveTheMemory) {
  Target die, target;
  std::string error;
  ASSERT_TRUE(loadTarget(GetParam(), die, error)) << error;
  ASSERT_TRUE(die.withPartition(1, 1, target, error)) << error;
  for (HostPath path : supportedHostPaths())
    for (unsigned turns = 0; turns < 40; ++turns) {
      std::string message[2];
      uint64_t instructions[2], loaded[2], left[2];
      for (Engine engine : {Engine::Plain, Engine::Fast}) {
        TestMachine m(target);
        m.program(0, 0, "li x1, " + std::to_string(target.sramBytes - 64 * turns) + R"(
            li x2, 0x40000
            li x3, 100
          next:
            mm.vm acc0, v1, (x2)+64, 0, bf16
            add x4, x4, x3
            vld v1, (x1)+64, w32, m0
            mm acc1, v1, v2, 0, bf16
            loop x3, next
            halt
        )");
        RunOptions options;
        options.engine = engine;
        options.hostPath = path;
        options.tier = Tier::Native;
        RunResult r = m.runFault(FaultClass::OutOfRange, options);
        message[engine == Engine::Fast] = r.fault ? r.fault->message(target) : "";
        instructions[engine == Engine::Fast] = r.counters.instructions;
        loaded[engine == Engine::Fast] = m.machine->scalarRegister(0, 0, 2);
        left[engine == Engine::Fast] = m.machine->scalarRegister(0, 0, 3);
      }
      ASSERT_EQ(message[0], message[1]) << turns;
      ASSERT_EQ(instructions[0], instructions[1]) << turns;
      ASSERT_EQ(loaded[0], loaded[1]) << turns;
      ASSERT_EQ(left[0], left[1]) << turns;
    }
}

INSTANTIATE_TEST_SUITE_P(Targets, Engines, testing::Values("d1", "d1-pessimistic"),
                         [](const auto &info) {
                           return info.param == "d1" ? "d1" : "pessimistic";
                         });

// Matrix steps on operands of every kind, each accumulator read after each step.
TEST(HostPaths, MatrixStepsAreTheReference) {
  Target die, target;
  std::string error;
  ASSERT_TRUE(loadTarget("d1", die, error)) << error;
  ASSERT_TRUE(die.withPartition(1, 1, target, error)) << error;
  constexpr unsigned steps = 2000;
  for (unsigned seed = 1; seed <= 8; ++seed) {
    std::mt19937 engine(seed);
    std::vector<uint32_t> operands(steps * 32);
    for (uint32_t &w : operands) {
      w = specialWord(engine);
      if (seed % 2) // no NaN hides the rest
        w = (w & 0x7F807F80) == 0x7F807F80 || (w & 0x7F80) == 0x7F80 || (w >> 16 & 0x7F80) == 0x7F80
                ? 0x00013F81
                : w;
    }
    std::vector<uint32_t> results[numHostPaths + 1];
    for (unsigned i = 0; i <= numHostPaths; ++i) {
      if (i < numHostPaths && !supported(HostPath(i)))
        continue;
      TestMachine m(target);
      m.write(0, 0x20000, operands);
      m.program(0, 0, R"(
          li x1, 0x20000
          li x3, 2000
          li x4, 0x60000
          li x5, 0
        next:
          vld v1, (x1)+64, w32, m0
          mm.vm acc0, v1, (x1)+64, 0, bf16
          drain v2, acc0, 0
          drain v3, acc0, 3
          vst v2, (x4)+64, w32, m0
          vst v3, (x4)+64, w32, m0
          addi x5, x5, 1
          andi x6, x5, 31
          bne x6, x0, more
          mm acc0, v1, v1, 1, bf16
        more:
          loop x3, next
          halt
      )");
      RunOptions options;
      options.engine = i == numHostPaths ? Engine::Plain : Engine::Fast;
      if (i < numHostPaths)
        options.hostPath = HostPath(i);
      m.runGood(options);
      results[i] = m.read<uint32_t>(0, 0x60000, steps * 32);
    }
    for (HostPath path : supportedHostPaths())
      for (size_t i = 0; i < results[numHostPaths].size(); ++i)
        ASSERT_EQ(results[static_cast<size_t>(path)][i], results[numHostPaths][i])
            << "seed " << seed << ", " << name(path) << ", word " << i;
  }
}

} // namespace
