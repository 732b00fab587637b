// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One instruction of every format, its bytes written by hand from the bit tables of docs/isa.md.

#include "dojo/ISA/ISA.h"
#include <gtest/gtest.h>
#include <set>
#include <sstream>

using namespace dojo::isa;

namespace {

struct Pin {
  const char *format, *assembly, *bytes;
};

// Branches stand at address 0x1000.
constexpr uint64_t pc = 0x1000;
const Pin pins[] = {
    // clang-format off
    {"r3", "vfmul v3, v17, v31", "40 23 7e 01"},
    {"r4", "vfclamp v1, v2, v3, v4", "44 41 0c 52"},
    {"i12", "addi x5, x6, -3", "06 c5 f4 3f"},
    {"shift", "srai x1, x2, 63", "0a 41 fc 02"},
    {"i32", "xori.l x7, x8, -2", "05 07 81 01 fe ff ff ff"},
    {"i16", "li.s x9, -32768", "20 09 00 10"},
    {"li32", "lih x31, 305419896", "03 1f 80 00 78 56 34 12"},
    {"mem", "sw x4, (x2)-8", "07 04 00 05 22 00 80 ff"},
    {"j24", "j 0xff8", "10 fe ff ff"},
    {"j19", "loop x3, 0xfc0", "14 03 fe ff"},
    {"b12", "bgeu x1, x2, 0x1010", "18 41 10 40"},
    {"c0", "halt", "1a 00 00 07"},
    {"c1", "jr x1", "1a 01 00 00"},
    {"pred", "predz x4, 7", "1a e4 00 02"},
    {"wait", "wait s3, 500", "1c 03 f4 01"},
    {"semx", "waitx s200, x6", "1a 06 19 03"},
    {"sem", "signal s255", "1a e0 1f 04"},
    {"xsem", "signalr x9, s1", "1a 29 00 05"},
    {"u21", "list 1310656", "1e c0 ff 13"},
    {"vmem", "vld v2, 64(x3), bf16, m1", "11 02 00 00 43 04 00 04"},
    {"vmemb", "vldb v2, (x3)+4, w32", "11 02 80 00 23 00 40 00"},
    {"gather", "vgather16 v1, x2, v3, m7", "60 41 8c 07"},
    {"vvm", "vfadd.b v1, v2, -4(x3), w32", "23 41 00 00 03 00 c0 ff"},
    {"vvmv", "vfma.m v1, v2, (x3)+32, v4, bf16", "25 41 10 00 63 00 00 02"},
    {"vvvm", "vfma.cm v1, v2, v3, 0(x4), f16", "25 41 0c 01 84 00 00 00"},
    {"r2", "vexp2e v30, v29", "48 be 03 09"},
    {"r1", "viota v12", "48 0c 80 10"},
    {"vlane", "vextract x1, v2, 15", "4e 41 3c 00"},
    {"vtrn", "vtrnhi v1, v2, v3, 2", "52 41 0c 03"},
    {"vcmp", "vicmp.x m5, v6, x7, geu", "4c c5 9c 0d"},
    {"cmpm", "vfcmp.m m1, v2, 0(x3), bf16, ord", "27 41 00 00 43 1c 00 00"},
    {"vsel", "vsel.x v1, m2, v3, x4", "54 61 10 05"},
    {"mx", "mmov.x m3, x21", "56 a3 02 06"},
    {"mi", "mlanes.i m7, 16", "56 07 02 01"},
    {"m3", "mandn m1, m2, m3", "56 41 0c 05"},
    {"xm", "mmov.m x20, m5", "56 b4 00 07"},
    {"mm", "mm acc7, v1, v2, 1, bf16", "62 2f 08 00"},
    {"mmvm", "mm.vm acc1, v2, (x3)+64, 0, bf16", "31 41 00 00 23 00 00 04"},
    {"mmmv", "mm.mv acc1, 128(x2), v3, 1, bf16", "31 69 80 00 02 00 00 08"},
    {"mmmm", "mm.mm acc4, (x1)+64, (x2)-64, 1, bf16", "31 4c 04 01 21 c0 0f 04"},
    {"drain", "drain v9, acc5, 3", "64 a9 03 00"},
    {"fill", "fill acc5, 2, v9", "64 a9 02 01"},
    // clang-format on
};

std::vector<uint8_t> parseHex(const char *text) {
  std::vector<uint8_t> bytes;
  std::istringstream stream(text);
  unsigned value;
  while (stream >> std::hex >> value)
    bytes.push_back(uint8_t(value));
  return bytes;
}

/// The places of all fields: equal for two instructions of one format.
std::string layout(Opcode op) {
  const InstInfo &in = info(op);
  std::string text = std::to_string(in.bytes);
  for (unsigned i = 0; i < in.numOperands; ++i)
    text += " " + std::to_string(in.ops[i].lo) + "+" + std::to_string(in.ops[i].width);
  return text;
}

TEST(PinnedEncoding, AssembliesToItsBytesAndBack) {
  for (const Pin &pin : pins) {
    SCOPED_TRACE(pin.assembly);
    Inst inst, decoded;
    std::string error;
    ASSERT_TRUE(parseInst(pin.assembly, pc, {}, inst, &error)) << error;
    std::vector<uint8_t> bytes, want = parseHex(pin.bytes);
    ASSERT_TRUE(encode(inst, bytes, &error)) << error;
    EXPECT_EQ(bytes, want);
    ASSERT_TRUE(decode(want.data(), want.size(), decoded));
    EXPECT_EQ(disassemble(decoded, pc), pin.assembly);
  }
}

TEST(PinnedEncoding, EveryFormatIsPinned) {
  std::set<std::string> pinned;
  for (const Pin &pin : pins) {
    Inst inst;
    ASSERT_TRUE(parseInst(pin.assembly, pc, {}, inst, nullptr)) << pin.assembly;
    pinned.insert(layout(inst.op));
  }
  for (unsigned i = 0; i < numOpcodes; ++i)
    if (!info(Opcode(i)).reserved)
      EXPECT_TRUE(pinned.count(layout(Opcode(i)))) << info(Opcode(i)).mnemonic;
}

} // namespace
