// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes of committed trains that are still to be moved. Trains are committed one by one, but what
// they carry may wait until the nodes advance next, and then be moved by all host threads: nothing
// that a train brings shows before the window it was committed in has passed. Who looks at a node's
// memory within the window (a copy within the node, a thread that goes on) asks first.
#ifndef DOJO_EMULATOR_COPIES_H
#define DOJO_EMULATOR_COPIES_H

#include "HostThreads.h"
#include "Transfer.h"

#include <array>

namespace dojo::emu {

/// As std::memmove; most pieces are one packet.
void copyBytes(uint8_t *to, const uint8_t *from, uint32_t bytes);

class Copies {
public:
  /// For `threads` host threads.
  Copies(uint32_t nodes, uint32_t packetBytes, unsigned threads)
      : packetBytes(packetBytes), buckets(bucketsOfAThread * threads), pendingReads(nodes),
        pendingWrites(nodes) {}

  /// The next `packets` packets of `x`, out of the sender's memory `source`, are to be moved to
  /// those whom `addReceiver` names.
  void add(const Transfer &x, uint64_t packets, const uint8_t *source) {
    trains.push_back({x.runs, x.packetsSent, packets, source});
    writes = x.writes;
    note(pendingReads, x.from, x.reads);
  }
  void addReceiver(uint32_t node, uint8_t *memory) {
    buckets[node % buckets.size()].push_back({static_cast<uint32_t>(trains.size() - 1), memory});
    packetsWaiting += trains.back().packets;
    note(pendingWrites, node, writes);
  }

  /// Whether bytes of a node that are still to be read, or written, may be among these.
  bool readsFrom(uint32_t node, Extent bytes) const { return pendingReads[node].overlaps(bytes); }
  bool writesTo(uint32_t node, Extent bytes) const { return pendingWrites[node].overlaps(bytes); }
  /// Whether a node that goes on has to wait for them; with `stores` it may write.
  bool concern(uint32_t node, bool stores) const {
    return !pendingWrites[node].empty() || (stores && !pendingReads[node].empty());
  }

  /// Moves everything; what comes to one node in the order of the trains.
  void finish(HostThreads &host);

private:
  struct Train {
    Runs runs;
    uint64_t first, packets;
    const uint8_t *source;
  };
  struct Part {
    uint32_t train;
    uint8_t *memory; // the receiver's
  };
  // Keeps the hull of what is pending.
  void note(std::vector<Extent> &pending, uint32_t node, Extent bytes) {
    Extent &all = pending[node];
    if (all.empty()) {
      all = bytes;
      touched.push_back(node);
    } else {
      all = {std::min(all.low, bytes.low), std::max(all.high, bytes.high)};
    }
  }

  static constexpr size_t bucketsOfAThread = 8;
  const uint32_t packetBytes;
  std::vector<Train> trains;
  std::vector<std::vector<Part>> buckets; // by receiver; number modulo threads is the owner's
  uint64_t packetsWaiting = 0;
  Extent writes;                                   // of the last train
  std::vector<Extent> pendingReads, pendingWrites; // by node; empty: nothing
  std::vector<uint32_t> touched;                   // nodes with something, some twice
};

} // namespace dojo::emu

#endif
