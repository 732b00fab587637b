// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ConvTranspose as one convolution without strides. With stride s, element q * s + r of the result
// is a sum over the elements (q - j) of the input and the elements j * s + r of the window: a
// convolution with s times as many filters, whose results for r = 0..s-1 are then put side by side.

#include "Convolution.h"

using namespace llvm;

namespace mlir::dojo::onnximport {
namespace {

// Bounds attributes so that products of them do not overflow.
constexpr int64_t kLimit = int64_t(1) << 24;

/// One spatial dimension.
struct Axis {
  int64_t in, kernel, stride, dilation, out;
  int64_t low; ///< elements cut off at the start; negative: zeros there

  int64_t extent() const { return (kernel - 1) * dilation + 1; }
  // Without a stride the convolution can dilate; else the window is taken to have zeros.
  int64_t step() const { return stride == 1 ? dilation : 1; }
  int64_t taps() const { return stride == 1 ? kernel : (extent() + stride - 1) / stride; }
  int64_t reach() const { return (taps() - 1) * step(); }
  /// The element of the window that tap `j` of the convolution with filter `r` stands for, or -1.
  int64_t source(int64_t j, int64_t r) const {
    if (stride == 1)
      return kernel - 1 - j;
    const int64_t at = (taps() - 1 - j) * stride + r;
    return at % dilation || at >= extent() ? -1 : at / dilation;
  }
};

std::optional<SmallVector<Axis>> axesOf(Lowering &l, std::string &error) {
  const size_t spatial = l.node.rank(0) - 2;
  auto fail = [&](const char *why) {
    error = why;
    return std::nullopt;
  };
  auto read = [&](StringRef name, int64_t otherwise, size_t count) {
    auto values = l.node.intsAttr(name);
    return values && !values->empty() ? *values : SmallVector<int64_t>(count, otherwise);
  };
  auto strides = read("strides", 1, spatial), dilations = read("dilations", 1, spatial);
  auto more = read("output_padding", 0, spatial), pads = read("pads", 0, 2 * spatial);
  auto shape = read("output_shape", 0, 0);
  if (shape.size() == spatial + 2)
    shape.erase(shape.begin(), shape.begin() + 2);
  if (strides.size() != spatial || dilations.size() != spatial || more.size() != spatial ||
      pads.size() != 2 * spatial || (!shape.empty() && shape.size() != spatial))
    return fail("strides, dilations, pads, output_padding and output_shape must fit the spatial "
                "dimensions");
  auto outside = [](ArrayRef<int64_t> values, int64_t low) {
    return any_of(values, [&](int64_t v) { return v < low || v > kLimit; });
  };
  if (outside(strides, 1) || outside(dilations, 1) || outside(more, 0) || outside(pads, 0) ||
      outside(shape, 1))
    return fail("strides, dilations and output_shape must be positive, pads and output_padding not "
                "negative");
  StringRef mode = l.node.stringAttr("auto_pad", "NOTSET");
  const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  if (!same && mode != "VALID" && mode != "NOTSET")
    return fail("auto_pad is not known");
  SmallVector<Axis> axes;
  for (size_t d = 0; d < spatial; ++d) {
    Axis a{l.node.dims(0)[2 + d], l.node.dims(1)[2 + d], strides[d], dilations[d], 0, 0};
    if (a.in < 1 || a.kernel < 1 || a.kernel > kLimit || a.extent() > kLimit)
      return fail("the window or the input is empty or too large");
    const int64_t whole = a.stride * (a.in - 1) + more[d] + a.extent();
    if (!shape.empty() || same) {
      // A window smaller than the stride leaves no more than it reaches.
      a.out = shape.empty() ? std::min(a.in * a.stride, whole) : shape[d];
      const int64_t total = std::max<int64_t>(whole - a.out, 0);
      a.low = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
    } else {
      a.low = mode == "VALID" ? 0 : pads[d];
      a.out = whole - (mode == "VALID" ? 0 : pads[d] + pads[spatial + d]);
    }
    if (a.out < 1)
      return fail("the pads cut off the whole result");
    axes.push_back(a);
  }
  return axes;
}

/// The weights [c, m, window...] as filters [m * s..., c / groups, taps...] in groups, computed
/// now.
Constant regroup(const Constant &weights, ArrayRef<Axis> axes, int64_t groups,
                 ArrayRef<int64_t> dims) {
  const unsigned size = elemInfo(weights.elem()).bytes;
  const int64_t c = weights.dims()[0] / groups, m = weights.dims()[1];
  const Dims from = stridesOf(weights.dims()), to = stridesOf(dims);
  std::string bytes(*elementCount(dims) * size, '\0');
  // Where each element of the window goes, dimension by dimension: offsets in both.
  struct Move {
    int64_t from, to;
  };
  SmallVector<Move> moves{{0, 0}};
  int64_t filterStride = to[0];
  SmallVector<int64_t> phaseStride(axes.size());
  for (size_t d = axes.size(); d-- > 0;) {
    phaseStride[d] = filterStride;
    filterStride *= axes[d].stride;
  }
  for (auto [d, axis] : enumerate(axes)) {
    SmallVector<Move> next;
    for (const Move &move : moves)
      for (int64_t j = 0; j < axis.taps(); ++j)
        for (int64_t r = 0; r < axis.stride; ++r)
          if (int64_t k = axis.source(j, r); k >= 0)
            next.push_back(
                {move.from + k * from[2 + d], move.to + j * to[2 + d] + r * phaseStride[d]});
    moves = std::move(next);
  }
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t i = 0; i < c; ++i)
      for (int64_t f = 0; f < m; ++f)
        for (const Move &move : moves)
          std::copy_n(
              weights.bytes().data() + ((g * c + i) * from[0] + f * from[1] + move.from) * size,
              size, bytes.data() + ((g * m + f) * filterStride + i * to[1] + move.to) * size);
  return Constant({weights.elem(), Dims(dims)}, std::move(bytes));
}

/// The same at run time.
Value regroup(TensorBuilder &b, Value weights, ArrayRef<Axis> axes, int64_t groups,
              ArrayRef<int64_t> dims) {
  Type element = TensorBuilder::elementOf(weights);
  TypedAttr zero = scalarAttr(element, int64_t(0));
  const Dims own(TensorBuilder::dimsOf(weights));
  const int64_t c = own[0] / groups, m = own[1];
  // [g, c, m, window..., 1...] with zeros for dilation, then [g, c, m, (taps, s)...].
  Dims split{groups, c, m}, high{0, 0, 0}, joined{groups, c, m}, fill{0, 0, 0}, last{groups, c, m};
  for (auto [d, axis] : enumerate(axes)) {
    const int64_t dilation = axis.stride == 1 ? 1 : axis.dilation;
    split.append({axis.kernel, 1});
    high.append({0, dilation - 1});
    joined.push_back(axis.kernel * dilation);
    fill.push_back(std::max<int64_t>(axis.taps() * axis.stride - joined.back(), 0));
    last.append({axis.taps(), axis.stride});
  }
  Value spread = b.pad(b.reshape(weights, split), Dims(split.size(), 0), high, zero);
  spread = b.pad(b.reshape(spread, joined), Dims(joined.size(), 0), fill, zero);
  SliceSpec cut{Dims(joined.size(), 0), Dims(joined.size(), 1), {groups, c, m}};
  for (const Axis &axis : axes)
    cut.sizes.push_back(axis.taps() * axis.stride);
  spread = b.reshape(b.slice(spread, cut), last);
  // Loops (g, m, s..., c, taps...); the taps are reversed.
  const size_t spatial = axes.size(), loops = 3 + 2 * spatial;
  Dims domain{groups, m};
  for (const Axis &axis : axes)
    domain.push_back(axis.stride);
  domain.push_back(c);
  for (const Axis &axis : axes)
    domain.push_back(axis.taps());
  SmallVector<AffineExpr> exprs{b.getAffineDimExpr(0), b.getAffineDimExpr(2 + spatial),
                                b.getAffineDimExpr(1)};
  for (size_t d = 0; d < spatial; ++d) {
    exprs.push_back(b.getAffineDimExpr(3 + spatial + d) * -1 + (axes[d].taps() - 1));
    exprs.push_back(b.getAffineDimExpr(2 + d));
  }
  Operand operand{spread, AffineMap::get(loops, 0, exprs, b.getContext()), {}};
  Value regrouped = b.elementwise(domain, element, operand,
                                  [](OpBuilder &, Location, ValueRange v) { return v[0]; });
  return b.reshape(regrouped, dims);
}

LogicalResult convTranspose(Lowering &l) {
  TensorBuilder &b = l.b;
  const int64_t rank = l.node.rank(0), groups = l.node.intAttr("group", 1);
  if (rank < 3 || l.node.rank(1) != rank)
    return l.fail("input and weights must have the same rank, at least 3");
  ArrayRef<int64_t> in = l.node.dims(0), weights = l.node.dims(1);
  if (groups < 1 || groups > kLimit || in[1] != weights[0] || in[1] % groups)
    return l.fail("the channels of input and weights do not fit the number of groups");
  const int64_t filters = weights[1] * groups;
  if (l.node.has(2) && l.node.dims(2) != ArrayRef<int64_t>{filters})
    return l.fail("the bias must have one element for each output channel");
  std::string error;
  auto axes = axesOf(l, error);
  if (!axes)
    return l.fail(error);

  Window window;
  Dims low{0, 0}, dims{filters, in[1] / groups};
  for (const Axis &axis : *axes) {
    low.push_back(axis.reach());
    dims[0] = saturatedProduct({dims[0], axis.stride});
    dims.push_back(axis.taps());
    window.strides.push_back(1);
    window.dilations.push_back(axis.step());
    window.out.push_back(axis.in + axis.reach());
  }
  Dims whole{in[0], dims[0]};
  append_range(whole, window.out);
  if (!elementCount(dims) || !elementCount(whole))
    return l.fail("the result is too large");
  TypedAttr zero = scalarAttr(l.elementType(0), int64_t(0));
  std::optional<Constant> constant;
  if (l.node.constant(1))
    constant = regroup(*l.node.constant(1), *axes, groups, dims);
  Filters filter{dims, constant ? &*constant : nullptr, {}};
  if (!constant)
    filter.value = regroup(b, l.in(1), *axes, groups, dims);
  Value result =
      convolve(l, b.pad(l.in(0), low, low, zero), filter, groups, window, l.node.info(0).kind);

  // [n, m, s..., q...] to [n, m, (q, s)...].
  Dims split{in[0], filters}, joined{in[0], filters};
  SmallVector<int64_t> perm{0, 1};
  const size_t spatial = axes->size();
  for (auto [d, axis] : enumerate(*axes)) {
    split.push_back(axis.stride);
    perm.append({int64_t(2 + spatial + d), int64_t(2 + d)});
    joined.push_back(window.out[d] * axis.stride);
  }
  append_range(split, window.out);
  if (any_of(*axes, [](const Axis &axis) { return axis.stride != 1; }))
    result = b.reshape(b.transpose(b.reshape(result, split), perm), joined);

  SliceSpec cut{Dims(rank, 0), Dims(rank, 1), {in[0], filters}};
  Dims high(rank, 0);
  for (auto [d, axis] : enumerate(*axes)) {
    cut.starts[2 + d] = axis.low;
    cut.sizes.push_back(axis.out);
    high[2 + d] = std::max<int64_t>(axis.low + axis.out - joined[2 + d], 0);
  }
  result = b.slice(b.pad(result, Dims(rank, 0), high, zero), cut);
  return l.set(addBias(l, result, 2));
}

} // namespace

ArrayRef<OpEntry> convTransposeOps() {
  static const OpEntry entries[] = {{"ConvTranspose", 1, 22, convTranspose}};
  return entries;
}

} // namespace mlir::dojo::onnximport
