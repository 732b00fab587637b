// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which code lines a thread keeps, against a list in the order of use.
#include "runtime/emulator/LineCache.h"

#include <gtest/gtest.h>
#include <list>
#include <random>

using namespace dojo::emu;

namespace {

class Reference {
public:
  explicit Reference(size_t capacity) : capacity(capacity) {}
  bool hit(uint32_t line) {
    auto at = std::find(kept.begin(), kept.end(), line);
    bool there = at != kept.end();
    if (there)
      kept.erase(at);
    else if (kept.size() == capacity)
      kept.pop_back();
    kept.push_front(line);
    return there;
  }

private:
  size_t capacity;
  std::list<uint32_t> kept; // the last used first
};

// Walks through code with calls and loops: mostly the next line, sometimes one of a few or any.
TEST(LineCache, KeepsTheLastUsed) {
  std::mt19937 engine(1);
  unsigned misses = 0, evictions = 0;
  for (unsigned capacity : {1u, 2u, 7u, 128u, 300u}) {
    Parameters p{};
    p.codeLines = capacity;
    LineCache cache;
    for (unsigned run = 0; run < 3; ++run) { // a reset forgets
      cache.reset(p);
      Reference reference(capacity);
      uint32_t line = 5, lines = 2 * capacity + engine() % (8 * capacity);
      for (unsigned i = 0; i < 20 * lines + 500; ++i) {
        unsigned kind = engine() % 8;
        line = kind < 5 ? line + 1 : kind < 7 ? engine() % 4 * 256 : engine();
        line %= lines;
        bool there = reference.hit(line);
        ASSERT_EQ(cache.hit(line), there) << capacity << " lines, line " << line << ", use " << i;
        misses += !there;
        evictions += !there && i > capacity;
      }
    }
  }
  EXPECT_GT(misses, 1000u);
  EXPECT_GT(evictions, 1000u);
}

} // namespace
