// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Oracle: a rectangle of memory x time is cut into pieces, so a perfect packing exists and its peak
// is known; the packer sees only the pieces.

#include "dojo/Planning/SramPacker.h"
#include "Random.h"

#include <algorithm>

using namespace dojo::planning;
using dojo::planning::test::forSeeds;
using dojo::planning::test::Random;

namespace {

struct Rect {
  int64_t lo, hi;
  int32_t first, last;
};

/// Cuts rectangles at random places until there are \p count.
PackProblem hiddenPacking(Random &random, int64_t capacity, int32_t epochs, size_t count) {
  std::vector<Rect> rects{{0, capacity, 0, epochs - 1}};
  for (int tries = 0; rects.size() < count && tries < 1000; ++tries) {
    size_t i = static_cast<size_t>(random.in(0, static_cast<int64_t>(rects.size()) - 1));
    Rect r = rects[i];
    if (random.chance(50)) {
      if (r.hi - r.lo < 128)
        continue;
      int64_t cut = r.lo + 64 * random.in(1, (r.hi - r.lo) / 64 - 1);
      rects[i].hi = cut;
      rects.push_back({cut, r.hi, r.first, r.last});
    } else {
      if (r.first == r.last)
        continue;
      auto cut = static_cast<int32_t>(random.in(r.first + 1, r.last));
      rects[i].last = cut - 1;
      rects.push_back({r.lo, r.hi, cut, r.last});
    }
  }
  PackProblem p;
  p.capacity = capacity;
  for (const Rect &r : rects)
    p.buffers.push_back({"b" + std::to_string(p.buffers.size()), "l" + std::to_string(r.first),
                         r.hi - r.lo, 64, r.first, r.last});
  for (size_t i = p.buffers.size(); i > 1; --i)
    std::swap(p.buffers[i - 1],
              p.buffers[static_cast<size_t>(random.in(0, static_cast<int64_t>(i) - 1))]);
  return p;
}

TEST(SramPacker, FindsHiddenPerfectPackings) {
  int perfect = 0, cases = 0;
  forSeeds(100, [&](Random &random) {
    PackProblem p =
        hiddenPacking(random, 64 * random.in(4, 64), static_cast<int32_t>(random.in(1, 12)),
                      static_cast<size_t>(random.in(1, 16)));
    Packing packing = packSram(p);
    EXPECT_EQ(verifyPacking(p, packing), "");
    EXPECT_EQ(packing.lowerBound, p.capacity);
    ++cases;
    perfect += packing.fits;
  });
  EXPECT_EQ(perfect, cases) << "the search is exhaustive at this size";
}

TEST(SramPacker, StaysNearTheBoundWhenLarge) {
  double worst = 1;
  forSeeds(20, [&](Random &random) {
    PackProblem p = hiddenPacking(random, 64 * 16384, 40, 150);
    p.capacity *= 2;
    Packing packing = packSram(p);
    EXPECT_EQ(verifyPacking(p, packing), "");
    EXPECT_TRUE(packing.fits);
    worst = std::max(worst, double(packing.peak) / double(packing.lowerBound));
  });
  EXPECT_LT(worst, 1.35); // may only shrink
}

TEST(SramPacker, RespectsReservationsAndAlignment) {
  forSeeds(150, [](Random &random) {
    PackProblem p = hiddenPacking(random, 64 * 64, 6, 10);
    for (PackBuffer &b : p.buffers) {
      b.bytes = std::max<int64_t>(0, b.bytes - random.in(0, 63));
      b.alignment = int64_t(1) << random.in(0, 8);
    }
    p.capacity *= 4;
    int64_t at = 0;
    for (int i = 0; i < 3; ++i) {
      at += random.in(0, 2000);
      int64_t bytes = random.in(0, 1500);
      p.reservations.push_back({"r", at, bytes});
      at += bytes;
    }
    ASSERT_EQ(checkPackProblem(p), "");
    Packing packing = packSram(p);
    EXPECT_EQ(verifyPacking(p, packing), "");
    EXPECT_TRUE(packing.fits);
  });
}

TEST(SramPacker, VerifierCatchesMutations) {
  forSeeds(100, [](Random &random) {
    PackProblem p = hiddenPacking(random, 64 * 40, 8, 10);
    Packing packing = packSram(p);
    ASSERT_EQ(verifyPacking(p, packing), "");
    // In a perfect packing every move collides or leaves the memory.
    ASSERT_TRUE(packing.fits);
    Packing moved = packing;
    size_t i = static_cast<size_t>(random.in(0, static_cast<int64_t>(p.buffers.size()) - 1));
    moved.address[i] += random.chance(50) ? 64 : 32;
    EXPECT_NE(verifyPacking(p, moved), "");
    moved = packing;
    moved.peak -= 64;
    EXPECT_NE(verifyPacking(p, moved), "");
    moved = packing;
    moved.lowerBound -= 1;
    EXPECT_NE(verifyPacking(p, moved), "");
  });
}

TEST(SramPacker, MapNamesWhoHoldsTheMemory) {
  PackProblem p;
  p.capacity = 1000;
  p.buffers = {{"conv1.weights", "conv1", 700, 64, 0, 1}, {"conv2.patch", "conv2", 500, 64, 1, 1}};
  Packing packing = packSram(p);
  EXPECT_FALSE(packing.fits);
  std::string map = memoryMap(p, packing);
  EXPECT_NE(map.find("200 missing"), std::string::npos) << map;
  EXPECT_NE(map.find("conv1: 700 bytes (conv1.weights 700)"), std::string::npos) << map;
}

TEST(Epochs, FewestThatFit) {
  // Each layer's tensor of 400 is read by the next layer.
  PackProblem p;
  for (int32_t l = 0; l < 6; ++l)
    p.buffers.push_back(
        {"t" + std::to_string(l), "l" + std::to_string(l), 400, 1, l, std::min(l + 1, 5)});
  auto barriers = [&](int64_t capacity) {
    p.capacity = capacity;
    EpochChoice c = chooseEpochs(p, 6);
    EXPECT_TRUE(c.packing.fits) << capacity;
    EXPECT_EQ(verifyPacking(c.problem, c.packing), "");
    return c.starts.size();
  };
  EXPECT_EQ(barriers(2400), 0u);
  EXPECT_EQ(barriers(1600), 1u); // layers 0-2: t0 t1 t2; layers 3-5: t2 t3 t4 t5
  EXPECT_EQ(barriers(1200), 2u);
  EXPECT_EQ(barriers(800), 5u);
  p.capacity = 799;
  EpochChoice none = chooseEpochs(p, 6);
  EXPECT_FALSE(none.packing.fits);
  EXPECT_EQ(none.packing.lowerBound, 800);
}

TEST(Epochs, NeverMoreThanAnyRandomDivision) {
  forSeeds(60, [](Random &random) {
    int32_t layers = static_cast<int32_t>(random.in(1, 12));
    PackProblem p;
    for (int32_t l = 0; l < layers; ++l)
      for (int64_t n = random.in(1, 3); n > 0; --n)
        p.buffers.push_back(
            {"b", "l", 64 * random.in(1, 40), 64, l,
             std::min<int32_t>(layers - 1, l + static_cast<int32_t>(random.in(0, 4)))});
    // Some division fits in this much memory ...
    std::vector<int32_t> starts;
    for (int32_t l = 1; l < layers; ++l)
      if (random.chance(30))
        starts.push_back(l);
    PackProblem divided = p;
    for (PackBuffer &b : divided.buffers) {
      b.first = epochOf(starts, b.first);
      b.last = epochOf(starts, b.last);
    }
    divided.capacity = 1 << 30;
    p.capacity = packSram(divided).peak;
    // ... so no more epochs than it has are needed.
    EpochChoice choice = chooseEpochs(p, layers);
    EXPECT_TRUE(choice.packing.fits);
    EXPECT_LE(choice.starts.size(), starts.size());
    EXPECT_EQ(verifyPacking(choice.problem, choice.packing), "");
  });
}

} // namespace
