// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A counting semaphore over time. Increments become known in any order; each has the cycle from
// which it shows.
#ifndef DOJO_EMULATOR_SEMAPHORE_H
#define DOJO_EMULATOR_SEMAPHORE_H

#include "Parameters.h"

#include <span>

namespace dojo::emu {

class alignas(64) Semaphore {
public:
  uint64_t lastPass = 0;  // when the last wait passed
  int8_t waiter = -1;     // thread that waits, -1: none
  int8_t lastWaiter = -1; // thread whose wait passed last

  Semaphore() = default;
  Semaphore(const Semaphore &) = delete;
  Semaphore &operator=(const Semaphore &) = delete;
  ~Semaphore() {
    if (first != own)
      delete[] first;
  }

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
    for (const Increment &i : pending())
      f(i.shows, i.amount);
  }
  /// As it was made; keeps its memory.
  void clear() {
    waiter = lastWaiter = -1;
    lastPass = value = count = 0;
    waiters = 0;
  }
  bool used() const { return value != 0 || count != 0; }

  /// All but the waiter, which the thread knows.
  template <class Archive> void archive(Archive &a, uint32_t limit) {
    a(value);
    a.require(value <= limit);
    unsigned last = static_cast<unsigned>(lastWaiter + 1);
    a(last);
    a.require(last <= numThreads);
    lastWaiter = static_cast<int8_t>(static_cast<int>(last) - 1);
    a.readyAt(lastPass);
    a(waiters);
    a.require(waiters < 1u << numThreads);
    size_t n = a.count(count, maxPending);
    for (size_t i = 0; i < n && a.ok(); ++i) {
      Increment increment = Archive::reading ? Increment() : first[i];
      a.cycle(increment.shows);
      a(increment.amount);
      a.require(increment.shows != never && (i == 0 || increment.shows > first[i - 1].shows));
      if (Archive::reading)
        insert(i, increment);
    }
  }

private:
  static constexpr size_t maxPending = 1 << 20; // in saved state
  struct Increment {
    uint64_t shows;
    uint32_t amount;
  };
  std::span<const Increment> pending() const { return {first, count}; }
  void insert(size_t at, Increment increment);

  uint8_t waiters = 0; // bits of the threads that have waited
  uint32_t value = 0;
  uint32_t count = 0, room = few; // increments at `first`, by cycle
  // All in one line of the host's cache as long as there are few.
  static constexpr uint32_t few = 2;
  Increment own[few] = {};
  Increment *first = own; // or owned
};
static_assert(sizeof(Semaphore) == 64);

} // namespace dojo::emu

#endif
