// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Windows put back where they came from (Col2Im, MaxUnpool).

#include "../Lowering.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

using utils::IteratorType;

constexpr int64_t kLimit = int64_t(1) << 24;

/// result[n, c, p...] is the sum over the elements k... of windows l... with
/// l * stride + k * dilation = p + pad: a sum over k of columns with zeros between the windows.
LogicalResult col2im(Lowering &l) {
  TensorBuilder &b = l.b;
  const Constant *image = l.node.constant(1), *block = l.node.constant(2);
  if (!image || !block)
    return l.fail("the shapes of image and block are known only at run time");
  const SmallVector<int64_t> in = image->ints(), kernel = block->ints();
  const size_t spatial = in.size();
  auto read = [&](StringRef name, int64_t otherwise, size_t count) {
    auto values = l.node.intsAttr(name);
    return values && !values->empty() ? *values : SmallVector<int64_t>(count, otherwise);
  };
  auto strides = read("strides", 1, spatial), dilations = read("dilations", 1, spatial);
  auto pads = read("pads", 0, 2 * spatial);
  auto outside = [](ArrayRef<int64_t> values, int64_t low) {
    return any_of(values, [&](int64_t v) { return v < low || v > kLimit; });
  };
  if (spatial < 1 || kernel.size() != spatial || strides.size() != spatial ||
      dilations.size() != spatial || pads.size() != 2 * spatial || outside(in, 1) ||
      outside(kernel, 1) || outside(strides, 1) || outside(dilations, 1) || outside(pads, 0))
    return l.fail("image, block, strides, dilations and pads do not fit each other");
  if (l.node.rank(0) != 3 || l.node.dims(0)[1] % saturatedProduct(kernel))
    return l.fail("the input must be [n, channels * block, windows]");
  const int64_t n = l.node.dims(0)[0], c = l.node.dims(0)[1] / saturatedProduct(kernel);

  Dims split{n, c}, spread{n, c}, between(2 + spatial, 0), joined{n, c}, low(2 + spatial, 0),
      high(2 + spatial, 0);
  SliceSpec cut{Dims(2 + 2 * spatial, 0), Dims(2 + 2 * spatial, 1), {n, c}};
  int64_t windows = 1;
  for (ArrayRef<int64_t> list : {ArrayRef<int64_t>(kernel)})
    for (auto *dims : {&split, &spread, &joined, &cut.sizes})
      append_range(*dims, list);
  for (size_t d = 0; d < spatial; ++d) {
    const int64_t reach = (kernel[d] - 1) * dilations[d];
    const int64_t room = in[d] + pads[d] + pads[spatial + d] - reach - 1;
    const int64_t count = room < 0 ? 0 : room / strides[d] + 1;
    windows = saturatedProduct({windows, count});
    split.push_back(count);
    spread.append({count, 1});
    between.append({0, strides[d] - 1});
    joined.push_back(count * strides[d]);
    low.push_back(reach);
    cut.starts[2 + spatial + d] = pads[d];
    cut.sizes.push_back(in[d] + reach);
    high.push_back(std::max<int64_t>(pads[d] + in[d] - joined.back(), 0));
  }
  if (windows != l.node.dims(0)[2] || windows == 0)
    return l.fail("the input has another number of windows than fit the image");
  Dims whole = joined;
  for (size_t d = 0; d < whole.size(); ++d)
    whole[d] += low[d] + high[d];
  if (!elementCount(whole))
    return l.fail("the columns are too large", Category::TooLarge);
  TypedAttr zero = scalarAttr(l.elementType(0), int64_t(0));
  Value x = b.pad(b.reshape(l.in(0), spread), Dims(spread.size(), 0), between, zero);
  x = b.slice(b.pad(b.reshape(x, joined), low, high, zero), cut);
  // The element of the window counts backwards, so that places are sums.
  SliceSpec reversed{Dims(cut.starts.size(), 0), Dims(cut.starts.size(), 1), cut.sizes};
  for (size_t d = 0; d < spatial; ++d)
    if (kernel[d] > 1) {
      reversed.starts[2 + d] = kernel[d] - 1;
      reversed.steps[2 + d] = -1;
    }
  x = b.slice(x, reversed);
  // Loops (n, c, p..., k...).
  const unsigned loops = 2 + 2 * spatial;
  SmallVector<AffineExpr> exprs{b.getAffineDimExpr(0), b.getAffineDimExpr(1)};
  for (size_t d = 0; d < spatial; ++d)
    exprs.push_back(b.getAffineDimExpr(2 + spatial + d));
  for (size_t d = 0; d < spatial; ++d)
    exprs.push_back(b.getAffineDimExpr(2 + d) + b.getAffineDimExpr(2 + spatial + d) * dilations[d]);
  SmallVector<IteratorType> iterators(2 + spatial, IteratorType::parallel);
  iterators.append(spatial, IteratorType::reduction);
  Dims out{n, c};
  append_range(out, in);
  // The block's extents are those of an operand that is never read.
  SmallVector<int64_t> blockLoops = llvm::to_vector(seq<int64_t>(2 + spatial, loops));
  const ElemClass kind = l.node.info(0).kind;
  auto op =
      b.generic({{x, AffineMap::get(loops, 0, exprs, b.getContext()), {}},
                 b.along(b.empty(kernel, l.elementType(0)), blockLoops, loops)},
                b.filled(out, zero), b.getMultiDimIdentityMap(loops).getMajorSubMap(2 + spatial),
                iterators, [&](OpBuilder &ob, Location loc, ValueRange v) {
                  return Scalars(ob, loc, kind).add(v[2], v[0]);
                });
  return l.set(op.getResult(0));
}

/// Puts the elements of the input at the places that operand 1 names, counted through the result
/// as it would be without output_shape.
LogicalResult maxUnpool(Lowering &l) {
  TensorBuilder &b = l.b;
  const int64_t rank = l.node.rank(0), spatial = rank - 2;
  auto kernel = l.node.intsAttr("kernel_shape");
  auto strides = l.node.intsAttr("strides").value_or(SmallVector<int64_t>(spatial, 1));
  auto pads = l.node.intsAttr("pads").value_or(SmallVector<int64_t>(2 * spatial, 0));
  if (spatial < 1 || !kernel || int64_t(kernel->size()) != spatial ||
      int64_t(strides.size()) != spatial || int64_t(pads.size()) != 2 * spatial ||
      l.node.dims(1) != l.node.dims(0))
    return l.fail("input, places, kernel_shape, strides and pads do not fit each other");
  if (l.node.isDynamic(2))
    return l.fail("the output shape is known only at run time", Category::DataDependentShape);
  Dims inner{l.node.dims(0)[0], l.node.dims(0)[1]};
  for (int64_t d = 0; d < spatial; ++d) {
    if (std::abs(pads[d]) > kLimit || std::abs(pads[spatial + d]) > kLimit ||
        std::abs(strides[d]) > kLimit || std::abs((*kernel)[d]) > kLimit)
      return l.fail("kernel_shape, strides and pads are too large");
    inner.push_back((l.node.dims(0)[2 + d] - 1) * strides[d] - pads[d] - pads[spatial + d] +
                    (*kernel)[d]);
  }
  Dims out = inner;
  if (const Constant *shape = l.node.constant(2)) {
    const SmallVector<int64_t> given = shape->ints();
    out.assign(given.begin(), given.end());
  }
  auto places = elementCount(inner), count = elementCount(l.node.dims(0));
  if (!places || !count || *places > INT32_MAX || int64_t(out.size()) != rank ||
      !elementCount(out) ||
      any_of(zip(out, inner), [](auto pair) { return std::get<0>(pair) < std::get<1>(pair); }))
    return l.fail("the output shape is smaller than what the windows cover, or too large");
  TypedAttr zero = scalarAttr(l.elementType(0), int64_t(0));
  Value targets =
      b.elementwise(*count, b.getI32Type(), b.along(b.reshape(l.in(1), *count), {0}, 1),
                    [&](OpBuilder &ob, Location loc, ValueRange v) {
                      return castScalar(ob, loc, v[0], l.node.elem(1), TensorProto::INT32);
                    });
  auto op = b.generic({b.along(targets, {1}, 2), b.along(b.reshape(l.in(0), *count), {1}, 2)},
                      b.filled(*places, zero), b.getMultiDimIdentityMap(2).getMajorSubMap(1),
                      {IteratorType::parallel, IteratorType::reduction},
                      [&](OpBuilder &ob, Location loc, ValueRange v) {
                        Scalars s(ob, loc, ElemClass::Signed);
                        Value here = arith::IndexCastOp::create(
                            ob, loc, ob.getI32Type(), linalg::IndexOp::create(ob, loc, 0));
                        return s.select(s.equal(v[0], here), v[1], v[2]);
                      });
  Dims high;
  for (auto [whole, own] : zip(out, inner))
    high.push_back(whole - own);
  return l.set(b.pad(b.reshape(op.getResult(0), inner), Dims(rank, 0), high, zero));
}

} // namespace

ArrayRef<OpEntry> columnOps() {
  static const OpEntry entries[] = {
      {"Col2Im", 18, 18, col2im},
      {"MaxUnpool", 9, 22, maxUnpool},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
