// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers of 16 lanes, masks and accumulators: what is defined, and integers as far as they are
// known (they become offsets of gathers, indices of shuffles, masks of loads).

#include "KernelRun.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace dojo::verify {

using isa::Inst;
using isa::Opcode;
using isa::OperandKind;

/// All four bytes of each lane.
uint64_t KernelRun::spread(uint16_t lanes) {
  uint64_t bytes = 0;
  for (unsigned i = 0; lanes >> i; ++i)
    if (lanes >> i & 1)
      bytes |= uint64_t(0xF) << (4 * i);
  return bytes;
}

/// Lanes of which a byte is in the set.
uint16_t KernelRun::gatherLanes(uint64_t bytes) {
  uint16_t lanes = 0;
  for (unsigned i = 0; bytes && i < 16; ++i)
    if (bytes >> (4 * i) & 0xF)
      lanes |= uint16_t(1 << i);
  return lanes;
}

void KernelRun::mask(const Op &op) {
  const Inst &inst = op.inst;
  auto both = [&](auto fn) {
    const Mask &a = m[inst.f[1]], &b = m[inst.f[2]];
    Mask out{uint16_t(a.undefined | b.undefined), std::nullopt};
    if (a.value && b.value)
      out.value = fn(*a.value, *b.value);
    return out;
  };
  auto ofScalar = [&](int reg) {
    return Mask{uint16_t(isUndefined(reg) ? 0xFFFF : 0), std::nullopt};
  };
  Mask out;
  switch (inst.op) {
  case Opcode::MLANES: {
    out = ofScalar(inst.f[1]);
    if (std::optional<uint64_t> n = x.get(inst.f[1]))
      out.value = (uint64_t(1) << std::clamp<int64_t>(int64_t(*n), 0, 16)) - 1;
    break;
  }
  case Opcode::MLANES_I:
    out = {0, (uint64_t(1) << inst.f[1]) - 1};
    break;
  case Opcode::MMOV_X:
    out = ofScalar(inst.f[1]);
    out.value = x.get(inst.f[1]);
    break;
  case Opcode::MMOV_M: {
    const Mask &from = m[inst.f[1]];
    uint32_t bit = op.changes;
    x.set(inst.f[0], from.value);
    set |= bit;
    undefinedScalars = from.undefined ? undefinedScalars | bit : undefinedScalars & ~bit;
    return;
  }
  case Opcode::MAND:
    out = both([](uint64_t a, uint64_t b) { return a & b; });
    break;
  case Opcode::MOR:
    out = both([](uint64_t a, uint64_t b) { return a | b; });
    break;
  case Opcode::MXOR:
    out = both([](uint64_t a, uint64_t b) { return a ^ b; });
    break;
  case Opcode::MANDN:
    out = both([](uint64_t a, uint64_t b) { return a & ~b; });
    break;
  default:
    break;
  }
  if (inst.f[0] != 0) // m0 always reads all ones
    m[inst.f[0]] = out;
}

/// Integer operations whose results may become addresses or indices.
bool KernelRun::evaluateLanes(const Inst &inst, const Vector &a, const Vector &b, Vector &out) {
  auto each = [&](auto fn) {
    for (int i = 0; i < 16; ++i)
      out.lanes[i] = fn(a.lanes[i], b.lanes[i]);
    return true;
  };
  switch (inst.op) {
  case Opcode::VIADD:
  case Opcode::VIADD_X:
    return each([](uint32_t p, uint32_t q) { return p + q; });
  case Opcode::VISUB:
  case Opcode::VISUB_X:
    return each([](uint32_t p, uint32_t q) { return p - q; });
  case Opcode::VISUB_XR:
    return each([](uint32_t p, uint32_t q) { return q - p; });
  case Opcode::VIMUL:
  case Opcode::VIMUL_X:
    return each([](uint32_t p, uint32_t q) { return p * q; });
  case Opcode::VIAND:
  case Opcode::VIAND_X:
    return each([](uint32_t p, uint32_t q) { return p & q; });
  case Opcode::VIOR:
  case Opcode::VIOR_X:
    return each([](uint32_t p, uint32_t q) { return p | q; });
  case Opcode::VIXOR:
  case Opcode::VIXOR_X:
    return each([](uint32_t p, uint32_t q) { return p ^ q; });
  case Opcode::VISHL:
  case Opcode::VISHL_X:
    return each([](uint32_t p, uint32_t q) { return p << (q % 32); });
  case Opcode::VISHR:
  case Opcode::VISHR_X:
    return each([](uint32_t p, uint32_t q) { return p >> (q % 32); });
  case Opcode::VISRA:
  case Opcode::VISRA_X:
    return each([](uint32_t p, uint32_t q) { return uint32_t(int32_t(p) >> (q % 32)); });
  case Opcode::VIMIN:
  case Opcode::VIMIN_X:
    return each([](uint32_t p, uint32_t q) { return int32_t(p) < int32_t(q) ? p : q; });
  case Opcode::VIMAX:
  case Opcode::VIMAX_X:
    return each([](uint32_t p, uint32_t q) { return int32_t(p) > int32_t(q) ? p : q; });
  case Opcode::VIMINU:
  case Opcode::VIMINU_X:
    return each([](uint32_t p, uint32_t q) { return std::min(p, q); });
  case Opcode::VIMAXU:
  case Opcode::VIMAXU_X:
    return each([](uint32_t p, uint32_t q) { return std::max(p, q); });
  default:
    return false;
  }
}

/// Those operations on numbers by which offsets are computed. False if one of the results is not a
/// plain number, of which only the machine's own rules tell.
bool KernelRun::evaluateFloats(const Inst &inst, const std::array<Vector, 3> &operands,
                               unsigned count, Vector &out) {
  auto each = [&](auto fn) {
    for (int i = 0; i < 16; ++i) {
      float value[3] = {0, 0, 0};
      for (unsigned k = 0; k < count; ++k)
        value[k] = std::bit_cast<float>(operands[k].lanes[i]);
      float result = fn(value[0], value[1], value[2]);
      if (result != 0 && !std::isnormal(result))
        return false;
      out.lanes[i] = std::bit_cast<uint32_t>(result);
    }
    return true;
  };
  switch (inst.op) {
  case Opcode::VFADD:
  case Opcode::VFADD_X:
    return each([](float a, float b, float) { return a + b; });
  case Opcode::VFSUB:
  case Opcode::VFSUB_X:
    return each([](float a, float b, float) { return a - b; });
  case Opcode::VFMUL:
  case Opcode::VFMUL_X:
    return each([](float a, float b, float) { return a * b; });
  case Opcode::VFMA:
  case Opcode::VFMA_X:
  case Opcode::VFMA_CX:
    return each([](float a, float b, float c) { return std::fma(a, b, c); });
  case Opcode::VFTRUNC:
    return each([](float a, float, float) { return std::trunc(a); });
  case Opcode::VFFLOOR:
    return each([](float a, float, float) { return std::floor(a); });
  case Opcode::VCVT_I2F:
    for (int i = 0; i < 16; ++i)
      out.lanes[i] = std::bit_cast<uint32_t>(float(int32_t(operands[0].lanes[i])));
    return true;
  case Opcode::VCVT_F2I:
    for (int i = 0; i < 16; ++i) {
      float value = std::bit_cast<float>(operands[0].lanes[i]);
      if (!(std::fabs(value) < 0x1p30f))
        return false;
      out.lanes[i] = uint32_t(int32_t(value));
    }
    return true;
  default:
    return false;
  }
}

/// Operations lane by lane, compares included: a lane of the result is defined if the lanes of the
/// operands are.
bool KernelRun::lanes(const Op &op) {
  const Inst &inst = op.inst;
  const isa::InstInfo &info = *op.info;
  if (inst.op == Opcode::VIOTA) {
    Vector &out = v[inst.f[0]];
    out.undefined = 0, out.known = true;
    for (uint32_t i = 0; i < 16; ++i)
      out.lanes[i] = i;
    return true;
  }
  if (inst.op == Opcode::VMOV) {
    v[inst.f[0]] = v[inst.f[1]];
    return true;
  }
  bool cancels = (inst.op == Opcode::VIXOR || inst.op == Opcode::VISUB) && inst.f[1] == inst.f[2];
  if (cancels) {
    v[inst.f[0]] = {0, true, {}};
    return true;
  }
  std::array<Vector, 3> operands;
  unsigned count = 0;
  uint16_t bad = 0;
  const Mask *selector = nullptr;
  for (unsigned i = 1; i < info.numOperands; ++i) {
    Vector operand;
    int field = inst.f[i];
    switch (info.ops[i].kind) {
    case OperandKind::VUse:
      operand = v[field];
      break;
    case OperandKind::XUse:
      operand.undefined = isUndefined(field) ? ~uint64_t(0) : 0;
      if (std::optional<uint64_t> value = x.get(field)) {
        operand.known = true;
        operand.lanes.fill(uint32_t(*value));
      }
      break;
    case OperandKind::MemBase:
      if (!memoryLanes(op, i, operand))
        return false;
      break;
    case OperandKind::MUse:
      selector = &m[field];
      bad |= selector->undefined;
      continue;
    default:
      continue;
    }
    if (count < 3)
      operands[count++] = operand;
  }
  if (selector && count == 2 && selector->value) {
    // A select takes each lane from one side only.
    Vector out{0, operands[0].known && operands[1].known, {}};
    for (unsigned i = 0; i < 16; ++i) {
      const Vector &side = operands[*selector->value >> i & 1 ? 0 : 1];
      out.lanes[i] = side.lanes[i];
      out.undefined |= side.undefined & (uint64_t(0xF) << (4 * i));
    }
    out.undefined |= spread(bad);
    v[inst.f[0]] = out;
    return true;
  }
  for (unsigned i = 0; i < count; ++i)
    bad |= gatherLanes(operands[i].undefined);
  if (op.kind == Class::Compare) {
    if (inst.f[0] != 0)
      m[inst.f[0]] = {bad, std::nullopt};
    return true;
  }
  Vector out;
  bool known = count > 0;
  for (unsigned i = 0; i < count; ++i)
    known &= operands[i].known;
  if (inst.op == Opcode::VMOV_X)
    out = operands[0];
  else
    out.known = known && ((count == 2 && evaluateLanes(inst, operands[0], operands[1], out)) ||
                          evaluateFloats(inst, operands, count, out));
  out.undefined = spread(bad);
  v[inst.f[0]] = out;
  return true;
}

/// Operations that move bytes between lanes.
void KernelRun::shuffle(const Op &op) {
  const Inst &inst = op.inst;
  auto nibble = [](uint64_t bytes, unsigned lane) { return bytes >> (4 * lane) & 0xF; };
  Vector out{0, false, {}};
  switch (inst.op) {
  case Opcode::VEXTRACT: {
    const Vector &from = v[inst.f[1]];
    std::optional<uint64_t> value;
    if (from.known)
      value = uint64_t(int64_t(int32_t(from.lanes[inst.f[2]])));
    x.set(inst.f[0], value);
    set |= op.changes;
    bool bad = nibble(from.undefined, inst.f[2]) != 0;
    undefinedScalars = bad ? undefinedScalars | op.changes : undefinedScalars & ~op.changes;
    return;
  }
  case Opcode::VINSERT: {
    // vd, xa, lane: the other lanes stay.
    out = v[inst.f[0]];
    uint64_t lane = uint64_t(0xF) << (4 * inst.f[2]);
    out.undefined = isUndefined(inst.f[1]) ? out.undefined | lane : out.undefined & ~lane;
    std::optional<uint64_t> value = x.get(inst.f[1]);
    out.known &= value.has_value();
    if (value)
      out.lanes[inst.f[2]] = uint32_t(*value);
    break;
  }
  case Opcode::VSLIDE: {
    const Vector &from = v[inst.f[1]];
    out.known = from.known;
    for (unsigned i = 0; i < 16; ++i) {
      unsigned source = (i + unsigned(inst.f[2])) % 16;
      out.lanes[i] = from.lanes[source];
      out.undefined |= nibble(from.undefined, source) << (4 * i);
    }
    break;
  }
  case Opcode::VPERM:
  case Opcode::VPERM2: {
    bool two = inst.op == Opcode::VPERM2;
    const Vector &low = v[two ? inst.f[0] : inst.f[1]], &high = v[inst.f[1]];
    const Vector &index = v[inst.f[2]];
    out.known = index.known && low.known && (!two || high.known);
    for (unsigned i = 0; i < 16; ++i) {
      if (!index.known) {
        if (low.undefined || (two && high.undefined))
          out.undefined = ~uint64_t(0);
        continue;
      }
      unsigned source = index.lanes[i] % (two ? 32 : 16);
      const Vector &from = source < 16 ? low : high;
      out.lanes[i] = from.lanes[source % 16];
      out.undefined |= nibble(from.undefined, source % 16) << (4 * i);
    }
    out.undefined |= spread(gatherLanes(index.undefined));
    break;
  }
  case Opcode::VPACK_BF16: {
    uint16_t a = gatherLanes(v[inst.f[1]].undefined), b = gatherLanes(v[inst.f[2]].undefined);
    for (unsigned i = 0; i < 16; ++i)
      out.undefined |= (a >> i & 1 ? uint64_t(3) << (2 * i) : 0) |
                       (b >> i & 1 ? uint64_t(3) << (32 + 2 * i) : 0);
    break;
  }
  case Opcode::VUNPACK_LO_BF16:
  case Opcode::VUNPACK_HI_BF16: {
    uint64_t from = v[inst.f[1]].undefined >> (inst.op == Opcode::VUNPACK_HI_BF16 ? 32 : 0);
    uint16_t bad = 0;
    for (unsigned i = 0; i < 16; ++i)
      if (from >> (2 * i) & 3)
        bad |= uint16_t(1 << i);
    out.undefined = spread(bad);
    break;
  }
  default: { // vtrnlo, vtrnhi: even (odd) groups of a and b, interleaved
    const Vector &a = v[inst.f[1]], &b = v[inst.f[2]];
    unsigned group = 1u << inst.f[3], odd = inst.op == Opcode::VTRNHI ? group : 0;
    out.known = a.known && b.known;
    for (unsigned i = 0; i < 16; ++i) {
      const Vector &from = i & group ? b : a;
      unsigned source = ((i & ~group) + odd) % 16;
      out.lanes[i] = from.lanes[source];
      out.undefined |= nibble(from.undefined, source) << (4 * i);
    }
    break;
  }
  }
  v[inst.f[0]] = out;
}

bool KernelRun::matrix(const Op &op) {
  const Inst &inst = op.inst;
  if (op.kind == Class::Drain || op.kind == Class::Fill) {
    bool drain = op.kind == Class::Drain;
    auto &rows = accumulators[inst.f[drain ? 1 : 0]];
    unsigned q = unsigned(inst.f[drain ? 2 : 1]), row = 4 * (q & 1), column = 4 * (q >> 1);
    Vector &vector = v[inst.f[drain ? 0 : 2]];
    if (drain)
      vector = {0, false, {}};
    for (unsigned lane = 0; lane < 16; ++lane) {
      uint8_t bit = uint8_t(1 << (column + lane % 4));
      uint8_t &line = rows[row + lane / 4];
      if (drain)
        vector.undefined |= line & bit ? uint64_t(0xF) << (4 * lane) : 0;
      else
        line = vector.undefined >> (4 * lane) & 0xF ? line | bit : line & uint8_t(~bit);
    }
    return true;
  }
  // Operand blocks: 8 rows of 8 bytes; rows of A are rows of the product, rows of B its columns.
  uint64_t blocks[2] = {0, 0};
  unsigned count = 0;
  bool first = false;
  for (unsigned i = 1; i < op.info->numOperands; ++i) {
    OperandKind kind = op.info->ops[i].kind;
    if (kind == OperandKind::VUse) {
      blocks[count++] = v[inst.f[i]].undefined;
    } else if (kind == OperandKind::MemBase) {
      int64_t at;
      if (!address(inst, i, 64, at))
        return false;
      blocks[count++] = read(at, 64, ~uint64_t(0));
    } else if (kind == OperandKind::Uimm) {
      first = inst.f[i] != 0;
    }
    if (count == 2 && kind == OperandKind::Uimm)
      break;
  }
  uint8_t bad[2] = {0, 0};
  for (int side = 0; side < 2; ++side)
    for (unsigned r = 0; r < 8; ++r)
      if (blocks[side] >> (8 * r) & 0xFF)
        bad[side] |= uint8_t(1 << r);
  auto &rows = accumulators[inst.f[0]];
  for (unsigned r = 0; r < 8; ++r)
    rows[r] = uint8_t((first ? 0 : rows[r]) | bad[1] | (bad[0] >> r & 1 ? 0xFF : 0));
  return true;
}

} // namespace dojo::verify
