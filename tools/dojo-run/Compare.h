// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Comparing an output with what was expected.
#ifndef DOJO_TOOLS_DOJORUN_COMPARE_H
#define DOJO_TOOLS_DOJORUN_COMPARE_H

#include "Options.h"

#include "dojo/Image/ElementType.h"

#include <span>

namespace dojo::run {

struct Comparison {
  bool good = true;
  double relL2 = 0;       // ||output - expected|| / ||expected||; 0 if equal, else infinite if
                          // expected is all zero or one has a value that is not finite
  double maxAbsolute = 0; // largest |output - expected|
  int64_t outside = 0;    // elements beyond the elementwise tolerance; 0 with --max-rel-l2
  int64_t worst = -1;     // row-major index of the element with the largest difference
  double worstOutput = 0, worstExpected = 0;
};

/// NaN equals NaN, infinities equal themselves; any other pair with one of them differs without
/// bound. Without tolerances in the options elements must be equal.
Comparison compare(std::span<const uint8_t> output, const image::ElementType &type,
                   std::span<const double> expected, const Options &options);

} // namespace dojo::run

#endif
