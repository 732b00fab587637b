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

  /// `target`: the label that the assembly calls `there`.
  void operator()(const std::string &assembly, const Twine &target = "") {
    isa::Inst inst;
    std::string error, label = target.str();
    auto there = [&](std::string_view) { return std::optional<int64_t>(pc); };
    if (!isa::parseInst(assembly, pc, there, inst, &error)) {
      emitError(loc, "cannot assemble '") << assembly << "': " << error;
      good = false;
      return;
    }
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&func.getBody().front());
    auto read = [&](Type type) -> Value { return d1::RegisterOp::create(builder, loc, type); };
    d1::fromInst(builder, loc, inst, read, [&](int64_t) { return StringRef(label); });
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

  /// The top of a loop: leaves it if the byte at `condition` is zero. `seen` comes behind the look.
  void askWhile(size_t loop, int64_t condition, const std::string &seen = "") {
    (*this)(llvm::formatv("li x6, {0}", condition));
    (*this)("lbu x5, (x6)");
    if (!seen.empty())
      (*this)(seen);
    // The way out may be too far for a branch.
    (*this)("bne x5, x0, there", "go" + Twine(loop));
    (*this)("j there", "leave" + Twine(loop));
    label("go" + Twine(loop));
  }

  /// The end of a loop. The table pointer, if the thread has one, goes back with the program, or
  /// on.
  void repeat(size_t loop, std::optional<std::pair<int64_t, int64_t>> table = {}) {
    if (table)
      (*this)(llvm::formatv("li x2, {0}", table->first));
    (*this)("j there", "again" + Twine(loop));
    label("leave" + Twine(loop));
    if (table)
      (*this)(llvm::formatv("li x2, {0}", table->second));
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
  bool waits = false, barrierBefore = false, barrierAfter = false; ///< barriers: waits for one
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
    // Where the program asks what to do next, the barrier has to be passed before.
    for (const RepeatedLayers &range : repeatedLayers(module))
      for (int64_t before : {range.first - 1, range.last}) {
        layers[before].barrierAfter = true;
        layers[before + 1].barrierBefore = false;
      }
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

  /// Whether thread 1 has something to do in the range.
  static bool secondWorks(ArrayRef<LayerCode> layers, const RepeatedLayers &range) {
    return llvm::any_of(layers.slice(range.first, range.last - range.first + 1),
                        [](const LayerCode &layer) { return layer.secondThread; });
  }

  void buildFirst(TextBuilder &text, ArrayRef<LayerCode> layers, ArrayRef<RepeatedLayers> ranges,
                  int64_t table) {
    constexpr int64_t entryBytes = 12;
    text(llvm::formatv("li x2, {0}", table));
    for (auto [l, layer] : llvm::enumerate(layers)) {
      for (auto [k, range] : llvm::enumerate(ranges)) {
        if (range.first != int64_t(l))
          continue;
        text.label("again" + Twine(k));
        if (secondWorks(layers, range)) {
          text(llvm::formatv("signal s{0}", int(goSemaphore)));
          text(llvm::formatv("wait s{0}, 1", int(joinSemaphore)));
        }
        text.askWhile(k, range.condition);
      }
      text.label("layer" + Twine(l));
      if (layer.barrierBefore)
        text(llvm::formatv("wait s{0}, 1", int(epochSemaphore)));
      text("lw x6, (x2)+4");
      if (layer.prologue)
        text.call(layer.arguments);
      text("lw x5, (x2)+4");
      if (layer.waits)
        text(llvm::formatv("waitx s{0}, x5", int(layer.arrivals)));
      if (layer.secondThread)
        text(llvm::formatv("signal s{0}", int(goSemaphore)));
      text("lw x6, (x2)+4");
      if (layer.launched)
        text.call(layer.arguments);
      if (layer.secondThread)
        text(llvm::formatv("wait s{0}, 1", int(joinSemaphore)));
      text.label("done" + Twine(l));
      text(llvm::formatv("signal s{0}", int(doneSemaphore)));
      if (layer.barrierAfter)
        text(llvm::formatv("wait s{0}, 1", int(epochSemaphore)));
      for (auto [k, range] : llvm::enumerate(ranges))
        if (range.last == int64_t(l))
          text.repeat(k, {{table + entryBytes * range.first, table + entryBytes * int64_t(l + 1)}});
    }
    text.label("end0");
    text("halt");
  }

  void buildSecond(TextBuilder &text, ArrayRef<LayerCode> layers, ArrayRef<RepeatedLayers> ranges,
                   int64_t table) {
    constexpr int64_t entryBytes = 4;
    std::map<int64_t, int64_t> entryOf; // of the layer that a range begins with
    int64_t entry = table;
    text(llvm::formatv("li x2, {0}", table));
    for (auto [l, layer] : llvm::enumerate(layers)) {
      for (auto [k, range] : llvm::enumerate(ranges)) {
        if (range.first != int64_t(l) || !secondWorks(layers, range))
          continue;
        entryOf[l] = entry;
        text.label("again" + Twine(k));
        // Thread 0 goes on when both have looked: the byte will be written again.
        text(llvm::formatv("wait s{0}, 1", int(goSemaphore)));
        text.askWhile(k, range.condition, llvm::formatv("signal s{0}", int(joinSemaphore)));
      }
      if (layer.secondThread) {
        text.label("layer" + Twine(l));
        text("lw x6, (x2)+4");
        text(llvm::formatv("wait s{0}, 1", int(goSemaphore)));
        text.call(layer.arguments);
        text(llvm::formatv("signal s{0}", int(joinSemaphore)));
        entry += entryBytes;
      }
      for (auto [k, range] : llvm::enumerate(ranges))
        if (range.last == int64_t(l) && secondWorks(layers, range))
          text.repeat(k, {{entryOf[range.first], entry}});
    }
    text.label("end1");
    text("halt");
  }

  void buildThird(TextBuilder &text, ArrayRef<uint32_t> lists, ArrayRef<RepeatedLayers> ranges) {
    for (auto [part, list] : llvm::enumerate(lists)) {
      for (auto [k, range] : llvm::enumerate(ranges))
        if (range.firstPart == part) {
          text.label("again" + Twine(k));
          text.askWhile(k, range.condition);
        }
      text(llvm::formatv("list {0}", list));
      for (auto [k, range] : llvm::enumerate(ranges))
        if (range.endPart == part + 1)
          text.repeat(k);
    }
    text("halt");
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

    SmallVector<RepeatedLayers> ranges = repeatedLayers(module);
    TextBuilder first(builder, loc, "main.0", 0, memory.text);
    buildFirst(first, *layers, ranges, memory.thread0Table);
    TextBuilder second(builder, loc, "main.1", 1, llvm::alignTo(first.end(), 64));
    buildSecond(second, *layers, ranges, memory.thread1Table);
    TextBuilder third(builder, loc, "main.2", 2, llvm::alignTo(second.end(), 64));
    buildThird(third, memory.lists, ranges);
    return success(first.good && second.good && third.good);
  }
};
} // namespace
