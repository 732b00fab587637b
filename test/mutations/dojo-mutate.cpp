// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves the checks of images on a compiled model: spoils its image in seeded ways. Each spoilt
// image must be refused, or run to the good image's bits under every jitter seed. Status 0: so it
// was; 1: an image escaped, or the good one is not the same in all its runs.

#include "Trial.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <array>
#include <atomic>
#include <thread>

using namespace dojo;
using namespace dojo::mutations;
using llvm::outs;

namespace {
namespace cl = llvm::cl;
cl::OptionCategory category("Mutations");
cl::opt<unsigned> trials("trials", cl::init(20), cl::cat(category),
                         cl::desc("Mutations for each check (default 20)"));
cl::opt<unsigned> firstSeed("seed", cl::init(0), cl::cat(category), cl::desc("The first seed"));
cl::opt<unsigned> jitter("jitter", cl::init(5), cl::cat(category),
                         cl::desc("Jitter seeds for each run (default 5)"));
cl::opt<unsigned> inputSets("inputs", cl::init(1), cl::cat(category),
                            cl::desc("Sets of inputs to run on (default 1)"));
cl::opt<unsigned> threads("host-threads", cl::init(2), cl::cat(category), cl::desc("Host threads"));
cl::opt<std::string> only("mutation", cl::cat(category),
                          cl::desc("Only this mutation, with all its findings"));
cl::opt<bool> verbose("verbose", cl::cat(category), cl::desc("One line for each mutation"));

/// Which mutation with which seed, in the order of the table.
std::vector<Trial> planTrials() {
  std::vector<Trial> plan;
  for (const auto *list :
       {&layoutMutations(), &transferMutations(), &instructionMutations(), &orderMutations()}) {
    if (!only.empty()) {
      for (const Mutation &mutation : *list)
        for (unsigned i = 0; mutation.name == only && i < trials; ++i)
          plan.push_back({&mutation, firstSeed + i});
      continue;
    }
    for (size_t m = 0; m < list->size(); ++m)
      for (unsigned i = unsigned(m); i < trials; i += unsigned(list->size()))
        plan.push_back({&(*list)[m], firstSeed + i});
  }
  return plan;
}

bool makeBaseline(const driver::Options &options, Baseline &baseline) {
  if (!compile(options, baseline.model))
    return false;
  baseline.jitterSeeds = {std::nullopt};
  for (unsigned seed = 1; seed <= jitter; ++seed)
    baseline.jitterSeeds.push_back(seed);
  for (unsigned i = 0; i < inputSets; ++i) {
    std::string error;
    Inputs &inputs = baseline.inputs.emplace_back();
    if (!makeInputs(baseline.model.image, i + 1, inputs, error)) {
      llvm::errs() << error << "\n";
      return false;
    }
    std::vector<RunOutcome> runs =
        runImage(baseline.model.image, inputs, baseline.jitterSeeds, /*watchdog=*/0);
    for (const RunOutcome &run : runs)
      if (!run.fault.empty() || !(run == runs[0])) {
        llvm::errs() << "the good image is not the same in all its runs: " << run.fault << "\n";
        return false;
      }
    baseline.watchdog = std::max(baseline.watchdog, 20 * runs[0].cycles + 100000);
    baseline.results.push_back(runs[0]);
  }
  return true;
}

void print(const Trial &trial) {
  outs() << trial.mutation->name << " seed " << trial.seed << ": "
         << (trial.applied ? trial.description : "nothing to change") << "\n";
  if (!trial.applied)
    return;
  outs() << "  " << name(trial.fate);
  if (only.empty() && trial.fate != Fate::Escaped)
    outs() << "\n";
  else
    outs() << ": " << trial.details << "\n";
}

/// A line for each mutation, its fates as columns.
void printTable(const std::vector<Trial> &done) {
  outs() << llvm::format("%-12s %-24s", "tries", "mutation");
  for (unsigned f = 0; f < numFates; ++f)
    outs() << llvm::format(" %9s", name(Fate(f)));
  outs() << "\n";
  std::array<unsigned, numFates> sum{};
  for (size_t i = 0; i < done.size();) {
    const Mutation *mutation = done[i].mutation;
    std::array<unsigned, numFates> counts{};
    for (; i < done.size() && done[i].mutation == mutation; ++i)
      if (done[i].applied)
        ++counts[unsigned(done[i].fate)], ++sum[unsigned(done[i].fate)];
    outs() << llvm::format("%-12s %-24s", verify::name(mutation->tries), mutation->name);
    for (unsigned count : counts)
      outs() << llvm::format(" %9u", count);
    outs() << "\n";
  }
  outs() << llvm::format("%-12s %-24s", "", "all");
  for (unsigned count : sum)
    outs() << llvm::format(" %9u", count);
  outs() << "\n";
}
} // namespace

int main(int argc, char **argv) {
  driver::Options options =
      driver::parseOptions(argc, argv, "Proves the checks of images by mutations", {&category});
  Baseline baseline;
  if (!makeBaseline(options, baseline))
    return 1;
  std::vector<Trial> done = planTrials();
  if (done.empty()) {
    llvm::errs() << "there is no mutation '" << only << "'\n";
    return 1;
  }
  std::atomic<size_t> next = 0;
  auto work = [&] {
    for (size_t i; (i = next++) < done.size();)
      done[i] = tryMutation(baseline, *done[i].mutation, done[i].seed);
  };
  std::vector<std::thread> workers;
  for (unsigned t = 1; t < threads; ++t)
    workers.emplace_back(work);
  work();
  for (std::thread &worker : workers)
    worker.join();
  bool escaped = false;
  for (const Trial &trial : done) {
    escaped |= trial.applied && trial.fate == Fate::Escaped;
    if (verbose || !only.empty() || (trial.applied && trial.fate == Fate::Escaped))
      print(trial);
  }
  printTable(done);
  return escaped;
}
