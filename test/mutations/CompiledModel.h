// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model compiled in this process, and runs of images of it on the emulated die.
#ifndef DOJO_TEST_MUTATIONS_COMPILEDMODEL_H
#define DOJO_TEST_MUTATIONS_COMPILEDMODEL_H

#include "dojo/Driver/Options.h"
#include "dojo/Image/Image.h"
#include "dojo/Verify/Verify.h"

#include <optional>
#include <string>
#include <vector>

namespace dojo::mutations {

struct CompiledModel {
  image::Image image;
  verify::Intent intent;
};

/// False if it does not compile or its own checks refuse it; the reason has been printed.
[[nodiscard]] bool compile(const driver::Options &options, CompiledModel &out);

/// Bytes of all inputs, in the image's order: standard normal numbers from a seed.
using Inputs = std::vector<std::vector<uint8_t>>;
/// False with `error` if an input is not of floats.
[[nodiscard]] bool makeInputs(const image::Image &image, uint64_t seed, Inputs &out,
                              std::string &error);

/// How a run ended.
struct RunOutcome {
  std::string fault;            ///< empty: it came to its end
  std::vector<uint8_t> outputs; ///< all outputs, one behind the other
  uint64_t cycles = 0;
  bool operator==(const RunOutcome &o) const { return fault == o.fault && outputs == o.outputs; }
};

/// Runs an image once for each jitter seed ({}: without), `watchdog` in cycles (0: the runtime's).
std::vector<RunOutcome> runImage(const image::Image &image, const Inputs &inputs,
                                 const std::vector<std::optional<uint64_t>> &jitterSeeds,
                                 uint64_t watchdog);

} // namespace dojo::mutations

#endif // DOJO_TEST_MUTATIONS_COMPILEDMODEL_H
