// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks as code of the host. What matrix loops are made of is written out in the host's
// instructions: matrix steps, loads and stores of whole registers, plain scalar arithmetic, the
// loop. For every other instruction its handler is called. Checks of accesses through a base that
// only moves by constants are made once for all of them; what fails a check is left to the
// handlers, from the instruction on that has failed it.
#ifndef DOJO_EMULATOR_NATIVECODE_H
#define DOJO_EMULATOR_NATIVECODE_H

#include "Handlers.h"

#include <memory>

namespace dojo::emu {

struct Block;

/// Executable memory. Immutable; freed with the object.
class NativeCode {
public:
  /// Runs up to `turns` turns of a block that jumps to its begin, one of any other. Sets the
  /// context's `turns` to those completed, with their crossings; the branch at the end has set the
  /// context's results. Returns `stopped` if it stopped at the end of a turn, else the index of the
  /// instruction that the handlers have to go on with, with the turn's crossings so far in the
  /// context's.
  using Function = uint32_t (*)(FastContext *context, uint32_t turns);
  static constexpr uint32_t stopped = ~0u;

  NativeCode(const uint8_t *code, size_t bytes);
  NativeCode(const NativeCode &) = delete;
  NativeCode &operator=(const NativeCode &) = delete;
  ~NativeCode();

  bool valid() const { return entry; }
  uint32_t run(FastContext &context, uint32_t turns) const { return entry(&context, turns); }

private:
  void *memory;
  size_t size;
  Function entry;
};

/// Null where there is none: for a host path without, if all would be left to handlers, or if the
/// host gives no memory for it.
std::unique_ptr<const NativeCode> makeNative(const Block &block, HostPath path,
                                             const Parameters &parameters);

/// Blocks written so far in this process.
uint64_t numNativeBlocks();

/// Makes the NaNs canonical that native code has left in accumulators.
void settle(FastContext &context);

} // namespace dojo::emu

#endif
