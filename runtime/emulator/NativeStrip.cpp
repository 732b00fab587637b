// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Strips (NativeStrip.h) and their code. First all addresses of the strip's turns are computed and
// checked; should a check fail, scalar registers get back what they held and half as many turns are
// tried, at last a turn as if there were no strips. What follows cannot fail: for each group of
// accumulators a loop over the turns.
//
// zmm0 to zmm15 hold up to four accumulators, zmm16 to zmm28 operands of multiply-adds as they are
// asked for, zmm29 and zmm30 what is being put in order. r11 counts turns.
#include "NativeStrip.h"

#include "MatrixForms.h"
#include "NativeEmitter.h"

#include <map>
#include <string_view>
#include <utility>

namespace dojo::emu {

using namespace Xbyak;
using isa::EType;

namespace {

std::string_view semanticOf(const Op &op) { return isa::info(op.opcode).semantic; }

} // namespace

void NativeEmitter::planStrip() {
  if (!strip.leastTurns)
    return;
  const Op &loop = block.ops.back();
  bool writes[numXRegisters] = {}, scalars = false;
  for (const Op &op : block.ops) {
    if (&op != &loop)
      scalars |= computesScalar(semanticOf(op));
    if (op.destination < score::x + numXRegisters)
      writes[op.destination - score::x] = true;
    for (unsigned k = 0; k < op.numMemory; ++k)
      writes[op.memory[k].base] |= op.memory[k].postIncrement;
  }
  writes[loop.d] = true;
  for (unsigned reg = 1; reg < numXRegisters; ++reg)
    if (writes[reg])
      changed.push_back(reg);
  evenTurns = !scalars;
  savedSlots = strip.frameBytes;
  for (const AccessGroup &group : plan.groups) {
    slotOf.push_back(savedSlots);
    savedSlots += 8 * (group.even ? 2 : FastContext::maxTurns);
    evenTurns &= alikeInTurns(group);
  }
  turnsSlot = savedSlots + static_cast<unsigned>(8 * changed.size());
  frameBytes = std::max(frameBytes, (turnsSlot + 8 + 63) / 64 * 64);
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

// Whether a group's accesses lie in their lines in each turn as they do in the first.
bool NativeEmitter::alikeInTurns(const AccessGroup &group) const {
  return group.even && group.perTurn % std::max<int64_t>(p.lineBytes, group.alignment) == 0;
}

// Of groups whose base moves by constants alone one check does for all turns. Bases go to the
// frame; crossings that are the same in all turns are collected in r9.
void NativeEmitter::evenAddresses() {
  xor_(r9d, r9d);
  for (size_t i = 0; i < plan.groups.size(); ++i) {
    const AccessGroup &group = plan.groups[i];
    if (!group.even)
      continue;
    mov(r8, ptr[x(group.base)]);
    if (group.moved)
      add(r8, static_cast<uint32_t>(static_cast<int32_t>(group.moved)));
    mov(ptr[inFrame(slotOf[i])], r8);
    checkWindow(group, group.all, r8, true);
    if (!alikeInTurns(group))
      continue;
    checkAlignment(group, r8);
    noteCrossings(group, r8, r9);
  }
}

// All turns have the same crossings, and registers move by constants.
void NativeEmitter::moveTurns() {
  std::map<unsigned, int64_t> moves;
  for (const Op &op : block.ops)
    for (unsigned k = 0; k < op.numMemory; ++k)
      if (op.memory[k].postIncrement && op.memory[k].base)
        moves[op.memory[k].base] += op.memory[k].offset;
  --moves[block.ops.back().d];
  mov(eax, dword[inFrame(turnsSlot)]);
  for (auto [reg, move] : moves) {
    imul(rcx, rax, static_cast<int>(move));
    add(ptr[x(reg)], rcx);
  }
  Label behind, next, done;
  test(r15d, r15d);
  jnz(behind);
  mov(dword[inContext(&model.turnsAlike)], eax);
  mov(ptr[inContext(model.turnCrossings)], r9);
  jmp(done);
  L(behind);
  lea(rdx, ptr[inContext(model.turnCrossings) + r15 * 8]);
  L(next);
  mov(ptr[rdx], r9);
  add(rdx, 8);
  dec(eax);
  jnz(next);
  L(done);
}

// Turn by turn.
void NativeEmitter::stripAddresses() {
  Label again;
  xor_(r11d, r11d);
  L(again);
  xor_(r14d, r14d);
  for (current = 0; current + 1 < block.ops.size(); ++current) {
    const Op &op = block.ops[current];
    int number = plan.groupOf[current];
    if (number >= 0 && plan.leads[current]) {
      const AccessGroup &group = plan.groups[static_cast<size_t>(number)];
      if (!alikeInTurns(group)) {
        mov(r8, ptr[x(group.base)]);
        if (!group.even) {
          mov(ptr[inFrame(slotOf[static_cast<size_t>(number)]) + r11 * 8], r8);
          checkWindow(group, group.all, r8);
        }
        checkAlignment(group, r8);
        noteCrossings(group, r8, r14);
      }
    }
    for (unsigned k = 0; k < op.numMemory; ++k)
      if (const MemoryOperand &m = op.memory[k]; m.postIncrement && m.base)
        add(qword[x(m.base)], static_cast<uint32_t>(static_cast<int32_t>(m.offset)));
    if (number < 0)
      scalar(op);
  }
  sub(qword[x(block.ops.back().d)], 1);
  or_(r14, r9);
  lea(rdx, ptr[r15 + r11]);
  mov(ptr[inContext(model.turnCrossings) + rdx * 8], r14);
  inc(r11d);
  cmp(r11d, dword[inFrame(turnsSlot)]);
  jb(again, T_NEAR);
  current = 0;
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

namespace {

using Form = StripPlan::Form;

constexpr int firstPiece = 16, numPieces = 13;
const Zmm raw(29), ordered(30), oddMask(31);
// For vshufps: of every four elements, those with even or odd numbers.
constexpr uint8_t everySecond[] = {0 | 2 << 2 | 0 << 4 | 2 << 6, 1 | 3 << 2 | 1 << 4 | 3 << 6};

// The bases of the first even groups of accesses in the present turn.
const Reg64 turnBases[] = {util::rax, util::rdx, util::rsi, util::rdi,
                           util::r8,  util::r9,  util::r10, util::r14};

} // namespace

// The register that holds an even group's base; null: the base is in the frame.
const Reg64 *NativeEmitter::turnBase(size_t group) const {
  auto before =
      std::count_if(plan.groups.begin(), plan.groups.begin() + static_cast<ptrdiff_t>(group),
                    [](const AccessGroup &g) { return g.even; });
  return before < std::ssize(turnBases) ? turnBases + before : nullptr;
}

// Where a value is while r11 counts the turn it is of, or the next if it is of the turn before.
RegExp NativeEmitter::addressOf(const StripPlan::Value &value) {
  size_t at = static_cast<size_t>(value.op), number = static_cast<size_t>(plan.groupOf[at]);
  const AccessGroup &group = plan.groups[number];
  const MemoryOperand &m = block.ops[at].memory[0];
  int64_t offset = plan.moved[at] + (m.postIncrement ? 0 : m.offset);
  unsigned slot = slotOf[number] + (group.even ? 8 : 0);
  if (group.even && value.before)
    offset -= group.perTurn;
  else if (value.before)
    slot -= 8;
  if (const Reg64 *base = group.even ? turnBase(number) : nullptr)
    return r12 + *base + static_cast<int>(offset);
  if (unsigned key = slot + group.even; std::exchange(baseInRcx, key) != key)
    mov(rcx, group.even ? ptr[inFrame(slot)] : ptr[inFrame(slot) + r11 * 8]);
  return r12 + rcx + static_cast<int>(offset);
}

// Whether a value is still in the register, not in memory.
bool NativeEmitter::inRegister(const StripPlan::Value &value) const {
  return value.op < 0 || (value.before && firstTurn);
}

// Whether a value stands in memory as it stands in the register.
bool NativeEmitter::plainValue(const StripPlan::Value &value) const {
  if (inRegister(value))
    return true;
  const Op &op = block.ops[static_cast<size_t>(value.op)];
  return op.timing == isa::TimingClass::Matrix || (!op.mask && op.etype != EType::bf16);
}

void NativeEmitter::loadValue(const StripPlan::Value &value) {
  RegExp from = addressOf(value);
  loadWidened(raw, block.ops[static_cast<size_t>(value.op)], from);
}

// Where an operand stands as its register would hold it.
RegExp NativeEmitter::placeOf(const StripPlan::Operand &o) {
  const StripPlan::Value &value = strip.values[o.value];
  if (!plainValue(value))
    return inFrame(o.slot);
  return inRegister(value) ? v(value.reg) : addressOf(value);
}

// Brings an operand to its slot, if it needs one.
void NativeEmitter::placeOperand(const StripPlan::Operand &o) {
  const StripPlan::Value &value = strip.values[o.value];
  bool plain = plainValue(value);
  if (!plain)
    loadValue(value);
  if (o.form != Form::RowPairs) {
    if (!plain)
      vmovdqa32(ptr[inFrame(o.slot)], raw);
    return;
  }
  if (plain)
    vmovups(raw, ptr[placeOf(o)]);
  vpshufd(ordered, raw, rowPairOrder);
  spreadRows(ordered, raw, oddMask, o.slot);
}

// A turn's multiply-adds in their order; among them, in time, what brings their operands.
void NativeEmitter::stripTurn(const StripPlan::Group &group) {
  constexpr size_t ahead = 16; // multiply-adds
  baseInRcx = ~0u;
  // Elements of operands: in the registers that were asked for last.
  struct Piece {
    const StripPlan::Operand *of[2] = {};
    unsigned rows = 0, number = 0;
    size_t used = 0;
  } pieces[numPieces];
  size_t uses = 0, next = 0;
  // The register, and whether the piece has still to be brought there.
  auto find = [&](const StripPlan::Operand *first, const StripPlan::Operand *second, unsigned rows,
                  unsigned number) {
    Piece *oldest = pieces;
    bool found = false;
    for (Piece &piece : pieces) {
      found = piece.of[0] == first && piece.of[1] == second && piece.rows == rows &&
              piece.number == number;
      if (found || piece.used < oldest->used)
        oldest = &piece;
      if (found)
        break;
    }
    *oldest = {{first, second}, rows, number, ++uses};
    return std::pair(Zmm(firstPiece + static_cast<int>(oldest - pieces)), !found);
  };
  for (size_t i = 0; i < group.adds.size(); ++i) {
    while (next < group.operands.size() && group.operands[next].firstUse <= i + ahead)
      placeOperand(group.operands[next++]);
    const StripPlan::MultiplyAdd &a = group.adds[i];
    const Element e = elementOf(a.number);
    Zmm sum(static_cast<int>(a.sum));
    if (a.zero)
      vpxord(sum, sum, sum);
    auto [columns, missing] = find(a.columns[0], a.columns[1], 0, a.number);
    if (missing && a.columns[1]) {
      vmovups(raw, ptr[placeOf(*a.columns[0])]);
      vshufps(columns, raw, ptr[placeOf(*a.columns[1])], everySecond[e.pair]);
      widenElement(columns, oddMask, e);
    } else if (missing) {
      loadColumns(columns, placeOf(*a.columns[0]), oddMask, e);
    }
    auto [rows, rowsMissing] = find(a.of, nullptr, a.rows, a.number);
    if (rowsMissing && a.columns[1])
      vbroadcastss(rows, ptr[placeOf(*a.of) + static_cast<int>(8 * a.rows + 4 * e.pair)]);
    else if (rowsMissing)
      loadRows(rows, a.of->slot, a.rows, e);
    multiplyAdd(sum, columns, rows);
  }
  for (size_t i = 0; i < plan.groups.size(); ++i)
    if (const AccessGroup &accesses = plan.groups[i]; accesses.even && accesses.perTurn) {
      auto move = static_cast<uint32_t>(static_cast<int32_t>(accesses.perTurn));
      if (const Reg64 *base = turnBase(i))
        add(*base, move);
      else
        add(qword[inFrame(slotOf[i] + 8)], move);
    }
  inc(r11d);
  cmp(r11d, dword[inFrame(turnsSlot)]);
}

void NativeEmitter::loadSums(const StripPlan::Member &m) {
  for (unsigned rows = 0; rows < 4; ++rows) {
    int sum = static_cast<int>(m.firstSum + m.accumulators.size() * rows);
    vmovaps(m.accumulators.size() == 1 ? Zmm(sum) : raw, ptr[rowPair(m.accumulators[0], rows)]);
    for (int odd = 0; odd < 2 && m.accumulators.size() == 2; ++odd)
      vshufps(Zmm(sum + odd), raw, ptr[rowPair(m.accumulators[1], rows)], everySecond[odd]);
  }
}

void NativeEmitter::storeSums(const StripPlan::Member &m) {
  for (unsigned rows = 0; rows < 4; ++rows) {
    int sum = static_cast<int>(m.firstSum + m.accumulators.size() * rows);
    if (m.accumulators.size() == 1) {
      vmovaps(ptr[rowPair(m.accumulators[0], rows)], Zmm(sum));
      continue;
    }
    vunpcklps(raw, Zmm(sum), Zmm(sum + 1));
    vmovaps(ptr[rowPair(m.accumulators[0], rows)], raw);
    vunpckhps(raw, Zmm(sum), Zmm(sum + 1));
    vmovaps(ptr[rowPair(m.accumulators[1], rows)], raw);
  }
}

void NativeEmitter::stripSteps() {
  if (!pairs)
    vpbroadcastd(oddMask, ptr[rip + oddElements]);
  for (const StripPlan::Group &group : strip.groups) {
    for (size_t i = 0; i < plan.groups.size(); ++i)
      if (plan.groups[i].even) {
        const Reg64 *base = turnBase(i);
        mov(base ? *base : rcx, ptr[inFrame(slotOf[i])]);
        if (!base)
          mov(ptr[inFrame(slotOf[i] + 8)], rcx);
      }
    for (const StripPlan::Member &m : group.members)
      loadSums(m);
    Label again, done;
    xor_(r11d, r11d);
    if (group.before) {
      firstTurn = true;
      stripTurn(group);
      firstTurn = false;
      jae(done, T_NEAR);
    }
    L(again);
    stripTurn(group);
    jb(again, T_NEAR);
    L(done);
    for (const StripPlan::Member &m : group.members) {
      storeSums(m);
      for (unsigned acc : m.accumulators)
        mov(byte[inContext(&model.loose[acc])], 1);
    }
  }
  baseInRcx = ~0u;
  for (unsigned number : strip.last) { // of the turn before r11's
    StripPlan::Value value = strip.values[number];
    value.before = true;
    loadValue(value);
    vmovdqa32(ptr[v(value.reg)], raw);
  }
}

void NativeEmitter::writeStrip() {
  const unsigned counter = block.ops.back().d;
  // As many turns as are left and allowed.
  mov(rax, ptr[x(counter)]);
  sub(rax, 1);
  mov(ecx, dword[inFrame(frameBytes + 8)]);
  sub(ecx, r15d);
  dec(ecx);
  cmp(rax, rcx);
  cmova(rax, rcx);
  inc(eax);
  if (strip.leastTurns > 1) {
    cmp(eax, strip.leastTurns);
    jb(single, T_NEAR);
  }
  Label sized, fewer, undo;
  L(sized);
  mov(dword[inFrame(turnsSlot)], eax);
  failing = &fewer;
  evenAddresses();
  if (evenTurns) {
    moveTurns();
  } else {
    for (size_t i = 0; i < changed.size(); ++i) {
      mov(rax, ptr[x(changed[i])]);
      mov(ptr[inFrame(savedSlots + static_cast<unsigned>(8 * i))], rax);
    }
    failing = &undo;
    stripAddresses();
  }
  failing = nullptr;
  stripSteps();
  add(r15d, dword[inFrame(turnsSlot)]);
  cmp(qword[x(counter)], 0);
  jz(stop, T_NEAR);
  jmp(allTurns, T_NEAR);
  L(undo);
  for (size_t i = 0; i < changed.size() && !evenTurns; ++i) {
    mov(rax, ptr[inFrame(savedSlots + static_cast<unsigned>(8 * i))]);
    mov(ptr[x(changed[i])], rax);
  }
  L(fewer); // some turn fails: half as many
  mov(eax, dword[inFrame(turnsSlot)]);
  shr(eax, 1);
  cmp(eax, strip.leastTurns);
  jae(sized, T_NEAR);
}

} // namespace dojo::emu
