// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For each byte of a node's memory the last write and the reads since that are not ordered before
// one another, as FastTrack keeps them (Flanagan and Freund 2009). Accesses of a 64-byte line share
// an entry with a bit for each byte, so that neighbouring bytes are kept apart and the common case,
// a line written once and read once, takes two entries. Of more than 4,096 the older half is
// dropped.
#ifndef DOJO_EMULATOR_LINESHADOW_H
#define DOJO_EMULATOR_LINESHADOW_H

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace dojo::emu {

/// Who made an access, as entries keep it.
struct Accessor {
  /// A thread's step, or a packet that arrived.
  static constexpr uint32_t arrival = UINT32_MAX;
  uint32_t thread = 0;
  uint32_t step = 0; // arrival: its number
  uint32_t site = 0; // what it was, as the caller counts
  bool operator==(const Accessor &) const = default;
};

class LineShadow {
public:
  explicit LineShadow(uint32_t bytes) : pages(bytes / pageBytes + 1) {}

  /// Notes an access to [begin, end). `ordered(accessor)` says whether an earlier access is ordered
  /// before this one; `conflict(accessor, wrote, begin, end)` gets those that conflict with it and
  /// are not, each with the first run of bytes it has in common.
  template <typename Ordered, typename Conflict>
  void access(uint32_t begin, uint32_t end, bool write, const Accessor &who, Ordered ordered,
              Conflict conflict) {
    while (begin < end) {
      uint32_t low = begin % lineBytes, count = std::min(end - begin, lineBytes - low);
      uint64_t bytes = (count == 64 ? ~uint64_t(0) : (uint64_t(1) << count) - 1) << low;
      accessLine(line(begin), begin - low, bytes, write, who, ordered, conflict);
      begin += count;
    }
  }
  uint64_t hostBytes() const { return allocated + pages.size() * sizeof(pages[0]); }

private:
  static constexpr uint32_t lineBytes = 64, pageLines = 64, pageBytes = lineBytes * pageLines;
  static constexpr unsigned mostEntries = 1 << 12;

  struct Entry {
    uint64_t bytes; // of the line
    Accessor who;
    bool write;
  };
  struct Line {
    Entry *entries = nullptr;
    uint16_t count = 0, sizeClass = 0; // room for 1 << sizeClass entries
  };
  using Page = std::array<Line, pageLines>;

  Line &line(uint32_t address) {
    std::unique_ptr<Page> &page = pages[address / pageBytes];
    if (!page) {
      page = std::make_unique<Page>();
      allocated += sizeof(Page);
    }
    return (*page)[address % pageBytes / lineBytes];
  }

  template <typename Ordered, typename Conflict>
  void accessLine(Line &l, uint32_t base, uint64_t bytes, bool write, const Accessor &who,
                  Ordered ordered, Conflict conflict) {
    Entry *same = nullptr;
    unsigned kept = 0;
    for (unsigned i = 0; i < l.count; ++i) {
      Entry e = l.entries[i];
      if (uint64_t common = e.bytes & bytes) {
        bool before = ordered(e.who);
        if (!before && (write || e.write))
          tell(conflict, e, base, common);
        // A write stands for all accesses before it; a read for the reads ordered before it.
        if (write || (!e.write && before))
          e.bytes &= ~common;
      }
      if (!e.bytes && !(e.write == write && e.who == who))
        continue;
      l.entries[kept] = e;
      if (e.write == write && e.who == who)
        same = &l.entries[kept];
      ++kept;
    }
    l.count = static_cast<uint16_t>(kept);
    if (!same) {
      if (!l.entries || l.count == 1u << l.sizeClass)
        grow(l);
      same = &l.entries[l.count++];
      *same = {0, who, write};
    }
    same->bytes |= bytes;
  }

  template <typename Conflict>
  static void tell(Conflict conflict, const Entry &e, uint32_t base, uint64_t common) {
    uint32_t begin = base, end;
    for (; !(common & 1); common >>= 1)
      ++begin;
    for (end = begin; common & 1; common >>= 1)
      ++end;
    conflict(e.who, e.write, begin, end);
  }

  void grow(Line &line);

  std::vector<std::unique_ptr<Page>> pages;
  std::vector<std::unique_ptr<Entry[]>> blocks; // pieces of which lines have their entries
  std::array<std::vector<Entry *>, 13> unused;  // by size class
  Entry *room = nullptr, *roomEnd = nullptr;    // the rest of the last block
  uint64_t allocated = 0;
};

} // namespace dojo::emu

#endif
