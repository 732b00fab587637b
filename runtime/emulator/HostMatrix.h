// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matrix step in the host path's instructions: emu::matrixStep on operands at any address.
#ifndef DOJO_EMULATOR_HOSTMATRIX_H
#define DOJO_EMULATOR_HOSTMATRIX_H

#include "Lanes.h"

#include <cstring>

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

namespace dojo::emu::DOJO_HOST {

#if defined(__AVX512BF16__)

// Two rows of the accumulator in a register. vdpbf16ps adds the product of the odd element first,
// then that of the even one, each as a fused multiply-add, and flushes denormals: the machine's
// own order within a pair.
inline void step(uint32_t acc[64], const void *a, const void *b, bool first) {
  const __m512i evenPairs = _mm512_set_epi32(14, 12, 10, 8, 6, 4, 2, 0, 14, 12, 10, 8, 6, 4, 2, 0);
  const __m512i oddPairs = _mm512_set_epi32(15, 13, 11, 9, 7, 5, 3, 1, 15, 13, 11, 9, 7, 5, 3, 1);
  // Of rows 0 and 1: which pair of A each lane takes.
  const __m512i firstRows = _mm512_set_epi32(2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0);
  __m512i rows = _mm512_loadu_si512(a), columns = _mm512_loadu_si512(b);
  __m512bh b0 = (__m512bh)_mm512_permutexvar_epi32(evenPairs, columns);
  __m512bh b1 = (__m512bh)_mm512_permutexvar_epi32(oddPairs, columns);
  __m512 sums[4];
  for (int i = 0; i < 4; ++i) {
    __m512i lanes = _mm512_add_epi32(firstRows, _mm512_set1_epi32(4 * i));
    __m512bh a0 = (__m512bh)_mm512_permutexvar_epi32(lanes, rows);
    __m512bh a1 =
        (__m512bh)_mm512_permutexvar_epi32(_mm512_add_epi32(lanes, _mm512_set1_epi32(1)), rows);
    __m512 sum = first ? _mm512_setzero_ps() : _mm512_loadu_ps(acc + 16 * i);
    sums[i] = _mm512_dpbf16_ps(_mm512_dpbf16_ps(sum, a0, b0), a1, b1);
  }
  // A NaN anywhere shows in the sum of all.
  __m512 all = _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3]));
  if (_mm512_cmp_ps_mask(all, all, _CMP_UNORD_Q)) [[unlikely]]
    for (__m512 &sum : sums)
      sum = _mm512_mask_mov_ps(sum, _mm512_cmp_ps_mask(sum, sum, _CMP_UNORD_Q),
                               _mm512_castsi512_ps(_mm512_set1_epi32(quietNaN)));
  for (int i = 0; i < 4; ++i)
    _mm512_storeu_ps(acc + 16 * i, sums[i]);
}

#elif defined(__FMA__)

inline void step(uint32_t acc[64], const void *a, const void *b, bool first) {
  uint16_t rows[32], columns[32];
  std::memcpy(rows, a, sizeof rows);
  std::memcpy(columns, b, sizeof columns);
  float byK[4][8];
  for (unsigned k = 0; k < 4; ++k)
    for (unsigned c = 0; c < 8; ++c)
      byK[k][c] = asFloat(fromBf16(columns[4 * c + k]));
  for (unsigned r = 0; r < 8; ++r) {
    float sums[8] = {};
    if (!first)
      std::memcpy(sums, acc + 8 * r, sizeof sums);
    constexpr unsigned order[4] = {1, 0, 3, 2};
    for (unsigned k : order) {
      float x = asFloat(fromBf16(rows[4 * r + k]));
      for (unsigned c = 0; c < 8; ++c)
        sums[c] = __builtin_fmaf(x, byK[k][c], sums[c]);
    }
    for (unsigned c = 0; c < 8; ++c)
      acc[8 * r + c] = lanes::result(sums[c]);
  }
}

#else

inline void step(uint32_t acc[64], const void *a, const void *b, bool first) {
  uint16_t rows[32], columns[32];
  std::memcpy(rows, a, sizeof rows);
  std::memcpy(columns, b, sizeof columns);
  matrixStep(acc, rows, columns, first);
}

#endif

} // namespace dojo::emu::DOJO_HOST

#endif
