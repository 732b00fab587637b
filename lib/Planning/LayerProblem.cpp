// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Planning/LayerProblem.h"

#include <algorithm>

namespace dojo::planning {

namespace {

int64_t floorDiv(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

bool uses(const OperandAccess &operand, int32_t loop) {
  for (const AccessRow &row : operand.rows)
    for (const AccessTerm &term : row.terms)
      for (auto [l, scale] : term.loops)
        if (l == loop && scale != 0)
          return true;
  return false;
}

bool contains(const std::vector<int32_t> &list, int32_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

} // namespace

Box touched(const OperandAccess &operand, const Box &loops) {
  Box box;
  for (size_t d = 0; d < operand.rows.size(); ++d) {
    const AccessRow &row = operand.rows[d];
    int64_t least = row.constant, most = row.constant + row.window - 1;
    for (const AccessTerm &term : row.terms) {
      int64_t lo = term.shift, hi = term.shift;
      for (auto [l, scale] : term.loops) {
        int64_t a = scale * loops.lo[l], b = scale * (loops.hi(l) - 1);
        lo += std::min(a, b);
        hi += std::max(a, b);
      }
      lo = floorDiv(lo, term.divisor);
      hi = floorDiv(hi, term.divisor);
      if (term.modulus > 0) {
        int64_t wrap = floorDiv(lo, term.modulus);
        bool oneTurn = wrap == floorDiv(hi, term.modulus);
        lo = oneTurn ? lo - wrap * term.modulus : 0;
        hi = oneTurn ? hi - wrap * term.modulus : term.modulus - 1;
      }
      least += std::min(term.coefficient * lo, term.coefficient * hi);
      most += std::max(term.coefficient * lo, term.coefficient * hi);
    }
    int64_t lo = std::clamp<int64_t>(least, 0, operand.shape[d]);
    box.lo.push_back(lo);
    box.size.push_back(std::clamp<int64_t>(most + 1, lo, operand.shape[d]) - lo);
  }
  if (loops.empty())
    std::fill(box.size.begin(), box.size.end(), 0);
  return box;
}

std::string checkLayerProblem(const LayerProblem &problem) {
  auto loops = static_cast<int32_t>(problem.loops.size());
  for (const LoopDim &loop : problem.loops)
    if (loop.extent < 0 || loop.granularity < 1)
      return "negative extent or granularity below one";
  auto checkOperand = [&](const OperandAccess &operand) -> std::string {
    if (operand.rows.size() != operand.shape.size())
      return "operand has another number of rows than dimensions";
    if (operand.elementBytes < 1)
      return "the element size is not positive";
    for (const AccessRow &row : operand.rows) {
      if (row.window < 1)
        return "empty window";
      for (const AccessTerm &term : row.terms) {
        if (term.divisor < 1 || term.modulus < 0)
          return "divisor or modulus is not positive";
        for (auto [l, scale] : term.loops)
          if (l < 0 || l >= loops)
            return "access of a loop that does not exist";
      }
    }
    return "";
  };
  for (const OperandAccess &operand : problem.inputs)
    if (std::string e = checkOperand(operand); !e.empty())
      return e;
  if (std::string e = checkOperand(problem.output); !e.empty())
    return e;
  for (int32_t l = 0; l < loops; ++l)
    if (!problem.loops[l].parallel && uses(problem.output, l))
      return "the output depends on a reduction loop";
  for (const auto *list : {&problem.work.rowLoops, &problem.work.columnLoops,
                           &problem.work.depthLoops, &problem.work.vectorLoops})
    for (int32_t l : *list)
      if (l < 0 || l >= loops)
        return "work on a loop that does not exist";
  return "";
}

std::vector<LoopRole> rolesOf(const LayerProblem &problem) {
  std::vector<LoopRole> roles;
  // The operand of a product that the column loops walk.
  const OperandAccess *columns = nullptr;
  for (const OperandAccess &operand : problem.inputs)
    for (int32_t l : problem.work.columnLoops)
      if (!columns && uses(operand, l))
        columns = &operand;
  for (size_t i = 0; i < problem.loops.size(); ++i) {
    auto l = static_cast<int32_t>(i);
    if (!problem.loops[i].parallel)
      roles.push_back(LoopRole::K);
    else if (contains(problem.work.columnLoops, l))
      roles.push_back(LoopRole::N);
    else if (columns && uses(*columns, l))
      roles.push_back(LoopRole::Copies);
    else
      roles.push_back(LoopRole::M);
  }
  return roles;
}

} // namespace dojo::planning
