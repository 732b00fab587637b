// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RandomInst.h"
#include <gtest/gtest.h>

using namespace dojo::isa;
using dojo::isa::test::randomInst;

namespace {

constexpr uint64_t seed = 20260103;

TEST(Assembly, EveryOpcodeRoundTripsThroughText) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 rng(seed);
  constexpr uint64_t pc = 1 << 26; // keeps every target positive
  for (unsigned i = 0; i < numOpcodes; ++i) {
    if (info(Opcode(i)).reserved)
      continue;
    for (int repeat = 0; repeat < 200; ++repeat) {
      Inst inst = randomInst(Opcode(i), rng), back;
      std::string text = disassemble(inst, pc), error;
      ASSERT_TRUE(parseInst(text, pc, {}, back, &error)) << text << ": " << error;
      ASSERT_TRUE(inst == back) << text << " came back as " << disassemble(back, pc);
    }
  }
}

TEST(Assembly, OtherWaysToWriteTheSame) {
  const char *same[][2] = {
      {"lw x1, (x2)", "lw x1, 0(x2)"},
      {"lw x1, ( x2 ) + 4", "lw x1, (x2)+4"},
      {"lw x1, (x2)+-4", "lw x1, (x2)-4"},
      {"  addi\tx1 ,x2,  0x7f ", "addi x1, x2, 127"},
      {"addi x1, x2, -0x80", "addi x1, x2, -128"},
      {"li x1, 0xdeadbeef", "li x1, -559038737"},
      {"wait 3, 1", "wait s3, 1"},
  };
  for (auto [written, canonical] : same) {
    Inst inst;
    std::string error;
    ASSERT_TRUE(parseInst(written, 0, {}, inst, &error)) << written << ": " << error;
    EXPECT_EQ(disassemble(inst, 0), canonical);
  }
}

TEST(Assembly, LabelsAreTargetsAndAddresses) {
  LabelResolver labels = [](std::string_view name) -> std::optional<int64_t> {
    if (name == "there")
      return 0x200;
    return std::nullopt;
  };
  Inst inst;
  std::string error;
  ASSERT_TRUE(parseInst("loop x1, there", 0x210, labels, inst, &error)) << error;
  EXPECT_EQ(inst.f[1], -16);
  ASSERT_TRUE(parseInst("list there", 0, labels, inst, &error)) << error;
  EXPECT_EQ(inst.f[0], 0x200);
  ASSERT_TRUE(parseInst("li x3, there", 0, labels, inst, &error)) << error;
  EXPECT_EQ(inst.f[1], 0x200);
  EXPECT_FALSE(parseInst("j nowhere", 0, labels, inst, &error));
  EXPECT_EQ(error, "operand target: 'nowhere' is not a label or an address");
}

TEST(Assembly, MistakesAreNamed) {
  const char *cases[][2] = {
      {"", "unknown instruction ''"},
      {"fmul v1, v2, v3", "unknown instruction 'fmul'"},
      {"rseed x1", "'rseed' is reserved"},
      {"add x1, x2", "'add' lacks operand xb"},
      {"add x1, x2, x3, x4", "too many operands for 'add'"},
      {"add x1, x2, x3,", "too many operands for 'add'"},
      {"halt x1", "too many operands for 'halt'"},
      {"add x1, x2, x32", "operand xb: 'x32' is not one of x0 to x31"},
      {"add x1, x2, v3", "operand xb: 'v3' is not one of x0 to x31"},
      {"add x1, x2, x", "operand xb: 'x' is not one of x0 to x31"},
      {"add x1, x2, x+3", "operand xb: 'x+3' is not one of x0 to x31"},
      {"mand m1, m2, m8", "operand mb: 'm8' is not one of m0 to m7"},
      {"wait s256, 1", "operand sem: 's256' is not one of s0 to s255"},
      {"addi x1, x2, 2048", "operand imm: '2048' is not in -2048 to 2047"},
      {"addi x1, x2, many", "operand imm: 'many' is not a number"},
      {"addi x1, x2, 99999999999999999999", "operand imm: '99999999999999999999' is not a number"},
      {"pred x1, 0", "operand n: '0' is not in 1 to 7"},
      {"j 0x6", "operand target: '0x6' is not a multiple of 4 bytes away"},
      {"beq x1, x2, 0x4000", "operand target: '0x4000' is not in -8192 to 8188"},
      {"lw x1, x2", "operand base: 'x2' is not a memory operand: off(xN) or (xN)+inc"},
      {"lw x1, 4(x2)+4", "operand base: '4(x2)+4' is not a memory operand: off(xN) or (xN)+inc"},
      {"lw x1, 2048(x2)", "operand off: '2048(x2)' is not in -2048 to 2047"},
      {"lw x1, (x2)+", "operand off: '(x2)+' is not a memory operand with a number"},
      {"vld v1, 0(x2), cf16, m0",
       "operand etype: 'cf16' is not one of w32, bf16, f16, i8, u8, i16, u16"},
      {"vicmp m1, v2, v3, uno",
       "operand cond: 'uno' is not one of eq, ne, lt, le, gt, ge, ltu, leu, gtu, geu"},
      {"mm acc0, v1, v2, 1, cf8a", "operand fmt: 'cf8a' is not one of bf16"},
      {"mm acc8, v1, v2, 1, bf16", "operand acc: 'acc8' is not one of acc0 to acc7"},
  };
  for (auto [text, message] : cases) {
    Inst inst;
    std::string error;
    EXPECT_FALSE(parseInst(text, 0, {}, inst, &error)) << text;
    EXPECT_EQ(error, message);
  }
}

TEST(Assembly, RandomTextIsRefusedQuietly) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 rng(seed);
  constexpr uint64_t pc = 1 << 26;
  const std::string alphabet = "xvmacs0189,()+- .\t";
  for (int i = 0; i < 100000; ++i) {
    std::string text;
    do {
      Opcode op = Opcode(rng() % numOpcodes);
      text = info(op).reserved ? "" : disassemble(randomInst(op, rng), pc);
    } while (text.empty());
    for (unsigned edits = 1 + rng() % 3; edits; --edits) {
      size_t at = rng() % text.size();
      if (rng() % 2)
        text[at] = alphabet[rng() % alphabet.size()];
      else if (text.size() > 1)
        text.erase(at, 1);
    }
    Inst inst;
    std::string error;
    if (!parseInst(text, pc, {}, inst, &error)) {
      EXPECT_FALSE(error.empty()) << text;
      continue;
    }
    std::vector<uint8_t> bytes;
    EXPECT_TRUE(encode(inst, bytes, &error)) << text << ": " << error;
  }
}

} // namespace
