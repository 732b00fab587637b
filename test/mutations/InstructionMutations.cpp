// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Encoded instructions of kernels and main programs.

#include "Mutations.h"

namespace dojo::mutations {
namespace {

using isa::Inst;
using isa::OperandKind;

std::string describe(const Mutant::Site &site) {
  return "node " + std::to_string(site.node) + " at " + std::to_string(site.pc) + " (" +
         isa::disassemble(site.inst, site.pc) + ")";
}

/// A node, one of its pieces of code, an instruction of it.
bool pick(const Mutant &m, Random &random, std::vector<Mutant::Site> &code, size_t &at) {
  int64_t node = random.oneOf(m.nodes());
  std::vector<uint32_t> loads = m.codeOf(node);
  code = m.instructions(node, random.oneOf(loads));
  if (code.empty())
    return false;
  at = random.below(code.size());
  return true;
}

std::string swapNeighbours(Mutant &m, Random &random) {
  std::vector<Mutant::Site> code;
  size_t at;
  if (!pick(m, random, code, at) || at + 1 == code.size() || code[at].inst == code[at + 1].inst)
    return "";
  std::vector<uint8_t> bytes;
  if (!isa::encode(code[at + 1].inst, bytes, nullptr) ||
      !isa::encode(code[at].inst, bytes, nullptr) ||
      !m.write(code[at].node, code[at].pc, bytes, random.flip()))
    return "";
  return describe(code[at]) + " after its neighbour " +
         isa::disassemble(code[at + 1].inst, code[at + 1].pc);
}

bool isRegister(OperandKind kind) {
  return kind < OperandKind::Simm || kind == OperandKind::MemBase;
}

std::string changeOperand(Mutant &m, Random &random, bool registers) {
  std::vector<Mutant::Site> code;
  size_t at;
  if (!pick(m, random, code, at))
    return "";
  const isa::InstInfo &info = isa::info(code[at].inst.op);
  std::vector<unsigned> fields;
  for (unsigned i = 0; i < info.numOperands; ++i)
    if (isRegister(info.ops[i].kind) == registers)
      fields.push_back(i);
  if (fields.empty())
    return "";
  unsigned field = random.oneOf(fields);
  const isa::OperandInfo &operand = info.ops[field];
  Inst changed = code[at].inst;
  int64_t step = int64_t(1) << operand.shift;
  int64_t value = changed.f[field];
  if (operand.allowed || registers || random.below(8) == 0)
    value =
        operand.min + int64_t(random.below(uint64_t(operand.max - operand.min) / step + 1)) * step;
  else
    value += step * random.oneOf({-16, -4, -2, -1, 1, 2, 4, 16, 64});
  if (value == changed.f[field] || value < operand.min || value > operand.max)
    return "";
  changed.f[field] = int32_t(value);
  if (!m.put(code[at], changed, random.flip()))
    return "";
  return describe(code[at]) + " is " + isa::disassemble(changed, code[at].pc);
}

std::string changeImmediate(Mutant &m, Random &random) { return changeOperand(m, random, false); }
std::string changeRegister(Mutant &m, Random &random) { return changeOperand(m, random, true); }

std::string flipBit(Mutant &m, Random &random) {
  std::vector<Mutant::Site> code;
  size_t at;
  if (!pick(m, random, code, at))
    return "";
  std::vector<uint8_t> bytes;
  if (!isa::encode(code[at].inst, bytes, nullptr))
    return "";
  uint64_t bit = random.below(bytes.size() * 8);
  bytes[bit / 8] ^= uint8_t(1 << bit % 8);
  if (!m.write(code[at].node, code[at].pc, bytes, random.flip()))
    return "";
  return describe(code[at]) + " bit " + std::to_string(bit);
}

std::string doNothing(Mutant &m, Random &random) {
  std::vector<Mutant::Site> code;
  size_t at;
  if (!pick(m, random, code, at))
    return "";
  Inst nop;
  std::vector<uint8_t> bytes;
  if (!isa::parseInst("nop", 0, {}, nop, nullptr))
    return "";
  for (unsigned i = 0; i < code[at].inst.bytes; i += nop.bytes)
    if (!isa::encode(nop, bytes, nullptr))
      return "";
  if (!m.write(code[at].node, code[at].pc, bytes, random.flip()))
    return "";
  return describe(code[at]) + " does nothing";
}

std::string repeatBefore(Mutant &m, Random &random) {
  std::vector<Mutant::Site> code;
  size_t at;
  if (!pick(m, random, code, at) || at == 0 || code[at - 1].inst.bytes != code[at].inst.bytes ||
      code[at - 1].inst == code[at].inst || !m.put(code[at], code[at - 1].inst, random.flip()))
    return "";
  return describe(code[at]) + " is the one before again";
}

} // namespace

const std::vector<Mutation> &instructionMutations() {
  static const std::vector<Mutation> list = {
      {"instructions-swapped", verify::Check::Instructions, swapNeighbours},
      {"immediate", verify::Check::Instructions, changeImmediate},
      {"register", verify::Check::Instructions, changeRegister},
      {"instruction-bit", verify::Check::Instructions, flipBit},
      {"instruction-dropped", verify::Check::Instructions, doNothing},
      {"instruction-repeated", verify::Check::Instructions, repeatBefore},
  };
  return list;
}

} // namespace dojo::mutations
