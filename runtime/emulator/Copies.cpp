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
  auto move = [this](size_t bucket) {
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
  size_t owners = host.count();
  if (packetsWaiting < few)
    for (size_t bucket = 0; bucket < buckets.size(); ++bucket)
      move(bucket);
  else
    host.forEach([](unsigned) { return bucketsOfAThread; },
                 [&](unsigned owner, size_t i, unsigned) { move(owner + i * owners); });
  trains.clear();
  packetsWaiting = 0;
  for (uint32_t node : touched)
    pendingReads[node] = pendingWrites[node] = Extent();
  touched.clear();
}

} // namespace dojo::emu
