// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SegmentCode.h"

#include <set>

namespace dojo::verify {

using isa::Opcode;
using isa::OperandKind;

bool isControlPoint(Opcode op) {
  switch (op) {
  case Opcode::WAIT:
  case Opcode::WAITX:
  case Opcode::SIGNAL:
  case Opcode::SIGNALR:
  case Opcode::LIST:
  case Opcode::LISTX:
  case Opcode::HALT:
    return true;
  default:
    return false;
  }
}

uint32_t changedRegisters(const isa::Inst &inst) {
  const isa::InstInfo &info = isa::info(inst.op);
  uint32_t mask = 0;
  for (unsigned i = 0; i < info.numOperands; ++i) {
    OperandKind kind = info.ops[i].kind;
    bool postIncrement = kind == OperandKind::MemBase && inst.f[i + 1] == 1;
    if (kind == OperandKind::XDef || kind == OperandKind::XUseDef || postIncrement)
      mask |= uint32_t(1) << inst.f[i];
  }
  return mask & ~uint32_t(1);
}

uint8_t usedAccumulators(const isa::Inst &inst) {
  const isa::InstInfo &info = isa::info(inst.op);
  uint8_t mask = 0;
  for (unsigned i = 0; i < info.numOperands; ++i) {
    OperandKind kind = info.ops[i].kind;
    if (kind == OperandKind::AccUse || kind == OperandKind::AccDef ||
        kind == OperandKind::AccUseDef)
      mask |= uint8_t(1 << inst.f[i]);
  }
  return mask;
}

int64_t branchTarget(const isa::Inst &inst, int64_t pc) {
  const isa::InstInfo &info = isa::info(inst.op);
  for (unsigned i = 0; i < info.numOperands; ++i)
    if (info.ops[i].kind == OperandKind::Target)
      return pc + inst.f[i];
  return -1;
}

namespace {

bool isControl(const isa::InstInfo &info) { return info.timing == isa::TimingClass::Control; }

class Analysis {
public:
  Analysis(std::span<const uint8_t> code, int64_t base, uint32_t begin, uint32_t end)
      : code(code), base(base), begin(begin), end(end) {}

  SegmentCode run(int64_t entry) {
    std::vector<int64_t> work;
    std::set<int64_t> seen;
    auto go = [&](int64_t pc) {
      if (pc < begin || pc >= end)
        leave(-1, pc);
      else if (seen.insert(pc).second)
        work.push_back(pc);
    };
    go(entry);
    while (!work.empty() && result.why.empty()) {
      int64_t pc = work.back();
      work.pop_back();
      isa::Inst inst;
      if (pc < base || pc >= base + int64_t(code.size()) ||
          !isa::decode(code.data() + (pc - base), code.size() - (pc - base), inst)) {
        fail("has an undefined instruction at " + ImageIndex::hex(pc));
        break;
      }
      if (isControlPoint(inst.op)) {
        fail("has a control instruction at " + ImageIndex::hex(pc));
        break;
      }
      result.changed |= changedRegisters(inst);
      result.accumulators |= usedAccumulators(inst);
      const isa::InstInfo &info = isa::info(inst.op);
      if (inst.op == Opcode::JR)
        leave(inst.f[0], -1);
      if (int64_t target = branchTarget(inst, pc); target != -1) {
        go(target);
        result.plain &= target > pc;
      }
      result.plain &= info.timing <= isa::TimingClass::Store || isControl(info);
      if (!info.isTerminator && inst.op != Opcode::JAL)
        go(pc + inst.bytes);
      else if (inst.op == Opcode::JAL)
        fail("calls at " + ImageIndex::hex(pc)); // where it returns to would have to be followed
    }
    if (result.why.empty() && !left)
      fail("never ends");
    if (result.exitRegister >= 0 && result.changed >> result.exitRegister & 1)
      fail("is left by a jump to x" + std::to_string(result.exitRegister) +
           ", which it changes itself");
    result.opaque = result.why.empty();
    return result;
  }

private:
  void leave(int reg, int64_t pc) {
    if (left && (reg != result.exitRegister || pc != result.exitPc))
      fail("is left in more than one way");
    left = true;
    result.exitRegister = reg, result.exitPc = pc;
  }
  void fail(std::string text) {
    if (result.why.empty())
      result.why = std::move(text);
  }

  std::span<const uint8_t> code;
  int64_t base, begin, end;
  bool left = false;
  SegmentCode result;
};

} // namespace

const SegmentCode &SegmentCodeCache::get(const ImageIndex &index, int64_t node, int64_t pc,
                                         uint32_t begin, uint32_t end) {
  const Placed *load = index.placedAt(node, pc);
  uint32_t blob = load ? load->blob : UINT32_MAX;
  int64_t base = load ? load->begin : 0;
  auto [it, added] = known.try_emplace({blob, base, pc, begin, end});
  if (added) {
    std::span<const uint8_t> code;
    if (load)
      code = index.image.content(index.image.blobs[blob]);
    it->second = Analysis(code, base, begin, end).run(pc);
  }
  return it->second;
}

} // namespace dojo::verify
