// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompiledModel.h"

#include "dojo/Conversion/ImageWriter.h"
#include "dojo/Driver/Compilation.h"
#include "dojo/Runtime/Runtime.h"

#include <cstring>
#include <random>

namespace dojo::mutations {

static bool isAccepted(const CompiledModel &model) {
  verify::Report report;
  verify::verifyCompiled(model.image, model.intent, report);
  if (report.verdict() == verify::Verdict::Accept)
    return true;
  llvm::errs() << "the image failed its own check:\n" << report.toString();
  return false;
}

bool compile(const driver::Options &options, CompiledModel &out) {
  driver::Compilation compilation(options);
  return compilation.load() == driver::Done &&
         compilation.lowerTo(mlir::dojo::Level::D1) == driver::Done &&
         succeeded(mlir::dojo::buildImage(compilation.module(), out.image, &out.intent)) &&
         isAccepted(out);
}

bool makeInputs(const image::Image &image, uint64_t seed, Inputs &out, std::string &error) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<float> normal;
  for (const image::TensorRef &input : image.inputs) {
    if (input.type != "f32") {
      error = "input '" + input.name + "' is of " + input.type + ", not f32";
      return false;
    }
    std::vector<uint8_t> &bytes = out.emplace_back(image::tensorBytes(input));
    for (size_t at = 0; at < bytes.size(); at += sizeof(float)) {
      float value = normal(engine);
      std::memcpy(&bytes[at], &value, sizeof(float));
    }
  }
  return true;
}

static RunOutcome runOnce(Runtime &runtime, const emu::RunOptions &options) {
  RunOutcome outcome;
  std::string error;
  if (runtime.run(options, error) != Runtime::Status::Ok) {
    outcome.fault = error.empty() ? "it failed without a reason" : error;
    return outcome;
  }
  outcome.cycles = runtime.counters().cycles;
  for (const image::TensorRef &output : runtime.image().outputs) {
    std::vector<uint8_t> bytes;
    if (!runtime.getOutput(output.name, bytes, error)) {
      outcome.fault = error;
      return outcome;
    }
    outcome.outputs.insert(outcome.outputs.end(), bytes.begin(), bytes.end());
  }
  return outcome;
}

std::vector<RunOutcome> runImage(const image::Image &image, const Inputs &inputs,
                                 const std::vector<std::optional<uint64_t>> &jitterSeeds,
                                 uint64_t watchdog) {
  std::vector<RunOutcome> outcomes(jitterSeeds.size());
  std::string error;
  std::unique_ptr<Runtime> runtime = Runtime::create(image, error);
  for (size_t i = 0; runtime && i < inputs.size(); ++i)
    if (!runtime->setInput(image.inputs[i].name, inputs[i], error))
      runtime.reset();
  for (size_t i = 0; i < jitterSeeds.size(); ++i) {
    if (!runtime) {
      outcomes[i].fault = error;
      continue;
    }
    emu::RunOptions options;
    options.jitterSeed = jitterSeeds[i];
    options.watchdog = watchdog ? watchdog : runtime->watchdog();
    outcomes[i] = runOnce(*runtime, options);
  }
  return outcomes;
}

} // namespace dojo::mutations
