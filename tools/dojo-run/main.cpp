// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dojo-run: runs a compiled image on the emulated die.
#include "Compare.h"
#include "Dump.h"
#include "Files.h"
#include "Inputs.h"
#include "Options.h"
#include "Stats.h"
#include "TraceFile.h"

#include "dojo/Image/ElementType.h"
#include "dojo/Npy/Npy.h"
#include "dojo/Runtime/Runtime.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

using namespace dojo;
using namespace dojo::run;

namespace {

double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int fail(Status status, const std::string &error) {
  std::fprintf(stderr, "dojo-run: error: %s\n", error.c_str());
  return status;
}

// The outputs of all runs, stacked, by the image's order.
using Outputs = std::vector<std::vector<uint8_t>>;

Status runAll(Runtime &runtime, const Options &options, const BoundInputs &inputs,
              emu::Trace *trace, Outputs &outputs, std::string &error) {
  emu::RunOptions run;
  run.threads =
      options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  run.engine = options.plain ? emu::Engine::Plain : emu::Engine::Fast;
  run.timing = options.timing;
  run.jitterSeed = options.jitter;
  run.trace = trace;
  run.nodeCounters = options.statsNodes;
  run.watchdog = options.maxCycles.value_or(runtime.watchdog());
  if (options.until)
    run.watchdog = std::min(run.watchdog, *options.until);
  const std::vector<image::TensorRef> &tensors = runtime.image().outputs;
  outputs.resize(tensors.size());
  for (int64_t slice = 0; slice < inputs.runs(); ++slice) {
    for (const BoundInput &input : inputs.inputs) {
      std::span<const uint8_t> bytes = input.bytes;
      if (input.slices >= 0)
        bytes = bytes.subspan(slice * image::tensorBytes(*input.tensor),
                              image::tensorBytes(*input.tensor));
      if (!runtime.setInput(input.tensor->name, bytes, error))
        return BadInput;
    }
    switch (runtime.run(run, error)) {
    case Runtime::Status::Ok:
      break;
    case Runtime::Status::BadInput:
      return BadInput;
    case Runtime::Status::Fault:
      if (inputs.slices >= 0)
        error += " (slice " + std::to_string(slice) + ")";
      return MachineFault;
    }
    for (size_t i = 0; i < tensors.size(); ++i) {
      std::vector<uint8_t> bytes;
      if (!runtime.getOutput(tensors[i].name, bytes, error))
        return BadInput;
      outputs[i].insert(outputs[i].end(), bytes.begin(), bytes.end());
    }
  }
  return Ok;
}

int runTool(const Options &options) {
  std::string error;
  RunRecord record;
  auto start = std::chrono::steady_clock::now();
  std::unique_ptr<Runtime> runtime = Runtime::load(options.image, error);
  if (!runtime)
    return fail(BadInput, error);
  record.loadSeconds = secondsSince(start);
  const image::Image &image = runtime->image();

  BoundInputs inputs;
  std::vector<Expected> expected;
  std::map<std::string, std::string> fileNames;
  if (!bindInputs(image, options.inputs, inputs, error) ||
      !readExpected(image, options.expected, inputs, expected, error) ||
      (!options.outputDir.empty() && !outputFileNames(image.outputs, fileNames, error)))
    return fail(BadInput, error);

  // Whether files can be written is known before the run.
  FileSet files;
  std::vector<int> outputFiles;
  if (!options.outputDir.empty()) {
    std::error_code ignored; // an impossible folder shows when its files are made
    std::filesystem::create_directories(options.outputDir, ignored);
    for (const image::TensorRef &output : image.outputs) {
      std::string path = options.outputDir + "/" + fileNames[output.name];
      outputFiles.push_back(files.add(path, error));
      if (outputFiles.back() < 0)
        return fail(Usage, error);
      record.outputFiles[output.name] = path;
    }
  }
  int statsFile = options.stats.empty() ? -1 : files.add(options.stats, error);
  if (!options.stats.empty() && statsFile < 0)
    return fail(Usage, error);

  DumpPlan dump;
  if (!planDumps(options, image.target, dump, error))
    return fail(Usage, error);
  TraceFile trace;
  if (Status status = trace.open(options, image, error); status != Ok)
    return fail(status, error);

  Outputs outputs;
  start = std::chrono::steady_clock::now();
  Status status = runAll(*runtime, options, inputs, trace.trace(), outputs, error);
  record.wallSeconds = secondsSince(start);
  std::string traced, traceError;
  bool haveTrace = trace.close(traced, traceError);
  bool stopped = status == MachineFault && options.until &&
                 runtime->fault()->faultClass == emu::FaultClass::Watchdog &&
                 runtime->fault()->cycle == *options.until;
  std::string state = dumps(*runtime, dump);
  if (stopped)
    state = "stopped after cycle " + std::to_string(*options.until) + "\n" +
            describeThreads(*runtime) + state + traced;
  if (status != Ok)
    std::fputs(state.c_str(), stdout);
  if (status != Ok && !stopped)
    return fail(status, error);
  if (!haveTrace)
    return fail(Usage, traceError);
  if (stopped)
    return Ok;
  record.runs = inputs.runs();

  bool good = true;
  for (const Expected &e : expected) {
    size_t index = e.tensor - image.outputs.data();
    Comparison comparison =
        compare(outputs[index], *image::findElementType(e.tensor->type), e.values, options);
    good &= comparison.good;
    record.comparisons.emplace_back(e.tensor->name, comparison);
  }

  for (size_t i = 0; i < outputFiles.size(); ++i) {
    const image::TensorRef &output = image.outputs[i];
    NpyArray array{image::findElementType(output.type)->numpy, stackedShape(output, inputs),
                   std::move(outputs[i])};
    if (!writeNpy(files.temporary(outputFiles[i]), array, error))
      return fail(Usage, error);
  }
  if (statsFile >= 0 &&
      !files.write(statsFile, statistics(*runtime, options, record).dump(2) + "\n", error))
    return fail(Usage, error);
  if (!files.commit(error))
    return fail(Usage, error);
  std::fputs((summary(*runtime, options, record) + traced + state).c_str(), stdout);
  return good ? Ok : OutputsDiffer;
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  std::string error;
  if (!parseOptions({argv + 1, argv + argc}, options, error)) {
    fail(Usage, error);
    std::fputs("Try dojo-run --help.\n", stderr);
    return Usage;
  }
  if (options.help) {
    std::fputs(helpText, stdout);
    return Ok;
  }
  try {
    return runTool(options);
  } catch (const std::exception &e) {
    return fail(BadInput, std::string("cannot run the image: ") + e.what());
  }
}
