// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dojo-agree: runs one image in many ways, which must give the same outputs, memory, counts and
// cycles of layers.
#include "test/soak/Agreement.h"
#include "tools/dojo-run/Inputs.h"

#include "dojo/Runtime/Runtime.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstring>

using namespace dojo;
using emu::Engine;
using emu::HostPath;
using emu::RunOptions;

namespace {

const char *const helpText =
    R"(usage: dojo-agree IMAGE.d1 [--input NAME=FILE.npy] ... [--few] [--no-plain]

Runs the image's first input with the plain engine on one thread and with the fast engine on every
host path, with 1, 2 and 3 threads, nodes in random orders, timing on and off, with hot blocks as
native code, all or none.

  --few        every host path and number of threads, not every pair of them
  --no-plain   for models that take the plain engine minutes: the portable host path is the reference

Status: 0 all agree, 1 usage, 2 some do not, 3 the image or an input is bad, or a run faults.
)";

struct Outcome {
  std::vector<std::vector<uint8_t>> outputs;
  std::vector<uint64_t> memory; // a hash for each node
  std::vector<uint64_t> layerCycles;
  emu::Counters counters;
  double seconds = 0;
};

// In lanes, so that a multiplication does not wait for the one before. `bytes`: whole words.
uint64_t hash(std::span<const uint8_t> bytes, uint64_t sum) {
  uint64_t lane[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  for (size_t i = 0; i + 8 <= bytes.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    uint64_t &l = lane[i / 8 % 8];
    l = std::rotl(l ^ word, 29) * 0x9E3779B97F4A7C15u + 1;
  }
  for (uint64_t l : lane)
    sum = std::rotl(sum ^ l, 29) * 0x9E3779B97F4A7C15u + 1;
  return sum;
}

class Trial {
public:
  bool load(const std::string &path, const std::vector<run::Binding> &bindings,
            std::string &error) {
    return image::readImage(path, image, error) && run::bindInputs(image, bindings, inputs, error);
  }

  // On a machine of its own, so that nothing of an earlier run is in its memory.
  bool run(const RunOptions &options, Outcome &out, std::string &error) {
    std::unique_ptr<Runtime> runtime = Runtime::create(image, error);
    if (!runtime)
      return false;
    for (const run::BoundInput &input : inputs.inputs)
      if (!runtime->setInput(input.tensor->name,
                             std::span(input.bytes).first(image::tensorBytes(*input.tensor)),
                             error))
        return false;
    RunOptions limited = options;
    limited.watchdog = runtime->watchdog();
    auto start = std::chrono::steady_clock::now();
    if (runtime->run(limited, error) != Runtime::Status::Ok)
      return false;
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    out.counters = runtime->counters();
    out.layerCycles = runtime->layerCycles();
    for (const image::TensorRef &output : image.outputs)
      if (!runtime->getOutput(output.name, out.outputs.emplace_back(), error))
        return false;
    uint8_t part[1 << 16]; // stays in the host's near cache
    for (int64_t node : image.target.usableNodes()) {
      uint64_t sum = 0;
      for (uint32_t at = 0; at < image.target.sramBytes; at += sizeof part) {
        auto bytes = std::span(part).first(
            std::min<size_t>(sizeof part, size_t(image.target.sramBytes) - at));
        if (!runtime->machine().read(uint32_t(node), at, bytes, error))
          return false;
        sum = hash(bytes, sum);
      }
      out.memory.push_back(sum);
    }
    return true;
  }

  image::Image image;
  run::BoundInputs inputs;
};

// Cycles are compared where both runs have them.
std::string difference(const Outcome &a, const Outcome &b, bool cycles) {
  std::string text = difference(a.counters, b.counters, cycles);
  for (size_t i = 0; cycles && text.empty() && i < a.layerCycles.size(); ++i)
    if (a.layerCycles[i] != b.layerCycles[i])
      text = "cycles of layer " + std::to_string(i) + " " + std::to_string(b.layerCycles[i]) +
             ", not " + std::to_string(a.layerCycles[i]);
  if (text.empty() && a.outputs != b.outputs)
    text = "other outputs";
  if (text.empty() && a.memory != b.memory)
    text = "other bytes in the nodes' memory";
  return text;
}

std::vector<RunOptions> waysToRun(bool few, bool plain) {
  std::vector<RunOptions> ways;
  auto add = [&](Engine engine, std::optional<HostPath> path, unsigned threads, bool timing) {
    RunOptions way;
    way.engine = engine;
    way.hostPath = path;
    way.threads = threads;
    way.timing = timing;
    if (!ways.empty())
      way.nodeOrderSeed = ways.size();
    way.tier = emu::Tier((ways.size() + 2) % 3);
    ways.push_back(way);
  };
  // The reference comes first.
  if (plain) {
    add(Engine::Plain, std::nullopt, 1, true);
    add(Engine::Plain, std::nullopt, few ? 2 : 1, false);
    if (!few)
      add(Engine::Plain, std::nullopt, 3, true);
  } else {
    add(Engine::Fast, HostPath::Portable, 1, true);
  }
  const std::vector<HostPath> paths = emu::supportedHostPaths();
  for (HostPath path : paths)
    for (unsigned threads : {1u, 2u, 3u})
      for (bool timing : {true, false})
        if (!few || threads == 1 + unsigned(path) % 3 || path == paths.back())
          add(Engine::Fast, path, threads, timing);
  return ways;
}

int fail(int status, const std::string &error) {
  std::fprintf(stderr, "dojo-agree: error: %s\n", error.c_str());
  return status;
}

} // namespace

int main(int argc, char **argv) {
  std::string path, error;
  std::vector<run::Binding> bindings;
  bool few = false, plain = true;
  for (int i = 1; i < argc; ++i) {
    std::string a = argv[i];
    size_t split;
    if (a == "--help") {
      std::fputs(helpText, stdout);
      return 0;
    }
    if (a == "--few")
      few = true;
    else if (a == "--no-plain")
      plain = false;
    else if (a == "--input" && i + 1 < argc &&
             (split = std::string(argv[i + 1]).rfind('=')) != std::string::npos) {
      std::string binding = argv[++i];
      bindings.push_back({binding.substr(0, split), binding.substr(split + 1)});
    } else if (!a.starts_with("-") && path.empty())
      path = a;
    else
      return fail(1, "unexpected '" + a + "'; see dojo-agree --help");
  }
  Trial trial;
  if (path.empty())
    return fail(1, "no image; see dojo-agree --help");
  if (!trial.load(path, bindings, error))
    return fail(3, error);
  std::vector<RunOptions> ways = waysToRun(few, plain);
  Outcome reference;
  unsigned differences = 0;
  double total = 0;
  for (size_t i = 0; i < ways.size(); ++i) {
    Outcome outcome;
    if (!trial.run(ways[i], outcome, error))
      return fail(3, describe(ways[i]) + ": " + error);
    total += outcome.seconds;
    if (i == 0) {
      reference = std::move(outcome);
      continue;
    }
    std::string text = difference(reference, outcome, ways[i].timing);
    if (text.empty())
      continue;
    ++differences;
    std::printf("%s: %s\n", describe(ways[i]).c_str(), text.c_str());
  }
  std::printf("%zu ways to run, %u differ from %s: %llu cycles, %zu layers, %llu instructions, "
              "outputs and memory of %zu nodes; %.1f s\n",
              ways.size(), differences, describe(ways[0]).c_str(),
              static_cast<unsigned long long>(reference.counters.cycles),
              reference.layerCycles.size(),
              static_cast<unsigned long long>(reference.counters.instructions),
              reference.memory.size(), total);
  return differences ? 2 : 0;
}
