// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that give elements other indices without choosing among them.

#include "../Lowering.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// The result's dimensions are known; the elements keep their order.
LogicalResult reshape(Lowering &l) {
  if (elementCount(l.node.dims(0)) != elementCount(l.resultDims()))
    return l.fail("the numbers of elements differ");
  return l.set(l.b.reshape(l.in(0), l.resultDims()));
}

LogicalResult identity(Lowering &l) { return l.set(l.in(0)); }

LogicalResult transpose(Lowering &l) {
  const int64_t rank = l.node.rank(0);
  SmallVector<int64_t> reversed = llvm::to_vector(llvm::reverse(seq<int64_t>(0, rank)));
  auto perm = normaliseAxes(l.node.intsAttr("perm").value_or(reversed), rank);
  if (!perm || int64_t(perm->size()) != rank)
    return l.fail("perm is not a permutation of the dimensions");
  if (llvm::is_sorted(*perm))
    return l.set(l.in(0));
  return l.set(l.b.transpose(l.in(0), *perm));
}

LogicalResult expand(Lowering &l) {
  ArrayRef<int64_t> dims = l.resultDims();
  if (broadcastDims(l.node.dims(0), dims) != Dims(dims))
    return l.fail("the input does not broadcast to the result");
  if (l.node.dims(0) == dims)
    return l.set(l.in(0));
  return l.set(l.b.elementwise(dims, l.resultElement(), l.operand(0, dims),
                               [](OpBuilder &, Location, ValueRange v) { return v[0]; }));
}

/// Each dimension becomes (repeat, extent), the repeats read nothing new.
LogicalResult tile(Lowering &l) {
  auto repeats = l.node.ints("", 1);
  ArrayRef<int64_t> in = l.node.dims(0);
  if (!repeats || repeats->size() != in.size())
    return l.fail("repeats that are not constant are not supported");
  Dims dims;
  SmallVector<int64_t> loops;
  for (auto [repeat, extent] : zip(*repeats, in)) {
    if (repeat != 1)
      dims.push_back(repeat);
    loops.push_back(dims.size());
    dims.push_back(extent);
  }
  if (dims.size() == in.size())
    return l.set(l.in(0));
  if (elementCount(dims) != elementCount(l.resultDims()))
    return l.fail("the result does not fit the repeats");
  Value tiled = l.b.elementwise(dims, l.resultElement(), l.b.along(l.in(0), loops, dims.size()),
                                [](OpBuilder &, Location, ValueRange v) { return v[0]; });
  return l.set(l.b.reshape(tiled, l.resultDims()));
}

LogicalResult constantOfShape(Lowering &l) {
  Type element = l.resultElement();
  TypedAttr value = scalarAttr(element, int64_t(0));
  if (const auto *attribute = l.node.attr("value")) {
    FileStore none;
    auto constant = Constant::fromTensor(attribute->t(), none, "");
    if (!constant)
      return l.fail(toString(constant.takeError()));
    if (constant->count() != 1 || constant->elem() != l.node.outputs[0].elem)
      return l.fail("value must have one element");
    value = storedAttr(l.b.getContext(), *constant, 0);
  }
  return l.set(l.b.filled(l.resultDims(), value));
}

/// start + i * delta. Results of a few elements are folded before.
LogicalResult range(Lowering &l) {
  for (unsigned i = 0; i < 3; ++i)
    if (!l.node.constant(i))
      return l.fail(
          "data-dependent shape: the bounds of the range are not constant; bind them with "
          "--const if they are inputs");
  Type element = l.resultElement();
  const ElemClass kind = l.node.info(0).kind;
  auto scalar = [&](unsigned i) {
    const Constant &constant = *l.node.constant(i);
    return isa<FloatType>(element) ? scalarAttr(element, constant.asDouble(0))
                                   : scalarAttr(element, constant.asInt(0));
  };
  Operand operands[] = {{{}, {}, scalar(0)}, {{}, {}, scalar(2)}};
  return l.set(l.b.elementwise(
      l.resultDims(), element, operands, [&](OpBuilder &b, Location loc, ValueRange v) {
        Scalars s(b, loc, kind);
        Value i =
            arith::IndexCastOp::create(b, loc, b.getI32Type(), linalg::IndexOp::create(b, loc, 0));
        return s.add(v[0], s.mul(castScalar(b, loc, i, TensorProto::INT32, l.node.elem(0)), v[1]));
      }));
}

} // namespace

ArrayRef<OpEntry> shapeOps() {
  static const OpEntry entries[] = {
      {"Reshape", 1, 25, reshape},     {"Flatten", 1, 25, reshape},
      {"Squeeze", 1, 25, reshape},     {"Unsqueeze", 1, 25, reshape},
      {"Identity", 1, 25, identity},   {"OptionalGetElement", 18, 28, identity},
      {"Transpose", 1, 25, transpose}, {"Expand", 8, 13, expand},
      {"Tile", 6, 13, tile},           {"ConstantOfShape", 9, 25, constantOfShape},
      {"Range", 11, 27, range},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
