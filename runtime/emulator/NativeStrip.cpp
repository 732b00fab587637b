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

//===----------------------------------------------------------------------===//
// Plan
//===----------------------------------------------------------------------===//

namespace {

// Of an accumulator: the steps that are worth having it in registers.
constexpr unsigned enoughSteps = 4;

std::string_view semanticOf(const Op &op) { return isa::info(op.opcode).semantic; }

bool makesStrip(const Block &block, const AccessPlan &accesses) {
  const Op &loop = block.ops.back();
  for (size_t i = 0; i + 1 < block.ops.size(); ++i) {
    const Op &op = block.ops[i];
    std::string_view semantic = semanticOf(op);
    bool ownAccess = accesses.groupOf[i] >= 0;
    if (!(semantic == "matrixStep" && (ownAccess || op.numMemory == 0)) &&
        !(semantic == "vload" && ownAccess) && semantic != "nop" && !computesScalar(semantic))
      return false;
    if (op.destination == score::x + loop.d)
      return false;
    for (unsigned k = 0; k < op.numMemory; ++k)
      if (op.memory[k].postIncrement && op.memory[k].base == loop.d)
        return false;
  }
  return true;
}

} // namespace

StripPlan::StripPlan(const Block &block, const AccessPlan &accesses, bool counted, bool pairs) {
  if (!counted || !makesStrip(block, accesses))
    return;

  // What the steps of a turn take, in their order.
  std::map<unsigned, int> lastLoads; // by vector register
  std::map<unsigned, unsigned> held; // values, the same
  auto hold = [&](const Value &value) {
    held[value.reg] = static_cast<unsigned>(values.size());
    values.push_back(value);
  };
  for (size_t i = 0; i + 1 < block.ops.size(); ++i)
    if (semanticOf(block.ops[i]) == "vload")
      lastLoads[block.ops[i].d] = static_cast<int>(i);
  for (auto [reg, op] : lastLoads)
    hold({op, reg, true});
  struct Step {
    unsigned acc, values[2];
    bool zero;
  };
  std::vector<std::vector<Step>> stepsBy; // accumulator
  unsigned steps = 0;
  for (size_t i = 0; i + 1 < block.ops.size(); ++i) {
    const Op &op = block.ops[i];
    if (semanticOf(op) == "vload")
      hold({static_cast<int>(i), op.d, false});
    if (semanticOf(op) != "matrixStep")
      continue;
    Step step = {op.acc, {}, op.immediate != 0};
    for (unsigned role : {0u, 1u}) {
      if (op.s[role].kind == SourceKind::Memory) {
        step.values[role] = static_cast<unsigned>(values.size());
        values.push_back({static_cast<int>(i), 0, false});
        continue;
      }
      if (!held.contains(op.s[role].reg))
        hold({-1, op.s[role].reg, false});
      step.values[role] = held[op.s[role].reg];
    }
    ++steps;
    auto same = [&](const std::vector<Step> &other) { return other.front().acc == op.acc; };
    auto at = std::find_if(stepsBy.begin(), stepsBy.end(), same);
    if (at == stepsBy.end()) {
      // Accumulators that take the same rows come together: rows are what has to be put in order.
      at = std::upper_bound(stepsBy.begin(), stepsBy.end(), step.values[0],
                            [](unsigned rows, const std::vector<Step> &other) {
                              return rows < other.front().values[0];
                            });
      at = stepsBy.emplace(at);
    }
    at->push_back(step);
  }
  if (steps == 0)
    return;
  for (auto [reg, value] : held)
    if (values[value].op >= 0)
      last.push_back(value);
  leastTurns = static_cast<unsigned>((enoughSteps * stepsBy.size() + steps - 1) / steps);

  const unsigned elements = pairs ? 2 : 4, rowBytes = pairs ? 64 : 128;
  size_t numGroups = (stepsBy.size() + together - 1) / together;
  for (size_t g = 0; g < numGroups; ++g) {
    Group &group = groups.emplace_back();
    auto begin = stepsBy.begin() + static_cast<ptrdiff_t>(g * stepsBy.size() / numGroups);
    auto end = stepsBy.begin() + static_cast<ptrdiff_t>((g + 1) * stepsBy.size() / numGroups);
    size_t most = 0, all = 0;
    for (auto steps = begin; steps != end; ++steps) {
      group.accumulators.push_back(steps->front().acc);
      most = std::max(most, steps->size());
      all += steps->size();
    }
    group.operands.reserve(2 * all); // they are pointed to
    unsigned bytes = 0;
    auto operand = [&](unsigned value, unsigned role) -> const Operand * {
      for (const Operand &o : group.operands)
        if (o.value == value && o.role == role)
          return &o;
      group.before |= values[value].before;
      group.operands.push_back({value, role, bytes, group.adds.size()});
      bytes += role == 0 ? rowBytes : 64;
      return &group.operands.back();
    };
    for (size_t i = 0; i < most; ++i)
      for (unsigned k = 0; k < elements; ++k)
        for (unsigned rows = 0; rows < 4; ++rows)
          for (auto steps = begin; steps != end; ++steps) {
            if (i >= steps->size())
              continue;
            const Step &s = (*steps)[i];
            group.adds.push_back({static_cast<unsigned>(4 * (steps - begin)) + rows,
                                  rows,
                                  k,
                                  {operand(s.values[0], 0), operand(s.values[1], 1)},
                                  k == 0 && s.zero});
          }
    frameBytes = std::max(frameBytes, bytes);
  }
}

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
    checkWindow(group, r8, true);
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
  Label behind, eight, rest, one, done;
  test(r15d, r15d);
  jnz(behind);
  mov(dword[inContext(&model.turnsAlike)], eax);
  L(behind);
  lea(rdx, ptr[inContext(model.turnCrossings) + r15 * 8]);
  vpbroadcastq(zmm0, r9);
  L(eight);
  sub(eax, 8);
  jb(rest);
  vmovdqu64(ptr[rdx], zmm0);
  add(rdx, 64);
  jmp(eight);
  L(rest);
  add(eax, 8);
  jz(done);
  L(one);
  mov(ptr[rdx], r9);
  add(rdx, 8);
  dec(eax);
  jnz(one);
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
          checkWindow(group, r8);
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

constexpr int firstPiece = 16, numPieces = 13;
const Zmm raw(29), ordered(30), oddMask(31);

} // namespace

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

// Brings an operand to its slot, if it needs one.
void NativeEmitter::placeOperand(const StripPlan::Operand &o) {
  const StripPlan::Value &value = strip.values[o.value];
  bool plain = plainValue(value);
  if (!plain)
    loadValue(value);
  if (o.role == Columns) {
    if (!plain)
      vmovdqa32(ptr[inFrame(o.slot)], raw);
    return;
  }
  if (!plain)
    vpshufd(ordered, raw, rowPairOrder);
  else
    vpshufd(ordered, ptr[inRegister(value) ? v(value.reg) : addressOf(value)], rowPairOrder);
  spreadRows(ordered, raw, oddMask, o.slot);
}

// A turn's multiply-adds in their order; among them, in time, what brings their operands.
void NativeEmitter::stripTurn(const StripPlan::Group &group) {
  constexpr size_t ahead = 16; // multiply-adds
  baseInRcx = ~0u;
  // Elements of operands: in the registers that were asked for last.
  struct Piece {
    const StripPlan::Operand *operand = nullptr;
    unsigned rows = 0, number = 0;
    size_t used = 0;
  } pieces[numPieces];
  size_t uses = 0, next = 0;
  auto bring = [&](const StripPlan::Operand &operand, unsigned rows, unsigned number) {
    Piece *oldest = pieces;
    ++uses;
    for (Piece &piece : pieces) {
      if (piece.operand == &operand && piece.rows == rows && piece.number == number) {
        piece.used = uses;
        return Zmm(firstPiece + static_cast<int>(&piece - pieces));
      }
      if (piece.used < oldest->used)
        oldest = &piece;
    }
    *oldest = {&operand, rows, number, uses};
    Zmm to(firstPiece + static_cast<int>(oldest - pieces));
    const StripPlan::Value &value = strip.values[operand.value];
    if (operand.role == Rows)
      loadRows(to, operand.slot, rows, elementOf(number));
    else if (!plainValue(value))
      loadColumns(to, inFrame(operand.slot), oddMask, elementOf(number));
    else
      loadColumns(to, inRegister(value) ? v(value.reg) : addressOf(value), oddMask,
                  elementOf(number));
    return to;
  };
  for (size_t i = 0; i < group.adds.size(); ++i) {
    while (next < group.operands.size() && group.operands[next].firstUse <= i + ahead)
      placeOperand(group.operands[next++]);
    const StripPlan::MultiplyAdd &a = group.adds[i];
    Zmm sum(static_cast<int>(a.sum));
    if (a.zero)
      vpxord(sum, sum, sum);
    Zmm rows = bring(*a.operands[Rows], a.rows, a.number);
    Zmm columns = bring(*a.operands[Columns], 0, a.number);
    multiplyAdd(sum, rows, columns);
  }
  for (size_t i = 0; i < plan.groups.size(); ++i)
    if (const AccessGroup &accesses = plan.groups[i]; accesses.even && accesses.perTurn)
      add(qword[inFrame(slotOf[i] + 8)],
          static_cast<uint32_t>(static_cast<int32_t>(accesses.perTurn)));
  inc(r11d);
  cmp(r11d, dword[inFrame(turnsSlot)]);
}

void NativeEmitter::stripSteps() {
  if (!pairs)
    vpbroadcastd(oddMask, ptr[rip + oddElements]);
  for (const StripPlan::Group &group : strip.groups) {
    for (size_t i = 0; i < plan.groups.size(); ++i)
      if (plan.groups[i].even) {
        mov(rax, ptr[inFrame(slotOf[i])]);
        mov(ptr[inFrame(slotOf[i] + 8)], rax);
      }
    auto forSums = [&](auto f) {
      for (size_t a = 0; a < group.accumulators.size(); ++a)
        for (unsigned rows = 0; rows < 4; ++rows)
          f(Zmm(static_cast<int>(4 * a + rows)), rowPair(group.accumulators[a], rows));
    };
    forSums([&](const Zmm &sum, const RegExp &at) { vmovaps(sum, ptr[at]); });
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
    forSums([&](const Zmm &sum, const RegExp &at) { vmovaps(ptr[at], sum); });
    for (unsigned acc : group.accumulators)
      mov(byte[inContext(&model.loose[acc])], 1);
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
