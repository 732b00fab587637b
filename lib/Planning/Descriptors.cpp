// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Descriptors.h"

#include <algorithm>
#include <tuple>

namespace dojo::planning {

namespace {
struct Dim {
  int64_t count, src, dst;
};
} // namespace

void appendDescriptors(const Coord &size, const Coord &srcStrides, const Coord &dstStrides,
                       int64_t elementBytes, int64_t srcOffset, int64_t dstOffset,
                       std::vector<Strided> &out) {
  std::vector<Dim> dims;
  for (size_t d = 0; d < size.size(); ++d)
    if (size[d] != 1)
      dims.push_back({size[d], srcStrides[d], dstStrides[d]});
  // Innermost first. Whatever the order of dimensions in the tensor, memory order counts.
  std::sort(dims.begin(), dims.end(), [](const Dim &a, const Dim &b) {
    return std::tie(a.dst, a.src, a.count) < std::tie(b.dst, b.src, b.count);
  });
  Strided form;
  form.srcOffset = srcOffset;
  form.dstOffset = dstOffset;
  form.runBytes = elementBytes;
  for (bool grown = true; grown;) {
    grown = false;
    for (size_t i = 0; i < dims.size(); ++i)
      if (dims[i].src == form.runBytes && dims[i].dst == form.runBytes) {
        form.runBytes *= dims[i].count;
        dims.erase(dims.begin() + i);
        grown = true;
        break;
      }
  }
  for (size_t i = 0; i < dims.size(); ++i)
    for (size_t j = i + 1; j < dims.size();)
      if (dims[j].src == dims[i].src * dims[i].count &&
          dims[j].dst == dims[i].dst * dims[i].count) {
        dims[i].count *= dims[j].count;
        dims.erase(dims.begin() + j);
        j = i + 1;
      } else {
        ++j;
      }
  // More than three dimensions: one descriptor for each index of the shortest ones.
  std::vector<Dim> outer;
  while (dims.size() > 3) {
    auto shortest = std::min_element(dims.begin(), dims.end(),
                                     [](const Dim &a, const Dim &b) { return a.count < b.count; });
    outer.push_back(*shortest);
    dims.erase(shortest);
  }
  for (size_t i = 0; i < dims.size(); ++i) {
    form.count[i] = dims[i].count;
    form.srcStride[i] = dims[i].src;
    form.dstStride[i] = dims[i].dst;
  }
  std::vector<int64_t> at(outer.size(), 0);
  while (true) {
    Strided one = form;
    for (size_t i = 0; i < outer.size(); ++i) {
      one.srcOffset += at[i] * outer[i].src;
      one.dstOffset += at[i] * outer[i].dst;
    }
    out.push_back(one);
    size_t i = 0;
    while (i < outer.size() && ++at[i] == outer[i].count)
      at[i++] = 0;
    if (i == outer.size())
      return;
  }
}

namespace {

bool sameForm(const Strided &a, const Strided &b) {
  return a.runBytes == b.runBytes && a.count == b.count && a.srcStride == b.srcStride &&
         a.dstStride == b.dstStride;
}

int usedCounts(const Strided &s) { return (s.count[0] > 1) + (s.count[1] > 1) + (s.count[2] > 1); }

/// Joins n descriptors like \p s, each (src, dst) bytes after the one before, if the result is a
/// descriptor.
bool join(Strided &s, int64_t n, int64_t src, int64_t dst) {
  int used = usedCounts(s);
  if (used == 0 && src == s.runBytes && dst == s.runBytes) {
    s.runBytes *= n;
    return true;
  }
  for (int i = 0; i < used; ++i)
    if (src == s.srcStride[i] * s.count[i] && dst == s.dstStride[i] * s.count[i]) {
      s.count[i] *= n;
      return true;
    }
  if (used == 3)
    return false;
  s.count[used] = n;
  s.srcStride[used] = src;
  s.dstStride[used] = dst;
  return true;
}

} // namespace

void mergeDescriptors(std::vector<Strided> &descriptors) {
  auto byForm = [](const Strided &a, const Strided &b) {
    return std::tie(a.runBytes, a.count, a.srcStride, a.dstStride, a.dstOffset, a.srcOffset) <
           std::tie(b.runBytes, b.count, b.srcStride, b.dstStride, b.dstOffset, b.srcOffset);
  };
  std::vector<Strided> next;
  while (descriptors.size() > 1) {
    std::sort(descriptors.begin(), descriptors.end(), byForm);
    next.clear();
    for (size_t i = 0; i < descriptors.size();) {
      Strided s = descriptors[i];
      size_t n = 1;
      if (i + 1 < descriptors.size() && sameForm(s, descriptors[i + 1])) {
        int64_t src = descriptors[i + 1].srcOffset - s.srcOffset;
        int64_t dst = descriptors[i + 1].dstOffset - s.dstOffset;
        auto follows = [&](size_t k) {
          return i + k < descriptors.size() && sameForm(s, descriptors[i + k]) &&
                 descriptors[i + k].srcOffset == s.srcOffset + static_cast<int64_t>(k) * src &&
                 descriptors[i + k].dstOffset == s.dstOffset + static_cast<int64_t>(k) * dst;
        };
        while (follows(n))
          ++n;
        Strided joined = s;
        if (join(joined, static_cast<int64_t>(n), src, dst))
          s = joined;
        else
          n = 1;
      }
      next.push_back(s);
      i += n;
    }
    bool progress = next.size() < descriptors.size();
    descriptors.swap(next);
    if (!progress)
      break;
  }
  std::sort(descriptors.begin(), descriptors.end(), [](const Strided &a, const Strided &b) {
    return std::tie(a.dstOffset, a.srcOffset) < std::tie(b.dstOffset, b.srcOffset);
  });
}

} // namespace dojo::planning
