// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matrix step in the host path's instructions: emu::matrixStep on operands at any address and
// an accumulator in quarters (accWord).
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
  __m512i blockA = _mm512_loadu_si512(a), blockB = _mm512_loadu_si512(b), rows[2];
  for (unsigned half = 0; half < 2; ++half)
    rows[half] = _mm512_permutexvar_epi32(_mm512_load_si512(matrixOrder.rows[half]), blockA);
  __m512i columns = _mm512_permutexvar_epi32(_mm512_load_si512(matrixOrder.columns), blockB);
  __m512 sums[4];
  for (int q = 0; q < 4; ++q)
    sums[q] = first ? _mm512_setzero_ps() : _mm512_loadu_ps(acc + 16 * q);
  auto add = [&sums](unsigned q, __m512i x, __m512i y) {
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
  };
  for (unsigned half = 0; half < 2; ++half) { // of the rows
    __m512 pairs = _mm512_castsi512_ps(rows[half]);
    __m512i x0 = _mm512_castps_si512(_mm512_moveldup_ps(pairs));
    __m512i x1 = _mm512_castps_si512(_mm512_movehdup_ps(pairs));
    add(half, x0, _mm512_shuffle_i32x4(columns, columns, 0x00));
    add(half, x1, _mm512_shuffle_i32x4(columns, columns, 0xAA));
    add(2 + half, x0, _mm512_shuffle_i32x4(columns, columns, 0x55));
    add(2 + half, x1, _mm512_shuffle_i32x4(columns, columns, 0xFF));
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
  float byK[4][8];
  for (unsigned k = 0; k < 4; ++k)
    for (unsigned c = 0; c < 8; ++c)
      byK[k][c] = asFloat(fromBf16(columns[4 * c + k]));
  for (unsigned r = 0; r < 8; ++r) {
    float sums[8] = {};
    if (!first)
      for (unsigned c : {0u, 4u})
        std::memcpy(sums + c, acc + accWord(r, c), sizeof sums / 2);
    constexpr unsigned order[4] = {1, 0, 3, 2};
    for (unsigned k : order) {
      float x = asFloat(fromBf16(rows[4 * r + k]));
      for (unsigned c = 0; c < 8; ++c)
        sums[c] = __builtin_fmaf(x, byK[k][c], sums[c]);
    }
    uint32_t results[8];
    for (unsigned c = 0; c < 8; ++c)
      results[c] = lanes::result(sums[c]);
    for (unsigned c : {0u, 4u})
      std::memcpy(acc + accWord(r, c), results + c, sizeof results / 2);
  }
}

#else

inline void step(uint32_t acc[64], const void *a, const void *b, bool first) {
  uint16_t rows[32], columns[32];
  std::memcpy(rows, a, sizeof rows);
  std::memcpy(columns, b, sizeof columns);
  uint32_t byRow[8][8];
  for (unsigned r = 0; r < 8; ++r)
    for (unsigned c : {0u, 4u})
      std::memcpy(byRow[r] + c, acc + accWord(r, c), sizeof byRow[r] / 2);
  matrixStep(byRow[0], rows, columns, first);
  for (unsigned r = 0; r < 8; ++r)
    for (unsigned c : {0u, 4u})
      std::memcpy(acc + accWord(r, c), byRow[r] + c, sizeof byRow[r] / 2);
}

#endif

} // namespace dojo::emu::DOJO_HOST

#endif
