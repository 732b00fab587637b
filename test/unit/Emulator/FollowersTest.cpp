// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Transfers that follow each other in a list: the fast engine prepares them ahead, the plain one
// each in its cycle. Cycles, bytes and faults are the same, wherever a run stops between them.
#include "Agreement.h"
#include "TestMachine.h"

#include "dojo/Emulator/Session.h"

#include <random>

using namespace dojo;
using namespace dojo::emu;
using isa::Descriptor;
using Kind = isa::Descriptor::Kind;

namespace {

constexpr uint64_t forever = ~uint64_t(0);
constexpr uint32_t source = 0x40000, destination = 0x60000, patches = 0x90000;

struct Outcome {
  std::string fault;
  Counters counters;
  std::vector<uint8_t> bytes;
};

class Followers : public testing::Test {
protected:
  void SetUp() override {
    Target die;
    std::string error;
    ASSERT_TRUE(loadTarget("d1", die, error)) << error;
    ASSERT_TRUE(die.withPartition(2, 3, target, error)) << error;
    for (int64_t n : target.usableNodes())
      nodes.push_back(static_cast<uint32_t>(n));
  }

  static unsigned upTo(std::mt19937 &engine, unsigned n) {
    return 1 + static_cast<unsigned>(engine()) % n;
  }

  // Each thread writes places of its own, so that bytes do not depend on who comes first.
  Descriptor push(std::mt19937 &engine, uint32_t from, unsigned thread) {
    Descriptor d;
    d.kind = Kind::Push;
    uint32_t own = (from * 4 + thread) * 0x1000 % 0x20000;
    d.localAddress = source + upTo(engine, 4) * 1024;
    d.remoteAddress = destination + own + upTo(engine, 4) * 256;
    d.runBytes = upTo(engine, 8) == 1 ? 0 : upTo(engine, 12) * 32;
    d.count[0] = upTo(engine, 10) == 1 ? 6 : 1;
    d.localStride[0] = 512;
    d.remoteStride[0] = 64;
    d.node = static_cast<uint16_t>(nodes[engine() % nodes.size()]);
    d.hasFarSemaphore = engine() % 2;
    d.farSemaphore = static_cast<uint8_t>(10 + thread);
    if (upTo(engine, 6) == 1) {
      d.hasOwnSemaphore = true;
      d.ownSemaphore = 9;
    }
    if (upTo(engine, 6) == 1) {
      d.addressFromRegister = true;
      d.addressRegister = 5;
    }
    if (upTo(engine, 12) == 1)
      d.kind = Kind::Copy, d.node = 0;
    return d;
  }

  void place(TestMachine &m, unsigned seed, bool wild) {
    std::mt19937 engine(seed);
    std::vector<uint8_t> data(0x8000);
    for (uint32_t n : nodes) {
      for (uint8_t &byte : data)
        byte = static_cast<uint8_t>(engine());
      m.write(n, source, data);
      for (unsigned thread = 1; thread <= upTo(engine, 3); ++thread) {
        std::vector<Descriptor> list;
        for (unsigned i = 0, many = upTo(engine, 24); i < many; ++i) {
          list.push_back(push(engine, n, thread));
          unsigned what = upTo(engine, 20);
          Descriptor between;
          if (what == 1) {
            between.kind = Kind::Signal;
            between.hasOwnSemaphore = true;
            between.ownSemaphore = 8;
            between.amount = 1;
            list.push_back(between);
          } else if (what == 2) {
            between.kind = Kind::Wait; // for what thread 0 signals
            between.ownSemaphore = static_cast<uint8_t>(4 + thread);
            between.amount = 1;
            list.push_back(between);
          } else if (what == 3) {
            // The push after this one is another by then.
            uint32_t at = TestMachine::listAddress(thread) +
                          static_cast<uint32_t>(list.size() + 1) * Descriptor::bytes;
            uint32_t patch = patches + thread * 0x2000 + i * Descriptor::bytes;
            std::vector<uint8_t> bytes(Descriptor::bytes);
            push(engine, n, thread).encode(bytes.data());
            m.write(n, patch, bytes);
            between.kind = Kind::Copy;
            between.localAddress = patch;
            between.remoteAddress = at;
            between.runBytes = Descriptor::bytes;
            list.push_back(between);
            list.push_back(push(engine, n, thread));
          }
        }
        if (wild && upTo(engine, 3) == 1) {
          Descriptor &bad = list[engine() % list.size()];
          if (engine() % 2)
            bad.remoteAddress = 0x7FFFFFFF;
          else
            bad.node = 0xFFF;
        }
        m.list(n, thread, list);
        m.program(n, thread,
                  "li x5, " + std::to_string(source) + "\nlist " +
                      std::to_string(TestMachine::listAddress(thread)) + "\nhalt");
      }
      std::string text;
      for (unsigned i = 0; i < 12; ++i)
        text += "li x2, " + std::to_string(upTo(engine, 60)) + "\nl" + std::to_string(i) +
                ":\nadd x3, x3, x2\nloop x2, l" + std::to_string(i) + "\nsignal s" +
                std::to_string(5 + engine() % 3) + "\n";
      m.program(n, 0, text + "halt");
    }
  }

  Outcome run(unsigned seed, bool wild, const RunOptions &options, uint64_t step) {
    TestMachine m(target);
    place(m, seed, wild);
    Session session(*m.machine, options);
    for (uint64_t at = step; session.advanceTo(at);)
      at += step;
    RunResult result = session.finish();
    Outcome outcome;
    outcome.counters = result.counters;
    if (result.fault)
      outcome.fault = result.fault->message(target);
    for (uint32_t n : nodes) {
      std::vector<uint8_t> bytes = m.read<uint8_t>(n, destination, 0x28000);
      outcome.bytes.insert(outcome.bytes.end(), bytes.begin(), bytes.end());
    }
    return outcome;
  }

  // Semaphores are left over at the end of most of these programs: that fault comes after all else.
  static bool atTheEnd(const Outcome &o) {
    return o.fault.find("all threads have ended") != o.fault.npos;
  }

  void hold(unsigned firstSeed, unsigned seeds, bool wild, uint64_t watchdog) {
    for (unsigned seed = firstSeed; seed < firstSeed + seeds; ++seed) {
      RunOptions options;
      options.engine = Engine::Plain;
      options.watchdog = watchdog ? watchdog + 13 * (seed - firstSeed) : 100'000;
      if (seed % 4 == 0)
        options.jitterSeed = seed;
      Outcome expected = run(seed, wild, options, forever);
      bool whole = expected.fault.empty() || atTheEnd(expected);
      ++(whole ? good : faults);
      options.engine = Engine::Fast;
      for (unsigned hostThreads : {1u, 2u, 3u})
        for (uint64_t step : {uint64_t(5), uint64_t(61), forever}) {
          if (watchdog && step != forever)
            continue; // of several threads that run for too long another may be named
          options.threads = hostThreads;
          options.nodeOrderSeed = seed + step;
          SCOPED_TRACE("seed " + std::to_string(seed) + ", " + std::to_string(hostThreads) +
                       " host threads, in steps of " + std::to_string(step));
          Outcome outcome = run(seed, wild, options, step);
          ASSERT_EQ(outcome.fault, expected.fault);
          if (!whole)
            continue;
          ASSERT_EQ(difference(outcome.counters, expected.counters, true), "");
          ASSERT_TRUE(outcome.bytes == expected.bytes);
        }
    }
  }

  Target target;
  std::vector<uint32_t> nodes;
  unsigned faults = 0, good = 0;
};

// What is in the saved states of a program whose bytes in memory never change: a pull, pushes that
// follow each other, and waits and signals beside them.
class StatesOfLists : public Followers {
protected:
  void place(TestMachine &m) {
    for (uint32_t n : nodes)
      for (uint32_t area : {source, destination})
        m.write(n, area, std::vector<uint8_t>(0x4000, 7));
    auto transfer = [&](Kind kind, unsigned i, bool signals) {
      Descriptor d;
      d.kind = kind;
      d.node = static_cast<uint16_t>(nodes[1 + i % 2]);
      d.localAddress = (kind == Kind::Pull ? destination : source) + i * 0x800;
      d.remoteAddress = (kind == Kind::Pull ? source : destination) + i * 0x800;
      d.runBytes = i % 2 ? 0x100 : 0x800; // one train or two
      d.hasOwnSemaphore = signals;
      d.ownSemaphore = 3;
      return d;
    };
    auto waits = [](uint8_t semaphore) {
      Descriptor d;
      d.kind = Kind::Wait;
      d.ownSemaphore = semaphore;
      d.amount = 1;
      return d;
    };
    std::vector<Descriptor> list = {transfer(Kind::Pull, 0, true)};
    for (unsigned i = 1; i <= 5; ++i)
      list.push_back(transfer(Kind::Push, i, i == 5));
    list.push_back(waits(4));
    list.push_back(transfer(Kind::Push, 6, false));
    list.push_back(transfer(Kind::Push, 7, false));
    m.listThread(nodes[0], 1, list);
    m.program(nodes[0], 0,
              "wait s3, 2\nli x1, " + std::to_string(nodes[2]) +
                  "\nsignalr x1, s5\nli x2, 40\nnext:\nnop\nloop x2, next\nsignal s4\nhalt");
    m.program(nodes[2], 0, "wait s5, 1\nhalt");
  }

  std::vector<std::vector<uint8_t>> states(TestMachine &m, const RunOptions &options,
                                           uint64_t step = 1) {
    std::vector<std::vector<uint8_t>> all;
    Session session(*m.machine, options);
    for (uint64_t at = 0; session.advanceTo(at); at += step) {
      std::string error;
      EXPECT_TRUE(session.save(all.emplace_back(), error)) << error;
    }
    EXPECT_FALSE(session.finish().fault);
    return all;
  }

  static RunOptions options(Engine engine) {
    RunOptions o;
    o.engine = engine;
    return o;
  }
};

} // namespace

// Not of the engine that came there, nor of an earlier run of the machine.
TEST_F(StatesOfLists, AreThoseOfTheirCycles) {
  TestMachine fresh(target);
  place(fresh);
  auto expected = states(fresh, options(Engine::Plain));
  ASSERT_GT(expected.size(), 100u);
  for (Engine engine : {Engine::Plain, Engine::Fast}) {
    TestMachine m(target);
    place(m);
    for (uint64_t step : {1, 10, 25, 40, 1}) {
      auto found = states(m, options(engine), step);
      ASSERT_EQ(found.size(), (expected.size() + step - 1) / step);
      for (size_t i = 0; i < found.size(); ++i)
        ASSERT_TRUE(found[i] == expected[i * step]) << "cycle " << i * step << " of " << step;
    }
  }
}

TEST_F(StatesOfLists, AreResumedOnMachinesThatHaveRun) {
  TestMachine fresh(target);
  place(fresh);
  auto saved = states(fresh, options(Engine::Plain));
  RunResult expected = fresh.runGood(options(Engine::Plain));
  TestMachine m(target);
  place(m);
  for (const std::vector<uint8_t> &state : saved) {
    m.runGood(options(Engine::Fast));
    std::string error;
    auto session = Session::resume(*m.machine, options(Engine::Fast), state, error);
    ASSERT_TRUE(session) << error;
    uint64_t from = session->now();
    EXPECT_FALSE(session->advanceTo(forever));
    RunResult result = session->finish();
    ASSERT_FALSE(result.fault) << "from cycle " << from;
    ASSERT_EQ(difference(result.counters, expected.counters, true), "") << "from cycle " << from;
  }
}

TEST_F(Followers, AgreeOnLists) {
  hold(1, 40, false, 0);
  EXPECT_GT(good, 10u);
}

TEST_F(Followers, AgreeOnFaults) {
  hold(1001, 40, true, 0);
  EXPECT_GT(faults, 10u);
}

TEST_F(Followers, AgreeOnTheWatchdog) {
  hold(2001, 40, false, 60);
  EXPECT_GT(faults, 10u);
}
