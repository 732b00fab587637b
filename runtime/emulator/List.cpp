// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Threads apart: transfer lists, and threads made only of control instructions.
#include "Checks.h"
#include "Probe.h"

#include <cstdio>

namespace dojo::emu {

using isa::Descriptor;
using Kind = isa::Descriptor::Kind;

namespace {
std::string at(uint32_t descriptor, const std::string &text) {
  char address[16];
  std::snprintf(address, sizeof address, "0x%x", descriptor);
  return std::string("descriptor at ") + address + ": " + text;
}
} // namespace

void Node::runApart(Thread &t) {
  while (t.state == ThreadState::Ready && (t.inList || t.apart) && t.next <= horizon && !paused) {
    if (t.next > setup.watchdog) {
      raise(FaultClass::Watchdog, &t, setup.watchdog,
            "still running after " + std::to_string(setup.watchdog) + " cycles");
      return;
    }
    if (t.inList)
      stepList(t);
    else
      serve(t, t.next, nullptr);
  }
}

bool Node::readDescriptor(Thread &t, uint64_t cycle) {
  if (t.descriptorAddress + Descriptor::bytes > p.sramBytes) {
    raise(FaultClass::OutOfRange, &t, cycle, "the transfer list runs off the end of the SRAM");
    return false;
  }
  if (checks)
    checks->fetches(t, cycle);
  __builtin_prefetch(sram + t.descriptorAddress + Descriptor::bytes); // the next
  std::string error;
  if (!Descriptor::decode(sram + t.descriptorAddress, t.descriptor, &error)) {
    raise(FaultClass::BadDescriptor, &t, cycle, at(t.descriptorAddress, error));
    return false;
  }
  return true;
}

// The descriptor that is ready in cycle t.next acts.
void Node::stepList(Thread &t) {
  uint64_t cycle = t.next;
  if (!readDescriptor(t, cycle))
    return;
  Descriptor &d = t.descriptor;
  // Registers that stand for an address or a count have to be ready.
  uint64_t ready = cycle;
  if (d.addressFromRegister && d.addressRegister)
    ready = std::max(ready, t.ready[score::x + d.addressRegister]);
  if (d.countFromRegister && d.countRegister)
    ready = std::max(ready, t.ready[score::x + d.countRegister]);
  if (ready > cycle) {
    t.next = ready;
    return;
  }
  uint64_t amount = d.countFromRegister ? t.registers.x[d.countRegister] : d.amount;
  switch (d.kind) {
  case Kind::End:
    t.inList = false;
    t.next = cycle + 1;
    recheck = true;
    if (probe)
      probe->listEnds(t, cycle);
    return;
  case Kind::Wait:
    startWait(t, d.ownSemaphore, amount, cycle);
    return;
  case Kind::Signal:
    if (amount > p.semaphoreLimit) {
      raise(FaultClass::SemaphoreOverflow, &t, cycle,
            at(t.descriptorAddress, "signals " + std::to_string(amount) + " at once"));
      return;
    }
    if (!d.hasFarSemaphore || d.hasOwnSemaphore)
      signalOwn(t, d.ownSemaphore, cycle, static_cast<uint32_t>(amount));
    if (!d.hasFarSemaphore) {
      nextDescriptor(t, cycle);
      return;
    }
    break;
  default:
    break;
  }
  if (!prepareTransfer(t, cycle))
    return;
  if (t.transfer.packetsLeft) {
    if (probe)
      probe->sendBegins(t, cycle);
    queueTrain(t, cycle);
    return;
  }
  if (d.hasOwnSemaphore)
    signalOwn(t, d.ownSemaphore, cycle, 1);
  nextDescriptor(t, cycle);
}

// Turns a push, pull, copy or remote signal into t.transfer.
bool Node::prepareTransfer(Thread &t, uint64_t cycle) {
  const Descriptor &d = t.descriptor;
  Transfer &x = t.transfer;
  auto bad = [&](FaultClass faultClass, const std::string &text) {
    raise(faultClass, &t, cycle, at(t.descriptorAddress, text));
    return false;
  };
  x.from = number;
  x.to = d.kind == Kind::Copy ? number : d.node;
  x.kind = d.kind == Kind::Pull ? Transfer::Kind::Ask : Transfer::Kind::Push;
  x.packetsSent = 0;
  x.signalsFar = d.hasFarSemaphore;
  x.farSemaphore = d.farSemaphore;
  x.signalsOwn = d.kind != Kind::Signal && d.hasOwnSemaphore;
  x.ownSemaphore = d.ownSemaphore;
  x.asker = number;
  x.askerThread = static_cast<uint8_t>(t.index);
  x.farAmount = 1;
  x.pause = x.signalsOwn ? std::min(p.listNext, p.signalLatency + 1) : p.listNext;
  x.runs = Runs();
  x.listPc = t.listPc;
  x.descriptorAddress = t.descriptorAddress;
  x.layer = t.layer;

  if (d.kind == Kind::Copy) {
    if (d.multicast)
      return bad(FaultClass::BadDescriptor, "a copy within the node cannot be a multicast");
    x.path = Path();
    x.path.from = static_cast<uint16_t>(number);
  } else {
    if (d.kind == Kind::Pull && (d.multicast || d.route != Descriptor::rowThenColumn))
      return bad(FaultClass::BadDescriptor,
                 "a pull takes neither a multicast run nor a route index");
    std::string error;
    if (!topology.path(number, d, x.path, error))
      return bad(FaultClass::BadDestination, error);
  }

  if (d.kind == Kind::Signal) {
    x.farAmount =
        d.countFromRegister ? static_cast<uint32_t>(t.registers.x[d.countRegister]) : d.amount;
    x.dataless = true;
    x.packetsLeft = 1;
    return true;
  }
  if (!checkTransfer(t, cycle))
    return false;
  uint64_t packets = countPackets(x.runs, p.packetBytes);
  x.dataless = packets == 0;
  if (packets == 0 && d.hasFarSemaphore)
    packets = 1;
  x.packetsLeft = packets;
  if (x.kind == Transfer::Kind::Ask && packets)
    x.packetsLeft = 1; // the request; the answer counts its own
  return true;
}

// Fills in the runs of a data transfer and checks where they lie.
bool Node::checkTransfer(Thread &t, uint64_t cycle) {
  const Descriptor &d = t.descriptor;
  Transfer &x = t.transfer;
  auto bad = [&](FaultClass faultClass, const std::string &text) {
    raise(faultClass, &t, cycle, at(t.descriptorAddress, text));
    return false;
  };
  bool pull = d.kind == Kind::Pull;
  uint64_t local = d.addressFromRegister ? t.registers.x[d.addressRegister] : d.localAddress;
  uint64_t first = d.countFromRegister ? t.registers.x[d.countRegister] : d.count[0];
  if (first > maxTransferCount || d.count[1] > maxTransferCount || d.count[2] > maxTransferCount)
    return bad(FaultClass::BadDescriptor, "a count exceeds " + std::to_string(maxTransferCount));
  Runs &r = x.runs;
  r.runBytes = d.runBytes;
  r.count[0] = static_cast<uint32_t>(first);
  r.count[1] = d.count[1];
  r.count[2] = d.count[2];
  if (r.empty())
    return true;
  if (local > p.sramBytes || d.remoteAddress > p.sramBytes || d.runBytes > p.sramBytes)
    return bad(FaultClass::OutOfRange, "an address or the run exceeds the SRAM");
  double total =
      double(r.count[0]) * r.count[1] * r.count[2] * (double(r.runBytes) / p.packetBytes + 1);
  if (total > double(maxTransferPackets))
    return bad(FaultClass::BadDescriptor, "more than 2^32 packets");
  r.source = pull ? d.remoteAddress : static_cast<uint32_t>(local);
  r.destination = pull ? static_cast<uint32_t>(local) : d.remoteAddress;
  for (unsigned i = 0; i < 3; ++i) {
    r.sourceStride[i] = pull ? d.remoteStride[i] : d.localStride[i];
    r.destinationStride[i] = pull ? d.localStride[i] : d.remoteStride[i];
  }
  for (bool source : {true, false}) {
    Reach e = reachOf(r, source ? r.source : r.destination,
                      source ? r.sourceStride : r.destinationStride);
    if (e.low < 0 || e.high > int64_t(p.sramBytes))
      return bad(FaultClass::OutOfRange, std::string(source ? "reads" : "writes") + " bytes " +
                                             std::to_string(e.low) + " to " +
                                             std::to_string(e.high - 1) + "; the SRAM has " +
                                             std::to_string(p.sramBytes));
    (source ? x.reads : x.writes) = {static_cast<uint32_t>(e.low), static_cast<uint32_t>(e.high)};
  }
  return true;
}

void Node::queueTrain(Thread &t, uint64_t issue) {
  t.trainNumber++;
  t.trainIssue = issue + jitter(t.index, t.trainNumber, 64);
  t.state = ThreadState::Sending;
  recheck = true;
}

void Node::nextDescriptor(Thread &t, uint64_t done) {
  t.descriptorAddress += Descriptor::bytes;
  t.next = done + p.listNext;
  t.state = ThreadState::Ready;
}

void Node::trainLeft(Thread &t, uint64_t left, uint64_t packets) {
  t.trainQueued = false;
  t.transfer.leave(packets);
  if (!t.inList) { // signalr
    if (probe)
      probe->sendEnds(t, left);
    t.state = ThreadState::Ready;
    t.next = std::max(t.next, left);
    return;
  }
  Transfer &x = t.transfer;
  if (x.packetsLeft) {
    queueTrain(t, left);
    return;
  }
  if (x.signalsOwn && x.kind == Transfer::Kind::Push)
    signalOwn(t, x.ownSemaphore, left, 1);
  if (probe)
    probe->sendEnds(t, left);
  nextDescriptor(t, left);
}

} // namespace dojo::emu
