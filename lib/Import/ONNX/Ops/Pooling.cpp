// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Window.h"
#include <cmath>
#include <numeric>

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

using utils::IteratorType;

/// Where stride and dilation have a common factor, windows meet only the elements of a lattice of
/// `input` [n, c, padded...]: takes those alone, and makes the window fit.
Value keepLattice(TensorBuilder &b, Value input, Window &window) {
  SliceSpec spec{Dims(TensorBuilder::dimsOf(input).size(), 0), {}, {}};
  spec.steps.assign(spec.starts.size(), 1);
  spec.sizes.assign(TensorBuilder::dimsOf(input));
  for (size_t d = 0; d < window.in.size(); ++d) {
    const int64_t factor = std::gcd(window.strides[d], window.dilations[d]);
    if (factor == 1 || window.out[d] == 0)
      continue;
    const int64_t last = (window.out[d] - 1) * window.strides[d] + window.extent(d) - 1;
    spec.steps[2 + d] = factor;
    spec.sizes[2 + d] = last / factor + 1;
    window.strides[d] /= factor;
    window.dilations[d] /= factor;
  }
  return all_of(spec.steps, [](int64_t step) { return step == 1; }) ? input : b.slice(input, spec);
}

/// Reduces the windows of `input` [n, c, padded...] to [n, c, positions...].
Value reduceWindows(Lowering &l, Value input, Window window, TypedAttr init,
                    llvm::function_ref<Value(Scalars &, Value, Value)> combine) {
  TensorBuilder &b = l.b;
  input = keepLattice(b, input, window);
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
    for (TensorType &output : l.node.outputs) {
      output.dims.assign(l.node.dims(0).begin(), l.node.dims(0).begin() + 2);
      output.dims.append(window->out);
    }
  }
  return window;
}

/// For each window the first place in row-major order where it has its greatest element: an index
/// among all elements of the node's input, i32.
Value placesOf(Lowering &l, Value input, Value greatest, const Window &window) {
  TensorBuilder &b = l.b;
  const size_t spatial = window.in.size();
  const unsigned loops = 2 + 2 * spatial;
  SmallVector<IteratorType> iterators(2 + spatial, IteratorType::parallel);
  iterators.append(spatial, IteratorType::reduction);
  SmallVector<AffineExpr> inMap{b.getAffineDimExpr(0), b.getAffineDimExpr(1)}, windowMap;
  for (size_t d = 0; d < spatial; ++d) {
    AffineExpr k = b.getAffineDimExpr(2 + spatial + d);
    inMap.push_back(b.getAffineDimExpr(2 + d) * window.strides[d] + k * window.dilations[d]);
    windowMap.push_back(k);
  }
  auto map = [&](ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(loops, 0, exprs, b.getContext());
  };
  AffineMap outMap = b.getMultiDimIdentityMap(loops).getMajorSubMap(2 + spatial);
  Value shape = b.empty(window.kernel, b.getI32Type());
  const bool isFloat = l.node.info(0).kind == ElemClass::Float;
  return b
      .generic({{input, map(inMap), {}}, {greatest, outMap, {}}, {shape, map(windowMap), {}}},
               b.filled(TensorBuilder::dimsOf(greatest), b.getI32IntegerAttr(INT32_MAX)), outMap,
               iterators,
               [&](OpBuilder &ob, Location loc, ValueRange v) {
                 Scalars s(ob, loc, ElemClass::Signed);
                 auto number = [&](int64_t value) {
                   return s.constant(b.getI32Type(), double(value));
                 };
                 auto loop = [&](unsigned i) -> Value {
                   return arith::IndexCastOp::create(ob, loc, b.getI32Type(),
                                                     linalg::IndexOp::create(ob, loc, i));
                 };
                 Value place = s.add(s.mul(loop(0), number(l.node.dims(0)[1])), loop(1));
                 Value hit =
                     isFloat ? arith::CmpFOp::create(ob, loc, arith::CmpFPredicate::UEQ, v[0], v[1])
                                   .getResult()
                             : s.equal(v[0], v[1]);
                 for (size_t d = 0; d < spatial; ++d) {
                   Value at = s.add(s.mul(loop(2 + d), number(window.strides[d])),
                                    s.mul(loop(2 + spatial + d), number(window.dilations[d])));
                   at = s.sub(at, number(window.low[d]));
                   place = s.add(s.mul(place, number(window.in[d])), at);
                   Value inside = arith::CmpIOp::create(ob, loc, arith::CmpIPredicate::ult, at,
                                                        number(window.in[d]));
                   hit = arith::AndIOp::create(ob, loc, hit, inside);
                 }
                 return s.min(v[3], s.select(hit, place, number(INT32_MAX)));
               })
      .getResult(0);
}

/// The same places with the spatial dimensions in column-major order.
Value columnMajor(Lowering &l, Value places) {
  const Dims dims(TensorBuilder::dimsOf(places));
  ArrayRef<int64_t> in = l.node.dims(0).drop_front(2);
  return l.b.elementwise(dims, l.b.getI32Type(), l.b.broadcast(places, dims),
                         [&](OpBuilder &ob, Location loc, ValueRange v) {
                           Scalars s(ob, loc, ElemClass::Unsigned);
                           auto number = [&](int64_t value) {
                             return s.constant(v[0].getType(), double(value));
                           };
                           Value rest = v[0], within = number(0);
                           int64_t stride = saturatedProduct(in);
                           for (int64_t extent : llvm::reverse(in)) {
                             stride /= std::max<int64_t>(extent, 1);
                             Value quotient = s.div(rest, number(extent));
                             Value at = s.sub(rest, s.mul(quotient, number(extent)));
                             within = s.add(within, s.mul(at, number(stride)));
                             rest = quotient;
                           }
                           return s.add(s.mul(rest, number(saturatedProduct(in))), within);
                         });
}

Value widened(Lowering &l, Value places) {
  const Dims dims(TensorBuilder::dimsOf(places));
  return l.b.elementwise(dims, l.b.getI64Type(), l.b.broadcast(places, dims),
                         [](OpBuilder &ob, Location loc, ValueRange v) {
                           return castScalar(ob, loc, v[0], TensorProto::INT32, TensorProto::INT64);
                         });
}

double normOf(Lowering &l) {
  const auto *attribute = l.node.attr("p");
  return !attribute                                         ? 2.0
         : attribute->type() == onnx::AttributeProto::FLOAT ? double(attribute->f())
                                                            : double(attribute->i());
}

/// x to the power of p, x >= 0.
Value powerOf(Scalars &s, Value x, double p) {
  constexpr double kProducts = 8;
  if (p > kProducts || p != std::floor(p))
    return math::PowFOp::create(s.b, s.loc, x, s.constant(x.getType(), p),
                                arith::FastMathFlags::contract);
  Value power = x;
  for (int i = 1; i < int(p); ++i)
    power = s.mul(power, x);
  return power;
}

/// The p-th root of each element.
Value root(Lowering &l, Value tensor, double p) {
  if (p == 1)
    return tensor;
  const Dims dims(TensorBuilder::dimsOf(tensor));
  return l.b.elementwise(dims, TensorBuilder::elementOf(tensor), l.b.broadcast(tensor, dims),
                         [&](OpBuilder &ob, Location loc, ValueRange v) -> Value {
                           Scalars s(ob, loc, ElemClass::Float);
                           if (p == 2)
                             return s.math<math::SqrtOp>(v[0]);
                           return math::PowFOp::create(ob, loc, v[0],
                                                       s.constant(v[0].getType(), 1 / p),
                                                       arith::FastMathFlags::contract);
                         });
}

LogicalResult maxPool(Lowering &l) {
  std::string error;
  auto window = poolWindow(l, error);
  if (!window)
    return l.fail(error);
  const bool isUnsigned = l.node.info(0).kind == ElemClass::Unsigned;
  TypedAttr lowest = extremeAttr(l.elementType(0), isUnsigned, /*greatest=*/false);
  Value input = padWindow(l, l.in(0), *window, lowest);
  Value greatest = reduceWindows(l, input, *window, lowest,
                                 [](Scalars &s, Value acc, Value x) { return s.max(acc, x); });
  if (l.node.outputUsed(1)) {
    if (saturatedProduct(l.node.dims(0)) > INT32_MAX)
      return l.fail("the input is too large for indices");
    Value places = placesOf(l, input, greatest, *window);
    if (l.node.intAttr("storage_order", 0))
      places = columnMajor(l, places);
    (void)l.set(widened(l, places), 1);
  }
  return l.set(greatest);
}

/// Pools with the p-norm.
LogicalResult lpPool(Lowering &l) {
  if (l.node.info(0).kind != ElemClass::Float)
    return l.fail("norms of other types than floats are not supported");
  std::string error;
  auto window = poolWindow(l, error);
  if (!window)
    return l.fail(error);
  const double p = normOf(l);
  if (!(p >= 1))
    return l.fail("p must be at least 1");
  TypedAttr zero = scalarAttr(l.elementType(0), int64_t(0));
  Value input = padWindow(l, l.in(0), *window, zero);
  Value sum = reduceWindows(l, input, *window, zero, [&](Scalars &s, Value acc, Value x) {
    return s.add(acc, powerOf(s, s.abs(x), p));
  });
  return l.set(root(l, sum, p));
}

LogicalResult globalLpPool(Lowering &l) {
  ArrayRef<int64_t> dims = l.node.dims(0);
  const double p = normOf(l);
  if (dims.size() < 3 || l.node.info(0).kind != ElemClass::Float || !(p >= 1))
    return l.fail("the input must be floats with batch, channel and spatial dimensions and p at "
                  "least 1");
  SmallVector<int64_t> axes = llvm::to_vector(seq<int64_t>(2, dims.size()));
  Value sum =
      l.b.reduce(dims, axes, l.b.broadcast(l.in(0), dims), scalarAttr(l.elementType(0), int64_t(0)),
                 [&](OpBuilder &b, Location loc, ValueRange v) {
                   Scalars s(b, loc, ElemClass::Float);
                   return s.add(v[1], powerOf(s, s.abs(v[0]), p));
                 });
  return l.set(l.b.reshape(root(l, sum, p), l.resultDims()));
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
      {"LpPool", 1, 22, lpPool},
      {"GlobalLpPool", 1, 22, globalLpPool},
      {"GlobalMaxPool", 1, 22, globalPool<false>},
      {"GlobalAveragePool", 1, 22, globalPool<true>},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
