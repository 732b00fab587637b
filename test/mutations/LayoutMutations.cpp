// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where tensors, buffers and constants lie, and what code is said to touch.

#include "Mutations.h"

#include <algorithm>

namespace dojo::mutations {
namespace {

using image::Box;
using image::Buffer;
using image::Image;
using image::Region;
using image::Segment;
using image::TensorRef;

std::string number(int64_t value) { return std::to_string(value); }

/// An input, an output or a layer's result.
TensorRef &tensorOf(Image &image, Random &random) {
  switch (random.below(3)) {
  case 0:
    return random.oneOf(image.inputs);
  case 1:
    return random.oneOf(image.outputs);
  default:
    return random.oneOf(image.tensors.empty() ? image.outputs : image.tensors);
  }
}

/// A distance that keeps alignments, mostly a short one.
int64_t distance(Random &random) {
  int64_t unit = random.oneOf<int64_t>({2, 4, 16, 64, 64, 64, 256, 4096});
  return (random.flip() ? 1 : -1) * unit * int64_t(1 + random.below(4));
}

std::string moveBox(Mutant &m, Random &random) {
  TensorRef &t = tensorOf(m.image, random);
  Box &box = random.oneOf(t.boxes);
  uint32_t before = box.address;
  if (random.below(3) == 0)
    box.address = random.oneOf(m.image.buffers).address;
  else
    box.address += uint32_t(distance(random));
  return box.address == before
             ? ""
             : "box of " + t.name + " from " + number(before) + " to " + number(box.address);
}

std::string exchangeBoxes(Mutant &m, Random &random) {
  TensorRef &t = tensorOf(m.image, random);
  Box &a = random.oneOf(t.boxes), &b = random.oneOf(t.boxes);
  if (a.lo == b.lo || a.size != b.size)
    return "";
  std::swap(a.lo, b.lo);
  return "two boxes of " + t.name + " change places";
}

std::string dropBox(Mutant &m, Random &random) {
  TensorRef &t = tensorOf(m.image, random);
  t.boxes.erase(t.boxes.begin() + int64_t(random.below(t.boxes.size())));
  return "a box of " + t.name + " is gone";
}

std::string resizeBox(Mutant &m, Random &random) {
  TensorRef &t = tensorOf(m.image, random);
  Box &box = random.oneOf(t.boxes);
  if (box.lo.empty())
    return "";
  size_t d = random.below(box.lo.size());
  std::vector<int64_t> &list = *random.oneOf({&box.lo, &box.size, &box.strides, &box.strides});
  int64_t before = list[d];
  list[d] += random.oneOf({-4, -2, -1, 1, 2, 4, 16});
  return "dimension " + number(int64_t(d)) + " of a box of " + t.name + " from " + number(before) +
         " to " + number(list[d]);
}

std::string boxElsewhere(Mutant &m, Random &random) {
  TensorRef &t = tensorOf(m.image, random);
  Box &box = random.oneOf(t.boxes);
  int64_t node = random.oneOf(m.nodes());
  if (m.image.nodeSets[box.nodeSet].contains(node))
    return "";
  box.nodeSet = m.singleton(node);
  return "box of " + t.name + " on node " + number(node);
}

std::string moveBuffer(Mutant &m, Random &random) {
  Buffer &b = random.oneOf(m.image.buffers);
  uint32_t before = b.address;
  b.address = random.below(3) ? b.address + uint32_t(distance(random))
                              : random.oneOf(m.image.buffers).address;
  return b.address == before
             ? ""
             : "buffer " + b.name + " from " + number(before) + " to " + number(b.address);
}

/// The declaration, the boxes and the constants of a buffer; the code stays as it is.
std::string moveAllOfABuffer(Mutant &m, Random &random) {
  Buffer &b = random.oneOf(m.image.buffers);
  int64_t by = distance(random);
  uint32_t lo = b.address, hi = b.address + b.bytes;
  auto move = [&](uint32_t &address) {
    if (lo <= address && address < hi)
      address += uint32_t(by);
  };
  for (auto *list : {&m.image.inputs, &m.image.outputs, &m.image.tensors})
    for (TensorRef &t : *list)
      for (Box &box : t.boxes)
        move(box.address);
  for (image::Load &load : m.image.loads)
    move(load.address);
  b.address += uint32_t(by);
  return "buffer " + b.name + " with all it holds from " + number(lo) + " by " + number(by);
}

std::string resizeBuffer(Mutant &m, Random &random) {
  Buffer &b = random.oneOf(m.image.buffers);
  uint32_t before = b.bytes;
  b.bytes = random.flip() ? b.bytes / 2 : b.bytes + uint32_t(distance(random));
  return b.bytes == before
             ? ""
             : "buffer " + b.name + " from " + number(before) + " to " + number(b.bytes) + " bytes";
}

std::string shiftLife(Mutant &m, Random &random) {
  Buffer &b = random.oneOf(m.image.buffers);
  int32_t &end = random.flip() ? b.firstLayer : b.lastLayer;
  int32_t before = end;
  end = std::max<int32_t>(-1, end + random.oneOf({-2, -1, 1, 2}));
  end = std::min<int32_t>(end, int32_t(m.image.layers.size()) - 1);
  return end == before ? ""
                       : "life of buffer " + b.name + " ends at layer " + number(end) + ", not " +
                             number(before);
}

std::string moveConstants(Mutant &m, Random &random) {
  image::Load &load = random.oneOf(m.image.loads);
  uint32_t before = load.address;
  load.address += uint32_t(distance(random));
  return "load from " + number(before) + " to " + number(load.address);
}

std::string declareOtherBytes(Mutant &m, Random &random) {
  if (m.image.segments.empty())
    return "";
  Segment &s = random.oneOf(m.image.segments);
  std::vector<Region> &list = *random.oneOf({&s.reads, &s.writes, &s.ignored});
  if (list.empty())
    return "";
  size_t at = random.below(list.size());
  Region &r = list[at];
  switch (random.below(6)) {
  case 0:
    list.erase(list.begin() + int64_t(at));
    return "a declared region is gone";
  case 1:
    r.address += uint32_t(distance(random));
    return "a declared region at " + number(r.address);
  case 2:
    r.bytes += uint32_t(random.oneOf({-4, -2, 2, 4, 16, 64}));
    return "a declared region of " + number(r.bytes) + " bytes";
  case 3:
    r.count[random.below(3)] += uint32_t(random.oneOf({-1, 1, 2}));
    return "another count of a declared region";
  case 4:
    r.stride[random.below(3)] += int32_t(distance(random));
    return "another stride of a declared region";
  default:
    std::swap(s.reads, s.writes);
    return "declared reads and writes change places";
  }
}

std::string shiftTensorLife(Mutant &m, Random &random) {
  TensorRef &t = tensorOf(m.image, random);
  int32_t &end = random.flip() ? t.firstLayer : t.lastLayer;
  int32_t before = end, last = int32_t(m.image.layers.size()) - 1;
  end = std::clamp<int32_t>(end + random.oneOf({-2, -1, 1, 2}), -1, last);
  return end == before
             ? ""
             : "life of " + t.name + " ends at layer " + number(end) + ", not " + number(before);
}

} // namespace

const std::vector<Mutation> &layoutMutations() {
  static const std::vector<Mutation> list = {
      {"box-address", verify::Check::Layouts, moveBox},
      {"boxes-exchanged", verify::Check::Layouts, exchangeBoxes},
      {"box-dropped", verify::Check::Layouts, dropBox},
      {"box-shape", verify::Check::Layouts, resizeBox},
      {"box-node", verify::Check::Layouts, boxElsewhere},
      {"buffer-address", verify::Check::Layouts, moveBuffer},
      {"buffer-with-contents", verify::Check::Layouts, moveAllOfABuffer},
      {"buffer-bytes", verify::Check::Layouts, resizeBuffer},
      {"buffer-life", verify::Check::Layouts, shiftLife},
      {"tensor-life", verify::Check::Layouts, shiftTensorLife},
      {"load-address", verify::Check::Layouts, moveConstants},
      {"segment-region", verify::Check::Layouts, declareOtherBytes},
  };
  return list;
}

} // namespace dojo::mutations
