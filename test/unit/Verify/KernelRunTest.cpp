// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What following a kernel finds out: bytes read and written, and results without a defined value.

#include "lib/Verify/KernelRun.h"
#include "RingImage.h"

#include <gtest/gtest.h>

using namespace dojo::verify;

namespace {

constexpr int64_t sram = 65536;

/// x10 = 1024, x11 = 2048; bytes 1024 to 1063 are defined.
Footprint follow(const std::vector<std::string> &lines) {
  std::vector<uint8_t> code;
  for (const std::string &line : lines) {
    std::vector<uint8_t> one = assemble(line, uint32_t(code.size()));
    code.insert(code.end(), one.begin(), one.end());
  }
  ScalarRegisters x;
  x.set(10, 1024);
  x.set(11, 2048);
  Bitmap defined(sram);
  defined.set(1024, 1064);
  return KernelRun(sram).run(code, 0, 0, 0, int64_t(code.size()), x, &defined, 10000);
}

using List = std::vector<Interval>;

} // namespace

TEST(KernelRun, CopyKeepsUndefinedBytes) {
  Footprint f = follow({"vld v0, 0(x10), w32, m0", "vst v0, 0(x11), w32, m0", "jr x1"});
  ASSERT_TRUE(f.known) << f.why;
  EXPECT_EQ(f.reads, (List{{1024, 1088}}));
  EXPECT_EQ(f.writes, (List{{2048, 2112}}));
  EXPECT_EQ(f.undefined, (List{{2088, 2112}}));
  EXPECT_EQ(f.exitRegister, 1);
}

TEST(KernelRun, ComparesAndSelects) {
  // Lanes from a compare of defined numbers, then a select.
  Footprint f =
      follow({"viota v1", "li.s x5, 8", "vicmp.x m1, v1, x5, ltu", "vld v0, 0(x10), w32, m0",
              "vmov.x v2, x0", "vsel v3, m1, v2, v2", "vst v3, 0(x11), w32, m0",
              "vsel v3, m1, v0, v2", "vst v3, 64(x11), w32, m0"});
  ASSERT_TRUE(f.known) << f.why;
  EXPECT_EQ(f.undefined, (List{{2048 + 64 + 40, 2048 + 128}})) << "the mask's value is not known";
}

TEST(KernelRun, MasksOfLoadsAndStores) {
  Footprint f = follow(
      {"li.s x5, 10", "mlanes m1, x5", "vld v0, 0(x10), w32, m1", "vst v0, 0(x11), bf16, m1"});
  ASSERT_TRUE(f.known) << f.why;
  EXPECT_EQ(f.reads, (List{{1024, 1064}}));
  EXPECT_EQ(f.writes, (List{{2048, 2068}}));
  EXPECT_TRUE(f.undefined.empty());
}

TEST(KernelRun, MatrixRowsAndColumns) {
  // A's rows 5 to 7 (bytes 40 to 63) are undefined, B is zero: rows 5 to 7 of the product.
  Footprint f =
      follow({"vmov.x v1, x0", "mm.mv acc0, 0(x10), v1, 1, bf16", "drain v2, acc0, 0",
              "drain v3, acc0, 1", "vst v2, 0(x11), w32, m0", "vst v3, 64(x11), w32, m0"});
  ASSERT_TRUE(f.known) << f.why;
  EXPECT_EQ(f.accumulators, 1);
  EXPECT_EQ(f.undefined, (List{{2048 + 64 + 16, 2048 + 128}}));
}

TEST(KernelRun, GathersByComputedOffsets) {
  Footprint f = follow({"viota v1", "vishl.x v1, v1, x5", "vgather8 v0, x10, v1, m0"});
  EXPECT_FALSE(f.known) << "x5 is not known";
  f = follow({"viota v1", "li.s x5, 4", "vishl.x v1, v1, x5", "li.s x6, 7", "mlanes m1, x6",
              "vgather8 v0, x10, v1, m1", "vst v0, 0(x11), w32, m0"});
  ASSERT_TRUE(f.known) << f.why;
  EXPECT_EQ(f.reads, (List{{1024, 1032},
                           {1040, 1048},
                           {1056, 1064},
                           {1072, 1080},
                           {1088, 1096},
                           {1104, 1112},
                           {1120, 1128}}));
  EXPECT_EQ(f.undefined, (List{{2048 + 24, 2048 + 56}})) << "masked granules are zero";
}

TEST(KernelRun, OwnWritesAreNoInput) {
  Footprint f = follow({"vmov.x v0, x0", "vst v0, 0(x11), w32, m0", "vld v1, 32(x11), w32, m0",
                        "vfadd v1, v1, v9", "vst v1, 128(x11), w32, m0"});
  ASSERT_TRUE(f.known) << f.why;
  EXPECT_EQ(f.reads, (List{{2112, 2144}}));
  EXPECT_EQ(f.undefined, (List{{2176, 2240}})) << "v9 was never set";
}

TEST(KernelRun, UnknownBranchEndsIt) {
  Footprint f = follow({"lw x5, 0(x10)", "beq x5, x0, 16", "nop", "jr x1"});
  EXPECT_FALSE(f.known);
  EXPECT_EQ(f.why, "branches on a condition that is not known");
}

TEST(KernelRun, KeepsWhatItSpills) {
  // A mask and the offsets of a gather come back from the stack; the neighbours stay.
  Footprint f =
      follow({"li.s x5, 4", "mlanes m1, x5", "mmov.m x6, m1", "sd x6, 0(x11)", "sd x5, 8(x11)",
              "viota v1", "vst v1, 64(x11), w32, m0", "vst v2, 128(x11), w32, m0", "sd x5, 48(x11)",
              "ld x7, 0(x11)", "mmov.x m2, x7", "vld v3, 64(x11), w32, m0", "visub.x v3, v3, x0",
              "vst v3, 256(x11), w32, m2"});
  ASSERT_TRUE(f.known) << f.why;
  EXPECT_EQ(f.writes.back(), (Interval{2048 + 256, 2048 + 272}));
}

TEST(KernelRun, DataOrNobody) {
  // What data decide cannot be followed; what nobody has set is a fault.
  for (const char *line : {"vst v0, 0(x5), w32, m0", "loop x5, 0", "mlanes m1, x5"}) {
    std::vector<std::string> use = {line, "vst v0, 0(x11), w32, m1"};
    Footprint unset = follow(use);
    EXPECT_TRUE(!unset.known && unset.faulty) << line << ": " << unset.why;
    use.insert(use.begin(), "lw x5, 0(x10)");
    Footprint data = follow(use);
    EXPECT_TRUE(!data.known && (!data.faulty || line[0] != 'm')) << line << ": " << data.why;
  }
}

TEST(KernelRun, Misaligned) {
  EXPECT_TRUE(follow({"addi x5, x10, 1", "vld v0, 0(x5), w32, m0"}).faulty);
  EXPECT_TRUE(follow({"lw x5, 2(x10)"}).faulty);
  EXPECT_TRUE(follow({"li x5, 65536", "lw x5, 0(x5)"}).faulty);
  EXPECT_FALSE(follow({"addi x5, x10, 2", "vld v0, 0(x5), w32, m0"}).faulty);
}

TEST(KernelRun, OffsetsFromNumbers) {
  // Lane i gathers from 8 * trunc((i + 0.5) / 2), lanes 0 to 7.
  Footprint f = follow({"viota v1", "vcvt.i2f v1, v1", "li x5, 1056964608", "vfadd.x v1, v1, x5",
                        "vfmul.x v1, v1, x5", "vftrunc v1, v1", "li x5, 1090519040",
                        "vmov.x v2, x0", "vfma.x v1, v1, x5, v2", "vcvt.f2i v1, v1",
                        "mlanes.i m1, 8", "vgather8 v3, x10, v1, m1"});
  ASSERT_TRUE(f.known) << f.why;
  EXPECT_EQ(f.reads, (List{{1024, 1024 + 32}}));
}
