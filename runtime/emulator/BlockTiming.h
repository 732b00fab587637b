// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The timing of a block that a thread runs alone, found once for each state in which it is entered.
//
// What a block's timing depends on is small: how far in the future registers and units are ready,
// what has been issued in the current cycle, which of its code lines miss, which of its accesses
// cross a line, and whether its branch was guessed. The state, relative to the current cycle, is
// given a number; a table leads from (block, state, events) to (state, cycles). Looking up takes
// the place of the issue rules (the memoisation of Schnarr and Larus, "Fast Out-Of-Order Processor
// Simulation Using Memoization", ASPLOS 1998).
#ifndef DOJO_EMULATOR_BLOCKTIMING_H
#define DOJO_EMULATOR_BLOCKTIMING_H

#include "Block.h"
#include "IssueRules.h"

#include <cstddef>
#include <deque>
#include <span>
#include <unordered_map>

namespace dojo::emu {

/// Cycles from now on until something is ready; 0: it is.
struct TimingState {
  uint32_t ready[score::size];
  UnitTimes<uint32_t> units;
  // Of the current cycle: instructions issued, slots taken, and whether the thread has its place.
  uint32_t issued, taken[numUnits], placed;

  static constexpr unsigned numWaits = score::size + UnitTimes<uint32_t>::size;
  /// In the next cycle nothing has issued yet.
  void startCycle() {
    issued = placed = 0;
    for (uint32_t &slots : taken)
      slots = 0;
  }
  uint32_t *waits() { return reinterpret_cast<uint32_t *>(this); }
  const uint32_t *waits() const { return reinterpret_cast<const uint32_t *>(this); }
};
static_assert(offsetof(TimingState, issued) == TimingState::numWaits * sizeof(uint32_t));

/// What a block meets on its way.
struct BlockEvents {
  uint64_t crossings = 0; // bits of Op::crossing
  uint32_t misses = 0;    // bits of the block's code lines
  // The stream of lines, if any line misses; lines count from the block's first.
  int32_t streamLine = 0;    // the line that started it
  int64_t streamArrival = 0; // of the block's first line, from now on; may be past
  bool streaming = false;
  bool wrongGuess = false; // of the branch at its end
  bool operator==(const BlockEvents &) const = default;
};

/// What came of it; cycles from the block's start.
struct BlockOutcome {
  uint32_t cycles = 0;    // to the next instruction's first
  uint32_t lastIssue = 0; // the last instruction's
  uint32_t completion = 0;
  bool served = false; // at least one instruction took a slot
  bool streamed = false;
  int32_t streamLine = 0;
  int64_t streamArrival = 0;
};

/// Applies the issue rules to the first `count` instructions of a block.
BlockOutcome timeBlock(const Block &block, size_t count, const BlockEvents &events,
                       const Parameters &p, TimingState &state);

/// One for each host thread.
class TimingCache {
public:
  /// What an entry is for. Without lines that miss, that is all.
  struct Key {
    const Block *block = nullptr;
    uint64_t crossings = 0;
    uint64_t from = 0; // the state, and what happens in the high half
    enum Kind : uint64_t { LinesMiss, NothingElse, WrongGuess };
    Key() = default;
    Key(const Block &block, uint64_t crossings, uint32_t state, Kind kind)
        : block(&block), crossings(crossings), from(kind << 32 | state) {}
    uint32_t state() const { return static_cast<uint32_t>(from); }
    Kind kind() const { return static_cast<Kind>(from >> 32); }
    bool operator==(const Key &) const = default;
  };
  /// What is looked at of most comes first, in one line of the host's cache.
  struct alignas(64) Entry {
    Key key;
    // What followed last, and before that: functions return to several places.
    mutable const Entry *next = &none, *otherNext = &none;
    BlockOutcome outcome;
    uint32_t to = 0;
    BlockEvents events;
    bool matches(const Key &k, const BlockEvents &e) const {
      return key == k && (k.kind() != Key::LinesMiss || events == e);
    }
  };
  static const Entry none; // is for nothing

  explicit TimingCache(const Parameters &p) : p(p) { clear(); }

  /// The state with nothing pending has number 0.
  uint32_t number(const TimingState &state);
  const TimingState &state(uint32_t number) const { return states[number].state; }
  /// The number of what a state has become when `cycles` have passed in which nothing issued.
  uint32_t later(uint32_t number, uint64_t cycles);
  /// What a state waits for: places in waits(), with the cycles.
  struct Wait {
    uint16_t place;
    uint32_t cycles;
  };
  std::span<const Wait> waits(uint32_t number) const { return states[number].waits; }
  uint32_t longestWait(uint32_t number) const { return states[number].longest; }
  const Entry &find(const Key &key, const BlockEvents &events);
  /// Forgets everything if it has become too much. Numbers and entries are void then, and there is
  /// another generation.
  void trim();
  unsigned generation() const { return clears; }

private:
  void clear();
  void grow();

  const Parameters &p;
  struct Numbered {
    TimingState state;
    std::vector<Wait> waits;
    uint32_t longest;
  };
  std::deque<Numbered> states;
  std::unordered_map<uint64_t, uint32_t> laters; // by state and cycles
  unsigned clears = 0;
  std::unordered_multimap<uint64_t, uint32_t> numbers; // by hash
  std::deque<Entry> entries;
  std::vector<const Entry *> table; // open addressing, a power of two
};

} // namespace dojo::emu

#endif
