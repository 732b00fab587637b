// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConvForm.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Transforms/Contraction.h"
#include "dojo/Transforms/NodeNames.h"
#include "dojo/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "dojo/Transforms/Passes.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;
using linalg::GenericOp;

namespace {

// A fused op keeps an address for each operand and a register for each value that is live in its
// body; beyond this number there are not enough of either.
constexpr unsigned maxOperands = 10;

int64_t loopPoints(GenericOp op) {
  int64_t points = 1;
  for (int64_t range : op.getStaticLoopRanges())
    points *= range;
  return points;
}

/// All loops parallel, one result, indexed by the loops in some order, that does not depend on
/// what its destination held.
bool isElementwise(GenericOp op) {
  return op && op.hasPureTensorSemantics() && op.getNumResults() == 1 &&
         op.getNumParallelLoops() == op.getNumLoops() &&
         op.getIndexingMapsArray().back().isPermutation() &&
         op.getBody()->getArguments().back().use_empty();
}

/// One operand and next to no arithmetic: conversions between types, at most one operation with a
/// constant, such as the division of a mean. Computing it once more for every reader costs less
/// than storing it.
bool isCheap(GenericOp op) {
  if (op.getNumDpsInputs() != 1)
    return false;
  unsigned operations = 0;
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (isa<CastOpInterface>(inner) && isa<arith::ArithDialect>(inner.getDialect()))
      continue;
    if (matchPattern(&inner, m_Constant()))
      continue;
    auto isConstant = [](Value value) { return matchPattern(value, m_Constant()); };
    if (!isa<arith::AddFOp, arith::SubFOp, arith::MulFOp>(inner) ||
        llvm::none_of(inner.getOperands(), isConstant) || ++operations > 1)
      return false;
  }
  return true;
}

/// Whether the op will be the epilogue of a convolution or matrix product.
bool isEpilogue(GenericOp op) { return findFusedSum(op) != nullptr; }

class Fuser {
public:
  explicit Fuser(func::FuncOp function) : function(function), rewriter(function.getContext()) {}
  void run();

private:
  void cleanUp();
  bool fuseInto(GenericOp consumer);
  void fuseAll(bool reductions);
  bool isWorthFusing(GenericOp producer, OpOperand &operand);
  bool fuse(OpOperand &operand);

  func::FuncOp function;
  IRRewriter rewriter;
};

bool Fuser::isWorthFusing(GenericOp producer, OpOperand &operand) {
  auto consumer = cast<GenericOp>(operand.getOwner());
  if (!isElementwise(producer) || isSumOfProducts(consumer) ||
      !linalg::areElementwiseOpsFusable(&operand))
    return false;
  bool cheap = isCheap(producer) && isElementwise(consumer);
  bool onlyUser =
      llvm::all_of(producer->getUsers(), [&](Operation *user) { return user == consumer; });
  if (!onlyUser && !(cheap && llvm::all_of(producer->getUsers(), [](Operation *user) {
                       auto generic = dyn_cast<GenericOp>(user);
                       return generic && !isSumOfProducts(generic);
                     })))
    return false;
  if (!cheap && loopPoints(consumer) != loopPoints(producer))
    return false;
  if (producer.getNumDpsInputs() + consumer.getNumDpsInputs() - 1 > maxOperands)
    return false;
  if (!isEpilogue(producer))
    return true;
  // The producer goes with its contraction. The consumer can join them if it is no epilogue of
  // another contraction; where several compete, the last joins and the others are its operands.
  if (!onlyUser || !isElementwise(consumer) || isEpilogue(consumer) ||
      !consumer.getMatchingIndexingMap(&operand).isPermutation())
    return false;
  for (OpOperand *other : consumer.getDpsInputOperands()) {
    auto rival = other->get().getDefiningOp<GenericOp>();
    if (rival && rival != producer && isElementwise(rival) && isEpilogue(rival) &&
        rival->hasOneUse() && producer->isBeforeInBlock(rival))
      return false;
  }
  return true;
}

bool Fuser::fuse(OpOperand &operand) {
  auto producer = operand.get().getDefiningOp<GenericOp>();
  auto consumer = cast<GenericOp>(operand.getOwner());
  // The fused op would keep a result that others still use: give this consumer a copy of its own.
  bool onlyUser =
      llvm::all_of(producer->getUsers(), [&](Operation *user) { return user == consumer; });
  rewriter.setInsertionPoint(consumer);
  if (!onlyUser) {
    producer = cast<GenericOp>(rewriter.clone(*producer));
    for (OpOperand *use : consumer.getDpsInputOperands())
      if (use->get() == operand.get() && use != &operand)
        use->set(producer.getResult(0));
    operand.set(producer.getResult(0));
  }
  Location loc = fuseLocations({producer.getLoc(), consumer.getLoc()});
  DictionaryAttr attributes = consumer->getDiscardableAttrDictionary();
  FailureOr<linalg::ElementwiseOpFusionResult> fused =
      linalg::fuseElementwiseOps(rewriter, &operand);
  if (failed(fused))
    return false;
  fused->fusedOp->setLoc(loc);
  fused->fusedOp->setDiscardableAttrs(attributes);
  for (Value result : consumer->getResults())
    rewriter.replaceAllUsesWith(result, fused->replacements.lookup(result));
  rewriter.eraseOp(consumer);
  if (producer->use_empty())
    rewriter.eraseOp(producer);
  return true;
}

bool Fuser::fuseInto(GenericOp consumer) {
  for (OpOperand *operand : consumer.getDpsInputOperands()) {
    auto producer = operand->get().getDefiningOp<GenericOp>();
    if (producer && isWorthFusing(producer, *operand) && fuse(*operand))
      return true;
  }
  return false;
}

/// Lets `op` read the operand of a reshape that only adds or drops dimensions of size one, so that
/// the op behind it can be fused.
void readThroughReshape(GenericOp op, OpOperand &operand) {
  auto reshape = operand.get().getDefiningOp<ReshapeOp>();
  if (!reshape || !reshape.getInput().getDefiningOp<GenericOp>())
    return;
  auto from = cast<RankedTensorType>(reshape.getInput().getType()).getShape();
  auto to = cast<RankedTensorType>(reshape.getType()).getShape();
  auto isOne = [](int64_t size) { return size == 1; };
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  AffineMap &map = maps[operand.getOperandNumber()];
  SmallVector<AffineExpr> exprs;
  unsigned next = 0;
  for (int64_t size : from) {
    if (isOne(size) && (next == to.size() || !isOne(to[next]))) {
      exprs.push_back(getAffineConstantExpr(0, op.getContext()));
      continue;
    }
    while (!isOne(size) && next < to.size() && isOne(to[next]))
      ++next;
    if (next == to.size() || to[next] != size)
      return;
    exprs.push_back(map.getResult(next++));
  }
  if (!llvm::all_of(to.drop_front(next), isOne))
    return;
  map = AffineMap::get(map.getNumDims(), 0, exprs, op.getContext());
  // Every loop needs an operand that gives its range.
  if (!inversePermutation(concatAffineMaps(maps, op.getContext())))
    return;
  op.setIndexingMapsAttr(Builder(op.getContext()).getAffineMapArrayAttr(maps));
  operand.set(reshape.getInput());
}

/// Merges equal operands, drops unused ones and the pairs of casts between what was fused.
void Fuser::cleanUp() {
  RewritePatternSet patterns(function.getContext());
  linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
  GenericOp::getCanonicalizationPatterns(patterns, function.getContext());
  (void)applyPatternsGreedily(function, std::move(patterns),
                              GreedyRewriteConfig().enableFolding(true));
}

void Fuser::run() {
  for (GenericOp op : function.getOps<GenericOp>())
    for (OpOperand *operand : op.getDpsInputOperands())
      if (!isSumOfProducts(op))
        readThroughReshape(op, *operand);
  // Chains of elementwise ops first: what ends up as an epilogue must not go into a reduction.
  fuseAll(/*reductions=*/false);
  fuseAll(/*reductions=*/true);
}

/// Fuses producers into elementwise ops, or into reductions, until nothing changes.
void Fuser::fuseAll(bool reductions) {
  bool changed = true;
  while (changed) {
    changed = false;
    cleanUp();
    SmallVector<GenericOp> ops(function.getBody().front().getOps<GenericOp>());
    for (GenericOp op : ops) {
      // The ops of the list that come later are never erased by what happens here: fusion erases
      // the consumer, at which we are, and producers, which come before it.
      if ((op.getNumReductionLoops() != 0) == reductions && fuseInto(op))
        changed = true;
    }
  }
}

struct FuseElementwisePass : mlir::dojo::impl::FuseElementwiseBase<FuseElementwisePass> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    Fuser(function).run();
  }
};

} // namespace
