// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products and convolutions of quantised tensors: exact in int32, zero points and scales by tensor,
// row, column or channel.

#include "Convolution.h"
#include "MatMul.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// Operand `i`, a zero point or scale, in an elementwise op with the loops `dims`: one element for
/// all, one for each place along `axis`, or something that broadcasts.
std::optional<Operand> parameter(Lowering &l, unsigned i, ArrayRef<int64_t> dims, int64_t axis) {
  ArrayRef<int64_t> own = l.node.dims(i);
  if (elementCount(own) == 1)
    return l.b.broadcast(l.b.reshape(l.in(i), {}), dims);
  if (own.size() == 1)
    return own[0] == dims[axis] ? std::optional(l.b.along(l.in(i), {axis}, dims.size()))
                                : std::nullopt;
  if (broadcastDims(own, dims) != Dims(dims))
    return std::nullopt;
  return l.b.broadcast(l.in(i), dims);
}

/// Operand `i` as int32, less the zero point, operand `zero`, if there is one.
Value centred(Lowering &l, unsigned i, unsigned zero, int64_t axis) {
  TensorBuilder &b = l.b;
  const Dims dims(l.node.dims(i));
  SmallVector<Operand> operands{b.broadcast(l.in(i), dims)};
  if (l.node.has(zero)) {
    auto point = parameter(l, zero, dims, axis);
    if (!point)
      return {};
    operands.push_back(*point);
  }
  return b.elementwise(
      dims, b.getI32Type(), operands, [&](OpBuilder &ob, Location loc, ValueRange v) {
        Scalars s(ob, loc, ElemClass::Signed);
        Value x = castScalar(ob, loc, v[0], l.node.elem(i), TensorProto::INT32);
        if (!l.node.has(zero))
          return x;
        return s.sub(x, castScalar(ob, loc, v[1], l.node.elem(zero), TensorProto::INT32));
      });
}

/// Which operands hold what.
struct Places {
  unsigned x, xScale, xZero, w, wScale, wZero, yScale, yZero;
};
constexpr Places kLinear{0, 1, 2, 3, 4, 5, 6, 7};

bool isByte(int32_t elem) { return elem == TensorProto::INT8 || elem == TensorProto::UINT8; }

LogicalResult checkBytes(Lowering &l, unsigned x, unsigned w) {
  if (!isByte(l.node.elem(x)) || !isByte(l.node.elem(w)))
    return l.fail("operands of other types than int8 and uint8 are not supported");
  return success();
}

/// `sums` of products scaled to the type of the result; the scale of x lies along dimension
/// `xAxis`, that of w along `wAxis`.
LogicalResult requantize(Lowering &l, Value sums, int64_t xAxis, int64_t wAxis) {
  TensorBuilder &b = l.b;
  const Dims dims(TensorBuilder::dimsOf(sums));
  if (!isByte(l.node.outputs[0].elem))
    return l.fail("results of other types than int8 and uint8 are not supported");
  SmallVector<Operand> operands{b.broadcast(sums, dims)};
  const std::pair<unsigned, int64_t> parameters[] = {{kLinear.xScale, xAxis},
                                                     {kLinear.wScale, wAxis},
                                                     {kLinear.yScale, xAxis},
                                                     {kLinear.yZero, xAxis}};
  for (auto [i, axis] : parameters) {
    auto operand = l.node.has(i) ? parameter(l, i, dims, axis) : std::nullopt;
    if (!operand)
      return l.fail("a scale or zero point does not fit the operand it belongs to");
    operands.push_back(*operand);
  }
  const bool isUnsigned = l.node.outputs[0].elem == TensorProto::UINT8;
  return l.set(b.elementwise(
      dims, l.resultElement(), operands, [&](OpBuilder &ob, Location loc, ValueRange v) {
        Scalars s(ob, loc, ElemClass::Float);
        auto asFloat = [&](unsigned at, unsigned i) {
          return castScalar(ob, loc, v[at], l.node.elem(i), TensorProto::FLOAT);
        };
        Value scale = s.div(s.mul(asFloat(1, kLinear.xScale), asFloat(2, kLinear.wScale)),
                            asFloat(3, kLinear.yScale));
        Value sum = castScalar(ob, loc, v[0], TensorProto::INT32, TensorProto::FLOAT);
        Value x = s.math<math::RoundEvenOp>(s.mul(sum, scale));
        x = s.add(x, asFloat(4, kLinear.yZero));
        x = s.max(x, s.constant(x.getType(), isUnsigned ? 0 : -128));
        x = s.min(x, s.constant(x.getType(), isUnsigned ? 255 : 127));
        return castScalar(ob, loc, x, TensorProto::FLOAT, l.node.outputs[0].elem);
      }));
}

/// The sums of a convolution of operands `x` and `w` with int32 bias `bias`.
Value convolutionSums(Lowering &l, const Places &at, unsigned bias) {
  std::string error;
  auto window = convWindow(l, at.x, at.w, bias, error);
  if (!window) {
    (void)l.fail(error);
    return {};
  }
  Value x = centred(l, at.x, at.xZero, 1), w = centred(l, at.w, at.wZero, 0);
  if (!x || !w) {
    (void)l.fail("a zero point does not fit the operand it belongs to");
    return {};
  }
  Value input = padWindow(l, x, *window, l.b.getI32IntegerAttr(0));
  Value sums = convolve(l, input, {Dims(l.node.dims(at.w)), nullptr, w}, l.node.intAttr("group", 1),
                        *window, ElemClass::Signed);
  return addBias(l, sums, bias);
}

constexpr unsigned kNone = ~0u;
constexpr Places kInteger{0, kNone, 2, 1, kNone, 3, kNone, kNone};

LogicalResult convInteger(Lowering &l) {
  if (failed(checkBytes(l, kInteger.x, kInteger.w)))
    return failure();
  Value sums = convolutionSums(l, kInteger, kNone);
  return sums ? l.set(sums) : failure();
}

LogicalResult qlinearConv(Lowering &l) {
  if (failed(checkBytes(l, kLinear.x, kLinear.w)))
    return failure();
  Value sums = convolutionSums(l, kLinear, 8);
  return sums ? requantize(l, sums, 1, 1) : failure();
}

Value productSums(Lowering &l, const Places &at) {
  const int64_t m = std::max<int64_t>(l.node.rank(at.x) - 2, 0), n = l.node.rank(at.w) - 1;
  std::string error = "scalars cannot be multiplied as matrices";
  if (l.node.rank(at.x) == 0 || n < 0) {
    (void)l.fail(error);
    return {};
  }
  Value x = centred(l, at.x, at.xZero, m), w = centred(l, at.w, at.wZero, n);
  if (!x || !w) {
    (void)l.fail("a zero point does not fit the operand it belongs to");
    return {};
  }
  Value sums = multiplyMatrices(l.b, x, w, ElemClass::Signed, error);
  if (!sums)
    (void)l.fail(error);
  return sums;
}

LogicalResult matmulInteger(Lowering &l) {
  if (failed(checkBytes(l, kInteger.x, kInteger.w)))
    return failure();
  Value sums = productSums(l, kInteger);
  return sums ? l.set(sums) : failure();
}

LogicalResult qlinearMatmul(Lowering &l) {
  if (failed(checkBytes(l, kLinear.x, kLinear.w)))
    return failure();
  Value sums = productSums(l, kLinear);
  if (!sums)
    return failure();
  const int64_t rank = TensorBuilder::dimsOf(sums).size();
  const bool hasN = l.node.rank(kLinear.w) > 1;
  return requantize(l, sums, std::max<int64_t>(rank - (hasN ? 2 : 1), 0),
                    std::max<int64_t>(rank - 1, 0));
}

} // namespace

ArrayRef<OpEntry> quantizedOps() {
  static const OpEntry entries[] = {
      {"ConvInteger", 10, 10, convInteger},
      {"QLinearConv", 10, 10, qlinearConv},
      {"MatMulInteger", 10, 10, matmulInteger},
      {"QLinearMatMul", 10, 21, qlinearMatmul},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
