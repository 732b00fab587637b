// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that move elements without looking at them.

#include "Fold.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;

namespace mlir::dojo::onnximport {
namespace {

using Result = std::optional<SmallVector<Constant>>;

/// The tensor of dimensions `dims` whose element at index i is element
/// offset + sum(i[d] * strides[d]) of `source`.
Constant gatherStrided(const Constant &source, ArrayRef<int64_t> dims, int64_t offset,
                       ArrayRef<int64_t> strides) {
  const unsigned size = elemInfo(source.elem()).bytes;
  const int64_t count = *elementCount(dims);
  std::string bytes;
  bytes.reserve(count * size);
  Dims index(dims.size(), 0);
  int64_t at = offset;
  for (int64_t i = 0; i < count; ++i) {
    bytes.append(source.bytes().data() + at * size, size);
    for (int d = int(dims.size()) - 1; d >= 0; --d) {
      at += strides[d];
      if (++index[d] < dims[d])
        break;
      at -= strides[d] * dims[d];
      index[d] = 0;
    }
  }
  return Constant({source.elem(), Dims(dims.begin(), dims.end())}, std::move(bytes));
}

Result foldReshape(const Node &node) {
  const Constant &in = *node.constant(0);
  ArrayRef<int64_t> dims = node.outputs[0].dims;
  if (elementCount(dims) != in.count())
    return std::nullopt;
  return SmallVector<Constant>{in.reshaped(dims)};
}

Result foldTranspose(const Node &node) {
  const Constant &in = *node.constant(0);
  const int64_t rank = node.rank(0);
  SmallVector<int64_t> identity = llvm::to_vector(llvm::reverse(seq<int64_t>(0, rank)));
  auto perm = normaliseAxes(node.intsAttr("perm").value_or(identity), rank);
  if (!perm || int64_t(perm->size()) != rank)
    return std::nullopt;
  Dims strides = stridesOf(in.dims()), outDims, outStrides;
  for (int64_t p : *perm) {
    outDims.push_back(in.dims()[p]);
    outStrides.push_back(strides[p]);
  }
  return SmallVector<Constant>{gatherStrided(in, outDims, 0, outStrides)};
}

Result foldSlice(const Node &node) {
  const Constant &in = *node.constant(0);
  auto spec = sliceSpec(node);
  if (!spec)
    return std::nullopt;
  Dims strides = stridesOf(in.dims());
  int64_t offset = 0;
  for (size_t d = 0; d < strides.size(); ++d) {
    offset += spec->starts[d] * strides[d];
    strides[d] *= spec->steps[d];
  }
  return SmallVector<Constant>{gatherStrided(in, spec->sizes, offset, strides)};
}

Result foldExpand(const Node &node) {
  const Constant &in = *node.constant(0);
  ArrayRef<int64_t> dims = node.outputs[0].dims;
  if (broadcastDims(in.dims(), dims) != Dims(dims.begin(), dims.end()))
    return std::nullopt;
  Dims own = stridesOf(in.dims()), strides(dims.size(), 0);
  const size_t lead = dims.size() - own.size();
  for (size_t d = 0; d < own.size(); ++d)
    strides[lead + d] = in.dims()[d] == 1 ? 0 : own[d];
  return SmallVector<Constant>{gatherStrided(in, dims, 0, strides)};
}

Result foldConcat(const Node &node) {
  const TensorType &type = node.outputs[0];
  auto axis = normaliseAxis(node.intAttr("axis", 1), type.dims.size());
  if (!axis || node.inputs.empty())
    return std::nullopt;
  int64_t outer = *elementCount(ArrayRef(type.dims).take_front(*axis)), total = 0;
  SmallVector<size_t> rows; // bytes of each operand per outer index
  for (const ValueInfo *input : node.inputs) {
    if (!input || input->type.dims.size() != type.dims.size() || input->type.elem != type.elem)
      return std::nullopt;
    for (size_t d = 0; d < type.dims.size(); ++d)
      if (int64_t(d) != *axis && input->type.dims[d] != type.dims[d])
        return std::nullopt;
    total += input->type.dims[*axis];
    rows.push_back(outer ? input->constant->bytes().size() / outer : 0);
  }
  if (total != type.dims[*axis])
    return std::nullopt;
  std::string bytes;
  for (int64_t o = 0; o < outer; ++o)
    for (auto [input, row] : zip(node.inputs, rows))
      bytes += input->constant->bytes().substr(o * row, row);
  return SmallVector<Constant>{Constant(type, std::move(bytes))};
}

Result foldGather(const Node &node) {
  if (node.inputs.size() != 2 || !node.has(1) || node.info(1).kind != ElemClass::Signed)
    return std::nullopt;
  const Constant &data = *node.constant(0), &indices = *node.constant(1);
  auto axis = normaliseAxis(node.intAttr("axis", 0), node.rank(0));
  if (!axis)
    return std::nullopt;
  const int64_t extent = data.dims()[*axis];
  TensorType type{data.elem(), {}};
  append_range(type.dims, data.dims().take_front(*axis));
  append_range(type.dims, indices.dims());
  append_range(type.dims, data.dims().drop_front(*axis + 1));
  const int64_t outer = *elementCount(data.dims().take_front(*axis));
  const size_t row = *elementCount(data.dims().drop_front(*axis + 1)) * elemInfo(data.elem()).bytes;
  std::string bytes;
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < indices.count(); ++i) {
      auto index = normaliseAxis(indices.asInt(i), extent);
      if (!index)
        return std::nullopt;
      bytes += data.bytes().substr((o * extent + *index) * row, row);
    }
  return SmallVector<Constant>{Constant(type, std::move(bytes))};
}

Result foldSplit(const Node &node) {
  const Constant &in = *node.constant(0);
  auto axis = normaliseAxis(node.intAttr("axis", 0), node.rank(0));
  if (!axis)
    return std::nullopt;
  Dims strides = stridesOf(in.dims());
  SmallVector<Constant> parts;
  int64_t at = 0;
  for (const TensorType &type : node.outputs) {
    if (type.dims.size() != strides.size() || at + type.dims[*axis] > in.dims()[*axis])
      return std::nullopt;
    for (size_t d = 0; d < strides.size(); ++d)
      if (int64_t(d) != *axis && type.dims[d] != in.dims()[d])
        return std::nullopt;
    parts.push_back(gatherStrided(in, type.dims, at * strides[*axis], strides));
    at += type.dims[*axis];
  }
  return parts;
}

Result foldTile(const Node &node) {
  const Constant &in = *node.constant(0);
  auto repeats = node.since >= 6 ? node.ints("", 1) : std::nullopt;
  if (!repeats || int64_t(repeats->size()) != node.rank(0))
    return std::nullopt;
  // Each dimension as (repeat, extent), the repeat with stride 0.
  Dims strides = stridesOf(in.dims()), dims, tiled;
  for (auto [repeat, extent, stride] : zip(*repeats, in.dims(), strides)) {
    dims.append({repeat, extent});
    tiled.append({0, stride});
  }
  auto count = elementCount(dims);
  if (!count || elementCount(node.outputs[0].dims) != count)
    return std::nullopt;
  return SmallVector<Constant>{gatherStrided(in, dims, 0, tiled).reshaped(node.outputs[0].dims)};
}

/// Places of elements of a vector of bits that are set.
SmallVector<int64_t> placesOfOnes(const Constant &constant) {
  SmallVector<int64_t> places;
  const bool isFloat = elemInfo(constant.elem()).kind == ElemClass::Float;
  for (int64_t i = 0; i < constant.count(); ++i)
    if (isFloat ? constant.asDouble(i) != 0 : constant.asInt(i) != 0)
      places.push_back(i);
  return places;
}

Result foldNonZero(const Node &node) {
  const Constant &in = *node.constant(0);
  Dims strides = stridesOf(in.dims());
  SmallVector<int64_t> places = placesOfOnes(in);
  const TensorType &type = node.outputs[0];
  const Dims dims{node.rank(0), int64_t(places.size())};
  if (type.dims != dims)
    return std::nullopt;
  std::string bytes;
  for (auto [stride, extent] : zip(strides, in.dims()))
    for (int64_t place : places)
      appendElement(bytes, type.elem, place / stride % extent);
  return SmallVector<Constant>{Constant(type, std::move(bytes))};
}

Result foldCompress(const Node &node) {
  const Constant &data = *node.constant(0);
  SmallVector<int64_t> places = placesOfOnes(*node.constant(1));
  auto axis = normaliseAxis(node.intAttr("axis", 0), node.rank(0));
  if (!node.hasAttr("axis"))
    axis = 0;
  const Dims own = node.hasAttr("axis") ? Dims(data.dims()) : Dims{data.count()};
  if (!axis)
    return std::nullopt;
  const int64_t outer = *elementCount(ArrayRef(own).take_front(*axis)), extent = own[*axis];
  const size_t row =
      *elementCount(ArrayRef(own).drop_front(*axis + 1)) * elemInfo(data.elem()).bytes;
  std::string bytes;
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t place : places) {
      if (place >= extent)
        return std::nullopt;
      bytes += data.bytes().substr((o * extent + place) * row, row);
    }
  TensorType type{data.elem(), own};
  type.dims[*axis] = places.size();
  if (type.dims != node.outputs[0].dims)
    return std::nullopt;
  return SmallVector<Constant>{Constant(type, std::move(bytes))};
}

} // namespace

Result foldMovement(const Node &node) {
  using Fold = Result (*)(const Node &);
  Fold fold = StringSwitch<Fold>(node.op())
                  .Cases({"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze"}, foldReshape)
                  .Case("Transpose", foldTranspose)
                  .Case("Slice", foldSlice)
                  .Case("Expand", foldExpand)
                  .Case("Compress", foldCompress)
                  .Case("Concat", foldConcat)
                  .Case("Gather", foldGather)
                  .Case("NonZero", foldNonZero)
                  .Case("Split", foldSplit)
                  .Case("Tile", foldTile)
                  .Default(nullptr);
  return fold ? fold(node) : std::nullopt;
}

} // namespace mlir::dojo::onnximport
