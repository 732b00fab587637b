// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Movement between lanes, comparison, selection, masks.
#include "Lanes.h"
#include "Semantics.h"
#include "dojo/Emulator/Numerics.h"

namespace dojo::emu::DOJO_HOST::semantics {
namespace {

// Bits of the comparison that a condition accepts.
constexpr unsigned Less = 1, Equal = 2, Greater = 4, Unordered = 8;

unsigned accepted(isa::Cond cond) {
  switch (cond) {
  case isa::Cond::eq:
    return Equal;
  case isa::Cond::ne:
    return Less | Greater | Unordered;
  case isa::Cond::lt:
  case isa::Cond::ltu:
    return Less;
  case isa::Cond::le:
  case isa::Cond::leu:
    return Less | Equal;
  case isa::Cond::gt:
  case isa::Cond::gtu:
    return Greater;
  case isa::Cond::ge:
  case isa::Cond::geu:
    return Greater | Equal;
  case isa::Cond::uno:
    return Unordered;
  case isa::Cond::ord:
    return Less | Equal | Greater;
  }
  return 0;
}

template <typename F> void compare(C &c, const Op &op, F relation) {
  Vec room;
  const Vec &a = c.v(op.s[0].reg);
  const Vec &b = vectorSource(c, op, 1, room);
  unsigned wanted = accepted(op.cond);
  Vec hits;
  for (unsigned i = 0; i < 16; ++i)
    hits.w[i] = relation(a.w[i], b.w[i]) & wanted;
  c.setM(op, lanes::nonZero(hits.w));
}

template <typename T> unsigned relationOf(T a, T b) {
  return (a < b ? Less : 0) | (a == b ? Equal : 0) | (a > b ? Greater : 0);
}

uint64_t firstLanes(int64_t count) {
  return count <= 0 ? 0 : count >= 16 ? 0xFFFF : (uint64_t(1) << count) - 1;
}

template <typename F> void maskBinary(C &c, const Op &op, F f) {
  c.setM(op, f(c.r->m[op.s[0].reg], c.r->m[op.s[1].reg]));
}

// Groups of 2^log2 lanes: even groups of the result from group 2j + odd of a, odd ones from b.
void transposeStep(C &c, const Op &op, unsigned odd) {
  const Vec &a = c.v(op.s[0].reg), &b = c.v(op.s[1].reg);
  unsigned group = 1u << op.immediate;
  Vec result;
  for (unsigned i = 0; i < 16; ++i) {
    unsigned from = (i & ~group) | (odd ? group : 0);
    result.w[i] = (i & group) ? b.w[from & 15] : a.w[from & 15];
  }
  c.r->v[op.d] = result;
}

void unpackBF16(C &c, const Op &op, unsigned half) {
  const Vec &a = c.v(op.s[0].reg);
  Vec result;
  for (unsigned i = 0; i < 16; ++i) {
    unsigned element = 16 * half + i;
    result.w[i] = fromBf16(static_cast<uint16_t>(a.w[element / 2] >> (16 * (element & 1))));
  }
  c.r->v[op.d] = result;
}

} // namespace

void viota(C &c, const Op &op) {
  for (unsigned i = 0; i < 16; ++i)
    c.r->v[op.d].w[i] = i;
}

void vextract(C &c, const Op &op) {
  c.setX(op, uint64_t(int64_t(int32_t(c.v(op.s[0].reg).w[op.immediate & 15]))));
}

void vinsert(C &c, const Op &op) {
  c.r->v[op.d].w[op.immediate & 15] = static_cast<uint32_t>(c.x(op.s[0].reg));
}

void vslide(C &c, const Op &op) {
  const Vec &a = c.v(op.s[0].reg);
  Vec result;
  for (unsigned i = 0; i < 16; ++i)
    result.w[i] = a.w[(i + unsigned(op.immediate)) & 15];
  c.r->v[op.d] = result;
}

void vperm(C &c, const Op &op) {
  const Vec &a = c.v(op.s[0].reg), &index = c.v(op.s[1].reg);
  Vec result;
  lanes::permute(a.w, index.w, result.w);
  c.r->v[op.d] = result;
}

void vperm2(C &c, const Op &op) {
  const Vec &a = c.v(op.d), &b = c.v(op.s[0].reg), &index = c.v(op.s[1].reg);
  Vec result;
  lanes::permute2(a.w, b.w, index.w, result.w);
  c.r->v[op.d] = result;
}

void vpackBF16(C &c, const Op &op) {
  const Vec &a = c.v(op.s[0].reg), &b = c.v(op.s[1].reg);
  Vec result;
  for (unsigned i = 0; i < 8; ++i) {
    result.w[i] = toBf16(a.w[2 * i]) | uint32_t(toBf16(a.w[2 * i + 1])) << 16;
    result.w[8 + i] = toBf16(b.w[2 * i]) | uint32_t(toBf16(b.w[2 * i + 1])) << 16;
  }
  c.r->v[op.d] = result;
}

void vunpackLoBF16(C &c, const Op &op) { unpackBF16(c, op, 0); }
void vunpackHiBF16(C &c, const Op &op) { unpackBF16(c, op, 1); }
void vtrnLo(C &c, const Op &op) { transposeStep(c, op, 0); }
void vtrnHi(C &c, const Op &op) { transposeStep(c, op, 1); }

void vfcmp(C &c, const Op &op) {
  compare(c, op, [](uint32_t a, uint32_t b) -> unsigned {
    if (isNaN(a) || isNaN(b))
      return Unordered;
    return relationOf(asFloat(flushDenormal(a)), asFloat(flushDenormal(b)));
  });
}

void vicmp(C &c, const Op &op) {
  if (op.cond >= isa::Cond::ltu)
    compare(c, op, relationOf<uint32_t>);
  else
    compare(c, op, [](uint32_t a, uint32_t b) { return relationOf(int32_t(a), int32_t(b)); });
}

void vsel(C &c, const Op &op) {
  Vec room, result;
  uint64_t mask = c.r->m[op.s[0].reg];
  const Vec &a = c.v(op.s[1].reg);
  const Vec &b = vectorSource(c, op, 2, room);
  lanes::select(mask, a.w, b.w, result.w);
  c.r->v[op.d] = result;
}

void mlanes(C &c, const Op &op) { c.setM(op, firstLanes(int64_t(c.scalar(op, 0)))); }
void mand(C &c, const Op &op) {
  maskBinary(c, op, [](uint64_t a, uint64_t b) { return a & b; });
}
void mor(C &c, const Op &op) {
  maskBinary(c, op, [](uint64_t a, uint64_t b) { return a | b; });
}
void mxor(C &c, const Op &op) {
  maskBinary(c, op, [](uint64_t a, uint64_t b) { return a ^ b; });
}
void mandn(C &c, const Op &op) {
  maskBinary(c, op, [](uint64_t a, uint64_t b) { return a & ~b; });
}
void mmovFromX(C &c, const Op &op) { c.setM(op, c.scalar(op, 0)); }
void mmovToX(C &c, const Op &op) { c.setX(op, c.r->m[op.s[0].reg]); }

} // namespace dojo::emu::DOJO_HOST::semantics
