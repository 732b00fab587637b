// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An image written by hand in the form compiled ones have, of any size: layers of copies around a
// ring of all nodes, with multicast, padding, two compute threads, reuse of bytes across barriers.
//
// Layer l on each node: kernel reads its patch P(l) (832 bytes) and writes T(l) (256 bytes, half by
// each thread). P(l + 1) is made of the node's own T(l), that of the node before it in the ring,
// that of the first node of its row, and 64 bytes of padding that a prologue fills.
#ifndef DOJO_TEST_UNIT_VERIFY_RINGIMAGE_H
#define DOJO_TEST_UNIT_VERIFY_RINGIMAGE_H

#include "dojo/ISA/Descriptor.h"
#include "dojo/Image/Builder.h"

#include <map>
#include <string>
#include <vector>

namespace dojo::verify {

struct RingOptions {
  int64_t rows = 2, columns = 2;
  int32_t layers = 5;
  int32_t layersPerEpoch = 2;
  /// Kernels branch on a loaded value, so that only what is declared of them is known.
  bool dataDependent = false;
};

/// Addresses and numbers of the image, for tests that change it.
struct RingPlan {
  enum Semaphore : uint8_t { Go, Join, Done, Epoch, Up, Down, FirstArrival = 8 };
  static constexpr uint32_t tensorBytes = 256, patchBytes = 832, padding = 768;
  static constexpr uint32_t code = 0x1000, tables = 0x20000, lists = 0x28000, data = 0x40000;

  RingOptions options;
  std::vector<int64_t> nodes;
  std::vector<uint32_t> tensor, patch; ///< addresses, by layer
  /// Addresses in main.0 of the instructions of a layer.
  struct Text {
    uint32_t waitArrivals, go, join, done, epoch;
  };
  std::vector<Text> text;
  std::map<int64_t, std::vector<isa::Descriptor>> list; ///< by node
  uint32_t kernel[2][2] = {};                           ///< [shape][thread]
  uint32_t epochOf(int32_t layer) const { return layer / options.layersPerEpoch; }
  bool barrierAfter(int32_t layer) const {
    return layer + 1 < options.layers && epochOf(layer) != epochOf(layer + 1);
  }
};

image::Image ringImage(const RingOptions &options, RingPlan &plan);

/// One line of assembly, at an address, encoded.
std::vector<uint8_t> assemble(const std::string &line, uint32_t pc);

/// An image whose bytes may be changed.
struct Editable {
  image::Image image;
  std::vector<uint8_t> code, data;

  explicit Editable(const image::Image &original);
  Editable(const Editable &) = delete;
  /// The placed bytes at an address of a node; shared with nodes that hold the same blob.
  uint8_t *at(int64_t node, uint32_t address);
  isa::Descriptor descriptor(int64_t node, uint32_t address);
  void put(int64_t node, uint32_t address, const isa::Descriptor &d);
  void put(int64_t node, uint32_t address, const std::string &line);
  void put32(int64_t node, uint32_t address, uint32_t value);
};

} // namespace dojo::verify

#endif
