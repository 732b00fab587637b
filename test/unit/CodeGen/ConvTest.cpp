// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dojo.conv of random shapes, strides, dilations and epilogues.

#include "KernelRunner.h"

#include "gtest/gtest.h"

#include <cstdio>
#include <cstdlib>

using namespace dojo::test;

namespace {

struct Conv {
  int64_t n = 1, cq = 1, oh = 1, ow = 1, fq = 2, kh = 1, kw = 1, sy = 1, sx = 1, dy = 1, dx = 1;
  // Elements between rows beyond what the window needs, pixels after a row of the output.
  int64_t inSlack = 0, outSlack = 0;
  bool bias = false, residual = false, scalar = false, relu = false, sigmoid = false, f32 = false;
};

std::string shape(std::initializer_list<int64_t> sizes, const std::string &type) {
  std::string text = "memref<";
  for (int64_t s : sizes)
    text += std::to_string(s) + "x";
  return text + type;
}

std::string kernelText(const Conv &c) {
  int64_t ih = (c.oh - 1) * c.sy + (c.kh - 1) * c.dy + 1;
  int64_t iw = (c.ow - 1) * c.sx + (c.kw - 1) * c.dx + 1 + c.inSlack;
  int64_t fo = (c.fq + 1) / 2, pitch = c.ow + c.outSlack;
  std::string out = c.f32 ? "f32" : "bf16";
  int64_t bytes = c.f32 ? 4 : 2, next = 4096;
  std::string in = shape({c.n, c.cq, ih, iw, 4}, "bf16>");
  std::string w = shape({fo, c.kh, c.kw, c.cq, 8, 4}, "bf16>");
  std::string strided = "strided<[" + std::to_string(c.fq * c.oh * pitch * 4) + ", " +
                        std::to_string(c.oh * pitch * 4) + ", " + std::to_string(pitch * 4) +
                        ", 4, 1]>>";
  std::string o = shape({c.n, c.fq, c.oh, c.ow, 4}, out + ", " + strided);
  std::string r = shape({c.n, c.fq, c.oh, c.ow, 4}, "bf16, " + strided);
  std::string b = shape({c.fq, 4}, "f32>");
  std::string arguments = argument("in", in, c.n * c.cq * ih * iw * 8, next) + ", " +
                          argument("w", w, fo * c.kh * c.kw * c.cq * 64, next);
  std::string extras, types, maps, parameters, body = "    %v0 = arith.addf %acc, %zero : f32\n";
  int values = 0;
  auto extra = [&](const std::string &name, const std::string &type, int64_t size,
                   const std::string &map, const std::string &element) {
    arguments += ", " + argument(name, type, size, next);
    extras += (extras.empty() ? "%" : ", %") + name;
    types += (types.empty() ? "" : ", ") + type;
    maps += (maps.empty() ? "affine_map<(n,c,y,x,f)->" : ", affine_map<(n,c,y,x,f)->") + map + ">";
    parameters += ", %e_" + name + ": " + element;
  };
  auto step = [&](const std::string &op) {
    std::string v = "%v" + std::to_string(values), to = "%v" + std::to_string(++values);
    std::string text = op;
    text.replace(text.find("$"), 1, v);
    body += "    " + to + " = " + text + "\n";
  };
  if (c.scalar) {
    extra("s", "memref<1xf32>", 4, "(0)", "f32");
    step("arith.mulf $, %e_s : f32");
  }
  if (c.bias) {
    extra("b", b, c.fq * 16, "(c,f)", "f32");
    step("arith.addf $, %e_b : f32");
  }
  if (c.residual) {
    extra("r", r, c.n * c.fq * c.oh * pitch * 8, "(n,c,y,x,f)", "bf16");
    body += "    %x_r = arith.extf %e_r : bf16 to f32\n";
    step("arith.addf $, %x_r : f32");
  }
  if (c.relu)
    step("arith.maximumf $, %zero : f32");
  if (c.sigmoid) {
    step("arith.negf $ : f32");
    step("math.exp $ : f32");
    step("arith.addf $, %one : f32");
    step("arith.divf %one, $ : f32");
  }
  std::string last = "%v" + std::to_string(values);
  if (!c.f32) {
    body += "    %last = arith.truncf " + last + " : f32 to bf16\n";
    last = "%last";
  }
  arguments += ", " + argument("o", o, c.n * c.fq * c.oh * pitch * 4 * bytes, next);
  std::string text = "func.func @k(" + arguments + ") attributes {dojo.kernel} {\n";
  text += "  %zero = arith.constant 0.0 : f32\n  %one = arith.constant 1.0 : f32\n";
  text += "  dojo.conv ins(%in, %w : " + in + ", " + w + ")";
  if (!extras.empty())
    text += " extras(" + extras + " : " + types + ")";
  text += " outs(%o : " + o + ") strides [" + std::to_string(c.sy) + ", " + std::to_string(c.sx) +
          "] dilations [" + std::to_string(c.dy) + ", " + std::to_string(c.dx) + "]";
  if (!extras.empty())
    text += " extra_maps [" + maps + "]";
  text += " {\n  ^bb0(%acc: f32" + parameters + "):\n" + body + "    dojo.yield " + last + " : " +
          out + "\n  }\n  return\n}\n";
  return text;
}

KernelCheck checkFor(const Conv &c, unsigned threads) {
  KernelCheck check;
  check.threads = threads;
  check.scale = 0.5;
  // Sums in fp32, in another order; bf16 results may fall to the other side of a tie.
  check.absolute = 2e-5 * double(c.cq * c.kh * c.kw) + 1e-4;
  check.relative = 1e-5;
  return check;
}

TEST(Conv, OneStep) { EXPECT_TRUE(runKernel(kernelText({}), 1, checkFor({}, 1)).ok); }

TEST(Conv, ThreeByThree) {
  Conv c;
  c.cq = 4, c.oh = 8, c.ow = 8, c.fq = 8, c.kh = 3, c.kw = 3;
  c.bias = c.relu = true;
  for (unsigned threads : {1u, 2u})
    EXPECT_TRUE(runKernel(kernelText(c), 2, checkFor(c, threads)).ok);
}

TEST(Conv, OnePixelManyChannels) {
  Conv c;
  c.cq = 37, c.fq = 50;
  c.bias = c.f32 = true;
  for (unsigned threads : {1u, 2u})
    EXPECT_TRUE(runKernel(kernelText(c), 3, checkFor(c, threads)).ok);
}

TEST(Conv, FewAccumulators) {
  Conv c;
  c.cq = 5, c.oh = 3, c.ow = 11, c.fq = 6, c.kh = 2, c.kw = 3;
  for (unsigned threads : {1u, 2u}) {
    KernelCheck check = checkFor(c, threads);
    check.accumulators = 4;
    EXPECT_TRUE(runKernel(kernelText(c), 4, check).ok);
  }
}

struct Speed {
  const char *name;
  Conv conv;
  /// Matrix steps that the products need, of all cycles.
  double least;
};

void PrintTo(const Speed &speed, std::ostream *os) { *os << speed.name; }

class ConvSpeed : public testing::TestWithParam<Speed> {};

TEST_P(ConvSpeed, MatrixUnitIsBusy) {
  const Conv &c = GetParam().conv;
  KernelCheck check = checkFor(c, 2);
  check.timing = true;
  KernelRun run = runKernel(kernelText(c), 7, check);
  EXPECT_TRUE(run.ok);
  double steps = double(c.n * (c.oh * c.ow + 7) / 8 * ((c.fq + 1) / 2) * c.kh * c.kw * c.cq);
  if (getenv("DOJO_SPEED"))
    printf("%-12s cycles %8llu  steps %8llu  busy %.3f  code %llu\n", GetParam().name,
           (unsigned long long)run.cycles, (unsigned long long)run.matrixSteps,
           steps / double(run.cycles), (unsigned long long)run.codeBytes);
  EXPECT_GE(steps / double(run.cycles), GetParam().least);
}

Conv speedConv(int64_t cq, int64_t oh, int64_t ow, int64_t fq, int64_t k, int64_t s,
               bool residual = false) {
  Conv c;
  c.cq = cq, c.oh = oh, c.ow = ow, c.fq = fq, c.kh = c.kw = k, c.sy = c.sx = s;
  c.bias = c.relu = true;
  c.residual = residual;
  return c;
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ConvSpeed,
    testing::Values(Speed{"3x3x64", speedConv(16, 4, 56, 8, 3, 1), 0.95},
                    Speed{"1x1x64", speedConv(16, 4, 56, 16, 1, 1), 0.8},
                    Speed{"1x1x256", speedConv(64, 3, 14, 16, 1, 1, true), 0.5},
                    Speed{"3x3x512", speedConv(128, 1, 7, 8, 3, 1), 0.75},
                    Speed{"1x1x512", speedConv(128, 7, 7, 8, 1, 1, true), 0.87},
                    Speed{"3x3s2", speedConv(32, 4, 14, 8, 3, 2), 0.8},
                    Speed{"7x7s2", speedConv(1, 4, 56, 16, 7, 2), 0.8},
                    Speed{"tiny", speedConv(16, 3, 3, 8, 3, 1), 0.65}),
    [](const auto &info) { return std::string(info.param.name); });

class RandomConv : public testing::TestWithParam<int> {};

TEST_P(RandomConv, EqualsDefinition) {
  Random random(GetParam());
  Conv c;
  c.n = pick(random, 0, 3) ? 1 : 2;
  c.cq = pick(random, 1, 9);
  c.oh = pick(random, 1, 9);
  c.ow = pick(random, 1, 20);
  c.fq = pick(random, 1, 11);
  c.kh = pick(random, 1, 4);
  c.kw = pick(random, 1, 4);
  c.sy = pick(random, 1, 2);
  c.sx = pick(random, 1, 3);
  c.dy = pick(random, 1, 2);
  c.dx = pick(random, 1, 2);
  c.inSlack = pick(random, 0, 2) ? 0 : pick(random, 1, 5);
  c.outSlack = pick(random, 0, 2) ? 0 : pick(random, 1, 5);
  c.bias = random() % 2;
  c.residual = random() % 2;
  c.scalar = random() % 4 == 0;
  c.relu = random() % 2;
  c.sigmoid = random() % 4 == 0;
  c.f32 = random() % 4 == 0;
  EXPECT_TRUE(runKernel(kernelText(c), GetParam(), checkFor(c, 1 + random() % 2)).ok);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomConv, testing::Range(0, 60));

} // namespace
