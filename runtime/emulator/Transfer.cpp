// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Transfer.h"

namespace dojo::emu {

uint64_t countPackets(const Runs &runs, uint32_t packetBytes) {
  if (runs.empty())
    return 0;
  uint64_t perRun = (uint64_t(runs.runBytes) + packetBytes - 1) / packetBytes;
  return perRun * runs.count[0] * runs.count[1] * runs.count[2];
}

bool Transfer::settle(const Parameters &p, const Topology &topology) {
  if (kind > Kind::Answer || !topology.usable(from) || !topology.usable(to) ||
      !topology.usable(asker) || askerThread >= numThreads || farAmount > p.semaphoreLimit)
    return false;
  if (!topology.holds(path) || path.from != from)
    return false;
  uint64_t total = 1;
  if (dataless != runs.empty())
    return false;
  if (!dataless) {
    int64_t end = p.sramBytes;
    double packets = double(runs.runBytes) / p.packetBytes + 1;
    for (uint32_t n : runs.count)
      packets = n > maxTransferCount ? double(never) : packets * n;
    if (runs.runBytes > end || runs.source > end || runs.destination > end ||
        packets > double(maxTransferPackets))
      return false;
    Reach from = reachOf(runs, runs.source, runs.sourceStride);
    Reach to = reachOf(runs, runs.destination, runs.destinationStride);
    if (from.low < 0 || from.high > end || to.low < 0 || to.high > end)
      return false;
    reads = {static_cast<uint32_t>(from.low), static_cast<uint32_t>(from.high)};
    writes = {static_cast<uint32_t>(to.low), static_cast<uint32_t>(to.high)};
    if (kind != Kind::Ask)
      total = countPackets(runs, p.packetBytes);
  }
  packetsSent = total - packetsLeft;
  pause = 0;
  followed = false;
  return packetsLeft > 0 && packetsLeft <= total;
}

Reach reachOf(const Runs &runs, int64_t base, const int32_t stride[3]) {
  Reach e{base, base + runs.runBytes};
  for (unsigned d = 0; d < 3; ++d) {
    int64_t reach = int64_t(runs.count[d] - 1) * stride[d];
    (reach < 0 ? e.low : e.high) += reach;
  }
  return e;
}

} // namespace dojo::emu
