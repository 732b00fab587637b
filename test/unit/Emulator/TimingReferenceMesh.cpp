// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lists and trains of the second implementation.
#include "TimingReference.h"

#include <algorithm>

namespace dojo::emu {

using isa::Descriptor;
using Kind = Descriptor::Kind;

void TimingReference::signal(int node, int semaphore, uint64_t cycle, int amount) {
  shows[cycle].push_back({node, semaphore, amount});
}

int64_t TimingReference::packetsOf(const Descriptor &d) const {
  int64_t runs = int64_t(d.count[0]) * d.count[1] * d.count[2];
  int64_t packets = runs * ((d.runBytes + t.packetBytes - 1) / t.packetBytes);
  return packets == 0 && d.hasFarSemaphore ? 1 : packets;
}

// The nodes on the way to each receiver, the sender first; none between for the sender itself.
std::vector<std::vector<int>> TimingReference::routes(int node, const Descriptor &d) const {
  int columns = static_cast<int>(t.columns), row = node / columns, column = node % columns;
  auto way = [&](int toRow, int toColumn) {
    std::vector<int> nodes = {node};
    for (int at = column; at != toColumn;) {
      at += at < toColumn ? 1 : -1;
      nodes.push_back(row * columns + at);
    }
    for (int at = row; at != toRow;) {
      at += at < toRow ? 1 : -1;
      nodes.push_back(at * columns + toColumn);
    }
    return nodes;
  };
  std::vector<std::vector<int>> all;
  if (!d.multicast) {
    all.push_back(way(d.node / columns, d.node % columns));
    return all;
  }
  bool rowRun = d.run == Descriptor::Run::Row;
  for (int at = d.first;; at += d.first < d.last ? 1 : -1) {
    int r = rowRun ? row : at, c = rowRun ? at : d.column;
    if (t.isUsable(Position{r, c}) && r * columns + c != node)
      all.push_back(way(r, c));
    if (at == d.last)
      return all;
  }
}

void TimingReference::act(Thread &th, uint64_t c) {
  const Descriptor &d = *th.descriptor;
  uint64_t nextActs = c + static_cast<uint64_t>(t.listNext);
  switch (d.kind) {
  case Kind::End:
    th.listed = false;
    th.from = c + 1;
    return;
  case Kind::Wait: {
    auto &v = value[{th.node, d.ownSemaphore}];
    if (v >= d.amount) {
      v -= d.amount;
      ++th.descriptor;
      th.acts = nextActs;
      return;
    }
    th.waiting = true;
    th.semaphore = d.ownSemaphore;
    th.need = d.amount;
    return;
  }
  case Kind::Signal:
    if (!d.hasFarSemaphore) {
      signal(th.node, d.ownSemaphore, c + 1, d.amount);
      ++th.descriptor;
      th.acts = nextActs;
      return;
    }
    break;
  default:
    break;
  }
  Transfer x;
  x.node = x.asker = th.node;
  x.order = th.number;
  x.number = ++trains;
  x.thread = &th;
  x.packets = d.kind == Kind::Signal ? 1 : packetsOf(d);
  Descriptor to = d;
  if (d.kind == Kind::Copy)
    to.node = static_cast<uint16_t>(th.node);
  x.hops = routes(th.node, to);
  if (x.packets == 0) {
    if (d.hasOwnSemaphore)
      signal(th.node, d.ownSemaphore, c + 1, 1);
    ++th.descriptor;
    th.acts = nextActs;
    return;
  }
  if (d.kind == Kind::Pull) {
    x.ask = true;
    x.pull = &d;
    x.packets = 1;
  } else {
    x.farSemaphore = d.hasFarSemaphore ? d.farSemaphore : -1;
    x.farAmount = d.kind == Kind::Signal ? d.amount : 1;
    x.leaveSemaphore = d.hasOwnSemaphore ? d.ownSemaphore : -1;
    x.leaveNode = th.node;
  }
  th.sending = true;
  issues.emplace(c, x);
}

void TimingReference::commit(Transfer x, uint64_t c) {
  uint64_t n = static_cast<uint64_t>(std::min<int64_t>(x.packets, t.trainPackets));
  uint64_t hop = static_cast<uint64_t>(t.hopCycles);
  int64_t buffer = t.bufferPackets;
  x.packets -= static_cast<int64_t>(n);
  uint64_t left;
  std::vector<uint64_t> writes;
  if (x.hops.size() == 1 && x.hops[0].size() == 1) {
    uint64_t at = std::max({c, injection[x.node], ejection[x.node]});
    left = injection[x.node] = ejection[x.node] = at + n;
    writes.push_back(at);
  } else {
    // Cycle in which the train enters each resource of the tree; children come after parents.
    std::map<std::pair<int, int>, uint64_t> enters;
    std::map<std::pair<int, int>, uint64_t> latestNext;
    uint64_t start = std::max(c, injection[x.node]), firstLink = 0;
    for (const std::vector<int> &way : x.hops) {
      uint64_t at = start;
      for (size_t i = 1; i < way.size(); ++i) {
        std::pair<int, int> l{way[i - 1], way[i]};
        if (!enters.count(l))
          enters[l] = std::max(at + hop, link[l]);
        at = enters[l];
        if (i == 1)
          firstLink = at;
        else
          latestNext[{way[i - 2], way[i - 1]}] = std::max(latestNext[{way[i - 2], way[i - 1]}], at);
      }
      uint64_t write = std::max(at + hop, ejection[way.back()]);
      writes.push_back(write);
      std::pair<int, int> lastLink{way[way.size() - 2], way.back()};
      latestNext[lastLink] = std::max(latestNext[lastLink], write);
    }
    auto freeFrom = [&](uint64_t own, uint64_t next) {
      return static_cast<uint64_t>(std::max<int64_t>(static_cast<int64_t>(own + n),
                                                     static_cast<int64_t>(next + n) - buffer));
    };
    for (auto &[l, at] : enters)
      link[l] = freeFrom(at, latestNext[l]);
    for (size_t i = 0; i < writes.size(); ++i)
      ejection[x.hops[i].back()] = writes[i] + n;
    left = injection[x.node] = freeFrom(start, firstLink);
  }
  for (uint64_t write : writes)
    last = std::max(last, write + n - 1);
  if (x.packets > 0) {
    issues.emplace(left, x);
    return;
  }
  if (x.farSemaphore >= 0 && x.thread)
    for (size_t i = 0; i < writes.size(); ++i)
      signal(x.hops[i].back(), x.farSemaphore,
             writes[i] + n - 1 + static_cast<uint64_t>(t.arrivalLatency), x.farAmount);
  if (x.leaveSemaphore >= 0)
    signal(x.leaveNode, x.leaveSemaphore, left + 1, 1);
  if (x.ask) {
    const Descriptor &d = *x.pull;
    Transfer answer;
    answer.node = d.node;
    answer.order = 4 + x.order;
    answer.asker = x.node;
    answer.number = x.number;
    answer.packets = packetsOf(d);
    Descriptor back;
    back.node = static_cast<uint16_t>(x.node);
    answer.hops = routes(answer.node, back);
    answer.leaveSemaphore = d.hasFarSemaphore ? d.farSemaphore : -1;
    answer.leaveNode = d.node;
    // The asker's own semaphore is signalled like an arrival.
    answer.farSemaphore = d.hasOwnSemaphore ? d.ownSemaphore : -1;
    issues.emplace(writes[0] + static_cast<uint64_t>(t.pullAnswerLatency), answer);
  } else if (!x.thread && x.farSemaphore >= 0) {
    signal(x.asker, x.farSemaphore, writes[0] + n - 1 + static_cast<uint64_t>(t.arrivalLatency), 1);
  }
  if (!x.thread)
    return;
  Thread &th = *x.thread;
  th.sending = false;
  if (th.listed) {
    ++th.descriptor;
    th.acts = left + static_cast<uint64_t>(t.listNext);
  } else {
    th.from = left;
  }
}

} // namespace dojo::emu
