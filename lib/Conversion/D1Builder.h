// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Short names for making instructions on virtual registers, with a pool of constants.

#ifndef DOJO_LIB_CONVERSION_D1BUILDER_H
#define DOJO_LIB_CONVERSION_D1BUILDER_H

#include "dialects/D1/D1Ops.h"
#include "dialects/D1/D1StructureOps.h"

#include "llvm/ADT/MapVector.h"

#include <array>
#include <bit>
#include <map>

namespace mlir::dojo {

/// Stands for the address of kernel argument `index` where only the caller knows it. Offsets of
/// up to 2^39 bytes on both sides belong to the same argument.
constexpr int64_t argumentBase(int64_t index) { return (index + 1) << 40; }

/// Registers of the calling convention: x1 the return address, x2 to x4 the caller's, arguments
/// from x10 on.
constexpr int firstArgumentRegister = 10;

/// Bits of a float as the scalar register operand that stands for it.
inline int64_t floatBits(float f) { return std::bit_cast<int32_t>(f); }

/// Bytes of memory that accesses of different `region` never share; -1 may be anything.
constexpr const char *memoryRegionAttr = "region";

class D1Builder {
public:
  D1Builder(OpBuilder b, Location loc);

  OpBuilder b;
  Location loc;

  /// Makes an instruction whose operands are registers only and which has one result.
  template <typename OpT, typename... Args> Value op(Args... args) {
    return OpT::create(b, loc, args...)->getResult(0);
  }

  //===--- Constants: made once, at the start of the current section --------===//

  /// Constants asked for from now on are made at the end of `block`, whatever is added later.
  void startSection(Block *block);
  /// Scalar register with the value.
  Value li(int64_t value);
  Value f(float value) { return li(floatBits(value)); }
  /// All lanes hold the low 32 bits.
  Value splat(int64_t bits);
  Value splatf(float value) { return splat(floatBits(value)); }
  Value lanes(const std::array<int32_t, 16> &values);
  /// Mask of the first `count` lanes; m0 for 16.
  Value firstLanes(int count);
  /// Mask of the lanes whose bits are set.
  Value laneSet(uint16_t bits);
  Value x0();
  Value m0();
  /// A register of its own, made here: for values that the reader overwrites.
  Value freshConstant(int64_t value);
  /// Scalar register with an address: absolute, or argumentBase(i) plus an offset for a kernel that
  /// gets the address of argument i in register x10+i.
  Value address(int64_t value);
  /// As freshConstant.
  Value freshAddress(int64_t value);
  /// A virtual register with the value, for readers that need one.
  Value owned(Value v);

  //===--- Scalars ----------------------------------------------------------===//

  Value addi(Value a, int64_t imm);
  Value andi(Value a, int64_t imm);
  Value slli(Value a, int n);
  Value srli(Value a, int n);
  Value srai(Value a, int n);
  /// 1 if a is not 0, else 0; and the reverse.
  Value snez(Value a);
  Value seqz(Value a);
  /// Keeps the low `bits` bits, sign- or zero-extended.
  Value signExtend(Value a, int bits);
  Value zeroExtend(Value a, int bits);

  //===--- Memory -----------------------------------------------------------===//

  Value vld(Value base, int64_t off, d1::EType type, Value mask, int region);
  Value vldb(Value base, int64_t off, d1::EType type, int region);
  void vst(Value value, Value base, int64_t off, d1::EType type, Value mask, int region);
  Value gather(Value base, Value offsets, Value mask, bool wide, int region);
  /// Load or store of 1, 2, 4 or 8 bytes.
  Value load(Value base, int64_t off, int bytes, int region);
  void store(Value value, Value base, int64_t off, int bytes, int region);

  //===--- Vectors ----------------------------------------------------------===//

  /// Unary and binary vector operations; the second operand may be a vector or a scalar register.
  template <typename V, typename X> Value vx(Value a, Value second) {
    return isa<d1::XType>(second.getType()) ? op<X>(a, second) : op<V>(a, second);
  }
  Value fadd(Value a, Value c) { return vx<d1::VFAddOp, d1::VFAddXOp>(a, c); }
  Value fsub(Value a, Value c) { return vx<d1::VFSubOp, d1::VFSubXOp>(a, c); }
  Value fmul(Value a, Value c) { return vx<d1::VFMulOp, d1::VFMulXOp>(a, c); }
  Value fmin(Value a, Value c) { return vx<d1::VFMinOp, d1::VFMinXOp>(a, c); }
  Value fmax(Value a, Value c) { return vx<d1::VFMaxOp, d1::VFMaxXOp>(a, c); }
  Value iadd(Value a, Value c) { return vx<d1::VIAddOp, d1::VIAddXOp>(a, c); }
  Value isub(Value a, Value c) { return vx<d1::VISubOp, d1::VISubXOp>(a, c); }
  Value imul(Value a, Value c) { return vx<d1::VIMulOp, d1::VIMulXOp>(a, c); }
  Value iand(Value a, Value c) { return vx<d1::VIAndOp, d1::VIAndXOp>(a, c); }
  Value ior(Value a, Value c) { return vx<d1::VIOrOp, d1::VIOrXOp>(a, c); }
  Value ixor(Value a, Value c) { return vx<d1::VIXorOp, d1::VIXorXOp>(a, c); }
  Value ishl(Value a, int n) { return op<d1::VIShlXOp>(a, li(n)); }
  Value ishr(Value a, int n) { return op<d1::VIShrXOp>(a, li(n)); }
  Value isra(Value a, int n) { return op<d1::VISraXOp>(a, li(n)); }
  /// a * second + third; one of the last two may be a scalar register.
  Value fma(Value a, Value second, Value third);
  /// -(a * second) + third.
  Value fnma(Value a, Value second, Value third);
  Value fcmp(Value a, Value c, d1::Cond cond);
  Value icmp(Value a, Value c, d1::Cond cond);
  Value vsel(Value mask, Value a, Value c);
  Value mnot(Value mask);
  /// Lane i of the result is lane (i + n) mod 16.
  Value slide(Value a, int n);

private:
  Value materialize(int64_t value);
  /// Runs `make` at the place for constants of the section.
  Value constant(llvm::function_ref<Value()> make);
  Value setRegion(Operation *op, int region);

  Block *section = nullptr;
  Operation *lastConstant = nullptr;
  std::map<int64_t, Value> scalars, splats, addresses;
  std::map<int, Value> masks;
  std::map<std::array<int32_t, 16>, Value> vectors;
  Value zeroX, onesM;
};

} // namespace mlir::dojo

#endif // DOJO_LIB_CONVERSION_D1BUILDER_H
