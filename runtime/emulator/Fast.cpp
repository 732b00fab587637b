// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fast engine: a thread that has the node's slots to itself runs block by block. Functions run
// first, handler after handler; then the block's timing is looked up. Whatever is not plain sailing
// (an access that is not allowed, an instruction outside blocks, a watchdog that is near, other
// threads) is left to the plain engine, in the state and cycle in which it would have come there.
#include "HostMode.h"
#include "Node.h"

#include <span>
#include <utility>

namespace dojo::emu {

namespace {

// No instruction of a block takes longer, from what stood before it to what comes after.
uint64_t longestStep(const Parameters &p) {
  uint64_t longest = *std::max_element(p.latency.begin(), p.latency.end());
  return 2 * longest + p.memoryOperandLatency + p.divideBusy + p.estimateBusy + p.gatherBusy +
         p.branchPenalty + p.controlLatency + p.codeMiss + 64 * p.codeNextLine + p.lineCrossing + 8;
}

bool powerOfTwo(uint64_t value) { return (value & (value - 1)) == 0; }

} // namespace

bool fastEngineModels(const Parameters &p) {
  constexpr uint64_t mostSteps = 256; // of a block
  return powerOfTwo(p.vectorAlignment) && powerOfTwo(p.lineBytes) &&
         mostSteps * longestStep(p) <= ~uint32_t(0);
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

bool Node::findWindow(FastContext &c, unsigned base, uint64_t address, uint64_t bytes, bool write) {
  const Node &n = *static_cast<const Node *>(c.owner);
  uint64_t low = 0, high = n.p.sramBytes;
  if (address > high || bytes > high - address)
    return false;
  if (write) {
    auto next = std::upper_bound(n.code.segments.begin(), n.code.segments.end(), address,
                                 [](uint64_t a, const CodeSegment &s) { return a < s.begin; });
    if (next != n.code.segments.end())
      high = next->begin;
    if (next != n.code.segments.begin())
      low = std::prev(next)->end;
  }
  if (n.windowsOf) {
    const auto &intervals = write ? n.windowsOf->writes : n.windowsOf->reads;
    auto next = std::upper_bound(intervals.begin(), intervals.end(), address,
                                 [](uint64_t a, const Interval &i) { return a < i.begin; });
    if (next == intervals.begin())
      return false;
    low = std::max<uint64_t>(low, std::prev(next)->begin);
    high = std::min<uint64_t>(high, std::prev(next)->end);
  }
  if (address < low || address + bytes > high)
    return false;
  (write ? c.writes : c.reads)[base] = {low, high - low};
  c.basesFound |= uint32_t(1) << base;
  return true;
}

void Node::setWindows(const Declaration *declaration) {
  windowsOf = declaration;
  for (; context.basesFound != 0; context.basesFound &= context.basesFound - 1) {
    int base = std::countr_zero(context.basesFound);
    context.reads[base] = context.writes[base] = Window();
  }
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

// The block at the thread's pc; null if the plain engine has to go on.
inline const Block *Node::nextBlock(Thread &t) {
  if (t.pc % 4) [[unlikely]] {
    t.segment = nullptr; // the look-up will say so
    return nullptr;
  }
  if (!t.range->holds(t.pc) && !enterRange(t))
    return nullptr;
  if (t.range->declaration != windowsOf)
    setWindows(t.range->declaration);
  const Block *known = t.block ? t.block->next.load(std::memory_order_acquire) : nullptr;
  return known && known->begin == t.pc && known->fits(t.range->end) ? known : findBlock(t);
}

// Where it is not what followed the one before the first time.
[[gnu::noinline]] const Block *Node::findBlock(const Thread &t) {
  const Block *found = t.range->image->translation(setup.hostPath).find(t.pc, t.range->end);
  if (t.block && !t.block->next.load(std::memory_order_relaxed) && found &&
      t.block->owner == found->owner)
    t.block->next.store(found, std::memory_order_release);
  return found;
}

// What native code has left of a turn, from an instruction on.
[[gnu::noinline]] Node::BlockRun Node::runHandlers(const Block &block, uint32_t at) {
  const Op *begin = block.first, *end = begin + block.numOps, *op = begin + at;
  if (block.usesAccumulators)
    settle(context);
  while (op != end && op->handler(context, *op))
    ++op;
  if (op == end) {
    context.turnCrossings[context.turns++] = context.crossings;
    return {context.turns, 0};
  }
  if (op == begin && context.turns) { // the turns before have all gone back to the begin
    context.taken = true;
    context.value = block.begin;
  }
  return {context.turns, static_cast<size_t>(op - begin)};
}

// Runs the functions of a block: up to `turns` times if it jumps to its begin and has native code.
inline Node::BlockRun Node::runBlock(Thread &t, const Block &block, unsigned turns) {
  t.block = &block;
  t.vectorsWritten |= block.vectorsWritten;
  usedAccumulators |= block.usesAccumulators;
  context.crossings = 0;
  context.taken = false;
  context.turns = context.turnsAlike = 0;
  context.pc = block.lastPc; // nothing but a branch asks for it
  const NativeCode *native = Translation::native(block, setup.tier, blocksRun);
  uint32_t at = native ? native->run(context, turns) : 0;
  BlockRun run = {context.turns, 0};
  if (at != NativeCode::stopped)
    run = runHandlers(block, at);
  // A jump out of the SRAM has had no effect so far.
  if (block.ending == ControlKind::JumpRegister && run.turns && context.value >= p.sramBytes) {
    context.crossings = context.turnCrossings[0];
    return {0, block.numOps - size_t(1)};
  }
  return run;
}

inline void Node::recordBlock(Thread &t, const Block &block, BlockRun run, uint64_t completion) {
  NodeLayer &layer = layers[t.layer];
  layer.end = std::max(layer.end, completion);
  layer.instructions += run.turns * block.numOps;
  layer.matrixSteps += run.turns * block.matrixSteps;
  layer.simdOperations += run.turns * block.simdOperations;
  if (run.more == 0) {
    if (run.turns)
      t.pc = context.taken ? static_cast<uint32_t>(context.value) : block.end;
    return;
  }
  for (const Op &op : std::span(block.first, run.more)) {
    record(t, op, 0);
    t.pc += op.bytes;
  }
}

// The wait or signal at a block's end, if there is one, issues in `cycle`. False: the thread does
// not go on by itself.
bool Node::synchronise(Thread &t, const Block &block, uint64_t cycle) {
  const Op &op = block.ops.back();
  if (block.ending == ControlKind::Signal)
    signal(op.semaphore, cycle + p.signalLatency, 1);
  if (block.ending != ControlKind::Wait)
    return true;
  t.pc -= op.bytes;
  startWait(t, op.semaphore, context.value, cycle);
  if (t.state != ThreadState::Faulted)
    t.pc += op.bytes;
  return t.state == ThreadState::Ready;
}

//===----------------------------------------------------------------------===//
// With timing
//===----------------------------------------------------------------------===//

namespace {

uint32_t wait(uint64_t ready, uint64_t now) {
  return ready > now ? static_cast<uint32_t>(ready - now) : 0;
}

} // namespace

uint32_t Node::importState(const Thread &t, uint64_t now) {
  if (busyUntil <= now)
    return 0;
  if (isExported(t))
    return timings->later(exported.state, now - exported.cycle);
  TimingState s = {};
  for (unsigned i = 0; i < score::alwaysReady; ++i)
    s.ready[i] = wait(t.ready[i], now);
  for (size_t i = 0; i < s.units.size; ++i)
    s.units.all()[i] = wait(units.all()[i], now);
  return timings->number(s);
}

// Where a place of TimingState::waits lives.
uint64_t &Node::readyAt(Thread &t, unsigned place) {
  if (place < score::size)
    return t.ready[place];
  return units.all()[place - score::size];
}

void Node::exportState(Thread &t, const Clock &clock) {
  lastCycle = std::max(lastCycle, clock.lastIssue);
  if (clock.served)
    firstAsked = (t.index + 1) % numThreads;
  // Times only grow: what the state no longer waits for is past in the node, too.
  for (TimingCache::Wait wait : timings->waits(clock.state))
    readyAt(t, wait.place) = clock.now + wait.cycles;
  busyUntil = std::max(busyUntil, clock.now + timings->longestWait(clock.state));
  exported = {&t, timings, timings->generation(), clock.state, clock.entry, clock.now};
  const TimingState &s = timings->state(clock.state);
  t.next = clock.now;
  if (!s.issued)
    return;
  // The rest of the cycle is the plain engine's, which knows nothing of loose NaNs.
  settle(context);
  Slots slots{p.unitSlots, p.decodeThreads - s.placed, s.placed ? t.index : numThreads};
  for (unsigned i = 0; i < numUnits; ++i)
    slots.units[i] -= s.taken[i];
  serve(t, clock.now, &slots, s.issued, s.placed);
  if (slots.lastServed != numThreads)
    firstAsked = (slots.lastServed + 1) % numThreads;
}

// The thread reaches the code lines of the first instructions of a block. Which of them miss.
inline uint32_t Node::reachLines(Thread &t, const Block &block, size_t count, Clock &clock) {
  if (&block == clock.reached)
    return 0;
  unsigned lines = count == block.numOps ? block.numLines
                   : count               ? block.lines[count - 1].last + 1u
                                         : 0;
  uint32_t misses = 0;
  for (unsigned i = 0; i < lines; ++i)
    if (!t.lines.hit(block.firstLine + i)) [[unlikely]]
      misses |= uint32_t(1) << i;
  clock.reached = lines == block.numLines && lines <= p.codeLines ? &block : nullptr;
  return misses;
}

BlockEvents Node::eventsOf(const Thread &t, const Block &block, uint64_t crossings, uint32_t misses,
                           uint64_t now) const {
  BlockEvents events = {.crossings = crossings, .misses = misses};
  LineCache::Stream stream = t.lines.stream();
  if (!misses || !stream.on)
    return events;
  // What lies behind is all the same.
  int64_t next = static_cast<int64_t>(p.codeNextLine), last = int64_t(block.numLines) - 1;
  int64_t line = int64_t(stream.line) - int64_t(block.firstLine);
  events.streaming = true;
  events.streamLine = static_cast<int32_t>(std::clamp<int64_t>(line, -1, last));
  int64_t arrival = int64_t(stream.start) - int64_t(now) - line * next;
  events.streamArrival = events.streamLine == last ? 0 : std::max(arrival, -last * next);
  return events;
}

void Node::noteStream(Thread &t, const Block &block, const BlockOutcome &outcome, uint64_t now) {
  if (!outcome.streamed)
    return;
  int64_t next = static_cast<int64_t>(p.codeNextLine);
  t.lines.setStream(
      block.firstLine + static_cast<uint32_t>(outcome.streamLine),
      static_cast<uint64_t>(int64_t(now) + outcome.streamArrival + outcome.streamLine * next));
}

namespace {

// While the fast engine runs, NaNs of accumulators may be any.
class Settling {
public:
  explicit Settling(FastContext &context) : context(context) {}
  Settling(const Settling &) = delete;
  Settling &operator=(const Settling &) = delete;
  ~Settling() { settle(context); }

private:
  FastContext &context;
};

} // namespace

inline void Node::Clock::pass(const BlockOutcome &outcome, uint64_t turns) {
  now += (turns - 1) * outcome.cycles;
  completion = std::max(completion, now + outcome.completion);
  lastIssue = now + outcome.lastIssue;
  served |= outcome.served;
  now += outcome.cycles;
}

inline void Node::Clock::pass(const TimingCache::Entry &next, uint64_t turns) {
  pass(next.outcome, turns);
  state = next.to;
  entry = &next;
}

// The timing of a turn that is not what followed the last time.
[[gnu::noinline]] const TimingCache::Entry &Node::findTurn(Thread &t, const TimingCache::Key &key,
                                                           uint32_t misses, bool wrongGuess,
                                                           const Clock &clock) {
  BlockEvents events = eventsOf(t, *key.block, key.crossings, misses, clock.now);
  events.wrongGuess = wrongGuess;
  const TimingCache::Entry &before = *clock.entry, *entry = nullptr;
  for (const TimingCache::Entry *next : {before.next, before.otherNext})
    if (next->matches(key, events))
      entry = next;
  if (!entry) {
    entry = &timings->find(key, events);
    if (&before != &TimingCache::none)
      before.otherNext = std::exchange(before.next, entry);
  }
  noteStream(t, *key.block, entry->outcome, clock.now);
  return *entry;
}

[[gnu::always_inline]] inline void Node::timeTurn(Thread &t, const Block &block, uint64_t crossings,
                                                  bool taken, Clock &clock) {
  using Key = TimingCache::Key;
  uint32_t misses = reachLines(t, block, block.numOps, clock);
  bool wrong = block.guessedWrong(taken);
  const Key key(block, crossings, clock.state,
                misses  ? Key::LinesMiss
                : wrong ? Key::WrongGuess
                        : Key::NothingElse);
  const TimingCache::Entry *entry = clock.entry->next;
  if (misses || entry->key != key)
    entry = &findTurn(t, key, misses, wrong, clock);
  if (taken)
    t.lines.branch();
  clock.pass(*entry);
}

namespace {

// How many of some words at the beginning are like the first.
unsigned alike(std::span<const uint64_t> words) {
  constexpr size_t together = 8;
  size_t i = 1;
  for (; i + together <= words.size(); i += together) {
    uint64_t different = 0;
    for (size_t k = 0; k < together; ++k)
      different |= words[i + k] ^ words[0];
    if (different)
      break;
  }
  while (i < words.size() && words[i] == words[0])
    ++i;
  return static_cast<unsigned>(i);
}

} // namespace

// The turns that a block has completed.
[[gnu::noinline]] void Node::timeTurns(Thread &t, const Block &block, BlockRun run, Clock &clock) {
  for (unsigned i = 0; i < run.turns;) {
    uint64_t crossings = context.crossingsOf(i++);
    // All turns but the last have gone back to the begin.
    timeTurn(t, block, crossings, context.taken || i < run.turns || run.more, clock);
    // Turns in which nothing happens but line crossings, as they followed before: where a counted
    // loop goes is never guessed wrong. One that leaves the state as it was is repeated by all that
    // are like it.
    while (clock.reached && i < run.turns) {
      const TimingCache::Entry &last = *clock.entry;
      TimingCache::Key key(block, context.crossingsOf(i), clock.state,
                           TimingCache::Key::NothingElse);
      unsigned turns = 1;
      if (last.key == key) {
        turns = i < context.turnsAlike
                    ? std::min(context.turnsAlike, run.turns) - i
                    : alike(std::span(context.turnCrossings).subspan(i, run.turns - i));
        clock.pass(last, turns);
      } else if (last.next->key == key) {
        clock.pass(*last.next);
      } else if (last.otherNext->key == key) {
        clock.pass(*last.otherNext);
      } else {
        break;
      }
      i += turns;
    }
  }
}

// The first instructions of a turn that does not complete.
[[gnu::noinline]] void Node::timeRest(Thread &t, const Block &block, BlockRun run, Clock &clock) {
  uint32_t misses = reachLines(t, block, run.more, clock);
  BlockEvents events = eventsOf(t, block, context.crossings, misses, clock.now);
  TimingState s = timings->state(clock.state);
  BlockOutcome outcome = timeBlock(block, run.more, events, p, s);
  noteStream(t, block, outcome, clock.now);
  clock.pass(outcome);
  clock.state = timings->number(s);
  clock.entry = &TimingCache::none;
}

bool Node::runFast(Thread &t) {
  const uint64_t longest = longestStep(p), last = std::min(setup.watchdog, horizon);
  auto fits = [&](uint64_t now, const Block &b, uint64_t turns) {
    return now + (turns * b.numOps + 1) * longest <= last;
  };
  // The thread enters the next range of code only when it comes there.
  const Block *block = t.next <= last ? nextBlock(t) : nullptr;
  if (!block || !fits(t.next, *block, 1))
    return false;
  HostMode mode(setup.hostPath);
  Settling settling(context);
  timings->trim();
  Clock clock(t.next, importState(t, t.next));
  if (isExported(t))
    clock.entry = exported.entry;
  context.r = &t.registers;
  t.op = nullptr;
  t.nearBytes = 0;
  bool any = false;
  while (block) {
    unsigned turns = FastContext::maxTurns;
    if (!fits(clock.now, *block, turns)) {
      turns = 1;
      if (!fits(clock.now, *block, turns))
        break;
    }
    BlockRun run = runBlock(t, *block, turns);
    clock.completion = 0;
    if (run.turns == 1)
      timeTurn(t, *block, context.turnCrossings[0], context.taken || run.more, clock);
    else
      timeTurns(t, *block, run, clock);
    if (run.more)
      timeRest(t, *block, run, clock);
    else if (run.turns == 0)
      break;
    any = true;
    recordBlock(t, *block, run, clock.completion);
    if (run.more || !synchronise(t, *block, clock.lastIssue))
      break;
    if (t.pc != block->begin)
      block = nextBlock(t);
  }
  if (any)
    exportState(t, clock);
  return any;
}

//===----------------------------------------------------------------------===//
// Function only
//===----------------------------------------------------------------------===//

bool Node::runFastFunctional(Thread &t) {
  HostMode mode(setup.hostPath);
  Settling settling(context);
  bool any = false;
  const Block *block = nextBlock(t);
  context.r = &t.registers;
  t.op = nullptr;
  t.nearBytes = 0;
  uint64_t &steps = functionalSteps[t.index];
  while (block && steps + block->numOps <= setup.watchdog) {
    uint64_t turns = (setup.watchdog - steps) / block->numOps;
    BlockRun run = runBlock(t, *block, std::min<uint64_t>(turns, FastContext::maxTurns));
    uint64_t count = run.turns * block->numOps + run.more;
    steps += count;
    any |= count != 0;
    recordBlock(t, *block, run, 0);
    if (run.more || run.turns == 0 || !synchronise(t, *block, 0))
      break;
    if (t.pc != block->begin)
      block = nextBlock(t);
  }
  return any;
}

} // namespace dojo::emu
