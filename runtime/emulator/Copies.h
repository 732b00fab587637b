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
  /// memory to a receiver's. Until they are, `x` has to stay as it is but for the packets it
  /// counts.
  void add(const Transfer &x, unsigned packets, uint32_t receiver);
  /// Moves what is left and returns when all has been moved; what comes to one node in the order of
  /// its trains.
  void finish();
  /// The same in pieces: nothing more is added; any threads then move what is left, until all has
  /// been moved; and when they have returned, nothing is pending.
  void close() { show(); }
  void await();
  void clear();

  /// For other threads while trains are added: moves something. False: there was nothing to do.
  bool help();

private:
  struct Part {
    const Transfer *transfer;
    uint32_t first;
    uint16_t packets, to;
  };
  static constexpr uint32_t numQueues = 16, ringSize = 256;
  static constexpr uint32_t atOnce = 4; // parts; what one thread has taken the others wait for
  Part &part(uint32_t queue, uint32_t at) { return parts[queue * ringSize + at % ringSize]; }
  bool moveSome(uint32_t queue);
  void move(const Part &part) const;
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
  const std::unique_ptr<Part[]> parts; // rings with one writer, one after the other
  // Of the rings, by receiver; who has set `busy` moves the parts from `done` on. Each kind is in
  // one line of the host's cache: what is added and done all threads look at all the time.
  using Counters = std::array<std::atomic<uint32_t>, numQueues>;
  alignas(64) Counters added{};
  alignas(64) Counters done{};
  alignas(64) std::array<std::atomic<bool>, numQueues> busy{};
  // The same, and `done` as it last saw it, for the writer alone.
  alignas(64) std::array<uint32_t, numQueues> addedByMe{};
  std::array<uint32_t, numQueues> doneBefore{};
  uint32_t hidden = 0; // parts that the others cannot see yet
  static constexpr uint32_t shownAtOnce = 8;
  void show();
  std::vector<Extent> pendingReads, pendingWrites; // by node; empty: nothing
  std::vector<uint32_t> touched;                   // nodes with something, some twice
};

} // namespace dojo::emu

#endif
