// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "NarrowBits.h"
#include "LaneChoice.h"
#include "PointerPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/EquivalenceClasses.h"

using namespace mlir;
using namespace mlir::dojo;

static bool isNarrow(Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  return !isa<BaseMemRefType>(value.getType()) && (element.isBF16() || element.isF16());
}

static bool isConstant(Value value) { return matchPattern(value, m_Constant()); }

std::optional<int64_t> mlir::dojo::narrowConstantBits(Value value) {
  Attribute attr;
  if (!isNarrow(value) || !matchPattern(value, m_Constant(&attr)))
    return std::nullopt;
  if (auto dense = dyn_cast<DenseElementsAttr>(attr)) {
    if (!dense.isSplat())
      return std::nullopt;
    attr = dense.getSplatValue<Attribute>();
  }
  return cast<FloatAttr>(attr).getValue().bitcastToAPInt().getSExtValue();
}

namespace {
/// Sets of values that must be held alike, and those with arithmetic among them.
struct Webs {
  llvm::EquivalenceClasses<void *> classes;
  DenseSet<Value> computed;
  SmallVector<Value> values;

  void add(Value value) {
    if (!isNarrow(value) || isConstant(value))
      return;
    classes.insert(value.getAsOpaquePointer());
    values.push_back(value);
  }
  /// Constants take the form of what they meet.
  void join(Value a, Value b) {
    if (!isNarrow(a))
      return;
    if (isConstant(a) || isConstant(b)) {
      // Only where all bits are zero the form makes no difference; lanes that differ have none.
      Value constant = isConstant(a) ? a : b, other = isConstant(a) ? b : a;
      if (!isConstant(other) && !narrowConstantBits(constant))
        computed.insert(other);
      return;
    }
    classes.unionSets(a.getAsOpaquePointer(), b.getAsOpaquePointer());
  }
  /// The same where a constant is held as a number, whatever it meets.
  void meet(Value value, Value result) {
    if (isNarrow(value) && isConstant(value) && narrowConstantBits(value) != 0)
      computed.insert(result);
    else
      join(value, result);
  }
  void compute(Value value) {
    if (isNarrow(value))
      computed.insert(value);
  }
};
} // namespace

void mlir::dojo::castThroughIntegers(func::FuncOp kernel) {
  SmallVector<arith::BitcastOp> casts;
  kernel.walk([&](arith::BitcastOp cast) {
    if (isNarrow(cast.getIn()) && isNarrow(cast.getOut()))
      casts.push_back(cast);
  });
  for (arith::BitcastOp cast : casts) {
    OpBuilder b(cast);
    Type bits = b.getI16Type();
    if (auto vector = dyn_cast<VectorType>(cast.getType()))
      bits = vector.clone(bits);
    Value integer = arith::BitcastOp::create(b, cast.getLoc(), bits, cast.getIn());
    cast.getInMutable().assign(integer);
  }
}

NarrowBits::NarrowBits(func::FuncOp kernel) {
  Webs webs;
  kernel.walk([&](Operation *op) {
    for (Value result : op->getResults())
      webs.add(result);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Value argument : block.getArguments())
          webs.add(argument);
  });
  kernel.walk([&](Operation *op) {
    const bool endsLoop = isa<scf::YieldOp>(op) && isa<scf::ForOp>(op->getParentOp());
    if (getMemoryOperand(op) || isa<arith::ConstantOp>(op) || endsLoop)
      return;
    if (isa<arith::SelectOp>(op)) {
      webs.join(op->getOperand(1), op->getResult(0));
      webs.join(op->getOperand(2), op->getResult(0));
      return;
    }
    if (isa<vector::BroadcastOp, vector::ShuffleOp>(op)) {
      for (Value operand : op->getOperands())
        webs.meet(operand, op->getResult(0));
      return;
    }
    if (auto cast = dyn_cast<arith::BitcastOp>(op);
        cast &&
        getElementTypeOrSelf(isNarrow(cast.getIn()) ? cast.getType() : cast.getIn().getType())
            .isInteger(16))
      return;
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      for (auto [init, arg, yielded, result] :
           llvm::zip(loop.getInits(), loop.getRegionIterArgs(), loop.getYieldedValues(),
                     loop.getResults())) {
        webs.join(arg, result);
        webs.meet(init, result);
        webs.meet(yielded, result);
      }
      return;
    }
    for (Value operand : op->getOperands())
      webs.compute(operand);
    for (Value result : op->getResults())
      webs.compute(result);
    for (Region &region : op->getRegions())
      for (Value argument : region.getArguments())
        webs.compute(argument);
  });
  // Masked accesses have a value for the other lanes.
  kernel.walk([&](vector::MaskedLoadOp load) { webs.meet(load.getPassThru(), load.getResult()); });
  DenseSet<void *> computedWebs;
  for (Value value : webs.computed)
    if (!isConstant(value))
      computedWebs.insert(webs.classes.getLeaderValue(value.getAsOpaquePointer()));
  for (Value value : webs.values)
    if (!computedWebs.contains(webs.classes.getLeaderValue(value.getAsOpaquePointer())))
      bits.insert(value);
}
