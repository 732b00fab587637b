// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on a lane, in the way that suits a host path. Hosts with fused multiply-adds do the
// machine's arithmetic themselves while their flush modes are on (HostMode.h): denormal operands
// and results are zero, tininess is found after rounding. What is left is the NaN.
#ifndef DOJO_EMULATOR_LANES_H
#define DOJO_EMULATOR_LANES_H

#include "dojo/Emulator/Numerics.h"

#ifndef DOJO_HOST
#define DOJO_HOST portable
#endif

namespace dojo::emu::DOJO_HOST::lanes {

#ifdef __FMA__

inline uint32_t result(float value) { return value != value ? quietNaN : asBits(value); }
inline uint32_t add(uint32_t a, uint32_t b) { return result(asFloat(a) + asFloat(b)); }
inline uint32_t mul(uint32_t a, uint32_t b) { return result(asFloat(a) * asFloat(b)); }
inline uint32_t fma(uint32_t a, uint32_t b, uint32_t c) {
  return result(__builtin_fmaf(asFloat(a), asFloat(b), asFloat(c)));
}

#else

inline uint32_t add(uint32_t a, uint32_t b) { return addF32(a, b); }
inline uint32_t mul(uint32_t a, uint32_t b) { return mulF32(a, b); }
inline uint32_t fma(uint32_t a, uint32_t b, uint32_t c) { return fmaF32(a, b, c); }

#endif

} // namespace dojo::emu::DOJO_HOST::lanes

#endif
