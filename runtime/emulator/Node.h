// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One node: memory, threads, issue logic. A node runs by itself until it has to know what other
// nodes did; it touches no other node, so that host threads can run nodes side by side.
//
// Threads that use slots advance together, cycle by cycle (the group). A thread inside a transfer
// list, or one whose code from here on is made only of control instructions, uses no slot and
// delays nobody; it advances apart, at its own pace.
#ifndef DOJO_EMULATOR_NODE_H
#define DOJO_EMULATOR_NODE_H

#include "Archive.h"
#include "BlockTiming.h"
#include "CodeRanges.h"
#include "Handlers.h"
#include "LineCache.h"
#include "NodeStops.h"
#include "Semaphore.h"
#include "Transfer.h"
#include "dojo/Emulator/Machine.h"

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace dojo::emu {

/// Sorts and joins what touches.
void merge(std::vector<Interval> &intervals);

enum class ThreadState : uint8_t {
  Halted,  // ended, or never started
  Ready,   // goes on at `next` (in a list: with the descriptor that is ready then)
  Waiting, // on a semaphore; passes at `pass`, as far as is known; or stands before the wait
  Sending, // its train waits to be committed
  Faulted,
};

struct alignas(64) Thread {
  // What decides when the thread acts next: one line of the host's cache.
  ThreadState state = ThreadState::Halted;
  uint8_t index = 0;
  bool started = false; // in this run
  bool inList = false;
  bool apart = false;       // made only of control instructions from here on
  bool skip = false;        // the instructions under the predicate have no effect
  uint8_t predicated = 0;   // instructions still under the predicate
  uint8_t semaphore = 0;    // of a wait
  uint8_t sending = 0;      // which of its transfers
  bool trainQueued = false; // the train that waits to be committed
  bool standing = false;    // before its wait, which is in cycle `pass`
  bool ran = true;          // in an earlier run, since registers were cleared
  uint32_t pc = 0;
  uint64_t next = 0; // nothing happens before this cycle
  uint64_t need = 0, waitSince = 0, pass = never;
  uint64_t trainIssue = 0;
  uint64_t trainNumber = 0;

  // Instructions.
  const Op *op = nullptr; // the instruction at pc once it has been fetched
  const CodeSegment *segment = nullptr;
  // Around the last fetch: one code line, segment and PC range, so that nothing need be looked up.
  uint32_t nearBegin = 0, nearBytes = 0;
  const Op *nearOps = nullptr;
  const CodeRange *range = &noCodeRange;      // the thread is in; it has code
  const CodeRange *otherRange = &noCodeRange; // it came from
  const Block *block = nullptr;               // the fast engine ran last
  size_t layer = 0;                           // index into the node's layer counters
  LineCache lines;

  // Waits and lists.
  uint32_t blockedPc = 0; // of the wait or signalr
  uint32_t listPc = 0;
  uint32_t descriptorAddress = 0; // of the first of the transfers
  // What it sends, and what follows in the list with nothing between.
  static constexpr unsigned maxTransfers = 4;
  Transfer transfers[maxTransfers];
  Transfer &transfer() { return transfers[sending]; }
  const Transfer &transfer() const { return transfers[sending]; }
  uint32_t currentDescriptor() const {
    return descriptorAddress + sending * unsigned(isa::Descriptor::bytes);
  }

  Registers registers;
  uint32_t vectorsWritten = ~0u; // bits, since registers were cleared
  static_assert(numVRegisters == 32);
  uint64_t ready[score::size];
  Op scratch; // for words that were not decoded in sequence

  /// Of a started thread, after a reset. What was fetched is fetched again; the rest of a wait is
  /// found by the node.
  template <class Archive>
  void archive(Archive &a, const Parameters &p, const Topology &topology, const CodeRanges &ranges,
               size_t numLayers) {
    for (Vec &v : registers.v) {
      bool used = std::any_of(v.w, v.w + 16, [](uint32_t word) { return word != 0; });
      a(used);
      if (used)
        a.words(&v, sizeof v);
    }
    for (uint64_t &x : registers.x)
      a(x);
    for (uint64_t &mask : registers.m)
      a(mask);
    a.require(registers.x[0] == 0 && registers.m[0] == ~uint64_t(0));
    for (uint64_t &cycle : ready)
      a.readyAt(cycle, longestWait);
    a(state);
    a.require(state <= ThreadState::Faulted);
    a(inList);
    a(apart);
    a(pc);
    // What waits, lists and trains that are over have left is not part of the state.
    if (state == ThreadState::Ready || (state == ThreadState::Sending && !inList)) {
      a.cycle(next);
      a.require(next != never);
    }
    lines.archive(a);
    a(predicated);
    a.require(predicated <= 7);
    a(skip);
    if (state == ThreadState::Waiting) {
      a(semaphore);
      a(need);
      a.cycle(waitSince);
      a.require(waitSince != never);
      a(standing);
    }
    if (inList) {
      a(listPc);
      uint32_t sent = currentDescriptor();
      a(sent);
      a.require(sent <= p.sramBytes);
      if constexpr (Archive::reading)
        descriptorAddress = sent;
    } else if (state == ThreadState::Waiting || state == ThreadState::Sending) {
      a(blockedPc);
    }
    a(trainNumber);
    if (state == ThreadState::Sending) {
      a.cycle(trainIssue);
      a.require(trainIssue != never);
      transfer().archive(a, p, topology);
    }
    uint32_t rangeBegin = range->begin, rangeEnd = range->end;
    a(rangeBegin);
    a(rangeEnd);
    if constexpr (Archive::reading)
      if (rangeBegin < rangeEnd) {
        range = &ranges.find(rangeBegin, noCodeRange, noCodeRange);
        a.require(range->begin == rangeBegin && range->end == rangeEnd && range->image);
      }
    a(layer);
    a.require(layer <= numLayers);
  }
};

struct NodeLayer {
  uint64_t end = 0, instructions = 0, matrixSteps = 0, simdOperations = 0;

  template <class Archive> void archive(Archive &a) {
    a(end);
    a(instructions);
    a(matrixSteps);
    a(simdOperations);
  }
};

class NodeProbe;
class NodeChecks;

struct Capture {
  unsigned thread;
  uint32_t pc;
  CaptureFunction function;
};

class Node {
public:
  /// `sram`: the node's memory, zeros, which outlives it.
  Node(uint32_t number, uint8_t *sram, const Parameters &parameters, const Topology &topology);

  //===-- What the loader set --------------------------------------------===//
  const uint32_t number;
  uint8_t *const sram;
  std::array<int64_t, numThreads> entries = {-1, -1, -1, -1};
  std::vector<Interval> placed; // bytes that the loader or the host wrote, in any order
  void notePlaced(uint32_t begin, uint32_t end);
  CodeRanges::Parts code;
  std::shared_ptr<const CodeRanges> codeRanges; // of `code`; null once that has changed
  void addCapture(Capture capture);
  void clearCaptures();

  /// Code that [address, address + bytes) touches, or null.
  const CodeSegment *codeIn(int64_t address, int64_t bytes) const {
    return address >= codeHigh || address + bytes <= codeLow ? nullptr : findCode(address, bytes);
  }

  //===-- A run ----------------------------------------------------------===//
  struct RunSetup {
    bool timing = true;
    uint64_t watchdog = never;
    size_t numLayers = 0; // beside the one for code outside any layer, which is the last
    std::optional<uint64_t> jitterSeed;
    bool fast = false; // the engine
    HostPath hostPath = HostPath::Portable;
    Tier tier = Tier::Mixed;
  };
  void reset(const RunSetup &setup);
  /// Completes a reset: registers, ready times and code lines of threads. Done when the node first
  /// acts, so that they come to the host's near caches once; before that, by who looks at them.
  void clearRegisters();

  /// Advances as far as is certain. Everything that shows up to cycle `safe` because of other nodes
  /// is known; with `ahead` the node may run past it where nothing it waits for matters, but never
  /// past its horizon.
  void advance(uint64_t safe, bool ahead);
  /// The last cycle in which anything may happen yet; not before `safe`.
  uint64_t horizon = never;
  /// The earliest cycle in which the node does something by itself.
  uint64_t nextOwnEvent() const;
  /// The least issue cycle of answers to pulls that wait at this node.
  uint64_t answersFrom = never;

  /// With timing off: runs every thread until all of them wait. True if anything happened.
  bool runFunctional();

  /// Where its threads are to stop; null: nowhere.
  std::unique_ptr<NodeStops> stops;
  /// The cycle in the midst of which a thread stands, if one does.
  std::optional<uint64_t> pausedIn() const {
    return paused ? std::optional(paused->cycle) : std::nullopt;
  }

  /// Of the host thread that advances the node; set before it does.
  TimingCache *timings = nullptr;
  /// Notes what the node does in a run that is watched; else null.
  NodeProbe *probe = nullptr;
  /// Of a run that is checked; else null.
  NodeChecks *checks = nullptr;

  /// The train of `thread` has been committed and leaves in cycle `left`.
  void trainLeft(Thread &thread, uint64_t left, uint64_t packets);
  /// The same with the last of a transfer that another follows; its first train has been queued.
  void nextSends(Thread &thread, uint64_t issue);
  /// `amount` shows on a semaphore from cycle `shows` on. False: no thread waits on it.
  bool signal(unsigned semaphore, uint64_t shows, uint32_t amount);

  /// Notes a fault and stops the thread (null: none in particular). Of several faults the earliest
  /// counts; the node goes on up to the cycle in which it was found, which is `cycle` or, if it is
  /// later, `found`.
  void raise(FaultClass faultClass, Thread *thread, uint64_t cycle, std::string text,
             uint64_t found = 0);

  Thread threads[numThreads];
  alignas(64) uint32_t accumulators[maxAccumulators][64]; // elements by accWord()
  Semaphore semaphores[numSemaphores];
  /// Calls f(number, semaphore), ascending, for those that are not as they were made.
  template <typename F> void forTouchedSemaphores(F f) {
    for (unsigned i = 0; i < touched.size(); ++i)
      for (uint64_t left = touched[i]; left != 0; left &= left - 1) {
        unsigned s = 64 * i + static_cast<unsigned>(std::countr_zero(left));
        f(s, semaphores[s]);
      }
  }
  std::optional<Fault> fault;
  uint64_t lastCycle = 0; // with an issue
  std::vector<NodeLayer> layers;

  /// Everything but the memory, after a reset.
  void save(ArchiveWriter &a);
  /// False if it is no state of this node.
  bool restore(ArchiveReader &a);

private:
  template <class Archive> void archive(Archive &a);

  //===-- Issue.cpp ------------------------------------------------------===//
  struct Slots {
    std::array<unsigned, numUnits> units; // still free
    unsigned places;
    unsigned lastServed;
  };
  /// How far the node has got in a cycle when a thread stops before an instruction.
  struct Place {
    uint8_t thread = 0, asked = 0; // it was asked as number `asked` of the group
    bool placed = false;
    unsigned count = 0; // instructions it has issued in the cycle
    uint64_t cycle = 0;
    Slots slots = {};
  };
  uint64_t groupEvent(bool &blocked) const;
  void runGroup(uint64_t limit);
  void runGroupCycle(uint64_t cycle);
  void serveGroup(uint64_t cycle, Slots &slots, unsigned asked);
  /// `count` instructions of the thread have issued in this cycle.
  void serve(Thread &t, uint64_t cycle, Slots *slots, unsigned count = 0, bool placed = false);
  bool fetch(Thread &t, uint64_t cycle);
  bool fetchFar(Thread &t, uint64_t cycle);
  bool findSegment(Thread &t, uint64_t cycle);
  /// False: there is no code at the thread's pc.
  bool enterRange(Thread &t) const;
  IssueRules<uint64_t> rules(Thread &t) { return {p, t.ready, units}; }
  bool takeSlots(Thread &t, const Op &op, uint64_t cycle, Slots &slots);
  void issue(Thread &t, const Op &op, uint64_t cycle);
  /// What the instruction computes; `extra` as of access(). False: fault.
  bool execute(Thread &t, const Op &op, uint64_t cycle, uint64_t extra[2]);
  void record(Thread &t, const Op &op, uint64_t completion);
  void advancePc(Thread &t, const Op &op);

  //===-- Stops.cpp ------------------------------------------------------===//
  bool stopsBefore(const Thread &t, const Place &place, bool passedOver);
  void resumeCycle();
  void noteStore(const Thread &t, uint32_t address, uint32_t bytes, uint64_t cycle);

  //===-- Control.cpp ----------------------------------------------------===//
  void issueControl(Thread &t, const Op &op, uint64_t cycle);
  void startWait(Thread &t, unsigned semaphore, uint64_t need, uint64_t cycle);
  void standBeforeWait(Thread &t);
  void beginWait(Thread &t);
  /// What Waiting threads do in cycle `pass`.
  void finishWait(Thread &t);
  /// The thread signals a semaphore of its own node.
  void signalOwn(Thread &t, unsigned semaphore, uint64_t cycle, uint32_t amount);
  void startList(Thread &t, uint64_t address, uint64_t cycle);
  void startRemoteSignal(Thread &t, uint64_t destination, unsigned semaphore, uint64_t cycle);
  const CodeSegment *findCode(int64_t address, int64_t bytes) const;
  bool controlOnly(uint32_t pc);
  bool reachesControlOnly(uint32_t pc, bool passOver, bool &predicates) const;

  //===-- Access.cpp -----------------------------------------------------===//
  /// Computes and checks what an instruction accesses; `extra` gets the cycles that crossing a line
  /// costs each memory operand. False: fault.
  bool access(Thread &t, const Op &op, uint64_t cycle, uint64_t extra[2]);
  bool gather(Thread &t, const Op &op, uint64_t cycle, uint64_t &extra);
  bool check(Thread &t, const Op &op, uint64_t address, uint64_t bytes, uint64_t cycle);
  bool checkDeclared(Thread &t, bool write, uint32_t begin, uint32_t end, uint64_t cycle);
  void postIncrement(Thread &t, const Op &op);
  void captureAt(Thread &t, uint64_t cycle) {
    if (t.pc - captureBegin < captureBytes)
      capture(t, cycle);
  }
  void capture(Thread &t, uint64_t cycle);

  //===-- List.cpp -------------------------------------------------------===//
  bool readDescriptor(Thread &t, uint64_t cycle, isa::Descriptor &out);
  void runApart(Thread &t);
  void stepList(Thread &t);
  void prepareFollowers(Thread &t, uint64_t cycle);
  void queueTrain(Thread &t, uint64_t issue);
  void nextDescriptor(Thread &t, uint64_t done);

  //===-- ListTransfer.cpp -----------------------------------------------===//
  struct Unsendable {
    FaultClass faultClass;
    std::string text;
  };
  bool prepareTransfer(const Thread &t, const isa::Descriptor &d, uint32_t address, Transfer &x,
                       Unsendable &problem) const;
  bool checkTransfer(const Thread &t, const isa::Descriptor &d, Transfer &x,
                     Unsendable &problem) const;

  //===-- Functional.cpp -------------------------------------------------===//
  bool runThreadFunctional(Thread &t);
  void stepFunctional(Thread &t);

  //===-- Fast.cpp -------------------------------------------------------===//
  Thread *aloneInGroup(ThreadState state);
  bool runFast(Thread &t);
  bool runFastFunctional(Thread &t);
  const Block *nextBlock(Thread &t);
  const Block *findBlock(const Thread &t);
  struct BlockRun {
    unsigned turns; // complete ones; their crossings are in the context
    size_t more;    // instructions of one that does not complete
  };
  BlockRun runBlock(Thread &t, const Block &block, unsigned turns);
  BlockRun runHandlers(const Block &block, uint32_t at);
  void recordBlock(Thread &t, const Block &block, BlockRun run, uint64_t completion);
  bool synchronise(Thread &t, const Block &block, uint64_t cycle);
  /// How far a thread has got in time.
  struct Clock {
    uint64_t now;
    uint32_t state;                                       // relative to `now`
    const TimingCache::Entry *entry = &TimingCache::none; // the last one, if any
    const Block *reached = nullptr;         // its lines are the last the thread reached
    uint64_t completion = 0, lastIssue = 0; // of what the block has run
    bool served = false;                    // an instruction has taken a slot
    Clock(uint64_t now, uint32_t state) : now(now), state(state) {}
    void pass(const BlockOutcome &outcome, uint64_t turns = 1);
    void pass(const TimingCache::Entry &entry, uint64_t turns = 1);
  };
  uint32_t reachLines(Thread &t, const Block &block, size_t count, Clock &clock);
  BlockEvents eventsOf(const Thread &t, const Block &block, uint64_t crossings, uint32_t misses,
                       uint64_t now) const;
  const TimingCache::Entry &findTurn(Thread &t, const TimingCache::Key &key, uint32_t misses,
                                     bool wrongGuess, const Clock &clock);
  void timeTurn(Thread &t, const Block &block, uint64_t crossings, bool taken, Clock &clock);
  void timeTurns(Thread &t, const Block &block, BlockRun run, Clock &clock);
  void timeRest(Thread &t, const Block &block, BlockRun run, Clock &clock);
  void noteStream(Thread &t, const Block &block, const BlockOutcome &outcome, uint64_t now);
  uint32_t importState(const Thread &t, uint64_t now);
  void exportState(Thread &t, const Clock &clock);
  bool isExported(const Thread &t) const {
    return exported.thread == &t && exported.cache == timings &&
           exported.generation == timings->generation();
  }
  uint64_t &readyAt(Thread &t, unsigned place);
  void setWindows(const Declaration *declaration);
  static bool findWindow(FastContext &c, unsigned base, uint64_t address, uint64_t bytes,
                         bool write);

  /// The least issue cycle of its threads' trains that wait to be committed.
  uint64_t nextTrain() const;
  uint64_t jitter(unsigned thread, uint64_t number, uint64_t range) const;

  size_t placedMerged = 0;                     // intervals of `placed` when last merged
  std::vector<Capture> captures;               // by pc
  uint32_t captureBegin = 0, captureBytes = 0; // from the first pc with a capture to the last

  const Parameters &p;
  const Topology &topology;
  RunSetup setup;
  FastContext context;
  bool usedAccumulators = true;           // since they were cleared
  uint32_t blocksRun = 0;                 // that might get native code
  const Declaration *windowsOf = nullptr; // whose code the context's windows are for
  int64_t codeLow = 0, codeHigh = 0;      // hull of the segments

  UnitTimes<uint64_t> units;
  unsigned firstAsked = 0; // p
  uint64_t busyUntil = 0;  // registers and units are ready from here on, or before
  std::array<uint64_t, numSemaphores / 64> touched{};
  // What the fast engine left behind, as long as nothing has changed it.
  struct Exported {
    const Thread *thread = nullptr; // null: something has
    const TimingCache *cache = nullptr;
    unsigned generation = 0;
    uint32_t state = 0;
    const TimingCache::Entry *entry = &TimingCache::none;
    uint64_t cycle = 0;
  } exported;
  std::vector<std::pair<uint32_t, bool>> controlOnlyAt; // memo by pc, for as many segments
  size_t controlOnlySegments = 0;
  bool recheck = false; // the group's situation has changed
  bool stale = false;   // registers have still to be cleared
  std::optional<Place> paused;
  bool released = false; // the thread goes on past the instruction it stood before
  uint64_t functionalSteps[numThreads];
};

inline bool Node::enterRange(Thread &t) const {
  const CodeRange &range = codeRanges->find(t.pc, *t.range, *t.otherRange);
  if (!range.image)
    return false;
  t.otherRange = std::exchange(t.range, &range);
  if (range.layer >= 0)
    t.layer = static_cast<size_t>(range.layer);
  else if (range.layer != -2) // else the caller's
    t.layer = setup.numLayers;
  return true;
}

/// Whether the fast engine can take a target's values.
bool fastEngineModels(const Parameters &parameters);

} // namespace dojo::emu

#endif
