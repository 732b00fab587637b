// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Scalar.h"

#include <algorithm>

namespace dojo::verify {

using isa::Opcode;

namespace {

uint64_t highProduct(int64_t a, int64_t b) {
  // Schoolbook on 32-bit halves, then corrected for the signs.
  uint64_t ua = uint64_t(a), ub = uint64_t(b);
  uint64_t al = ua & 0xFFFFFFFF, ah = ua >> 32, bl = ub & 0xFFFFFFFF, bh = ub >> 32;
  uint64_t middle = ah * bl + (al * bl >> 32);
  uint64_t carry = al * bh + (middle & 0xFFFFFFFF);
  uint64_t high = ah * bh + (middle >> 32) + (carry >> 32);
  if (a < 0)
    high -= ub;
  if (b < 0)
    high -= ua;
  return high;
}

uint64_t signedDivide(int64_t a, int64_t b) {
  if (b == 0)
    return ~uint64_t(0);
  return a == INT64_MIN && b == -1 ? uint64_t(a) : uint64_t(a / b);
}

uint64_t signedRemainder(int64_t a, int64_t b) {
  if (b == 0)
    return uint64_t(a);
  return b == -1 ? 0 : uint64_t(a % b);
}

std::optional<uint64_t> binary(Opcode op, uint64_t a, uint64_t b) {
  int64_t sa = int64_t(a), sb = int64_t(b);
  switch (op) {
  case Opcode::ADD:
  case Opcode::ADDI:
  case Opcode::ADDI_L:
    return a + b;
  case Opcode::SUB:
    return a - b;
  case Opcode::AND:
  case Opcode::ANDI:
  case Opcode::ANDI_L:
    return a & b;
  case Opcode::OR:
  case Opcode::ORI:
  case Opcode::ORI_L:
    return a | b;
  case Opcode::XOR:
  case Opcode::XORI:
  case Opcode::XORI_L:
    return a ^ b;
  case Opcode::SLL:
  case Opcode::SLLI:
    return a << (b % 64);
  case Opcode::SRL:
  case Opcode::SRLI:
    return a >> (b % 64);
  case Opcode::SRA:
  case Opcode::SRAI:
    return uint64_t(sa >> (b % 64));
  case Opcode::SLT:
  case Opcode::SLTI:
    return sa < sb;
  case Opcode::SLTU:
  case Opcode::SLTIU:
    return a < b;
  case Opcode::MIN:
    return uint64_t(std::min(sa, sb));
  case Opcode::MAX:
    return uint64_t(std::max(sa, sb));
  case Opcode::MINU:
    return std::min(a, b);
  case Opcode::MAXU:
    return std::max(a, b);
  case Opcode::MUL:
    return a * b;
  case Opcode::MULH:
    return highProduct(sa, sb);
  case Opcode::DIV:
    return signedDivide(sa, sb);
  case Opcode::DIVU:
    return b ? a / b : ~uint64_t(0);
  case Opcode::REM:
    return signedRemainder(sa, sb);
  case Opcode::REMU:
    return b ? a % b : a;
  default:
    return std::nullopt;
  }
}

} // namespace

std::optional<uint64_t> evaluate(const isa::Inst &inst, const ScalarRegisters &x) {
  if (inst.op == Opcode::LI || inst.op == Opcode::LI_S)
    return uint64_t(int64_t(inst.f[1]));
  if (inst.op == Opcode::LIH) {
    std::optional<uint64_t> low = x.get(inst.f[0]);
    if (!low)
      return std::nullopt;
    return (*low & 0xFFFFFFFF) | uint64_t(uint32_t(inst.f[1])) << 32;
  }
  if (inst.op == Opcode::SEL) {
    std::optional<uint64_t> condition = x.get(inst.f[1]);
    if (!condition)
      return std::nullopt;
    return x.get(*condition ? inst.f[2] : inst.f[3]);
  }
  // xd, xa, then xb or an immediate.
  const isa::InstInfo &info = isa::info(inst.op);
  if (info.numOperands != 3 || info.ops[0].kind != isa::OperandKind::XDef ||
      info.ops[1].kind != isa::OperandKind::XUse)
    return std::nullopt;
  std::optional<uint64_t> a = x.get(inst.f[1]);
  std::optional<uint64_t> b = info.ops[2].kind == isa::OperandKind::XUse
                                  ? x.get(inst.f[2])
                                  : std::optional<uint64_t>(int64_t(inst.f[2]));
  return a && b ? binary(inst.op, *a, *b) : std::nullopt;
}

std::optional<bool> branchTaken(const isa::Inst &inst, const ScalarRegisters &x) {
  std::optional<uint64_t> a = x.get(inst.f[0]), b = x.get(inst.f[1]);
  if (!a || !b)
    return std::nullopt;
  switch (inst.op) {
  case Opcode::BEQ:
    return *a == *b;
  case Opcode::BNE:
    return *a != *b;
  case Opcode::BLT:
    return int64_t(*a) < int64_t(*b);
  case Opcode::BGE:
    return int64_t(*a) >= int64_t(*b);
  case Opcode::BLTU:
    return *a < *b;
  case Opcode::BGEU:
    return *a >= *b;
  default:
    return std::nullopt;
  }
}

uint64_t extendLoad(Opcode op, const uint8_t *bytes) {
  unsigned count = isa::info(op).accessBytes;
  uint64_t value = 0;
  for (unsigned i = 0; i < count; ++i)
    value |= uint64_t(bytes[i]) << (8 * i);
  bool isSigned = op == Opcode::LB || op == Opcode::LH || op == Opcode::LW;
  if (isSigned && value >> (8 * count - 1))
    value |= ~uint64_t(0) << (8 * count);
  return value;
}

} // namespace dojo::verify
