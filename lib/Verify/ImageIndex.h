// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Look-ups in an image by node and address, and names for messages.
#ifndef DOJO_LIB_VERIFY_IMAGEINDEX_H
#define DOJO_LIB_VERIFY_IMAGEINDEX_H

#include "Strided.h"
#include "dojo/Image/Image.h"

#include <span>
#include <string>
#include <vector>

namespace dojo::verify {

/// A load as one node sees it.
struct Placed {
  uint32_t begin, end, blob;
};

class ImageIndex {
public:
  explicit ImageIndex(const image::Image &image);

  const image::Image &image;
  int64_t sram;
  std::vector<int64_t> nodes; ///< usable ones, ascending

  /// Ordered by address, disjoint.
  const std::vector<Placed> &placedOn(int64_t node) const { return placed[node]; }
  /// The load that holds this address, or null.
  const Placed *placedAt(int64_t node, int64_t address) const;
  /// What the loader placed from `address` on, up to the end of that load; empty if nothing.
  std::span<const uint8_t> bytesAt(int64_t node, int64_t address) const;
  /// Of the placed bytes those that keep their value: code, what lies in buffers for weights and
  /// tables, and what lies in no buffer. The rest only clears memory before the first run.
  /// Ordered by address, disjoint.
  const std::vector<Interval> &constantsOn(int64_t node) const { return constants[node]; }
  /// All of [address, address + bytes) constant? Copies it to `out`. May span several loads.
  bool read(int64_t node, int64_t address, int64_t bytes, uint8_t *out) const;
  /// Some byte of [lo, hi) constant?
  bool touchesConstant(int64_t node, int64_t lo, int64_t hi) const;

  /// Segments of the node that hold this pc, as indices into image.segments.
  void segmentsAt(int64_t node, int64_t pc, std::vector<uint32_t> &out) const;
  /// The layer of the narrowest code range of the node that holds this pc; -1 if there is none or
  /// ranges equally narrow disagree.
  int32_t layerAt(int64_t node, int64_t pc) const;

  /// First and last layer of a buffer's life; without layers it lives from start to end.
  std::pair<int32_t, int32_t> lifeOf(uint32_t buffer) const;

  static constexpr int32_t noBuffer = -1;
  /// The declared buffer that holds [lo, hi) on this node: of several, the one alive in `layer`, or
  /// else the one whose life is nearest to it.
  int32_t bufferOf(int64_t node, int64_t lo, int64_t hi, int32_t layer) const;

  std::string nodeName(int64_t node) const;   ///< node 45 (row 2, column 5)
  std::string layerName(int32_t layer) const; ///< layer 7 (conv2, relu2)
  std::string bufferName(int32_t buffer) const;
  static std::string bytesName(int64_t lo, int64_t hi); ///< bytes [100, 164)
  static std::string hex(uint64_t value);

private:
  struct Range {
    uint32_t begin, end, furthestEnd, index;
  };
  using Ranges = std::vector<std::vector<Range>>; // per node
  template <typename T> Ranges rangesOf(const std::vector<T> &items) const;
  template <typename Fn> static void eachAt(const std::vector<Range> &ranges, int64_t pc, Fn fn);

  void findConstants();

  std::vector<std::vector<Placed>> placed;
  std::vector<std::vector<Interval>> constants;
  Ranges segments, pcRanges;
  std::vector<std::vector<uint32_t>> aliveIn; // per layer: buffers by address
};

} // namespace dojo::verify

#endif
