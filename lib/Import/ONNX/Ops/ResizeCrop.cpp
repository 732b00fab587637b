// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resize to a region that is known at run time: positions, weights and indices are computed there.

#include "Resize.h"
#include "Take.h"
#include <cmath>

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

Value convertRounding(Lowering &l, Value tensor, int32_t from, int32_t to) {
  if (from == to)
    return tensor;
  TensorBuilder &b = l.b;
  const Dims dims(TensorBuilder::dimsOf(tensor));
  Type element = runtimeType(b.getContext(), to);
  return b.elementwise(
      dims, element, b.broadcast(tensor, dims), [&](OpBuilder &ob, Location loc, ValueRange v) {
        Value x = v[0];
        if (elemInfo(to).kind != ElemClass::Float) {
          const bool isUnsigned = elemInfo(to).kind == ElemClass::Unsigned;
          auto bound = [&](bool greatest) {
            APInt value = cast<IntegerAttr>(extremeAttr(element, isUnsigned, greatest)).getValue();
            return value.roundToDouble(!isUnsigned);
          };
          Scalars s(ob, loc, ElemClass::Float);
          x = s.math<math::RoundEvenOp>(x);
          x = s.min(s.max(x, s.constant(x.getType(), bound(false))),
                    s.constant(x.getType(), bound(true)));
        }
        return castScalar(ob, loc, x, from, to);
      });
}

namespace {

/// A tensor [axis.out] of the positions that the elements of the result stand for, for a region
/// known at run time: entries `at` and `at` + `count` of operand 1 of the node.
Value positionsAtRunTime(Lowering &l, const AxisSpec &axis, int64_t at, int64_t count) {
  TensorBuilder &b = l.b;
  SmallVector<float> factors;
  for (int64_t x = 0; x < axis.out; ++x) {
    const double last = double(axis.in - 1);
    factors.push_back(float(axis.width == 1 ? last / 2 : double(x) * last / (axis.width - 1)));
  }
  auto entry = [&](int64_t i) {
    return Operand{l.in(1), AffineMap::get(1, 0, b.getAffineConstantExpr(i)), {}};
  };
  return b.elementwise(axis.out, b.getF32Type(),
                       {entry(at), entry(at + count),
                        l.constantOperand(Constant::ofFloats(factors, {axis.out}), axis.out, 0)},
                       [&](OpBuilder &ob, Location loc, ValueRange v) {
                         Scalars s(ob, loc, ElemClass::Float);
                         Value start =
                             castScalar(ob, loc, v[0], l.node.elem(1), TensorProto::FLOAT);
                         Value end = castScalar(ob, loc, v[1], l.node.elem(1), TensorProto::FLOAT);
                         Value last = s.constant(b.getF32Type(), double(axis.in - 1));
                         return s.add(s.mul(start, last), s.mul(s.sub(end, start), v[2]));
                       });
}

/// kernelAt on a value of the IR.
Value kernelOf(Scalars &s, const ResizeSpec &spec, Value distance) {
  auto number = [&](double value) { return s.constant(distance.getType(), value); };
  Value x = s.abs(distance);
  if (spec.mode != "cubic")
    return s.max(s.sub(number(1), x), number(0));
  const double a = spec.cubicA;
  Value near = s.sub(s.mul(number(a + 2), x), number(a + 3));
  near = s.add(s.mul(s.mul(near, x), x), number(1));
  Value far = s.sub(s.mul(number(a), x), number(5 * a));
  far = s.sub(s.mul(s.add(s.mul(far, x), number(8 * a)), x), number(4 * a));
  Value outer = s.select(s.less(x, number(2)), far, number(0));
  return s.select(s.lessOrEqual(x, number(1)), near, outer);
}

} // namespace

LogicalResult cropAtRunTime(Lowering &l, const ResizeSpec &spec, ArrayRef<int64_t> axes) {
  TensorBuilder &b = l.b;
  const bool nearest = spec.mode == "nearest";
  const int32_t elem = l.node.elem(0);
  const int32_t work = nearest || elem == TensorProto::DOUBLE ? elem : int32_t(TensorProto::FLOAT);
  Value result = convertRounding(l, l.in(0), elem, work);
  for (auto [i, d] : enumerate(axes)) {
    const AxisSpec &axis = spec.axes[d];
    Value positions = positionsAtRunTime(l, axis, i, axes.size());
    // A function of the position, for each element of the result along the axis.
    auto along = [&](Type element, llvm::function_ref<Value(Scalars &, Value)> f) {
      return b.elementwise(axis.out, element, b.along(positions, {0}, 1),
                           [&](OpBuilder &ob, Location loc, ValueRange v) {
                             Scalars s(ob, loc, ElemClass::Float);
                             Value low = s.constant(v[0].getType(), -8);
                             Value high = s.constant(v[0].getType(), double(axis.in) + 8);
                             return f(s, s.min(s.max(v[0], low), high));
                           });
    };
    auto toIndex = [&](Scalars &s, Value x) -> Value {
      Value inside =
          s.min(s.max(x, s.constant(x.getType(), 0)), s.constant(x.getType(), double(axis.in - 1)));
      return arith::FPToSIOp::create(s.b, s.loc, b.getI32Type(), inside);
    };
    Dims dims(TensorBuilder::dimsOf(result));
    dims[d] = axis.out;
    auto takeBy = [&](Value indices) {
      return select(l, result, d, 1, b.along(indices, {d}, dims.size()), dims);
    };
    SmallVector<Operand> operands;
    if (nearest) {
      Value indices = along(b.getI32Type(), [&](Scalars &s, Value x) {
        auto half = [&] { return s.constant(x.getType(), 0.5); };
        if (spec.rounding == "floor")
          x = s.math<math::FloorOp>(x);
        else if (spec.rounding == "ceil")
          x = s.math<math::CeilOp>(x);
        else if (spec.rounding == "round_prefer_ceil")
          x = s.math<math::FloorOp>(s.add(x, half()));
        else
          x = s.math<math::CeilOp>(s.sub(x, half()));
        return toIndex(s, x);
      });
      operands.push_back(b.broadcast(takeBy(indices), dims));
    }
    const double stretch = spec.antialias ? std::min(axis.scale, 1.0) : 1.0;
    const int64_t reach =
        nearest ? 0 : int64_t(std::ceil((spec.mode == "cubic" ? 2 : 1) / stretch));
    for (int64_t k = 1 - reach; k <= reach && !nearest; ++k) {
      auto neighbour = [&](Scalars &s, Value x) {
        return s.add(s.math<math::FloorOp>(x), s.constant(x.getType(), double(k)));
      };
      Value indices =
          along(b.getI32Type(), [&](Scalars &s, Value x) { return toIndex(s, neighbour(s, x)); });
      Value weights = along(b.getF32Type(), [&](Scalars &s, Value x) {
        Value at = neighbour(s, x);
        Value weight = kernelOf(s, spec, s.mul(s.sub(at, x), s.constant(x.getType(), stretch)));
        if (!spec.excludeOutside)
          return weight;
        Value zero = s.constant(x.getType(), 0);
        weight = s.select(s.less(at, zero), zero, weight);
        return s.select(s.less(s.constant(x.getType(), double(axis.in - 1)), at), zero, weight);
      });
      operands.push_back(b.broadcast(takeBy(indices), dims));
      operands.push_back(b.along(weights, {int64_t(d)}, dims.size()));
    }
    operands.push_back(b.along(positions, {int64_t(d)}, dims.size()));
    const bool normalise = spec.antialias || spec.excludeOutside;
    result = b.elementwise(
        dims, TensorBuilder::elementOf(result), operands,
        [&](OpBuilder &ob, Location loc, ValueRange all) -> Value {
          Scalars s(ob, loc, ElemClass::Float);
          ValueRange v = all.take_front(operands.size());
          Value x = v[0], total;
          for (size_t k = 0; k + 2 < v.size(); k += 2) {
            Value weight = castScalar(ob, loc, v[k + 1], TensorProto::FLOAT, work);
            Value part = s.mul(v[k], weight);
            x = k ? s.add(x, part) : part;
            total = k ? s.add(total, weight) : weight;
          }
          if (normalise && total)
            x = s.div(x, total);
          Value position = v.back();
          Value last = s.constant(position.getType(), double(axis.in - 1));
          Value inside = arith::AndIOp::create(
              ob, loc, s.lessOrEqual(s.constant(position.getType(), 0), position),
              s.lessOrEqual(position, last));
          return s.select(inside, x, s.constant(x.getType(), double(spec.extrapolation)));
        });
  }
  return l.set(convertRounding(l, result, work, elem));
}

} // namespace mlir::dojo::onnximport
