// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "../Lowering.h"
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

/// In inference: x * scale + shift with scale = gamma / sqrt(var + epsilon) and
/// shift = beta - mean * scale, computed now where the statistics are constant.
LogicalResult batchNormalization(Lowering &l) {
  TensorBuilder &b = l.b;
  if (l.node.intAttr("training_mode", 0))
    return l.fail("training mode is not supported");
  for (unsigned i = 1; i < l.node.outputs.size(); ++i)
    if (l.node.outputUsed(i))
      return l.fail("running statistics are not supported");
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

struct Moments {
  Value mean, rsqrt; ///< 1 / sqrt(variance + epsilon)
};

/// Mean and reciprocal deviation over `axes`, without those dimensions.
Moments momentsOf(TensorBuilder &b, Value x, ArrayRef<int64_t> axes, double epsilon) {
  Dims dims(TensorBuilder::dimsOf(x));
  Type element = TensorBuilder::elementOf(x);
  int64_t count = 1;
  SmallVector<int64_t> kept;
  for (size_t d = 0; d < dims.size(); ++d)
    if (is_contained(axes, int64_t(d)))
      count *= dims[d];
    else
      kept.push_back(d);
  TypedAttr zero = scalarAttr(element, int64_t(0));
  auto scaled = [&](Value sum, function_ref<Value(Scalars &, Value)> fn) {
    ArrayRef<int64_t> own = TensorBuilder::dimsOf(sum);
    return b.elementwise(own, element, b.broadcast(sum, own),
                         [&](OpBuilder &ob, Location loc, ValueRange v) {
                           Scalars s(ob, loc, ElemClass::Float);
                           return fn(s, s.mul(v[0], s.constant(element, 1.0 / double(count))));
                         });
  };
  Value sum = b.reduce(dims, axes, b.broadcast(x, dims), zero,
                       [](OpBuilder &ob, Location loc, ValueRange v) {
                         return Scalars(ob, loc, ElemClass::Float).add(v[1], v[0]);
                       });
  Value mean = scaled(sum, [](Scalars &, Value v) { return v; });
  Value squares = b.reduce(dims, axes, {b.broadcast(x, dims), b.along(mean, kept, dims.size())},
                           zero, [](OpBuilder &ob, Location loc, ValueRange v) {
                             Scalars s(ob, loc, ElemClass::Float);
                             Value centred = s.sub(v[0], v[1]);
                             return s.add(v[2], s.mul(centred, centred));
                           });
  Value rsqrt = scaled(squares, [&](Scalars &s, Value variance) {
    return s.math<math::RsqrtOp>(s.add(variance, s.constant(element, epsilon)));
  });
  return {mean, rsqrt};
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
  const bool hasBias = l.node.has(2);
  if (hasBias)
    operands.push_back(l.operand(2, dims));
  (void)l.set(b.elementwise(dims, l.resultElement(), operands,
                            [&](OpBuilder &ob, Location loc, ValueRange v) {
                              Scalars s(ob, loc, ElemClass::Float);
                              Value y = s.mul(s.mul(s.sub(v[0], v[1]), v[2]), v[3]);
                              return hasBias ? s.add(y, v[4]) : y;
                            }));
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
  return l.set(b.elementwise(dims, l.resultElement(), operands,
                             [](OpBuilder &ob, Location loc, ValueRange v) {
                               Scalars s(ob, loc, ElemClass::Float);
                               Value y = s.mul(s.sub(v[0], v[1]), v[2]);
                               return s.add(s.mul(y, v[3]), v[4]);
                             }));
}

} // namespace

ArrayRef<OpEntry> normalizationOps() {
  static const OpEntry entries[] = {
      {"BatchNormalization", 1, 15, batchNormalization},
      {"LayerNormalization", 17, 17, layerNormalization},
      {"InstanceNormalization", 1, 22, instanceNormalization},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
