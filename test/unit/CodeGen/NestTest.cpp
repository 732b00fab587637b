// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linalg operations of random shapes, layouts and types.

#include "GenericText.h"

#include "gtest/gtest.h"

#include <numeric>

using namespace dojo::test;

namespace {

class Seeds : public testing::TestWithParam<int> {};

using Elementwise = Seeds;
TEST_P(Elementwise, EqualsDefinition) {
  Random random(GetParam());
  size_t rank = pick(random, 1, 4);
  Sizes shape;
  for (size_t d = 0; d < rank; ++d)
    shape.push_back(d + 1 == rank && random() % 3 == 0 ? 4 : pick(random, 1, 20 / rank + 3));
  Generic g;
  g.before = constants;
  std::string value;
  int inputs = pick(random, 1, 3);
  for (int i = 0; i < inputs; ++i) {
    // Some operands are transposed, some lack dimensions.
    std::vector<size_t> order(rank);
    std::iota(order.begin(), order.end(), 0);
    if (random() % 4 == 0)
      std::shuffle(order.begin(), order.end(), random);
    Sizes mine;
    std::string map;
    bool broadcast = random() % 3 == 0;
    for (size_t d : order) {
      if (broadcast && random() % 2)
        continue;
      map += (mine.empty() ? "d" : ", d") + std::to_string(d);
      mine.push_back(shape[d]);
    }
    std::string type =
        picked(random, {"f32", "bf16", "f32", "bf16", "i8", "i16", "i32", "f16", "i1"});
    g.add(false, operand(mine, type, &random), type, rank, map);
    std::string name = "%x" + std::to_string(i);
    g.body += toFloat(name, type);
    if (i == 0) {
      value = name + "_f";
      continue;
    }
    std::string op = picked(random, {"addf", "subf", "mulf", "maximumf", "minimumf"});
    g.body +=
        "    %v" + std::to_string(i) + " = arith." + op + " " + value + ", " + name + "_f : f32\n";
    value = "%v" + std::to_string(i);
  }
  std::string type = picked(random, {"f32", "bf16", "f32", "bf16", "i8", "i32", "i1", "f16"});
  g.add(true, operand(shape, type, &random), type, rank, dimList(rank));
  g.kinds = kinds(rank, 0);
  g.body += yieldAs(value, type);
  EXPECT_TRUE(runKernel(g.text(), GetParam(), tolerant(1 + random() % 2, 1e-5)).ok);
}
INSTANTIATE_TEST_SUITE_P(Nest, Elementwise, testing::Range(0, 80));

using Reduction = Seeds;
TEST_P(Reduction, EqualsDefinition) {
  Random random(GetParam());
  size_t rank = pick(random, 1, 4);
  Sizes shape, out;
  std::string map, kind;
  for (size_t d = 0; d < rank; ++d) {
    shape.push_back(d + 1 == rank && random() % 3 == 0 ? 4
                                                       : pick(random, 1, d + 1 == rank ? 50 : 9));
    bool reduced = random() % 2 || (d + 1 == rank && out.size() == d);
    kind += std::string(d ? ", " : "") + (reduced ? "\"reduction\"" : "\"parallel\"");
    if (reduced)
      continue;
    map += (out.empty() ? "d" : ", d") + std::to_string(d);
    out.push_back(shape[d]);
  }
  std::string type = picked(random, {"f32", "bf16", "i32"}), to = type == "i32" ? "i32" : "f32";
  Generic g;
  g.before = constants + "  %izero = arith.constant 0 : i32\n";
  g.add(false, operand(shape, type, &random), type, rank, dimList(rank));
  g.add(true, operand(out, to, &random), to, rank, map);
  g.kinds = kind;
  bool filled = random() % 2;
  if (filled)
    g.before += "  linalg.fill ins(" + std::string(to == "i32" ? "%izero" : "%zero") + " : " + to +
                ") outs(" + g.outs + " : " + g.outTypes + ")\n";
  if (to == "i32") {
    g.body = "    %s = arith." + picked(random, {"addi", "maxsi", "minsi"}) +
             " %x0, %o1 : i32\n    linalg.yield %s : i32\n";
  } else {
    g.body = toFloat("%x0", type);
    std::string v = "%x0_f";
    if (random() % 2) {
      g.body += "    %sq = arith.mulf %x0_f, %x0_f : f32\n";
      v = "%sq";
    }
    g.body += "    %s = arith." + picked(random, {"addf", "maximumf", "minimumf"}) + " " + v +
              ", %o1 : f32\n    linalg.yield %s : f32\n";
  }
  EXPECT_TRUE(runKernel(g.text(), GetParam(), tolerant(1 + random() % 2, 1e-4)).ok);
}
INSTANTIATE_TEST_SUITE_P(Nest, Reduction, testing::Range(0, 60));

/// Windows over blocked layouts: max and average pooling, depthwise convolution.
using Window = Seeds;
TEST_P(Window, EqualsDefinition) {
  Random random(GetParam());
  int64_t block = picked(random, {"4", "16"}) == "4" ? 4 : 16;
  int64_t c = pick(random, 1, 3), oh = pick(random, 1, 7), ow = pick(random, 1, 13);
  int64_t k = pick(random, 1, 3), s = pick(random, 1, 2);
  int64_t ih = (oh - 1) * s + k, iw = (ow - 1) * s + k + pick(random, 0, 2);
  std::string type = block == 4 ? "bf16" : "f32", step = std::to_string(s);
  bool depthwise = random() % 2;
  Generic g;
  g.before = constants;
  std::string in = "d0, d1 * " + step + " + d4, d2 * " + step + " + d5, d3";
  g.add(false, operand({c, ih, iw, block}, type), type, 6, in);
  if (depthwise)
    g.add(false, operand({c, k, k, block}, type), type, 6, "d0, d4, d5, d3");
  else
    g.add(false, operand({k, k}, "f32"), "f32", 6, "d4, d5");
  g.add(true, operand({c, oh, ow, block}, "f32"), "f32", 6, "d0, d1, d2, d3");
  g.kinds = kinds(4, 2);
  g.body = toFloat("%x0", type);
  if (depthwise)
    g.body += toFloat("%x1", type) + "    %p = arith.mulf %x0_f, %x1_f : f32\n" +
              "    %s = arith.addf %o2, %p : f32\n    linalg.yield %s : f32\n";
  else
    g.body += "    %s = arith.maximumf %o2, %x0_f : f32\n    linalg.yield %s : f32\n";
  g.before += "  linalg.fill ins(%zero : f32) outs(" + g.outs + " : " + g.outTypes + ")\n";
  EXPECT_TRUE(runKernel(g.text(), GetParam(), tolerant(1 + random() % 2, 1e-4)).ok);
}
INSTANTIATE_TEST_SUITE_P(Nest, Window, testing::Range(0, 40));

/// Convolutions on the SIMD unit, lanes along output channels.
using DirectConv = Seeds;
TEST_P(DirectConv, EqualsDefinition) {
  Random random(GetParam());
  int64_t fq = pick(random, 1, 2), cq = pick(random, 1, 2), oh = pick(random, 1, 4),
          ow = pick(random, 1, 10), k = pick(random, 1, 3), b = 16;
  Generic g;
  g.before = constants;
  g.add(false, operand({cq, oh + k - 1, ow + k - 1, b}, "f32"), "f32", 8,
        "d4, d1 + d5, d2 + d6, d7");
  g.add(false, operand({fq, cq * b, k, k, b}, "f32"), "f32", 8, "d0, d4 * 16 + d7, d5, d6, d3");
  g.add(true, operand({fq, oh, ow, b}, "f32"), "f32", 8, "d0, d1, d2, d3");
  g.kinds = kinds(4, 4);
  g.body = "    %p = arith.mulf %x0, %x1 : f32\n    %s = arith.addf %o2, %p : f32\n"
           "    linalg.yield %s : f32\n";
  g.before += "  linalg.fill ins(%zero : f32) outs(" + g.outs + " : " + g.outTypes + ")\n";
  EXPECT_TRUE(runKernel(g.text(), GetParam(), tolerant(1 + random() % 2, 1e-3)).ok);
}
INSTANTIATE_TEST_SUITE_P(Nest, DirectConv, testing::Range(0, 12));

/// What only scalar code can do: 64-bit integers, divisions, computed addresses.
using ScalarCode = Seeds;
TEST_P(ScalarCode, EqualsDefinition) {
  Random random(GetParam());
  int64_t m = pick(random, 1, 9), n = pick(random, 1, 20);
  std::string type = picked(random, {"i64", "i32", "i16", "i8"});
  std::string op =
      picked(random, {"addi", "subi", "muli", "divsi", "remsi", "floordivsi", "ceildivsi", "divui",
                      "remui", "minsi", "maxui", "andi", "xori"});
  Generic g;
  g.add(false, operand({m, n}, type, &random), type, 2, "d0, d1");
  g.add(false, operand({n, m}, type, &random), type, 2, "d1, d0");
  g.add(true, operand({m, n}, type, &random), type, 2, "d0, d1");
  g.kinds = kinds(2, 0);
  g.before = "  %c0 = arith.constant 0 : " + type + "\n  %c7 = arith.constant 7 : " + type + "\n";
  // No division by zero.
  g.body = "    %z = arith.cmpi eq, %x1, %c0 : " + type +
           "\n    %d = arith.select %z, %c7, %x1 : " + type + "\n    %r = arith." + op +
           " %x0, %d : " + type + "\n    %l = arith.cmpi " +
           picked(random, {"slt", "ule", "sge", "ugt", "ne"}) + ", %r, %x0 : " + type +
           "\n    %s = arith.select %l, %r, %d : " + type + "\n    linalg.yield %s : " + type +
           "\n";
  EXPECT_TRUE(runKernel(g.text(), GetParam(), tolerant(1 + random() % 2, 0)).ok);
}
INSTANTIATE_TEST_SUITE_P(Nest, ScalarCode, testing::Range(0, 40));

TEST(Nest, GatherRows) {
  Generic g;
  g.add(false, operand({5}, "i64"), "i64", 2, "d0");
  int64_t table = g.next;
  g.arguments += ", " + argument("t", "memref<9x6xf32>", 9 * 6 * 4, g.next);
  (void)table;
  g.add(true, operand({5, 6}, "f32"), "f32", 2, "d0, d1");
  g.kinds = kinds(2, 0);
  g.before = "  %c9 = arith.constant 9 : i64\n  %c0 = arith.constant 0 : i64\n";
  g.body = "    %r = arith.remsi %x0, %c9 : i64\n    %n = arith.cmpi slt, %r, %c0 : i64\n"
           "    %p = arith.addi %r, %c9 : i64\n    %s = arith.select %n, %p, %r : i64\n"
           "    %i = arith.index_cast %s : i64 to index\n    %j = linalg.index 1 : index\n"
           "    %v = memref.load %t[%i, %j] : memref<9x6xf32>\n    linalg.yield %v : f32\n";
  for (unsigned threads : {1u, 2u})
    EXPECT_TRUE(runKernel(g.text(), 1, tolerant(threads, 0)).ok);
}

TEST(Nest, DivisionInMaps) {
  // Depth to space: three output dimensions come from floordiv and mod.
  Generic g;
  g.add(false, operand({4, 3, 5}, "f32"), "f32", 2,
        "(d0 mod 2) * 2 + d1 mod 2, d0 floordiv 2, d1 floordiv 2");
  g.add(true, operand({6, 10}, "f32"), "f32", 2, "d0, d1");
  g.kinds = kinds(2, 0);
  g.body = "    linalg.yield %x0 : f32\n";
  for (unsigned threads : {1u, 2u})
    EXPECT_TRUE(runKernel(g.text(), 1, tolerant(threads, 0)).ok);
}

TEST(Nest, PadLanesByIndex) {
  Generic g;
  g.before = constants + "  %c4 = arith.constant 4 : index\n  %c6 = arith.constant 6 : index\n";
  g.add(false, operand({2, 5, 7, 4}, "bf16"), "bf16", 4, "d0, d1, d2, d3");
  g.add(true, operand({2, 5, 7, 4}, "bf16"), "bf16", 4, "d0, d1, d2, d3");
  g.kinds = kinds(4, 0);
  g.body = toFloat("%x0", "bf16") +
           "    %q = linalg.index 0 : index\n    %l = linalg.index 3 : index\n"
           "    %c = arith.muli %q, %c4 : index\n    %i = arith.addi %c, %l : index\n"
           "    %in = arith.cmpi ult, %i, %c6 : index\n    %e = math.exp %x0_f : f32\n"
           "    %v = arith.select %in, %e, %zero : f32\n" +
           yieldAs("%v", "bf16");
  for (unsigned threads : {1u, 2u})
    EXPECT_TRUE(runKernel(g.text(), 1, tolerant(threads, 1e-6)).ok);
}

TEST(Nest, SeveralOperations) {
  int64_t next = 4096;
  std::string a = argument("a", "memref<6x21xf32>", 6 * 21 * 4, next);
  std::string m = argument("m", "memref<6xf32>", 24, next);
  std::string o = argument("o", "memref<6x21xf32>", 6 * 21 * 4, next);
  std::string text =
      "func.func @k(" + a + ", " + m + ", " + o + ") attributes {dojo.kernel} {\n" +
      "  %low = arith.constant 0xFF800000 : f32\n"
      "  linalg.fill ins(%low : f32) outs(%m : memref<6xf32>)\n"
      "  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> "
      "(i)>], "
      "iterator_types = [\"parallel\", \"reduction\"]} ins(%a : memref<6x21xf32>) outs(%m : "
      "memref<6xf32>) {\n  ^bb0(%x: f32, %y: f32):\n    %0 = arith.maximumf %x, %y : f32\n"
      "    linalg.yield %0 : f32\n  }\n"
      "  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, "
      "affine_map<(i, j) -> (i, j)>], iterator_types = [\"parallel\", \"parallel\"]} ins(%a, %m : "
      "memref<6x21xf32>, memref<6xf32>) outs(%o : memref<6x21xf32>) {\n"
      "  ^bb0(%x: f32, %y: f32, %z: f32):\n    %0 = arith.subf %x, %y : f32\n"
      "    %1 = math.exp %0 : f32\n    linalg.yield %1 : f32\n  }\n  return\n}\n";
  for (unsigned threads : {1u, 2u})
    EXPECT_TRUE(runKernel(text, 1, tolerant(threads, 1e-6)).ok);
}

} // namespace
