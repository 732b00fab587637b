// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "HostKernels.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#define DOJO_X86 1
#endif

namespace dojo::bench {
namespace {

// Keeps the compiler from dropping work whose result nobody reads.
void use(void *p) { asm volatile("" : : "g"(p) : "memory"); }

//===----------------------------------------------------------------------===//
// Matrix steps
//===----------------------------------------------------------------------===//

constexpr unsigned depth = 128; // steps of k of one block
constexpr unsigned columns = 4; // blocks of 8 columns

struct Operands {
  alignas(64) uint16_t a[depth][32];
  alignas(64) uint16_t b[depth][columns][32];
  alignas(64) float c[8 * 8 * columns];
};

#if DOJO_X86
__attribute__((target("avx512f,avx512bf16"))) void blockBf16(Operands &o) {
  const __m512i even = _mm512_set_epi32(14, 12, 10, 8, 6, 4, 2, 0, 14, 12, 10, 8, 6, 4, 2, 0);
  const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
  __m512 c[4][columns];
  for (auto &row : c)
    for (__m512 &x : row)
      x = _mm512_setzero_ps();
  for (unsigned k = 0; k < depth; ++k) {
    __m512i a = _mm512_load_si512(o.a[k]);
    for (unsigned pair = 0; pair < 2; ++pair) {
      __m512i b[columns];
      for (unsigned j = 0; j < columns; ++j)
        b[j] = _mm512_permutexvar_epi32(pair ? odd : even, _mm512_load_si512(o.b[k][j]));
      for (unsigned i = 0; i < 4; ++i) {
        // Rows 2i and 2i + 1, eight lanes each.
        __m512i rows = _mm512_mask_mov_epi32(_mm512_set1_epi32(int(4 * i + pair)), 0xFF00,
                                             _mm512_set1_epi32(int(4 * i + 2 + pair)));
        __m512i x = _mm512_permutexvar_epi32(rows, a);
        for (unsigned j = 0; j < columns; ++j)
          c[i][j] = _mm512_dpbf16_ps(c[i][j], (__m512bh)x, (__m512bh)b[j]);
      }
    }
  }
  for (unsigned i = 0; i < 4; ++i)
    for (unsigned j = 0; j < columns; ++j)
      _mm512_store_ps(o.c + 16 * (columns * i + j), c[i][j]);
}
#endif

#if DOJO_X86
// A register holds a row of two blocks of columns; A's elements are broadcast from memory. Fused
// multiply-adds, the odd element of a pair first.
__attribute__((target("avx512f"))) void blockAvx512(Operands &o) {
  const __m512i oddHalf = _mm512_set1_epi32(int(0xFFFF0000));
  __m512i pairOf[2];
  pairOf[0] = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  pairOf[1] = _mm512_add_epi32(pairOf[0], _mm512_set1_epi32(1));
  alignas(64) float a[2][2][16]; // by turn; even, odd elements of the pairs
  __m512 c[8][columns / 2];
  for (auto &row : c)
    for (__m512 &x : row)
      x = _mm512_setzero_ps();
  for (unsigned k = 0; k <= depth; ++k) {
    if (k < depth) { // one turn ahead
      __m512i block = _mm512_load_si512(o.a[k]);
      _mm512_store_si512(a[k & 1][0], _mm512_slli_epi32(block, 16));
      _mm512_store_si512(a[k & 1][1], _mm512_and_si512(block, oddHalf));
    }
    asm volatile("" : : : "memory"); // broadcasts come from memory
    if (k == 0)
      continue;
    for (unsigned pair = 0; pair < 2; ++pair) {
      __m512i b[columns / 2];
      for (unsigned j = 0; j < columns / 2; ++j)
        b[j] = _mm512_permutex2var_epi32(_mm512_load_si512(o.b[k - 1][2 * j]), pairOf[pair],
                                         _mm512_load_si512(o.b[k - 1][2 * j + 1]));
      for (unsigned odd : {1u, 0u})
        for (unsigned r = 0; r < 8; ++r) {
          __m512 x = _mm512_set1_ps(a[(k - 1) & 1][odd][2 * r + pair]);
          for (unsigned j = 0; j < columns / 2; ++j) {
            __m512i y = odd ? _mm512_and_si512(b[j], oddHalf) : _mm512_slli_epi32(b[j], 16);
            c[r][j] = _mm512_fmadd_ps(x, _mm512_castsi512_ps(y), c[r][j]);
          }
        }
    }
  }
  for (unsigned r = 0; r < 8; ++r)
    for (unsigned j = 0; j < columns / 2; ++j)
      _mm512_store_ps(o.c + 16 * (columns / 2 * r + j), c[r][j]);
}
#endif

// One row at a time: its 32 sums stay in registers.
[[gnu::always_inline]] inline void blockFloat(Operands &o) {
  auto widen = [](uint16_t h) {
    uint32_t bits = uint32_t(h) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  };
  for (unsigned r = 0; r < 8; ++r) {
    float c[8 * columns] = {};
    for (unsigned k = 0; k < depth; ++k)
      for (unsigned i : {1u, 0u, 3u, 2u}) {
        float a = widen(o.a[k][4 * r + i]);
        const uint16_t *b = o.b[k][0];
        for (unsigned n = 0; n < 8 * columns; ++n)
          c[n] = __builtin_fmaf(a, widen(b[4 * n + i]), c[n]);
      }
    std::memcpy(o.c + 8 * columns * r, c, sizeof c);
  }
}

#if DOJO_X86
__attribute__((target("avx2,fma"))) void blockAvx2(Operands &o) { blockFloat(o); }
#endif
void blockPortable(Operands &o) { blockFloat(o); }

struct MatrixPath {
  const char *name;
  void (*block)(Operands &);
};

#if DOJO_X86
// The least of some trials.
double seconds(void (*block)(Operands &)) {
  auto operands = std::make_unique<Operands>();
  double least = 1;
  for (unsigned trial = 0; trial < 50; ++trial) {
    auto start = std::chrono::steady_clock::now();
    block(*operands);
    least = std::min(
        least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least;
}
#endif

MatrixPath findMatrixPath() {
#if DOJO_X86
  __builtin_cpu_init();
  // On some hosts vdpbf16ps is slower than the multiply-adds it stands for.
  if (__builtin_cpu_supports("avx512bf16") && seconds(blockBf16) < seconds(blockAvx512))
    return {"avx512-bf16", blockBf16};
  if (__builtin_cpu_supports("avx512f"))
    return {"avx512", blockAvx512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {"avx2", blockAvx2};
#endif
  return {"portable", blockPortable};
}

const MatrixPath &matrixPath() {
  static const MatrixPath path = findMatrixPath();
  return path;
}

class Matrix final : public HostKernel {
public:
  Matrix() {
    std::mt19937 engine(1);
    auto fill = [&](uint16_t *p, size_t count) {
      for (size_t i = 0; i < count; ++i)
        p[i] = uint16_t(0x3F80 + engine() % 64); // 1 to 1.5
    };
    fill(operands->a[0], depth * 32);
    fill(operands->b[0][0], depth * columns * 32);
  }
  uint64_t run() override {
    constexpr unsigned rounds = 32;
    for (unsigned i = 0; i < rounds; ++i) {
      path.block(*operands);
      use(operands.get());
    }
    return uint64_t(rounds) * depth * columns;
  }

private:
  MatrixPath path = matrixPath();
  std::unique_ptr<Operands> operands = std::make_unique<Operands>();
};

//===----------------------------------------------------------------------===//
// Other instructions
//===----------------------------------------------------------------------===//

struct State {
  alignas(64) uint32_t v[32][16];
  uint64_t x[32];
  uint8_t *memory;
};

struct Handler {
  void (*call)(State &, const Handler &);
  uint8_t d, a, b;
  uint32_t offset;
};

void addScalar(State &s, const Handler &h) { s.x[h.d] = s.x[h.a] + s.x[h.b]; }
void load64(State &s, const Handler &h) { std::memcpy(s.v[h.d], s.memory + h.offset, 64); }
void addLanes(State &s, const Handler &h) {
  for (unsigned i = 0; i < 16; ++i)
    s.v[h.d][i] = s.v[h.a][i] + s.v[h.b][i];
}

class Instructions final : public HostKernel {
public:
  Instructions() : state(std::make_unique<State>()), memory(1 << 16) {
    std::memset(static_cast<void *>(state.get()), 0, sizeof *state);
    state->memory = memory.data();
    std::mt19937 engine(2);
    void (*calls[])(State &, const Handler &) = {addScalar, load64, addScalar, load64, addLanes};
    for (Handler &h : handlers) {
      h.call = calls[engine() % std::size(calls)];
      h.d = uint8_t(engine() % 32);
      h.a = uint8_t(engine() % 32);
      h.b = uint8_t(engine() % 32);
      h.offset = engine() % ((1 << 16) / 64) * 64;
    }
  }
  uint64_t run() override {
    constexpr unsigned rounds = 64;
    for (unsigned i = 0; i < rounds; ++i)
      for (const Handler &h : handlers)
        h.call(*state, h);
    use(state.get());
    return uint64_t(rounds) * std::size(handlers);
  }

private:
  std::unique_ptr<State> state;
  std::vector<uint8_t> memory;
  Handler handlers[64];
};

//===----------------------------------------------------------------------===//
// Packets
//===----------------------------------------------------------------------===//

class Packets final : public HostKernel {
public:
  Packets() : memory(size_t(64) << 20, 1), links(1440) {}
  uint64_t run() override {
    constexpr unsigned trains = 256, packets = 16, bytes = packets * 64;
    for (unsigned i = 0; i < trains; ++i) {
      uint64_t t = ++now;
      for (unsigned hop = 0; hop < 4; ++hop) {
        uint64_t &link = links[(engine() >> 8) % links.size()];
        t = std::max(t + 1, link);
        link = t + packets;
      }
      size_t from = engine() % (memory.size() / bytes), to = engine() % (memory.size() / bytes);
      std::memmove(memory.data() + to * bytes, memory.data() + from * bytes, bytes);
    }
    use(memory.data());
    return uint64_t(trains) * packets;
  }

private:
  std::vector<uint8_t> memory;
  std::vector<uint64_t> links;
  std::minstd_rand engine;
  uint64_t now = 0;
};

} // namespace

double roundTripSeconds() {
  constexpr unsigned trips = 10'000;
  alignas(64) std::atomic<unsigned> word{0}; // even: the other thread's turn is over
  auto await = [&word](unsigned value) {
    for (unsigned i = 1; word.load(std::memory_order_acquire) != value; ++i)
      if (i % 4096 == 0)
        std::this_thread::yield(); // the other may have no core
  };
  std::thread other([&] {
    for (unsigned i = 0; i <= trips; ++i) {
      await(2 * i + 1);
      word.store(2 * i + 2, std::memory_order_release);
    }
  });
  std::chrono::steady_clock::time_point begin;
  for (unsigned i = 0; i <= trips; ++i) {
    word.store(2 * i + 1, std::memory_order_release);
    await(2 * i + 2);
    if (i == 0) // the other thread is there
      begin = std::chrono::steady_clock::now();
  }
  std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  other.join();
  return taken.count() / trips;
}

std::unique_ptr<HostKernel> matrixKernel() { return std::make_unique<Matrix>(); }
const char *matrixKernelName() { return matrixPath().name; }
std::unique_ptr<HostKernel> instructionKernel() { return std::make_unique<Instructions>(); }
std::unique_ptr<HostKernel> packetKernel() { return std::make_unique<Packets>(); }

} // namespace dojo::bench
