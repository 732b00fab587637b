// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Structured control flow to labels, loop instructions and branches.

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

/// Conditional branches reach 8 KB. Labels and branches yet to be made count a little.
static bool isNear(Region &region) {
  int64_t bytes = 0;
  region.walk([&](Operation *op) {
    std::optional<::dojo::isa::Opcode> opcode = d1::getOpcode(op);
    bytes += opcode ? ::dojo::isa::info(*opcode).bytes : 16;
  });
  return bytes < 8000;
}

/// Goes on only if `condition` is not 0, else at the label.
static void branchIfZero(OpBuilder &b, Location loc, Value condition, const std::string &label,
                         bool near, unsigned &labels) {
  Value zero = d1::RegisterOp::create(b, loc, d1::XType::get(b.getContext(), 0));
  if (near) {
    d1::BeqOp::create(b, loc, condition, zero, label);
    return;
  }
  std::string next = "near" + std::to_string(labels++);
  d1::BneOp::create(b, loc, condition, zero, next);
  d1::JOp::create(b, loc, label);
  d1::LabelOp::create(b, loc, next, IntegerAttr());
}

/// Moves what stands in `block`, but the terminator, in front of `place`.
static void inlineBefore(Block *block, Operation *place) {
  block->getTerminator()->erase();
  place->getBlock()->getOperations().splice(place->getIterator(), block->getOperations());
}

static void flatten(d1::IfOp branch, unsigned &labels) {
  OpBuilder b(branch);
  Location loc = branch.getLoc();
  std::string number = std::to_string(labels++), otherwise = "else" + number, end = "end" + number;
  Block *then = branch.getThenBlock(), *other = branch.getElseBlock();
  bool hasElse = !llvm::hasSingleElement(*other);
  branchIfZero(b, loc, branch.getCondition(), hasElse ? otherwise : end, isNear(branch.getThen()),
               labels);
  for (auto [result, v] : llvm::zip(branch.getResults(), then->getTerminator()->getOperands()))
    result.replaceAllUsesWith(v);
  inlineBefore(then, branch);
  if (hasElse) {
    d1::JOp::create(b, loc, end);
    d1::LabelOp::create(b, loc, otherwise, IntegerAttr());
    inlineBefore(other, branch);
  }
  d1::LabelOp::create(b, loc, end, IntegerAttr());
  branch.erase();
}

static void flatten(d1::WhileOp loop, unsigned &labels) {
  OpBuilder b(loop);
  Location loc = loop.getLoc();
  std::string number = std::to_string(labels++), head = "while" + number, end = "done" + number;
  auto condition = cast<d1::ConditionOp>(loop.getCondition());
  Block *before = loop.getBeforeBlock(), *after = loop.getAfterBlock();
  for (auto [arg, init] : llvm::zip(before->getArguments(), loop.getInits()))
    arg.replaceAllUsesWith(init);
  for (auto [arg, result, v] :
       llvm::zip(after->getArguments(), loop.getResults(), condition.getValues())) {
    arg.replaceAllUsesWith(v);
    result.replaceAllUsesWith(v);
  }
  Value goesOn = condition.getCondition();
  d1::LabelOp::create(b, loc, head, IntegerAttr());
  bool near = isNear(loop.getAfter());
  inlineBefore(before, loop);
  branchIfZero(b, loc, goesOn, end, near, labels);
  inlineBefore(after, loop);
  d1::JOp::create(b, loc, head);
  d1::LabelOp::create(b, loc, end, IntegerAttr());
  loop.erase();
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
  SmallVector<Operation *> structures;
  program.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<d1::RepeatOp, d1::IfOp, d1::WhileOp>(op))
      structures.push_back(op);
  });
  unsigned labels = 0;
  for (Operation *op : structures) {
    if (auto loop = dyn_cast<d1::RepeatOp>(op))
      flatten(loop, labels);
    else if (auto branch = dyn_cast<d1::IfOp>(op))
      flatten(branch, labels);
    else
      flatten(cast<d1::WhileOp>(op), labels);
  }
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
