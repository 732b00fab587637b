// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Window.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

using utils::IteratorType;

/// Reduces the windows of `input` [n, c, padded...] to [n, c, positions...].
Value reduceWindows(Lowering &l, Value input, const Window &window, TypedAttr init,
                    Value (*combine)(Scalars &, Value, Value)) {
  TensorBuilder &b = l.b;
  const size_t spatial = window.in.size();
  const unsigned loops = 2 + 2 * spatial;
  SmallVector<IteratorType> iterators(2 + spatial, IteratorType::parallel);
  iterators.append(spatial, IteratorType::reduction);
  SmallVector<AffineExpr> inMap{b.getAffineDimExpr(0), b.getAffineDimExpr(1)}, windowMap;
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(input);
  Dims out{dims[0], dims[1]};
  for (size_t d = 0; d < spatial; ++d) {
    AffineExpr position = b.getAffineDimExpr(2 + d), k = b.getAffineDimExpr(2 + spatial + d);
    inMap.push_back(position * window.strides[d] + k * window.dilations[d]);
    windowMap.push_back(k);
    out.push_back(window.out[d]);
  }
  auto map = [&](ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(loops, 0, exprs, b.getContext());
  };
  // The window's extents are those of an operand that is never read.
  Value shape = b.empty(window.kernel, TensorBuilder::elementOf(input));
  const ElemClass kind = l.node.info(0).kind;
  return b
      .generic({{input, map(inMap), {}}, {shape, map(windowMap), {}}}, b.filled(out, init),
               b.getMultiDimIdentityMap(loops).getMajorSubMap(2 + spatial), iterators,
               [&](OpBuilder &ob, Location loc, ValueRange v) {
                 Scalars s(ob, loc, kind);
                 return combine(s, v[2], v[0]);
               })
      .getResult(0);
}

std::optional<Window> poolWindow(Lowering &l, std::string &error) {
  auto kernel = l.node.intsAttr("kernel_shape");
  if (!kernel || l.node.rank(0) < 3) {
    error = "the input must have batch, channel and spatial dimensions and kernel_shape be given";
    return std::nullopt;
  }
  auto window = windowOf(l.node, *kernel, l.node.dims(0).drop_front(2), error);
  // Shape inference of old versions counts windows of ceil_mode that begin in the high padding.
  if (window) {
    Dims &out = l.node.outputs[0].dims;
    out.assign(l.node.dims(0).begin(), l.node.dims(0).begin() + 2);
    out.append(window->out);
  }
  return window;
}

LogicalResult maxPool(Lowering &l) {
  if (l.node.outputUsed(1))
    return l.fail("the output of indices is not supported");
  std::string error;
  auto window = poolWindow(l, error);
  if (!window)
    return l.fail(error);
  const bool isUnsigned = l.node.info(0).kind == ElemClass::Unsigned;
  TypedAttr lowest = extremeAttr(l.elementType(0), isUnsigned, /*greatest=*/false);
  Value input = padWindow(l, l.in(0), *window, lowest);
  return l.set(reduceWindows(l, input, *window, lowest,
                             [](Scalars &s, Value acc, Value x) { return s.max(acc, x); }));
}

// More window positions than this do not get a table of counts.
constexpr int64_t kMaxPositions = int64_t(1) << 24;

/// How many of the window's elements at `o` lie in [low, high) along dimension `d`.
int64_t countAlong(const Window &w, size_t d, int64_t o, int64_t low, int64_t high) {
  const int64_t start = o * w.strides[d], step = w.dilations[d];
  const int64_t first = start >= low ? 0 : (low - start + step - 1) / step;
  const int64_t end = start >= high ? 0 : (high - start + step - 1) / step;
  return std::max<int64_t>(std::min(end, w.kernel[d]) - first, 0);
}

/// The reciprocal of the number of elements that count in each window, a tensor of the positions'
/// dimensions.
Constant reciprocalCounts(const Window &w, bool includePad) {
  // The count of a window is the product of counts along each dimension.
  SmallVector<SmallVector<int64_t>> counts;
  Dims dims;
  for (size_t d = 0; d < w.in.size(); ++d) {
    auto &along = counts.emplace_back();
    const int64_t low = includePad ? 0 : w.low[d];
    const int64_t high = w.low[d] + w.in[d] + (includePad ? w.high[d] : 0);
    for (int64_t o = 0; o < w.out[d]; ++o)
      along.push_back(countAlong(w, d, o, low, high));
    dims.push_back(w.out[d]);
  }
  std::vector<float> values;
  const int64_t total = *elementCount(dims);
  for (int64_t i = 0; i < total; ++i) {
    int64_t rest = i, count = 1;
    for (int d = int(dims.size()) - 1; d >= 0; --d) {
      count *= counts[d][rest % dims[d]];
      rest /= dims[d];
    }
    values.push_back(count ? 1.0f / float(count) : 0.0f);
  }
  return Constant::ofFloats(values, dims);
}

LogicalResult averagePool(Lowering &l) {
  if (l.node.elem(0) != TensorProto::FLOAT)
    return l.fail("only float is supported");
  std::string error;
  auto window = poolWindow(l, error);
  if (!window)
    return l.fail(error);
  if (auto positions = elementCount(window->out); !positions || *positions > kMaxPositions)
    return l.fail("there are too many window positions");
  TypedAttr zero = scalarAttr(l.elementType(0), int64_t(0));
  Value sum = reduceWindows(l, padWindow(l, l.in(0), *window, zero), *window, zero,
                            [](Scalars &s, Value acc, Value x) { return s.add(acc, x); });
  Constant scale = reciprocalCounts(*window, l.node.intAttr("count_include_pad", 0));
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(sum);
  return l.set(l.b.elementwise(dims, l.resultElement(),
                               {l.b.broadcast(sum, dims), l.constantOperand(scale, dims, 2)},
                               [](OpBuilder &b, Location loc, ValueRange v) {
                                 return Scalars(b, loc, ElemClass::Float).mul(v[0], v[1]);
                               }));
}

template <bool average> LogicalResult globalPool(Lowering &l) {
  ArrayRef<int64_t> dims = l.node.dims(0);
  if (dims.size() < 3)
    return l.fail("the input must have batch, channel and spatial dimensions");
  SmallVector<int64_t> axes = llvm::to_vector(seq<int64_t>(2, dims.size()));
  Type element = l.elementType(0);
  const ElemClass kind = l.node.info(0).kind;
  TypedAttr init = average ? scalarAttr(element, int64_t(0))
                           : extremeAttr(element, kind == ElemClass::Unsigned, false);
  Value result = l.b.reduce(dims, axes, l.b.broadcast(l.in(0), dims), init,
                            [&](OpBuilder &b, Location loc, ValueRange v) {
                              Scalars s(b, loc, kind);
                              return average ? s.add(v[1], v[0]) : s.max(v[1], v[0]);
                            });
  if (average) {
    const double count = double(*elementCount(dims.drop_front(2)));
    ArrayRef<int64_t> reduced = TensorBuilder::dimsOf(result);
    result = l.b.elementwise(reduced, element, l.b.broadcast(result, reduced),
                             [&](OpBuilder &b, Location loc, ValueRange v) {
                               Scalars s(b, loc, kind);
                               return s.mul(v[0], s.constant(element, 1.0 / count));
                             });
  }
  return l.set(l.b.reshape(result, l.resultDims()));
}

} // namespace

ArrayRef<OpEntry> poolingOps() {
  static const OpEntry entries[] = {
      {"MaxPool", 1, 22, maxPool},
      {"AveragePool", 1, 22, averagePool},
      {"GlobalMaxPool", 1, 22, globalPool<false>},
      {"GlobalAveragePool", 1, 22, globalPool<true>},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
