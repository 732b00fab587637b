// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each item of each owner once, after what its owner has to prepare, whoever takes it.
#include "runtime/emulator/HostThreads.h"

#include <chrono>
#include <gtest/gtest.h>
#include <random>

using namespace dojo::emu;

namespace {

TEST(HostThreads, DoEachItemOnce) {
  for (unsigned threads : {1u, 2u, 3u, 5u}) {
    std::atomic<unsigned> idles{0};
    HostThreads host(threads, [&idles] {
      ++idles;
      return false;
    });
    ASSERT_EQ(host.count(), threads);
    std::mt19937 engine(threads);
    unsigned others = 0; // items that their owner did not take
    for (unsigned loop = 0; loop < 400; ++loop) {
      // Now and then long enough a break for the threads to fall asleep.
      if (loop % 100 == 50)
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      std::vector<std::vector<unsigned>> done(threads);
      std::vector<unsigned> prepared(threads), takenBy(threads * 40, ~0u);
      for (std::vector<unsigned> &items : done)
        items.resize(engine() % 3 ? engine() % 5 : engine() % 40);
      host.forEach(
          [&](unsigned owner, unsigned) {
            ++prepared[owner];
            return done[owner].size();
          },
          [&](unsigned owner, size_t i, unsigned thread) {
            EXPECT_LT(thread, threads);
            EXPECT_EQ(prepared[owner], 1u);
            ++done[owner][i];
            takenBy[owner * 40 + i] = thread;
            // One owner has much to do: the others take from it.
            auto begin = std::chrono::steady_clock::now();
            while (owner == 0 &&
                   std::chrono::steady_clock::now() - begin < std::chrono::microseconds(5)) {
            }
          });
      for (unsigned owner = 0; owner < threads; ++owner) {
        EXPECT_EQ(prepared[owner], 1u);
        for (size_t i = 0; i < done[owner].size(); ++i) {
          EXPECT_EQ(done[owner][i], 1u);
          others += takenBy[owner * 40 + i] != owner;
        }
      }
    }
    if (threads > 1)
      EXPECT_GT(others, 0u);
  }
}

// What is done before a thread that slept has come leaves it awake with nothing to do.
TEST(HostThreads, SleepAlsoIfWokenTooLate) {
  using namespace std::chrono_literals;
  std::atomic<uint64_t> idles{0};
  HostThreads host(2, [&idles] {
    ++idles;
    return false;
  });
  auto sleeps = [&] {
    uint64_t before = idles;
    std::this_thread::sleep_for(5ms);
    return idles == before;
  };
  auto fallsAsleep = [&] {
    for (auto begin = std::chrono::steady_clock::now();
         std::chrono::steady_clock::now() - begin < 5s;)
      if (sleeps())
        return true;
    return false;
  };
  for (unsigned loop = 0; loop < 20; ++loop) {
    ASSERT_TRUE(fallsAsleep()) << "after " << loop << " loops";
    host.forEach([](unsigned, unsigned) { return size_t(0); }, [](unsigned, size_t, unsigned) {});
  }
}

TEST(HostThreads, OwnNodesInGroups) {
  HostThreads host(2, [] { return false; });
  // What nodes of different owners write lies in different lines of the host's cache.
  for (uint32_t node = 0; node < 64; ++node)
    EXPECT_EQ(host.ownerOf(node), node / 8 % 2);
}

} // namespace
