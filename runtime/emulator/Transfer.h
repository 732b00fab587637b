// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A transfer in progress: what is left to send, to whom, and what it signals.
#ifndef DOJO_EMULATOR_TRANSFER_H
#define DOJO_EMULATOR_TRANSFER_H

#include "Mesh.h"

namespace dojo::emu {

/// Rows of bytes: count[2] x count[1] x count[0] runs of `runBytes`, innermost first.
struct Runs {
  uint32_t runBytes = 0;
  uint32_t count[3] = {0, 0, 0};
  int64_t source = 0, destination = 0; // address of the next run of the innermost loop
  int32_t sourceStride[3] = {}, destinationStride[3] = {};

  bool empty() const { return runBytes == 0 || !count[0] || !count[1] || !count[2]; }
};

struct Transfer {
  enum class Kind : uint8_t {
    Push,   // push, copy, or a signal's single packet
    Ask,    // a pull's request
    Answer, // a pull's data
  };
  Kind kind = Kind::Push;
  uint32_t from = 0; // node whose memory and injection port are used
  uint32_t to = 0;   // receiver unless the path has several
  Path path;
  Runs runs;
  uint64_t packetsLeft = 0;
  bool dataless = false; // the one packet carries nothing
  // Place in `runs`.
  uint32_t index[3] = {0, 0, 0};
  uint32_t offset = 0; // bytes of the current run already sent

  bool signalsFar = false;
  uint8_t farSemaphore = 0;
  uint32_t farAmount = 1;
  bool signalsOwn = false;
  uint8_t ownSemaphore = 0;

  // Of an answer, and kept in its request.
  uint32_t asker = 0;
  uint8_t askerThread = 0;
  uint64_t number = 0;

  /// Positions the cursor at the start.
  void rewind() {
    index[0] = index[1] = index[2] = 0;
    offset = 0;
  }
};

/// Packets that `runs` is cut into.
uint64_t countPackets(const Runs &runs, uint32_t packetBytes);

/// Lowest and one past the highest byte that the runs touch from `base` with `stride`.
struct Extent {
  int64_t low, high;
};
Extent extentOf(const Runs &runs, int64_t base, const int32_t stride[3]);

/// Calls f(source, destination, bytes) for every contiguous piece of the next `packets` packets and
/// moves the cursor past them.
template <typename F> void takePackets(Transfer &t, uint64_t packets, uint32_t packetBytes, F f) {
  const Runs &r = t.runs;
  while (packets > 0) {
    uint32_t left = r.runBytes - t.offset;
    uint64_t inRun = (uint64_t(left) + packetBytes - 1) / packetBytes;
    uint64_t taken = inRun < packets ? inRun : packets;
    uint64_t room = taken * packetBytes;
    uint32_t bytes = room < left ? static_cast<uint32_t>(room) : left;
    int64_t source = r.source + t.offset, destination = r.destination + t.offset;
    for (unsigned d = 0; d < 3; ++d) {
      source += int64_t(t.index[d]) * r.sourceStride[d];
      destination += int64_t(t.index[d]) * r.destinationStride[d];
    }
    f(static_cast<uint32_t>(source), static_cast<uint32_t>(destination), bytes);
    packets -= taken;
    t.offset += bytes;
    if (t.offset == r.runBytes) {
      t.offset = 0;
      for (unsigned d = 0; d < 3; ++d) {
        if (++t.index[d] < r.count[d])
          break;
        t.index[d] = 0;
      }
    }
  }
}

} // namespace dojo::emu

#endif
