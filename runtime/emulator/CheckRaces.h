// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds accesses to the same bytes of a node, at least one of them a write, that nothing orders:
// vector clocks for the threads, an epoch for each access (FastTrack, Flanagan and Freund 2009).
// docs/checks.md has the rules. A transfer's packets are written by nobody's thread: who knows that
// they have arrived learned it from a wait that took the signal which announces them, so an arrival
// is known to those who know that step of the waiting thread.
#ifndef DOJO_EMULATOR_CHECKRACES_H
#define DOJO_EMULATOR_CHECKRACES_H

#include "LineShadow.h"
#include "Parameters.h"
#include "VectorClock.h"
#include "dojo/Emulator/Checks.h"

#include <atomic>
#include <deque>
#include <map>

namespace dojo::emu {

class Node;
class ReportList;

/// Accesses to one node's memory, and its semaphores.
class NodeRaces {
public:
  static constexpr uint32_t none = UINT32_MAX;

  /// `firstThread`: number of the first of its threads that start among the `threads` of the die
  /// that do. The memory has `bytes` bytes.
  NodeRaces(const Node &node, uint32_t bytes, uint32_t firstThread, size_t threads,
            ReportList &reports);

  /// Of a thread of this node; refers to what it knows now.
  const Knowledge &knowledge(unsigned thread) const { return known[thread]; }
  /// What the thread does from now on is not what it has told others of.
  void step(unsigned thread) { ++known[thread].self.step; }

  /// A thread of this node makes an access.
  void access(unsigned thread, const AccessPlace &place, uint32_t begin, uint32_t end,
              uint64_t cycle) {
    const Knowledge &k = known[thread];
    access(k, {k.self.thread, k.self.step, siteOf(place)}, place, begin, end, cycle);
  }
  /// A transfer makes one; it was issued by who knew `told`. Its number is from beginArrival.
  void arrive(const Knowledge &told, uint32_t arrival, uint32_t begin, uint32_t end,
              uint64_t cycle) {
    access(told, {Accessor::arrival, arrival, 0}, arrivals[arrival].place, begin, end, cycle);
  }
  uint32_t beginArrival(const AccessPlace &place);

  /// What a signal announces: an arrival, here or at another node.
  struct Announced {
    NodeRaces *node = nullptr;
    uint32_t arrival = none;
  };
  /// `amount` will show on a semaphore of this node from cycle `shows` on.
  void signal(unsigned semaphore, uint64_t shows, uint32_t amount, const Knowledge &told,
              Announced first, Announced second);
  /// A wait of the thread has passed and taken `amount`.
  void wait(unsigned thread, unsigned semaphore, uint64_t amount);

  uint64_t hostBytes() const;

private:
  struct Arrival {
    AccessPlace place;
    /// Steps of threads that know of it, 0: none. By a wait here; by one elsewhere.
    std::atomic<uint64_t> known[2] = {0, 0};
  };
  struct Signal {
    uint64_t shows;
    uint32_t amount;
    Knowledge told;
    Announced announced[2];
  };

  void access(const Knowledge &k, const Accessor &who, const AccessPlace &place, uint32_t begin,
              uint32_t end, uint64_t cycle);
  bool ordered(const Accessor &earlier, const Knowledge &k) const;
  uint32_t siteOf(const AccessPlace &place) {
    const AccessPlace &last = recent[place.pc / 4 % recent.size()].place;
    return last == place ? recent[place.pc / 4 % recent.size()].site : findSite(place);
  }
  uint32_t findSite(const AccessPlace &place);

  size_t threads;
  ReportList &reports;
  LineShadow shadow;
  std::array<Knowledge, numThreads> known;
  std::deque<Arrival> arrivals;
  std::map<unsigned, std::deque<Signal>> signals; // by semaphore; in the order in which they show
  std::vector<AccessPlace> sites;
  std::map<std::tuple<AccessPlace::Kind, int, uint32_t, uint32_t, int32_t>, uint32_t> siteNumbers;
  struct Recent {
    AccessPlace place;
    uint32_t site = 0;
  };
  std::array<Recent, 256> recent;
};

} // namespace dojo::emu

#endif
