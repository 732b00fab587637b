// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Programs.h"

#include "MemoryPlan.h"
#include "ProgramTables.h"
#include "dialects/D1/D1Encode.h"
#include "dialects/D1/D1Ops.h"
#include "dialects/D1/D1StructureOps.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/ISA/ISA.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Endian.h"
#include <set>

using namespace mlir;
using namespace mlir::dojo;
namespace isa = ::dojo::isa;

static constexpr uint32_t codeAlignment = 64; ///< a line of the instruction memory

MemoryPlan mlir::dojo::planMemory(ModuleOp module, const ::dojo::Target &machine) {
  auto sram = module->getAttrOfType<DictionaryAttr>("dojo.sram");
  int64_t dataEnd = sram ? cast<IntegerAttr>(sram.get("data_end")).getInt() : 0;
  int64_t layers = numLayersOf(module);
  TransferLists lists = transferLists(module, machine);
  size_t longest = 0;
  for (const auto &[node, list] : lists.lists)
    longest = std::max(longest, list.size());
  MemoryPlan plan;
  plan.thread0Table = llvm::alignTo(dataEnd, 64);
  plan.thread1Table = plan.thread0Table + layers * 12;
  uint32_t list = llvm::alignTo(plan.thread1Table + layers * 4, 64);
  for (int64_t begin : lists.begins)
    plan.lists.push_back(list + begin * isa::Descriptor::bytes);
  plan.text = llvm::alignTo(list + longest * isa::Descriptor::bytes, codeAlignment);
  return plan;
}

namespace {
/// Bytes of a flat d1.func and its lines of assembly; `labels` gets the offset of each label.
LogicalResult encode(d1::FuncOp func, std::vector<uint8_t> &bytes, std::vector<std::string> &lines,
                     llvm::StringMap<int64_t> &labels) {
  Block &body = func.getBody().front();
  int64_t offset = 0;
  SmallVector<std::pair<Operation *, int64_t>> instructions;
  for (Operation &op : body) {
    if (auto label = dyn_cast<d1::LabelOp>(op)) {
      labels[label.getSymName()] = offset;
      continue;
    }
    if (auto opcode = d1::getOpcode(&op)) {
      instructions.push_back({&op, offset});
      offset += isa::info(*opcode).bytes;
    } else if (!llvm::isa<d1::RegisterOp>(op)) {
      return op.emitError("is neither an instruction nor a label; run d1-finalize first");
    }
  }
  for (auto [op, at] : instructions) {
    isa::Inst inst;
    auto distance = [&, at = at](StringRef label) -> std::optional<int64_t> {
      auto found = labels.find(label);
      return found == labels.end() ? std::nullopt : std::optional(found->second - at);
    };
    std::string error;
    if (failed(d1::toInst(op, distance, inst)))
      return failure();
    if (!isa::encode(inst, bytes, &error))
      return op->emitError("cannot be encoded: ") << error;
    lines.push_back(isa::disassemble(inst, at));
  }
  return success();
}

void append32(std::vector<uint8_t> &out, uint32_t value) {
  out.resize(out.size() + 4);
  llvm::support::endian::write32le(out.data() + out.size() - 4, value);
}

/// What one node runs for a layer: indices of kernels, -1 for none.
struct NodeLayer {
  int32_t prologue = -1, first = -1, second = -1;
};

class ProgramBuilder {
public:
  ProgramBuilder(ModuleOp module, const ::dojo::Target &machine, Programs &out)
      : module(module), machine(machine), out(out), layers(numLayersOf(module)) {}

  LogicalResult run() {
    if (int64_t(arrivalSemaphores(module, machine.semaphores).size()) != layers)
      return mlir::emitError(module.getLoc(), "needs more semaphores than the ")
             << machine.semaphores << " a node has; allocate SRAM with more barriers";
    plan = planMemory(module, machine);
    out.tableAddress = plan.thread0Table;
    for (int64_t node : machine.usableNodes())
      runs[node].resize(layers);
    if (failed(encodeTexts()) || failed(encodeKernels()))
      return failure();
    placeKernels();
    fillTables();
    out.missing = std::max<int64_t>(int64_t(out.end) - machine.sramBytes, 0);
    return success();
  }

private:
  LogicalResult encodeTexts();
  LogicalResult encodeKernels();
  FailureOr<int32_t> kernelIndex(StringRef name);
  void placeKernels();
  void fillTables();

  ModuleOp module;
  const ::dojo::Target &machine;
  Programs &out;
  int64_t layers;
  MemoryPlan plan{};
  uint32_t idle = 0, textEnd = 0; ///< idle: the kernel of nodes without work in a layer
  std::map<int32_t, std::vector<NodeLayer>> runs;
  std::vector<bool> secondThread;
  std::map<std::vector<uint8_t>, int32_t> indexOfBytes;
};
} // namespace

LogicalResult ProgramBuilder::encodeTexts() {
  uint32_t end = plan.text;
  for (unsigned thread = 0; thread < 3; ++thread) {
    auto func = module.lookupSymbol<d1::FuncOp>(("main." + Twine(thread)).str());
    if (!func)
      return mlir::emitError(module.getLoc(), "has no program @main.")
             << thread << "; run d1-build-programs first";
    MainText text;
    text.name = func.getSymName().str();
    text.address = llvm::alignTo(end, codeAlignment);
    auto expected = func->getAttrOfType<IntegerAttr>("dojo.address");
    if (!expected || expected.getInt() != text.address)
      return func.emitError("was built for another memory map; run d1-build-programs again");
    llvm::StringMap<int64_t> labels;
    if (failed(encode(func, text.bytes, text.lines, labels)))
      return failure();
    std::vector<std::pair<int64_t, int64_t>> starts; // offset, layer; -1 behind the last
    for (auto &label : labels) {
      int64_t layer = -1;
      StringRef name = label.getKey();
      if (name.consume_front("done") && !name.getAsInteger(10, layer)) {
        text.ends[layer] = text.address + label.getValue();
        continue;
      }
      if (name.consume_front("go"))
        continue; // jumps within a mark
      if (name.consume_front("layer"))
        name.getAsInteger(10, layer);
      starts.push_back({label.getValue(), layer});
    }
    llvm::sort(starts);
    for (size_t i = 0; i + 1 < starts.size(); ++i)
      text.marks.push_back({uint32_t(text.address + starts[i].first),
                            uint32_t(text.address + starts[i + 1].first), starts[i].second});
    end = text.address + text.bytes.size();
    out.texts.push_back(std::move(text));
  }
  // Where there is nothing to do, nodes call this.
  isa::Inst back;
  std::string error;
  if (!isa::parseInst("jr x1", 0, {}, back, &error) ||
      !isa::encode(back, out.texts.back().bytes, &error))
    return mlir::emitError(module.getLoc(), "cannot encode a return: ") << error;
  out.texts.back().lines.push_back(isa::disassemble(back, end - out.texts.back().address));
  idle = end;
  textEnd = end + back.bytes;
  return success();
}

FailureOr<int32_t> ProgramBuilder::kernelIndex(StringRef name) {
  auto known = out.kernelIndex.find(name.str());
  if (known != out.kernelIndex.end())
    return int32_t(known->second);
  auto func = module.lookupSymbol<d1::FuncOp>(name);
  if (!func)
    return mlir::emitError(module.getLoc(), "has no d1 code for kernel @") << name;
  std::vector<uint8_t> bytes;
  std::vector<std::string> lines;
  llvm::StringMap<int64_t> labels;
  if (failed(encode(func, bytes, lines, labels)))
    return failure();
  auto [it, isNew] = indexOfBytes.insert({bytes, int32_t(out.kernelBytes.size())});
  if (isNew) {
    out.kernelBytes.push_back(std::move(bytes));
    out.kernelLines.push_back(std::move(lines));
    out.kernelNames.push_back(name.str());
  }
  out.kernelIndex[name.str()] = it->second;
  return it->second;
}

LogicalResult ProgramBuilder::encodeKernels() {
  secondThread.assign(layers, false);
  for (LaunchOp launch : module.getOps<LaunchOp>()) {
    NodeLayer run;
    auto first = kernelIndex((launch.getKernel() + ".t0").str());
    if (failed(first))
      return failure();
    run.first = *first;
    std::string second = (launch.getKernel() + ".t1").str();
    if (module.lookupSymbol(second)) {
      auto index = kernelIndex(second);
      if (failed(index))
        return failure();
      run.second = *index;
      secondThread[launch.getLayer()] = true;
    }
    if (auto prologue = launch.getPrologue()) {
      auto index = kernelIndex((*prologue + ".t0").str());
      if (failed(index))
        return failure();
      run.prologue = *index;
    }
    for (int32_t node : launch.getNodes()) {
      auto found = runs.find(node);
      if (found == runs.end())
        return launch.emitError("names node ") << node << ", which the machine has not";
      found->second[launch.getLayer()] = run;
    }
  }
  return success();
}

/// Bytes in use, as disjoint [begin, end), ascending.
class UsedBytes {
public:
  /// The lowest address from \p address on where \p bytes are free.
  uint32_t firstFree(uint32_t address, uint32_t bytes) const {
    for (auto [begin, end] : used)
      if (begin < address + bytes && address < end)
        address = end;
    return address;
  }
  void take(uint32_t begin, uint32_t end) {
    used.insert(llvm::upper_bound(used, std::pair(begin, end)), {begin, end});
  }

private:
  std::vector<std::pair<uint32_t, uint32_t>> used;
};

/// First fit, one address for all nodes that run a kernel: the kernels of most nodes first.
void ProgramBuilder::placeKernels() {
  std::map<int32_t, std::vector<int32_t>> users; // per kernel, nodes ascending
  std::map<int32_t, UsedBytes> used;
  for (auto &[node, run] : runs) {
    std::set<int32_t> kernels;
    for (const NodeLayer &layer : run)
      for (int32_t kernel : {layer.prologue, layer.first, layer.second})
        if (kernel >= 0)
          kernels.insert(kernel);
    for (int32_t kernel : kernels)
      users[kernel].push_back(node);
    used[node];
    out.nodes[node];
  }
  std::vector<int32_t> order;
  for (const auto &[kernel, nodes] : users)
    order.push_back(kernel);
  llvm::stable_sort(order, [&](int32_t a, int32_t b) {
    return std::pair(users[a].size(), out.kernelBytes[a].size()) >
           std::pair(users[b].size(), out.kernelBytes[b].size());
  });
  uint32_t base = llvm::alignTo(textEnd, codeAlignment);
  out.end = textEnd;
  for (int32_t kernel : order) {
    uint32_t bytes = llvm::alignTo(out.kernelBytes[kernel].size(), codeAlignment), address = base;
    for (bool moved = true; moved;) {
      moved = false;
      for (int32_t node : users[kernel]) {
        uint32_t free = used[node].firstFree(address, bytes);
        moved |= free != address;
        address = free;
      }
    }
    for (int32_t node : users[kernel]) {
      used[node].take(address, address + bytes);
      out.nodes[node].kernels.push_back({uint32_t(kernel), address});
    }
    out.end = std::max(out.end, address + bytes);
  }
  for (auto &[node, program] : out.nodes)
    llvm::sort(program.kernels,
               [](const PlacedCode &a, const PlacedCode &b) { return a.address < b.address; });
  out.codeBytes = out.end - plan.text;
  out.tableBytes = plan.text - plan.thread0Table;
}

void ProgramBuilder::fillTables() {
  std::vector<std::vector<uint32_t>> arrivals = arrivalCounts(module, machine);
  TransferLists lists = transferLists(module, machine);
  for (auto &[node, program] : out.nodes) {
    auto addressOf = [&, &program = program](int32_t kernel) {
      for (const PlacedCode &code : program.kernels)
        if (int32_t(code.kernel) == kernel)
          return code.address;
      return idle;
    };
    const std::vector<NodeLayer> &run = runs[node];
    for (int64_t l = 0; l < layers; ++l) {
      append32(program.tables, addressOf(run[l].prologue));
      append32(program.tables, arrivals[l][node]);
      append32(program.tables, addressOf(run[l].first));
    }
    for (int64_t l = 0; l < layers; ++l)
      if (secondThread[l])
        append32(program.tables, addressOf(run[l].second));
    program.tables.resize(plan.lists[0] - plan.thread0Table, 0);
    for (const isa::Descriptor &descriptor : lists.lists[node]) {
      program.tables.resize(program.tables.size() + isa::Descriptor::bytes);
      descriptor.encode(program.tables.data() + program.tables.size() - isa::Descriptor::bytes);
    }
  }
}

LogicalResult mlir::dojo::buildPrograms(ModuleOp module, const ::dojo::Target &machine,
                                        Programs &out) {
  return ProgramBuilder(module, machine, out).run();
}
