// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs in pieces: stopped at cycles, saved and resumed on another machine, with another engine and
// other host threads, they end as if nothing had happened; damaged state is refused or harmless.
#include "RandomCode.h"

#include "dojo/Emulator/Session.h"
#include "runtime/emulator/Archive.h"
#include <random>

using namespace dojo;
using namespace dojo::emu;

namespace {

struct End {
  std::string fault;
  std::vector<uint64_t> counters;
  std::map<uint32_t, std::vector<uint8_t>> memory;
  bool operator==(const End &) const = default;
};

End endOf(TestMachine &m, const Target &target, const RunResult &result) {
  End end;
  const Counters &c = result.counters;
  end.counters = {c.cycles,  c.instructions, c.matrixSteps, c.simdOperations,
                  c.packets, c.linkPackets,  c.trains,      c.nodesUsed};
  for (const LayerCounters &l : c.layers)
    end.counters.insert(end.counters.end(), {l.end, l.instructions, l.matrixSteps, l.simdOperations,
                                             l.busiestNodeWork, l.nodesWithWork});
  if (result.fault) {
    end.fault = result.fault->message(target);
    end.counters.clear(); // how far other nodes have run ahead is not defined
    return end;
  }
  for (int64_t node : target.usableNodes())
    end.memory[uint32_t(node)] =
        m.read<uint8_t>(uint32_t(node), 0, static_cast<size_t>(target.sramBytes));
  return end;
}

class Snapshots : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    Target die;
    std::string error;
    ASSERT_TRUE(loadTarget(GetParam(), die, error)) << error;
    ASSERT_TRUE(die.withPartition(2, 2, target, error)) << error;
  }

  std::unique_ptr<TestMachine> machine(unsigned seed, const RandomCodeOptions &code) {
    auto m = std::make_unique<TestMachine>(target);
    placeRandomCode(*m, target, seed, code);
    return m;
  }

  Target target;
};

TEST_P(Snapshots, StopsAndResumesChangeNothing) {
  unsigned resumed = 0;
  for (unsigned seed = 1; seed <= 12; ++seed) {
    RandomCodeOptions code{.threads = 1 + seed % 2,
                           .declared = seed % 3 == 0,
                           .ranges = seed % 4 != 0,
                           .wild = seed % 5 == 0};
    RunOptions options;
    options.watchdog = seed % 6 ? 300'000 : 2'000;
    if (seed % 4 == 1)
      options.jitterSeed = seed;
    options.engine = Engine::Plain;
    auto whole = machine(seed, code);
    RunResult result = whole->run(options);
    End reference = endOf(*whole, target, result);
    uint64_t cycles = result.fault ? result.fault->cycle : result.counters.cycles;

    // One machine goes on in steps, and at each stop is saved and resumed on another.
    auto stepped = machine(seed, code);
    options.engine = seed % 2 ? Engine::Fast : Engine::Plain;
    options.threads = 1 + seed % 3;
    Session session(*stepped->machine, options);
    for (uint64_t at = seed; session.advanceTo(at); at += std::max<uint64_t>(1, cycles / 6)) {
      std::vector<uint8_t> state, sameState;
      std::string error;
      ASSERT_TRUE(session.save(state, error)) << error;

      RunOptions other;
      other.engine = seed % 3 ? Engine::Fast : Engine::Plain;
      other.threads = 3 - seed % 3;
      other.watchdog = options.watchdog;
      auto target2 = machine(seed, code);
      auto resumedRun = Session::resume(*target2->machine, other, state, error);
      ASSERT_TRUE(resumedRun) << error;
      EXPECT_EQ(resumedRun->now(), at);
      ASSERT_TRUE(resumedRun->save(sameState, error)) << error;
      EXPECT_TRUE(state == sameState) << "seed " << seed << " at " << at;
      EXPECT_FALSE(resumedRun->advanceTo(~uint64_t(0)));
      End end = endOf(*target2, target, resumedRun->finish());
      ASSERT_EQ(end.fault, reference.fault) << "seed " << seed << " at " << at;
      ASSERT_TRUE(end == reference) << "seed " << seed << " at " << at;
      ++resumed;
    }
    ASSERT_TRUE(endOf(*stepped, target, session.finish()) == reference) << "seed " << seed;
  }
  EXPECT_GT(resumed, 40u);
}

// What is saved at a cycle does not depend on who got there.
TEST_P(Snapshots, StateIsTheSameForAnyEngineAndThreads) {
  for (unsigned seed = 1; seed <= 6; ++seed)
    for (uint64_t at : {1u, 100u, 500u, 1111u, 2500u}) {
      std::vector<uint8_t> first;
      for (Engine engine : {Engine::Plain, Engine::Fast})
        for (unsigned threads : {1u, 2u}) {
          auto m = machine(seed, {.threads = 1 + seed % 2, .ranges = true});
          RunOptions options;
          options.engine = engine;
          options.threads = threads;
          Session session(*m->machine, options);
          if (!session.advanceTo(at))
            continue;
          std::vector<uint8_t> state;
          std::string error;
          ASSERT_TRUE(session.save(state, error)) << error;
          if (first.empty())
            first = state;
          EXPECT_TRUE(first == state) << "seed " << seed << " at " << at;
        }
    }
}

// A thread made of control instructions alone has ended before other code.
TEST_P(Snapshots, EndedThreadsStayEnded) {
  auto place = [](TestMachine &m) {
    m.program(0, 0, "li x3, 100\nnext:\naddi x4, x4, 1\nloop x3, next\nhalt");
    m.program(0, 2, "nop\nhalt\nvfadd v1, v1, v1\nhalt");
  };
  TestMachine m(target), other(target);
  place(m);
  place(other);
  Session session(*m.machine, {});
  ASSERT_TRUE(session.advanceTo(50));
  std::vector<uint8_t> state;
  std::string error;
  ASSERT_TRUE(session.save(state, error)) << error;
  auto rest = Session::resume(*other.machine, {}, state, error);
  ASSERT_TRUE(rest) << error;
  EXPECT_FALSE(rest->advanceTo(~uint64_t(0)));
  EXPECT_FALSE(session.advanceTo(~uint64_t(0)));
  EXPECT_EQ(rest->finish().counters.cycles, session.finish().counters.cycles);
  EXPECT_EQ(other.machine->scalarRegister(0, 0, 4), 100u);
}

// Where there is no code a thread cannot be.
TEST_P(Snapshots, RefusesAThreadOutsideCode) {
  const std::string text = "li x3, 100\nnext:\naddi x4, x4, 1\nloop x3, next\nhalt";
  TestMachine m(target);
  m.program(0, 0, text);
  Session session(*m.machine, {});
  ASSERT_TRUE(session.advanceTo(50));
  std::vector<uint8_t> state;
  std::string error;
  ASSERT_TRUE(session.save(state, error)) << error;
  auto range = [](uint32_t begin, uint32_t end) {
    std::vector<uint8_t> bytes;
    ArchiveWriter a(bytes, 0);
    a(begin);
    a(end);
    return bytes;
  };
  constexpr uint32_t code = TestMachine::codeBase;
  std::vector<uint8_t> own = range(code, code + static_cast<uint32_t>(assemble(text, code).size()));
  auto at = std::search(state.begin(), state.end(), own.begin(), own.end());
  ASSERT_NE(at, state.end());
  std::vector<uint8_t> before = range(0, code), bad(state.begin(), at);
  bad.insert(bad.end(), before.begin(), before.end());
  bad.insert(bad.end(), at + static_cast<std::ptrdiff_t>(own.size()), state.end());
  ASSERT_TRUE(Session::resume(*m.machine, {}, state, error)) << error;
  EXPECT_FALSE(Session::resume(*m.machine, {}, bad, error));
  EXPECT_EQ(error, "the saved state is damaged");
}

TEST_P(Snapshots, DamagedStateIsRefusedOrHarmless) {
  RandomCodeOptions code{.declared = true, .ranges = true};
  auto m = machine(7, code);
  RunOptions options;
  options.watchdog = 20'000;
  Session session(*m->machine, options);
  ASSERT_TRUE(session.advanceTo(400));
  std::vector<uint8_t> state;
  std::string error;
  ASSERT_TRUE(session.save(state, error)) << error;

  auto other = machine(7, code);
  End before = endOf(*other, target, RunResult());
  for (size_t size = 0; size < state.size(); size += 1 + size / 50) {
    error.clear();
    EXPECT_FALSE(Session::resume(*other->machine, options, std::span(state).first(size), error));
    EXPECT_FALSE(error.empty());
  }
  EXPECT_TRUE(endOf(*other, target, RunResult()) == before) << "memory has changed";

  std::mt19937 engine(1);
  unsigned refused = 0, ran = 0;
  for (unsigned i = 0; i < 1500; ++i) {
    std::vector<uint8_t> bad = state;
    // Most of the state is memory; the front part has the rest.
    size_t part = i % 4 ? std::min<size_t>(bad.size(), 12'000) : bad.size();
    for (unsigned n = 1 + engine() % 3; n > 0; --n)
      bad[engine() % part] = static_cast<uint8_t>(i % 2 ? engine() : 1u << engine() % 8);
    error.clear();
    auto session = Session::resume(*other->machine, options, bad, error);
    if (!session) {
      EXPECT_FALSE(error.empty());
      ++refused;
      continue;
    }
    session->advanceTo(~uint64_t(0));
    session->finish();
    ++ran;
  }
  EXPECT_GT(refused, 50u);
  EXPECT_GT(ran, 50u);
}

// A run after a refused state finds registers, accumulators and semaphores as they are made.
TEST_P(Snapshots, ARefusedStateLeavesNothing) {
  std::string text = "li x1, 0x20000\n";
  for (unsigned i = 0; i < 32; ++i)
    text += "vst v" + std::to_string(i) + ", (x1)+64, w32, m0\n";
  for (int64_t acc = 0; acc < target.accumulators; ++acc)
    for (unsigned quarter = 0; quarter < 4; ++quarter)
      text += "drain v0, acc" + std::to_string(acc) + ", " + std::to_string(quarter) +
              "\nvst v0, (x1)+64, w32, m0\n";
  for (unsigned i = 2; i < 32; ++i)
    text += "sd x" + std::to_string(i) + ", " + std::to_string(8 * i) + "(x1)\n";
  text += "li x2, 0x10000\n";
  for (unsigned i = 0; i < 32; ++i)
    text += "vld v" + std::to_string(i) + ", 0(x2), w32, m0\n";
  for (int64_t acc = 0; acc < target.accumulators; ++acc)
    for (unsigned quarter = 0; quarter < 4; ++quarter)
      text += "fill acc" + std::to_string(acc) + ", " + std::to_string(quarter) + ", v1\n";
  for (unsigned i = 5; i < 32; ++i)
    text += "li x" + std::to_string(i) + ", 77\n";
  text += "signal s9\nli x3, 1000\nnext:\naddi x4, x4, 1\nloop x3, next\nwait s9, 1\nhalt";
  auto made = [&] {
    auto m = std::make_unique<TestMachine>(target);
    m->write(0, 0x10000, std::vector<uint32_t>(16, 0x3F800000));
    m->program(0, 0, text);
    return m;
  };
  auto fresh = made();
  RunResult result = fresh->run({});
  End reference = endOf(*fresh, target, result);
  ASSERT_EQ(reference.fault, "");

  std::vector<uint8_t> state;
  std::string error;
  {
    auto saved = made();
    Session session(*saved->machine, {});
    ASSERT_TRUE(session.advanceTo(result.counters.cycles - 500));
    ASSERT_TRUE(session.save(state, error)) << error;
  }
  for (size_t size = 0; size < state.size(); size += 1 + state.size() / 16) {
    auto m = made();
    ASSERT_FALSE(Session::resume(*m->machine, {}, std::span(state).first(size), error));
    ASSERT_TRUE(endOf(*m, target, m->run({})) == reference) << size << " of " << state.size();
  }
}

TEST_P(Snapshots, RefusesWhatDoesNotFit) {
  RandomCodeOptions code{.ranges = true};
  auto m = machine(3, code);
  std::string error;
  std::vector<uint8_t> state;
  {
    Session session(*m->machine, functional());
    EXPECT_FALSE(session.save(state, error));
    EXPECT_EQ(error, "a run without timing has no state between cycles to save");
  }
  Session session(*m->machine, {});
  ASSERT_TRUE(session.advanceTo(100));
  ASSERT_TRUE(session.save(state, error)) << error;
  auto refusal = [&](const RunOptions &options, TestMachine &on) {
    EXPECT_FALSE(Session::resume(*on.machine, options, state, error));
    return error;
  };
  auto same = machine(3, code);
  EXPECT_EQ(refusal(functional(), *same), "a saved run has timing; it cannot go on without");
  RunOptions counted;
  counted.nodeCounters = true;
  RunOptions checked;
  checked.checks.races = true;
  for (const RunOptions &options : {counted, checked})
    EXPECT_EQ(refusal(options, *same), "traces, counters of nodes and checks need the whole run; "
                                       "they do not go with a saved one");
  TestMachine empty(target);
  EXPECT_EQ(refusal({}, empty), "the saved state is of another program");
  TestMachine otherTarget(GetParam() == "d1" ? "d1-pessimistic" : "d1");
  EXPECT_EQ(refusal({}, otherTarget), "the saved state is of another target");
  state.push_back(0);
  EXPECT_EQ(refusal({}, *same), "the saved state is damaged");
  EXPECT_FALSE(session.advanceTo(~uint64_t(0)));
  EXPECT_TRUE(session.ended());
  EXPECT_FALSE(session.save(state, error));
  EXPECT_EQ(error, "the run has ended");
}

INSTANTIATE_TEST_SUITE_P(Targets, Snapshots, testing::Values("d1", "d1-pessimistic"),
                         [](const auto &info) {
                           return info.param == "d1" ? "d1" : "pessimistic";
                         });

} // namespace
