// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Control instructions: branches, predicates, semaphores, list start.
#include "Checks.h"
#include "Probe.h"

#include <set>
#include <utility>

namespace dojo::emu {

void Node::issueControl(Thread &t, const Op &op, uint64_t cycle) {
  op.function(context, op);
  auto [done, latest, goesOnAt] = rules(t).issueControl(op, cycle);
  record(t, op, done);
  if (latest) {
    busyUntil = std::max(busyUntil, latest);
    exported.thread = nullptr;
  }
  if (op.control == ControlKind::Jump || op.control == ControlKind::JumpRegister ||
      op.control == ControlKind::Loop || op.control == ControlKind::Branch) {
    if (guessedWrong(op, context.taken)) {
      t.next = goesOnAt;
      if (probe)
        probe->held(t, cycle + 1, Activity::Branch);
    }
    if (context.taken && context.value >= p.sramBytes) {
      raise(FaultClass::FetchOutsideCode, &t, cycle,
            "jump to " + std::to_string(context.value) + ", beyond the SRAM");
      return;
    }
    advancePc(t, op);
    if (!context.taken)
      return;
    t.pc = static_cast<uint32_t>(context.value);
    t.lines.branch();
    if (t.pc % 4) { // the look-up will say so
      t.segment = nullptr;
      t.nearBytes = 0;
    }
    return;
  }
  switch (op.control) {
  case ControlKind::Predicate:
    t.predicated = static_cast<uint8_t>(op.immediate);
    t.skip = context.skip;
    break;
  case ControlKind::Wait:
    startWait(t, op.semaphore, context.value, cycle);
    break;
  case ControlKind::Signal:
    signalOwn(t, op.semaphore, cycle, 1);
    break;
  case ControlKind::SignalRemote:
    startRemoteSignal(t, context.value, op.semaphore, cycle);
    break;
  case ControlKind::List:
    startList(t, context.value, cycle);
    break;
  case ControlKind::Halt:
    t.state = ThreadState::Halted;
    recheck = true;
    if (probe)
      probe->halted(t, cycle);
    break;
  default:
    break;
  }
  if (t.state != ThreadState::Faulted)
    advancePc(t, op);
}

//===----------------------------------------------------------------------===//
// Semaphores
//===----------------------------------------------------------------------===//

// Of waits by several threads it matters which is earlier, and a thread may have run ahead of what
// decides that. So it stands before its wait, like one that waits for the cycle, until all that is
// earlier has happened (advance). The first thread to wait does not stand: most semaphores have but
// one, which would lose by it.
void Node::startWait(Thread &t, unsigned semaphore, uint64_t need, uint64_t cycle) {
  Semaphore &s = semaphores[semaphore];
  touched[semaphore / 64] |= uint64_t(1) << semaphore % 64;
  t.semaphore = static_cast<uint8_t>(semaphore);
  t.need = need;
  t.blockedPc = t.inList ? t.listPc : t.pc;
  t.waitSince = cycle;
  if (s.sharedBy(t.index) && setup.timing)
    standBeforeWait(t);
  else
    beginWait(t);
}

void Node::standBeforeWait(Thread &t) {
  t.state = ThreadState::Waiting;
  t.standing = true;
  t.pass = t.waitSince;
  recheck = true;
}

void Node::beginWait(Thread &t) {
  Semaphore &s = semaphores[t.semaphore];
  uint64_t cycle = t.waitSince;
  int self = static_cast<int>(t.index), first = s.waiter;
  auto refuse = [&](Thread &second, int other) {
    if (!second.inList)
      second.pc = second.blockedPc;
    raise(FaultClass::SecondWaiter, &second, cycle,
          "thread " + std::to_string(second.index) + " waits on semaphore " +
              std::to_string(t.semaphore) + ", on which thread " + std::to_string(other) +
              " waits");
  };
  if (first >= 0 && setup.timing) {
    // A wait that has run ahead comes after this one; of two in one cycle the first thread's
    // counts.
    Thread &waiter = threads[first];
    if (std::pair(waiter.waitSince, first) > std::pair(cycle, self)) {
      s.waiter = first = -1;
      if (waiter.waitSince > cycle)
        standBeforeWait(waiter);
      else
        refuse(waiter, self);
    }
  }
  if (first < 0 && s.lastWaiter != self && setup.timing && cycle <= s.lastPass)
    first = s.lastWaiter;
  if (first >= 0)
    return refuse(t, first);
  t.pass = s.passTime(cycle, t.need);
  s.waiter = static_cast<int8_t>(self);
  t.state = ThreadState::Waiting;
  if (probe)
    probe->held(t, cycle, Activity::Semaphore);
  if (t.pass == cycle)
    finishWait(t);
  else
    recheck = true;
}

void Node::finishWait(Thread &t) {
  if (std::exchange(t.standing, false))
    return beginWait(t);
  Semaphore &s = semaphores[t.semaphore];
  uint64_t at = t.pass;
  if (!s.settle(at, p.semaphoreLimit)) {
    raise(FaultClass::SemaphoreOverflow, &t, at,
          "semaphore " + std::to_string(t.semaphore) + " goes over " +
              std::to_string(p.semaphoreLimit));
    return;
  }
  s.take(t.need);
  if (checks)
    checks->waits(t);
  s.waiter = -1;
  s.lastWaiter = static_cast<int8_t>(t.index);
  s.lastPass = t.pass;
  t.state = ThreadState::Ready;
  if (probe)
    probe->waited(t);
  if (t.inList)
    nextDescriptor(t, t.pass);
  else
    t.next = t.pass + 1;
}

bool Node::signal(unsigned semaphore, uint64_t shows, uint32_t amount) {
  Semaphore &s = semaphores[semaphore];
  touched[semaphore / 64] |= uint64_t(1) << semaphore % 64;
  s.add(shows, amount);
  if (s.waiter < 0)
    return false;
  Thread &t = threads[s.waiter];
  t.pass = s.passTime(t.waitSince, t.need);
  recheck = true;
  return true;
}

void Node::signalOwn(Thread &t, unsigned semaphore, uint64_t cycle, uint32_t amount) {
  uint64_t shows = cycle + p.signalLatency;
  if (checks)
    checks->signals(t, semaphore, shows, amount);
  signal(semaphore, shows, amount);
}

void Node::startRemoteSignal(Thread &t, uint64_t destination, unsigned semaphore, uint64_t cycle) {
  Transfer &transfer = t.transfer();
  transfer = Transfer();
  std::string error;
  bool found = false;
  if (destination >> 12)
    error = "destination " + std::to_string(destination & 0xFFF) + " is on die " +
            std::to_string(destination >> 12) + "; there is only die 0";
  else
    found = topology.pathTo(number, static_cast<uint32_t>(destination), transfer.path, error);
  if (!found) {
    raise(FaultClass::BadDestination, &t, cycle, error);
    return;
  }
  transfer.from = transfer.asker = number;
  transfer.askerThread = static_cast<uint8_t>(t.index);
  transfer.to = static_cast<uint32_t>(destination);
  transfer.packetsLeft = 1;
  transfer.dataless = true;
  transfer.signalsFar = true;
  transfer.farSemaphore = static_cast<uint8_t>(semaphore);
  transfer.listPc = t.pc;
  t.blockedPc = t.pc;
  if (probe)
    probe->sendBegins(t, cycle);
  queueTrain(t, cycle);
}

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

void Node::startList(Thread &t, uint64_t address, uint64_t cycle) {
  t.listPc = t.pc;
  if (address > p.sramBytes || address % isa::Descriptor::bytes) {
    raise(address > p.sramBytes ? FaultClass::OutOfRange : FaultClass::Misaligned, &t, cycle,
          "transfer list at " + std::to_string(address) +
              "; lists start at multiples of 64 below " + std::to_string(p.sramBytes));
    return;
  }
  t.inList = true;
  t.next = cycle + p.listStart;
  if (probe)
    probe->listBegins(t, cycle);
  t.descriptorAddress = static_cast<uint32_t>(address);
  if (!t.apart && !t.predicated)
    t.apart = controlOnly(t.pc + t.op->bytes);
  recheck = true;
}

// Whether nothing but control instructions can be reached from `pc`, where no predicate is in
// force.
bool Node::controlOnly(uint32_t pc) {
  auto known = std::lower_bound(controlOnlyAt.begin(), controlOnlyAt.end(), std::pair(pc, false));
  if (known == controlOnlyAt.end() || known->first != pc) {
    bool predicates = false;
    bool only = reachesControlOnly(pc, false, predicates);
    // Under a predicate a jump or halt may be passed over.
    if (only && predicates)
      only = reachesControlOnly(pc, true, predicates);
    known = controlOnlyAt.insert(known, {pc, only});
  }
  return known->second;
}

bool Node::reachesControlOnly(uint32_t pc, bool passOver, bool &predicates) const {
  std::set<uint32_t> seen;
  std::vector<uint32_t> work{pc};
  while (!work.empty()) {
    uint32_t at = work.back();
    work.pop_back();
    if (!seen.insert(at).second)
      continue;
    const CodeSegment *segment = at % 4 ? nullptr : codeIn(at, 1);
    if (!segment)
      continue; // a fault, no slot
    uint32_t offset = at - segment->begin;
    const CodeImage &image = *segment->image;
    Op op = decodeOp(image.bytes.data() + offset, image.bytes.size() - offset, p);
    if (op.state != OpState::Valid)
      continue;
    if (op.control == ControlKind::None || op.control == ControlKind::JumpRegister)
      return false;
    predicates |= op.control == ControlKind::Predicate;
    if (op.control == ControlKind::Jump || op.control == ControlKind::Loop ||
        op.control == ControlKind::Branch)
      work.push_back(at + static_cast<uint32_t>(op.target));
    if (passOver || (op.control != ControlKind::Jump && op.control != ControlKind::Halt))
      work.push_back(at + op.bytes);
  }
  return true;
}

} // namespace dojo::emu
