// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "D1Builder.h"

using namespace mlir;
using namespace mlir::dojo;

D1Builder::D1Builder(OpBuilder b, Location loc) : b(b), loc(loc) {}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

void D1Builder::startSection(Block *block) {
  section = block;
  lastConstant = block->empty() ? nullptr : &block->back();
  scalars.clear();
  splats.clear();
  masks.clear();
  vectors.clear();
  zeroX = onesM = {};
}

Value D1Builder::constant(llvm::function_ref<Value()> make) {
  OpBuilder::InsertionGuard guard(b);
  if (lastConstant)
    b.setInsertionPointAfter(lastConstant);
  else
    b.setInsertionPointToStart(section);
  Value made = make();
  lastConstant = made.getDefiningOp();
  return made;
}

Value D1Builder::x0() {
  if (!zeroX)
    zeroX = constant([&] {
      return d1::RegisterOp::create(b, loc, d1::XType::get(b.getContext(), 0)).getResult();
    });
  return zeroX;
}

Value D1Builder::m0() {
  if (!onesM)
    onesM = constant([&] {
      return d1::RegisterOp::create(b, loc, d1::MType::get(b.getContext(), 0)).getResult();
    });
  return onesM;
}

Value D1Builder::materialize(int64_t value) {
  if (llvm::isInt<16>(value))
    return op<d1::LiSOp>(int32_t(value));
  Value low = op<d1::LiOp>(int32_t(value));
  return llvm::isInt<32>(value) ? low : op<d1::LihOp>(low, int32_t(value >> 32));
}

Value D1Builder::li(int64_t value) {
  if (value == 0)
    return x0();
  Value &known = scalars[value];
  if (!known)
    known = constant([&] { return materialize(value); });
  return known;
}

Value D1Builder::freshConstant(int64_t value) { return materialize(value); }

Value D1Builder::freshAddress(int64_t value) {
  int64_t index = ((value + argumentBase(0) / 2) >> 40) - 1;
  if (index < 0)
    return materialize(value);
  Type type = d1::XType::get(b.getContext(), firstArgumentRegister + index);
  Value base = d1::RegisterOp::create(b, loc, type);
  int64_t offset = value - argumentBase(index);
  if (llvm::isInt<12>(offset))
    return op<d1::AddiOp>(base, int32_t(offset));
  return op<d1::AddiLOp>(base, int32_t(offset));
}

Value D1Builder::address(int64_t value) {
  Value &known = addresses[value];
  if (!known)
    known = constant([&] { return freshAddress(value); });
  return known;
}

Value D1Builder::owned(Value v) {
  if (d1::getRegisterIndex(v.getType()) < 0)
    return v;
  if (isa<d1::XType>(v.getType()))
    return op<d1::AddOp>(v, x0());
  return isa<d1::VType>(v.getType()) ? op<d1::VMovOp>(v) : op<d1::MOrOp>(v, v);
}

Value D1Builder::splat(int64_t bits) {
  bits = int32_t(bits);
  auto it = splats.find(bits);
  if (it != splats.end())
    return it->second;
  Value scalar = li(bits);
  return splats[bits] = constant([&] { return op<d1::VMovXOp>(scalar); });
}

Value D1Builder::firstLanes(int count) {
  if (count >= 16)
    return m0();
  Value &known = masks[(1 << count) - 1];
  if (!known)
    known = constant([&] { return op<d1::MLanesIOp>(count); });
  return known;
}

Value D1Builder::laneSet(uint16_t bits) {
  if (llvm::isMask_32(bits))
    return firstLanes(llvm::countr_one(bits));
  auto it = masks.find(bits);
  if (it != masks.end())
    return it->second;
  Value scalar = li(bits);
  return masks[bits] = constant([&] { return op<d1::MMovXOp>(scalar); });
}

Value D1Builder::lanes(const std::array<int32_t, 16> &values) {
  auto it = vectors.find(values);
  if (it != vectors.end())
    return it->second;
  if (llvm::all_equal(values))
    return vectors[values] = splat(values[0]);
  // c + high * (lane >> p) + low * (lane & (2^p - 1)), for the least p that fits.
  int64_t c = values[0];
  for (int p = 0; p <= 4; ++p) {
    int64_t low = p > 0 ? int64_t(values[1]) - c : 0;
    int64_t high = p < 4 ? int64_t(values[1 << p]) - c : 0;
    bool fits = true;
    for (int l = 0; l < 16; ++l)
      fits &= int32_t(c + high * (l >> p) + low * (l & ((1 << p) - 1))) == values[l];
    if (!fits)
      continue;
    // Scalars first: `constant` keeps the order of creation.
    Value shift = li(p), mask = li((1 << p) - 1), vc = li(c), vlow = li(low), vhigh = li(high);
    return vectors[values] = constant([&] {
             Value iota = op<d1::VIotaOp>(), sum;
             if (high) {
               sum = p ? op<d1::VIShrXOp>(iota, shift) : iota;
               if (high != 1)
                 sum = op<d1::VIMulXOp>(sum, vhigh);
             }
             if (low) {
               Value part = p < 4 ? op<d1::VIAndXOp>(iota, mask) : iota;
               if (low != 1)
                 part = op<d1::VIMulXOp>(part, vlow);
               sum = sum ? op<d1::VIAddOp>(sum, part) : part;
             }
             return c ? op<d1::VIAddXOp>(sum, vc) : sum;
           });
  }
  std::array<Value, 16> scalar;
  for (int l = 0; l < 16; ++l)
    scalar[l] = li(values[l]);
  return vectors[values] = constant([&] {
           Value all = op<d1::VMovXOp>(scalar[0]);
           for (int l = 1; l < 16; ++l)
             if (values[l] != values[0])
               all = op<d1::VInsertOp>(all, scalar[l], l);
           return all;
         });
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Value D1Builder::addi(Value a, int64_t imm) {
  if (imm == 0)
    return a;
  if (llvm::isInt<12>(imm))
    return op<d1::AddiOp>(a, int32_t(imm));
  if (llvm::isInt<32>(imm))
    return op<d1::AddiLOp>(a, int32_t(imm));
  return op<d1::AddOp>(a, li(imm));
}

Value D1Builder::andi(Value a, int64_t imm) {
  if (llvm::isInt<12>(imm))
    return op<d1::AndiOp>(a, int32_t(imm));
  if (llvm::isInt<32>(imm))
    return op<d1::AndiLOp>(a, int32_t(imm));
  return op<d1::AndOp>(a, li(imm));
}

Value D1Builder::slli(Value a, int n) { return n ? op<d1::SlliOp>(a, n) : a; }
Value D1Builder::srli(Value a, int n) { return n ? op<d1::SrliOp>(a, n) : a; }
Value D1Builder::srai(Value a, int n) { return n ? op<d1::SraiOp>(a, n) : a; }
Value D1Builder::snez(Value a) { return op<d1::SltuOp>(x0(), a); }
Value D1Builder::seqz(Value a) { return op<d1::SltiuOp>(a, 1); }

Value D1Builder::signExtend(Value a, int bits) {
  return bits >= 64 ? a : srai(slli(a, 64 - bits), 64 - bits);
}

Value D1Builder::zeroExtend(Value a, int bits) {
  if (bits >= 64)
    return a;
  return bits <= 11 ? andi(a, (1 << bits) - 1) : srli(slli(a, 64 - bits), 64 - bits);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value D1Builder::setRegion(Operation *op, int region) {
  if (region >= 0)
    op->setAttr(memoryRegionAttr, b.getI32IntegerAttr(region));
  return op->getNumResults() ? op->getResult(0) : Value();
}

Value D1Builder::vld(Value base, int64_t off, d1::EType type, Value mask, int region) {
  return setRegion(d1::VLdOp::create(b, loc, base, int32_t(off), false, type, mask), region);
}

Value D1Builder::vldb(Value base, int64_t off, d1::EType type, int region) {
  return setRegion(d1::VLdbOp::create(b, loc, base, int32_t(off), false, type), region);
}

void D1Builder::vst(Value value, Value base, int64_t off, d1::EType type, Value mask, int region) {
  setRegion(d1::VStOp::create(b, loc, value, base, int32_t(off), false, type, mask), region);
}

Value D1Builder::gather(Value base, Value offsets, Value mask, bool wide, int region) {
  Operation *made = wide ? d1::VGather16Op::create(b, loc, base, offsets, mask).getOperation()
                         : d1::VGather8Op::create(b, loc, base, offsets, mask).getOperation();
  return setRegion(made, region);
}

Value D1Builder::load(Value base, int64_t off, int bytes, int region) {
  Operation *made;
  int32_t o = off;
  switch (bytes) {
  case 1:
    made = d1::LbOp::create(b, loc, base, o, false);
    break;
  case 2:
    made = d1::LhOp::create(b, loc, base, o, false);
    break;
  case 4:
    made = d1::LwOp::create(b, loc, base, o, false);
    break;
  default:
    made = d1::LdOp::create(b, loc, base, o, false);
    break;
  }
  return setRegion(made, region);
}

void D1Builder::store(Value value, Value base, int64_t off, int bytes, int region) {
  Operation *made;
  int32_t o = off;
  switch (bytes) {
  case 1:
    made = d1::SbOp::create(b, loc, value, base, o, false);
    break;
  case 2:
    made = d1::ShOp::create(b, loc, value, base, o, false);
    break;
  case 4:
    made = d1::SwOp::create(b, loc, value, base, o, false);
    break;
  default:
    made = d1::SdOp::create(b, loc, value, base, o, false);
    break;
  }
  setRegion(made, region);
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

Value D1Builder::fma(Value a, Value second, Value third) {
  if (isa<d1::XType>(second.getType()))
    return op<d1::VFmaXOp>(a, second,
                           isa<d1::XType>(third.getType()) ? op<d1::VMovXOp>(third) : third);
  return isa<d1::XType>(third.getType()) ? op<d1::VFmaCXOp>(a, second, third)
                                         : op<d1::VFmaOp>(a, second, third);
}

Value D1Builder::fnma(Value a, Value second, Value third) {
  return isa<d1::XType>(second.getType()) ? op<d1::VFnmaXOp>(a, second, third)
                                          : op<d1::VFnmaOp>(a, second, third);
}

Value D1Builder::fcmp(Value a, Value c, d1::Cond cond) {
  return isa<d1::XType>(c.getType()) ? op<d1::VFCmpXOp>(a, c, cond) : op<d1::VFCmpOp>(a, c, cond);
}

Value D1Builder::icmp(Value a, Value c, d1::Cond cond) {
  return isa<d1::XType>(c.getType()) ? op<d1::VICmpXOp>(a, c, cond) : op<d1::VICmpOp>(a, c, cond);
}

Value D1Builder::vsel(Value mask, Value a, Value c) {
  return isa<d1::XType>(c.getType()) ? op<d1::VSelXOp>(mask, a, c) : op<d1::VSelOp>(mask, a, c);
}

Value D1Builder::mnot(Value mask) { return op<d1::MXorOp>(mask, m0()); }

Value D1Builder::slide(Value a, int n) { return n % 16 ? op<d1::VSlideOp>(a, (n + 16) % 16) : a; }
