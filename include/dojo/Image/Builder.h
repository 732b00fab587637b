// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Collects the content of an image: blobs stored once by content, node sets and symbols interned,
// loads of the same blob at the same address merged.
#ifndef DOJO_IMAGE_BUILDER_H
#define DOJO_IMAGE_BUILDER_H

#include "dojo/Image/Image.h"

#include <map>
#include <unordered_map>

namespace dojo::image {

class Builder {
public:
  explicit Builder(Target target);

  /// The image under construction, for the parts that need no interning (inputs, layers, ...).
  Image &image() { return result; }

  /// Index of a blob with these bytes. Equal bytes of the same kind get the same index.
  uint32_t addBlob(std::span<const uint8_t> bytes, bool code);
  /// Index of a node set with these members, in any order. Nodes must be on the die.
  uint32_t addNodeSet(std::span<const int64_t> nodes);
  uint32_t addNodeSet(const NodeSet &set);
  uint32_t addSymbol(const std::string &name);
  /// Places a blob at an address on a set of nodes.
  void addLoad(uint32_t blob, uint32_t address, uint32_t nodeSet);
  /// addBlob and addLoad on one node: loads that share blob and address become one.
  void place(int64_t node, uint32_t address, std::span<const uint8_t> bytes, bool code);

  /// The finished image, its loads ordered by address. The builder is then empty.
  Image take();

private:
  struct Content {
    std::vector<uint8_t> code, data;
  };
  Image result;
  std::shared_ptr<Content> content;
  std::unordered_multimap<uint64_t, uint32_t> blobByHash;
  std::map<NodeSet, uint32_t> setIndex;
  std::map<std::string, uint32_t> symbolIndex;
  std::map<std::pair<uint32_t, uint32_t>, NodeSet> loads; // (address, blob)
};

} // namespace dojo::image

#endif
