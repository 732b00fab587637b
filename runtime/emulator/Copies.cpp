// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Copies.h"

#include <cstring>

namespace dojo::emu {

void copyBytes(uint8_t *to, const uint8_t *from, uint32_t bytes) {
  struct Packet {
    uint8_t bytes[64];
  };
  if (bytes != sizeof(Packet)) {
    std::memmove(to, from, bytes);
    return;
  }
  Packet packet;
  std::memcpy(&packet, from, sizeof packet);
  std::memcpy(to, &packet, sizeof packet);
}

void Copies::finish(HostThreads &host) {
  if (trains.empty())
    return;
  auto moveBucket = [this](size_t bucket, unsigned) {
    for (const Part &part : buckets[bucket]) {
      const Train &t = trains[part.train];
      forPackets(t.runs, t.first, t.packets, packetBytes,
                 [&](uint32_t from, uint32_t to, uint32_t bytes) {
                   copyBytes(part.memory + to, t.source + from, bytes);
                 });
    }
    buckets[bucket].clear();
  };
  constexpr uint64_t few = 64; // are moved before another thread has taken its share
  if (packetsWaiting < few)
    for (size_t i = 0; i < numBuckets; ++i)
      moveBucket(i, 0);
  else
    host.forEach(numBuckets, moveBucket);
  trains.clear();
  packetsWaiting = 0;
  for (uint32_t node : touched)
    pendingReads[node] = pendingWrites[node] = Extent();
  touched.clear();
}

} // namespace dojo::emu
