// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants and dispatch of the lowering.

#include "KernelLowering.h"
#include "KernelSteps.h"
#include "MathExpansion.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::dojo;

RegisterFile mlir::dojo::registerFileOf(Type type) {
  if (auto vec = dyn_cast<VectorType>(type))
    return vec.getElementType().isInteger(1) ? RegisterFile::M : RegisterFile::V;
  return isa<FloatType>(type) ? RegisterFile::V : RegisterFile::X;
}

std::optional<d1::EType> mlir::dojo::elementType(Type type) {
  if (type.isF32() || type.isInteger(32))
    return d1::EType::w32;
  if (type.isBF16())
    return d1::EType::bf16;
  if (type.isF16())
    return d1::EType::f16;
  if (type.isInteger(16))
    return d1::EType::i16;
  if (type.isInteger(8))
    return d1::EType::i8;
  if (type.isInteger(1))
    return d1::EType::u8;
  return std::nullopt;
}

KernelLowering::KernelLowering(func::FuncOp kernel, d1::FuncOp program, unsigned thread,
                               unsigned threads, unsigned accumulators)
    : d(OpBuilder::atBlockEnd(&program.getBody().front()), kernel.getLoc()), thread(thread),
      threads(threads), accumulators(accumulators), kernel(kernel), narrowBits(kernel) {}

RegisterFile KernelLowering::fileOf(Type t) const {
  if (allLanes)
    return t.isInteger(1) ? RegisterFile::M : RegisterFile::V;
  return registerFileOf(t);
}

LogicalResult KernelLowering::run() {
  if (failed(plan.build(kernel)))
    return failure();
  return lowerBlock(kernel.getBody().front());
}

LogicalResult KernelLowering::lowerBlock(Block &block) {
  bool top = block.getParentOp() == kernel;
  for (Operation &op : block) {
    d.loc = op.getLoc();
    if (top)
      d.startSection(d.b.getInsertionBlock());
    if (failed(lower(&op)))
      return failure();
  }
  return success();
}

LogicalResult KernelLowering::unsupported(Operation *op) {
  InFlightDiagnostic diag = op->emitError("there is no D1 code for ") << op->getName();
  if (op->getNumOperands())
    diag << " on (" << op->getOperandTypes() << ")";
  if (op->getNumResults())
    diag << " with results (" << op->getResultTypes() << ")";
  return diag;
}

LogicalResult KernelLowering::lower(Operation *op) {
  if (isa<func::ReturnOp, arith::ConstantOp, ub::PoisonOp, memref::ReinterpretCastOp,
          memref::SubViewOp, memref::CastOp, memref::CollapseShapeOp, memref::ExpandShapeOp,
          vector::ConstantMaskOp>(op))
    return success();
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return lowerFor(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return lowerIf(branch);
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return lowerWhile(loop);
  if (auto conv = dyn_cast<ConvOp>(op))
    return lowerConv(*this, conv, accumulators);
  if (getMemoryOperand(op))
    return lowerAccess(op);
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    if (!plan.onlyAddresses(apply))
      set(apply, affineExpr(apply.getAffineMap().getResult(0), apply.getMapOperands()));
    return success();
  }
  for (Type t : op->getResultTypes()) {
    auto vec = dyn_cast<VectorType>(t);
    Type element = getElementTypeOrSelf(t);
    if (vec && (vec.getRank() != 1 || vec.getNumElements() != numLanes))
      return unsupported(op);
    if (element.isF64() || (!isa<FloatType, IntegerType, IndexType>(element)) ||
        (isa<IntegerType>(element) && element.getIntOrFloatBitWidth() > 64) ||
        ((vec || allLanes) && element.isInteger(64)))
      return unsupported(op);
  }
  if (op->getName().getDialectNamespace() == vector::VectorDialect::getDialectNamespace())
    return lowerVectorOp(op);
  if (op->getNumResults() == 1 && op->getNumRegions() == 0) {
    // Index arithmetic that pointers have taken over.
    if (op->getResult(0).getType().isIndex() &&
        isa<arith::AddIOp, arith::SubIOp, arith::MulIOp>(op) && !op->use_empty() &&
        plan.onlyAddresses(op->getResult(0)))
      return success();
    if (op->getName().getDialectNamespace() == arith::ArithDialect::getDialectNamespace())
      return lowerArith(op);
    if (op->getName().getDialectNamespace() == math::MathDialect::getDialectNamespace())
      return lowerMath(op);
  }
  return unsupported(op);
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// The 32 or 64 bits that a constant has in its register; vectors only if all lanes are equal.
std::optional<int64_t> KernelLowering::constantBits(Value v) {
  Attribute attr;
  if (!matchPattern(v, m_Constant(&attr)))
    return std::nullopt;
  if (auto dense = dyn_cast<DenseElementsAttr>(attr)) {
    if (!dense.isSplat())
      return std::nullopt;
    attr = dense.getSplatValue<Attribute>();
  }
  if (auto i = dyn_cast<IntegerAttr>(attr))
    return i.getType().isInteger(1) ? int64_t(i.getValue().getZExtValue())
                                    : i.getValue().getSExtValue();
  auto f = dyn_cast<FloatAttr>(attr);
  if (!f || f.getType().isF64())
    return std::nullopt;
  APFloat value = f.getValue();
  bool lost;
  value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &lost);
  return int32_t(value.bitcastToAPInt().getZExtValue());
}

static int32_t laneBits(Attribute attr) {
  if (auto i = dyn_cast<IntegerAttr>(attr))
    return int32_t(i.getValue().getSExtValue());
  APFloat value = cast<FloatAttr>(attr).getValue();
  bool lost;
  value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &lost);
  return int32_t(value.bitcastToAPInt().getZExtValue());
}

Value KernelLowering::get(Value v) {
  auto it = values.find(v);
  if (it != values.end())
    return it->second;
  if (auto b = broadcasts.find(v); b != broadcasts.end())
    return values[v] = d.op<d1::VMovXOp>(b->second);
  if (auto mask = v.getDefiningOp<vector::ConstantMaskOp>())
    return d.firstLanes(mask.getMaskDimSizes()[0]);
  if (auto product = v.getDefiningOp<arith::MulFOp>(); product && isFused(product))
    return values[v] = multiply(product);
  RegisterFile file = fileOf(v.getType());
  if (std::optional<int64_t> bits = constantBits(v)) {
    if (file == RegisterFile::X)
      return d.li(*bits);
    return file == RegisterFile::V ? d.splat(*bits) : d.firstLanes(*bits ? numLanes : 0);
  }
  Attribute attr;
  if (matchPattern(v, m_Constant(&attr))) {
    auto dense = cast<DenseElementsAttr>(attr);
    std::array<int32_t, 16> lanes{};
    uint16_t mask = 0;
    for (auto [l, a] : llvm::enumerate(dense.getValues<Attribute>())) {
      lanes[l] = laneBits(a);
      mask |= uint16_t((lanes[l] & 1) << l);
    }
    return file == RegisterFile::M ? d.laneSet(mask) : d.lanes(lanes);
  }
  // Poison, or a value that an error has left without a register.
  return file == RegisterFile::X ? d.x0() : file == RegisterFile::V ? d.splat(0) : d.m0();
}

Value KernelLowering::second(Value v) {
  if (auto b = broadcasts.find(v); b != broadcasts.end())
    return b->second;
  if (fileOf(v.getType()) == RegisterFile::V && !values.contains(v))
    if (std::optional<int64_t> bits = constantBits(v))
      return d.li(int32_t(*bits));
  return get(v);
}

Value KernelLowering::normalize(Value reg, Type type) {
  Type element = getElementTypeOrSelf(type);
  if (!element.isInteger(8) && !element.isInteger(16) && !element.isInteger(32))
    return reg;
  int bits = element.getIntOrFloatBitWidth();
  if (isa<d1::XType>(reg.getType()))
    return d.signExtend(reg, bits);
  return bits == 32 ? reg : d.isra(d.ishl(reg, 32 - bits), 32 - bits);
}

LogicalResult KernelLowering::inlineBodies(Block &body, ArrayRef<SmallVector<Value>> arguments,
                                           SmallVectorImpl<SmallVector<Value>> &results) {
  allLanes = true;
  std::vector<DenseMap<Value, Value>> maps(arguments.size(), values);
  for (auto [map, registers] : llvm::zip(maps, arguments))
    for (auto [arg, reg] : llvm::zip(body.getArguments(), registers))
      map[arg] = reg;
  LogicalResult status = success();
  for (Operation &op : body.without_terminator()) {
    d.loc = op.getLoc();
    for (auto &map : maps) {
      std::swap(values, map);
      if (succeeded(status))
        status = lower(&op);
      std::swap(values, map);
    }
  }
  results.clear();
  for (auto &map : maps) {
    std::swap(values, map);
    SmallVector<Value> &registers = results.emplace_back();
    for (Value v : body.getTerminator()->getOperands())
      registers.push_back(get(v));
    std::swap(values, map);
  }
  allLanes = false;
  return status;
}

Value KernelLowering::affineExpr(AffineExpr e, ValueRange operands) {
  if (auto c = dyn_cast<AffineConstantExpr>(e))
    return d.li(c.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(e))
    return get(operands[dim.getPosition()]);
  auto bin = cast<AffineBinaryOpExpr>(e);
  auto constant = dyn_cast<AffineConstantExpr>(bin.getRHS());
  Value lhs = affineExpr(bin.getLHS(), operands);
  if (bin.getKind() == AffineExprKind::Add)
    return constant ? d.addi(lhs, constant.getValue())
                    : d.op<d1::AddOp>(lhs, affineExpr(bin.getRHS(), operands));
  int64_t c = constant ? constant.getValue() : 0;
  bool power = c > 0 && llvm::isPowerOf2_64(c);
  int shift = power ? llvm::Log2_64(c) : 0;
  Value rhs = constant && power ? Value() : affineExpr(bin.getRHS(), operands);
  switch (bin.getKind()) {
  case AffineExprKind::Mul:
    return power ? d.slli(lhs, shift) : d.op<d1::MulOp>(lhs, rhs);
  case AffineExprKind::Mod: {
    if (power)
      return d.andi(lhs, c - 1);
    // The divisor is positive: a negative remainder is one divisor short.
    Value rem = d.op<d1::RemOp>(lhs, rhs);
    return d.op<d1::SelOp>(d.srli(rem, 63), d.op<d1::AddOp>(rem, rhs), rem);
  }
  default:
    break;
  }
  // Division rounds towards zero; a remainder below zero makes it one too large.
  if (power)
    return bin.getKind() == AffineExprKind::FloorDiv ? d.srai(lhs, shift)
                                                     : d.srai(d.addi(lhs, c - 1), shift);
  Value quotient = d.op<d1::DivOp>(lhs, rhs), rem = d.op<d1::RemOp>(lhs, rhs);
  if (bin.getKind() == AffineExprKind::FloorDiv)
    return d.op<d1::SubOp>(quotient, d.srli(rem, 63));
  return d.op<d1::AddOp>(quotient, d.op<d1::SltOp>(d.x0(), rem));
}

LogicalResult mlir::dojo::lowerKernel(func::FuncOp kernel, d1::FuncOp program, unsigned thread,
                                      unsigned threads, unsigned accumulators) {
  return KernelLowering(kernel, program, thread, threads, accumulators).run();
}
