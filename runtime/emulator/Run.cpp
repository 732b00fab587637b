// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A run in windows: with `first` the earliest event of any node, a train that is not yet committed
// cannot show on another node before first + lookahead. So every node may advance up to there by
// itself, on any host thread. Then the trains of the window are committed in order, by one thread,
// up to the cycle in which a sender may issue its next. What they bring is delivered by the thread
// that owns the node before the next window, which begins with the least cycle in which any of it
// may show.
#include "Checks.h"
#include "Probe.h"

#include <utility>

namespace dojo::emu {

Run::Run(Die &die, const RunOptions &options)
    : m(die), p(die.p), options(options), copies(*die.copies),
      host(die.hostThreads(std::max(1u, options.threads))), ports(die.p, die.topology),
      code(die.p.nodes), ownEvent(die.p.nodes, never), own(host.count()), due(host.count()),
      brought(host.count()), found(host.count()), answersAt(die.p.nodes) {
  Node::RunSetup setup;
  setup.timing = options.timing;
  setup.watchdog = options.watchdog;
  setup.numLayers = m.numLayers;
  setup.tier = options.tier;
  setup.hostPath = options.hostPath.value_or(bestHostPath());
  setup.fast = options.engine == Engine::Fast && !options.watched() && !options.checks.any() &&
               fastEngineModels(p) && supported(setup.hostPath);
  if (options.timing)
    setup.jitterSeed = options.jitterSeed;
  for (auto &node : m.nodes)
    if (node) {
      own[host.ownerOf(node->number)].push_back(node->number);
      nodes.push_back(node.get());
      if (!node->code.segments.empty())
        code[node->number] = {node->code.segments.front().begin, node->code.segments.back().end};
    }
  m.divideCode();
  host.forEach([this](unsigned owner, unsigned) { return own[owner].size(); },
               [&](unsigned owner, size_t i, unsigned) { m.nodes[own[owner][i]]->reset(setup); });
  if (options.watched())
    probe = std::make_unique<RunProbe>(die, options);
  else if (options.nodeOrderSeed)
    for (unsigned owner = 0; owner < host.count(); ++owner)
      orderEngines.emplace_back(*options.nodeOrderSeed + owner);
  if (options.checks.any())
    checks = std::make_unique<RunChecks>(die, options.checks);
}

Run::~Run() { copies.finish(); }

bool Run::advance(uint64_t until) {
  if (!ended && options.timing)
    ended = !executeTimed(until);
  else if (!ended)
    executeFunctional();
  ended |= !options.timing;
  return !ended;
}

RunResult Run::finish() {
  noteFaults();
  if (!fault && ended)
    checkEnd();
  if (fault && !options.timing)
    fault->cycle = 0;
  RunResult result;
  result.fault = fault;
  gatherCounters(result);
  if (probe)
    probe->finish(result.counters);
  if (checks)
    checks->finish(ended && !fault, result.checks);
  return result;
}

//===----------------------------------------------------------------------===//
// With timing
//===----------------------------------------------------------------------===//

uint64_t Run::refresh(uint32_t number) {
  return ownEvent[number] = m.nodes[number]->nextOwnEvent();
}

bool Run::executeTimed(uint64_t until) {
  horizon = reached = until;
  hits.clear();
  for (Node *node : nodes)
    found.front().next = std::min(found.front().next, refresh(node->number));
  bool goesOn = runWindows(until);
  copies.finish();
  for (unsigned owner = 0; owner < host.count(); ++owner)
    deliver(owner, found.front());
  queueFound();
  return goesOn;
}

bool Run::runWindows(uint64_t until) {
  while (true) {
    uint64_t first = std::min(trains.first(), std::exchange(nextBrought, never));
    for (Found &f : found)
      first = std::min(first, std::exchange(f.next, never));
    if (first == never || (fault && first > fault->found))
      return false;
    if (first > until)
      return true;
    uint64_t safe = std::min(first + p.remoteLookahead() - 1, horizon);
    if (stopping)
      safe = horizon = first; // cycle by cycle
    copies.close();
    spareAnswers.insert(spareAnswers.end(), endedAnswers.begin(), endedAnswers.end());
    endedAnswers.clear();
    advanceNodes(safe);
    copies.clear();
    if (stopping && collectStops(first)) {
      reached = first ? first - 1 : 0;
      return true;
    }
    commitTrains(safe);
    if (stopping)
      collectStops(first);
    if (!hits.empty()) {
      reached = first;
      return true;
    }
  }
}

void Run::mixOrder(unsigned owner) {
  if (!orderEngines.empty())
    std::shuffle(due[owner].begin(), due[owner].end(), orderEngines[owner]);
}

// Those of a host thread's nodes that act up to cycle `safe`, once they have what was brought.
size_t Run::findDue(unsigned owner, unsigned thread, uint64_t safe) {
  Found &f = found[thread];
  deliver(owner, f);
  due[owner].clear();
  uint64_t next = f.next;
  for (uint32_t n : own[owner])
    if (uint64_t event = ownEvent[n]; event <= safe)
      due[owner].push_back(m.nodes[n].get());
    else
      next = std::min(next, event);
  f.next = next;
  mixOrder(owner);
  copies.await();
  return due[owner].size();
}

void Run::advanceNodes(uint64_t safe) {
  host.forEach([&](unsigned owner, unsigned thread) { return findDue(owner, thread, safe); },
               [&](unsigned owner, size_t i, unsigned thread) {
                 Node &node = *due[owner][i];
                 Found &f = found[thread];
                 node.timings = m.timings[thread].get();
                 node.horizon = horizon;
                 node.advance(safe, true);
                 f.next = std::min(f.next, refresh(node.number));
                 collectTrains(node, f.trains);
                 if (node.fault)
                   f.faulted = true;
               });
  queueFound();
  bool faulted = false;
  for (Found &f : found)
    faulted |= std::exchange(f.faulted, false);
  if (faulted)
    noteFaults();
  if (probe)
    probe->collect(nodes);
}

//===----------------------------------------------------------------------===//
// Function only
//===----------------------------------------------------------------------===//

void Run::transferAtOnce(Transfer &x, Thread &thread, Node &node) {
  bool pull = x.kind == Transfer::Kind::Ask;
  Transfer *data = &x;
  if (pull) {
    startAnswer(x, 0);
    if (fault)
      return;
    trains.take(never, ready);
    data = ready.front().transfer;
    answerGoes(data->from, p.pullAnswer);
    spareAnswers.push_back(data);
  }
  auto countTrains = [&](const Transfer &transfer, uint64_t count) {
    numTrains += (count + p.trainPackets - 1) / p.trainPackets;
    packets += count * transfer.path.receivers;
    linkPackets += count * transfer.path.links;
  };
  uint64_t count = data->packetsLeft;
  countTrains(*data, count);
  if (pull)
    countTrains(x, 1);
  if (!data->dataless)
    moveBytes(*data, count, 0);
  data->packetsLeft = 0;
  if (x.signalsFar)
    m.topology.forReceivers(x.path, [&](uint32_t n) {
      if (checks)
        checks->announces(*data, n, false, 0);
      m.nodes[n]->signal(x.farSemaphore, 0, x.farAmount);
    });
  if (pull && x.signalsOwn) {
    if (checks)
      checks->announces(*data, node.number, true, 0);
    node.signal(x.ownSemaphore, 0, 1);
  }
  if (checks) {
    checks->ends(x);
    if (pull)
      checks->ends(*data);
  }
  if (thread.state == ThreadState::Sending)
    node.trainLeft(thread, 0, x.packetsLeft);
}

void Run::executeFunctional() {
  std::vector<char> progress;
  bool again = true;
  while (again && !fault) {
    progress.assign(p.nodes, 0);
    host.forEach(
        [this](unsigned owner, unsigned) {
          due[owner].clear();
          for (uint32_t n : own[owner])
            due[owner].push_back(m.nodes[n].get());
          mixOrder(owner);
          return due[owner].size();
        },
        [&](unsigned owner, size_t i, unsigned) {
          Node &node = *due[owner][i];
          progress[node.number] = node.runFunctional();
        });
    noteFaults();
    again = false;
    for (char p : progress)
      again |= p != 0;
    for (Node *node : nodes)
      for (Thread &t : node->threads)
        if (t.state == ThreadState::Sending && !fault) {
          transferAtOnce(t.transfer(), t, *node);
          again = true;
        }
  }
}

//===----------------------------------------------------------------------===//
// The end
//===----------------------------------------------------------------------===//

// Of threads that the watchdog ends, the one that would have gone on first: which others have come
// that far depends on the window.
void Run::noteFaults() {
  auto order = [](const Fault &f) { return std::tuple(f.cycle, f.found, f.node, f.thread); };
  for (Node *node : nodes)
    if (node->fault && (!fault || order(*node->fault) < order(*fault)))
      fault = node->fault;
}

void Run::checkEnd() {
  uint64_t end = lastArrival;
  for (Node *node : nodes)
    end = std::max(end, node->lastCycle);
  for (Node *node : nodes)
    for (const Thread &t : node->threads)
      if (t.state != ThreadState::Halted) {
        fault = describeDeadlock();
        fault->cycle = end;
        return;
      }
  for (Node *node : nodes)
    node->forTouchedSemaphores([&](unsigned s, Semaphore &semaphore) {
      if (fault || !semaphore.used())
        return;
      uint64_t at = never;
      bool overflow = !semaphore.settle(at, p.semaphoreLimit);
      if (!overflow && semaphore.settledValue() == 0)
        return;
      Fault f;
      f.faultClass = overflow ? FaultClass::SemaphoreOverflow : FaultClass::SemaphoreNotZero;
      f.node = node->number;
      f.cycle = end;
      f.text =
          overflow
              ? "semaphore " + std::to_string(s) + " goes over " + std::to_string(p.semaphoreLimit)
              : "semaphore " + std::to_string(s) + " is " +
                    std::to_string(semaphore.settledValue()) + " when all threads have ended";
      fault = f;
    });
}

void Run::gatherCounters(RunResult &result) const {
  Counters &c = result.counters;
  c.layers.resize(m.numLayers);
  c.packets = packets;
  c.linkPackets = linkPackets;
  c.trains = numTrains;
  uint64_t end = lastArrival;
  for (const Node *node : nodes) {
    end = std::max(end, node->lastCycle);
    uint64_t nodeWork = 0;
    for (size_t l = 0; l < node->layers.size(); ++l) {
      const NodeLayer &from = node->layers[l];
      uint64_t work = from.matrixSteps + from.simdOperations;
      nodeWork += work;
      c.instructions += from.instructions;
      c.matrixSteps += from.matrixSteps;
      c.simdOperations += from.simdOperations;
      if (l == m.numLayers)
        continue;
      LayerCounters &to = c.layers[l];
      to.end = std::max(to.end, from.end);
      to.instructions += from.instructions;
      to.matrixSteps += from.matrixSteps;
      to.simdOperations += from.simdOperations;
      to.busiestNodeWork = std::max(to.busiestNodeWork, work);
      to.nodesWithWork += work != 0;
    }
    c.nodesUsed += nodeWork != 0;
  }
  c.cycles = options.timing ? end + 1 : 0;
  // A layer ends no earlier than those before it; the last one with the run.
  uint64_t before = 0;
  for (LayerCounters &layer : c.layers) {
    layer.end = options.timing ? std::min(std::max(layer.end, before), c.cycles) : 0;
    before = layer.end;
  }
  if (!c.layers.empty())
    c.layers.back().end = c.cycles;
}

} // namespace dojo::emu
