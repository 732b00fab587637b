// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs whose emulation is timed beside that of compiled models.
#ifndef DOJO_TOOLS_DOJOBENCH_PROGRAMS_H
#define DOJO_TOOLS_DOJOBENCH_PROGRAMS_H

#include "dojo/Image/Image.h"

#include <string>

namespace dojo::bench {

/// Every node of a die runs a loop of matrix steps on 2x4 accumulators, operands loaded from SRAM.
image::Image fusedLoop();
/// Every node of a die runs a loop of 36 % matrix steps, the rest scalar, SIMD, loads and stores.
image::Image mixedCode();

} // namespace dojo::bench

#endif
