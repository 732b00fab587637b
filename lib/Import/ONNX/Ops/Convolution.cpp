// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Convolution.h"

using namespace llvm;

namespace mlir::dojo::onnximport {

using utils::IteratorType;

namespace {

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

} // namespace

Value Filters::as(Lowering &l, ArrayRef<int64_t> shape) const {
  return constant ? l.materialise(constant->reshaped(shape)) : l.b.reshape(value, shape);
}

Filters filtersOf(Lowering &l, unsigned i) {
  Filters filters{Dims(l.node.dims(i)), l.node.constant(i), {}};
  if (!filters.constant)
    filters.value = l.in(i);
  return filters;
}

Value addBias(Lowering &l, Value result, unsigned i) {
  if (!l.node.has(i))
    return result;
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(result);
  SmallVector<Operand> operands{l.b.broadcast(result, dims)};
  if (const Constant *bias = l.node.constant(i))
    operands.push_back(l.constantOperand(*bias, dims, 1, l.operandLoc(i)));
  else
    operands.push_back(l.b.along(l.in(i), {1}, dims.size()));
  const ElemClass kind = l.node.info(i).kind;
  return l.b.elementwise(dims, TensorBuilder::elementOf(result), operands,
                         [&](OpBuilder &b, Location loc, ValueRange v) {
                           return Scalars(b, loc, kind).add(v[0], v[1]);
                         });
}

std::optional<Window> convWindow(Lowering &l, unsigned x, unsigned w, unsigned bias,
                                 std::string &error) {
  auto fail = [&](const char *why) {
    error = why;
    return std::nullopt;
  };
  const int64_t rank = l.node.rank(x);
  if (rank < 3 || l.node.rank(w) != rank)
    return fail("input and weights must have the same rank, at least 3");
  ArrayRef<int64_t> in = l.node.dims(x), weights = l.node.dims(w);
  const int64_t groups = l.node.intAttr("group", 1), filters = weights[0];
  if (groups < 1 || in[1] % groups || filters % groups || weights[1] != in[1] / groups)
    return fail("the channels of input and weights do not fit the number of groups");
  if (l.node.has(bias) && l.node.dims(bias) != ArrayRef<int64_t>{filters})
    return fail("the bias must have one element for each output channel");
  ArrayRef<int64_t> kernel = weights.drop_front(2);
  if (auto given = l.node.intsAttr("kernel_shape"); given && ArrayRef(*given) != kernel)
    return fail("kernel_shape is not the shape of the weights");
  return windowOf(l.node, kernel, in.drop_front(2), error, x);
}

Value convolve(Lowering &l, Value input, const Filters &filter, int64_t groups,
               const Window &window, ElemClass kind) {
  TensorBuilder &b = l.b;
  const Dims in(TensorBuilder::dimsOf(input));
  ArrayRef<int64_t> kernel = ArrayRef(filter.dims).drop_front(2);
  const int64_t channels = in[1], filters = filter.dims[0], spatial = kernel.size();
  TypedAttr zero = scalarAttr(TensorBuilder::elementOf(input), int64_t(0));
  const bool depthwise = groups > 1 && groups == channels && filters == channels;
  const bool grouped = groups > 1 && !depthwise;
  Value weight;
  Dims out{in[0]};
  Dims factors{in[0], filters, channels / groups};
  factors.append(window.out);
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
    weight = filter.as(l, squeezed);
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
      append_range(splitWeights, ArrayRef(filter.dims).drop_front(1));
      weight = filter.as(l, splitWeights);
    }
    if (!grouped)
      weight = filter.as(l, filter.dims);
    AffineExpr f = parallel();
    weightMap.push_back(f);
    outMap.push_back(f);
    out.push_back(filters / (grouped ? groups : 1));
  }
  SmallVector<AffineExpr> positions;
  for (int64_t d = 0; d < spatial; ++d) {
    positions.push_back(parallel());
    outMap.push_back(positions.back());
    out.push_back(window.out[d]);
  }
  if (!depthwise) {
    AffineExpr c = reduction();
    inMap.push_back(c);
    weightMap.push_back(c);
  }
  for (int64_t d = 0; d < spatial; ++d) {
    AffineExpr k = reduction();
    inMap.push_back(positions[d] * window.strides[d] + k * window.dilations[d]);
    weightMap.push_back(k);
  }
  auto map = [&](ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(loops.dims.size(), 0, exprs, b.getContext());
  };
  auto op = b.generic({{input, map(inMap), {}}, {weight, map(weightMap), {}}}, b.filled(out, zero),
                      map(outMap), loops.iterators, [&](OpBuilder &ob, Location loc, ValueRange v) {
                        Scalars s(ob, loc, kind);
                        return s.add(v[2], s.mul(v[0], v[1]));
                      });
  markContraction(op, depthwise ? "depthwise" : "conv", saturatedProduct(factors));
  Value result = op.getResult(0);
  if (grouped) {
    Dims joined{in[0], filters};
    joined.append(window.out);
    result = b.reshape(result, joined);
  }
  return result;
}

namespace {

LogicalResult conv(Lowering &l) {
  std::string error;
  auto window = convWindow(l, 0, 1, 2, error);
  if (!window)
    return l.fail(error);
  Value input = padWindow(l, l.in(0), *window, scalarAttr(l.elementType(0), int64_t(0)));
  Value result =
      convolve(l, input, filtersOf(l, 1), l.node.intAttr("group", 1), *window, l.node.info(0).kind);
  return l.set(addBias(l, result, 2));
}

} // namespace

ArrayRef<OpEntry> convolutionOps() {
  static const OpEntry entries[] = {{"Conv", 1, 22, conv}};
  return entries;
}

} // namespace mlir::dojo::onnximport
