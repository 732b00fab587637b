// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Comparison.h"

#include "dojo/Npy/Elements.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dojo::golden {

using image::TensorRef;

namespace {
constexpr double unbounded = std::numeric_limits<double>::infinity();

std::vector<int64_t> coordinates(const std::vector<int64_t> &shape, int64_t index) {
  std::vector<int64_t> at(shape.size());
  for (size_t d = shape.size(); d-- > 0;) {
    at[d] = index % shape[d];
    index /= shape[d];
  }
  return at;
}

// In the logical shape; empty for padding.
std::vector<int64_t> logicalCoordinates(const TensorRef &tensor, int64_t physical) {
  std::vector<int64_t> at = coordinates(tensor.shape, physical);
  if (tensor.blockDim < 0)
    return at;
  int64_t lane = at.back();
  at.pop_back();
  int64_t &channel = at[tensor.blockDim];
  channel = channel * tensor.blockSize + lane;
  if (channel >= tensor.logicalShape[tensor.blockDim])
    at.clear();
  return at;
}

std::string list(const std::vector<int64_t> &values) {
  std::string text = "[";
  for (size_t i = 0; i < values.size(); ++i)
    text += (i ? "," : "") + std::to_string(values[i]);
  return text + "]";
}

// Indices of a box's elements in the tensor, in the box's own row-major order.
template <class F> void forEachElement(const TensorRef &tensor, const image::Box &box, F visit) {
  size_t rank = tensor.shape.size();
  std::vector<int64_t> at(rank, 0);
  int64_t count = 1;
  for (int64_t extent : box.size)
    count *= extent;
  for (int64_t i = 0; i < count; ++i) {
    int64_t index = 0;
    for (size_t d = 0; d < rank; ++d)
      index = index * tensor.shape[d] + box.lo[d] + at[d];
    visit(i, index);
    for (size_t d = rank; d-- > 0;) {
      if (++at[d] < box.size[d])
        break;
      at[d] = 0;
    }
  }
}
} // namespace

Tolerance Tolerance::ofLayer(const image::ElementType &type) {
  if (type.kind != image::ElementKind::Float)
    return {};
  const double sums = std::ldexp(1.0, -17); // of fp32 arithmetic, see docs/golden.md
  if (type.bits >= 32)
    return {sums, sums, std::ldexp(1.0, -18)};
  // One unit in the last place of the stored type; few elements are off by it.
  const int lastPlace = std::string_view(type.name) == "f16" ? -10 : -7;
  return {std::ldexp(1.0, lastPlace), sums, std::ldexp(1.0, lastPlace - 5)};
}

Tolerance Tolerance::accumulated(double l2) { return {unbounded, 0, l2}; }

int64_t logicalIndex(const TensorRef &tensor, int64_t physical) {
  if (tensor.blockDim < 0)
    return physical;
  std::vector<int64_t> at = logicalCoordinates(tensor, physical);
  if (at.empty())
    return -1;
  int64_t index = 0;
  for (size_t d = 0; d < at.size(); ++d)
    index = index * tensor.logicalShape[d] + at[d];
  return index;
}

std::string elementText(const TensorRef &tensor, int64_t physical) {
  if (logicalIndex(tensor, physical) < 0)
    return "block " + list(coordinates(tensor.shape, physical)) + " (padding)";
  return list(logicalCoordinates(tensor, physical));
}

std::vector<Runtime::CapturedBox> cutBoxes(const image::Image &image, const TensorRef &tensor,
                                           std::span<const uint8_t> elements) {
  const int64_t bytes = image::findElementType(tensor.type)->bytes;
  std::vector<Runtime::CapturedBox> boxes;
  for (const image::Box &box : tensor.boxes) {
    Runtime::CapturedBox part{image.nodeSets[box.nodeSet].nodes().front(), &box, {}};
    forEachElement(tensor, box, [&](int64_t, int64_t index) {
      std::span<const uint8_t> element = elements.subspan(index * bytes, bytes);
      part.bytes.insert(part.bytes.end(), element.begin(), element.end());
    });
    boxes.push_back(std::move(part));
  }
  return boxes;
}

Comparison compare(const TensorRef &tensor, std::span<const Runtime::CapturedBox> boxes,
                   std::span<const uint8_t> expected, const image::ElementType &expectedType,
                   bool logical, const Tolerance &tolerance) {
  const image::ElementType &type = *image::findElementType(tensor.type);
  const bool normOnly = tolerance.relative == unbounded;
  Comparison result;
  double scale = 0, expectedSquares = 0, squares = 0;
  int64_t wanted = int64_t(expected.size()) / expectedType.bytes;
  for (int64_t i = 0; i < wanted; ++i)
    if (double v = npy::elementValue(expected.data() + i * expectedType.bytes, expectedType);
        std::isfinite(v))
      scale = std::max(scale, std::fabs(v));

  double worstPart = 0;
  std::vector<bool> seen(wanted);
  for (const Runtime::CapturedBox &box : boxes)
    forEachElement(tensor, *box.box, [&](int64_t i, int64_t index) {
      int64_t at = logical ? logicalIndex(tensor, index) : index;
      if (at < 0)
        return;
      seen[at] = true;
      ++result.elements;
      double got = npy::elementValue(box.bytes.data() + i * type.bytes, type);
      double want = npy::elementValue(expected.data() + at * expectedType.bytes, expectedType);
      bool equal = got == want || (std::isnan(got) && std::isnan(want));
      double difference = equal ? 0 : std::fabs(got - want);
      if (std::isnan(difference))
        difference = unbounded;
      if (std::isfinite(want))
        expectedSquares += want * want;
      squares += difference * difference;
      double allowed = normOnly || !std::isfinite(want)
                           ? 0
                           : tolerance.relative * std::fabs(want) + tolerance.absolute * scale;
      Element element{index, box.node, got, want, allowed};
      // With a norm alone the largest difference is the farthest off.
      double part = equal ? 0 : normOnly ? difference : difference / allowed;
      if (!equal && (result.worst.index < 0 || part > worstPart)) {
        worstPart = part;
        result.worst = element;
      }
      if (scale > 0 || difference > 0)
        result.largest = std::max(result.largest, scale > 0 ? difference / scale : unbounded);
      if (normOnly || equal || difference <= allowed)
        return;
      ++result.outside;
      result.nodes.insert(box.node);
      if (result.first.index < 0 || index < result.first.index)
        result.first = element;
    });
  if (squares > 0)
    result.relativeL2 = std::isfinite(squares) && expectedSquares > 0
                            ? std::sqrt(squares / expectedSquares)
                            : unbounded;
  if (!normOnly)
    result.partOfAllowed = worstPart;
  result.missing = std::count(seen.begin(), seen.end(), false);
  double slack = normOnly ? 0 : 2 * (tolerance.relative + tolerance.absolute) * scale;
  result.normGood =
      squares == 0 || std::sqrt(squares) <= tolerance.l2 * std::sqrt(expectedSquares) + slack;
  result.good = result.outside == 0 && result.missing == 0 && result.normGood;
  if (!result.good && result.first.index < 0)
    result.first = result.worst;
  return result;
}

} // namespace dojo::golden
