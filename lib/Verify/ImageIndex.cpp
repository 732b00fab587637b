// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ImageIndex.h"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace dojo::verify {

ImageIndex::ImageIndex(const image::Image &image)
    : image(image), sram(image.target.sramBytes), nodes(image.target.usableNodes()),
      placed(image.target.positions()) {
  std::vector<uint32_t> order(image.loads.size());
  for (uint32_t i = 0; i < order.size(); ++i)
    order[i] = i;
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return std::pair(image.loads[a].address, a) < std::pair(image.loads[b].address, b);
  });
  for (uint32_t i : order) {
    const image::Load &load = image.loads[i];
    uint32_t end = uint32_t(load.address + image.blobs[load.blob].bytes);
    for (int64_t node : image.nodeSets[load.nodeSet].nodes())
      placed[node].push_back({load.address, end, load.blob});
  }
  findConstants();
  segments = rangesOf(image.segments);
  pcRanges = rangesOf(image.pcRanges);

  aliveIn.resize(image.layers.size());
  for (uint32_t b = 0; b < image.buffers.size(); ++b) {
    auto [first, last] = lifeOf(b);
    for (int32_t l = std::max(first, 0); l <= last && l < int32_t(image.layers.size()); ++l)
      aliveIn[l].push_back(b);
  }
  for (std::vector<uint32_t> &list : aliveIn)
    std::sort(list.begin(), list.end(), [&](uint32_t a, uint32_t b) {
      return std::pair(image.buffers[a].address, a) < std::pair(image.buffers[b].address, b);
    });
}

template <typename T> ImageIndex::Ranges ImageIndex::rangesOf(const std::vector<T> &items) const {
  Ranges ranges(image.target.positions());
  for (uint32_t i = 0; i < items.size(); ++i)
    for (int64_t node : image.nodeSets[items[i].nodeSet].nodes())
      ranges[node].push_back({items[i].begin, items[i].end, 0, i});
  for (std::vector<Range> &list : ranges) {
    std::sort(list.begin(), list.end(), [](const Range &a, const Range &b) {
      return std::tie(a.begin, a.end, a.index) < std::tie(b.begin, b.end, b.index);
    });
    uint32_t furthest = 0;
    for (Range &range : list)
      range.furthestEnd = furthest = std::max(furthest, range.end);
  }
  return ranges;
}

template <typename Fn>
void ImageIndex::eachAt(const std::vector<Range> &ranges, int64_t pc, Fn fn) {
  auto it = std::upper_bound(ranges.begin(), ranges.end(), pc,
                             [](int64_t value, const Range &range) { return value < range.begin; });
  while (it != ranges.begin() && (--it)->furthestEnd > pc)
    if (it->end > pc)
      fn(*it);
}

const Placed *ImageIndex::placedAt(int64_t node, int64_t address) const {
  const std::vector<Placed> &list = placed[node];
  auto it = std::upper_bound(list.begin(), list.end(), address,
                             [](int64_t value, const Placed &p) { return value < p.begin; });
  if (it == list.begin() || (--it)->end <= address)
    return nullptr;
  return &*it;
}

std::span<const uint8_t> ImageIndex::bytesAt(int64_t node, int64_t address) const {
  const Placed *load = placedAt(node, address);
  if (!load)
    return {};
  return image.content(image.blobs[load->blob]).subspan(address - load->begin);
}

/// Does the content of buffers of this kind stay as it was placed?
static bool keepsContent(const std::string &kind) {
  return kind == "weight" || kind == "table" || kind == "code";
}

void ImageIndex::findConstants() {
  constants.resize(placed.size());
  std::vector<std::vector<Interval>> changing(placed.size());
  for (const image::Buffer &b : image.buffers)
    if (!keepsContent(b.kind))
      for (int64_t node : image.nodeSets[b.nodeSet].nodes())
        changing[node].push_back({b.address, int64_t(b.address) + b.bytes});
  for (int64_t node : nodes) {
    std::sort(changing[node].begin(), changing[node].end());
    for (const Placed &load : placed[node]) {
      int64_t at = load.begin;
      if (!image.blobs[load.blob].code)
        for (const Interval &hole : changing[node]) {
          if (hole.lo >= load.end)
            break;
          if (hole.lo > at)
            constants[node].push_back({at, hole.lo});
          at = std::max(at, hole.hi);
        }
      if (at < load.end)
        constants[node].push_back({at, load.end});
    }
  }
}

bool ImageIndex::read(int64_t node, int64_t address, int64_t bytes, uint8_t *out) const {
  const std::vector<Interval> &list = constants[node];
  auto it = std::upper_bound(list.begin(), list.end(), address,
                             [](int64_t value, const Interval &i) { return value < i.hi; });
  while (bytes > 0) {
    if (it == list.end() || it->lo > address)
      return false;
    std::span<const uint8_t> part = bytesAt(node, address);
    int64_t count = std::min<int64_t>({bytes, int64_t(part.size()), it->hi - address});
    std::memcpy(out, part.data(), count);
    out += count, address += count, bytes -= count;
    it += address == it->hi;
  }
  return true;
}

bool ImageIndex::touchesConstant(int64_t node, int64_t lo, int64_t hi) const {
  const std::vector<Interval> &list = constants[node];
  auto it = std::upper_bound(list.begin(), list.end(), lo,
                             [](int64_t value, const Interval &i) { return value < i.hi; });
  return it != list.end() && it->lo < hi;
}

void ImageIndex::segmentsAt(int64_t node, int64_t pc, std::vector<uint32_t> &out) const {
  out.clear();
  eachAt(segments[node], pc, [&](const Range &range) { out.push_back(range.index); });
  std::sort(out.begin(), out.end());
}

int32_t ImageIndex::layerAt(int64_t node, int64_t pc) const {
  uint32_t narrowest = UINT32_MAX;
  int32_t layer = -1;
  eachAt(pcRanges[node], pc, [&](const Range &range) {
    int32_t other = image.pcRanges[range.index].layer;
    uint32_t width = range.end - range.begin;
    if (width < narrowest)
      narrowest = width, layer = other;
    else if (width == narrowest && layer != other)
      layer = -1;
  });
  return std::max(layer, -1); // whose caller it is does not follow from the address
}

std::pair<int32_t, int32_t> ImageIndex::lifeOf(uint32_t buffer) const {
  const image::Buffer &b = image.buffers[buffer];
  return {b.firstLayer, b.lastLayer < 0 ? INT32_MAX : b.lastLayer};
}

int32_t ImageIndex::bufferOf(int64_t node, int64_t lo, int64_t hi, int32_t layer) const {
  auto holds = [&](uint32_t b) {
    const image::Buffer &buffer = image.buffers[b];
    return buffer.address <= lo && hi <= int64_t(buffer.address) + buffer.bytes &&
           image.nodeSets[buffer.nodeSet].contains(node);
  };
  layer = std::max(layer, 0);
  if (size_t(layer) < aliveIn.size()) {
    // Where a check of the layouts passed, buffers alive together are apart: the last that begins
    // at or before lo is the one.
    const std::vector<uint32_t> &list = aliveIn[layer];
    auto it = std::upper_bound(list.begin(), list.end(), lo, [&](int64_t value, uint32_t b) {
      return value < image.buffers[b].address;
    });
    if (it != list.begin() && holds(*--it))
      return int32_t(*it);
  }
  int32_t best = noBuffer;
  int64_t bestDistance = INT64_MAX;
  for (uint32_t b = 0; b < image.buffers.size(); ++b) {
    if (!holds(b))
      continue;
    auto [first, last] = lifeOf(b);
    int64_t before = int64_t(first) - layer, after = int64_t(layer) - last;
    int64_t distance = std::max<int64_t>({before, after, 0});
    if (distance < bestDistance)
      bestDistance = distance, best = int32_t(b);
  }
  return best;
}

std::string ImageIndex::nodeName(int64_t node) const {
  Position p = image.target.position(node);
  return "node " + std::to_string(node) + " (row " + std::to_string(p.row) + ", column " +
         std::to_string(p.column) + ")";
}

std::string ImageIndex::layerName(int32_t layer) const {
  if (layer < 0 || size_t(layer) >= image.layers.size())
    return "no layer";
  std::string text = "layer " + std::to_string(layer);
  const image::Layer &l = image.layers[layer];
  if (l.onnxNames.empty())
    return l.op.empty() ? text : text + " (" + l.op + ")";
  constexpr size_t most = 3;
  text += " (";
  for (size_t i = 0; i < l.onnxNames.size() && i < most; ++i)
    text += (i ? ", " : "") + l.onnxNames[i];
  return text + (l.onnxNames.size() > most ? ", ...)" : ")");
}

std::string ImageIndex::bufferName(int32_t buffer) const {
  return buffer == noBuffer ? "no buffer" : "buffer \"" + image.buffers[buffer].name + "\"";
}

std::string ImageIndex::bytesName(int64_t lo, int64_t hi) {
  return "bytes [" + std::to_string(lo) + ", " + std::to_string(hi) + ")";
}

std::string ImageIndex::hex(uint64_t value) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  do
    text.insert(text.begin(), digits[value % 16]);
  while (value /= 16);
  return "0x" + text;
}

} // namespace dojo::verify
