// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Symbols.h"

#include "NodeList.h"

#include "dojo/ISA/ISA.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>

namespace dojo::run {

using image::Image;
using image::PcRange;

namespace {

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

const PcRange *rangeAt(const Image &image, uint32_t node, uint32_t pc) {
  for (const PcRange &r : image.pcRanges)
    if (pc >= r.begin && pc < r.end && image.nodeSets[r.nodeSet].contains(node))
      return &r;
  return nullptr;
}

bool isOfLayer(const Image &image, const PcRange &range, const std::string &name) {
  if (range.layer < 0 || size_t(range.layer) >= image.layers.size())
    return false;
  const image::Layer &layer = image.layers[range.layer];
  return name == "layer " + std::to_string(range.layer) || (!name.empty() && name == layer.name) ||
         std::find(layer.onnxNames.begin(), layer.onnxNames.end(), name) != layer.onnxNames.end();
}

// Where the ranges begin that `wanted` names, with their nodes.
template <typename F> std::map<uint32_t, image::NodeSet> beginnings(const Image &image, F wanted) {
  std::map<uint32_t, image::NodeSet> places;
  for (const PcRange &r : image.pcRanges) {
    if (!wanted(r))
      continue;
    image::NodeSet &set = places[r.begin];
    const image::NodeSet &more = image.nodeSets[r.nodeSet];
    set.bits.resize(more.bits.size());
    for (size_t i = 0; i < more.bits.size(); ++i)
      set.bits[i] |= more.bits[i];
  }
  return places;
}

std::map<uint32_t, image::NodeSet> findName(const Image &image, const std::string &name) {
  auto places =
      beginnings(image, [&](const PcRange &r) { return image.symbols[r.symbol] == name; });
  if (places.empty())
    places = beginnings(image, [&](const PcRange &r) { return isOfLayer(image, r, name); });
  return places;
}

std::map<uint32_t, image::NodeSet> findAddress(const Image &image, uint64_t pc) {
  std::map<uint32_t, image::NodeSet> places;
  for (int64_t node : image.target.usableNodes()) {
    uint32_t begin, end;
    if (pc <= UINT32_MAX && codeAround(image, uint32_t(node), uint32_t(pc), begin, end)) {
      image::NodeSet &set = places[uint32_t(pc)];
      if (set.bits.empty())
        set = image::emptyNodeSet(image.target);
      set.insert(node);
    }
  }
  return places;
}

// Whether the code around `pc`, read from its beginning, has an instruction that begins there.
bool instructionBegins(const Image &image, uint32_t node, uint32_t pc) {
  uint32_t at = 0, end = 0;
  if (!codeAround(image, node, pc, at, end))
    return false;
  for (const image::Load &load : image.loads) {
    const image::Blob &blob = image.blobs[load.blob];
    if (!blob.code || at < load.address || at - load.address >= blob.bytes ||
        !image.nodeSets[load.nodeSet].contains(node))
      continue;
    std::span<const uint8_t> bytes = image.content(blob).subspan(at - load.address);
    isa::Inst inst;
    while (at < pc && !bytes.empty()) {
      size_t size = isa::decode(bytes.data(), bytes.size(), inst) ? inst.bytes : 4;
      bytes = bytes.subspan(std::min(size, bytes.size()));
      at += uint32_t(size);
    }
    return at == pc;
  }
  return false;
}

} // namespace

bool parseNumber(const std::string &text, uint64_t &out) {
  bool isHex = text.starts_with("0x");
  const char *begin = text.data() + (isHex ? 2 : 0), *end = text.data() + text.size();
  auto [at, code] = std::from_chars(begin, end, out, isHex ? 16 : 10);
  return code == std::errc() && at == end;
}

bool findPlaces(const Image &image, const std::string &text, std::vector<emu::Breakpoint> &out,
                std::string &error) {
  out.clear();
  std::string what = text;
  std::vector<uint32_t> nodes;
  size_t at = text.find('@');
  if (at != text.npos && at > 0 && text.find_first_not_of("0123456789,-:") == at) {
    if (!parseNodeList(text.substr(0, at), image.target, nodes, error))
      return false;
    what = text.substr(at + 1);
  }
  uint64_t number = 0;
  std::map<uint32_t, image::NodeSet> places;
  if (parseNumber(what, number)) {
    places = findAddress(image, number);
    if (places.empty()) {
      error = "there is no code at address " + what;
      return false;
    }
  } else {
    places = findName(image, what);
    size_t plus = what.rfind('+');
    if (places.empty() && plus != what.npos && parseNumber(what.substr(plus + 1), number))
      for (auto &[begin, set] : findName(image, what.substr(0, plus)))
        places[uint32_t(begin + number)] = set;
    if (places.empty()) {
      error = "there is no symbol, layer or ONNX node '" + what +
              "'; dojo-objdump shows what the image has";
      return false;
    }
  }
  for (const auto &[pc, set] : places) {
    emu::Breakpoint b;
    b.pc = pc;
    for (int64_t node : set.nodes())
      if (nodes.empty() || std::binary_search(nodes.begin(), nodes.end(), uint32_t(node)))
        b.nodes.push_back(uint32_t(node));
    if (b.nodes.empty())
      continue;
    if (!instructionBegins(image, b.nodes.front(), pc)) {
      error = "no instruction begins at " + hex(pc);
      return false;
    }
    out.push_back(std::move(b));
  }
  if (out.empty())
    error = "none of the nodes " + text.substr(0, at) + " has code at '" + what + "'";
  return !out.empty();
}

std::string describePc(const Image &image, uint32_t node, uint32_t pc) {
  const PcRange *range = rangeAt(image, node, pc);
  if (!range)
    return hex(pc);
  std::string text = hex(pc) + " <" + image.symbols[range->symbol];
  return text + (pc == range->begin ? ">" : "+" + hex(pc - range->begin) + ">");
}

std::string describeLayer(const Image &image, int32_t layer) {
  if (layer < 0 || size_t(layer) >= image.layers.size())
    return "no layer";
  const image::Layer &l = image.layers[layer];
  std::string text = "layer " + std::to_string(layer);
  if (!l.op.empty())
    text += ", " + l.op;
  for (const std::string &name : l.onnxNames)
    text += ", ONNX node \"" + name + "\"";
  return text;
}

std::string describeThread(const Image &image, uint32_t node, unsigned thread) {
  Position at = image.target.position(node);
  return "node " + std::to_string(node) + " (row " + std::to_string(at.row) + ", column " +
         std::to_string(at.column) + "), thread " + std::to_string(thread);
}

bool codeAround(const Image &image, uint32_t node, uint32_t pc, uint32_t &begin, uint32_t &end) {
  if (const PcRange *range = rangeAt(image, node, pc)) {
    begin = range->begin;
    end = range->end;
    return true;
  }
  for (const image::Load &load : image.loads) {
    const image::Blob &blob = image.blobs[load.blob];
    if (blob.code && pc >= load.address && pc - load.address < blob.bytes &&
        image.nodeSets[load.nodeSet].contains(node)) {
      begin = load.address;
      end = uint32_t(load.address + blob.bytes);
      return true;
    }
  }
  return false;
}

} // namespace dojo::run
