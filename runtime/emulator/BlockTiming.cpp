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
      : block(block), events(events), p(p), s(s), rules{p, s.ready, s.units},
        streaming(events.streaming) {
    out.streamLine = events.streamLine;
    out.streamArrival = events.streamArrival;
  }

  BlockOutcome run(size_t count) {
    for (size_t i = 0; i < count; ++i)
      step(i);
    if (s.issued == p.decodePerThread)
      go(cycle + 1);
    out.cycles = static_cast<uint32_t>(cycle);
    leave();
    return out;
  }

private:
  // On to a later cycle, in which nothing has issued yet.
  void go(uint64_t to) {
    cycle = to;
    s.startCycle();
  }

  void step(size_t i) {
    const Op &op = block.ops[i];
    if (s.issued == p.decodePerThread)
      go(cycle + 1);
    if (uint64_t from = reach(block.lines[i]); from > cycle)
      go(from);
    if (uint64_t ready = rules.readyCycle(op); ready > cycle)
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

  bool takeSlots(const Op &op) {
    Unit unit = unitOf(op.timing);
    unsigned i = static_cast<unsigned>(unit);
    if ((unit != Unit::None && s.taken[i] == p.unitSlots[i]) || !rules.portsFree(op, cycle))
      return false;
    if (unit != Unit::None)
      ++s.taken[i];
    return true;
  }

  void issue(const Op &op) {
    while (!takeSlots(op))
      go(cycle + 1);
    s.placed = 1;
    out.served = true;
    Crossings extra = {0, 0};
    if (op.access != isa::MemAccess::None)
      for (unsigned i : {0u, 1u})
        if (i < 1 || op.numMemory == 2)
          extra[i] = (events.crossings >> (op.crossing + i) & 1) ? p.lineCrossing : 0;
    issued(rules.issue(op, cycle, extra).done);
  }

  void issueControl(const Op &op) {
    auto result = rules.issueControl(op, cycle);
    issued(result.done);
    if (events.wrongGuess &&
        (op.control == ControlKind::Branch || op.control == ControlKind::JumpRegister) &&
        result.goesOnAt > cycle)
      go(result.goesOnAt);
    else if (op.control == ControlKind::Wait)
      go(cycle + 1); // passes in its cycle or later
  }

  void issued(uint64_t done) {
    ++s.issued;
    out.lastIssue = static_cast<uint32_t>(cycle);
    out.completion = std::max(out.completion, static_cast<uint32_t>(done));
  }

  // The state as the next cycle sees it.
  void leave() { pass(s, cycle); }

  const Block &block;
  const BlockEvents &events;
  const Parameters &p;
  TimingState &s;
  IssueRules<uint32_t> rules;
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

uint64_t hashOf(const TimingCache::Key &key, const BlockEvents &e) {
  uint64_t h = mix(reinterpret_cast<uintptr_t>(key.block), key.state());
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

const TimingCache::Entry TimingCache::none = {};

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
    state.startCycle();
    known->second = number(state);
  }
  return known->second;
}

void TimingCache::grow() {
  table.assign(2 * table.size(), nullptr);
  for (const Entry &e : entries) {
    size_t at = hashOf(e.key, e.events) & (table.size() - 1);
    while (table[at])
      at = (at + 1) & (table.size() - 1);
    table[at] = &e;
  }
}

const TimingCache::Entry &TimingCache::find(const Key &key, const BlockEvents &events) {
  if (2 * entries.size() >= table.size())
    grow();
  size_t at = hashOf(key, events) & (table.size() - 1);
  while (table[at]) {
    if (table[at]->matches(key, events))
      return *table[at];
    at = (at + 1) & (table.size() - 1);
  }
  TimingState state = states[key.state()].state;
  BlockOutcome outcome = timeBlock(*key.block, key.block->ops.size(), events, p, state);
  Entry &entry = entries.emplace_back();
  entry.key = key;
  entry.outcome = outcome;
  entry.to = number(state);
  entry.events = events;
  table[at] = &entry;
  return entry;
}

} // namespace dojo::emu
