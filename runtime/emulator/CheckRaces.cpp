// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "CheckRaces.h"

#include "Checks.h"

namespace dojo::emu {

using Kind = AccessPlace::Kind;

NodeRaces::NodeRaces(const Node &node, uint32_t bytes, uint32_t firstThread, size_t threads,
                     ReportList &reports)
    : threads(threads), reports(reports), shadow(bytes) {
  std::shared_ptr<const uint32_t[]> zero(new uint32_t[threads]());
  for (unsigned t = 0; t < known.size(); ++t)
    if (node.entries[t] >= 0)
      known[t] = {zero, {firstThread++, 1}};
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

bool NodeRaces::ordered(const Accessor &earlier, const Knowledge &k) const {
  if (earlier.thread != Accessor::arrival)
    return k.covers({earlier.thread, earlier.step});
  for (const std::atomic<uint64_t> &by : arrivals[earlier.step].known)
    if (uint64_t e = by.load(std::memory_order_relaxed))
      if (k.covers({static_cast<uint32_t>(e >> 32), static_cast<uint32_t>(e)}))
        return true;
  return false;
}

void NodeRaces::access(const Knowledge &k, const Accessor &who, const AccessPlace &place,
                       uint32_t begin, uint32_t end, uint64_t cycle) {
  bool write = place.kind == Kind::Store || place.kind == Kind::TransferWrite;
  shadow.access(
      begin, end, write, who,
      [&](const Accessor &earlier) { return earlier == who || ordered(earlier, k); },
      [&](const Accessor &earlier, bool, uint32_t first, uint32_t last) {
        bool arrived = earlier.thread == Accessor::arrival;
        reports.add(CheckReport::Kind::Race, first, last, cycle, place,
                    arrived ? &arrivals[earlier.step].place : &sites[earlier.site]);
      });
}

uint32_t NodeRaces::beginArrival(const AccessPlace &place) {
  arrivals.emplace_back().place = place;
  return static_cast<uint32_t>(arrivals.size() - 1);
}

uint32_t NodeRaces::findSite(const AccessPlace &p) {
  auto [at, isNew] = siteNumbers.try_emplace({p.kind, p.thread, p.pc, p.descriptor, p.layer},
                                             static_cast<uint32_t>(sites.size()));
  if (isNew)
    sites.push_back(p);
  recent[p.pc / 4 % recent.size()] = {p, at->second};
  return at->second;
}

//===----------------------------------------------------------------------===//
// Semaphores
//===----------------------------------------------------------------------===//

void NodeRaces::signal(unsigned semaphore, uint64_t shows, uint32_t amount, const Knowledge &told,
                       Announced first, Announced second) {
  if (amount == 0)
    return;
  std::deque<Signal> &list = signals[semaphore];
  auto after = std::upper_bound(list.begin(), list.end(), shows,
                                [](uint64_t cycle, const Signal &s) { return cycle < s.shows; });
  list.insert(after, Signal{shows, amount, told, {first, second}});
}

void NodeRaces::wait(unsigned thread, unsigned semaphore, uint64_t amount) {
  Knowledge &k = known[thread];
  std::deque<Signal> &list = signals[semaphore];
  ClockMerge merge(k, threads);
  uint64_t epoch = uint64_t(k.self.thread) << 32 | (k.self.step + 1);
  while (amount > 0 && !list.empty()) {
    Signal &s = list.front();
    uint32_t taken = static_cast<uint32_t>(std::min<uint64_t>(amount, s.amount));
    merge.add(s.told);
    for (const Announced &a : s.announced)
      if (a.node)
        a.node->arrivals[a.arrival].known[a.node != this].store(epoch, std::memory_order_relaxed);
    amount -= taken;
    s.amount -= taken;
    if (s.amount == 0)
      list.pop_front();
  }
  k = merge.get();
  ++k.self.step;
}

uint64_t NodeRaces::hostBytes() const {
  uint64_t bytes = shadow.hostBytes() + arrivals.size() * sizeof(Arrival);
  for (const Knowledge &k : known)
    bytes += k.clock ? threads * sizeof(uint32_t) : 0;
  return bytes;
}

} // namespace dojo::emu
