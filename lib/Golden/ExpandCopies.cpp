// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Golden/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_EXPANDCOPIES
#include "dojo/Golden/Passes.h.inc"

namespace {

struct ExpandCopies : impl::ExpandCopiesBase<ExpandCopies> {
  void runOnOperation() override {
    getOperation().walk([](memref::CopyOp op) {
      OpBuilder b(op);
      linalg::makeMemRefCopyOp(b, op.getLoc(), op.getSource(), op.getTarget());
      op.erase();
    });
  }
};

} // namespace
} // namespace mlir::dojo
