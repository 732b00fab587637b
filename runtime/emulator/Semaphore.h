// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A counting semaphore over time. Increments become known in any order; each has the cycle from
// which it shows.
#ifndef DOJO_EMULATOR_SEMAPHORE_H
#define DOJO_EMULATOR_SEMAPHORE_H

#include "Parameters.h"

#include <vector>

namespace dojo::emu {

class alignas(64) Semaphore {
public:
  int waiter = -1;       // thread that waits, -1: none
  int lastWaiter = -1;   // thread whose wait passed last
  uint64_t lastPass = 0; // when it did

  /// The thread waits; whether others have waited or do.
  bool sharedBy(unsigned thread) {
    waiters |= static_cast<uint8_t>(1u << thread);
    return (waiters & ~(1u << thread)) != 0;
  }

  void add(uint64_t shows, uint32_t amount);

  /// The first cycle, not before `from`, in which at least `need` is shown; `never` if what is
  /// known does not suffice.
  uint64_t passTime(uint64_t from, uint64_t need) const;

  /// Brings the value up to cycle `at`. False if it has gone over `limit`; `at` is then the cycle.
  bool settle(uint64_t &at, uint32_t limit);

  /// After settle and a passTime in the past: takes `need` off.
  void take(uint64_t need) { value -= static_cast<uint32_t>(need); }

  uint64_t settledValue() const { return value; }
  /// The value once everything known has shown.
  uint64_t finalValue() const;
  /// Calls f(shows, amount) for the increments that are not in settledValue.
  template <typename F> void forPending(F f) const {
    for (const Increment &i : pending)
      f(i.shows, i.amount);
  }
  /// As it was made; keeps its memory.
  void clear() {
    waiter = lastWaiter = -1;
    lastPass = value = 0;
    waiters = 0;
    pending.clear();
  }
  bool used() const { return value != 0 || !pending.empty(); }

  /// All but the waiter, which the thread knows.
  template <class Archive> void archive(Archive &a, uint32_t limit) {
    a(value);
    a.require(value <= limit);
    unsigned last = static_cast<unsigned>(lastWaiter + 1);
    a(last);
    a.require(last <= numThreads);
    lastWaiter = static_cast<int>(last) - 1;
    a.readyAt(lastPass);
    a(waiters);
    a.require(waiters < 1u << numThreads);
    pending.resize(a.count(pending.size(), maxPending));
    for (size_t i = 0; i < pending.size(); ++i) {
      a.cycle(pending[i].shows);
      a(pending[i].amount);
      a.require(pending[i].shows != never && (i == 0 || pending[i].shows > pending[i - 1].shows));
    }
  }

private:
  static constexpr size_t maxPending = 1 << 20; // in saved state
  struct Increment {
    uint64_t shows;
    uint32_t amount;
  };
  uint64_t value = 0;
  uint8_t waiters = 0;            // a bit for each thread that has begun to wait
  std::vector<Increment> pending; // by cycle
};

} // namespace dojo::emu

#endif
