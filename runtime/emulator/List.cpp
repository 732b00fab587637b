// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Threads apart: transfer lists, and threads made only of control instructions.
#include "Checks.h"
#include "Probe.h"

#include <cstdio>
#include <utility>

namespace dojo::emu {

using isa::Descriptor;
using Kind = isa::Descriptor::Kind;

namespace {

std::string at(uint32_t descriptor, const std::string &text) {
  char address[16];
  std::snprintf(address, sizeof address, "0x%x", descriptor);
  return std::string("descriptor at ") + address + ": " + text;
}

// From when on the registers that stand for an address or a count are ready.
uint64_t readyFrom(const Thread &t, const Descriptor &d) {
  uint64_t ready = 0;
  if (d.addressFromRegister && d.addressRegister)
    ready = std::max(ready, t.ready[score::x + d.addressRegister]);
  if (d.countFromRegister && d.countRegister)
    ready = std::max(ready, t.ready[score::x + d.countRegister]);
  return ready;
}

} // namespace

void Node::runApart(Thread &t) {
  while (t.state == ThreadState::Ready && (t.inList || t.apart) && t.next <= horizon && !paused) {
    if (t.next > setup.watchdog) {
      raise(FaultClass::Watchdog, &t, setup.watchdog,
            "still running after " + std::to_string(setup.watchdog) + " cycles", t.next);
      return;
    }
    if (t.inList)
      stepList(t);
    else
      serve(t, t.next, nullptr);
  }
}

bool Node::readDescriptor(Thread &t, uint64_t cycle, Descriptor &out) {
  if (t.descriptorAddress + Descriptor::bytes > p.sramBytes) {
    raise(FaultClass::OutOfRange, &t, cycle, "the transfer list runs off the end of the SRAM");
    return false;
  }
  if (checks)
    checks->fetches(t, cycle);
  __builtin_prefetch(sram + t.descriptorAddress + Descriptor::bytes); // the next
  std::string error;
  if (!Descriptor::decode(sram + t.descriptorAddress, out, &error)) {
    raise(FaultClass::BadDescriptor, &t, cycle, at(t.descriptorAddress, error));
    return false;
  }
  return true;
}

// The descriptor that is ready in cycle t.next acts.
void Node::stepList(Thread &t) {
  uint64_t cycle = t.next;
  Descriptor d;
  if (!readDescriptor(t, cycle, d))
    return;
  if (uint64_t ready = readyFrom(t, d); ready > cycle) {
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
  Unsendable problem;
  if (!prepareTransfer(t, d, t.descriptorAddress, t.transfer(), problem)) {
    raise(problem.faultClass, &t, cycle, at(t.descriptorAddress, problem.text));
    return;
  }
  if (t.transfer().packetsLeft) {
    if (probe)
      probe->sendBegins(t, cycle);
    prepareFollowers(t, cycle);
    queueTrain(t, cycle);
    return;
  }
  if (d.hasOwnSemaphore)
    signalOwn(t, d.ownSemaphore, cycle, 1);
  nextDescriptor(t, cycle);
}

// The transfers that follow in the list without anything between. Nothing but the thread itself may
// rightly change a descriptor after the one before it was sent, so they may be read now; what is
// not certain by now is left to the cycle in which it acts.
void Node::prepareFollowers(Thread &t, uint64_t cycle) {
  if (!setup.fast || !setup.timing || setup.jitterSeed || stops)
    return;
  uint32_t address = t.descriptorAddress;
  for (unsigned i = 2; i < Thread::maxTransfers; ++i)
    __builtin_prefetch(sram + address + i * Descriptor::bytes);
  for (unsigned i = 0; i + 1 < Thread::maxTransfers; ++i) {
    Transfer &before = t.transfers[i], &x = t.transfers[i + 1];
    address += Descriptor::bytes;
    if (before.kind != Transfer::Kind::Push || before.signalsOwn || before.path.isCopy() ||
        address + Descriptor::bytes > p.sramBytes)
      return;
    Descriptor d;
    if (!Descriptor::decode(sram + address, d, nullptr) ||
        (d.kind != Kind::Push && d.kind != Kind::Copy) || readyFrom(t, d) > cycle)
      return;
    Unsendable problem;
    if (!prepareTransfer(t, d, address, x, problem) || x.packetsLeft == 0)
      return;
    before.followed = true;
  }
}

void Node::queueTrain(Thread &t, uint64_t issue) {
  t.trainNumber++;
  t.trainIssue = issue + jitter(t.index, t.trainNumber, 64);
  t.state = ThreadState::Sending;
  recheck = true;
}

void Node::nextDescriptor(Thread &t, uint64_t done) {
  t.descriptorAddress += (std::exchange(t.sending, 0) + 1) * Descriptor::bytes;
  t.next = done + p.listNext;
  t.state = ThreadState::Ready;
}

void Node::nextSends(Thread &t, uint64_t issue) {
  ++t.sending;
  ++t.trainNumber;
  t.trainIssue = issue;
  recheck = true;
}

void Node::trainLeft(Thread &t, uint64_t left, uint64_t packets) {
  Transfer &x = t.transfer();
  x.leave(packets);
  t.trainQueued = false;
  if (!t.inList) { // signalr
    if (probe)
      probe->sendEnds(t, left);
    t.state = ThreadState::Ready;
    t.next = std::max(t.next, left);
    return;
  }
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
