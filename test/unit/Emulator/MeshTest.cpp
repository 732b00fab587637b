// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Trains and lists, on examples worked out by hand from the formulas for target d1 (hop 1, buffer
// 32, list 16 and 2, arrival 4). A thread's first instruction issues in cycle 6, so the first
// descriptor of its list acts in cycle 22.
#include "TestMachine.h"

#include "runtime/emulator/Mesh.h"

#include <random>

using namespace dojo;
using namespace dojo::emu;
using isa::Descriptor;
using Kind = Descriptor::Kind;

namespace {

Descriptor push(uint16_t node, uint32_t bytes) {
  Descriptor d;
  d.kind = Kind::Push;
  d.node = node;
  d.localAddress = 0x40000;
  d.remoteAddress = 0x50000;
  d.runBytes = bytes;
  return d;
}

Descriptor signalling(Descriptor d, int own, int far) {
  d.hasOwnSemaphore = own >= 0;
  d.ownSemaphore = static_cast<uint8_t>(std::max(own, 0));
  d.hasFarSemaphore = far >= 0;
  d.farSemaphore = static_cast<uint8_t>(std::max(far, 0));
  return d;
}

std::string waitThen(int semaphore, const std::string &label) {
  return "wait s" + std::to_string(semaphore) + ", 1\n" + label + ":\nhalt";
}

std::vector<uint8_t> pattern(size_t count, unsigned seed) {
  std::vector<uint8_t> bytes(count);
  for (size_t i = 0; i < count; ++i)
    bytes[i] = static_cast<uint8_t>(i * 7 + seed);
  return bytes;
}

//===----------------------------------------------------------------------===//
// Ports
//===----------------------------------------------------------------------===//

// A row of eight nodes.
struct SmallMesh {
  Parameters p = [] {
    Parameters p{};
    p.rows = 1;
    p.columns = 8;
    p.nodes = 8;
    p.hop = 1;
    p.buffer = 4;
    return p;
  }();
  Topology topology{d1(), p};
  Ports ports{p, topology};

  static Target d1() {
    Target target;
    std::string error;
    EXPECT_TRUE(loadTarget("d1", target, error)) << error;
    return target;
  }
  /// To the nodes from `firstReceiver` to `to`.
  Path eastward(uint32_t from, uint32_t to, uint32_t firstReceiver) const {
    Path path;
    std::string error;
    EXPECT_TRUE(topology.pathTo(from, to, path, error)) << error;
    path.firstReceiver = static_cast<uint16_t>(firstReceiver - from - 1);
    path.receivers = static_cast<uint16_t>(to - firstReceiver + 1);
    return path;
  }
  Path eastward(uint32_t from, uint32_t to) const { return eastward(from, to, to); }
  static Path copy(uint32_t node) {
    Path path;
    path.from = static_cast<uint16_t>(node);
    return path;
  }
};

using Writes = std::vector<uint64_t>;

TEST(Mesh, TrainsHoldWhatTheNextBufferDoesNotTake) {
  SmallMesh mesh;
  Ports &ports = mesh.ports;
  TrainTiming t;
  ports.commit(1, mesh.eastward(1, 2), 0, 8, t);
  EXPECT_EQ(t.start, 0u);
  EXPECT_EQ(t.left, 8u);
  EXPECT_EQ(t.firstWrite, (Writes{2}));
  // Link 1 is free from 9: the train enters it then, four packets wait in its buffer, the other
  // four hold link 0 until 13.
  ports.commit(0, mesh.eastward(0, 2), 0, 8, t);
  EXPECT_EQ(t.left, 8u);
  EXPECT_EQ(t.firstWrite, (Writes{10}));
  ports.commit(0, mesh.eastward(0, 1), 8, 1, t);
  EXPECT_EQ(t.start, 8u);
  EXPECT_EQ(t.firstWrite, (Writes{14}));
  EXPECT_EQ(t.left, 10u); // 13 + 1 - 4
  // Link 1 is free again from 17, the ejection port of node 2 from 18.
  ports.commit(1, mesh.eastward(1, 3), 0, 8, t);
  EXPECT_EQ(t.start, 8u);
  EXPECT_EQ(t.firstWrite, (Writes{19}));
  EXPECT_EQ(t.left, 21u); // 17 + 8 - 4
  ports.reset();
  ports.commit(1, mesh.eastward(1, 3), 0, 8, t);
  EXPECT_EQ(t.firstWrite, (Writes{3}));
}

TEST(Mesh, AnEjectionIsABranch) {
  SmallMesh mesh;
  Ports &ports = mesh.ports;
  TrainTiming t;
  ports.commit(1, mesh.copy(1), 0, 20, t); // a copy holds both ports of node 1
  EXPECT_EQ(t.firstWrite, (Writes{0}));
  EXPECT_EQ(t.left, 20u);
  // Node 1's port is free from 20; that does not delay nodes 2 and 3.
  ports.commit(0, mesh.eastward(0, 3, 1), 0, 8, t);
  EXPECT_EQ(t.firstWrite, (Writes{20, 3, 4}));
  EXPECT_EQ(t.left, 8u);
  // But link 0 is held until 20 + 8 - 4.
  ports.commit(0, mesh.eastward(0, 1), 0, 1, t);
  EXPECT_EQ(t.start, 8u);
  EXPECT_EQ(t.firstWrite, (Writes{28})); // the port is free from 28
  ports.commit(4, mesh.copy(4), 100, 3, t);
  EXPECT_EQ(t.firstWrite, (Writes{100}));
  ports.commit(3, mesh.eastward(3, 4), 100, 3, t);
  EXPECT_EQ(t.firstWrite, (Writes{103}));
}

//===----------------------------------------------------------------------===//
// Lists and transfers on the machine
//===----------------------------------------------------------------------===//

TEST(Mesh, PushWithoutContention) {
  TestMachine m;
  m.list(0, 2, {signalling(push(3, 128), 1, 7)});
  m.timedProgram(0, 2, "list 0x22000\ndone:\nhalt");
  m.timedProgram(0, 0, waitThen(1, "left"));
  m.timedProgram(3, 0, waitThen(7, "arrived"));
  m.write(0, 0x40000, pattern(128, 1));
  RunResult r = m.runGood();
  // Injection 22, links 23, 24, 25, written 26 and 27, shown in 31.
  EXPECT_EQ(m.cycles["arrived"], 32u);
  EXPECT_EQ(m.cycles["left"], 26u); // left in 24, shown in 25
  EXPECT_EQ(m.cycles["done"], 27u); // `end` acts two cycles after 24
  EXPECT_EQ(r.counters.cycles, 33u);
  EXPECT_EQ(r.counters.packets, 2u);
  EXPECT_EQ(r.counters.linkPackets, 6u);
  EXPECT_EQ(m.read<uint8_t>(3, 0x50000, 128), pattern(128, 1));
}

TEST(Mesh, PushOnThePessimisticTarget) {
  TestMachine m("d1-pessimistic");
  m.listThread(0, 2, {signalling(push(3, 128), 1, 7)});
  m.timedProgram(0, 0, waitThen(1, "left"));
  m.timedProgram(3, 0, waitThen(7, "arrived"));
  m.runGood();
  // Injection 38, hops of 2: written 46 and 47, shown in 55.
  EXPECT_EQ(m.cycles["arrived"], 56u);
  EXPECT_EQ(m.cycles["left"], 42u);
}

TEST(Mesh, TransfersGoInTrainsOf16) {
  TestMachine m;
  m.listThread(0, 2, {signalling(push(1, 40 * 64), -1, 7)});
  m.timedProgram(1, 0, waitThen(7, "arrived"));
  RunResult r = m.runGood();
  // Issues 22, 38, 54; the last train's eight packets are written from 56 on.
  EXPECT_EQ(m.cycles["arrived"], 56u + 7 + 4 + 1);
  EXPECT_EQ(r.counters.trains, 3u);
  EXPECT_EQ(r.counters.packets, 40u);
}

TEST(Mesh, TwoSendersOneLink) {
  TestMachine m;
  m.listThread(0, 2, {signalling(push(2, 1024), -1, 1)});
  m.listThread(1, 2, {signalling(push(2, 1024), 3, 2)});
  m.timedProgram(2, 0, waitThen(1, "first"));
  m.timedProgram(2, 1, waitThen(2, "second"));
  m.timedProgram(1, 0, waitThen(3, "left"));
  m.runGood();
  EXPECT_EQ(m.cycles["first"], 25u + 15 + 4 + 1);
  // Link 1 is free from 40, the ejection port from 41.
  EXPECT_EQ(m.cycles["second"], 41u + 15 + 4 + 1);
  EXPECT_EQ(m.cycles["left"], 40u);
}

TEST(Mesh, TrainsAreServedInOrderOfIssueThenNodeThenThread) {
  // All push one packet to node 2's port in cycle 22, from the east, its own row's west and itself.
  TestMachine m;
  m.listThread(4, 3, {signalling(push(2, 64), -1, 1)});
  m.listThread(4, 2, {signalling(push(2, 64), -1, 2)});
  m.listThread(0, 2, {signalling(push(2, 64), -1, 3)});
  m.timedProgram(2, 0, waitThen(1, "third"));
  m.timedProgram(2, 1, waitThen(2, "second"));
  m.timedProgram(2, 2, waitThen(3, "first"));
  m.runGood();
  EXPECT_EQ(m.cycles["first"], 25u + 4 + 1);
  EXPECT_EQ(m.cycles["second"], 26u + 4 + 1);
  EXPECT_EQ(m.cycles["third"], 27u + 4 + 1); // injected in 23, at the port in 26
}

TEST(Mesh, RunsAreNotPacked) {
  TestMachine m;
  Descriptor d = signalling(push(1, 100), -1, 7);
  d.count[0] = 3;
  d.count[1] = 2;
  d.localStride[0] = 110;
  d.localStride[1] = 1000;
  d.remoteStride[0] = 100;
  d.remoteStride[1] = -300;
  d.remoteAddress = 0x50000 + 300;
  m.listThread(0, 2, {d});
  m.program(1, 0, "wait s7, 1\nhalt");
  auto data = pattern(2000, 3);
  m.write(0, 0x40000, data);
  RunResult r = m.runGood();
  EXPECT_EQ(r.counters.packets, 12u); // two a run
  EXPECT_EQ(r.counters.trains, 1u);
  auto got = m.read<uint8_t>(1, 0x50000, 600);
  for (unsigned outer = 0; outer < 2; ++outer)
    for (unsigned inner = 0; inner < 3; ++inner)
      for (unsigned i = 0; i < 100; ++i)
        ASSERT_EQ(got[300 - 300 * outer + 100 * inner + i], data[1000 * outer + 110 * inner + i]);
}

TEST(Mesh, CountOfZero) {
  TestMachine m;
  Descriptor empty = push(1, 64);
  empty.count[0] = 0;
  m.listThread(0, 2, {signalling(empty, 1, -1), signalling(empty, -1, 7)});
  m.timedProgram(0, 0, waitThen(1, "own"));
  m.timedProgram(1, 0, waitThen(7, "far"));
  m.write(0, 0x40000, pattern(64, 9));
  RunResult r = m.runGood();
  EXPECT_EQ(m.cycles["own"], 24u);         // shown in 23
  EXPECT_EQ(m.cycles["far"], 26u + 4 + 1); // one packet issued in 24
  EXPECT_EQ(r.counters.packets, 1u);
  EXPECT_EQ(m.read<uint8_t>(1, 0x50000, 64), std::vector<uint8_t>(64));
}

TEST(Mesh, Pull) {
  TestMachine m;
  Descriptor d = signalling(push(2, 192), 1, 2);
  d.kind = Kind::Pull;
  m.list(0, 3, {d});
  m.timedProgram(0, 3, "list 0x23000\nasked:\nhalt");
  m.timedProgram(0, 0, waitThen(1, "arrived"));
  m.timedProgram(2, 0, waitThen(2, "left"));
  m.write(2, 0x50000, pattern(192, 5));
  RunResult r = m.runGood();
  // Asked in 22, at node 2 in 25, answered in 29: written 32 to 34, left in 32.
  EXPECT_EQ(m.cycles["asked"], 26u);
  EXPECT_EQ(m.cycles["arrived"], 34u + 4 + 1);
  EXPECT_EQ(m.cycles["left"], 34u);
  EXPECT_EQ(r.counters.packets, 4u);
  EXPECT_EQ(m.read<uint8_t>(0, 0x40000, 192), pattern(192, 5));
}

TEST(Mesh, PullOfManyTrainsAndFromTheOwnNode) {
  for (RunOptions options : {RunOptions(), functional()}) {
    TestMachine m;
    Descriptor far = signalling(push(45, 3000), 1, -1), own = signalling(push(0, 3000), 2, -1);
    far.kind = own.kind = Kind::Pull;
    own.localAddress = 0x60000;
    m.listThread(0, 3, {far, own});
    m.program(0, 0, "wait s1, 1\nwait s2, 1\nhalt");
    m.write(45, 0x50000, pattern(3000, 6));
    m.write(0, 0x50000, pattern(3000, 7));
    RunResult r = m.runGood(options);
    EXPECT_EQ(m.read<uint8_t>(0, 0x40000, 3000), pattern(3000, 6));
    EXPECT_EQ(m.read<uint8_t>(0, 0x60000, 3000), pattern(3000, 7));
    EXPECT_EQ(r.counters.packets, 2u * (47 + 1));
    EXPECT_EQ(r.counters.trains, 2u * (3 + 1));
  }
}

TEST(Mesh, Copy) {
  TestMachine m;
  Descriptor d = signalling(push(99, 100), 1, 2); // a copy has no destination node
  d.kind = Kind::Copy;
  Descriptor toSelf = signalling(push(0, 64), 3, -1);
  toSelf.remoteAddress = 0x60000;
  m.listThread(0, 2, {d, toSelf});
  m.timedProgram(0, 0, waitThen(1, "left"));
  m.timedProgram(0, 1, waitThen(2, "arrived"));
  m.timedProgram(0, 3, waitThen(3, "second"));
  m.write(0, 0x40000, pattern(100, 8));
  RunResult r = m.runGood();
  EXPECT_EQ(m.cycles["left"], 26u);    // left in 24, shown in 25
  EXPECT_EQ(m.cycles["arrived"], 28u); // written in 23, shown in 27
  EXPECT_EQ(m.cycles["second"], 29u);  // issued in 26, left in 27
  EXPECT_EQ(m.read<uint8_t>(0, 0x50000, 100), pattern(100, 8));
  auto firstPacket = pattern(100, 8);
  firstPacket.resize(64);
  EXPECT_EQ(m.read<uint8_t>(0, 0x60000, 64), firstPacket);
  EXPECT_EQ(r.counters.linkPackets, 0u);
}

TEST(Mesh, RemoteSignal) {
  TestMachine m;
  m.timedProgram(0, 0, "li x1, 1\nsignalr x1, s9\non:\nhalt");
  m.timedProgram(1, 0, waitThen(9, "got"));
  m.runGood();
  // x1 is ready in 7: injected then, written in 9, shown in 13; the thread goes on in 8.
  EXPECT_EQ(m.cycles["got"], 14u);
  EXPECT_EQ(m.cycles["on"], 8u);

  TestMachine l;
  Descriptor d = signalling(push(1, 0), -1, 9);
  d.kind = Kind::Signal;
  d.amount = 300;
  l.listThread(0, 2, {d});
  l.timedProgram(1, 0, "wait s9, 300\ngot:\nhalt");
  l.runGood();
  EXPECT_EQ(l.cycles["got"], 24u + 4 + 1);
}

TEST(Mesh, ListOfSignals) {
  TestMachine m;
  Descriptor signal, wait;
  signal.kind = Kind::Signal;
  signal.ownSemaphore = 1;
  signal.amount = 3;
  wait.kind = Kind::Wait;
  wait.ownSemaphore = 2;
  wait.amount = 1;
  m.list(0, 2, {signal, wait});
  m.timedProgram(0, 2, "list 0x22000\ndone:\nhalt");
  m.timedProgram(0, 0, "wait s1, 3\na:\nsignal s2\nhalt");
  m.runGood();
  EXPECT_EQ(m.cycles["a"], 24u);    // shown in 23
  EXPECT_EQ(m.cycles["done"], 28u); // the wait passes in 25, `end` acts in 27
}

TEST(Mesh, RegistersInDescriptors) {
  for (RunOptions options : {RunOptions(), functional()}) {
    TestMachine m;
    Descriptor d = signalling(push(1, 64), -1, 7);
    d.addressFromRegister = d.countFromRegister = true;
    d.addressRegister = 5;
    d.countRegister = 6;
    d.localStride[0] = d.remoteStride[0] = 64;
    Descriptor wait;
    wait.kind = Kind::Wait;
    wait.countFromRegister = true;
    wait.countRegister = 6;
    wait.ownSemaphore = 3;
    m.list(0, 0, {d, wait});
    m.program(0, 0, "li x5, 0x44000\nli x7, 0x20000\nld x6, 0(x0)\nlistx x7\nhalt");
    m.program(0, 1, "signal s3\nsignal s3\nsignal s3\nhalt");
    m.timedProgram(1, 0, waitThen(7, "got"));
    m.write(0, 0, std::vector<uint64_t>{3});
    m.write(0, 0x44000, pattern(256, 4));
    RunResult r = m.runGood(options);
    auto want = pattern(256, 4);
    std::fill(want.begin() + 192, want.end(), 0);
    EXPECT_EQ(m.read<uint8_t>(1, 0x50000, 256), want);
    EXPECT_EQ(r.counters.packets, 3u);
  }
}

// Random transfers against nested loops, timed and not.
TEST(Mesh, RandomTransfersMoveTheRightBytes) {
  Target die, corner;
  std::string error;
  ASSERT_TRUE(loadTarget("d1", die, error));
  ASSERT_TRUE(die.withPartition(3, 4, corner, error));
  std::mt19937 engine(11);
  auto below = [&](unsigned n) { return engine() % n; };
  for (int round = 0; round < 60; ++round) {
    Descriptor d =
        signalling(push(static_cast<uint16_t>(below(3) * 20 + below(4)), 1 + below(300)), 1, -1);
    d.kind = round % 3 == 0 ? Kind::Pull : Kind::Push;
    d.localAddress = 0x60000;
    d.remoteAddress = 0x70000;
    // Destinations of different runs do not overlap.
    int64_t extent = d.runBytes;
    for (int i = 0; i < 3; ++i) {
      d.count[i] = 1 + below(4);
      int64_t sign = below(4) ? 1 : -1;
      d.remoteStride[i] = static_cast<int32_t>(sign * (extent + below(20)));
      d.localStride[i] = static_cast<int32_t>((below(4) ? 1 : -1) * (extent + below(40)));
      if (round % 3 && below(3) == 0)
        d.localStride[i] = 0; // reads may repeat
      extent =
          std::max(std::abs(d.remoteStride[i]), std::abs(d.localStride[i])) * d.count[i] + extent;
    }
    std::vector<uint8_t> there = pattern(0x20000, round), here = pattern(0x20000, round + 50);
    std::vector<uint8_t> wantThere = there, wantHere = here;
    const uint32_t base = 0x60000;
    for (uint32_t k = 0; k < d.count[2]; ++k)
      for (uint32_t j = 0; j < d.count[1]; ++j)
        for (uint32_t i = 0; i < d.count[0]; ++i)
          for (uint32_t b = 0; b < d.runBytes; ++b) {
            int64_t local = int64_t(d.localAddress) + int64_t(i) * d.localStride[0] +
                            int64_t(j) * d.localStride[1] + int64_t(k) * d.localStride[2] + b -
                            base;
            int64_t remote = int64_t(d.remoteAddress) + int64_t(i) * d.remoteStride[0] +
                             int64_t(j) * d.remoteStride[1] + int64_t(k) * d.remoteStride[2] + b -
                             base;
            local += 0x8000, remote += 0x8000;
            ASSERT_TRUE(local >= 0 && local < 0x20000 && remote >= 0 && remote < 0x20000);
            if (d.kind == Kind::Push)
              wantThere[remote] = here[local];
            else
              wantHere[local] = there[remote];
          }
    for (RunOptions options : {RunOptions(), functional()}) {
      TestMachine m(corner);
      uint32_t node = d.node == 0 ? 1 : d.node;
      d.node = static_cast<uint16_t>(node);
      m.listThread(0, 2, {d});
      m.program(0, 0, "wait s1, 1\nhalt");
      m.write(0, base - 0x8000, here);
      m.write(node, base - 0x8000, there);
      m.runGood(options);
      ASSERT_EQ(m.read<uint8_t>(0, base - 0x8000, here.size()), wantHere) << round;
      ASSERT_EQ(m.read<uint8_t>(node, base - 0x8000, there.size()), wantThere) << round;
    }
  }
}

} // namespace
