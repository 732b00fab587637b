// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "HappensBefore.h"

#include <algorithm>
#include <cstring>

namespace dojo::verify {

HappensBefore::HappensBefore(const Program &program, WaitMarks &marks)
    : program(program), marks(marks), pool(program.threads.size()),
      semaphoreIndex(program.index.image.target.positions() * 256, -1), shadow(program) {
  uint32_t *values;
  ClockRef zero = pool.make(values);
  std::fill_n(values, program.threads.size(), 0);
  for (const ThreadTrace &trace : program.threads)
    threads.push_back({&trace, 0, -1, zero, false});
  findSenders();
}

HappensBefore::Semaphore &HappensBefore::semaphore(uint32_t node, uint8_t number) {
  int32_t &slot = semaphoreIndex[node * 256 + number];
  if (slot < 0) {
    slot = int32_t(semaphores.size());
    semaphores.emplace_back();
  }
  return semaphores[slot];
}

/// Semaphores that one thread signals in its program order: signals of the network are not.
void HappensBefore::findSenders() {
  auto sends = [&](uint32_t node, uint8_t number, uint32_t sender) {
    Semaphore &s = semaphore(node, number);
    s.sender = s.sender == nobody || s.sender == sender ? sender : many;
  };
  for (uint32_t t = 0; t < threads.size(); ++t)
    for (const Event &e : threads[t].trace->events) {
      uint32_t node = threads[t].trace->node;
      if (e.kind == Event::Kind::Signal) {
        sends(node, e.semaphore, t);
      } else if (e.kind == Event::Kind::RemoteSignal) {
        const RemoteSignal &signal = program.remoteSignals[e.index];
        for (uint32_t i = 0; i < signal.numReceivers; ++i)
          sends(program.receivers[signal.firstReceiver + i], signal.semaphore, many);
      } else if (e.kind == Event::Kind::Transfer) {
        const Transfer &tr = program.transfers[e.index];
        if (tr.d.hasFarSemaphore)
          for (uint32_t i = 0; i < tr.numReceivers; ++i)
            sends(program.receivers[tr.firstReceiver + i], tr.d.farSemaphore, many);
        if (tr.d.hasOwnSemaphore)
          sends(node, tr.d.ownSemaphore, tr.d.kind == isa::Descriptor::Kind::Pull ? many : t);
      }
    }
}

Knowledge HappensBefore::knowledge(uint32_t thread) const {
  const Thread &t = threads[thread];
  return {t.clock.data(), {thread, uint32_t(t.at)}};
}

bool HappensBefore::knows(const Signal &signal, Epoch e) {
  return Knowledge{signal.clock.data(), signal.sent}.covers(e);
}

void HappensBefore::absorb(uint32_t *clock, const Signal &signal) const {
  const uint32_t *other = signal.clock.data();
  for (size_t i = 0, n = threads.size(); i < n; ++i)
    clock[i] = std::max(clock[i], other[i]);
  clock[signal.sent.thread] = std::max(clock[signal.sent.thread], signal.sent.steps);
}

bool HappensBefore::run() {
  for (uint32_t t = 0; t < threads.size(); ++t)
    ready.push_back(t);
  while (!shadow.full()) {
    if (!ready.empty()) {
      uint32_t t = ready.front();
      ready.pop_front();
      advance(t);
    } else if (!late.empty()) {
      // Marked waits go on only when nothing else can.
      uint32_t t = late.front();
      late.pop_front();
      advance(t);
    } else {
      break;
    }
  }
  if (marked || shadow.full())
    return !marked;
  for (uint32_t t = 0; t < threads.size(); ++t)
    if (threads[t].at < threads[t].trace->events.size())
      blocked.push_back(t);
  if (blocked.empty())
    shadow.finish();
  else
    reportDeadlock();
  return true;
}

void HappensBefore::report(Report &report) const {
  for (const auto *list : {&deadlocks, &shadow.findings})
    for (const Finding &f : *list)
      report.add(f.check, f.verdict, f.text);
  report.inputsRead = shadow.inputsRead();
}

void HappensBefore::advance(uint32_t thread) {
  Thread &t = threads[thread];
  const ThreadTrace &trace = *t.trace;
  while (t.at < trace.events.size()) {
    const Event &e = trace.events[t.at];
    if (e.layer >= 0)
      t.layer = e.layer;
    Epoch after{thread, uint32_t(t.at + 1)};
    Origin origin{thread, uint32_t(t.at), Origin::Part::Whole, 0};
    switch (e.kind) {
    case Event::Kind::Wait:
      if (!wait(thread, e))
        return;
      break;
    case Event::Kind::Signal:
      deliver(trace.node, e.semaphore, Signal(t, after, e.amount));
      break;
    case Event::Kind::RemoteSignal: {
      const RemoteSignal &s = program.remoteSignals[e.index];
      for (uint32_t i = 0; i < s.numReceivers; ++i)
        deliver(program.receivers[s.firstReceiver + i], s.semaphore, Signal(t, after, s.amount));
      break;
    }
    case Event::Kind::Call:
      shadow.call(trace.node, program.calls[e.index], t.layer, knowledge(thread), after,
                  origin.event);
      break;
    case Event::Kind::Accumulators:
      shadow.accumulators(trace.node, uint8_t(e.amount), knowledge(thread), after, origin.event);
      break;
    case Event::Kind::Access: {
      const Access &a = program.accesses[e.index];
      shadow.access(trace.node, Strided{a.address, a.bytes, {1, 1, 1}, {0, 0, 0}}, a.write, t.layer,
                    knowledge(thread), &after, origin);
      break;
    }
    case Event::Kind::Transfer:
      transfer(thread, e);
      break;
    }
    ++t.at;
  }
}

void HappensBefore::transfer(uint32_t thread, const Event &e) {
  const Thread &t = threads[thread];
  const Transfer &tr = program.transfers[e.index];
  Epoch after{thread, uint32_t(t.at + 1)};
  Knowledge known = knowledge(thread);
  Origin local{thread, uint32_t(t.at), Origin::Part::Local, 0};
  Origin remote{thread, uint32_t(t.at), Origin::Part::Remote, 0};
  auto region = [&](Strided raw) {
    int64_t lo, hi;
    if (raw.empty())
      return Strided();
    raw.bounds(lo, hi);
    return lo < 0 || hi > program.index.sram ? Strided() : raw.simplified();
  };
  Strided from = region(Strided::localOf(tr.d)), to = region(Strided::remoteOf(tr.d));
  const uint32_t *receivers = program.receivers.data() + tr.firstReceiver;

  if (tr.d.kind == isa::Descriptor::Kind::Pull) {
    uint32_t read = Shadow::noRecord;
    if (tr.numReceivers)
      read = shadow.access(receivers[0], to, false, t.layer, known, nullptr, remote);
    uint32_t write = shadow.access(tr.node, from, true, t.layer, known, nullptr, local);
    if (tr.d.hasFarSemaphore && tr.numReceivers)
      deliver(receivers[0], tr.d.farSemaphore, Signal(t, after, 1, read));
    if (tr.d.hasOwnSemaphore)
      deliver(tr.node, tr.d.ownSemaphore, Signal(t, after, 1, read, write));
    return;
  }

  // Read when the descriptor is done; written, but for copies, when its signal says so.
  shadow.access(tr.node, from, false, t.layer, known, &after, local);
  for (uint32_t i = 0; i < tr.numReceivers; ++i) {
    bool copy = receivers[i] == tr.node;
    uint32_t write =
        shadow.access(receivers[i], to, true, t.layer, known, copy ? &after : nullptr, remote);
    if (tr.d.hasFarSemaphore)
      deliver(receivers[i], tr.d.farSemaphore,
              Signal(t, after, 1, copy ? Shadow::noRecord : write));
  }
  if (tr.d.hasOwnSemaphore)
    deliver(tr.node, tr.d.ownSemaphore, Signal(t, after, 1));
}

void HappensBefore::deliver(uint32_t node, uint8_t number, Signal signal) {
  Semaphore &s = semaphore(node, number);
  if (s.waits > 0 && s.sender == many && !knows(signal, s.lastWait))
    lateSignal(node, number, s, signal);
  s.arrived += signal.amount;
  s.signals.push_back(std::move(signal));
  if (s.waiting == nobody)
    return;
  const Thread &t = threads[s.waiting];
  if (s.arrived >= s.waited + t.trace->events[t.at].amount) {
    ready.push_back(s.waiting);
    s.waiting = nobody;
  }
}

/// A signal that does not follow the last wait on its semaphore, which did not count on it.
void HappensBefore::lateSignal(uint32_t node, uint8_t number, Semaphore &s, const Signal &signal) {
  for (auto it = s.exact.rbegin(); it != s.exact.rend(); ++it) {
    if (knows(signal, {s.lastWait.thread, it->first}))
      break;
    mark(node, number, it->second, WaitMark::Counting);
  }
  if (!s.concluded)
    return;
  Knowledge known{signal.clock.data(), signal.sent};
  for (uint32_t i = 0; i < threads.size(); ++i)
    if (known.stepsOf(i) < s.concluded[i]) {
      // Which of the waits so far concluded too much is not recorded; the last did not less.
      for (uint32_t w = 0; w < s.waits; ++w)
        if (auto it = marks.find({node, number, w});
            it != marks.end() && it->second == WaitMark::Counting)
          mark(node, number, w, WaitMark::Nothing);
      mark(node, number, s.waits - 1, WaitMark::Nothing);
      return;
    }
}

void HappensBefore::mark(uint32_t node, uint8_t number, uint32_t wait, WaitMark value) {
  WaitMark &known = marks.try_emplace({node, number, wait}, WaitMark::Exact).first->second;
  if (value > known)
    known = value, marked = true;
}

bool HappensBefore::wait(uint32_t thread, const Event &e) {
  Thread &t = threads[thread];
  uint32_t node = t.trace->node;
  Semaphore &s = semaphore(node, e.semaphore);
  uint64_t total = s.waited + e.amount;
  if (s.arrived < total) {
    s.waiting = thread;
    return false;
  }
  WaitMark mark = WaitMark::Exact;
  if (auto it = marks.find({node, e.semaphore, s.waits}); it != marks.end())
    mark = it->second;
  if (mark != WaitMark::Exact && !t.delayed) {
    t.delayed = true;
    late.push_back(thread);
    return false;
  }
  t.delayed = false;

  uint32_t *values;
  ClockRef clock = pool.make(values);
  std::memcpy(values, t.clock.data(), threads.size() * sizeof(uint32_t));
  Epoch after{thread, uint32_t(t.at + 1)};
  int32_t layer = -1;
  if (s.sender != many) {
    // One after the other: the last taken follows the rest.
    for (uint64_t left = e.amount; left > 0;) {
      Signal &first = s.signals.front();
      uint32_t taken = uint32_t(std::min<uint64_t>(left, first.amount));
      left -= taken, first.amount -= taken;
      layer = std::max(layer, first.layer);
      if (left == 0)
        absorb(values, first);
      if (first.amount == 0)
        s.signals.pop_front();
    }
    s.dropped = total;
  } else if (mark == WaitMark::Exact && s.arrived == total) {
    for (const Signal &signal : s.signals) {
      absorb(values, signal);
      layer = std::max(layer, signal.layer);
      for (uint32_t record : signal.records)
        if (record != Shadow::noRecord)
          shadow.complete(record, after);
    }
    s.signals.clear();
    s.dropped = total;
    s.concluded = {};
    s.exact.push_back({after.steps, s.waits});
  } else if (mark != WaitMark::Nothing) {
    for (const Signal &signal : s.signals)
      layer = std::max(layer, signal.layer);
    count(s, total, values);
  }
  // What one thread signals says where that is; in a loop it may be back at an earlier layer.
  if (e.layer < 0)
    t.layer = s.sender != many && layer >= 0 ? layer : std::max(t.layer, layer);
  t.clock = std::move(clock);
  s.waited = total;
  s.lastWait = after;
  ++s.waits;
  return true;
}

/// The needed-th smallest of the signals' clocks, in each component; added to \p clock.
void HappensBefore::count(Semaphore &s, uint64_t needed, uint32_t *clock) {
  needed -= s.dropped;
  uint32_t *values;
  ClockRef concluded = pool.make(values);
  std::vector<std::pair<uint32_t, uint32_t>> sorted(s.signals.size());
  for (uint32_t i = 0; i < threads.size(); ++i) {
    for (size_t k = 0; k < s.signals.size(); ++k) {
      const Signal &signal = s.signals[k];
      sorted[k] = {Knowledge{signal.clock.data(), signal.sent}.stepsOf(i), signal.amount};
    }
    std::sort(sorted.begin(), sorted.end());
    uint64_t sum = 0;
    values[i] = 0;
    for (const auto &[steps, amount] : sorted) {
      values[i] = steps;
      if ((sum += amount) >= needed)
        break;
    }
    clock[i] = std::max(clock[i], values[i]);
  }
  s.concluded = std::move(concluded);
  // Signals that know no more than this are below every later conclusion.
  for (auto it = s.signals.begin(); it != s.signals.end();) {
    Knowledge known{it->clock.data(), it->sent};
    bool below = true;
    for (uint32_t i = 0; i < threads.size() && below; ++i)
      below = known.stepsOf(i) <= s.concluded[i];
    bool announces = it->records[0] != Shadow::noRecord || it->records[1] != Shadow::noRecord;
    if (below && !announces) {
      s.dropped += it->amount;
      it = s.signals.erase(it);
    } else {
      ++it;
    }
  }
}

/// Would this event of a thread signal that semaphore?
bool HappensBefore::signals(const ThreadTrace &trace, const Event &e, uint32_t node,
                            uint8_t number) const {
  auto reaches = [&](uint32_t first, uint32_t count) {
    auto begin = program.receivers.begin() + first;
    return std::find(begin, begin + count, node) != begin + count;
  };
  if (e.kind == Event::Kind::Signal)
    return trace.node == node && e.semaphore == number;
  if (e.kind == Event::Kind::RemoteSignal) {
    const RemoteSignal &r = program.remoteSignals[e.index];
    return r.semaphore == number && reaches(r.firstReceiver, r.numReceivers);
  }
  if (e.kind != Event::Kind::Transfer)
    return false;
  const Transfer &t = program.transfers[e.index];
  bool far =
      t.d.hasFarSemaphore && t.d.farSemaphore == number && reaches(t.firstReceiver, t.numReceivers);
  return far || (t.d.hasOwnSemaphore && t.d.ownSemaphore == number && t.node == node);
}

std::string HappensBefore::whoWouldSignal(uint32_t node, uint8_t number) const {
  for (uint32_t other : blocked) {
    const ThreadTrace &trace = *threads[other].trace;
    for (size_t k = threads[other].at; k < trace.events.size(); ++k)
      if (signals(trace, trace.events[k], node, number))
        return "; " + program.placeName(trace, trace.events[k]) +
               " would signal it, but is stuck before";
  }
  return "; nothing that is left would signal it";
}

void HappensBefore::reportDeadlock() {
  constexpr size_t most = 8;
  for (size_t i = 0; i < blocked.size() && i < most; ++i) {
    const Thread &t = threads[blocked[i]];
    const Event &e = t.trace->events[t.at];
    const Semaphore &s = semaphore(t.trace->node, e.semaphore);
    deadlocks.push_back(
        {Check::Order, Verdict::Error,
         "deadlock: " + program.placeName(*t.trace, e) + " waits for " + std::to_string(e.amount) +
             " of semaphore " + std::to_string(e.semaphore) + ", which is at " +
             std::to_string(s.arrived - s.waited) + whoWouldSignal(t.trace->node, e.semaphore)});
  }
  if (blocked.size() > most)
    deadlocks.push_back(
        {Check::Order, Verdict::Error,
         "deadlock: " + std::to_string(blocked.size() - most) + " more threads never end"});
}

} // namespace dojo::verify
