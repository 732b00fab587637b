// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on 16 lanes. Loops over lanes write to a local result, so that they vectorise and
// source and destination may be one register.
#include "Lanes.h"
#include "Semantics.h"
#include "dojo/Emulator/Numerics.h"

namespace dojo::emu::DOJO_HOST::semantics {
namespace {

template <typename F> void unary(C &c, const Op &op, F f) {
  Vec room, result;
  const Vec &a = vectorSource(c, op, 0, room);
  for (unsigned i = 0; i < 16; ++i)
    result.w[i] = f(a.w[i]);
  c.r->v[op.d] = result;
}

template <typename F> void binary(C &c, const Op &op, F f) {
  Vec room, result;
  const Vec &a = c.v(op.s[0].reg);
  const Vec &b = vectorSource(c, op, 1, room);
  for (unsigned i = 0; i < 16; ++i)
    result.w[i] = f(a.w[i], b.w[i]);
  c.r->v[op.d] = result;
}

template <typename F> void ternary(C &c, const Op &op, F f) {
  Vec room1, room2, result;
  const Vec &a = c.v(op.s[0].reg);
  const Vec &b = vectorSource(c, op, 1, room1);
  const Vec &d = vectorSource(c, op, 2, room2);
  for (unsigned i = 0; i < 16; ++i)
    result.w[i] = f(a.w[i], b.w[i], d.w[i]);
  c.r->v[op.d] = result;
}

int32_t asSigned(uint32_t value) { return static_cast<int32_t>(value); }

} // namespace

void vfadd(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return lanes::add(a, b); });
}
void vfsub(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return lanes::add(a, b ^ signBit); });
}
void vfsubReverse(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return lanes::add(b, a ^ signBit); });
}
void vfmul(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return lanes::mul(a, b); });
}
void vfmin(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return minF32(a, b); });
}
void vfmax(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return maxF32(a, b); });
}
void viadd(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return a + b; });
}
void visub(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return a - b; });
}
void visubReverse(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return b - a; });
}
void vimul(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return a * b; });
}
void vimin(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return asSigned(a) < asSigned(b) ? a : b; });
}
void vimax(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return asSigned(a) > asSigned(b) ? a : b; });
}
void viminu(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return a < b ? a : b; });
}
void vimaxu(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return a > b ? a : b; });
}
void viand(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return a & b; });
}
void vior(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return a | b; });
}
void vixor(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return a ^ b; });
}
void vishl(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return a << (b & 31); });
}
void vishr(C &c, const Op &op) {
  binary(c, op, [](uint32_t a, uint32_t b) { return a >> (b & 31); });
}
void visra(C &c, const Op &op) {
  binary(c, op,
         [](uint32_t a, uint32_t b) { return static_cast<uint32_t>(asSigned(a) >> (b & 31)); });
}

void vfma(C &c, const Op &op) {
  ternary(c, op, [](uint32_t a, uint32_t b, uint32_t d) { return lanes::fma(a, b, d); });
}
void vfnma(C &c, const Op &op) {
  ternary(c, op, [](uint32_t a, uint32_t b, uint32_t d) { return lanes::fma(a ^ signBit, b, d); });
}
void vfclamp(C &c, const Op &op) {
  ternary(c, op,
          [](uint32_t a, uint32_t low, uint32_t high) { return minF32(maxF32(a, low), high); });
}

void vmov(C &c, const Op &op) {
  unary(c, op, [](uint32_t a) { return a; });
}
void vfneg(C &c, const Op &op) {
  unary(c, op, [](uint32_t a) { return a ^ signBit; });
}
void vfabs(C &c, const Op &op) {
  unary(c, op, [](uint32_t a) { return a & ~signBit; });
}
void vnot(C &c, const Op &op) {
  unary(c, op, [](uint32_t a) { return ~a; });
}
void vffloor(C &c, const Op &op) { unary(c, op, floorF32); }
void vfceil(C &c, const Op &op) { unary(c, op, ceilF32); }
void vftrunc(C &c, const Op &op) { unary(c, op, truncF32); }
void vfrint(C &c, const Op &op) { unary(c, op, nearestEvenF32); }
void vcvtF2I(C &c, const Op &op) { unary(c, op, toSigned); }
void vcvtF2U(C &c, const Op &op) { unary(c, op, toUnsigned); }
void vcvtI2F(C &c, const Op &op) { unary(c, op, fromSigned); }
void vcvtU2F(C &c, const Op &op) { unary(c, op, fromUnsigned); }
void vrcpe(C &c, const Op &op) { unary(c, op, reciprocalEstimate); }
void vrsqrte(C &c, const Op &op) { unary(c, op, reciprocalSqrtEstimate); }
void vexp2e(C &c, const Op &op) { unary(c, op, exp2Estimate); }
void vlog2e(C &c, const Op &op) { unary(c, op, log2Estimate); }

} // namespace dojo::emu::DOJO_HOST::semantics
