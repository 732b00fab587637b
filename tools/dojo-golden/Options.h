// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line of dojo-golden: that of dojo-compile and options of its own.

#ifndef DOJO_TOOLS_DOJOGOLDEN_OPTIONS_H
#define DOJO_TOOLS_DOJOGOLDEN_OPTIONS_H

#include "dojo/Driver/Options.h"
#include "tools/dojo-run/Options.h"
#include <optional>

namespace dojo::golden {

/// What the results are compared with: each layer on the operands that the machine had, all layers
/// one after the other, or the imported model.
enum class Reference { Layers, Chain, Model };

struct Options {
  driver::Options compile;
  std::vector<run::Binding> inputs; ///< value: a file, or random:SEED
  std::string image;                ///< run this one; empty: what was compiled
  Reference reference = Reference::Layers;
  std::optional<double> maxRelL2;
  int64_t slice = 0;
  unsigned threads = 0; ///< 0: as many as the host has
};

/// Prints what is wrong and ends with status 1 if the command line makes no sense.
Options parseOptions(int argc, char **argv);

} // namespace dojo::golden

#endif // DOJO_TOOLS_DOJOGOLDEN_OPTIONS_H
