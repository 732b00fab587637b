// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One node's part of a session's stops. A node without any has none of these.
#ifndef DOJO_EMULATOR_NODESTOPS_H
#define DOJO_EMULATOR_NODESTOPS_H

#include "dojo/Emulator/Stops.h"

#include <algorithm>

namespace dojo::emu {

struct NodeStops {
  struct Break {
    uint32_t pc;
    int thread; // -1: any
    unsigned number;
  };
  struct Watch {
    uint32_t begin, end;
    unsigned number;
  };
  std::vector<Break> breaks; // by pc
  std::vector<Watch> watches;
  int stepThread = -1;
  uint64_t stepsLeft = 0;

  std::vector<Stop> hits; // since the session looked last

  const Break *find(unsigned thread, uint32_t pc) const {
    auto at = std::lower_bound(breaks.begin(), breaks.end(), pc,
                               [](const Break &b, uint32_t pc) { return b.pc < pc; });
    for (; at != breaks.end() && at->pc == pc; ++at)
      if (at->thread < 0 || at->thread == static_cast<int>(thread))
        return &*at;
    return nullptr;
  }

  /// Bytes [begin, end) have been written, as `stop` says.
  void written(uint32_t begin, uint32_t end, Stop stop) {
    for (const Watch &w : watches)
      if (begin < w.end && w.begin < end) {
        stop.kind = Stop::Kind::Watchpoint;
        stop.number = w.number;
        stop.address = std::max(begin, w.begin);
        stop.bytes = std::min(end, w.end) - stop.address;
        hits.push_back(stop);
      }
  }
};

} // namespace dojo::emu

#endif
