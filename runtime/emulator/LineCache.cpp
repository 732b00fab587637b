// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "LineCache.h"

#include <algorithm>

namespace dojo::emu {

void LineCache::reset(const Parameters &p) {
  current = ~0u;
  streaming = false;
  missCycles = p.codeMiss;
  nextCycles = p.codeNextLine;
  capacity = p.codeLines;
  newest = oldest = none;
  entries.clear();
  entries.reserve(capacity);
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

void LineCache::unlink(uint16_t slot) {
  Entry &e = entries[slot];
  (e.newer == none ? newest : entries[e.newer].older) = e.older;
  (e.older == none ? oldest : entries[e.older].newer) = e.newer;
}

void LineCache::pushNewest(uint16_t slot) {
  Entry &e = entries[slot];
  e.newer = none;
  e.older = newest;
  (newest == none ? oldest : entries[newest].newer) = slot;
  newest = slot;
}

bool LineCache::touch(uint32_t line) {
  uint16_t &bucket = buckets[line % numBuckets];
  for (uint16_t slot = bucket; slot != none; slot = entries[slot].nextInBucket)
    if (entries[slot].line == line) {
      if (slot != newest) {
        unlink(slot);
        pushNewest(slot);
      }
      return true;
    }
  uint16_t slot;
  if (entries.size() < capacity) {
    slot = static_cast<uint16_t>(entries.size());
    entries.emplace_back();
  } else {
    slot = oldest;
    unlink(slot);
    uint16_t *link = &buckets[entries[slot].line % numBuckets];
    while (*link != slot)
      link = &entries[*link].nextInBucket;
    *link = entries[slot].nextInBucket;
  }
  entries[slot].line = line;
  entries[slot].nextInBucket = bucket;
  bucket = slot;
  pushNewest(slot);
  return false;
}

} // namespace dojo::emu
