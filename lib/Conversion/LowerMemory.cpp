// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads and stores.

#include "KernelLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::dojo;

KernelLowering::Address KernelLowering::addressOf(Operation *op) {
  if (std::optional<PointerPlan::Place> place = plan.find(op)) {
    const PointerPlan::Pointer &p = plan.getPointers()[place->pointer];
    Value base = p.chain.empty() ? d.address(p.start.constant) : pointers.lookup(place->pointer);
    return {base, place->offset};
  }
  // The plan has checked buffer, strides and address.
  MemoryOperand operand = *getMemoryOperand(op);
  auto type = cast<MemRefType>(operand.memref.getType());
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  (void)type.getStridesAndOffset(strides, offset);
  int64_t bytes = elementBytes(type.getElementType());
  Value sum;
  for (auto [index, stride] : llvm::zip(operand.indices, strides)) {
    int64_t factor = stride * bytes;
    if (std::optional<int64_t> c = getConstantIntValue(index)) {
      offset += *c * stride;
      continue;
    }
    Value term = get(index);
    if (llvm::isPowerOf2_64(factor))
      term = d.slli(term, llvm::Log2_64(factor));
    else if (factor != 0)
      term = d.op<d1::MulOp>(term, d.li(factor));
    else
      continue;
    sum = sum ? d.op<d1::AddOp>(sum, term) : term;
  }
  int64_t constant = offset * bytes + *getArgumentAddress(getRootArgument(operand.memref));
  Value base = d.address(constant);
  return {sum ? d.op<d1::AddOp>(sum, base) : base, 0};
}

KernelLowering::Address KernelLowering::reachable(Address a, int64_t extra) {
  a.offset += extra;
  return llvm::isInt<12>(a.offset) ? a : Address{d.addi(a.base, a.offset), 0};
}

/// Number of leading lanes that a constant mask has; -1 for any other mask.
static int maskedLanes(Value mask) {
  if (auto constant = mask.getDefiningOp<vector::ConstantMaskOp>())
    return constant.getMaskDimSizes()[0];
  DenseElementsAttr dense;
  if (!matchPattern(mask, m_Constant(&dense)))
    return -1;
  uint32_t bits = 0;
  for (auto [l, b] : llvm::enumerate(dense.getValues<bool>()))
    bits |= uint32_t(b) << l;
  return bits == 0 ? 0 : llvm::isMask_32(bits) ? llvm::countr_one(bits) : -1;
}

static std::optional<LaneOffsets> constantOffsets(Value indices) {
  DenseIntElementsAttr dense;
  if (!matchPattern(indices, m_Constant(&dense)))
    return std::nullopt;
  LaneOffsets offsets{};
  for (auto [l, v] : llvm::enumerate(dense.getValues<APInt>()))
    offsets[l] = v.getSExtValue();
  return offsets;
}

static bool isZero(Value v) {
  return matchPattern(v, m_AnyZeroFloat()) || matchPattern(v, m_Zero());
}

/// The value that a store writes.
static Value getStoredValue(Operation *op) {
  return TypeSwitch<Operation *, Value>(op)
      .Case<memref::StoreOp, vector::StoreOp, vector::MaskedStoreOp, vector::ScatterOp>(
          [](auto store) { return store.getValueToStore(); })
      .Default([](Operation *) { return Value(); });
}

LogicalResult KernelLowering::lowerAccess(Operation *op) {
  int region = plan.region(getMemoryOperand(op)->memref);
  Type element = cast<MemRefType>(getMemoryOperand(op)->memref.getType()).getElementType();
  // What is only moved goes as bits.
  Value moved = op->getNumResults() ? op->getResult(0) : getStoredValue(op);
  if (narrowBits.contains(moved))
    element = IntegerType::get(op->getContext(), 16);
  const bool isScalarFloat = isa<FloatType>(getElementTypeOrSelf(moved.getType()));
  std::optional<d1::EType> type = elementType(element);
  if (element.isF64() || (isa<FloatType>(element) && !type))
    return unsupported(op);
  Value all = d.m0();
  auto asMask = [&](Value lanes) {
    return element.isInteger(1) ? d.icmp(lanes, d.x0(), d1::Cond::ne) : lanes;
  };
  if (auto load = dyn_cast<memref::LoadOp>(op)) {
    Address a = reachable(addressOf(op));
    set(load, isScalarFloat ? d.vldb(a.base, a.offset, *type, region)
                            : d.load(a.base, a.offset, elementBytes(element), region));
    return success();
  }
  if (auto store = dyn_cast<memref::StoreOp>(op)) {
    Value value = get(store.getValueToStore());
    Address a = reachable(addressOf(op));
    if (isScalarFloat)
      d.vst(value, a.base, a.offset, *type, d.firstLanes(1), region);
    else
      d.store(value, a.base, a.offset, elementBytes(element), region);
    return success();
  }
  if (!type)
    return unsupported(op);
  auto lanesOf = [&](Value v) {
    Value reg = get(v);
    return element.isInteger(1) ? d.vsel(reg, d.splat(1), d.x0()) : reg;
  };
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](vector::LoadOp o) {
        Address a = reachable(addressOf(op));
        set(o, asMask(d.vld(a.base, a.offset, *type, all, region)));
        return success();
      })
      .Case([&](vector::MaskedLoadOp o) {
        Value mask = get(o.getMask());
        Address a = reachable(addressOf(op));
        Value lanes = asMask(d.vld(a.base, a.offset, *type, mask, region));
        if (!isZero(o.getPassThru())) {
          Value other = get(o.getPassThru());
          lanes = element.isInteger(1) ? d.op<d1::MOrOp>(lanes, d.op<d1::MAndNOp>(other, mask))
                                       : d.vsel(mask, lanes, other);
        }
        set(o, lanes);
        return success();
      })
      .Case([&](vector::StoreOp o) {
        Value lanes = lanesOf(o.getValueToStore());
        Address a = reachable(addressOf(op));
        d.vst(lanes, a.base, a.offset, *type, all, region);
        return success();
      })
      .Case([&](vector::MaskedStoreOp o) {
        Value lanes = lanesOf(o.getValueToStore()), mask = get(o.getMask());
        Address a = reachable(addressOf(op));
        d.vst(lanes, a.base, a.offset, *type, mask, region);
        return success();
      })
      .Case([&](vector::GatherOp o) -> LogicalResult {
        std::optional<LaneOffsets> offsets = constantOffsets(o.getIndices());
        int used = maskedLanes(o.getMask());
        if (used < 0 || !isZero(o.getPassThru()))
          return unsupported(op);
        if (!offsets) {
          auto memref = cast<MemRefType>(o.getBase().getType());
          Value lanes = gatherLanes(addressOf(op), element, get(o.getIndices()),
                                    memref.getNumElements(), used, region);
          if (!lanes)
            return unsupported(op);
          set(o, asMask(lanes));
          return success();
        }
        set(o, asMask(loadLanes(addressOf(op), element, *offsets, used, region)));
        return success();
      })
      .Case([&](vector::ScatterOp o) -> LogicalResult {
        std::optional<LaneOffsets> offsets = constantOffsets(o.getIndices());
        int used = maskedLanes(o.getMask());
        if (!offsets || used < 0)
          return unsupported(op);
        Value lanes = lanesOf(o.getValueToStore());
        storeLanes(addressOf(op), lanes, element, *offsets, used, region);
        return success();
      })
      .Default([&](Operation *) { return unsupported(op); });
}

/// True if each four lanes are neighbours in memory, from `least` in reach of 16-bit offsets.
static bool isGranular(ArrayRef<int64_t> offsets, int used, int64_t bytes, int64_t least) {
  if (used % 4 != 0 || (bytes != 2 && bytes != 4))
    return false;
  for (int l = 0; l < used; ++l)
    if (offsets[l] != offsets[l & ~3] + (l & 3))
      return false;
  for (int l = 0; l < used; ++l)
    if ((offsets[l] - least) * bytes > 65535)
      return false;
  return true;
}

Value KernelLowering::loadLanes(Address a, Type element, ArrayRef<int64_t> offsets, int used,
                                int region) {
  d1::EType type = *elementType(element);
  int64_t bytes = elementBytes(element);
  if (used == 0)
    return d.splat(0);
  int64_t least = *std::min_element(offsets.begin(), offsets.begin() + used);
  int64_t most = *std::max_element(offsets.begin(), offsets.begin() + used);
  if (least == most) {
    a = reachable(a, least * bytes);
    Value lanes = d.vldb(a.base, a.offset, type, region);
    return used == numLanes ? lanes : d.vsel(d.firstLanes(used), lanes, d.x0());
  }
  // Vector accesses need even addresses.
  if (bytes == 1)
    least &= ~int64_t(1);
  int64_t span = most - least + 1;
  bool granular =
      element.isF32() || element.isInteger(32) || element.isBF16() || element.isInteger(16);
  if (span > numLanes && granular && isGranular(offsets, used, bytes, least)) {
    std::array<int32_t, 16> granules{};
    for (int g = 0; g < used / 4; ++g)
      granules[g] = (offsets[4 * g] - least) * bytes;
    // The rest of the pattern goes on, so that it is easy to make.
    for (int g = used / 4; g < 16; ++g)
      granules[g] = granules[g - 1] + (g > 1 ? granules[1] - granules[0] : 0);
    Value base = d.addi(a.base, a.offset + least * bytes);
    Value raw = d.gather(base, d.lanes(granules), d.firstLanes(used / 4), bytes == 4, region);
    if (bytes == 4)
      return raw;
    Value high = d.op<d1::VUnpackLoBF16Op>(raw);
    return element.isBF16() ? high : d.isra(high, 16);
  }
  if (span <= 2 * numLanes) {
    std::array<int32_t, 16> index{};
    for (int l = 0; l < used; ++l)
      index[l] = offsets[l] - least;
    for (int l = used; l < numLanes; ++l)
      index[l] = index[l - 1];
    Address low = reachable(a, least * bytes);
    Value mask = d.firstLanes(std::min<int64_t>(span, numLanes));
    Value lanes = d.vld(low.base, low.offset, type, mask, region);
    if (span <= numLanes) {
      lanes = d.op<d1::VPermOp>(lanes, d.lanes(index));
    } else {
      Address high = reachable(a, (least + numLanes) * bytes);
      Value more = d.vld(high.base, high.offset, type, d.firstLanes(span - numLanes), region);
      lanes = d.op<d1::VPerm2Op>(lanes, more, d.lanes(index));
    }
    return used == numLanes ? lanes : d.vsel(d.firstLanes(used), lanes, d.x0());
  }
  // Lanes that are in memory as far apart as in the register come with one load.
  llvm::MapVector<int64_t, uint16_t> pieces;
  for (int l = 0; l < used; ++l)
    pieces[offsets[l] - l] |= uint16_t(1u << l);
  Value sum;
  for (auto [shift, bits] : pieces) {
    Address piece = reachable(a, shift * bytes);
    Value mask = d.op<d1::MMovXOp>(d.li(bits));
    Value lanes = d.vld(piece.base, piece.offset, type, mask, region);
    sum = sum ? d.ior(sum, lanes) : lanes;
  }
  return sum;
}

Value KernelLowering::gatherLanes(Address a, Type element, Value offsets, int64_t elements,
                                  int used, int region) {
  int64_t bytes = elementBytes(element);
  Value base = a.offset ? d.addi(a.base, a.offset) : a.base;
  Value at = bytes == 1 ? offsets : d.ishl(offsets, llvm::Log2_64(bytes));
  bool isFloat16 = element.isF16();
  if (bytes > 4 || isFloat16)
    return {};
  if (bytes >= 2 && elements * bytes <= 65536) {
    // Granules of 8 bytes that begin at the elements, 8 at a time; their first words remain.
    std::array<int32_t, 16> even{};
    for (int l = 0; l < numLanes; ++l)
      even[l] = 2 * l;
    Value low = d.gather(base, at, d.firstLanes(std::min(used, 8)), false, region);
    Value lanes;
    if (used > 8) {
      Value high = d.gather(base, d.slide(at, 8), d.firstLanes(used - 8), false, region);
      lanes = d.op<d1::VPerm2Op>(low, high, d.lanes(even));
    } else {
      lanes = d.op<d1::VPermOp>(low, d.lanes(even));
      lanes = d.vsel(d.firstLanes(used), lanes, d.x0());
    }
    if (bytes == 4)
      return lanes;
    lanes = d.ishl(lanes, 16);
    return element.isBF16() ? lanes : d.isra(lanes, 16);
  }
  Value lanes = d.splat(0);
  for (int l = 0; l < used; ++l) {
    Value address = d.op<d1::AddOp>(base, d.op<d1::VExtractOp>(at, l));
    Value scalar = d.load(address, 0, bytes, region);
    if (element.isBF16())
      scalar = d.slli(scalar, 16);
    lanes = d.op<d1::VInsertOp>(lanes, scalar, l);
  }
  return lanes;
}

void KernelLowering::storeLanes(Address a, Value value, Type element, ArrayRef<int64_t> offsets,
                                int used, int region) {
  int64_t bytes = elementBytes(element);
  llvm::MapVector<int64_t, uint16_t> pieces;
  for (int l = 0; l < used; ++l)
    pieces[offsets[l] - l] |= uint16_t(1u << l);
  for (auto [shift, bits] : pieces) {
    Address piece = reachable(a, shift * bytes);
    Value mask = d.op<d1::MMovXOp>(d.li(bits));
    d.vst(value, piece.base, piece.offset, *elementType(element), mask, region);
  }
}
