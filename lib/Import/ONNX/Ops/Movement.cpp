// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that take parts of tensors and put them together.

#include "Take.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

LogicalResult concat(Lowering &l) {
  const int64_t rank = l.resultDims().size();
  auto axis = normaliseAxis(l.node.intAttr("axis", 1), rank);
  if (!axis)
    return l.fail("axis is outside the dimensions of the result");
  SmallVector<Value> parts;
  for (unsigned i = 0; i < l.node.inputs.size(); ++i) {
    if (!l.node.has(i) || l.node.rank(i) != rank)
      return l.fail("the operands must have the same rank");
    for (int64_t d = 0; d < rank; ++d)
      if (d != *axis && l.node.dims(i)[d] != l.resultDims()[d])
        return l.fail("the operands must agree in all dimensions but the axis");
    if (l.node.dims(i)[*axis] != 0 || l.node.inputs.size() == 1)
      parts.push_back(l.in(i));
  }
  if (parts.empty())
    parts.push_back(l.in(0));
  return l.set(l.b.concat(parts, *axis));
}

LogicalResult split(Lowering &l) {
  auto axis = normaliseAxis(l.node.intAttr("axis", 0), l.node.rank(0));
  if (!axis)
    return l.fail("axis is outside the dimensions of the input");
  int64_t at = 0;
  for (unsigned i = 0; i < l.node.outputs.size(); ++i) {
    if (!l.node.outputUsed(i))
      return l.fail("an output without a name is not supported");
    const int64_t size = l.resultDims(i)[*axis];
    if (at + size > l.node.dims(0)[*axis])
      return l.fail("the parts are larger than the input");
    (void)l.set(sliceAlong(l.b, l.in(0), *axis, at, size), i);
    at += size;
  }
  return success();
}

LogicalResult slice(Lowering &l) {
  auto spec = sliceSpec(l.node);
  if (!spec)
    return l.fail("starts, ends, axes and steps must be constant and fit the input");
  return l.set(l.b.slice(l.in(0), *spec));
}

/// Indices of the input for the positions -low .. extent + high - 1 of a padded dimension.
int64_t mirrored(int64_t at, int64_t extent) {
  const int64_t period = std::max<int64_t>(2 * (extent - 1), 1);
  at = ((at % period) + period) % period;
  return at < extent ? at : period - at;
}

/// `tensor` padded with operand 2 of the node, a scalar.
Value padAtRunTime(Lowering &l, Value tensor, ArrayRef<int64_t> low, ArrayRef<int64_t> high) {
  TensorBuilder &b = l.b;
  Type element = TensorBuilder::elementOf(tensor);
  const Dims own(TensorBuilder::dimsOf(tensor));
  Value padded = b.pad(tensor, low, high, scalarAttr(element, int64_t(0)));
  const Dims dims(TensorBuilder::dimsOf(padded));
  Value fill = b.reshape(l.in(2), {});
  return b.elementwise(dims, element, {b.broadcast(padded, dims), b.broadcast(fill, dims)},
                       [&](OpBuilder &ob, Location loc, ValueRange v) {
                         Scalars s(ob, loc, ElemClass::Signed);
                         Value result = v[0];
                         for (size_t d = 0; d < dims.size(); ++d) {
                           if (low[d] == 0 && high[d] == 0)
                             continue;
                           Value at = arith::IndexCastOp::create(
                               ob, loc, ob.getI32Type(), linalg::IndexOp::create(ob, loc, d));
                           at = s.sub(at, s.constant(at.getType(), double(low[d])));
                           Value inside =
                               arith::CmpIOp::create(ob, loc, arith::CmpIPredicate::ult, at,
                                                     s.constant(at.getType(), double(own[d])));
                           result = s.select(inside, result, v[1]);
                         }
                         return result;
                       });
}

LogicalResult pad(Lowering &l) {
  TensorBuilder &b = l.b;
  ArrayRef<int64_t> dims = l.node.dims(0);
  const size_t rank = dims.size();
  if (l.node.isDynamic(1) || l.node.isDynamic(3))
    return l.fail("pads and axes that are not constant are not supported");
  auto pads = l.node.ints(l.node.since == 1 ? "paddings" : "pads", 1);
  auto axes = l.node.ints("", 3);
  if (!axes)
    axes = llvm::to_vector(seq<int64_t>(0, rank));
  auto normal = normaliseAxes(*axes, rank);
  if (!pads || !normal || pads->size() != 2 * normal->size())
    return l.fail("pads and axes do not fit the input");
  Dims low(rank, 0), high(rank, 0);
  for (auto [i, axis] : enumerate(*normal)) {
    low[axis] = (*pads)[i];
    high[axis] = (*pads)[normal->size() + i];
    constexpr int64_t limit = int64_t(1) << 24;
    if (std::min(low[axis], high[axis]) < -limit || std::max(low[axis], high[axis]) > limit)
      return l.fail("pads are too large");
  }
  StringRef mode = l.node.stringAttr("mode", "constant");
  Value result = l.in(0);
  if (mode == "constant") {
    // Negative pads cut elements off.
    SliceSpec cut{Dims(rank, 0), Dims(rank, 1), Dims(dims)};
    for (size_t d = 0; d < rank; ++d) {
      cut.starts[d] = std::max<int64_t>(-low[d], 0);
      cut.sizes[d] = dims[d] - cut.starts[d] - std::max<int64_t>(-high[d], 0);
      if (cut.sizes[d] < 0)
        return l.fail("pads cut off more than there is");
      low[d] = std::max<int64_t>(low[d], 0);
      high[d] = std::max<int64_t>(high[d], 0);
    }
    // The attribute of old versions is for floats only.
    TypedAttr value = scalarAttr(l.elementType(0), int64_t(0));
    if (const auto *attribute = l.node.attr("value"))
      value = storedAttr(b.getContext(), l.node.elem(0), double(attribute->f()));
    if (l.node.has(2)) {
      if (elementCount(l.node.dims(2)) != 1 || l.node.elem(2) != l.node.elem(0))
        return l.fail("the fill value must be a scalar of the type of the input");
      const Constant *fill = l.node.constant(2);
      if (!fill)
        return l.set(padAtRunTime(l, b.slice(result, cut), low, high));
      value = storedAttr(b.getContext(), *fill, 0);
    }
    return l.set(b.pad(b.slice(result, cut), low, high, value));
  }
  if (mode != "edge" && mode != "reflect" && mode != "wrap")
    return l.fail("the mode '" + mode + "' is not supported");
  for (size_t d = 0; d < rank; ++d) {
    if (low[d] == 0 && high[d] == 0)
      continue;
    if (dims[d] == 0)
      return l.fail("an empty dimension can be padded only with a constant");
    if (dims[d] > int64_t(1) << 24)
      return l.fail("the dimension is too large");
    SmallVector<int64_t> indices;
    for (int64_t at = -low[d]; at < dims[d] + high[d]; ++at) {
      if (mode == "edge")
        indices.push_back(std::clamp<int64_t>(at, 0, dims[d] - 1));
      else if (mode == "reflect")
        indices.push_back(mirrored(at, dims[d]));
      else
        indices.push_back(((at % dims[d]) + dims[d]) % dims[d]);
    }
    result = takeAlong(l, result, d, indices);
  }
  return l.set(result);
}

/// The middle of the input, or the input in the middle of zeros, in each of some dimensions. An odd
/// difference cuts or pads one element more behind than before.
LogicalResult centerCropPad(Lowering &l) {
  ArrayRef<int64_t> dims = l.node.dims(0);
  const size_t rank = dims.size();
  auto shape = l.node.ints("", 1);
  auto axes = l.node.intsAttr("axes");
  if (!axes)
    axes = llvm::to_vector(seq<int64_t>(0, rank));
  auto normal = normaliseAxes(*axes, rank);
  if (!shape || !normal || shape->size() != normal->size())
    return l.fail("shape and axes must be constant and fit the input");
  SliceSpec cut{Dims(rank, 0), Dims(rank, 1), Dims(dims)};
  Dims low(rank, 0), high(rank, 0);
  for (auto [size, axis] : zip_equal(*shape, *normal)) {
    constexpr int64_t limit = int64_t(1) << 24;
    if (size < 0 || size > limit)
      return l.fail("the shape is negative or too large");
    const int64_t more = std::max<int64_t>(size - dims[axis], 0);
    cut.sizes[axis] = std::min(size, dims[axis]);
    cut.starts[axis] = (dims[axis] - cut.sizes[axis]) / 2;
    low[axis] = more / 2;
    high[axis] = more - low[axis];
  }
  return l.set(
      l.b.pad(l.b.slice(l.in(0), cut), low, high, scalarAttr(l.elementType(0), int64_t(0))));
}

// Keeps the square of a block size from overflowing.
constexpr int64_t kMaxBlock = 1 << 16;

/// [n, c, h, w] through [n, c / (s * s), s, s, h, w] and back, by the permutations of the spec.
LogicalResult depthToSpace(Lowering &l) {
  const int64_t s = l.node.intAttr("blocksize", 0);
  ArrayRef<int64_t> d = l.node.dims(0);
  if (d.size() != 4 || s < 1 || s > kMaxBlock || d[1] % (s * s))
    return l.fail("the input must have four dimensions and channels for each block");
  const bool columnFirst = l.node.stringAttr("mode", "DCR") == "CRD";
  const int64_t c = d[1] / (s * s);
  Value split = l.b.reshape(l.in(0), columnFirst ? Dims{d[0], c, s, s, d[2], d[3]}
                                                 : Dims{d[0], s, s, c, d[2], d[3]});
  Value moved = l.b.transpose(split, columnFirst ? ArrayRef<int64_t>{0, 1, 4, 2, 5, 3}
                                                 : ArrayRef<int64_t>{0, 3, 4, 1, 5, 2});
  return l.set(l.b.reshape(moved, {d[0], c, d[2] * s, d[3] * s}));
}

LogicalResult spaceToDepth(Lowering &l) {
  const int64_t s = l.node.intAttr("blocksize", 0);
  ArrayRef<int64_t> d = l.node.dims(0);
  if (d.size() != 4 || s < 1 || s > kMaxBlock || d[2] % s || d[3] % s)
    return l.fail("the input must have four dimensions that the block size divides");
  Value split = l.b.reshape(l.in(0), {d[0], d[1], d[2] / s, s, d[3] / s, s});
  const bool columnFirst = l.node.stringAttr("mode", "DCR") == "CRD";
  Value moved = l.b.transpose(split, columnFirst ? ArrayRef<int64_t>{0, 1, 3, 5, 2, 4}
                                                 : ArrayRef<int64_t>{0, 3, 5, 1, 2, 4});
  return l.set(l.b.reshape(moved, {d[0], d[1] * s * s, d[2] / s, d[3] / s}));
}

} // namespace

ArrayRef<OpEntry> movementOps() {
  static const OpEntry entries[] = {
      {"Concat", 1, 13, concat},
      {"Split", 1, 18, split},
      {"Slice", 1, 13, slice},
      {"Pad", 1, 25, pad},
      {"CenterCropPad", 18, 18, centerCropPad},
      {"DepthToSpace", 1, 28, depthToSpace},
      {"SpaceToDepth", 1, 28, spaceToDepth},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
