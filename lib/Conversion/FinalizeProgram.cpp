// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Structured loops to labels and loop instructions.

#include "KernelSteps.h"
#include "RegisterWebs.h"

#include "dojo/Conversion/KernelPasses.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_FINALIZEPROGRAM
#include "dojo/Conversion/KernelPasses.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;

/// Puts the body of a loop in its place. All values that a register carries through the loop have
/// its type; the text before the label and the text after the loop read it under the names it had.
static void flatten(d1::RepeatOp repeat, unsigned &labels) {
  OpBuilder b(repeat);
  std::string name = ("loop" + Twine(labels++)).str();
  d1::LabelOp::create(b, repeat.getLoc(), name, IntegerAttr());
  Block *body = repeat.getBodyBlock();
  auto yield = cast<d1::YieldOp>(repeat.getYield());
  for (auto [arg, init] : llvm::zip(body->getArguments(), repeat.getInits()))
    arg.replaceAllUsesWith(init);
  SmallVector<Value> yielded(yield.getValues());
  yield.erase();
  repeat->getBlock()->getOperations().splice(repeat->getIterator(), body->getOperations());
  Value counter = d1::LoopOp::create(b, repeat.getLoc(), repeat.getCount(), name).getResult();
  repeat.getCounter().replaceAllUsesWith(counter);
  for (auto [result, v] : llvm::zip(repeat.getResults(), yielded))
    result.replaceAllUsesWith(v);
  repeat.erase();
}

LogicalResult mlir::dojo::finalizeProgram(d1::FuncOp program) {
  WalkResult checked = program.walk([](Operation *op) {
    for (Type t : op->getResultTypes())
      if (d1::getRegisterIndex(t) < 0)
        return op->emitError("has a virtual register; run d1-allocate-registers first"),
               WalkResult::interrupt();
    return WalkResult::advance();
  });
  if (checked.wasInterrupted())
    return failure();
  // Outer loops first: labels count up along the program.
  SmallVector<d1::RepeatOp> loops;
  program.walk<WalkOrder::PreOrder>([&](d1::RepeatOp loop) { loops.push_back(loop); });
  unsigned labels = 0;
  for (d1::RepeatOp loop : loops)
    flatten(loop, labels);
  // Copies of a register to itself are what coalescing has left of them.
  SmallVector<Operation *> empty;
  program.walk([&](Operation *op) {
    bool isCopy = isa<d1::VMovOp, d1::MOrOp>(op);
    if (auto addi = dyn_cast<d1::AddiOp>(op))
      isCopy = addi.getImm() == 0;
    if (isCopy && llvm::all_equal(op->getOperandTypes()) &&
        op->getOperand(0).getType() == op->getResult(0).getType())
      empty.push_back(op);
  });
  for (Operation *op : empty) {
    op->getResult(0).replaceAllUsesWith(op->getOperand(0));
    op->erase();
  }
  return success();
}

namespace {
struct FinalizeProgram : public mlir::dojo::impl::FinalizeProgramBase<FinalizeProgram> {
  using FinalizeProgramBase::FinalizeProgramBase;

  void runOnOperation() override {
    if (failed(finalizeProgram(getOperation())))
      signalPassFailure();
  }
};
} // namespace
