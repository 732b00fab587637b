// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Build.h"
#include "llvm/ADT/SetVector.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

//===----------------------------------------------------------------------===//
// Whole tensors
//===----------------------------------------------------------------------===//

Value TensorBuilder::empty(ArrayRef<int64_t> dims, Type element) {
  return tensor::EmptyOp::create(*this, dims, element);
}

Value TensorBuilder::filled(ArrayRef<int64_t> dims, TypedAttr value) {
  Value scalar = arith::ConstantOp::create(*this, value);
  return linalg::FillOp::create(*this, scalar, empty(dims, value.getType())).getResult(0);
}

linalg::GenericOp TensorBuilder::generic(ArrayRef<Operand> operands, Value init, AffineMap initMap,
                                         ArrayRef<utils::IteratorType> iterators, BodyFn body) {
  SmallVector<Value> tensors;
  SmallVector<AffineMap> maps;
  for (const Operand &operand : operands)
    if (!operand.splat) {
      tensors.push_back(operand.tensor);
      maps.push_back(operand.map);
    }
  maps.push_back(initMap);
  return linalg::GenericOp::create(
      *this, TypeRange{init.getType()}, tensors, ValueRange{init}, maps, iterators,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        SmallVector<Value> elements;
        unsigned next = 0;
        for (const Operand &operand : operands)
          elements.push_back(operand.splat ? arith::ConstantOp::create(b, loc, operand.splat)
                                           : Value(args[next++]));
        elements.push_back(args[next]);
        linalg::YieldOp::create(b, loc, body(b, loc, elements));
      });
}

Value TensorBuilder::elementwise(ArrayRef<int64_t> dims, Type element, ArrayRef<Operand> operands,
                                 BodyFn body) {
  SmallVector<utils::IteratorType> iterators(dims.size(), utils::IteratorType::parallel);
  return generic(operands, empty(dims, element), getMultiDimIdentityMap(dims.size()), iterators,
                 body)
      .getResult(0);
}

Value TensorBuilder::reduce(ArrayRef<int64_t> domain, ArrayRef<int64_t> axes,
                            ArrayRef<Operand> operands, TypedAttr init, BodyFn body) {
  SmallVector<utils::IteratorType> iterators;
  SmallVector<AffineExpr> kept;
  Dims dims;
  for (size_t d = 0; d < domain.size(); ++d) {
    const bool reduced = is_contained(axes, int64_t(d));
    iterators.push_back(reduced ? utils::IteratorType::reduction : utils::IteratorType::parallel);
    if (!reduced) {
      kept.push_back(getAffineDimExpr(d));
      dims.push_back(domain[d]);
    }
  }
  AffineMap map = AffineMap::get(domain.size(), 0, kept, getContext());
  return generic(operands, filled(dims, init), map, iterators, body).getResult(0);
}

/// The reassociation that groups `fine` into `coarse`, if products match group by group.
static std::optional<SmallVector<ReassociationIndices>> grouping(ArrayRef<int64_t> fine,
                                                                 ArrayRef<int64_t> coarse) {
  SmallVector<ReassociationIndices> groups;
  size_t at = 0;
  for (int64_t extent : coarse) {
    ReassociationIndices group;
    int64_t product = 1;
    while (at < fine.size() && (group.empty() || product < extent)) {
      product *= fine[at];
      group.push_back(at++);
    }
    if (group.empty() || product != extent)
      return std::nullopt;
    groups.push_back(group);
  }
  if (groups.empty())
    return at == fine.size() || all_of(fine, [](int64_t d) { return d == 1; })
               ? std::optional(groups)
               : std::nullopt;
  for (; at < fine.size(); ++at) {
    if (fine[at] != 1)
      return std::nullopt;
    groups.back().push_back(at);
  }
  return groups;
}

Value TensorBuilder::reshape(Value tensor, ArrayRef<int64_t> dims) {
  ArrayRef<int64_t> from = dimsOf(tensor);
  if (from == dims)
    return tensor;
  auto type = RankedTensorType::get(dims, elementOf(tensor));
  if (elementCount(from) != elementCount(dims))
    return {};
  if (type.getNumElements() == 0)
    return empty(dims, elementOf(tensor));
  if (from.size() > dims.size())
    if (auto groups = grouping(from, dims))
      return tensor::CollapseShapeOp::create(*this, type, tensor, *groups);
  if (from.size() < dims.size())
    if (auto groups = grouping(dims, from))
      return tensor::ExpandShapeOp::create(*this, type, tensor, *groups);
  // Through the longest common sequence of group boundaries: both sides collapse to it.
  Dims common;
  size_t i = 0, j = 0;
  while (i < from.size() || j < dims.size()) {
    int64_t left = i < from.size() ? from[i++] : 1, right = j < dims.size() ? dims[j++] : 1;
    while (left != right) {
      if (left < right)
        left *= from[i++];
      else
        right *= dims[j++];
    }
    if (left != 1)
      common.push_back(left);
  }
  if (common.empty() && !from.empty() && !dims.empty())
    common.push_back(1);
  if (ArrayRef(common) == from || ArrayRef(common) == dims)
    common.assign(1, type.getNumElements());
  return reshape(reshape(tensor, common), dims);
}

Value TensorBuilder::transpose(Value tensor, ArrayRef<int64_t> perm) {
  Dims dims;
  for (int64_t p : perm)
    dims.push_back(dimsOf(tensor)[p]);
  SmallVector<int64_t> loops(perm.size());
  for (auto [i, p] : enumerate(perm))
    loops[p] = i;
  return elementwise(dims, elementOf(tensor), along(tensor, loops, perm.size()),
                     [](OpBuilder &, Location, ValueRange v) { return v[0]; });
}

static SmallVector<OpFoldResult> indices(OpBuilder &b, ArrayRef<int64_t> values) {
  return getAsIndexOpFoldResult(b.getContext(), values);
}

Value TensorBuilder::pad(Value tensor, ArrayRef<int64_t> low, ArrayRef<int64_t> high,
                         TypedAttr value) {
  auto isZero = [](int64_t p) { return p == 0; };
  if (all_of(low, isZero) && all_of(high, isZero))
    return tensor;
  Dims dims;
  for (auto [d, l, h] : zip(dimsOf(tensor), low, high))
    dims.push_back(d + l + h);
  if (RankedTensorType::get(dimsOf(tensor), elementOf(tensor)).getNumElements() == 0)
    return filled(dims, value);
  Value scalar = arith::ConstantOp::create(*this, value);
  return tensor::PadOp::create(*this, RankedTensorType::get(dims, elementOf(tensor)), tensor,
                               indices(*this, low), indices(*this, high), scalar);
}

Value TensorBuilder::slice(Value tensor, const SliceSpec &spec) {
  ArrayRef<int64_t> dims = dimsOf(tensor);
  const bool unitSteps = all_of(spec.steps, [](int64_t s) { return s == 1; });
  if (unitSteps && ArrayRef(spec.sizes) == dims)
    return tensor;
  if (is_contained(spec.sizes, 0))
    return empty(spec.sizes, elementOf(tensor));
  // First what unit steps can do, then the rest through a map.
  Dims starts(dims.size(), 0), sizes(dims), steps(dims.size(), 1);
  for (size_t d = 0; d < dims.size(); ++d)
    if (spec.steps[d] == 1) {
      starts[d] = spec.starts[d];
      sizes[d] = spec.sizes[d];
    }
  if (ArrayRef(sizes) != dims)
    tensor = tensor::ExtractSliceOp::create(*this, RankedTensorType::get(sizes, elementOf(tensor)),
                                            tensor, indices(*this, starts), indices(*this, sizes),
                                            indices(*this, steps));
  if (unitSteps)
    return tensor;
  SmallVector<AffineExpr> exprs;
  for (size_t d = 0; d < dims.size(); ++d)
    exprs.push_back(spec.steps[d] == 1 ? getAffineDimExpr(d)
                                       : getAffineDimExpr(d) * spec.steps[d] + spec.starts[d]);
  Operand operand{tensor, AffineMap::get(dims.size(), 0, exprs, getContext()), {}};
  return elementwise(spec.sizes, elementOf(tensor), operand,
                     [](OpBuilder &, Location, ValueRange v) { return v[0]; });
}

Value TensorBuilder::concat(ArrayRef<Value> tensors, int64_t axis) {
  if (tensors.size() == 1)
    return tensors[0];
  Dims dims(dimsOf(tensors[0]));
  dims[axis] = 0;
  for (Value tensor : tensors)
    dims[axis] += dimsOf(tensor)[axis];
  Value result = empty(dims, elementOf(tensors[0]));
  Dims at(dims.size(), 0), ones(dims.size(), 1);
  for (Value tensor : tensors) {
    if (cast<RankedTensorType>(tensor.getType()).getNumElements() == 0)
      continue;
    result = tensor::InsertSliceOp::create(*this, tensor, result, indices(*this, at),
                                           indices(*this, dimsOf(tensor)), indices(*this, ones));
    at[axis] += dimsOf(tensor)[axis];
  }
  return result;
}

Value TensorBuilder::copy(Value tensor) {
  ArrayRef<int64_t> dims = dimsOf(tensor);
  return elementwise(dims, elementOf(tensor), broadcast(tensor, dims),
                     [](OpBuilder &, Location, ValueRange v) { return v[0]; });
}

Operand TensorBuilder::broadcast(Value tensor, ArrayRef<int64_t> dims) {
  ArrayRef<int64_t> own = dimsOf(tensor);
  const size_t lead = dims.size() - own.size();
  SmallVector<AffineExpr> exprs;
  for (size_t d = 0; d < own.size(); ++d)
    exprs.push_back(own[d] == dims[lead + d] ? getAffineDimExpr(lead + d)
                                             : getAffineConstantExpr(0));
  return {tensor, AffineMap::get(dims.size(), 0, exprs, getContext()), {}};
}

Operand TensorBuilder::along(Value tensor, ArrayRef<int64_t> loops, int64_t loopCount) {
  SmallVector<AffineExpr> exprs;
  for (int64_t loop : loops)
    exprs.push_back(getAffineDimExpr(loop));
  return {tensor, AffineMap::get(loopCount, 0, exprs, getContext()), {}};
}

void markContraction(linalg::GenericOp op, StringRef kind, int64_t macs) {
  Builder b(op.getContext());
  op->setAttr("dojo.op", b.getStringAttr(kind));
  op->setAttr("dojo.macs", b.getI64IntegerAttr(macs));
}

} // namespace mlir::dojo::onnximport
