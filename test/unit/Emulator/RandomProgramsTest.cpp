// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random programs on a corner of the die: cycles against the second implementation of the rules,
// equal results for any number of host threads, in a second run, with jitter and without timing.
//
// Programs cannot deadlock: they are grown in one global order, each wait after its signal.
#include "TestMachine.h"
#include "TimingReference.h"
#include "dojo/Emulator/Session.h"

#include <random>

using namespace dojo;
using namespace dojo::emu;
using isa::Descriptor;
using Kind = Descriptor::Kind;

namespace {

struct RandomProgram {
  struct Thread {
    bool controlOnly = false;
    std::string text;
    std::vector<std::pair<uint32_t, std::vector<Descriptor>>> lists;
  };
  const Target &target;
  std::mt19937 engine;
  std::map<std::pair<int, int>, Thread> threads;
  std::vector<int> nodes;
  unsigned labels = 0;

  int below(int n) { return static_cast<int>(engine() % static_cast<unsigned>(n)); }

  RandomProgram(const Target &target, unsigned seed, int steps) : target(target), engine(seed) {
    for (int64_t n : target.usableNodes())
      nodes.push_back(static_cast<int>(n));
    for (int node : nodes)
      for (int t = 0; t < 4; ++t)
        if (below(3)) {
          threads[{node, t}].controlOnly = t >= 2 && below(4);
          threads[{node, t}].text = "li x9, 3\n";
        }
    for (int i = 0; i < steps; ++i)
      step();
    for (auto &[id, thread] : threads)
      thread.text += "halt\n";
  }

  std::pair<const std::pair<int, int>, Thread> &anyThread() {
    return *std::next(threads.begin(), below(static_cast<int>(threads.size())));
  }

  std::string reg(const char *file) { return file + std::to_string(1 + below(6)); }
  std::string address(int multiple) { return std::to_string(below(30) * multiple) + "(x0)"; }

  // Every class of instruction; what is stored and loaded does not matter here.
  std::string instruction(bool controlOnly) {
    if (controlOnly)
      return below(2) ? "nop\n" : "li x" + std::to_string(1 + below(6)) + ", 7\n";
    std::string x = reg("x"), y = reg("x"), v = reg("v"), w = reg("v"), m = reg("m");
    std::string acc = "acc" + std::to_string(below(3));
    switch (below(20)) {
    case 0:
      return "nop\n";
    case 1:
      return "li " + x + ", 12\n";
    case 2:
    case 3:
      return "addi " + x + ", " + y + ", 1\n";
    case 4:
      return "mul x7, " + y + ", " + x + "\n";
    case 5:
      return below(3) ? "nop\n" : "div x8, " + y + ", x7\n";
    case 6:
      return "ld x7, " + address(8) + "\n";
    case 7:
      return "sd " + x + ", " + address(8) + "\n";
    case 8:
      return "vld " + v + ", " + address(16) + ", w32, m0\n";
    case 9:
      return "vst " + v + ", " + address(16) + ", bf16, " + m + "\n";
    case 10:
      return "vfadd.m " + v + ", " + w + ", " + address(16) + ", w32\n";
    case 11:
      return "vfma " + v + ", " + w + ", " + reg("v") + ", " + v + "\n";
    case 12:
      return "vmov " + v + ", " + w + "\n";
    case 13:
      return "vrcpe " + v + ", " + w + "\n";
    case 14:
      return "vgather8 " + v + ", x0, v0, m0\n";
    case 15:
      return "mm " + acc + ", " + v + ", " + w + ", 0, bf16\n";
    case 16:
      return "mm.mm " + acc + ", " + address(16) + ", " + address(16) + ", 0, bf16\n";
    case 17:
      return "drain " + v + ", " + acc + ", 1\n";
    case 18:
      return "fill " + acc + ", 2, " + v + "\n";
    default:
      return "vfcmp " + m + ", " + v + ", " + w + ", lt\n";
    }
  }

  void burst(Thread &t) {
    std::string body;
    for (int i = 1 + below(8); i > 0; --i)
      body += instruction(t.controlOnly);
    if (below(3) == 0) {
      std::string label = "l" + std::to_string(labels++);
      body = "li x9, " + std::to_string(1 + below(5)) + "\n" + label + ":\n" + body + "loop x9, " +
             label + "\n";
    } else if (below(4) == 0) { // a forward branch, right or wrong
      std::string label = "l" + std::to_string(labels++);
      body = (below(2) ? "bne x0, x9, " : "beq x0, x9, ") + label + "\n" + body + label + ":\n";
    }
    t.text += body;
  }

  void addList(int node, Thread &t, std::vector<Descriptor> list) {
    uint32_t at = 0x20000;
    for (auto &[id, other] : threads)
      if (id.first == node)
        for (auto &[address, descriptors] : other.lists)
          at = std::max(at, address + 64 * static_cast<uint32_t>(descriptors.size() + 1));
    t.text += "list " + std::to_string(at) + "\n";
    t.lists.emplace_back(at, std::move(list));
  }

  // Semaphores 16t .. 16t+15 of a node belong to its thread t, which alone waits on them.
  void waitFor(int node, int thread, int semaphore, int amount) {
    Thread &t = threads.at({node, thread});
    if (below(2)) {
      t.text += "wait s" + std::to_string(semaphore) + ", " + std::to_string(amount) + "\n";
      return;
    }
    Descriptor wait;
    wait.kind = Kind::Wait;
    wait.ownSemaphore = static_cast<uint8_t>(semaphore);
    wait.amount = static_cast<uint16_t>(amount);
    addList(node, t, {wait});
  }

  Descriptor transfer() {
    Descriptor d;
    d.localAddress = 0x80000 + static_cast<uint32_t>(below(1000));
    d.remoteAddress = 0x90000 + static_cast<uint32_t>(below(1000));
    d.runBytes = static_cast<uint32_t>(below(5) ? 1 + below(400) : 0);
    d.count[0] = static_cast<uint32_t>(below(6) ? 1 + below(9) : 1);
    d.count[1] = static_cast<uint32_t>(1 + below(3));
    d.localStride[0] = d.remoteStride[0] = 500;
    return d;
  }

  void step() {
    auto &[from, sender] = anyThread();
    burst(sender);
    auto &[to, receiver] = anyThread();
    int semaphore = 16 * to.second + below(16);
    int own = 16 * from.second + below(16);
    std::string name = "s" + std::to_string(semaphore);
    switch (below(7)) {
    case 0:
      if (from.first == to.first) {
        sender.text += "signal " + name + "\n";
        waitFor(to.first, to.second, semaphore, 1);
      }
      return;
    case 1:
      sender.text += "li x10, " + std::to_string(to.first) + "\nsignalr x10, " + name + "\n";
      waitFor(to.first, to.second, semaphore, 1);
      return;
    case 2:
    case 3: {
      Descriptor d = transfer();
      d.kind = from.first == to.first && below(2) ? Kind::Copy : Kind::Push;
      d.node = static_cast<uint16_t>(to.first);
      d.hasFarSemaphore = true;
      d.farSemaphore = static_cast<uint8_t>(semaphore);
      d.hasOwnSemaphore = below(2);
      d.ownSemaphore = static_cast<uint8_t>(own);
      std::vector<Descriptor> list = {d};
      if (d.hasOwnSemaphore) {
        Descriptor wait;
        wait.kind = Kind::Wait;
        wait.ownSemaphore = d.ownSemaphore;
        wait.amount = 1;
        list.push_back(wait);
      }
      addList(from.first, sender, list);
      waitFor(to.first, to.second, semaphore, 1);
      return;
    }
    case 4: {
      Descriptor d = transfer();
      d.kind = Kind::Pull;
      d.node = static_cast<uint16_t>(to.first);
      d.hasFarSemaphore = d.hasOwnSemaphore = true;
      d.farSemaphore = static_cast<uint8_t>(semaphore);
      d.ownSemaphore = static_cast<uint8_t>(own);
      addList(from.first, sender, {d});
      waitFor(from.first, from.second, own, 1);
      waitFor(to.first, to.second, semaphore, 1);
      return;
    }
    case 5: {
      Descriptor d;
      d.kind = Kind::Signal;
      d.node = static_cast<uint16_t>(to.first);
      d.hasFarSemaphore = true;
      d.farSemaphore = static_cast<uint8_t>(semaphore);
      d.amount = 3;
      addList(from.first, sender, {d});
      waitFor(to.first, to.second, semaphore, 3);
      return;
    }
    default:
      multicast(from.first, sender);
    }
  }

  // Along the row away from the sender, or to a column; every receiver has a thread that waits.
  void multicast(int from, Thread &sender) {
    if (!target.multicast)
      return;
    int columns = static_cast<int>(target.columns), row = from / columns, column = from % columns;
    Descriptor d = transfer();
    d.kind = Kind::Push;
    d.multicast = true;
    d.hasFarSemaphore = true;
    bool rowRun = below(2);
    int own = rowRun ? column : row;
    int extent = static_cast<int>(rowRun ? target.partitionColumns : target.partitionRows);
    d.column = static_cast<uint8_t>(below(static_cast<int>(target.partitionColumns)));
    int first = below(extent), last = below(extent);
    if (first == own && rowRun)
      return;
    if (first != own && (first > own) != (last >= first) && last != first)
      return;
    d.run = rowRun ? Descriptor::Run::Row : Descriptor::Run::Column;
    d.first = static_cast<uint8_t>(first);
    d.last = static_cast<uint8_t>(last);
    std::vector<int> receivers;
    for (int at = first;; at += first < last ? 1 : -1) {
      int node = rowRun ? row * columns + at : at * columns + d.column;
      bool usable = target.isUsable(node);
      if (at == last && (!usable || node == from))
        return; // the two implementations differ in how they end such a path
      if (usable && node != from)
        receivers.push_back(node);
      if (at == last)
        break;
    }
    // A thread number that all receivers have.
    int thread = below(4);
    for (int node : receivers)
      if (!threads.count({node, thread}))
        return;
    int semaphore = 16 * thread + below(16);
    d.farSemaphore = static_cast<uint8_t>(semaphore);
    addList(from, sender, {d});
    for (int node : receivers)
      waitFor(node, thread, semaphore, 1);
  }

  void load(TestMachine &m, TimingReference *reference) const {
    for (const auto &[id, t] : threads) {
      std::string error;
      uint32_t node = static_cast<uint32_t>(id.first);
      unsigned number = static_cast<unsigned>(id.second);
      uint32_t base = TestMachine::codeAddress(number);
      m.timedProgram(node, number, t.text);
      for (const auto &[address, list] : t.lists) {
        std::vector<uint8_t> bytes((list.size() + 1) * 64);
        for (size_t i = 0; i < list.size(); ++i)
          list[i].encode(bytes.data() + 64 * i);
        Descriptor().encode(bytes.data() + 64 * list.size());
        m.write(node, address, bytes);
      }
      if (!reference)
        continue;
      reference->addThread(id.first, id.second, base, assemble(t.text, base));
      for (const auto &[address, list] : t.lists)
        reference->addList(id.first, address, list);
    }
  }
};

Target part(const std::string &name, int rows, int columns) {
  Target die, target;
  std::string error;
  EXPECT_TRUE(loadTarget(name, die, error));
  EXPECT_TRUE(die.withPartition(rows, columns, target, error)) << error;
  return target;
}

class Random : public testing::TestWithParam<std::string> {};

// Cycles of the whole run and of every thread's end.
TEST_P(Random, CyclesMatchTheSecondImplementation) {
  Target target = part(GetParam(), 3, 8);
  for (unsigned seed = 1; seed <= 40; ++seed) {
    RandomProgram program(target, seed, 20 + 3 * static_cast<int>(seed));
    TestMachine m(target);
    TimingReference reference(target);
    program.load(m, &reference);
    std::map<std::pair<int, int>, uint64_t> halted;
    for (const auto &[id, t] : program.threads) {
      uint32_t base = TestMachine::codeAddress(static_cast<unsigned>(id.second));
      uint32_t end = base + static_cast<uint32_t>(assemble(t.text, base).size()) - 4;
      m.machine->addCapture(static_cast<uint32_t>(id.first), static_cast<unsigned>(id.second), end,
                            [&halted, id = id](int64_t, unsigned, uint32_t, uint64_t cycle,
                                               std::span<const uint8_t>) { halted[id] = cycle; });
      halted[id] = 0;
    }
    RunResult r = m.runGood();
    uint64_t cycles = reference.run(1000000);
    ASSERT_EQ(r.counters.cycles, cycles) << "seed " << seed;
    for (const auto &[id, cycle] : reference.halted)
      ASSERT_EQ(halted[id], cycle)
          << "seed " << seed << ", node " << id.first << " thread " << id.second;
  }
}

TEST_P(Random, HostThreadsAndRerunsChangeNothing) {
  Target target = part(GetParam(), 4, 8);
  for (unsigned seed = 101; seed <= 110; ++seed) {
    RandomProgram program(target, seed, 400);
    TestMachine m(target);
    program.load(m, nullptr);
    RunResult first = m.runGood();
    for (unsigned threads : {1u, 2u, 3u, 7u}) {
      RunOptions options;
      options.threads = threads;
      RunResult r = m.runGood(options);
      EXPECT_EQ(r.counters.cycles, first.counters.cycles) << "seed " << seed;
      EXPECT_EQ(r.counters.instructions, first.counters.instructions);
      EXPECT_EQ(r.counters.packets, first.counters.packets);
      EXPECT_EQ(r.counters.linkPackets, first.counters.linkPackets);
      EXPECT_EQ(r.counters.trains, first.counters.trains);
    }
    RunResult untimed = m.runGood(functional());
    EXPECT_EQ(untimed.counters.instructions, first.counters.instructions);
    EXPECT_EQ(untimed.counters.packets, first.counters.packets);
    EXPECT_EQ(untimed.counters.linkPackets, first.counters.linkPackets);
    EXPECT_EQ(untimed.counters.trains, first.counters.trains);
  }
}

// Saved in the midst of pulls, multicasts and waits, resumed on another machine.
TEST_P(Random, SavedRunsGoOnAlike) {
  Target target = part(GetParam(), 4, 8);
  for (unsigned seed = 201; seed <= 206; ++seed) {
    RandomProgram program(target, seed, 400);
    auto machine = [&] {
      auto m = std::make_unique<TestMachine>(target);
      program.load(*m, nullptr);
      m->machine->clearCaptures();
      return m;
    };
    auto whole = machine(), saved = machine();
    RunOptions options;
    options.threads = 1 + seed % 2;
    if (seed % 3 == 0)
      options.jitterSeed = seed;
    Counters all = whole->runGood(options).counters;
    Session session(*saved->machine, options);
    for (uint64_t at = 10; session.advanceTo(at); at += 1 + all.cycles / 12) {
      std::vector<uint8_t> state;
      std::string error;
      ASSERT_TRUE(session.save(state, error)) << error;
      auto resumed = machine();
      RunOptions other;
      other.engine = seed % 2 ? Engine::Plain : Engine::Fast;
      auto rest = Session::resume(*resumed->machine, other, state, error);
      ASSERT_TRUE(rest) << error;
      EXPECT_FALSE(rest->advanceTo(~uint64_t(0)));
      RunResult r = rest->finish();
      ASSERT_FALSE(r.fault) << r.fault->message(target);
      EXPECT_EQ(r.counters.cycles, all.cycles) << "seed " << seed << " at " << at;
      EXPECT_EQ(r.counters.instructions, all.instructions);
      EXPECT_EQ(r.counters.packets, all.packets);
      EXPECT_EQ(r.counters.linkPackets, all.linkPackets);
      EXPECT_EQ(r.counters.trains, all.trains);
    }
    EXPECT_EQ(session.finish().counters.cycles, all.cycles);
  }
}

// A ring without races: every node adds its number to the block and passes it on, round and round.
TEST_P(Random, JitterChangesNoResult) {
  Target target = part(GetParam(), 2, 5);
  std::vector<int64_t> nodes = target.usableNodes();
  constexpr uint32_t rounds = 3, words = 1024;
  std::set<uint64_t> cycles;
  for (uint64_t seed = 0; seed <= 20; ++seed) {
    TestMachine m(target);
    for (size_t i = 0; i < nodes.size(); ++i) {
      Descriptor wait, push;
      wait.kind = Kind::Wait;
      wait.ownSemaphore = 1;
      wait.amount = 1;
      push.kind = Kind::Push;
      push.node = static_cast<uint16_t>(nodes[(i + 1) % nodes.size()]);
      push.localAddress = 0x50000;
      push.remoteAddress = 0x40000;
      push.runBytes = words * 4;
      push.hasFarSemaphore = true;
      std::vector<Descriptor> list;
      for (uint32_t r = 0; r < rounds; ++r)
        list.insert(list.end(), {wait, push});
      if (i + 1 == nodes.size())
        list.pop_back(); // the last block stays
      uint32_t node = static_cast<uint32_t>(nodes[i]);
      m.listThread(node, 2, list);
      m.program(node, 0, (i == 0 ? "signal s0\n" : "") + std::string(R"(
        li x3, 3
        nodeid x4
      round:
        li x1, 0x40000
        li x2, 0x50000
        li x5, 64
        wait s0, 1
      next:
        vld v1, (x1)+64, w32, m0
        viadd.x v1, v1, x4
        vst v1, (x2)+64, w32, m0
        loop x5, next
        signal s1
        loop x3, round
        halt
      )"));
    }
    RunOptions options;
    if (seed)
      options.jitterSeed = seed;
    options.threads = 1 + seed % 3;
    cycles.insert(m.runGood(options).counters.cycles);
    uint32_t all = 0, before = 0;
    for (int64_t node : nodes)
      all += static_cast<uint32_t>(node);
    for (int64_t node : nodes) {
      before += static_cast<uint32_t>(node);
      std::vector<uint32_t> want(words, (rounds - 1) * all + before);
      ASSERT_EQ(m.read<uint32_t>(static_cast<uint32_t>(node), 0x50000, words), want)
          << "seed " << seed << " node " << node;
    }
  }
  EXPECT_GT(cycles.size(), 15u); // the delays do something
}

INSTANTIATE_TEST_SUITE_P(Targets, Random, testing::Values("d1", "d1-pessimistic"),
                         [](const auto &info) {
                           return info.param == "d1" ? "d1" : "pessimistic";
                         });

} // namespace
