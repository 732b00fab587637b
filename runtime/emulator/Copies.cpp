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
  if (touched.empty())
    return;
  auto moveBucket = [this](size_t bucket, unsigned) {
    for (const Piece &piece : buckets[bucket])
      copyBytes(piece.destination, piece.source, piece.bytes);
    buckets[bucket].clear();
  };
  size_t pieces = 0;
  for (const std::vector<Piece> &bucket : buckets)
    pieces += bucket.size();
  constexpr size_t few = 64; // are moved before another thread has woken up
  if (pieces < few)
    for (size_t i = 0; i < numBuckets; ++i)
      moveBucket(i, 0);
  else
    host.forEach(numBuckets, moveBucket);
  for (uint32_t node : touched)
    isSource[node] = isReceiver[node] = 0;
  touched.clear();
}

} // namespace dojo::emu
