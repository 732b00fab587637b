// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Addresses of instructions: where they lie, whether they may, what crossing a line costs.
#include "Checks.h"

#include <cstdio>

namespace dojo::emu {

using isa::MemAccess;

namespace {

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

bool covered(const std::vector<Interval> &intervals, uint32_t begin, uint32_t end) {
  auto next =
      std::upper_bound(intervals.begin(), intervals.end(), begin,
                       [](uint32_t address, const Interval &i) { return address < i.begin; });
  return next != intervals.begin() && std::prev(next)->end >= end;
}

} // namespace

const CodeSegment *Node::findCode(int64_t address, int64_t bytes) const {
  auto next =
      std::upper_bound(code.segments.begin(), code.segments.end(), address,
                       [](int64_t a, const CodeSegment &s) { return a < int64_t(s.begin); });
  if (next != code.segments.begin() && address < int64_t(std::prev(next)->end))
    return &*std::prev(next);
  if (next != code.segments.end() && int64_t(next->begin) < address + bytes)
    return &*next;
  return nullptr;
}

bool Node::check(Thread &t, const Op &op, uint64_t address, uint64_t bytes, uint64_t cycle) {
  const char *verb = op.writesMemory ? "store" : "load";
  if (address > p.sramBytes || bytes > p.sramBytes - address) {
    raise(FaultClass::OutOfRange, &t, cycle,
          std::string(verb) + " of " + std::to_string(bytes) + " bytes at " + hex(address) +
              "; the SRAM ends at " + hex(p.sramBytes));
    return false;
  }
  if (op.writesMemory && codeIn(int64_t(address), int64_t(bytes))) {
    raise(FaultClass::CodeWrite, &t, cycle,
          "store of " + std::to_string(bytes) + " bytes at " + hex(address) + " writes code");
    return false;
  }
  auto begin = static_cast<uint32_t>(address);
  auto size = static_cast<uint32_t>(bytes);
  if (t.range->declaration && !checkDeclared(t, op.writesMemory, begin, begin + size, cycle))
    return false;
  if (stops && op.writesMemory)
    noteStore(t, begin, size, cycle);
  if (checks)
    checks->accesses(t, op, begin, size, cycle);
  return true;
}

bool Node::checkDeclared(Thread &t, bool write, uint32_t begin, uint32_t end, uint64_t cycle) {
  if (covered(write ? t.range->declaration->writes : t.range->declaration->reads, begin, end))
    return true;
  raise(FaultClass::UndeclaredAccess, &t, cycle,
        std::string(write ? "store to" : "load from") + " bytes " + hex(begin) + " to " +
            hex(end - 1) + ", which the code's segment " + hex(t.range->declaration->begin) +
            " does not declare");
  return false;
}

bool Node::access(Thread &t, const Op &op, uint64_t cycle, uint64_t extra[2]) {
  if (op.access == MemAccess::Granules)
    return gather(t, op, cycle, extra[0]);
  for (unsigned i = 0; i < op.numMemory; ++i) {
    const MemoryOperand &m = op.memory[i];
    uint64_t address = t.registers.x[m.base];
    if (!m.postIncrement)
      address += static_cast<uint64_t>(int64_t(m.offset));
    if (op.access != MemAccess::Scalar && address % p.lineBytes + op.accessBytes > p.lineBytes)
      extra[i] = p.lineCrossing;
    bool masked = op.access == MemAccess::Lanes && op.mask != 0;
    uint32_t lanes = masked ? t.registers.m[op.mask] & 0xFFFF : 0;
    if (masked && lanes == 0) {
      context.address[i] = 0;
      continue;
    }
    if (address % op.alignment) {
      raise(FaultClass::Misaligned, &t, cycle,
            "address " + hex(address) + " is not a multiple of " + std::to_string(op.alignment));
      return false;
    }
    if (!masked && !check(t, op, address, op.accessBytes, cycle))
      return false;
    unsigned element = op.accessBytes / 16u;
    while (lanes != 0) { // each run of lanes that the mask keeps
      unsigned low = static_cast<unsigned>(std::countr_zero(lanes));
      unsigned count = static_cast<unsigned>(std::countr_one(lanes >> low));
      if (!check(t, op, address + low * element, count * element, cycle))
        return false;
      lanes &= ~(((1u << count) - 1) << low);
    }
    context.address[i] = static_cast<int32_t>(address);
  }
  return true;
}

bool Node::gather(Thread &t, const Op &op, uint64_t cycle, uint64_t &extra) {
  uint64_t base = t.registers.x[op.s[0].reg];
  const Vec &offsets = t.registers.v[op.s[1].reg];
  unsigned granules = 64u / op.accessBytes;
  uint32_t mask = static_cast<uint32_t>(t.registers.m[op.mask]) & ((1u << granules) - 1);
  context.granuleMask = mask;
  for (unsigned g = 0; g < granules; ++g) {
    if (!(mask >> g & 1))
      continue;
    uint64_t address = base + (offsets.w[g] & 0xFFFF);
    if (address % op.alignment) {
      raise(FaultClass::Misaligned, &t, cycle,
            "granule " + std::to_string(g) + " at " + hex(address) + " is not a multiple of " +
                std::to_string(op.alignment));
      return false;
    }
    if (!check(t, op, address, op.accessBytes, cycle))
      return false;
    context.granule[g] = static_cast<uint32_t>(address);
    if (address % p.lineBytes + op.accessBytes > p.lineBytes)
      extra = p.lineCrossing;
  }
  return true;
}

void Node::postIncrement(Thread &t, const Op &op) {
  // Both operands take the old base; if they share it, the second one's new base stands.
  uint64_t base[2];
  for (unsigned i = 0; i < op.numMemory; ++i)
    base[i] = t.registers.x[op.memory[i].base];
  for (unsigned i = 0; i < op.numMemory; ++i) {
    const MemoryOperand &m = op.memory[i];
    if (m.postIncrement && m.base != 0)
      t.registers.x[m.base] = base[i] + static_cast<uint64_t>(int64_t(m.offset));
  }
}

void Node::addCapture(Capture capture) {
  auto at = std::upper_bound(captures.begin(), captures.end(), capture.pc,
                             [](uint32_t pc, const Capture &c) { return pc < c.pc; });
  captures.insert(at, std::move(capture));
  captureBegin = captures.front().pc;
  captureBytes = captures.back().pc - captureBegin + 1;
}

void Node::clearCaptures() {
  captures.clear();
  captureBytes = 0;
}

void Node::capture(Thread &t, uint64_t cycle) {
  auto at = std::lower_bound(captures.begin(), captures.end(), t.pc,
                             [](const Capture &c, uint32_t pc) { return c.pc < pc; });
  for (; at != captures.end() && at->pc == t.pc; ++at)
    if (at->thread == t.index)
      at->function(number, t.index, t.pc, setup.timing ? cycle : 0, {sram, p.sramBytes});
}

} // namespace dojo::emu
