// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a run that is watched notes: events for the trace, and counters of nodes and threads. Nodes
// note on any host thread, each for itself; the run hands their notes on in the order of nodes,
// between the windows, so that the order does not depend on host threads.
#ifndef DOJO_EMULATOR_PROBE_H
#define DOJO_EMULATOR_PROBE_H

#include "Die.h"
#include "dojo/Emulator/NodeCounters.h"
#include "dojo/Emulator/Trace.h"

namespace dojo::emu {

/// What happened on a thread, for the trace.
struct ProbeEvent {
  enum class Kind : uint8_t { Layer, End, Wait, ListBegin, ListEnd, SendBegin, SendEnd, Fault };
  Kind kind = Kind::End;
  uint8_t thread = 0;
  uint64_t cycle = 0;
  uint64_t until = 0;    // Wait
  uint64_t value = 0;    // layer, semaphore, pc of a list, bytes, or class of a fault
  uint64_t need = 0;     // Wait
  uint32_t pc = 0;       // Wait
  std::string name = {}; // SendBegin
};

class NodeProbe {
public:
  NodeProbe(uint32_t node, size_t numLayers, bool traced) : numLayers(numLayers), traced(traced) {
    counters.node = node;
  }

  NodeCounters counters;
  std::vector<ProbeEvent> events;

  /// The thread issues an instruction.
  void issued(const Thread &t, const Op &op, uint64_t cycle) {
    ++counters.threads[t.index].issued[static_cast<unsigned>(op.timing)];
    busy(t, cycle);
  }
  /// It passes over one.
  void passedOver(const Thread &t, uint64_t cycle) {
    ++counters.threads[t.index].passedOver;
    busy(t, cycle);
  }
  /// From `cycle` on, until it issues again or something else holds it, the thread is held by
  /// `activity`.
  void held(const Thread &t, uint64_t cycle, Activity activity) {
    settle(t.index, cycle);
    state[t.index].activity = activity;
  }
  /// Its next instruction is not ready before `ready`.
  void notReady(const Thread &t, const Op &op, uint64_t cycle, uint64_t ready);

  /// The thread has come to the code of its layer.
  void layer(const Thread &t, uint64_t cycle);
  void halted(const Thread &t, uint64_t cycle);
  /// The thread's wait passes.
  void waited(const Thread &t);
  void listBegins(const Thread &t, uint64_t cycle);
  void listEnds(const Thread &t, uint64_t cycle);
  void sendBegins(const Thread &t, uint64_t cycle);
  void sendEnds(const Thread &t, uint64_t cycle);
  void faulted(const Thread *t, FaultClass faultClass, uint64_t cycle);

  /// The run has ended after `cycles` cycles.
  void finish(const Node &node, uint64_t cycles);

private:
  struct State {
    uint64_t settled = 0; // cycles before this one are counted
    Activity activity = Activity::Idle;
    size_t layer = ~size_t(0);
    bool sending = false;
  };

  void settle(unsigned thread, uint64_t cycle) {
    State &s = state[thread];
    if (cycle > s.settled) {
      counters.threads[thread].cycles[static_cast<unsigned>(s.activity)] += cycle - s.settled;
      s.settled = cycle;
    }
  }
  void busy(const Thread &t, uint64_t cycle) {
    held(t, cycle, Activity::Issue);
    settle(t.index, cycle + 1);
    state[t.index].activity = Activity::Place;
  }

  size_t numLayers;
  bool traced;
  State state[numThreads];
};

class RunProbe {
public:
  /// Watches a run of `die` as `options` say; nodes have been reset.
  RunProbe(Die &die, const RunOptions &options);
  ~RunProbe();

  /// A train of `packets` packets has been committed, before its packets are taken off.
  void train(const Transfer &transfer, uint64_t issue, unsigned packets, const TrainTiming &timing);
  /// Takes what the nodes have noted.
  void collect(const std::vector<Node *> &nodes);
  void finish(Counters &counters);

private:
  void write(const NodeProbe &probe, const ProbeEvent &event);
  NodeProbe *probe(uint32_t node) { return probes[node].get(); }

  Die &die;
  TraceWriter *writer = nullptr;
  bool wantCounters;
  std::vector<char> traced;                       // by node
  std::vector<std::unique_ptr<NodeProbe>> probes; // by node
};

} // namespace dojo::emu

#endif
