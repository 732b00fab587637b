// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Adapter between the IR and the SRAM packer.

#include "ProgramTables.h"
#include "VerifyMesh.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Conversion/Machine.h"
#include "dojo/Conversion/MeshPasses.h"
#include "dojo/Planning/SramPacker.h"
#include <map>

namespace mlir::dojo {
#define GEN_PASS_DEF_ALLOCATESRAM
#include "dojo/Conversion/MeshPasses.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;
namespace planning = ::dojo::planning;

namespace {
struct AllocateSramPass : public mlir::dojo::impl::AllocateSramBase<AllocateSramPass> {
  using AllocateSramBase::AllocateSramBase;

  void runOnOperation() override {
    if (failed(allocate(getOperation())))
      signalPassFailure();
  }

  LogicalResult allocate(ModuleOp module) {
    FailureOr<::dojo::Target> machine = getMachine(module);
    if (failed(machine))
      return failure();
    if (failed(verifyMesh(module, *machine)))
      return failure();
    if (!module.getOps<BarrierOp>().empty())
      return mlir::emitError(module.getLoc(), "has barriers: its SRAM is allocated already");
    if (codeBytes < 0 || codeBytes > machine->sramBytes)
      return mlir::emitError(module.getLoc(), "cannot keep ")
             << int64_t(codeBytes) << " bytes for code";
    SmallVector<BufferOp> buffers(module.getOps<BufferOp>());
    SmallVector<StringRef> layerNames;
    for (LayerInfoOp info : module.getOps<LayerInfoOp>())
      layerNames.push_back(nameOf(info));

    // Code, tables and lists have the upper end to themselves in every epoch.
    int64_t reserved = codeBytes + tableBytesOf(module);
    planning::PackProblem problem;
    problem.capacity = machine->sramBytes;
    for (BufferOp buffer : buffers) {
      int64_t layer = buffer.getKind() == "weight" ? -1 : int64_t(buffer.getFirst());
      std::string name = buffer.getSymName().str();
      problem.buffers.push_back({name,
                                 layer >= 0 && layer < int64_t(layerNames.size())
                                     ? layerNames[layer].str()
                                     : name.substr(0, name.rfind(".const")),
                                 int64_t(buffer.getBytes()), int64_t(buffer.getAlign()),
                                 int32_t(buffer.getFirst()), int32_t(buffer.getLast())});
    }
    if (reserved > problem.capacity)
      return mlir::emitError(module.getLoc(), "needs ")
             << reserved << " bytes for code and tables on every node, " << problem.capacity
             << " is all a node has";
    problem.reservations.push_back({"code and tables", problem.capacity - reserved, reserved});
    if (std::string fault = planning::checkPackProblem(problem); !fault.empty())
      return mlir::emitError(module.getLoc(), "cannot allocate SRAM: ") << fault;

    int32_t layers = std::max<int32_t>(layerNames.size(), 1);
    planning::EpochChoice choice;
    if (barrierPerLayer) {
      for (int32_t l = 1; l < layers; ++l)
        choice.starts.push_back(l);
      choice.problem = problem;
      choice.packing = planning::packSram(problem);
    } else {
      choice = planning::chooseEpochs(problem, layers);
      addStarts(choice, problem, module);
      splitForSemaphores(choice, problem, layers, machine->semaphores);
    }
    if (!choice.packing.fits) {
      InFlightDiagnostic diag =
          mlir::emitError(module.getLoc(), "does not fit into the SRAM of the nodes");
      diag.attachNote() << planning::memoryMap(choice.problem, choice.packing);
      return diag;
    }
    if (std::string fault = planning::verifyPacking(choice.problem, choice.packing); !fault.empty())
      return mlir::emitError(module.getLoc(), "SRAM allocation is unsound: ") << fault;

    OpBuilder builder(module.getContext());
    for (auto [buffer, address] : llvm::zip_equal(buffers, choice.packing.address))
      buffer.setAddress(address);
    builder.setInsertionPointToEnd(module.getBody());
    for (int32_t start : choice.starts)
      BarrierOp::create(builder, module.getLoc(), start - 1);
    int64_t peak = 0;
    for (auto [buffer, address] : llvm::zip_equal(buffers, choice.packing.address))
      peak = std::max(peak, address + int64_t(buffer.getBytes()));
    module->setAttr("dojo.sram",
                    builder.getDictionaryAttr(
                        {builder.getNamedAttr("data_end", builder.getI64IntegerAttr(peak)),
                         builder.getNamedAttr("lower_bound", builder.getI64IntegerAttr(
                                                                 mostAlive(choice.problem)))}));
    return success();
  }

  /// Most bytes alive in one epoch: no packing of these buffers ends lower.
  static int64_t mostAlive(const planning::PackProblem &problem) {
    std::map<int32_t, int64_t> change;
    for (const planning::PackBuffer &buffer : problem.buffers) {
      change[buffer.first] += buffer.bytes;
      change[buffer.last + 1] -= buffer.bytes;
    }
    int64_t alive = 0, most = 0;
    for (auto [epoch, bytes] : change)
      most = std::max(most, alive += bytes);
    return most;
  }

  static StringRef nameOf(LayerInfoOp info) {
    if (!info.getOnnx().empty())
      return cast<StringAttr>(info.getOnnx()[0]).getValue();
    return info.getOp();
  }

  /// Barriers that loops need.
  static void addStarts(planning::EpochChoice &choice, const planning::PackProblem &byLayer,
                        ModuleOp module) {
    std::vector<int32_t> starts = choice.starts;
    for (RepeatOp repeat : module.getOps<RepeatOp>())
      for (int64_t start : {repeat.getFirst(), repeat.getLast(), repeat.getLast() + 1})
        starts.push_back(start);
    llvm::sort(starts);
    starts.erase(llvm::unique(starts), starts.end());
    if (starts != choice.starts)
      pack(choice, byLayer, std::move(starts));
  }

  static void pack(planning::EpochChoice &choice, const planning::PackProblem &byLayer,
                   std::vector<int32_t> starts) {
    choice.starts = std::move(starts);
    choice.problem = byLayer;
    for (planning::PackBuffer &buffer : choice.problem.buffers) {
      buffer.first = planning::epochOf(choice.starts, buffer.first);
      buffer.last = planning::epochOf(choice.starts, buffer.last);
    }
    choice.packing = planning::packSram(choice.problem);
  }

  /// Layers of one epoch wait on different semaphores; an epoch longer than there are semaphores
  /// is divided further.
  static void splitForSemaphores(planning::EpochChoice &choice,
                                 const planning::PackProblem &byLayer, int32_t layers,
                                 int64_t semaphores) {
    int32_t most = semaphores - firstArrivalSemaphore;
    std::vector<int32_t> starts;
    int32_t begin = 0;
    std::vector<int32_t> ends = choice.starts;
    ends.push_back(layers);
    bool changed = false;
    for (int32_t end : ends) {
      // Arrivals for a layer may come from the epoch before: half the semaphores for each.
      for (; end - begin > most / 2; begin += most / 2, changed = true)
        starts.push_back(begin + most / 2);
      if (end < layers)
        starts.push_back(end);
      begin = end;
    }
    if (changed)
      pack(choice, byLayer, std::move(starts));
  }
};
} // namespace
