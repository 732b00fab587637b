// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Golden/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_GUARDDIVISION
#include "dojo/Golden/Passes.h.inc"

namespace {

/// Replaces the divisor of `op` where it may trap.
void guard(Operation *op, bool isSigned) {
  Value dividend = op->getOperand(0), divisor = op->getOperand(1);
  auto type = dyn_cast<IntegerType>(divisor.getType());
  APInt known;
  if (!type || (matchPattern(divisor, m_ConstantInt(&known)) && !known.isZero() &&
                !(isSigned && known.isAllOnes())))
    return;
  OpBuilder b(op);
  Location loc = op->getLoc();
  auto constant = [&](APInt value) -> Value {
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
  };
  auto equal = [&](Value x, Value y) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, y);
  };
  const unsigned bits = type.getWidth();
  Value traps = equal(divisor, constant(APInt::getZero(bits)));
  if (isSigned) {
    Value wraps = arith::AndIOp::create(b, loc, equal(divisor, constant(APInt::getAllOnes(bits))),
                                        equal(dividend, constant(APInt::getSignedMinValue(bits))));
    traps = arith::OrIOp::create(b, loc, traps, wraps);
  }
  Value one = constant(APInt(bits, 1));
  op->setOperand(1, arith::SelectOp::create(b, loc, traps, one, divisor));
}

struct GuardDivision : impl::GuardDivisionBase<GuardDivision> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      if (isa<arith::DivSIOp, arith::RemSIOp, arith::FloorDivSIOp, arith::CeilDivSIOp>(op))
        guard(op, /*isSigned=*/true);
      else if (isa<arith::DivUIOp, arith::RemUIOp, arith::CeilDivUIOp>(op))
        guard(op, /*isSigned=*/false);
    });
  }
};

} // namespace
} // namespace mlir::dojo
