// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiled program: what a loader places on the nodes, and what people and checkers want to know
// about it. The file form (docs/image.md) is an ELF64 that readelf accepts.
//
// Conventions: addresses are byte addresses in a node's SRAM; layers are indices into Image::layers
// (-1: none); node sets, blobs and symbols are referred to by index. Everything read from a file
// has been checked: indices are in range, bytes lie inside SRAM, sets hold only usable nodes.
#ifndef DOJO_IMAGE_IMAGE_H
#define DOJO_IMAGE_IMAGE_H

#include "dojo/Target/Target.h"

#include <array>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace dojo::image {

using Json = nlohmann::ordered_json;

/// A set of nodes: bit n % 64 of word n / 64 stands for node number n. Every set of an image has
/// nodeSetWords(target) words.
struct NodeSet {
  std::vector<uint64_t> bits;

  bool contains(int64_t node) const {
    return uint64_t(node) / 64 < bits.size() && (bits[node / 64] >> (node % 64) & 1);
  }
  void insert(int64_t node) { bits[node / 64] |= uint64_t(1) << (node % 64); }
  int64_t size() const;
  std::vector<int64_t> nodes() const; // ascending
  friend auto operator<=>(const NodeSet &, const NodeSet &) = default;
};

size_t nodeSetWords(const Target &target);
NodeSet emptyNodeSet(const Target &target);

/// Content that a loader places: bytes [offset, offset + bytes) of the code or the data section.
struct Blob {
  uint64_t offset = 0, bytes = 0;
  bool code = false;
};

/// Place a blob at an address on every node of a set. On no node do two loads overlap.
struct Load {
  uint32_t blob = 0, address = 0, nodeSet = 0;
};

/// Where the threads of some nodes start; -1: the thread does not. A node is in at most one entry.
struct Entry {
  uint32_t nodeSet = 0;
  std::array<int32_t, 4> pc = {-1, -1, -1, -1};
};

/// Code addresses [begin, end) on some nodes belong to a layer and carry a symbol's name. On no
/// node do two ranges overlap. Code that several layers run belongs to the layer whose code called
/// it.
struct PcRange {
  static constexpr int32_t none = -1, callers = -2; ///< values of `layer`
  uint32_t nodeSet = 0, begin = 0, end = 0;
  int32_t layer = none;
  uint32_t symbol = 0;
};

/// Part of a tensor in SRAM: elements lo .. lo + size - 1, on every node of the set, element i at
/// address + sum over dimensions of (i - lo) * strides. Strides are in bytes.
struct Box {
  uint32_t nodeSet = 0, address = 0;
  std::vector<int64_t> lo, size, strides;
};

/// A tensor that exists in SRAM. `shape` is physical: with blockDim >= 0, dimension blockDim of the
/// logical shape is divided by blockSize (rounded up) and an innermost dimension of blockSize
/// appended. The tensor is whole from the end of layer firstLayer to the end of lastLayer. A
/// layer's result is made in its firstLayer, and each box in the part that its nodes have in that
/// layer.
struct TensorRef {
  std::string name, type;
  std::vector<int64_t> shape, logicalShape;
  int64_t blockDim = -1, blockSize = 1;
  std::vector<Box> boxes;
  int32_t firstLayer = -1, lastLayer = -1;
};

/// Bytes of all elements of a tensor, row-major, in its physical shape.
int64_t tensorBytes(const TensorRef &tensor);

struct Layer {
  std::vector<std::string> onnxNames;
  std::string op, plan;
  uint64_t macs = 0;
  double estimatedCycles = 0;
  double busiestOverMean = 1; // planned work of the busiest node over the mean of those that work
  /// When thread 0 of a node is about to issue the instruction at this address, the node has done
  /// its part of the layer: its boxes of the layer's result are whole, and nothing has yet been
  /// sent from them or written over them. -1: not known.
  int32_t endPc = -1;
  std::string name = {}; // of the layer in the compiler's IR; unique, or empty
};

/// Bytes of SRAM set aside, for maps and messages. kind: tensor, patch, weight, table, code, ...
struct Buffer {
  std::string name, kind;
  uint32_t nodeSet = 0, address = 0, bytes = 0;
  int32_t firstLayer = -1, lastLayer = -1;
};

/// Runs of `bytes` bytes from `address`, repeated count[i] times at distance stride[i]; unused
/// counts are 1.
struct Region {
  uint32_t address = 0, bytes = 0;
  std::array<uint32_t, 3> count = {1, 1, 1};
  std::array<int32_t, 3> stride = {0, 0, 0};
};

/// Code between two control points: addresses [begin, end) on some nodes touch these bytes and no
/// others. On no node do two segments overlap, except that code which several layers share has the
/// same range once for each of them.
struct Segment {
  uint32_t nodeSet = 0, begin = 0, end = 0;
  int32_t layer = -1;
  std::vector<Region> reads, writes;
  /// Bytes that may be loaded too, but have no effect on anything, such as what lies behind the
  /// last element in the last block of eight. Nobody needs to have written them.
  std::vector<Region> ignored = {};
};

/// A path a descriptor's route index names: one step per link. Index 0xFFFF is never in the table.
enum class Step : uint8_t { East, West, South, North }; // column + 1, column - 1, row + 1, row - 1
using Route = std::vector<Step>;

struct Image {
  std::string producer; // name and version of what wrote it
  Target target;
  std::vector<NodeSet> nodeSets;
  std::vector<Blob> blobs;
  std::vector<Load> loads;
  std::vector<Entry> entries;
  std::vector<PcRange> pcRanges;
  std::vector<std::string> symbols;
  std::vector<TensorRef> inputs,
      outputs;                    // inputs, outputs: each element in exactly one box, on one node
  std::vector<TensorRef> tensors; // everything else
  std::vector<Layer> layers;
  std::vector<Buffer> buffers;
  std::vector<Segment> segments;
  std::vector<Route> routes;
  uint64_t modelMacs = 0;
  uint64_t seed = 0;                         // of stochastic rounding
  uint64_t sramPeak = 0, sramLowerBound = 0; // worst node, everything included
  uint64_t codeBytes = 0, tableBytes = 0;    // worst node
  Json certificate;                          // of the routes

  // Contents of the two blob sections; `storage` keeps them alive.
  std::span<const uint8_t> code, data;
  std::shared_ptr<const void> storage;

  /// A blob's content.
  std::span<const uint8_t> content(const Blob &blob) const {
    return (blob.code ? code : data).subspan(blob.offset, blob.bytes);
  }
};

/// Checks everything the conventions above promise. Empty if the image is sound, else what is wrong
/// and where.
std::string validate(const Image &image);

/// Bytes of the file form: the same image gives the same bytes. False with \p error if the image is
/// not sound or too large for the format.
[[nodiscard]] bool serialize(const Image &image, std::vector<uint8_t> &out, std::string &error);

/// Serialises to a temporary file beside \p path and renames it; on failure no file is left.
[[nodiscard]] bool writeImage(const Image &image, const std::string &path, std::string &error);

/// Maps a file and checks all of it, its checksum included.
[[nodiscard]] bool readImage(const std::string &path, Image &out, std::string &error);

/// As readImage, from bytes that `storage` keeps alive.
[[nodiscard]] bool parseImage(std::span<const uint8_t> file, std::shared_ptr<const void> storage,
                              Image &out, std::string &error);

/// Recomputes the checksums of a file's bytes in place, for tools and tests that change images on
/// purpose. False if the bytes have no checksum note.
[[nodiscard]] bool reseal(std::span<uint8_t> file);

} // namespace dojo::image

#endif
