// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Boxes of a view's root mapped to boxes of its sources (private to the library).
#ifndef DOJO_PLANNING_VIEWMAP_H
#define DOJO_PLANNING_VIEWMAP_H

#include "dojo/Planning/Exchange.h"

namespace dojo::planning {

/// A box of some value of the view whose elements lie at base + sum((x - lo) * strides) bytes in
/// the destination's buffer.
struct ViewPiece {
  Box box;
  int64_t base = 0;
  Coord strides;
};

struct ViewLeaf {
  int32_t source;
  ViewPiece piece;
};

/// What no operand of an assemble covers.
struct ViewRest {
  int32_t value;
  bool isBox;
  Box rootBox;
  ViewPiece piece;
};

/// Maps \p piece of \p value down to the sources. \p isBox: no reshape lies above, so that adding
/// \p toRoot to coordinates gives those of the root.
void mapThroughView(const View &view, int32_t value, const ViewPiece &piece, bool isBox,
                    const Coord &toRoot, std::vector<ViewLeaf> &leaves,
                    std::vector<ViewRest> &rests);

/// A box of an array of shape \p from as boxes of the same elements in shape \p to (equal
/// products). Extents that nest (one is a product of others) give few pieces, others one or more a
/// row.
std::vector<ViewPiece> reshapePieces(const Coord &from, const Coord &to, const ViewPiece &piece);

} // namespace dojo::planning

#endif
