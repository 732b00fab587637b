// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The host's instructions that the fast engine computes with. Every path gives the same bits; which
// of them the host can run is found out at run time.
#ifndef DOJO_EMULATOR_HOSTPATH_H
#define DOJO_EMULATOR_HOSTPATH_H

#include <cstdint>
#include <vector>

namespace dojo::emu {

enum class HostPath : uint8_t {
  Portable,   ///< any host; the reference
  Avx2,       ///< with FMA
  Avx512,     ///< F, BW, DQ, VL
  Avx512Bf16, ///< and BF16
};
inline constexpr unsigned numHostPaths = 4;

const char *name(HostPath path);
bool supported(HostPath path);
/// All that this host can run, in their order.
std::vector<HostPath> supportedHostPaths();
/// The fastest on this host: the last of the list that it can run, but for Avx512Bf16, which is
/// measured against Avx512 once.
HostPath bestHostPath();

} // namespace dojo::emu

#endif
