// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opcodes kept free for stochastic rounding. They decode as undefined instructions.

#ifndef DOJO_D1_RESERVED_TD
#define DOJO_D1_RESERVED_TD

include "dialects/D1/D1Formats.td"

let group = "Reserved", label = "D", semantic = "reserved" in {
let timing = TC_VStore, access = MA_Lanes, writesMem = 1 in
def VStSr : D1Reserved<"vst.sr", F_VMem, 8, 4, "store narrowed with stochastic rounding">;
let timing = TC_Control in
def RSeed : D1Reserved<"rseed", F_C1, 13, 10, "state of the generator for stochastic rounding">;
}

#endif // DOJO_D1_RESERVED_TD
