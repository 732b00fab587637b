// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a tensor lies on the mesh: a grid of boxes, each held by one or more nodes.
#ifndef DOJO_PLANNING_LAYOUT_H
#define DOJO_PLANNING_LAYOUT_H

#include "dojo/Planning/Box.h"
#include "dojo/Planning/Mesh.h"

#include <string>
#include <vector>

namespace dojo::planning {

/// A box of a tensor in a named buffer of one or more nodes. The buffer has the same address on
/// every node, so one offset and one set of strides serve all of them.
struct LocalPiece {
  Box box;                    ///< tensor coordinates
  Coord strides;              ///< bytes, one per dimension; free, so pitch and padding are too
  int64_t offset = 0;         ///< bytes from the start of the buffer to element box.lo
  std::vector<int32_t> nodes; ///< held: the first is the owner, the others hold replicas

  /// Byte offset of an element within the buffer.
  int64_t addressOf(const Coord &point) const;
};

/// Part \p index of an extent divided into \p parts balanced parts in units of \p granularity: the
/// first parts get the odd granules, the last part ends at the extent.
struct Interval {
  int64_t lo = 0, size = 0;
  friend bool operator==(const Interval &, const Interval &) = default;
};
Interval partOf(int64_t extent, int64_t granularity, int64_t parts, int64_t index);

/// Cut points 0 = c0 < c1 < ... < cn = extent of that division; parts that would be empty are
/// dropped. An extent of 0 gives {0, 0}: one empty part.
std::vector<int64_t> cutsOf(int64_t extent, int64_t granularity, int64_t parts);

/// A value: compare, copy and print freely.
struct Layout {
  Coord shape;                             ///< physical shape, elements
  int64_t elementBytes = 0;                ///< 1, 2, 4 or 8
  std::vector<std::vector<int64_t>> cuts;  ///< per dimension: ascending, from 0 to the extent
  std::vector<std::vector<int32_t>> cells; ///< grid cell, row-major -> nodes, owner first

  /// Everything on one node.
  static Layout onNode(const Coord &shape, int64_t elementBytes, int32_t node);
  /// Everything on each of \p nodes.
  static Layout replicated(const Coord &shape, int64_t elementBytes, std::vector<int32_t> nodes);

  Coord grid() const;
  Box cellBox(size_t cell) const;
  /// The largest cell in bytes, without padding between dimensions.
  int64_t bytesPerNode() const;
  /// One piece per cell, compact row-major at offset 0.
  std::vector<LocalPiece> pieces() const;

  friend bool operator==(const Layout &, const Layout &) = default;
};

/// Empty if the layout is sound: cuts ascend from 0 to the extent, every cell has usable and
/// distinct nodes, no node holds two cells. Else what is wrong.
std::string verifyLayout(const Layout &layout, const Mesh &mesh);

/// One line: shape, grid, nodes used.
std::string toString(const Layout &layout);

} // namespace dojo::planning

#endif
