// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConvPlan.h"
#include "KernelLowering.h"
#include "KernelNest.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mlir::dojo;

int64_t ConvGeometry::steps() const {
  int64_t n = 1;
  for (const ReductionDim &r : reduction)
    n *= r.extent;
  return n;
}

//===----------------------------------------------------------------------===//
// Geometry
//===----------------------------------------------------------------------===//

namespace {
/// Address and strides of a memref in bytes.
struct Buffer {
  int64_t address, bytes;
  SmallVector<int64_t> strides;
};
} // namespace

static FailureOr<Buffer> readBuffer(ConvOp op, Value memref) {
  auto type = dyn_cast<MemRefType>(memref.getType());
  if (!type) {
    op.emitError("must work on memrefs in a kernel");
    return failure();
  }
  Buffer buffer;
  int64_t offset;
  BlockArgument root = getRootArgument(memref);
  std::optional<int64_t> address = root ? getArgumentAddress(root) : std::nullopt;
  if (!address) {
    op.emitError("has an operand without an address (argument attribute dojo.address)");
    return failure();
  }
  if (failed(type.getStridesAndOffset(buffer.strides, offset)) || ShapedType::isDynamic(offset) ||
      llvm::any_of(buffer.strides, ShapedType::isDynamic)) {
    op.emitError("has an operand of type ") << type << ", whose strides are not static";
    return failure();
  }
  buffer.bytes = elementBytes(type.getElementType());
  buffer.address = *address + offset * buffer.bytes;
  for (int64_t &s : buffer.strides)
    s *= buffer.bytes;
  return buffer;
}

/// Adds factor * (constant and coefficients of a linear expression in the 5 dimensions).
static bool addLinear(AffineExpr e, int64_t factor, int64_t &constant, MutableArrayRef<int64_t> c) {
  if (auto k = dyn_cast<AffineConstantExpr>(e)) {
    constant += factor * k.getValue();
    return true;
  }
  if (auto dim = dyn_cast<AffineDimExpr>(e)) {
    c[dim.getPosition()] += factor;
    return true;
  }
  auto bin = dyn_cast<AffineBinaryOpExpr>(e);
  if (!bin)
    return false;
  if (bin.getKind() == AffineExprKind::Add)
    return addLinear(bin.getLHS(), factor, constant, c) &&
           addLinear(bin.getRHS(), factor, constant, c);
  auto k = dyn_cast<AffineConstantExpr>(bin.getRHS());
  return bin.getKind() == AffineExprKind::Mul && k &&
         addLinear(bin.getLHS(), factor * k.getValue(), constant, c);
}

static FailureOr<ConvExtra> readExtra(ConvOp op, unsigned i, ArrayRef<int64_t> extents) {
  Value operand = op.getExtras()[i];
  FailureOr<Buffer> buffer = readBuffer(op, operand);
  if (failed(buffer))
    return failure();
  Type element = cast<MemRefType>(operand.getType()).getElementType();
  std::optional<d1::EType> type = elementType(element);
  std::array<int64_t, 5> c{};
  int64_t constant = 0;
  bool linear = type.has_value();
  // Quotients and remainders cancel where dimensions that lie side by side were one.
  AffineExpr place = getAffineConstantExpr(0, op.getContext());
  for (auto [e, stride] : llvm::zip(op.getExtraMapValues()[i].getResults(), buffer->strides))
    place = place + e * stride;
  linear = linear && addLinear(simplifyAffineExpr(place, 5, 0), 1, constant, c);
  for (unsigned dim = 0; dim < 5; ++dim)
    if (extents[dim] == 1)
      c[dim] = 0;
  bool pixels = c[0] || c[2] || c[3];
  ConvExtra extra{ConvExtra::Scalar,
                  buffer->address + constant,
                  linear ? *type : d1::EType::w32,
                  buffer->bytes,
                  c[1],
                  {c[0], c[2], c[3]},
                  -1};
  if (linear && c[4] == buffer->bytes)
    extra.kind = pixels ? ConvExtra::PerPixel : ConvExtra::PerChannel;
  else if (!linear || c[4] || pixels || c[1]) {
    op.emitError("extra operand ") << i << " must be the same for all channels and pixels, or have "
                                   << "the four channels of a group side by side";
    return failure();
  }
  return extra;
}

/// Drops dimensions of extent 1 and merges neighbours that all operands step through alike.
static void simplifyPixels(ConvGeometry &g) {
  for (int d = g.pixels.size() - 1; d >= 0; --d) {
    if (g.pixels[d].extent != 1)
      continue;
    g.pixels.erase(g.pixels.begin() + d);
    for (ConvExtra &e : g.extras)
      e.pixelStrides.erase(e.pixelStrides.begin() + d);
  }
  for (int d = int(g.pixels.size()) - 2; d >= 0; --d) {
    PixelDim &outer = g.pixels[d], &inner = g.pixels[d + 1];
    bool fits = outer.inStride == inner.inStride * inner.extent &&
                outer.outStride == inner.outStride * inner.extent;
    for (const ConvExtra &e : g.extras)
      fits &= e.pixelStrides[d] == e.pixelStrides[d + 1] * inner.extent;
    if (!fits)
      continue;
    inner.extent *= outer.extent;
    g.pixels.erase(g.pixels.begin() + d);
    for (ConvExtra &e : g.extras)
      e.pixelStrides.erase(e.pixelStrides.begin() + d);
  }
  // Results of a block are stored side by side. Where they are not, a block holds one pixel.
  bool adjacent = !g.pixels.empty() && g.pixels.back().outStride == 4 * g.outBytes;
  for (const ConvExtra &e : g.extras)
    adjacent &= e.kind != ConvExtra::PerPixel || e.pixelStrides.empty() ||
                e.pixelStrides.back() == 4 * e.bytes;
  if (!adjacent) {
    g.pixels.push_back({1, pixelBytes, 4 * g.outBytes});
    for (ConvExtra &e : g.extras)
      e.pixelStrides.push_back(e.kind == ConvExtra::PerPixel ? 4 * e.bytes : 0);
  }
}

FailureOr<ConvGeometry> mlir::dojo::readConv(ConvOp op, llvm::function_ref<int(Value)> regionOf) {
  FailureOr<Buffer> in = readBuffer(op, op.getInput()), weight = readBuffer(op, op.getWeight()),
                    out = readBuffer(op, op.getInit());
  if (failed(in) || failed(weight) || failed(out))
    return failure();
  ConvGeometry g;
  ArrayRef<int64_t> ws = op.getWeightType().getShape(), os = op.getInitType().getShape();
  Type outElement = op.getInitType().getElementType();
  if (!outElement.isBF16() && !outElement.isF32()) {
    op.emitError("stores bf16 or f32, not ") << outElement;
    return failure();
  }
  g.outType = *elementType(outElement);
  g.outBytes = out->bytes;
  g.inAddress = in->address;
  g.weightAddress = weight->address;
  g.outAddress = out->address;
  g.outStride = out->strides[1];
  g.fours = os[1];
  g.weightStride = weight->strides[0];
  g.inRegion = regionOf(op.getInput());
  g.weightRegion = regionOf(op.getWeight());
  g.outRegion = regionOf(op.getInit());
  if (in->strides[4] != 2 || out->strides[4] != out->bytes) {
    op.emitError("needs the four channels of a group side by side");
    return failure();
  }
  // Weights of one group of output channels must be blocks one after the other.
  int64_t expected = 2;
  for (int d = 5; d >= 1; --d) {
    if (ws[d] != 1 && weight->strides[d] != expected) {
      op.emitError("needs the weights of a group of output channels in one piece");
      return failure();
    }
    expected *= ws[d];
  }
  ArrayRef<int64_t> strides = op.getStrides(), dilations = op.getDilations();
  g.pixels = {{os[0], in->strides[0], out->strides[0]},
              {os[2], in->strides[2] * strides[0], out->strides[2]},
              {os[3], in->strides[3] * strides[1], out->strides[3]}};
  for (ReductionDim r :
       {ReductionDim{ws[1], in->strides[2] * dilations[0]},
        ReductionDim{ws[2], in->strides[3] * dilations[1]}, ReductionDim{ws[3], in->strides[1]}}) {
    if (r.extent == 1)
      continue;
    ReductionDim *last = g.reduction.empty() ? nullptr : &g.reduction.back();
    if (last && last->stride == r.stride * r.extent)
      *last = {last->extent * r.extent, r.stride};
    else
      g.reduction.push_back(r);
  }
  if (g.reduction.empty())
    g.reduction.push_back({1, 0});
  for (unsigned i = 0; i < op.getExtras().size(); ++i) {
    FailureOr<ConvExtra> extra = readExtra(op, i, os);
    if (failed(extra))
      return failure();
    extra->region = regionOf(op.getExtras()[i]);
    g.extras.push_back(std::move(*extra));
  }
  simplifyPixels(g);
  return g;
}

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

int64_t mlir::dojo::chooseUnroll(const ConvGeometry &g) {
  constexpr int64_t wanted = 6, enough = 3, most = 24, whole = 12;
  if (g.steps() <= whole)
    return g.steps();
  int64_t inner = 1;
  int d = g.reduction.size() - 1;
  while (d >= 0 && inner * g.reduction[d].extent <= wanted)
    inner *= g.reduction[d--].extent;
  int64_t extent = g.reduction[d].extent, best = inner;
  for (int64_t divisor = 1; inner * divisor <= wanted; ++divisor)
    if (extent % divisor == 0)
      best = inner * divisor;
  for (int64_t divisor = 1; best < enough && inner * divisor <= most; ++divisor)
    if (extent % divisor == 0 && inner * divisor >= enough)
      best = inner * divisor;
  return best;
}

/// True if the last two pixel dimensions can be taken as one by gathering the input.
static bool canBeLinear(const ConvGeometry &g) {
  if (g.pixels.size() < 2)
    return false;
  const PixelDim &y = g.pixels[g.pixels.size() - 2], &x = g.pixels.back();
  if (y.outStride != x.outStride * x.extent)
    return false;
  for (const ConvExtra &e : g.extras) {
    unsigned n = e.pixelStrides.size();
    if (e.kind == ConvExtra::PerPixel && e.pixelStrides[n - 2] != e.pixelStrides[n - 1] * x.extent)
      return false;
  }
  // Offsets of a gather have 16 bits.
  return (y.extent - 1) * y.inStride + (x.extent + blockPixels) * x.inStride < 65536;
}

SmallVector<int64_t> mlir::dojo::unitLoops(const ConvGeometry &g, const ConvPlan &p) {
  SmallVector<int64_t> loops;
  for (const PixelDim &d : g.pixels)
    loops.push_back(d.extent);
  if (p.linear) {
    int64_t row = loops.pop_back_val();
    loops.back() *= row;
  }
  loops.back() = llvm::divideCeil(loops.back(), blockPixels);
  int64_t &blocked = p.blocksInRow ? loops.back() : loops[loops.size() - 2];
  blocked = llvm::divideCeil(blocked, p.pixelBlocks);
  return loops;
}

/// The part of the iterations that falls to the busiest of the threads.
static double busiestShare(int64_t trips, unsigned threads) {
  return double(llvm::divideCeil(trips, int64_t(threads))) / trips;
}

unsigned mlir::dojo::bestSplit(ArrayRef<int64_t> loops, unsigned threads) {
  unsigned best = 0;
  for (unsigned i = 1; i < loops.size(); ++i)
    if (busiestShare(loops[i], threads) < busiestShare(loops[best], threads) - 1e-9)
      best = i;
  return best;
}

static double estimate(const ConvGeometry &g, const ConvPlan &p, unsigned threads,
                       unsigned epilogueOps) {
  SmallVector<int64_t> loops = unitLoops(g, p);
  double groupUnits = llvm::divideCeil(g.eights(), p.groups), allUnits = groupUnits;
  for (int64_t trips : loops)
    allUnits *= trips;
  int64_t split = p.splitGroups ? int64_t(groupUnits) : loops[bestSplit(loops, threads)];
  double units = allUnits * busiestShare(split, threads);

  double pairs = p.pixelBlocks * p.groups;
  double slots = p.pixelBlocks * (p.gather ? 4.0 : 2.0) + p.groups;
  double step = std::max(pairs, slots / 2);
  double results = pairs * 4;
  double simd = results * (epilogueOps + 1.0) + (p.linear ? 7.0 * p.pixelBlocks : 0);
  // Alone, a thread pays for latencies: at the start and the end of the reduction and in the
  // epilogue; together, the threads share the matrix and the SIMD unit.
  double alone = units * (g.steps() * step + simd + 45);
  double together = allUnits * std::max(g.steps() * step, simd);
  return std::max(alone, together);
}

ConvPlan mlir::dojo::planConv(const ConvGeometry &g, unsigned threads, unsigned accumulators,
                              unsigned epilogueOps) {
  ConvPlan best;
  best.cycles = -1;
  int most = std::max(1u, accumulators / threads);
  bool adjacent = g.pixels.back().inStride == pixelBytes || g.pixels.back().extent == 1;
  auto consider = [&](ConvPlan p) {
    p.cycles = estimate(g, p, threads, epilogueOps);
    if (best.cycles < 0 || p.cycles < best.cycles - 1e-9)
      best = p;
  };
  for (int groups = std::min<int64_t>(most, g.eights()); groups >= 1; --groups) {
    for (int blocks = 1; blocks * groups <= most; ++blocks) {
      for (bool splitGroups : {false, true}) {
        if (splitGroups && threads == 1)
          continue;
        consider({false, !adjacent, blocks, groups, true, splitGroups});
        if (canBeLinear(g))
          consider({true, true, blocks, groups, true, splitGroups});
        unsigned dims = g.pixels.size();
        if (blocks > 1 && dims > 1 && g.pixels[dims - 2].extent % blocks == 0)
          consider({false, !adjacent, blocks, groups, false, splitGroups});
      }
    }
  }
  return best;
}
