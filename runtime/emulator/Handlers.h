// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Handlers of the fast engine: a semantic function with what comes before and after it (addresses,
// checks, post-increments) in one piece, for each host path.
#ifndef DOJO_EMULATOR_HANDLERS_H
#define DOJO_EMULATOR_HANDLERS_H

#include "Execute.h"
#include "dojo/Emulator/HostPath.h"

namespace dojo::emu {

/// Bytes [begin, begin + size) that an access may touch without another check.
struct Window {
  uint64_t begin = 0, size = 0;
};

struct FastContext : ExecContext {
  // By base register: where the last access through it was allowed.
  Window reads[numXRegisters], writes[numXRegisters];
  uint32_t basesFound = 0; // bits of those with a window
  uint64_t crossings = 0;  // bits of the block's accesses that cross a line
  uint32_t lineBytes = 64;
  // Of native code (NativeCode.h): turns of a block that it has completed, and the crossings of
  // each; by accumulator, whether it may hold NaNs that are not canonical.
  static constexpr unsigned maxTurns = 64;
  uint32_t turns = 0;
  uint32_t turnsAlike = 0; // of the first turns, so many have the crossings of the first
  uint64_t turnCrossings[maxTurns];
  uint64_t crossingsOf(unsigned turn) const { return turnCrossings[turn < turnsAlike ? 0 : turn]; }
  bool loose[maxAccumulators] = {};
  void *owner = nullptr; // of `findWindow`
  /// Sets the window of an operand's base so that it holds [address, address + bytes). False: the
  /// access is not allowed.
  bool (*findWindow)(FastContext &, unsigned base, uint64_t address, uint64_t bytes,
                     bool write) = nullptr;
};

/// The handler for an instruction that is no control instruction, or one that only computes.
[[nodiscard]] Handler handlerOf(HostPath path, const Op &op);

namespace portable {
Handler handlerOf(const Op &op);
}
namespace avx2 {
Handler handlerOf(const Op &op);
}
namespace avx512 {
Handler handlerOf(const Op &op);
}
namespace avx512bf16 {
Handler handlerOf(const Op &op);
}

} // namespace dojo::emu

#endif
