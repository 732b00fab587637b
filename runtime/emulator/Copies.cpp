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

Copies::Copies(std::vector<uint8_t *> nodeMemory, uint32_t packetBytes)
    : memory(std::move(nodeMemory)), packetBytes(packetBytes), pendingReads(memory.size()),
      pendingWrites(memory.size()) {}

void Copies::add(const Transfer &x, unsigned packets, uint32_t receiver) {
  Queue &queue = queues[receiver % queues.size()];
  uint32_t at = queue.added.load(std::memory_order_relaxed);
  while (at - queue.done.load(std::memory_order_acquire) == Queue::size)
    moveSome(queue);
  queue.parts[at % Queue::size] = {x.runs, static_cast<uint32_t>(x.packetsSent),
                                   static_cast<uint16_t>(packets), static_cast<uint16_t>(x.from),
                                   static_cast<uint16_t>(receiver)};
  queue.added.store(at + 1, std::memory_order_release);
  note(pendingReads, x.from, x.reads);
  note(pendingWrites, receiver, x.writes);
}

bool Copies::moveSome(Queue &queue) {
  uint32_t at = queue.done.load(std::memory_order_relaxed);
  if (at == queue.added.load(std::memory_order_relaxed) ||
      queue.busy.exchange(true, std::memory_order_acquire))
    return false;
  at = queue.done.load(std::memory_order_relaxed);
  uint32_t end = queue.added.load(std::memory_order_acquire);
  for (; at != end; ++at) {
    const Part &part = queue.parts[at % Queue::size];
    uint8_t *receiver = memory[part.to];
    const uint8_t *sender = memory[part.from];
    forPackets(part.runs, part.first, part.packets, packetBytes,
               [&](uint32_t from, uint32_t to, uint32_t bytes) {
                 copyBytes(receiver + to, sender + from, bytes);
               });
  }
  queue.done.store(at, std::memory_order_release);
  queue.busy.store(false, std::memory_order_release);
  return true;
}

bool Copies::help() {
  bool any = false;
  for (Queue &queue : queues)
    any |= moveSome(queue);
  return any;
}

void Copies::finish() {
  if (touched.empty())
    return;
  for (Queue &queue : queues)
    moveSome(queue);
  for (Queue &queue : queues)
    while (queue.done.load(std::memory_order_acquire) !=
           queue.added.load(std::memory_order_relaxed))
      moveSome(queue);
  for (uint32_t node : touched)
    pendingReads[node] = pendingWrites[node] = Extent();
  touched.clear();
}

} // namespace dojo::emu
