// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A counting semaphore over time. Increments become known in any order; each has the cycle from
// which it shows.
#ifndef DOJO_EMULATOR_SEMAPHORE_H
#define DOJO_EMULATOR_SEMAPHORE_H

#include "Parameters.h"

#include <vector>

namespace dojo::emu {

class Semaphore {
public:
  int waiter = -1;       // thread that waits, -1: none
  int lastWaiter = -1;   // thread whose wait passed last
  uint64_t lastPass = 0; // when it did

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
  /// As it was made; keeps its memory.
  void clear() {
    waiter = lastWaiter = -1;
    lastPass = value = 0;
    pending.clear();
  }
  bool used() const { return value != 0 || !pending.empty(); }

private:
  struct Increment {
    uint64_t shows;
    uint32_t amount;
  };
  uint64_t value = 0;
  std::vector<Increment> pending; // by cycle
};

} // namespace dojo::emu

#endif
