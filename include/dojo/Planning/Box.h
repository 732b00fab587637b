// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Boxes of integer coordinates: the planner's one notion of 'part of a tensor'.
//
// A box is half open, [lo, lo + size) in every dimension, in units of elements. A box of rank 0
// holds exactly one point; a box with a size of 0 (or less) in some dimension holds none.
#ifndef DOJO_PLANNING_BOX_H
#define DOJO_PLANNING_BOX_H

#include <cstdint>
#include <string>
#include <vector>

namespace dojo::planning {

/// One number for each dimension: coordinates, sizes, or strides.
using Coord = std::vector<int64_t>;

struct Box {
  Coord lo, size;

  /// The box of all coordinates of a tensor of this shape.
  static Box whole(const Coord &shape) { return {Coord(shape.size(), 0), shape}; }

  size_t rank() const { return lo.size(); }
  int64_t hi(size_t d) const { return lo[d] + size[d]; }
  int64_t volume() const;
  bool empty() const;
  bool contains(const Box &inner) const;
  bool contains(const Coord &point) const;
  /// No allocation; boxes must have the same rank.
  bool overlaps(const Box &other) const;

  friend bool operator==(const Box &, const Box &) = default;
  friend auto operator<=>(const Box &, const Box &) = default;
};

/// The common part; empty boxes keep the rank.
Box intersect(const Box &a, const Box &b);

/// The box moved by \p offset.
Box translate(const Box &box, const Coord &offset);

/// a minus b as at most 2 * rank disjoint boxes, appended to \p out in a fixed order.
void subtract(const Box &a, const Box &b, std::vector<Box> &out);

/// What of \p whole no box of \p parts covers, as disjoint boxes.
std::vector<Box> subtractAll(const Box &whole, const std::vector<Box> &parts);

/// True if the boxes are pairwise disjoint and their union is \p whole. Sweeps along the first
/// dimension; quadratic in the number of boxes only where they share its coordinates.
bool tiles(const std::vector<Box> &boxes, const Box &whole);

/// The product of a shape's extents; 1 for rank 0.
int64_t product(const Coord &shape);

/// Row-major strides of an array of \p shape, the innermost being \p unit.
Coord rowMajorStrides(const Coord &shape, int64_t unit);

/// "[0:4, 2:9]"
std::string toString(const Box &box);

} // namespace dojo::planning

#endif
