// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One changed image, checked and run.
#ifndef DOJO_TEST_MUTATIONS_TRIAL_H
#define DOJO_TEST_MUTATIONS_TRIAL_H

#include "CompiledModel.h"
#include "Mutations.h"

namespace dojo::mutations {

/// A good image and what it computes.
struct Baseline {
  CompiledModel model;
  std::vector<Inputs> inputs;
  std::vector<RunOutcome> results;                  ///< without jitter, one for each of `inputs`
  std::vector<std::optional<uint64_t>> jitterSeeds; ///< of every run of an accepted image
  uint64_t watchdog = 0;
};

/// What became of a change. The image alone comes first: Planned counts what only the comparison
/// with the compiler's plan refuses.
enum class Fate : uint8_t {
  Loader,  ///< refused when read
  Layouts, ///< refused by this check of the image alone, the first in this order
  Transfers,
  Instructions,
  Order,
  Planned,  ///< accepted without the plan; computes something else, always the same
  Harmless, ///< accepted; the same bits as the good image under all jitter seeds
  Escaped   ///< a fault of the checks: accepted and wrong, or not the same in all runs
};
inline constexpr unsigned numFates = 8;
const char *name(Fate fate);

struct Trial {
  const Mutation *mutation = nullptr;
  uint64_t seed = 0;
  bool applied = false; ///< false: the image has nothing of the kind
  Fate fate = Fate::Loader;
  std::string description = {}; ///< what was changed
  std::string details = {};     ///< findings, or what the runs did
};

/// Applies a mutation to the image of `baseline` and finds out its fate.
Trial tryMutation(const Baseline &baseline, const Mutation &mutation, uint64_t seed);

} // namespace dojo::mutations

#endif // DOJO_TEST_MUTATIONS_TRIAL_H
