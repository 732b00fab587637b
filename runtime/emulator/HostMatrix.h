// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matrix step in the host path's instructions: emu::matrixStep on operands at any address and
// an accumulator in pairs of rows (accWord).
#ifndef DOJO_EMULATOR_HOSTMATRIX_H
#define DOJO_EMULATOR_HOSTMATRIX_H

#include "Execute.h"
#include "Lanes.h"

#ifdef __AVX512BW__
#include "MatrixForms.h"

#include <immintrin.h>
#endif

namespace dojo::emu::DOJO_HOST {

#if defined(__AVX512BW__)

// See MatrixForms.h.
inline void step(uint32_t acc[64], const void *a, const void *b, bool first) {
  __m512i rows = _mm512_shuffle_epi32(_mm512_loadu_si512(a), _MM_PERM_ENUM(rowPairOrder));
  __m512 columns = _mm512_loadu_ps(static_cast<const float *>(b));
  __m512 sums[4];
  for (int q = 0; q < 4; ++q)
    sums[q] = first ? _mm512_setzero_ps() : _mm512_loadu_ps(acc + 16 * q);
  for (int pair = 0; pair < 2; ++pair) {
    __m512i y =
        _mm512_castps_si512(pair ? _mm512_movehdup_ps(columns) : _mm512_moveldup_ps(columns));
    for (int q = 0; q < 4; ++q) {
      __m512i x = _mm512_permutexvar_epi64(_mm512_set1_epi64(2 * q + pair), rows);
#ifdef __AVX512BF16__
      sums[q] = _mm512_dpbf16_ps(sums[q], (__m512bh)x, (__m512bh)y);
#else
      auto even = [](__m512i pairs) { return _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)); };
      auto odd = [](__m512i pairs) {
        return _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(int(oddElement))));
      };
      sums[q] = _mm512_fmadd_ps(odd(x), odd(y), sums[q]);
      sums[q] = _mm512_fmadd_ps(even(x), even(y), sums[q]);
#endif
    }
  }
  // A NaN anywhere shows in the sum of all.
  __m512 all = _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3]));
  if (_mm512_cmp_ps_mask(all, all, _CMP_UNORD_Q)) [[unlikely]]
    for (__m512 &sum : sums)
      sum = _mm512_mask_mov_ps(sum, _mm512_cmp_ps_mask(sum, sum, _CMP_UNORD_Q),
                               _mm512_castsi512_ps(_mm512_set1_epi32(quietNaN)));
  for (int q = 0; q < 4; ++q)
    _mm512_storeu_ps(acc + 16 * q, sums[q]);
}

#elif defined(__FMA__)

inline void step(uint32_t acc[64], const void *a, const void *b, bool first) {
  uint16_t rows[32], columns[32];
  std::memcpy(rows, a, sizeof rows);
  std::memcpy(columns, b, sizeof columns);
  float byK[4][16]; // every column twice
  for (unsigned k = 0; k < 4; ++k)
    for (unsigned i = 0; i < 16; ++i)
      byK[k][i] = asFloat(fromBf16(columns[4 * (i / 2) + k]));
  for (unsigned r = 0; r < 8; r += 2) {
    float sums[16] = {};
    if (!first)
      std::memcpy(sums, acc + accWord(r, 0), sizeof sums);
    constexpr unsigned order[4] = {1, 0, 3, 2};
    for (unsigned k : order) {
      float x[2] = {asFloat(fromBf16(rows[4 * r + k])), asFloat(fromBf16(rows[4 * r + 4 + k]))};
      for (unsigned i = 0; i < 16; ++i)
        sums[i] = __builtin_fmaf(x[i % 2], byK[k][i], sums[i]);
    }
    uint32_t results[16];
    for (unsigned i = 0; i < 16; ++i)
      results[i] = lanes::result(sums[i]);
    std::memcpy(acc + accWord(r, 0), results, sizeof results);
  }
}

#else

inline void step(uint32_t acc[64], const void *a, const void *b, bool first) {
  uint16_t rows[32], columns[32];
  std::memcpy(rows, a, sizeof rows);
  std::memcpy(columns, b, sizeof columns);
  uint32_t byRow[64];
  for (unsigned i = 0; i < 64; ++i)
    byRow[i] = acc[accWord(i / 8, i % 8)];
  matrixStep(byRow, rows, columns, first);
  for (unsigned i = 0; i < 64; ++i)
    acc[accWord(i / 8, i % 8)] = byRow[i];
}

#endif

} // namespace dojo::emu::DOJO_HOST

#endif
