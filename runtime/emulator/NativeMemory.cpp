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

AccessPlan::AccessPlan(const Block &block)
    : groupOf(block.ops.size(), -1), leads(groupOf.size()), moved(groupOf.size()) {
  unsigned version[numXRegisters] = {};
  int64_t movedBy[numXRegisters] = {};
  for (size_t i = 0; i < block.ops.size(); ++i) {
    const Op &op = block.ops[i];
    const MemoryOperand &m = op.memory[0];
    if (plainAccess(op)) {
      auto group = std::find_if(groups.begin(), groups.end(), [&](const AccessGroup &g) {
        return g.base == m.base && g.version == version[m.base] && g.write == op.writesMemory;
      });
      bool leader = group == groups.end();
      int64_t before = leader ? 0 : movedBy[m.base] - group->moved;
      int64_t offset = (m.postIncrement ? 0 : m.offset) + before;
      if (offset % op.alignment == 0) {
        if (leader)
          group = groups.insert(group, {m.base,
                                        version[m.base],
                                        op.writesMemory,
                                        movedBy[m.base],
                                        offset,
                                        offset,
                                        1,
                                        {},
                                        false,
                                        0});
        group->low = std::min(group->low, offset);
        group->high = std::max(group->high, offset + op.accessBytes);
        group->alignment = std::max<unsigned>(group->alignment, op.alignment);
        group->accesses.push_back({offset, op.accessBytes, op.crossing});
        groupOf[i] = static_cast<int>(group - groups.begin());
        leads[i] = leader;
        moved[i] = before;
      }
    }
    for (unsigned k = 0; k < op.numMemory; ++k)
      if (op.memory[k].postIncrement && op.memory[k].base) {
        movedBy[op.memory[k].base] += op.memory[k].offset;
        version[op.memory[k].base] += op.numMemory > 1;
      }
    if (op.destination < score::x + numXRegisters)
      ++version[op.destination - score::x];
  }
  for (AccessGroup &g : groups) {
    g.even = version[g.base] == 0;
    g.perTurn = movedBy[g.base];
  }
}

void NativeEmitter::check(const AccessGroup &group, const Reg64 &base) {
  checkAlignment(group, base);
  checkWindow(group, base);
  noteCrossings(group, base, r14);
}

void NativeEmitter::checkAlignment(const AccessGroup &group, const Reg64 &base) {
  if (group.alignment > 1) {
    test(base, group.alignment - 1);
    jnz(failure(), T_NEAR);
  }
}

// Of the group's accesses in so many turns.
void NativeEmitter::checkWindow(const AccessGroup &group, const Reg64 &base, unsigned turns) {
  const Window &window = group.write ? model.writes[group.base] : model.reads[group.base];
  int64_t moves = (turns - 1) * group.perTurn;
  int64_t low = group.low + std::min<int64_t>(moves, 0);
  int64_t high = group.high + std::max<int64_t>(moves, 0);
  lea(rcx, ptr[base + static_cast<int>(low)]);
  sub(rcx, ptr[inContext(&window.begin)]);
  mov(rdx, ptr[inContext(&window.size)]);
  cmp(rcx, rdx);
  ja(failure(), T_NEAR);
  add(rcx, static_cast<uint32_t>(high - low));
  cmp(rcx, rdx);
  ja(failure(), T_NEAR);
}

// Accesses that lie alike in their lines cross them together.
void NativeEmitter::noteCrossings(const AccessGroup &group, const Reg64 &base, const Reg64 &to) {
  int64_t line = p.lineBytes;
  std::map<std::pair<int64_t, unsigned>, uint64_t> alike;
  for (const AccessGroup::Access &a : group.accesses)
    alike[{a.offset & (line - 1), a.bytes}] |= uint64_t(1) << a.crossing;
  for (const auto &[place, bits] : alike) {
    Label inside;
    lea(ecx, ptr[base + static_cast<int>(place.first)]);
    and_(ecx, static_cast<uint32_t>(line - 1));
    cmp(ecx, static_cast<uint32_t>(static_cast<int32_t>(line - place.second)));
    jle(inside);
    mov(rdx, bits);
    or_(to, rdx);
    L(inside);
  }
}

// Where an instruction's memory operand is. Changes rcx and rdx.
RegExp NativeEmitter::access(const Op &op) {
  size_t number = static_cast<size_t>(plan.groupOf[current]);
  const AccessGroup &group = plan.groups[number];
  const Reg64 &base = bases[number % std::size(bases)];
  int64_t moved = plan.moved[current];
  if (plan.leads[current])
    finishStep(); // a check may end the turn
  if (int &holds = baseOf[number % std::size(bases)]; holds != plan.groupOf[current]) {
    mov(base, ptr[x(group.base)]);
    if (moved)
      sub(base, static_cast<uint32_t>(static_cast<int32_t>(moved)));
    holds = plan.groupOf[current];
  }
  if (plan.leads[current])
    check(group, base);
  const MemoryOperand &m = op.memory[0];
  return r12 + base + static_cast<int>(moved + (m.postIncrement ? 0 : m.offset));
}

void NativeEmitter::moveBase(const Op &op) {
  const MemoryOperand &m = op.memory[0];
  if (!m.postIncrement || !m.base)
    return;
  const Reg64 &base = bases[static_cast<size_t>(plan.groupOf[current]) % std::size(bases)];
  lea(rcx, ptr[base + static_cast<int>(plan.moved[current] + m.offset)]);
  mov(ptr[x(m.base)], rcx);
}

void NativeEmitter::loadWidened(const Zmm &to, const Op &op, const RegExp &from) {
  Zmm masked = op.mask ? to | k1 | T_z : to;
  if (op.mask)
    kmovw(k1, ptr[m(op.mask)]);
  if (op.etype == EType::bf16) {
    vpmovzxwd(masked, ptr[from]);
    vpslld(to, to, 16);
  } else {
    vmovdqu32(masked, ptr[from]);
  }
}

void NativeEmitter::loadVector(const Op &op) {
  loadWidened(zmm4, op, access(op));
  vmovdqa32(ptr[v(op.d)], zmm4);
  weave(2);
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

void NativeEmitter::forgetRegisters() {
  for (Set &set : sets)
    set.value = noValue;
  for (int &group : baseOf)
    group = -1;
  constants = false;
}

// Puts the pairs of a block in order, and widens their elements.
void NativeEmitter::spread(Role role, const RegExp &from, unsigned slot) {
  if (!constants) {
    vmovdqa32(zmm6, ptr[rip + order + static_cast<int>(offsetof(MatrixOrder, columns))]);
    vpbroadcastd(zmm7, ptr[rip + oddElements]);
    constants = true;
  }
  for (unsigned half = 0; half < (role == Rows ? 2 : 1); ++half) {
    if (role == Rows)
      vmovdqa32(zmm4, ptr[rip + order + static_cast<int>(sizeof matrixOrder.rows[0] * half)]);
    vpermd(zmm4, role == Rows ? zmm4 : zmm6, ptr[from]);
    weave(2);
    if (pairs) {
      vmovdqa32(ptr[inFrame(slot + 64 * half)], zmm4);
      continue;
    }
    vpslld(zmm5, zmm4, 16);
    weave(2);
    vpandd(zmm4, zmm4, zmm7);
    weave(2);
    vmovdqa32(ptr[inFrame(slot + 128 * half)], zmm5);
    vmovdqa32(ptr[inFrame(slot + 128 * half + 64)], zmm4);
  }
}

// An element of a pair of four rows or columns, as multiply-adds take it.
void NativeEmitter::loadPiece(const Zmm &to, Role role, unsigned slot, unsigned half, unsigned pair,
                              unsigned element) {
  const unsigned elements = pairs ? 1 : 2;
  if (role == Columns)
    vbroadcastf32x4(to, ptr[inFrame(slot + 64 * element + 32 * pair + 16 * half)]);
  else if (pair == 0)
    vmovsldup(to, ptr[inFrame(slot + 64 * (elements * half + element))]);
  else
    vmovshdup(to, ptr[inFrame(slot + 64 * (elements * half + element))]);
}

// A set by half of the rows or columns, pair, and even or odd element.
void NativeEmitter::loadSet(Role role, unsigned set, unsigned slot) {
  int to = firstOfSet(set);
  for (unsigned half : {0u, 1u})
    for (unsigned pair : {0u, 1u})
      for (unsigned e = 0; e < (pairs ? 1 : 2); ++e, ++to)
        loadPiece(Zmm(to), role, slot, half, pair, e);
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
  if (step.left && (set == step.sets[Rows] || set == step.sets[Columns]))
    finishStep();
  loadSet(role, set, slot);
  sets[set] = {role, inMemory ? noValue : value, uses};
  return set;
}

// A step's multiply-adds stand among the instructions that bring the next step's operands: the
// host's scheduler is too short to mix them if they come one after the other.
void NativeEmitter::matrixStep(const Op &op) {
  RegExp memory = op.numMemory ? access(op) : RegExp();
  unsigned rows = operand(Rows, op, 0, memory);
  unsigned columns = operand(Columns, op, 1, memory);
  finishStep();
  for (int q = 0; q < 4; ++q)
    if (op.immediate)
      vpxord(Zmm(q), Zmm(q), Zmm(q));
    else
      vmovaps(Zmm(q), ptr[quarter(op.acc, unsigned(q))]);
  step = {{rows, columns}, op.acc, pairs ? 8u : 16u};
  if (op.numMemory)
    moveBase(op);
  if (loose[op.acc] != 0xF)
    mov(byte[inContext(&model.loose[op.acc])], 0xF);
  loose[op.acc] = 0xF;
}

// Writes up to `count` multiply-adds of the step.
void NativeEmitter::weave(unsigned count) {
  const unsigned elements = pairs ? 1 : 2;
  for (; count > 0 && step.left > 0; --count) {
    unsigned done = 8 * elements - step.left--, q = done % 4;
    unsigned k = done / 4 ^ (elements - 1); // odd elements first
    Zmm a(firstOfSet(step.sets[Rows]) + static_cast<int>(2 * elements * (q & 1) + k));
    Zmm b(firstOfSet(step.sets[Columns]) + static_cast<int>(2 * elements * (q >> 1) + k));
    Zmm sum(static_cast<int>(q));
    pairs ? vdpbf16ps(sum, a, b) : vfmadd231ps(sum, a, b);
    if (step.left < 4)
      vmovaps(ptr[quarter(step.acc, q)], sum);
  }
}

void NativeEmitter::drain(const Op &op) {
  finishStep();
  Label tight;
  uint32_t bit = 1u << op.immediate;
  vmovaps(zmm4, ptr[quarter(op.acc, static_cast<unsigned>(op.immediate))]);
  if (!(loose[op.acc] & bit)) {
    test(byte[inContext(&model.loose[op.acc])], bit);
    jz(tight);
  }
  vcmpps(k1, zmm4, zmm4, 3); // unordered
  vpbroadcastd(zmm4 | k1, ptr[rip + canonical]);
  L(tight);
  vmovaps(ptr[v(op.d)], zmm4);
}

} // namespace dojo::emu
