// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "TensorText.h"

#include "dojo/Image/ElementType.h"

#include <algorithm>
#include <charconv>

namespace dojo::assembler {
namespace {

constexpr size_t maxRank = 16;

/// Numbers between separators.
bool parseList(std::string_view text, char separator, std::vector<int64_t> &out) {
  for (std::string_view item : split(text, separator)) {
    int64_t value = 0;
    auto [end, status] = std::from_chars(item.data(), item.data() + item.size(), value);
    if (status != std::errc() || end != item.data() + item.size() || value < 0 ||
        value > INT32_MAX || out.size() == maxRank)
      return false;
    out.push_back(value);
  }
  return !out.empty();
}

} // namespace

uint32_t boxBytes(const image::TensorRef &tensor, const image::Box &box) {
  int64_t last = image::findElementType(tensor.type)->bytes;
  for (size_t d = 0; d < box.size.size(); ++d)
    last += (box.size[d] - 1) * box.strides[d];
  return uint32_t(last);
}

bool addTensorPart(std::string_view text, const Target &target, const NameLookup &lookup,
                   std::vector<image::TensorRef> &tensors, int64_t &node, std::string &error) {
  auto fail = [&](std::string what) {
    error = std::move(what);
    return false;
  };
  std::vector<std::string_view> parts = words(text);
  bool isPart = parts.size() > 3 && parts[3] == "part";
  size_t at = isPart ? 6 : 3;
  if (parts.size() < at + 3 || parts[at] != "at")
    return fail("write NAME TYPE SHAPE [part LO SIZE] at @ROW:COLUMN ADDRESS");
  std::string name(parts[0]), type(parts[1]);
  const image::ElementType *element = image::findElementType(type);
  if (!element)
    return fail("unknown element type '" + type + "'");
  std::vector<int64_t> shape;
  if (parts[2] != "scalar" && !parseList(parts[2], 'x', shape))
    return fail("'" + std::string(parts[2]) + "' is not a shape such as 4x16, or `scalar`");

  image::Box box;
  box.lo.assign(shape.size(), 0);
  box.size = shape;
  if (isPart) {
    box.lo.clear(), box.size.clear();
    if (!parseList(parts[4], ',', box.lo) || !parseList(parts[5], 'x', box.size) ||
        box.lo.size() != shape.size() || box.size.size() != shape.size())
      return fail("a part of a tensor with " + std::to_string(shape.size()) +
                  " dimensions needs as many numbers in LO (0,16) and SIZE (1x16)");
  }
  // The product stays small: it is cut off once it exceeds SRAM.
  int64_t stride = element->bytes;
  box.strides.resize(shape.size());
  for (size_t d = shape.size(); d-- > 0;) {
    if (box.size[d] < 1 || box.lo[d] > shape[d] - box.size[d])
      return fail("the part lies outside the tensor or is empty");
    box.strides[d] = stride;
    stride *= box.size[d];
    if (stride > target.sramBytes)
      return fail("the part does not fit in the node's " + std::to_string(target.sramBytes) +
                  " bytes");
  }

  std::vector<int64_t> nodes;
  if (!parseNodeSet(parts[at + 1], target, nodes, error))
    return false;
  if (nodes.size() != 1)
    return fail("a part of an input or output lies on one node");
  node = nodes[0];
  std::optional<int64_t> address =
      evaluate(text.substr(parts[at + 2].data() - text.data()), target, lookup, error);
  if (!address)
    return false;
  if (*address < 0 || *address > target.sramBytes - stride)
    return fail("address " + std::to_string(*address) + " does not leave room for " +
                std::to_string(stride) + " bytes");
  box.address = uint32_t(*address);

  auto it = std::find_if(tensors.begin(), tensors.end(), [&](auto &t) { return t.name == name; });
  if (it == tensors.end())
    it = tensors.insert(tensors.end(), {name, type, shape, shape, -1, 1, {}, -1, -1});
  else if (it->type != type || it->shape != shape)
    return fail("'" + name + "' has another type or shape in an earlier line");
  it->boxes.push_back(std::move(box));
  return true;
}

} // namespace dojo::assembler
