// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the host can do at best of the three kinds of work that a run is made of. Their rates on the
// same host, in the same process, are what an emulated run is held to.
#ifndef DOJO_TOOLS_DOJOBENCH_HOSTKERNELS_H
#define DOJO_TOOLS_DOJOBENCH_HOSTKERNELS_H

#include <cstdint>
#include <memory>

namespace dojo::bench {

/// Owns its buffers; one object for each host thread.
class HostKernel {
public:
  virtual ~HostKernel() = default;
  /// Does some microseconds of work and returns how many units that was.
  virtual uint64_t run() = 0;
};

/// Units: matrix steps, 8x8 += (8x4)(4x8) bfloat16, in blocks of 8x32 whose accumulators stay in
/// host registers; operands as blocks of 64 bytes.
std::unique_ptr<HostKernel> matrixKernel();
/// Which of the host's instructions the matrix kernel uses: "avx512-bf16", "avx512", ...
const char *matrixKernelName();

/// Units: calls of handlers through pointers, in a fixed random order: a scalar addition, a
/// load of 64 bytes, an addition of 16 lanes.
std::unique_ptr<HostKernel> instructionKernel();

/// Units: packets of 64 bytes, copied in trains of 16 between places of a large memory, each train
/// with 4 reservations of links by time.
std::unique_ptr<HostKernel> packetKernel();

/// Seconds for a word to go from one thread to another and back. Hosts put a guest's cores now near
/// each other, now far apart, which changes what a second thread gives.
double roundTripSeconds();

} // namespace dojo::bench

#endif
