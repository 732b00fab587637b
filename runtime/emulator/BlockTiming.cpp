// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "BlockTiming.h"

#include <cstring>

namespace dojo::emu {

using isa::TimingClass;

//===----------------------------------------------------------------------===//
// The issue rules for one thread
//===----------------------------------------------------------------------===//

namespace {

void pass(TimingState &s, uint64_t cycles) {
  uint32_t *waits = s.waits(), passed = static_cast<uint32_t>(cycles);
  for (unsigned i = 0; i < TimingState::numWaits; ++i)
    waits[i] = waits[i] > passed ? waits[i] - passed : 0;
}

class Timer {
public:
  Timer(const Block &block, const BlockEvents &events, const Parameters &p, TimingState &s)
      : block(block), events(events), p(p), s(s), streaming(events.streaming) {
    out.streamLine = events.streamLine;
    out.streamArrival = events.streamArrival;
  }

  BlockOutcome run(size_t count) {
    for (size_t i = 0; i < count; ++i)
      step(i);
    if (s.issued == p.decodePerThread)
      go(cycle + 1);
    out.cycles = cycle;
    leave();
    return out;
  }

private:
  // On to a later cycle, in which nothing has issued yet.
  void go(uint64_t to) {
    cycle = to;
    s.issued = s.alu = s.simd = s.matrix = s.placed = 0;
  }

  void step(size_t i) {
    const Op &op = block.ops[i];
    if (s.issued == p.decodePerThread)
      go(cycle + 1);
    if (uint64_t from = reach(block.lines[i]); from > cycle)
      go(from);
    if (uint64_t ready = readyCycle(op); ready > cycle)
      go(ready);
    if (op.control == ControlKind::None)
      issue(op);
    else
      issueControl(op);
  }

  uint64_t reach(Block::Lines lines) {
    uint64_t from = cycle;
    for (; reached <= lines.last; ++reached) {
      if (!(events.misses >> reached & 1))
        continue;
      int64_t next = static_cast<int64_t>(p.codeNextLine);
      if (!streaming || reached <= out.streamLine) {
        streaming = out.streamed = true;
        out.streamLine = reached;
        out.streamArrival = static_cast<int64_t>(cycle + p.codeMiss) - reached * next;
      }
      int64_t arrival = out.streamArrival + reached * next;
      from = std::max(from, static_cast<uint64_t>(std::max<int64_t>(arrival, 0)));
    }
    return from;
  }

  uint64_t readyCycle(const Op &op) const {
    if (op.control == ControlKind::Branch || op.control == ControlKind::JumpRegister ||
        op.control == ControlKind::Loop)
      return 0;
    uint32_t ready = std::max(std::max(s.ready[op.sources[0]], s.ready[op.sources[1]]),
                              std::max(s.ready[op.sources[2]], s.ready[op.sources[3]]));
    uint32_t pending = s.ready[op.destination];
    if (pending > op.latency)
      ready = std::max(ready, pending - op.latency);
    switch (op.timing) {
    case TimingClass::Div:
      return std::max(ready, s.divider);
    case TimingClass::Estimate:
      return std::max(ready, s.estimator);
    case TimingClass::Matrix:
      return std::max({ready, s.fillReady[op.acc], s.drained[op.acc]});
    case TimingClass::Drain:
      return std::max({ready, s.fillReady[op.acc], s.stepReady[op.acc]});
    case TimingClass::Fill:
      if (s.stepReady[op.acc] > op.latency)
        ready = std::max(ready, s.stepReady[op.acc] - op.latency);
      return ready;
    default:
      return ready;
    }
  }

  bool freePorts(const uint32_t *freeFrom, unsigned ports, unsigned count) const {
    for (unsigned i = 0; i < ports && count; ++i)
      count -= freeFrom[i] <= cycle;
    return count == 0;
  }

  void occupy(uint32_t *freeFrom, uint64_t busy) {
    while (*freeFrom > cycle)
      ++freeFrom;
    *freeFrom = static_cast<uint32_t>(cycle + busy);
  }

  bool takeSlots(const Op &op) {
    uint32_t none = 0, *unit = &none;
    unsigned slots = 1;
    switch (op.timing) {
    case TimingClass::Alu:
    case TimingClass::Mul:
    case TimingClass::Div:
      unit = &s.alu;
      slots = p.aluSlots;
      break;
    case TimingClass::Simd:
    case TimingClass::Estimate:
    case TimingClass::Drain:
    case TimingClass::Fill:
      unit = &s.simd;
      slots = p.simdSlots;
      break;
    case TimingClass::Matrix:
      unit = &s.matrix;
      slots = p.matrixSlots;
      break;
    default:
      break;
    }
    unsigned accesses = op.timing == TimingClass::Gather ? 1 : op.numMemory;
    if (*unit == slots || !freePorts(s.agu, p.aguSlots, accesses) ||
        (op.writesMemory && !freePorts(s.store, p.storePorts, 1)))
      return false;
    ++*unit;
    return true;
  }

  void issue(const Op &op) {
    while (!takeSlots(op))
      go(cycle + 1);
    s.placed = 1;
    out.served = true;
    uint64_t extra[2] = {0, 0};
    if (op.access != isa::MemAccess::None) {
      for (unsigned i : {0u, 1u})
        if (i < 1 || op.numMemory == 2)
          extra[i] = (events.crossings >> (op.crossing + i) & 1) ? p.lineCrossing : 0;
      uint64_t busy = op.timing == TimingClass::Gather ? p.gatherBusy : 1;
      occupy(s.agu, busy + extra[0]);
      if (op.numMemory == 2)
        occupy(s.agu, busy + extra[1]);
      if (op.writesMemory)
        occupy(s.store, 1 + extra[0]);
    }
    for (unsigned i = 0; i < op.numMemory; ++i)
      if (op.memory[i].postIncrement && op.memory[i].base)
        s.ready[score::x + op.memory[i].base] = at(p.controlLatency);
    uint32_t done = at(op.latency + std::max(extra[0], extra[1]));
    s.ready[op.destination] = done;
    s.ready[score::sink] = 0;
    switch (op.timing) {
    case TimingClass::Div:
      s.divider = at(p.divideBusy);
      break;
    case TimingClass::Estimate:
      s.estimator = at(p.estimateBusy);
      break;
    case TimingClass::Matrix:
      s.stepReady[op.acc] = std::max(s.stepReady[op.acc], done);
      break;
    case TimingClass::Drain:
      s.drained[op.acc] = at(1);
      break;
    case TimingClass::Fill:
      s.fillReady[op.acc] = std::max(s.fillReady[op.acc], done);
      break;
    default:
      break;
    }
    issued(done);
  }

  void issueControl(const Op &op) {
    uint64_t sources = std::max(s.ready[op.sources[0]], s.ready[op.sources[1]]);
    uint64_t later = std::max(cycle, sources);
    // A counted loop does not wait for its counter, but the new count comes after the old one.
    s.ready[op.destination] =
        static_cast<uint32_t>((op.control == ControlKind::Loop ? later : cycle) + p.controlLatency);
    s.ready[score::sink] = 0;
    issued(at(p.controlLatency));
    bool isBranch = op.control == ControlKind::Branch || op.control == ControlKind::JumpRegister;
    if (isBranch && events.wrongGuess && later + p.branchPenalty > cycle)
      go(later + p.branchPenalty);
    else if (op.control == ControlKind::Wait)
      go(cycle + 1); // passes in its cycle or later
  }

  void issued(uint64_t done) {
    ++s.issued;
    out.lastIssue = cycle;
    out.completion = std::max(out.completion, done);
  }

  uint32_t at(uint64_t later) const { return static_cast<uint32_t>(cycle + later); }

  // The state as the next cycle sees it.
  void leave() { pass(s, cycle); }

  const Block &block;
  const BlockEvents &events;
  const Parameters &p;
  TimingState &s;
  BlockOutcome out;
  uint64_t cycle = 0;
  bool streaming;
  int32_t reached = 0; // lines before this one have been reached
};

uint64_t mix(uint64_t h, uint64_t value) {
  h = (h ^ value) * 0x9E3779B97F4A7C15u;
  return h ^ (h >> 29);
}

uint64_t hashOf(const TimingState &state) {
  uint64_t h = 0, words[sizeof state / 8 + 1] = {};
  std::memcpy(words, &state, sizeof state);
  for (uint64_t w : words)
    h = mix(h, w);
  return h;
}

uint64_t hashOf(const Block *block, uint32_t state, const BlockEvents &e) {
  uint64_t h = mix(reinterpret_cast<uintptr_t>(block), state);
  h = mix(h, e.crossings);
  h = mix(h, e.misses | uint64_t(e.wrongGuess) << 32 | uint64_t(e.streaming) << 33);
  if (e.misses)
    h = mix(h, uint64_t(e.streamArrival) * 64 + uint64_t(e.streamLine + 1));
  return h;
}

constexpr size_t maxStates = 1 << 17, maxEntries = 1 << 19;

} // namespace

BlockOutcome timeBlock(const Block &block, size_t count, const BlockEvents &events,
                       const Parameters &p, TimingState &state) {
  return Timer(block, events, p, state).run(count);
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

void TimingCache::clear() {
  states.clear();
  numbers.clear();
  laters.clear();
  number(TimingState());
  ++clears;
  entries.clear();
  table.assign(1 << 12, nullptr);
}

void TimingCache::trim() {
  if (states.size() > maxStates || entries.size() > maxEntries)
    clear();
}

uint32_t TimingCache::number(const TimingState &state) {
  uint64_t hash = hashOf(state);
  auto [begin, end] = numbers.equal_range(hash);
  for (auto it = begin; it != end; ++it)
    if (!std::memcmp(&states[it->second].state, &state, sizeof state))
      return it->second;
  uint32_t number = static_cast<uint32_t>(states.size());
  Numbered &numbered = states.emplace_back(Numbered{state, {}, 0});
  for (unsigned i = 0; i < TimingState::numWaits; ++i)
    if (uint32_t wait = state.waits()[i]) {
      numbered.waits.push_back({static_cast<uint16_t>(i), wait});
      numbered.longest = std::max(numbered.longest, wait);
    }
  numbers.emplace(hash, number);
  return number;
}

uint32_t TimingCache::later(uint32_t from, uint64_t cycles) {
  if (cycles == 0)
    return from;
  if (cycles >= states[from].longest)
    return 0;
  auto [known, added] = laters.try_emplace(uint64_t(from) << 32 | cycles, 0);
  if (added) {
    TimingState state = states[from].state;
    pass(state, cycles);
    state.issued = state.alu = state.simd = state.matrix = state.placed = 0;
    known->second = number(state);
  }
  return known->second;
}

void TimingCache::grow() {
  table.assign(2 * table.size(), nullptr);
  for (const Entry &e : entries) {
    size_t at = hashOf(e.block, e.from, e.events) & (table.size() - 1);
    while (table[at])
      at = (at + 1) & (table.size() - 1);
    table[at] = &e;
  }
}

const TimingCache::Entry &TimingCache::find(const Block &block, uint32_t from,
                                            const BlockEvents &events) {
  if (2 * entries.size() >= table.size())
    grow();
  size_t at = hashOf(&block, from, events) & (table.size() - 1);
  while (table[at]) {
    if (table[at]->matches(&block, from, events))
      return *table[at];
    at = (at + 1) & (table.size() - 1);
  }
  TimingState state = states[from].state;
  BlockOutcome outcome = timeBlock(block, block.ops.size(), events, p, state);
  entries.push_back({&block, from, events, number(state), outcome});
  table[at] = &entries.back();
  return entries.back();
}

} // namespace dojo::emu
