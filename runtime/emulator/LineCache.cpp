// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "LineCache.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace dojo::emu {

void LineCache::reset(const Parameters &p) {
  current = ~0u;
  streaming = false;
  missCycles = p.codeMiss;
  nextCycles = p.codeNextLine;
  capacity = p.codeLines;
  uses = sortedAt = 0;
  slots.clear();
  byUse.clear();
  oldest = 0;
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

void LineCache::sortByUse(std::vector<uint16_t> &order) const {
  order.resize(slots.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [this](uint16_t a, uint16_t b) { return slots[a].lastUse < slots[b].lastUse; });
}

uint16_t LineCache::evict() {
  while (oldest < byUse.size() && slots[byUse[oldest]].lastUse > sortedAt)
    ++oldest;
  if (oldest == byUse.size()) {
    sortByUse(byUse);
    sortedAt = uses;
    oldest = 0;
  }
  uint16_t slot = byUse[oldest++];
  uint16_t *link = &buckets[slots[slot].line % numBuckets];
  while (*link != slot)
    link = &slots[*link].next;
  *link = slots[slot].next;
  return slot;
}

bool LineCache::touch(uint32_t line) {
  ++uses;
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
  slots[slot].lastUse = uses;
  return there;
}

} // namespace dojo::emu
