// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Transforms/IndexBounds.h"

#include "dojo/Transforms/LayerAccess.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::dojo;

bool IndexBound::holdsUpTo(ArrayRef<int64_t> last) const {
  int64_t most = offset;
  for (auto [stride, index] : llvm::zip_equal(strides, last))
    most += stride * index;
  return most < limit;
}

/// Adds a sum of scaled dimensions and constants to the bound; false for anything else.
static bool addTerms(AffineExpr expr, int64_t factor, IndexBound &bound) {
  if (auto c = dyn_cast<AffineConstantExpr>(expr)) {
    bound.offset += factor * c.getValue();
    return true;
  }
  if (auto d = dyn_cast<AffineDimExpr>(expr)) {
    bound.strides[d.getPosition()] += factor;
    return true;
  }
  auto bin = cast<AffineBinaryOpExpr>(expr);
  if (expr.getKind() == AffineExprKind::Add)
    return addTerms(bin.getLHS(), factor, bound) && addTerms(bin.getRHS(), factor, bound);
  auto c = dyn_cast<AffineConstantExpr>(bin.getRHS());
  return expr.getKind() == AffineExprKind::Mul && c &&
         addTerms(bin.getLHS(), factor * c.getValue(), bound);
}

static std::optional<IndexBound> readBound(arith::CmpIOp compare, unsigned loops) {
  IndexBound bound{compare, 0, 0, SmallVector<int64_t>(loops, 0)};
  auto predicate = compare.getPredicate();
  IntegerAttr limit;
  if ((predicate != arith::CmpIPredicate::ult && predicate != arith::CmpIPredicate::slt) ||
      !compare.getLhs().getType().isIndex() || !matchPattern(compare.getRhs(), m_Constant(&limit)))
    return std::nullopt;
  bound.limit = limit.getInt();
  std::optional<AffineExpr> value = affineIndex(compare.getLhs());
  bool fits = value && addTerms(*value, 1, bound) && bound.limit >= 0 && bound.offset >= 0 &&
              llvm::all_of(bound.strides, [](int64_t stride) { return stride >= 0; });
  return fits ? std::optional(bound) : std::nullopt;
}

IndexBounds mlir::dojo::findIndexBounds(linalg::GenericOp op) {
  IndexBounds found;
  DenseSet<Operation *> compares;
  for (auto compare : op.getBody()->getOps<arith::CmpIOp>())
    if (std::optional<IndexBound> bound = readBound(compare, op.getNumLoops())) {
      compares.insert(compare);
      found.bounds.push_back(std::move(*bound));
    }
  // Users come after what they use.
  for (Operation &inner : llvm::reverse(*op.getBody())) {
    bool index = inner.getNumResults() == 1 && inner.getResult(0).getType().isIndex() &&
                 !inner.hasTrait<OpTrait::ConstantLike>() && affineIndex(inner.getResult(0));
    if (index && !inner.use_empty() && llvm::all_of(inner.getUsers(), [&](Operation *user) {
          return compares.contains(user) || found.onlyForBounds.contains(user);
        }))
      found.onlyForBounds.insert(&inner);
  }
  return found;
}
