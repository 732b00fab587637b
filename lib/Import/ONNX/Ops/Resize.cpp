// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resize and Upsample: separable interpolation with weights known at compile time.

#include "Take.h"
#include <cmath>

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// How to resize one dimension.
struct AxisSpec {
  int64_t in, out;
  float scale;
};

struct ResizeSpec {
  SmallVector<AxisSpec> axes;
  StringRef mode, coordinates, rounding;
  float cubicA = -0.75f;
  bool excludeOutside = false;
  bool ceilWhenShrinking = false; ///< opset 10
};

float unclampedPosition(const AxisSpec &axis, StringRef mode, int64_t x) {
  const float at = float(x);
  if (mode == "asymmetric")
    return at / axis.scale;
  if (mode == "align_corners")
    return axis.out == 1 ? 0.0f : at * float(axis.in - 1) / float(axis.out - 1);
  if (mode == "tf_half_pixel_for_nn")
    return (at + 0.5f) / axis.scale;
  if (mode == "pytorch_half_pixel" && axis.out <= 1)
    return 0.0f;
  const float position = (at + 0.5f) / axis.scale - 0.5f;
  if (mode == "half_pixel_symmetric") {
    const float adjustment = float(axis.out) / (axis.scale * float(axis.in));
    return float(axis.in) / 2.0f * (1.0f - adjustment) + position;
  }
  return position;
}

/// The position in the input that element `x` of the result stands for. Single precision, as the
/// runtimes do it: which neighbour is nearest depends on it. Far outside the input it is clamped.
float originalPosition(const AxisSpec &axis, StringRef mode, int64_t x) {
  const float position = unclampedPosition(axis, mode, x);
  return std::isnan(position) ? 0.0f : std::clamp(position, -8.0f, float(axis.in) + 8.0f);
}

int64_t nearestIndex(const ResizeSpec &spec, const AxisSpec &axis, int64_t x) {
  if (axis.in == axis.out && axis.scale == 1.0f)
    return x;
  const float position = originalPosition(axis, spec.coordinates, x);
  float index;
  if (spec.ceilWhenShrinking)
    index = axis.scale < 1.0f ? std::ceil(position) : std::floor(position);
  else if (spec.rounding == "floor")
    index = std::floor(position);
  else if (spec.rounding == "ceil")
    index = std::ceil(position);
  else if (spec.rounding == "round_prefer_ceil")
    index = std::floor(position + 0.5f);
  else
    index = std::ceil(position - 0.5f);
  return std::clamp<int64_t>(int64_t(index), 0, axis.in - 1);
}

LogicalResult resizeNearest(Lowering &l, const ResizeSpec &spec) {
  TensorBuilder &b = l.b;
  Value result = l.in(0);
  SmallVector<SmallVector<int64_t>> indices;
  // Dimensions whose every element is repeated a whole number of times become (extent, repeat).
  Dims repeated;
  SmallVector<int64_t> loops;
  bool repeats = false;
  for (const AxisSpec &axis : spec.axes) {
    auto &along = indices.emplace_back();
    for (int64_t x = 0; x < axis.out; ++x)
      along.push_back(nearestIndex(spec, axis, x));
    const int64_t factor = axis.in ? axis.out / axis.in : 1;
    loops.push_back(repeated.size());
    if (factor > 1 && axis.out % axis.in == 0 && all_of(enumerate(along), [&](auto it) {
          return it.value() == int64_t(it.index()) / factor;
        })) {
      repeated.append({axis.in, factor});
      along.clear();
      repeats = true;
    } else {
      repeated.push_back(axis.out);
    }
  }
  for (auto [d, axis] : enumerate(spec.axes)) {
    const bool same = axis.in == axis.out && all_of(enumerate(indices[d]), [](auto it) {
                        return it.value() == int64_t(it.index());
                      });
    if (!indices[d].empty() && !same)
      result = takeAlong(l, result, d, indices[d]);
  }
  if (repeats)
    result = b.elementwise(repeated, l.resultElement(), b.along(result, loops, repeated.size()),
                           [](OpBuilder &, Location, ValueRange v) { return v[0]; });
  return l.set(b.reshape(result, l.resultDims()));
}

/// Weight of tap `k` of 0..3 at distance `t` after the second tap.
float cubicWeight(float a, float t, int k) {
  const float x = std::fabs(t - float(k - 1));
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

/// The sum over taps of weight times neighbour along one dimension.
Value interpolateAlong(Lowering &l, Value tensor, const ResizeSpec &spec, int64_t d) {
  TensorBuilder &b = l.b;
  const AxisSpec &axis = spec.axes[d];
  const bool cubic = spec.mode == "cubic";
  const int taps = cubic ? 4 : 2;
  SmallVector<SmallVector<int64_t>> indices(taps);
  SmallVector<SmallVector<float>> weights(taps);
  for (int64_t x = 0; x < axis.out; ++x) {
    float position = originalPosition(axis, spec.coordinates, x);
    if (!cubic)
      position = std::clamp(position, 0.0f, float(axis.in - 1));
    const float base = std::floor(position), t = position - base;
    float sum = 0;
    for (int k = 0; k < taps; ++k) {
      const int64_t index = int64_t(base) + k - (cubic ? 1 : 0);
      float weight = cubic ? cubicWeight(spec.cubicA, t, k) : k == 0 ? 1 - t : t;
      if (spec.excludeOutside && (index < 0 || index >= axis.in))
        weight = 0;
      sum += weight;
      indices[k].push_back(std::clamp<int64_t>(index, 0, axis.in - 1));
      weights[k].push_back(weight);
    }
    if (spec.excludeOutside)
      for (auto &along : weights)
        along.back() /= sum;
  }
  Dims dims(TensorBuilder::dimsOf(tensor));
  dims[d] = axis.out;
  SmallVector<Operand> operands;
  for (int k = 0; k < taps; ++k) {
    operands.push_back(b.broadcast(takeAlong(l, tensor, d, indices[k]), dims));
    operands.push_back(l.constantOperand(Constant::ofFloats(weights[k], {axis.out}), dims, d));
  }
  return b.elementwise(dims, l.resultElement(), operands,
                       [&](OpBuilder &ob, Location loc, ValueRange v) {
                         Scalars s(ob, loc, ElemClass::Float);
                         Value sum = s.mul(v[0], v[1]);
                         for (int k = 1; k < taps; ++k)
                           sum = s.add(sum, s.mul(v[2 * k], v[2 * k + 1]));
                         return sum;
                       });
}

LogicalResult resizeBy(Lowering &l, const ResizeSpec &spec) {
  for (const AxisSpec &axis : spec.axes) {
    if (!(axis.scale > 0) || !std::isfinite(axis.scale))
      return l.fail("scales must be positive");
    if (axis.in == 0 && axis.out != 0)
      return l.fail("an empty dimension cannot be enlarged");
    if (axis.out > int64_t(1) << 24)
      return l.fail("the result is too large");
  }
  if (spec.mode == "nearest")
    return resizeNearest(l, spec);
  if (spec.mode != "linear" && spec.mode != "cubic")
    return l.fail("the mode '" + spec.mode + "' is not supported");
  if (l.node.elem(0) != TensorProto::FLOAT)
    return l.fail("interpolation is supported for float only");
  Value result = l.in(0);
  for (auto [d, axis] : enumerate(spec.axes))
    if (axis.scale != 1.0f || axis.in != axis.out)
      result = interpolateAlong(l, result, spec, d);
  return l.set(result);
}

/// The scales of all dimensions from a list for `axes`; nothing if the lists do not fit.
bool setScales(ResizeSpec &spec, ArrayRef<int64_t> axes, ArrayRef<float> scales) {
  if (scales.size() != axes.size())
    return false;
  for (auto [axis, scale] : zip(axes, scales))
    spec.axes[axis].scale = scale;
  return true;
}

SmallVector<float> floatsOf(const Constant &constant) {
  SmallVector<float> values;
  for (int64_t i = 0; i < constant.count(); ++i)
    values.push_back(float(constant.asDouble(i)));
  return values;
}

ResizeSpec unitSpec(Lowering &l) {
  ResizeSpec spec;
  for (auto [in, out] : zip(l.node.dims(0), l.resultDims()))
    spec.axes.push_back({in, out, 1.0f});
  return spec;
}

LogicalResult upsample(Lowering &l) {
  if (l.node.rank(0) != int64_t(l.resultDims().size()))
    return l.fail("input and result differ in rank");
  ResizeSpec spec = unitSpec(l);
  spec.mode = l.node.stringAttr("mode", "nearest");
  spec.coordinates = "asymmetric";
  spec.rounding = "floor";
  SmallVector<int64_t> axes = llvm::to_vector(seq<int64_t>(0, l.node.rank(0)));
  SmallVector<float> scales;
  if (const auto *attribute = l.node.attr("scales"))
    scales.assign(attribute->floats().begin(), attribute->floats().end());
  else if (const Constant *constant = l.node.constant(1))
    scales = floatsOf(*constant);
  if (!setScales(spec, axes, scales))
    return l.fail("there must be a constant scale for each dimension");
  return resizeBy(l, spec);
}

LogicalResult resize(Lowering &l) {
  const int64_t rank = l.node.rank(0);
  if (rank != int64_t(l.resultDims().size()))
    return l.fail("input and result differ in rank");
  ResizeSpec spec = unitSpec(l);
  const bool old = l.node.since < 11;
  spec.mode = l.node.stringAttr("mode", "nearest");
  spec.coordinates =
      old ? "asymmetric" : l.node.stringAttr("coordinate_transformation_mode", "half_pixel");
  spec.rounding = l.node.stringAttr("nearest_mode", "round_prefer_floor");
  spec.ceilWhenShrinking = old;
  spec.cubicA = l.node.floatAttr("cubic_coeff_a", -0.75f);
  spec.excludeOutside = l.node.intAttr("exclude_outside", 0);
  if (spec.coordinates == "tf_crop_and_resize")
    return l.fail("tf_crop_and_resize is not supported");
  if (l.node.intAttr("antialias", 0))
    return l.fail("antialias is not supported");
  auto axes =
      normaliseAxes(l.node.intsAttr("axes").value_or(llvm::to_vector(seq<int64_t>(0, rank))), rank);
  if (!axes)
    return l.fail("axes are outside the dimensions of the input or named twice");
  const unsigned scalesAt = old ? 1 : 2;
  if (l.node.isDynamic(scalesAt) || l.node.isDynamic(3))
    return l.fail("scales and sizes that are not constant are not supported");
  const Constant *scales = l.node.constant(scalesAt), *sizes = l.node.constant(3);
  if (scales && scales->count() > 0) {
    if (!setScales(spec, *axes, floatsOf(*scales)))
      return l.fail("there must be a scale for each axis");
  } else if (sizes && sizes->count() == int64_t(axes->size())) {
    StringRef policy = l.node.stringAttr("keep_aspect_ratio_policy", "stretch");
    SmallVector<float> values;
    for (auto [i, axis] : enumerate(*axes))
      values.push_back(spec.axes[axis].in ? float(sizes->asInt(i)) / float(spec.axes[axis].in)
                                          : 1.0f);
    if (policy != "stretch" && !values.empty())
      values.assign(values.size(), policy == "not_larger" ? *llvm::min_element(values)
                                                          : *llvm::max_element(values));
    setScales(spec, *axes, values);
  } else {
    return l.fail("there must be scales, or a size for each axis");
  }
  return resizeBy(l, spec);
}

} // namespace

ArrayRef<OpEntry> resizeOps() {
  static const OpEntry entries[] = {
      {"Resize", 10, 19, resize},
      {"Upsample", 7, 9, upsample},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
