// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Speed of linalg operations: cycles against the vectors of results times the operations that each
// needs.

#include "GenericText.h"

#include "gtest/gtest.h"

#include <cstdio>
#include <cstdlib>

using namespace dojo::test;

namespace {

void expectSpeed(const char *name, const Generic &g, double operations, double least) {
  KernelCheck check = tolerant(2, 1e-3);
  check.timing = true;
  KernelRun run = runKernel(g.text(), 5, check);
  EXPECT_TRUE(run.ok);
  if (getenv("DOJO_SPEED"))
    printf("%-10s %8llu cycles, busy %.3f, ops %llu, code %llu\n", name,
           (unsigned long long)run.cycles, operations / double(run.cycles),
           (unsigned long long)run.simdOperations, (unsigned long long)run.codeBytes);
  EXPECT_GE(operations / double(run.cycles), least)
      << name << ": " << run.cycles << " cycles, " << run.simdOperations << " operations, "
      << run.codeBytes << " bytes of code";
}

Generic window(int64_t c, int64_t oh, int64_t ow, int64_t k, int64_t s, bool depthwise) {
  Generic g;
  g.before = constants;
  std::string step = std::to_string(s);
  int64_t ih = (oh - 1) * s + k, iw = (ow - 1) * s + k;
  g.add(false, operand({c, ih, iw, 4}, "bf16"), "bf16", 6,
        "d0, d1 * " + step + " + d4, d2 * " + step + " + d5, d3");
  if (depthwise)
    g.add(false, operand({c, k, k, 4}, "bf16"), "bf16", 6, "d0, d4, d5, d3");
  else
    g.add(false, operand({k, k}, "f32"), "f32", 6, "d4, d5");
  g.add(true, operand({c, oh, ow, 4}, "f32"), "f32", 6, "d0, d1, d2, d3");
  g.kinds = kinds(4, 2);
  g.body = toFloat("%x0", "bf16");
  if (depthwise)
    g.body += toFloat("%x1", "bf16") + "    %p = arith.mulf %x0_f, %x1_f : f32\n" +
              "    %s = arith.addf %o2, %p : f32\n    linalg.yield %s : f32\n";
  else
    g.body += "    %s = arith.maximumf %o2, %x0_f : f32\n    linalg.yield %s : f32\n";
  g.before += "  linalg.fill ins(%zero : f32) outs(" + g.outs + " : " + g.outTypes + ")\n";
  return g;
}

TEST(NestSpeed, Depthwise) {
  expectSpeed("3x3", window(8, 12, 24, 3, 1, true), 8 * 12 * 24 / 4 * 9, 0.8);
}
TEST(NestSpeed, DepthwiseFive) {
  expectSpeed("5x5", window(8, 6, 12, 5, 1, true), 8 * 6 * 12 / 4 * 25, 0.65);
}
TEST(NestSpeed, DepthwiseStride) {
  expectSpeed("3x3s2", window(8, 12, 24, 3, 2, true), 8 * 12 * 24 / 4 * 9, 0.35);
}
TEST(NestSpeed, MaxPool) {
  expectSpeed("pool", window(8, 14, 14, 3, 2, false), 8 * 14 * 14 / 4 * 9, 0.3);
}

TEST(NestSpeed, Hardswish) {
  Generic g;
  g.before = constants + "  %three = arith.constant 3.0 : f32\n  %six = arith.constant 6.0 : f32\n"
                         "  %sixth = arith.constant 0.16666667 : f32\n";
  Sizes shape{8, 12, 24, 4};
  g.add(false, operand(shape, "bf16"), "bf16", 4, dimList(4));
  g.add(true, operand(shape, "bf16"), "bf16", 4, dimList(4));
  g.kinds = kinds(4, 0);
  g.body = toFloat("%x0", "bf16") +
           "    %0 = arith.addf %x0_f, %three : f32\n    %1 = arith.maximumf %0, %zero : f32\n"
           "    %2 = arith.minimumf %1, %six : f32\n    %3 = arith.mulf %x0_f, %2 : f32\n"
           "    %4 = arith.mulf %3, %sixth : f32\n" +
           yieldAs("%4", "bf16");
  expectSpeed("hardswish", g, 8 * 12 * 24 * 4 / 16 * 5, 0.75);
}

TEST(NestSpeed, Gelu) {
  Generic g;
  g.before =
      constants + "  %h = arith.constant 0.5 : f32\n  %r = arith.constant 0.70710678 : f32\n";
  Sizes shape{64, 64};
  g.add(false, operand(shape, "bf16"), "bf16", 2, dimList(2));
  g.add(true, operand(shape, "bf16"), "bf16", 2, dimList(2));
  g.kinds = kinds(2, 0);
  g.body = toFloat("%x0", "bf16") +
           "    %0 = arith.mulf %x0_f, %r : f32\n    %1 = math.erf %0 : f32\n"
           "    %2 = arith.addf %1, %one : f32\n    %3 = arith.mulf %2, %x0_f : f32\n"
           "    %4 = arith.mulf %3, %h : f32\n" +
           yieldAs("%4", "bf16");
  expectSpeed("gelu", g, 64 * 64 / 16 * 25, 0.95);
}

TEST(NestSpeed, MatrixProduct) {
  // fp32: 64 rows, 64 columns in blocks of 16 lanes, sums over 64.
  Generic g;
  g.before = constants;
  g.add(false, operand({64, 64}, "f32"), "f32", 4, "d0, d3");
  g.add(false, operand({4, 64, 16}, "f32"), "f32", 4, "d1, d3, d2");
  g.add(true, operand({64, 4, 16}, "f32"), "f32", 4, "d0, d1, d2");
  g.kinds = kinds(3, 1);
  g.body = "    %p = arith.mulf %x0, %x1 : f32\n    %s = arith.addf %o2, %p : f32\n"
           "    linalg.yield %s : f32\n";
  g.before += "  linalg.fill ins(%zero : f32) outs(" + g.outs + " : " + g.outTypes + ")\n";
  expectSpeed("matmul", g, 64 * 4 * 64, 0.85);
}

TEST(NestSpeed, RowSums) {
  Generic g;
  g.before = constants;
  g.add(false, operand({64, 256}, "f32"), "f32", 2, "d0, d1");
  g.add(true, operand({64}, "f32"), "f32", 2, "d0");
  g.kinds = kinds(1, 1);
  g.body = "    %s = arith.addf %o1, %x0 : f32\n    linalg.yield %s : f32\n";
  expectSpeed("sums", g, 64 * 16, 0.4);
}

TEST(NestSpeed, GlobalPool) {
  Generic g;
  g.before = constants;
  g.add(false, operand({64, 49, 4}, "bf16"), "bf16", 3, "d0, d1, d2");
  g.add(true, operand({64, 4}, "f32"), "f32", 3, "d0, d2");
  g.kinds = "\"parallel\", \"reduction\", \"parallel\"";
  g.body =
      toFloat("%x0", "bf16") + "    %s = arith.addf %o1, %x0_f : f32\n    linalg.yield %s : f32\n";
  expectSpeed("global", g, 64 * 13, 0.5);
}

TEST(NestSpeed, Transpose) {
  Generic g;
  g.add(false, operand({64, 64}, "f32"), "f32", 2, "d1, d0");
  g.add(true, operand({64, 64}, "f32"), "f32", 2, "d0, d1");
  g.kinds = kinds(2, 0);
  g.body = "    linalg.yield %x0 : f32\n";
  expectSpeed("transpose", g, 64 * 64 / 16, 0.02);
}

} // namespace
