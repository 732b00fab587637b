// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "LineShadow.h"

namespace dojo::emu {

void LineShadow::grow(Line &l) {
  if (l.count == mostEntries) { // who reads the same bytes so often without a signal
    l.count = mostEntries / 2;
    std::copy_n(l.entries + mostEntries / 2, l.count, l.entries);
    return;
  }
  uint16_t wanted = l.entries ? static_cast<uint16_t>(l.sizeClass + 1) : 0;
  Entry *entries;
  if (unused[wanted].empty()) {
    size_t size = size_t(1) << wanted;
    if (static_cast<size_t>(roomEnd - room) < size) {
      size_t block = std::max<size_t>(size, 256);
      blocks.push_back(std::make_unique_for_overwrite<Entry[]>(block));
      allocated += block * sizeof(Entry);
      room = blocks.back().get();
      roomEnd = room + block;
    }
    entries = room;
    room += size;
  } else {
    entries = unused[wanted].back();
    unused[wanted].pop_back();
  }
  if (l.entries) {
    std::copy_n(l.entries, l.count, entries);
    unused[l.sizeClass].push_back(l.entries);
  }
  l.entries = entries;
  l.sizeClass = wanted;
}

} // namespace dojo::emu
