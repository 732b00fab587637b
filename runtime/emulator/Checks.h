// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The checks of a run: what nodes and transfers tell them, and where reports go. Nodes tell on any
// host thread, each of itself; transfers while the nodes stand still.
#ifndef DOJO_EMULATOR_RUNCHECKS_H
#define DOJO_EMULATOR_RUNCHECKS_H

#include "CheckMemory.h"
#include "CheckRaces.h"
#include "Die.h"

#include <map>
#include <unordered_map>

namespace dojo::emu {

/// Reports about the memory of one node: one for each pair of instructions, up to a number that
/// nobody would read.
class ReportList {
public:
  explicit ReportList(int64_t node) : node(node) {}
  void add(CheckReport::Kind kind, uint32_t begin, uint32_t end, uint64_t cycle,
           const AccessPlace &access, const AccessPlace *earlier);

  std::vector<CheckReport> reports; // without disassembly

  /// What makes two reports the same.
  using Key = std::tuple<CheckReport::Kind, AccessPlace::Kind, uint32_t, uint32_t,
                         AccessPlace::Kind, uint32_t, uint32_t>;
  static Key keyOf(CheckReport::Kind kind, const AccessPlace &access, const AccessPlace *earlier);

private:
  static constexpr size_t most = 4096;
  int64_t node;
  std::map<Key, size_t> indexOf;
};

class NodeChecks {
public:
  /// `firstThread`: number of the first of its threads that start among the `threads` that do.
  NodeChecks(const Die &die, const Node &node, const CheckOptions &options, uint32_t firstThread,
             size_t threads);

  /// An instruction loads or stores `bytes` bytes; that it may is known.
  void accesses(const Thread &t, const Op &op, uint32_t address, uint32_t bytes, uint64_t cycle) {
    using Kind = AccessPlace::Kind;
    access(here(t, op.writesMemory ? Kind::Store : Kind::Load), address, bytes, cycle,
           t.range->declaration);
  }
  /// A list fetches the descriptor it is at.
  void fetches(const Thread &t, uint64_t cycle) {
    access(here(t, AccessPlace::Kind::List), t.descriptorAddress, isa::Descriptor::bytes, cycle);
  }

  /// It uses an accumulator.
  void usesAccumulator(const Thread &t, const Op &op, uint64_t cycle);
  /// The thread signals a semaphore of its node.
  void signals(const Thread &t, unsigned semaphore, uint64_t shows, uint32_t amount) {
    if (races) {
      races->signal(semaphore, shows, amount, races->knowledge(t.index), {}, {});
      races->step(t.index);
    }
  }
  /// Its wait has passed.
  void waits(const Thread &t) {
    if (races)
      races->wait(t.index, t.semaphore, t.need);
  }

  /// An access that is over before the thread goes on.
  void access(const AccessPlace &who, uint32_t address, uint32_t bytes, uint64_t cycle,
              const Declaration *declaration = nullptr) {
    ++numAccesses;
    if (memory)
      memory->access(who, address, bytes, cycle, declaration);
    if (races)
      races->access(static_cast<unsigned>(who.thread), who, address, address + bytes, cycle);
  }
  /// One of a transfer that nobody waits for by himself.
  void arrive(const AccessPlace &who, uint32_t address, uint32_t bytes, uint64_t cycle,
              const Knowledge &told, uint32_t arrival) {
    ++numAccesses;
    if (memory)
      memory->access(who, address, bytes, cycle, nullptr);
    if (races)
      races->arrive(told, arrival, address, address + bytes, cycle);
  }

  uint64_t numAccesses = 0;
  ReportList reports;
  std::unique_ptr<MemoryCheck> memory;
  std::unique_ptr<NodeRaces> races;

private:
  AccessPlace here(const Thread &t, AccessPlace::Kind kind) const {
    return {kind,
            node,
            static_cast<int>(t.index),
            t.inList ? t.listPc : t.pc,
            t.inList ? t.descriptorAddress : AccessPlace::noDescriptor,
            t.layer < numLayers ? static_cast<int32_t>(t.layer) : -1};
  }

  int64_t node;
  size_t numLayers;
  uint32_t sramBytes;
};

class RunChecks {
public:
  /// Checks a run of `die` as `options` say; nodes have been reset.
  RunChecks(Die &die, const CheckOptions &options);
  ~RunChecks();

  /// The next `packets` packets of a transfer move from its source to its receivers.
  void moves(const Transfer &transfer, uint64_t packets, uint64_t cycle);
  /// A pull's request has arrived; `answer` goes back.
  void asked(const Transfer &ask, const Transfer &answer);
  /// The transfer's signal will show at `node` from cycle `shows` on. `own`: its own semaphore.
  void announces(const Transfer &transfer, uint32_t node, bool own, uint64_t shows);
  /// All of it has left.
  void ends(const Transfer &transfer);

  /// What was found so far. `whole`: the run has come to its end.
  void finish(bool whole, CheckResult &result) const;

private:
  /// A transfer of which packets are on their way.
  struct Flight {
    Knowledge told; // when it was issued
    NodeRaces::Announced read;
    std::vector<std::pair<uint32_t, uint32_t>> writes; // receiver, number of the arrival
  };
  Flight &flightOf(const Transfer &transfer);
  const Knowledge &knowledge(const Transfer &transfer) const {
    return nodes[transfer.asker]->races->knowledge(transfer.askerThread);
  }
  void takes(const Transfer &transfer, uint32_t address, uint32_t bytes, uint64_t cycle);
  void writes(const Transfer &transfer, uint32_t receiver, uint32_t address, uint32_t bytes,
              uint64_t cycle);
  AccessPlace placeOf(const Transfer &transfer, AccessPlace::Kind kind) const;
  void describe(CheckedAccess &access) const;
  void checkOutputs(std::vector<CheckReport> &reports) const;

  Die &m;
  const CheckOptions options;
  std::vector<std::unique_ptr<NodeChecks>> nodes; // by number
  std::unordered_map<const Transfer *, Flight> flights;
};

} // namespace dojo::emu

#endif
