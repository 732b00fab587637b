// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every instruction against its reference on random operands, and that none is left out.
#include "SemanticCases.h"
#include "TestMachine.h"

#include <random>
#include <set>

using namespace dojo;
using namespace dojo::emu;

namespace {

constexpr unsigned trials = 48;
constexpr uint32_t operands = 0x40000, scratch = 0x60000, results = 0x80000;

Target oneNode() {
  Target die, target;
  std::string error;
  EXPECT_TRUE(loadTarget("d1", die, error));
  EXPECT_TRUE(die.withPartition(1, 1, target, error)) << error;
  return target;
}

uint32_t randomLane(std::mt19937_64 &engine, SemanticCase::Data data) {
  uint64_t r = engine();
  uint32_t bits = static_cast<uint32_t>(r);
  if (data == SemanticCase::SmallFloats) // exponents about 0, for estimates
    return (bits & 0x807FFFFF) | ((122 + (r >> 32) % 12) << 23);
  if (data == SemanticCase::Integers)
    return (r >> 32) % 4 ? bits : static_cast<uint32_t>(static_cast<int32_t>((r >> 40) % 41) - 20);
  constexpr uint32_t special[] = {0,          0x80000000, 1,          0x807FFFFF, 0x7F800000,
                                  0xFF800000, 0x7F800001, 0xFFC12345, 0x3F800000, 0x7F7FFFFF,
                                  0x3F808000, 0x3F818000, 0x477FF000, 0x4F000000, 0xCF000000};
  switch ((r >> 32) % 4) {
  case 0:
    return special[(r >> 40) % std::size(special)];
  case 1: // far from underflow
    return (bits & 0x807FFFFF) | ((100 + (r >> 40) % 60) << 23);
  default:
    return (bits & 0x807FFFFF) | ((120 + (r >> 40) % 20) << 23);
  }
}

SemanticState randomState(std::mt19937_64 &engine, SemanticCase::Data data, unsigned trial) {
  SemanticState s;
  for (Lanes *v : {&s.v1, &s.v2, &s.v3})
    for (uint32_t &lane : *v)
      lane = randomLane(engine, data);
  for (uint8_t &byte : s.memory)
    byte = static_cast<uint8_t>(engine());
  if (data != SemanticCase::Integers)
    for (unsigned i = 0; i < 128; i += 4) {
      uint32_t lane = randomLane(engine, data);
      std::memcpy(s.memory.data() + i, &lane, 4);
    }
  s.x5 = data == SemanticCase::Integers ? engine() : randomLane(engine, data);
  s.x6 = data == SemanticCase::Integers ? engine() : randomLane(engine, data);
  s.x7 = engine();
  switch (trial % 8) { // edges of the integers
  case 0:
    s.x6 = 0;
    break;
  case 1:
    s.x5 = uint64_t(1) << 63;
    s.x6 = ~uint64_t(0);
    break;
  case 2:
    s.x6 = engine() % 20;
    s.x5 = 0;
    break;
  case 3:
    s.x6 = s.x5;
    break;
  }
  s.m1 = trial == 5 ? 0 : engine();
  s.v4 = s.v3;
  s.x4 = s.x7;
  s.m2 = s.m1;
  return s;
}

// The registers of a state as 256 bytes, the order in which the program below loads and stores.
std::vector<uint8_t> packed(const SemanticState &s, bool after) {
  std::vector<uint8_t> bytes(256);
  uint64_t x[4] = {after ? s.x4 : s.x5, after ? s.m2 : s.x6, s.x7, s.m1};
  std::memcpy(bytes.data(), x, sizeof x);
  if (after)
    std::memset(bytes.data() + 16, 0, 16);
  const Lanes *v[3] = {after ? &s.v4 : &s.v1, &s.v2, &s.v3};
  for (unsigned i = 0; i < (after ? 1 : 3); ++i)
    std::memcpy(bytes.data() + 64 * (i + 1), v[i]->data(), 64);
  return bytes;
}

std::string programOf(const SemanticCase &c) {
  return "li x10, " + std::to_string(operands) + "\nli x11, " + std::to_string(scratch) +
         "\nli x12, " + std::to_string(results) + "\nli x13, " + std::to_string(trials) + R"(
    next:
      ld x5, 0(x10)
      ld x6, 8(x10)
      ld x7, 16(x10)
      ld x8, 24(x10)
      vld v1, 64(x10), w32, m0
      vld v2, 128(x10), w32, m0
      vld v3, 192(x10), w32, m0
      mmov.x m1, x8
      addi x4, x7, 0
      vmov v4, v3
      mmov.x m2, x8
      )" +
         c.text + R"(
      sd x4, 0(x12)
      mmov.m x9, m2
      sd x9, 8(x12)
      vst v4, 64(x12), w32, m0
      addi x10, x10, 256
      addi x11, x11, 128
      addi x12, x12, 256
      loop x13, next
      halt
    )";
}

std::vector<SemanticCase> allCases() {
  std::vector<SemanticCase> all;
  for (auto table : {scalarCases, simdCases, laneCases, memoryCases})
    for (SemanticCase &c : table())
      all.push_back(std::move(c));
  return all;
}

void check(const std::vector<SemanticCase> &cases) {
  Target target = oneNode();
  uint64_t seed = 1;
  for (const SemanticCase &c : cases) {
    std::mt19937_64 engine(++seed);
    TestMachine m(target);
    m.program(0, 0, programOf(c));
    std::vector<SemanticState> states;
    for (unsigned t = 0; t < trials; ++t) {
      SemanticState s = randomState(engine, c.data, t);
      if (c.text.starts_with("vgather"))
        for (uint32_t &offset : s.v2) // the offsets' high halves do not count
          offset = (offset & 0xFFFF0000) | (offset % 55 * 2);
      m.write(0, operands + 256 * t, packed(s, false));
      m.write(0, scratch + 128 * t, s.memory);
      states.push_back(s);
    }
    RunResult result = m.runGood();
    if (result.fault)
      continue;
    for (unsigned t = 0; t < trials; ++t) {
      SemanticState s = states[t];
      s.x11 = scratch + 128 * t;
      c.reference(s);
      ASSERT_EQ(m.read<uint64_t>(0, results + 256 * t, 32),
                [&] {
                  std::vector<uint64_t> words(32);
                  std::memcpy(words.data(), packed(s, true).data(), 256);
                  return words;
                }())
          << c.text << ", trial " << t;
      auto memory = m.read<uint8_t>(0, scratch + 128 * t, 128);
      ASSERT_TRUE(std::equal(memory.begin(), memory.end(), s.memory.begin()))
          << c.text << ", memory of trial " << t;
    }
  }
}

TEST(Semantics, Scalar) { check(scalarCases()); }
TEST(Semantics, Simd) { check(simdCases()); }
TEST(Semantics, Lanes) { check(laneCases()); }
TEST(Semantics, VectorMemory) { check(memoryCases()); }

// What the tables do not hold is tested by programs: control here and in the issue and mesh tests,
// the matrix unit below.
TEST(Semantics, NoInstructionIsLeftOut) {
  std::set<std::string> tested = {"j",      "jr",    "jal",   "loop", "beq",    "bne",    "blt",
                                  "bge",    "bltu",  "bgeu",  "pred", "predz",  "wait",   "waitx",
                                  "signal", "list",  "listx", "halt", "nop",    "mm",     "mm.vm",
                                  "mm.mv",  "mm.mm", "drain", "fill", "nodeid", "signalr"};
  for (const SemanticCase &c : allCases())
    tested.insert(c.mnemonic());
  for (unsigned i = 0; i < isa::numOpcodes; ++i) {
    const isa::InstInfo &info = isa::info(isa::Opcode(i));
    if (!info.reserved) {
      EXPECT_TRUE(tested.count(info.mnemonic)) << info.mnemonic << " has no semantic test";
    }
  }
}

TEST(Semantics, PostIncrement) {
  TestMachine m(oneNode());
  m.write(0, 0x40000, std::vector<uint64_t>{5, 6, 7, 8});
  m.write(0, 0x40100, std::vector<uint64_t>(32, 0));
  m.program(0, 0, R"(
    li x1, 0x40000
    ld x2, (x1)+8
    ld x3, (x1)+16
    addi x4, x1, 0        # 0x40018
    ld x1, (x1)-8         # the loaded value stands: 8
    li x5, 0x40100
    sd x5, (x5)+8         # stores the old base
    li x6, 0x40200
    vld v1, (x6)-64, w32, m0
    li x7, 0x40000
    mm.mm acc0, (x7)+64, (x7)-32, 1, bf16
    halt
  )");
  m.runGood();
  EXPECT_EQ(m.machine->scalarRegister(0, 0, 2), 5u);
  EXPECT_EQ(m.machine->scalarRegister(0, 0, 3), 6u);
  EXPECT_EQ(m.machine->scalarRegister(0, 0, 4), 0x40018u);
  EXPECT_EQ(m.machine->scalarRegister(0, 0, 1), 8u);
  EXPECT_EQ(m.machine->scalarRegister(0, 0, 5), 0x40108u);
  EXPECT_EQ(m.read<uint64_t>(0, 0x40100, 1)[0], 0x40100u);
  EXPECT_EQ(m.machine->scalarRegister(0, 0, 6), 0x401C0u);
  EXPECT_EQ(m.machine->scalarRegister(0, 0, 7), 0x40000u - 32);
}

uint16_t bf16(float value) { return static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16); }

// All four operand forms, quarters, fill: an 8x8 product by hand.
TEST(Semantics, MatrixUnit) {
  TestMachine m(oneNode());
  std::vector<uint16_t> a(32), b(32);
  float product[8][8];
  for (int r = 0; r < 8; ++r)
    for (int k = 0; k < 4; ++k) {
      a[4 * r + k] = bf16(static_cast<float>(r - 2 * k));
      b[4 * r + k] = bf16(static_cast<float>(3 * k + r * r % 5));
    }
  for (int r = 0; r < 8; ++r)
    for (int c = 0; c < 8; ++c) {
      product[r][c] = 0;
      for (int k = 0; k < 4; ++k)
        product[r][c] += static_cast<float>((r - 2 * k) * (3 * k + c * c % 5));
    }
  m.write(0, 0x40000, a);
  m.write(0, 0x40040, b);
  std::vector<float> start(16);
  for (int i = 0; i < 16; ++i)
    start[i] = static_cast<float>(100 + i);
  m.write(0, 0x40080, start);
  m.program(0, 0, R"(
    li x1, 0x40000
    vld v1, 0(x1), w32, m0
    vld v2, 64(x1), w32, m0
    vld v3, 128(x1), w32, m0
    mm acc0, v1, v2, 1, bf16
    mm acc0, v1, v2, 0, bf16
    mm.vm acc1, v1, 64(x1), 1, bf16
    mm.mv acc2, 0(x1), v2, 1, bf16
    mm.mm acc3, 0(x1), 64(x1), 1, bf16
    fill acc4, 0, v3
    fill acc4, 1, v3
    fill acc4, 2, v3
    fill acc4, 3, v3
    mm acc4, v1, v2, 0, bf16
    drain v4, acc3, 0
    drain v5, acc3, 1
    drain v6, acc3, 2
    drain v7, acc3, 3
    halt
  )");
  m.runGood();
  for (unsigned r = 0; r < 8; ++r)
    for (unsigned c = 0; c < 8; ++c) {
      auto value = [&](unsigned acc) {
        return std::bit_cast<float>(m.machine->accumulator(0, acc)[8 * r + c]);
      };
      EXPECT_EQ(value(0), 2 * product[r][c]);
      for (unsigned acc : {1u, 2u, 3u})
        EXPECT_EQ(value(acc), product[r][c]) << "acc" << acc;
      EXPECT_EQ(value(4), product[r][c] + start[4 * (r % 4) + c % 4]);
      unsigned quarter = (r >= 4 ? 1 : 0) + (c >= 4 ? 2 : 0);
      EXPECT_EQ(
          std::bit_cast<float>(m.machine->vectorRegister(0, 0, 4 + quarter)[4 * (r % 4) + c % 4]),
          product[r][c]);
    }
}

// Each branch taken and not taken leaves its mark in x20; links, counted loops, node number.
TEST(Semantics, Branches) {
  for (RunOptions options : {RunOptions(), functional()}) {
    TestMachine m;
    auto labels = m.program(41, 0, R"(
      li x1, -1
      li x2, 1
      beq x1, x1, a1
      halt
    a1:
      beq x1, x2, bad
      bne x1, x1, bad
      bne x1, x2, a2
      halt
    a2:
      blt x2, x1, bad
      blt x1, x2, a3
      halt
    a3:
      bge x1, x2, bad
      bge x2, x2, a4
      halt
    a4:
      bltu x1, x2, bad
      bltu x2, x1, a5
      halt
    a5:
      bgeu x2, x1, bad
      bgeu x1, x2, a6
      halt
    a6:
      jal x5, sub
      addi x20, x20, 1
      li x6, 3
    again:
      addi x21, x21, 1
      loop x6, again
      nodeid x7
      nop
      j end
    bad:
      halt
    sub:
      jr x5
    end:
      addi x20, x20, 1
      halt
    )");
    m.runGood(options);
    EXPECT_EQ(m.machine->scalarRegister(41, 0, 20), 2u);
    EXPECT_EQ(m.machine->scalarRegister(41, 0, 21), 3u);
    EXPECT_EQ(m.machine->scalarRegister(41, 0, 6), 0u);
    EXPECT_EQ(m.machine->scalarRegister(41, 0, 7), 41u);
    EXPECT_EQ(m.machine->scalarRegister(41, 0, 5), labels["a6"] + 4);
  }
}

TEST(Semantics, Predicates) {
  for (RunOptions options : {RunOptions(), functional()}) {
    TestMachine m(oneNode());
    m.program(0, 0, R"(
      li x1, 5
      pred x1, 2
      addi x2, x2, 1
      addi x3, x3, 1
      pred x0, 2
      addi x2, x2, 10
      vmov.x v1, x1
      addi x3, x3, 10
      predz x0, 1
      addi x4, x4, 1
      predz x1, 1
      addi x4, x4, 10
      pred x0, 1
      j over
      addi x5, x5, 1
    over:
      halt
    )");
    m.runGood(options);
    EXPECT_EQ(m.machine->scalarRegister(0, 0, 2), 1u);
    EXPECT_EQ(m.machine->scalarRegister(0, 0, 3), 11u);
    EXPECT_EQ(m.machine->scalarRegister(0, 0, 4), 1u);
    EXPECT_EQ(m.machine->scalarRegister(0, 0, 5), 1u);
    EXPECT_EQ(m.machine->vectorRegister(0, 0, 1)[0], 0u);
  }
}

} // namespace
