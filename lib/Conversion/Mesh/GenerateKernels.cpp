// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Adapter between the mesh form and the kernel code generator.

#include "VerifyMesh.h"
#include "dialects/D1/D1Ops.h"
#include "dialects/D1/D1StructureOps.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Conversion/CodeGen.h"
#include "dojo/Conversion/Machine.h"
#include "dojo/Conversion/MeshPasses.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/AsmState.h"
#include "llvm/ADT/StringSet.h"
#include <map>

namespace mlir::dojo {
#define GEN_PASS_DEF_GENERATEKERNELS
#include "dojo/Conversion/MeshPasses.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;

namespace {
struct GenerateKernelsPass : public mlir::dojo::impl::GenerateKernelsBase<GenerateKernelsPass> {
  using GenerateKernelsBase::GenerateKernelsBase;

  void runOnOperation() override {
    if (failed(generate(getOperation())))
      signalPassFailure();
  }

  LogicalResult generate(ModuleOp module) {
    if (threads != 1 && threads != 2)
      return mlir::emitError(module.getLoc(), "kernels run on 1 or 2 threads, not ")
             << unsigned(threads);
    FailureOr<::dojo::Target> machine = getMachine(module);
    if (failed(machine) || failed(verifyMesh(module, *machine)))
      return failure();
    llvm::StringSet<> prologues;
    for (LaunchOp launch : module.getOps<LaunchOp>())
      if (auto prologue = launch.getPrologue())
        prologues.insert(*prologue);
    BufferOp stack;
    for (BufferOp buffer : module.getOps<BufferOp>())
      if (buffer.getKind() == "stack")
        stack = buffer;

    // Programs by the text of what they were made from.
    std::map<std::string, SmallVector<d1::FuncOp>> made;
    DenseSet<Location> failures; // of ONNX nodes: each is reported once, and all of them
    for (func::FuncOp kernel : llvm::make_early_inc_range(module.getOps<func::FuncOp>())) {
      if (!kernel->hasAttr("dojo.kernel") || failures.contains(kernel.getLoc()))
        continue;
      if (kernel.isExternal() || !kernel.getBody().hasOneBlock())
        return kernel.emitError("is no kernel: it needs a body of one block");
      unsigned parts = prologues.contains(kernel.getName()) ? 1 : unsigned(threads);
      SmallVector<d1::FuncOp> &programs = made[textOf(kernel, parts)];
      bool known = !programs.empty();
      for (unsigned thread = 0; thread < parts; ++thread) {
        if (known) {
          if (thread < programs.size())
            add(kernel, cast<d1::FuncOp>(programs[thread]->clone()), thread);
          continue;
        }
        KernelOptions options;
        options.thread = thread;
        options.threads = parts;
        options.accumulators = machine->accumulators;
        options.target = &*machine;
        if (stack && stack.getAddress()) {
          options.spillBytes = stack.getBytes() / 2;
          options.spillAddress = *stack.getAddress() + thread * options.spillBytes;
        }
        FailureOr<OwningOpRef<d1::FuncOp>> program = generateKernel(kernel, options);
        if (failed(program)) {
          failures.insert(kernel.getLoc());
          break;
        }
        if (thread > 0 && programBytes(**program) == 0)
          continue; // nothing left for this thread
        appendReturn(**program);
        programs.push_back(add(kernel, program->release(), thread));
      }
      if (!failures.contains(kernel.getLoc()))
        kernel.erase();
    }
    return success(failures.empty());
  }

  /// The kernel without its name and locations.
  static std::string textOf(func::FuncOp kernel, unsigned parts) {
    std::string text;
    llvm::raw_string_ostream os(text);
    os << parts << kernel.getFunctionType();
    // One numbering for all operations: each of its own would look at the whole kernel again.
    AsmState state(kernel, OpPrintingFlags().useLocalScope().assumeVerified());
    kernel.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!op->getParentOfType<linalg::LinalgOp>() && op->getParentOp() == kernel)
        op->print(os, state);
    });
    return text;
  }

  /// Returns to the address in x1.
  static void appendReturn(d1::FuncOp program) {
    OpBuilder builder = OpBuilder::atBlockEnd(&program.getBody().front());
    Location loc = program.getLoc();
    auto type = d1::XType::get(program.getContext(), 1);
    d1::JrOp::create(builder, loc, d1::RegisterOp::create(builder, loc, type));
  }

  static d1::FuncOp add(func::FuncOp kernel, d1::FuncOp program, unsigned thread) {
    program.setSymName((kernel.getName() + ".t" + Twine(thread)).str());
    program->removeAttr("reserved");
    kernel->getBlock()->getOperations().insert(kernel->getIterator(), program);
    return program;
  }
};
} // namespace
