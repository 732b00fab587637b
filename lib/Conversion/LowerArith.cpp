// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// arith to instructions.

#include "KernelLowering.h"
#include "MathExpansion.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::dojo;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

static int widthOf(Type t) {
  Type e = getElementTypeOrSelf(t);
  return e.isIndex() ? 64 : e.getIntOrFloatBitWidth();
}

/// True if all readers look at the low bits only: what is above them need not be right.
static bool onlyLowBitsUsed(Operation *op) {
  return llvm::all_of(op->getUsers(), [&](Operation *user) {
    std::optional<MemoryOperand> memory = getMemoryOperand(user);
    return memory && !llvm::is_contained(memory->indices, op->getResult(0));
  });
}

bool KernelLowering::isFused(arith::MulFOp op) {
  if (!getElementTypeOrSelf(op.getType()).isF32() || !op->hasOneUse())
    return false;
  Operation *user = *op->user_begin();
  if (user->getBlock() != op->getBlock())
    return false;
  if (auto sub = dyn_cast<arith::SubFOp>(user))
    return sub.getRhs() == op.getResult();
  return isa<arith::AddFOp>(user);
}

Value KernelLowering::multiply(arith::MulFOp op) {
  Value l = op.getLhs(), r = op.getRhs();
  if (isa<d1::XType>(second(l).getType()))
    std::swap(l, r);
  return d.fmul(get(l), second(r));
}

Value KernelLowering::fusedSum(arith::MulFOp product, Value other, bool subtract) {
  Value l = product.getLhs(), r = product.getRhs();
  if (isa<d1::XType>(second(l).getType()))
    std::swap(l, r);
  Value a = get(l), b = second(r);
  if (subtract)
    return d.fnma(a, b, get(other));
  return d.fma(a, b, isa<d1::XType>(b.getType()) ? get(other) : second(other));
}

LogicalResult KernelLowering::lowerArith(Operation *op) {
  if (auto product = dyn_cast<arith::MulFOp>(op); product && isFused(product))
    return success();
  Value result;
  Type type = op->getResult(0).getType();
  Type from = op->getNumOperands() ? op->getOperand(0).getType() : type;
  if (isa<arith::SelectOp>(op))
    result = select(op);
  else if (isa<arith::CmpFOp>(op) || (isa<arith::CmpIOp>(op) && fileOf(from) != RegisterFile::X))
    result = compare(op);
  else if (op->hasTrait<OpTrait::OneOperand>() &&
           getElementTypeOrSelf(from) != getElementTypeOrSelf(type))
    result = conversion(op);
  else if (fileOf(from) == RegisterFile::X)
    result = scalarInteger(op);
  else if (fileOf(from) == RegisterFile::M)
    result = maskArith(op);
  else
    result = laneArith(op);
  if (!result)
    return unsupported(op);
  // Results of these are among their operands.
  if (!isa<arith::SelectOp, arith::NegFOp, arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp,
           arith::MinNumFOp, arith::TruncFOp>(op))
    result = roundNarrow(op, result);
  set(op->getResult(0), result);
  return success();
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

static Value compareScalars(D1Builder &d, CmpIPredicate predicate, Value a, Value c) {
  auto flip = [&](Value v) { return d.op<d1::XoriOp>(v, 1); };
  switch (predicate) {
  case CmpIPredicate::eq:
    return d.seqz(d.op<d1::XorOp>(a, c));
  case CmpIPredicate::ne:
    return d.snez(d.op<d1::XorOp>(a, c));
  case CmpIPredicate::slt:
    return d.op<d1::SltOp>(a, c);
  case CmpIPredicate::sgt:
    return d.op<d1::SltOp>(c, a);
  case CmpIPredicate::sle:
    return flip(d.op<d1::SltOp>(c, a));
  case CmpIPredicate::sge:
    return flip(d.op<d1::SltOp>(a, c));
  // Sign extension keeps the order of unsigned numbers of one width.
  case CmpIPredicate::ult:
    return d.op<d1::SltuOp>(a, c);
  case CmpIPredicate::ugt:
    return d.op<d1::SltuOp>(c, a);
  case CmpIPredicate::ule:
    return flip(d.op<d1::SltuOp>(c, a));
  case CmpIPredicate::uge:
    return flip(d.op<d1::SltuOp>(a, c));
  }
  return {};
}

Value KernelLowering::scalarInteger(Operation *op) {
  Type type = op->getResult(0).getType();
  if (auto cmp = dyn_cast<arith::CmpIOp>(op)) {
    // i1 is 0 or 1 in a register but 0 or -1 as a signed number.
    CmpIPredicate p = cmp.getPredicate();
    bool swap = cmp.getLhs().getType().isInteger(1) &&
                (p == CmpIPredicate::slt || p == CmpIPredicate::sgt || p == CmpIPredicate::sle ||
                 p == CmpIPredicate::sge);
    Value a = get(cmp.getLhs()), c = get(cmp.getRhs());
    return swap ? compareScalars(d, p, c, a) : compareScalars(d, p, a, c);
  }
  if (op->getNumOperands() != 2)
    return {};
  Value a = get(op->getOperand(0)), c = get(op->getOperand(1));
  int bits = widthOf(type);
  auto unsignedOf = [&](Value v) { return d.zeroExtend(v, bits); };
  auto result = [&](Value v) {
    if (bits == 1)
      return d.andi(v, 1);
    return onlyLowBitsUsed(op) ? v : normalize(v, type);
  };
  return TypeSwitch<Operation *, Value>(op)
      .Case([&](arith::AddIOp) { return result(d.op<d1::AddOp>(a, c)); })
      .Case([&](arith::SubIOp) { return result(d.op<d1::SubOp>(a, c)); })
      .Case([&](arith::MulIOp) { return result(d.op<d1::MulOp>(a, c)); })
      .Case([&](arith::AndIOp) { return d.op<d1::AndOp>(a, c); })
      .Case([&](arith::OrIOp) { return d.op<d1::OrOp>(a, c); })
      .Case([&](arith::XOrIOp) { return d.op<d1::XorOp>(a, c); })
      .Case([&](arith::ShLIOp) { return result(d.op<d1::SllOp>(a, c)); })
      .Case([&](arith::ShRSIOp) { return d.op<d1::SraOp>(a, c); })
      .Case([&](arith::ShRUIOp) { return result(d.op<d1::SrlOp>(unsignedOf(a), c)); })
      .Case([&](arith::MinSIOp) { return d.op<d1::MinOp>(a, c); })
      .Case([&](arith::MaxSIOp) { return d.op<d1::MaxOp>(a, c); })
      .Case([&](arith::MinUIOp) { return d.op<d1::MinuOp>(a, c); })
      .Case([&](arith::MaxUIOp) { return d.op<d1::MaxuOp>(a, c); })
      .Case([&](arith::DivSIOp) { return result(d.op<d1::DivOp>(a, c)); })
      .Case([&](arith::RemSIOp) { return result(d.op<d1::RemOp>(a, c)); })
      .Case([&](arith::DivUIOp) { return result(d.op<d1::DivuOp>(unsignedOf(a), unsignedOf(c))); })
      .Case([&](arith::RemUIOp) { return result(d.op<d1::RemuOp>(unsignedOf(a), unsignedOf(c))); })
      .Case([&](arith::CeilDivUIOp) {
        Value ua = unsignedOf(a), uc = unsignedOf(c);
        return result(d.op<d1::AddOp>(d.op<d1::DivuOp>(ua, uc), d.snez(d.op<d1::RemuOp>(ua, uc))));
      })
      .Case<arith::FloorDivSIOp, arith::CeilDivSIOp>([&](auto divide) {
        // The quotient towards zero is off by one if there is a remainder and the signs differ
        // (floor) or agree (ceiling).
        Value quotient = d.op<d1::DivOp>(a, c), rem = d.op<d1::RemOp>(a, c);
        Value differ = d.srli(d.op<d1::XorOp>(a, c), 63);
        if constexpr (std::is_same_v<decltype(divide), arith::CeilDivSIOp>) {
          Value agree = d.op<d1::XoriOp>(differ, 1);
          return result(d.op<d1::AddOp>(quotient, d.op<d1::AndOp>(agree, d.snez(rem))));
        } else {
          return result(d.op<d1::SubOp>(quotient, d.op<d1::AndOp>(differ, d.snez(rem))));
        }
      })
      .Default([](Operation *) { return Value(); });
}

//===----------------------------------------------------------------------===//
// Lanes and masks
//===----------------------------------------------------------------------===//

Value KernelLowering::laneArith(Operation *op) {
  Type type = op->getResult(0).getType();
  bool narrow = isa<IntegerType>(getElementTypeOrSelf(type)) && widthOf(type) < 32;
  auto result = [&](Value v) { return narrow && !onlyLowBitsUsed(op) ? normalize(v, type) : v; };
  // The scalar form takes the second operand; of two constants one must be a vector.
  Value lhs = op->getOperand(0), rhs = op->getNumOperands() > 1 ? op->getOperand(1) : Value();
  auto isScalar = [&](Value v) { return isa<d1::XType>(second(v).getType()); };
  auto commutative = [&](auto make) {
    return isScalar(lhs) && !isScalar(rhs) ? make(get(rhs), second(lhs))
                                           : make(get(lhs), second(rhs));
  };
  auto unsignedLanes = [&](Value v) {
    return narrow ? d.iand(v, d.li((int64_t(1) << widthOf(type)) - 1)) : v;
  };
  return TypeSwitch<Operation *, Value>(op)
      .Case([&](arith::AddFOp) {
        for (auto [product, other] : {std::pair(rhs, lhs), std::pair(lhs, rhs)})
          if (auto mul = product.getDefiningOp<arith::MulFOp>(); mul && isFused(mul))
            return fusedSum(mul, other, false);
        return commutative([&](Value a, Value c) { return d.fadd(a, c); });
      })
      .Case([&](arith::MulFOp mul) { return multiply(mul); })
      .Case([&](arith::MaximumFOp) {
        return commutative([&](Value a, Value c) { return d.fmax(a, c); });
      })
      .Case([&](arith::MinimumFOp) {
        return commutative([&](Value a, Value c) { return d.fmin(a, c); });
      })
      .Case([&](arith::SubFOp) {
        if (auto mul = rhs.getDefiningOp<arith::MulFOp>(); mul && isFused(mul))
          return fusedSum(mul, lhs, true);
        if (isScalar(lhs) && !isScalar(rhs))
          return d.op<d1::VFSubXROp>(get(rhs), second(lhs));
        return d.fsub(get(lhs), second(rhs));
      })
      .Case([&](arith::NegFOp) { return d.op<d1::VFNegOp>(get(lhs)); })
      .Case([&](arith::DivFOp) { return expandDiv(d, get(lhs), get(rhs)); })
      .Case([&](arith::RemFOp) { return expandRem(d, get(lhs), get(rhs)); })
      .Case([&](arith::MaxNumFOp) { return expandNumber(d, get(lhs), get(rhs), true); })
      .Case([&](arith::MinNumFOp) { return expandNumber(d, get(lhs), get(rhs), false); })
      .Case([&](arith::AddIOp) {
        return result(commutative([&](Value a, Value c) { return d.iadd(a, c); }));
      })
      .Case([&](arith::MulIOp) {
        return result(commutative([&](Value a, Value c) { return d.imul(a, c); }));
      })
      .Case([&](arith::SubIOp) {
        if (isScalar(lhs) && !isScalar(rhs))
          return result(d.op<d1::VISubXROp>(get(rhs), second(lhs)));
        return result(d.isub(get(lhs), second(rhs)));
      })
      .Case([&](arith::AndIOp) {
        return commutative([&](Value a, Value c) { return d.iand(a, c); });
      })
      .Case(
          [&](arith::OrIOp) { return commutative([&](Value a, Value c) { return d.ior(a, c); }); })
      .Case([&](arith::XOrIOp) {
        return commutative([&](Value a, Value c) { return d.ixor(a, c); });
      })
      .Case([&](arith::MinSIOp) {
        return commutative([&](Value a, Value c) { return d.vx<d1::VIMinOp, d1::VIMinXOp>(a, c); });
      })
      .Case([&](arith::MaxSIOp) {
        return commutative([&](Value a, Value c) { return d.vx<d1::VIMaxOp, d1::VIMaxXOp>(a, c); });
      })
      .Case([&](arith::MinUIOp) {
        return commutative(
            [&](Value a, Value c) { return d.vx<d1::VIMinUOp, d1::VIMinUXOp>(a, c); });
      })
      .Case([&](arith::MaxUIOp) {
        return commutative(
            [&](Value a, Value c) { return d.vx<d1::VIMaxUOp, d1::VIMaxUXOp>(a, c); });
      })
      .Case([&](arith::ShLIOp) {
        return result(d.vx<d1::VIShlOp, d1::VIShlXOp>(get(lhs), second(rhs)));
      })
      .Case([&](arith::ShRSIOp) { return d.vx<d1::VISraOp, d1::VISraXOp>(get(lhs), second(rhs)); })
      .Case([&](arith::ShRUIOp) {
        return result(d.vx<d1::VIShrOp, d1::VIShrXOp>(unsignedLanes(get(lhs)), second(rhs)));
      })
      .Default([](Operation *) { return Value(); });
}

Value KernelLowering::maskArith(Operation *op) {
  if (op->getNumOperands() != 2)
    return {};
  Value a = get(op->getOperand(0)), c = get(op->getOperand(1));
  return TypeSwitch<Operation *, Value>(op)
      // On one bit, min and max are and or or; the signed ones the other way round.
      .Case<arith::AndIOp, arith::MulIOp, arith::MinUIOp, arith::MaxSIOp>(
          [&](auto) { return d.op<d1::MAndOp>(a, c); })
      .Case<arith::OrIOp, arith::MaxUIOp, arith::MinSIOp>(
          [&](auto) { return d.op<d1::MOrOp>(a, c); })
      .Case<arith::XOrIOp, arith::AddIOp, arith::SubIOp>(
          [&](auto) { return d.op<d1::MXorOp>(a, c); })
      .Default([](Operation *) { return Value(); });
}

/// The condition that a mask instruction tests, and whether its result must be turned.
Value KernelLowering::compareFloats(CmpFPredicate predicate, Value a, Value c) {
  using d1::Cond;
  auto cmp = [&](Cond cond) { return d.fcmp(a, c, cond); };
  switch (predicate) {
  case CmpFPredicate::AlwaysFalse:
    return d.firstLanes(0);
  case CmpFPredicate::AlwaysTrue:
    return d.m0();
  case CmpFPredicate::OEQ:
    return cmp(Cond::eq);
  case CmpFPredicate::OGT:
    return cmp(Cond::gt);
  case CmpFPredicate::OGE:
    return cmp(Cond::ge);
  case CmpFPredicate::OLT:
    return cmp(Cond::lt);
  case CmpFPredicate::OLE:
    return cmp(Cond::le);
  case CmpFPredicate::ONE:
    return d.op<d1::MAndOp>(cmp(Cond::ne), cmp(Cond::ord));
  case CmpFPredicate::ORD:
    return cmp(Cond::ord);
  case CmpFPredicate::UEQ:
    return d.op<d1::MOrOp>(cmp(Cond::eq), cmp(Cond::uno));
  case CmpFPredicate::UGT:
    return d.mnot(cmp(Cond::le));
  case CmpFPredicate::UGE:
    return d.mnot(cmp(Cond::lt));
  case CmpFPredicate::ULT:
    return d.mnot(cmp(Cond::ge));
  case CmpFPredicate::ULE:
    return d.mnot(cmp(Cond::gt));
  case CmpFPredicate::UNE:
    return cmp(Cond::ne);
  case CmpFPredicate::UNO:
    return cmp(Cond::uno);
  }
  return {};
}

static Value compareLanes(D1Builder &d, CmpIPredicate predicate, Value a, Value c) {
  static constexpr d1::Cond conds[] = {d1::Cond::eq,  d1::Cond::ne, d1::Cond::lt,  d1::Cond::le,
                                       d1::Cond::gt,  d1::Cond::ge, d1::Cond::ltu, d1::Cond::leu,
                                       d1::Cond::gtu, d1::Cond::geu};
  static_assert(int(CmpIPredicate::slt) == 2 && int(CmpIPredicate::uge) == 9);
  return d.icmp(a, c, conds[int(predicate)]);
}

Value KernelLowering::compare(Operation *op) {
  Value lhs = op->getOperand(0), rhs = op->getOperand(1);
  if (auto cmp = dyn_cast<arith::CmpFOp>(op)) {
    Value mask = compareFloats(cmp.getPredicate(), get(lhs), second(rhs));
    if (fileOf(op->getResult(0).getType()) == RegisterFile::M)
      return mask;
    return d.andi(d.op<d1::MMovMOp>(mask), 1);
  }
  CmpIPredicate predicate = cast<arith::CmpIOp>(op).getPredicate();
  if (fileOf(lhs.getType()) == RegisterFile::V)
    return compareLanes(d, predicate, get(lhs), second(rhs));
  // Masks: as numbers false is 0, true is 1 unsigned and -1 signed.
  Value a = get(lhs), c = get(rhs);
  switch (predicate) {
  case CmpIPredicate::eq:
    return d.mnot(d.op<d1::MXorOp>(a, c));
  case CmpIPredicate::ne:
    return d.op<d1::MXorOp>(a, c);
  case CmpIPredicate::ult:
  case CmpIPredicate::sgt:
    return d.op<d1::MAndNOp>(c, a);
  case CmpIPredicate::ugt:
  case CmpIPredicate::slt:
    return d.op<d1::MAndNOp>(a, c);
  case CmpIPredicate::ule:
  case CmpIPredicate::sge:
    return d.mnot(d.op<d1::MAndNOp>(a, c));
  case CmpIPredicate::uge:
  case CmpIPredicate::sle:
    return d.mnot(d.op<d1::MAndNOp>(c, a));
  }
  return {};
}

Value KernelLowering::select(Operation *op) {
  Value cond = op->getOperand(0), yes = op->getOperand(1), no = op->getOperand(2);
  RegisterFile file = fileOf(yes.getType());
  bool scalarCondition = fileOf(cond.getType()) == RegisterFile::X;
  if (file == RegisterFile::X)
    return d.op<d1::SelOp>(get(cond), get(yes), get(no));
  // Constants are held as what they are chosen with.
  auto held = [&](Value v, bool scalarForm) {
    if (narrowBits.contains(op->getResult(0)))
      if (std::optional<int64_t> bits = narrowConstantBits(v))
        return scalarForm ? d.li(*bits) : d.splat(*bits);
    return scalarForm ? second(v) : get(v);
  };
  Value mask = get(cond);
  if (scalarCondition)
    mask = d.op<d1::MMovXOp>(d.op<d1::SubOp>(d.x0(), mask));
  if (file == RegisterFile::V)
    return d.vsel(mask, held(yes, false), held(no, true));
  return d.op<d1::MOrOp>(d.op<d1::MAndOp>(mask, get(yes)), d.op<d1::MAndNOp>(get(no), mask));
}
