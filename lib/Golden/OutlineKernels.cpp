// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Golden/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "dojo/Golden/Passes.h.inc"

namespace {

struct OutlineKernels : impl::OutlineKernelsBase<OutlineKernels> {
  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!main || main.isExternal())
      return;
    SmallVector<linalg::LinalgOp> ops;
    main.walk([&](linalg::LinalgOp op) {
      // Functions with bare pointers do not take buffers without elements.
      if (op.hasPureBufferSemantics() && llvm::none_of(op->getOperandTypes(), isEmpty))
        ops.push_back(op);
    });
    for (linalg::LinalgOp op : ops)
      outline(op);
  }

private:
  static bool isEmpty(Type type) {
    auto memref = dyn_cast<MemRefType>(type);
    return memref && memref.hasStaticShape() && memref.getNumElements() == 0;
  }

  /// The function that does what `op` does, made now unless an earlier op was equal.
  func::FuncOp kernelFor(linalg::LinalgOp op, ArrayRef<Value> arguments,
                         ArrayRef<Operation *> constants) {
    OpBuilder b(op.getContext());
    auto kernel = func::FuncOp::create(op.getLoc(), "kernel",
                                       b.getFunctionType(ValueRange(arguments).getTypes(), {}));
    kernel.setPrivate();
    kernel->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
    Block *body = kernel.addEntryBlock();
    b.setInsertionPointToStart(body);
    IRMapping mapping;
    mapping.map(arguments, body->getArguments());
    for (Operation *constant : constants)
      b.clone(*constant, mapping);
    Operation *clone = b.clone(*op, mapping);
    for (StringRef attr : {"dojo.value", "dojo.macs", "dojo.op"})
      clone->removeAttr(attr);
    func::ReturnOp::create(b, op.getLoc());
    auto flags = OperationEquivalence::IgnoreLocations;
    for (func::FuncOp known : kernels)
      if (OperationEquivalence::isRegionEquivalentTo(&known.getBody(), &kernel.getBody(), flags)) {
        kernel.erase();
        return known;
      }
    kernel.setName("kernel_" + std::to_string(kernels.size()));
    getOperation().push_back(kernel);
    kernels.push_back(kernel);
    return kernel;
  }

  void outline(linalg::LinalgOp op) {
    SetVector<Value> used(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), used);
    SmallVector<Value> arguments;
    SmallVector<Operation *> constants;
    for (Value value : used) {
      if (matchPattern(value, m_Constant()))
        constants.push_back(value.getDefiningOp());
      else
        arguments.push_back(value);
    }
    func::FuncOp kernel = kernelFor(op, arguments, constants);
    OpBuilder b(op);
    func::CallOp::create(b, op.getLoc(), kernel, arguments);
    op.erase();
  }

  SmallVector<func::FuncOp> kernels;
};

} // namespace
} // namespace mlir::dojo
