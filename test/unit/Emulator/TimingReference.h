// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A second implementation of the machine's timing rules, as plain as can be: one cycle after the
// other, all nodes and threads in each, no running ahead. It knows the values of scalar registers
// set by li, addi and loop only, so programs address memory through x0.
#ifndef DOJO_TEST_EMULATOR_TIMINGREFERENCE_H
#define DOJO_TEST_EMULATOR_TIMINGREFERENCE_H

#include "dojo/ISA/Descriptor.h"
#include "dojo/ISA/ISA.h"
#include "dojo/Target/Target.h"

#include <array>
#include <list>
#include <map>
#include <set>
#include <vector>

namespace dojo::emu {

class TimingReference {
public:
  explicit TimingReference(const Target &target) : t(target) {}

  void addThread(int node, int thread, uint32_t base, const std::vector<uint8_t> &code);
  void addList(int node, uint32_t address, const std::vector<isa::Descriptor> &descriptors);

  /// Runs to the end and returns the number of cycles; 0 if it took more than `limit`.
  uint64_t run(uint64_t limit);

  /// Of each thread (node, thread): the cycle in which it halted.
  std::map<std::pair<int, int>, uint64_t> halted;

private:
  struct Thread {
    int node, number;
    uint32_t base, pc;
    std::vector<uint8_t> code;
    std::array<int64_t, 32> x{};
    std::map<int, uint64_t> ready; // register (x 0.., v 100.., m 200..) to cycle
    uint64_t from = 0;             // goes on no earlier
    bool reached = false;          // the line of pc has been looked up
    std::list<uint32_t> lines;     // newest first
    bool stream = false;
    uint32_t streamLine = 0;
    uint64_t streamCycle = 0;
    bool done = false;
    // Wait of an instruction or descriptor.
    bool waiting = false;
    int semaphore = 0;
    int64_t need = 0;
    // List: descriptors left, the cycle in which the first of them acts.
    bool listed = false;
    const isa::Descriptor *descriptor = nullptr;
    uint64_t acts = 0;
    bool sending = false; // a transfer or signalr in progress
  };
  struct Transfer {
    int node = 0, order = 0; // order: thread, or 4 + the asker's thread
    int asker = 0;
    int number = 0;           // grows with time
    Thread *thread = nullptr; // null for an answer
    int64_t packets = 0;
    std::vector<std::vector<int>> hops; // nodes passed, one list per receiver, sender first
    int farSemaphore = -1, farAmount = 1;
    int leaveSemaphore = -1; // own node's, when it has left
    int leaveNode = 0;
    bool ask = false;
    const isa::Descriptor *pull = nullptr;
  };

  void cycleOf(int node, uint64_t c);
  bool issueOne(Thread &th, uint64_t c, std::map<std::string, int> &slots, bool &placed);
  bool lineReady(Thread &th, uint64_t c, unsigned bytes);
  void touchLine(Thread &th, uint32_t line, uint64_t c);
  void act(Thread &th, uint64_t c);
  void commit(Transfer transfer, uint64_t c);
  void signal(int node, int semaphore, uint64_t shows, int amount);
  std::vector<std::vector<int>> routes(int node, const isa::Descriptor &d) const;
  int64_t packetsOf(const isa::Descriptor &d) const;

  const Target &t;
  std::list<Thread> threads;
  std::map<std::pair<int, uint32_t>, std::vector<isa::Descriptor>> lists;
  std::map<std::pair<int, int>, int64_t> value;              // (node, semaphore)
  std::map<uint64_t, std::vector<std::array<int, 3>>> shows; // cycle: node, semaphore, amount
  std::multimap<uint64_t, Transfer> issues;                  // trains by issue cycle
  std::map<int, int> asked;                                  // p of each node
  // Units of each node: the cycles from which ports are free.
  std::map<int, std::vector<uint64_t>> agu, store;
  std::map<int, uint64_t> divider, estimator;
  std::map<std::pair<int, int>, uint64_t> stepReady, fillReady, drained;
  std::map<int, uint64_t> injection, ejection;
  std::map<std::pair<int, int>, uint64_t> link; // (from, to)
  uint64_t last = 0;
  int trains = 0;
};

} // namespace dojo::emu

#endif
