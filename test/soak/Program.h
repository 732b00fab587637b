// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A random program for a part of the die whose results no order of its nodes and threads may
// change. It goes in rounds, the same for all nodes: the threads compute on bytes of their own,
// write what they send into a slot that nothing writes again, send (themselves, or through a thread
// that does nothing else), wait for all that was sent to them in the round, and read it. Sending
// comes before waiting, so no program deadlocks; every semaphore has one waiter and one use.
// Between rounds nodes may pass blocks around a ring, in a loop over one buffer, with credits. Some
// programs have a mistake, at which every run must stop in the same way.
#ifndef DOJO_TEST_SOAK_PROGRAM_H
#define DOJO_TEST_SOAK_PROGRAM_H

#include "Traffic.h"

#include "dojo/Emulator/Machine.h"

#include <optional>

namespace dojo::emu {

/// Mistakes that can be made in a program.
enum class Mistake {
  None,
  Code,         // accesses to anywhere, undefined bytes, bad jumps
  Watchdog,     // too few cycles
  Missing,      // a thread waits for more than comes
  Left,         // a semaphore that nobody waits for
  SecondWaiter, // of one semaphore
  Overflow,     // of a semaphore
  Descriptor,   // undefined bytes in a list
  Destination,  // no such node
  CodeWrite,    // a transfer into code
  OutOfRange,   // a transfer past the SRAM
  List,         // a list that is not where lists can be
  Undeclared,   // accesses that are not declared
};
const char *name(Mistake mistake);

class Program {
public:
  /// Throws std::runtime_error if the part of the die cannot be made: an error of the test. `race`:
  /// the same program, but one thread reads what another hands over before it waits for that.
  explicit Program(uint64_t seed, bool race = false);

  Target target;
  Mistake mistake = Mistake::None;
  bool races = false; // it was asked for, and there are threads that hand over
  uint64_t watchdog = 3'000'000;

  /// Loads code, data, entries, ranges, declarations and routes. Always the same.
  void place(Machine &machine) const;
  /// What runs are compared by: all that the program may touch, now and then all there is.
  std::vector<Interval> memory() const;
  /// "d1 4x5 without (0,1), 2 threads and one that sends, 3 rounds"
  std::string describe() const;

private:
  struct Code {
    std::vector<uint32_t> nodes;
    unsigned thread = 0;
    std::vector<uint8_t> bytes;
  };
  void chooseMachine();
  void writeThread(const std::vector<uint32_t> &nodes, unsigned thread);
  void writeRound(CodeWriter &writer, unsigned round, unsigned thread);
  void writeList(CodeWriter &writer, unsigned round, unsigned thread);
  void writeRing(CodeWriter &writer, unsigned thread);
  void writeSender(const std::vector<uint32_t> &nodes);
  void makeMistake();
  void declare(Machine &machine) const;

  std::mt19937 engine;
  int below(int n) { return static_cast<int>(engine() % static_cast<unsigned>(n)); }
  Shape shape;
  std::optional<Traffic> traffic;
  bool declared = false, ranges = false, wholeMemory = false;
  std::optional<std::pair<uint32_t, uint32_t>> brokenAt; // node, address of a descriptor
  int pieces = 2, ringRound = -1;
  unsigned ringThread = 0, ringTurns = 1;
  std::vector<Code> code;
  std::vector<uint8_t> shared, own; // data: the same for all nodes, and different ones
};

} // namespace dojo::emu

#endif
