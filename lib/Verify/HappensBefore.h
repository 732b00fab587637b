// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Goes through the events of all threads in one order that the semaphores allow and keeps for every
// thread what must have happened before: program order, signals known to have been counted by a
// wait, arrivals, completions of transfers.
//
// A wait that has taken W signals in all knows, of each other thread, what at least one of any W
// signals knows: the W-th smallest of their clocks, component by component. That is sound if it
// holds over all signals that can arrive before the wait passes. Those that come later in the order
// gone through are checked when they come: they must know at least as much (they follow the wait,
// or follow each other in one thread). If one does not, the wait is marked and all is done again
// with the wait delayed and its conclusion weakened.
//
// A transfer is known to have arrived where a wait has taken all signals that can arrive before it.
#ifndef DOJO_LIB_VERIFY_HAPPENSBEFORE_H
#define DOJO_LIB_VERIFY_HAPPENSBEFORE_H

#include "Clock.h"
#include "Program.h"
#include "Shadow.h"

#include <deque>
#include <map>
#include <tuple>
#include <vector>

namespace dojo::verify {

/// What a wait (node, semaphore, number of the wait) may conclude.
enum class WaitMark : uint8_t {
  Exact,    ///< it takes all signals that can arrive before it
  Counting, ///< it takes some of those that can
  Nothing
};
using WaitMarks = std::map<std::tuple<uint32_t, uint8_t, uint32_t>, WaitMark>;

class HappensBefore {
public:
  /// \p marks: what earlier rounds have found; extended by this one.
  HappensBefore(const Program &program, WaitMarks &marks);

  /// False if marks were added: the findings are then worth nothing.
  bool run();
  void report(Report &report) const;
  uint64_t accesses() const { return shadow.accesses; }

private:
  struct Thread {
    const ThreadTrace *trace;
    size_t at = 0;
    int32_t layer = -1; ///< of the code, or of what the thread last waited for
    ClockRef clock;
    bool delayed = false; ///< in `late`
  };
  struct Signal {
    Signal(const Thread &sender, Epoch sent, uint32_t amount, uint32_t first = Shadow::noRecord,
           uint32_t second = Shadow::noRecord)
        : clock(sender.clock), sent(sent), amount(amount), layer(sender.layer),
          records{first, second} {}
    ClockRef clock;
    Epoch sent; ///< what the sender had completed
    uint32_t amount;
    int32_t layer;
    uint32_t records[2]; ///< accesses that it announces
  };
  static constexpr uint32_t nobody = UINT32_MAX, many = UINT32_MAX - 1;
  struct Semaphore {
    uint32_t sender = nobody; ///< the only thread that signals it, in its own order; or many
    uint32_t waiting = nobody;
    uint64_t arrived = 0, waited = 0;
    uint64_t dropped = 0; ///< signals no longer listed: all that is listed knows as much
    uint32_t waits = 0;
    std::deque<Signal> signals;
    // The last wait: its epoch, and what it concluded if it was not exact.
    Epoch lastWait;
    ClockRef concluded;
    std::vector<std::pair<uint32_t, uint32_t>> exact; ///< steps of the waiter, number of the wait
  };

  Semaphore &semaphore(uint32_t node, uint8_t number);
  void findSenders();
  Knowledge knowledge(uint32_t thread) const;
  void advance(uint32_t thread);
  bool wait(uint32_t thread, const Event &e);
  void transfer(uint32_t thread, const Event &e);
  void deliver(uint32_t node, uint8_t number, Signal signal);
  void lateSignal(uint32_t node, uint8_t number, Semaphore &s, const Signal &signal);
  void mark(uint32_t node, uint8_t number, uint32_t wait, WaitMark value);
  static bool knows(const Signal &signal, Epoch e);
  void absorb(uint32_t *clock, const Signal &signal) const;
  void count(Semaphore &s, uint64_t needed, uint32_t *clock);
  bool signals(const ThreadTrace &trace, const Event &e, uint32_t node, uint8_t number) const;
  std::string whoWouldSignal(uint32_t node, uint8_t number) const;
  void reportDeadlock();

  const Program &program;
  WaitMarks &marks;
  bool marked = false;
  ClockPool pool;
  std::vector<Thread> threads;
  std::vector<int32_t> semaphoreIndex; // node * 256 + number
  std::deque<Semaphore> semaphores;
  std::deque<uint32_t> ready, late;
  std::vector<uint32_t> blocked;
  std::vector<Finding> deadlocks;
  Shadow shadow;
};

} // namespace dojo::verify

#endif
