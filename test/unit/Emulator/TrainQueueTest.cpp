// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of service of trains, against a sorted list.
#include "runtime/emulator/TrainQueue.h"

#include <gtest/gtest.h>
#include <random>

using namespace dojo::emu;

namespace {

auto fields(const WaitingTrain &t) { return std::tuple(t.issue, t.who, t.number, t.transfer); }

TEST(TrainQueue, TakesInTheOrderOfService) {
  std::mt19937_64 engine(1);
  std::vector<Transfer> transfers(4);
  unsigned alike = 0, far = 0;
  for (unsigned round = 0; round < 60; ++round) {
    TrainQueue queue;
    std::vector<WaitingTrain> all, taken;
    uint64_t now = round % 3 ? engine() % 1000 : uint64_t(1) << 40;
    for (unsigned step = 0; step < 20; ++step) {
      unsigned many = engine() % 4 ? engine() % 30 : engine() % 2000;
      for (unsigned i = 0; i < many; ++i) {
        // Answers to one thread may be alike in all but their number.
        uint64_t later = engine() % 16 ? engine() % 12 : engine() % 100'000;
        WaitingTrain train(now + later, engine() % 354, engine() % 8, engine() % 5, all.size(),
                           &transfers[engine() % transfers.size()]);
        far += later > 50'000;
        for (const WaitingTrain &other : all)
          alike += other.issue == train.issue && other.who == train.who;
        queue.push(train);
        all.push_back(train);
      }
      std::sort(all.begin(), all.end(),
                [](const WaitingTrain &a, const WaitingTrain &b) { return fields(a) < fields(b); });
      ASSERT_EQ(queue.first(), all.empty() ? never : all.front().issue);
      now += engine() % 8 ? engine() % 10 : engine() % 200'000;
      queue.take(now, taken);
      size_t count = 0;
      while (count < all.size() && all[count].issue <= now)
        ++count;
      ASSERT_EQ(taken.size(), count);
      for (size_t i = 0; i < count; ++i)
        ASSERT_EQ(fields(taken[i]), fields(all[i])) << "round " << round << ", train " << i;
      all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
      ASSERT_EQ(queue.all().size(), all.size());
      if (all.size() > 3000)
        break;
    }
  }
  EXPECT_GT(alike, 20u);
  EXPECT_GT(far, 1000u);
}

TEST(TrainQueue, KeepsTheNumbersOfWhoIsServed) {
  Transfer transfer;
  WaitingTrain train(7, 353, 4 + 3, 353, 12, &transfer);
  EXPECT_EQ(train.thread(), 7u);
  EXPECT_LT(WaitingTrain(7, 352, 7, 353, 13, &transfer), train);
  EXPECT_LT(WaitingTrain(7, 353, 6, 353, 13, &transfer), train);
  EXPECT_LT(WaitingTrain(7, 353, 7, 352, 13, &transfer), train);
  EXPECT_LT(train, WaitingTrain(7, 353, 7, 353, 13, &transfer));
  EXPECT_LT(train, WaitingTrain(8, 0, 0, 0, 0, &transfer));
}

} // namespace
