// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads and stores of a nest, and scalars as lanes.

#include "NestEmitter.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::dojo;

/// Values kept in registers over inner loops.
static constexpr unsigned maxHoisted = 14;

/// The index of an operand's first lane in its flat view; `shift` is the instance's.
Value NestEmitter::address(const Access &a, int64_t shift) {
  MLIRContext *ctx = b.getContext();
  SmallVector<Value> operands;
  SmallVector<AffineExpr> index;
  AffineExpr e = getAffineConstantExpr(a.offset, ctx);
  for (unsigned d = 0; d < nest.dims.size(); ++d) {
    int64_t constant = base[d] + (static_cast<int>(d) == jamDim ? shift : 0);
    AffineExpr i = getAffineConstantExpr(constant, ctx);
    if (iv[d] && a.usesDim(d)) {
      i = getAffineDimExpr(operands.size(), ctx) + i;
      operands.push_back(iv[d]);
    }
    index.push_back(i);
    e = e + i * a.strides[d];
  }
  if (a.residual)
    e = e + a.residual.replaceDims(index);
  e = simplifyAffineExpr(e, operands.size(), 0);
  if (auto c = dyn_cast<AffineConstantExpr>(e))
    return arith::ConstantIndexOp::create(b, loc, c.getValue());
  return affine::AffineApplyOp::create(b, loc, AffineMap::get(operands.size(), 0, e), operands);
}

Value NestEmitter::loadInput(unsigned input, const Instance &inst) {
  const Access &a = nest.inputs[input];
  if (!a.root)
    return a.scalar;
  Instance at = inst;
  if (laneReduced)
    at.usedLanes = stepLanes;
  if (nest.inPlace)
    return load(a, at);
  // As far out as the address does not change.
  unsigned depth = loops.size();
  while (depth > 0 && !a.usesDim(loops[depth - 1].first))
    --depth;
  bool hoist = depth < loops.size();
  if (hoist && hoisted >= maxHoisted) {
    depth = loops.size();
    hoist = false;
  }
  std::vector<int64_t> constants;
  for (unsigned d = 0; d < nest.dims.size(); ++d)
    if (a.usesDim(d))
      constants.push_back(base[d] + (static_cast<int>(d) == jamDim ? inst.shift : 0));
  Operation *scope = depth > 0 ? loops[depth - 1].second.getOperation() : nullptr;
  Value &cached = cache[{scope, input, constants, at.usedLanes}];
  if (cached)
    return cached;
  OpBuilder::InsertionGuard guard(b);
  if (hoist) {
    b.setInsertionPoint(loops[depth].second);
    ++hoisted;
  }
  return cached = load(a, at);
}

Value NestEmitter::load(const Access &a, const Instance &inst) {
  Value view = views.get(b, a.root);
  Value index = address(a, inst.shift);
  if (!lanes.isVector())
    return memref::LoadOp::create(b, loc, view, index);
  LaneOffsets offsets = laneOffsets(a, lanes);
  VectorType type = laneType(a.element);
  switch (classify(offsets, inst.usedLanes)) {
  case LanePattern::Uniform:
    return memref::LoadOp::create(b, loc, view, index);
  case LanePattern::Contiguous:
    if (inst.usedLanes == numLanes)
      return vector::LoadOp::create(b, loc, type, view, index);
    return vector::MaskedLoadOp::create(b, loc, type, view, index, laneMask(inst.usedLanes),
                                        splat(b.getZeroAttr(a.element)));
  case LanePattern::Irregular:
    break;
  }
  return vector::GatherOp::create(b, loc, type, view, index, laneOffsetVector(offsets, inst),
                                  laneMask(inst.usedLanes), splat(b.getZeroAttr(a.element)));
}

Value NestEmitter::laneOffsetVector(const LaneOffsets &offsets, const Instance &inst) {
  SmallVector<int32_t> used(numLanes, 0);
  for (int l = 0; l < inst.usedLanes; ++l)
    used[l] = offsets[l];
  return arith::ConstantOp::create(b, loc, b.getI32VectorAttr(used));
}

/// What the output holds before the operation.
Value NestEmitter::initialValue(unsigned output, const Instance &inst) {
  if (TypedAttr init = nest.inits[output])
    return arith::ConstantOp::create(b, loc, init);
  return load(nest.outputs[output], inst);
}

void NestEmitter::store(const Access &a, const Instance &inst, int usedLanes, Value v) {
  Value view = views.get(b, a.root);
  Value index = address(a, inst.shift);
  if (!lanes.isVector()) {
    memref::StoreOp::create(b, loc, v, view, index);
    return;
  }
  LaneOffsets offsets = laneOffsets(a, lanes);
  bool contiguous = usedLanes == 1 || classify(offsets, usedLanes) == LanePattern::Contiguous;
  if (contiguous && usedLanes == numLanes)
    vector::StoreOp::create(b, loc, v, view, index);
  else if (contiguous)
    vector::MaskedStoreOp::create(b, loc, view, index, laneMask(usedLanes), v);
  else
    vector::ScatterOp::create(b, loc, Type(), view, index, laneOffsetVector(offsets, inst),
                              laneMask(usedLanes), v);
}

Value NestEmitter::laneMask(int usedLanes) {
  auto type = laneType(b.getI1Type());
  return vector::ConstantMaskOp::create(b, loc, type, ArrayRef<int64_t>{usedLanes});
}

Value NestEmitter::splat(TypedAttr scalar) {
  if (!lanes.isVector())
    return arith::ConstantOp::create(b, loc, scalar);
  auto type = laneType(scalar.getType());
  return arith::ConstantOp::create(b, loc, cast<TypedAttr>(DenseElementsAttr::get(type, scalar)));
}

Value NestEmitter::toLanes(Value v) {
  if (!lanes.isVector() || isa<VectorType>(v.getType()))
    return v;
  Attribute constant;
  if (matchPattern(v, m_Constant(&constant)))
    return splat(cast<TypedAttr>(constant));
  return vector::BroadcastOp::create(b, loc, laneType(v.getType()), v);
}

//===----------------------------------------------------------------------===//
// Reads at computed places
//===----------------------------------------------------------------------===//

Value NestEmitter::firstLane(Value index, IRMapping &map, const Instance &inst) {
  if (!variance->varies(index))
    return map.lookupOrDefault(index);
  if (auto op = index.getDefiningOp<linalg::IndexOp>())
    return emitFirstIndex(op.getDim(), inst);
  auto sum = index.getDefiningOp<arith::AddIOp>();
  Value lhs = firstLane(sum.getLhs(), map, inst), rhs = firstLane(sum.getRhs(), map, inst);
  return arith::AddIOp::create(b, loc, lhs, rhs);
}

Value NestEmitter::emitLoad(memref::LoadOp load, IRMapping &map, const Instance &inst) {
  auto root = cast<BlockArgument>(load.getMemRef());
  Value view = views.get(b, root);
  VectorType type = laneType(load.getType());
  int used = laneReduced ? stepLanes : inst.usedLanes;
  bool contiguous = variance->isContiguous(load);
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  (void)load.getMemRefType().getStridesAndOffset(strides, offset);
  // The place in the flat view, in lane 0 or in all lanes.
  Value place;
  for (auto [index, stride] : llvm::zip(load.getIndices(), strides)) {
    Value term = contiguous ? firstLane(index, map, inst) : map.lookupOrDefault(index);
    auto constant = [&](int64_t v) -> Value {
      Value scalar = arith::ConstantIndexOp::create(b, loc, v);
      return isa<VectorType>(term.getType()) ? toLanes(scalar) : scalar;
    };
    if (stride != 1)
      term = arith::MulIOp::create(b, loc, term, constant(stride));
    if (place && isa<VectorType>(place.getType()) != isa<VectorType>(term.getType())) {
      place = toLanes(place);
      term = toLanes(term);
    }
    place = place ? arith::AddIOp::create(b, loc, place, term).getResult() : term;
  }
  if (contiguous && used == numLanes)
    return vector::LoadOp::create(b, loc, type, view, place);
  Value otherwise = splat(b.getZeroAttr(load.getType()));
  if (contiguous)
    return vector::MaskedLoadOp::create(b, loc, type, view, place, laneMask(used), otherwise);
  Value base = arith::ConstantIndexOp::create(b, loc, 0);
  return vector::GatherOp::create(b, loc, type, view, base, place, laneMask(used), otherwise);
}
