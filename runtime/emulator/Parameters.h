// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The target's values in the form the emulator's inner loops use. Latencies in cycles.
#ifndef DOJO_EMULATOR_PARAMETERS_H
#define DOJO_EMULATOR_PARAMETERS_H

#include "dojo/ISA/ISA.h"
#include "dojo/Target/Target.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>

namespace dojo::emu {

/// A cycle that never comes.
inline constexpr uint64_t never = std::numeric_limits<uint64_t>::max();

inline constexpr unsigned numThreads = 4;
inline constexpr unsigned numXRegisters = 32, numVRegisters = 32, numMasks = 8;
inline constexpr unsigned maxAccumulators = 8;
inline constexpr unsigned numSemaphores = 256;
inline constexpr unsigned maxTrainPackets = 64;
inline constexpr unsigned maxRouteLinks = 256;

struct Parameters {
  uint32_t rows, columns, nodes;
  uint32_t sramBytes, lineBytes, packetBytes;
  unsigned accumulators;

  // Issue.
  unsigned decodeThreads, decodePerThread;
  std::array<unsigned, 3> unitSlots; // by Unit
  unsigned aguSlots, storePorts;
  std::array<uint64_t, isa::numTimingClass> latency; // issue to result
  uint64_t memoryOperandLatency;                     // added by a SIMD operation's memory operand
  uint64_t divideBusy, estimateBusy, gatherBusy;
  uint64_t stepToDrain, fillLatency;
  uint64_t controlLatency, signalLatency;
  uint64_t branchPenalty, codeMiss, codeNextLine;
  uint32_t codeLines, codeLineBytes;
  uint64_t lineCrossing;
  uint32_t vectorAlignment;
  uint32_t semaphoreLimit; // greatest value

  // Mesh.
  uint64_t hop, buffer, listStart, listNext, arrival, pullAnswer;
  unsigned trainPackets, routeLinks;
  bool multicast;

  /// A train issued in cycle c can change nothing on another node that shows before c + this:
  /// neither its own semaphore nor that of the answer it asks for.
  uint64_t remoteLookahead() const { return 2 * hop + std::min(arrival, pullAnswer + 2); }
};

/// False with a reason if the target asks for what the emulator does not model.
[[nodiscard]] bool makeParameters(const Target &target, Parameters &out, std::string &error);

} // namespace dojo::emu

#endif
