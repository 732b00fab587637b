// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Comparing what the nodes held of a tensor with what was expected.

#ifndef DOJO_TOOLS_DOJOGOLDEN_COMPARISON_H
#define DOJO_TOOLS_DOJOGOLDEN_COMPARISON_H

#include "dojo/Image/ElementType.h"
#include "dojo/Image/Image.h"
#include "dojo/Runtime/Runtime.h"

#include <set>

namespace dojo::golden {

/// An element is within if |got - expected| <= relative x |expected| + absolute x the largest
/// finite |expected|; a tensor is equal if all its elements are within and ||got - expected|| <= l2
/// x ||expected|| + twice what the largest element may be off. docs/golden.md says where the values
/// come from.
struct Tolerance {
  double relative = 0, absolute = 0, l2 = 0;

  /// For a layer that had the same operands on both sides, by the type of its result.
  static Tolerance ofLayer(const image::ElementType &type);
  /// For a value behind any number of layers: only the norm counts.
  static Tolerance accumulated(double l2);
};

/// One element, by its row-major index in the tensor's physical shape, as one node held it.
struct Element {
  int64_t index = -1, node = -1;
  double got = 0, expected = 0, allowed = 0;
};

struct Comparison {
  int64_t elements = 0;     ///< that were compared; copies on several nodes count once each
  int64_t outside = 0;      ///< elements beyond the tolerance
  int64_t missing = 0;      ///< elements that no node holds
  double relativeL2 = 0;    ///< infinite if nothing but zeros was expected and something else came
  double largest = 0;       ///< largest |got - expected|, in units of the largest |expected|
  double partOfAllowed = 0; ///< largest |got - expected| / allowed, 0 with a norm alone
  Element worst;            ///< farthest off; index -1 if all are equal
  Element first;            ///< outside, of least index; the worst if only the norm is too large
  std::set<int64_t> nodes;  ///< that hold elements outside
  bool normGood = true;     ///< the norm of the difference is small enough
  bool good = true;
};

/// Row-major index of an element in the logical shape; -1 for padding of the last block.
int64_t logicalIndex(const image::TensorRef &tensor, int64_t physical);

/// Compares every captured box of `tensor`. With `logical`, `expected` is in the logical shape and
/// padding is left out; else it is in the physical shape and everything counts. NaN equals NaN.
Comparison compare(const image::TensorRef &tensor, std::span<const Runtime::CapturedBox> boxes,
                   std::span<const uint8_t> expected, const image::ElementType &expectedType,
                   bool logical, const Tolerance &tolerance);

/// The parts of a tensor that lie in its boxes, cut from all its elements, row-major.
std::vector<Runtime::CapturedBox> cutBoxes(const image::Image &image,
                                           const image::TensorRef &tensor,
                                           std::span<const uint8_t> elements);

/// "[0,3,1,1]": the element in the model's shape; "block [0,0,1,1,3] (padding)" if it is none.
std::string elementText(const image::TensorRef &tensor, int64_t physical);

} // namespace dojo::golden

#endif // DOJO_TOOLS_DOJOGOLDEN_COMPARISON_H
