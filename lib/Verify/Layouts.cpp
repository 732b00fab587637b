// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Boxes against their tensors, boxes and buffers against each other.

#include "Checks.h"
#include "Strided.h"
#include "dojo/Image/ElementType.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace dojo::verify {
namespace {

using image::Box;
using image::TensorRef;

/// Compressed coordinates of one tensor's boxes; more are not counted.
constexpr int64_t maxCells = 1 << 24;

class LayoutChecker {
public:
  LayoutChecker(const ImageIndex &index, Report &report)
      : index(index), image(index.image), report(report), scratch(index.sram),
        livesOn(image.target.positions()) {}

  void run() {
    for (const TensorRef &t : image.inputs)
      tensor(t, "input", Alone);
    for (const TensorRef &t : image.outputs)
      tensor(t, "output", Alone);
    for (const TensorRef &t : image.tensors)
      tensor(t, "tensor", Shared);
    for (int64_t node : index.nodes)
      tensorsApart(node);
    buffersApart();
    sizes();
  }

private:
  enum Copies { Alone, Shared };
  /// Bytes of one box on one node.
  struct Live {
    int64_t lo, hi;
    size_t serial; ///< in the order of the image
    const TensorRef *tensor;
    const Box *box;
  };

  void error(const std::string &text) { report.add(Check::Layouts, Verdict::Error, text); }

  void tensor(const TensorRef &t, const char *kind, Copies copies) {
    std::string name = std::string(kind) + " \"" + t.name + "\"";
    cover(t, name, copies);
    int64_t bytes = image::findElementType(t.type)->bytes;
    for (size_t i = 0; i < t.boxes.size(); ++i) {
      const Box &box = t.boxes[i];
      if (!injective(box, bytes))
        error(name + " box " + std::to_string(i) + " puts two elements into the same bytes");
      int64_t hi = endOf(box, bytes);
      for (int64_t node : image.nodeSets[box.nodeSet].nodes()) {
        livesOn[node].push_back({box.address, hi, serial++, &t, &box});
        if (!image.buffers.empty() && !housed(t, node, box.address, hi))
          error(name + " box " + std::to_string(i) + ": its " +
                ImageIndex::bytesName(box.address, hi) + " on " + index.nodeName(node) +
                " lie in no buffer that lives as long as the tensor");
      }
    }
  }

  bool housed(const TensorRef &t, int64_t node, int64_t lo, int64_t hi) const {
    int32_t buffer = index.bufferOf(node, lo, hi, t.lastLayer);
    if (buffer == ImageIndex::noBuffer)
      return false;
    auto [first, last] = index.lifeOf(buffer);
    return first <= std::max(t.firstLayer, 0) && t.lastLayer <= last;
  }

  /// Every element in a box; where alone, in one.
  void cover(const TensorRef &t, const std::string &name, Copies copies) {
    size_t rank = t.shape.size();
    for (int64_t extent : t.shape)
      if (extent == 0)
        return;
    // Cut each dimension where a box begins or ends; then each cell is in a box or out of it.
    std::vector<std::vector<int64_t>> cuts(rank);
    int64_t cells = 1;
    for (size_t d = 0; d < rank; ++d) {
      cuts[d] = {0, t.shape[d]};
      for (const Box &box : t.boxes) {
        cuts[d].push_back(box.lo[d]);
        cuts[d].push_back(box.lo[d] + box.size[d]);
      }
      std::sort(cuts[d].begin(), cuts[d].end());
      cuts[d].erase(std::unique(cuts[d].begin(), cuts[d].end()), cuts[d].end());
      int64_t parts = int64_t(cuts[d].size()) - 1;
      if (cells > maxCells / parts) {
        report.add(Check::Layouts, Verdict::Undecided, name + " is cut into too many pieces");
        return;
      }
      cells *= parts;
    }
    std::vector<uint8_t> count(cells, 0);
    for (const Box &box : t.boxes)
      if (!mark(box, cuts, 0, 0, count, copies))
        return error(name + " has an element in two boxes");
    auto hole = std::find(count.begin(), count.end(), 0);
    if (hole == count.end())
      return;
    std::string where;
    int64_t rest = hole - count.begin();
    for (size_t d = rank; d-- > 0;) {
      int64_t parts = int64_t(cuts[d].size()) - 1;
      where = std::to_string(cuts[d][rest % parts]) + (where.empty() ? "" : ", ") + where;
      rest /= parts;
    }
    error(name + " has its element [" + where + "] in no box");
  }

  static bool mark(const Box &box, const std::vector<std::vector<int64_t>> &cuts, size_t d,
                   int64_t cell, std::vector<uint8_t> &count, Copies copies) {
    if (d == cuts.size()) {
      if (copies == Alone && count[cell])
        return false;
      count[cell] = 1;
      return true;
    }
    auto first = std::lower_bound(cuts[d].begin(), cuts[d].end(), box.lo[d]);
    auto last = std::lower_bound(first, cuts[d].end(), box.lo[d] + box.size[d]);
    int64_t parts = int64_t(cuts[d].size()) - 1;
    for (int64_t i = first - cuts[d].begin(); i < last - cuts[d].begin(); ++i)
      if (!mark(box, cuts, d + 1, cell * parts + i, count, copies))
        return false;
    return true;
  }

  bool injective(const Box &box, int64_t elementBytes) {
    // Ascending strides each beyond what is inside them: the usual case.
    std::vector<size_t> order(box.size.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return box.strides[a] < box.strides[b]; });
    int64_t span = elementBytes;
    bool nested = true;
    for (size_t d : order) {
      if (box.size[d] == 1)
        continue;
      if (box.strides[d] == 0)
        return false;
      nested &= box.strides[d] >= span;
      span += (box.size[d] - 1) * box.strides[d];
    }
    if (nested)
      return true;
    bool apart =
        eachRun(box, elementBytes, [&](int64_t lo, int64_t hi) { return !scratch.set(lo, hi); });
    scratch.clear(box.address, box.address + span);
    return apart;
  }

  /// Tensors that are whole at the same time share no bytes, but for two names of one result.
  void tensorsApart(int64_t node) {
    std::vector<Live> &list = livesOn[node];
    std::sort(list.begin(), list.end(), [](const Live &a, const Live &b) {
      return std::tie(a.lo, a.serial) < std::tie(b.lo, b.serial);
    });
    for (size_t i = 0; i < list.size(); ++i)
      for (size_t j = i + 1; j < list.size() && list[j].lo < list[i].hi; ++j) {
        const TensorRef &a = *list[i].tensor, &b = *list[j].tensor;
        bool together = std::max(a.firstLayer, b.firstLayer) <= std::min(a.lastLayer, b.lastLayer);
        bool sameResult = &a != &b && a.firstLayer == b.firstLayer && a.firstLayer >= 0;
        bool sameBox = &a == &b && list[i].box->lo == list[j].box->lo &&
                       list[i].box->strides == list[j].box->strides && list[i].lo == list[j].lo;
        if (together && !sameResult && !sameBox && meet(list[i], list[j]))
          error("\"" + a.name + "\" and \"" + b.name + "\" exist at the same time and share " +
                ImageIndex::bytesName(list[j].lo, std::min(list[i].hi, list[j].hi)) + " on " +
                index.nodeName(node));
      }
  }

  bool meet(const Live &a, const Live &b) {
    auto bytes = [](const Live &l) { return image::findElementType(l.tensor->type)->bytes; };
    eachRun(*a.box, bytes(a), [&](int64_t lo, int64_t hi) { return scratch.set(lo, hi), true; });
    bool apart = eachRun(*b.box, bytes(b),
                         [&](int64_t lo, int64_t hi) { return scratch.firstSet(lo, hi) < 0; });
    scratch.clear(a.lo, a.hi);
    return !apart;
  }

  void buffersApart() {
    std::vector<uint32_t> order(image.buffers.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return std::pair(image.buffers[a].address, a) < std::pair(image.buffers[b].address, b);
    });
    for (size_t i = 0; i < order.size(); ++i) {
      const image::Buffer &a = image.buffers[order[i]];
      int64_t end = int64_t(a.address) + a.bytes;
      for (size_t j = i + 1; j < order.size() && image.buffers[order[j]].address < end; ++j) {
        const image::Buffer &b = image.buffers[order[j]];
        auto [firstA, lastA] = index.lifeOf(order[i]);
        auto [firstB, lastB] = index.lifeOf(order[j]);
        if (std::max(firstA, firstB) > std::min(lastA, lastB) || b.bytes == 0)
          continue;
        if (int64_t node = common(a.nodeSet, b.nodeSet); node >= 0)
          error("buffers \"" + a.name + "\" and \"" + b.name +
                "\" live at the same time and share " +
                ImageIndex::bytesName(b.address, std::min<int64_t>(end, b.address + b.bytes)) +
                " on " + index.nodeName(node));
      }
    }
  }

  int64_t common(uint32_t a, uint32_t b) const {
    for (int64_t node : image.nodeSets[a].nodes())
      if (image.nodeSets[b].contains(node))
        return node;
    return -1;
  }

  /// Peak and lower bound are claims.
  void sizes() {
    if (image.sramPeak > uint64_t(index.sram))
      error("the image claims a peak of " + std::to_string(image.sramPeak) +
            " bytes of SRAM, a node has " + std::to_string(index.sram));
    if (image.sramLowerBound > image.sramPeak)
      error("the image claims a lower bound of SRAM above its peak");
  }

  const ImageIndex &index;
  const image::Image &image;
  Report &report;
  Bitmap scratch;
  std::vector<std::vector<Live>> livesOn;
  size_t serial = 0;
};

} // namespace

void checkLayouts(const ImageIndex &index, Report &report) { LayoutChecker(index, report).run(); }

} // namespace dojo::verify
