// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Strips (NativeStrip.h) and their code. First all addresses of the strip's turns are computed and
// checked; should a check fail, scalar registers get back what they held and the turn is run as if
// there were no strips. What follows cannot fail.
//
// zmm0 to zmm15 hold the quarters of up to four accumulators, zmm16 to zmm26 operands of
// multiply-adds as they are asked for, zmm27 to zmm29 what is being put in order.
#include "NativeStrip.h"

#include "MatrixForms.h"
#include "NativeEmitter.h"

#include <map>
#include <string_view>

namespace dojo::emu {

using namespace Xbyak;
using isa::EType;

//===----------------------------------------------------------------------===//
// Plan
//===----------------------------------------------------------------------===//

namespace {

// Of an accumulator: steps in a turn that are worth a strip of it alone, and steps to aim at if
// there are fewer. The steps of a strip stay within the host's cache of decoded instructions.
constexpr unsigned enoughSteps = 4, aimedSteps = 8, mostSteps = 64;

struct Step {
  unsigned acc, values[2];
  bool zero;
};

} // namespace

StripPlan::StripPlan(const Block &block, const AccessPlan &accesses, bool counted, bool pairs) {
  if (!counted)
    return;
  const Op &loop = block.ops.back();
  std::map<unsigned, unsigned> stepsOf; // of accumulators
  for (size_t i = 0; i + 1 < block.ops.size(); ++i) {
    const Op &op = block.ops[i];
    std::string_view semantic = isa::info(op.opcode).semantic;
    bool ownAccess = accesses.groupOf[i] >= 0;
    if (semantic == "matrixStep" && (ownAccess || op.numMemory == 0))
      ++stepsOf[op.acc];
    else if (!(semantic == "vload" && ownAccess) && semantic != "nop" && !computesScalar(semantic))
      return;
    if (op.destination == score::x + loop.d)
      return;
    for (unsigned k = 0; k < op.numMemory; ++k)
      if (op.memory[k].postIncrement && op.memory[k].base == loop.d)
        return;
  }
  if (stepsOf.empty())
    return;
  unsigned steps = 0;
  for (auto [acc, count] : stepsOf)
    steps += count;
  auto numAccumulators = static_cast<unsigned>(stepsOf.size());
  turns = 1;
  if (steps < enoughSteps * numAccumulators)
    turns = std::max(1u, std::min(aimedSteps * numAccumulators / steps, mostSteps / steps));
  if (turns * steps < 2 * numAccumulators) {
    turns = 0;
    return;
  }

  // What the steps take, in their order.
  std::map<unsigned, unsigned> held; // by vector register
  auto holds = [&](unsigned reg) {
    auto [known, added] = held.try_emplace(reg, values.size());
    if (added)
      values.push_back({0, -1, reg});
    return known->second;
  };
  std::vector<std::vector<Step>> stepsBy; // accumulator
  for (unsigned turn = 0; turn < turns; ++turn)
    for (size_t i = 0; i + 1 < block.ops.size(); ++i) {
      const Op &op = block.ops[i];
      std::string_view semantic = isa::info(op.opcode).semantic;
      if (semantic == "vload") {
        held[op.d] = static_cast<unsigned>(values.size());
        values.push_back({turn, static_cast<int>(i), op.d});
      } else if (semantic == "matrixStep") {
        Step step = {op.acc, {}, op.immediate != 0};
        for (unsigned role : {0u, 1u})
          if (op.s[role].kind == SourceKind::Memory) {
            step.values[role] = static_cast<unsigned>(values.size());
            values.push_back({turn, static_cast<int>(i), 0});
          } else {
            step.values[role] = holds(op.s[role].reg);
          }
        auto at = std::find(accumulators.begin(), accumulators.end(), op.acc);
        if (at == accumulators.end()) {
          at = accumulators.insert(at, op.acc);
          stepsBy.emplace_back();
        }
        stepsBy[static_cast<size_t>(at - accumulators.begin())].push_back(step);
      }
    }
  for (auto [reg, value] : held)
    if (values[value].op >= 0)
      last.push_back(value);

  // Their order here.
  const unsigned elements = pairs ? 2 : 4;
  std::map<std::pair<unsigned, unsigned>, unsigned> known; // operands by value and role
  auto operand = [&](unsigned value, unsigned role) {
    auto [at, added] = known.try_emplace({value, role}, operands.size());
    if (added) {
      operands.push_back({value, role, frameBytes, adds.size()});
      frameBytes += 32 * elements * (role == 0 ? 2 : 1);
    }
    return at->second;
  };
  unsigned groups = (numAccumulators + together - 1) / together;
  for (unsigned group = 0; group < groups; ++group) {
    unsigned begin = group * numAccumulators / groups, end = (group + 1) * numAccumulators / groups;
    size_t most = 0;
    for (unsigned a = begin; a < end; ++a)
      most = std::max(most, stepsBy[a].size());
    for (size_t i = 0; i < most; ++i)
      for (unsigned k = 0; k < elements; ++k)
        for (unsigned a = begin; a < end; ++a) {
          if (i >= stepsBy[a].size())
            continue;
          const Step &s = stepsBy[a][i];
          unsigned both[2] = {operand(s.values[0], 0), operand(s.values[1], 1)};
          bool first = i == 0 && k == 0, zero = k == 0 && s.zero;
          bool store = i + 1 == stepsBy[a].size() && k + 1 == elements;
          for (unsigned q = 0; q < 4; ++q)
            adds.push_back({4 * (a - begin) + q,
                            s.acc,
                            q,
                            pairs ? k : k ^ 1, // odd elements first
                            {both[0], both[1]},
                            zero,
                            first && !zero,
                            store});
        }
  }
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

// What is pending of a register's moves by constants is done.
void NativeEmitter::moveNow(unsigned reg) {
  if (int64_t &moves = pending[reg]) {
    add(qword[x(reg)], static_cast<uint32_t>(static_cast<int32_t>(moves)));
    moves = 0;
  }
}

void NativeEmitter::planStrip() {
  if (!strip.turns)
    return;
  bool writes[numXRegisters] = {};
  for (const Op &op : block.ops) {
    if (op.destination < score::x + numXRegisters)
      writes[op.destination - score::x] = true;
    for (unsigned k = 0; k < op.numMemory; ++k)
      writes[op.memory[k].base] |= op.memory[k].postIncrement;
  }
  writes[block.ops.back().d] = true;
  for (unsigned reg = 1; reg < numXRegisters; ++reg)
    if (writes[reg])
      changed.push_back(reg);
  frameBytes = std::max(frameBytes, (savedSlot(changed.size()) + 63) / 64 * 64);
}

// Whether a group's accesses lie in their lines in each turn as they do in the first.
bool NativeEmitter::alikeInTurns(const AccessGroup &group) const {
  return group.even && group.perTurn % std::max<int64_t>(p.lineBytes, group.alignment) == 0;
}

// Computes and checks the addresses of the strip's turns. Bases go to the frame. Of a base that
// moves by constants alone the first turn's is enough, with a check for all turns; crossings that
// are the same in all turns are collected in r9.
void NativeEmitter::stripAddresses() {
  const Op &loop = block.ops.back();
  failing = &undo;
  xor_(r9d, r9d);
  for (unsigned t = 0; t < strip.turns; ++t) {
    xor_(r14d, r14d);
    for (current = 0; current + 1 < block.ops.size(); ++current) {
      const Op &op = block.ops[current];
      int number = plan.groupOf[current];
      if (number >= 0 && plan.leads[current]) {
        const AccessGroup &group = plan.groups[static_cast<size_t>(number)];
        bool first = t == 0 || !group.even, alike = alikeInTurns(group);
        if (first) {
          moveNow(group.base);
          mov(r8, ptr[x(group.base)]);
          mov(ptr[inFrame(baseSlot(t, static_cast<size_t>(number)))], r8);
          checkWindow(group, r8, group.even ? strip.turns : 1);
        } else if (!alike) {
          mov(r8, ptr[inFrame(baseSlot(0, static_cast<size_t>(number)))]);
          add(r8, static_cast<uint32_t>(static_cast<int32_t>(t * group.perTurn)));
        }
        if (first || !alike) {
          checkAlignment(group, r8);
          noteCrossings(group, r8, alike ? r9 : r14);
        }
      }
      for (unsigned k = 0; k < op.numMemory; ++k)
        if (op.memory[k].postIncrement && op.memory[k].base)
          pending[op.memory[k].base] += op.memory[k].offset;
      if (number >= 0)
        continue;
      for (const auto &source : op.s)
        if (source.kind == SourceKind::X)
          moveNow(source.reg);
      if (op.destination < score::x + numXRegisters)
        moveNow(op.destination - score::x);
      scalar(op);
    }
    --pending[loop.d];
    or_(r14, r9); // complete, for all of the first turn has been
    mov(ptr[inContext(model.turnCrossings + t) + r15 * 8], r14);
  }
  for (unsigned reg = 0; reg < numXRegisters; ++reg)
    moveNow(reg);
  failing = nullptr;
  current = 0;
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

namespace {

constexpr int firstPiece = 16, numPieces = 11;
const Zmm raw(29), ordered(28), even(27), columnOrder(30), oddMask(31);

} // namespace

RegExp NativeEmitter::addressOf(const StripPlan::Value &value) {
  size_t at = static_cast<size_t>(value.op), number = static_cast<size_t>(plan.groupOf[at]);
  const AccessGroup &group = plan.groups[number];
  unsigned slot = baseSlot(group.even ? 0 : value.turn, number);
  if (baseInRcx != slot)
    mov(rcx, ptr[inFrame(slot)]);
  baseInRcx = slot;
  const MemoryOperand &m = block.ops[at].memory[0];
  int64_t offset = plan.moved[at] + (m.postIncrement ? 0 : m.offset);
  if (group.even)
    offset += value.turn * group.perTurn;
  return r12 + rcx + static_cast<int>(offset);
}

// Whether a value stands in memory as it stands in the register.
bool NativeEmitter::plainValue(const StripPlan::Value &value) const {
  if (value.op < 0)
    return true;
  const Op &op = block.ops[static_cast<size_t>(value.op)];
  return op.timing == isa::TimingClass::Matrix || (!op.mask && op.etype != EType::bf16);
}

void NativeEmitter::loadValue(const StripPlan::Value &value) {
  RegExp from = addressOf(value);
  loadWidened(raw, block.ops[static_cast<size_t>(value.op)], from);
}

// Of what puts an operand in order, the next part; false: there is none left.
bool NativeEmitter::spreadPart(const StripPlan::Operand &o, unsigned part) {
  const StripPlan::Value &value = strip.values[o.value];
  bool plain = plainValue(value);
  if (!plain && part-- == 0) {
    loadValue(value);
    return true;
  }
  const unsigned parts = pairs ? 1 : 3, half = part / parts;
  if (half == (o.role == Rows ? 2 : 1))
    return false;
  unsigned to = o.slot + 64 * (pairs ? 1 : 2) * half;
  switch (part % parts) {
  case 0: {
    if (o.role == Rows)
      vmovdqa32(ordered, ptr[rip + order + static_cast<int>(sizeof matrixOrder.rows[0] * half)]);
    const Zmm &places = o.role == Rows ? ordered : columnOrder;
    if (!plain)
      vpermd(ordered, places, raw);
    else if (value.op < 0)
      vpermd(ordered, places, ptr[v(value.reg)]);
    else
      vpermd(ordered, places, ptr[addressOf(value)]);
    if (pairs)
      vmovdqa32(ptr[inFrame(to)], ordered);
    break;
  }
  case 1:
    vpslld(even, ordered, 16);
    vmovdqa32(ptr[inFrame(to)], even);
    break;
  default:
    vpandd(ordered, ordered, oddMask);
    vmovdqa32(ptr[inFrame(to + 64)], ordered);
  }
  return true;
}

// Multiply-adds in their order; among them, in time, what puts operands in order.
void NativeEmitter::stripSteps() {
  vmovdqa32(columnOrder, ptr[rip + order + static_cast<int>(offsetof(MatrixOrder, columns))]);
  if (!pairs)
    vpbroadcastd(oddMask, ptr[rip + oddElements]);
  constexpr size_t ahead = 96; // multiply-adds before its first that an operand is begun
  size_t next = 0, lastNext = 0;
  unsigned part = 0;
  auto side = [&](size_t now, bool one) { // true: there was something to do
    if (next < strip.operands.size()) {
      const StripPlan::Operand &o = strip.operands[next];
      if (o.firstUse > now + (one ? ahead : 0))
        return false;
      if (!spreadPart(o, part++)) {
        ++next;
        part = 0;
      }
      return true;
    }
    // All that they held has been read.
    if (!one || lastNext == strip.last.size())
      return false;
    const StripPlan::Value &value = strip.values[strip.last[lastNext++]];
    loadValue(value);
    vmovdqa32(ptr[v(value.reg)], raw);
    return true;
  };
  // Pieces of operands: in the registers that were asked for last.
  struct Piece {
    unsigned operand = ~0u, half = 0, element = 0;
    size_t used = 0;
    bool operator==(const Piece &o) const {
      return operand == o.operand && half == o.half && element == o.element;
    }
  } pieces[numPieces];
  size_t uses = 0;
  auto bring = [&](unsigned operand, unsigned half, unsigned element) {
    Piece wanted = {operand, half, element, ++uses};
    size_t at = 0;
    for (size_t i = 0; i < numPieces; ++i) {
      if (pieces[i] == wanted) {
        pieces[i].used = uses;
        return Zmm(firstPiece + static_cast<int>(i));
      }
      if (pieces[i].used < pieces[at].used)
        at = i;
    }
    pieces[at] = wanted;
    Zmm to(firstPiece + static_cast<int>(at));
    const StripPlan::Operand &o = strip.operands[operand];
    const unsigned elements = pairs ? 1 : 2, pair = element / elements, e = element % elements;
    loadPiece(to, Role(o.role), o.slot, half, pair, e);
    return to;
  };
  for (size_t i = 0; i < strip.adds.size(); ++i) {
    const StripPlan::MultiplyAdd &a = strip.adds[i];
    while (side(i, false))
      ;
    side(i, true);
    Zmm sum(static_cast<int>(a.sum));
    if (a.zero)
      vpxord(sum, sum, sum);
    if (a.load)
      vmovaps(sum, ptr[quarter(a.acc, a.quarter)]);
    Zmm rows = bring(a.operands[Rows], a.quarter & 1, a.element);
    Zmm columns = bring(a.operands[Columns], a.quarter >> 1, a.element);
    pairs ? vdpbf16ps(sum, rows, columns) : vfmadd231ps(sum, rows, columns);
    if (a.store)
      vmovaps(ptr[quarter(a.acc, a.quarter)], sum);
  }
  while (side(strip.adds.size(), true))
    ;
  for (unsigned acc : strip.accumulators)
    mov(byte[inContext(&model.loose[acc])], 0xF);
}

void NativeEmitter::writeStrip() {
  const unsigned counter = block.ops.back().d;
  // As many turns are left and allowed.
  mov(rax, ptr[x(counter)]);
  sub(rax, 1);
  cmp(rax, strip.turns - 1);
  jb(single, T_NEAR);
  lea(eax, ptr[r15 + strip.turns]);
  cmp(eax, dword[inFrame(frameBytes + 8)]);
  ja(single, T_NEAR);
  for (size_t i = 0; i < changed.size(); ++i) {
    mov(rax, ptr[x(changed[i])]);
    mov(ptr[inFrame(savedSlot(i))], rax);
  }
  stripAddresses();
  stripSteps();
  add(r15d, strip.turns);
  cmp(qword[x(counter)], 0);
  jz(stop, T_NEAR);
  cmp(r15d, dword[inFrame(frameBytes + 8)]);
  jb(turn, T_NEAR);
  jmp(allTurns, T_NEAR);
  L(undo);
  for (size_t i = 0; i < changed.size(); ++i) {
    mov(rax, ptr[inFrame(savedSlot(i))]);
    mov(ptr[x(changed[i])], rax);
  }
}

} // namespace dojo::emu
