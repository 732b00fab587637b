// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar instructions. Memory is little endian whatever the host.
#include "Semantics.h"

namespace dojo::emu::DOJO_HOST::semantics {
namespace {

int64_t asSigned(uint64_t value) { return static_cast<int64_t>(value); }

template <typename F> void scalarBinary(C &c, const Op &op, F f) {
  c.setX(op, f(c.scalar(op, 0), c.scalar(op, 1)));
}

uint64_t loadBytes(const uint8_t *p, unsigned bytes) {
  uint64_t value = 0;
  for (unsigned i = 0; i < bytes; ++i)
    value |= uint64_t(p[i]) << (8 * i);
  return value;
}

// High 64 bits of the signed product, from 32-bit halves.
uint64_t mulHigh(uint64_t a, uint64_t b) {
  uint64_t aLow = a & 0xFFFFFFFF, aHigh = a >> 32, bLow = b & 0xFFFFFFFF, bHigh = b >> 32;
  uint64_t low = aLow * bLow, middle1 = aHigh * bLow, middle2 = aLow * bHigh;
  uint64_t carry = ((low >> 32) + (middle1 & 0xFFFFFFFF) + (middle2 & 0xFFFFFFFF)) >> 32;
  uint64_t high = aHigh * bHigh + (middle1 >> 32) + (middle2 >> 32) + carry;
  return high - (asSigned(a) < 0 ? b : 0) - (asSigned(b) < 0 ? a : 0);
}

constexpr uint64_t leastSigned = uint64_t(1) << 63;

} // namespace

void addX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) { return a + b; });
}
void subX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) { return a - b; });
}
void andX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) { return a & b; });
}
void orX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) { return a | b; });
}
void xorX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) { return a ^ b; });
}
void sllX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) { return a << (b & 63); });
}
void srlX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) { return a >> (b & 63); });
}
void sraX(C &c, const Op &op) {
  scalarBinary(
      c, op, [](uint64_t a, uint64_t b) { return static_cast<uint64_t>(asSigned(a) >> (b & 63)); });
}
void sltX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) { return uint64_t(asSigned(a) < asSigned(b)); });
}
void sltuX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) { return uint64_t(a < b); });
}
void minX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) { return asSigned(a) < asSigned(b) ? a : b; });
}
void maxX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) { return asSigned(a) > asSigned(b) ? a : b; });
}
void minuX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) { return a < b ? a : b; });
}
void maxuX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) { return a > b ? a : b; });
}
void mulX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) { return a * b; });
}
void mulhX(C &c, const Op &op) { scalarBinary(c, op, mulHigh); }

void divX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) -> uint64_t {
    if (b == 0)
      return ~uint64_t(0);
    if (a == leastSigned && b == ~uint64_t(0))
      return a;
    return static_cast<uint64_t>(asSigned(a) / asSigned(b));
  });
}
void divuX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) { return b == 0 ? ~uint64_t(0) : a / b; });
}
void remX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) -> uint64_t {
    if (b == 0)
      return a;
    if (a == leastSigned && b == ~uint64_t(0))
      return 0;
    return static_cast<uint64_t>(asSigned(a) % asSigned(b));
  });
}
void remuX(C &c, const Op &op) {
  scalarBinary(c, op, [](uint64_t a, uint64_t b) { return b == 0 ? a : a % b; });
}

void selX(C &c, const Op &op) { c.setX(op, c.scalar(op, 0) ? c.scalar(op, 1) : c.scalar(op, 2)); }

void liX(C &c, const Op &op) { c.setX(op, c.scalar(op, 0)); }

void lihX(C &c, const Op &op) {
  c.setX(op, uint64_t(uint32_t(op.immediate)) << 32 | (c.x(op.d) & 0xFFFFFFFF));
}

void loadSignedX(C &c, const Op &op) {
  uint64_t value = loadBytes(c.sram + c.address[0], op.accessBytes);
  unsigned unused = 64 - 8 * op.accessBytes;
  c.setX(op, static_cast<uint64_t>(asSigned(value << unused) >> unused));
}

void loadUnsignedX(C &c, const Op &op) {
  c.setX(op, loadBytes(c.sram + c.address[0], op.accessBytes));
}

void storeX(C &c, const Op &op) {
  uint64_t value = c.scalar(op, 0);
  for (unsigned i = 0; i < op.accessBytes; ++i)
    c.sram[c.address[0] + i] = static_cast<uint8_t>(value >> (8 * i));
}

} // namespace dojo::emu::DOJO_HOST::semantics
