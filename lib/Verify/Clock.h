// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector clocks (Mattern 1988). A thread's clock says of every thread how many of its events are
// known to have completed. Shared, never changed once shared.
#ifndef DOJO_LIB_VERIFY_CLOCK_H
#define DOJO_LIB_VERIFY_CLOCK_H

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace dojo::verify {

/// The first `steps` events of a thread (an index into Program::threads) have completed.
struct Epoch {
  uint32_t thread = 0, steps = 0;
};

/// Storage of clocks of one size, used again when nobody holds them.
class ClockPool {
public:
  explicit ClockPool(size_t size) : size(size) {}

  class Ref {
  public:
    Ref() = default;
    Ref(const Ref &o) : pool(o.pool), slot(o.slot) { hold(); }
    Ref(Ref &&o) noexcept : pool(std::exchange(o.pool, nullptr)), slot(o.slot) {}
    Ref &operator=(Ref o) noexcept {
      std::swap(pool, o.pool);
      std::swap(slot, o.slot);
      return *this;
    }
    ~Ref() {
      if (pool && --pool->holders[slot] == 0)
        pool->unused.push_back(slot);
    }
    explicit operator bool() const { return pool; }
    const uint32_t *data() const { return pool->values[slot].get(); }
    uint32_t operator[](size_t i) const { return data()[i]; }
    bool same(const Ref &o) const { return pool == o.pool && slot == o.slot; }

  private:
    friend class ClockPool;
    Ref(ClockPool *pool, uint32_t slot) : pool(pool), slot(slot) { hold(); }
    void hold() {
      if (pool)
        ++pool->holders[slot];
    }
    ClockPool *pool = nullptr;
    uint32_t slot = 0;
  };

  /// A clock with unspecified values, to be written through \p values before it is shared.
  Ref make(uint32_t *&values_) {
    uint32_t slot;
    if (unused.empty()) {
      slot = uint32_t(values.size());
      values.push_back(std::make_unique_for_overwrite<uint32_t[]>(size));
      holders.push_back(0);
    } else {
      slot = unused.back();
      unused.pop_back();
    }
    values_ = values[slot].get();
    return Ref(this, slot);
  }

private:
  size_t size;
  std::vector<std::unique_ptr<uint32_t[]>> values;
  std::vector<uint32_t> holders;
  std::vector<uint32_t> unused;
};

using ClockRef = ClockPool::Ref;

/// What is known at some point of a thread: the clock of its last wait, and its own past.
struct Knowledge {
  const uint32_t *clock;
  Epoch self;

  bool covers(Epoch e) const {
    return e.thread == self.thread ? e.steps <= self.steps : e.steps <= clock[e.thread];
  }
  uint32_t stepsOf(uint32_t thread) const {
    return thread == self.thread ? std::max(self.steps, clock[thread]) : clock[thread];
  }
};

} // namespace dojo::verify

#endif
