// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two threads of a node that wait on one semaphore: whether that is a fault, and which wait takes
// what, depends on cycles alone, not on how far a thread had run ahead of other nodes (but for what
// rule 15 of docs/timing.md leaves open).
#include "TestMachine.h"

#include "dojo/Emulator/Session.h"

#include <algorithm>
#include <random>

using namespace dojo;
using namespace dojo::emu;

namespace {

constexpr uint64_t forever = ~uint64_t(0);

// `count` cycles, of which the other threads see nothing or, with slots, each.
std::string idle(unsigned count, bool slots, const std::string &label) {
  return "li x2, " + std::to_string(count) + "\n" + label + ":\n" +
         (slots ? "add x3, x3, x2\nadd x3, x3, x2\n" : "") + "loop x2, " + label + "\n";
}

struct Node1 {
  std::string thread[3]; // of node 1
};

// Node 0 signals a semaphore of node 1, so many cycles after the one before.
struct Signal {
  unsigned after, semaphore;
};

class Waiters : public testing::Test {
protected:
  void SetUp() override {
    Target die;
    std::string error;
    ASSERT_TRUE(loadTarget("d1", die, error)) << error;
    ASSERT_TRUE(die.withPartition(1, 2, target, error)) << error;
    nodes = target.usableNodes();
  }

  std::unique_ptr<TestMachine> machine(const Node1 &threads, const std::vector<Signal> &signals) {
    auto m = std::make_unique<TestMachine>(target);
    auto sender = static_cast<uint32_t>(nodes[0]), receiver = static_cast<uint32_t>(nodes[1]);
    std::string text = "li x1, " + std::to_string(receiver) + "\n";
    for (size_t i = 0; i < signals.size(); ++i)
      text += idle(signals[i].after, true, "l" + std::to_string(i)) + "signalr x1, s" +
              std::to_string(signals[i].semaphore) + "\n";
    m->program(sender, 0, text + "halt");
    for (unsigned t = 0; t < 3; ++t)
      if (!threads.thread[t].empty())
        m->program(receiver, t, threads.thread[t] + "halt");
    return m;
  }

  std::string run(const Node1 &threads, const std::vector<Signal> &signals,
                  const RunOptions &options, uint64_t step, const StopConditions &stops = {}) {
    auto m = machine(threads, signals);
    Session session(*m->machine, options);
    session.setStops(stops);
    for (uint64_t at = step; session.advanceTo(at);)
      at += step;
    RunResult result = session.finish();
    return result.fault ? result.fault->message(target)
                        : "cycle " + std::to_string(result.counters.cycles);
  }

  // The same end, however it is run and wherever it stops. Returns the end.
  std::string hold(const Node1 &threads, const std::vector<Signal> &signals) {
    RunOptions options;
    options.engine = Engine::Plain;
    // Nothing runs ahead where a thread may stop inside a cycle.
    StopConditions stops;
    stops.breakpoints.push_back({.nodes = {}, .pc = 4});
    std::string end = run(threads, signals, options, forever, stops);
    for (Engine engine : {Engine::Plain, Engine::Fast})
      for (unsigned hostThreads : {1u, 2u, 3u})
        for (uint64_t step : {uint64_t(1), uint64_t(7), uint64_t(100), forever}) {
          options.engine = engine;
          options.threads = hostThreads;
          EXPECT_EQ(run(threads, signals, options, step), end)
              << (engine == Engine::Plain ? "plain" : "fast") << ", " << hostThreads
              << " host threads, in steps of " << step;
        }
    return end;
  }

  Target target;
  std::vector<int64_t> nodes;
};

} // namespace

TEST_F(Waiters, TakeTurns) {
  for (bool slots : {false, true}) {
    // The first wait passes at about 40, the second begins at 300.
    Node1 turns = {{"wait s1, 1\n", idle(300, slots, "l") + "wait s1, 1\n", ""}};
    EXPECT_TRUE(hold(turns, {{20, 1}, {500, 1}}).starts_with("cycle"));
    EXPECT_TRUE(hold(turns, {{500, 1}, {500, 1}}).find("second waiter") != std::string::npos);
    // Thread 1 waits at about 50, when thread 0 may have run ahead to its wait at about 100.
    Node1 behind = {{idle(100, true, "l") + "wait s1, 1\n", "wait s2, 1\nwait s1, 1\n", ""}};
    EXPECT_TRUE(hold(behind, {{40, 2}, {10, 1}, {300, 1}}).starts_with("cycle"));
    EXPECT_TRUE(hold(behind, {{40, 2}, {90, 1}, {300, 1}}).find("thread 0 waits on semaphore 1") !=
                std::string::npos);
  }
}

// Of a thread that waits for the first time, those that have waited before have to be behind.
TEST_F(Waiters, AgreeOnRandomTurns) {
  unsigned faults = 0, runs = 40;
  for (unsigned seed = 1; seed <= runs; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 engine(seed);
    auto upTo = [&engine](unsigned n) { return 1 + static_cast<unsigned>(engine()) % n; };
    Node1 threads;
    std::vector<Signal> signals;
    for (unsigned t = 0; t < 3; ++t) {
      std::string &text = threads.thread[t];
      if (t > 0)
        text = "wait s" + std::to_string(10 + t) + ", 1\n";
      text += "signal s1\nwait s1, 1\nsignal s2\nwait s2, 1\n";
      if (t < 2)
        text += "signal s" + std::to_string(11 + t) + "\n";
      for (unsigned i = 0; i < 3; ++i) {
        signals.push_back({upTo(80), upTo(2)});
        text += idle(upTo(400), upTo(2) == 1, "l" + std::to_string(i)) + "wait s" +
                std::to_string(signals.back().semaphore) + ", 1\n";
      }
    }
    std::shuffle(signals.begin(), signals.end(), engine);
    faults += hold(threads, signals).find("second waiter") != std::string::npos;
    if (HasFailure())
      return;
  }
  EXPECT_GT(faults, runs / 4);
  EXPECT_LT(faults, runs - runs / 4);
}
