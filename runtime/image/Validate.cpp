// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The promises of Image.h, checked.
#include "dojo/Image/ElementType.h"
#include "dojo/Image/Image.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>

namespace dojo::image {
namespace {

constexpr size_t maxRank = 16;
constexpr uint64_t maxRuns = uint64_t(1) << 26; // of all segments: who checks accesses lists them

std::string show(const std::vector<int64_t> &values) {
  std::string text = "[";
  for (size_t i = 0; i < values.size(); ++i)
    text += (i ? ", " : "") + std::to_string(values[i]);
  return text + "]";
}

class Validator {
public:
  explicit Validator(const Image &image)
      : image(image), sram(image.target.sramBytes), words(nodeSetWords(image.target)) {}

  std::string run() {
    nodeSets() && blobs() && loads() && entries() && pcRanges() && tensors() && buffers() &&
        segments() && routes() && layers();
    return problem;
  }

private:
  bool fail(const std::string &what) {
    problem = what;
    return false;
  }
  bool failAt(const char *kind, size_t index, const std::string &what) {
    return fail(kind + (" " + std::to_string(index)) + " " + what);
  }

  bool goodSet(uint32_t set) const { return set < image.nodeSets.size(); }
  bool goodLayer(int32_t layer) const {
    return layer >= -1 && layer < int64_t(image.layers.size());
  }
  // [address, address + bytes) inside SRAM.
  bool inSram(uint64_t address, uint64_t bytes) const {
    return address <= uint64_t(sram) && bytes <= uint64_t(sram) - address;
  }

  struct Span {
    uint32_t nodeSet, begin, end;
  };

  // On no node do the spans of two items overlap.
  template <class T, class F>
  bool disjoint(const char *kind, const std::vector<T> &items, F spanOf) {
    std::vector<uint32_t> order(items.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return std::pair(spanOf(items[a]).begin, a) < std::pair(spanOf(items[b]).begin, b);
    });
    std::vector<uint32_t> end(image.target.positions(), 0);
    for (uint32_t i : order) {
      Span span = spanOf(items[i]);
      for (int64_t node : image.nodeSets[span.nodeSet].nodes()) {
        if (span.begin < end[node])
          return failAt(kind, i, "overlaps another on node " + std::to_string(node));
        end[node] = span.end;
      }
    }
    return true;
  }

  bool nodeSets() {
    NodeSet usable = emptyNodeSet(image.target);
    for (int64_t node : image.target.usableNodes())
      usable.insert(node);
    for (size_t i = 0; i < image.nodeSets.size(); ++i) {
      const NodeSet &set = image.nodeSets[i];
      if (set.bits.size() != words)
        return failAt("node set", i, "does not have one bit for each position");
      for (size_t w = 0; w < words; ++w)
        if (set.bits[w] & ~usable.bits[w])
          return failAt("node set", i, "holds a node that is not usable");
    }
    return true;
  }

  bool blobs() {
    for (size_t i = 0; i < image.blobs.size(); ++i) {
      const Blob &blob = image.blobs[i];
      uint64_t limit = (blob.code ? image.code : image.data).size();
      if (blob.offset > limit || blob.bytes > limit - blob.offset)
        return failAt("blob", i, "lies outside its section");
      if (blob.bytes == 0)
        return failAt("blob", i, "is empty");
    }
    return true;
  }

  bool loads() {
    for (size_t i = 0; i < image.loads.size(); ++i) {
      const Load &load = image.loads[i];
      if (load.blob >= image.blobs.size())
        return failAt("load", i, "names no blob");
      if (!goodSet(load.nodeSet))
        return failAt("load", i, "names no node set");
      if (!inSram(load.address, image.blobs[load.blob].bytes))
        return failAt("load", i, "does not fit in SRAM");
    }
    return disjoint("load", image.loads, [&](const Load &load) {
      return Span{load.nodeSet, load.address,
                  load.address + uint32_t(image.blobs[load.blob].bytes)};
    });
  }

  bool entries() {
    NodeSet seen = emptyNodeSet(image.target);
    for (size_t i = 0; i < image.entries.size(); ++i) {
      const Entry &entry = image.entries[i];
      if (!goodSet(entry.nodeSet))
        return failAt("entry", i, "names no node set");
      for (size_t w = 0; w < words; ++w) {
        uint64_t bits = image.nodeSets[entry.nodeSet].bits[w];
        if (seen.bits[w] & bits)
          return failAt("entry", i, "starts a node that another entry starts");
        seen.bits[w] |= bits;
      }
      for (size_t thread = 0; thread < entry.pc.size(); ++thread) {
        int32_t pc = entry.pc[thread];
        if (pc == -1)
          continue;
        if (pc < 0 || pc % image.target.baseInstructionBytes || pc >= sram)
          return failAt("entry", i, "has a bad start address");
        if (int64_t(thread) >= image.target.threads)
          return failAt("entry", i, "starts a thread that the target does not have");
      }
    }
    return true;
  }

  bool pcRanges() {
    for (size_t i = 0; i < image.pcRanges.size(); ++i) {
      const PcRange &range = image.pcRanges[i];
      if (!goodSet(range.nodeSet))
        return failAt("code range", i, "names no node set");
      if (range.begin >= range.end || range.end > uint64_t(sram))
        return failAt("code range", i, "does not fit in SRAM");
      if (range.layer != PcRange::callers && !goodLayer(range.layer))
        return failAt("code range", i, "names no layer");
      if (range.symbol >= image.symbols.size())
        return failAt("code range", i, "names no symbol");
    }
    return disjoint("code range", image.pcRanges, [](const PcRange &range) {
      return Span{range.nodeSet, range.begin, range.end};
    });
  }

  bool tensors() {
    for (const auto *list : {&image.inputs, &image.outputs}) {
      std::set<std::string> names;
      for (const TensorRef &t : *list) {
        if (!names.insert(t.name).second)
          return fail("two " + std::string(list == &image.inputs ? "inputs" : "outputs") +
                      " are named \"" + t.name + "\"");
        if (!tensor(t) || !exactCover(t))
          return false;
      }
    }
    for (const TensorRef &t : image.tensors)
      if (!tensor(t))
        return false;
    return true;
  }

  bool tensor(const TensorRef &t) {
    auto bad = [&](const std::string &what) { return fail("tensor \"" + t.name + "\" " + what); };
    const ElementType *type = findElementType(t.type);
    if (!type)
      return bad("has the unknown element type \"" + t.type + "\"");
    int64_t dim = t.blockDim;
    std::vector<int64_t> physical = t.logicalShape;
    if (physical.size() > maxRank)
      return bad("has more than " + std::to_string(maxRank) + " dimensions");
    for (int64_t extent : physical)
      if (extent < 0 || extent > INT32_MAX)
        return bad("has a bad shape " + show(t.logicalShape));
    if (dim < -1 || dim >= int64_t(physical.size()) || t.blockSize < 1 || t.blockSize > INT32_MAX ||
        (dim == -1 && t.blockSize != 1))
      return bad("has a bad block");
    if (dim >= 0) {
      physical[dim] = (physical[dim] + t.blockSize - 1) / t.blockSize;
      physical.push_back(t.blockSize);
    }
    if (physical != t.shape)
      return bad("has the shape " + show(t.shape) + " where its logical shape and block give " +
                 show(physical));
    if (!goodLayer(t.firstLayer) || !goodLayer(t.lastLayer))
      return bad("names no layer");
    for (size_t i = 0; i < t.boxes.size(); ++i)
      if (const char *what = box(t, t.boxes[i], type->bytes))
        return bad("has a box " + std::to_string(i) + " that " + what);
    return true;
  }

  const char *box(const TensorRef &t, const Box &b, int64_t elementBytes) {
    if (!goodSet(b.nodeSet))
      return "names no node set";
    size_t rank = t.shape.size();
    if (b.lo.size() != rank || b.size.size() != rank || b.strides.size() != rank)
      return "does not have the tensor's rank";
    int64_t last = 0;
    for (size_t d = 0; d < rank; ++d) {
      if (b.lo[d] < 0 || b.size[d] < 1 || b.lo[d] > t.shape[d] - b.size[d])
        return "lies outside the tensor";
      if (b.strides[d] < 0 || b.strides[d] > INT32_MAX)
        return "has a bad stride";
      // Both factors are below 2^31. Each term is checked before the next is added.
      last += (b.size[d] - 1) * b.strides[d];
      if (last > sram)
        return "does not fit in SRAM";
    }
    return inSram(b.address, last + elementBytes) ? nullptr : "does not fit in SRAM";
  }

  // Inputs and outputs: each element in exactly one box, each box on one node.
  bool exactCover(const TensorRef &t) {
    auto bad = [&](const std::string &what) { return fail("tensor \"" + t.name + "\" " + what); };
    if (t.blockDim != -1)
      return bad("is a graph input or output and may not be blocked");
    int64_t limit = sram * image.target.positions(), elements = 1, covered = 0;
    bool empty = std::count(t.shape.begin(), t.shape.end(), 0) > 0;
    for (int64_t extent : t.shape) {
      if (empty)
        break;
      if (elements > limit / extent)
        return bad("has more elements than the machine has bytes");
      elements *= extent;
    }
    if (empty)
      return t.boxes.empty() || bad("has boxes but no element");
    for (const Box &b : t.boxes) {
      if (image.nodeSets[b.nodeSet].size() != 1)
        return bad("is a graph input or output and has a box that is not on one node");
      int64_t volume = 1;
      for (int64_t extent : b.size)
        volume *= extent; // a part of the tensor: no more than `elements`
      covered += volume;
      if (covered > elements)
        return bad("has an element in two boxes");
    }
    if (covered != elements)
      return bad("has an element in no box");
    std::vector<bool> seen(elements);
    for (const Box &b : t.boxes)
      if (!mark(t, b, 0, 0, seen))
        return bad("has an element in two boxes");
    return true;
  }

  bool mark(const TensorRef &t, const Box &b, size_t d, int64_t index, std::vector<bool> &seen) {
    if (d == t.shape.size()) {
      if (seen[index])
        return false;
      return seen[index] = true;
    }
    for (int64_t i = 0; i < b.size[d]; ++i)
      if (!mark(t, b, d + 1, index * t.shape[d] + b.lo[d] + i, seen))
        return false;
    return true;
  }

  bool buffers() {
    for (const Buffer &buffer : image.buffers)
      if (!goodSet(buffer.nodeSet) || !inSram(buffer.address, buffer.bytes) ||
          !goodLayer(buffer.firstLayer) || !goodLayer(buffer.lastLayer))
        return fail("buffer \"" + buffer.name + "\" has a bad node set, address or layer");
    return true;
  }

  bool segments() {
    uint64_t runs = 0;
    for (size_t i = 0; i < image.segments.size(); ++i) {
      const Segment &s = image.segments[i];
      if (!goodSet(s.nodeSet) || !goodLayer(s.layer) || s.begin >= s.end || s.end > uint64_t(sram))
        return failAt("segment", i, "has a bad node set, layer or code range");
      for (const auto *regions : {&s.reads, &s.writes, &s.ignored})
        for (const Region &region : *regions) {
          if (!goodRegion(region))
            return failAt("segment", i, "declares bytes outside SRAM");
          // Below 2^64: each count is at most SRAM's 2^21 bytes.
          runs += uint64_t(region.count[0]) * region.count[1] * region.count[2];
          if (runs > maxRuns)
            return failAt("segment", i, "brings the declared runs above 2^26");
        }
    }
    return segmentsApart();
  }

  // On no node do segments overlap, but code that several layers share is declared once for each.
  bool segmentsApart() {
    std::vector<uint32_t> order(image.segments.size());
    std::iota(order.begin(), order.end(), 0);
    auto key = [&](uint32_t i) {
      const Segment &s = image.segments[i];
      return std::tuple(s.begin, s.end, s.layer, i);
    };
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
    std::vector<const Segment *> last(image.target.positions(), nullptr);
    for (uint32_t i : order) {
      const Segment &s = image.segments[i];
      for (int64_t node : image.nodeSets[s.nodeSet].nodes()) {
        const Segment *before = last[node];
        bool shared =
            before && before->begin == s.begin && before->end == s.end && before->layer != s.layer;
        if (before && s.begin < before->end && !shared)
          return failAt("segment", i, "overlaps another on node " + std::to_string(node));
        last[node] = &s;
      }
    }
    return true;
  }

  bool goodRegion(const Region &region) const {
    int64_t low = region.address, high = int64_t(region.address) + region.bytes;
    for (int d = 0; d < 3; ++d) {
      // Counts up to SRAM's size and 32-bit strides: no term exceeds 2^53.
      if (region.count[d] < 1 || region.count[d] > sram)
        return false;
      int64_t span = int64_t(region.count[d] - 1) * region.stride[d];
      (span < 0 ? low : high) += span;
    }
    return region.bytes > 0 && low >= 0 && high <= sram;
  }

  bool routes() {
    if (image.routes.size() > 0xFFFF)
      return fail("there are more routes than a descriptor can name");
    for (size_t i = 0; i < image.routes.size(); ++i)
      if (int64_t(image.routes[i].size()) > image.target.routeLinks)
        return failAt("route", i, "has more links than the target allows");
    return true;
  }

  bool layers() {
    for (size_t i = 0; i < image.layers.size(); ++i)
      if (const Layer &l = image.layers[i]; !(l.estimatedCycles >= 0 && l.estimatedCycles < 1e18 &&
                                              l.busiestOverMean >= 0 && l.busiestOverMean < 1e18))
        return failAt("layer", i, "has a bad estimate");
    std::set<std::string> names;
    for (size_t i = 0; i < image.layers.size(); ++i) {
      const Layer &l = image.layers[i];
      if (l.endPc != -1 && (l.endPc < 0 || l.endPc % 4 || !inSram(l.endPc, 4)))
        return failAt("layer", i, "has a bad end");
      if (!l.name.empty() && !names.insert(l.name).second)
        return failAt("layer", i, "has the name of another, \"" + l.name + "\"");
    }
    return true;
  }

  const Image &image;
  int64_t sram;
  size_t words;
  std::string problem;
};

} // namespace

std::string validate(const Image &image) { return Validator(image).run(); }

} // namespace dojo::image
