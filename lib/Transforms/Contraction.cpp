// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Transforms/Contraction.h"

#include "dialects/Dojo/DojoDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::dojo;

static Value stripExtension(Value value) {
  while (auto extension = value.getDefiningOp<arith::ExtFOp>())
    value = extension.getIn();
  return value;
}

bool mlir::dojo::isSumOfProducts(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0)
    return false;
  Block *body = op.getBody();
  auto sum =
      cast<linalg::YieldOp>(body->getTerminator()).getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!sum)
    return false;
  Value accumulator = body->getArgument(2), other = sum.getLhs();
  if (other == accumulator)
    other = sum.getRhs();
  else if (sum.getRhs() != accumulator)
    return false;
  auto product = stripExtension(other).getDefiningOp<arith::MulFOp>();
  if (!product)
    return false;
  Value lhs = stripExtension(product.getLhs()), rhs = stripExtension(product.getRhs());
  Value a = body->getArgument(0), b = body->getArgument(1);
  return (lhs == a && rhs == b) || (lhs == b && rhs == a);
}

std::optional<SmallVector<std::pair<unsigned, int64_t>>> mlir::dojo::matchSum(AffineExpr expr) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return SmallVector<std::pair<unsigned, int64_t>>{{dim.getPosition(), 1}};
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return std::nullopt;
  if (expr.getKind() == AffineExprKind::Mul) {
    auto dim = dyn_cast<AffineDimExpr>(binary.getLHS());
    auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS());
    if (!dim || !factor)
      return std::nullopt;
    return SmallVector<std::pair<unsigned, int64_t>>{{dim.getPosition(), factor.getValue()}};
  }
  if (expr.getKind() != AffineExprKind::Add)
    return std::nullopt;
  auto lhs = matchSum(binary.getLHS()), rhs = matchSum(binary.getRHS());
  if (!lhs || !rhs)
    return std::nullopt;
  lhs->append(*rhs);
  return lhs;
}

/// For each dimension whether a result of `map` is that dimension alone, and whether it occurs in
/// a longer expression.
static void findUses(AffineMap map, SmallVectorImpl<bool> &alone, SmallVectorImpl<bool> &inSum) {
  alone.assign(map.getNumDims(), false);
  inSum.assign(map.getNumDims(), false);
  for (AffineExpr result : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(result)) {
      alone[dim.getPosition()] = true;
      continue;
    }
    for (unsigned d = 0; d < map.getNumDims(); ++d)
      inSum[d] = inSum[d] || result.isFunctionOfDim(d);
  }
}

std::optional<Contraction> mlir::dojo::matchContraction(linalg::GenericOp op) {
  if (!isSumOfProducts(op))
    return std::nullopt;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  Contraction roles{op, 0, 1, {}, {}, {}, {}, {}};
  bool firstSimple = maps[0].isProjectedPermutation(/*allowZeroInResults=*/true);
  bool secondSimple = maps[1].isProjectedPermutation(/*allowZeroInResults=*/true);
  if (!secondSimple || (firstSimple && op.getDpsInputs()[0].getDefiningOp<WeightOp>() &&
                        !op.getDpsInputs()[1].getDefiningOp<WeightOp>()))
    std::swap(roles.image, roles.kernel);
  if (!maps[roles.kernel].isProjectedPermutation(true) || !maps[2].isProjectedPermutation())
    return std::nullopt;

  SmallVector<bool> inImage, inImageSum, inKernel, inResult, none;
  findUses(maps[roles.image], inImage, inImageSum);
  findUses(maps[roles.kernel], inKernel, none);
  findUses(maps[2], inResult, none);
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  for (unsigned d = 0; d < iterators.size(); ++d) {
    bool image = inImage[d] || inImageSum[d];
    if (iterators[d] == utils::IteratorType::parallel) {
      if (image && inKernel[d] && !inImageSum[d])
        roles.batch.push_back(d);
      else if (image && !inKernel[d])
        roles.rows.push_back(d);
      else if (inKernel[d] && !image)
        roles.columns.push_back(d);
      else
        return std::nullopt;
    } else if (iterators[d] == utils::IteratorType::reduction && inKernel[d]) {
      if (inImage[d] && !inImageSum[d])
        roles.depth.push_back(d);
      else if (inImageSum[d] && !inImage[d])
        roles.taps.push_back(d);
      else
        return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return roles;
}
