// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random small programs against what the checker says of them: if it accepts one, every schedule of
// it ends, and every read sees the same write in all of them. The schedules are drawn by a plain
// executor that delays threads, reads of transfers and deliveries at random.

#include "lib/Verify/Checks.h"
#include "lib/Verify/Program.h"

#include "dojo/Image/Builder.h"

#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>

using namespace dojo;
using namespace dojo::verify;
using isa::Descriptor;

namespace {

constexpr uint32_t numNodes = 2, numWords = 3, numSemaphores = 3;
using Random = std::mt19937;

uint32_t below(Random &random, uint32_t limit) { return random() % limit; }

/// Two nodes of two threads; signals, pushes, copies, pulls, loads and stores at random, and for
/// each semaphore waits of one thread that together take all signals.
void makeProgram(Program &program, Random &random) {
  for (uint32_t node = 0; node < numNodes; ++node)
    for (uint32_t t = 0; t < 2; ++t) {
      ThreadTrace trace;
      trace.node = node, trace.thread = t, trace.complete = true;
      program.threads.push_back(trace);
    }
  std::map<std::pair<uint32_t, uint8_t>, uint32_t> signals;
  auto semaphoreOf = [&](uint32_t node) {
    uint8_t number = uint8_t(below(random, numSemaphores));
    ++signals[{node, number}];
    return number;
  };
  uint32_t count = 4 + below(random, 8);
  for (uint32_t i = 0; i < count; ++i) {
    ThreadTrace &trace = program.threads[below(random, uint32_t(program.threads.size()))];
    uint32_t node = trace.node, other = below(random, numNodes);
    Event e{Event::Kind::Access};
    switch (below(random, 7)) {
    case 0:
    case 1:
    case 2:
      e.index = uint32_t(program.accesses.size());
      program.accesses.push_back({4 * below(random, numWords), 4, below(random, 2) == 0});
      break;
    case 3:
      e.kind = Event::Kind::Signal;
      e.amount = 1, e.semaphore = semaphoreOf(node);
      break;
    case 4: {
      e.kind = Event::Kind::RemoteSignal;
      e.index = uint32_t(program.remoteSignals.size());
      program.remoteSignals.push_back(
          {uint32_t(program.receivers.size()), 1, semaphoreOf(other), 1});
      program.receivers.push_back(other);
      break;
    }
    default: {
      Transfer t;
      t.node = node;
      t.d.kind = below(random, 4) ? Descriptor::Kind::Push : Descriptor::Kind::Pull;
      t.d.node = uint16_t(other), t.d.runBytes = 4;
      t.d.localAddress = 4 * below(random, numWords);
      t.d.remoteAddress = 4 * below(random, numWords);
      t.d.hasFarSemaphore = below(random, 4) > 0, t.d.hasOwnSemaphore = below(random, 3) == 0;
      if (t.d.hasFarSemaphore)
        t.d.farSemaphore = semaphoreOf(other);
      if (t.d.hasOwnSemaphore)
        t.d.ownSemaphore = semaphoreOf(node);
      t.firstReceiver = uint32_t(program.receivers.size()), t.numReceivers = 1;
      program.receivers.push_back(other);
      e.kind = Event::Kind::Transfer;
      e.index = uint32_t(program.transfers.size());
      program.transfers.push_back(t);
      break;
    }
    }
    trace.events.push_back(e);
  }
  for (auto [where, total] : signals) {
    ThreadTrace &waiter = program.threads[2 * where.first + below(random, 2)];
    while (total > 0) {
      Event e{Event::Kind::Wait};
      e.semaphore = where.second;
      e.amount = 1 + below(random, total);
      total -= e.amount;
      auto at = waiter.events.begin() + below(random, uint32_t(waiter.events.size()) + 1);
      waiter.events.insert(at, e);
    }
  }
}

/// One schedule. Words hold the number of the write that was last; a read notes what it saw.
class Execution {
public:
  Execution(const Program &program, Random &random) : program(program), random(random) {}

  /// False if it does not end.
  bool run() {
    at.assign(program.threads.size(), 0);
    for (;;) {
      std::vector<uint32_t> able;
      for (uint32_t t = 0; t < at.size(); ++t)
        if (canStep(t))
          able.push_back(t);
      size_t choices = able.size() + flying.size();
      if (choices == 0)
        break;
      // Now and then one side is starved for a while.
      size_t choice = below(random, uint32_t(choices));
      if (choice < able.size())
        step(able[choice]);
      else
        land(choice - able.size());
    }
    for (uint32_t t = 0; t < at.size(); ++t)
      if (at[t] < program.threads[t].events.size())
        return false;
    return true;
  }

  std::map<std::pair<uint32_t, uint32_t>, uint32_t> seen; ///< by thread and event

private:
  /// What a transfer still has to do.
  struct Flight {
    const Transfer *t;
    uint32_t thread, event, value;
    enum { Read, Write, Signal } next;
  };

  bool canStep(uint32_t t) const {
    const auto &events = program.threads[t].events;
    if (at[t] == events.size() || busy.count(t))
      return false;
    const Event &e = events[at[t]];
    auto it = semaphores.find({program.threads[t].node, e.semaphore});
    return e.kind != Event::Kind::Wait || (it != semaphores.end() && it->second >= e.amount);
  }

  uint32_t &word(uint32_t node, uint32_t address) { return memory[{node, address}]; }
  uint32_t numberOf(uint32_t thread, uint32_t event) const { return 1 + 100 * thread + event; }

  void step(uint32_t t) {
    uint32_t node = program.threads[t].node, event = at[t];
    const Event &e = program.threads[t].events[event];
    ++at[t];
    switch (e.kind) {
    case Event::Kind::Wait:
      semaphores[{node, e.semaphore}] -= e.amount;
      break;
    case Event::Kind::Signal:
      semaphores[{node, e.semaphore}] += e.amount;
      break;
    case Event::Kind::RemoteSignal: {
      const RemoteSignal &s = program.remoteSignals[e.index];
      remote.push_back({program.receivers[s.firstReceiver], s.semaphore});
      flying.push_back({nullptr, t, event, uint32_t(remote.size() - 1), Flight::Signal});
      break;
    }
    case Event::Kind::Access: {
      const Access &a = program.accesses[e.index];
      if (a.write)
        word(node, a.address) = numberOf(t, event);
      else
        seen[{t, event}] = word(node, a.address);
      break;
    }
    default:
      flying.push_back({&program.transfers[e.index], t, event, 0, Flight::Read});
      if (program.transfers[e.index].d.kind == Descriptor::Kind::Push)
        busy.insert(t); // until it has left
      break;
    }
  }

  void land(size_t i) {
    Flight &f = flying[i];
    if (!f.t) {
      ++semaphores[remote[f.value]];
      flying.erase(flying.begin() + i);
      return;
    }
    const Descriptor &d = f.t->d;
    bool pull = d.kind == Descriptor::Kind::Pull;
    uint32_t other = program.receivers[f.t->firstReceiver];
    if (f.next == Flight::Read) {
      f.value = pull ? word(other, d.remoteAddress) : word(f.t->node, d.localAddress);
      seen[{f.thread, f.event}] = f.value;
      if (!pull)
        busy.erase(f.thread);
      if (pull && d.hasFarSemaphore)
        ++semaphores[{other, d.farSemaphore}];
      if (!pull && d.hasOwnSemaphore)
        ++semaphores[{f.t->node, d.ownSemaphore}];
      f.next = Flight::Write;
      if (other != f.t->node || pull)
        return;
    }
    if (f.next == Flight::Write) {
      word(pull ? f.t->node : other, pull ? d.localAddress : d.remoteAddress) =
          numberOf(f.thread, f.event);
      f.next = Flight::Signal;
      return;
    }
    if (pull && d.hasOwnSemaphore)
      ++semaphores[{f.t->node, d.ownSemaphore}];
    if (!pull && d.hasFarSemaphore)
      ++semaphores[{other, d.farSemaphore}];
    flying.erase(flying.begin() + i);
  }

  const Program &program;
  Random &random;
  std::vector<uint32_t> at;
  std::set<uint32_t> busy;
  std::vector<Flight> flying;
  std::vector<std::pair<uint32_t, uint8_t>> remote;
  std::map<std::pair<uint32_t, uint8_t>, uint32_t> semaphores;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> memory;
};

/// No code; the words the programs use are a graph input.
image::Image wordsOnly() {
  Target target;
  std::string error;
  EXPECT_TRUE(loadTarget("d1", target, error)) << error;
  EXPECT_TRUE(target.withPartition(1, numNodes, target, error)) << error;
  image::Builder builder(target);
  image::TensorRef in{"x", "f32", {numNodes, numWords}, {numNodes, numWords}, -1, 1, {}, -1, -1};
  for (int64_t node = 0; node < numNodes; ++node)
    in.boxes.push_back({builder.addNodeSet(std::vector<int64_t>{node}),
                        0,
                        {node, 0},
                        {1, numWords},
                        {4 * numWords, 4}});
  builder.image().inputs = {in};
  return builder.take();
}

std::string show(const Program &program) {
  std::string text;
  for (const ThreadTrace &t : program.threads) {
    text += program.threadName(t) + ":";
    for (const Event &e : t.events) {
      switch (e.kind) {
      case Event::Kind::Wait:
        text += " wait s" + std::to_string(e.semaphore) + "," + std::to_string(e.amount);
        break;
      case Event::Kind::Signal:
        text += " signal s" + std::to_string(e.semaphore);
        break;
      case Event::Kind::RemoteSignal: {
        const RemoteSignal &s = program.remoteSignals[e.index];
        text += " signal node " + std::to_string(program.receivers[s.firstReceiver]) + " s" +
                std::to_string(s.semaphore);
        break;
      }
      case Event::Kind::Access:
        text += (program.accesses[e.index].write ? " store " : " load ") +
                std::to_string(program.accesses[e.index].address);
        break;
      default: {
        const Descriptor &d = program.transfers[e.index].d;
        text += std::string(d.kind == Descriptor::Kind::Pull ? " pull " : " push ") +
                std::to_string(d.localAddress) + " node " + std::to_string(d.node) + " " +
                std::to_string(d.remoteAddress);
        if (d.hasFarSemaphore)
          text += " far s" + std::to_string(d.farSemaphore);
        if (d.hasOwnSemaphore)
          text += " own s" + std::to_string(d.ownSemaphore);
        break;
      }
      }
      text += ";";
    }
    text += "\n";
  }
  return text;
}

} // namespace

TEST(Schedule, AcceptedProgramsAreDeterministic) {
  image::Image image = wordsOnly();
  ImageIndex index(image);
  int accepted = 0, withReads = 0, races = 0, witnessed = 0;
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    Program program(index);
    makeProgram(program, random);
    Report report;
    checkOrder(program, report);
    Execution first(program, random);
    bool ends = first.run();
    if (report.verdict() == Verdict::Error && ends) {
      // Not every error has to show, but most should.
      ++races;
      for (int i = 0; i < 40; ++i) {
        Execution other(program, random);
        if (!other.run() || other.seen != first.seen) {
          ++witnessed;
          break;
        }
      }
    }
    if (report.verdict() != Verdict::Accept)
      continue;
    ++accepted;
    withReads += !first.seen.empty();
    ASSERT_TRUE(ends) << "seed " << seed << "\n" << show(program);
    for (int i = 0; i < 40; ++i) {
      Execution other(program, random);
      ASSERT_TRUE(other.run()) << "seed " << seed << "\n" << show(program);
      ASSERT_EQ(other.seen, first.seen) << "seed " << seed << "\n" << show(program);
    }
  }
  RecordProperty("accepted", accepted);
  RecordProperty("withReads", withReads);
  RecordProperty("races", races);
  RecordProperty("witnessed", witnessed);
  EXPECT_GT(withReads, 100) << accepted << " accepted";
}
