// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fast engine: a thread that has the node's slots to itself runs block by block. Functions run
// first, handler after handler; then the block's timing is looked up. Whatever is not plain sailing
// (an access that is not allowed, an instruction outside blocks, a watchdog that is near, other
// threads) is left to the plain engine, in the state and cycle in which it would have come there.
#include "HostMode.h"
#include "Node.h"

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
  return powerOfTwo(p.vectorAlignment) && powerOfTwo(p.lineBytes);
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
const Block *Node::nextBlock(Thread &t) {
  if (t.pc % 4)
    return nullptr;
  if (!t.range.holds(t.pc) && !enterRange(t))
    return nullptr;
  if (t.range.declaration != windowsOf)
    setWindows(t.range.declaration);
  const Block *before = t.block;
  const Block *known = before ? before->next.load(std::memory_order_acquire) : nullptr;
  if (known && known->begin == t.pc && known->fits(t.range.end))
    return known;
  const Block *next = t.range.image->translation(setup.hostPath).find(t.pc, t.range.end);
  if (before && !known && next && before->owner == next->owner)
    before->next.store(next, std::memory_order_release);
  return next;
}

// Runs the functions of a block: up to `turns` times if it jumps to its begin and has native code.
Node::BlockRun Node::runBlock(Thread &t, const Block &block, unsigned turns) {
  const Op *begin = block.ops.data(), *end = begin + block.ops.size(), *op = begin;
  t.wroteVectors |= block.writesVectors;
  usedAccumulators |= block.usesAccumulators;
  context.r = &t.registers;
  context.crossings = 0;
  context.taken = false;
  context.turns = context.turnsAlike = 0;
  context.pc = block.end - end[-1].bytes; // of a branch; nothing else asks for it
  t.block = &block;
  if (const NativeCode *native = Translation::native(block, setup.tier, blocksRun)) {
    uint32_t at = native->run(context, turns);
    op = at == NativeCode::stopped ? end : begin + at;
  }
  if (op != end || context.turns == 0) {
    if (block.usesAccumulators)
      settle(context);
    while (op != end && op->handler(context, *op))
      ++op;
    if (op != end) {
      if (op == begin && context.turns) { // the turns before have all gone back to the begin
        context.taken = true;
        context.value = block.begin;
      }
      return {context.turns, static_cast<size_t>(op - begin)};
    }
    context.turnCrossings[context.turns++] = context.crossings;
  }
  // A jump out of the SRAM has had no effect so far.
  if (block.ending == ControlKind::JumpRegister && context.value >= p.sramBytes) {
    context.crossings = context.turnCrossings[0];
    return {0, block.ops.size() - 1};
  }
  return {context.turns, 0};
}

void Node::recordBlock(Thread &t, const Block &block, BlockRun run, uint64_t completion) {
  NodeLayer &layer = layers[t.layer];
  layer.end = std::max(layer.end, completion);
  layer.instructions += run.turns * block.ops.size();
  layer.matrixSteps += run.turns * block.matrixSteps;
  layer.simdOperations += run.turns * block.simdOperations;
  if (run.turns && run.more == 0)
    t.pc = context.taken ? static_cast<uint32_t>(context.value) : block.end;
  for (size_t i = 0; i < run.more; ++i) {
    record(t, block.ops[i], 0);
    t.pc += block.ops[i].bytes;
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

void Node::exportState(Thread &t, uint32_t state, const TimingCache::Entry *entry, uint64_t now) {
  // Times only grow: what the state no longer waits for is past in the node, too.
  for (TimingCache::Wait wait : timings->waits(state))
    readyAt(t, wait.place) = now + wait.cycles;
  busyUntil = std::max(busyUntil, now + timings->longestWait(state));
  exported = {&t, timings, timings->generation(), state, entry, now};
  const TimingState &s = timings->state(state);
  t.next = now;
  if (!s.issued)
    return;
  // The rest of the cycle is the plain engine's, which knows nothing of loose NaNs.
  settle(context);
  Slots slots{p.unitSlots, p.decodeThreads - s.placed, s.placed ? t.index : numThreads};
  for (unsigned i = 0; i < numUnits; ++i)
    slots.units[i] -= s.taken[i];
  serve(t, now, &slots, s.issued, s.placed);
  if (slots.lastServed != numThreads)
    firstAsked = (slots.lastServed + 1) % numThreads;
}

// The thread reaches the code lines of the first instructions of a block.
void Node::reachLines(Thread &t, const Block &block, size_t count, uint64_t now,
                      BlockEvents &events) {
  unsigned lines = count == block.ops.size() ? block.numLines
                   : count                   ? block.lines[count - 1].last + 1u
                                             : 0;
  for (unsigned i = 0; i < lines; ++i)
    events.misses |= uint32_t(!t.lines.hit(block.firstLine + i)) << i;
  LineCache::Stream stream = t.lines.stream();
  if (!events.misses || !stream.on)
    return;
  // What lies behind is all the same.
  int64_t next = static_cast<int64_t>(p.codeNextLine), last = static_cast<int64_t>(lines) - 1;
  int64_t line = int64_t(stream.line) - int64_t(block.firstLine);
  events.streaming = true;
  events.streamLine = static_cast<int32_t>(std::clamp<int64_t>(line, -1, last));
  int64_t arrival = int64_t(stream.start) - int64_t(now) - line * next;
  events.streamArrival = events.streamLine == last ? 0 : std::max(arrival, -last * next);
}

void Node::leaveBlock(Thread &t, const Block &block, const BlockOutcome &outcome, uint64_t now) {
  lastCycle = std::max(lastCycle, now + outcome.lastIssue);
  if (outcome.served)
    firstAsked = (t.index + 1) % numThreads;
  if (outcome.streamed) {
    int64_t next = static_cast<int64_t>(p.codeNextLine);
    t.lines.setStream(
        block.firstLine + static_cast<uint32_t>(outcome.streamLine),
        static_cast<uint64_t>(int64_t(now) + outcome.streamArrival + outcome.streamLine * next));
  }
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

// The timing of the next turn of a block, with what its code lines and its branch add to the
// events.
const TimingCache::Entry &Node::timeTurn(const Block &block, uint32_t state, BlockEvents &events,
                                         bool taken, const TimingCache::Entry *before) {
  events.wrongGuess = guessedWrong(block.ops.back(), taken);
  if (before && before->next && before->next->matches(&block, state, events))
    return *before->next;
  if (before && before->otherNext && before->otherNext->matches(&block, state, events)) {
    std::swap(before->next, before->otherNext);
    return *before->next;
  }
  const TimingCache::Entry &entry = timings->find(block, state, events);
  if (before) {
    before->otherNext = before->next;
    before->next = &entry;
  }
  return entry;
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

bool Node::runFast(Thread &t) {
  const uint64_t longest = longestStep(p), last = std::min(setup.watchdog, horizon);
  auto near = [&](uint64_t now, const Block &b, uint64_t turns = 1) {
    return now + (turns * b.ops.size() + 1) * longest > last;
  };
  // The thread enters the next range of code only when it comes there.
  const Block *block = t.next <= last ? nextBlock(t) : nullptr;
  if (!block || near(t.next, *block))
    return false;
  HostMode mode(setup.hostPath);
  Settling settling(context);
  timings->trim();
  uint64_t now = t.next;
  uint32_t state = importState(t, now);
  t.op = nullptr;
  t.nearBytes = 0;
  const TimingCache::Entry *before = isExported(t) ? exported.entry : nullptr;
  bool any = false;
  const Block *reached = nullptr; // its lines are the last the thread reached
  while (block && !near(now, *block)) {
    constexpr unsigned many = FastContext::maxTurns;
    BlockRun run = runBlock(t, *block, near(now, *block, many) ? 1 : many);
    uint64_t completion = 0, lastIssue = 0;
    for (unsigned i = 0; i < run.turns; ++i) {
      BlockEvents events;
      events.crossings = context.turnCrossings[i];
      if (block != reached)
        reachLines(t, *block, block->ops.size(), now, events);
      reached = block->numLines <= p.codeLines ? block : nullptr;
      // All turns but the last have gone back to the begin.
      bool taken = context.taken || i + 1 < run.turns || run.more;
      const TimingCache::Entry &entry = timeTurn(*block, state, events, taken, before);
      leaveBlock(t, *block, entry.outcome, now);
      completion = std::max(completion, now + entry.outcome.completion);
      lastIssue = now + entry.outcome.lastIssue;
      if (taken)
        t.lines.branch();
      now += entry.outcome.cycles;
      state = entry.to;
      before = &entry;
      any = true;
      // Turns like those that followed the last time.
      while (block == reached && i + 2 < run.turns && before->next &&
             before->next->repeats(block, state, context.turnCrossings[i + 1])) {
        before = before->next;
        unsigned turns = 1;
        // A turn that leaves the state as it was is repeated by all that are like it.
        if (before->to == state)
          turns = context.turnsAlike >= run.turns
                      ? run.turns - i - 2
                      : alike(std::span(context.turnCrossings).subspan(i + 1, run.turns - i - 2));
        i += turns;
        now += (turns - 1) * before->outcome.cycles;
        completion = std::max(completion, now + before->outcome.completion);
        now += before->outcome.cycles;
        state = before->to;
      }
    }
    if (run.more) {
      BlockEvents events;
      events.crossings = context.crossings;
      if (block != reached)
        reachLines(t, *block, run.more, now, events);
      TimingState s = timings->state(state);
      BlockOutcome outcome = timeBlock(*block, run.more, events, p, s);
      leaveBlock(t, *block, outcome, now);
      recordBlock(t, *block, run, std::max(completion, now + outcome.completion));
      exportState(t, timings->number(s), nullptr, now + outcome.cycles);
      return true;
    }
    if (run.turns == 0)
      break;
    recordBlock(t, *block, run, completion);
    if (!synchronise(t, *block, lastIssue))
      break;
    if (t.pc != block->begin)
      block = nextBlock(t);
  }
  if (any)
    exportState(t, state, before, now);
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
  t.op = nullptr;
  t.nearBytes = 0;
  uint64_t &steps = functionalSteps[t.index];
  while (block && steps + block->ops.size() <= setup.watchdog) {
    uint64_t turns = (setup.watchdog - steps) / block->ops.size();
    BlockRun run = runBlock(t, *block, std::min<uint64_t>(turns, FastContext::maxTurns));
    uint64_t count = run.turns * block->ops.size() + run.more;
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
