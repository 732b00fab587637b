// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PlanProblem.h"

#include "MeshLowering.h"
#include "dojo/Planning/Planner.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::dojo;

namespace {
/// A sum of scaled loops and a constant; false for anything else.
bool linear(AffineExpr expr, int64_t factor, planning::AccessTerm &term) {
  if (auto c = dyn_cast<AffineConstantExpr>(expr)) {
    term.shift += factor * c.getValue();
    return true;
  }
  if (auto d = dyn_cast<AffineDimExpr>(expr)) {
    term.loops.push_back({int32_t(d.getPosition()), factor});
    return true;
  }
  auto bin = cast<AffineBinaryOpExpr>(expr);
  if (expr.getKind() == AffineExprKind::Add)
    return linear(bin.getLHS(), factor, term) && linear(bin.getRHS(), factor, term);
  auto c = dyn_cast<AffineConstantExpr>(bin.getRHS());
  return expr.getKind() == AffineExprKind::Mul && c &&
         linear(bin.getLHS(), factor * c.getValue(), term);
}

/// Adds `factor` times the expression to the row; false if the planner has no form for it.
bool addTerms(AffineExpr expr, int64_t factor, planning::AccessRow &row) {
  if (auto c = dyn_cast<AffineConstantExpr>(expr)) {
    row.constant += factor * c.getValue();
    return true;
  }
  if (auto d = dyn_cast<AffineDimExpr>(expr)) {
    row.terms.push_back({factor, {{int32_t(d.getPosition()), 1}}});
    return true;
  }
  auto bin = cast<AffineBinaryOpExpr>(expr);
  auto c = dyn_cast<AffineConstantExpr>(bin.getRHS());
  planning::AccessTerm term;
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return addTerms(bin.getLHS(), factor, row) && addTerms(bin.getRHS(), factor, row);
  case AffineExprKind::Mul:
    return c && addTerms(bin.getLHS(), factor * c.getValue(), row);
  case AffineExprKind::FloorDiv:
  case AffineExprKind::Mod:
    if (!c || !linear(bin.getLHS(), 1, term))
      return false;
    term.coefficient = factor;
    (expr.getKind() == AffineExprKind::Mod ? term.modulus : term.divisor) = c.getValue();
    row.terms.push_back(term);
    return true;
  default:
    return false;
  }
}

planning::OperandAccess accessOf(AffineMap map, RankedTensorType type) {
  planning::OperandAccess access;
  access.shape = toCoord(type.getShape());
  access.elementBytes = storageBytes(type.getElementType());
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    planning::AccessRow row;
    if (!addTerms(expr, 1, row))
      row = {{}, 0, type.getDimSize(i)}; // all of it, wherever the loops are
    access.rows.push_back(std::move(row));
  }
  return access;
}

/// One instruction with the sum that it becomes part of.
bool isFusedProduct(Operation *op) {
  return isa<arith::MulFOp>(op) && op->hasOneUse() && isa<arith::AddFOp>(*op->user_begin());
}

/// SIMD slots of one element-wise body: what becomes an instruction, transcendental functions by
/// their usual length. Masks of the ends of loops are not counted: few iterations come to them.
int64_t slotsOf(Region &body, const IndexBounds &ends = {}) {
  DenseSet<Operation *> masks = ends.onlyForBounds;
  for (const IndexBound &bound : ends.bounds) {
    masks.insert(bound.compare.getDefiningOp());
    for (Operation *user : bound.compare.getUsers())
      if (isa<arith::SelectOp>(user))
        masks.insert(user);
  }
  int64_t slots = 0;
  body.walk([&](Operation *op) {
    if (masks.contains(op))
      return;
    if (isa<math::ExpOp, math::TanhOp, math::ErfOp, math::LogOp, math::PowFOp, math::SinOp,
            math::CosOp>(op))
      slots += 20;
    else if (isa<math::SinhOp, math::CoshOp, math::AsinhOp, math::AcoshOp, math::AtanhOp,
                 math::AsinOp, math::AcosOp, math::AtanOp, math::TanOp>(op))
      slots += 40;
    else if (isa<arith::DivFOp, math::SqrtOp, math::RsqrtOp>(op))
      slots += 8;
    else if (!isFusedProduct(op) &&
             !isa<arith::ExtFOp, arith::TruncFOp, arith::ConstantOp, linalg::IndexOp>(op) &&
             !op->hasTrait<OpTrait::IsTerminator>())
      slots += 1;
  });
  return slots;
}

void describeConv(ConvOp conv, planning::LayerProblem &problem) {
  // Loops: n, fo, y, x, f2, f4, kh, kw, cq, c4.
  problem.work.rowLoops = {0, 2, 3};
  problem.work.columnLoops = {1};
  problem.work.depthLoops = {6, 7, 8};
  bool strided = conv.getStrides()[1] != 1;
  bool shifted = conv.getKernelWidth() > 1;
  problem.work.rowLoadSlots = strided ? 4 : shifted ? 2 : 1;
  problem.work.simdPerOutput = 1 + slotsOf(conv.getEpilogue());
  problem.work.memoryPerOutput = 1 + conv.getExtras().size() / 2;
}

/// True if a step of `outer` follows the last one of the loops `inner` (innermost first) in the
/// memory of every operand that it moves.
bool isNextInMemory(const LayerAccess &access, AffineDimExpr outer, ArrayRef<int32_t> inner) {
  if (inner.empty())
    return true;
  for (const LayerAccess::Operand &in : access.inputs) {
    ArrayRef<AffineExpr> results = in.map.getResults();
    if (in.unused || !in.map.isFunctionOfDim(outer.getPosition()))
      continue;
    auto *last = llvm::find(results, getAffineDimExpr(inner.back(), outer.getContext()));
    if (last == results.end() || last == results.begin() || last[-1] != outer)
      return false;
  }
  return true;
}

void describeGeneric(linalg::GenericOp generic, const LayerAccess &access,
                     planning::LayerProblem &problem) {
  problem.work.simdPerPoint =
      std::max<int64_t>(1, slotsOf(generic.getRegion(), findIndexBounds(generic)));
  problem.work.memoryPerPoint = access.inputs.size();
  problem.work.memoryPerOutput = 1;
  if (access.reducesAlongMemory()) {
    for (const LayerAccess::Operand &in : access.inputs)
      if (std::optional<unsigned> loop = access.loopAlongMemory(in))
        problem.work.vectorLoops = {int32_t(*loop)};
    return;
  }
  // The innermost dimensions of the result that fill a vector.
  constexpr int64_t lanes = 16;
  int64_t along = 1;
  for (AffineExpr expr : llvm::reverse(access.outputMap.getResults())) {
    auto d = dyn_cast<AffineDimExpr>(expr);
    if (!d || along >= lanes || !isNextInMemory(access, d, problem.work.vectorLoops))
      break;
    problem.work.vectorLoops.push_back(d.getPosition());
    along *= access.extents[d.getPosition()];
  }
}
} // namespace

planning::LayerProblem mlir::dojo::planProblemOf(LayerOp layer, const LayerAccess &access) {
  planning::LayerProblem problem;
  problem.name = layer.getName().str();
  for (unsigned d = 0; d < access.numLoops(); ++d)
    problem.loops.push_back({access.extents[d], access.granularity[d], access.parallel[d]});
  for (const LayerAccess::Operand &in : access.inputs) {
    if (in.layerOperand < 0 || in.unused)
      continue;
    planning::OperandAccess operand = accessOf(in.map, in.type);
    for (auto [d, all] : llvm::enumerate(in.whole))
      if (all)
        operand.rows[d] = {{}, 0, in.type.getDimSize(d)};
    operand.constant = layer.getInputs()[in.layerOperand].getDefiningOp<WeightOp>() != nullptr;
    problem.inputs.push_back(std::move(operand));
  }
  problem.output = accessOf(access.outputMap, access.outputType);
  if (auto conv = dyn_cast<ConvOp>(access.root))
    describeConv(conv, problem);
  else
    describeGeneric(cast<linalg::GenericOp>(access.root), access, problem);
  return problem;
}

std::string mlir::dojo::planFault(PlanAttr plan, LayerOp op, const LayerAccess &access,
                                  const planning::Mesh &mesh) {
  planning::LayerProblem problem = planProblemOf(op, access);
  if (std::string fault = planning::checkLayerProblem(problem); !fault.empty())
    return fault;
  planning::LayerPlan given;
  given.splits = toCoord(plan.getSplits());
  given.nodes = plan.getNodes().vec();
  // Bytes are for the packer to judge.
  given.constantBytes = given.workingBytes = INT64_MAX / 4;
  // Copies, m, n and k are names for people.
  for (int64_t splits : given.splits)
    if (given.copies <= mesh.positions())
      given.copies *= std::min<int64_t>(splits, mesh.positions() + 1);
  for (auto [d, splits] : llvm::enumerate(given.splits))
    if (d < problem.loops.size() && !problem.loops[d].parallel && splits > 1)
      return "loop " + std::to_string(d) + " is a reduction and cannot be divided";
  return planning::verifyPlan(problem, given, mesh, {INT64_MAX, 1});
}
