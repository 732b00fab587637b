// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The emulated die: executes encoded instructions and transfer lists of all nodes of a target, to
// the bit and, with timing on, to the cycle. docs/timing.md says what it decides where the
// machine's rules are silent; docs/rationale/emulator.md why there are two engines.
//
// Algorithm: nodes touch each other only through trains. Every node runs ahead on its own until it
// needs to know what others did; trains are committed one by one in the order (issue cycle, node,
// thread, number), each as soon as no thread can issue an earlier one (conservative parallel
// discrete-event simulation). Host threads run nodes between commits and cannot change a result.
//
// Units: cycles and bytes. A node's number is columns * row + column of the whole die.
#ifndef DOJO_EMULATOR_MACHINE_H
#define DOJO_EMULATOR_MACHINE_H

#include "dojo/Emulator/Checks.h"
#include "dojo/Emulator/HostPath.h"
#include "dojo/Emulator/NodeCounters.h"
#include "dojo/Target/Target.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dojo::emu {

struct Die;
class Session;
class Trace;

/// Why the machine stopped. The numbers are stable.
enum class FaultClass : uint8_t {
  UndefinedInstruction = 1, ///< the bytes are no instruction; all zeros never are
  FetchOutsideCode = 2,     ///< the program counter is where no code was placed
  Misaligned = 3,           ///< an address is not a multiple of what the access needs
  OutOfRange = 4,           ///< an access, a list or a transfer leaves the SRAM
  CodeWrite = 5,            ///< an instruction or a transfer writes bytes of code
  BadDescriptor = 6,        ///< a transfer descriptor is malformed
  BadDestination = 7,       ///< a node or route that cannot be reached
  SemaphoreOverflow = 8,    ///< a semaphore exceeds its greatest value
  SecondWaiter = 9,         ///< two threads of a node wait for one semaphore
  SemaphoreNotZero = 10,    ///< left behind when all threads have ended
  Deadlock = 11,            ///< no thread can go on; the text says who waits for whom
  Watchdog = 12,            ///< the run takes more cycles than it was allowed
  UndeclaredAccess = 13,    ///< code accesses bytes that the image does not declare
};
const char *name(FaultClass faultClass);

struct Fault {
  FaultClass faultClass = FaultClass::UndefinedInstruction;
  int64_t node = -1;
  int thread = -1;    // -1: concerns the node, not one thread
  uint32_t pc = 0;    // of the instruction; of the `list` instruction for a descriptor
  uint64_t cycle = 0; // 0 with timing off
  uint64_t found = 0; // cycle in which it was found: of a watchdog the thread's next after `cycle`
  int32_t layer = -1; // by the PC ranges; -1: none
  std::string text;   // what happened, without the place

  /// "misaligned access at node 21 (row 1, column 1), thread 0, pc 0x1040, cycle 311: ..."
  std::string message(const Target &target) const;
};

/// How instructions are run. Both give the same bytes, cycles, counters and faults.
enum class Engine : uint8_t {
  Plain, ///< one instruction at a time, straight from the machine's rules: the reference
  Fast,  ///< translated blocks, timing looked up, the host's widest instructions
};

/// Which blocks the fast engine runs as code of the host. It changes no result.
enum class Tier : uint8_t {
  Handlers, ///< none: one handler after another
  Mixed,    ///< those that have been run often
  Native,   ///< all, from the start
};

struct RunOptions {
  Engine engine = Engine::Fast;
  Tier tier = Tier::Mixed;
  /// Instructions of the host for the fast engine; the best it has if not set. A path that the host
  /// lacks means the plain engine.
  std::optional<HostPath> hostPath;
  unsigned threads = 1; // host threads; any number gives the same results
  bool timing = true;   // false: function only, no cycles
  /// Delays thread starts (up to 1,000 cycles) and trains (up to 64) at random. Timing on only.
  std::optional<uint64_t> jitterSeed;
  /// Hands nodes to the host threads in random order, window by window. For tests: it changes no
  /// result, nor does it do anything in a run that is watched.
  std::optional<uint64_t> nodeOrderSeed;
  /// Cycles, or with timing off instructions of one thread, after which a run is a fault.
  uint64_t watchdog = 2'000'000'000;
  /// Watching changes neither bytes nor cycles; it takes the plain engine. Timing on only.
  Trace *trace = nullptr;    // gets what the run does; outlives it
  bool nodeCounters = false; // fill in Counters::nodes

  bool watched() const { return timing && (trace || nodeCounters); }
  /// Changes neither bytes, cycles nor faults; takes the plain engine.
  CheckOptions checks = {};
};

/// What one layer, a number given by the PC ranges, did on all nodes.
struct LayerCounters {
  uint64_t end = 0; // latest cycle in which an instruction completes; 0 with timing off
  uint64_t instructions = 0;
  uint64_t matrixSteps = 0;
  uint64_t simdOperations = 0;
  // Work of a node: its matrix steps and SIMD operations.
  uint64_t busiestNodeWork = 0;
  uint64_t nodesWithWork = 0;
};

struct Counters {
  uint64_t cycles = 0;       // one more than the last cycle with an issue or an arrival
  uint64_t instructions = 0; // issued; control included, predicated-off not
  uint64_t matrixSteps = 0;
  uint64_t simdOperations = 0;
  uint64_t packets = 0;     // written at nodes
  uint64_t linkPackets = 0; // summed over links
  uint64_t trains = 0;
  uint64_t nodesUsed = 0; // nodes that issued a matrix or SIMD instruction
  std::vector<LayerCounters> layers;
  std::vector<NodeCounters> nodes; // usable ones by number, if asked for
};

struct RunResult {
  std::optional<Fault> fault;
  Counters counters; // up to the fault if there is one
  CheckResult checks;
};

/// Where a thread is after a run; Runs: it would go on, or it is where it faulted.
enum class ThreadPlace : uint8_t { Ended, Runs, Waits, Sends };
struct ThreadStatus {
  ThreadPlace place = ThreadPlace::Ended;
  bool inList = false;
  uint32_t pc = 0;              // of the `list` instruction in a list
  int32_t layer = -1;           // as in Fault
  unsigned semaphore = 0;       // Waits
  uint64_t need = 0, since = 0; // Waits: amount, cycle
};

/// A semaphore that somebody has used.
struct SemaphoreStatus {
  unsigned number = 0;
  uint64_t value = 0; // shown
  int waiter = -1;    // thread; -1: none
  /// Signals that show later: cycle and amount, ascending.
  std::vector<std::pair<uint64_t, uint32_t>> pending;
};

/// Instructions in [begin, end) belong to `layer`; -1: to none; -2: to the layer that the thread
/// was in when it came there.
struct PcRange {
  uint32_t begin = 0, end = 0;
  int32_t layer = -1;
};

/// Bytes [begin, end) of a node's SRAM.
struct Interval {
  uint32_t begin = 0, end = 0;
};

/// Called before an instruction executes; sees the node's SRAM. From any host thread, but never
/// twice at once for one node. `cycle` is 0 with timing off.
using CaptureFunction = std::function<void(int64_t node, unsigned thread, uint32_t pc,
                                           uint64_t cycle, std::span<const uint8_t> sram)>;

/// A die. Memory starts as zeros and lives as long as the machine: a run leaves it as it is, all
/// other state (registers, accumulators, semaphores, ports) starts from zero in each run. Functions
/// that return bool give false with a reason in `error` and change nothing.
class Machine {
public:
  /// Null with a reason if the target has a shape the emulator does not model.
  static std::unique_ptr<Machine> create(const Target &target, std::string &error);
  ~Machine();
  Machine(const Machine &) = delete;
  Machine &operator=(const Machine &) = delete;

  const Target &target() const;

  /// Places the same bytes at `address` of every listed node. Code is decoded once for all of them,
  /// must start at a multiple of 4 and can neither overlap other code nor be overwritten.
  [[nodiscard]] bool placeCode(std::span<const uint32_t> nodes, uint32_t address,
                               std::span<const uint8_t> bytes, std::string &error);
  /// Host threads may place data at the same time, on different nodes.
  [[nodiscard]] bool placeData(std::span<const uint32_t> nodes, uint32_t address,
                               std::span<const uint8_t> bytes, std::string &error);
  /// Thread `thread` of `node` starts at `pc`. Threads without an entry do not start.
  [[nodiscard]] bool setEntry(uint32_t node, unsigned thread, uint32_t pc, std::string &error);
  /// Ranges must not overlap.
  [[nodiscard]] bool setPcRanges(std::span<const uint32_t> nodes, std::vector<PcRange> ranges,
                                 std::string &error);
  /// The paths that route indices name, for all nodes: directions link by link, 0 east, 1 west, 2
  /// south, 3 north. A path may not use a link twice.
  [[nodiscard]] bool setRoutes(std::vector<std::vector<uint8_t>> routes, std::string &error);
  /// From now on scalar and vector accesses of instructions in [begin, end) of the listed nodes
  /// outside `reads` and `writes` are faults. Declared ranges must not overlap. What lies in
  /// `ignored` too may be loaded without having been written: it has no effect.
  [[nodiscard]] bool declareAccesses(std::span<const uint32_t> nodes, uint32_t begin, uint32_t end,
                                     std::vector<Interval> reads, std::vector<Interval> writes,
                                     std::string &error, std::vector<Interval> ignored = {});
  /// Calls `function` whenever `thread` of `node` is about to issue the instruction at `pc`. It
  /// changes neither results nor cycles.
  void addCapture(uint32_t node, unsigned thread, uint32_t pc, CaptureFunction function);
  void clearCaptures();

  [[nodiscard]] bool write(uint32_t node, uint32_t address, std::span<const uint8_t> bytes,
                           std::string &error);
  [[nodiscard]] bool read(uint32_t node, uint32_t address, std::span<uint8_t> bytes,
                          std::string &error) const;

  /// Runs every thread that has an entry to its end. May be called again; a race-free program then
  /// takes the same cycles and, given the same inputs, leaves the same bytes.
  RunResult run(const RunOptions &options = {});

  /// Threads and registers at the end of the last run, for tests and debuggers.
  ThreadStatus threadStatus(uint32_t node, unsigned thread) const;
  /// Those of a node that are not zero, have a waiter or a signal on its way; `now`: the cycle.
  std::vector<SemaphoreStatus> semaphores(uint32_t node, uint64_t now) const;
  uint64_t scalarRegister(uint32_t node, unsigned thread, unsigned number) const;
  std::span<const uint32_t, 16> vectorRegister(uint32_t node, unsigned thread,
                                               unsigned number) const;
  uint64_t maskRegister(uint32_t node, unsigned thread, unsigned number) const;
  /// 8 x 8 fp32 bits, row after row.
  std::array<uint32_t, 64> accumulator(uint32_t node, unsigned number) const;

private:
  friend class Session;
  explicit Machine(std::unique_ptr<Die> die);
  std::unique_ptr<Die> die;
};

} // namespace dojo::emu

#endif
