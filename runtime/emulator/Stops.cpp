// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stopping inside a run. A thread that has to stop before an instruction stands in the midst of its
// cycle: what the node has done of the cycle so far is kept, and done on from there.
#include "Die.h"

#include <utility>

namespace dojo::emu {

//===----------------------------------------------------------------------===//
// A node
//===----------------------------------------------------------------------===//

bool Node::stopsBefore(const Thread &t, const Place &place, bool passedOver) {
  bool first = std::exchange(released, false), stop = false;
  Stop hit;
  if (stops->stepThread == static_cast<int>(t.index)) {
    if (stops->stepsLeft == 0 && !first) {
      hit.kind = Stop::Kind::Step;
      stop = true;
    } else if (stops->stepsLeft) {
      --stops->stepsLeft;
    }
  }
  const NodeStops::Break *at = first || passedOver ? nullptr : stops->find(t.index, t.pc);
  if (at) {
    hit.kind = Stop::Kind::Breakpoint;
    hit.number = at->number;
    stop = true;
  }
  if (!stop)
    return false;
  hit.node = hit.threadNode = number;
  hit.thread = t.index;
  hit.pc = t.pc;
  hit.cycle = place.cycle;
  stops->hits.push_back(hit);
  paused = place;
  recheck = true;
  return true;
}

void Node::resumeCycle() {
  Place at = *std::exchange(paused, std::nullopt);
  released = true;
  Thread &t = threads[at.thread];
  if (t.apart) {
    serve(t, at.cycle, nullptr, at.count);
  } else {
    Slots slots = at.slots;
    serve(t, at.cycle, &slots, at.count, at.placed);
    if (paused)
      paused->asked = at.asked;
    else
      serveGroup(at.cycle, slots, at.asked + 1u);
  }
  released = false;
}

void Node::noteStore(const Thread &t, uint32_t address, uint32_t bytes, uint64_t cycle) {
  Stop stop;
  stop.node = stop.threadNode = number;
  stop.thread = t.index;
  stop.pc = t.pc;
  stop.cycle = cycle;
  stops->written(address, address + bytes, stop);
}

//===----------------------------------------------------------------------===//
// A run
//===----------------------------------------------------------------------===//

void Run::setStops(const StopConditions &conditions) {
  stopping = !conditions.empty();
  hits.clear();
  for (Node *node : nodes) {
    auto stops = std::make_unique<NodeStops>();
    for (const Breakpoint &b : conditions.breakpoints)
      if (b.nodes.empty() || std::binary_search(b.nodes.begin(), b.nodes.end(), node->number))
        stops->breaks.push_back({b.pc, b.thread, b.number});
    std::sort(stops->breaks.begin(), stops->breaks.end(), [](auto &a, auto &b) {
      return std::pair(a.pc, a.number) < std::pair(b.pc, b.number);
    });
    for (const Watchpoint &w : conditions.watchpoints)
      if (w.node == node->number)
        stops->watches.push_back({w.address, w.address + w.bytes, w.number});
    if (conditions.step && conditions.step->node == node->number) {
      stops->stepThread = static_cast<int>(conditions.step->thread);
      stops->stepsLeft = conditions.step->instructions;
    }
    bool any = !stops->breaks.empty() || !stops->watches.empty() || stops->stepThread >= 0;
    node->stops = any ? std::move(stops) : nullptr;
  }
}

// What the trains of this cycle write is noted before the bytes are moved.
void Run::noteTrain(const Transfer &x, uint64_t issue, unsigned count) {
  const Thread &asker = m.nodes[x.asker]->threads[x.askerThread];
  m.topology.forReceivers(x.path, [&](uint32_t receiver) {
    NodeStops *stops = m.nodes[receiver]->stops.get();
    if (!stops || stops->watches.empty())
      return;
    Stop stop;
    stop.node = receiver;
    stop.threadNode = x.asker;
    stop.thread = asker.index;
    stop.pc = x.listPc;
    stop.cycle = issue;
    stop.byTransfer = true;
    forPackets(
        x.runs, x.packetsSent, count, p.packetBytes,
        [&](uint32_t, uint32_t to, uint32_t bytes) { stops->written(to, to + bytes, stop); });
  });
}

// True if a thread stands in the midst of the cycle.
bool Run::collectStops(uint64_t cycle) {
  bool paused = false;
  for (Node *node : nodes) {
    NodeStops *stops = node->stops.get();
    if (!stops)
      continue;
    paused |= node->pausedIn().has_value();
    hits.insert(hits.end(), stops->hits.begin(), stops->hits.end());
    stops->hits.clear();
    if (stops->stepThread < 0)
      continue;
    const Thread &t = node->threads[static_cast<unsigned>(stops->stepThread)];
    if (t.state != ThreadState::Halted)
      continue;
    Stop stop;
    stop.kind = Stop::Kind::Ended;
    stop.node = stop.threadNode = node->number;
    stop.thread = t.index;
    stop.cycle = cycle;
    stop.pc = t.pc;
    hits.push_back(stop);
    stops->stepThread = -1;
  }
  return paused;
}

} // namespace dojo::emu
