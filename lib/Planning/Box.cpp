// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Planning/Box.h"

#include <algorithm>

namespace dojo::planning {

int64_t product(const Coord &shape) {
  int64_t v = 1;
  for (int64_t s : shape)
    v *= s;
  return v;
}

Coord rowMajorStrides(const Coord &shape, int64_t unit) {
  Coord strides(shape.size());
  for (size_t d = shape.size(); d-- > 0;) {
    strides[d] = unit;
    unit *= std::max<int64_t>(shape[d], 1);
  }
  return strides;
}

int64_t Box::volume() const { return empty() ? 0 : product(size); }

bool Box::empty() const {
  return std::any_of(size.begin(), size.end(), [](int64_t s) { return s <= 0; });
}

bool Box::contains(const Box &inner) const {
  if (inner.empty())
    return true;
  for (size_t d = 0; d < rank(); ++d)
    if (inner.lo[d] < lo[d] || inner.hi(d) > hi(d))
      return false;
  return true;
}

bool Box::contains(const Coord &point) const {
  for (size_t d = 0; d < rank(); ++d)
    if (point[d] < lo[d] || point[d] >= hi(d))
      return false;
  return true;
}

bool Box::overlaps(const Box &other) const {
  for (size_t d = 0; d < rank(); ++d)
    if (std::max(lo[d], other.lo[d]) >= std::min(hi(d), other.hi(d)))
      return false;
  return true;
}

Box intersect(const Box &a, const Box &b) {
  Box r;
  r.lo.resize(a.rank());
  r.size.resize(a.rank());
  for (size_t d = 0; d < a.rank(); ++d) {
    r.lo[d] = std::max(a.lo[d], b.lo[d]);
    r.size[d] = std::max<int64_t>(0, std::min(a.hi(d), b.hi(d)) - r.lo[d]);
  }
  return r;
}

Box translate(const Box &box, const Coord &offset) {
  Box r = box;
  for (size_t d = 0; d < r.rank(); ++d)
    r.lo[d] += offset[d];
  return r;
}

void subtract(const Box &a, const Box &b, std::vector<Box> &out) {
  if (a.empty())
    return;
  if (b.empty() || !a.overlaps(b)) {
    out.push_back(a);
    return;
  }
  Box rest = a;
  for (size_t d = 0; d < a.rank(); ++d) {
    if (rest.lo[d] < b.lo[d]) {
      Box below = rest;
      below.size[d] = b.lo[d] - rest.lo[d];
      out.push_back(below);
      rest.size[d] -= below.size[d];
      rest.lo[d] = b.lo[d];
    }
    if (rest.hi(d) > b.hi(d)) {
      Box above = rest;
      above.lo[d] = b.hi(d);
      above.size[d] = rest.hi(d) - b.hi(d);
      out.push_back(above);
      rest.size[d] -= above.size[d];
    }
  }
}

std::vector<Box> subtractAll(const Box &whole, const std::vector<Box> &parts) {
  std::vector<Box> rest, next;
  if (!whole.empty())
    rest.push_back(whole);
  for (const Box &part : parts) {
    next.clear();
    for (const Box &r : rest)
      subtract(r, part, next);
    rest.swap(next);
  }
  return rest;
}

bool tiles(const std::vector<Box> &boxes, const Box &whole) {
  int64_t volume = 0;
  std::vector<const Box *> sorted;
  for (const Box &b : boxes) {
    if (b.empty())
      continue;
    if (!whole.contains(b))
      return false;
    volume += b.volume();
    sorted.push_back(&b);
  }
  if (volume != whole.volume())
    return false;
  if (whole.rank() == 0)
    return sorted.size() == 1;
  std::sort(sorted.begin(), sorted.end(), [](const Box *a, const Box *b) { return *a < *b; });
  for (size_t i = 0; i < sorted.size(); ++i)
    for (size_t j = i + 1; j < sorted.size() && sorted[j]->lo[0] < sorted[i]->hi(0); ++j)
      if (sorted[i]->overlaps(*sorted[j]))
        return false;
  return true;
}

std::string toString(const Box &box) {
  std::string s = "[";
  for (size_t d = 0; d < box.rank(); ++d)
    s += (d ? ", " : "") + std::to_string(box.lo[d]) + ":" + std::to_string(box.hi(d));
  return s + "]";
}

} // namespace dojo::planning
