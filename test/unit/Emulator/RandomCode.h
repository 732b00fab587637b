// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random programs that may be run any way: a ring of nodes, each with threads that compute on bytes
// of their own and pass blocks on, every access ordered by semaphores. What they compute on is full
// of denormals, infinities and NaNs.
#ifndef DOJO_TEST_EMULATOR_RANDOMCODE_H
#define DOJO_TEST_EMULATOR_RANDOMCODE_H

#include "TestMachine.h"

namespace dojo::emu {

struct RandomCodeOptions {
  unsigned threads = 1;  // that compute, on each node: 1 or 2
  unsigned rounds = 3;   // of the ring
  unsigned pieces = 4;   // of code in a round
  bool declared = false; // accesses
  bool ranges = false;   // layers
  bool wild = false;     // now and then an access to anywhere, undefined bytes, a bad jump
};

/// Gives every node of the machine its program, data, declarations and ranges.
void placeRandomCode(TestMachine &machine, const Target &target, unsigned seed,
                     const RandomCodeOptions &options);

} // namespace dojo::emu

#endif
