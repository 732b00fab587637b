// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dojo/Assembler/Assembler.h"

#include "dojo/ISA/ISA.h"
#include "dojo/Image/Description.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <ostream>
#include <set>

namespace dojo::assembler {
namespace {

std::string hex(uint64_t value) {
  char buffer[24];
  snprintf(buffer, sizeof(buffer), "0x%llx", static_cast<unsigned long long>(value));
  return buffer;
}

class Printer {
public:
  Printer(const image::Image &image, const PrintOptions &options, std::ostream &os)
      : image(image), options(options), os(os) {}

  void print() {
    const Target &target = image.target;
    if (options.description)
      for (const std::string &line : image::describe(image))
        os << ".describe " << line << "\n";
    else
      os << ".target " << target.name << " " << target.partitionRows << "x"
         << target.partitionColumns << "\n";
    for (const image::Entry &entry : image.entries) {
      section(entry.nodeSet);
      for (size_t thread = 0; thread < entry.pc.size(); ++thread)
        if (entry.pc[thread] >= 0)
          os << ".org " << hex(entry.pc[thread]) << "\n.thread " << thread << "\n";
    }
    for (const image::Load &load : image.loads) {
      const image::Blob &blob = image.blobs[load.blob];
      if (!blob.code && !options.data)
        continue;
      section(load.nodeSet);
      os << ".org " << hex(load.address) << "\n";
      if (blob.code)
        code(load, image.content(blob));
      else
        data(image.content(blob));
    }
  }

private:
  struct Symbol {
    std::string_view name;
    int32_t layer;
    bool isLabel; // else it stands in a comment: the language cannot spell it, or it is not the
                  // first
  };

  const image::Image &image;
  const PrintOptions &options;
  std::ostream &os;

  void section(uint32_t set) {
    os << "\n.node " << nodeSetText(image.nodeSets[set], image.target) << "\n";
  }

  /// Symbols that begin inside [begin, end) on the nodes of a load, each name once.
  std::map<uint32_t, Symbol> symbols(const image::Load &load, uint32_t end) const {
    std::map<uint32_t, Symbol> byAddress;
    int64_t node = image.nodeSets[load.nodeSet].nodes().front();
    for (const image::PcRange &range : image.pcRanges)
      if (range.begin >= load.address && range.begin < end &&
          image.nodeSets[range.nodeSet].contains(node))
        byAddress.emplace(range.begin, Symbol{image.symbols[range.symbol], range.layer, true});
    std::set<std::string_view> names;
    for (auto &[address, symbol] : byAddress)
      symbol.isLabel = isSpellable(symbol.name) && names.insert(symbol.name).second;
    return byAddress;
  }

  void code(const image::Load &load, std::span<const uint8_t> bytes) {
    std::map<uint32_t, Symbol> names = symbols(load, load.address + uint32_t(bytes.size()));
    for (size_t at = 0; at < bytes.size();) {
      uint32_t pc = load.address + uint32_t(at);
      if (auto it = names.find(pc); it != names.end())
        label(it->second);
      isa::Inst inst;
      size_t length = std::min<size_t>(4, bytes.size() - at);
      std::string text;
      if (isa::decode(bytes.data() + at, bytes.size() - at, inst)) {
        length = inst.bytes;
        text = isa::disassemble(inst, pc);
      } else {
        text = ".byte ";
        for (size_t i = 0; i < length; ++i)
          text += (i ? ", " : "") + std::to_string(bytes[at + i]);
        text += "  # undefined";
      }
      os << "        " << text;
      if (options.bytes) {
        os << std::string(text.size() < 40 ? 40 - text.size() : 1, ' ') << "# " << hex(pc) << ":";
        for (size_t i = 0; i < length; ++i) {
          char buffer[4];
          snprintf(buffer, sizeof(buffer), " %02x", bytes[at + i]);
          os << buffer;
        }
      }
      os << "\n";
      at += length;
    }
  }

  static bool isSpellable(std::string_view name) {
    for (char c : name)
      if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
          c != '_' && c != '$' && c != '.')
        return false;
    return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && name[0] != '.';
  }

  void label(const Symbol &symbol) {
    os << (symbol.isLabel ? "" : "# ") << symbol.name << ":";
    if (symbol.layer >= 0)
      os << "  # layer " << symbol.layer;
    os << "\n";
  }

  void data(std::span<const uint8_t> bytes) {
    size_t at = 0;
    for (; at + 4 <= bytes.size(); at += 4) {
      uint32_t word = bytes[at] | uint32_t(bytes[at + 1]) << 8 | uint32_t(bytes[at + 2]) << 16 |
                      uint32_t(bytes[at + 3]) << 24;
      os << (at % 32 ? ", " : "        .word ") << hex(word);
      if (at % 32 == 28 || at + 8 > bytes.size())
        os << "\n";
    }
    for (; at < bytes.size(); ++at)
      os << "        .byte " << unsigned(bytes[at]) << "\n";
  }
};

} // namespace

std::string nodeSetText(const image::NodeSet &set, const Target &target) {
  std::vector<int64_t> nodes = set.nodes();
  if (target.dead.empty() && nodes == target.usableNodes())
    return "all";
  // Runs of columns, then equal runs of neighbouring rows joined.
  struct Run {
    int64_t row, lastRow, first, last;
  };
  std::vector<Run> runs;
  for (int64_t node : nodes) {
    Position p = target.position(node);
    if (!runs.empty() && runs.back().row == p.row && runs.back().last + 1 == p.column)
      ++runs.back().last;
    else
      runs.push_back({p.row, p.row, p.column, p.column});
  }
  std::vector<Run> blocks;
  for (const Run &run : runs) {
    auto it = std::find_if(blocks.begin(), blocks.end(), [&](const Run &b) {
      return b.lastRow + 1 == run.row && b.first == run.first && b.last == run.last;
    });
    if (it == blocks.end())
      blocks.push_back(run);
    else
      it->lastRow = run.row;
  }
  auto range = [](int64_t first, int64_t last) {
    return std::to_string(first) + (first == last ? "" : ".." + std::to_string(last));
  };
  std::string text;
  for (const Run &b : blocks)
    text += (text.empty() ? "@" : " @") + range(b.row, b.lastRow) + ":" + range(b.first, b.last);
  return text;
}

void print(const image::Image &image, const PrintOptions &options, std::ostream &os) {
  Printer(image, options, os).print();
}

} // namespace dojo::assembler
