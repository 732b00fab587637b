// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Trial.h"

#include <cstring>

namespace dojo::mutations {

const char *name(Fate fate) {
  static const char *const names[numFates] = {"loader", "layouts", "transfers", "instr.",
                                              "order",  "planned", "harmless",  "ESCAPED"};
  return names[unsigned(fate)];
}

/// The check that refuses: the first with an error, else the first that is undecided.
static Fate refusedBy(const verify::Report &report) {
  for (unsigned c = 0; c < verify::numChecks; ++c)
    if (report.verdict(verify::Check(c)) == verify::Verdict::Error)
      return Fate(unsigned(Fate::Layouts) + c);
  for (unsigned c = 0; c < verify::numChecks; ++c)
    if (report.verdict(verify::Check(c)) != verify::Verdict::Accept)
      return Fate(unsigned(Fate::Layouts) + c);
  return Fate::Harmless;
}

/// Runs an image that the checks accept without the plan.
static void runAccepted(const Baseline &baseline, const image::Image &image, Trial &trial) {
  bool same = true;
  for (size_t i = 0; i < baseline.inputs.size(); ++i) {
    std::vector<RunOutcome> runs =
        runImage(image, baseline.inputs[i], baseline.jitterSeeds, baseline.watchdog);
    for (size_t r = 0; r < runs.size(); ++r) {
      auto escaped = [&](const std::string &what) {
        trial.fate = Fate::Escaped;
        trial.details =
            "input " + std::to_string(i) + ", " +
            (baseline.jitterSeeds[r] ? "jitter seed " + std::to_string(*baseline.jitterSeeds[r])
                                     : "no jitter") +
            ": " + what;
      };
      if (!runs[r].fault.empty())
        return escaped(runs[r].fault);
      if (!(runs[r] == runs[0]))
        return escaped("other outputs than in the first run");
      same &= runs[r] == baseline.results[i];
    }
  }
  if (same) {
    trial.fate = Fate::Harmless;
    return;
  }
  verify::Report report;
  verify::verifyCompiled(image, baseline.model.intent, report);
  if (report.verdict() == verify::Verdict::Accept) {
    trial.fate = Fate::Escaped;
    trial.details = "accepted, the plan included, and other outputs than the good image's";
    return;
  }
  trial.fate = Fate::Planned;
  trial.details = report.toString();
}

Trial tryMutation(const Baseline &baseline, const Mutation &mutation, uint64_t seed) {
  Trial trial;
  trial.mutation = &mutation;
  trial.seed = seed;
  // A draw may hit where there is nothing to change; the image is then drawn for again.
  constexpr uint64_t attempts = 64;
  uint64_t salt = 0;
  for (const char *c = mutation.name; *c; ++c)
    salt = salt * 131 + uint64_t(*c);
  for (uint64_t attempt = 0; attempt < attempts && !trial.applied; ++attempt) {
    Mutant mutant(baseline.model.image);
    Random random(salt + seed * attempts + attempt);
    trial.description = mutation.apply(mutant, random);
    if (trial.description.empty())
      continue;
    trial.applied = true;
    image::Image image;
    if (!mutant.reload(image, trial.details)) {
      trial.fate = Fate::Loader;
      break;
    }
    verify::Report report;
    verify::verifyImage(image, report);
    trial.fate = refusedBy(report);
    if (report.verdict() == verify::Verdict::Accept)
      runAccepted(baseline, image, trial);
    else
      trial.details = report.toString();
  }
  return trial;
}

} // namespace dojo::mutations
