// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Seeds for property tests. Every case prints its seed on failure; DOJO_TEST_SEED=n runs that one
// alone, DOJO_TEST_SEEDS=n runs n of them (the nightly number is higher than the default).
#ifndef DOJO_TEST_PLANNING_RANDOM_H
#define DOJO_TEST_PLANNING_RANDOM_H

#include "gtest/gtest.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace dojo::planning::test {

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every host.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed * 0x9E3779B97F4A7C15ull + 1) {}
  uint64_t next() {
    uint64_t z = (state += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  /// Uniform in lo..hi, both included.
  int64_t in(int64_t lo, int64_t hi) {
    return lo + static_cast<int64_t>(next() % static_cast<uint64_t>(hi - lo + 1));
  }
  bool chance(int percent) { return in(0, 99) < percent; }

private:
  uint64_t state;
};

template <typename Fn> void forSeeds(uint64_t count, Fn fn) {
  uint64_t first = 1;
  if (const char *one = std::getenv("DOJO_TEST_SEED")) {
    first = std::strtoull(one, nullptr, 10);
    count = 1;
  } else if (const char *many = std::getenv("DOJO_TEST_SEEDS")) {
    count = std::strtoull(many, nullptr, 10);
  }
  for (uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("repeat with DOJO_TEST_SEED=" + std::to_string(seed));
    Random random(seed);
    fn(random);
    if (::testing::Test::HasFatalFailure() || ::testing::Test::HasNonfatalFailure())
      return;
  }
}

} // namespace dojo::planning::test

#endif
