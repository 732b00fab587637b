// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs of one thread on native code from the first turn on, held to the plain engine on every
// host path.
#ifndef DOJO_TEST_EMULATOR_NATIVEAGREEMENT_H
#define DOJO_TEST_EMULATOR_NATIVEAGREEMENT_H

#include "Agreement.h"
#include "TestMachine.h"

#include "runtime/emulator/NativeCode.h"

#include <random>

namespace dojo::emu {

class NativeAgreement : public testing::Test {
protected:
  /// Where random bfloat16 values lie.
  static constexpr uint32_t data = 0x10000, dataBytes = 0x40000;

  void SetUp() override {
    Target die;
    std::string error;
    ASSERT_TRUE(loadTarget("d1", die, error)) << error;
    ASSERT_TRUE(die.withPartition(1, 1, target, error)) << error;
  }

  /// `seed` stands for the values, too.
  void expectAgreement(unsigned seed, const std::string &text) {
    RunOptions options;
    options.timing = seed % 3 != 0;
    options.engine = Engine::Plain;
    options.watchdog = 2'000'000;
    Outcome plain = outcome(seed, text, options);
    ++(plain.fault.empty() ? good : faults);
    options.engine = Engine::Fast;
    options.tier = Tier::Native;
    for (HostPath path : supportedHostPaths()) {
      options.hostPath = path;
      Outcome fast = outcome(seed, text, options);
      std::string what = "seed " + std::to_string(seed) + ", " + name(path) + "\n" + text;
      ASSERT_EQ(plain.fault, fast.fault) << what;
      ASSERT_TRUE(plain.state == fast.state) << what;
      ASSERT_EQ(difference(plain.counters, fast.counters, options.timing), "") << what;
    }
  }

  Target target;
  unsigned good = 0, faults = 0;

private:
  struct Outcome {
    std::string fault;
    Counters counters;
    std::vector<uint32_t> state;
  };

  Outcome outcome(unsigned seed, const std::string &text, const RunOptions &options) const {
    TestMachine m(target);
    std::mt19937 engine(seed);
    std::vector<uint16_t> values(dataBytes / 2);
    for (uint16_t &value : values) {
      value = static_cast<uint16_t>(engine() % 0x8000 & 0x83FF) | (0x3C00 + engine() % 0x400);
      value |= static_cast<uint16_t>(engine() & 0x8000);
      if (engine() % 4096 == 0)
        value = static_cast<uint16_t>(engine()); // denormals, infinities, NaNs, too
    }
    m.write(0, data, values);
    m.program(0, 0, text);
    RunResult result = m.run(options);
    Outcome o;
    o.counters = result.counters;
    o.fault = result.fault ? result.fault->message(target) : "";
    for (unsigned i = 0; i < 32; ++i)
      for (uint32_t word : m.machine->vectorRegister(0, 0, i))
        o.state.push_back(word);
    for (unsigned i = 0; i < 32; ++i)
      o.state.push_back(static_cast<uint32_t>(m.machine->scalarRegister(0, 0, i)));
    for (unsigned i = 0; i < 8; ++i)
      for (uint32_t word : m.machine->accumulator(0, i))
        o.state.push_back(word);
    return o;
  }
};

} // namespace dojo::emu

#endif
