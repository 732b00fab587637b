// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the nodes of a random program send to each other, and where in a node's SRAM things lie.
#ifndef DOJO_TEST_SOAK_TRAFFIC_H
#define DOJO_TEST_SOAK_TRAFFIC_H

#include "CodeWriter.h"

#include "dojo/ISA/Descriptor.h"
#include "dojo/Target/Target.h"

#include <map>
#include <set>
#include <tuple>

namespace dojo::emu {

/// Of all nodes alike.
struct Shape {
  unsigned threads = 1; // that compute
  bool sender = false;  // one more thread sends for them
  unsigned rounds = 2;  // at most maxRounds
  unsigned numThreads() const { return threads + sender; }
};

/// Addresses in a node's SRAM and numbers of its semaphores.
namespace layout {
constexpr unsigned maxRounds = 8;
constexpr uint32_t codeBytes = 0x6000, listBytes = 0x400, slotBytes = 0x200, inboxBytes = 0x1000;
constexpr uint32_t code(unsigned thread) { return 0x1000 + thread * codeBytes; }
constexpr uint32_t list(unsigned round, unsigned thread) {
  return 0x19000 + (4 * round + thread) * listBytes;
}
constexpr uint32_t ringList = 0x27000, table = 0x28000, ringPeer = 0x28800, signalPeer = 0x28C00;
/// How much arrives for a thread in a round; the node it signals.
constexpr uint32_t arrivals(unsigned round, unsigned thread) {
  return table + (4 * round + thread) * 8;
}
constexpr uint32_t peer(unsigned round, unsigned thread) {
  return signalPeer + (4 * round + thread) * 8;
}
constexpr uint32_t data(unsigned thread) { return 0x2A000 + thread * CodeWriter::dataBytes; }
constexpr uint32_t offsets = 0x4E000;
/// What a thread writes in a round: to be sent, and for the next thread of the node.
constexpr uint32_t slot(unsigned round, unsigned thread) {
  return 0x50000 + (4 * round + thread) * slotBytes;
}
constexpr uint32_t handover(unsigned round, unsigned thread) {
  return 0x58000 + (4 * round + thread) * 64;
}
constexpr uint32_t ringOut = 0x5A000, ringIn = 0x5B000;
constexpr uint32_t inbox(unsigned round, unsigned thread) {
  return 0x60000 + (4 * round + thread) * inboxBytes;
}
constexpr uint32_t multicast = 0x80000, end = 0xA0000;
static_assert(list(maxRounds, 0) <= ringList && arrivals(maxRounds, 0) <= ringPeer &&
              peer(maxRounds, 0) <= data(0) && data(4) <= offsets &&
              slot(maxRounds, 0) <= handover(0, 0) && handover(maxRounds, 0) <= ringOut &&
              inbox(maxRounds, 0) <= multicast);

/// Semaphores, each with one waiter: what arrives for a thread, what a thread's list has sent, what
/// the thread before has handed over, that the sender may go.
constexpr unsigned arrived(unsigned round, unsigned thread) { return 20 * round + thread; }
constexpr unsigned left(unsigned round, unsigned thread) { return 20 * round + 4 + thread; }
constexpr unsigned handed(unsigned round, unsigned thread) { return 20 * round + 8 + thread; }
constexpr unsigned go(unsigned round) { return 20 * round + 12; }
constexpr unsigned ringData = 200, ringCredit = 201;
} // namespace layout

class Traffic {
public:
  Traffic(const Target &target, const Shape &shape, std::mt19937 &engine);

  using Place = std::tuple<uint32_t, unsigned, unsigned>; // node, round, thread

  std::vector<uint32_t> nodes;
  std::map<Place, std::vector<isa::Descriptor>> lists; // by the thread that runs them
  std::map<Place, uint32_t> arrivals;                  // for a thread, in all
  std::map<Place, uint32_t> peers;                     // that a thread signals without a list
  std::set<std::pair<unsigned, unsigned>> signalling;  // rounds and threads that have peers
  /// Where multicasts of a round for a thread arrive.
  std::map<std::pair<unsigned, unsigned>, std::vector<uint32_t>> multicasts;
  std::vector<std::vector<uint8_t>> routes;
  /// First counts that descriptors of a list take from x31; their addresses are in x30.
  std::map<std::pair<unsigned, unsigned>, uint32_t> counts;
  uint32_t multicastEnd() const { return layout::multicast + multicastUsed; }
  std::vector<uint32_t> ring; // nodes in the order of the ring

private:
  void round(unsigned round);
  void item(uint32_t node, unsigned round, unsigned sender);
  isa::Descriptor shape(unsigned round, unsigned sender);
  bool receive(isa::Descriptor &d, uint32_t node, unsigned round, unsigned thread);
  void pull(isa::Descriptor &d, uint32_t node, unsigned round, unsigned sender);
  bool multicast(isa::Descriptor &d, uint32_t node, unsigned round);
  void chooseRoute(isa::Descriptor &d, uint32_t from);
  int below(int n) { return static_cast<int>(engine() % static_cast<unsigned>(n)); }
  uint32_t anyNode() { return nodes[engine() % nodes.size()]; }

  const Target &target;
  const Shape form;
  std::mt19937 &engine;
  std::map<Place, uint32_t> used; // bytes of inboxes
  uint32_t multicastUsed = 0;
  /// Who may pull from whom: the thread heard from the other in the round.
  std::map<Place, std::vector<std::pair<uint32_t, unsigned>>> heard;
};

} // namespace dojo::emu

#endif
