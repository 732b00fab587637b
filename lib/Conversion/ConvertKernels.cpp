// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass from vectorised kernels to d1, and the whole way as a function.

#include "D1Builder.h"
#include "KernelSteps.h"
#include "NarrowBits.h"

#include "dojo/Conversion/CodeGen.h"
#include "dojo/Conversion/KernelPasses.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_CONVERTKERNELSTOD1
#include "dojo/Conversion/KernelPasses.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;

/// Functions that have no expansion of their own become arithmetic and functions that have one.
static LogicalResult expandRareMath(func::FuncOp kernel) {
  RewritePatternSet patterns(kernel.getContext());
  static constexpr StringLiteral approximated[] = {math::Atan2Op::getOperationName(),
                                                   math::CbrtOp::getOperationName(),
                                                   math::ErfcOp::getOperationName()};
  bool found = false;
  kernel.walk([&](Operation *op) {
    found |= llvm::is_contained(approximated, op->getName().getStringRef());
  });
  if (!found)
    return success();
  populateMathPolynomialApproximationPatterns(
      patterns, [](StringRef name) { return llvm::is_contained(approximated, name); });
  return applyPatternsGreedily(kernel, std::move(patterns));
}

void mlir::dojo::eliminateDeadCode(d1::FuncOp program) {
  // Backwards: readers before what they read. A loop's carried values keep what feeds them.
  program.walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *op) {
    if (isOpTriviallyDead(op))
      op->erase();
  });
}

static FailureOr<d1::FuncOp> convertKernel(func::FuncOp kernel, const KernelOptions &options,
                                           OpBuilder &b) {
  if (failed(expandRareMath(kernel)))
    return failure();
  castThroughIntegers(kernel);
  auto program = d1::FuncOp::create(b, kernel.getLoc(), kernel.getName(), options.thread);
  if (options.spillBytes > 0) {
    program.setSpill(options.spillAddress);
    program.setSpillBytes(options.spillBytes);
  }
  // Arguments without an address come in registers; those and the caller's are not for values.
  SmallVector<int32_t> kept;
  for (unsigned i = 0; i < kernel.getNumArguments(); ++i)
    if (!kernel.getArgAttr(i, "dojo.address"))
      kept.push_back(firstArgumentRegister + i);
  if (!kept.empty()) {
    if (kept.back() >= d1::XType::numRegisters) {
      program.erase();
      return kernel.emitError("has more operands than registers pass");
    }
    kept.append({1, 2, 3, 4});
    program->setAttr("reserved", b.getDenseI32ArrayAttr(kept));
  }
  if (succeeded(
          lowerKernel(kernel, program, options.thread, options.threads, options.accumulators)))
    return program;
  program.erase();
  return failure();
}

FailureOr<OwningOpRef<d1::FuncOp>> mlir::dojo::generateKernel(func::FuncOp kernel,
                                                              const KernelOptions &options) {
  if (options.threads == 0 || options.thread >= options.threads) {
    kernel.emitError("thread ") << options.thread << " of " << options.threads << " does not exist";
    return failure();
  }
  OwningOpRef<func::FuncOp> copy = cast<func::FuncOp>(kernel->clone());
  if (failed(vectorizeKernel(*copy, options.thread, options.threads)))
    return failure();
  OpBuilder b(kernel.getContext());
  FailureOr<d1::FuncOp> converted = convertKernel(*copy, options, b);
  if (failed(converted))
    return failure();
  OwningOpRef<d1::FuncOp> program = *converted;
  eliminateDeadCode(*program);
  if (options.target)
    scheduleProgram(*program, *options.target);
  if (failed(allocateRegisters(*program)) || failed(finalizeProgram(*program)))
    return failure();
  return program;
}

namespace {
struct ConvertKernelsToD1 : public mlir::dojo::impl::ConvertKernelsToD1Base<ConvertKernelsToD1> {
  using ConvertKernelsToD1Base::ConvertKernelsToD1Base;

  void runOnOperation() override {
    if (thread >= threads) {
      getOperation().emitError("thread ") << thread << " of " << threads << " does not exist";
      return signalPassFailure();
    }
    KernelOptions options;
    options.thread = thread;
    options.threads = threads;
    options.accumulators = accumulators;
    options.spillAddress = spillAddress;
    options.spillBytes = spillBytes;
    SmallVector<func::FuncOp> kernels;
    getOperation().walk([&](func::FuncOp f) {
      if (f->hasAttr("dojo.kernel"))
        kernels.push_back(f);
    });
    for (func::FuncOp kernel : kernels) {
      OpBuilder b(kernel);
      FailureOr<d1::FuncOp> program = convertKernel(kernel, options, b);
      if (failed(program))
        return signalPassFailure();
      eliminateDeadCode(*program);
      kernel.erase();
    }
  }
};
} // namespace
