// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The main programs: the text around the kernels, the same on every node.

#include "MemoryPlan.h"
#include "ProgramTables.h"
#include "VerifyMesh.h"
#include "dialects/D1/D1Encode.h"
#include "dialects/D1/D1Ops.h"
#include "dialects/D1/D1StructureOps.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Conversion/Machine.h"
#include "dojo/Conversion/MeshPasses.h"
#include "dojo/ISA/ISA.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_BUILDPROGRAMS
#include "dojo/Conversion/MeshPasses.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;
namespace isa = ::dojo::isa;

namespace {
/// Appends instructions, given as assembly, to a d1.func and knows the address of each.
class TextBuilder {
public:
  TextBuilder(OpBuilder &builder, Location loc, StringRef name, unsigned thread, uint32_t address)
      : builder(builder), loc(loc), pc(address) {
    func = d1::FuncOp::create(builder, loc, name, thread);
    func->setAttr("dojo.address", builder.getI64IntegerAttr(address));
  }

  void label(const Twine &name) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&func.getBody().front());
    d1::LabelOp::create(builder, loc, builder.getStringAttr(name), IntegerAttr());
  }

  void operator()(const std::string &assembly) {
    isa::Inst inst;
    std::string error;
    if (!isa::parseInst(assembly, pc, {}, inst, &error)) {
      emitError(loc, "cannot assemble '") << assembly << "': " << error;
      good = false;
      return;
    }
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&func.getBody().front());
    auto read = [&](Type type) -> Value { return d1::RegisterOp::create(builder, loc, type); };
    d1::fromInst(builder, loc, inst, read, [](int64_t) { return StringRef(); });
    pc += inst.bytes;
  }

  /// Calls the code whose address register x6 holds, with buffer addresses in x10 and up.
  void call(ArrayRef<int64_t> arguments) {
    for (auto [i, address] : llvm::enumerate(arguments))
      (*this)(llvm::formatv("li x{0}, {1}", 10 + i, address));
    // The return address is behind this li (8 bytes) and the jump (4 bytes).
    (*this)(llvm::formatv("li x1, {0}", pc + 12));
    (*this)("jr x6");
  }

  uint32_t end() const { return pc; }
  bool good = true;

private:
  OpBuilder &builder;
  Location loc;
  uint32_t pc;
  d1::FuncOp func;
};

/// What all launches of a layer have in common.
struct LayerCode {
  SmallVector<int64_t> arguments; ///< addresses of the kernel's buffers
  bool launched = false, prologue = false, secondThread = false;
  uint8_t arrivals = 0;
  bool waits = false, barrierBefore = false;
};

struct BuildProgramsPass : public mlir::dojo::impl::BuildProgramsBase<BuildProgramsPass> {
  using BuildProgramsBase::BuildProgramsBase;

  void runOnOperation() override {
    if (failed(build(getOperation())))
      signalPassFailure();
  }

  FailureOr<std::vector<LayerCode>> describeLayers(ModuleOp module, const ::dojo::Target &machine) {
    std::vector<LayerCode> layers(numLayersOf(module));
    SmallVector<uint8_t> semaphores = arrivalSemaphores(module, machine.semaphores);
    if (semaphores.size() != layers.size())
      return mlir::emitError(module.getLoc(), "needs more semaphores than the ")
             << machine.semaphores << " a node has; allocate SRAM with more barriers";
    llvm::StringMap<int64_t> addresses;
    for (BufferOp buffer : module.getOps<BufferOp>()) {
      if (!buffer.getAddress())
        return buffer.emitError("has no address; run dojo-allocate-sram first");
      addresses[buffer.getSymName()] = *buffer.getAddress();
    }
    for (auto [l, semaphore] : llvm::enumerate(semaphores))
      layers[l].arrivals = semaphore;
    for (ExchangeOp exchange : module.getOps<ExchangeOp>())
      layers[exchange.getLayer()].waits = true;
    for (BarrierOp barrier : module.getOps<BarrierOp>())
      if (barrier.getAfter() + 1 < layers.size())
        layers[barrier.getAfter() + 1].barrierBefore = true;
    SymbolTable symbols(module);
    for (LaunchOp launch : module.getOps<LaunchOp>()) {
      LayerCode &layer = layers[launch.getLayer()];
      SmallVector<int64_t> arguments;
      for (auto [buffer, offset] : llvm::zip_equal(launch.getBuffers(), launch.getOffsets())) {
        auto name = dyn_cast<FlatSymbolRefAttr>(buffer);
        arguments.push_back(name ? addresses.lookup(name.getValue()) + offset : 0);
      }
      if (layer.launched && layer.arguments != arguments)
        return launch.emitError("has other buffers than another launch of its layer");
      layer.launched = true;
      layer.arguments = std::move(arguments);
      layer.prologue |= launch.getPrologue().has_value();
      layer.secondThread |= symbols.lookup((launch.getKernel() + ".t1").str()) != nullptr;
    }
    return layers;
  }

  LogicalResult build(ModuleOp module) {
    FailureOr<::dojo::Target> machine = getMachine(module);
    if (failed(machine))
      return failure();
    if (failed(verifyMesh(module, *machine)))
      return failure();
    for (StringRef name : {"main.0", "main.1", "main.2"})
      if (Operation *other = module.lookupSymbol(name))
        return other->emitError("has a name that is kept for the main programs");
    FailureOr<std::vector<LayerCode>> layers = describeLayers(module, *machine);
    if (failed(layers))
      return failure();
    MemoryPlan memory = planMemory(module, *machine);
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    Location loc = module.getLoc();

    TextBuilder first(builder, loc, "main.0", 0, memory.text);
    first(llvm::formatv("li x2, {0}", memory.thread0Table));
    for (auto [l, layer] : llvm::enumerate(*layers)) {
      first.label("layer" + Twine(l));
      if (layer.barrierBefore)
        first(llvm::formatv("wait s{0}, 1", int(epochSemaphore)));
      first("lw x6, (x2)+4");
      if (layer.prologue)
        first.call(layer.arguments);
      first("lw x5, (x2)+4");
      if (layer.waits)
        first(llvm::formatv("waitx s{0}, x5", int(layer.arrivals)));
      if (layer.secondThread)
        first(llvm::formatv("signal s{0}", int(goSemaphore)));
      first("lw x6, (x2)+4");
      if (layer.launched)
        first.call(layer.arguments);
      if (layer.secondThread)
        first(llvm::formatv("wait s{0}, 1", int(joinSemaphore)));
      first.label("done" + Twine(l));
      first(llvm::formatv("signal s{0}", int(doneSemaphore)));
    }
    first.label("end0");
    first("halt");

    TextBuilder second(builder, loc, "main.1", 1, llvm::alignTo(first.end(), 64));
    second(llvm::formatv("li x2, {0}", memory.thread1Table));
    for (auto [l, layer] : llvm::enumerate(*layers)) {
      if (!layer.secondThread)
        continue;
      second.label("layer" + Twine(l));
      second("lw x6, (x2)+4");
      second(llvm::formatv("wait s{0}, 1", int(goSemaphore)));
      second.call(layer.arguments);
      second(llvm::formatv("signal s{0}", int(joinSemaphore)));
    }
    second.label("end1");
    second("halt");

    TextBuilder third(builder, loc, "main.2", 2, llvm::alignTo(second.end(), 64));
    third(llvm::formatv("list {0}", memory.list));
    third("halt");
    return success(first.good && second.good && third.good);
  }
};
} // namespace
