// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PointerPlan.h"
#include "KernelNest.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <map>

using namespace mlir;
using namespace mlir::dojo;

std::optional<LoopBounds> mlir::dojo::getBounds(scf::ForOp loop) {
  std::optional<int64_t> lo = getConstantIntValue(loop.getLowerBound()),
                         hi = getConstantIntValue(loop.getUpperBound()),
                         step = getConstantIntValue(loop.getStep());
  if (!lo || !hi || !step || *step <= 0)
    return std::nullopt;
  return LoopBounds{*lo, *step, *hi > *lo ? int64_t(llvm::divideCeil(*hi - *lo, *step)) : 0};
}

//===----------------------------------------------------------------------===//
// Linear expressions
//===----------------------------------------------------------------------===//

static LinearExpr scale(LinearExpr e, int64_t factor) {
  e.constant *= factor;
  for (auto &term : e.terms)
    term.second *= factor;
  if (factor == 0)
    e.terms.clear();
  return e;
}

static LinearExpr add(const LinearExpr &a, const LinearExpr &b) {
  LinearExpr sum;
  sum.constant = a.constant + b.constant;
  auto depth = [](Operation *loop) {
    int n = 0;
    for (Operation *op = loop; op; op = op->getParentOp())
      ++n;
    return n;
  };
  sum.terms = a.terms;
  for (auto [loop, factor] : b.terms) {
    auto it = llvm::find_if(sum.terms, [&](auto &t) { return t.first == loop; });
    if (it != sum.terms.end())
      it->second += factor;
    else
      sum.terms.push_back({loop, factor});
  }
  llvm::erase_if(sum.terms, [](auto &t) { return t.second == 0; });
  // The loops of one expression are nested, so depths differ.
  llvm::sort(sum.terms, [&](auto &l, auto &r) { return depth(l.first) < depth(r.first); });
  return sum;
}

static std::optional<LinearExpr> linearize(AffineExpr e, ValueRange operands) {
  if (auto c = dyn_cast<AffineConstantExpr>(e))
    return LinearExpr{c.getValue(), {}};
  if (auto d = dyn_cast<AffineDimExpr>(e))
    return mlir::dojo::linearize(operands[d.getPosition()]);
  auto bin = dyn_cast<AffineBinaryOpExpr>(e);
  if (!bin)
    return std::nullopt;
  std::optional<LinearExpr> lhs = linearize(bin.getLHS(), operands),
                            rhs = linearize(bin.getRHS(), operands);
  if (!lhs || !rhs)
    return std::nullopt;
  if (bin.getKind() == AffineExprKind::Add)
    return add(*lhs, *rhs);
  if (bin.getKind() == AffineExprKind::Mul && rhs->terms.empty())
    return scale(*lhs, rhs->constant);
  return std::nullopt;
}

std::optional<LinearExpr> mlir::dojo::linearize(Value index) {
  if (std::optional<int64_t> c = getConstantIntValue(index))
    return LinearExpr{*c, {}};
  if (auto arg = dyn_cast<BlockArgument>(index)) {
    auto loop = dyn_cast<scf::ForOp>(arg.getOwner()->getParentOp());
    if (!loop || loop.getInductionVar() != arg || !getBounds(loop))
      return std::nullopt;
    return LinearExpr{0, {{loop, 1}}};
  }
  Operation *def = index.getDefiningOp();
  if (auto apply = dyn_cast<affine::AffineApplyOp>(def)) {
    if (apply.getAffineMap().getNumSymbols() != 0)
      return std::nullopt;
    return ::linearize(apply.getAffineMap().getResult(0), apply.getMapOperands());
  }
  if (isa<arith::AddIOp, arith::SubIOp, arith::MulIOp>(def)) {
    std::optional<LinearExpr> lhs = linearize(def->getOperand(0)),
                              rhs = linearize(def->getOperand(1));
    if (!lhs || !rhs)
      return std::nullopt;
    if (isa<arith::AddIOp>(def))
      return add(*lhs, *rhs);
    if (isa<arith::SubIOp>(def))
      return add(*lhs, scale(*rhs, -1));
    if (rhs->terms.empty())
      return scale(*lhs, rhs->constant);
    if (lhs->terms.empty())
      return scale(*rhs, lhs->constant);
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

std::optional<MemoryOperand> mlir::dojo::getMemoryOperand(Operation *op) {
  return TypeSwitch<Operation *, std::optional<MemoryOperand>>(op)
      .Case<memref::LoadOp, memref::StoreOp>(
          [](auto o) { return MemoryOperand{o.getMemRef(), o.getIndices()}; })
      .Case<vector::LoadOp, vector::StoreOp, vector::MaskedLoadOp, vector::MaskedStoreOp>(
          [](auto o) { return MemoryOperand{o.getBase(), o.getIndices()}; })
      .Case<vector::GatherOp, vector::ScatterOp>(
          [](auto o) { return MemoryOperand{o.getBase(), o.getOffsets()}; })
      .Default([](Operation *) { return std::nullopt; });
}

int64_t mlir::dojo::elementBytes(Type element) {
  return element.isIndex() ? 8 : (element.getIntOrFloatBitWidth() + 7) / 8;
}

LogicalResult PointerPlan::addAccess(Operation *op, MemoryOperand operand) {
  BlockArgument root = getRootArgument(operand.memref);
  if (!root)
    return op->emitError("accesses memory that is no argument of the kernel");
  std::optional<int64_t> address = getArgumentAddress(root);
  if (!address)
    return op->emitError("accesses argument ")
           << root.getArgNumber() << ", which has no address (attribute dojo.address)";
  auto type = cast<MemRefType>(operand.memref.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) || ShapedType::isDynamic(offset) ||
      llvm::any_of(strides, ShapedType::isDynamic))
    return op->emitError("accesses ") << type << ", whose strides are not static";
  LinearExpr sum{offset, {}};
  for (auto [index, stride] : llvm::zip(operand.indices, strides)) {
    std::optional<LinearExpr> e = linearize(index);
    if (!e)
      return success();
    sum = add(sum, scale(*e, stride));
  }
  // Pointers that move in several loops need loops with nothing else between them.
  if (!sum.terms.empty())
    for (Operation *loop = sum.terms.back().first; loop != sum.terms.front().first;) {
      loop = loop->getParentOp();
      auto outer = dyn_cast<scf::ForOp>(loop);
      if (!outer || !getBounds(outer))
        return success();
    }
  sum = scale(sum, elementBytes(type.getElementType()));
  sum.constant += *address;
  // The first pointer that moves alike and is near enough.
  for (auto [i, p] : llvm::enumerate(pointers)) {
    if (p.start.terms != sum.terms)
      continue;
    int64_t distance = sum.constant - p.start.constant;
    if (distance >= -nearBytes && distance <= nearBytes) {
      places[op] = {unsigned(i), distance};
      return success();
    }
  }
  Pointer p;
  p.start = sum;
  if (!sum.terms.empty()) {
    Operation *outermost = sum.terms.front().first;
    for (Operation *loop = sum.terms.back().first;; loop = loop->getParentOp()) {
      p.chain.insert(p.chain.begin(), cast<scf::ForOp>(loop));
      if (loop == outermost)
        break;
    }
  }
  places[op] = {unsigned(pointers.size()), 0};
  pointers.push_back(std::move(p));
  return success();
}

LogicalResult PointerPlan::build(func::FuncOp kernel) {
  for (BlockArgument arg : kernel.getArguments()) {
    regions[arg] = arg.getArgNumber();
    for (BlockArgument other : kernel.getArguments().take_front(arg.getArgNumber())) {
      int from = regions[other], to = regions[arg];
      if (from == to || !mayOverlap(arg, other))
        continue;
      for (BlockArgument a : kernel.getArguments().take_front(arg.getArgNumber() + 1))
        if (regions[a] == from || regions[a] == to)
          regions[a] = std::min(from, to);
    }
  }
  auto addAll = [&] {
    WalkResult walk = kernel.walk([&](Operation *op) {
      std::optional<MemoryOperand> operand = getMemoryOperand(op);
      if (operand && failed(addAccess(op, *operand)))
        return WalkResult::interrupt();
      return WalkResult::advance();
    });
    return failure(walk.wasInterrupted());
  };
  if (failed(addAll()))
    return failure();
  if (llvm::count_if(pointers, [](const Pointer &p) { return !p.chain.empty(); }) <= maxPointers)
    return success();
  // Moving pointers cannot be spilled: those that move alike become one, whatever lies between.
  pointers.clear();
  places.clear();
  nearBytes = INT64_MAX / 4;
  return addAll();
}

std::optional<PointerPlan::Place> PointerPlan::find(Operation *access) const {
  auto it = places.find(access);
  return it == places.end() ? std::nullopt : std::optional(it->second);
}

bool PointerPlan::onlyAddresses(Value index) const {
  return llvm::all_of(index.getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (isa<affine::AffineApplyOp, arith::AddIOp, arith::SubIOp, arith::MulIOp>(user))
      return onlyAddresses(user->getResult(0));
    std::optional<MemoryOperand> operand = getMemoryOperand(user);
    if (!operand || !places.contains(user))
      return false;
    return llvm::is_contained(operand->indices, index) &&
           !(isa<memref::StoreOp>(user) && use.getOperandNumber() == 0);
  });
}

int PointerPlan::region(Value memref) const {
  auto it = regions.find(getRootArgument(memref));
  return it == regions.end() ? -1 : it->second;
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

static int64_t factorOf(const LinearExpr &e, Operation *loop) {
  for (auto [l, factor] : e.terms)
    if (l == loop)
      return factor;
  return 0;
}

int64_t PointerPlan::Pointer::advance(scf::ForOp loop) const {
  const auto *it = llvm::find(chain, loop);
  int64_t bytes = factorOf(start, loop) * getBounds(loop)->step;
  if (it + 1 == chain.end())
    return bytes;
  // The inner loop has moved the register already.
  scf::ForOp inner = *(it + 1);
  LoopBounds bounds = *getBounds(inner);
  return bytes - factorOf(start, inner) * bounds.step * bounds.trips;
}

int64_t PointerPlan::Pointer::initial() const {
  int64_t address = start.constant;
  for (auto [loop, factor] : start.terms)
    address += factor * getBounds(cast<scf::ForOp>(loop))->lower;
  return address;
}
