// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a strip does in each of its turns (NativeStrip.h).
#include "NativeStrip.h"

#include "NativeEmitter.h"

#include <algorithm>
#include <map>
#include <span>
#include <string_view>
#include <utility>

namespace dojo::emu {

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

struct Step {
  unsigned rows, columns; // values
  bool zero;
};

// The steps on an accumulator, in their order.
struct Chain {
  unsigned acc;
  std::vector<Step> steps;
  bool sameRows(const Chain &other) const {
    return std::equal(
        steps.begin(), steps.end(), other.steps.begin(), other.steps.end(),
        [](const Step &a, const Step &b) { return a.rows == b.rows && a.zero == b.zero; });
  }
};

// One accumulator, or two that take the same rows.
struct Unit {
  const Chain *chains[2];
  unsigned size() const { return chains[1] ? 2 : 1; }
};

// The multiply-adds of a group. Those of its units stand turn and turn about.
class GroupWriter {
public:
  GroupWriter(StripPlan::Group &group, const std::vector<StripPlan::Value> &values, bool pairs)
      : group(group), values(values), pairs(pairs) {}

  void write(std::span<const Unit> units) {
    size_t most = 0, all = 0;
    unsigned firstSum = 0;
    for (const Unit &unit : units) {
      StripPlan::Member &member = group.members.emplace_back();
      member.firstSum = std::exchange(firstSum, firstSum + 4 * unit.size());
      for (const Chain *chain : std::span(unit.chains, unit.size())) {
        member.accumulators.push_back(chain->acc);
        all += 2 * chain->steps.size();
      }
      most = std::max(most, unit.chains[0]->steps.size());
    }
    group.operands.reserve(all); // they are pointed to
    for (size_t step = 0; step < most; ++step)
      for (unsigned number = 0; number < (pairs ? 2 : 4); ++number)
        for (unsigned rows = 0; rows < 8; ++rows)
          writeRows(units, step, number, rows);
  }
  unsigned bytes() const { return numBytes; }

private:
  void writeRows(std::span<const Unit> units, size_t step, unsigned number, unsigned rows) {
    using enum StripPlan::Form;
    for (size_t i = 0; i < units.size(); ++i) {
      const Unit &unit = units[i];
      if (rows >= 4 * unit.size() || step >= unit.chains[0]->steps.size())
        continue;
      const Step &s = unit.chains[0]->steps[step];
      StripPlan::MultiplyAdd add;
      add.sum = group.members[i].firstSum + rows;
      add.rows = rows;
      add.number = number;
      add.zero = s.zero && number == 0;
      add.of = operand(s.rows, unit.chains[1] ? RowElements : RowPairs);
      add.columns[0] = operand(s.columns, Columns);
      if (unit.chains[1])
        add.columns[1] = operand(unit.chains[1]->steps[step].columns, Columns);
      group.adds.push_back(add);
    }
  }

  const StripPlan::Operand *operand(unsigned value, StripPlan::Form form) {
    for (const StripPlan::Operand &o : group.operands)
      if (o.value == value && o.form == form)
        return &o;
    group.before |= values[value].before;
    group.operands.push_back({value, form, numBytes, group.adds.size()});
    numBytes += pairs || form == StripPlan::Form::Columns ? 64 : 128;
    return &group.operands.back();
  }

  StripPlan::Group &group;
  const std::vector<StripPlan::Value> &values;
  const bool pairs;
  unsigned numBytes = 0;
};

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
  std::vector<Chain> chains;
  unsigned steps = 0;
  for (size_t i = 0; i + 1 < block.ops.size(); ++i) {
    const Op &op = block.ops[i];
    if (semanticOf(op) == "vload")
      hold({static_cast<int>(i), op.d, false});
    if (semanticOf(op) != "matrixStep")
      continue;
    unsigned taken[2];
    for (unsigned role : {0u, 1u}) {
      if (op.s[role].kind == SourceKind::Memory) {
        taken[role] = static_cast<unsigned>(values.size());
        values.push_back({static_cast<int>(i), 0, false});
        continue;
      }
      if (!held.contains(op.s[role].reg))
        hold({-1, op.s[role].reg, false});
      taken[role] = held[op.s[role].reg];
    }
    ++steps;
    auto at = std::find_if(chains.begin(), chains.end(),
                           [&](const Chain &other) { return other.acc == op.acc; });
    if (at == chains.end()) {
      // Accumulators that take the same rows come together.
      at = std::upper_bound(
          chains.begin(), chains.end(), taken[0],
          [](unsigned rows, const Chain &other) { return rows < other.steps.front().rows; });
      at = chains.insert(at, {op.acc, {}});
    }
    at->steps.push_back({taken[0], taken[1], op.immediate != 0});
  }
  if (steps == 0)
    return;
  for (auto [reg, value] : held)
    if (values[value].op >= 0)
      last.push_back(value);
  leastTurns = static_cast<unsigned>((enoughSteps * chains.size() + steps - 1) / steps);

  std::vector<Unit> units;
  for (size_t i = 0; i < chains.size(); i += units.back().size()) {
    bool two = pairs && i + 1 < chains.size() && chains[i].sameRows(chains[i + 1]);
    units.push_back({{&chains[i], two ? &chains[i + 1] : nullptr}});
  }
  // As many in each group as in the others, so that none has few multiply-adds in flight.
  size_t left = chains.size();
  for (auto begin = units.begin(), end = begin; begin != units.end(); begin = end) {
    size_t groupsLeft = (left + mostTogether - 1) / mostTogether;
    size_t room = (left + groupsLeft - 1) / groupsLeft;
    room = std::max<size_t>(room, begin->size());
    for (; end != units.end() && end->size() <= room; ++end) {
      room -= end->size();
      left -= end->size();
    }
    GroupWriter writer(groups.emplace_back(), values, pairs);
    writer.write({begin, end});
    frameBytes = std::max(frameBytes, writer.bytes());
  }
}

} // namespace dojo::emu
