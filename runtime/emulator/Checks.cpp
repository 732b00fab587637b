// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Checks.h"

#include <algorithm>
#include <cstdio>

namespace dojo::emu {

using Kind = AccessPlace::Kind;

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

ReportList::Key ReportList::keyOf(CheckReport::Kind kind, const AccessPlace &access,
                                  const AccessPlace *earlier) {
  const AccessPlace &e = earlier ? *earlier : AccessPlace();
  return {kind, access.kind, access.pc, access.descriptor, e.kind, e.pc, e.descriptor};
}

void ReportList::add(CheckReport::Kind kind, uint32_t begin, uint32_t end, uint64_t cycle,
                     const AccessPlace &access, const AccessPlace *earlier) {
  Key key = keyOf(kind, access, earlier);
  if (indexOf.size() == most && !indexOf.count(key))
    return;
  auto [known, isNew] = indexOf.try_emplace(key, reports.size());
  if (!isNew) {
    ++reports[known->second].times;
    return;
  }
  CheckReport &r = reports.emplace_back();
  r.kind = kind;
  r.node = node;
  r.begin = begin;
  r.end = end;
  r.cycle = cycle;
  static_cast<AccessPlace &>(r.access) = access;
  if (earlier)
    static_cast<AccessPlace &>(r.earlier.emplace()) = *earlier;
}

static std::string hex(uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%x", value);
  return text;
}

// What lies where the SRAM has no bytes.
constexpr uint32_t accumulatorBytes = 64;

static std::string bytesName(const Target &target, uint32_t begin, uint32_t end) {
  if (begin >= static_cast<uint64_t>(target.sramBytes))
    return "accumulator " +
           std::to_string((begin - static_cast<uint32_t>(target.sramBytes)) / accumulatorBytes);
  return end - begin == 1 ? "byte " + hex(begin) : "bytes " + hex(begin) + " to " + hex(end - 1);
}

static std::string nodeName(const Target &target, int64_t node) {
  Position at = target.position(node);
  return "node " + std::to_string(node) + " (row " + std::to_string(at.row) + ", column " +
         std::to_string(at.column) + ")";
}

static std::string sentence(const CheckedAccess &a, const Target &target,
                            const std::function<std::string(int32_t)> &layer) {
  if (a.kind == Kind::Output)
    return "read as output \"" + a.instruction + "\"";
  static const char *const verbs[] = {"loaded", "stored", "fetched", "sent", "written"};
  std::string s = std::string(verbs[static_cast<unsigned>(a.kind)]) + " by " +
                  nodeName(target, a.node) + ", thread " + std::to_string(a.thread) + ", pc " +
                  hex(a.pc) + ": " + a.instruction;
  if (a.layer >= 0)
    s += " [" + (layer ? layer(a.layer) : "layer " + std::to_string(a.layer)) + "]";
  return s;
}

std::string CheckReport::message(const Target &target,
                                 const std::function<std::string(int32_t layer)> &layer) const {
  std::string s = kind == Kind::Race ? "race" : "unwritten memory";
  s += " at " + nodeName(target, node) + ", " + bytesName(target, begin, end);
  if (cycle)
    s += ", cycle " + std::to_string(cycle);
  s += ":\n  " + sentence(access, target, layer);
  if (earlier)
    s += "\n  " + sentence(*earlier, target, layer) + "\n  and no semaphore orders them";
  if (times > 1)
    s += "\n  (" + std::to_string(times) + " times in all)";
  return s;
}

//===----------------------------------------------------------------------===//
// The run
//===----------------------------------------------------------------------===//

NodeChecks::NodeChecks(const Die &die, const Node &node, const CheckOptions &options,
                       uint32_t firstThread, size_t threads)
    : reports(node.number), node(node.number), numLayers(die.numLayers),
      sramBytes(static_cast<uint32_t>(die.p.sramBytes)) {
  if (options.memory)
    memory = std::make_unique<MemoryCheck>(node, sramBytes, reports);
  if (options.races)
    races = std::make_unique<NodeRaces>(node, sramBytes + maxAccumulators * accumulatorBytes,
                                        firstThread, threads, reports);
}

void NodeChecks::usesAccumulator(const Thread &t, const Op &op, uint64_t cycle) {
  if (!races)
    return;
  bool step = op.timing == isa::TimingClass::Matrix;
  bool drain = op.timing == isa::TimingClass::Drain;
  uint32_t quarter = accumulatorBytes / 4;
  uint32_t begin = sramBytes + op.acc * accumulatorBytes;
  if (!step)
    begin += (static_cast<uint32_t>(op.immediate) & 3) * quarter;
  races->access(t.index, here(t, drain ? Kind::Load : Kind::Store), begin,
                begin + (step ? accumulatorBytes : quarter), cycle);
}

RunChecks::RunChecks(Die &die, const CheckOptions &options)
    : m(die), options(options), nodes(die.nodes.size()) {
  auto starting = [](const Node &node) {
    return static_cast<uint32_t>(std::count_if(node.entries.begin(), node.entries.end(),
                                               [](int64_t entry) { return entry >= 0; }));
  };
  size_t threads = 0;
  for (auto &node : die.nodes)
    threads += node ? starting(*node) : 0;
  uint32_t first = 0;
  for (auto &node : die.nodes)
    if (node) {
      nodes[node->number] = std::make_unique<NodeChecks>(die, *node, options, first, threads);
      node->checks = nodes[node->number].get();
      first += starting(*node);
    }
}

RunChecks::~RunChecks() {
  for (auto &node : m.nodes)
    if (node)
      node->checks = nullptr;
}

AccessPlace RunChecks::placeOf(const Transfer &x, Kind kind) const {
  return {kind,
          x.asker,
          x.askerThread,
          x.listPc,
          x.descriptorAddress,
          x.layer < m.numLayers ? static_cast<int32_t>(x.layer) : -1};
}

//===----------------------------------------------------------------------===//
// Transfers
//===----------------------------------------------------------------------===//

RunChecks::Flight &RunChecks::flightOf(const Transfer &x) {
  auto [at, isNew] = flights.try_emplace(&x);
  if (isNew)
    at->second.told = knowledge(x);
  return at->second;
}

void RunChecks::moves(const Transfer &x, uint64_t packets, uint64_t cycle) {
  forPackets(x.runs, x.packetsSent, packets, m.p.packetBytes,
             [&](uint32_t from, uint32_t to, uint32_t bytes) {
               takes(x, from, bytes, cycle);
               m.topology.forReceivers(
                   x.path, [&](uint32_t receiver) { writes(x, receiver, to, bytes, cycle); });
             });
}

void RunChecks::takes(const Transfer &x, uint32_t address, uint32_t bytes, uint64_t cycle) {
  AccessPlace place = placeOf(x, Kind::TransferRead);
  NodeChecks &source = *nodes[x.from];
  if (x.kind != Transfer::Kind::Answer || !source.races) {
    source.access(place, address, bytes, cycle);
    return;
  }
  Flight &flight = flightOf(x);
  if (!flight.read.node)
    flight.read = {source.races.get(), source.races->beginArrival(place)};
  source.arrive(place, address, bytes, cycle, flight.told, flight.read.arrival);
}

void RunChecks::writes(const Transfer &x, uint32_t receiver, uint32_t address, uint32_t bytes,
                       uint64_t cycle) {
  AccessPlace place = placeOf(x, Kind::TransferWrite);
  NodeChecks &to = *nodes[receiver];
  // A copy is over when it has left.
  if ((x.path.isCopy() && x.kind != Transfer::Kind::Answer) || !to.races) {
    to.access(place, address, bytes, cycle);
    return;
  }
  Flight &flight = flightOf(x);
  auto at = std::find_if(flight.writes.begin(), flight.writes.end(),
                         [&](const auto &w) { return w.first == receiver; });
  if (at == flight.writes.end())
    at = flight.writes.insert(at, {receiver, to.races->beginArrival(place)});
  to.arrive(place, address, bytes, cycle, flight.told, at->second);
}

void RunChecks::asked(const Transfer &ask, const Transfer &answer) {
  if (options.races)
    flights[&answer] = {knowledge(ask), {}, {}};
}

void RunChecks::announces(const Transfer &x, uint32_t number, bool own, uint64_t shows) {
  if (!options.races)
    return;
  NodeRaces &node = *nodes[number]->races;
  const Flight &flight = flightOf(x);
  NodeRaces::Announced written;
  for (auto [receiver, arrival] : flight.writes)
    if (receiver == number)
      written = {&node, arrival};
  // That a pull's data have left does not say that they have arrived.
  if (x.kind == Transfer::Kind::Answer && !own)
    written = {};
  node.signal(own ? x.ownSemaphore : x.farSemaphore, shows, own ? 1 : x.farAmount, flight.told,
              written, flight.read);
}

void RunChecks::ends(const Transfer &x) {
  if (!options.races)
    return;
  flights.erase(&x);
  if (x.kind != Transfer::Kind::Answer)
    nodes[x.asker]->races->step(x.askerThread);
}

//===----------------------------------------------------------------------===//
// The end
//===----------------------------------------------------------------------===//

void RunChecks::checkOutputs(std::vector<CheckReport> &reports) const {
  std::map<std::string, size_t> known; // index of the output's report
  for (const OutputBytes &o : options.outputs) {
    const Node *node = m.node(o.node);
    if (!node || o.begin >= o.end || o.end > m.p.sramBytes)
      continue;
    Interval missing = nodes[o.node]->memory->unwritten(o.begin, o.end);
    if (missing.begin == missing.end)
      continue;
    auto [at, isNew] = known.try_emplace(o.name, reports.size());
    if (!isNew) {
      ++reports[at->second].times;
      continue;
    }
    CheckReport &r = reports.emplace_back();
    r.node = r.access.node = o.node;
    r.begin = missing.begin;
    r.end = missing.end;
    r.access.kind = Kind::Output;
    r.access.instruction = o.name;
  }
}

void RunChecks::describe(CheckedAccess &access) const {
  const Node &node = *m.nodes[static_cast<size_t>(access.node)];
  if (access.descriptor != AccessPlace::noDescriptor) {
    isa::Descriptor d;
    static const char *const kinds[] = {"end", "push", "pull", "copy", "wait", "signal"};
    bool known = isa::Descriptor::decode(node.sram + access.descriptor, d, nullptr);
    using Descriptor = isa::Descriptor::Kind;
    access.instruction = "descriptor at " + hex(access.descriptor);
    if (known)
      access.instruction += std::string(", ") + kinds[static_cast<unsigned>(d.kind)];
    if (known && (d.kind == Descriptor::Push || d.kind == Descriptor::Pull))
      access.instruction +=
          (d.kind == Descriptor::Push ? " to " : " from ") +
          (d.multicast ? std::string("several nodes") : "node " + std::to_string(d.node));
    return;
  }
  const CodeSegment *segment = node.codeIn(access.pc, 1);
  if (!segment)
    return;
  const std::vector<uint8_t> &code = segment->image->bytes;
  uint32_t offset = access.pc - segment->begin;
  isa::Inst inst;
  if (isa::decode(code.data() + offset, code.size() - offset, inst))
    access.instruction = isa::disassemble(inst, access.pc);
}

void RunChecks::finish(bool whole, CheckResult &result) const {
  std::vector<CheckReport> all;
  for (auto &node : nodes)
    if (node) {
      result.accesses += node->numAccesses;
      result.shadowBytes += node->memory ? node->memory->hostBytes() : 0;
      result.shadowBytes += node->races ? node->races->hostBytes() : 0;
      all.insert(all.end(), node->reports.reports.begin(), node->reports.reports.end());
    }
  std::sort(all.begin(), all.end(), [](const CheckReport &a, const CheckReport &b) {
    return std::tuple(a.cycle, a.node, a.access.thread) <
           std::tuple(b.cycle, b.node, b.access.thread);
  });
  if (whole && options.memory)
    checkOutputs(all);
  // The same code on several nodes gives one report.
  std::map<std::pair<ReportList::Key, std::string>, size_t> known;
  for (CheckReport &r : all) {
    auto key = ReportList::keyOf(r.kind, r.access, r.earlier ? &*r.earlier : nullptr);
    auto [at, isNew] = known.try_emplace({key, r.access.instruction}, result.reports.size());
    if (!isNew) {
      if (at->second < result.reports.size())
        result.reports[at->second].times += r.times;
      continue;
    }
    ++result.numReports;
    if (result.reports.size() == options.maxReports) {
      at->second = ~size_t(0);
      continue;
    }
    if (r.access.kind != Kind::Output)
      describe(r.access);
    if (r.earlier)
      describe(*r.earlier);
    result.reports.push_back(std::move(r));
  }
}

} // namespace dojo::emu
