// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Mutant.h"

#include <cstring>

namespace dojo::mutations {

using isa::Descriptor;

Mutant::Mutant(const image::Image &good)
    : image(good), code(good.code.begin(), good.code.end()),
      data(good.data.begin(), good.data.end()) {
  refresh();
  for (const image::Entry &entry : image.entries)
    for (int64_t node : image.nodeSets[entry.nodeSet].nodes())
      usable.push_back(node);
  auto immediate = [&](unsigned thread, isa::Opcode op) -> uint32_t {
    for (const Site &site : text(usable.front(), thread))
      if (site.inst.op == op)
        return uint32_t(site.inst.f[op == isa::Opcode::LI ? 1 : 0]);
    return 0;
  };
  places.arrivals = immediate(0, isa::Opcode::LI);
  places.halves = immediate(1, isa::Opcode::LI);
  places.list = immediate(2, isa::Opcode::LIST);
}

void Mutant::refresh() {
  image.code = code;
  image.data = data;
}

int64_t Mutant::loadAt(int64_t node, uint32_t address) const {
  for (size_t i = 0; i < image.loads.size(); ++i) {
    const image::Load &load = image.loads[i];
    if (load.address <= address && address - load.address < image.blobs[load.blob].bytes &&
        image.nodeSets[load.nodeSet].contains(node))
      return int64_t(i);
  }
  return -1;
}

std::span<const uint8_t> Mutant::bytesOf(uint32_t load) const {
  return image.content(image.blobs[image.loads[load].blob]);
}

uint32_t Mutant::word(int64_t node, uint32_t address) const {
  uint32_t value = 0;
  if (int64_t load = loadAt(node, address); load >= 0) {
    std::span<const uint8_t> bytes =
        bytesOf(uint32_t(load)).subspan(address - image.loads[load].address);
    std::memcpy(&value, bytes.data(), std::min<size_t>(4, bytes.size()));
  }
  return value;
}

std::vector<Descriptor> Mutant::list(int64_t node) const {
  std::vector<Descriptor> list;
  int64_t load = loadAt(node, places.list);
  if (load < 0)
    return list;
  std::span<const uint8_t> bytes =
      bytesOf(uint32_t(load)).subspan(places.list - image.loads[load].address);
  for (Descriptor d; bytes.size() >= Descriptor::bytes; bytes = bytes.subspan(Descriptor::bytes)) {
    if (!Descriptor::decode(bytes.data(), d, nullptr))
      break;
    list.push_back(d);
    if (d.kind == Descriptor::Kind::End)
      break;
  }
  return list;
}

uint32_t Mutant::singleton(int64_t node) {
  image::NodeSet set = image::emptyNodeSet(image.target);
  set.insert(node);
  for (uint32_t i = 0; i < image.nodeSets.size(); ++i)
    if (image.nodeSets[i] == set)
      return i;
  image.nodeSets.push_back(set);
  return uint32_t(image.nodeSets.size() - 1);
}

bool Mutant::write(int64_t node, uint32_t address, std::span<const uint8_t> bytes, bool alone) {
  int64_t found = loadAt(node, address);
  if (found < 0)
    return false;
  image::Load load = image.loads[found];
  std::span<const uint8_t> before = bytesOf(uint32_t(found));
  std::vector<uint8_t> content(before.begin(), before.end());
  size_t offset = address - load.address, end = offset + bytes.size();
  for (uint32_t at = load.address + uint32_t(content.size()); at < load.address + end; ++at)
    for (int64_t other : alone ? std::vector{node} : image.nodeSets[load.nodeSet].nodes())
      if (loadAt(other, at) >= 0)
        return false;
  content.resize(std::max(content.size(), end));
  std::memcpy(content.data() + offset, bytes.data(), bytes.size());

  // The changed content as a blob of its own, for this load or for the node's part of it.
  std::vector<uint8_t> &section = image.blobs[load.blob].code ? code : data;
  image::Blob blob{section.size(), content.size(), image.blobs[load.blob].code};
  section.insert(section.end(), content.begin(), content.end());
  image.blobs.push_back(blob);
  load.blob = uint32_t(image.blobs.size() - 1);
  if (alone && image.nodeSets[load.nodeSet].size() > 1) {
    image::NodeSet rest = image.nodeSets[load.nodeSet];
    rest.bits[node / 64] &= ~(uint64_t(1) << (node % 64));
    image.nodeSets.push_back(rest);
    image.loads[found].nodeSet = uint32_t(image.nodeSets.size() - 1);
    load.nodeSet = singleton(node);
    image.loads.push_back(load);
  } else {
    image.loads[found] = load;
  }
  refresh();
  return true;
}

bool Mutant::setWord(int64_t node, uint32_t address, uint32_t value) {
  uint8_t bytes[4];
  std::memcpy(bytes, &value, 4);
  return write(node, address, bytes, /*alone=*/true);
}

bool Mutant::setList(int64_t node, const std::vector<Descriptor> &list) {
  std::vector<uint8_t> bytes(list.size() * Descriptor::bytes);
  for (size_t i = 0; i < list.size(); ++i)
    list[i].encode(bytes.data() + i * Descriptor::bytes);
  return write(node, places.list, bytes, /*alone=*/true);
}

std::vector<Mutant::Site> Mutant::instructions(int64_t node, uint32_t load) const {
  std::vector<Site> sites;
  std::span<const uint8_t> bytes = bytesOf(load);
  for (size_t at = 0; at < bytes.size();) {
    Site site{node, uint32_t(image.loads[load].address + at), {}};
    if (!isa::decode(bytes.data() + at, bytes.size() - at, site.inst))
      break;
    sites.push_back(site);
    at += site.inst.bytes;
  }
  return sites;
}

std::vector<Mutant::Site> Mutant::text(int64_t node, unsigned thread) const {
  for (const image::Entry &entry : image.entries)
    if (image.nodeSets[entry.nodeSet].contains(node) && entry.pc[thread] >= 0)
      if (int64_t load = loadAt(node, uint32_t(entry.pc[thread])); load >= 0)
        return instructions(node, uint32_t(load));
  return {};
}

std::vector<uint32_t> Mutant::codeOf(int64_t node) const {
  std::vector<uint32_t> loads;
  for (uint32_t i = 0; i < image.loads.size(); ++i)
    if (image.blobs[image.loads[i].blob].code &&
        image.nodeSets[image.loads[i].nodeSet].contains(node))
      loads.push_back(i);
  return loads;
}

bool Mutant::put(const Site &at, const isa::Inst &inst, bool alone) {
  std::vector<uint8_t> bytes;
  std::string error;
  return isa::encode(inst, bytes, &error) && bytes.size() == at.inst.bytes &&
         write(at.node, at.pc, bytes, alone);
}

bool Mutant::reload(image::Image &out, std::string &error) const {
  auto file = std::make_shared<std::vector<uint8_t>>();
  if (!image::serialize(image, *file, error))
    return false;
  if (!image::reseal(*file)) {
    error = "the file has no place for checksums";
    return false;
  }
  return image::parseImage(*file, file, out, error);
}

} // namespace dojo::mutations
