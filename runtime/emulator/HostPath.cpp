// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dojo/Emulator/HostPath.h"

#include "Handlers.h"

namespace dojo::emu {

const char *name(HostPath path) {
  switch (path) {
  case HostPath::Portable:
    return "portable";
  case HostPath::Avx2:
    return "avx2";
  case HostPath::Avx512:
    return "avx512";
  case HostPath::Avx512Bf16:
    return "avx512-bf16";
  }
  return "";
}

bool supported(HostPath path) {
#if DOJO_X86_PATHS
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  switch (path) {
  case HostPath::Portable:
    return true;
  case HostPath::Avx2:
    return avx2;
  case HostPath::Avx512:
    return avx512;
  case HostPath::Avx512Bf16:
    return avx512 && __builtin_cpu_supports("avx512bf16");
  }
#endif
  return path == HostPath::Portable;
}

HostPath bestHostPath() {
  static const HostPath best = [] {
    for (unsigned i = numHostPaths; i-- > 0;)
      if (supported(HostPath(i)))
        return HostPath(i);
    return HostPath::Portable;
  }();
  return best;
}

Handler handlerOf(HostPath path, const Op &op) {
  switch (path) {
#if DOJO_X86_PATHS
  case HostPath::Avx2:
    return avx2::handlerOf(op);
  case HostPath::Avx512:
    return avx512::handlerOf(op);
  case HostPath::Avx512Bf16:
    return avx512bf16::handlerOf(op);
#endif
  default:
    return portable::handlerOf(op);
  }
}

} // namespace dojo::emu
