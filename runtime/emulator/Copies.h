// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes of committed trains that are still to be moved. Trains are committed one by one, but what
// they carry may wait until the nodes advance next, and then be moved by all host threads: nothing
// that a train brings shows before the window it was committed in has passed. Who looks at a node's
// memory within the window (a copy within the node, a thread that goes on) asks first.
#ifndef DOJO_EMULATOR_COPIES_H
#define DOJO_EMULATOR_COPIES_H

#include "HostThreads.h"

#include <array>
#include <cstdint>
#include <vector>

namespace dojo::emu {

/// As std::memmove; most pieces are one packet.
void copyBytes(uint8_t *to, const uint8_t *from, uint32_t bytes);

class Copies {
public:
  explicit Copies(uint32_t nodes) : isSource(nodes), isReceiver(nodes) {}

  void add(uint32_t from, uint32_t to, const uint8_t *source, uint8_t *destination,
           uint32_t bytes) {
    buckets[to % numBuckets].push_back({source, destination, bytes});
    touch(isSource, from);
    touch(isReceiver, to);
  }
  bool readsFrom(uint32_t node) const { return isSource[node]; }
  bool writesTo(uint32_t node) const { return isReceiver[node]; }

  /// Moves everything; pieces for one node in the order of their trains.
  void finish(HostThreads &host);

private:
  struct Piece {
    const uint8_t *source;
    uint8_t *destination;
    uint32_t bytes;
  };
  void touch(std::vector<char> &flags, uint32_t node) {
    if (!flags[node]) {
      flags[node] = 1;
      touched.push_back(node);
    }
  }

  static constexpr unsigned numBuckets = 16;
  std::array<std::vector<Piece>, numBuckets> buckets; // by receiver
  std::vector<char> isSource, isReceiver;
  std::vector<uint32_t> touched; // nodes with a flag
};

} // namespace dojo::emu

#endif
