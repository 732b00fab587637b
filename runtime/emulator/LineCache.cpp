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
  uses = 0;
  for (std::vector<uint32_t> *bySlot : {&lines, &lastUse, &nextInBucket})
    bySlot->clear();
  buckets.assign(numBuckets, none);
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

std::vector<uint32_t> LineCache::slotsByUse() const {
  std::vector<uint32_t> order(lines.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [this](uint32_t a, uint32_t b) { return lastUse[a] < lastUse[b]; });
  return order;
}

uint32_t LineCache::evict() {
  uint32_t slot =
      static_cast<uint32_t>(std::min_element(lastUse.begin(), lastUse.end()) - lastUse.begin());
  uint32_t *link = &buckets[lines[slot] % numBuckets];
  while (*link != slot)
    link = &nextInBucket[*link];
  *link = nextInBucket[slot];
  return slot;
}

bool LineCache::touch(uint32_t line) {
  if (++uses == 0) { // begins anew: only the order counts
    for (uint32_t slot : slotsByUse())
      lastUse[slot] = uses++;
  }
  uint32_t slot = buckets[line % numBuckets];
  while (slot != none && lines[slot] != line)
    slot = nextInBucket[slot];
  bool there = slot != none;
  if (!there) {
    if (lines.size() < capacity) {
      slot = static_cast<uint32_t>(lines.size());
      for (std::vector<uint32_t> *bySlot : {&lines, &lastUse, &nextInBucket})
        bySlot->push_back(0);
    } else {
      slot = evict();
    }
    lines[slot] = line;
    nextInBucket[slot] = std::exchange(buckets[line % numBuckets], slot);
  }
  lastUse[slot] = uses;
  return there;
}

} // namespace dojo::emu
