// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Node.h"
#include "Probe.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace dojo::emu {

Node::Node(uint32_t number, uint8_t *sram, const Parameters &parameters, const Topology &topology)
    : number(number), sram(sram), p(parameters), topology(topology) {
  for (unsigned i = 0; i < numThreads; ++i)
    threads[i].index = static_cast<uint8_t>(i);
  std::memset(accumulators, 0, sizeof accumulators);
  for (Thread &t : threads) {
    std::memset(&t.registers, 0, sizeof t.registers);
    std::memset(t.ready, 0, sizeof t.ready);
  }
}

void Node::reset(const RunSetup &newSetup) {
  setup = newSetup;
  fault.reset();
  lastCycle = 0;
  layers.assign(setup.numLayers + 1, NodeLayer());
  forTouchedSemaphores([](unsigned, Semaphore &s) { s.clear(); });
  touched = {};
  exported = {};
  stale = true;
  units = {};
  std::memset(functionalSteps, 0, sizeof functionalSteps);
  firstAsked = 0;
  answersFrom = never;
  busyUntil = 0;
  if (controlOnlySegments != code.segments.size())
    controlOnlyAt.clear();
  controlOnlySegments = code.segments.size();
  recheck = false;
  stops.reset();
  paused.reset();
  released = false;
  codeLow = code.segments.empty() ? 0 : code.segments.front().begin;
  codeHigh = code.segments.empty() ? 0 : code.segments.back().end;
  context.acc = accumulators;
  context.sram = sram;
  context.node = number;
  context.lineBytes = p.lineBytes;
  context.owner = this;
  context.findWindow = findWindow;
  setWindows(nullptr);
  for (Thread &t : threads) {
    t.ran |= t.started;
    t.started = entries[t.index] >= 0;
    t.state = ThreadState::Halted;
    t.inList = t.apart = t.trainQueued = t.standing = t.skip = false;
    t.predicated = t.sending = 0;
    t.op = nullptr;
    t.segment = nullptr;
    t.nearBytes = 0;
    t.trainNumber = 0;
    t.range = t.otherRange = &noCodeRange;
    t.block = nullptr;
    t.layer = setup.numLayers;
    t.next = 0;
    if (entries[t.index] < 0)
      continue;
    t.state = ThreadState::Ready;
    t.pc = static_cast<uint32_t>(entries[t.index]);
    t.next = jitter(t.index, 0, 1000);
    t.apart = setup.timing && controlOnly(t.pc);
  }
}

void Node::clearRegisters() {
  if (!std::exchange(stale, false))
    return;
  if (std::exchange(usedAccumulators, false))
    std::memset(accumulators, 0, sizeof accumulators);
  for (Thread &t : threads) {
    for (; t.vectorsWritten != 0; t.vectorsWritten &= t.vectorsWritten - 1)
      t.registers.v[std::countr_zero(t.vectorsWritten)] = {};
    if (std::exchange(t.ran, false)) {
      std::memset(t.registers.x, 0, sizeof t.registers.x);
      std::memset(t.registers.m, 0, sizeof t.registers.m);
      std::memset(t.ready, 0, sizeof t.ready);
    }
    t.registers.m[0] = ~uint64_t(0);
    if (t.started)
      t.lines.reset(p);
  }
}

// The splitmix64 finaliser over what identifies the event.
uint64_t Node::jitter(unsigned thread, uint64_t event, uint64_t range) const {
  if (!setup.jitterSeed)
    return 0;
  uint64_t z = *setup.jitterSeed;
  for (uint64_t part : {uint64_t(number), uint64_t(thread), event}) {
    z += part + 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
  }
  return z % (range + 1);
}

void Node::notePlaced(uint32_t begin, uint32_t end) {
  if (!placed.empty() && placed.back().end == begin) {
    placed.back().end = end;
    return;
  }
  placed.push_back({begin, end});
  // Inputs come again in every run.
  if (placed.size() > 2 * placedMerged + 64) {
    merge(placed);
    placedMerged = placed.size();
  }
}

void Node::raise(FaultClass faultClass, Thread *t, uint64_t cycle, std::string text,
                 uint64_t found) {
  found = std::max(found, cycle);
  recheck = true;
  if (probe)
    probe->faulted(t, faultClass, cycle);
  if (t)
    t->state = ThreadState::Faulted;
  int thread = t ? static_cast<int>(t->index) : -1;
  if (fault &&
      std::tuple(fault->cycle, fault->found, fault->thread) <= std::tuple(cycle, found, thread))
    return;
  Fault f;
  f.faultClass = faultClass;
  f.node = number;
  f.thread = thread;
  f.pc = !t ? 0 : t->inList ? t->listPc : t->pc;
  f.cycle = cycle;
  f.found = found;
  f.layer = t && t->layer < setup.numLayers ? static_cast<int32_t>(t->layer) : -1;
  f.text = std::move(text);
  fault = std::move(f);
}

uint64_t Node::nextTrain() const {
  uint64_t event = never;
  for (const Thread &t : threads)
    if (t.state == ThreadState::Sending)
      event = std::min(event, t.trainIssue);
  return event;
}

uint64_t Node::nextOwnEvent() const {
  if (paused)
    return paused->cycle;
  bool blocked;
  uint64_t event = groupEvent(blocked);
  for (const Thread &t : threads) {
    if (!t.inList && !t.apart)
      continue;
    if (t.state == ThreadState::Waiting)
      event = std::min(event, t.pass);
    else if (t.state == ThreadState::Ready)
      event = std::min(event, t.next);
  }
  // What comes after a fault does not count.
  return fault && event > fault->found ? never : event;
}

void Node::advance(uint64_t safe, bool ahead) {
  clearRegisters();
  if (paused)
    resumeCycle();
  while (!paused) {
    for (Thread &t : threads)
      if (t.state == ThreadState::Ready && (t.inList || t.apart))
        runApart(t);
    if (fault) {
      safe = std::min(safe, fault->found);
      ahead = false;
    }
    bool blocked;
    uint64_t group = groupEvent(blocked);
    uint64_t last = ahead ? horizon : safe;
    if (group != never && !blocked && group <= last) {
      runGroup(last);
      continue;
    }
    // What waits may be woken by a train of this node that is not yet committed, or by the answer
    // to a pull; both show only after their issue.
    uint64_t limit = std::min({safe, nextTrain(), answersFrom});
    Thread *waiter = nullptr;
    uint64_t pass = never;
    for (Thread &t : threads)
      if ((t.inList || t.apart) && t.state == ThreadState::Waiting && t.pass < pass) {
        waiter = &t;
        pass = t.pass;
      }
    if (std::min(group, pass) > limit || std::min(group, pass) == never)
      return;
    if (pass <= group)
      finishWait(*waiter);
    else if (Thread *t = aloneInGroup(ThreadState::Waiting))
      finishWait(*t); // nobody else acts in this cycle
    else
      runGroup(std::min(limit, pass));
  }
}

} // namespace dojo::emu
