// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dojo/Emulator/Machine.h"

#include "Die.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <sys/mman.h>
#include <unistd.h>

namespace dojo::emu {

const char *name(FaultClass faultClass) {
  switch (faultClass) {
  case FaultClass::UndefinedInstruction:
    return "undefined instruction";
  case FaultClass::FetchOutsideCode:
    return "fetch outside code";
  case FaultClass::Misaligned:
    return "misaligned access";
  case FaultClass::OutOfRange:
    return "access out of range";
  case FaultClass::CodeWrite:
    return "write to code";
  case FaultClass::BadDescriptor:
    return "bad descriptor";
  case FaultClass::BadDestination:
    return "bad destination";
  case FaultClass::SemaphoreOverflow:
    return "semaphore overflow";
  case FaultClass::SecondWaiter:
    return "second waiter";
  case FaultClass::SemaphoreNotZero:
    return "semaphore not zero at the end";
  case FaultClass::Deadlock:
    return "deadlock";
  case FaultClass::Watchdog:
    return "watchdog";
  case FaultClass::UndeclaredAccess:
    return "undeclared access";
  }
  return "unknown fault";
}

std::string Fault::message(const Target &target) const {
  std::string s = std::string(name(faultClass)) + " (class " +
                  std::to_string(static_cast<unsigned>(faultClass)) + ")";
  if (node >= 0) {
    Position at = target.position(node);
    s += " at node " + std::to_string(node) + " (row " + std::to_string(at.row) + ", column " +
         std::to_string(at.column) + ")";
  }
  if (thread >= 0) {
    char address[16];
    std::snprintf(address, sizeof address, "0x%x", pc);
    s += ", thread " + std::to_string(thread) + ", pc " + address;
  }
  if (cycle)
    s += ", cycle " + std::to_string(cycle);
  if (layer >= 0)
    s += ", layer " + std::to_string(layer);
  return s + ": " + text;
}

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

std::unique_ptr<Machine> Machine::create(const Target &target, std::string &error) {
  Parameters parameters;
  if (!makeParameters(target, parameters, error))
    return nullptr;
  return std::unique_ptr<Machine>(new Machine(std::make_unique<Die>(target, parameters)));
}

namespace {
constexpr size_t largePage = 2 << 20; // of most hosts
}

Die::Die(const Target &target, const Parameters &parameters)
    : target(target), p(parameters), topology(target, parameters), memory(nullptr, std::free),
      nodeMemory(nullptr, std::free), nodes(parameters.nodes) {
  std::vector<int64_t> usable = target.usableNodes();
  memory.reset(static_cast<uint8_t *>(std::calloc(usable.size(), p.sramBytes)));
  if (!memory)
    throw std::bad_alloc();
  uint8_t *sram = memory.get();
  std::vector<uint8_t *> memories(parameters.nodes);
  size_t nodeBytes = (usable.size() * sizeof(Node) + largePage - 1) / largePage * largePage;
  nodeMemory.reset(std::aligned_alloc(largePage, nodeBytes));
  if (!nodeMemory)
    throw std::bad_alloc();
  madvise(nodeMemory.get(), nodeBytes, MADV_HUGEPAGE);
  Node *room = static_cast<Node *>(nodeMemory.get());
  for (int64_t number : usable) {
    nodes[static_cast<size_t>(number)].reset(
        new (room++) Node(static_cast<uint32_t>(number), sram, p, topology));
    memories[static_cast<size_t>(number)] = sram;
    sram += p.sramBytes;
  }
  copies = std::make_unique<Copies>(std::move(memories), p.packetBytes);
}

void Die::divideCode() {
  auto before = [](const CodeRanges::Parts *a, const CodeRanges::Parts *b) { return *a < *b; };
  std::map<const CodeRanges::Parts *, std::shared_ptr<const CodeRanges>, decltype(before)> known(
      before);
  for (auto &node : nodes) {
    if (!node || node->codeRanges)
      continue;
    std::shared_ptr<const CodeRanges> &ranges = known[&node->code];
    if (!ranges)
      ranges = std::make_shared<const CodeRanges>(node->code);
    node->codeRanges = ranges;
  }
}

HostThreads &Die::hostThreads(unsigned count) {
  if (!host || host->count() != count) {
    host.reset();
    host = std::make_unique<HostThreads>(count, [this] { return copies->help(); });
    while (timings.size() < count)
      timings.push_back(std::make_unique<TimingCache>(p));
  }
  return *host;
}

Machine::Machine(std::unique_ptr<Die> die) : die(std::move(die)) {}
Machine::~Machine() = default;

const Target &Machine::target() const { return die->target; }

namespace {

bool fail(std::string &error, std::string text) {
  error = std::move(text);
  return false;
}

// Checks a node list and a byte range that is to lie on each of the nodes.
bool checkPlace(const Die &die, std::span<const uint32_t> nodes, uint64_t address, uint64_t bytes,
                std::string &error) {
  if (address > die.p.sramBytes || bytes > die.p.sramBytes - address)
    return fail(error, std::to_string(bytes) + " bytes at address " + std::to_string(address) +
                           " exceed the SRAM of " + std::to_string(die.p.sramBytes));
  for (uint32_t n : nodes)
    if (!die.node(n))
      return fail(error,
                  "node " + std::to_string(n) + " is not usable on target " + die.target.name);
  return true;
}

bool checkNoCode(const Die &die, std::span<const uint32_t> nodes, uint32_t address, uint64_t bytes,
                 std::string &error) {
  for (uint32_t n : nodes)
    for (const CodeSegment &s : die.node(n)->code.segments)
      if (address < s.end && s.begin < address + bytes)
        return fail(error, std::to_string(bytes) + " bytes at address " + std::to_string(address) +
                               " overlap code at " + std::to_string(s.begin) + " of node " +
                               std::to_string(n));
  return true;
}

} // namespace

void merge(std::vector<Interval> &intervals) {
  std::sort(intervals.begin(), intervals.end(),
            [](const Interval &a, const Interval &b) { return a.begin < b.begin; });
  std::vector<Interval> merged;
  for (const Interval &i : intervals) {
    if (i.begin >= i.end)
      continue;
    if (!merged.empty() && i.begin <= merged.back().end)
      merged.back().end = std::max(merged.back().end, i.end);
    else
      merged.push_back(i);
  }
  intervals = std::move(merged);
}

// Has the host give the pages of what is about to be written in one go: a fault for each takes
// longer than the copy. It may not be able to.
static void populate(uint8_t *begin, size_t bytes) {
#ifdef MADV_POPULATE_WRITE
  static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  if (bytes < 2 * page)
    return;
  auto first = reinterpret_cast<uintptr_t>(begin) / page * page;
  auto last = reinterpret_cast<uintptr_t>(begin) + bytes;
  madvise(reinterpret_cast<void *>(first), last - first, MADV_POPULATE_WRITE);
#endif
}

bool Machine::placeCode(std::span<const uint32_t> nodes, uint32_t address,
                        std::span<const uint8_t> bytes, std::string &error) {
  if (!checkPlace(*die, nodes, address, bytes.size(), error) ||
      !checkNoCode(*die, nodes, address, bytes.size(), error))
    return false;
  if (address % 4)
    return fail(error, "code at address " + std::to_string(address) +
                           " does not start at a multiple of 4");
  if (bytes.empty())
    return true;
  auto image = std::make_shared<const CodeImage>(bytes, address, die->p);
  CodeSegment segment{address, address + static_cast<uint32_t>(bytes.size()), image};
  for (uint32_t n : nodes) {
    Node &node = *die->node(n);
    auto &segments = node.code.segments;
    auto at = std::upper_bound(segments.begin(), segments.end(), address,
                               [](uint32_t a, const CodeSegment &s) { return a < s.begin; });
    segments.insert(at, segment);
    node.codeRanges.reset();
    std::memcpy(node.sram + address, bytes.data(), bytes.size());
    node.notePlaced(segment.begin, segment.end);
  }
  return true;
}

bool Machine::placeData(std::span<const uint32_t> nodes, uint32_t address,
                        std::span<const uint8_t> bytes, std::string &error) {
  if (!checkPlace(*die, nodes, address, bytes.size(), error) ||
      !checkNoCode(*die, nodes, address, bytes.size(), error))
    return false;
  if (!bytes.empty())
    for (uint32_t n : nodes) {
      populate(die->node(n)->sram + address, bytes.size());
      std::memcpy(die->node(n)->sram + address, bytes.data(), bytes.size());
      die->node(n)->notePlaced(address, address + static_cast<uint32_t>(bytes.size()));
    }
  return true;
}

bool Machine::setEntry(uint32_t node, unsigned thread, uint32_t pc, std::string &error) {
  if (!checkPlace(*die, {&node, 1}, pc, 0, error))
    return false;
  if (thread >= static_cast<unsigned>(die->target.threads))
    return fail(error, "thread " + std::to_string(thread) + " does not exist");
  die->node(node)->entries[thread] = pc;
  return true;
}

bool Machine::setPcRanges(std::span<const uint32_t> nodes, std::vector<PcRange> ranges,
                          std::string &error) {
  if (!checkPlace(*die, nodes, 0, 0, error))
    return false;
  std::sort(ranges.begin(), ranges.end(),
            [](const PcRange &a, const PcRange &b) { return a.begin < b.begin; });
  for (size_t i = 0; i < ranges.size(); ++i)
    if (ranges[i].begin >= ranges[i].end || (i && ranges[i].begin < ranges[i - 1].end))
      return fail(error, "PC range from " + std::to_string(ranges[i].begin) +
                             " is empty or overlaps another");
  constexpr int32_t maxLayer = 1 << 20;
  for (const PcRange &r : ranges)
    if (r.layer > maxLayer)
      return fail(error, "PC range from " + std::to_string(r.begin) + " has layer " +
                             std::to_string(r.layer) + ", above " + std::to_string(maxLayer));
  for (const PcRange &r : ranges)
    die->numLayers = std::max(die->numLayers, static_cast<size_t>(std::max(r.layer, -1) + 1));
  auto shared = std::make_shared<const std::vector<PcRange>>(std::move(ranges));
  for (uint32_t n : nodes) {
    die->node(n)->code.layers = shared;
    die->node(n)->codeRanges.reset();
  }
  return true;
}

bool Machine::setRoutes(std::vector<std::vector<uint8_t>> routes, std::string &error) {
  return die->topology.setRoutes(std::move(routes), error);
}

bool Machine::declareAccesses(std::span<const uint32_t> nodes, uint32_t begin, uint32_t end,
                              std::vector<Interval> reads, std::vector<Interval> writes,
                              std::string &error, std::vector<Interval> ignored) {
  if (!checkPlace(*die, nodes, 0, 0, error))
    return false;
  for (uint32_t n : nodes)
    for (const auto &d : die->node(n)->code.declarations)
      if (begin >= end || (begin < d->end && d->begin < end))
        return fail(error, "segment from " + std::to_string(begin) +
                               " is empty or overlaps another on node " + std::to_string(n));
  merge(reads);
  merge(writes);
  merge(ignored);
  auto declaration = std::make_shared<const Declaration>(
      Declaration{begin, end, std::move(reads), std::move(writes), std::move(ignored)});
  for (uint32_t n : nodes) {
    Node &node = *die->node(n);
    auto &all = node.code.declarations;
    auto at = std::upper_bound(all.begin(), all.end(), begin,
                               [](uint32_t b, const auto &other) { return b < other->begin; });
    all.insert(at, declaration);
    node.codeRanges.reset();
  }
  return true;
}

void Machine::addCapture(uint32_t node, unsigned thread, uint32_t pc, CaptureFunction function) {
  if (Node *n = die->node(node))
    n->addCapture({thread, pc, std::move(function)});
}

void Machine::clearCaptures() {
  for (auto &node : die->nodes)
    if (node)
      node->clearCaptures();
}

bool Machine::write(uint32_t node, uint32_t address, std::span<const uint8_t> bytes,
                    std::string &error) {
  return placeData({&node, 1}, address, bytes, error);
}

bool Machine::read(uint32_t node, uint32_t address, std::span<uint8_t> bytes,
                   std::string &error) const {
  if (!checkPlace(*die, {&node, 1}, address, bytes.size(), error))
    return false;
  if (!bytes.empty())
    std::memcpy(bytes.data(), die->node(node)->sram + address, bytes.size());
  return true;
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

RunResult Machine::run(const RunOptions &options) {
  Run run(*die, options);
  run.advance(never);
  return run.finish();
}

ThreadStatus Machine::threadStatus(uint32_t node, unsigned thread) const {
  const Thread &t = die->nodes.at(node)->threads[thread];
  ThreadStatus s;
  if (t.state == ThreadState::Halted)
    return s;
  s.place = t.state == ThreadState::Waiting   ? ThreadPlace::Waits
            : t.state == ThreadState::Sending ? ThreadPlace::Sends
                                              : ThreadPlace::Runs;
  s.inList = t.inList;
  s.pc = t.inList ? t.listPc : s.place == ThreadPlace::Runs ? t.pc : t.blockedPc;
  s.semaphore = t.semaphore;
  s.need = t.need;
  s.since = t.waitSince;
  s.layer = t.layer < die->numLayers ? static_cast<int32_t>(t.layer) : -1;
  return s;
}

std::vector<SemaphoreStatus> Machine::semaphores(uint32_t node, uint64_t now) const {
  std::vector<SemaphoreStatus> list;
  die->nodes.at(node)->forTouchedSemaphores([&](unsigned number, const Semaphore &s) {
    SemaphoreStatus status;
    status.number = number;
    status.value = s.settledValue();
    status.waiter = s.waiter;
    s.forPending([&](uint64_t shows, uint32_t amount) {
      if (shows <= now)
        status.value += amount;
      else
        status.pending.emplace_back(shows, amount);
    });
    if (status.value || status.waiter >= 0 || !status.pending.empty())
      list.push_back(std::move(status));
  });
  return list;
}

namespace {

Node &withRegisters(Die &die, uint32_t number) {
  Node &node = *die.nodes.at(number);
  node.clearRegisters();
  return node;
}

} // namespace

uint64_t Machine::scalarRegister(uint32_t node, unsigned thread, unsigned number) const {
  return withRegisters(*die, node).threads[thread].registers.x[number];
}

std::span<const uint32_t, 16> Machine::vectorRegister(uint32_t node, unsigned thread,
                                                      unsigned number) const {
  return withRegisters(*die, node).threads[thread].registers.v[number].w;
}

uint64_t Machine::maskRegister(uint32_t node, unsigned thread, unsigned number) const {
  return withRegisters(*die, node).threads[thread].registers.m[number];
}

std::array<uint32_t, 64> Machine::accumulator(uint32_t node, unsigned number) const {
  const uint32_t *from = withRegisters(*die, node).accumulators[number];
  std::array<uint32_t, 64> rows;
  for (unsigned i = 0; i < 64; ++i)
    rows[i] = from[accWord(i / 8, i % 8)];
  return rows;
}

} // namespace dojo::emu
