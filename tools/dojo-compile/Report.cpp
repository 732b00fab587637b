// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Report.h"

#include "dialects/Dojo/DojoDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>

using namespace mlir;
using namespace mlir::dojo;
using namespace ::dojo::driver;

static std::string typeOf(LayerOp layer) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << layer->getResult(0).getType();
  return StringRef(text).drop_front(StringRef("tensor<").size()).drop_back().str();
}

/// Why the result of a layer is not stored in bf16.
static std::string reasonOf(LayerOp layer) {
  if (llvm::any_of(layer->getUsers(), [](Operation *user) { return isa<func::ReturnOp>(user); }))
    return "graph outputs keep the type of the model";
  if (auto reason = layer->getAttrOfType<StringAttr>("dojo.fp32"))
    return reason.str();
  return "copies or prepares what is kept in fp32";
}

void Report::readLayers(ModuleOp module) {
  bool narrow = precision == "bf16" && store.empty();
  module.walk([&](LayerOp layer) {
    auto plan = layer->getAttrOfType<PlanAttr>("plan");
    if (!plan)
      return;
    rows.push_back(
        {layer.getName().str(), layer.getOp().str(),
         llvm::formatv("{0}x{1}x{2}x{3}", plan.getCopies(), plan.getM(), plan.getN(), plan.getK()),
         typeOf(layer), int64_t(layer.getMacs()), plan.getCycles(), plan.getNodes().size()});
    if (narrow && getElementTypeOrSelf(layer->getResult(0).getType()).isF32())
      wide.push_back({layer.getName().str(), reasonOf(layer)});
  });
}

void Report::readLayerInfos(ModuleOp module) {
  std::map<int64_t, llvm::DenseSet<int32_t>> nodes;
  for (LaunchOp launch : module.getOps<LaunchOp>())
    for (int32_t node : launch.getNodes())
      nodes[launch.getLayer()].insert(node);
  for (LayerInfoOp info : module.getOps<LayerInfoOp>()) {
    rows.push_back({info.getName().str(), info.getOp().str(), info.getPlan().str(), "",
                    int64_t(info.getMacs()), int64_t(info.getCycles()),
                    nodes[info.getLayer()].size()});
  }
}

void Report::read(ModuleOp module) {
  if (auto machine = module->getAttrOfType<DictionaryAttr>("dojo.machine")) {
    for (auto [key, text] : {std::pair("target", &target), std::pair("hash", &targetHash)})
      if (auto value = machine.getAs<StringAttr>(key))
        *text = value.str();
  }
  if (rows.empty())
    readLayers(module);
  if (rows.empty())
    readLayerInfos(module);
  buffers.clear();
  for (BufferOp buffer : module.getOps<BufferOp>())
    buffers.push_back(llvm::json::Object{
        {"name", buffer.getSymName()},
        {"kind", buffer.getKind()},
        {"bytes", int64_t(buffer.getBytes())},
        {"first_layer", int64_t(buffer.getFirst())},
        {"last_layer", int64_t(buffer.getLast())},
        {"address", buffer.getAddress() ? llvm::json::Value(int64_t(*buffer.getAddress()))
                                        : llvm::json::Value(nullptr)}});
}

void Report::print(llvm::raw_ostream &os) const {
  size_t width = 5;
  for (const Row &row : rows)
    width = std::min<size_t>(std::max(width, row.name.size()), 40);
  os << llvm::left_justify("layer", width)
     << llvm::formatv(" {0,-18} {1,-14} {2,5} {3,13} {4,9}  {5}\n", "op", "copies,m,n,k", "nodes",
                      "MACs", "cycles", "result");
  int64_t cycles = 0, macs = 0;
  for (const Row &row : rows) {
    cycles += row.cycles;
    macs += row.macs;
    os << llvm::left_justify(StringRef(row.name).substr(0, width), width)
       << llvm::formatv(" {0,-18} {1,-14} {2,5} {3,13} {4,9}  {5}\n", row.op, row.plan, row.nodes,
                        row.macs, row.cycles, row.type);
  }
  os << rows.size() << " layers, " << macs << " MACs, " << cycles << " cycles estimated\n";
}

llvm::json::Value Report::json() const {
  llvm::json::Array layers, kept;
  for (const Row &row : rows)
    layers.push_back(llvm::json::Object{{"name", row.name},
                                        {"op", row.op},
                                        {"plan", row.plan},
                                        {"macs", row.macs},
                                        {"estimated_cycles", row.cycles},
                                        {"nodes", int64_t(row.nodes)},
                                        {"type", row.type}});
  for (const auto &[layer, reason] : wide)
    kept.push_back(llvm::json::Object{{"layer", layer}, {"reason", reason}});
  return llvm::json::Object{{"precision", precision},
                            {"store", store.empty() ? precision : store},
                            {"target", target},
                            {"target_hash", targetHash},
                            {"layers", std::move(layers)},
                            {"kept_in_fp32", std::move(kept)},
                            {"buffers", llvm::json::Array(buffers)}};
}
