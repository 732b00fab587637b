// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Compare.h"

#include "dojo/Npy/Elements.h"

#include <cmath>
#include <limits>

namespace dojo::run {

Comparison compare(std::span<const uint8_t> output, const image::ElementType &type,
                   std::span<const double> expected, const Options &options) {
  constexpr double unbounded = std::numeric_limits<double>::infinity();
  double rtol = options.rtol.value_or(0), atol = options.atol.value_or(0);
  Comparison result;
  double differenceSquares = 0, expectedSquares = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    double value = npy::elementValue(output.data() + i * type.bytes, type), want = expected[i];
    bool equal = value == want || (std::isnan(value) && std::isnan(want));
    double difference = equal ? 0 : std::fabs(value - want);
    if (std::isnan(difference))
      difference = unbounded;
    if (std::isfinite(want))
      expectedSquares += want * want;
    differenceSquares += difference * difference;
    // Written so that an infinite tolerance, from an infinite expectation, lets nothing pass.
    bool within = equal || (std::isfinite(want) && difference <= atol + rtol * std::fabs(want));
    result.outside += !within && !options.maxRelL2;
    if (!equal && (result.worst < 0 || difference > result.maxAbsolute)) {
      result.maxAbsolute = difference;
      result.worst = int64_t(i);
      result.worstOutput = value;
      result.worstExpected = want;
    }
  }
  if (differenceSquares > 0)
    result.relL2 = std::isfinite(differenceSquares) && expectedSquares > 0
                       ? std::sqrt(differenceSquares / expectedSquares)
                       : unbounded;
  result.good = options.maxRelL2 ? result.relL2 <= *options.maxRelL2 : result.outside == 0;
  return result;
}

} // namespace dojo::run
