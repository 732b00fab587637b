// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs ONNX models on the host through the importer and the golden path, many in one process.
//
//   dojo-host-run CASES
//
// Each line of CASES has fields separated by tabs: the model, a folder for its outputs, options
// separated by commas or -, and NAME=FILE.npy for each input. Options: convert (to the newest opset
// wherever there are adapters), values (all values of the graph and not only its results),
// layers-bf16 or layers-fp32 (runs the layer form in that precision), time. An input as
// !NAME=FILE.npy is bound at compile time. For each line it prints one line: "ok" and the outputs
// as NAME=FILE.npy separated by tabs, or "error" and why, or "unsupported" and the ops that are.

#include "Bindings.h"
#include "dojo/Golden/Golden.h"
#include "dojo/Import/ONNX.h"
#include "dojo/Npy/Elements.h"
#include "dojo/Npy/Npy.h"
#include "dojo/Pipelines/Registration.h"
#include "dojo/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>

using namespace llvm;
using namespace mlir::dojo;

static std::string oneLine(StringRef text) {
  std::string line;
  for (char c : text.trim())
    line += c == '\n' || c == '\t' ? ' ' : c;
  return line;
}

/// The type of the result is that of the file in NumPy's words.
static Expected<HostTensor> readTensor(const std::string &path) {
  ::dojo::NpyArray array;
  std::string error;
  if (!::dojo::readNpy(path, array, error))
    return createStringError(error);
  return HostTensor{array.descr, array.shape, array.bytes};
}

/// Brings the module to the layer form, and that back to what the golden path takes.
static Error toLayers(mlir::ModuleOp module, Precision precision) {
  std::string messages;
  mlir::ScopedDiagnosticHandler handler(module.getContext(), [&](mlir::Diagnostic &diagnostic) {
    messages += diagnostic.str() + " ";
    return mlir::success();
  });
  mlir::PassManager manager(module.getContext());
  LayerPipelineOptions options;
  options.precision = options.store = precision;
  buildLayerPipeline(manager, options);
  manager.nest<mlir::func::FuncOp>().addPass(createExpandLayers());
  if (mlir::failed(manager.run(module)))
    return createStringError("layers: " + oneLine(messages));
  return Error::success();
}

static Expected<std::string> runCase(ArrayRef<StringRef> fields) {
  StringRef folder = fields[1];
  SmallVector<StringRef> flags;
  fields[2].split(flags, ',');
  std::map<std::string, HostTensor> inputs;
  ImportOptions options;
  if (is_contained(flags, "convert"))
    options.conversion = VersionConversion::Always;
  options.sideFile = (folder + "/consts").str();
  for (StringRef field : fields.drop_front(3)) {
    std::string name, path;
    if (!splitBinding(field, name, path))
      return createStringError("bad input " + field);
    if (StringRef(name).consume_front("!")) {
      options.constants.push_back({name.substr(1), path});
      continue;
    }
    auto tensor = readTensor(path);
    if (!tensor)
      return tensor.takeError();
    options.shapes.push_back({name, tensor->shape});
    inputs[name] = std::move(*tensor);
  }
  static const mlir::DialectRegistry registry = [] {
    mlir::DialectRegistry all;
    registerDialects(all);
    return all;
  }();
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  ImportReport report;
  auto module = importOnnx(context, fields[0], options, report);
  if (!module) {
    if (!report.errors.empty())
      return createStringError(oneLine(report.text()));
    std::string ops = "unsupported\t";
    for (const UnsupportedNode &node : report.unsupported)
      ops += node.op + ": " + oneLine(node.reason) + "; ";
    return ops;
  }
  std::vector<std::string> values;
  if (is_contained(flags, "values"))
    values = goldenValues(*module);
  for (auto [flag, precision] :
       {std::pair{"layers-bf16", Precision::BF16}, std::pair{"layers-fp32", Precision::FP32}})
    if (is_contained(flags, flag))
      if (Error error = toLayers(*module, precision))
        return error;
  auto start = std::chrono::steady_clock::now();
  auto program = GoldenProgram::compile(*module, values);
  if (!program)
    return program.takeError();
  std::vector<HostTensor> ordered;
  for (const HostTensorInfo &info : (*program)->getInputs()) {
    HostTensor &input = ordered.emplace_back(inputs[info.name]);
    const auto *type = ::dojo::image::findElementType(info.type);
    if (!type || !::dojo::npy::descrFits(input.type, *type))
      return createStringError("input '" + info.name + "' is " + info.type + ", not " + input.type);
    input.type = info.type;
  }
  auto compiled = std::chrono::steady_clock::now();
  auto results = (*program)->run(ordered);
  if (!results)
    return results.takeError();
  auto end = std::chrono::steady_clock::now();
  std::string line = "ok";
  if (is_contained(flags, "time"))
    line += formatv("\tcompile {0:f3} s, run {1:f3} s",
                    std::chrono::duration<double>(compiled - start).count(),
                    std::chrono::duration<double>(end - compiled).count());
  for (auto [i, info] : enumerate((*program)->getOutputs())) {
    ::dojo::NpyArray array;
    const HostTensor &tensor = (*results)[i];
    array.descr = ::dojo::image::findElementType(tensor.type)->numpy;
    array.shape = tensor.shape;
    array.bytes = tensor.bytes;
    std::string path = (folder + "/" + Twine(i) + ".npy").str(), error;
    if (!::dojo::writeNpy(path, array, error))
      return createStringError(error);
    line += "\t" + info.name + "=" + path;
  }
  return line;
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  if (argc != 2) {
    errs() << "usage: dojo-host-run CASES\n";
    return 1;
  }
  auto cases = MemoryBuffer::getFile(argv[1]);
  if (!cases) {
    errs() << "cannot read " << argv[1] << '\n';
    return 1;
  }
  SmallVector<StringRef> lines;
  (*cases)->getBuffer().split(lines, '\n', -1, false);
  for (StringRef line : lines) {
    SmallVector<StringRef> fields;
    line.split(fields, '\t');
    if (fields.size() < 3) {
      errs() << "a line needs at least three fields\n";
      return 1;
    }
    auto result = runCase(fields);
    if (result)
      outs() << *result << '\n';
    else
      outs() << "error\t" << oneLine(toString(result.takeError())) << '\n';
    outs().flush();
  }
  return 0;
}
