// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Session.h"

#include "HostLayers.h"
#include "Report.h"
#include "dojo/Driver/Compilation.h"
#include "tools/dojo-run/Inputs.h"
#include <map>
#include <thread>

using namespace llvm;
using namespace mlir::dojo;
using namespace dojo;
using namespace dojo::golden;
using driver::fail;

namespace {

/// A layer of the model and where the image has its result.
struct Pair {
  size_t hostLayer;
  uint32_t tensor;
};

class Session {
public:
  explicit Session(const Options &options) : options(options), compilation(options.compile) {}
  int run();

private:
  int compile();
  int pairLayers();
  int bind();
  int execute();
  int compareLayers();
  int compareModel();
  int addOutputs(std::vector<Row> &rows, ArrayRef<HostTensor> expected, const Tolerance &tolerance);
  int report(const std::vector<Row> &rows);
  Expected<HostTensor> inputNamed(const HostTensorInfo &info);
  HostTensor resultOf(size_t hostLayer);
  Tolerance accumulated() const;

  const Options &options;
  driver::Compilation compilation;
  mlir::OwningOpRef<mlir::ModuleOp> imported; ///< null if the input was beyond the import form
  std::optional<HostLayers> host;
  std::unique_ptr<Runtime> runtime;
  run::BoundInputs inputs;
  std::vector<Pair> pairs; ///< in the order of the image's layers
  std::string fault;       ///< of the machine; empty: none
};

/// The model down to the placed form for the host, and the image.
int Session::compile() {
  if (int status = compilation.load())
    return status;
  if (levelOf(compilation.module()) > Level::Placed)
    return fail(driver::BadModel, "'" + options.compile.input +
                                      "' has no layers any more; start from the placed form or "
                                      "before");
  if (levelOf(compilation.module()) == Level::Import)
    imported = compilation.module().clone();
  else if (options.reference == Reference::Model)
    return fail(driver::Usage, "--reference model needs a model or its import form");
  if (int status = compilation.lowerTo(Level::Placed))
    return status;
  auto layers = HostLayers::compile(compilation.module(), options.reference == Reference::Layers);
  if (!layers)
    return fail(driver::BadModel, toString(layers.takeError()));
  host = std::move(*layers);

  image::Image image;
  std::string error;
  if (!options.image.empty()) {
    if (!image::readImage(options.image, image, error))
      return fail(driver::BadInput, error);
  } else {
    if (int status = compilation.lowerTo(Level::D1))
      return status;
    if (int status = compilation.buildImage(image))
      return status;
    if (!options.compile.output.empty() && !image::writeImage(image, options.compile.output, error))
      return fail(driver::Usage, error);
  }
  runtime = Runtime::create(std::move(image), error);
  return runtime ? driver::Done : fail(driver::BadInput, error);
}

int Session::pairLayers() {
  const image::Image &image = runtime->image();
  ArrayRef<HostTensorInfo> outputs(host->results());
  outputs = outputs.drop_front(host->layers().size());
  if (!llvm::equal(outputs, image.outputs, [](auto &wanted, auto &output) {
        return wanted.type == output.type && wanted.shape == output.shape;
      }))
    return fail(driver::BadInput, "the image has other outputs than the model");
  std::map<std::string, int32_t> layers;
  for (size_t i = 0; i < image.layers.size(); ++i)
    layers[image.layers[i].name] = int32_t(i);
  std::map<int32_t, uint32_t> made; // by layer
  for (size_t i = 0; i < image.tensors.size(); ++i)
    made[image.tensors[i].firstLayer] = uint32_t(i);
  for (size_t l = 0; l < host->layers().size(); ++l) {
    const HostTensorInfo &info = host->results()[l];
    auto layer = layers.find(info.name);
    auto tensor = layer == layers.end() ? made.end() : made.find(layer->second);
    if (tensor == made.end() || image.tensors[tensor->second].shape != info.shape ||
        image.tensors[tensor->second].type != info.type)
      return fail(driver::BadInput,
                  "the image has no result of layer '" + info.name +
                      "' as this model with these options has it; give the options with which "
                      "the image was compiled");
    pairs.push_back({l, tensor->second});
  }
  llvm::sort(pairs, [&](const Pair &a, const Pair &b) {
    return image.tensors[a.tensor].firstLayer < image.tensors[b.tensor].firstLayer;
  });
  return driver::Done;
}

/// The values of the graph's inputs, of one slice.
int Session::bind() {
  std::string error;
  if (!run::bindInputs(runtime->image(), options.inputs, inputs, error))
    return fail(driver::BadInput, error);
  if (options.slice >= inputs.runs())
    return fail(driver::BadInput, "there is no slice " + Twine(options.slice) +
                                      "; the inputs have " + Twine(inputs.runs()));
  for (run::BoundInput &input : inputs.inputs) {
    if (input.slices >= 0) {
      int64_t bytes = image::tensorBytes(*input.tensor);
      auto from = input.bytes.begin() + options.slice * bytes;
      input.bytes = std::vector<uint8_t>(from, from + bytes);
    }
    if (!runtime->setInput(input.tensor->name, input.bytes, error))
      return fail(driver::BadInput, error);
  }
  return driver::Done;
}

int Session::execute() {
  std::vector<uint32_t> tensors;
  for (const Pair &pair : pairs)
    tensors.push_back(pair.tensor);
  std::string error;
  if (!runtime->captureTensors(tensors, error))
    return fail(driver::BadInput, error);
  emu::RunOptions run;
  run.threads =
      options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  run.watchdog = runtime->watchdog();
  switch (runtime->run(run, error)) {
  case Runtime::Status::Ok:
    return driver::Done;
  case Runtime::Status::BadInput:
    return fail(driver::BadInput, error);
  case Runtime::Status::Fault:
  case Runtime::Status::Reported: // no check was asked for
    fault = error;
    break;
  }
  // What was whole before the fault can still be compared.
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < pairs.size(); ++i)
    if (!runtime->getCaptured(pairs[i].tensor, bytes, error)) {
      pairs.resize(i);
      break;
    }
  return driver::Done;
}

Expected<HostTensor> Session::inputNamed(const HostTensorInfo &info) {
  for (const run::BoundInput &input : inputs.inputs)
    if (input.tensor->name == info.name)
      return HostTensor{info.type, info.shape, input.bytes};
  return createStringError("the image has no input '" + info.name + "'");
}

/// Zeros for a layer that the run did not complete.
HostTensor Session::resultOf(size_t hostLayer) {
  const HostTensorInfo &info = host->results()[hostLayer];
  HostTensor tensor{info.type, info.shape, {}};
  std::string error;
  for (const Pair &pair : pairs)
    if (pair.hostLayer == hostLayer)
      (void)runtime->getCaptured(pair.tensor, tensor.bytes, error);
  tensor.bytes.resize(info.bytes);
  return tensor;
}

Tolerance Session::accumulated() const {
  return Tolerance::accumulated(
      options.maxRelL2.value_or(options.compile.precision == "fp32" ? 1e-4 : 1e-1));
}

int Session::compareLayers() {
  auto expected = host->run([&](const HostTensorInfo &info, int64_t layer) {
    return layer < 0 ? inputNamed(info) : resultOf(size_t(layer));
  });
  if (!expected)
    return fail(driver::BadInput, toString(expected.takeError()));
  const bool isolated = options.reference == Reference::Layers;
  std::vector<Row> rows;
  for (const Pair &pair : pairs) {
    const image::TensorRef &tensor = runtime->image().tensors[pair.tensor];
    const image::ElementType &type = *image::findElementType(tensor.type);
    Row row{tensor.firstLayer,
            false,
            &tensor,
            host->layers()[pair.hostLayer].value,
            isolated ? Tolerance::ofLayer(type) : accumulated(),
            {}};
    row.comparison = compare(tensor, runtime->captured(pair.tensor),
                             (*expected)[pair.hostLayer].bytes, type, false, row.tolerance);
    rows.push_back(std::move(row));
  }
  // Isolated, an output is a copy of what its layer made.
  if (int status = addOutputs(rows, ArrayRef(*expected).drop_front(host->layers().size()),
                              isolated ? Tolerance() : accumulated()))
    return status;
  return report(rows);
}

int Session::compareModel() {
  std::vector<std::string> names;
  for (const Pair &pair : pairs)
    if (const std::string &value = host->layers()[pair.hostLayer].value; !value.empty())
      names.push_back(value);
  auto program = GoldenProgram::compile(*imported, names);
  if (!program)
    return fail(driver::BadModel, toString(program.takeError()));
  std::vector<HostTensor> arguments;
  for (const HostTensorInfo &info : (*program)->getInputs()) {
    auto input = inputNamed(info);
    if (!input)
      return fail(driver::BadInput, toString(input.takeError()));
    arguments.push_back(std::move(*input));
  }
  auto results = (*program)->run(arguments);
  if (!results)
    return fail(driver::BadInput, toString(results.takeError()));
  std::map<std::string, const HostTensor *> values;
  for (auto [info, tensor] : zip_equal((*program)->getOutputs(), *results))
    values[info.name] = &tensor;
  std::vector<Row> rows;
  for (const Pair &pair : pairs) {
    const image::TensorRef &tensor = runtime->image().tensors[pair.tensor];
    Row row{tensor.firstLayer, false, &tensor, host->layers()[pair.hostLayer].value,
            accumulated(),     {}};
    auto value = values.find(row.value);
    if (value == values.end())
      continue;
    row.comparison = compare(tensor, runtime->captured(pair.tensor), value->second->bytes,
                             *image::findElementType(value->second->type), true, accumulated());
    rows.push_back(std::move(row));
  }
  if (int status = addOutputs(rows, ArrayRef(*results).take_front(runtime->image().outputs.size()),
                              accumulated()))
    return status;
  return report(rows);
}

/// The outputs as they are when the run is over.
int Session::addOutputs(std::vector<Row> &rows, ArrayRef<HostTensor> expected,
                        const Tolerance &tolerance) {
  const image::Image &image = runtime->image();
  if (!fault.empty())
    return driver::Done;
  for (auto [tensor, wanted] : zip_equal(image.outputs, expected)) {
    std::vector<uint8_t> bytes;
    std::string error;
    if (!runtime->getOutput(tensor.name, bytes, error))
      return fail(driver::BadInput, error);
    Row row{tensor.firstLayer, true, &tensor, tensor.name, tolerance, {}};
    row.comparison = compare(tensor, cutBoxes(image, tensor, bytes), wanted.bytes,
                             *image::findElementType(wanted.type), true, tolerance);
    rows.push_back(std::move(row));
  }
  return driver::Done;
}

int Session::report(const std::vector<Row> &rows) {
  const image::Image &image = runtime->image();
  printTable(outs(), image, rows, options.reference == Reference::Layers);
  bool exact = llvm::all_of(rows, [](const Row &row) { return row.comparison.worst.index < 0; });
  auto first = llvm::find_if(rows, [](const Row &row) { return !row.comparison.good; });
  if (first != rows.end())
    printDifference(outs(), image, *first);
  else
    outs() << llvm::count_if(rows, [](const Row &row) { return !row.output; }) << " of "
           << host->layers().size()
           << " layers compared: " << (exact ? "all equal to the bit\n" : "all within tolerance\n");
  if (!fault.empty()) {
    outs().flush();
    return fail(driver::MachineFault, fault);
  }
  return first == rows.end() ? driver::Done : driver::OutputsDiffer;
}

int Session::run() {
  for (auto step : {&Session::compile, &Session::pairLayers, &Session::bind, &Session::execute})
    if (int status = (this->*step)())
      return status;
  return options.reference == Reference::Model ? compareModel() : compareLayers();
}

} // namespace

int golden::runSession(const Options &options) { return Session(options).run(); }
