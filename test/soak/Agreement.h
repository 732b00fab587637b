// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What runs of one program must agree in, however they are run, and how to name a way to run.
#ifndef DOJO_TEST_SOAK_AGREEMENT_H
#define DOJO_TEST_SOAK_AGREEMENT_H

#include "dojo/Emulator/Machine.h"

namespace dojo::emu {

/// What differs first in b; empty: nothing. `cycles`: they must be the same too.
std::string difference(const Counters &a, const Counters &b, bool cycles);

/// "fast avx2, 2 threads, timing on, jitter 7, order 3"
std::string describe(const RunOptions &options);

} // namespace dojo::emu

#endif
