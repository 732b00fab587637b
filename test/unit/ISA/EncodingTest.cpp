// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RandomInst.h"
#include <gtest/gtest.h>

using namespace dojo::isa;
using dojo::isa::test::randomInst;

namespace {

constexpr uint64_t seed = 20260101;

std::string show(const std::vector<uint8_t> &bytes) {
  std::string text;
  char buffer[4];
  for (uint8_t b : bytes) {
    snprintf(buffer, sizeof(buffer), "%02x ", b);
    text += buffer;
  }
  return text;
}

TEST(Encoding, EveryOpcodeRoundTripsThroughBytes) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 rng(seed);
  for (unsigned i = 0; i < numOpcodes; ++i) {
    if (info(Opcode(i)).reserved)
      continue;
    for (int repeat = 0; repeat < 200; ++repeat) {
      Inst inst = randomInst(Opcode(i), rng), back;
      std::vector<uint8_t> bytes;
      std::string error;
      ASSERT_TRUE(encode(inst, bytes, &error)) << error;
      ASSERT_EQ(bytes.size(), info(inst.op).bytes);
      ASSERT_TRUE(decode(bytes.data(), bytes.size(), back))
          << disassemble(inst, 0) << ": " << show(bytes);
      ASSERT_TRUE(inst == back) << disassemble(inst, 0) << " came back as " << disassemble(back, 0);
    }
  }
}

TEST(Encoding, RandomWordsDecodeToThemselvesOrNotAtAll) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 rng(seed);
  unsigned defined = 0;
  for (int i = 0; i < 2000000; ++i) {
    uint64_t word = rng();
    // Half of the words start with the opcode of an instruction.
    if (i & 1) {
      const InstInfo &in = info(Opcode(rng() % numOpcodes));
      word = (word & in.usedMask & ~in.opcodeMask) | in.opcodeMatch;
    }
    uint8_t bytes[8];
    for (int b = 0; b < 8; ++b)
      bytes[b] = uint8_t(word >> (8 * b));
    Inst inst;
    if (!decode(bytes, 8, inst))
      continue;
    ++defined;
    std::vector<uint8_t> again;
    std::string error;
    ASSERT_TRUE(encode(inst, again, &error)) << error;
    ASSERT_EQ(again, std::vector<uint8_t>(bytes, bytes + inst.bytes)) << disassemble(inst, 0);
  }
  EXPECT_GT(defined, 500000u);
}

TEST(Encoding, CutOffInstructionsAreUndefined) {
  std::mt19937_64 rng(seed);
  for (unsigned i = 0; i < numOpcodes; ++i) {
    if (info(Opcode(i)).reserved)
      continue;
    std::vector<uint8_t> bytes;
    ASSERT_TRUE(encode(randomInst(Opcode(i), rng), bytes, nullptr));
    Inst inst;
    for (size_t avail = 0; avail < bytes.size(); ++avail)
      EXPECT_FALSE(decode(bytes.data(), avail, inst)) << info(Opcode(i)).mnemonic;
  }
}

TEST(Encoding, ReservedOpcodesAreUndefined) {
  unsigned reserved = 0;
  for (unsigned i = 0; i < numOpcodes; ++i) {
    const InstInfo &in = info(Opcode(i));
    if (!in.reserved)
      continue;
    ++reserved;
    std::vector<uint8_t> bytes;
    std::string error;
    EXPECT_FALSE(encode(Inst{Opcode(i), in.bytes, {}}, bytes, &error));
    EXPECT_NE(error.find("reserved"), std::string::npos);
    EXPECT_TRUE(bytes.empty());
    for (unsigned b = 0; b < 8; ++b)
      bytes.push_back(uint8_t(in.opcodeMatch >> (8 * b)));
    Inst inst;
    EXPECT_FALSE(decode(bytes.data(), 8, inst)) << in.mnemonic;
  }
  EXPECT_EQ(reserved, 2u);
}

TEST(Encoding, ReservedElementTypesAndFormatsAreUndefined) {
  for (auto type : {EType::cf8a, EType::cf8b, EType::cf16}) {
    std::vector<uint8_t> bytes;
    std::string error;
    EXPECT_FALSE(encode(Inst{Opcode::VLD, 8, {1, 2, 0, 0, int(type), 0}}, bytes, &error));
    EXPECT_NE(error.find("etype"), std::string::npos) << error;
    ASSERT_TRUE(encode(Inst{Opcode::VLD, 8, {1, 2, 0, 0, 0, 0}}, bytes, nullptr));
    bytes[4] |= uint8_t(uint64_t(type) << 6);
    bytes[5] |= uint8_t(uint64_t(type) >> 2);
    Inst inst;
    EXPECT_FALSE(decode(bytes.data(), 8, inst));
  }
  std::vector<uint8_t> bytes;
  ASSERT_TRUE(encode(Inst{Opcode::MM, 4, {0, 1, 2, 1, 0}}, bytes, nullptr));
  bytes[2] |= 0x80; // bit 23: fmt = 1
  Inst inst;
  EXPECT_FALSE(decode(bytes.data(), 4, inst));
}

TEST(Encoding, UnusedBitsMustBeZero) {
  std::mt19937_64 rng(seed);
  for (unsigned i = 0; i < numOpcodes; ++i) {
    const InstInfo &in = info(Opcode(i));
    if (in.reserved)
      continue;
    std::vector<uint8_t> bytes;
    ASSERT_TRUE(encode(randomInst(Opcode(i), rng), bytes, nullptr));
    for (unsigned bit = 0; bit < in.bytes * 8u; ++bit) {
      if (in.usedMask >> bit & 1)
        continue;
      bytes[bit / 8] ^= uint8_t(1 << (bit % 8));
      Inst inst;
      EXPECT_FALSE(decode(bytes.data(), bytes.size(), inst)) << in.mnemonic << " bit " << bit;
      bytes[bit / 8] ^= uint8_t(1 << (bit % 8));
    }
  }
}

TEST(Encoding, ZeroAndAllOnesAreUndefined) {
  uint8_t zero[8] = {}, ones[8] = {255, 255, 255, 255, 255, 255, 255, 255};
  Inst inst;
  EXPECT_FALSE(decode(zero, 8, inst));
  EXPECT_FALSE(decode(ones, 8, inst));
}

TEST(Encoding, FieldsOutOfRangeAreRefused) {
  for (unsigned i = 0; i < numOpcodes; ++i) {
    const InstInfo &in = info(Opcode(i));
    if (in.reserved)
      continue;
    std::mt19937_64 rng(seed + i);
    for (unsigned k = 0; k < in.numOperands; ++k) {
      for (int64_t bad : {in.ops[k].min - 1, in.ops[k].max + 1}) {
        if (bad != int32_t(bad))
          continue;
        Inst inst = randomInst(Opcode(i), rng);
        inst.f[k] = int32_t(bad);
        std::vector<uint8_t> bytes;
        std::string error;
        EXPECT_FALSE(encode(inst, bytes, &error)) << in.mnemonic << " " << in.ops[k].name;
        EXPECT_NE(error.find(in.ops[k].name), std::string::npos) << error;
        EXPECT_TRUE(bytes.empty());
      }
    }
  }
  std::vector<uint8_t> bytes;
  EXPECT_FALSE(encode(Inst{Opcode::J, 4, {6}}, bytes, nullptr));
}

} // namespace
