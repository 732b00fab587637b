// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linalg on local buffers to loops around vector code, for one thread.

#include "KernelSteps.h"
#include "NestEmitter.h"

#include "dojo/Conversion/KernelPasses.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_VECTORIZEKERNELS
#include "dojo/Conversion/KernelPasses.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;

/// Brings named operations and copies into the one general form; fills stay for the next step.
static LogicalResult generalize(func::FuncOp kernel) {
  IRRewriter rewriter(kernel.getContext());
  SmallVector<Operation *> ops;
  kernel.walk([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : ops) {
    rewriter.setInsertionPoint(op);
    if (auto copy = dyn_cast<memref::CopyOp>(op)) {
      linalg::makeMemRefCopyOp(rewriter, op->getLoc(), copy.getSource(), copy.getTarget());
      rewriter.eraseOp(op);
      continue;
    }
    auto structured = dyn_cast<linalg::LinalgOp>(op);
    if (!structured || isa<linalg::FillOp, linalg::GenericOp>(op))
      continue;
    if (!structured.hasPureBufferSemantics())
      return op->emitError("kernels work on memrefs, not on tensors");
    if (failed(linalg::generalizeNamedOp(rewriter, structured)))
      return op->emitError("no general form of this linalg operation");
  }
  return success();
}

/// The constant that fills the buffer of output `i` before `op`, if nothing comes between and `op`
/// overwrites all of it.
static linalg::FillOp findFill(linalg::GenericOp op, const Nest &nest, unsigned i) {
  Value buffer = op.getDpsInitOperand(i)->get();
  auto type = dyn_cast<MemRefType>(buffer.getType());
  if (!type || nest.points(true) != type.getNumElements())
    return {};
  for (Operation *p = op->getPrevNode(); p; p = p->getPrevNode()) {
    if (auto fill = dyn_cast<linalg::FillOp>(p)) {
      TypedAttr value;
      if (fill.output() == buffer && matchPattern(fill.value(), m_Constant(&value)))
        return fill;
    }
    if (isMemoryEffectFree(p))
      continue;
    for (Value operand : p->getOperands())
      if (isa<MemRefType>(operand.getType()) &&
          mayOverlap(getRootArgument(operand), getRootArgument(buffer)))
        return {};
    if (p->getNumRegions() && !isa<linalg::LinalgOp>(p))
      return {};
  }
  return {};
}

/// Reads the nests of a kernel in order. Fills that an operation overwrites become its start value.
static FailureOr<std::vector<Nest>> readNests(func::FuncOp kernel, SmallVector<Operation *> &dead) {
  IRRewriter rewriter(kernel.getContext());
  SmallVector<linalg::GenericOp> generics;
  WalkResult walk = kernel.walk([&](Operation *op) {
    if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
      if (op->getParentOp() != kernel) {
        op->emitError("a kernel's linalg operations must stand at the top of the kernel");
        return WalkResult::interrupt();
      }
      generics.push_back(generic);
    }
    return WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return failure();
  DenseMap<Operation *, Nest> nests;
  for (linalg::GenericOp op : generics) {
    FailureOr<Nest> nest = buildNest(op);
    if (failed(nest))
      return failure();
    for (unsigned i = 0; i < nest->outputs.size(); ++i) {
      linalg::FillOp fill = findFill(op, *nest, i);
      if (!fill)
        continue;
      TypedAttr value;
      matchPattern(fill.value(), m_Constant(&value));
      if (value.getType() != nest->outputs[i].element)
        continue;
      nest->inits[i] = value;
      fill.erase();
    }
    nests.try_emplace(op, std::move(*nest));
  }
  // What fills are left are operations of their own.
  SmallVector<linalg::FillOp> fills;
  kernel.walk([&](linalg::FillOp fill) { fills.push_back(fill); });
  for (linalg::FillOp fill : fills) {
    rewriter.setInsertionPoint(fill);
    FailureOr<linalg::GenericOp> generic = linalg::generalizeNamedOp(rewriter, fill);
    if (failed(generic))
      return failure();
    FailureOr<Nest> nest = buildNest(*generic);
    if (failed(nest))
      return failure();
    nests.try_emplace(*generic, std::move(*nest));
  }
  std::vector<Nest> ordered;
  kernel.walk([&](linalg::GenericOp op) {
    ordered.push_back(std::move(nests.find(op)->second));
    dead.push_back(op);
  });
  return ordered;
}

/// Restricts the nest to the part of one of `threads` threads. False if nothing is left for it.
static bool takePart(Nest &nest, const Lanes &lanes, unsigned thread, unsigned threads) {
  if (threads <= 1)
    return true;
  int best = -1;
  int64_t bestGrain = 1;
  double bestShare = 1.0;
  for (unsigned d = 0; d < nest.dims.size(); ++d) {
    const NestDim &dim = nest.dims[d];
    if (dim.reduction || dim.extent == 0)
      continue;
    int64_t grain = lanes.isVector() && lanes.contains(d) ? numLanes : 1;
    if (static_cast<int>(d) == lanes.chunkDim() && lanes.isVector())
      grain = lanes.chunkSize();
    else if (grain > 1)
      continue;
    int64_t units = llvm::divideCeil(dim.extent, grain);
    double share = double(llvm::divideCeil(units, threads)) / units;
    if (share < bestShare - 1e-9) {
      best = d;
      bestShare = share;
      bestGrain = grain;
    }
  }
  if (best < 0)
    return thread == 0;
  int64_t extent = nest.dims[best].extent;
  int64_t units = llvm::divideCeil(extent, bestGrain);
  int64_t lo = units * thread / threads * bestGrain;
  int64_t hi = std::min(extent, int64_t(units * (thread + 1) / threads * bestGrain));
  if (lo >= hi)
    return false;
  nest.restrict(best, lo, hi);
  return true;
}

unsigned mlir::dojo::countConvs(func::FuncOp kernel) {
  unsigned n = 0;
  kernel.walk([&](ConvOp) { ++n; });
  return n;
}

LogicalResult mlir::dojo::vectorizeKernel(func::FuncOp kernel, unsigned thread, unsigned threads) {
  if (failed(generalize(kernel)))
    return failure();
  SmallVector<Operation *> dead;
  FailureOr<std::vector<Nest>> nests = readNests(kernel, dead);
  if (failed(nests))
    return failure();
  bool shared = dead.size() + countConvs(kernel) == 1;
  OpBuilder b(kernel.getContext());
  FlatViews views;
  for (Nest &nest : *nests) {
    b.setInsertionPoint(nest.source);
    Lanes lanes = chooseLanes(nest);
    if (shared ? takePart(nest, lanes, thread, threads) : thread == 0)
      NestEmitter(b, nest, lanes, views).emit();
  }
  for (Operation *op : dead)
    op->erase();
  return success();
}

namespace {
struct VectorizeKernels : public mlir::dojo::impl::VectorizeKernelsBase<VectorizeKernels> {
  using VectorizeKernelsBase::VectorizeKernelsBase;

  void runOnOperation() override {
    if (thread >= threads) {
      getOperation().emitError("thread ") << thread << " of " << threads << " does not exist";
      return signalPassFailure();
    }
    if (getOperation()->hasAttr("dojo.kernel") &&
        failed(vectorizeKernel(getOperation(), thread, threads)))
      signalPassFailure();
  }
};
} // namespace
