// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The code lines a thread keeps: the last distinct ones it executed, least recently used out first,
// and the stream of lines that follows a miss.
#ifndef DOJO_EMULATOR_LINECACHE_H
#define DOJO_EMULATOR_LINECACHE_H

#include "Parameters.h"

#include <array>
#include <vector>

namespace dojo::emu {

class LineCache {
public:
  void reset(const Parameters &parameters);

  /// The thread reaches `line` in cycle `now`; returns the cycle from which its instructions may
  /// issue.
  uint64_t reach(uint32_t line, uint64_t now) { return line == current ? now : change(line, now); }

  /// A taken branch ends the stream.
  void branch() { streaming = false; }

  // The same in pieces, for who does the timing himself.
  /// The thread reaches `line`; false: it misses.
  bool hit(uint32_t line) {
    if (line == current)
      return true;
    current = line;
    uint16_t slot = buckets[line % numBuckets];
    if (slot == none || slots[slot].line != line)
      return touch(line);
    use(slot);
    return true;
  }
  struct Stream {
    bool on;
    uint32_t line;  // the line that missed
    uint64_t start; // when it came
  };
  Stream stream() const { return {streaming, streamLine, streamStart}; }
  void setStream(uint32_t line, uint64_t start) {
    streaming = true;
    streamLine = line;
    streamStart = start;
  }

  /// After a reset. Slots and buckets are found again.
  template <class Archive> void archive(Archive &a) {
    a(current);
    a(streaming);
    a(streamLine);
    a.cycle(streamStart);
    a.require(streamStart != never);
    uint32_t last = current;
    size_t n = a.count(slots.size(), capacity);
    if constexpr (Archive::reading) {
      for (uint32_t line = 0; n > 0 && a.ok(); --n) {
        a(line);
        a.require(a.ok() && !touch(line));
      }
    } else {
      for (uint32_t use = oldest; use != uses; ++use)
        if (isLast(use))
          a(slots[slotsByUse[use]].line);
    }
    current = last;
  }

private:
  uint64_t change(uint32_t line, uint64_t now);
  bool touch(uint32_t line); // true: it was there
  void use(uint16_t slot) {
    if (uses == slotsByUse.size())
      compact();
    slots[slot].lastUse = uses;
    slotsByUse[uses++] = slot;
  }
  uint16_t evict(); // the slot that has become free
  void compact();
  bool isLast(uint32_t use) const { return slots[slotsByUse[use]].lastUse == use; }

  static constexpr uint16_t none = 0xFFFF;
  static constexpr unsigned numBuckets = 256;

  struct Slot {
    uint32_t line, lastUse;
    uint16_t next; // in its bucket
  };

  uint32_t current = ~0u;
  bool streaming = false;
  uint32_t streamLine = 0;  // the line that missed
  uint64_t streamStart = 0; // when it came
  uint64_t missCycles = 0, nextCycles = 0;
  uint32_t capacity = 0;
  // Uses are numbered, and the slots of uses [oldest, uses) noted. The first that is the last of
  // its slot is that of the least recently used line.
  uint32_t uses = 0, oldest = 0;
  std::vector<Slot> slots;
  std::vector<uint16_t> slotsByUse;
  std::array<uint16_t, numBuckets> buckets; // first slot, by line
};

} // namespace dojo::emu

#endif
