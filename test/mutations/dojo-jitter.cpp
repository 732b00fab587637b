// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles a model and runs it without jitter and under many jitter seeds. Status 0: all outputs
// have the same bits; 1: they have not, or a run failed.

#include "CompiledModel.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace dojo;
using namespace dojo::mutations;

namespace {
namespace cl = llvm::cl;
cl::OptionCategory category("Jitter");
cl::opt<unsigned> seeds("seeds", cl::init(20), cl::cat(category),
                        cl::desc("Jitter seeds (default 20)"));
cl::opt<unsigned> firstSeed("seed", cl::init(1), cl::cat(category), cl::desc("The first seed"));
cl::opt<unsigned> inputSets("inputs", cl::init(1), cl::cat(category),
                            cl::desc("Sets of random inputs (default 1)"));
} // namespace

int main(int argc, char **argv) {
  driver::Options options =
      driver::parseOptions(argc, argv, "Runs a model under jitter", {&category});
  CompiledModel model;
  if (!compile(options, model))
    return 1;
  std::vector<std::optional<uint64_t>> jitter{std::nullopt};
  for (unsigned i = 0; i < seeds; ++i)
    jitter.push_back(firstSeed + i);
  bool same = true;
  uint64_t fewest = UINT64_MAX, most = 0;
  for (unsigned i = 1; i <= inputSets; ++i) {
    std::string error;
    Inputs inputs;
    if (!makeInputs(model.image, i, inputs, error)) {
      llvm::errs() << error << "\n";
      return 1;
    }
    std::vector<RunOutcome> runs = runImage(model.image, inputs, jitter, /*watchdog=*/0);
    for (size_t r = 0; r < runs.size(); ++r) {
      fewest = std::min(fewest, runs[r].cycles), most = std::max(most, runs[r].cycles);
      if (runs[r].fault.empty() && runs[r] == runs[0])
        continue;
      same = false;
      llvm::errs() << "inputs " << i << ", ";
      if (r)
        llvm::errs() << "jitter seed " << *jitter[r] << ": ";
      else
        llvm::errs() << "no jitter: ";
      llvm::errs() << (runs[r].fault.empty() ? "other outputs than without" : runs[r].fault)
                   << "\n";
    }
    // Jitter that changes nothing at all would prove nothing.
    if (std::all_of(runs.begin(), runs.end(),
                    [&](const RunOutcome &run) { return run.cycles == runs[0].cycles; })) {
      llvm::errs() << "inputs " << i << ": all runs took the same number of cycles\n";
      same = false;
    }
  }
  llvm::outs() << seeds << " seeds, " << inputSets << " inputs: " << fewest << " to " << most
               << " cycles\n";
  return !same;
}
