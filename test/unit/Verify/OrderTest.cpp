// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What orders accesses and what does not, one rule a test. Bytes 65536 and up are data; lists lie
// at 32768. x5 is the address of the data in every text.

#include "TinyImage.h"

using namespace dojo;
using namespace dojo::verify;
using isa::Descriptor;

namespace {

constexpr uint32_t data = 65536, lists = 32768;
const std::string base = "li x5, 65536;";
const std::string store = base + "sw x0, 0(x5);", load = base + "lw x6, 0(x5);";
const std::string startList = "list 32768; halt";

void expectAccept(const Report &report) {
  EXPECT_EQ(report.verdict(), Verdict::Accept) << report.toString();
}
void expectError(const Report &report, Check check, const char *text) {
  EXPECT_EQ(report.verdict(check), Verdict::Error) << report.toString();
  EXPECT_NE(report.toString().find(text), std::string::npos) << "expected: " << text << "\n"
                                                             << report.toString();
}
void expectUndecided(const Report &report, const char *text) {
  EXPECT_EQ(report.verdict(), Verdict::Undecided) << report.toString();
  EXPECT_NE(report.toString().find(text), std::string::npos) << "expected: " << text << "\n"
                                                             << report.toString();
}

} // namespace

TEST(Order, SignalOrdersThreads) {
  TinyImage image;
  image.thread(0, 0, store + "signal s1; halt");
  image.thread(0, 1, "wait s1, 1;" + load + "halt");
  expectAccept(image.verify());
}

TEST(Order, NothingOrdersThreads) {
  TinyImage image;
  image.thread(0, 0, store + "signal s1; halt");
  image.thread(0, 1, load + "wait s1, 1; halt");
  expectError(image.verify(), Check::Order, "nothing");
}

TEST(Order, ReadBeforeAnyWrite) {
  TinyImage image;
  image.thread(0, 0, load + "halt");
  expectError(image.verify(), Check::Order, "reads what nothing has written before");
}

TEST(Order, PartlyOverlappingWritesConflict) {
  TinyImage image;
  image.thread(0, 0, base + "sd x0, 0(x5); halt");
  image.thread(0, 1, base + "sw x0, 4(x5); halt");
  expectError(image.verify(), Check::Order, "nothing orders the write");
}

TEST(Order, NeighbouringWritesDoNot) {
  TinyImage image;
  image.thread(0, 0, base + "sw x0, 0(x5); halt");
  image.thread(0, 1, base + "sw x0, 4(x5); halt");
  expectAccept(image.verify());
}

TEST(Order, OrderIsTransitive) {
  TinyImage image;
  image.thread(0, 0, store + "signal s1; halt");
  image.thread(0, 2, "wait s1, 1; li x7, 1; signalr x7, s3; halt");
  image.thread(1, 0, "wait s3, 1; li x7, 0; signalr x7, s4; halt");
  image.thread(0, 1, "wait s4, 1;" + load + "halt");
  expectAccept(image.verify());
}

TEST(Order, SignalNobodyWaitsFor) {
  TinyImage image;
  image.thread(0, 0, "signal s1; halt");
  expectError(image.verify(), Check::Transfers, "1 signals can arrive, but 0 are waited for");
}

TEST(Order, ArrivalOrdersTheReader) {
  TinyImage image;
  image.list(0, lists, {announcing(push(1, data, data, 4), 1)});
  image.thread(0, 0, store + startList);
  image.thread(1, 0, "wait s1, 1;" + load + "halt");
  expectAccept(image.verify());
}

TEST(Order, ReaderThatDoesNotWait) {
  TinyImage image;
  image.list(0, lists, {announcing(push(1, data, data, 4), 1)});
  image.thread(0, 0, store + startList);
  image.thread(1, 0, load + "wait s1, 1; halt");
  expectError(image.verify(), Check::Order, "nothing");
}

TEST(Order, SilentPushIsNeverKnownToHaveArrived) {
  TinyImage image;
  Descriptor signal;
  signal.kind = Descriptor::Kind::Signal;
  signal.amount = 1, signal.node = 1;
  image.list(0, lists, {push(1, data, data, 4), announcing(signal, 1)});
  image.thread(0, 0, store + startList);
  image.thread(1, 0, "wait s1, 1;" + load + "halt");
  expectError(image.verify(), Check::Order, "nothing orders the write by the push");
}

TEST(Order, SourceMayBeWrittenWhenTheDescriptorIsDone) {
  TinyImage image;
  image.list(0, lists, {announcing(push(1, data, data, 4), 1)});
  image.thread(0, 0, store + "list 32768; sw x0, 0(x5); halt");
  image.thread(1, 0, "wait s1, 1; halt");
  expectAccept(image.verify());
}

TEST(Order, OwnSemaphoreFreesTheSource) {
  TinyImage image;
  image.list(0, lists, {freeing(announcing(push(1, data, data, 4), 1), 2)});
  image.thread(0, 0, store + "signal s3; wait s2, 1; sw x0, 0(x5); halt");
  image.thread(0, 2, "wait s3, 1;" + startList);
  image.thread(1, 0, "wait s1, 1; halt");
  expectAccept(image.verify());
}

TEST(Order, SourceWrittenTooEarly) {
  TinyImage image;
  image.list(0, lists, {freeing(announcing(push(1, data, data, 4), 1), 2)});
  image.thread(0, 0, store + "signal s3; sw x0, 0(x5); wait s2, 1; halt");
  image.thread(0, 2, "wait s3, 1;" + startList);
  image.thread(1, 0, "wait s1, 1; halt");
  expectError(image.verify(), Check::Order, "nothing orders the");
}

TEST(Order, WaitForAllOfSeveralSenders) {
  TinyImage image;
  for (uint16_t node = 1; node < 4; ++node) {
    image.list(node, lists, {announcing(push(0, data, data + 4 * node, 4), 1)});
    image.thread(node, 0, store + startList);
  }
  image.thread(0, 0, base + "wait s1, 3; lw x6, 4(x5); lw x6, 8(x5); lw x6, 12(x5); halt");
  expectAccept(image.verify());
}

TEST(Order, WaitForSomeOfSeveralSenders) {
  TinyImage image;
  for (uint16_t node = 1; node < 4; ++node) {
    image.list(node, lists, {announcing(push(0, data, data + 4 * node, 4), 1)});
    image.thread(node, 0, store + startList);
  }
  image.thread(0, 0, base + "wait s1, 2; lw x6, 4(x5); wait s1, 1; halt");
  expectError(image.verify(), Check::Order, "nothing orders the write by the push of node 1");
}

TEST(Order, WaitTwiceForAll) {
  TinyImage image;
  for (uint16_t node = 1; node < 4; ++node) {
    image.list(node, lists, {announcing(push(0, data, data + 4 * node, 4), 1)});
    image.thread(node, 0, store + startList);
  }
  image.thread(0, 0, base + "wait s1, 2; wait s1, 1; lw x6, 4(x5); lw x6, 12(x5); halt");
  expectAccept(image.verify());
}

TEST(Order, TwoSendsOfOneNodeMayOvertake) {
  TinyImage image;
  image.list(
      0, lists,
      {announcing(push(1, data, data, 4), 1), announcing(push(1, data + 4, data + 4, 4), 1)});
  image.thread(0, 0, store + "sw x0, 4(x5);" + startList);
  image.thread(1, 0, base + "wait s1, 1; lw x6, 0(x5); wait s1, 1; halt");
  expectError(image.verify(), Check::Order, "nothing orders the write by the push");
}

TEST(Order, SecondRoundAfterAnAnswer) {
  TinyImage image;
  image.list(0, lists,
             {announcing(push(1, data, data, 4), 1), waiting(2, 1),
              announcing(push(1, data + 4, data, 4), 1)});
  image.thread(0, 0, store + "sw x0, 4(x5);" + startList);
  image.thread(1, 0,
               base + "li x7, 0; wait s1, 1; lw x6, 0(x5); signalr x7, s2;"
                      "wait s1, 1; lw x6, 0(x5); halt");
  expectAccept(image.verify());
}

TEST(Order, SecondRoundAnsweredTooEarly) {
  TinyImage image;
  image.list(0, lists,
             {announcing(push(1, data, data, 4), 1), waiting(2, 1),
              announcing(push(1, data + 4, data, 4), 1)});
  image.thread(0, 0, store + "sw x0, 4(x5);" + startList);
  image.thread(1, 0,
               base + "li x7, 0; wait s1, 1; signalr x7, s2; lw x6, 0(x5);"
                      "wait s1, 1; halt");
  expectError(image.verify(), Check::Order, "nothing orders the");
}

TEST(Order, EitherOfTwoSignalsKnowsWhatBothKnow) {
  // Both follow the store; whichever comes first, it is known.
  TinyImage image;
  image.thread(0, 0, store + "signal s1; li x7, 1; signalr x7, s2; halt");
  image.thread(0, 1, "wait s1, 1; signal s3; halt");
  image.thread(1, 0, "wait s2, 1; li x7, 0; signalr x7, s3; halt");
  image.list(0, lists, {waiting(3, 1), announcing(push(2, data, data, 4), 1), waiting(3, 1)});
  image.thread(0, 2, startList);
  image.thread(2, 0, "wait s1, 1;" + load + "halt");
  expectAccept(image.verify());
}

TEST(Order, EitherOfTwoSignalsMayBeTheOther) {
  TinyImage image;
  image.thread(0, 0, store + "signal s3; halt");
  image.thread(0, 1, "signal s3; halt");
  image.list(0, lists, {waiting(3, 1), announcing(push(2, data, data, 4), 1), waiting(3, 1)});
  image.thread(0, 2, startList);
  image.thread(2, 0, "wait s1, 1;" + load + "halt");
  expectError(image.verify(), Check::Order, "nothing");
}

TEST(Order, BothOfTwoSignals) {
  TinyImage image;
  image.thread(0, 1, "signal s3; halt");
  image.thread(0, 0, store + "signal s3; halt");
  image.list(0, lists, {waiting(3, 2), announcing(push(2, data, data, 4), 1)});
  image.thread(0, 2, startList);
  image.thread(2, 0, "wait s1, 1;" + load + "halt");
  expectAccept(image.verify());
}

TEST(Order, CopyIsWrittenWhenItIsDone) {
  TinyImage image;
  image.list(0, lists,
             {transfer(Descriptor::Kind::Copy, 0, data, data + 64, 4),
              push(0, data + 64, data + 128, 4), announcing(push(1, data + 128, data, 4), 1)});
  image.thread(0, 0, store + startList);
  image.thread(1, 0, "wait s1, 1;" + load + "halt");
  expectAccept(image.verify());
}

TEST(Order, Relay) {
  TinyImage image;
  image.list(0, lists, {announcing(push(1, data, data, 4), 1)});
  image.list(1, lists, {waiting(1, 1), announcing(push(2, data, data, 4), 1)});
  image.thread(0, 0, store + startList);
  image.thread(1, 2, startList);
  image.thread(2, 0, "wait s1, 1;" + load + "halt");
  expectAccept(image.verify());
}

TEST(Order, RelayWithoutItsWait) {
  TinyImage image;
  image.list(0, lists, {announcing(push(1, data, data, 4), 1)});
  image.list(1, lists, {announcing(push(2, data, data, 4), 1), waiting(1, 1)});
  image.thread(0, 0, store + startList);
  image.thread(1, 2, startList);
  image.thread(2, 0, "wait s1, 1;" + load + "halt");
  expectError(image.verify(), Check::Order, "nothing");
}

TEST(Order, Pull) {
  // Node 1 says that the data are there; node 0 pulls them, node 1 then may write again.
  auto build = [](const std::string &owner, const std::string &puller) {
    TinyImage image;
    image.list(0, lists,
               {freeing(announcing(transfer(Descriptor::Kind::Pull, 1, data, data, 4), 2), 3)});
    image.thread(1, 0, owner);
    image.thread(0, 0, puller);
    return image.verify();
  };
  const std::string owner = "li x7, 0;" + store + "signalr x7, s1; wait s2, 1; sw x0, 0(x5); halt";
  const std::string hasty = "li x7, 0;" + store + "signalr x7, s1; sw x0, 0(x5); wait s2, 1; halt";
  const std::string puller = "wait s1, 1; list 32768; wait s3, 1;" + load + "halt";
  const std::string early = "wait s1, 1; list 32768;" + load + "wait s3, 1; halt";
  const std::string blind = "list 32768; wait s3, 1; wait s1, 1; halt";
  expectAccept(build(owner, puller));
  expectError(build(hasty, puller), Check::Order, "nothing orders the");
  expectError(build(owner, early), Check::Order, "nothing orders the write by the pull");
  expectError(build(owner, blind), Check::Order, "nothing");
}

TEST(Order, Multicast) {
  TinyImage image;
  Descriptor d = announcing(push(0, data, data, 4), 1);
  d.multicast = true;
  d.run = Descriptor::Run::Row, d.first = 1, d.last = 3;
  image.list(0, lists, {d});
  image.thread(0, 0, store + startList);
  for (int64_t node = 1; node < 4; ++node)
    image.thread(node, 0, "wait s1, 1;" + load + "halt");
  expectAccept(image.verify());
}

TEST(Order, Deadlock) {
  TinyImage image;
  image.thread(0, 0, "wait s1, 1; li x7, 1; signalr x7, s1; halt");
  image.thread(1, 0, "wait s1, 1; li x7, 0; signalr x7, s1; halt");
  Report report = image.verify();
  expectError(report, Check::Order, "deadlock: node 0");
  expectError(report, Check::Order, "node 1 (row 0, column 1) thread 0 at 0x100c");
}

TEST(Order, CountedLoopsAndCalls) {
  TinyImage image;
  image.data(0, 4096 * 16 - 64, {3});
  image.thread(0, 0,
               "li x2, 65472; lw x4, (x2)+4; li x8, 0; more:; jal x1, one; loop x4, more;"
               "signal s2; halt; one:; addi x8, x8, 4; add x9, x5, x8; signal s1; jr x1");
  image.thread(0, 1, "li x7, 3; waitx s1, x7; wait s2, 1; halt");
  Report report = image.verify();
  expectAccept(report);
  EXPECT_EQ(report.statistics.waits, 2u);
  EXPECT_EQ(report.statistics.signals, 4u);
}

TEST(Order, PredicationAndNodeNumber) {
  TinyImage image;
  for (int64_t node = 0; node < 2; ++node)
    image.thread(node, 0,
                 "nodeid x5; li x7, 1; predz x5, 1; signalr x7, s1; pred x5, 1; wait s1, 1;"
                 "beq x5, x0, end; nop; end:; halt");
  expectAccept(image.verify());
}

TEST(Order, UnknownBranchIsUndecided) {
  TinyImage image;
  image.thread(0, 0, store + load + "beq x6, x0, end; nop; end:; halt");
  expectUndecided(image.verify(), "branches on a condition that is not known");
}

TEST(Order, UnknownAddressIsUndecided) {
  TinyImage image;
  image.thread(0, 0, store + load + "sw x0, 0(x6); halt");
  expectUndecided(image.verify(), "at an address that is not known");
}

TEST(Order, TablesMustStayConstant) {
  TinyImage image;
  image.data(0, data, {1});
  image.thread(0, 0, load + "sw x6, 0(x5); halt");
  expectError(image.verify(), Check::Order, "placed by the loader");
}

TEST(Order, RegistersInDescriptors) {
  TinyImage image;
  Descriptor d = announcing(push(1, 0, data, 4), 1);
  d.addressFromRegister = d.countFromRegister = true;
  d.addressRegister = 5, d.countRegister = 6;
  d.localStride[0] = d.remoteStride[0] = 4;
  image.list(0, lists, {d});
  image.thread(0, 0, store + "sw x0, 4(x5); li x6, 2;" + startList);
  image.thread(1, 0, "wait s1, 1;" + base + "ld x6, 0(x5); halt");
  expectAccept(image.verify());
}
