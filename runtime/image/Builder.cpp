// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dojo/Image/Builder.h"

#include "Format.h"
#include "dojo/Image/ElementType.h"

#include <algorithm>
#include <bit>

namespace dojo::image {

int64_t NodeSet::size() const {
  int64_t count = 0;
  for (uint64_t word : bits)
    count += std::popcount(word);
  return count;
}

std::vector<int64_t> NodeSet::nodes() const {
  std::vector<int64_t> list;
  for (size_t w = 0; w < bits.size(); ++w)
    for (uint64_t word = bits[w]; word; word &= word - 1)
      list.push_back(int64_t(w) * 64 + std::countr_zero(word));
  return list;
}

int64_t tensorBytes(const TensorRef &tensor) {
  int64_t bytes = findElementType(tensor.type)->bytes;
  for (int64_t extent : tensor.shape)
    bytes *= extent;
  return bytes;
}

size_t nodeSetWords(const Target &target) { return (target.positions() + 63) / 64; }

NodeSet emptyNodeSet(const Target &target) {
  return NodeSet{std::vector<uint64_t>(nodeSetWords(target), 0)};
}

Builder::Builder(Target target) : content(std::make_shared<Content>()) {
  result.target = std::move(target);
}

uint32_t Builder::addBlob(std::span<const uint8_t> bytes, bool code) {
  std::vector<uint8_t> &section = code ? content->code : content->data;
  uint64_t hash = checksum(bytes);
  auto [first, last] = blobByHash.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    const Blob &blob = result.blobs[it->second];
    if (blob.code == code && blob.bytes == bytes.size() &&
        std::equal(bytes.begin(), bytes.end(), section.begin() + blob.offset))
      return it->second;
  }
  section.resize((section.size() + 7) / 8 * 8);
  uint32_t index = uint32_t(result.blobs.size());
  result.blobs.push_back({section.size(), bytes.size(), code});
  section.insert(section.end(), bytes.begin(), bytes.end());
  blobByHash.emplace(hash, index);
  return index;
}

uint32_t Builder::addNodeSet(std::span<const int64_t> nodes) {
  NodeSet set = emptyNodeSet(result.target);
  for (int64_t node : nodes)
    set.insert(node);
  return addNodeSet(set);
}

uint32_t Builder::addNodeSet(const NodeSet &set) {
  auto [it, added] = setIndex.try_emplace(set, uint32_t(result.nodeSets.size()));
  if (added)
    result.nodeSets.push_back(set);
  return it->second;
}

uint32_t Builder::addSymbol(const std::string &name) {
  auto [it, added] = symbolIndex.try_emplace(name, uint32_t(result.symbols.size()));
  if (added)
    result.symbols.push_back(name);
  return it->second;
}

void Builder::addLoad(uint32_t blob, uint32_t address, uint32_t nodeSet) {
  NodeSet &set = loads.try_emplace({address, blob}, emptyNodeSet(result.target)).first->second;
  for (size_t w = 0; w < set.bits.size(); ++w)
    set.bits[w] |= result.nodeSets[nodeSet].bits[w];
}

void Builder::place(int64_t node, uint32_t address, std::span<const uint8_t> bytes, bool code) {
  if (bytes.empty())
    return;
  loads.try_emplace({address, addBlob(bytes, code)}, emptyNodeSet(result.target))
      .first->second.insert(node);
}

Image Builder::take() {
  for (const auto &[key, set] : loads)
    result.loads.push_back({key.second, key.first, addNodeSet(set)});
  result.code = content->code;
  result.data = content->data;
  result.storage = content;
  Image image = std::move(result);
  *this = Builder(image.target);
  return image;
}

} // namespace dojo::image
