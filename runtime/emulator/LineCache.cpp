// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "LineCache.h"

#include <algorithm>
#include <utility>

namespace dojo::emu {

void LineCache::reset(const Parameters &p) {
  current = ~0u;
  streaming = false;
  missCycles = p.codeMiss;
  nextCycles = p.codeNextLine;
  capacity = p.codeLines;
  uses = oldest = 0;
  slots.clear();
  slotsByUse.resize(size_t(8) * capacity);
  buckets.fill(none);
}

uint64_t LineCache::change(uint32_t line, uint64_t now) {
  current = line;
  if (touch(line))
    return now;
  if (!streaming || line <= streamLine) {
    streaming = true;
    streamLine = line;
    streamStart = now + missCycles;
  }
  return std::max(now, streamStart + (line - streamLine) * nextCycles);
}

// Leaves out of the ring what has been used again since.
void LineCache::compact() {
  uint32_t to = 0;
  for (; oldest != uses; ++oldest)
    if (isLast(oldest)) {
      uint16_t slot = slotsByUse[oldest];
      slotsByUse[to] = slot;
      slots[slot].lastUse = to++;
    }
  oldest = 0;
  uses = to;
}

uint16_t LineCache::evict() {
  while (!isLast(oldest))
    ++oldest;
  uint16_t slot = slotsByUse[oldest++];
  uint16_t *link = &buckets[slots[slot].line % numBuckets];
  while (*link != slot)
    link = &slots[*link].next;
  *link = slots[slot].next;
  return slot;
}

bool LineCache::touch(uint32_t line) {
  uint16_t slot = buckets[line % numBuckets];
  while (slot != none && slots[slot].line != line)
    slot = slots[slot].next;
  bool there = slot != none;
  if (!there) {
    if (slots.size() < capacity) {
      slot = static_cast<uint16_t>(slots.size());
      slots.emplace_back();
    } else {
      slot = evict();
    }
    slots[slot].line = line;
    slots[slot].next = std::exchange(buckets[line % numBuckets], slot);
  }
  use(slot);
  return there;
}

} // namespace dojo::emu
