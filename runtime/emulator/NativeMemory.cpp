// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Accesses and matrix steps in native code.
//
// zmm0 to zmm3 hold the pairs of rows of an accumulator, zmm4 and zmm5 are for anything, zmm8 to
// zmm15 hold rows of matrix steps as they are asked for, and from zmm16 on there are four sets of
// registers for columns.
#include "NativeEmitter.h"

#include "MatrixForms.h"

#include <map>
#include <string_view>

namespace dojo::emu {

using namespace Xbyak;
using isa::EType;

namespace {

constexpr int firstOfSet(unsigned set) { return static_cast<int>(16 + 4 * set); }

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

void AccessGroup::Range::add(int64_t offset, unsigned bytes) {
  int64_t end = offset + bytes;
  *this = empty() ? Range{offset, end} : Range{std::min(low, offset), std::max(high, end)};
}

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
          group = groups.insert(group, {.base = m.base,
                                        .version = version[m.base],
                                        .write = op.writesMemory,
                                        .moved = movedBy[m.base]});
        group->all.add(offset, op.accessBytes);
        if (!op.mask)
          group->unmasked.add(offset, op.accessBytes);
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
  if (!group.unmasked.empty())
    checkWindow(group, group.unmasked, base);
  noteCrossings(group, base, r14);
}

void NativeEmitter::checkAlignment(const AccessGroup &group, const Reg64 &base) {
  if (group.alignment > 1) {
    test(base, group.alignment - 1);
    jnz(failure(), T_NEAR);
  }
}

// Of a turn's accesses, or of those of all turns of a strip.
void NativeEmitter::checkWindow(const AccessGroup &group, AccessGroup::Range range,
                                const Reg64 &base, bool inAllTurns) {
  const Window &window = group.write ? model.writes[group.base] : model.reads[group.base];
  bool moves = inAllTurns && group.perTurn != 0;
  auto bytes = static_cast<uint32_t>(range.high - range.low);
  auto begin = [&] { // in rcx; rax: how far it moves
    lea(rcx, ptr[base + static_cast<int>(range.low)]);
    if (!moves)
      return;
    mov(eax, dword[inFrame(turnsSlot)]);
    dec(eax);
    imul(rax, rax, static_cast<int>(group.perTurn));
    if (group.perTurn < 0)
      add(rcx, rax);
  };
  auto addMoves = [&](const Reg64 &to) {
    if (moves)
      group.perTurn < 0 ? sub(to, rax) : add(to, rax);
  };
  Label other, inside;
  begin();
  sub(rcx, ptr[inContext(&window.begin)]);
  mov(rdx, ptr[inContext(&window.size)]);
  cmp(rcx, rdx);
  ja(other);
  add(rcx, bytes);
  addMoves(rcx);
  cmp(rcx, rdx);
  jbe(inside);
  L(other);
  begin();
  mov(edx, bytes);
  addMoves(rdx);
  seekWindow(group.base, group.write);
  L(inside);
}

// Of an access with a mask, what lies from its first lane to its last.
void NativeEmitter::checkLanes(const Op &op, const RegExp &at) {
  unsigned reg = op.memory[0].base, element = op.accessBytes / 16u;
  const Window &window = op.writesMemory ? model.writes[reg] : model.reads[reg];
  Label other, inside;
  movzx(eax, word[m(op.mask)]);
  test(eax, eax);
  jz(inside, T_NEAR);
  bsf(ecx, eax);
  bsr(eax, eax);
  sub(eax, ecx);
  lea(edx, ptr[rax * element + element]);
  lea(rcx, ptr[at + rcx * element]);
  mov(rax, rcx);
  sub(rax, ptr[inContext(&window.begin)]);
  cmp(rax, ptr[inContext(&window.size)]);
  ja(other);
  add(rax, rdx);
  cmp(rax, ptr[inContext(&window.size)]);
  jbe(inside, T_NEAR);
  L(other);
  seekWindow(reg, op.writesMemory);
  L(inside);
}

// For rdx bytes from rcx on. The check fails if there is none.
void NativeEmitter::seekWindow(unsigned base, bool write) {
  bool operands = constants;
  for (const Set &set : sets)
    operands |= set.value != noValue;
  mov(eax, base | static_cast<unsigned>(write) << 8);
  call(seek[operands]);
  seeks[operands] = true;
  test(al, al);
  jz(failure(), T_NEAR);
}

// Looks for a window that holds rdx bytes from rcx on, for the base and the kind of access in eax;
// al: whether there is one. Keeps registers that may hold bases, and operands of matrix steps.
void NativeEmitter::writeSeek(bool operands) {
  const Reg64 keptBases[] = {r8, r9, r10, r11, rsi, rdi};
  std::vector<Zmm> kept;
  if (operands)
    kept.push_back(zmm7);
  for (unsigned set = 0; operands && set < numSets; ++set)
    for (unsigned k = 0; k < numElements(); ++k)
      kept.emplace_back(firstOfSet(set) + static_cast<int>(k));
  auto place = [&](size_t i) { return ptr[rsp + static_cast<int>(64 * i)]; };
  L(seek[operands]);
  push(rbp);
  mov(rbp, rsp);
  for (const Reg64 &reg : keptBases)
    push(reg);
  sub(rsp, static_cast<uint32_t>(64 * kept.size()));
  and_(rsp, -64);
  for (size_t i = 0; i < kept.size(); ++i)
    vmovaps(place(i), kept[i]);
  mov(rdi, rbx);
  movzx(esi, al);
  shr(eax, 8);
  mov(r8d, eax);
  xchg(rcx, rdx);
  call(ptr[inContext(&model.findWindow)]);
  for (size_t i = 0; i < kept.size(); ++i)
    vmovaps(kept[i], place(i));
  lea(rsp, ptr[rbp - static_cast<int>(8 * std::size(keptBases))]);
  for (auto reg = std::rbegin(keptBases); reg != std::rend(keptBases); ++reg)
    pop(*reg);
  pop(rbp);
  ret();
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

// Where an instruction's memory operand is. Changes rax, rcx and rdx.
RegExp NativeEmitter::access(const Op &op) {
  size_t number = static_cast<size_t>(plan.groupOf[current]);
  const AccessGroup &group = plan.groups[number];
  const Reg64 &base = bases[number % std::size(bases)];
  int64_t moved = plan.moved[current];
  if (plan.leads[current] || op.mask)
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
  RegExp at = base + static_cast<int>(moved + (m.postIncrement ? 0 : m.offset));
  if (op.mask)
    checkLanes(op, at);
  return r12 + at;
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

// The frame's slots for rows: a register, or one each for even and odd elements.
void NativeEmitter::planOperands() {
  for (const Op &op : block.ops)
    if (std::string_view(isa::info(op.opcode).semantic) == "matrixStep") {
      bool memory = op.s[Rows].kind == SourceKind::Memory;
      unsigned &slot = rowSlots[memory ? memoryOperand : op.s[Rows].reg];
      if (slot)
        continue;
      slot = frameBytes + 1; // 0: none
      frameBytes += rowBytes();
    }
}

void NativeEmitter::vectorChanged(unsigned reg) {
  rowsSpread[reg] = false;
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

// Puts the rows that `ordered` holds in order, and widens their elements. Changes `other`.
void NativeEmitter::spreadRows(const Zmm &ordered, const Zmm &other, const Zmm &oddMask,
                               unsigned slot) {
  if (pairs) {
    vmovdqa32(ptr[inFrame(slot)], ordered);
    return;
  }
  vpslld(other, ordered, 16);
  vpandd(ordered, ordered, oddMask);
  vmovdqa32(ptr[inFrame(slot)], other);
  vmovdqa32(ptr[inFrame(slot + 64)], ordered);
}

// The element with a number in the order of multiply-adds: the odd one of a pair first.
NativeEmitter::Element NativeEmitter::elementOf(unsigned number) const {
  return pairs ? Element{number, 0} : Element{number / 2, number % 2 ^ 1};
}

// An element of a pair of rows, as multiply-adds take it.
void NativeEmitter::loadRows(const Zmm &to, unsigned slot, unsigned rows, Element e) {
  vbroadcastsd(to, ptr[inFrame(slot + 64 * e.odd + 16 * rows + 8 * e.pair)]);
}

// An element of all columns, as multiply-adds take it.
void NativeEmitter::loadColumns(const Zmm &to, const RegExp &from, const Zmm &oddMask, Element e) {
  e.pair ? vmovshdup(to, ptr[from]) : vmovsldup(to, ptr[from]);
  widenElement(to, oddMask, e);
}

void NativeEmitter::widenElement(const Zmm &element, const Zmm &oddMask, Element e) {
  if (pairs)
    return;
  e.odd ? vpandd(element, element, oddMask) : vpslld(element, element, 16);
}

// The set that holds columns; brings them there.
unsigned NativeEmitter::columnsOf(const Op &op, const RegExp &memory) {
  bool inMemory = op.s[Columns].kind == SourceKind::Memory;
  unsigned value = inMemory ? noValue : op.s[Columns].reg, set = 0;
  ++uses;
  for (unsigned i = 0; i < numSets; ++i) {
    if (!inMemory && sets[i].value == value) {
      sets[i].lastUse = uses;
      return i;
    }
    if (sets[i].lastUse < sets[set].lastUse)
      set = i;
  }
  if (step.left && set == step.set)
    finishStep();
  for (unsigned k = 0; k < numElements(); ++k) {
    loadColumns(Zmm(firstOfSet(set) + static_cast<int>(k)), inMemory ? memory : v(value), zmm7,
                elementOf(k));
    weave(1);
  }
  sets[set] = {value, uses};
  return set;
}

// The slot that holds rows; brings them there.
unsigned NativeEmitter::rowsOf(const Op &op, const RegExp &memory) {
  bool inMemory = op.s[Rows].kind == SourceKind::Memory;
  unsigned value = inMemory ? memoryOperand : op.s[Rows].reg, slot = rowSlots[value] - 1;
  if (!inMemory && rowsSpread[value])
    return slot;
  if (step.left && slot == step.slot)
    finishStep();
  vpshufd(zmm4, ptr[inMemory ? memory : v(value)], rowPairOrder);
  weave(2);
  spreadRows(zmm4, zmm5, zmm7, slot);
  if (!inMemory)
    rowsSpread[value] = true;
  return slot;
}

// A step's multiply-adds stand among the instructions that bring the next step's operands: the
// host's scheduler is too short to mix them if they come one after the other.
void NativeEmitter::matrixStep(const Op &op) {
  RegExp memory = op.numMemory ? access(op) : RegExp();
  if (!pairs && !constants)
    vpbroadcastd(zmm7, ptr[rip + oddElements]);
  constants = true;
  unsigned slot = rowsOf(op, memory), set = columnsOf(op, memory);
  finishStep();
  for (int q = 0; q < 4; ++q)
    if (op.immediate)
      vpxord(Zmm(q), Zmm(q), Zmm(q));
    else
      vmovaps(Zmm(q), ptr[rowPair(op.acc, unsigned(q))]);
  step = {slot, set, op.acc, 4 * numElements()};
  if (op.numMemory)
    moveBase(op);
  if (!loose[op.acc])
    mov(byte[inContext(&model.loose[op.acc])], 1);
  loose[op.acc] = true;
}

// Writes up to `count` multiply-adds of the step.
void NativeEmitter::weave(unsigned count) {
  for (; count > 0 && step.left > 0; --count) {
    unsigned done = 4 * numElements() - step.left--, q = done % 4, k = done / 4;
    Zmm rows(static_cast<int>(8 + done % 8)), sum(static_cast<int>(q));
    Zmm columns(firstOfSet(step.set) + static_cast<int>(k));
    loadRows(rows, step.slot, q, elementOf(k));
    multiplyAdd(sum, rows, columns);
    if (step.left < 4)
      vmovaps(ptr[rowPair(step.acc, q)], sum);
  }
}

void NativeEmitter::drain(const Op &op) {
  finishStep();
  Label tight;
  auto quarter = static_cast<unsigned>(op.immediate), first = 2 * (quarter & 1);
  vmovaps(zmm4, ptr[rowPair(op.acc, first)]);
  vmovdqa32(zmm5, ptr[rip + drainOrder + static_cast<int>(64 * (quarter >> 1))]);
  vpermt2d(zmm4, zmm5, ptr[rowPair(op.acc, first + 1)]);
  if (!loose[op.acc]) {
    cmp(byte[inContext(&model.loose[op.acc])], 0);
    je(tight);
  }
  vcmpps(k1, zmm4, zmm4, 3); // unordered
  vpbroadcastd(zmm4 | k1, ptr[rip + canonical]);
  L(tight);
  vmovaps(ptr[v(op.d)], zmm4);
}

} // namespace dojo::emu
