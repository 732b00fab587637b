// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Reduce.h"
#include <cmath>

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// x * scale + shift, operands 1 and 2 of the generic.
Value scaleAndShift(OpBuilder &b, Location loc, ValueRange v) {
  Scalars s(b, loc, ElemClass::Float);
  return s.add(s.mul(v[0], v[1]), v[2]);
}

struct Moments {
  Value mean, variance, rsqrt; ///< rsqrt is 1 / sqrt(variance + epsilon)
};

/// Mean, variance and reciprocal deviation of `x` over `axes`, without those dimensions.
Moments momentsOf(TensorBuilder &b, Value x, ArrayRef<int64_t> axes, double epsilon) {
  Dims dims(TensorBuilder::dimsOf(x));
  Type element = TensorBuilder::elementOf(x);
  const ElemClass kind = ElemClass::Float;
  int64_t count = 1;
  for (int64_t axis : axes)
    count *= dims[axis];
  TypedAttr zero = scalarAttr(element, int64_t(0));
  auto scaled = [&](Scalars &s, ValueRange v) {
    return s.mul(v[0], s.constant(element, 1.0 / double(count)));
  };
  Value sum = reduceBy(b, kind, dims, axes, b.broadcast(x, dims), zero, firstOf, sumOf);
  Value mean = mapElements(b, kind, sum, scaled);
  Value squares = reduceBy(
      b, kind, dims, axes, {b.broadcast(x, dims), withoutAxes(b, mean, dims, axes)}, zero,
      [](Scalars &s, ValueRange v) {
        Value centred = s.sub(v[0], v[1]);
        return s.mul(centred, centred);
      },
      sumOf);
  Value variance = mapElements(b, kind, squares, scaled);
  Value rsqrt = mapElements(b, kind, variance, [&](Scalars &s, ValueRange v) {
    return s.math<math::RsqrtOp>(s.add(v[0], s.constant(element, epsilon)));
  });
  return {mean, variance, rsqrt};
}

/// (x - mean) * rsqrt * scale + bias, operands 1 to 4 of the generic; without bias if there are
/// four operands.
Value normalised(OpBuilder &b, Location loc, ValueRange v) {
  Scalars s(b, loc, ElemClass::Float);
  Value y = s.mul(s.mul(s.sub(v[0], v[1]), v[2]), v[3]);
  return v.size() > 5 ? s.add(y, v[4]) : y;
}

/// What is left of a running statistic after `fresh` has come in.
Value blended(TensorBuilder &b, Value running, Value fresh, double momentum) {
  Type element = TensorBuilder::elementOf(fresh);
  return mapElements(b, ElemClass::Float, {fresh, running}, [&](Scalars &s, ValueRange v) {
    return s.add(s.mul(v[1], s.constant(element, momentum)),
                 s.mul(v[0], s.constant(element, 1 - momentum)));
  });
}

/// In training: with the statistics of this batch, which also move the running ones.
LogicalResult trainBatchNormalization(Lowering &l, int64_t channelDim) {
  TensorBuilder &b = l.b;
  Dims dims(l.node.dims(0));
  const int64_t rank = dims.size();
  SmallVector<int64_t> axes;
  for (int64_t d = 0; d < rank; ++d)
    if (d != channelDim)
      axes.push_back(d);
  Value x = l.in(0);
  Moments moments = momentsOf(b, x, axes, l.node.floatAttr("epsilon", 1e-5f));
  auto along = [&](Value perChannel) { return b.along(perChannel, {channelDim}, rank); };
  (void)l.set(b.elementwise(dims, l.resultElement(),
                            {b.broadcast(x, dims), along(moments.mean), along(moments.rsqrt),
                             along(l.in(1)), along(l.in(2))},
                            normalised));
  const double momentum = l.node.floatAttr("momentum", 0.9f);
  if (l.node.outputUsed(1))
    (void)l.set(blended(b, l.in(3), moments.mean, momentum), 1);
  if (l.node.outputUsed(2))
    (void)l.set(blended(b, l.in(4), moments.variance, momentum), 2);
  // Up to version 9 the batch's own statistics, too.
  if (l.node.outputUsed(3))
    (void)l.set(moments.mean, 3);
  if (l.node.outputUsed(4))
    (void)l.set(moments.variance, 4);
  return success();
}

/// In inference: x * scale + shift with scale = gamma / sqrt(var + epsilon) and
/// shift = beta - mean * scale, computed now where the statistics are constant.
LogicalResult batchNormalization(Lowering &l) {
  TensorBuilder &b = l.b;
  // Before version 14 the outputs tell.
  bool training = l.node.intAttr("training_mode", 0);
  for (unsigned i = 1; i < l.node.outputs.size(); ++i)
    training |= l.node.outputUsed(i);
  if (l.node.since < 9 && !l.node.intAttr("spatial", 1))
    return l.fail("statistics for each position are not supported");
  ArrayRef<int64_t> dims = l.node.dims(0);
  const int64_t channelDim = dims.size() > 1 ? 1 : 0;
  if (dims.empty())
    return l.fail("the input must have a channel dimension");
  const int64_t channels = dims[channelDim];
  for (unsigned i = 1; i < 5; ++i) {
    if (l.node.dims(i) != ArrayRef<int64_t>{channels})
      return l.fail("scale, bias, mean and variance must have one element for each channel");
    if (l.node.elem(i) != TensorProto::FLOAT)
      return l.fail("only float is supported");
  }
  if (training)
    return trainBatchNormalization(l, channelDim);
  const double epsilon = l.node.floatAttr("epsilon", 1e-5f);

  SmallVector<Operand> operands{l.b.broadcast(l.in(0), dims)};
  if (l.node.constant(1) && l.node.constant(2) && l.node.constant(3) && l.node.constant(4)) {
    std::vector<float> scale, shift;
    for (int64_t c = 0; c < channels; ++c) {
      const double factor =
          l.node.constant(1)->asDouble(c) / std::sqrt(l.node.constant(4)->asDouble(c) + epsilon);
      scale.push_back(float(factor));
      shift.push_back(
          float(l.node.constant(2)->asDouble(c) - l.node.constant(3)->asDouble(c) * factor));
    }
    operands.push_back(l.constantOperand(Constant::ofFloats(scale, {channels}), dims, channelDim));
    operands.push_back(l.constantOperand(Constant::ofFloats(shift, {channels}), dims, channelDim));
  } else {
    Dims perChannel{channels};
    Type element = l.elementType(0);
    Value scale =
        b.elementwise(perChannel, element, {l.operand(1, perChannel), l.operand(4, perChannel)},
                      [&](OpBuilder &ob, Location loc, ValueRange v) {
                        Scalars s(ob, loc, ElemClass::Float);
                        Value sum = s.add(v[1], s.constant(element, epsilon));
                        return s.div(v[0], s.math<math::SqrtOp>(sum));
                      });
    Value shift = b.elementwise(
        perChannel, element,
        {l.operand(2, perChannel), l.operand(3, perChannel), b.broadcast(scale, perChannel)},
        [&](OpBuilder &ob, Location loc, ValueRange v) {
          Scalars s(ob, loc, ElemClass::Float);
          return s.sub(v[0], s.mul(v[1], v[2]));
        });
    operands.push_back(b.along(scale, {channelDim}, dims.size()));
    operands.push_back(b.along(shift, {channelDim}, dims.size()));
  }
  return l.set(b.elementwise(dims, l.resultElement(), operands, scaleAndShift));
}

LogicalResult layerNormalization(Lowering &l) {
  TensorBuilder &b = l.b;
  Dims dims(l.node.dims(0));
  const int64_t rank = dims.size();
  auto axis = normaliseAxis(l.node.intAttr("axis", -1), rank);
  if (!axis)
    return l.fail("axis is outside the dimensions of the input");
  for (unsigned i = 1; i < 3; ++i)
    if (l.node.has(i) && broadcastDims(dims, l.node.dims(i)) != dims)
      return l.fail("scale and bias must broadcast to the input");
  SmallVector<int64_t> axes = llvm::to_vector(seq<int64_t>(*axis, rank));
  SmallVector<int64_t> kept = llvm::to_vector(seq<int64_t>(0, *axis));
  Value x = l.in(0);
  Moments moments = momentsOf(b, x, axes, l.node.floatAttr("epsilon", 1e-5f));
  SmallVector<Operand> operands{b.broadcast(x, dims), b.along(moments.mean, kept, rank),
                                b.along(moments.rsqrt, kept, rank), l.operand(1, dims)};
  if (l.node.has(2))
    operands.push_back(l.operand(2, dims));
  (void)l.set(b.elementwise(dims, l.resultElement(), operands, normalised));
  if (l.node.outputUsed(1))
    (void)l.set(b.reshape(moments.mean, l.resultDims(1)), 1);
  if (l.node.outputUsed(2))
    (void)l.set(b.reshape(moments.rsqrt, l.resultDims(2)), 2);
  return success();
}

LogicalResult instanceNormalization(Lowering &l) {
  TensorBuilder &b = l.b;
  Dims dims(l.node.dims(0));
  const int64_t rank = dims.size();
  if (rank < 3)
    return l.fail("the input must have batch, channel and spatial dimensions");
  SmallVector<Operand> perChannel;
  for (unsigned i = 1; i < 3; ++i) {
    if (l.node.dims(i) != ArrayRef<int64_t>{dims[1]})
      return l.fail("scale and bias must have one element for each channel");
    perChannel.push_back(l.node.constant(i) ? l.constantOperand(*l.node.constant(i), dims, 1)
                                            : b.along(l.in(i), {1}, rank));
  }
  SmallVector<int64_t> axes = llvm::to_vector(seq<int64_t>(2, rank));
  Value x = l.in(0);
  Moments moments = momentsOf(b, x, axes, l.node.floatAttr("epsilon", 1e-5f));
  SmallVector<Operand> operands{b.broadcast(x, dims), b.along(moments.mean, {0, 1}, rank),
                                b.along(moments.rsqrt, {0, 1}, rank), perChannel[0], perChannel[1]};
  return l.set(b.elementwise(dims, l.resultElement(), operands, normalised));
}

/// Channels in groups: [N, C, ...] seen as [N, groups, C / groups, ...]. Scale and bias are for
/// each channel, up to version 18 for each group.
LogicalResult groupNormalization(Lowering &l) {
  TensorBuilder &b = l.b;
  ArrayRef<int64_t> dims = l.node.dims(0);
  const int64_t groups = l.node.intAttr("num_groups", 0);
  if (dims.size() < 2)
    return l.fail("the input must have a batch and a channel dimension");
  if (groups <= 0 || dims[1] % groups != 0)
    return l.fail("num_groups does not divide the channels");
  Dims grouped{dims[0], groups, dims[1] / groups};
  append_range(grouped, dims.drop_front(2));
  const int64_t rank = grouped.size();
  Value x = b.reshape(l.in(0), grouped);
  Moments moments =
      momentsOf(b, x, llvm::to_vector(seq<int64_t>(2, rank)), l.node.floatAttr("epsilon", 1e-5f));
  SmallVector<Operand> operands{b.broadcast(x, grouped), b.along(moments.mean, {0, 1}, rank),
                                b.along(moments.rsqrt, {0, 1}, rank)};
  const bool perGroup = l.node.since < 21;
  for (unsigned i = 1; i < 3; ++i) {
    if (l.node.dims(i) != ArrayRef<int64_t>{perGroup ? groups : dims[1]})
      return l.fail("scale and bias do not fit the channels");
    operands.push_back(perGroup ? b.along(l.in(i), {1}, rank)
                                : b.along(b.reshape(l.in(i), {groups, grouped[2]}), {1, 2}, rank));
  }
  return l.set(b.reshape(b.elementwise(grouped, l.resultElement(), operands, normalised), dims));
}

/// x / sqrt(mean of the squares + epsilon) * scale, over the dimensions from the axis on.
LogicalResult rmsNormalization(Lowering &l) {
  TensorBuilder &b = l.b;
  Dims dims(l.node.dims(0));
  const int64_t rank = dims.size();
  auto axis = normaliseAxis(l.node.intAttr("axis", -1), rank);
  if (!axis)
    return l.fail("axis is outside the dimensions of the input");
  if (broadcastDims(dims, l.node.dims(1)) != dims)
    return l.fail("scale must broadcast to the input");
  SmallVector<int64_t> axes = llvm::to_vector(seq<int64_t>(*axis, rank));
  int64_t count = 1;
  for (int64_t d : axes)
    count *= dims[d];
  Type element = l.elementType(0);
  const double epsilon = l.node.floatAttr("epsilon", 1e-5f);
  Operand x = b.broadcast(l.in(0), dims);
  Value squares = reduceBy(
      b, ElemClass::Float, dims, axes, x, scalarAttr(element, int64_t(0)),
      [](Scalars &s, ValueRange v) { return s.mul(v[0], v[0]); }, sumOf);
  Value rsqrt = mapElements(b, ElemClass::Float, squares, [&](Scalars &s, ValueRange v) {
    Value mean = s.mul(v[0], s.constant(element, 1.0 / double(count)));
    return s.math<math::RsqrtOp>(s.add(mean, s.constant(element, epsilon)));
  });
  return l.set(b.elementwise(dims, l.resultElement(),
                             {x, withoutAxes(b, rsqrt, dims, axes), l.operand(1, dims)},
                             [](OpBuilder &ob, Location loc, ValueRange v) {
                               Scalars s(ob, loc, ElemClass::Float);
                               return s.mul(s.mul(v[0], v[1]), v[2]);
                             }));
}

/// (x - mean) / (deviation + 1e-9) over the axes; the small number is the standard's.
LogicalResult meanVarianceNormalization(Lowering &l) {
  TensorBuilder &b = l.b;
  Dims dims(l.node.dims(0));
  auto axes =
      normaliseAxes(l.node.intsAttr("axes").value_or(SmallVector<int64_t>{0, 2, 3}), dims.size());
  if (!axes)
    return l.fail("axes are outside the dimensions of the input or named twice");
  Moments moments = momentsOf(b, l.in(0), *axes, 0);
  return l.set(b.elementwise(dims, l.resultElement(),
                             {b.broadcast(l.in(0), dims), withoutAxes(b, moments.mean, dims, *axes),
                              withoutAxes(b, moments.variance, dims, *axes)},
                             [&](OpBuilder &ob, Location loc, ValueRange v) {
                               Scalars s(ob, loc, ElemClass::Float);
                               Value deviation = s.math<math::SqrtOp>(v[2]);
                               return s.div(s.sub(v[0], v[1]),
                                            s.add(deviation, s.constant(v[0].getType(), 1e-9)));
                             }));
}

/// x / norm, 0 where the norm is 0.
LogicalResult lpNormalization(Lowering &l) {
  TensorBuilder &b = l.b;
  Dims dims(l.node.dims(0));
  auto axis = normaliseAxis(l.node.intAttr("axis", -1), dims.size());
  const int64_t p = l.node.intAttr("p", 2);
  if (!axis)
    return l.fail("axis is outside the dimensions of the input");
  if (p != 1 && p != 2)
    return l.fail("p must be 1 or 2");
  Type element = l.elementType(0);
  Operand x = b.broadcast(l.in(0), dims);
  Value norm = reduceBy(
      b, ElemClass::Float, dims, {*axis}, x, scalarAttr(element, int64_t(0)),
      [&](Scalars &s, ValueRange v) { return p == 1 ? s.abs(v[0]) : s.mul(v[0], v[0]); }, sumOf);
  if (p == 2)
    norm = mapElements(b, ElemClass::Float, norm,
                       [](Scalars &s, ValueRange v) { return s.math<math::SqrtOp>(v[0]); });
  return l.set(b.elementwise(dims, element, {x, withoutAxes(b, norm, dims, {*axis})},
                             [&](OpBuilder &ob, Location loc, ValueRange v) {
                               Scalars s(ob, loc, ElemClass::Float);
                               Value none = s.constant(element, 0);
                               return s.select(s.equal(v[1], none), none, s.div(v[0], v[1]));
                             }));
}

/// x / (bias + alpha / size * sum of the squares of `size` channels around it) ^ beta.
LogicalResult localResponseNormalization(Lowering &l) {
  TensorBuilder &b = l.b;
  Dims dims(l.node.dims(0));
  const int64_t rank = dims.size(), size = l.node.intAttr("size", 0);
  if (rank < 2)
    return l.fail("the input must have a batch and a channel dimension");
  if (size < 1)
    return l.fail("size must be positive");
  // Farther than this there are no channels.
  const int64_t before = std::min((size - 1) / 2, dims[1]), after = std::min(size / 2, dims[1]);
  Type element = l.elementType(0);
  TypedAttr zero = scalarAttr(element, int64_t(0));
  Dims low(rank, 0), high(rank, 0);
  low[1] = before;
  high[1] = after;
  Value padded = b.pad(l.in(0), low, high, zero);
  // The loops of the result, then the one over the channels around.
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  SmallVector<AffineExpr> places;
  for (int64_t d = 0; d < rank; ++d)
    places.push_back(d == 1 ? b.getAffineDimExpr(1) + b.getAffineDimExpr(rank)
                            : b.getAffineDimExpr(d));
  // The extent of the window is that of an operand that is never read.
  Value window = b.empty({before + after + 1}, element);
  Value squares = b.generic({{padded, AffineMap::get(rank + 1, 0, places, b.getContext()), {}},
                             b.along(window, {rank}, rank + 1)},
                            b.filled(dims, zero),
                            b.getMultiDimIdentityMap(rank + 1).getMajorSubMap(rank), iterators,
                            [](OpBuilder &ob, Location loc, ValueRange v) {
                              Scalars s(ob, loc, ElemClass::Float);
                              return s.add(v[2], s.mul(v[0], v[0]));
                            })
                      .getResult(0);
  const double alpha = l.node.floatAttr("alpha", 1e-4f), beta = l.node.floatAttr("beta", 0.75f),
               bias = l.node.floatAttr("bias", 1.0f);
  return l.set(
      b.elementwise(dims, element, {b.broadcast(l.in(0), dims), b.broadcast(squares, dims)},
                    [&](OpBuilder &ob, Location loc, ValueRange v) {
                      Scalars s(ob, loc, ElemClass::Float);
                      Value base = s.add(s.mul(v[1], s.constant(element, alpha / double(size))),
                                         s.constant(element, bias));
                      Value power = math::PowFOp::create(ob, loc, base, s.constant(element, beta),
                                                         arith::FastMathFlags::contract);
                      return s.div(v[0], power);
                    }));
}

} // namespace

ArrayRef<OpEntry> normalizationOps() {
  static const OpEntry entries[] = {
      {"BatchNormalization", 1, 15, batchNormalization},
      {"LayerNormalization", 17, 17, layerNormalization},
      {"InstanceNormalization", 1, 22, instanceNormalization},
      {"GroupNormalization", 18, 21, groupNormalization},
      {"RMSNormalization", 23, 23, rmsNormalization},
      {"MeanVarianceNormalization", 9, 13, meanVarianceNormalization},
      {"LpNormalization", 1, 22, lpNormalization},
      {"LRN", 1, 13, localResponseNormalization},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
