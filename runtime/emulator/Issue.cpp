// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The issue rules: which instruction of which thread issues in which cycle.
#include "Checks.h"
#include "Probe.h"

#include <utility>

namespace dojo::emu {

namespace {
constexpr unsigned nobody = numThreads;

bool inGroup(const Thread &t) {
  return !t.apart && t.state != ThreadState::Halted && t.state != ThreadState::Faulted;
}
} // namespace

//===----------------------------------------------------------------------===//
// The group
//===----------------------------------------------------------------------===//

uint64_t Node::groupEvent(bool &blocked) const {
  uint64_t event = never;
  blocked = false;
  for (const Thread &t : threads) {
    if (!inGroup(t))
      continue;
    if (t.inList || t.state == ThreadState::Sending) {
      blocked = true;
    } else if (t.state == ThreadState::Waiting) {
      blocked = true;
      event = std::min(event, t.pass);
    } else {
      event = std::min(event, t.next);
    }
  }
  return event;
}

void Node::runGroup(uint64_t limit) {
  recheck = false;
  while (!recheck) {
    // Up to the horizon nothing that the thread waits for matters: it may run as far as it can.
    if (Thread *t = limit == horizon ? aloneInGroup(ThreadState::Ready) : nullptr; t && runFast(*t))
      continue;
    bool blocked;
    uint64_t cycle = groupEvent(blocked);
    if (cycle == never || cycle > limit)
      return;
    if (cycle > setup.watchdog) {
      // A wait that passes too late counts as passed: the thread would go on.
      for (Thread &t : threads)
        if (inGroup(t) && !t.inList && t.state == ThreadState::Waiting && t.pass <= cycle)
          finishWait(t);
      for (Thread &t : threads)
        if (inGroup(t) && !t.inList && t.state == ThreadState::Ready)
          raise(FaultClass::Watchdog, &t, setup.watchdog,
                "still running after " + std::to_string(setup.watchdog) + " cycles", cycle);
      return;
    }
    runGroupCycle(cycle);
  }
}

void Node::runGroupCycle(uint64_t cycle) {
  for (Thread &t : threads)
    if (inGroup(t) && !t.inList && t.state == ThreadState::Waiting && t.pass <= cycle)
      finishWait(t);
  Slots slots{p.unitSlots, p.decodeThreads, nobody};
  serveGroup(cycle, slots, 0);
}

// From the thread that is asked as number `asked` on.
void Node::serveGroup(uint64_t cycle, Slots &slots, unsigned asked) {
  for (; asked < numThreads && !paused; ++asked) {
    Thread &t = threads[(firstAsked + asked) % numThreads];
    if (inGroup(t) && !t.inList && t.state == ThreadState::Ready && t.next <= cycle)
      serve(t, cycle, &slots);
    if (paused)
      paused->asked = static_cast<uint8_t>(asked);
  }
  if (paused)
    return;
  if (slots.lastServed != nobody)
    firstAsked = (slots.lastServed + 1) % numThreads;
}

//===----------------------------------------------------------------------===//
// One thread in one cycle
//===----------------------------------------------------------------------===//

// The one thread that uses slots, if it is in this state and the fast engine may run it.
Thread *Node::aloneInGroup(ThreadState state) {
  if (!setup.fast || fault || captureBytes || stops)
    return nullptr;
  Thread *alone = nullptr;
  for (Thread &t : threads)
    if (inGroup(t)) {
      if (alone)
        return nullptr;
      alone = &t;
    }
  if (!alone || alone->state != state || alone->inList || alone->predicated)
    return nullptr;
  return alone;
}

void Node::serve(Thread &t, uint64_t cycle, Slots *slots, unsigned count, bool placed) {
  for (; count < p.decodePerThread; ++count) {
    if (!t.op && !fetch(t, cycle))
      return;
    if (t.next > cycle)
      return;
    const Op &op = *t.op;
    if (op.state == OpState::Undefined) {
      raise(FaultClass::UndefinedInstruction, &t, cycle, "the bytes are no instruction");
      return;
    }
    if (t.predicated && t.skip) {
      if (stops &&
          stopsBefore(t, {t.index, 0, placed, count, cycle, slots ? *slots : Slots()}, true))
        return;
      --t.predicated;
      if (probe)
        probe->passedOver(t, cycle);
      advancePc(t, op);
      lastCycle = std::max(lastCycle, cycle);
      continue;
    }
    uint64_t ready = rules(t).readyCycle(op);
    if (ready > cycle) {
      if (probe)
        probe->notReady(t, op, cycle, ready);
      t.next = ready;
      return;
    }
    Place place;
    if (stops)
      place = {t.index, 0, placed, count, cycle, slots ? *slots : Slots()};
    if (op.control == ControlKind::None) {
      if (!placed) {
        if (slots->places == 0) {
          if (probe)
            probe->held(t, cycle, Activity::Place);
          t.next = cycle + 1;
          return;
        }
        --slots->places;
        placed = true;
      }
      if (!takeSlots(t, op, cycle, *slots)) {
        if (probe)
          probe->held(t, cycle, Activity::Port);
        t.next = cycle + 1;
        return;
      }
    }
    if (stops && stopsBefore(t, place, false))
      return;
    captureAt(t, cycle);
    if (probe)
      probe->issued(t, op, cycle);
    if (t.predicated)
      --t.predicated;
    lastCycle = std::max(lastCycle, cycle);
    context.r = &t.registers;
    context.pc = t.pc;
    if (op.control == ControlKind::None) {
      issue(t, op, cycle);
      slots->lastServed = t.index;
    } else {
      issueControl(t, op, cycle);
    }
    if (t.state != ThreadState::Ready || t.inList || t.next > cycle)
      return;
  }
  t.next = cycle + 1;
}

bool Node::takeSlots(Thread &t, const Op &op, uint64_t cycle, Slots &slots) {
  Unit unit = unitOf(op.timing);
  unsigned *free = unit == Unit::None ? nullptr : &slots.units[static_cast<unsigned>(unit)];
  if ((free && *free == 0) || !rules(t).portsFree(op, cycle))
    return false;
  if (free)
    --*free;
  return true;
}

bool Node::execute(Thread &t, const Op &op, uint64_t cycle, uint64_t extra[2]) {
  if (op.access != isa::MemAccess::None && !access(t, op, cycle, extra))
    return false;
  if (checks && op.usesAcc)
    checks->usesAccumulator(t, op, cycle);
  t.vectorsWritten |= op.vectorsWritten();
  usedAccumulators |= op.usesAcc;
  // A store takes its data before its base changes; a load's result stands over the new base.
  if (op.writesMemory)
    op.function(context, op);
  postIncrement(t, op);
  if (!op.writesMemory)
    op.function(context, op);
  return true;
}

void Node::issue(Thread &t, const Op &op, uint64_t cycle) {
  Crossings extra = {0, 0};
  if (!execute(t, op, cycle, extra))
    return;
  auto [done, latest] = rules(t).issue(op, cycle, extra);
  busyUntil = std::max(busyUntil, latest);
  exported.thread = nullptr;
  record(t, op, done);
  advancePc(t, op);
}

void Node::record(Thread &t, const Op &op, uint64_t completion) {
  NodeLayer &layer = layers[t.layer];
  layer.end = std::max(layer.end, completion);
  ++layer.instructions;
  layer.matrixSteps += unitOf(op.timing) == Unit::Matrix;
  layer.simdOperations += unitOf(op.timing) == Unit::Simd;
}

void Node::advancePc(Thread &t, const Op &op) {
  t.pc += op.bytes;
  t.op = nullptr;
}

//===----------------------------------------------------------------------===//
// Fetch
//===----------------------------------------------------------------------===//

bool Node::fetch(Thread &t, uint64_t cycle) {
  uint32_t offset = t.pc - t.nearBegin;
  if (offset < t.nearBytes) {
    const Op *op = t.nearOps + offset / 4;
    if (op->state == OpState::Valid && offset + op->bytes <= t.nearBytes) {
      t.op = op;
      return true;
    }
  }
  return fetchFar(t, cycle);
}

bool Node::fetchFar(Thread &t, uint64_t cycle) {
  t.nearBytes = 0;
  if (!t.segment || t.pc < t.segment->begin || t.pc >= t.segment->end)
    if (!findSegment(t, cycle))
      return false;
  if (!t.range->holds(t.pc))
    enterRange(t);
  if (probe)
    probe->layer(t, cycle);
  uint32_t at = t.pc - t.segment->begin;
  const CodeImage &image = *t.segment->image;
  const Op *op = &image.ops[at / 4];
  if (op->state == OpState::NotDecoded) {
    t.scratch = decodeOp(image.bytes.data() + at, image.bytes.size() - at, p);
    op = &t.scratch;
  }
  t.op = op;
  uint32_t line = t.pc / p.codeLineBytes, lastLine = (t.pc + op->bytes - 1) / p.codeLineBytes;
  if (setup.timing) {
    uint64_t from = t.lines.reach(line, cycle);
    if (lastLine != line)
      from = std::max(from, t.lines.reach(lastLine, cycle));
    if (from > cycle) {
      t.next = from;
      if (probe)
        probe->held(t, cycle, Activity::CodeLine);
    }
  }
  if (lastLine == line) {
    uint32_t begin = std::max({line * p.codeLineBytes, t.segment->begin, t.range->begin});
    uint32_t end = std::min({(line + 1) * p.codeLineBytes, t.segment->end, t.range->end});
    begin += (4 - begin % 4) % 4;
    t.nearBegin = begin;
    t.nearBytes = end > begin ? end - begin : 0;
    t.nearOps = image.ops.data() + (begin - t.segment->begin) / 4;
  }
  return true;
}

bool Node::findSegment(Thread &t, uint64_t cycle) {
  if (t.pc % 4) {
    raise(FaultClass::Misaligned, &t, cycle, "the program counter is not a multiple of 4");
    return false;
  }
  t.segment = codeIn(t.pc, 1);
  if (!t.segment)
    raise(FaultClass::FetchOutsideCode, &t, cycle, "there is no code at this address");
  return t.segment != nullptr;
}

} // namespace dojo::emu
