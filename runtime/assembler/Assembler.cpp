// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Second pass of the assembler: encodes what the first laid out and builds the image.
#include "dojo/Assembler/Assembler.h"

#include "DescriptorText.h"
#include "Layout.h"
#include "TensorText.h"
#include "dojo/ISA/ISA.h"
#include "dojo/Image/Builder.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <tuple>

namespace dojo::assembler {
namespace {

void append(std::vector<uint8_t> &bytes, uint64_t value, unsigned count) {
  for (unsigned i = 0; i < count; ++i)
    bytes.push_back(uint8_t(value >> (8 * i)));
}

/// Nearest even; denormal results are zero, NaN keeps its sign.
uint16_t toBf16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000)
    return uint16_t(bits >> 16 | 0x40);
  bits += 0x7FFF + (bits >> 16 & 1);
  return uint16_t(bits >> 16 & (bits & 0x7F800000 ? 0xFFFF : 0x8000));
}

class Emitter {
public:
  Emitter(const Layout &layout, std::vector<Error> &errors)
      : layout(layout), errors(errors), builder(layout.target) {}

  image::Image emit() {
    image::Image &image = builder.image();
    image.producer = "dojo-as";
    image.layers = layout.layers;
    for (const image::Layer &layer : image.layers)
      image.modelMacs += layer.macs;
    for (size_t s = 0; s < layout.sections.size(); ++s)
      emitSection(s);
    checkOverlaps();
    emitStarts();
    emitSpaces();
    emitTensors();
    account();
    return builder.take();
  }

  /// The image that `.describe` lines describe, with the bytes and starts of \p plain.
  static bool describe(Layout &layout, const image::Image &plain, image::Image &out,
                       std::string &error) {
    // Loads of a node by address.
    std::map<int64_t, std::map<uint32_t, const image::Load *>> placed;
    uint64_t have = 0, want = 0;
    for (const image::Load &load : plain.loads)
      for (int64_t node : plain.nodeSets[load.nodeSet].nodes()) {
        placed[node][load.address] = &load;
        have += plain.blobs[load.blob].bytes;
      }
    auto content = [&](int64_t node, uint32_t address, std::span<uint8_t> bytes) {
      const auto &loads = placed[node];
      while (!bytes.empty()) {
        auto it = loads.upper_bound(address);
        if (it == loads.begin())
          return false;
        const image::Load &load = *std::prev(it)->second;
        std::span<const uint8_t> from = plain.content(plain.blobs[load.blob]);
        if (address - load.address >= from.size())
          return false;
        from = from.subspan(address - load.address);
        size_t count = std::min(from.size(), bytes.size());
        std::copy_n(from.begin(), count, bytes.begin());
        bytes = bytes.subspan(count);
        address += uint32_t(count);
        want += count;
      }
      return true;
    };
    auto ofLoad = [&](const image::NodeSet &set, uint32_t address, std::span<uint8_t> bytes) {
      std::vector<uint8_t> other(bytes.size());
      bool first = true;
      for (int64_t node : set.nodes()) {
        if (!content(node, address, first ? bytes : std::span(other)) ||
            (!first && !std::equal(other.begin(), other.end(), bytes.begin())))
          return false;
        first = false;
      }
      return true;
    };
    if (!layout.description.build(ofLoad, out, error))
      return false;
    if (have != want)
      error = "the text places other bytes than its description says";
    else if (startsOf(plain) != startsOf(out))
      error = "the text starts other threads than its description says";
    return error.empty();
  }

  static std::map<int64_t, std::array<int32_t, 4>> startsOf(const image::Image &image) {
    std::map<int64_t, std::array<int32_t, 4>> starts;
    for (const image::Entry &entry : image.entries)
      if (entry.nodeSet < image.nodeSets.size())
        for (int64_t node : image.nodeSets[entry.nodeSet].nodes())
          starts[node] = entry.pc;
    return starts;
  }

private:
  const Layout &layout;
  std::vector<Error> &errors;
  image::Builder builder;

  /// Contiguous items of one kind.
  struct Chunk {
    unsigned line;
    size_t section;
    uint32_t begin, end;
    bool code;
  };
  std::vector<Chunk> chunks;

  void fail(unsigned line, std::string message) { errors.push_back({line, std::move(message)}); }

  NameLookup lookup(size_t section) const {
    return [this, section](std::string_view name) { return layout.find(section, name); };
  }

  void emitSection(size_t s) {
    const Section &section = layout.sections[s];
    uint32_t set = builder.addNodeSet(section.nodes);
    for (size_t i = 0; i < section.items.size();) {
      const Item &first = section.items[i];
      std::vector<uint8_t> bytes;
      uint32_t end = first.address;
      for (; i < section.items.size() && section.items[i].address == end &&
             section.items[i].code == first.code;
           ++i) {
        emitItem(s, section.items[i], bytes);
        end += section.items[i].bytes;
      }
      chunks.push_back({first.line, s, first.address, end, first.code});
      // After an error the bytes are short; no image comes of it.
      if (bytes.size() == end - first.address)
        builder.addLoad(builder.addBlob(bytes, first.code), first.address, set);
    }
    nameRanges(section, set);
  }

  /// Code between two labels carries the first one's name, data becomes a named buffer.
  void nameRanges(const Section &section, uint32_t set) {
    image::Image &image = builder.image();
    for (size_t i = 0; i < section.items.size();) {
      const Item &first = section.items[i];
      uint32_t end = first.address;
      for (; i < section.items.size(); ++i) {
        const Item &item = section.items[i];
        if (item.address != end || item.code != first.code || item.layer != first.layer ||
            item.symbol.data() != first.symbol.data())
          break;
        end += item.bytes;
      }
      std::string name(first.symbol.empty() ? "at_" + std::to_string(first.address)
                                            : std::string(first.symbol));
      image.buffers.push_back({name, first.code ? "code" : "table", set, first.address,
                               end - first.address, first.layer, first.layer});
      if (first.code)
        image.pcRanges.push_back({set, first.address, end, first.layer, builder.addSymbol(name)});
    }
  }

  void emitItem(size_t section, const Item &item, std::vector<uint8_t> &bytes) {
    std::string error;
    if (item.code) {
      isa::LabelResolver resolve = [&](std::string_view text) {
        std::string ignored;
        return evaluate(text, layout.target, lookup(section), ignored);
      };
      isa::Inst inst;
      if (!isa::parseInst(item.text, item.address, resolve, inst, &error) ||
          !isa::encode(inst, bytes, &error))
        fail(item.line, error);
    } else if (item.directive == ".descriptor") {
      isa::Descriptor descriptor;
      if (!parseDescriptor(item.text, layout.target, lookup(section), descriptor, error))
        return fail(item.line, error);
      bytes.resize(bytes.size() + isa::Descriptor::bytes);
      descriptor.encode(bytes.data() + bytes.size() - isa::Descriptor::bytes);
    } else if (item.directive == ".zero") {
      bytes.resize(bytes.size() + item.bytes);
    } else {
      for (std::string_view value : split(item.text, ','))
        emitValue(section, item, value, bytes);
    }
  }

  void emitValue(size_t section, const Item &item, std::string_view text,
                 std::vector<uint8_t> &bytes) {
    if (item.directive == ".float" || item.directive == ".bf16") {
      float value = 0;
      auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (status != std::errc() || end != text.data() + text.size())
        return fail(item.line, "'" + std::string(text) + "' is not a number that fp32 holds");
      if (item.directive == ".float")
        return append(bytes, std::bit_cast<uint32_t>(value), 4);
      return append(bytes, toBf16(value), 2);
    }
    unsigned count = item.directive == ".byte"   ? 1
                     : item.directive == ".half" ? 2
                     : item.directive == ".word" ? 4
                                                 : 8;
    std::string error;
    std::optional<int64_t> value = evaluate(text, layout.target, lookup(section), error);
    if (!value)
      return fail(item.line, error);
    if (count < 8) {
      int64_t limit = int64_t(1) << (8 * count);
      if (*value < -limit / 2 || *value >= limit)
        return fail(item.line, std::to_string(*value) + " does not fit " + std::to_string(count) +
                                   (count == 1 ? " byte" : " bytes"));
    }
    append(bytes, uint64_t(*value), count);
  }

  /// On no node may two chunks share a byte.
  void checkOverlaps() {
    std::sort(chunks.begin(), chunks.end(), [](const Chunk &a, const Chunk &b) {
      return std::tie(a.begin, a.line) < std::tie(b.begin, b.line);
    });
    std::vector<const Chunk *> last(layout.target.positions());
    for (const Chunk &chunk : chunks)
      for (int64_t node : layout.sections[chunk.section].nodes) {
        const Chunk *&before = last[node];
        if (before && before->end > chunk.begin) {
          fail(std::max(before->line, chunk.line),
               "address " + std::to_string(chunk.begin) + " of node " + std::to_string(node) +
                   " is already taken by line " +
                   std::to_string(std::min(before->line, chunk.line)));
          break;
        }
        before = &chunk;
      }
  }

  void emitStarts() {
    constexpr std::array<int32_t, 4> none = {-1, -1, -1, -1};
    std::vector<std::array<int32_t, 4>> pcs(layout.target.positions(), none);
    for (const Start &start : layout.starts)
      for (int64_t node : layout.sections[start.section].nodes) {
        int32_t &pc = pcs[node][start.thread];
        if (pc != -1 || start.address % 4) {
          fail(start.line, pc != -1 ? "thread " + std::to_string(start.thread) + " of node " +
                                          std::to_string(node) + " already starts elsewhere"
                                    : "a thread starts at a multiple of 4");
          break;
        }
        pc = int32_t(start.address);
      }
    std::map<std::array<int32_t, 4>, std::vector<int64_t>> groups;
    for (int64_t node = 0; node < layout.target.positions(); ++node)
      if (pcs[node] != none)
        groups[pcs[node]].push_back(node);
    for (const auto &[pc, nodes] : groups)
      builder.image().entries.push_back({builder.addNodeSet(nodes), pc});
  }

  void emitSpaces() {
    for (const Space &space : layout.spaces)
      builder.image().buffers.push_back({std::string(space.symbol), "space",
                                         builder.addNodeSet(layout.sections[space.section].nodes),
                                         space.address, space.bytes, space.layer, space.layer});
  }

  void emitTensors() {
    image::Image &image = builder.image();
    int32_t lastLayer = int32_t(layout.layers.size()) - 1;
    for (const TensorPart &part : layout.tensors) {
      std::string error;
      auto &list = part.isInput ? image.inputs : image.outputs;
      int64_t node = 0;
      if (!addTensorPart(part.text, layout.target, lookup(part.section), list, node, error)) {
        fail(part.line, error);
        continue;
      }
      image::TensorRef &tensor = *std::find_if(
          list.begin(), list.end(), [&](const auto &t) { return t.name == words(part.text)[0]; });
      image::Box &box = tensor.boxes.back();
      box.nodeSet = builder.addNodeSet(std::vector<int64_t>{node});
      tensor.firstLayer = part.isInput ? -1 : lastLayer;
      tensor.lastLayer = part.isInput ? std::min(lastLayer, 0) : lastLayer;
      image.buffers.push_back({tensor.name, part.isInput ? "input" : "output", box.nodeSet,
                               box.address, boxBytes(tensor, box), tensor.firstLayer,
                               tensor.lastLayer});
    }
  }

  /// Totals of the worst node. Nothing was packed: the peak is the bound.
  void account() {
    image::Image &image = builder.image();
    std::vector<std::vector<std::pair<uint32_t, uint32_t>>> used(layout.target.positions());
    std::vector<uint64_t> code(layout.target.positions()), table(layout.target.positions());
    for (const image::Buffer &buffer : image.buffers)
      for (int64_t node : image.nodeSets[buffer.nodeSet].nodes()) {
        used[node].emplace_back(buffer.address, buffer.address + buffer.bytes);
        if (buffer.kind == "code")
          code[node] += buffer.bytes;
        else if (buffer.kind == "table")
          table[node] += buffer.bytes;
      }
    image.codeBytes = *std::max_element(code.begin(), code.end());
    image.tableBytes = *std::max_element(table.begin(), table.end());
    for (auto &ranges : used) {
      std::sort(ranges.begin(), ranges.end());
      uint64_t bytes = 0, end = 0;
      for (auto [first, last] : ranges) {
        bytes += last > end ? last - std::max<uint64_t>(first, end) : 0;
        end = std::max<uint64_t>(end, last);
      }
      image.sramPeak = std::max(image.sramPeak, bytes);
    }
    image.sramLowerBound = image.sramPeak;
  }
};

} // namespace

bool assemble(std::string_view source, image::Image &out, std::vector<Error> &errors) {
  Layout layout;
  layOut(source, layout, errors);
  if (errors.empty()) {
    std::string problem;
    image::Image plain = Emitter(layout, errors).emit();
    if (layout.description.empty())
      out = std::move(plain);
    else if (!layout.tensors.empty() || !layout.layers.empty())
      problem = "`.input`, `.output` and `.layer` do not go with `.describe`";
    else if (errors.empty())
      Emitter::describe(layout, plain, out, problem);
    if (errors.empty() && problem.empty())
      problem = image::validate(out);
    if (!problem.empty())
      errors.push_back({0, problem});
  }
  std::sort(errors.begin(), errors.end(), [](const Error &a, const Error &b) {
    return std::tie(a.line, a.message) < std::tie(b.line, b.message);
  });
  return errors.empty();
}

} // namespace dojo::assembler
