// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A stopped machine as text.
#ifndef DOJO_TOOLS_DOJORUN_INSPECT_H
#define DOJO_TOOLS_DOJORUN_INSPECT_H

#include "dojo/Runtime/Runtime.h"

namespace dojo::run {

/// The instruction at an address of a node, as assembly.
std::string instructionAt(Runtime &runtime, uint32_t node, uint32_t pc);

/// Why and where a session has stopped, a line each; of many the first few.
std::string describeStops(Runtime &runtime, const std::vector<emu::Stop> &stops);

/// A thread's place: what it does, its layer, its next instruction.
std::string describePlace(Runtime &runtime, uint32_t node, unsigned thread);

/// Code around `pc`, `before` instructions before it and `after` from it on.
std::string disassembly(Runtime &runtime, uint32_t node, uint32_t pc, unsigned before,
                        unsigned after);

/// Semaphores of a node: values, who waits, signals on their way.
std::string describeSemaphores(Runtime &runtime, uint32_t node, uint64_t now);

/// One register: x0 to x31, v0 to v31, m0 to m7 of a thread, acc0 to acc7 of the node. Empty if
/// there is none of this name.
std::string describeRegister(Runtime &runtime, uint32_t node, unsigned thread,
                             const std::string &name);

/// Bytes of a node that are in its memory; as "bytes", "i32", "f32" or "bf16". Empty if `format` is
/// none of them.
std::string describeMemory(Runtime &runtime, uint32_t node, uint32_t address, uint32_t bytes,
                           const std::string &format);

} // namespace dojo::run

#endif
