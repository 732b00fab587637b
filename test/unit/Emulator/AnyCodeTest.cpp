// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code and lists without sense: whatever they hold, a run ends in a result.
#include "TestMachine.h"

#include <random>

using namespace dojo;
using namespace dojo::emu;
using isa::Descriptor;
using Kind = Descriptor::Kind;

namespace {

class AnyCode : public testing::TestWithParam<std::string> {};

// Any instruction with any fields, any descriptor: the run ends, with a fault or without, and does
// the same again.
TEST_P(AnyCode, EndsInAResult) {
  Target die, target;
  std::string why;
  ASSERT_TRUE(loadTarget(GetParam(), die, why));
  ASSERT_TRUE(die.withPartition(2, 3, target, why));
  std::map<FaultClass, int> faults;
  for (unsigned seed = 1; seed <= 150; ++seed) {
    std::mt19937_64 engine(seed);
    TestMachine m(target);
    std::string error;
    for (int64_t n : target.usableNodes()) {
      uint32_t node = static_cast<uint32_t>(n);
      for (unsigned t = 0; t < 4; ++t) {
        std::vector<uint8_t> code;
        while (code.size() < 400) {
          isa::Inst inst;
          inst.op = isa::Opcode(engine() % isa::numOpcodes);
          const isa::InstInfo &info = isa::info(inst.op);
          inst.bytes = info.bytes;
          for (unsigned i = 0; i < info.numOperands; ++i) {
            const isa::OperandInfo &field = info.ops[i];
            int64_t span = field.max - field.min + 1, value = field.min + int64_t(engine() % span);
            if (field.kind == isa::OperandKind::MemBase && engine() % 4)
              value = 0; // low addresses are good ones
            if (field.kind == isa::OperandKind::MemOff && engine() % 8)
              value = int64_t(engine() % 31) * 64;
            if (field.kind == isa::OperandKind::Target)
              value = (int64_t(engine() % 20) - 5) * 4;
            if (field.kind == isa::OperandKind::Uimm && field.max > 100000)
              value = 0x20000 + 64 * int64_t(engine() % 8);
            inst.f[i] = static_cast<int32_t>(value >> field.shift << field.shift);
          }
          if (info.reserved || (engine() % 4 && info.timing == isa::TimingClass::Control &&
                                std::string(info.mnemonic) == "halt"))
            continue;
          isa::encode(inst, code, nullptr);
        }
        uint32_t base = TestMachine::codeAddress(t);
        ASSERT_TRUE(m.machine->placeCode({&node, 1}, base, code, error)) << error;
        ASSERT_TRUE(m.machine->setEntry(node, t, base, error)) << error;
      }
      std::vector<uint8_t> list;
      for (int i = 0; i < 12; ++i) {
        Descriptor d;
        d.kind = Kind(engine() % 6);
        d.node = static_cast<uint16_t>(engine() % 44);
        d.multicast = engine() % 4 == 0;
        d.run = Descriptor::Run(engine() % 2);
        d.first = static_cast<uint8_t>(engine() % 4);
        d.last = static_cast<uint8_t>(engine() % 4);
        d.column = static_cast<uint8_t>(engine() % 4);
        d.localAddress = static_cast<uint32_t>(engine() % 0x800);
        d.remoteAddress = static_cast<uint32_t>(0x60000 + engine() % 0x800);
        d.runBytes = static_cast<uint32_t>(engine() % 300);
        d.addressFromRegister = engine() % 8 == 0;
        d.countFromRegister = engine() % 8 == 0;
        d.addressRegister = d.countRegister = static_cast<uint8_t>(engine() % 32);
        for (int k = 0; k < 3; ++k) {
          d.count[k] = static_cast<uint32_t>(engine() % 4);
          d.localStride[k] = static_cast<int32_t>(engine() % 600) - 100;
          d.remoteStride[k] = static_cast<int32_t>(engine() % 600) - 100;
        }
        d.hasFarSemaphore = engine() % 2;
        d.hasOwnSemaphore = engine() % 2;
        d.farSemaphore = static_cast<uint8_t>(engine() % 8);
        d.ownSemaphore = static_cast<uint8_t>(engine() % 8);
        d.amount = static_cast<uint16_t>(engine() % 3);
        list.resize(list.size() + 64);
        d.encode(list.data() + list.size() - 64);
        if (engine() % 40 == 0)
          list[list.size() - 1 - engine() % 64] = static_cast<uint8_t>(engine());
      }
      list.resize(list.size() + 64);
      m.write(node, 0x20000, list);
    }
    for (bool timing : {true, false}) {
      RunOptions options;
      options.timing = timing;
      options.watchdog = 5000;
      RunResult first = m.run(options);
      options.threads = 2;
      RunResult second = m.run(options);
      ASSERT_EQ(first.fault.has_value(), second.fault.has_value()) << "seed " << seed;
      if (first.fault)
        ++faults[first.fault->faultClass];
    }
  }
  EXPECT_GE(faults.size(), 6u); // many ways to end
}

INSTANTIATE_TEST_SUITE_P(Targets, AnyCode, testing::Values("d1", "d1-pessimistic"),
                         [](const auto &info) {
                           return info.param == "d1" ? "d1" : "pessimistic";
                         });

} // namespace
