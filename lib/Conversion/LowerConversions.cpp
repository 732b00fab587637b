// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions between types and register files.

#include "KernelLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::dojo;

static int widthOf(Type t) {
  Type e = getElementTypeOrSelf(t);
  return e.isIndex() ? 64 : e.getIntOrFloatBitWidth();
}

/// True if every reader stores the number in its narrow type, which rounds. What the epilogue of a
/// convolution yields is stored.
static bool onlyStored(Operation *op) {
  return llvm::all_of(op->getUsers(), [&](Operation *user) {
    return getMemoryOperand(user).has_value() || isa<YieldOp>(user);
  });
}

Value KernelLowering::roundNarrow(Operation *op, Value result) {
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  if ((!element.isBF16() && !element.isF16()) || onlyStored(op))
    return result;
  return element.isBF16() ? roundToBF16(result) : roundToF16(result);
}

Value KernelLowering::roundToBF16(Value a) {
  return d.op<d1::VUnpackLoBF16Op>(d.op<d1::VPackBF16Op>(a, a));
}

/// Adding 2^(e+13) to a magnitude below 2^(e+1) makes the addition round it to a multiple of
/// 2^(e-10): the spacing of fp16 at that magnitude, from the denormals (e = -14) up.
Value KernelLowering::roundToF16(Value a) {
  Value sign = d.iand(a, d.li(INT32_MIN));
  Value magnitude = d.op<d1::VFAbsOp>(a);
  Value exponent = d.iand(magnitude, d.li(0x7F800000));
  Value least = d.vx<d1::VIMaxOp, d1::VIMaxXOp>(exponent, d.li(int64_t(127 - 14) << 23));
  Value magic = d.iadd(least, d.li(int64_t(13) << 23));
  Value rounded = d.fsub(d.fadd(magnitude, magic), magic);
  Value overflow = d.fcmp(rounded, d.f(65520.0f), d1::Cond::ge);
  Value result = d.vsel(d.mnot(overflow), rounded, d.li(0x7F800000));
  // For an infinity or a NaN the sum above means nothing.
  Value finite = d.icmp(exponent, d.li(0x7F800000), d1::Cond::ne);
  return d.ior(d.vsel(finite, result, magnitude), sign);
}

/// The bits, sign-extended, of what roundToF16 has rounded.
Value KernelLowering::bitsOfF16(Value a) {
  Value magnitude = d.iand(a, d.li(INT32_MAX));
  Value normal = d.isra(d.iadd(magnitude, d.li(-(int64_t(127 - 15) << 23))), 13);
  // Denormals are whole multiples of 2^-24.
  Value denormal = d.op<d1::VCvtF2IOp>(d.fmul(magnitude, d.f(0x1p24f)));
  Value isDenormal = d.icmp(magnitude, d.li(int64_t(127 - 14) << 23), d1::Cond::lt);
  Value code = d.vsel(isDenormal, denormal, normal);
  code = d.vx<d1::VIMinOp, d1::VIMinXOp>(code, d.li(0x7C00));
  Value isNaN = d.icmp(magnitude, d.li(0x7F800000), d1::Cond::gt);
  code = d.vsel(isNaN, d.splat(0x7E00), code);
  Value sign = d.iand(d.isra(a, 16), d.li(-0x8000));
  return d.ior(code, sign);
}

/// The number that the low 16 bits of each lane are.
Value KernelLowering::fromBitsOfF16(Value bits) {
  Value magnitude = d.iand(bits, d.li(0x7FFF));
  Value shifted = d.ishl(magnitude, 13);
  Value normal = d.iadd(shifted, d.li(int64_t(127 - 15) << 23));
  Value denormal = d.fmul(d.op<d1::VCvtI2FOp>(magnitude), d.f(0x1p-24f));
  Value isDenormal = d.icmp(magnitude, d.li(0x0400), d1::Cond::lt);
  Value number = d.vsel(isDenormal, denormal, normal);
  Value special = d.icmp(magnitude, d.li(0x7C00), d1::Cond::ge);
  number = d.vsel(special, d.ior(shifted, d.li(0x7F800000)), number);
  Value sign = d.iand(d.ishl(bits, 16), d.li(INT32_MIN));
  return d.ior(number, sign);
}

Value KernelLowering::intToFloat(Value in, Type from, bool isSigned) {
  int bits = widthOf(from);
  if (isa<d1::MType>(in.getType()))
    return d.vsel(in, d.splatf(isSigned ? -1.0f : 1.0f), d.x0());
  if (isa<d1::VType>(in.getType())) {
    if (isSigned)
      return d.op<d1::VCvtI2FOp>(in);
    Value positive = bits < 32 ? d.iand(in, d.li((int64_t(1) << bits) - 1)) : in;
    return d.op<d1::VCvtU2FOp>(positive);
  }
  if (bits == 1)
    return d.op<d1::VCvtI2FOp>(d.op<d1::VMovXOp>(isSigned ? d.op<d1::SubOp>(d.x0(), in) : in));
  if (bits <= 32) {
    Value all = d.op<d1::VMovXOp>(isSigned ? in : d.zeroExtend(in, bits));
    return isSigned ? d.op<d1::VCvtI2FOp>(all) : d.op<d1::VCvtU2FOp>(all);
  }
  // 64 bits: of a number of more than 48 bits the low 16 only matter as "not zero". What is left,
  // high * 2^24 + low, is exact in its parts, so that one rounding is left.
  Value magnitude = in, negative;
  if (isSigned) {
    negative = d.srli(in, 63);
    magnitude = d.op<d1::SelOp>(negative, d.op<d1::SubOp>(d.x0(), in), in);
  }
  Value large = d.snez(d.srli(magnitude, 48));
  Value sticky = d.snez(d.zeroExtend(magnitude, 16));
  Value shifted = d.op<d1::OrOp>(d.srli(magnitude, 16), sticky);
  Value number = d.op<d1::SelOp>(large, shifted, magnitude);
  Value high = d.op<d1::VCvtU2FOp>(d.op<d1::VMovXOp>(d.srli(number, 24)));
  Value low = d.op<d1::VCvtU2FOp>(d.op<d1::VMovXOp>(d.andi(number, 0xFFFFFF)));
  Value sum = d.fma(high, d.f(16777216.0f), low);
  Value scale = d.op<d1::VMovXOp>(d.op<d1::SelOp>(large, d.f(65536.0f), d.f(1.0f)));
  Value result = d.fmul(sum, scale);
  if (!isSigned)
    return result;
  Value sign = d.op<d1::VMovXOp>(d.slli(negative, 31));
  return d.op<d1::VIXorOp>(result, sign);
}

Value KernelLowering::floatToInt(Value in, Type to, bool isSigned) {
  int bits = widthOf(to);
  if (fileOf(to) == RegisterFile::M)
    return d.fcmp(in, d.x0(), d1::Cond::ne);
  if (fileOf(to) == RegisterFile::V) {
    Value all = isSigned || bits < 32 ? d.op<d1::VCvtF2IOp>(in) : d.op<d1::VCvtF2UOp>(in);
    return normalize(all, to);
  }
  if (bits <= 32) {
    Value all = isSigned || bits < 32 ? d.op<d1::VCvtF2IOp>(in) : d.op<d1::VCvtF2UOp>(in);
    Value scalar = d.op<d1::VExtractOp>(all, 0);
    return bits == 1 ? d.andi(scalar, 1) : bits == 32 ? scalar : normalize(scalar, to);
  }
  // 64 bits: the magnitude in two pieces of 32 bits; both are exact.
  Value whole = d.op<d1::VFTruncOp>(d.op<d1::VFAbsOp>(in));
  Value high = d.op<d1::VFTruncOp>(d.fmul(whole, d.f(0x1p-32f)));
  Value low = d.fma(high, d.f(-0x1p32f), whole);
  auto bitsOf = [&](Value v) {
    return d.zeroExtend(d.op<d1::VExtractOp>(d.op<d1::VCvtF2UOp>(v), 0), 32);
  };
  Value magnitude = d.op<d1::OrOp>(d.slli(bitsOf(high), 32), bitsOf(low));
  Value negative = d.srli(d.op<d1::VExtractOp>(in, 0), 63);
  return d.op<d1::SelOp>(negative, d.op<d1::SubOp>(d.x0(), magnitude), magnitude);
}

Value KernelLowering::conversion(Operation *op) {
  Value operand = op->getOperand(0);
  Type from = operand.getType(), to = op->getResult(0).getType();
  Value in = get(operand);
  int fromBits = widthOf(from), toBits = widthOf(to);
  return TypeSwitch<Operation *, Value>(op)
      .Case([&](arith::ExtFOp) { return in; })
      .Case([&](arith::TruncFOp) { return roundNarrow(op, in); })
      .Case([&](arith::SIToFPOp) { return intToFloat(in, from, true); })
      .Case([&](arith::UIToFPOp) { return intToFloat(in, from, false); })
      .Case([&](arith::FPToSIOp) { return floatToInt(in, to, true); })
      .Case([&](arith::FPToUIOp) { return floatToInt(in, to, false); })
      .Case<arith::ExtSIOp, arith::IndexCastOp, arith::TruncIOp>([&](auto cast) -> Value {
        bool narrows = toBits < fromBits;
        if (isa<d1::MType>(in.getType()))
          return d.vsel(in, d.splat(-1), d.x0());
        if (isa<d1::VType>(in.getType())) {
          if (toBits == 1)
            return d.icmp(d.iand(in, d.li(1)), d.x0(), d1::Cond::ne);
          return narrows && toBits < 32 ? normalize(in, to) : in;
        }
        if (fromBits == 1)
          return d.op<d1::SubOp>(d.x0(), in);
        if (toBits == 1)
          return d.andi(in, 1);
        return narrows ? normalize(in, to) : in;
      })
      .Case<arith::ExtUIOp, arith::IndexCastUIOp>([&](auto cast) -> Value {
        if (isa<d1::MType>(in.getType()))
          return d.vsel(in, d.splat(1), d.x0());
        if (toBits < fromBits)
          return isa<d1::VType>(in.getType()) && toBits >= 32 ? in : normalize(in, to);
        if (isa<d1::VType>(in.getType()))
          return fromBits < 32 ? d.iand(in, d.li((int64_t(1) << fromBits) - 1)) : in;
        return fromBits == 1 ? in : d.zeroExtend(in, fromBits);
      })
      .Case([&](arith::BitcastOp) -> Value {
        bool wasFloat = isa<FloatType>(getElementTypeOrSelf(from));
        Value narrow = wasFloat ? operand : op->getResult(0);
        if (narrowBits.contains(narrow)) {
          if (isa<d1::VType>(in.getType()) && fileOf(to) == RegisterFile::V)
            return in;
          return wasFloat ? d.op<d1::VExtractOp>(in, 0) : d.op<d1::VMovXOp>(in);
        }
        if (getElementTypeOrSelf(narrow.getType()).isF16()) {
          if (wasFloat) {
            Value all = bitsOfF16(in);
            return fileOf(to) == RegisterFile::V ? all : d.op<d1::VExtractOp>(all, 0);
          }
          return fromBitsOfF16(isa<d1::VType>(in.getType()) ? in : d.op<d1::VMovXOp>(in));
        }
        if (isa<d1::VType>(in.getType()) && fileOf(to) == RegisterFile::V) {
          if (fromBits != 16 || wasFloat == isa<FloatType>(getElementTypeOrSelf(to)))
            return in;
          return wasFloat ? d.isra(in, 16) : d.ishl(in, 16);
        }
        if (wasFloat) {
          Value scalar = d.op<d1::VExtractOp>(in, 0);
          return fromBits == 16 ? d.srai(scalar, 16) : scalar;
        }
        return d.op<d1::VMovXOp>(fromBits == 16 ? d.slli(in, 16) : in);
      })
      .Default([](Operation *) { return Value(); });
}
