// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "NativeCode.h"

#include "dojo/Emulator/Numerics.h"

#include <algorithm>
#include <span>

#if DOJO_NATIVE
#include "NativeEmitter.h"

#include <immintrin.h>
#include <sys/mman.h>
#include <utility>
#endif

namespace dojo::emu {

#if DOJO_NATIVE

namespace {

// What is not left to its handler, if all accesses are plain.
bool writtenOut(const Op &op) {
  std::string_view semantic = isa::info(op.opcode).semantic;
  return semantic == "vload" || semantic == "vstore" || semantic == "matrixStep" ||
         semantic == "drain" || computesScalar(semantic);
}

// Before the code: room that tools may read which look in front of a function.
constexpr size_t leadBytes = 64;

} // namespace

NativeCode::NativeCode(const uint8_t *code, size_t bytes)
    : memory(mmap(nullptr, leadBytes + bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                  -1, 0)),
      size(leadBytes + bytes), entry(nullptr) {
  if (memory == MAP_FAILED)
    return;
  uint8_t *begin = static_cast<uint8_t *>(memory) + leadBytes;
  std::memcpy(begin, code, bytes);
  if (mprotect(memory, size, PROT_READ | PROT_EXEC) == 0)
    entry = reinterpret_cast<Function>(begin);
}

NativeCode::~NativeCode() {
  if (memory != MAP_FAILED)
    munmap(memory, size);
}

// Only native code leaves loose NaNs, so the host has its instructions; a host that has not must
// not come to any of them.
[[gnu::noinline, gnu::target("avx512f")]] static void settleNaNs(uint32_t (&accumulator)[64]) {
  for (unsigned i = 0; i < 64; i += 16) {
    uint32_t *words = accumulator + i;
    __m512 values = _mm512_load_ps(words);
    if (__mmask16 nans = _mm512_cmp_ps_mask(values, values, _CMP_UNORD_Q))
      _mm512_mask_store_epi32(words, nans, _mm512_set1_epi32(int(quietNaN)));
  }
}

void settle(FastContext &c) {
  for (unsigned a = 0; a < maxAccumulators; ++a)
    if (std::exchange(c.loose[a], false))
      settleNaNs(c.acc[a]);
}

std::unique_ptr<const NativeCode> makeNative(const Block &block, HostPath path,
                                             const Parameters &parameters) {
  if (path != HostPath::Avx512 && path != HostPath::Avx512Bf16)
    return nullptr;
  if (std::none_of(block.ops.begin(), block.ops.end(), writtenOut))
    return nullptr;
  std::unique_ptr<const NativeCode> code = NativeEmitter(block, path, parameters).finish();
  return code && code->valid() ? std::move(code) : nullptr;
}

#else

NativeCode::~NativeCode() {}
std::unique_ptr<const NativeCode> makeNative(const Block &, HostPath, const Parameters &) {
  return nullptr;
}
uint64_t numNativeBlocks() { return 0; }
void settle(FastContext &) {}

#endif

} // namespace dojo::emu
