// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RoiAlign and MaxRoiPool. What a bin takes from a row does not depend on the columns: rows are
// pooled first with a table of weights for each region, then columns with another.

#include "../Lowering.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

using utils::IteratorType;

/// Scalars for the bodies here.
struct Body : Scalars {
  Body(OpBuilder &b, Location loc) : Scalars(b, loc, ElemClass::Float) {}
  Value number(double value) { return constant(b.getF32Type(), value); }
  Value floor(Value x) { return math<math::FloorOp>(x); }
  Value ceil(Value x) { return math<math::CeilOp>(x); }
  Value both(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
  Value either(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value within(Value x, Value low, Value high) {
    return both(lessOrEqual(low, x), lessOrEqual(x, high));
  }
  Value loop(unsigned i) {
    Value whole =
        arith::IndexCastOp::create(b, loc, b.getI32Type(), linalg::IndexOp::create(b, loc, i));
    return arith::SIToFPOp::create(b, loc, b.getF32Type(), whole);
  }
};

/// The regions along one dimension of the image.
struct Axis {
  int64_t extent, bins;
  int64_t from, to; ///< columns of the regions' operand
};

/// Columns `from` and `to` of operand 1 for loop 0 of `loops`.
SmallVector<Operand> edges(Lowering &l, const Axis &axis, unsigned loops) {
  SmallVector<Operand> operands;
  for (int64_t column : {axis.from, axis.to})
    operands.push_back(
        {l.in(1),
         AffineMap::get(loops, 0, {l.b.getAffineDimExpr(0), l.b.getAffineConstantExpr(column)},
                        l.b.getContext()),
         {}});
  return operands;
}

/// `image` [n, c, h, w] with h pooled, [regions, c, bins, w], then w: `combine` gets the element,
/// the tables' entries for region, bin and row, and what was combined so far. The image of a region
/// is that of number `batch`, an operand [regions] of i32.
template <typename Combine>
Value poolRows(TensorBuilder &b, Value image, Value batch, ArrayRef<Value> tables, TypedAttr init,
               Combine combine) {
  const Dims in(TensorBuilder::dimsOf(image)), table(TensorBuilder::dimsOf(tables[0]));
  // Loops (region, c, bin, w, n, h).
  SmallVector<Operand> operands{b.along(image, {4, 1, 5, 3}, 6), b.along(batch, {0}, 6)};
  for (Value values : tables)
    operands.push_back(b.along(values, {0, 2, 5}, 6));
  SmallVector<IteratorType> iterators(4, IteratorType::parallel);
  iterators.append(2, IteratorType::reduction);
  const Dims out{table[0], in[1], table[1], in[3]};
  return b
      .generic(operands, b.filled(out, init), b.getMultiDimIdentityMap(6).getMajorSubMap(4),
               iterators,
               [&](OpBuilder &ob, Location loc, ValueRange v) {
                 Body body(ob, loc);
                 Value number = arith::IndexCastOp::create(ob, loc, ob.getI32Type(),
                                                           linalg::IndexOp::create(ob, loc, 4));
                 Value own = arith::CmpIOp::create(ob, loc, arith::CmpIPredicate::eq, number, v[1]);
                 return body.select(own, combine(body, v[0], v.slice(2, tables.size()), v.back()),
                                    v.back());
               })
      .getResult(0);
}

template <typename Combine>
Value poolColumns(TensorBuilder &b, Value rows, ArrayRef<Value> tables, TypedAttr init,
                  Combine combine) {
  const Dims in(TensorBuilder::dimsOf(rows)), table(TensorBuilder::dimsOf(tables[0]));
  // Loops (region, c, bin, bin, w).
  SmallVector<Operand> operands{b.along(rows, {0, 1, 2, 4}, 5)};
  for (Value values : tables)
    operands.push_back(b.along(values, {0, 3, 4}, 5));
  SmallVector<IteratorType> iterators(4, IteratorType::parallel);
  iterators.push_back(IteratorType::reduction);
  const Dims out{in[0], in[1], in[2], table[1]};
  return b
      .generic(operands, b.filled(out, init), b.getMultiDimIdentityMap(5).getMajorSubMap(4),
               iterators,
               [&](OpBuilder &ob, Location loc, ValueRange v) {
                 Body body(ob, loc);
                 return combine(body, v[0], v.slice(1, tables.size()), v.back());
               })
      .getResult(0);
}

//===----------------------------------------------------------------------===//
// RoiAlign
//===----------------------------------------------------------------------===//

struct AlignSpec {
  double scale;
  bool halfPixel, greatest;
  int64_t sampling; ///< samples in a bin along a dimension; 0: as many as elements, rounded up
};

/// Where the samples of a bin lie.
struct Samples {
  Value first, step, count;
};

Samples samplesOf(Body &body, const AlignSpec &spec, const Axis &axis, Value from, Value to,
                  Value bin) {
  const double offset = spec.halfPixel ? 0.5 : 0;
  Value start = body.sub(body.mul(from, body.number(spec.scale)), body.number(offset));
  Value end = body.sub(body.mul(to, body.number(spec.scale)), body.number(offset));
  Value length = body.sub(end, start);
  if (!spec.halfPixel)
    length = body.max(length, body.number(1));
  Value size = body.div(length, body.number(double(axis.bins)));
  Samples samples;
  samples.count = spec.sampling > 0 ? body.number(double(spec.sampling)) : body.ceil(size);
  samples.step = body.div(size, body.max(samples.count, body.number(1)));
  samples.first =
      body.add(body.add(start, body.mul(bin, size)), body.mul(samples.step, body.number(0.5)));
  return samples;
}

enum class Gather { Sum, Greatest, Least };

/// A table [regions, bins, extent] of what the samples of a bin take from a row: the sum of their
/// weights over their number, or the greatest or least of their weights; -1 if none touches the
/// row.
Value weightTable(Lowering &l, const AlignSpec &spec, const Axis &axis, Gather gather) {
  TensorBuilder &b = l.b;
  const Dims dims{l.node.dims(1)[0], axis.bins, axis.extent};
  // Samples lie more than half an element apart where their number depends on the region, so that
  // a few of them touch a row.
  constexpr int64_t kNear = 8;
  const int64_t candidates = spec.sampling > 0 ? spec.sampling : kNear;
  SmallVector<Operand> operands = edges(l, axis, 4);
  operands.push_back(b.along(b.empty(candidates, b.getF32Type()), {3}, 4));
  SmallVector<IteratorType> iterators(3, IteratorType::parallel);
  iterators.push_back(IteratorType::reduction);
  const double none = gather == Gather::Least ? 2 : gather == Gather::Greatest ? -1 : 0;
  auto op = b.generic(operands, b.filled(dims, b.getF32FloatAttr(float(none))),
                      b.getMultiDimIdentityMap(4).getMajorSubMap(3), iterators,
                      [&](OpBuilder &ob, Location loc, ValueRange v) {
                        Body body(ob, loc);
                        auto asFloat = [&](Value x) {
                          return castScalar(ob, loc, x, l.node.elem(1), TensorProto::FLOAT);
                        };
                        Value row = body.loop(2), last = body.number(double(axis.extent - 1));
                        Value zero = body.number(0), one = body.number(1);
                        Samples samples =
                            samplesOf(body, spec, axis, asFloat(v[0]), asFloat(v[1]), body.loop(1));
                        Value t = body.loop(3);
                        if (spec.sampling <= 0) {
                          // From the first that lies less than an element before the row.
                          Value gap = body.div(body.sub(body.sub(row, one), samples.first),
                                               body.max(samples.step, body.number(1e-6)));
                          t = body.add(t, body.max(body.sub(body.floor(gap), one), zero));
                        }
                        Value at = body.add(samples.first, body.mul(t, samples.step));
                        Value counts = body.both(
                            body.less(t, samples.count),
                            body.within(at, body.number(-1), body.number(double(axis.extent))));
                        at = body.max(at, zero);
                        Value low = body.floor(at), atEnd = body.lessOrEqual(last, low);
                        low = body.min(low, last);
                        Value after = body.select(atEnd, zero, body.sub(at, low));
                        Value high = body.min(body.add(low, one), last);
                        Value isLow = body.both(counts, body.equal(row, low));
                        Value isHigh = body.both(counts, body.equal(row, high));
                        Value before = body.sub(one, after), sum = v.back();
                        if (gather == Gather::Sum) {
                          sum = body.add(sum, body.select(isLow, before, zero));
                          return body.add(sum, body.select(isHigh, after, zero));
                        }
                        const bool greatest = gather == Gather::Greatest;
                        auto take = [&](Value hit, Value weight) {
                          Value other = body.select(hit, weight, body.number(none));
                          sum = greatest ? body.max(sum, other) : body.min(sum, other);
                        };
                        take(isLow, before);
                        take(isHigh, after);
                        return sum;
                      });
  Value table = op.getResult(0);
  if (gather != Gather::Sum)
    return table;
  SmallVector<Operand> divided{b.broadcast(table, dims)};
  append_range(divided, edges(l, axis, 3));
  return b.elementwise(
      dims, b.getF32Type(), divided, [&](OpBuilder &ob, Location loc, ValueRange v) {
        Body body(ob, loc);
        auto asFloat = [&](Value x) {
          return castScalar(ob, loc, x, l.node.elem(1), TensorProto::FLOAT);
        };
        Samples samples = samplesOf(body, spec, axis, asFloat(v[1]), asFloat(v[2]), body.loop(1));
        return body.div(v[0], body.max(samples.count, body.number(1)));
      });
}

/// [regions, bins]: 1 where a sample of the bin lies outside of the image or there is none, else 0.
Value outsideTable(Lowering &l, const AlignSpec &spec, const Axis &axis) {
  return l.b.elementwise(
      {l.node.dims(1)[0], axis.bins}, l.b.getF32Type(), edges(l, axis, 2),
      [&](OpBuilder &ob, Location loc, ValueRange v) {
        Body body(ob, loc);
        auto asFloat = [&](Value x) {
          return castScalar(ob, loc, x, l.node.elem(1), TensorProto::FLOAT);
        };
        Samples samples = samplesOf(body, spec, axis, asFloat(v[0]), asFloat(v[1]), body.loop(1));
        Value last = body.add(samples.first,
                              body.mul(body.sub(samples.count, body.number(1)), samples.step));
        Value low = body.number(-1), high = body.number(double(axis.extent));
        Value inside =
            body.both(body.within(samples.first, low, high), body.within(last, low, high));
        inside = body.both(inside, body.lessOrEqual(body.number(1), samples.count));
        return body.select(inside, body.number(0), body.number(1));
      });
}

/// The images that regions are of, [regions] of i32.
Value batchOf(Lowering &l, unsigned operand, std::optional<int64_t> column) {
  TensorBuilder &b = l.b;
  SmallVector<AffineExpr> exprs{b.getAffineDimExpr(0)};
  if (column)
    exprs.push_back(b.getAffineConstantExpr(*column));
  return b.elementwise(l.node.dims(1)[0], b.getI32Type(),
                       Operand{l.in(operand), AffineMap::get(1, 0, exprs, b.getContext()), {}},
                       [&](OpBuilder &ob, Location loc, ValueRange v) {
                         return castScalar(ob, loc, v[0], l.node.elem(operand), TensorProto::INT32);
                       });
}

LogicalResult roiAlign(Lowering &l) {
  TensorBuilder &b = l.b;
  if (l.node.rank(0) != 4 || l.node.rank(1) != 2 || l.node.dims(1)[1] != 4 ||
      l.node.dims(2) != l.node.dims(1).take_front(1) || l.node.elem(0) != TensorProto::FLOAT)
    return l.fail("input, regions and their batch indices must be float [n, c, h, w], [regions, 4] "
                  "and [regions]");
  StringRef mode = l.node.stringAttr("mode", "avg");
  if (mode != "avg" && mode != "max")
    return l.fail("the mode '" + mode + "' is not known");
  AlignSpec spec;
  spec.scale = l.node.floatAttr("spatial_scale", 1.0f);
  spec.halfPixel = l.node.since >= 16 && l.node.stringAttr("coordinate_transformation_mode",
                                                           "half_pixel") == "half_pixel";
  spec.greatest = mode == "max";
  spec.sampling = l.node.intAttr("sampling_ratio", 0);
  ArrayRef<int64_t> in = l.node.dims(0);
  const Axis rows{in[2], l.node.intAttr("output_height", 1), 1, 3};
  const Axis columns{in[3], l.node.intAttr("output_width", 1), 0, 2};
  constexpr int64_t kLimit = 1 << 16;
  if (rows.bins < 1 || columns.bins < 1 || rows.bins > kLimit || columns.bins > kLimit ||
      spec.sampling < 0 || spec.sampling > kLimit || is_contained(in, 0))
    return l.fail(
        "output_height, output_width, sampling_ratio or the image are empty or too large");
  Value batch = batchOf(l, 2, std::nullopt);
  if (!spec.greatest) {
    // A weight of zero takes nothing, whatever the element is.
    auto add = [](Body &body, Value x, ValueRange weights, Value sum) {
      Value more = body.add(sum, body.mul(x, weights[0]));
      return body.select(body.equal(weights[0], body.number(0)), sum, more);
    };
    Value pooled = poolRows(b, l.in(0), batch, weightTable(l, spec, rows, Gather::Sum),
                            b.getF32FloatAttr(0), add);
    return l.set(poolColumns(b, pooled, weightTable(l, spec, columns, Gather::Sum),
                             b.getF32FloatAttr(0), add));
  }
  // The greatest product of element and weights is one with the greatest or the least weight.
  // Rows without a sample stay finite: a weight of zero may follow.
  TypedAttr lowest = b.getF32FloatAttr(std::numeric_limits<float>::lowest());
  auto take = [](Body &body, Value x, ValueRange weights, Value greatest) {
    Value products = body.max(body.mul(x, weights[0]), body.mul(x, weights[1]));
    Value more = body.max(greatest, products);
    return body.select(body.less(weights[0], body.number(0)), greatest, more);
  };
  auto tables = [&](const Axis &axis) {
    return SmallVector<Value>{weightTable(l, spec, axis, Gather::Greatest),
                              weightTable(l, spec, axis, Gather::Least)};
  };
  Value pooled = poolRows(b, l.in(0), batch, tables(rows), lowest, take);
  pooled = poolColumns(b, pooled, tables(columns), lowest, take);
  // Samples outside count as zeros.
  const Dims dims(TensorBuilder::dimsOf(pooled));
  return l.set(
      b.elementwise(dims, b.getF32Type(),
                    {b.broadcast(pooled, dims), b.along(outsideTable(l, spec, rows), {0, 2}, 4),
                     b.along(outsideTable(l, spec, columns), {0, 3}, 4)},
                    [&](OpBuilder &ob, Location loc, ValueRange v) {
                      Body body(ob, loc);
                      Value zero = body.number(0);
                      Value outside = body.less(zero, body.add(v[1], v[2]));
                      return body.select(outside, body.max(v[0], zero), v[0]);
                    }));
}

//===----------------------------------------------------------------------===//
// MaxRoiPool
//===----------------------------------------------------------------------===//

/// A table [regions, bins, extent]: 1 where a row belongs to the bin, else 0.
Value memberTable(Lowering &l, double scale, const Axis &axis) {
  const Dims dims{l.node.dims(1)[0], axis.bins, axis.extent};
  return l.b.elementwise(
      dims, l.b.getF32Type(), edges(l, axis, 3), [&](OpBuilder &ob, Location loc, ValueRange v) {
        Body body(ob, loc);
        // Halves are rounded away from zero.
        auto edge = [&](Value x) {
          x = body.mul(castScalar(ob, loc, x, l.node.elem(1), TensorProto::FLOAT),
                       body.number(scale));
          Value up = body.floor(body.add(x, body.number(0.5)));
          Value down = body.ceil(body.sub(x, body.number(0.5)));
          return body.select(body.less(x, body.number(0)), down, up);
        };
        Value start = edge(v[0]), end = edge(v[1]), one = body.number(1), bin = body.loop(1);
        Value length = body.max(body.add(body.sub(end, start), one), one);
        Value size = body.div(length, body.number(double(axis.bins)));
        Value low = body.add(body.floor(body.mul(bin, size)), start);
        Value high = body.add(body.ceil(body.mul(body.add(bin, one), size)), start);
        Value row = body.loop(2);
        Value member = body.both(body.lessOrEqual(low, row), body.less(row, high));
        return body.select(member, one, body.number(0));
      });
}

LogicalResult maxRoiPool(Lowering &l) {
  TensorBuilder &b = l.b;
  auto shape = l.node.intsAttr("pooled_shape");
  if (l.node.rank(0) != 4 || l.node.rank(1) != 2 || l.node.dims(1)[1] != 5 ||
      l.node.elem(0) != TensorProto::FLOAT || !shape || shape->size() != 2)
    return l.fail("input and regions must be float [n, c, h, w] and [regions, 5], and pooled_shape "
                  "have two entries");
  ArrayRef<int64_t> in = l.node.dims(0);
  const Axis rows{in[2], (*shape)[0], 2, 4}, columns{in[3], (*shape)[1], 1, 3};
  constexpr int64_t kLimit = 1 << 16;
  if (rows.bins < 1 || columns.bins < 1 || rows.bins > kLimit || columns.bins > kLimit ||
      is_contained(in, 0))
    return l.fail("pooled_shape or the image is empty or too large");
  const double scale = l.node.floatAttr("spatial_scale", 1.0f);
  TypedAttr lowest = extremeAttr(b.getF32Type(), false, false);
  auto take = [](Body &body, Value x, ValueRange member, Value greatest) {
    return body.select(body.less(body.number(0), member[0]), body.max(greatest, x), greatest);
  };
  Value pooled = poolRows(b, l.in(0), batchOf(l, 1, 0), memberTable(l, scale, rows), lowest, take);
  pooled = poolColumns(b, pooled, memberTable(l, scale, columns), lowest, take);
  // Bins without elements are zero.
  const Dims dims(TensorBuilder::dimsOf(pooled));
  return l.set(b.elementwise(dims, b.getF32Type(), b.broadcast(pooled, dims),
                             [&](OpBuilder &ob, Location loc, ValueRange v) {
                               Body body(ob, loc);
                               Value least = arith::ConstantOp::create(ob, loc, lowest);
                               return body.select(body.equal(v[0], least), body.number(0), v[0]);
                             }));
}

} // namespace

ArrayRef<OpEntry> roiOps() {
  static const OpEntry entries[] = {
      {"RoiAlign", 10, 22, roiAlign},
      {"MaxRoiPool", 1, 22, maxRoiPool},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
