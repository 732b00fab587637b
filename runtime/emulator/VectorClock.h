// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector clocks (Mattern 1988) over the threads of a die. A thread counts its steps; its clock says
// of every other thread how many of that thread's steps are known to be over. A clock changes with
// waits alone, so signals share it.
#ifndef DOJO_EMULATOR_VECTORCLOCK_H
#define DOJO_EMULATOR_VECTORCLOCK_H

#include <algorithm>
#include <cstdint>
#include <memory>

namespace dojo::emu {

/// A step of a thread, which has a number among all that take part.
struct Epoch {
  uint32_t thread = 0, step = 0;
};

/// What is known at some point of a thread. Copies share the clock.
struct Knowledge {
  std::shared_ptr<const uint32_t[]> clock; // by thread; of its own thread, `self` counts
  Epoch self;

  bool covers(Epoch e) const {
    return e.step <= (e.thread == self.thread ? self.step : clock[e.thread]);
  }
};

/// Puts together what a thread knows and what it is told.
class ClockMerge {
public:
  ClockMerge(const Knowledge &start, size_t threads) : result(start), threads(threads) {}

  void add(const Knowledge &told) {
    // Who knows a step of a thread knows all that the thread knew then.
    if (result.covers(told.self))
      return;
    if (!own) {
      std::shared_ptr<uint32_t[]> copy(new uint32_t[threads]);
      std::copy_n(result.clock.get(), threads, copy.get());
      own = copy.get();
      result.clock = std::move(copy);
    }
    const uint32_t *other = told.clock.get();
    for (size_t i = 0; i < threads; ++i)
      own[i] = std::max(own[i], other[i]);
    own[told.self.thread] = std::max(own[told.self.thread], told.self.step);
  }
  const Knowledge &get() const { return result; }

private:
  Knowledge result;
  size_t threads;
  uint32_t *own = nullptr; // the result's clock, once it is no longer shared
};

} // namespace dojo::emu

#endif
