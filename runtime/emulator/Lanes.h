// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on a lane, in the way that suits a host path. Hosts with fused multiply-adds do the
// machine's arithmetic themselves while their flush modes are on (HostMode.h): denormal operands
// and results are zero, tininess is found after rounding. What is left is the NaN. Below: what
// takes a host with masks one instruction, on 16 lanes.
#ifndef DOJO_EMULATOR_LANES_H
#define DOJO_EMULATOR_LANES_H

#include "dojo/Emulator/Numerics.h"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

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

#ifdef __AVX512F__

inline __m512i all(const uint32_t lanes[16]) { return _mm512_loadu_si512(lanes); }

/// Bit i: lane i is not zero.
inline uint32_t nonZero(const uint32_t lanes[16]) {
  return _mm512_test_epi32_mask(all(lanes), all(lanes));
}
/// Lane i is yes[i] where bit i of `mask` is set, else no[i].
inline void select(uint64_t mask, const uint32_t yes[16], const uint32_t no[16], uint32_t out[16]) {
  _mm512_storeu_si512(out, _mm512_mask_blend_epi32(__mmask16(mask), all(no), all(yes)));
}
/// Lane i is in[index[i] mod 16].
inline void permute(const uint32_t in[16], const uint32_t index[16], uint32_t out[16]) {
  _mm512_storeu_si512(out, _mm512_permutexvar_epi32(all(index), all(in)));
}
/// Lane i is lane index[i] mod 32 of `low`, then `high`.
inline void permute2(const uint32_t low[16], const uint32_t high[16], const uint32_t index[16],
                     uint32_t out[16]) {
  _mm512_storeu_si512(out, _mm512_permutex2var_epi32(all(low), all(index), all(high)));
}

#else

inline uint32_t nonZero(const uint32_t lanes[16]) {
  uint32_t bits = 0;
  for (unsigned i = 0; i < 16; ++i)
    bits |= uint32_t(lanes[i] != 0) << i;
  return bits;
}
inline void select(uint64_t mask, const uint32_t yes[16], const uint32_t no[16], uint32_t out[16]) {
  for (unsigned i = 0; i < 16; ++i)
    out[i] = mask >> i & 1 ? yes[i] : no[i];
}
inline void permute(const uint32_t in[16], const uint32_t index[16], uint32_t out[16]) {
  for (unsigned i = 0; i < 16; ++i)
    out[i] = in[index[i] & 15];
}
inline void permute2(const uint32_t low[16], const uint32_t high[16], const uint32_t index[16],
                     uint32_t out[16]) {
  for (unsigned i = 0; i < 16; ++i)
    out[i] = index[i] & 16 ? high[index[i] & 15] : low[index[i] & 15];
}

#endif

} // namespace dojo::emu::DOJO_HOST::lanes

#endif
