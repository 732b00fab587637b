// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Window.h"

using namespace llvm;

namespace mlir::dojo::onnximport {
namespace {

using utils::IteratorType;

/// Adds the bias, operand 2 of the node, to the channels of `result`.
Value addBias(Lowering &l, Value result) {
  if (!l.node.has(2))
    return result;
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(result);
  SmallVector<Operand> operands{l.b.broadcast(result, dims)};
  if (const Constant *bias = l.node.constant(2))
    operands.push_back(l.constantOperand(*bias, dims, 1, l.operandLoc(2)));
  else
    operands.push_back(l.b.along(l.in(2), {1}, dims.size()));
  const ElemClass kind = l.node.info(0).kind;
  return l.b.elementwise(dims, l.resultElement(), operands,
                         [&](OpBuilder &b, Location loc, ValueRange v) {
                           return Scalars(b, loc, kind).add(v[0], v[1]);
                         });
}

/// The convolution as loops (leading parallel..., window positions..., reduced channels,
/// window...).
struct Loops {
  SmallVector<IteratorType> iterators;
  SmallVector<AffineExpr> dims;
  AffineExpr add(Builder &b, IteratorType type) {
    iterators.push_back(type);
    dims.push_back(b.getAffineDimExpr(dims.size()));
    return dims.back();
  }
};

LogicalResult conv(Lowering &l) {
  TensorBuilder &b = l.b;
  const int64_t rank = l.node.rank(0), spatial = rank - 2;
  if (rank < 3 || l.node.rank(1) != rank)
    return l.fail("input and weights must have the same rank, at least 3");
  Dims in(l.node.dims(0)), weights(l.node.dims(1));
  const int64_t groups = l.node.intAttr("group", 1);
  const int64_t channels = in[1], filters = weights[0];
  if (groups < 1 || channels % groups || filters % groups || weights[1] != channels / groups)
    return l.fail("the channels of input and weights do not fit the number of groups");
  if (l.node.has(2) && l.node.dims(2) != ArrayRef<int64_t>{filters})
    return l.fail("the bias must have one element for each output channel");
  ArrayRef<int64_t> kernel = ArrayRef(weights).drop_front(2);
  if (auto given = l.node.intsAttr("kernel_shape"); given && ArrayRef(*given) != kernel)
    return l.fail("kernel_shape is not the shape of the weights");
  std::string error;
  auto window = windowOf(l.node, kernel, ArrayRef(in).drop_front(2), error);
  if (!window)
    return l.fail(error);

  TypedAttr zero = scalarAttr(l.elementType(0), int64_t(0));
  Value input = padWindow(l, l.in(0), *window, zero);
  Value weight = l.in(1);
  const bool depthwise = groups > 1 && groups == channels && filters == channels;
  const bool grouped = groups > 1 && !depthwise;
  Dims out{in[0]};
  Dims factors{in[0], filters, channels / groups};
  factors.append(window->out);
  factors.append(kernel.begin(), kernel.end());

  // Loop order: n, [g], f, positions, c, window; depthwise: n, c, positions, window.
  Loops loops;
  SmallVector<AffineExpr> inMap, weightMap, outMap;
  auto parallel = [&] { return loops.add(b, IteratorType::parallel); };
  auto reduction = [&] { return loops.add(b, IteratorType::reduction); };
  AffineExpr n = parallel();
  inMap.push_back(n);
  outMap.push_back(n);
  if (depthwise) {
    AffineExpr c = parallel();
    inMap.push_back(c);
    weightMap.push_back(c);
    outMap.push_back(c);
    out.push_back(channels);
    Dims squeezed{channels};
    squeezed.append(kernel.begin(), kernel.end());
    weight = l.node.constant(1) ? l.materialise(l.node.constant(1)->reshaped(squeezed))
                                : b.reshape(weight, squeezed);
  } else {
    if (grouped) {
      AffineExpr g = parallel();
      inMap.push_back(g);
      weightMap.push_back(g);
      outMap.push_back(g);
      out.push_back(groups);
      Dims split{in[0], groups, channels / groups};
      append_range(split, TensorBuilder::dimsOf(input).drop_front(2));
      input = b.reshape(input, split);
      Dims splitWeights{groups, filters / groups};
      append_range(splitWeights, ArrayRef(weights).drop_front(1));
      weight = l.node.constant(1) ? l.materialise(l.node.constant(1)->reshaped(splitWeights))
                                  : b.reshape(weight, splitWeights);
    }
    AffineExpr f = parallel();
    weightMap.push_back(f);
    outMap.push_back(f);
    out.push_back(filters / (grouped ? groups : 1));
  }
  SmallVector<AffineExpr> positions;
  for (int64_t d = 0; d < spatial; ++d) {
    positions.push_back(parallel());
    outMap.push_back(positions.back());
    out.push_back(window->out[d]);
  }
  if (!depthwise) {
    AffineExpr c = reduction();
    inMap.push_back(c);
    weightMap.push_back(c);
  }
  for (int64_t d = 0; d < spatial; ++d) {
    AffineExpr k = reduction();
    inMap.push_back(positions[d] * window->strides[d] + k * window->dilations[d]);
    weightMap.push_back(k);
  }
  auto map = [&](ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(loops.dims.size(), 0, exprs, b.getContext());
  };
  const ElemClass kind = l.node.info(0).kind;
  auto op = b.generic({{input, map(inMap), {}}, {weight, map(weightMap), {}}}, b.filled(out, zero),
                      map(outMap), loops.iterators, [&](OpBuilder &ob, Location loc, ValueRange v) {
                        Scalars s(ob, loc, kind);
                        return s.add(v[2], s.mul(v[0], v[1]));
                      });
  markContraction(op, depthwise ? "depthwise" : "conv", saturatedProduct(factors));
  Value result = op.getResult(0);
  if (grouped) {
    Dims joined{in[0], filters};
    joined.append(window->out);
    result = b.reshape(result, joined);
  }
  return l.set(addBias(l, result));
}

} // namespace

ArrayRef<OpEntry> convolutionOps() {
  static const OpEntry entries[] = {{"Conv", 1, 22, conv}};
  return entries;
}

} // namespace mlir::dojo::onnximport
