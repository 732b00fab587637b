// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the planner knows of a layer: its loops, how they touch operands, and what work they are.
#ifndef DOJO_PLANNING_LAYERPROBLEM_H
#define DOJO_PLANNING_LAYERPROBLEM_H

#include "dojo/Planning/Box.h"

#include <string>
#include <vector>

namespace dojo::planning {

struct LoopDim {
  int64_t extent = 1;
  /// Smallest unit by which the loop may be divided between nodes; the extent (or more) forbids it.
  int64_t granularity = 1;
  bool parallel = true; ///< false: a reduction; divided, it leaves fp32 partial sums (the k split)
  friend bool operator==(const LoopDim &, const LoopDim &) = default;
  friend auto operator<=>(const LoopDim &, const LoopDim &) = default;
};

/// coefficient * (((sum of scale * loop) + shift) floordiv divisor) mod modulus; modulus 0: none.
struct AccessTerm {
  int64_t coefficient = 1;
  std::vector<std::pair<int32_t, int64_t>> loops; ///< (loop number, scale)
  int64_t shift = 0, divisor = 1, modulus = 0;
  friend bool operator==(const AccessTerm &, const AccessTerm &) = default;
  friend auto operator<=>(const AccessTerm &, const AccessTerm &) = default;
};

/// The coordinate of an operand in one of its dimensions: a sum of terms and a constant; `window`
/// consecutive coordinates are touched (taps that are not loops).
struct AccessRow {
  std::vector<AccessTerm> terms;
  int64_t constant = 0, window = 1;

  static AccessRow loop(int32_t loop, int64_t scale = 1, int64_t window = 1) {
    return {{{1, {{loop, scale}}}}, 0, window};
  }
  friend bool operator==(const AccessRow &, const AccessRow &) = default;
  friend auto operator<=>(const AccessRow &, const AccessRow &) = default;
};

struct OperandAccess {
  Coord shape; ///< physical; boxes are clipped to it
  int64_t elementBytes = 2;
  bool constant = false; ///< weights and tables: placed by the loader, resident for the whole run
  std::vector<AccessRow> rows; ///< one per dimension of `shape`
  friend bool operator==(const OperandAccess &, const OperandAccess &) = default;
  friend auto operator<=>(const OperandAccess &, const OperandAccess &) = default;
};

/// The box of an operand that a box of the loops touches (perhaps more, never less).
Box touched(const OperandAccess &operand, const Box &loops);

/// What a node's share of the loops costs. 'A vector' is as many elements as the SIMD unit has
/// lanes; slots are of one unit and cycle.
struct WorkModel {
  /// Matrix layers: a step multiplies 8 indices of the row loops by one index of each column loop
  /// (8 columns) and of each depth loop (4 deep). The last row loop is the one whose indices lie
  /// next to each other in memory.
  std::vector<int32_t> rowLoops, columnLoops, depthLoops;
  /// Blocks of 8 rows may run on from one index of the outer row loops to the next.
  bool rowsRunOn = false;
  /// Memory slots to load a block of 8 rows: 1 aligned, 2 across lines, 4 gathered.
  int64_t rowLoadSlots = 1;

  // SIMD and memory slots for each vector of outputs (drain, epilogue, stores) and, in layers
  // without matrix steps, for each vector of loop points.
  int64_t simdPerOutput = 0, memoryPerOutput = 0;
  int64_t simdPerPoint = 0, memoryPerPoint = 0;
  /// The loops along which the generated code is a vector: the product of their shares is rounded
  /// up to whole vectors. None: one point at a time.
  std::vector<int32_t> vectorLoops;

  bool matrix() const { return !rowLoops.empty(); }
  friend bool operator==(const WorkModel &, const WorkModel &) = default;
  friend auto operator<=>(const WorkModel &, const WorkModel &) = default;
};

struct LayerProblem {
  std::string name; ///< for messages; two problems that differ in nothing else have one solution
  std::vector<LoopDim> loops;
  std::vector<OperandAccess> inputs;
  OperandAccess output; ///< its rows use parallel loops only; a share of the loops is a box of it
  WorkModel work;
};

/// Empty, or why the problem is malformed (extents, loop numbers, ranks).
std::string checkLayerProblem(const LayerProblem &problem);

/// Roles of the loops in the planner's terms: c(opies) appear in both operands of a product, m in
/// the streamed operand only, n in the constant (or smaller) one only, k are reductions.
enum class LoopRole : uint8_t { Copies, M, N, K };
std::vector<LoopRole> rolesOf(const LayerProblem &problem);

} // namespace dojo::planning

#endif
