// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Strided.h"

#include <algorithm>

namespace dojo::verify {

Strided Strided::of(const image::Region &region) {
  Strided s{region.address, region.bytes, {}, {}};
  for (int d = 0; d < 3; ++d)
    s.count[d] = region.count[d], s.stride[d] = region.stride[d];
  return s;
}

Strided Strided::localOf(const isa::Descriptor &d) {
  Strided s{d.localAddress, d.runBytes, {}, {}};
  for (int i = 0; i < 3; ++i)
    s.count[i] = d.count[i], s.stride[i] = d.localStride[i];
  return s;
}

Strided Strided::remoteOf(const isa::Descriptor &d) {
  Strided s{d.remoteAddress, d.runBytes, {}, {}};
  for (int i = 0; i < 3; ++i)
    s.count[i] = d.count[i], s.stride[i] = d.remoteStride[i];
  return s;
}

void Strided::bounds(int64_t &lo, int64_t &hi) const {
  // Addresses and run lengths have 32 bits: no sum of these exceeds 2^53.
  constexpr int64_t far = int64_t(1) << 50;
  lo = address, hi = address + bytes;
  for (int d = 0; d < 3; ++d) {
    int64_t steps = count[d] - 1, step = stride[d];
    if (steps == 0 || step == 0)
      continue;
    int64_t distance = steps > far / std::abs(step) ? far : steps * std::abs(step);
    if (step < 0)
      lo -= distance;
    else
      hi += distance;
  }
}

Strided Strided::simplified() const {
  struct Dim {
    int64_t stride, count;
  };
  Strided s{address, bytes, {1, 1, 1}, {0, 0, 0}};
  std::vector<Dim> dims;
  for (int d = 0; d < 3; ++d) {
    if (count[d] == 1 || stride[d] == 0)
      continue;
    if (stride[d] < 0)
      s.address += (count[d] - 1) * stride[d];
    dims.push_back({std::abs(stride[d]), count[d]});
  }
  std::sort(dims.begin(), dims.end(), [](Dim a, Dim b) { return a.stride < b.stride; });
  size_t used = 0;
  for (const Dim &dim : dims) {
    if (used == 0 && dim.stride == s.bytes) {
      s.bytes *= dim.count;
    } else if (used > 0 && dim.stride == s.stride[used - 1] * s.count[used - 1]) {
      s.count[used - 1] *= dim.count;
    } else {
      s.stride[used] = dim.stride, s.count[used] = dim.count;
      ++used;
    }
  }
  return s;
}

bool Strided::clearlyDisjoint() const {
  int64_t span = bytes;
  for (int d = 0; d < 3; ++d) {
    if (count[d] == 1)
      continue;
    if (stride[d] < span)
      return false;
    span += (count[d] - 1) * stride[d];
  }
  return true;
}

} // namespace dojo::verify
