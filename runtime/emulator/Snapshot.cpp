// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state of a run as bytes. Classes name their fields themselves (Archive.h); here is what joins
// them. Whatever the bytes are, what is restored is a state that the emulator can go on from.
#include "Die.h"
#include "Pages.h"

namespace dojo::emu {

namespace {

constexpr size_t maxLayers = 1 << 21;

template <class Archive> void archiveFault(Archive &a, std::optional<Fault> &fault, uint32_t node) {
  bool any = fault.has_value();
  a(any);
  if (!any)
    return;
  if constexpr (Archive::reading)
    fault.emplace();
  Fault &f = *fault;
  a(f.faultClass);
  a.require(std::string_view(name(f.faultClass)) != name(FaultClass()));
  uint32_t thread = static_cast<uint32_t>(f.thread + 1), layer = static_cast<uint32_t>(f.layer + 1);
  f.node = node;
  a(thread);
  a(layer);
  a.require(thread <= numThreads && layer <= maxLayers);
  f.thread = static_cast<int>(thread) - 1;
  f.layer = static_cast<int32_t>(layer) - 1;
  a(f.pc);
  a.cycle(f.cycle);
  a.require(f.cycle != never);
  a.text(f.text);
}

} // namespace

//===----------------------------------------------------------------------===//
// A node
//===----------------------------------------------------------------------===//

template <class Archive> void Node::archive(Archive &a) {
  clearRegisters();
  a.cycle(lastCycle);
  a.require(lastCycle != never);
  for (NodeLayer &layer : layers) {
    bool used = layer.instructions || layer.end;
    a(used);
    if (used)
      layer.archive(a);
  }
  bool used = false;
  for (unsigned i = 0; i < p.accumulators; ++i)
    for (uint32_t word : accumulators[i])
      used |= word != 0;
  a(used);
  if (used)
    for (uint32_t (&accumulator)[64] : accumulators) { // quarter by quarter
      uint32_t quarters[64] = {};
      for (unsigned i = 0; i < 64 && !Archive::reading; ++i)
        quarters[i] = accumulator[quarterWord(i / 16, i % 16)];
      a.words(quarters, sizeof quarters);
      for (unsigned i = 0; i < 64 && Archive::reading; ++i)
        accumulator[quarterWord(i / 16, i % 16)] = quarters[i];
    }
  for (uint64_t &cycle : units.all())
    a.readyAt(cycle, longestWait);
  a(firstAsked);
  a.require(firstAsked < numThreads);

  bool stands = paused.has_value();
  a(stands);
  if (stands) {
    if (Archive::reading)
      paused.emplace();
    std::array<unsigned, numUnits> &units = paused->slots.units;
    for (unsigned *value : {&units[0], &units[1], &units[2], &paused->slots.places,
                            &paused->slots.lastServed, &paused->count}) {
      a(*value);
      a.require(*value <= 64);
    }
    a(paused->thread);
    a(paused->asked);
    a(paused->placed);
    a.cycle(paused->cycle);
    a.require(paused->thread < numThreads && paused->asked < numThreads && paused->cycle != never);
  }

  for (uint64_t &bits : touched)
    a(bits);
  if (a.ok())
    forTouchedSemaphores([&](unsigned, Semaphore &s) { s.archive(a, p.semaphoreLimit); });
  for (Thread &t : threads)
    if (t.started)
      t.archive(a, p, topology, *codeRanges, setup.numLayers);
  archiveFault(a, fault, number);
}

void Node::save(ArchiveWriter &a) { archive(a); }

bool Node::restore(ArchiveReader &a) {
  clearRegisters();
  // What a refused state has left behind a reset has to remove, too.
  usedAccumulators = true;
  for (Thread &t : threads)
    t.vectorsWritten = ~0u;
  archive(a);
  if (!a.ok())
    return false;
  busyUntil = *std::max_element(units.all().begin(), units.all().end());
  if (paused) {
    const Thread &t = threads[paused->thread];
    a.require(t.state == ThreadState::Ready && !t.inList && t.next <= paused->cycle);
  }
  for (Thread &t : threads) {
    if (!a.ok())
      return false;
    busyUntil = std::max(busyUntil, *std::max_element(t.ready, t.ready + score::size));
    if (t.state == ThreadState::Sending)
      a.require(t.transfer().from == number && t.transfer().asker == number &&
                t.transfer().askerThread == t.index && t.transfer().kind != Transfer::Kind::Answer);
    if (t.apart && t.state != ThreadState::Halted && t.state != ThreadState::Faulted) {
      // A jump that the predicate holds may be passed over.
      bool predicates = false;
      a.require(t.predicated ? reachesControlOnly(t.pc, true, predicates) : controlOnly(t.pc));
    }
    if (t.state != ThreadState::Waiting)
      continue;
    a.require(touched[t.semaphore / 64] >> t.semaphore % 64 & 1);
    if (t.standing) {
      t.pass = t.waitSince;
      continue;
    }
    Semaphore &s = semaphores[t.semaphore];
    a.require(s.waiter < 0);
    s.waiter = static_cast<int8_t>(t.index);
    t.pass = s.passTime(t.waitSince, t.need);
  }
  return a.ok();
}

//===----------------------------------------------------------------------===//
// A run
//===----------------------------------------------------------------------===//

// Threads' trains are found at the threads.
template <class Archive> void Run::archive(Archive &a) {
  ports.archive(a);
  for (uint64_t *value : {&lastArrival, &numTrains, &packets, &linkPackets})
    a(*value);
  a.require(lastArrival <= ArchiveReader::maxCycle);

  std::vector<WaitingTrain> waiting;
  if constexpr (!Archive::reading)
    for (const WaitingTrain &train : trains.all())
      if (train.transfer->kind == Transfer::Kind::Answer)
        waiting.push_back(train);
  std::sort(waiting.begin(), waiting.end());
  waiting.resize(a.count(waiting.size(), size_t(p.nodes) * p.nodes * numThreads));
  for (WaitingTrain &train : waiting) {
    if constexpr (Archive::reading) {
      answers.push_back(std::make_unique<Transfer>());
      train.transfer = answers.back().get();
    }
    Transfer &x = *train.transfer;
    a.cycle(train.issue);
    a.require(train.issue != never);
    x.archive(a, p, m.topology);
    a.require(x.kind == Transfer::Kind::Answer);
    if constexpr (Archive::reading) {
      if (!a.ok())
        return;
      train = {train.issue, x.from, numThreads + x.askerThread, x.asker, x.number, &x};
      trains.push(train);
      answerWaits(x.from, train.issue);
    }
  }
}

bool Run::save(uint64_t now, std::vector<uint8_t> &out, std::string &error) {
  if (!options.timing) {
    error = "a run without timing has no state between cycles to save";
    return false;
  }
  ArchiveWriter a(out, now);
  a(now);
  a.text(m.target.hash());
  a(options.jitterSeed.has_value());
  a(options.jitterSeed.value_or(0));
  a(m.numLayers);
  a(nodes.size());
  for (Node *node : nodes) {
    a(node->number);
    unsigned started = 0;
    for (const Thread &t : node->threads)
      started |= unsigned(t.started) << t.index;
    a(started);
    node->save(a);
  }
  archive(a);
  savePages({m.memory.get(), nodes.size() * p.sramBytes}, out);
  return true;
}

std::unique_ptr<Run> Run::resume(Die &die, RunOptions options, std::span<const uint8_t> state,
                                 uint64_t &now, std::string &error) {
  auto fail = [&error](const char *text) {
    error = text;
    return nullptr;
  };
  if (!options.timing)
    return fail("a saved run has timing; it cannot go on without");
  if (options.watched() || options.checks.any())
    return fail("traces, counters of nodes and checks need the whole run; they do not go with a "
                "saved one");
  ArchiveReader a(state, 0);
  std::string hash;
  bool jitters = false;
  uint64_t seed = 0;
  size_t layers = 0, numNodes = 0;
  a(now);
  a.require(now <= ArchiveReader::maxCycle);
  a.setNow(now);
  a.text(hash);
  a(jitters);
  a(seed);
  a(layers);
  a(numNodes);
  constexpr const char *damaged = "the saved state is damaged";
  if (!a.ok())
    return fail(damaged);
  if (hash != die.target.hash())
    return fail("the saved state is of another target");
  options.jitterSeed.reset();
  if (jitters)
    options.jitterSeed = seed;
  auto run = std::make_unique<Run>(die, options);
  if (layers != die.numLayers || numNodes != run->nodes.size())
    return fail("the saved state is of another program");
  for (Node *node : run->nodes) {
    uint32_t number = 0;
    unsigned started = 0;
    a(number);
    a(started);
    bool same = number == node->number;
    for (const Thread &t : node->threads)
      same &= t.started == (started >> t.index & 1);
    if (a.ok() && !same)
      return fail("the saved state is of another program");
    if (!a.ok() || !node->restore(a))
      return fail(damaged);
    collectTrains(*node, run->found.front().trains);
  }
  run->queueFound();
  run->archive(a);
  std::span<uint8_t> memory(die.memory.get(), run->nodes.size() * die.p.sramBytes);
  SavedPages pages;
  if (!a.ok() || !pages.read(a, memory.size()) || a.left() != 0)
    return fail(damaged);
  // What was before the cycle has happened.
  bool past = run->trains.first() < now;
  for (const Node *node : run->nodes)
    past |= node->nextOwnEvent() < now;
  if (past)
    return fail(damaged);
  pages.place(memory);
  run->noteFaults();
  return run;
}

} // namespace dojo::emu
