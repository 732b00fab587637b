// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that put updates at indices known only at run time. Each element of the result looks for its
// updates among all that may be for it: along the axis, or of all indices. Without a reduction the
// last of them counts. Updates at places outside of the data are dropped.

#include "Index.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

enum class Reduction { None, Add, Mul, Min, Max };

std::optional<Reduction> reductionOf(Lowering &l) {
  StringRef name = l.node.stringAttr("reduction", "none");
  auto found = StringSwitch<std::optional<Reduction>>(name)
                   .Case("none", Reduction::None)
                   .Case("add", Reduction::Add)
                   .Case("mul", Reduction::Mul)
                   .Case("min", Reduction::Min)
                   .Case("max", Reduction::Max)
                   .Default(std::nullopt);
  if (!found)
    (void)l.fail("the reduction '" + name + "' is not supported");
  if (found && *found != Reduction::None && l.node.info(0).kind == ElemClass::Bool) {
    (void)l.fail("a reduction of booleans is not supported", Category::Type);
    return std::nullopt;
  }
  return found;
}

TypedAttr neutralOf(Reduction reduction, Type element, bool isUnsigned) {
  switch (reduction) {
  case Reduction::Min:
  case Reduction::Max:
    return extremeAttr(element, isUnsigned, reduction == Reduction::Min);
  default:
    return scalarAttr(element, int64_t(reduction == Reduction::Mul));
  }
}

Value combine(Reduction reduction, IndexBody &body, ElemClass kind, Value x, Value y) {
  Scalars s(body.b, body.loc, kind);
  switch (reduction) {
  case Reduction::Add:
    return s.add(x, y);
  case Reduction::Mul:
    return s.mul(x, y);
  case Reduction::Min:
    return s.min(x, y);
  case Reduction::Max:
    return s.max(x, y);
  case Reduction::None:
    break;
  }
  return y;
}

/// The number of the last of `count` targets that is the index of loop `axis`, i32; -1: none is.
Value lastHit(TensorBuilder &b, ArrayRef<int64_t> dims, int64_t count, Operand targets,
              int64_t axis) {
  return reduceLast(b, dims, count, targets, b.getI32IntegerAttr(-1),
                    [&](IndexBody &body, ValueRange v) {
                      Value here = body.equal(v[0], body.loop32(axis));
                      Value number = body.loop32(dims.size());
                      return body.max(v[1], body.select(here, number, body.i32(-1)));
                    });
}

LogicalResult scatterElements(Lowering &l) {
  TensorBuilder &b = l.b;
  auto reduction = reductionOf(l);
  if (!reduction)
    return failure();
  ArrayRef<int64_t> dims = l.node.dims(0), own = l.node.dims(1);
  const int64_t rank = dims.size();
  auto axis = normaliseAxis(l.node.intAttr("axis", 0), rank);
  if (!axis || int64_t(own.size()) != rank || l.node.dims(2) != own)
    return l.fail("data, indices and updates do not fit each other");
  for (int64_t d = 0; d < rank; ++d)
    if (d != *axis && own[d] > dims[d])
      return l.fail("the indices have more places than the data");
  if (elementCount(own) == 0 || elementCount(dims) == 0)
    return l.set(l.in(0));
  const int64_t count = own[*axis];
  Value targets = mapIndices(b, own, b.getI32Type(), b.broadcast(l.in(1), own),
                             [&](IndexBody &body, ValueRange v) {
                               return body.toInt(body.wrapped(v[0], dims[*axis]), 32);
                             });
  // Where the data goes on beside the indices there are no updates.
  Dims low(rank, 0), high(rank, 0);
  for (int64_t d = 0; d < rank; ++d)
    if (d != *axis)
      high[d] = dims[d] - own[d];
  Type element = l.elementType(0);
  targets = b.pad(targets, low, high, b.getI32IntegerAttr(-1));
  Value updates = b.pad(l.in(2), low, high, scalarAttr(element, int64_t(0)));
  Operand target = withLastAs(b, targets, *axis), data = b.broadcast(l.in(0), dims);
  const ElemClass kind = l.node.info(0).kind;
  if (*reduction == Reduction::None) {
    Value last = lastHit(b, dims, count, target, *axis);
    return l.set(mapIndices(b, dims, element, {data, b.broadcast(last, dims)},
                            [&](IndexBody &body, ValueRange v) {
                              SmallVector<Value> at;
                              for (int64_t d = 0; d < rank; ++d)
                                at.push_back(d == *axis ? body.inside(v[1], count) : body.loop(d));
                              Value keeps = body.less(v[1], body.i32(0));
                              return body.select(keeps, v[0], body.read(updates, at));
                            }));
  }
  TypedAttr neutral = neutralOf(*reduction, element, Scalars(b, b.getLoc(), kind).isUnsigned());
  Value all = reduceLast(b, dims, count, {target, withLastAs(b, updates, *axis)}, neutral,
                         [&](IndexBody &body, ValueRange v) {
                           Value here = body.equal(v[0], body.loop32(*axis));
                           return combine(*reduction, body, kind, v[2],
                                          body.select(here, v[1], body.constant(neutral)));
                         });
  return l.set(mapIndices(
      b, dims, element, {data, b.broadcast(all, dims)},
      [&](IndexBody &body, ValueRange v) { return combine(*reduction, body, kind, v[0], v[1]); }));
}

LogicalResult scatterND(Lowering &l) {
  TensorBuilder &b = l.b;
  auto reduction = reductionOf(l);
  if (!reduction)
    return failure();
  ArrayRef<int64_t> dims = l.node.dims(0), indexDims = l.node.dims(1);
  if (indexDims.empty() || indexDims.back() < 1 || indexDims.back() > int64_t(dims.size()))
    return l.fail("the indices do not fit the data");
  const int64_t depth = indexDims.back();
  auto count = elementCount(indexDims.drop_back()), places = elementCount(dims.take_front(depth)),
       rest = elementCount(dims.drop_front(depth));
  if (!count || !places || !rest || *places > INT32_MAX ||
      elementCount(l.node.dims(2)) != *count * *rest)
    return l.fail("data, indices and updates do not fit each other");
  if (*count == 0 || *places == 0 || *rest == 0)
    return l.set(l.in(0));
  // Rows at places counted through.
  Value indices = b.reshape(l.in(1), {*count, depth});
  SmallVector<Operand> parts;
  for (int64_t k = 0; k < depth; ++k)
    parts.push_back(
        {indices,
         AffineMap::get(1, 0, {b.getAffineDimExpr(0), b.getAffineConstantExpr(k)}, b.getContext()),
         {}});
  Dims strides = stridesOf(dims.take_front(depth));
  Value targets =
      mapIndices(b, {*count}, b.getI32Type(), parts, [&](IndexBody &body, ValueRange v) {
        Value place = body.i32(0), inside;
        for (int64_t k = 0; k < depth; ++k) {
          Value index = body.wrapped(v[k], dims[k]);
          Value fits = body.compare(arith::CmpIPredicate::ult, index, body.same(index, dims[k]));
          inside = inside ? body.both(inside, fits) : fits;
          place = body.add(place, body.mul(body.toInt(index, 32), body.i32(strides[k])));
        }
        return body.select(inside, place, body.i32(-1));
      });
  Value data = b.reshape(l.in(0), {*places, *rest}), updates = b.reshape(l.in(2), {*count, *rest});
  Type element = l.elementType(0);
  const ElemClass kind = l.node.info(0).kind;
  Value result;
  if (*reduction == Reduction::None) {
    Value last = lastHit(b, {*places}, *count, b.along(targets, {1}, 2), 0);
    result =
        mapIndices(b, {*places, *rest}, element, {b.along(data, {0, 1}, 2), b.along(last, {0}, 2)},
                   [&](IndexBody &body, ValueRange v) {
                     Value row = body.inside(v[1], *count);
                     return body.select(body.less(v[1], body.i32(0)), v[0],
                                        body.read(updates, {row, body.loop(1)}));
                   });
  } else {
    TypedAttr neutral = neutralOf(*reduction, element, Scalars(b, b.getLoc(), kind).isUnsigned());
    Value all = reduceLast(b, {*places, *rest}, *count,
                           {b.along(targets, {2}, 3), b.along(updates, {2, 1}, 3)}, neutral,
                           [&](IndexBody &body, ValueRange v) {
                             Value here = body.equal(v[0], body.loop32(0));
                             return combine(*reduction, body, kind, v[2],
                                            body.select(here, v[1], body.constant(neutral)));
                           });
    result = mapIndices(
        b, {*places, *rest}, element, {b.along(data, {0, 1}, 2), b.along(all, {0, 1}, 2)},
        [&](IndexBody &body, ValueRange v) { return combine(*reduction, body, kind, v[0], v[1]); });
  }
  return l.set(b.reshape(result, dims));
}

} // namespace

ArrayRef<OpEntry> scatterOps() {
  static const OpEntry entries[] = {
      {"Scatter", 9, 9, scatterElements},
      {"ScatterElements", 11, 18, scatterElements},
      {"ScatterND", 11, 18, scatterND},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
