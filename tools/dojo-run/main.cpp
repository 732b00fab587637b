// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dojo-run: runs a compiled image on the emulated die.
#include "Compare.h"
#include "Debugger.h"
#include "Dump.h"
#include "Execution.h"
#include "Files.h"
#include "Inputs.h"
#include "Options.h"
#include "Stats.h"
#include "TraceFile.h"

#include "dojo/Image/ElementType.h"
#include "dojo/Npy/Npy.h"
#include "dojo/Runtime/Runtime.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <unistd.h>

using namespace dojo;
using namespace dojo::run;

namespace {

double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int fail(Status status, const std::string &error) {
  std::fflush(stdout);
  std::fprintf(stderr, "dojo-run: error: %s\n", error.c_str());
  return status;
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
  if ((options.resume.empty() && !bindInputs(image, options.inputs, inputs, error)) ||
      !readExpected(image, options.expected, inputs, expected, error) ||
      (!options.outputDir.empty() && !outputFileNames(image.outputs, fileNames, error)))
    return fail(BadInput, error);

  if (options.debug) {
    if (inputs.slices >= 0)
      return fail(Usage, "--debug needs one run; the inputs have " + std::to_string(inputs.slices) +
                             " slices");
    return Debugger(*runtime, options, inputs).debug(std::cin, !isatty(STDIN_FILENO));
  }

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

  start = std::chrono::steady_clock::now();
  Execution run = execute(*runtime, options, inputs, trace.trace());
  record.wallSeconds = secondsSince(start);
  std::string traced, traceError;
  bool haveTrace = trace.close(traced, traceError);
  std::string state = run.checks.summary(record.wallSeconds) + dumps(*runtime, dump);
  run.checks.print(stderr);
  if (!run.stopped.empty())
    state = run.stopped + state + traced;
  if (run.status != Ok || !run.stopped.empty())
    std::fputs(state.c_str(), stdout);
  if (run.status != Ok)
    return fail(run.status, run.error);
  if (!haveTrace)
    return fail(Usage, traceError);
  if (!run.stopped.empty())
    return Ok;
  record.runs = inputs.runs();

  bool good = true;
  for (const Expected &e : expected) {
    size_t index = e.tensor - image.outputs.data();
    Comparison comparison =
        compare(run.outputs[index], *image::findElementType(e.tensor->type), e.values, options);
    good &= comparison.good;
    record.comparisons.emplace_back(e.tensor->name, comparison);
  }

  for (size_t i = 0; i < outputFiles.size(); ++i) {
    const image::TensorRef &output = image.outputs[i];
    NpyArray array{image::findElementType(output.type)->numpy, stackedShape(output, inputs),
                   std::move(run.outputs[i])};
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
