// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelRun.h"

#include "SegmentCode.h"

#include <algorithm>

namespace dojo::verify {

using isa::EType;
using isa::Inst;
using isa::MemAccess;
using isa::Opcode;
using isa::OperandKind;
using isa::TimingClass;

KernelRun::KernelRun(int64_t sram, int64_t vectorAlignment)
    : sram(sram), vectorAlignment(vectorAlignment), readSet(sram + 64), writtenSet(sram + 64),
      undefinedSet(sram + 64) {}

KernelRun::Class KernelRun::classify(const Inst &inst, const isa::InstInfo &info) {
  if (isControlPoint(inst.op))
    return Class::ControlPoint;
  switch (inst.op) {
  case Opcode::NOP:
    return Class::Nothing;
  case Opcode::PRED:
  case Opcode::PREDZ:
    return Class::Branch;
  case Opcode::LI:
  case Opcode::LI_S:
  case Opcode::LIH:
  case Opcode::NODEID:
    return Class::Scalar;
  case Opcode::MMOV_M:
  case Opcode::MMOV_X:
    return Class::Mask;
  case Opcode::VEXTRACT:
  case Opcode::VINSERT:
  case Opcode::VSLIDE:
  case Opcode::VPERM:
  case Opcode::VPERM2:
  case Opcode::VPACK_BF16:
  case Opcode::VUNPACK_LO_BF16:
  case Opcode::VUNPACK_HI_BF16:
  case Opcode::VTRNLO:
  case Opcode::VTRNHI:
    return Class::Shuffle;
  default:
    break;
  }
  switch (info.timing) {
  case TimingClass::Load:
    return Class::ScalarLoad;
  case TimingClass::Store:
    return Class::ScalarStore;
  case TimingClass::VLoad:
    return inst.op == Opcode::VLDB ? Class::LoadOne : Class::Load;
  case TimingClass::VStore:
    return Class::Store;
  case TimingClass::Gather:
    return Class::Gather;
  case TimingClass::Matrix:
    return Class::Matrix;
  case TimingClass::Drain:
    return Class::Drain;
  case TimingClass::Fill:
    return Class::Fill;
  case TimingClass::Control:
    return info.isBranch ? Class::Branch : Class::Nothing;
  default:
    break;
  }
  Class found = Class::Scalar;
  for (unsigned i = 0; i < info.numOperands; ++i)
    switch (info.ops[i].kind) {
    case OperandKind::Cond:
      return Class::Compare;
    case OperandKind::VDef:
    case OperandKind::VUseDef:
      found = Class::Lanes;
      break;
    case OperandKind::MDef:
      found = Class::Mask;
      break;
    default:
      break;
    }
  return found;
}

const KernelRun::Op &KernelRun::decode(int64_t at) {
  Op &op = (*ops)[size_t(at - base) / 4];
  if (op.kind != Class::Undecoded)
    return op;
  size_t offset = size_t(at - base);
  if (!isa::decode(code.data() + offset, code.size() - offset, op.inst)) {
    op.kind = Class::Undefined;
    return op;
  }
  op.info = &isa::info(op.inst.op);
  op.kind = classify(op.inst, *op.info);
  op.changes = changedRegisters(op.inst);
  for (unsigned i = 0; i < op.info->numOperands; ++i) {
    OperandKind kind = op.info->ops[i].kind;
    if (kind == OperandKind::XUse || kind == OperandKind::XUseDef || kind == OperandKind::MemBase)
      op.uses |= uint32_t(1) << op.inst.f[i];
    if (kind == OperandKind::EType)
      op.etype = uint8_t(i);
  }
  return op;
}

Footprint KernelRun::run(std::span<const uint8_t> code_, int64_t base_, int64_t pc_, int64_t begin,
                         int64_t end, const ScalarRegisters &x_, const Bitmap *defined_,
                         uint64_t maxSteps) {
  code = code_, base = base_, pc = pc_, defined = defined_;
  ops = &decoded.try_emplace({code.data(), code.size()}, code.size() / 4).first->second;
  x = x_;
  set = 0, undefinedScalars = 0, skip = 0;
  for (int r = 1; r < 32; ++r)
    if (!x.isSet(r))
      undefinedScalars |= uint32_t(1) << r;
  v.fill({});
  m.fill({});
  m[0] = {0, ~uint64_t(0)};
  for (auto &rows : accumulators)
    rows.fill(0xFF);
  spilled.clear();
  spilledVectors.clear();
  result = Footprint();
  lowest = sram, highest = 0;

  bool good = true;
  while (good && result.exitRegister < 0 && pc >= begin && pc < end) {
    if (pc < base || pc + 4 > base + int64_t(code.size()) || pc % 4)
      good = fault("leaves its code");
    else
      good = step();
    if (good && ++result.steps > maxSteps)
      good = fail("is longer than the checker follows");
  }
  if (good) {
    result.known = true;
    if (result.exitRegister < 0)
      result.exit = pc;
    result.changed = set;
    x.unset(undefinedScalars);
    result.end = x;
    if (lowest < highest) {
      result.reads = readSet.intervals(lowest, highest);
      result.writes = writtenSet.intervals(lowest, highest);
      result.undefined = undefinedSet.intervals(lowest, highest);
    }
  }
  if (lowest < highest)
    for (Bitmap *bits : {&readSet, &writtenSet, &undefinedSet})
      bits->clear(lowest, highest);
  return std::move(result);
}

bool KernelRun::step() {
  const Op &op = decode(pc);
  if (op.kind == Class::Undefined)
    return fault("runs into an undefined instruction");
  if (skip > 0) {
    --skip;
    pc += op.inst.bytes;
    return true;
  }
  if (op.inst.op != Opcode::JR) // the way out is the caller's business, not an input
    result.used |= op.uses & ~set & ~uint32_t(1);
  const Inst &inst = op.inst;
  bool good = true;
  switch (op.kind) {
  case Class::Branch:
    return branch(op);
  case Class::ControlPoint:
    return fail("has a control instruction");
  case Class::Scalar: {
    bool undefinedResult = (op.uses & undefinedScalars) != 0;
    std::optional<uint64_t> value = evaluate(inst, x);
    x.set(inst.f[0], value);
    set |= op.changes;
    undefinedScalars &= ~op.changes;
    if (undefinedResult)
      undefinedScalars |= op.changes;
    break;
  }
  case Class::ScalarLoad:
    good = scalarLoad(op);
    break;
  case Class::ScalarStore:
    good = scalarStore(op);
    break;
  case Class::Load:
  case Class::LoadOne:
    good = vectorLoad(op);
    break;
  case Class::Store:
    good = vectorStore(op);
    break;
  case Class::Gather:
    good = gather(op);
    break;
  case Class::Mask:
    mask(op);
    break;
  case Class::Shuffle:
    shuffle(op);
    break;
  case Class::Compare:
  case Class::Lanes:
    good = lanes(op);
    break;
  case Class::Matrix:
  case Class::Drain:
  case Class::Fill:
    result.accumulators |= usedAccumulators(inst);
    good = matrix(op);
    break;
  default:
    break;
  }
  pc += inst.bytes;
  return good;
}

bool KernelRun::branch(const Op &op) {
  const Inst &inst = op.inst;
  int64_t next = pc + inst.bytes;
  std::optional<uint64_t> a;
  switch (inst.op) {
  case Opcode::J:
    next = pc + inst.f[0];
    break;
  case Opcode::JR:
    a = x.get(inst.f[0]);
    if (set >> inst.f[0] & 1) {
      if (!a)
        return unknown("jumps to an address that is not known", isUndefined(inst.f[0]));
      next = int64_t(*a & 0xFFFFFFFF);
    } else {
      result.exitRegister = inst.f[0];
    }
    break;
  case Opcode::LOOP:
    a = x.get(inst.f[0]);
    if (!a)
      return unknown("counts a loop whose length is not known", isUndefined(inst.f[0]));
    x.set(inst.f[0], *a - 1);
    set |= op.changes;
    if (*a != 1)
      next = pc + inst.f[1];
    break;
  case Opcode::PRED:
  case Opcode::PREDZ:
    a = x.get(inst.f[0]);
    if (!a)
      return unknown("is predicated by a value that is not known", isUndefined(inst.f[0]));
    if ((*a != 0) != (inst.op == Opcode::PRED))
      skip = inst.f[1];
    break;
  case Opcode::JAL:
    return fail("calls");
  default: {
    std::optional<bool> taken = branchTaken(inst, x);
    if (!taken)
      return unknown("branches on a condition that is not known",
                     (op.uses & undefinedScalars) != 0);
    if (*taken)
      next = pc + inst.f[2];
    break;
  }
  }
  pc = next;
  return true;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// The address of the memory operand whose base is at `field`; post-increments are done.
bool KernelRun::address(const Inst &inst, unsigned field, uint32_t bytes, int64_t &out) {
  int base_ = inst.f[field];
  std::optional<uint64_t> value = x.get(base_);
  if (!value)
    return unknown("accesses memory at an address that is not known", isUndefined(base_));
  uint64_t moved = *value + uint64_t(int64_t(inst.f[field + 2]));
  bool post = inst.f[field + 1] == 1;
  uint64_t at = post ? *value : moved;
  MemAccess access = isa::info(inst.op).access;
  uint64_t size = isa::accessBytes(inst);
  bool natural = access == MemAccess::Scalar || (access == MemAccess::Element && size == 1);
  uint64_t alignment = natural ? size : uint64_t(vectorAlignment);
  if (at > uint64_t(sram) || bytes > uint64_t(sram) - at)
    return fault("accesses memory outside of SRAM");
  if (at % alignment)
    return fault("accesses memory at " + std::to_string(at) + ", not a multiple of " +
                 std::to_string(alignment));
  if (post) {
    x.set(base_, moved);
    set |= (uint32_t(1) << base_) & ~uint32_t(1);
  }
  out = int64_t(at);
  return true;
}

/// Notes a read of those of the bytes that `wanted` has; returns which of them are undefined.
uint64_t KernelRun::read(int64_t at, unsigned bytes, uint64_t wanted) {
  if (bytes == 0 || wanted == 0)
    return 0;
  lowest = std::min(lowest, at), highest = std::max(highest, at + int64_t(bytes));
  uint64_t own = writtenSet.bits(at, bytes);
  if (uint64_t fresh = wanted & ~own)
    readSet.setBits(at, fresh);
  uint64_t undefinedBytes = own & undefinedSet.bits(at, bytes);
  if (defined)
    undefinedBytes |= ~own & ~defined->bits(at, bytes);
  return undefinedBytes & wanted;
}

void KernelRun::write(int64_t at, uint64_t wanted, uint64_t undefinedBytes) {
  if (wanted == 0)
    return;
  int64_t first = at + std::countr_zero(wanted), last = at + 64 - std::countl_zero(wanted);
  lowest = std::min(lowest, at);
  highest = std::max(highest, last);
  writtenSet.setBits(at, wanted);
  undefinedSet.clearBits(at, wanted & ~undefinedBytes);
  undefinedSet.setBits(at, wanted & undefinedBytes);
  spilled.erase(spilled.lower_bound(first - 7), spilled.lower_bound(last));
  spilledVectors.erase(spilledVectors.lower_bound(first - 63), spilledVectors.lower_bound(last));
}

static uint64_t firstBytes(unsigned count) {
  return count >= 64 ? ~uint64_t(0) : (uint64_t(1) << count) - 1;
}

bool KernelRun::scalarLoad(const Op &op) {
  const Inst &inst = op.inst;
  unsigned bytes = op.info->accessBytes;
  int64_t at;
  if (!address(inst, 1, bytes, at))
    return false;
  bool bad = read(at, bytes, firstBytes(bytes)) != 0;
  int reg = inst.f[0];
  auto it = spilled.find(at);
  bool kept = inst.op == Opcode::LD && it != spilled.end();
  x.set(reg, kept ? std::optional(it->second) : std::nullopt);
  result.reloads |= kept;
  uint32_t bit = (uint32_t(1) << reg) & ~uint32_t(1);
  set |= bit;
  undefinedScalars = bad ? undefinedScalars | bit : undefinedScalars & ~bit;
  return true;
}

bool KernelRun::scalarStore(const Op &op) {
  const Inst &inst = op.inst;
  unsigned bytes = op.info->accessBytes;
  std::optional<uint64_t> value = x.get(inst.f[0]);
  bool bad = isUndefined(inst.f[0]);
  int64_t at;
  if (!address(inst, 1, bytes, at))
    return false;
  write(at, firstBytes(bytes), bad ? ~uint64_t(0) : 0);
  if (inst.op == Opcode::SD && value)
    spilled[at] = *value;
  return true;
}

/// For each of 16 elements of `size` bytes whose lane is in `lanes`, its bytes.
static uint64_t elementBytes(uint16_t lanes, unsigned size) {
  uint64_t bytes = 0;
  for (unsigned i = 0; i < 16; ++i)
    if (lanes >> i & 1)
      bytes |= firstBytes(size) << (i * size);
  return bytes;
}

/// For each of 16 elements of `size` bytes, is one of its bytes in `bytes`?
static uint16_t elementLanes(uint64_t bytes, unsigned size) {
  uint16_t lanes = 0;
  for (unsigned i = 0; bytes && i < 16; ++i)
    if (bytes >> (i * size) & firstBytes(size))
      lanes |= uint16_t(1 << i);
  return lanes;
}

bool KernelRun::memoryLanes(const Op &op, unsigned field, Vector &out) {
  const Inst &inst = op.inst;
  unsigned size = isa::elementBytes(EType(inst.f[op.etype]));
  bool one = op.info->access == MemAccess::Element;
  int64_t at;
  if (!address(inst, field, one ? size : 16 * size, at))
    return false;
  out.known = false;
  if (one) {
    out.undefined = read(at, size, firstBytes(size)) ? ~uint64_t(0) : 0;
    return true;
  }
  uint64_t bad = read(at, 16 * size, firstBytes(16 * size));
  out.undefined = size == 4 ? bad : spread(elementLanes(bad, size));
  if (auto it = spilledVectors.find(at); size == 4 && it != spilledVectors.end())
    out.known = true, out.lanes = it->second;
  return true;
}

bool KernelRun::vectorLoad(const Op &op) {
  const Inst &inst = op.inst;
  Vector loaded;
  if (op.kind == Class::LoadOne || inst.f[5] == 0) {
    if (!memoryLanes(op, 1, loaded))
      return false;
    v[inst.f[0]] = loaded;
    return true;
  }
  const Mask &wanted = m[inst.f[5]];
  if (!wanted.value)
    return unknown("loads under a mask that is not known", wanted.undefined);
  unsigned size = isa::elementBytes(EType(inst.f[op.etype]));
  uint16_t lanes = uint16_t(*wanted.value);
  int64_t at;
  // Masked lanes do not fault: only those from the first to the last wanted count.
  unsigned first = lanes ? unsigned(std::countr_zero(lanes)) : 0;
  unsigned last = lanes ? 16 - unsigned(std::countl_zero(lanes)) : 0;
  Inst shifted = inst;
  if (!address(shifted, 1, 0, at))
    return false;
  if (lanes && at + int64_t(last * size) > sram)
    return fault("accesses memory outside of SRAM");
  uint64_t bad = lanes ? read(at + int64_t(first * size), (last - first) * size,
                              elementBytes(lanes, size) >> (first * size))
                             << (first * size)
                       : 0;
  loaded.undefined = size == 4 ? bad : spread(elementLanes(bad, size));
  v[inst.f[0]] = loaded;
  return true;
}

bool KernelRun::vectorStore(const Op &op) {
  const Inst &inst = op.inst;
  const Mask &wanted = m[inst.f[5]];
  if (!wanted.value)
    return unknown("stores under a mask that is not known", wanted.undefined);
  unsigned size = isa::elementBytes(EType(inst.f[op.etype]));
  uint16_t lanes = uint16_t(*wanted.value);
  uint64_t bad = v[inst.f[0]].undefined;
  int64_t at;
  unsigned last = lanes ? 16 - unsigned(std::countl_zero(lanes)) : 0;
  if (!address(inst, 1, lanes ? last * size : 0, at))
    return false;
  if (lanes)
    write(at, elementBytes(lanes, size), size == 4 ? bad : elementBytes(gatherLanes(bad), size));
  if (lanes == 0xFFFF && size == 4 && v[inst.f[0]].known)
    spilledVectors[at] = v[inst.f[0]].lanes;
  return true;
}

bool KernelRun::gather(const Op &op) {
  const Inst &inst = op.inst;
  const Vector &offsets = v[inst.f[2]];
  const Mask &wanted = m[inst.f[3]];
  std::optional<uint64_t> from = x.get(inst.f[1]);
  if (!from || !offsets.known || !wanted.value)
    return unknown("gathers from addresses that are not known",
                   isUndefined(inst.f[1]) || offsets.undefined || wanted.undefined);
  unsigned size = op.info->accessBytes, count = 64 / size;
  Vector loaded{0, false, {}};
  for (unsigned g = 0; g < count; ++g) {
    if (!(*wanted.value >> g & 1))
      continue;
    uint64_t at = *from + (offsets.lanes[g] & 0xFFFF);
    if (at > uint64_t(sram) - size)
      return fault("accesses memory outside of SRAM");
    if (at % uint64_t(vectorAlignment))
      return fault("gathers from " + std::to_string(at) + ", not a multiple of " +
                   std::to_string(vectorAlignment));
    loaded.undefined |= read(int64_t(at), size, firstBytes(size)) << (g * size);
  }
  v[inst.f[0]] = loaded;
  return true;
}

} // namespace dojo::verify
