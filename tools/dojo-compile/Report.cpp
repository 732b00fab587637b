// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Report.h"

#include "dialects/Dojo/DojoDialect.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace mlir::dojo;

namespace {
struct Row {
  std::string name, op, plan, shape;
  int64_t macs, cycles;
  size_t nodes;
};

std::string shapeOf(LayerOp layer) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << layer->getResult(0).getType();
  return StringRef(text).drop_front(StringRef("tensor<").size()).drop_back().str();
}

/// Rows of a module that still has its layers, or of its layer_info ops once it has not.
std::vector<Row> rowsOf(ModuleOp module) {
  std::vector<Row> rows;
  module.walk([&](LayerOp layer) {
    auto plan = layer->getAttrOfType<PlanAttr>("plan");
    if (!plan)
      return;
    rows.push_back(
        {layer.getName().str(), layer.getOp().str(),
         llvm::formatv("{0}x{1}x{2}x{3}", plan.getCopies(), plan.getM(), plan.getN(), plan.getK()),
         shapeOf(layer), int64_t(layer.getMacs()), plan.getCycles(), plan.getNodes().size()});
  });
  for (LayerInfoOp info : module.getOps<LayerInfoOp>()) {
    std::string names;
    for (Attribute name : info.getOnnx())
      names += (names.empty() ? "" : " ") + cast<StringAttr>(name).getValue().str();
    rows.push_back({names, info.getOp().str(), info.getPlan().str(), "", int64_t(info.getMacs()),
                    int64_t(info.getCycles()), 0});
  }
  return rows;
}
} // namespace

void ::dojo::driver::printPlan(llvm::raw_ostream &os, ModuleOp module) {
  std::vector<Row> rows = rowsOf(module);
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
                        row.macs, row.cycles, row.shape);
  }
  os << rows.size() << " layers, " << macs << " MACs, " << cycles << " cycles estimated\n";
}

void ::dojo::driver::printReport(llvm::raw_ostream &os, ModuleOp module) {
  llvm::json::Array layers, buffers;
  for (const Row &row : rowsOf(module))
    layers.push_back(llvm::json::Object{{"name", row.name},
                                        {"op", row.op},
                                        {"plan", row.plan},
                                        {"macs", row.macs},
                                        {"estimated_cycles", row.cycles},
                                        {"nodes", int64_t(row.nodes)}});
  for (BufferOp buffer : module.getOps<BufferOp>())
    buffers.push_back(llvm::json::Object{
        {"name", buffer.getSymName()},
        {"kind", buffer.getKind()},
        {"bytes", int64_t(buffer.getBytes())},
        {"first_layer", int64_t(buffer.getFirst())},
        {"last_layer", int64_t(buffer.getLast())},
        {"address", buffer.getAddress() ? llvm::json::Value(int64_t(*buffer.getAddress()))
                                        : llvm::json::Value(nullptr)}});
  llvm::json::Object report{{"layers", std::move(layers)}, {"buffers", std::move(buffers)}};
  if (auto machine = module->getAttrOfType<DictionaryAttr>("dojo.machine")) {
    report["target"] = machine.getAs<StringAttr>("target").getValue();
    report["target_hash"] = machine.getAs<StringAttr>("hash").getValue();
  }
  os << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(report)));
}
