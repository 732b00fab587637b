// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A semaphore over time, against all increments one by one.
#include "runtime/emulator/Semaphore.h"

#include <gtest/gtest.h>
#include <map>
#include <random>

using namespace dojo::emu;

namespace {

struct Reference {
  uint64_t value = 0;
  std::multimap<uint64_t, uint32_t> pending; // by the cycle in which it shows

  uint64_t passTime(uint64_t from, uint64_t need) const {
    uint64_t sum = value, time = from;
    for (auto i = pending.begin(); sum < need; ++i) {
      if (i == pending.end())
        return never;
      sum += i->second;
      time = std::max(from, i->first);
    }
    return time;
  }
  /// The cycle in which it goes over the limit, if it does by `at`.
  uint64_t settle(uint64_t at, uint64_t limit) {
    while (!pending.empty() && pending.begin()->first <= at) {
      uint64_t cycle = pending.begin()->first;
      for (; !pending.empty() && pending.begin()->first == cycle; pending.erase(pending.begin()))
        value += pending.begin()->second;
      if (value > limit)
        return cycle;
    }
    return never;
  }
};

TEST(Semaphore, IncrementsInAnyOrder) {
  constexpr uint32_t limit = 200;
  std::mt19937 engine(1);
  unsigned passed = 0, overflows = 0, most = 0;
  Semaphore semaphore; // keeps its memory from one round to the next
  for (unsigned round = 0; round < 400; ++round) {
    semaphore.clear();
    ASSERT_FALSE(semaphore.used());
    Reference reference;
    uint64_t now = 0;
    unsigned spread = 1 + engine() % 60, many = round % 4 ? 3 : 40, amounts = round % 5 ? 4 : 60;
    for (unsigned i = 0; i < 60; ++i) {
      for (unsigned k = engine() % many; k; --k) {
        uint64_t shows = now + 1 + engine() % spread;
        uint32_t amount = engine() % amounts;
        semaphore.add(shows, amount);
        if (amount)
          reference.pending.emplace(shows, amount);
      }
      uint64_t sum = reference.value, known = 0;
      for (const auto &[shows, amount] : reference.pending)
        sum += amount;
      semaphore.forPending([&](uint64_t, uint32_t amount) { known += amount; });
      ASSERT_EQ(semaphore.finalValue(), sum);
      ASSERT_EQ(semaphore.settledValue() + known, sum);
      ASSERT_EQ(semaphore.used(), sum != 0);
      most = std::max(most, static_cast<unsigned>(reference.pending.size()));

      uint64_t need = engine() % 12, pass = reference.passTime(now, need);
      ASSERT_EQ(semaphore.passTime(now, need), pass);
      if (pass == never)
        continue;
      uint64_t at = pass, over = reference.settle(pass, limit);
      ASSERT_EQ(semaphore.settle(at, limit), over == never);
      ASSERT_EQ(semaphore.settledValue(), reference.value);
      if (over != never) {
        ASSERT_EQ(at, over);
        ++overflows;
        break;
      }
      semaphore.take(need);
      reference.value -= need;
      now = pass;
      ++passed;
    }
  }
  EXPECT_GT(passed, 1000u);
  EXPECT_GT(overflows, 10u);
  EXPECT_GT(most, 50u); // more than have room in the semaphore
}

TEST(Semaphore, AmountsThatOverflowAWord) {
  Semaphore semaphore;
  semaphore.add(4, 1);
  semaphore.add(5, ~uint32_t(0));
  semaphore.add(7, ~uint32_t(0));
  EXPECT_EQ(semaphore.finalValue(), 1 + 2 * uint64_t(~uint32_t(0)));
  uint64_t at = 6;
  EXPECT_FALSE(semaphore.settle(at, 65535));
  EXPECT_EQ(at, 5u);
}

} // namespace
