// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Probe.h"

#include "TraceWriter.h"

namespace dojo::emu {

using Kind = ProbeEvent::Kind;

const char *name(Activity activity) {
  static const char *const names[] = {"issue",  "operand",   "unit", "place", "port", "code_line",
                                      "branch", "semaphore", "list", "mesh",  "idle"};
  static_assert(std::size(names) == numActivities);
  return names[static_cast<unsigned>(activity)];
}

const char *name(isa::TimingClass timing) {
  static const char *const names[] = {"alu",         "multiply",     "divide", "load",   "store",
                                      "vector_load", "vector_store", "gather", "simd",   "estimate",
                                      "matrix",      "drain",        "fill",   "control"};
  static_assert(std::size(names) == isa::numTimingClass);
  return names[static_cast<unsigned>(timing)];
}

//===----------------------------------------------------------------------===//
// A node
//===----------------------------------------------------------------------===//

void NodeProbe::notReady(const Thread &t, const Op &op, uint64_t cycle, uint64_t ready) {
  uint64_t operands = 0;
  for (uint8_t source : op.sources)
    operands = std::max(operands, t.ready[source]);
  uint64_t pending = t.ready[op.destination];
  if (pending > op.latency)
    operands = std::max(operands, pending - op.latency);
  held(t, cycle, operands == ready ? Activity::Operand : Activity::Unit);
}

void NodeProbe::layer(const Thread &t, uint64_t cycle) {
  State &s = state[t.index];
  if (!traced || s.layer == t.layer)
    return;
  s.layer = t.layer;
  auto thread = static_cast<uint8_t>(t.index);
  if (t.layer < numLayers)
    events.push_back({.kind = Kind::Layer, .thread = thread, .cycle = cycle, .value = t.layer});
  else
    events.push_back({.kind = Kind::End, .thread = thread, .cycle = cycle});
}

void NodeProbe::halted(const Thread &t, uint64_t cycle) {
  held(t, cycle + 1, Activity::Idle);
  if (traced)
    events.push_back(
        {.kind = Kind::End, .thread = static_cast<uint8_t>(t.index), .cycle = cycle + 1});
}

void NodeProbe::waited(const Thread &t) {
  held(t, t.pass, t.inList ? Activity::List : Activity::Semaphore);
  if (!t.inList)
    settle(t.index, t.pass + 1);
  if (traced && t.pass > t.waitSince)
    events.push_back({.kind = Kind::Wait,
                      .thread = static_cast<uint8_t>(t.index),
                      .cycle = t.waitSince,
                      .until = t.pass,
                      .value = t.semaphore,
                      .need = t.need,
                      .pc = t.blockedPc});
}

void NodeProbe::listBegins(const Thread &t, uint64_t cycle) {
  held(t, cycle, Activity::List);
  if (traced)
    events.push_back({.kind = Kind::ListBegin,
                      .thread = static_cast<uint8_t>(t.index),
                      .cycle = cycle,
                      .value = t.listPc});
}

void NodeProbe::listEnds(const Thread &t, uint64_t cycle) {
  held(t, cycle, Activity::List);
  settle(t.index, cycle + 1);
  if (traced)
    events.push_back(
        {.kind = Kind::ListEnd, .thread = static_cast<uint8_t>(t.index), .cycle = cycle + 1});
}

static std::string nameOf(const Transfer &x) {
  std::string to =
      x.path.receivers > 1 ? std::to_string(x.path.receivers) + " nodes" : std::to_string(x.to);
  switch (x.kind) {
  case Transfer::Kind::Ask:
    return "pull from " + to;
  case Transfer::Kind::Answer:
    return "answer to " + to;
  case Transfer::Kind::Push:
    break;
  }
  if (x.dataless)
    return "signal to " + to;
  return x.path.isCopy() ? "copy" : "push to " + to;
}

void NodeProbe::sendBegins(const Thread &t, uint64_t cycle) {
  held(t, cycle, Activity::Mesh);
  if (!traced)
    return;
  state[t.index].sending = true;
  const Runs &r = t.transfer().runs;
  events.push_back({.kind = Kind::SendBegin,
                    .thread = static_cast<uint8_t>(t.index),
                    .cycle = cycle,
                    .value = uint64_t(r.runBytes) * r.count[0] * r.count[1] * r.count[2],
                    .name = nameOf(t.transfer())});
}

void NodeProbe::sendEnds(const Thread &t, uint64_t cycle) {
  held(t, cycle, t.inList ? Activity::List : Activity::Place);
  if (std::exchange(state[t.index].sending, false))
    events.push_back(
        {.kind = Kind::SendEnd, .thread = static_cast<uint8_t>(t.index), .cycle = cycle});
}

void NodeProbe::faulted(const Thread *t, FaultClass faultClass, uint64_t cycle) {
  if (traced)
    events.push_back({.kind = Kind::Fault,
                      .thread = static_cast<uint8_t>(t ? t->index : 0),
                      .cycle = cycle,
                      .value = static_cast<uint64_t>(faultClass)});
}

void NodeProbe::finish(const Node &node, uint64_t cycles) {
  for (const Thread &t : node.threads) {
    settle(t.index, cycles);
    // Waits that never pass show too.
    if (traced && t.state == ThreadState::Waiting && t.waitSince < cycles)
      events.push_back({.kind = Kind::Wait,
                        .thread = static_cast<uint8_t>(t.index),
                        .cycle = t.waitSince,
                        .until = cycles,
                        .value = t.semaphore,
                        .need = t.need,
                        .pc = t.blockedPc});
  }
}

//===----------------------------------------------------------------------===//
// The run
//===----------------------------------------------------------------------===//

RunProbe::RunProbe(Die &die, const RunOptions &options)
    : die(die), writer(options.trace ? &options.trace->writer() : nullptr),
      wantCounters(options.nodeCounters), traced(die.nodes.size()), probes(die.nodes.size()) {
  if (writer) {
    writer->beginRun(static_cast<uint32_t>(die.target.columns));
    traced.assign(traced.size(), writer->options.nodes.empty());
    for (uint32_t n : writer->options.nodes)
      if (n < traced.size())
        traced[n] = true;
  }
  for (auto &node : die.nodes)
    if (node && (wantCounters || traced[node->number])) {
      uint32_t n = node->number;
      probes[n] = std::make_unique<NodeProbe>(n, die.numLayers, traced[n]);
      node->probe = probes[n].get();
    }
}

RunProbe::~RunProbe() {
  for (auto &node : die.nodes)
    if (node)
      node->probe = nullptr;
}

void RunProbe::train(const Transfer &x, uint64_t issue, unsigned packets,
                     const TrainTiming &timing) {
  if (NodeProbe *sender = probe(x.from)) {
    sender->counters.sentPackets += packets;
    sender->counters.sendWait += timing.start - issue;
    if (traced[x.from])
      writer->slice(trackOf(x.from, SendsTrack), timing.start, timing.left, nameOf(x),
                    {{"packets", packets}, {"issued", issue}});
  }
  size_t receiver = 0;
  auto receive = [&](uint32_t node) {
    uint64_t first = timing.firstWrite[receiver++];
    NodeProbe *to = probe(node);
    if (!to)
      return;
    to->counters.receivedPackets += packets;
    if (traced[node])
      writer->slice(trackOf(node, ReceivesTrack), first, first + packets,
                    "from " + std::to_string(x.from), {{"packets", packets}, {"issued", issue}});
  };
  die.topology.forReceivers(x.path, receive);
  die.topology.forLinks(x.path, [&](uint32_t link) {
    if (NodeProbe *over = probe(link / 4))
      over->counters.linkPackets[link % 4] += packets;
  });
}

void RunProbe::collect(const std::vector<Node *> &nodes) {
  for (Node *node : nodes)
    if (node->probe) {
      for (const ProbeEvent &event : node->probe->events)
        write(*node->probe, event);
      node->probe->events.clear();
    }
}

void RunProbe::write(const NodeProbe &from, const ProbeEvent &e) {
  uint32_t track = trackOf(from.counters.node, ThreadTrack + e.thread);
  switch (e.kind) {
  case Kind::Layer:
    writer->end(track, e.cycle);
    writer->begin(track, e.cycle, writer->layerName(e.value));
    break;
  case Kind::Wait:
    writer->slice(track, e.cycle, e.until, "wait s" + std::to_string(e.value),
                  {{"need", e.need}, {"pc", e.pc}});
    break;
  case Kind::ListBegin:
    writer->begin(track, e.cycle, "list", {{"pc", e.value}});
    break;
  case Kind::SendBegin:
    writer->begin(track, e.cycle, e.name, {{"bytes", e.value}});
    break;
  case Kind::End:
  case Kind::ListEnd:
  case Kind::SendEnd:
    writer->end(track, e.cycle);
    break;
  case Kind::Fault:
    writer->instant(track, e.cycle,
                    std::string("fault: ") + emu::name(static_cast<FaultClass>(e.value)));
    break;
  }
}

void RunProbe::finish(Counters &counters) {
  std::vector<Node *> watched;
  for (auto &node : die.nodes)
    if (node && node->probe) {
      node->probe->finish(*node, counters.cycles);
      watched.push_back(node.get());
    }
  collect(watched);
  if (wantCounters)
    for (Node *node : watched)
      counters.nodes.push_back(node->probe->counters);
  if (!writer)
    return;
  std::vector<uint64_t> ends;
  for (const LayerCounters &layer : counters.layers)
    ends.push_back(layer.end);
  writer->endRun(counters.cycles, ends);
}

} // namespace dojo::emu
