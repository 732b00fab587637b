// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resize and Upsample: separable interpolation with weights known at compile time.

#include "Resize.h"
#include "Take.h"
#include <cmath>

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// The position in the input that element `x` of the result stands for, far outside the input
/// clamped.
template <typename T> T originalPosition(const AxisSpec &axis, StringRef mode, int64_t x) {
  const T at = T(x), scale = T(axis.scale), in = T(axis.in), width = T(axis.width);
  auto position = [&]() -> T {
    if (mode == "asymmetric")
      return at / scale;
    if (mode == "align_corners")
      return width == 1 ? T(0) : at * (in - 1) / (width - 1);
    if (mode == "tf_crop_and_resize") {
      const T start = T(axis.roiStart), end = T(axis.roiEnd);
      const T inside =
          width == 1 ? (end - start) * (in - 1) / 2 : at * (end - start) * (in - 1) / (width - 1);
      return inside + start * (in - 1);
    }
    if (mode == "tf_half_pixel_for_nn")
      return (at + T(0.5)) / scale;
    if (mode == "pytorch_half_pixel" && axis.out <= 1)
      return T(0);
    const T centred = (at + T(0.5)) / scale - T(0.5);
    if (mode == "half_pixel_symmetric")
      return in / 2 * (1 - T(axis.out) / width) + centred;
    return centred;
  }();
  return std::isnan(position) ? T(0) : std::clamp(position, T(-8), in + T(8));
}

int64_t nearestIndex(const ResizeSpec &spec, const AxisSpec &axis, int64_t x) {
  if (axis.in == axis.out && axis.scale == 1.0 && !spec.crop)
    return x;
  // Single precision, as the runtimes do it: which neighbour is nearest depends on it.
  const float position = originalPosition<float>(axis, spec.coordinates, x);
  float index;
  if (spec.ceilWhenShrinking)
    index = axis.scale < 1.0 ? std::ceil(position) : std::floor(position);
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

/// `tensor` with the extrapolation value at all elements that stand for positions outside the
/// input.
Value extrapolate(Lowering &l, Value tensor, const ResizeSpec &spec) {
  TensorBuilder &b = l.b;
  const Dims dims(TensorBuilder::dimsOf(tensor));
  for (auto [d, axis] : enumerate(spec.axes)) {
    std::string outside;
    bool any = false;
    for (int64_t x = 0; x < axis.out; ++x) {
      const double position = originalPosition<double>(axis, spec.coordinates, x);
      outside.push_back(position < 0 || position > double(axis.in - 1));
      any |= outside.back() != 0;
    }
    if (!any)
      continue;
    Constant mask({TensorProto::BOOL, {axis.out}}, outside);
    tensor =
        b.elementwise(dims, TensorBuilder::elementOf(tensor),
                      {b.broadcast(tensor, dims), l.constantOperand(mask, dims, d)},
                      [&](OpBuilder &ob, Location loc, ValueRange v) -> Value {
                        Scalars s(ob, loc, ElemClass::Float);
                        return s.select(v[1], s.constant(v[0].getType(), spec.extrapolation), v[0]);
                      });
  }
  return tensor;
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
  result = b.reshape(result, l.resultDims());
  return l.set(spec.crop ? extrapolate(l, result, spec) : result);
}

/// The weight of a neighbour at distance `x`.
double kernelAt(const ResizeSpec &spec, double x) {
  x = std::fabs(x);
  if (spec.mode != "cubic")
    return std::max(1 - x, 0.0);
  const double a = spec.cubicA;
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/// The neighbours that count for each element of the result: tap k of element x is element
/// indices[k][x] of the input, with weights[k][x].
struct Taps {
  SmallVector<SmallVector<int64_t>> indices;
  SmallVector<SmallVector<float>> weights;
};

Taps tapsOf(const ResizeSpec &spec, const AxisSpec &axis) {
  // Antialiasing stretches the kernel over as many neighbours as become one element.
  const double stretch = spec.antialias ? std::min(axis.scale, 1.0) : 1.0;
  const int64_t reach = int64_t(std::ceil((spec.mode == "cubic" ? 2 : 1) / stretch));
  const int64_t count = 2 * reach;
  Taps taps{SmallVector<SmallVector<int64_t>>(count), SmallVector<SmallVector<float>>(count)};
  std::vector<double> weights(count);
  for (int64_t x = 0; x < axis.out; ++x) {
    const double position = originalPosition<double>(axis, spec.coordinates, x);
    const int64_t first = int64_t(std::floor(position)) - reach + 1;
    double sum = 0;
    for (int64_t k = 0; k < count; ++k) {
      const int64_t index = first + k;
      const bool left = spec.excludeOutside && (index < 0 || index >= axis.in);
      weights[k] = left ? 0 : kernelAt(spec, (double(index) - position) * stretch);
      sum += weights[k];
    }
    const bool normalise = (spec.antialias || spec.excludeOutside) && sum != 0;
    for (int64_t k = 0; k < count; ++k) {
      taps.indices[k].push_back(std::clamp<int64_t>(first + k, 0, axis.in - 1));
      taps.weights[k].push_back(float(normalise ? weights[k] / sum : weights[k]));
    }
  }
  return taps;
}

/// The sum over taps of weight times neighbour along one dimension.
Value interpolateAlong(Lowering &l, Value tensor, const ResizeSpec &spec, int64_t d) {
  TensorBuilder &b = l.b;
  const AxisSpec &axis = spec.axes[d];
  const Taps taps = tapsOf(spec, axis);
  Dims dims(TensorBuilder::dimsOf(tensor));
  dims[d] = axis.out;
  // A layer reads only so many operands; more taps are summed in several.
  constexpr size_t kTapsAtOnce = 4;
  Value sum;
  for (size_t first = 0; first < taps.indices.size(); first += kTapsAtOnce) {
    SmallVector<Operand> operands;
    for (size_t k = first; k < std::min(first + kTapsAtOnce, taps.indices.size()); ++k) {
      if (llvm::all_of(taps.weights[k], [](float w) { return w == 0; }))
        continue;
      operands.push_back(b.broadcast(takeAlong(l, tensor, d, taps.indices[k]), dims));
      operands.push_back(
          l.constantOperand(Constant::ofFloats(taps.weights[k], {axis.out}), dims, d));
    }
    if (operands.empty())
      continue;
    if (sum)
      operands.push_back(b.broadcast(sum, dims));
    sum = b.elementwise(dims, TensorBuilder::elementOf(tensor), operands,
                        [&](OpBuilder &ob, Location loc, ValueRange v) {
                          Scalars s(ob, loc, ElemClass::Float);
                          Value total = s.mul(v[0], v[1]);
                          size_t k = 2;
                          for (; k + 1 < operands.size(); k += 2)
                            total = s.add(total, s.mul(v[k], v[k + 1]));
                          return k < operands.size() ? s.add(total, v[k]) : total;
                        });
  }
  // Scales far from the extents can leave every weight at zero.
  return sum ? sum : b.filled(dims, b.getZeroAttr(TensorBuilder::elementOf(tensor)));
}

LogicalResult resizeBy(Lowering &l, const ResizeSpec &spec, ArrayRef<int64_t> roiAxes) {
  for (const AxisSpec &axis : spec.axes) {
    if (!(axis.scale > 0) || !std::isfinite(axis.scale))
      return l.fail("scales must be positive");
    if (axis.in == 0 && axis.out != 0)
      return l.fail("an empty dimension cannot be enlarged");
    if (axis.out > int64_t(1) << 24)
      return l.fail("the result is too large");
    if (spec.antialias && double(axis.out) * std::min(axis.scale, 1.0) * 64 < 1)
      return l.fail("antialiasing over more than 64 elements is too large");
  }
  if (spec.mode != "nearest" && spec.mode != "linear" && spec.mode != "cubic")
    return l.fail("the mode '" + spec.mode + "' is not known");
  if (!roiAxes.empty())
    return cropAtRunTime(l, spec, roiAxes);
  if (spec.mode == "nearest")
    return resizeNearest(l, spec);
  const int32_t elem = l.node.elem(0);
  const int32_t work = elem == TensorProto::DOUBLE ? elem : int32_t(TensorProto::FLOAT);
  Value result = convertRounding(l, l.in(0), elem, work);
  for (auto [d, axis] : enumerate(spec.axes))
    if (axis.scale != 1.0 || axis.in != axis.out || axis.roiStart != 0 || axis.roiEnd != 1)
      result = interpolateAlong(l, result, spec, d);
  if (spec.crop)
    result = extrapolate(l, result, spec);
  return l.set(convertRounding(l, result, work, elem));
}

/// The scales of all dimensions from a list for `axes`; nothing if the lists do not fit.
bool setScales(ResizeSpec &spec, ArrayRef<int64_t> axes, ArrayRef<float> scales) {
  if (scales.size() != axes.size())
    return false;
  for (auto [axis, scale] : zip(axes, scales)) {
    spec.axes[axis].scale = scale;
    spec.axes[axis].width = double(scale) * double(spec.axes[axis].in);
  }
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
    spec.axes.push_back({in, out, 1.0, double(out)});
  return spec;
}

LogicalResult upsample(Lowering &l) {
  if (l.node.rank(0) != int64_t(l.resultDims().size()))
    return l.fail("input and result differ in rank");
  ResizeSpec spec = unitSpec(l);
  spec.mode = l.node.stringAttr("mode", "nearest");
  if (l.node.since == 1 && spec.mode == "bilinear")
    spec.mode = "linear";
  spec.coordinates = "asymmetric";
  spec.rounding = "floor";
  SmallVector<int64_t> axes = llvm::to_vector(seq<int64_t>(0, l.node.rank(0)));
  SmallVector<float> scales;
  if (l.node.since == 1)
    scales = {1, 1, l.node.floatAttr("height_scale", 0), l.node.floatAttr("width_scale", 0)};
  else if (const auto *attribute = l.node.attr("scales"))
    scales.assign(attribute->floats().begin(), attribute->floats().end());
  else if (const Constant *constant = l.node.constant(1))
    scales = floatsOf(*constant);
  if (!setScales(spec, axes, scales))
    return l.fail("there must be a constant scale for each dimension");
  return resizeBy(l, spec, {});
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
  spec.crop = spec.coordinates == "tf_crop_and_resize";
  spec.extrapolation = l.node.floatAttr("extrapolation_value", 0.0f);
  spec.antialias = l.node.intAttr("antialias", 0) && spec.mode != "nearest";
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
    SmallVector<double> values;
    for (auto [i, axis] : enumerate(*axes))
      values.push_back(spec.axes[axis].in ? double(sizes->asInt(i)) / double(spec.axes[axis].in)
                                          : 1.0);
    if (policy != "stretch" && !values.empty())
      values.assign(values.size(), policy == "not_larger" ? *llvm::min_element(values)
                                                          : *llvm::max_element(values));
    for (auto [i, axis] : enumerate(*axes)) {
      AxisSpec &a = spec.axes[axis];
      a.scale = values[i];
      a.width = policy == "stretch" ? double(a.out) : values[i] * double(a.in);
    }
  } else {
    return l.fail("there must be scales, or a size for each axis");
  }
  if (!spec.crop)
    return resizeBy(l, spec, {});
  if (!l.node.has(1) || l.node.dims(1) != ArrayRef<int64_t>{2 * int64_t(axes->size())})
    return l.fail("roi must have a start and an end for each axis");
  const Constant *roi = l.node.constant(1);
  if (!roi)
    return resizeBy(l, spec, *axes);
  for (auto [i, axis] : enumerate(*axes)) {
    spec.axes[axis].roiStart = roi->asDouble(i);
    spec.axes[axis].roiEnd = roi->asDouble(axes->size() + i);
  }
  return resizeBy(l, spec, {});
}

} // namespace

ArrayRef<OpEntry> resizeOps() {
  static const OpEntry entries[] = {
      {"Resize", 10, 19, resize},
      {"Upsample", 1, 9, upsample},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
