// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading images at positions computed at run time: GridSample, DeformConv, and AffineGrid, which
// makes such positions.

#include "Convolution.h"
#include <cmath>

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

using utils::IteratorType;

/// Scalars for the bodies here.
struct Body : Scalars {
  Body(OpBuilder &b, Location loc) : Scalars(b, loc, ElemClass::Float) {}
  Value number(double value) { return constant(b.getF32Type(), value); }
  Value i32(int64_t value) { return arith::ConstantIntOp::create(b, loc, value, 32); }
  Value floor(Value x) { return math<math::FloorOp>(x); }
  Value both(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
  Value loop(unsigned i) { return linalg::IndexOp::create(b, loc, i); }
  Value loopAsFloat(unsigned i) {
    Value whole = arith::IndexCastOp::create(b, loc, b.getI32Type(), loop(i));
    return arith::SIToFPOp::create(b, loc, b.getF32Type(), whole);
  }
  /// low <= x <= high
  Value within(Value x, double low, double high) {
    return both(lessOrEqual(number(low), x), lessOrEqual(x, number(high)));
  }
  Value clamp(Value x, double low, double high) { return min(max(x, number(low)), number(high)); }
  /// A whole number, brought into 0..extent-1 whatever it is, as i32.
  Value place(Value x, int64_t extent) {
    Value whole = arith::FPToSIOp::create(b, loc, b.getI32Type(), clamp(x, 0, double(extent - 1)));
    Scalars s(b, loc, ElemClass::Signed);
    return s.min(s.max(whole, i32(0)), i32(extent - 1));
  }
  Value toIndex(Value x) { return arith::IndexCastOp::create(b, loc, b.getIndexType(), x); }
};

//===----------------------------------------------------------------------===//
// GridSample
//===----------------------------------------------------------------------===//

enum class Mode { Nearest, Linear, Cubic };
enum class Padding { Zeros, Border, Reflection };

struct SampleSpec {
  Mode mode;
  Padding padding;
  bool alignCorners;

  int64_t taps() const { return mode == Mode::Nearest ? 1 : mode == Mode::Linear ? 2 : 4; }
};

/// `x` mirrored at the borders until it lies between them.
Value reflect(Body &body, Value x, double low, double high) {
  const double range = high - low;
  if (range <= 0)
    return body.number(low);
  auto back = [&](Value distance, bool fromLow) {
    Value times = body.floor(body.div(distance, body.number(range)));
    Value rest = body.sub(distance, body.mul(times, body.number(range)));
    Value pairs = body.mul(body.floor(body.mul(times, body.number(0.5))), body.number(2));
    Value up = body.add(body.number(low), rest), down = body.sub(body.number(high), rest);
    Value even = body.equal(times, pairs);
    return fromLow ? body.select(even, up, down) : body.select(even, down, up);
  };
  Value below = back(body.sub(body.number(low), x), true);
  Value above = back(body.sub(x, body.number(high)), false);
  return body.select(body.less(x, body.number(low)), below,
                     body.select(body.less(body.number(high), x), above, x));
}

/// The position in a dimension of `extent` elements for the grid's `value`.
Value positionOf(Body &body, const SampleSpec &spec, Value value, int64_t extent) {
  Value x = body.add(value, body.number(1));
  if (spec.alignCorners)
    x = body.mul(body.mul(x, body.number(0.5)), body.number(double(extent - 1)));
  else
    x = body.mul(body.sub(body.mul(x, body.number(double(extent))), body.number(1)),
                 body.number(0.5));
  if (spec.mode == Mode::Nearest)
    x = body.math<math::RoundEvenOp>(x);
  const double low = spec.alignCorners ? 0 : -0.5;
  const double high = double(extent) - (spec.alignCorners ? 1 : 0.5);
  if (spec.padding == Padding::Zeros)
    return x;
  if (spec.padding == Padding::Border)
    return body.select(body.within(x, low, high), x, body.clamp(x, 0, double(extent - 1)));
  return reflect(body, x, low, high);
}

/// The weight of tap `k`, a number, at distance `t` behind the tap before.
Value weightOf(Body &body, Mode mode, Value t, Value k) {
  if (mode == Mode::Linear)
    return body.select(body.equal(k, body.number(0)), body.sub(body.number(1), t), t);
  constexpr double a = -0.75;
  Value x = body.abs(body.sub(body.sub(t, k), body.number(-1)));
  Value near = body.sub(body.mul(body.number(a + 2), x), body.number(a + 3));
  near = body.add(body.mul(body.mul(near, x), x), body.number(1));
  Value far = body.sub(body.mul(body.number(a), x), body.number(5 * a));
  far = body.sub(body.mul(body.add(body.mul(far, x), body.number(8 * a)), x), body.number(4 * a));
  return body.select(body.lessOrEqual(x, body.number(1)), near, far);
}

struct Table {
  Value places;  ///< [n, positions..., taps], -1 outside
  Value weights; ///< the same; null for nearest
};

Table tableOf(Lowering &l, const SampleSpec &spec, int64_t component, int64_t extent) {
  TensorBuilder &b = l.b;
  Dims dims(l.node.dims(1).drop_back());
  const unsigned loops = dims.size() + 1;
  SmallVector<AffineExpr> exprs;
  for (unsigned d = 0; d + 1 < loops; ++d)
    exprs.push_back(b.getAffineDimExpr(d));
  exprs.push_back(b.getAffineConstantExpr(component));
  Operand grid{l.in(1), AffineMap::get(loops, 0, exprs, b.getContext()), {}};
  dims.push_back(spec.taps());
  auto compute = [&](Type element, llvm::function_ref<Value(Body &, Value, Value)> f) {
    return b.elementwise(dims, element, grid, [&](OpBuilder &ob, Location loc, ValueRange v) {
      Body body(ob, loc);
      Value value = castScalar(ob, loc, v[0], l.node.elem(1), TensorProto::FLOAT);
      return f(body, positionOf(body, spec, value, extent), body.loopAsFloat(loops - 1));
    });
  };
  Table table;
  const double first = spec.mode == Mode::Cubic ? -1 : 0;
  table.places = compute(b.getI32Type(), [&](Body &body, Value x, Value k) {
    Value at = body.add(body.add(body.floor(x), body.number(first)), k);
    if (spec.padding == Padding::Reflection) {
      // Towards zero, as from the half places beside the border.
      at = reflect(body, at, spec.alignCorners ? 0 : -0.5,
                   double(extent) - (spec.alignCorners ? 1 : 0.5));
      at = body.floor(body.max(at, body.number(0)));
    }
    Value place = body.place(at, extent);
    if (spec.padding != Padding::Zeros)
      return place;
    return body.select(body.within(at, 0, double(extent - 1)), place, body.i32(-1));
  });
  if (spec.mode != Mode::Nearest)
    table.weights = compute(b.getF32Type(), [&](Body &body, Value x, Value k) {
      return weightOf(body, spec.mode, body.sub(x, body.floor(x)), k);
    });
  return table;
}

LogicalResult gridSample(Lowering &l) {
  TensorBuilder &b = l.b;
  ArrayRef<int64_t> in = l.node.dims(0), grid = l.node.dims(1);
  const int64_t rank = in.size(), spatial = rank - 2;
  if (rank < 3 || int64_t(grid.size()) != rank || grid.back() != spatial || grid[0] != in[0])
    return l.fail("the grid must hold a position for each dimension of the images");
  if (l.node.info(0).kind != ElemClass::Float || is_contained(in, 0))
    return l.fail("images without elements or of other types than floats are not supported");
  StringRef mode = l.node.stringAttr("mode", "linear");
  StringRef padding = l.node.stringAttr("padding_mode", "zeros");
  SampleSpec spec;
  spec.alignCorners = l.node.intAttr("align_corners", 0);
  if (mode == "nearest")
    spec.mode = Mode::Nearest;
  else if (mode == "linear" || mode == "bilinear")
    spec.mode = Mode::Linear;
  else if (mode == "cubic" || mode == "bicubic")
    spec.mode = Mode::Cubic;
  else
    return l.fail("the mode '" + mode + "' is not known");
  if (padding == "zeros")
    spec.padding = Padding::Zeros;
  else if (padding == "border")
    spec.padding = Padding::Border;
  else if (padding == "reflection")
    spec.padding = Padding::Reflection;
  else
    return l.fail("the padding mode '" + padding + "' is not known");

  // Loops (n, c, positions..., taps...).
  const bool weighted = spec.mode != Mode::Nearest;
  Dims out{in[0], in[1]};
  append_range(out, grid.slice(1, spatial));
  const unsigned parallel = out.size(), loops = parallel + spatial;
  SmallVector<IteratorType> iterators(parallel, IteratorType::parallel);
  iterators.append(spatial, IteratorType::reduction);
  SmallVector<Operand> operands;
  for (int64_t d = 0; d < spatial; ++d) {
    // The grid names the last dimension first.
    Table table = tableOf(l, spec, spatial - 1 - d, in[2 + d]);
    SmallVector<int64_t> own{0};
    append_range(own, seq<int64_t>(2, parallel));
    own.push_back(parallel + d);
    operands.push_back(b.along(table.places, own, loops));
    if (weighted)
      operands.push_back(b.along(table.weights, own, loops));
  }
  Value image = l.in(0);
  Type element = l.elementType(0);
  SmallVector<AffineExpr> kept;
  for (unsigned d = 0; d < parallel; ++d)
    kept.push_back(b.getAffineDimExpr(d));
  const int32_t elem = l.node.elem(0);
  auto op = b.generic(
      operands, b.filled(out, b.getF32FloatAttr(0)), AffineMap::get(loops, 0, kept, b.getContext()),
      iterators, [&](OpBuilder &ob, Location loc, ValueRange v) {
        Body body(ob, loc);
        Scalars whole(ob, loc, ElemClass::Signed);
        SmallVector<Value> at{body.loop(0), body.loop(1)};
        Value inside, weight;
        for (int64_t d = 0; d < spatial; ++d) {
          Value place = v[weighted ? 2 * d : d];
          Value fits = whole.lessOrEqual(body.i32(0), place);
          inside = inside ? body.both(inside, fits) : fits;
          at.push_back(
              body.toIndex(whole.min(whole.max(place, body.i32(0)), body.i32(in[2 + d] - 1))));
          if (weighted)
            weight = weight ? body.mul(weight, v[2 * d + 1]) : v[2 * d + 1];
        }
        Value pixel = tensor::ExtractOp::create(ob, loc, image, at);
        pixel = castScalar(ob, loc, pixel, elem, TensorProto::FLOAT);
        pixel = body.select(inside, pixel, body.number(0));
        return weighted ? body.add(v.back(), body.mul(pixel, weight)) : body.add(v.back(), pixel);
      });
  Value result = op.getResult(0);
  if (elem != TensorProto::FLOAT)
    result = b.elementwise(out, element, b.broadcast(result, out),
                           [&](OpBuilder &ob, Location loc, ValueRange v) {
                             return castScalar(ob, loc, v[0], TensorProto::FLOAT, elem);
                           });
  return l.set(result);
}

//===----------------------------------------------------------------------===//
// DeformConv
//===----------------------------------------------------------------------===//

LogicalResult deformConv(Lowering &l) {
  TensorBuilder &b = l.b;
  if (l.node.rank(0) != 4 || l.node.rank(1) != 4 || l.node.elem(0) != TensorProto::FLOAT)
    return l.fail("images of other types than float or without two spatial dimensions are not "
                  "supported");
  std::string error;
  auto window = convWindow(l, 0, 1, 3, error);
  if (!window)
    return l.fail(error);
  ArrayRef<int64_t> in = l.node.dims(0), weights = l.node.dims(1);
  const int64_t n = in[0], c = in[1], kh = weights[2], kw = weights[3], oh = window->out[0],
                ow = window->out[1], parts = l.node.intAttr("offset_group", 1),
                groups = l.node.intAttr("group", 1);
  if (parts < 1 || c % parts || l.node.dims(2) != ArrayRef<int64_t>{n, parts * kh * kw * 2, oh, ow})
    return l.fail("the offsets do not fit the result and the number of offset groups");
  const bool masked = l.node.has(4);
  if (masked && l.node.dims(4) != ArrayRef<int64_t>{n, parts * kh * kw, oh, ow})
    return l.fail("the mask does not fit the offsets");
  if (is_contained(in, 0))
    return l.fail("images without elements are not supported");

  // Loops (n, part, c, kh, kw, oh, ow): the image at the places of each window.
  const unsigned loops = 7;
  AffineExpr d[loops];
  bindDimsList(b.getContext(), MutableArrayRef<AffineExpr>(d));
  Value offsets = b.reshape(l.in(2), {n, parts, kh, kw, 2, oh, ow});
  auto offset = [&](int64_t component) {
    return Operand{
        offsets,
        AffineMap::get(loops, 0,
                       {d[0], d[1], d[3], d[4], b.getAffineConstantExpr(component), d[5], d[6]},
                       b.getContext()),
        {}};
  };
  SmallVector<Operand> operands{offset(0), offset(1)};
  if (masked)
    operands.push_back(
        b.along(b.reshape(l.in(4), {n, parts, kh, kw, oh, ow}), {0, 1, 3, 4, 5, 6}, loops));
  Value image = b.reshape(l.in(0), {n, parts, c / parts, in[2], in[3]});
  const Dims dims{n, parts, c / parts, kh, kw, oh, ow};
  Value columns =
      b.elementwise(dims, b.getF32Type(), operands, [&](OpBuilder &ob, Location loc, ValueRange v) {
        Body body(ob, loc);
        Value position[2], before[2];
        for (int64_t i = 0; i < 2; ++i) {
          Value start = body.mul(body.loopAsFloat(5 + i), body.number(double(window->strides[i])));
          Value tap = body.mul(body.loopAsFloat(3 + i), body.number(double(window->dilations[i])));
          Value x =
              body.add(body.sub(body.add(start, tap), body.number(double(window->low[i]))), v[i]);
          position[i] = body.clamp(x, -4, double(in[2 + i]) + 4);
          before[i] = body.floor(position[i]);
        }
        Value sum;
        for (int corner = 0; corner < 4; ++corner) {
          SmallVector<Value> at{body.loop(0), body.loop(1), body.loop(2)};
          Value weight, inside;
          for (int64_t i = 0; i < 2; ++i) {
            const bool next = i == 0 ? corner & 2 : corner & 1;
            Value x = next ? body.add(before[i], body.number(1)) : before[i];
            Value t = body.sub(position[i], before[i]);
            Value w = next ? t : body.sub(body.number(1), t);
            Value fits = body.within(x, 0, double(in[2 + i] - 1));
            weight = weight ? body.mul(weight, w) : w;
            inside = inside ? body.both(inside, fits) : fits;
            at.push_back(body.toIndex(body.place(x, in[2 + i])));
          }
          Value pixel = tensor::ExtractOp::create(ob, loc, image, at);
          pixel = body.select(inside, body.mul(pixel, weight), body.number(0));
          sum = sum ? body.add(sum, pixel) : pixel;
        }
        return masked ? body.mul(sum, v[2]) : sum;
      });

  // Loops (n, g, f, oh, ow, c, kh, kw).
  columns = b.reshape(columns, {n, groups, c / groups, kh, kw, oh, ow});
  const int64_t f = weights[0] / groups;
  Value filters = filtersOf(l, 1).as(l, {groups, f, c / groups, kh, kw});
  SmallVector<IteratorType> iterators(5, IteratorType::parallel);
  iterators.append(3, IteratorType::reduction);
  auto op =
      b.generic({b.along(columns, {0, 1, 5, 6, 7, 3, 4}, 8), b.along(filters, {1, 2, 5, 6, 7}, 8)},
                b.filled({n, groups, f, oh, ow}, b.getF32FloatAttr(0)),
                b.getMultiDimIdentityMap(8).getMajorSubMap(5), iterators,
                [&](OpBuilder &ob, Location loc, ValueRange v) {
                  Scalars s(ob, loc, ElemClass::Float);
                  return s.add(v[2], s.mul(v[0], v[1]));
                });
  markContraction(op, "matmul", saturatedProduct({n, weights[0], oh, ow, c / groups, kh, kw}));
  return l.set(addBias(l, b.reshape(op.getResult(0), {n, weights[0], oh, ow}), 3));
}

//===----------------------------------------------------------------------===//
// AffineGrid
//===----------------------------------------------------------------------===//

/// Positions theta * (x, y, [z,] 1) of an even grid from -1 to 1.
LogicalResult affineGrid(Lowering &l) {
  TensorBuilder &b = l.b;
  const Constant *size = l.node.constant(1);
  if (!size)
    return l.fail("the size is known only at run time");
  const SmallVector<int64_t> dims = size->ints();
  const int64_t spatial = int64_t(dims.size()) - 2;
  if (spatial < 1 || l.node.dims(0) != ArrayRef<int64_t>{dims[0], spatial, spatial + 1} ||
      l.node.info(0).kind != ElemClass::Float)
    return l.fail("theta must be floats [n, spatial, spatial + 1] for the size");
  const bool align = l.node.intAttr("align_corners", 0);
  Dims out{dims[0]};
  append_range(out, ArrayRef(dims).drop_front(2));
  out.push_back(spatial);
  const unsigned loops = out.size();
  auto theta = [&](int64_t column) {
    return Operand{l.in(0),
                   AffineMap::get(loops, 0,
                                  {b.getAffineDimExpr(0), b.getAffineDimExpr(loops - 1),
                                   b.getAffineConstantExpr(column)},
                                  b.getContext()),
                   {}};
  };
  SmallVector<Operand> operands{theta(spatial)};
  for (int64_t i = 0; i < spatial; ++i) {
    // Column i belongs to the last dimension but i.
    const int64_t d = spatial - 1 - i, extent = dims[2 + d];
    std::string bytes;
    for (int64_t k = 0; k < extent; ++k)
      appendElement(bytes, l.node.elem(0),
                    align ? (extent > 1 ? -1 + 2 * double(k) / double(extent - 1) : -1.0)
                          : -1 + (2 * double(k) + 1) / double(extent));
    operands.push_back(theta(i));
    operands.push_back(
        b.along(l.materialise(Constant({l.node.elem(0), {extent}}, bytes)), {1 + d}, loops));
  }
  return l.set(b.elementwise(out, l.elementType(0), operands,
                             [&](OpBuilder &ob, Location loc, ValueRange v) {
                               Scalars s(ob, loc, ElemClass::Float);
                               Value sum = s.mul(v[1], v[2]);
                               for (int64_t i = 1; i < spatial; ++i)
                                 sum = s.add(sum, s.mul(v[2 * i + 1], v[2 * i + 2]));
                               return s.add(sum, v[0]);
                             }));
}

} // namespace

ArrayRef<OpEntry> samplingOps() {
  static const OpEntry entries[] = {
      {"GridSample", 16, 22, gridSample},
      {"DeformConv", 19, 22, deformConv},
      {"AffineGrid", 20, 20, affineGrid},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
