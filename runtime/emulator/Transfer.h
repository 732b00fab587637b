// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A transfer in progress: what is left to send, to whom, and what it signals.
#ifndef DOJO_EMULATOR_TRANSFER_H
#define DOJO_EMULATOR_TRANSFER_H

#include "Mesh.h"

#include <cstddef>

namespace dojo::emu {

// More of anything would take longer than any run; keeps 64-bit sums from overflowing.
inline constexpr uint32_t maxTransferCount = 1u << 24;
inline constexpr uint64_t maxTransferPackets = uint64_t(1) << 32;

/// Rows of bytes: count[2] x count[1] x count[0] runs of `runBytes`, innermost first. Each run is
/// cut into packets by itself; packets count from the first run's first.
struct Runs {
  uint32_t runBytes = 0;
  uint32_t count[3] = {0, 0, 0};
  uint32_t source = 0, destination = 0; // addresses of the first run
  int32_t sourceStride[3] = {}, destinationStride[3] = {};

  bool empty() const { return runBytes == 0 || !count[0] || !count[1] || !count[2]; }
};

/// Addresses [low, high), wherever they may lie.
struct Reach {
  int64_t low = 0, high = 0;
};

/// Bytes [low, high) of the SRAM.
struct Extent {
  uint32_t low = 0, high = 0;
  bool empty() const { return low == high; }
  bool overlaps(const Extent &other) const { return low < other.high && other.low < high; }
};

/// What a train's commit looks at comes first, in two lines of the host's cache: another host
/// thread has written it.
struct alignas(64) Transfer {
  enum class Kind : uint8_t {
    Push,   // push, copy, or a signal's single packet
    Ask,    // a pull's request
    Answer, // a pull's data
  };
  Kind kind = Kind::Push;
  bool dataless = false; // the one packet carries nothing
  bool signalsFar = false, signalsOwn = false;
  bool followed = false; // by the transfer behind this one, `pause` after it has left
  uint8_t farSemaphore = 0, ownSemaphore = 0;
  uint8_t askerThread = 0; // of an answer, and kept in its request
  uint32_t farAmount = 1;
  uint32_t from = 0; // node whose memory and injection port are used
  Path path;
  Runs runs;
  Extent reads, writes; // of all its packets
  uint64_t packetsLeft = 0, packetsSent = 0;
  uint64_t pause = 0; // cycles, at least, from its leaving to the issue of the node's next train

  /// The next train has left.
  void leave(uint64_t packets) {
    packetsLeft -= packets;
    packetsSent += packets;
  }

  uint32_t to = 0; // receiver unless the path has several
  // Of an answer, and kept in its request.
  uint32_t asker = 0;
  uint64_t number = 0;
  // What sends it, for reports: the pc of the list's start or of the signalr.
  uint32_t listPc = 0, descriptorAddress = 0;
  size_t layer = 0;

  template <class Archive> void archive(Archive &a, const Parameters &p, const Topology &topology) {
    a(kind);
    a(from);
    a(to);
    path.archive(a);
    a(runs.runBytes);
    for (unsigned d = 0; d < 3; ++d) {
      a(runs.count[d]);
      a.words(&runs.sourceStride[d], sizeof runs.sourceStride[d]);
      a.words(&runs.destinationStride[d], sizeof runs.destinationStride[d]);
    }
    a(runs.source);
    a(runs.destination);
    a(packetsLeft);
    a(dataless);
    a(signalsFar);
    a(farSemaphore);
    a(farAmount);
    a(signalsOwn);
    a(ownSemaphore);
    a(asker);
    a(askerThread);
    a(listPc);
    if (kind == Kind::Answer) // a request's is its train's
      a(number);
    if constexpr (Archive::reading)
      a.require(a.ok() && settle(p, topology));
  }

private:
  /// Checks what was read and finds the rest.
  bool settle(const Parameters &p, const Topology &topology);
};

/// Packets that `runs` is cut into.
uint64_t countPackets(const Runs &runs, uint32_t packetBytes);

/// What the runs touch from `base` with `stride`.
Reach reachOf(const Runs &runs, int64_t base, const int32_t stride[3]);

static_assert(offsetof(Transfer, to) == 128);

/// Calls f(source, destination, bytes) for every contiguous piece of packets [first, first +
/// packets).
template <typename F>
void forPackets(const Runs &r, uint64_t first, uint64_t packets, uint32_t packetBytes, F f) {
  uint64_t perRun = (uint64_t(r.runBytes) + packetBytes - 1) / packetBytes;
  uint64_t run = first / perRun;
  uint32_t offset = static_cast<uint32_t>(first % perRun) * packetBytes;
  uint32_t index[3] = {static_cast<uint32_t>(run % r.count[0]),
                       static_cast<uint32_t>(run / r.count[0] % r.count[1]),
                       static_cast<uint32_t>(run / r.count[0] / r.count[1])};
  while (packets > 0) {
    uint32_t left = r.runBytes - offset;
    uint64_t inRun = (uint64_t(left) + packetBytes - 1) / packetBytes;
    uint64_t taken = inRun < packets ? inRun : packets;
    uint64_t room = taken * packetBytes;
    uint32_t bytes = room < left ? static_cast<uint32_t>(room) : left;
    int64_t source = int64_t(r.source) + offset, destination = int64_t(r.destination) + offset;
    for (unsigned d = 0; d < 3; ++d) {
      source += int64_t(index[d]) * r.sourceStride[d];
      destination += int64_t(index[d]) * r.destinationStride[d];
    }
    f(static_cast<uint32_t>(source), static_cast<uint32_t>(destination), bytes);
    packets -= taken;
    offset = 0; // a piece that ends within a run is the last
    for (unsigned d = 0; d < 3; ++d) {
      if (++index[d] < r.count[d])
        break;
      index[d] = 0;
    }
  }
}

} // namespace dojo::emu

#endif
