// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector loads, stores and gathers, and the matrix unit with its operands. Memory is little endian
// whatever the host.
#include "HostMatrix.h"
#include "Semantics.h"
#include "dojo/Emulator/Numerics.h"

namespace dojo::emu::DOJO_HOST {
namespace {

uint16_t load16(const uint8_t *p) { return static_cast<uint16_t>(p[0] | p[1] << 8); }
uint32_t load32(const uint8_t *p) {
  return p[0] | uint32_t(p[1]) << 8 | uint32_t(p[2]) << 16 | uint32_t(p[3]) << 24;
}
void store16(uint8_t *p, uint32_t value) {
  p[0] = static_cast<uint8_t>(value);
  p[1] = static_cast<uint8_t>(value >> 8);
}

uint32_t widen(const uint8_t *p, isa::EType type) {
  switch (type) {
  case isa::EType::bf16:
    return fromBf16(load16(p));
  case isa::EType::f16:
    return fromF16(load16(p));
  case isa::EType::i8:
    return uint32_t(int32_t(int8_t(p[0])));
  case isa::EType::u8:
    return p[0];
  case isa::EType::i16:
    return uint32_t(int32_t(int16_t(load16(p))));
  case isa::EType::u16:
    return load16(p);
  default:
    return load32(p);
  }
}

uint32_t clampSigned(uint32_t lane, int32_t low, int32_t high) {
  int32_t value = static_cast<int32_t>(lane);
  return static_cast<uint32_t>(value < low ? low : value > high ? high : value);
}

// The low bytes of the result are what is stored.
uint32_t narrow(uint32_t lane, isa::EType type) {
  switch (type) {
  case isa::EType::bf16:
    return toBf16(lane);
  case isa::EType::f16:
    return toF16(lane);
  default:
    return lane;
  }
}

uint32_t narrowSaturating(uint32_t lane, isa::EType type) {
  switch (type) {
  case isa::EType::bf16:
    return toBf16Saturating(lane);
  case isa::EType::f16:
    return toF16Saturating(lane);
  case isa::EType::i8:
    return clampSigned(lane, -128, 127);
  case isa::EType::u8:
    return clampSigned(lane, 0, 255);
  case isa::EType::i16:
    return clampSigned(lane, -32768, 32767);
  case isa::EType::u16:
    return clampSigned(lane, 0, 65535);
  default:
    return lane;
  }
}

// Little-endian hosts copy; others assemble.
constexpr bool hostIsLittle = std::endian::native == std::endian::little;

void loadWords(const uint8_t *p, Vec &out) {
  if constexpr (hostIsLittle)
    std::memcpy(out.w, p, sizeof out.w);
  else
    for (unsigned i = 0; i < 16; ++i)
      out.w[i] = load32(p + 4 * i);
}

void load16s(const uint8_t *p, unsigned count, uint16_t *out) {
  if constexpr (hostIsLittle)
    std::memcpy(out, p, 2 * count);
  else
    for (unsigned i = 0; i < count; ++i)
      out[i] = load16(p + 2 * i);
}

void storeElement(uint8_t *p, unsigned bytes, uint32_t value) {
  p[0] = static_cast<uint8_t>(value);
  if (bytes >= 2)
    store16(p, value);
  if (bytes == 4)
    store16(p + 2, value >> 16);
}

// Lanes [first, first + count) are those that a mask keeps, if they follow each other.
struct LaneRun {
  unsigned first, count;
  explicit LaneRun(uint32_t mask)
      : first(mask ? static_cast<unsigned>(std::countr_zero(mask)) : 0),
        count(static_cast<unsigned>(std::popcount(mask))) {
    if ((mask >> first) != (1u << count) - 1)
      count = 17;
  }
  bool isOne() const { return count <= 16; }
};

template <typename F> void storeLanes(ExecContext &c, const Op &op, F convert) {
  const Vec &v = c.v(op.s[0].reg);
  uint8_t *p = c.sram + c.address[0];
  unsigned bytes = op.accessBytes / 16u;
  uint32_t mask = c.r->m[op.mask] & 0xFFFF;
  LaneRun run(mask);
  if (hostIsLittle && bytes >= 2 && run.isOne()) {
    uint32_t words[16];
    uint16_t halves[16];
    // A loop of its own for what is stored most, so that it vectorises.
    if (op.etype == isa::EType::bf16)
      for (unsigned i = 0; i < 16; ++i)
        halves[i] = static_cast<uint16_t>(convert(v.w[i], isa::EType::bf16));
    else if (bytes == 2)
      for (unsigned i = 0; i < 16; ++i)
        halves[i] = static_cast<uint16_t>(convert(v.w[i], op.etype));
    else
      for (unsigned i = 0; i < 16; ++i)
        words[i] = convert(v.w[i], isa::EType::w32);
    const void *from =
        bytes == 4 ? static_cast<const void *>(words + run.first) : halves + run.first;
    if (run.count == 16)
      std::memcpy(p, from, bytes == 4 ? 64 : 32);
    else
      std::memcpy(p + bytes * run.first, from, bytes * run.count);
    return;
  }
  for (unsigned i = 0; i < 16; ++i)
    if (mask >> i & 1)
      storeElement(p + bytes * i, bytes, convert(v.w[i], op.etype));
}

// A 64-byte operand block as 32 bfloat16, little endian, at any address; `room` for other hosts.
const void *block(const ExecContext &c, const Op &op, unsigned source, uint16_t room[32]) {
  bool memory = op.s[source].kind == SourceKind::Memory;
  const uint8_t *p = memory ? c.sram + c.address[op.s[source].reg] : nullptr;
  const Vec &v = c.v(memory ? 0 : op.s[source].reg);
  if constexpr (hostIsLittle)
    return memory ? static_cast<const void *>(p) : v.w;
  for (unsigned i = 0; i < 32; ++i)
    room[i] = memory ? load16(p + 2 * i) : static_cast<uint16_t>(v.w[i / 2] >> (16 * (i & 1)));
  return room;
}

} // namespace

void loadLanes(const uint8_t *p, isa::EType type, Vec &out) {
  if (type == isa::EType::w32)
    return loadWords(p, out);
  if (type == isa::EType::bf16) {
    uint16_t halves[16];
    load16s(p, 16, halves);
    for (unsigned i = 0; i < 16; ++i)
      out.w[i] = fromBf16(halves[i]);
    return;
  }
  unsigned bytes = isa::elementBytes(type);
  for (unsigned i = 0; i < 16; ++i)
    out.w[i] = widen(p + bytes * i, type);
}

void loadElement(const uint8_t *p, isa::EType type, Vec &out) {
  uint32_t lane = widen(p, type);
  for (uint32_t &w : out.w)
    w = lane;
}

namespace semantics {

void vload(C &c, const Op &op) {
  uint32_t mask = c.r->m[op.mask] & 0xFFFF;
  const uint8_t *p = c.sram + c.address[0];
  Vec &out = c.r->v[op.d];
  if (mask == 0xFFFF)
    return loadLanes(p, op.etype, out);
  unsigned bytes = op.accessBytes / 16u;
  if (LaneRun run(mask); run.isOne()) {
    uint8_t lanes[64] = {};
    std::memcpy(lanes + bytes * run.first, p + bytes * run.first, bytes * run.count);
    return loadLanes(lanes, op.etype, out);
  }
  for (unsigned i = 0; i < 16; ++i)
    out.w[i] = mask >> i & 1 ? widen(p + bytes * i, op.etype) : 0;
}

void vloadBroadcast(C &c, const Op &op) {
  loadElement(c.sram + c.address[0], op.etype, c.r->v[op.d]);
}

void vstore(C &c, const Op &op) {
  storeLanes(c, op, [](uint32_t lane, isa::EType type) { return narrow(lane, type); });
}
void vstoreSat(C &c, const Op &op) {
  storeLanes(c, op, [](uint32_t lane, isa::EType type) { return narrowSaturating(lane, type); });
}

void vgather(C &c, const Op &op) {
  Vec result = {};
  unsigned words = op.accessBytes / 4u;
  for (unsigned g = 0; g < 16 / words; ++g)
    if (c.granuleMask >> g & 1)
      for (unsigned i = 0; i < words; ++i)
        result.w[words * g + i] = load32(c.sram + c.granule[g] + 4 * i);
  c.r->v[op.d] = result;
}

void matrixStep(C &c, const Op &op) {
  uint16_t roomA[32], roomB[32];
  step(c.acc[op.acc], block(c, op, 0, roomA), block(c, op, 1, roomB), op.immediate != 0);
}

void drain(C &c, const Op &op) {
  for (unsigned i = 0; i < 16; ++i)
    c.r->v[op.d].w[i] = c.acc[op.acc][quarterWord(static_cast<unsigned>(op.immediate), i)];
}

void fill(C &c, const Op &op) {
  for (unsigned i = 0; i < 16; ++i)
    c.acc[op.acc][quarterWord(static_cast<unsigned>(op.immediate), i)] = c.v(op.s[1].reg).w[i];
}

} // namespace semantics
} // namespace dojo::emu::DOJO_HOST
