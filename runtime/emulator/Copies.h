// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes of committed trains that are still to be moved. Trains are committed one by one, by one
// thread, while the others move what the trains carry; nothing that a train brings shows before the
// window it was committed in has passed. A copy within a node, which moves its bytes at once, waits
// for what concerns it.
#ifndef DOJO_EMULATOR_COPIES_H
#define DOJO_EMULATOR_COPIES_H

#include "Transfer.h"

#include <array>
#include <atomic>
#include <memory>

namespace dojo::emu {

/// As std::memmove; most pieces are one packet.
void copyBytes(uint8_t *to, const uint8_t *from, uint32_t bytes);

class Copies {
public:
  /// `memory`: of each node.
  Copies(std::vector<uint8_t *> memory, uint32_t packetBytes);

  /// Whether bytes of a node that are still to be read, or written, may be among these.
  bool readsFrom(uint32_t node, Extent bytes) const { return pendingReads[node].overlaps(bytes); }
  bool writesTo(uint32_t node, Extent bytes) const { return pendingWrites[node].overlaps(bytes); }

  /// The next `packets` packets of `x`, at most maxTrainPackets, are to be moved from the sender's
  /// memory to a receiver's.
  void add(const Transfer &x, unsigned packets, uint32_t receiver);
  /// Moves what is left and returns when all has been moved; what comes to one node in the order of
  /// its trains.
  void finish();

  /// For other threads while trains are added: moves something. False: there was nothing to do.
  bool help();

private:
  // One line of the host's cache, which one thread writes and another reads.
  struct alignas(64) Part {
    Runs runs;
    uint32_t first;
    uint16_t packets, from, to;
  };
  // A ring with one writer; who has set `busy` moves the parts in [done, added).
  struct alignas(64) Queue {
    static constexpr uint32_t size = 256;
    std::unique_ptr<Part[]> parts = std::make_unique<Part[]>(size);
    std::atomic<uint32_t> added{0};
    alignas(64) std::atomic<bool> busy{false};
    std::atomic<uint32_t> done{0};
  };
  bool moveSome(Queue &queue);
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

  const std::vector<uint8_t *> memory;
  const uint32_t packetBytes;
  std::array<Queue, 16> queues;                    // by receiver
  std::vector<Extent> pendingReads, pendingWrites; // by node; empty: nothing
  std::vector<uint32_t> touched;                   // nodes with something, some twice
};

} // namespace dojo::emu

#endif
