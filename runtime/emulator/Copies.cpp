// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Copies.h"

#include <cstring>
#include <thread>

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
    : memory(std::move(nodeMemory)), packetBytes(packetBytes),
      parts(std::make_unique<Part[]>(numQueues * ringSize)), pendingReads(memory.size()),
      pendingWrites(memory.size()) {}

void Copies::add(const Transfer &x, unsigned packets, uint32_t receiver) {
  uint32_t queue = receiver % numQueues;
  uint32_t at = addedByMe[queue];
  while (at - doneBefore[queue] == ringSize) {
    doneBefore[queue] = done[queue].load(std::memory_order_acquire);
    if (at - doneBefore[queue] == ringSize) {
      show();
      moveSome(queue);
    }
  }
  part(queue, at) = {&x, static_cast<uint32_t>(x.packetsSent), static_cast<uint16_t>(packets),
                     static_cast<uint16_t>(receiver)};
  addedByMe[queue] = at + 1;
  if (++hidden == shownAtOnce)
    show();
  note(pendingReads, x.from, x.reads);
  note(pendingWrites, receiver, x.writes);
}

// Not each by itself: the line would go from core to core for it.
void Copies::show() {
  for (uint32_t queue = 0; queue < numQueues; ++queue)
    added[queue].store(addedByMe[queue], std::memory_order_release);
  hidden = 0;
}

void Copies::move(const Part &part) const {
  uint8_t *receiver = memory[part.to];
  const uint8_t *sender = memory[part.transfer->from];
  forPackets(part.transfer->runs, part.first, part.packets, packetBytes,
             [&](uint32_t from, uint32_t to, uint32_t bytes) {
               copyBytes(receiver + to, sender + from, bytes);
             });
}

bool Copies::moveSome(uint32_t queue) {
  if (done[queue].load(std::memory_order_relaxed) == added[queue].load(std::memory_order_relaxed) ||
      busy[queue].load(std::memory_order_relaxed) ||
      busy[queue].exchange(true, std::memory_order_acquire))
    return false;
  uint32_t at = done[queue].load(std::memory_order_relaxed);
  uint32_t end = added[queue].load(std::memory_order_acquire);
  end = at + std::min(end - at, atOnce);
  for (; at != end; ++at)
    move(part(queue, at));
  done[queue].store(at, std::memory_order_release);
  busy[queue].store(false, std::memory_order_release);
  return true;
}

bool Copies::help() {
  bool any = false;
  for (uint32_t queue = 0; queue < numQueues; ++queue)
    any |= moveSome(queue);
  return any;
}

void Copies::finish() {
  if (touched.empty())
    return;
  close();
  await();
  clear();
}

void Copies::await() {
  // From the other end than those who help.
  for (uint32_t queue = numQueues; queue-- > 0;)
    while (moveSome(queue)) {
    }
  for (uint32_t queue = 0; queue < numQueues; ++queue)
    for (unsigned i = 1; done[queue].load(std::memory_order_acquire) !=
                         added[queue].load(std::memory_order_relaxed);
         ++i)
      if (!moveSome(queue) && i % 4096 == 0)
        std::this_thread::yield(); // who moves the rest may have no core
}

void Copies::clear() {
  for (uint32_t node : touched)
    pendingReads[node] = pendingWrites[node] = Extent();
  touched.clear();
}

} // namespace dojo::emu
