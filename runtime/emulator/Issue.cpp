// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The issue rules: which instruction of which thread issues in which cycle.
#include "Checks.h"
#include "Probe.h"

#include <utility>

namespace dojo::emu {

using isa::TimingClass;

namespace {
constexpr unsigned nobody = numThreads;

bool inGroup(const Thread &t) {
  return !t.apart && t.state != ThreadState::Halted && t.state != ThreadState::Faulted;
}

// Finds `count` ports that are free in `cycle`.
bool freePorts(const uint64_t *freeFrom, unsigned ports, uint64_t cycle, unsigned count) {
  for (unsigned i = 0; i < ports && count; ++i)
    count -= freeFrom[i] <= cycle;
  return count == 0;
}

void occupy(uint64_t *freeFrom, uint64_t cycle, uint64_t until) {
  while (*freeFrom > cycle)
    ++freeFrom;
  *freeFrom = until;
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
                "still running after " + std::to_string(setup.watchdog) + " cycles");
      return;
    }
    runGroupCycle(cycle);
  }
}

void Node::runGroupCycle(uint64_t cycle) {
  for (Thread &t : threads)
    if (inGroup(t) && !t.inList && t.state == ThreadState::Waiting && t.pass <= cycle)
      finishWait(t);
  Slots slots{p.aluSlots, p.simdSlots, p.matrixSlots, p.decodeThreads, nobody};
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
    uint64_t ready = readyCycle(t, op);
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
      if (!takeSlots(op, cycle, *slots)) {
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

uint64_t Node::readyCycle(const Thread &t, const Op &op) const {
  // A branch does not wait for its condition, nor a counted loop for its counter.
  if (op.control == ControlKind::Branch || op.control == ControlKind::JumpRegister ||
      op.control == ControlKind::Loop)
    return 0;
  uint64_t ready = std::max(std::max(t.ready[op.sources[0]], t.ready[op.sources[1]]),
                            std::max(t.ready[op.sources[2]], t.ready[op.sources[3]]));
  // The pending write of the destination is ready no later than the own result.
  uint64_t pending = t.ready[op.destination];
  if (pending > op.latency)
    ready = std::max(ready, pending - op.latency);
  switch (op.timing) {
  case TimingClass::Div:
    return std::max(ready, dividerFree);
  case TimingClass::Estimate:
    return std::max(ready, estimatorFree);
  case TimingClass::Matrix:
    return std::max({ready, accFillReady[op.acc], accDrained[op.acc]});
  case TimingClass::Drain:
    return std::max({ready, accFillReady[op.acc], accStepReady[op.acc]});
  case TimingClass::Fill:
    if (accStepReady[op.acc] > op.latency)
      ready = std::max(ready, accStepReady[op.acc] - op.latency);
    return ready;
  default:
    return ready;
  }
}

bool Node::takeSlots(const Op &op, uint64_t cycle, Slots &slots) {
  unsigned *unit = nullptr;
  switch (op.timing) {
  case TimingClass::Alu:
  case TimingClass::Mul:
  case TimingClass::Div:
    unit = &slots.alu;
    break;
  case TimingClass::Simd:
  case TimingClass::Estimate:
  case TimingClass::Drain:
  case TimingClass::Fill:
    unit = &slots.simd;
    break;
  case TimingClass::Matrix:
    unit = &slots.matrix;
    break;
  default:
    break;
  }
  if (unit && *unit == 0)
    return false;
  unsigned accesses = op.timing == TimingClass::Gather ? 1 : op.numMemory;
  if (accesses && !freePorts(aguFree, p.aguSlots, cycle, accesses))
    return false;
  if (op.writesMemory && !freePorts(storeFree, p.storePorts, cycle, 1))
    return false;
  if (unit)
    --*unit;
  return true;
}

void Node::issue(Thread &t, const Op &op, uint64_t cycle) {
  uint64_t extra[2] = {0, 0};
  if (op.access != isa::MemAccess::None) {
    if (!access(t, op, cycle, extra))
      return;
    uint64_t busy = op.timing == TimingClass::Gather ? p.gatherBusy : 1;
    busyUntil = std::max(busyUntil, cycle + busy + 1 + std::max(extra[0], extra[1]));
    occupy(aguFree, cycle, cycle + busy + extra[0]);
    if (op.numMemory == 2)
      occupy(aguFree, cycle, cycle + busy + extra[1]);
    if (op.writesMemory)
      occupy(storeFree, cycle, cycle + 1 + extra[0]);
  }
  if (checks && op.usesAcc)
    checks->usesAccumulator(t, op, cycle);
  // A store takes its data before its base changes; a load's result stands over the new base.
  if (op.writesMemory)
    op.function(context, op);
  postIncrement(t, op, cycle);
  if (!op.writesMemory)
    op.function(context, op);

  uint64_t done = cycle + op.latency + std::max(extra[0], extra[1]);
  t.ready[op.destination] = done;
  t.ready[score::sink] = 0;
  busyUntil = std::max(busyUntil, done);
  exported.thread = nullptr;
  switch (op.timing) {
  case TimingClass::Div:
    dividerFree = cycle + p.divideBusy;
    busyUntil = std::max(busyUntil, dividerFree);
    break;
  case TimingClass::Estimate:
    estimatorFree = cycle + p.estimateBusy;
    busyUntil = std::max(busyUntil, estimatorFree);
    break;
  case TimingClass::Matrix:
    accStepReady[op.acc] = std::max(accStepReady[op.acc], done);
    break;
  case TimingClass::Drain:
    accDrained[op.acc] = cycle + 1;
    break;
  case TimingClass::Fill:
    accFillReady[op.acc] = std::max(accFillReady[op.acc], done);
    break;
  default:
    break;
  }
  record(t, op, done);
  advancePc(t, op);
}

void Node::record(Thread &t, const Op &op, uint64_t completion) {
  NodeLayer &layer = layers[t.layer];
  layer.end = std::max(layer.end, completion);
  ++layer.instructions;
  switch (op.timing) {
  case TimingClass::Matrix:
    ++layer.matrixSteps;
    break;
  case TimingClass::Simd:
  case TimingClass::Estimate:
  case TimingClass::Drain:
  case TimingClass::Fill:
    ++layer.simdOperations;
    break;
  default:
    break;
  }
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
  if (!t.range.holds(t.pc))
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
    uint32_t begin = std::max({line * p.codeLineBytes, t.segment->begin, t.range.begin});
    uint32_t end = std::min({(line + 1) * p.codeLineBytes, t.segment->end, t.range.end});
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

namespace {

// How many of `begins`, which ascend, are not after `pc`; most often about as many as `near`.
template <typename Vector, typename Begin>
uint32_t countUpTo(const Vector &all, uint32_t pc, uint32_t near, Begin begin) {
  size_t low = 0, high = all.size(); // the count lies between
  for (uint32_t at : {near - 1, near, near + 1})
    if (at < high && at >= low)
      (begin(all[at]) <= pc ? low : high) = begin(all[at]) <= pc ? at + 1 : at;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (begin(all[middle]) <= pc)
      low = middle + 1;
    else
      high = middle;
  }
  return static_cast<uint32_t>(low);
}

} // namespace

const Declaration *Node::declarationAt(uint32_t pc) const {
  auto next = std::upper_bound(declarationBegins.begin(), declarationBegins.end(), pc);
  if (next == declarationBegins.begin())
    return nullptr;
  const Declaration &before =
      *declarations[static_cast<size_t>(next - declarationBegins.begin()) - 1];
  return pc < before.end ? &before : nullptr;
}

void Node::enterRange(Thread &t) const {
  CodeRange &r = t.range;
  r.begin = 0;
  r.end = ~uint32_t(0);
  r.declaration = nullptr;
  size_t caller = std::exchange(t.layer, setup.numLayers);
  if (ranges) {
    r.rangesBefore =
        countUpTo(*ranges, t.pc, r.rangesBefore, [](const PcRange &range) { return range.begin; });
    if (r.rangesBefore < ranges->size())
      r.end = (*ranges)[r.rangesBefore].begin;
    if (r.rangesBefore > 0) {
      const PcRange &range = (*ranges)[r.rangesBefore - 1];
      r.begin = range.end;
      if (t.pc < range.end) {
        r.begin = range.begin;
        r.end = range.end;
        if (range.layer >= 0)
          t.layer = static_cast<size_t>(range.layer);
        else if (range.layer == -2)
          t.layer = caller;
      }
    }
  }
  if (declarations.empty())
    return;
  // The finer of the two divisions of the address space is looked up again at its own borders.
  r.declarationsBefore = countUpTo(declarationBegins, t.pc, r.declarationsBefore,
                                   [](uint32_t begin) { return begin; });
  if (r.declarationsBefore < declarationBegins.size())
    r.end = std::min(r.end, declarationBegins[r.declarationsBefore]);
  if (r.declarationsBefore == 0)
    return;
  const Declaration &before = *declarations[r.declarationsBefore - 1];
  if (t.pc < before.end) {
    r.declaration = &before;
    r.begin = std::max(r.begin, before.begin);
    r.end = std::min(r.end, before.end);
  } else {
    r.begin = std::max(r.begin, before.end);
  }
}

} // namespace dojo::emu
