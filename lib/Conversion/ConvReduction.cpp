// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loop over taps and input channels of a dojo.conv.
//
// The steps of the reduction are one stream, in the order of the weights in memory. A loop runs
// over bodies of `unroll` steps. Input blocks (and weights, if several blocks of pixels share them)
// are loaded into `slots` sets of registers, as many steps ahead, past the end of the body and of
// the window's rows: the address of the next body is known at the start of each, from counters
// that turn like the wheels of an odometer. After the last body it is that of the first again, so
// that what is loaded in vain is valid memory.

#include "ConvKernel.h"

using namespace mlir;
using namespace mlir::dojo;

namespace {
/// Registers for input blocks in flight.
constexpr int maxInputRegisters = 8;
/// From this many steps on, sums start by a step with zeros instead of a body of its own.
constexpr int64_t longReduction = 48;
} // namespace

void ConvKernel::planReduction() {
  unroll = chooseUnroll(g);
  bodies = g.steps() / unroll;
  // The dimensions inside of the body, then the one that it divides, then those around it.
  SmallVector<ReductionDim> inner, outer;
  int64_t left = unroll;
  for (const ReductionDim &r : llvm::reverse(g.reduction)) {
    int64_t part = std::gcd(left, r.extent);
    left /= part;
    if (part > 1)
      inner.push_back({part, r.stride});
    if (r.extent / part > 1)
      outer.push_back({r.extent / part, r.stride * part});
  }
  stepOffsets.assign(1, 0);
  for (const ReductionDim &r : inner) {
    SmallVector<int64_t> more;
    for (int64_t i = 0; i < r.extent; ++i)
      for (int64_t offset : stepOffsets)
        more.push_back(offset + i * r.stride);
    stepOffsets = more;
  }
  wheels.clear();
  for (const ReductionDim &r : outer)
    wheels.push_back({r.extent, r.stride});
  slots = 1;
  for (int s = 1; s <= unroll; ++s)
    if (unroll % s == 0 &&
        s * std::max(plan.pixelBlocks, plan.pixelBlocks > 1 ? groups : 1) <= maxInputRegisters)
      slots = s;
}

/// Loads the input blocks of step `step` of a body into its slot.
void ConvKernel::loadA(Stream &s, int64_t step, Value base) {
  SmallVector<int64_t> strides;
  for (const PixelDim &p : g.pixels)
    strides.push_back(p.inStride);
  Value gatherBase;
  for (int block = 0; block < plan.pixelBlocks; ++block) {
    Value &slot = s.a[step % slots * plan.pixelBlocks + block];
    int64_t offset = stepOffsets[step];
    if (plan.linear) {
      if (!gatherBase)
        gatherBase = d.addi(base, offset);
      slot = d.gather(gatherBase, gatherOffsets[block], loadMask[block], false, g.inRegion);
      continue;
    }
    offset += blockOffset(block, strides.back(), outerStride(strides));
    if (plan.gather) {
      slot =
          d.gather(d.addi(base, offset), gatherOffsets[block], loadMask[block], false, g.inRegion);
      continue;
    }
    KernelLowering::Address a = lowering.reachable({base, offset});
    slot = d.vld(a.base, a.offset, d1::EType::w32, loadMask[block], g.inRegion);
  }
}

/// Loads the weights of the next step into the slot of step `step`.
void ConvKernel::loadB(Stream &s, int64_t step) {
  for (int group = 0; group < groups; ++group) {
    auto load = d1::VLdOp::create(d.b, d.loc, s.bBase[group], int32_t(blockBytes), true,
                                  d1::EType::w32, d.m0());
    load->setAttr(memoryRegionAttr, d.b.getI32IntegerAttr(g.weightRegion));
    s.b[step % slots * groups + group] = load->getResult(0);
    s.bBase[group] = load->getResult(1);
  }
}

/// Turns the wheels by one body. Returns the input address of the next body; `more` is 0 in the
/// last body.
Value ConvKernel::nextBase(Stream &s, Value &more) {
  // What a wheel's step moves the address by, the wheels inside of it going back to their start.
  SmallVector<int64_t> moves;
  int64_t back = 0;
  for (const Wheel &w : wheels) {
    moves.push_back(w.stride - back);
    back += (w.trips - 1) * w.stride;
  }
  SmallVector<Value> turned;
  for (unsigned i = 0; i < wheels.size(); ++i)
    turned.push_back(i == 0 ? d.addi(s.counters[0], -1)
                            : d.op<d1::SubOp>(s.counters[i], d.seqz(turned[i - 1])));
  // The first wheel that is not at its end moves, and those inside of it go back.
  Value move = d.li(-back);
  more = {};
  for (int i = int(wheels.size()) - 1; i >= 0; --i) {
    move = d.op<d1::SelOp>(turned[i], d.li(moves[i]), move);
    more = more ? d.op<d1::OrOp>(more, turned[i]) : turned[i];
  }
  for (unsigned i = 0; i < wheels.size(); ++i)
    s.counters[i] = d.op<d1::SelOp>(turned[i], turned[i], d.li(wheels[i].trips));
  return d.op<d1::AddOp>(s.aBase, move);
}

void ConvKernel::emitBody(Stream &s, bool first, bool last) {
  bool shared = plan.pixelBlocks > 1;
  Value more, next;
  if (!last)
    next = nextBase(s, more);
  for (int64_t step = 0; step < unroll; ++step) {
    int slot = step % slots;
    bool start = first && step == 0;
    for (int group = 0; group < groups; ++group) {
      if (shared) {
        for (int block = 0; block < plan.pixelBlocks; ++block)
          d1::MmOp::create(d.b, d.loc, accumulator(block, group),
                           s.a[slot * plan.pixelBlocks + block], s.b[slot * groups + group], start,
                           d1::MatFormat::bf16);
        continue;
      }
      auto mm = d1::MmVMOp::create(d.b, d.loc, accumulator(0, group), s.a[slot], s.bBase[group],
                                   int32_t(blockBytes), true, start, d1::MatFormat::bf16);
      mm->setAttr(memoryRegionAttr, d.b.getI32IntegerAttr(g.weightRegion));
      s.bBase[group] = mm->getResult(0);
    }
    int64_t ahead = step + slots;
    if (ahead < unroll) {
      loadA(s, ahead, s.aBase);
      if (shared)
        loadB(s, ahead);
    } else if (!last) {
      if (shared && ahead == unroll)
        for (int group = 0; group < groups; ++group)
          s.bBase[group] = d.op<d1::SelOp>(more, s.bBase[group], s.bStart[group]);
      loadA(s, ahead - unroll, next);
      if (shared)
        loadB(s, ahead - unroll);
    }
  }
  if (!last)
    s.aBase = next;
}

void ConvKernel::emitReduction() {
  bool shared = plan.pixelBlocks > 1;
  Stream s;
  s.aBase = pointers[In];
  s.a.resize(slots * plan.pixelBlocks);
  for (int group = 0; group < groups; ++group)
    s.bStart.push_back(d.addi(pointers[Weight], group * g.weightStride));
  s.bBase = s.bStart;
  if (shared)
    s.b.resize(slots * groups);
  for (const Wheel &w : wheels)
    s.counters.push_back(d.freshConstant(w.trips));
  for (int64_t step = 0; step < slots; ++step) {
    loadA(s, step, s.aBase);
    if (shared)
      loadB(s, step);
  }
  if (bodies == 1)
    return emitBody(s, true, true);

  int64_t looped = bodies;
  if (g.steps() < longReduction) {
    emitBody(s, true, false);
    --looped;
  } else {
    Value zero = d.splat(0);
    for (int a = 0; a < plan.pixelBlocks * groups; ++a)
      d1::MmOp::create(d.b, d.loc, firstAccumulator + a, zero, zero, 1, d1::MatFormat::bf16);
  }
  if (looped == 1)
    return emitBody(s, false, true);
  SmallVector<Value *> carried{&s.aBase};
  for (SmallVector<Value> *values : {&s.a, &s.b, &s.bBase, &s.counters})
    for (Value &v : *values)
      carried.push_back(&v);
  SmallVector<Value> inits;
  for (Value *v : carried)
    inits.push_back(*v);
  auto repeat = d1::RepeatOp::create(d.b, d.loc, d.freshConstant(looped), inits);
  OpBuilder::InsertionGuard guard(d.b);
  d.b.setInsertionPointToEnd(repeat.getBodyBlock());
  for (auto [v, arg] : llvm::zip(carried, repeat.getBodyBlock()->getArguments()))
    *v = arg;
  emitBody(s, false, false);
  SmallVector<Value> yielded;
  for (Value *v : carried)
    yielded.push_back(*v);
  d1::YieldOp::create(d.b, d.loc, yielded);
}
