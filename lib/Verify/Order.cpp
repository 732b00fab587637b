// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Checks.h"
#include "HappensBefore.h"

#include <optional>

namespace dojo::verify {

/// Rounds of weakening conclusions of waits; compiled programs need one.
static constexpr unsigned maxRounds = 8;

/// A semaphore on which two threads of a node wait: which of them a signal serves is open.
static bool hasSharedWaits(const Program &program) {
  std::vector<int32_t> waiter(program.index.image.target.positions() * 256, -1);
  for (size_t t = 0; t < program.threads.size(); ++t)
    for (const Event &e : program.threads[t].events) {
      if (e.kind != Event::Kind::Wait)
        continue;
      int32_t &first = waiter[program.threads[t].node * 256 + e.semaphore];
      if (first >= 0 && first != int32_t(t))
        return true;
      first = int32_t(t);
    }
  return false;
}

void checkOrder(const Program &program, Report &report) {
  auto undecided = [&](const char *why) { report.add(Check::Order, Verdict::Undecided, why); };
  if (!program.complete())
    return undecided("not every thread could be followed to its end");
  if (hasSharedWaits(program))
    return undecided("two threads wait on one semaphore");
  WaitMarks marks;
  for (unsigned round = 1; round <= maxRounds; ++round) {
    HappensBefore graph(program, marks);
    report.statistics.rounds = round;
    if (!graph.run())
      continue;
    report.statistics.accesses = graph.accesses();
    return graph.report(report);
  }
  undecided("waits may be passed by signals in too many different ways");
}

} // namespace dojo::verify
