// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops over units, masks and epilogue. The loop over the reduction is in ConvReduction.cpp.

#include "ConvKernel.h"
#include "KernelSteps.h"

using namespace mlir;
using namespace mlir::dojo;

namespace {
/// Results that go through the epilogue side by side, so that latencies hide each other.
constexpr unsigned epilogueBatch = 8;
/// Vectors of operands per channel that stay in registers over all pixels.
constexpr unsigned maxHoisted = 10;
/// Cycles of an epilogue in which it waits: for the last steps, the first drain, the last results.
constexpr int64_t latencyOfDrain = 30;
} // namespace

ConvKernel::ConvKernel(KernelLowering &lowering, ConvOp op, const ConvGeometry &geometry,
                       const ConvPlan &plan, unsigned accumulators, unsigned epilogueOps)
    : lowering(lowering), d(lowering.d), op(op), g(geometry), plan(plan),
      epilogueCycles(4 * plan.pixelBlocks * plan.groups * (epilogueOps + 1) + latencyOfDrain),
      firstAccumulator(lowering.thread * (accumulators / lowering.threads)),
      rowPixels(g.pixels.back().extent) {
  if (plan.linear)
    rowPixels *= g.pixels[g.pixels.size() - 2].extent;
}

/// Threads that start together would multiply together and then drain together, each unit idle half
/// of the time. The later ones begin so much later that one drains while another multiplies.
void ConvKernel::emitDelay() {
  double units = double(llvm::divideCeil(g.eights(), plan.groups));
  for (int64_t trips : unitLoops(g, plan))
    units *= trips;
  if (lowering.thread == 0 || units < 2.0 * lowering.threads)
    return;
  int64_t multiply = g.steps() * plan.pixelBlocks * plan.groups;
  int64_t cycles = std::min(multiply, epilogueCycles) * lowering.thread;
  auto wait = d1::RepeatOp::create(d.b, d.loc, d.freshConstant(cycles), ValueRange());
  OpBuilder::InsertionGuard guard(d.b);
  d.b.setInsertionPointToEnd(wait.getBodyBlock());
  d1::YieldOp::create(d.b, d.loc, ValueRange());
}

LogicalResult ConvKernel::emit() {
  emitDelay();
  int64_t lo = 0, hi = g.eights();
  if (plan.splitGroups) {
    int64_t units = llvm::divideCeil(hi, plan.groups);
    lo = units * lowering.thread / lowering.threads * plan.groups;
    hi = std::min(hi, int64_t(units * (lowering.thread + 1) / lowering.threads * plan.groups));
  }
  // Whole units; what is left over; and the last unit by itself if only half of it is stored.
  bool half = hi == g.eights() && g.fours % 2 != 0;
  int64_t whole = (hi - lo) / plan.groups * plan.groups, rest = (hi - lo) - whole;
  if (half && rest == 0 && whole > 0) {
    whole -= plan.groups;
    rest = plan.groups;
  }
  if (whole > 0 && failed(emitGroups(lo, lo + whole, plan.groups, false)))
    return failure();
  return rest > 0 ? emitGroups(lo + whole, hi, rest, half) : success();
}

//===----------------------------------------------------------------------===//
// Loops around units
//===----------------------------------------------------------------------===//

LogicalResult ConvKernel::emitGroups(int64_t first, int64_t last, int groupsOfUnit, bool half) {
  groups = groupsOfUnit;
  halfLast = half;
  planReduction();
  SmallVector<int64_t> start{g.weightAddress + first * g.weightStride, g.inAddress,
                             g.outAddress + 2 * first * g.outStride};
  SmallVector<int64_t> byGroup{groups * g.weightStride, 0, 2 * groups * g.outStride};
  for (const ConvExtra &e : g.extras) {
    start.push_back(e.address + 2 * first * e.groupStride);
    byGroup.push_back(2 * groups * e.groupStride);
  }
  levels.assign(1, Level{(last - first) / groups, byGroup});
  SmallVector<int64_t> trips = unitLoops(g, plan);
  for (unsigned i = 0; i < trips.size(); ++i) {
    bool alongRow = i + 1 == trips.size();
    unsigned dim = alongRow ? g.pixels.size() - 1 : i;
    int64_t step = 1;
    if (alongRow)
      step = rowStep();
    else if (!plan.blocksInRow && i + 2 == trips.size())
      step = plan.pixelBlocks;
    Level level{
        trips[i], {0, step * g.pixels[dim].inStride, step * g.pixels[dim].outStride}, alongRow};
    if (alongRow && plan.linear)
      level.steps[In] = 0;
    for (const ConvExtra &e : g.extras)
      level.steps.push_back(step * e.pixelStrides[dim]);
    levels.push_back(std::move(level));
  }
  rowStart = 0;
  if (!plan.splitGroups && lowering.threads > 1) {
    Level &split = levels[1 + bestSplit(trips, lowering.threads)];
    int64_t lo = split.trips * lowering.thread / lowering.threads;
    int64_t hi = split.trips * (lowering.thread + 1) / lowering.threads;
    if (lo == hi)
      return success();
    split.trips = hi - lo;
    for (unsigned p = 0; p < start.size(); ++p)
      start[p] += lo * split.steps[p];
    if (split.alongRow)
      rowStart = lo * rowStep();
  }
  pointers.clear();
  for (int64_t address : start)
    pointers.push_back(d.freshAddress(address));
  hoisted.clear();
  return emitLevel(0);
}

/// Bytes that running the loop of a level moves a pointer by.
int64_t ConvKernel::advance(unsigned depth, unsigned pointer) const {
  if (depth == levels.size())
    return 0;
  const Level &level = levels[depth];
  return level.trips == 1 ? advance(depth + 1, pointer) : level.trips * level.steps[pointer];
}

LogicalResult ConvKernel::emitLevel(unsigned depth) {
  if (depth == 1)
    hoistExtras();
  if (depth == levels.size())
    return emitUnit();
  const Level &level = levels[depth];
  if (level.alongRow) {
    bool partial = rowStart + level.trips * rowStep() > rowPixels;
    remaining = partial && level.trips > 1 ? d.freshConstant(rowPixels - rowStart) : Value();
    if (plan.linear) {
      Value lane = d.op<d1::VCvtI2FOp>(d.op<d1::VIotaOp>());
      position = rowStart ? d.fadd(lane, d.f(float(rowStart))) : lane;
    }
  }
  return level.trips == 1 ? emitLevel(depth + 1) : emitLoop(depth);
}

LogicalResult ConvKernel::emitLoop(unsigned depth) {
  const Level &level = levels[depth];
  SmallVector<unsigned> moving;
  SmallVector<Value> inits;
  for (unsigned p = 0; p < pointers.size(); ++p) {
    if (level.steps[p] == 0 && advance(depth + 1, p) == 0)
      continue;
    moving.push_back(p);
    inits.push_back(pointers[p]);
  }
  bool countsPixels = level.alongRow && remaining, counts = level.alongRow && plan.linear;
  if (countsPixels)
    inits.push_back(remaining);
  if (counts)
    inits.push_back(position);
  auto repeat = d1::RepeatOp::create(d.b, d.loc, d.freshConstant(level.trips), inits);
  OpBuilder::InsertionGuard guard(d.b);
  d.b.setInsertionPointToEnd(repeat.getBodyBlock());
  unsigned next = 0;
  for (unsigned p : moving)
    pointers[p] = repeat.getBodyBlock()->getArgument(next++);
  if (countsPixels)
    remaining = repeat.getBodyBlock()->getArgument(next++);
  if (counts)
    position = repeat.getBodyBlock()->getArgument(next++);
  if (failed(emitLevel(depth + 1)))
    return failure();
  SmallVector<Value> yielded;
  for (unsigned p : moving)
    yielded.push_back(d.addi(pointers[p], level.steps[p] - advance(depth + 1, p)));
  if (countsPixels)
    yielded.push_back(d.addi(remaining, -rowStep()));
  if (counts)
    yielded.push_back(d.fadd(position, d.f(float(rowStep()))));
  d1::YieldOp::create(d.b, d.loc, yielded);
  for (auto [i, p] : llvm::enumerate(moving))
    pointers[p] = repeat.getResults()[i];
  return success();
}

//===----------------------------------------------------------------------===//
// Units
//===----------------------------------------------------------------------===//

LogicalResult ConvKernel::emitUnit() {
  makeMasks();
  if (plan.gather)
    makeGatherOffsets();
  emitReduction();
  return emitEpilogue();
}

/// Masks of the pixels that exist: lanes of 4 bytes of an input block (2 a pixel), granules of a
/// gather (1 a pixel), lanes of a result (4 a pixel, 4 pixels).
void ConvKernel::makeMasks() {
  const Level &row = levels.back();
  int perPixel = plan.gather ? 1 : 2;
  loadMask.clear();
  storeMask.clear();
  for (int block = 0; block < plan.pixelBlocks; ++block) {
    int64_t before = plan.blocksInRow ? block * blockPixels : 0;
    if (remaining) {
      Value left = d.addi(remaining, -before);
      Value lanes = d.slli(left, 2);
      loadMask.push_back(d.op<d1::MLanesOp>(plan.gather ? left : d.slli(left, 1)));
      storeMask.push_back({d.op<d1::MLanesOp>(lanes), d.op<d1::MLanesOp>(d.addi(lanes, -16))});
      continue;
    }
    int64_t left = row.trips == 1 ? rowPixels - rowStart - before : blockPixels;
    left = std::clamp<int64_t>(left, 0, blockPixels);
    loadMask.push_back(left == blockPixels ? d.m0() : d.firstLanes(left * perPixel));
    storeMask.push_back({d.firstLanes(std::min<int64_t>(4 * left, 16)),
                         d.firstLanes(std::max<int64_t>(4 * left - 16, 0))});
  }
}

void ConvKernel::makeGatherOffsets() {
  int64_t stride = g.pixels.back().inStride;
  gatherOffsets.clear();
  if (!plan.linear) {
    std::array<int32_t, 16> offsets{};
    for (int i = 0; i < 16; ++i)
      offsets[i] = i * stride;
    gatherOffsets.assign(plan.pixelBlocks, d.lanes(offsets));
    return;
  }
  // Pixel p of the row is in line floor(p / width). The factor's error is too small to reach the
  // next whole number, half a pixel away.
  const PixelDim &line = g.pixels[g.pixels.size() - 2];
  int64_t width = g.pixels.back().extent, perLine = line.inStride - width * stride;
  for (int block = 0; block < plan.pixelBlocks; ++block) {
    Value p = block ? d.fadd(position, d.f(float(block * blockPixels))) : position;
    Value scaled = d.fmul(d.fadd(p, d.f(0.5f)), d.f(1.0f / float(width)));
    Value y = d.op<d1::VFTruncOp>(scaled);
    Value bytes = d.fma(y, d.f(float(perLine)), d.fmul(p, d.f(float(stride))));
    gatherOffsets.push_back(d.op<d1::VCvtF2IOp>(bytes));
  }
}

//===----------------------------------------------------------------------===//
// Epilogue
//===----------------------------------------------------------------------===//

/// Four channels, repeated for four pixels.
Value ConvKernel::loadPerChannel(unsigned extra, int four) {
  const ConvExtra &e = g.extras[extra];
  KernelLowering::Address a =
      lowering.reachable({pointers[FirstExtra + extra], four * e.groupStride});
  std::array<int32_t, 16> repeat;
  for (int l = 0; l < 16; ++l)
    repeat[l] = l % 4;
  Value channels = d.vld(a.base, a.offset, e.type, d.firstLanes(4), e.region);
  return d.op<d1::VPermOp>(channels, d.lanes(repeat));
}

void ConvKernel::hoistExtras() {
  unsigned room = maxHoisted;
  hoisted.clear();
  for (auto [i, e] : llvm::enumerate(g.extras)) {
    unsigned needed = e.kind == ConvExtra::Scalar ? 1 : 2 * groups;
    if (e.kind == ConvExtra::PerPixel || needed > room)
      continue;
    room -= needed;
    if (e.kind == ConvExtra::Scalar) {
      hoisted[{i, 0}] = d.vldb(pointers[FirstExtra + i], 0, e.type, e.region);
      continue;
    }
    for (int four = 0; four < 2 * groups; ++four)
      if (isStored(four))
        hoisted[{i, four}] = loadPerChannel(i, four);
  }
}

/// The operand for pixels 4 * half to 4 * half + 3 of a block.
Value ConvKernel::loadExtra(unsigned extra, int block, int four, int half) {
  const ConvExtra &e = g.extras[extra];
  auto known = hoisted.find({extra, e.kind == ConvExtra::Scalar ? 0 : four});
  if (known != hoisted.end())
    return known->second;
  if (e.kind == ConvExtra::Scalar)
    return d.vldb(pointers[FirstExtra + extra], 0, e.type, e.region);
  if (e.kind == ConvExtra::PerChannel)
    return loadPerChannel(extra, four);
  int64_t offset = four * e.groupStride + half * 16 * e.bytes +
                   blockOffset(block, e.pixelStrides.back(), outerStride(e.pixelStrides));
  KernelLowering::Address a = lowering.reachable({pointers[FirstExtra + extra], offset});
  return d.vld(a.base, a.offset, e.type, storeMask[block][half], e.region);
}

LogicalResult ConvKernel::emitEpilogue() {
  struct Result {
    int block, four, half;
  };
  SmallVector<Result> results;
  for (int block = 0; block < plan.pixelBlocks; ++block)
    for (int four = 0; four < 2 * groups; ++four)
      for (int half = 0; half < 2; ++half)
        if (isStored(four))
          results.push_back({block, four, half});
  SmallVector<int64_t> outStrides;
  for (const PixelDim &p : g.pixels)
    outStrides.push_back(p.outStride);
  Block &body = op.getEpilogue().front();
  for (ArrayRef<Result> rest = results; !rest.empty();) {
    ArrayRef<Result> batch = rest.take_front(epilogueBatch);
    rest = rest.drop_front(batch.size());
    SmallVector<SmallVector<Value>> arguments(batch.size());
    for (auto [r, args] : llvm::zip(batch, arguments)) {
      int acc = accumulator(r.block, r.four / 2), quarter = r.half + 2 * (r.four % 2);
      args.push_back(d.op<d1::DrainOp>(acc, quarter));
    }
    for (unsigned e = 0; e < g.extras.size(); ++e)
      for (auto [r, args] : llvm::zip(batch, arguments))
        args.push_back(loadExtra(e, r.block, r.four, r.half));
    SmallVector<SmallVector<Value>> values;
    if (failed(lowering.inlineBodies(body, arguments, values)))
      return failure();
    for (auto [r, value] : llvm::zip(batch, values)) {
      int64_t offset = r.four * g.outStride + r.half * 16 * g.outBytes +
                       blockOffset(r.block, outStrides.back(), outerStride(outStrides));
      KernelLowering::Address a = lowering.reachable({pointers[Out], offset});
      d.vst(value[0], a.base, a.offset, g.outType, storeMask[r.block][r.half], g.outRegion);
    }
  }
  return success();
}

LogicalResult mlir::dojo::lowerConv(KernelLowering &lowering, ConvOp op, unsigned accumulators) {
  FailureOr<ConvGeometry> geometry =
      readConv(op, [&](Value memref) { return lowering.regionOf(memref); });
  if (failed(geometry))
    return failure();
  for (int64_t extent : op.getInitType().getShape())
    if (extent == 0)
      return success();
  unsigned epilogueOps =
      llvm::count_if(op.getEpilogue().front().without_terminator(),
                     [](Operation &o) { return !isa<arith::ExtFOp, arith::TruncFOp>(o); });
  ConvPlan plan = planConv(*geometry, lowering.threads, accumulators, epilogueOps);
  return ConvKernel(lowering, op, *geometry, plan, accumulators, epilogueOps).emit();
}
