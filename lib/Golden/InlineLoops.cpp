// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Golden/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_INLINELOOPS
#include "dojo/Golden/Passes.h.inc"

namespace {

struct InlineLoops : impl::InlineLoopsBase<InlineLoops> {
  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!main || main.isExternal())
      return;
    for (LoopOp loop : llvm::to_vector(main.front().getOps<LoopOp>()))
      if (failed(inlineLoop(loop, main)))
        return signalPassFailure();
    for (func::FuncOp body : bodies)
      body.erase();
  }

private:
  LogicalResult inlineLoop(LoopOp loop, func::FuncOp main) {
    auto body = getOperation().lookupSymbol<func::FuncOp>(loop.getBody());
    if (llvm::is_contained(open, body))
      return loop.emitError("is reached from its own body @") << loop.getBody();
    if (!body || !body.getBody().hasOneBlock())
      return loop.emitError("has a body @") << loop.getBody() << " that is no straight line";
    bodies.insert(body);
    OpBuilder b(loop);
    Location loc = loop.getLoc();
    SmallVector<Value> inits{loop.getCondition()};
    llvm::append_range(inits, loop.getInits());
    SmallVector<LoopOp> inner;
    auto whileOp = scf::WhileOp::create(
        b, loc, ValueRange(inits).getTypes(), inits,
        [](OpBuilder &b, Location loc, ValueRange carried) {
          Value more = tensor::ExtractOp::create(b, loc, carried[0], ValueRange());
          scf::ConditionOp::create(b, loc, more, carried);
        },
        [&](OpBuilder &b, Location loc, ValueRange carried) {
          Block &block = body.front();
          IRMapping map;
          map.map(block.getArguments().take_front(carried.size() - 1), carried.drop_front());
          map.map(block.getArguments().drop_front(carried.size() - 1), loop.getInvariants());
          for (Operation &op : block.without_terminator()) {
            // Weights are the same in each step: they are arguments of @main.
            OpBuilder::InsertionGuard guard(b);
            if (isa<WeightOp>(op))
              b.setInsertionPointToStart(&main.front());
            if (auto copy = dyn_cast<LoopOp>(b.clone(op, map)))
              inner.push_back(copy);
          }
          SmallVector<Value> next = llvm::map_to_vector(block.getTerminator()->getOperands(),
                                                        [&](Value v) { return map.lookup(v); });
          scf::YieldOp::create(b, loc, next);
        });
    loop->replaceAllUsesWith(whileOp.getResults().drop_front());
    loop.erase();
    open.push_back(body);
    for (LoopOp copy : inner)
      if (failed(inlineLoop(copy, main)))
        return failure();
    open.pop_back();
    return success();
  }

  SmallVector<func::FuncOp> open;
  llvm::SetVector<func::FuncOp> bodies;
};

} // namespace
} // namespace mlir::dojo
