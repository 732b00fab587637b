// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dojo/Emulator/HostPath.h"

#include "Handlers.h"

#if DOJO_X86_PATHS
#include <algorithm>
#include <immintrin.h>
#include <x86intrin.h>
#endif

namespace dojo::emu {

const char *name(HostPath path) {
  switch (path) {
  case HostPath::Portable:
    return "portable";
  case HostPath::Avx2:
    return "avx2";
  case HostPath::Avx512:
    return "avx512";
  case HostPath::Avx512Bf16:
    return "avx512-bf16";
  }
  return "";
}

bool supported(HostPath path) {
#if DOJO_X86_PATHS
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  switch (path) {
  case HostPath::Portable:
    return true;
  case HostPath::Avx2:
    return avx2;
  case HostPath::Avx512:
    return avx512;
  case HostPath::Avx512Bf16:
    return avx512 && __builtin_cpu_supports("avx512bf16");
  }
#endif
  return path == HostPath::Portable;
}

#if DOJO_X86_PATHS
namespace {

// vdpbf16ps does the work of two fused multiply-adds. Hosts differ in what it takes: a fourth of
// the time of two, or more than twice their time. Which it is here, a few microseconds tell.
__attribute__((target("avx512f,avx512bf16"))) bool pairsAreFaster() {
  constexpr int chains = 12, rounds = 64;
  uint64_t least[2] = {~uint64_t(0), ~uint64_t(0)};
  for (int trial = 0; trial < 8; ++trial)
    for (int pairs : {0, 1}) {
      __m512 sums[chains], one = _mm512_set1_ps(1);
      for (__m512 &sum : sums)
        sum = _mm512_setzero_ps();
      uint64_t start = __rdtsc();
      for (int round = 0; round < rounds; ++round)
        for (__m512 &sum : sums) {
          if (pairs) {
            sum = _mm512_dpbf16_ps(sum, (__m512bh)one, (__m512bh)one);
          } else {
            sum = _mm512_fmadd_ps(one, one, sum);
            sum = _mm512_fmadd_ps(one, one, sum);
          }
          asm volatile("" : "+v"(sum));
        }
      least[pairs] = std::min<uint64_t>(least[pairs], __rdtsc() - start);
    }
  return least[1] <= least[0];
}

} // namespace
#endif

std::vector<HostPath> supportedHostPaths() {
  std::vector<HostPath> paths;
  for (unsigned i = 0; i < numHostPaths; ++i)
    if (supported(HostPath(i)))
      paths.push_back(HostPath(i));
  return paths;
}

HostPath bestHostPath() {
  static const HostPath best = [] {
    unsigned last = numHostPaths;
    while (--last > 0 && !supported(HostPath(last)))
      ;
#if DOJO_X86_PATHS
    if (HostPath(last) == HostPath::Avx512Bf16 && !pairsAreFaster())
      return HostPath::Avx512;
#endif
    return HostPath(last);
  }();
  return best;
}

Handler handlerOf(HostPath path, const Op &op) {
  switch (path) {
#if DOJO_X86_PATHS
  case HostPath::Avx2:
    return avx2::handlerOf(op);
  case HostPath::Avx512:
    return avx512::handlerOf(op);
  case HostPath::Avx512Bf16:
    return avx512bf16::handlerOf(op);
#endif
  default:
    return portable::handlerOf(op);
  }
}

} // namespace dojo::emu
