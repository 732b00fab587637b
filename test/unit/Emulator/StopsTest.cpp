// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Break points, steps and watch points of a session: they stop where they should, at the same place
// for any number of host threads, and change nothing.
#include "RandomCode.h"
#include "dojo/Emulator/Session.h"

using namespace dojo;
using namespace dojo::emu;
using isa::Descriptor;

namespace {

constexpr uint64_t end = ~uint64_t(0);

Target part(int rows, int columns) {
  Target die, target;
  std::string error;
  EXPECT_TRUE(loadTarget("d1", die, error)) << error;
  EXPECT_TRUE(die.withPartition(rows, columns, target, error)) << error;
  return target;
}

TEST(Stops, BreakpointStopsBeforeTheInstruction) {
  TestMachine m(part(1, 2));
  auto labels = m.program(0, 0, R"(
      li x1, 5
    next:
      addi x2, x2, 1
    here:
      add x3, x3, x2
      loop x1, next
      halt
  )");
  m.program(1, 0, "halt");
  RunResult whole = m.runGood();
  Session session(*m.machine, {});
  StopConditions at;
  at.breakpoints = {{{}, -1, labels["here"]}};
  session.setStops(at);
  uint64_t before = 0;
  for (uint64_t turn = 1; turn <= 5; ++turn) {
    ASSERT_TRUE(session.advanceTo(end));
    ASSERT_EQ(session.stops().size(), 1u);
    const Stop &stop = session.stops()[0];
    EXPECT_EQ(stop.kind, Stop::Kind::Breakpoint);
    EXPECT_EQ(stop.node, 0u);
    EXPECT_EQ(stop.thread, 0u);
    EXPECT_EQ(stop.pc, labels["here"]);
    EXPECT_EQ(stop.cycle, session.now() + 1);
    EXPECT_GT(stop.cycle, before);
    before = stop.cycle;
    EXPECT_EQ(m.machine->threadStatus(0, 0).pc, labels["here"]);
    EXPECT_EQ(m.machine->scalarRegister(0, 0, 2), turn) << "what comes before has issued";
    EXPECT_EQ(m.machine->scalarRegister(0, 0, 3), turn * (turn - 1) / 2) << "it has not";
  }
  EXPECT_FALSE(session.advanceTo(end));
  EXPECT_TRUE(session.stops().empty());
  EXPECT_EQ(session.finish().counters.cycles, whole.counters.cycles);
}

TEST(Stops, StepsInstructionByInstruction) {
  TestMachine m(part(1, 1));
  auto labels = m.program(0, 0, R"(
    a:
      li x1, 3
    b:
      pred x0, 1
    c:
      addi x2, x2, 1     # passed over
    d:
      addi x3, x1, 4
    e:
      mul x4, x3, x3
    f:
      wait s0, 1
    g:
      halt
  )");
  m.program(0, 1, "li x1, 50\nnext:\nloop x1, next\nsignal s0\nhalt");
  RunResult whole = m.runGood();
  Session session(*m.machine, {});
  StopConditions step;
  step.step = Step{0, 0, 0};
  std::string seen;
  uint64_t waited = 0;
  while (seen.size() < 20) {
    session.setStops(step);
    ASSERT_TRUE(session.advanceTo(end));
    ASSERT_EQ(session.stops().size(), 1u);
    const Stop &stop = session.stops()[0];
    if (stop.kind == Stop::Kind::Ended)
      break;
    EXPECT_EQ(stop.kind, Stop::Kind::Step);
    for (auto &[label, pc] : labels)
      if (pc == stop.pc)
        seen += label;
    waited = stop.cycle;
    step.step->instructions = 1;
  }
  EXPECT_EQ(seen, "abcdefg");
  EXPECT_GT(waited, 17u) << "the step over the wait";
  EXPECT_EQ(m.machine->scalarRegister(0, 0, 4), 49u);
  session.setStops({});
  EXPECT_FALSE(session.advanceTo(end));
  EXPECT_EQ(session.finish().counters.cycles, whole.counters.cycles);
}

TEST(Stops, WatchpointsSeeStoresAndTransfers) {
  TestMachine m(part(1, 2));
  auto labels = m.program(0, 0, R"(
      li x1, 0x40000
      li x2, 7
    store:
      sw x2, 8(x1)
    again:
      sw x2, 8(x1)
      sw x2, 16(x1)
      halt
  )");
  Descriptor push;
  push.kind = Descriptor::Kind::Push;
  push.node = 1;
  push.localAddress = push.remoteAddress = 0x40000;
  push.runBytes = 4;
  push.count[0] = 3;
  push.localStride[0] = push.remoteStride[0] = 64;
  m.listThread(0, 2, {push});
  Session session(*m.machine, {});
  StopConditions watch;
  watch.watchpoints = {{0, 0x40006, 4, 1}, {1, 0x40010, 100, 2}, {1, 0x40004, 60, 3}};
  session.setStops(watch);
  std::vector<Stop> stops;
  while (session.advanceTo(end))
    stops.insert(stops.end(), session.stops().begin(), session.stops().end());
  ASSERT_EQ(stops.size(), 3u);
  for (unsigned i : {0u, 1u}) {
    EXPECT_EQ(stops[i].kind, Stop::Kind::Watchpoint);
    EXPECT_EQ(stops[i].number, 1u);
    EXPECT_EQ(stops[i].pc, labels[i ? "again" : "store"]);
    EXPECT_EQ(stops[i].address, 0x40008u);
    EXPECT_EQ(stops[i].bytes, 2u);
    EXPECT_FALSE(stops[i].byTransfer);
  }
  // The run of bytes 64 to 67; that of bytes 0 to 3 lies beside.
  EXPECT_EQ(stops[2].number, 2u);
  EXPECT_EQ(stops[2].node, 1u);
  EXPECT_EQ(stops[2].threadNode, 0u);
  EXPECT_EQ(stops[2].thread, 2u);
  EXPECT_EQ(stops[2].pc, TestMachine::codeAddress(2));
  EXPECT_EQ(stops[2].address, 0x40040u);
  EXPECT_EQ(stops[2].bytes, 4u);
  EXPECT_TRUE(stops[2].byTransfer);
}

std::string text(const std::vector<Stop> &stops, uint64_t now) {
  std::ostringstream out;
  out << "now " << now;
  for (const Stop &s : stops)
    out << "; " << int(s.kind) << ' ' << s.number << ' ' << s.node << ' ' << s.thread << ' ' << s.pc
        << ' ' << s.cycle << ' ' << s.address << ' ' << s.bytes;
  return out.str();
}

// Random programs with stops all over: the same stops for any number of threads and either engine,
// the same end as without, also through snapshots of threads that stand in the midst of a cycle.
TEST(Stops, ChangeNothing) {
  Target target = part(2, 2);
  std::vector<int64_t> nodes = target.usableNodes();
  size_t stopped = 0;
  for (unsigned seed = 1; seed <= 6; ++seed) {
    RandomCodeOptions code{.threads = 1 + seed % 2, .rounds = 2, .ranges = true};
    auto place = [&](TestMachine &m) { placeRandomCode(m, target, seed, code); };
    TestMachine whole(target);
    place(whole);
    RunResult reference = whole.runGood();
    StopConditions at;
    for (unsigned i = 0; i < 12; ++i)
      at.breakpoints.push_back(
          {{}, i % 3 ? -1 : 0, TestMachine::codeAddress(i % 2) + 4 * (seed * 7 + 13 * i)});
    at.watchpoints = {{uint32_t(nodes[1]), 0x40000, 0x1000}};
    std::vector<std::string> first;
    for (unsigned way = 0; way < 3; ++way) {
      auto m = std::make_unique<TestMachine>(target);
      place(*m);
      RunOptions options;
      options.threads = 1 + way;
      options.engine = way == 1 ? Engine::Plain : Engine::Fast;
      auto session = std::make_unique<Session>(*m->machine, options);
      session->setStops(at);
      std::vector<std::string> seen;
      while (session->advanceTo(end)) {
        seen.push_back(text(session->stops(), session->now()));
        if (way == 2 && seen.size() % 5 == 1) {
          std::vector<uint8_t> state;
          std::string error;
          ASSERT_TRUE(session->save(state, error)) << error;
          auto other = std::make_unique<TestMachine>(target);
          place(*other);
          session = Session::resume(*other->machine, options, state, error);
          ASSERT_TRUE(session) << error;
          m = std::move(other);
          // Going on passes over the breakpoint it stands at.
          session->setStops(at);
        }
        ASSERT_LT(seen.size(), 100'000u);
      }
      RunResult r = session->finish();
      ASSERT_FALSE(r.fault) << r.fault->message(target);
      EXPECT_EQ(r.counters.cycles, reference.counters.cycles) << "seed " << seed;
      EXPECT_EQ(r.counters.instructions, reference.counters.instructions);
      for (int64_t node : nodes)
        EXPECT_TRUE(m->read<uint8_t>(uint32_t(node), 0, size_t(target.sramBytes)) ==
                    whole.read<uint8_t>(uint32_t(node), 0, size_t(target.sramBytes)));
      if (way == 0)
        first = seen;
      ASSERT_EQ(seen, first) << "seed " << seed << " way " << way;
      stopped += seen.size();
    }
  }
  EXPECT_GT(stopped, 100u);
}

} // namespace
