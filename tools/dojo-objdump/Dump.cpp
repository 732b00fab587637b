// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Dump.h"

#include "runtime/image/Format.h"

#include <algorithm>
#include <cstdio>
#include <ostream>

namespace dojo::objdump {
namespace {

template <typename... Args> void put(std::ostream &os, const char *format, Args... args) {
  char line[256];
  snprintf(line, sizeof(line), format, args...);
  os << line;
}

std::string layerText(int32_t first, int32_t last) {
  if (first < 0 && last < 0)
    return "always";
  if (first == last)
    return std::to_string(first);
  return (first < 0 ? "start" : std::to_string(first)) + ".." +
         (last < 0 ? "end" : std::to_string(last));
}

} // namespace

void dumpSections(std::span<const uint8_t> file, const image::Image &image, std::ostream &os) {
  std::vector<image::SectionRef> sections;
  std::string error;
  if (!image::listSections(file, sections, error)) {
    os << error << "\n";
    return;
  }
  os << "sections\n";
  for (const image::SectionRef &section : sections)
    put(os, "  %-18s offset %10llu bytes %10llu\n", section.name.c_str(),
        static_cast<unsigned long long>(section.offset),
        static_cast<unsigned long long>(section.bytes));
  const Target &target = image.target;
  os << "target " << target.name << ", " << target.partitionRows << "x" << target.partitionColumns
     << " positions, " << target.usableNodes().size() << " usable nodes, hash " << target.hash()
     << "\n";
  os << "producer " << image.producer << "\n";
  os << image.blobs.size() << " blobs in " << image.loads.size() << " loads, "
     << image.nodeSets.size() << " node sets, " << image.layers.size() << " layers, "
     << image.segments.size() << " segments, " << image.routes.size() << " routes\n";
  os << "worst node: " << image.sramPeak << " bytes of SRAM (lower bound " << image.sramLowerBound
     << "), code " << image.codeBytes << ", tables " << image.tableBytes << "\n";
}

void dumpManifest(std::span<const uint8_t> file, std::ostream &os) {
  std::vector<image::SectionRef> sections;
  std::string error;
  if (!image::listSections(file, sections, error))
    return;
  for (const image::SectionRef &section : sections) {
    if (section.name != image::manifestSection)
      continue;
    auto text = file.subspan(section.offset, section.bytes);
    image::Json json = image::Json::parse(text.begin(), text.end(), nullptr, false);
    os << json.dump(2, ' ', false, image::Json::error_handler_t::replace) << "\n";
  }
}

void dumpMap(const image::Image &image, int64_t node, std::ostream &os) {
  struct Entry {
    uint64_t begin, end;
    std::string kind, layers, name;
  };
  std::vector<Entry> entries;
  for (const image::Buffer &b : image.buffers)
    if (image.nodeSets[b.nodeSet].contains(node) && b.bytes)
      entries.push_back({b.address, uint64_t(b.address) + b.bytes, b.kind,
                         layerText(b.firstLayer, b.lastLayer), b.name});
  size_t numBuffers = entries.size();
  for (const image::Load &load : image.loads) {
    const image::Blob &blob = image.blobs[load.blob];
    uint64_t begin = load.address, end = begin + blob.bytes;
    // The part of the load that buffers describe, in address order.
    if (!image.nodeSets[load.nodeSet].contains(node))
      continue;
    std::vector<std::pair<uint64_t, uint64_t>> described;
    for (size_t i = 0; i < numBuffers; ++i)
      if (entries[i].begin < end && begin < entries[i].end)
        described.emplace_back(entries[i].begin, entries[i].end);
    std::sort(described.begin(), described.end());
    auto add = [&](uint64_t from, uint64_t to) {
      entries.push_back(
          {from, to, blob.code ? "code" : "data", "always", "blob " + std::to_string(load.blob)});
    };
    for (auto [from, to] : described) {
      if (from > begin)
        add(begin, from);
      begin = std::max(begin, to);
    }
    if (begin < end)
      add(begin, end);
  }
  std::sort(entries.begin(), entries.end(), [](const Entry &a, const Entry &b) {
    return std::tie(a.begin, a.end, a.kind, a.name) < std::tie(b.begin, b.end, b.kind, b.name);
  });

  Position p = image.target.position(node);
  os << "node " << node << " (row " << p.row << ", column " << p.column << ")\n";
  os << "  address        end      bytes  kind      layers    name\n";
  uint64_t top = 0, used = 0;
  for (const Entry &e : entries) {
    if (e.begin > top)
      put(os, "  %7llu .. %7llu  %9llu  (free)\n", static_cast<unsigned long long>(top),
          static_cast<unsigned long long>(e.begin), static_cast<unsigned long long>(e.begin - top));
    put(os, "  %7llu .. %7llu  %9llu  %-8s  %-8s  ", static_cast<unsigned long long>(e.begin),
        static_cast<unsigned long long>(e.end), static_cast<unsigned long long>(e.end - e.begin),
        e.kind.c_str(), e.layers.c_str());
    os << e.name << "\n";
    used += e.end > top ? e.end - std::max(top, e.begin) : 0;
    top = std::max(top, e.end);
  }
  os << "  " << used << " of " << image.target.sramBytes << " bytes used\n";
}

} // namespace dojo::objdump
