// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiled once for each host path. Nothing here but templates and functions of the path's own
// namespace: what another path could share must not be compiled with this one's instructions.
#include "Handlers.h"

#include "Semantics.h"

namespace dojo::emu::DOJO_HOST {
namespace {

using isa::MemAccess;

bool allowed(FastContext &c, unsigned base, uint64_t address, uint64_t bytes, bool write) {
  const Window &w = write ? c.writes[base] : c.reads[base];
  uint64_t offset = address - w.begin;
  if (offset <= w.size && offset + bytes <= w.size) [[likely]]
    return true;
  return c.findWindow(c, base, address, bytes, write);
}

uint64_t addressOf(const FastContext &c, const MemoryOperand &m) {
  uint64_t base = c.r->x[m.base];
  return m.postIncrement ? base : base + static_cast<uint64_t>(int64_t(m.offset));
}

bool crosses(const FastContext &c, const Op &op, uint64_t address) {
  return (address & (c.lineBytes - 1)) + op.accessBytes > c.lineBytes;
}

// Addresses of the memory operands. With `masked`, lanes that the mask takes away do not count.
template <unsigned operands, bool write, bool masked>
bool findAddresses(FastContext &c, const Op &op) {
  uint64_t crossings = 0;
  for (unsigned i = 0; i < operands; ++i) {
    const MemoryOperand &m = op.memory[i];
    uint64_t address = addressOf(c, m);
    if (op.access != MemAccess::Scalar)
      crossings |= uint64_t(crosses(c, op, address)) << i;
    uint32_t lanes = masked ? c.r->m[op.mask] & 0xFFFF : 0xFFFF;
    if (masked && lanes == 0) {
      c.address[i] = 0;
      continue;
    }
    if (address & (op.alignment - 1u)) [[unlikely]]
      return false;
    if (!masked || lanes == 0xFFFF) {
      if (!allowed(c, m.base, address, op.accessBytes, write)) [[unlikely]]
        return false;
    } else {
      unsigned element = op.accessBytes / 16u;
      while (lanes != 0) { // each run of lanes that the mask keeps
        unsigned low = static_cast<unsigned>(__builtin_ctz(lanes));
        unsigned count = static_cast<unsigned>(__builtin_ctz(~(lanes >> low)));
        if (!allowed(c, m.base, address + low * element, count * element, write))
          return false;
        lanes &= ~(((1u << count) - 1) << low);
      }
    }
    c.address[i] = static_cast<int32_t>(address);
  }
  c.crossings |= crossings << op.crossing;
  return true;
}

template <unsigned operands> void postIncrement(FastContext &c, const Op &op) {
  uint64_t base[2];
  for (unsigned i = 0; i < operands; ++i)
    base[i] = c.r->x[op.memory[i].base];
  for (unsigned i = 0; i < operands; ++i) {
    const MemoryOperand &m = op.memory[i];
    if (m.postIncrement && m.base)
      c.r->x[m.base] = base[i] + static_cast<uint64_t>(int64_t(m.offset));
  }
}

template <SemanticFunction f> bool compute(FastContext &c, const Op &op) {
  f(c, op);
  return true;
}

// A store takes its data before its base changes; a load's result stands over the new base.
template <SemanticFunction f, unsigned operands, bool write, bool masked>
bool access(FastContext &c, const Op &op) {
  if (!findAddresses<operands, write, masked>(c, op)) [[unlikely]]
    return false;
  if constexpr (write)
    f(c, op);
  postIncrement<operands>(c, op);
  if constexpr (!write)
    f(c, op);
  return true;
}

template <SemanticFunction f> bool gather(FastContext &c, const Op &op) {
  unsigned baseRegister = op.s[0].reg;
  uint64_t base = c.r->x[baseRegister];
  const Vec &offsets = c.r->v[op.s[1].reg];
  unsigned granules = 64u / op.accessBytes;
  uint32_t mask = static_cast<uint32_t>(c.r->m[op.mask]) & ((1u << granules) - 1);
  uint64_t crossing = 0;
  for (unsigned g = 0; g < granules; ++g) {
    if (!(mask >> g & 1))
      continue;
    uint64_t address = base + (offsets.w[g] & 0xFFFF);
    if ((address & (op.alignment - 1u)) ||
        !allowed(c, baseRegister, address, op.accessBytes, false))
      return false;
    c.granule[g] = static_cast<uint32_t>(address);
    crossing |= uint64_t(crosses(c, op, address));
  }
  c.granuleMask = mask;
  c.crossings |= crossing << op.crossing;
  f(c, op);
  return true;
}

template <SemanticFunction f> Handler choose(const Op &op) {
  bool masked = op.access == MemAccess::Lanes && op.mask != 0;
  if (op.access == MemAccess::None)
    return compute<f>;
  if (op.access == MemAccess::Granules)
    return gather<f>;
  if (op.numMemory == 2)
    return access<f, 2, false, false>;
  if (op.writesMemory)
    return masked ? access<f, 1, true, true> : access<f, 1, true, false>;
  return masked ? access<f, 1, false, true> : access<f, 1, false, false>;
}

} // namespace

Handler handlerOf(const Op &op) {
  switch (op.opcode) {
#define DOJO_SEMANTIC(opcode, function)                                                            \
  case isa::Opcode::opcode:                                                                        \
    return choose<semantics::function>(op);
#include "dojo/ISA/EmulatorDispatch.inc"
  default:
    return nullptr; // reserved, never decoded
  }
}

} // namespace dojo::emu::DOJO_HOST
