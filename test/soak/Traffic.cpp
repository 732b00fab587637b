// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Traffic.h"

#include <algorithm>

namespace dojo::emu {

using isa::Descriptor;
using Kind = Descriptor::Kind;

namespace {

// Bytes from the first to the last that the runs of a transfer touch, with strides that go upwards.
uint32_t extent(const Descriptor &d, const int32_t stride[3]) {
  if (!d.count[0] || !d.count[1] || !d.count[2] || !d.runBytes)
    return 0;
  uint32_t bytes = d.runBytes;
  for (int i = 0; i < 3; ++i)
    bytes += (d.count[i] - 1) * static_cast<uint32_t>(stride[i]);
  return bytes;
}

constexpr size_t maxItems = 11; // of a list; with what waits, signals and ends it

} // namespace

Traffic::Traffic(const Target &target, const Shape &shape, std::mt19937 &engine)
    : target(target), form(shape), engine(engine) {
  for (int64_t node : target.usableNodes())
    nodes.push_back(static_cast<uint32_t>(node));
  ring = nodes;
  std::shuffle(ring.begin(), ring.end(), engine);
  for (unsigned r = 0; r < form.rounds; ++r)
    round(r);
}

void Traffic::round(unsigned r) {
  for (unsigned s = 0; s < form.numThreads(); ++s)
    counts[{r, s}] = static_cast<uint32_t>(below(4));
  for (uint32_t node : nodes)
    for (unsigned s = form.sender ? form.threads : 0; s < form.numThreads(); ++s) {
      for (int items = form.sender ? 1 + below(4) : below(4); items > 0; --items)
        item(node, r, s);
      std::vector<Descriptor> &list = lists[{node, r, s}];
      uint32_t leaving = 0;
      for (const Descriptor &d : list)
        if (d.hasOwnSemaphore && d.kind != Kind::Pull)
          leaving += d.kind == Kind::Signal ? d.amount : 1;
      if (!leaving)
        continue;
      Descriptor wait;
      wait.kind = Kind::Wait;
      wait.ownSemaphore = static_cast<uint8_t>(layout::left(r, s));
      wait.amount = static_cast<uint16_t>(leaving);
      list.push_back(wait);
    }
  for (unsigned t = 0; t < form.threads; ++t) {
    if (below(2))
      continue;
    signalling.insert({r, t});
    unsigned to = static_cast<unsigned>(below(static_cast<int>(form.threads)));
    // One peer for all: the order in which its semaphore is raised is any.
    bool one = below(4) == 0;
    uint32_t target = anyNode();
    for (uint32_t node : nodes) {
      uint32_t peer = one ? target : anyNode();
      peers[{node, r, t}] = peer | to << 16;
      ++arrivals[{peer, r, to}];
    }
  }
}

// A transfer's runs, read from what the sender may read. Strides go upwards; those of the sender
// may be less than a run, those of the receiver may not.
Descriptor Traffic::shape(unsigned r, unsigned sender) {
  Descriptor d;
  // A thread's own bytes lie still while its list goes; what others pull or a sender takes does
  // not.
  bool large = !form.sender && below(3) == 0;
  uint32_t room = large ? 0x1000 : layout::slotBytes;
  unsigned from =
      form.sender ? static_cast<unsigned>(below(static_cast<int>(form.threads))) : sender;
  uint32_t base = large ? layout::data(from) : layout::slot(r, from);
  d.localAddress = base + static_cast<uint32_t>(below(64));
  d.runBytes = static_cast<uint32_t>(1 + below(large ? 1500 : 200));
  d.count[0] = static_cast<uint32_t>(1 + below(4));
  d.count[1] = static_cast<uint32_t>(1 + below(3));
  d.count[2] = static_cast<uint32_t>(1 + below(2));
  for (int i = 0; i < 3; ++i)
    d.localStride[i] = below(2 * static_cast<int>(d.runBytes));
  while (64 + extent(d, d.localStride) > room || extent(d, d.localStride) > room)
    for (int i = 0; i < 3; ++i) {
      d.count[i] = 1;
      d.runBytes = 1 + d.runBytes / 2;
    }
  uint32_t bytes = d.runBytes;
  for (int i = 0; i < 3; ++i) {
    d.remoteStride[i] = static_cast<int32_t>(bytes) + below(40);
    bytes += (d.count[i] - 1) * static_cast<uint32_t>(d.remoteStride[i]);
  }
  if (below(12) == 0)
    d.count[1] = 0; // nothing but the signal
  if (!form.sender && !large && below(4) == 0) {
    d.addressFromRegister = true;
    d.addressRegister = 30;
    d.localAddress = layout::slot(r, sender);
  }
  if (counts[{r, sender}] <= d.count[0] && below(4) == 0) {
    d.countFromRegister = true; // fewer than the strides are made for
    d.countRegister = 31;
  }
  return d;
}

// A place for the transfer in the inbox of a thread, and its signal. False: the inbox is full.
bool Traffic::receive(Descriptor &d, uint32_t node, unsigned r, unsigned thread) {
  uint32_t &at = used[{node, r, thread}];
  uint32_t bytes = extent(d, d.remoteStride);
  if (at + bytes + 16 > layout::inboxBytes)
    return false;
  at += static_cast<uint32_t>(below(16));
  d.remoteAddress = layout::inbox(r, thread) + at;
  at += bytes;
  d.hasFarSemaphore = true;
  d.farSemaphore = static_cast<uint8_t>(layout::arrived(r, thread));
  return true;
}

void Traffic::item(uint32_t node, unsigned r, unsigned sender) {
  std::vector<Descriptor> &list = lists[{node, r, sender}];
  if (list.size() >= maxItems)
    return;
  unsigned thread = static_cast<unsigned>(below(static_cast<int>(form.threads)));
  uint32_t to = anyNode();
  Descriptor d = shape(r, sender);
  d.hasOwnSemaphore = below(2);
  d.ownSemaphore = static_cast<uint8_t>(layout::left(r, sender));
  switch (below(8)) {
  case 0:
    d.kind = Kind::Copy;
    to = node;
    break;
  case 1:
    if (!multicast(d, node, r))
      return;
    list.push_back(d);
    return;
  case 2: {
    uint16_t amount = static_cast<uint16_t>(1 + below(5));
    d = Descriptor();
    d.kind = Kind::Signal;
    d.node = static_cast<uint16_t>(to);
    d.hasFarSemaphore = true;
    d.farSemaphore = static_cast<uint8_t>(layout::arrived(r, thread));
    d.amount = amount;
    arrivals[{to, r, thread}] += amount;
    list.push_back(d);
    return;
  }
  case 3:
    pull(d, node, r, sender);
    return;
  default:
    d.kind = Kind::Push;
    d.node = static_cast<uint16_t>(to);
    break;
  }
  if (!receive(d, to, r, thread))
    return;
  if (d.kind == Kind::Push)
    chooseRoute(d, node);
  ++arrivals[{to, r, thread}];
  heard[{to, r, thread}].push_back({node, sender});
  list.push_back(d);
}

// Of what another node wrote in the round before, from which this one has heard since.
void Traffic::pull(Descriptor &d, uint32_t node, unsigned r, unsigned sender) {
  if (r == 0 || !d.count[1] || d.countFromRegister || d.addressFromRegister)
    return;
  // Who asks has to have heard of it: the thread itself, or the sender, which all its threads let
  // go.
  unsigned thread =
      form.sender ? static_cast<unsigned>(below(static_cast<int>(form.threads))) : sender;
  const auto &known = heard[{node, r - 1, thread}];
  if (known.empty())
    return;
  auto [from, teller] = known[engine() % known.size()];
  unsigned writer =
      form.sender ? static_cast<unsigned>(below(static_cast<int>(form.threads))) : teller;
  // The answer reads the far end and writes here.
  for (int i = 0; i < 3; ++i)
    std::swap(d.localStride[i], d.remoteStride[i]);
  if (64 + extent(d, d.remoteStride) > layout::slotBytes)
    return;
  uint32_t &at = used[{node, r, thread}];
  uint32_t bytes = extent(d, d.localStride);
  if (at + bytes > layout::inboxBytes)
    return;
  d.kind = Kind::Pull;
  d.node = static_cast<uint16_t>(from);
  d.localAddress = layout::inbox(r, thread) + at;
  at += bytes;
  d.remoteAddress = layout::slot(r - 1, writer) + static_cast<uint32_t>(below(64));
  d.hasOwnSemaphore = true;
  d.ownSemaphore = static_cast<uint8_t>(layout::arrived(r, thread));
  ++arrivals[{node, r, thread}];
  d.hasFarSemaphore = below(2);
  d.farSemaphore = static_cast<uint8_t>(layout::arrived(r, writer));
  if (d.hasFarSemaphore)
    ++arrivals[{from, r, writer}];
  lists[{node, r, sender}].push_back(d);
}

// Along the row away from the node, or to a column and along it. Every receiver has the threads.
bool Traffic::multicast(Descriptor &d, uint32_t node, unsigned r) {
  if (!target.multicast)
    return false;
  int columns = static_cast<int>(target.columns);
  int row = static_cast<int>(node) / columns, column = static_cast<int>(node) % columns;
  bool alongRow = below(2);
  int own = alongRow ? column : row;
  int most = static_cast<int>(alongRow ? target.partitionColumns : target.partitionRows);
  d.column = static_cast<uint8_t>(below(static_cast<int>(target.partitionColumns)));
  int first = below(most), last = below(most);
  if (first == own && alongRow)
    return false;
  if (first != own && last != first && (first > own) != (last > first))
    return false;
  std::vector<uint32_t> receivers;
  for (int at = first;; at += first < last ? 1 : -1) {
    int to = alongRow ? row * columns + at : at * columns + d.column;
    if (target.isUsable(to) && to != static_cast<int>(node))
      receivers.push_back(static_cast<uint32_t>(to));
    if (at == last)
      break;
  }
  // Whoever reads the beginning of one reads nothing of the next.
  uint32_t bytes = (extent(d, d.remoteStride) + 127) / 64 * 64;
  if (receivers.empty() || layout::multicast + multicastUsed + bytes > layout::end)
    return false;
  unsigned thread = static_cast<unsigned>(below(static_cast<int>(form.threads)));
  d.kind = Kind::Push;
  d.multicast = true;
  d.run = alongRow ? Descriptor::Run::Row : Descriptor::Run::Column;
  d.first = static_cast<uint8_t>(first);
  d.last = static_cast<uint8_t>(last);
  d.remoteAddress = layout::multicast + multicastUsed;
  multicastUsed += bytes;
  multicasts[{r, thread}].push_back(d.remoteAddress);
  d.hasFarSemaphore = true;
  d.farSemaphore = static_cast<uint8_t>(layout::arrived(r, thread));
  for (uint32_t to : receivers)
    ++arrivals[{to, r, thread}];
  return true;
}

// Now and then a path that goes along the column first.
void Traffic::chooseRoute(Descriptor &d, uint32_t from) {
  if (d.node == from || below(4) || routes.size() >= 1000)
    return;
  Position a = target.position(from), b = target.position(d.node);
  std::vector<uint8_t> path;
  for (int64_t row = a.row; row != b.row; row += a.row < b.row ? 1 : -1)
    path.push_back(a.row < b.row ? 2 : 3);
  for (int64_t column = a.column; column != b.column; column += a.column < b.column ? 1 : -1)
    path.push_back(a.column < b.column ? 0 : 1);
  auto at = std::find(routes.begin(), routes.end(), path);
  d.route = static_cast<uint16_t>(at - routes.begin());
  if (at == routes.end())
    routes.push_back(path);
}

} // namespace dojo::emu
