// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef DOJO_EMULATOR_HOSTMODE_H
#define DOJO_EMULATOR_HOSTMODE_H

#include "dojo/Emulator/HostPath.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace dojo::emu {

/// While it lives, the host's floating point is in the mode that a path's arithmetic needs: all
/// paths but the portable one take denormals as zero and flush them.
class HostMode {
public:
#if defined(__x86_64__)
  explicit HostMode(HostPath path) : before(_mm_getcsr()) {
    constexpr unsigned nearestEvenMasked = 0x1F80, flush = 0x8040;
    _mm_setcsr(path == HostPath::Portable ? nearestEvenMasked : nearestEvenMasked | flush);
  }
  ~HostMode() { _mm_setcsr(before); }

private:
  unsigned before;
#else
  explicit HostMode(HostPath) {}
#endif
  HostMode(const HostMode &) = delete;
  HostMode &operator=(const HostMode &) = delete;
};

} // namespace dojo::emu

#endif
