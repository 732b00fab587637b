// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Window.h"

using namespace llvm;

namespace mlir::dojo::onnximport {

// Bounds kernel, stride, dilation and padding so that products of them do not overflow.
static constexpr int64_t kLimit = int64_t(1) << 24;

std::optional<Window> windowOf(const Node &node, ArrayRef<int64_t> kernel, ArrayRef<int64_t> in,
                               std::string &error, unsigned x) {
  const size_t spatial = in.size();
  auto fail = [&](const Twine &what) -> std::optional<Window> {
    error = what.str();
    return std::nullopt;
  };
  auto read = [&](StringRef name, int64_t otherwise, size_t count) {
    auto values = node.intsAttr(name);
    return values && !values->empty() ? Dims(values->begin(), values->end())
                                      : Dims(count, otherwise);
  };
  Window w;
  w.kernel.assign(kernel.begin(), kernel.end());
  w.in.assign(in.begin(), in.end());
  w.strides = read("strides", 1, spatial);
  w.dilations = read("dilations", 1, spatial);
  Dims pads = read("pads", 0, 2 * spatial);
  if (kernel.size() != spatial || w.strides.size() != spatial || w.dilations.size() != spatial ||
      pads.size() != 2 * spatial)
    return fail("kernel_shape, strides, dilations and pads must fit the spatial dimensions");
  auto outside = [](ArrayRef<int64_t> values, int64_t low) {
    return any_of(values, [&](int64_t v) { return v < low || v > kLimit; });
  };
  if (outside(w.kernel, 1) || outside(w.strides, 1) || outside(w.dilations, 1))
    return fail("kernel_shape, strides and dilations must be positive");
  if (outside(pads, 0))
    return fail("pads must not be negative");
  w.low.assign(pads.begin(), pads.begin() + spatial);
  w.high.assign(pads.begin() + spatial, pads.end());
  w.slack.assign(spatial, 0);

  StringRef mode = node.stringAttr("auto_pad", "NOTSET");
  const bool ceil = node.intAttr("ceil_mode", 0) != 0;
  for (size_t d = 0; d < spatial; ++d) {
    const int64_t extent = w.extent(d), stride = w.strides[d];
    if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
      const int64_t out = (in[d] + stride - 1) / stride;
      const int64_t total = std::max<int64_t>((out - 1) * stride + extent - in[d], 0);
      w.low[d] = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
      w.high[d] = total - w.low[d];
      w.out.push_back(out);
      continue;
    }
    if (mode == "VALID")
      w.low[d] = w.high[d] = 0;
    else if (mode != "NOTSET")
      return fail("auto_pad '" + mode + "' is not known");
    const int64_t room = in[d] + w.low[d] + w.high[d] - extent;
    if (room < 0)
      return fail("the window of " + Twine(extent) + " is larger than the padded input of " +
                  Twine(in[d] + w.low[d] + w.high[d]) + " in spatial dimension " + Twine(d));
    int64_t out = room / stride + 1;
    // With ceil_mode a last window may begin in the input or its low padding and reach beyond.
    if (ceil && room % stride != 0 && out * stride < in[d] + w.low[d]) {
      ++out;
      w.slack[d] = (out - 1) * stride + extent - (in[d] + w.low[d] + w.high[d]);
    }
    w.out.push_back(out);
  }
  Dims padded(node.dims(x).take_front(node.rank(x) - spatial));
  for (size_t d = 0; d < spatial; ++d)
    padded.push_back(in[d] + w.low[d] + w.high[d] + w.slack[d]);
  if (!elementCount(padded))
    return fail("the padded input is too large");
  return w;
}

Value padWindow(Lowering &l, Value input, const Window &window, TypedAttr value) {
  Dims low{0, 0}, high{0, 0};
  for (size_t d = 0; d < window.in.size(); ++d) {
    low.push_back(window.low[d]);
    high.push_back(window.high[d] + window.slack[d]);
  }
  return l.b.pad(input, low, high, value);
}

} // namespace mlir::dojo::onnximport
