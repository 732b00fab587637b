// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Accesses and matrix steps in native code.
//
// zmm0 to zmm3 hold the quarters of an accumulator, zmm4 and zmm5 are for anything, and from zmm8
// on there are three sets of eight registers for operands of matrix steps.
#include "NativeEmitter.h"

#include "MatrixForms.h"

#include <map>
#include <string_view>

namespace dojo::emu {

using namespace Xbyak;
using isa::EType;

namespace {

constexpr int firstOfSet(unsigned set) { return static_cast<int>(8 + 8 * set); }

bool plainAccess(const Op &op) {
  std::string_view semantic = isa::info(op.opcode).semantic;
  if (semantic == "vload")
    return op.etype == EType::w32 || op.etype == EType::bf16;
  if (semantic == "vstore")
    return op.etype == EType::w32;
  return semantic == "matrixStep" && op.numMemory == 1;
}

} // namespace

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

AccessPlan::AccessPlan(const Block &block) : groupOf(block.ops.size(), -1), leads(groupOf.size()) {
  unsigned version[numXRegisters] = {};
  int64_t moved[numXRegisters] = {};
  for (size_t i = 0; i < block.ops.size(); ++i) {
    const Op &op = block.ops[i];
    const MemoryOperand &m = op.memory[0];
    if (plainAccess(op)) {
      auto group = std::find_if(groups.begin(), groups.end(), [&](const AccessGroup &g) {
        return g.base == m.base && g.version == version[m.base] && g.write == op.writesMemory;
      });
      bool leader = group == groups.end();
      int64_t offset =
          (m.postIncrement ? 0 : m.offset) + (leader ? 0 : moved[m.base] - group->moved);
      if (offset % op.alignment == 0) {
        if (leader)
          group = groups.insert(
              group,
              {m.base, version[m.base], op.writesMemory, moved[m.base], offset, offset, 1, {}});
        group->low = std::min(group->low, offset);
        group->high = std::max(group->high, offset + op.accessBytes);
        group->alignment = std::max<unsigned>(group->alignment, op.alignment);
        group->accesses.push_back({offset, op.accessBytes, op.crossing});
        groupOf[i] = static_cast<int>(group - groups.begin());
        leads[i] = leader;
      }
    }
    for (unsigned k = 0; k < op.numMemory; ++k)
      if (op.memory[k].postIncrement && op.memory[k].base) {
        moved[op.memory[k].base] += op.memory[k].offset;
        version[op.memory[k].base] += op.numMemory > 1;
      }
    if (op.destination < score::x + numXRegisters)
      ++version[op.destination - score::x];
  }
}

// The base is in rax.
void NativeEmitter::check(const AccessGroup &group) {
  const Window &window = group.write ? model.writes[group.base] : model.reads[group.base];
  if (group.alignment > 1) {
    test(al, group.alignment - 1);
    jnz(bail(), T_NEAR);
  }
  lea(rcx, ptr[rax + static_cast<int>(group.low)]);
  sub(rcx, ptr[inContext(&window.begin)]);
  mov(rdx, ptr[inContext(&window.size)]);
  cmp(rcx, rdx);
  ja(bail(), T_NEAR);
  add(rcx, static_cast<uint32_t>(group.high - group.low));
  cmp(rcx, rdx);
  ja(bail(), T_NEAR);
  // Accesses that lie alike in their lines cross them together.
  int64_t line = p.lineBytes;
  std::map<std::pair<int64_t, unsigned>, uint64_t> alike;
  for (const AccessGroup::Access &a : group.accesses)
    alike[{a.offset & (line - 1), a.bytes}] |= uint64_t(1) << a.crossing;
  for (const auto &[place, bits] : alike) {
    Label inside;
    lea(ecx, ptr[rax + static_cast<int>(place.first)]);
    and_(ecx, static_cast<uint32_t>(line - 1));
    cmp(ecx, static_cast<uint32_t>(static_cast<int32_t>(line - place.second)));
    jle(inside);
    mov(rdx, bits);
    or_(r14, rdx);
    L(inside);
  }
}

// Where an instruction's memory operand is. Changes rax, rcx and rdx.
RegExp NativeEmitter::access(const Op &op) {
  const MemoryOperand &m = op.memory[0];
  mov(rax, ptr[x(m.base)]);
  if (plan.leads[current])
    check(plan.groups[static_cast<size_t>(plan.groupOf[current])]);
  return r12 + rax + (m.postIncrement ? 0 : m.offset);
}

void NativeEmitter::moveBase(const Op &op) {
  const MemoryOperand &m = op.memory[0];
  if (m.postIncrement && m.base)
    add(qword[x(m.base)], static_cast<uint32_t>(static_cast<int32_t>(m.offset)));
}

void NativeEmitter::loadVector(const Op &op) {
  RegExp from = access(op);
  Zmm to = op.mask ? zmm4 | k1 | T_z : zmm4;
  if (op.mask)
    kmovw(k1, ptr[m(op.mask)]);
  if (op.etype == EType::bf16) {
    vpmovzxwd(to, ptr[from]);
    vpslld(zmm4, zmm4, 16);
  } else {
    vmovdqu32(to, ptr[from]);
  }
  vmovdqa32(ptr[v(op.d)], zmm4);
  moveBase(op);
}

void NativeEmitter::storeVector(const Op &op) {
  RegExp to = access(op);
  vmovdqa32(zmm4, ptr[v(op.s[0].reg)]);
  if (op.mask) {
    kmovw(k1, ptr[m(op.mask)]);
    vmovdqu32(ptr[to] | k1, zmm4);
  } else {
    vmovdqu32(ptr[to], zmm4);
  }
  moveBase(op);
}

//===----------------------------------------------------------------------===//
// The matrix unit
//===----------------------------------------------------------------------===//

// The frame's slots: for rows the registers of both halves, for columns one, each for odd and even
// elements unless elements are pairs.
void NativeEmitter::planOperands() {
  const unsigned elements = pairs ? 1 : 2;
  for (const Op &op : block.ops)
    if (std::string_view(isa::info(op.opcode).semantic) == "matrixStep")
      for (Role role : {Rows, Columns}) {
        bool memory = op.s[role].kind == SourceKind::Memory;
        unsigned &slot = slots[role][memory ? memoryOperand : op.s[role].reg];
        if (slot)
          continue;
        slot = frameBytes + 1; // 0: none
        frameBytes += 64 * elements * (role == Rows ? 2 : 1);
      }
}

void NativeEmitter::vectorChanged(unsigned reg) {
  for (Role role : {Rows, Columns})
    isSpread[role][reg] = false;
  for (Set &set : sets)
    if (set.value == reg)
      set.value = noValue;
}

void NativeEmitter::forgetSets() {
  for (Set &set : sets)
    set.value = noValue;
}

// Puts the pairs of a block in order, and widens their elements.
void NativeEmitter::spread(Role role, const RegExp &from, unsigned slot) {
  for (unsigned half = 0; half < (role == Rows ? 2 : 1); ++half) {
    size_t table =
        role == Columns ? offsetof(MatrixOrder, columns) : sizeof matrixOrder.rows[0] * half;
    vmovdqa32(zmm4, ptr[rip + order + static_cast<int>(table)]);
    vpermd(zmm4, zmm4, ptr[from]);
    if (pairs) {
      vmovdqa32(ptr[inFrame(slot + 64 * half)], zmm4);
      continue;
    }
    vpslld(zmm5, zmm4, 16);
    vpandd(zmm4, zmm4, ptr_b[rip + oddElements]);
    vmovdqa32(ptr[inFrame(slot + 128 * half)], zmm5);
    vmovdqa32(ptr[inFrame(slot + 128 * half + 64)], zmm4);
  }
}

// A set by half of the rows or columns, pair, and even or odd element.
void NativeEmitter::loadSet(Role role, unsigned set, unsigned slot) {
  const unsigned elements = pairs ? 1 : 2;
  int to = firstOfSet(set);
  for (unsigned half : {0u, 1u})
    for (unsigned pair : {0u, 1u})
      for (unsigned e = 0; e < elements; ++e, ++to) {
        if (role == Columns)
          vbroadcastf32x4(Zmm(to), ptr[inFrame(slot + 64 * e + 32 * pair + 16 * half)]);
        else if (pair == 0)
          vmovsldup(Zmm(to), ptr[inFrame(slot + 64 * (elements * half + e))]);
        else
          vmovshdup(Zmm(to), ptr[inFrame(slot + 64 * (elements * half + e))]);
      }
}

// The set that holds an operand; brings it there.
unsigned NativeEmitter::operand(Role role, const Op &op, unsigned source, const RegExp &memory) {
  bool inMemory = op.s[source].kind == SourceKind::Memory;
  unsigned value = inMemory ? memoryOperand : op.s[source].reg, set = 0;
  ++uses;
  for (unsigned i = 0; i < numSets; ++i) {
    if (!inMemory && sets[i].value == value && sets[i].role == role) {
      sets[i].lastUse = uses;
      return i;
    }
    if (sets[i].lastUse < sets[set].lastUse)
      set = i;
  }
  unsigned slot = slots[role][value] - 1;
  if (inMemory || !isSpread[role][value])
    spread(role, inMemory ? memory : v(value), slot);
  isSpread[role][value] = !inMemory;
  loadSet(role, set, slot);
  sets[set] = {role, inMemory ? noValue : value, uses};
  return set;
}

void NativeEmitter::matrixStep(const Op &op) {
  RegExp memory = op.numMemory ? access(op) : RegExp();
  int rows = firstOfSet(operand(Rows, op, 0, memory));
  int columns = firstOfSet(operand(Columns, op, 1, memory));
  auto quarter = [&](unsigned q) { return ptr[r13 + static_cast<int>(256 * op.acc + 64 * q)]; };
  for (unsigned q = 0; q < 4; ++q)
    if (op.immediate)
      vpxord(Zmm(int(q)), Zmm(int(q)), Zmm(int(q)));
    else
      vmovaps(Zmm(int(q)), quarter(q));
  const int elements = pairs ? 1 : 2;
  for (int pair : {0, 1})
    for (int e = elements; e-- > 0;) // odd elements first
      for (int q = 0; q < 4; ++q) {
        int k = elements * pair + e;
        Zmm a(rows + 2 * elements * (q & 1) + k), b(columns + 2 * elements * (q >> 1) + k);
        pairs ? vdpbf16ps(Zmm(q), a, b) : vfmadd231ps(Zmm(q), a, b);
      }
  for (unsigned q = 0; q < 4; ++q)
    vmovaps(quarter(q), Zmm(int(q)));
  if (op.numMemory)
    moveBase(op);
  if (loose[op.acc] != 0xF)
    mov(byte[inContext(&model.loose[op.acc])], 0xF);
  loose[op.acc] = 0xF;
}

void NativeEmitter::drain(const Op &op) {
  Label tight;
  uint32_t quarter = 1u << op.immediate;
  vmovaps(zmm4, ptr[r13 + static_cast<int>(256 * op.acc + 64 * op.immediate)]);
  if (!(loose[op.acc] & quarter)) {
    test(byte[inContext(&model.loose[op.acc])], quarter);
    jz(tight);
  }
  vcmpps(k1, zmm4, zmm4, 3); // unordered
  vpbroadcastd(zmm4 | k1, ptr[rip + canonical]);
  L(tight);
  vmovaps(ptr[v(op.d)], zmm4);
}

} // namespace dojo::emu
