// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// math to instructions.

#include "KernelLowering.h"
#include "MathExpansion.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

#include <numbers>

using namespace mlir;
using namespace mlir::dojo;

LogicalResult KernelLowering::lowerMath(Operation *op) {
  auto arg = [&](unsigned i) { return get(op->getOperand(i)); };
  Type type = op->getResult(0).getType();
  auto magnitudeIs = [&](d1::Cond cond, int64_t bits) {
    return d.fcmp(d.op<d1::VFAbsOp>(arg(0)), d.li(bits), cond);
  };
  auto test = [&](Value mask) {
    return fileOf(type) == RegisterFile::M ? mask : d.andi(d.op<d1::MMovMOp>(mask), 1);
  };
  Value result =
      TypeSwitch<Operation *, Value>(op)
          .Case([&](math::AbsFOp) { return d.op<d1::VFAbsOp>(arg(0)); })
          .Case([&](math::AbsIOp) -> Value {
            Value a = arg(0);
            if (isa<d1::XType>(a.getType()))
              return normalize(d.op<d1::MaxOp>(a, d.op<d1::SubOp>(d.x0(), a)), type);
            return normalize(d.op<d1::VIMaxOp>(a, d.op<d1::VISubXROp>(a, d.x0())), type);
          })
          .Case([&](math::CeilOp) { return d.op<d1::VFCeilOp>(arg(0)); })
          .Case([&](math::FloorOp) { return d.op<d1::VFFloorOp>(arg(0)); })
          .Case([&](math::TruncOp) { return d.op<d1::VFTruncOp>(arg(0)); })
          .Case([&](math::RoundEvenOp) { return d.op<d1::VFRintOp>(arg(0)); })
          .Case([&](math::RoundOp) { return expandRound(d, arg(0)); })
          .Case([&](math::CopySignOp) { return expandCopySign(d, arg(0), arg(1)); })
          .Case([&](math::FmaOp) -> Value {
            Value b = second(op->getOperand(1));
            return isa<d1::XType>(b.getType()) ? d.fma(arg(0), b, arg(2))
                                               : d.fma(arg(0), b, second(op->getOperand(2)));
          })
          .Case([&](math::ClampFOp) {
            return d.fmin(d.fmax(arg(0), second(op->getOperand(1))), second(op->getOperand(2)));
          })
          .Case([&](math::SqrtOp) { return expandSqrt(d, arg(0)); })
          .Case([&](math::RsqrtOp) { return expandRsqrt(d, arg(0)); })
          .Case([&](math::ExpOp) { return expandExp(d, arg(0)); })
          .Case([&](math::Exp2Op) { return expandExp2(d, arg(0)); })
          .Case([&](math::ExpM1Op) { return expandExpM1(d, arg(0)); })
          .Case([&](math::LogOp) { return expandLog(d, arg(0), 1.0); })
          .Case([&](math::Log2Op) { return expandLog(d, arg(0), std::numbers::log2e); })
          .Case([&](math::Log10Op) { return expandLog(d, arg(0), std::numbers::log10e); })
          .Case([&](math::Log1pOp) { return expandLog1P(d, arg(0)); })
          .Case([&](math::TanhOp) { return expandTanh(d, arg(0)); })
          .Case([&](math::ErfOp) { return expandErf(d, arg(0)); })
          .Case([&](math::SinOp) { return expandSin(d, arg(0)); })
          .Case([&](math::CosOp) { return expandCos(d, arg(0)); })
          .Case([&](math::TanOp) { return expandTan(d, arg(0)); })
          .Case([&](math::SinhOp) { return expandSinh(d, arg(0)); })
          .Case([&](math::CoshOp) { return expandCosh(d, arg(0)); })
          .Case([&](math::AsinhOp) { return expandAsinh(d, arg(0)); })
          .Case([&](math::AcoshOp) { return expandAcosh(d, arg(0)); })
          .Case([&](math::AtanhOp) { return expandAtanh(d, arg(0)); })
          .Case([&](math::AsinOp) { return expandAsin(d, arg(0)); })
          .Case([&](math::AcosOp) { return expandAcos(d, arg(0)); })
          .Case([&](math::AtanOp) { return expandAtan(d, arg(0)); })
          .Case([&](math::PowFOp) { return expandPow(d, arg(0), arg(1)); })
          .Case([&](math::FPowIOp) {
            Type exponent = op->getOperand(1).getType();
            return expandPow(d, arg(0), intToFloat(arg(1), exponent, true));
          })
          .Case([&](math::IsNaNOp) { return test(d.fcmp(arg(0), arg(0), d1::Cond::uno)); })
          .Case([&](math::IsInfOp) { return test(magnitudeIs(d1::Cond::eq, 0x7F800000)); })
          .Case([&](math::IsFiniteOp) { return test(magnitudeIs(d1::Cond::lt, 0x7F800000)); })
          .Case([&](math::IsNormalOp) {
            return test(d.op<d1::MAndOp>(magnitudeIs(d1::Cond::lt, 0x7F800000),
                                         magnitudeIs(d1::Cond::ge, 0x00800000)));
          })
          .Default([](Operation *) { return Value(); });
  if (!result)
    return unsupported(op);
  set(op->getResult(0), roundNarrow(op, result));
  return success();
}
