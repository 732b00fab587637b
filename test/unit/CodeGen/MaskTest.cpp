// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks that a dimension does not fill: reductions and element-wise operations that end within the
// last one, in any tile of the dimension.

#include "KernelRunner.h"

#include "gtest/gtest.h"

#include <cstdio>
#include <cstdlib>

using namespace dojo::test;

namespace {

std::string number(int64_t n) { return std::to_string(n); }

/// A tile of a tensor [blocks][rows][block], of which the first `filled` of blocks * block places
/// count; `loops` names its dimensions in the order of the loops.
struct Tile {
  int64_t blocks, rows, block, filled;
  std::string type;
  unsigned threads = 1;

  std::string shape() const { return number(blocks) + "x" + number(rows) + "x" + number(block); }
  int64_t bytes(int64_t elements) const { return elements * (type == "bf16" ? 2 : 4); }

  /// The condition %in from the indices `o` of the block and `i` in it.
  std::string mask(int o, int i) const {
    return "    %q = linalg.index " + number(o) + " : index\n    %l = linalg.index " + number(i) +
           " : index\n    %cb = arith.constant " + number(block) +
           " : index\n    %ce = arith.constant " + number(filled) +
           " : index\n    %m = arith.muli %q, %cb : index\n    %p = arith.addi %m, %l : index\n"
           "    %in = arith.cmpi ult, %p, %ce : index\n";
  }

  std::string kernel(const std::string &resultType, int64_t resultBytes, const std::string &before,
                     const std::string &maps, const std::string &kinds,
                     const std::string &body) const {
    int64_t next = 4096;
    std::string x =
        argument("x", "memref<" + shape() + "x" + type + ">", bytes(blocks * rows * block), next);
    std::string y = argument("y", resultType, resultBytes, next);
    return "func.func @k(" + x + ", " + y + ") attributes {dojo.kernel} {\n" + before +
           "  linalg.generic {indexing_maps = [" + maps + "], iterator_types = [" + kinds +
           "]} ins(%x : memref<" + shape() + "x" + type + ">) outs(%y : " + resultType +
           ") {\n  ^bb0(%a: " + type + ", %b: " + type + "):\n" + body +
           "    linalg.yield %r : " + type + "\n  }\n  return\n}\n";
  }

  /// Combines what counts, for each row.
  std::string reduction(const std::string &op, const std::string &neutral, bool masked) const {
    std::string result = "memref<" + number(rows) + "x" + type + ">";
    std::string fill = "  %start = arith.constant " + neutral + " : " + type +
                       "\n  linalg.fill ins(%start : " + type + ") outs(%y : " + result + ")\n";
    std::string body = "    %n = arith.constant " + neutral + " : " + type + "\n";
    if (masked)
      body += mask(1, 2) + "    %v = arith.select %in, %a, %n : " + type + "\n";
    body += "    %r = arith." + op + " %b, " + (masked ? "%v" : "%a") + " : " + type + "\n";
    return kernel(result, bytes(rows), fill,
                  "affine_map<(r, o, i) -> (o, r, i)>, affine_map<(r, o, i) -> (r)>",
                  "\"parallel\", \"reduction\", \"reduction\"", body);
  }

  /// Twice what counts, zero in the place of the rest.
  std::string elementwise() const {
    std::string map = "affine_map<(o, r, i) -> (o, r, i)>";
    std::string body = "    %z = arith.constant 0.0 : " + type + "\n" + mask(0, 2) +
                       "    %d = arith.addf %a, %a : " + type +
                       "\n    %r = arith.select %in, %d, %z : " + type + "\n";
    return kernel("memref<" + shape() + "x" + type + ">", bytes(blocks * rows * block), "",
                  map + ", " + map, "\"parallel\", \"parallel\", \"parallel\"", body);
  }
};

Tile randomTile(Random &random) {
  int64_t block = random() % 2 ? 4 : 16, blocks = pick(random, 1, 60);
  // Sometimes all places count, or only some of an earlier block.
  int64_t missing =
      random() % 5 == 0 ? 0 : pick(random, 0, std::min(block * blocks - 1, 2 * block));
  return {blocks,
          pick(random, 1, 9),
          block,
          blocks * block - missing,
          random() % 2 ? "bf16" : "f32",
          1 + unsigned(random() % 2)};
}

KernelCheck checkOf(const Tile &tile) {
  KernelCheck check;
  check.threads = tile.threads;
  check.absolute = 1e-4;
  return check;
}

class Masked : public testing::TestWithParam<int> {};

TEST_P(Masked, ReductionEqualsDefinition) {
  Random random(GetParam());
  Tile tile = randomTile(random);
  const char *least = tile.type == "bf16" ? "0xFF80" : "0xFF800000";
  const char *most = tile.type == "bf16" ? "0x7F80" : "0x7F800000";
  std::string text = random() % 2          ? tile.reduction("maximumf", least, true)
                     : tile.type == "bf16" ? tile.reduction("minimumf", most, true)
                                           : tile.reduction("addf", "-0.0", true);
  EXPECT_TRUE(runKernel(text, GetParam(), checkOf(tile)).ok) << text;
}

TEST_P(Masked, ElementwiseEqualsDefinition) {
  Random random(GetParam() + 1000);
  Tile tile = randomTile(random);
  EXPECT_TRUE(runKernel(tile.elementwise(), GetParam(), checkOf(tile)).ok) << tile.elementwise();
}
INSTANTIATE_TEST_SUITE_P(Blocks, Masked, testing::Range(0, 40));

/// A tile that ends within a block is about as fast as one that does not, and as long.
void expectFast(Tile tile, double slower) {
  const char *least = tile.type == "bf16" ? "0xFF80" : "0xFF800000";
  KernelCheck check = checkOf(tile);
  check.timing = true;
  KernelRun whole = runKernel(tile.reduction("maximumf", least, false), 1, check);
  KernelRun part = runKernel(tile.reduction("maximumf", least, true), 1, check);
  ASSERT_TRUE(whole.ok && part.ok);
  if (getenv("DOJO_SPEED"))
    printf("%-10s %8llu cycles, masked %8llu\n", tile.shape().c_str(),
           (unsigned long long)whole.cycles, (unsigned long long)part.cycles);
  EXPECT_LE(double(part.cycles), double(whole.cycles) * slower)
      << whole.cycles << " cycles without a mask";
  EXPECT_LE(part.codeBytes, 2 * whole.codeBytes + 1024);
}

TEST(MaskedSpeed, OneRow) { expectFast({1657, 1, 4, 6625, "bf16", 1}, 1.02); }
TEST(MaskedSpeed, Rows) { expectFast({200, 8, 4, 797, "bf16", 2}, 1.15); }
TEST(MaskedSpeed, RowsOfFullVectors) { expectFast({100, 6, 16, 1590, "f32", 1}, 1.15); }

} // namespace
