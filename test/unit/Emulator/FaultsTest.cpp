// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every class of fault: what raises it, where it is said to be, and what comes close but is none.
#include "TestMachine.h"

using namespace dojo;
using namespace dojo::emu;
using isa::Descriptor;
using Kind = Descriptor::Kind;

namespace {

Target corner() {
  Target die, target;
  std::string error;
  EXPECT_TRUE(loadTarget("d1", die, error));
  EXPECT_TRUE(die.withPartition(2, 4, target, error)) << error;
  return target;
}

const RunOptions bothModes[] = {RunOptions(), functional()};

// Runs a program on node 0, thread 0, and expects the fault at the label "here".
Fault expectFault(const std::string &text, FaultClass faultClass) {
  Fault fault;
  for (RunOptions options : bothModes) {
    TestMachine m(corner());
    auto labels = m.program(0, 0, text);
    RunResult r = m.runFault(faultClass, options);
    if (!r.fault)
      continue;
    fault = *r.fault;
    EXPECT_EQ(fault.node, 0);
    EXPECT_EQ(fault.thread, 0);
    if (labels.count("here")) {
      EXPECT_EQ(fault.pc, labels["here"]) << fault.text;
    }
    EXPECT_EQ(fault.cycle != 0, options.timing);
  }
  return fault;
}

void expectNoFault(const std::string &text) {
  for (RunOptions options : bothModes) {
    TestMachine m(corner());
    m.program(0, 0, text);
    m.runGood(options);
  }
}

Fault expectListFault(const Descriptor &d, FaultClass faultClass) {
  Fault fault;
  for (RunOptions options : bothModes) {
    TestMachine m(corner());
    m.list(0, 2, {d});
    auto labels = m.program(0, 2, "nop\nhere:\nlist 0x22000\nhalt");
    RunResult r = m.runFault(faultClass, options);
    if (!r.fault)
      continue;
    fault = *r.fault;
    EXPECT_EQ(fault.thread, 2);
    EXPECT_EQ(fault.pc, labels["here"]);
  }
  return fault;
}

Descriptor push(uint16_t node) {
  Descriptor d;
  d.kind = Kind::Push;
  d.node = node;
  d.localAddress = 0x40000;
  d.remoteAddress = 0x50000;
  d.runBytes = 64;
  return d;
}

TEST(Faults, UndefinedInstruction) {
  for (RunOptions options : bothModes) {
    TestMachine m(corner());
    std::string error;
    uint32_t node = 1;
    std::vector<uint8_t> zeros(64);
    ASSERT_TRUE(m.machine->placeCode({&node, 1}, 0x1000, zeros, error)) << error;
    ASSERT_TRUE(m.machine->setEntry(1, 3, 0x1010, error)) << error;
    RunResult r = m.runFault(FaultClass::UndefinedInstruction, options);
    ASSERT_TRUE(r.fault);
    EXPECT_EQ(r.fault->node, 1);
    EXPECT_EQ(r.fault->thread, 3);
    EXPECT_EQ(r.fault->pc, 0x1010u);
    EXPECT_NE(r.fault->message(m.machine->target())
                  .find("node 1 (row 0, column 1), thread 3, pc "
                        "0x1010"),
              std::string::npos);
  }
}

TEST(Faults, AccumulatorTheTargetDoesNotHave) {
  Target die, target;
  std::string error;
  ASSERT_TRUE(loadTarget("d1-pessimistic", die, error));
  ASSERT_TRUE(die.withPartition(1, 1, target, error));
  TestMachine m(target);
  m.program(0, 0, "drain v0, acc3, 0\ndrain v0, acc4, 0\nhalt");
  m.runFault(FaultClass::UndefinedInstruction);
}

TEST(Faults, FetchOutsideCode) {
  expectFault("nop\nnop", FaultClass::FetchOutsideCode);
  expectFault("li x1, 0x30000\njr x1", FaultClass::FetchOutsideCode);
  expectFault("li x1, -4\nhere:\njr x1", FaultClass::FetchOutsideCode);
  expectFault("li x1, 0x1002\njr x1\nnop", FaultClass::Misaligned);
}

// Also where one engine has just left off and the other goes on.
TEST(Faults, MisalignedJump) {
  // Into the midst of the halt.
  const std::string first = "j start\nstop:\nhalt\nstart:\n",
                    text = "vfadd v1, v1, v1\nli x1, 0x1006\njr x1\nhalt";
  for (const char *before : {"", "pred x0, 1\nnop\nnop\nnop\nnop\nnop\nnop\n", "wait s1, 0\n",
                             "li x2, 3\nnext:\nnop\nloop x2, next\n"})
    for (RunOptions options : bothModes)
      for (Engine engine : {Engine::Plain, Engine::Fast})
        for (Tier tier : {Tier::Handlers, Tier::Mixed, Tier::Native}) {
          options.engine = engine;
          options.tier = tier;
          options.watchdog = 1'000'000;
          TestMachine m(corner());
          ASSERT_EQ(m.program(0, 0, first + before + text)["stop"], 0x1004u);
          RunResult r = m.runFault(FaultClass::Misaligned, options);
          ASSERT_TRUE(r.fault);
          EXPECT_EQ(r.fault->pc, 0x1006u) << before;
        }
}

TEST(Faults, Misaligned) {
  expectFault("here:\nld x1, 4(x0)\nhalt", FaultClass::Misaligned);
  expectFault("here:\nsh x1, 1(x0)\nhalt", FaultClass::Misaligned);
  expectFault("here:\nvld v1, 3(x0), w32, m0\nhalt", FaultClass::Misaligned);
  expectFault("here:\nvld v1, 3(x0), i8, m0\nhalt", FaultClass::Misaligned);
  expectFault("here:\nvldb v1, 3(x0), bf16\nhalt", FaultClass::Misaligned);
  expectFault("here:\nvfadd.m v1, v2, 5(x0), w32\nhalt", FaultClass::Misaligned);
  expectFault("here:\nmm.mm acc0, 64(x0), 63(x0), 1, bf16\nhalt", FaultClass::Misaligned);
  expectFault("li x1, 1\nhere:\nvgather8 v1, x1, v0, m0\nhalt", FaultClass::Misaligned);
  expectFault("li x1, 1\nhere:\nlistx x1\nhalt", FaultClass::Misaligned);
  expectNoFault("vld v1, 6(x0), w32, m0\nvldb v1, 3(x0), u8\nlh x1, 2(x0)\nhalt");
}

TEST(Faults, OutOfRange) {
  std::string end = "li x1, 1310720\n";
  expectFault(end + "here:\nlb x2, 0(x1)\nhalt", FaultClass::OutOfRange);
  expectFault(end + "here:\nld x2, -4(x1)\nhalt", FaultClass::Misaligned);
  expectFault("here:\nsd x2, -8(x0)\nhalt", FaultClass::OutOfRange);
  expectFault(end + "here:\nvld v1, -62(x1), w32, m0\nhalt", FaultClass::OutOfRange);
  expectFault(end + "here:\nvst v1, -30(x1), bf16, m0\nhalt", FaultClass::OutOfRange);
  expectFault(end + "here:\nmm.vm acc0, v0, -62(x1), 1, bf16\nhalt", FaultClass::OutOfRange);
  expectFault(end + "here:\nvgather16 v1, x1, v0, m0\nhalt", FaultClass::OutOfRange);
  expectFault(end + "here:\nlistx x1\nhalt", FaultClass::OutOfRange);
  expectNoFault(end + "ld x2, -8(x1)\nvld v1, -64(x1), w32, m0\nvldb v1, -4(x1), w32\nhalt");
}

TEST(Faults, MaskedLanesDoNotFault) {
  std::string end = "li x1, 1310720\nmlanes.i m1, 3\n";
  expectNoFault(end + "vld v1, -12(x1), w32, m1\nvst v1, -12(x1), w32, m1\nhalt");
  expectFault(end + "here:\nvld v1, -8(x1), w32, m1\nhalt", FaultClass::OutOfRange);
  // An empty mask: no address is bad.
  expectNoFault("mlanes.i m1, 0\nvld v1, -3(x0), w32, m1\nvst v1, -3(x0), bf16, m1\nhalt");
  expectFault("mlanes.i m1, 1\nhere:\nvld v1, 3(x0), w32, m1\nhalt", FaultClass::Misaligned);
  // Nor if the lanes taken away lie before the SRAM.
  expectNoFault("li.s x5, 8\nmmov.x m1, x5\nvld v1, -12(x0), w32, m1\nvst v1, -12(x0), w32, m1\n"
                "halt");
  // Only the first granule is asked for.
  expectNoFault("li x1, 1310712\nmlanes.i m1, 1\nviota v1\nvishl.x v1, v1, x1\nvgather8 v2, x1, "
                "v0, m1\nhalt");
}

TEST(Faults, CodeWrite) {
  // Code lies at 0x1000.
  expectFault("li x1, 0x1000\nhere:\nvst v1, -2(x1), w32, m0\nhalt", FaultClass::CodeWrite);
  expectFault("li x1, 0x1000\nhere:\nsb x1, 0(x1)\nhalt", FaultClass::CodeWrite);
  expectNoFault("li x1, 0x1000\nvst v1, -64(x1), w32, m0\nld x2, 0(x1)\nhalt");
  // By a transfer, to code of the receiver.
  for (RunOptions options : bothModes) {
    TestMachine m(corner());
    Descriptor d = push(1);
    d.remoteAddress = 0x1000 - 63;
    m.listThread(0, 2, {d});
    m.program(1, 0, "halt");
    RunResult r = m.runFault(FaultClass::CodeWrite, options);
    ASSERT_TRUE(r.fault);
    EXPECT_EQ(r.fault->node, 0);
    EXPECT_EQ(r.fault->thread, 2);
    EXPECT_NE(r.fault->text.find("node 1"), std::string::npos);
  }
}

TEST(Faults, CodeIsPlacedOnce) {
  TestMachine m(corner());
  m.program(0, 0, "nop\nhalt");
  std::string error;
  uint32_t nodes[] = {0, 1}, bad = 26;
  std::vector<uint8_t> bytes(8);
  EXPECT_FALSE(m.machine->placeCode(nodes, 0x1004, bytes, error));
  EXPECT_NE(error.find("overlap code"), std::string::npos);
  EXPECT_FALSE(m.machine->write(0, 0x0FFC, bytes, error));
  EXPECT_TRUE(m.machine->write(1, 0x0FFC, bytes, error)) << error;
  EXPECT_FALSE(m.machine->placeCode(nodes, 0x2002, bytes, error));
  EXPECT_FALSE(m.machine->write(0, 1310716, bytes, error));
  EXPECT_FALSE(m.machine->write(bad, 0, bytes, error));
  EXPECT_FALSE(m.machine->setEntry(0, 4, 0, error));
}

TEST(Faults, BadDescriptors) {
  Descriptor d = push(1);
  d.count[1] = (1u << 24) + 1;
  expectListFault(d, FaultClass::BadDescriptor);
  d = push(1);
  d.count[0] = d.count[1] = d.count[2] = 1u << 20;
  expectListFault(d, FaultClass::BadDescriptor);
  d = push(1);
  d.kind = Kind::Pull;
  d.route = 3;
  expectListFault(d, FaultClass::BadDescriptor);
  d = push(1);
  d.kind = Kind::Copy;
  d.multicast = true;
  expectListFault(d, FaultClass::BadDescriptor);
  // Bytes that are no descriptor.
  for (RunOptions options : bothModes) {
    TestMachine m(corner());
    m.write(0, 0x22000, std::vector<uint8_t>(64, 0xFF));
    m.program(0, 2, "list 0x22000\nhalt");
    m.runFault(FaultClass::BadDescriptor, options);
  }
}

TEST(Faults, TransfersOutOfRange) {
  Descriptor d = push(1);
  d.localAddress = 1310720 - 63;
  expectListFault(d, FaultClass::OutOfRange);
  d = push(1);
  d.remoteAddress = 128;
  d.count[0] = 4;
  d.remoteStride[0] = -64;
  expectListFault(d, FaultClass::OutOfRange);
  d = push(1);
  d.localAddress = 0xFFFFFFFF;
  expectListFault(d, FaultClass::OutOfRange);
  // A list that has no end.
  for (RunOptions options : bothModes) {
    TestMachine m(corner());
    std::vector<uint8_t> signal(64);
    Descriptor wait;
    wait.kind = Kind::Wait;
    wait.encode(signal.data());
    m.write(0, 1310720 - 64, signal);
    m.program(0, 2, "list 0x13ffc0\nhalt");
    m.runFault(FaultClass::OutOfRange, options);
  }
}

TEST(Faults, BadDestinations) {
  EXPECT_NE(expectListFault(push(26), FaultClass::BadDestination).text.find("26 (row 1, column 6)"),
            std::string::npos);
  expectListFault(push(5), FaultClass::BadDestination); // outside the partition
  expectListFault(push(9999), FaultClass::BadDestination);
  Descriptor d = push(1);
  d.die = 1;
  expectListFault(d, FaultClass::BadDestination);
  d = push(1);
  d.route = 0;
  expectListFault(d, FaultClass::BadDestination);
  d = push(0);
  d.multicast = true;
  d.first = d.last = 7; // no usable node there
  expectListFault(d, FaultClass::BadDestination);
  expectFault("li x1, 4096\nhere:\nsignalr x1, s1\nhalt", FaultClass::BadDestination);
  expectFault("li x1, 359\nhere:\nsignalr x1, s1\nhalt", FaultClass::BadDestination);
}

TEST(Faults, SemaphoreOverflow) {
  Descriptor d;
  d.kind = Kind::Signal;
  d.ownSemaphore = 4;
  d.amount = 65535;
  for (RunOptions options : bothModes) {
    TestMachine m(corner());
    m.listThread(0, 2, {d});
    m.program(0, 0, "li x1, 65535\nwaitx s4, x1\nhalt");
    m.runGood(options);
    TestMachine over(corner());
    over.listThread(0, 2, {d});
    over.program(0, 0, "signal s4\nhalt");
    RunResult r = over.runFault(FaultClass::SemaphoreOverflow, options);
    ASSERT_TRUE(r.fault);
    EXPECT_NE(r.fault->text.find("semaphore 4"), std::string::npos);
  }
  // Seen when a wait passes.
  expectFault("li x1, 65536\nsend:\nsignal s1\nloop x1, send\nnop\nnop\nnop\nnop\nwait s1, 1\nhalt",
              FaultClass::SemaphoreOverflow);
}

TEST(Faults, SecondWaiter) {
  for (RunOptions options : bothModes) {
    TestMachine m(corner());
    m.program(0, 0, "wait s1, 1\nhalt");
    m.program(0, 1, "nop\nwait s1, 1\nhalt");
    RunResult r = m.runFault(FaultClass::SecondWaiter, options);
    ASSERT_TRUE(r.fault);
    EXPECT_EQ(r.fault->thread, 1);
    // One after the other is no fault.
    TestMachine good(corner());
    good.program(0, 0, "signal s1\nwait s1, 1\nsignal s1\nsignal s2\nhalt");
    good.program(0, 1, "wait s2, 1\nwait s1, 1\nhalt");
    good.runGood(options);
  }
}

TEST(Faults, SemaphoreNotZero) {
  for (RunOptions options : bothModes) {
    TestMachine m(corner());
    m.program(2, 0, "signal s200\nsignal s200\nhalt");
    RunResult r = m.runFault(FaultClass::SemaphoreNotZero, options);
    ASSERT_TRUE(r.fault);
    EXPECT_EQ(r.fault->node, 2);
    EXPECT_NE(r.fault->text.find("semaphore 200 is 2"), std::string::npos);
    // Also what arrives when all threads have ended.
    TestMachine late(corner());
    Descriptor d = push(1);
    d.hasFarSemaphore = true;
    late.listThread(0, 2, {d});
    late.runFault(FaultClass::SemaphoreNotZero, options);
  }
}

TEST(Faults, DeadlockNamesTheCycle) {
  for (RunOptions options : bothModes) {
    TestMachine m(corner());
    // Node 0 waits for node 1's push, which waits for node 1's thread 0, which waits for node 0.
    Descriptor wait, d = push(0);
    wait.kind = Kind::Wait;
    wait.ownSemaphore = 5;
    wait.amount = 1;
    d.hasFarSemaphore = true;
    d.farSemaphore = 6;
    m.listThread(1, 2, {wait, d});
    m.program(1, 0, "wait s7, 2\nsignal s5\nhalt");
    Descriptor back = push(1);
    back.hasFarSemaphore = true;
    back.farSemaphore = 7;
    m.list(0, 0, {back});
    m.program(0, 0, "wait s6, 1\nlist 0x20000\nhalt");
    RunResult r = m.runFault(FaultClass::Deadlock, options);
    ASSERT_TRUE(r.fault);
    EXPECT_EQ(r.fault->text,
              "3 threads wait for ever; node 0 (row 0, column 0) thread 0 waits for semaphore 6 to "
              "reach 1 (it is 0), which node 1 (row 0, column 1) thread 2 would signal; node 1 "
              "(row 0, column 1) thread 2 waits for semaphore 5 to reach 1 (it is 0), which node 1 "
              "(row 0, column 1) thread 0 would signal; node 1 (row 0, column 1) thread 0 waits "
              "for semaphore 7 to reach 2 (it is 0), which node 0 (row 0, column 0) thread 0 would "
              "signal: a cycle");
  }
}

TEST(Faults, DeadlockWithoutASignaller) {
  for (RunOptions options : bothModes) {
    TestMachine m(corner());
    m.program(3, 1, "signal s9\nhere:\nwait s9, 2\nhalt");
    RunResult r = m.runFault(FaultClass::Deadlock, options);
    ASSERT_TRUE(r.fault);
    EXPECT_EQ(r.fault->node, 3);
    EXPECT_EQ(r.fault->thread, 1);
    EXPECT_EQ(r.fault->pc, TestMachine::codeAddress(1) + 4);
    EXPECT_NE(r.fault->text.find("to reach 2 (it is 1), which no thread will signal any more"),
              std::string::npos)
        << r.fault->text;
  }
}

TEST(Faults, Watchdog) {
  for (RunOptions options : bothModes) {
    options.watchdog = 10000;
    for (const char *text : {"j_:\naddi x1, x1, 1\nj j_", "j_:\nnop\nj j_"}) {
      TestMachine m(corner());
      m.program(0, 1, text);
      m.program(1, 0, "halt");
      RunResult r = m.runFault(FaultClass::Watchdog, options);
      ASSERT_TRUE(r.fault);
      EXPECT_EQ(r.fault->thread, 1);
    }
  }
}

TEST(Faults, TheEarliestCounts) {
  // Node 1 is advanced after node 0 and faults earlier; thread 1 of node 2 later than thread 0.
  TestMachine m(corner());
  m.program(0, 0, "li x1, 100\na:\nloop x1, a\nld x1, 1(x0)\nhalt");
  m.program(1, 0, "li x1, 10\na:\nloop x1, a\nld x1, 1(x0)\nhalt");
  m.program(2, 0, "li x1, 50\na:\nloop x1, a\nld x1, 1(x0)\nhalt");
  RunResult r = m.runFault(FaultClass::Misaligned);
  ASSERT_TRUE(r.fault);
  EXPECT_EQ(r.fault->node, 1);
}

TEST(Faults, UndeclaredAccess) {
  for (RunOptions options : bothModes) {
    for (const char *access : {"ld x1, 8(x2)", "sd x1, 0(x2)", "vld v1, -8(x2), w32, m0", "nop"}) {
      TestMachine m(corner());
      auto labels = m.program(
          0, 0, std::string("li x2, 0x40000\nhere:\n") + access + "\nend:\nld x3, 64(x2)\nhalt");
      uint32_t node = 0;
      std::string error;
      ASSERT_TRUE(m.machine->declareAccesses({&node, 1}, labels["here"], labels["end"],
                                             {{0x40000, 0x40004}, {0x40004, 0x40008}},
                                             {{0x40008, 0x40010}}, error))
          << error;
      EXPECT_FALSE(
          m.machine->declareAccesses({&node, 1}, labels["here"], labels["end"], {}, {}, error));
      if (std::string(access) == "nop") {
        m.runGood(options);
        continue;
      }
      RunResult r = m.runFault(FaultClass::UndeclaredAccess, options);
      ASSERT_TRUE(r.fault);
      EXPECT_EQ(r.fault->pc, labels["here"]);
    }
    // Joined intervals hold an access over their border.
    TestMachine m(corner());
    auto labels = m.program(0, 0, "li x2, 0x40000\nhere:\nld x1, 0(x2)\nsd x1, 8(x2)\nhalt");
    uint32_t node = 0;
    std::string error;
    ASSERT_TRUE(m.machine->declareAccesses({&node, 1}, labels["here"], labels["here"] + 16,
                                           {{0x40004, 0x40008}, {0x40000, 0x40004}},
                                           {{0x40008, 0x40010}}, error));
    m.runGood(options);
  }
}

TEST(Faults, OnlyKeptLanesMustBeDeclared) {
  for (RunOptions options : bothModes)
    for (const char *mask : {"5", "7"}) {
      TestMachine m(corner());
      auto labels = m.program(0, 0,
                              std::string("li x2, 0x40000\nli.s x5, ") + mask +
                                  "\nmmov.x m1, x5\nhere:\nvst v0, 0(x2), w32, m1\nhalt");
      uint32_t node = 0;
      std::string error;
      ASSERT_TRUE(m.machine->declareAccesses({&node, 1}, labels["here"], labels["here"] + 8, {},
                                             {{0x40000, 0x40004}, {0x40008, 0x4000C}}, error))
          << error;
      if (std::string(mask) == "5")
        m.runGood(options);
      else
        ASSERT_TRUE(m.runFault(FaultClass::UndeclaredAccess, options).fault);
    }
}

TEST(Faults, LayerOfTheFault) {
  TestMachine m(corner());
  auto labels = m.program(0, 0, "nop\nhere:\nld x1, 1(x0)\nhalt");
  uint32_t node = 0;
  std::string error;
  ASSERT_TRUE(m.machine->setPcRanges({&node, 1}, {{labels["here"], labels["here"] + 8, 3}}, error));
  RunResult r = m.runFault(FaultClass::Misaligned);
  ASSERT_TRUE(r.fault);
  EXPECT_EQ(r.fault->layer, 3);
  EXPECT_FALSE(m.machine->setPcRanges({&node, 1}, {{0, 8, 0}, {4, 12, 1}}, error));
}

} // namespace

// Of several threads that would go on too late, the first to do so is named: node 13, which acts in
// every cycle, unless node 0, which waits for its loads, acts in the same.
TEST(Faults, WatchdogNamesTheFirst) {
  std::string nops, loads = "li x2, 512\n";
  for (unsigned i = 0; i < 80; ++i) {
    nops += "nop\n";
    loads += "ld x1, 0(x2)\nadd x3, x1, x1\n";
  }
  for (Engine engine : {Engine::Plain, Engine::Fast}) {
    unsigned named[14] = {};
    for (uint64_t watchdog = 10; watchdog < 30; ++watchdog) {
      TestMachine m;
      m.program(0, 0, loads + "halt");
      m.program(13, 0, nops + "halt");
      RunOptions options;
      options.watchdog = watchdog;
      options.engine = engine;
      RunResult result = m.runFault(FaultClass::Watchdog, options);
      ASSERT_TRUE(result.fault);
      EXPECT_EQ(result.fault->cycle, watchdog);
      ++named[result.fault->node];
    }
    EXPECT_GT(named[0], 0u);
    EXPECT_GT(named[13], 0u);
  }
}

// What a thread waits for may come after the last cycle allowed: then it never goes on.
TEST(Faults, WaitThatPassesAfterTheWatchdog) {
  for (uint64_t watchdog = 5; watchdog < 40; ++watchdog) {
    std::string message[2];
    for (Engine engine : {Engine::Plain, Engine::Fast}) {
      TestMachine m;
      m.program(0, 0, "wait s9, 1\nadd x1, x1, x1\nhalt");
      m.program(12, 0, "li x1, 0\nsignalr x1, s9\nhalt");
      RunOptions options;
      options.watchdog = watchdog;
      options.engine = engine;
      RunResult result = m.run(options);
      // Issued in cycle 7, the signal takes 12 links and shows in 24; the end is in 25.
      EXPECT_EQ(result.fault.has_value(), watchdog < 25) << watchdog;
      if (result.fault) {
        EXPECT_EQ(result.fault->faultClass, FaultClass::Watchdog);
        EXPECT_EQ(result.fault->cycle, watchdog);
        message[engine == Engine::Fast] = result.fault->message(m.machine->target());
      }
    }
    EXPECT_EQ(message[0], message[1]) << watchdog;
  }
}
