// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Execution.h"

#include "Dump.h"
#include "Inspect.h"
#include "Symbols.h"

#include "dojo/Image/ElementType.h"

#include <algorithm>
#include <thread>

namespace dojo::run {

emu::RunOptions runOptions(const Runtime &runtime, const Options &options, emu::Trace *trace) {
  emu::RunOptions run;
  run.threads =
      options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  run.engine = options.plain ? emu::Engine::Plain : emu::Engine::Fast;
  run.timing = options.timing;
  run.jitterSeed = options.jitter;
  run.trace = trace;
  run.nodeCounters = options.statsNodes;
  run.checks = options.checks;
  run.watchdog = options.maxCycles.value_or(runtime.watchdog());
  return run;
}

namespace {

Status startSlice(Runtime &runtime, const BoundInputs &inputs, int64_t slice,
                  const emu::RunOptions &run, std::string &error) {
  for (const BoundInput &input : inputs.inputs) {
    int64_t bytes = image::tensorBytes(*input.tensor);
    std::span<const uint8_t> elements = input.bytes;
    if (input.slices >= 0)
      elements = elements.subspan(slice * bytes, bytes);
    if (!runtime.setInput(input.tensor->name, elements, error))
      return BadInput;
  }
  return runtime.start(run, error) ? Ok : BadInput;
}

// Up to --until, with the snapshots on the way; false with an error.
bool advance(Runtime &runtime, const Options &options, std::string &error) {
  emu::Session &session = *runtime.session();
  uint64_t last = options.until.value_or(~uint64_t(0));
  while (true) {
    uint64_t next = last;
    if (options.every && *options.every < last - session.now())
      next = session.now() - session.now() % *options.every + *options.every;
    if (!session.advanceTo(next))
      return true;
    if (!options.snapshot.empty() && !runtime.saveSnapshot(options.snapshot, error))
      return false;
    if (next == last || !session.stops().empty())
      return true;
  }
}

} // namespace

bool breakpoints(const image::Image &image, const Options &options, emu::StopConditions &out,
                 std::string &error) {
  for (const std::string &text : options.breaks) {
    std::vector<emu::Breakpoint> places;
    if (!findPlaces(image, text, places, error)) {
      error = "--break " + text + ": " + error;
      return false;
    }
    for (emu::Breakpoint &place : places)
      place.number = unsigned(&text - options.breaks.data()) + 1;
    out.breakpoints.insert(out.breakpoints.end(), places.begin(), places.end());
  }
  return true;
}

Status startRun(Runtime &runtime, const Options &options, const BoundInputs &inputs,
                const emu::RunOptions &run, std::string &error) {
  if (options.resume.empty())
    return startSlice(runtime, inputs, 0, run, error);
  if (!runtime.resume(options.resume, run, error))
    return BadInput;
  if (options.until && *options.until <= runtime.session()->now()) {
    error = "--until " + std::to_string(*options.until) + ": the snapshot is of cycle " +
            std::to_string(runtime.session()->now());
    return Usage;
  }
  return Ok;
}

Execution execute(Runtime &runtime, const Options &options, const BoundInputs &inputs,
                  emu::Trace *trace) {
  Execution result;
  result.checks = CheckLog(options);
  auto finish = [&] {
    Runtime::Status status = runtime.finish(result.error);
    result.checks.add(runtime);
    if (status == Runtime::Status::Reported)
      result.error = "checks have reports";
    return status;
  };
  auto fail = [&](Status status) -> Execution & {
    result.status = status;
    return result;
  };
  if (inputs.slices >= 0 && !options.snapshot.empty()) {
    result.error =
        "--snapshot needs one run; the inputs have " + std::to_string(inputs.slices) + " slices";
    return fail(Usage);
  }
  emu::StopConditions conditions;
  if (!breakpoints(runtime.image(), options, conditions, result.error))
    return fail(Usage);
  emu::RunOptions run = runOptions(runtime, options, trace);
  const std::vector<image::TensorRef> &tensors = runtime.image().outputs;
  result.outputs.resize(tensors.size());
  for (int64_t slice = 0; slice < inputs.runs(); ++slice) {
    Status started = slice ? startSlice(runtime, inputs, slice, run, result.error)
                           : startRun(runtime, options, inputs, run, result.error);
    if (started != Ok)
      return fail(started);
    runtime.session()->setStops(conditions);
    if (!advance(runtime, options, result.error))
      return fail(Usage);
    if (!runtime.session()->ended()) {
      const std::vector<emu::Stop> &stops = runtime.session()->stops();
      result.stopped =
          stops.empty() ? "stopped after cycle " + std::to_string(runtime.session()->now()) + "\n"
                        : describeStops(runtime, stops);
      result.stopped += describeThreads(runtime);
      if (finish() != Runtime::Status::Ok)
        return fail(MachineFault);
      return result;
    }
    switch (finish()) {
    case Runtime::Status::Ok:
      break;
    case Runtime::Status::BadInput:
      return fail(BadInput);
    case Runtime::Status::Fault:
    case Runtime::Status::Reported:
      if (inputs.slices >= 0)
        result.error += " (slice " + std::to_string(slice) + ")";
      return fail(MachineFault);
    }
    for (size_t i = 0; i < tensors.size(); ++i) {
      std::vector<uint8_t> bytes;
      if (!runtime.getOutput(tensors[i].name, bytes, result.error))
        return fail(BadInput);
      result.outputs[i].insert(result.outputs[i].end(), bytes.begin(), bytes.end());
    }
  }
  return result;
}

} // namespace dojo::run
