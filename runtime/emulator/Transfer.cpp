// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Transfer.h"

namespace dojo::emu {

uint64_t countPackets(const Runs &runs, uint32_t packetBytes) {
  if (runs.empty())
    return 0;
  uint64_t perRun = (uint64_t(runs.runBytes) + packetBytes - 1) / packetBytes;
  return perRun * runs.count[0] * runs.count[1] * runs.count[2];
}

Extent extentOf(const Runs &runs, int64_t base, const int32_t stride[3]) {
  Extent e{base, base + runs.runBytes};
  for (unsigned d = 0; d < 3; ++d) {
    int64_t reach = int64_t(runs.count[d] - 1) * stride[d];
    (reach < 0 ? e.low : e.high) += reach;
  }
  return e;
}

} // namespace dojo::emu
