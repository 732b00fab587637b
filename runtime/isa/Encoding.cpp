// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/ISA/ISA.h"
#include <algorithm>
#include <array>

namespace dojo::isa {
namespace {

#include "dojo/ISA/ISATables.inc"

static_assert(sizeof(instTable) / sizeof(instTable[0]) == numOpcodes);

/// Opcodes by length and major opcode: decode looks at the few that share both.
struct MajorIndex {
  std::array<uint16_t, 257> start{};
  std::array<uint16_t, numOpcodes> opcodes{};

  MajorIndex() {
    for (const InstInfo &inst : instTable)
      ++start[(inst.opcodeMatch & 0xFF) + 1];
    for (size_t i = 1; i < start.size(); ++i)
      start[i] += start[i - 1];
    std::array<uint16_t, 257> next = start;
    for (uint16_t i = 0; i < numOpcodes; ++i)
      opcodes[next[instTable[i].opcodeMatch & 0xFF]++] = i;
  }
};

const MajorIndex &majorIndex() {
  static const MajorIndex index;
  return index;
}

uint64_t load32(const uint8_t *p) {
  return p[0] | uint64_t(p[1]) << 8 | uint64_t(p[2]) << 16 | uint64_t(p[3]) << 24;
}

uint64_t fieldMask(const OperandInfo &op) { return (uint64_t(1) << op.width) - 1; }

bool isLegal(const OperandInfo &op, int64_t value) {
  if (value < op.min || value > op.max)
    return false;
  if (op.allowed && (value > 31 || !(op.allowed >> value & 1)))
    return false;
  return (value & ((int64_t(1) << op.shift) - 1)) == 0;
}

int64_t extract(const OperandInfo &op, uint64_t word) {
  uint64_t raw = word >> op.lo & fieldMask(op);
  int64_t value = int64_t(raw);
  if (op.isSigned && raw >> (op.width - 1))
    value -= int64_t(1) << op.width;
  return value * (int64_t(1) << op.shift);
}

bool fail(std::string *error, std::string text) {
  if (error)
    *error = std::move(text);
  return false;
}

} // namespace

bool operator==(const Inst &a, const Inst &b) {
  return a.op == b.op && a.bytes == b.bytes && std::equal(a.f, a.f + info(a.op).numOperands, b.f);
}

const InstInfo &info(Opcode op) { return instTable[unsigned(op)]; }

std::optional<Opcode> findMnemonic(std::string_view mnemonic) {
  static const std::vector<std::pair<std::string_view, Opcode>> sorted = [] {
    std::vector<std::pair<std::string_view, Opcode>> names;
    for (unsigned i = 0; i < numOpcodes; ++i)
      names.emplace_back(instTable[i].mnemonic, Opcode(i));
    std::sort(names.begin(), names.end());
    return names;
  }();
  auto it = std::lower_bound(sorted.begin(), sorted.end(), std::pair(mnemonic, Opcode(0)));
  if (it == sorted.end() || it->first != mnemonic)
    return std::nullopt;
  return it->second;
}

const char *name(EType type) { return etypeNames[unsigned(type)]; }
const char *name(Cond cond) { return condNames[unsigned(cond)]; }
const char *name(MatFormat format) { return matFormatNames[unsigned(format)]; }

unsigned elementBytes(EType type) {
  switch (type) {
  case EType::w32:
    return 4;
  case EType::bf16:
  case EType::f16:
  case EType::i16:
  case EType::u16:
  case EType::cf16:
    return 2;
  case EType::i8:
  case EType::u8:
  case EType::cf8a:
  case EType::cf8b:
    return 1;
  }
  return 0;
}

unsigned accessBytes(const Inst &inst) {
  const InstInfo &in = info(inst.op);
  unsigned element = 0;
  for (unsigned i = 0; i < in.numOperands; ++i)
    if (in.ops[i].kind == OperandKind::EType)
      element = elementBytes(EType(inst.f[i]));
  switch (in.access) {
  case MemAccess::None:
  case MemAccess::List:
    return 0;
  case MemAccess::Scalar:
  case MemAccess::Block:
    return in.accessBytes;
  case MemAccess::Lanes:
    return 16 * element;
  case MemAccess::Element:
    return element;
  case MemAccess::Granules:
    return 64;
  }
  return 0;
}

bool decode(const uint8_t *p, size_t avail, Inst &out) {
  if (avail < 4)
    return false;
  uint64_t word = load32(p);
  if (word & 1) {
    if (avail < 8)
      return false;
    word |= load32(p + 4) << 32;
  }
  const MajorIndex &index = majorIndex();
  for (unsigned k = index.start[word & 0xFF]; k < index.start[(word & 0xFF) + 1]; ++k) {
    const InstInfo &in = instTable[index.opcodes[k]];
    if ((word & in.opcodeMask) != in.opcodeMatch)
      continue;
    if (in.reserved || (word & ~in.usedMask))
      return false;
    out = Inst{Opcode(index.opcodes[k]), in.bytes, {}};
    for (unsigned i = 0; i < in.numOperands; ++i) {
      int64_t value = extract(in.ops[i], word);
      if (!isLegal(in.ops[i], value))
        return false;
      out.f[i] = int32_t(value);
    }
    return true;
  }
  return false;
}

bool encode(const Inst &inst, std::vector<uint8_t> &out, std::string *error) {
  if (unsigned(inst.op) >= numOpcodes)
    return fail(error, "unknown opcode " + std::to_string(unsigned(inst.op)));
  const InstInfo &in = info(inst.op);
  if (in.reserved)
    return fail(error, std::string("'") + in.mnemonic + "' is reserved");
  uint64_t word = in.opcodeMatch;
  for (unsigned i = 0; i < in.numOperands; ++i) {
    const OperandInfo &op = in.ops[i];
    if (!isLegal(op, inst.f[i]))
      return fail(error,
                  std::string("'") + in.mnemonic + "': " + op.name + " = " +
                      std::to_string(inst.f[i]) + " is not encodable (" +
                      (op.allowed ? std::string("undefined value")
                                  : std::to_string(op.min) + " to " + std::to_string(op.max) +
                                        (op.shift ? ", a multiple of 4" : "")) +
                      ")");
    word |= (uint64_t(int64_t(inst.f[i]) >> op.shift) & fieldMask(op)) << op.lo;
  }
  for (unsigned i = 0; i < in.bytes; ++i)
    out.push_back(uint8_t(word >> (8 * i)));
  return true;
}

} // namespace dojo::isa
