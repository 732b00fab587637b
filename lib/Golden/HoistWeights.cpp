// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Golden/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_HOISTWEIGHTS
#include "dojo/Golden/Passes.h.inc"

namespace {

struct HoistWeights : impl::HoistWeightsBase<HoistWeights> {
  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!main || main.isExternal()) {
      getOperation().emitError("there is no function @main");
      return signalPassFailure();
    }
    SmallVector<WeightOp> weights;
    WalkResult result = getOperation().walk([&](WeightOp op) {
      if (op->getParentOp() != main) {
        op.emitError("a weight must be in the body of @main");
        return WalkResult::interrupt();
      }
      weights.push_back(op);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return signalPassFailure();

    Builder b(&getContext());
    for (WeightOp op : weights) {
      SmallVector<NamedAttribute> attrs{b.getNamedAttr("dojo.data", op.getData())};
      if (auto source = op.getSourceAttr())
        attrs.push_back(b.getNamedAttr("dojo.source", source));
      if (auto transform = op.getTransformAttr())
        attrs.push_back(b.getNamedAttr("dojo.transform", transform));
      const unsigned index = main.getNumArguments();
      if (failed(main.insertArgument(index, op.getType(), b.getDictionaryAttr(attrs), op.getLoc())))
        return signalPassFailure();
      op.getResult().replaceAllUsesWith(main.getArgument(index));
      op.erase();
    }
    for (unsigned i = 0; i < main.getNumArguments(); ++i)
      if (isa<TensorType>(main.getArgument(i).getType()))
        main.setArgAttr(i, bufferization::BufferizationDialect::kWritableAttrName,
                        b.getBoolAttr(false));
  }
};

} // namespace
} // namespace mlir::dojo
