// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RingImage.h"

#include "dojo/ISA/ISA.h"

#include <cstring>
#include <gtest/gtest.h>

namespace dojo::verify {

using image::Image;
using isa::Descriptor;

std::vector<uint8_t> assemble(const std::string &line, uint32_t pc) {
  isa::Inst inst;
  std::vector<uint8_t> bytes;
  std::string error;
  EXPECT_TRUE(isa::parseInst(line, pc, {}, inst, &error)) << line << ": " << error;
  EXPECT_TRUE(isa::encode(inst, bytes, &error)) << line << ": " << error;
  return bytes;
}

namespace {

class Assembler {
public:
  explicit Assembler(uint32_t base) : base(base) {}
  uint32_t pc() const { return base + uint32_t(bytes.size()); }
  uint32_t operator()(const std::string &line) {
    uint32_t at = pc();
    std::vector<uint8_t> one = assemble(line, at);
    bytes.insert(bytes.end(), one.begin(), one.end());
    return at;
  }
  /// li x1, return address; jr reg
  void call(int reg) {
    (*this)("li x1, " + std::to_string(pc() + 12));
    (*this)("jr x" + std::to_string(reg));
  }
  uint32_t base;
  std::vector<uint8_t> bytes;
};

std::string number(int64_t value) { return std::to_string(value); }

class RingBuilder {
public:
  RingBuilder(const RingOptions &options, RingPlan &plan) : plan(plan) {
    plan.options = options;
    std::string error;
    EXPECT_TRUE(loadTarget("d1", target, error)) << error;
    EXPECT_TRUE(target.withPartition(options.rows, options.columns, target, error)) << error;
    plan.nodes = target.usableNodes();
  }

  Image build() {
    image::Builder builder(target);
    Image &image = builder.image();
    image.producer = "a test";
    uint32_t all = builder.addNodeSet(plan.nodes);
    int32_t layers = plan.options.layers;
    for (int32_t l = 0; l < layers; ++l)
      image.layers.push_back({{"copy" + number(l)}, "Copy", "ring", 0, 10, 1});
    packBuffers(image, all);

    Assembler text(RingPlan::code);
    uint32_t prologue = kernels(text);
    std::array<int32_t, 4> entries = {-1, -1, -1, -1};
    auto range = [&](uint32_t begin, int32_t layer, const char *name) {
      image.pcRanges.push_back({all, begin, text.pc(), layer, builder.addSymbol(name)});
    };
    range(RingPlan::code, -1, "kernels");
    entries[0] = int32_t(text.pc());
    text("li x2, " + number(RingPlan::tables));
    for (int32_t l = 0; l < layers; ++l) {
      uint32_t begin = text.pc();
      layerText0(text, l);
      range(begin, l, "main.0");
    }
    text("halt");
    entries[1] = int32_t(text.pc());
    text("li x2, " + number(RingPlan::tables + 12 * layers));
    for (int32_t l = 0; l < layers; ++l) {
      uint32_t begin = text.pc();
      text("wait s0, 1");
      text("lw x6, (x2)+4");
      kernelArguments(text, l);
      text.call(6);
      text("signal s1");
      range(begin, l, "main.1");
    }
    text("halt");
    entries[2] = int32_t(text.pc());
    text("list " + number(RingPlan::lists));
    text("halt");
    image.entries = {{all, entries}};

    segments(image, all, prologue);
    for (size_t i = 0; i < plan.nodes.size(); ++i) {
      builder.place(plan.nodes[i], RingPlan::code, text.bytes, true);
      builder.place(plan.nodes[i], RingPlan::tables, table(i, prologue), false);
      builder.place(plan.nodes[i], RingPlan::lists, list(i), false);
    }
    ports(builder);
    image.sramPeak = image.sramLowerBound = 1;
    return builder.take();
  }

private:
  /// Lowest address that no buffer of the same epochs uses.
  void packBuffers(Image &image, uint32_t all) {
    struct Placed {
      uint32_t address, bytes;
      int32_t first, last;
    };
    std::vector<Placed> placed;
    auto add = [&](const std::string &name, const char *kind, uint32_t bytes, int32_t first,
                   int32_t last) {
      Placed p{RingPlan::data, bytes, int32_t(plan.epochOf(std::max(first, 0))),
               int32_t(plan.epochOf(last))};
      for (bool moved = true; moved;) {
        moved = false;
        for (const Placed &q : placed)
          if (p.first <= q.last && q.first <= p.last && p.address < q.address + q.bytes &&
              q.address < p.address + p.bytes)
            p.address = q.address + q.bytes, moved = true;
      }
      placed.push_back(p);
      image.buffers.push_back({name, kind, all, p.address, bytes, first, last});
      return p.address;
    };
    int32_t layers = plan.options.layers;
    for (int32_t l = 0; l < layers; ++l) {
      plan.patch.push_back(
          add("P" + number(l), l ? "patch" : "input", RingPlan::patchBytes, l - 1, l));
      plan.tensor.push_back(
          add("T" + number(l), "tensor", RingPlan::tensorBytes, l, l + 1 == layers ? l : l));
    }
    uint32_t tableEnd = uint32_t(16 * layers);
    image.buffers.push_back({"tables", "table", all, RingPlan::tables, tableEnd, -1, -1});
    image.buffers.push_back(
        {"lists", "table", all, RingPlan::lists, RingPlan::data - RingPlan::lists, -1, -1});
  }

  /// Two kernels of two threads each, for even and odd layers, and the prologue.
  uint32_t kernels(Assembler &text) {
    for (int shape = 0; shape < 2; ++shape)
      for (int thread = 0; thread < 2; ++thread) {
        plan.kernel[shape][thread] = text.pc();
        std::string acc = "acc" + number(4 * thread + shape);
        text("li x5, 13");
        text("vmov.x v1, x0");
        if (plan.options.dataDependent) {
          text("lw x9, 0(x10)");
          text("beq x9, x0, " + number(text.pc() + 8));
          text("vmov.x v1, x9");
        }
        uint32_t loop = text("vld v0, (x10)+64, w32, m0");
        text("vfadd v1, v1, v0");
        text("loop x5, " + number(loop));
        text("mm " + acc + ", v0, v1, 1, bf16");
        text("drain v2, " + acc + ", 0");
        text("vst v1, " + number(128 * thread) + "(x11), w32, m0");
        text("vst v2, " + number(128 * thread + 64) + "(x11), w32, m0");
        text("jr x1");
      }
    uint32_t prologue = text.pc();
    text("vmov.x v31, x0");
    text("vst v31, " + number(RingPlan::padding) + "(x10), w32, m0");
    text("jr x1");
    return prologue;
  }

  void kernelArguments(Assembler &text, int32_t l) {
    text("li x10, " + number(plan.patch[l]));
    text("li x11, " + number(plan.tensor[l]));
  }

  void layerText0(Assembler &text, int32_t l) {
    RingPlan::Text at{};
    text("lw x5, (x2)+4");
    text("lw x6, (x2)+4");
    if (l > 0) {
      kernelArguments(text, l);
      text.call(6);
    }
    at.waitArrivals = text("waitx s" + number(RingPlan::FirstArrival + l) + ", x5");
    at.go = text("signal s0");
    text("lw x6, (x2)+4");
    kernelArguments(text, l);
    text.call(6);
    at.join = text("wait s1, 1");
    at.done = text("signal s2");
    if (plan.barrierAfter(l))
      at.epoch = text("wait s3, 1");
    plan.text.push_back(at);
  }

  void segments(Image &image, uint32_t all, uint32_t prologue) {
    for (int32_t l = 0; l < plan.options.layers; ++l) {
      for (uint32_t t = 0; t < 2; ++t) {
        image::Segment s{all, plan.kernel[l % 2][t], 0, l, {}, {}};
        s.end = t == 0 ? plan.kernel[l % 2][1] : l % 2 ? prologue : plan.kernel[1][0];
        s.reads = {{plan.patch[l], 64, {13, 1, 1}, {64, 0, 0}}};
        s.writes = {{plan.tensor[l] + 128 * t, 128, {1, 1, 1}, {0, 0, 0}}};
        image.segments.push_back(s);
      }
      if (l > 0) {
        image::Segment s{all, prologue, prologue + 16, l, {}, {}};
        s.writes = {{plan.patch[l] + RingPlan::padding, 64, {1, 1, 1}, {0, 0, 0}}};
        image.segments.push_back(s);
      }
    }
  }

  std::vector<uint8_t> table(size_t i, uint32_t prologue) const {
    std::vector<uint32_t> words;
    for (int32_t l = 0; l < plan.options.layers; ++l) {
      words.push_back(l ? 3 : 0);
      words.push_back(prologue);
      words.push_back(plan.kernel[l % 2][0]);
    }
    for (int32_t l = 0; l < plan.options.layers; ++l)
      words.push_back(plan.kernel[l % 2][1]);
    std::vector<uint8_t> bytes(words.size() * 4);
    std::memcpy(bytes.data(), words.data(), bytes.size());
    return bytes;
  }

  std::vector<uint8_t> list(size_t i) {
    std::vector<Descriptor> list;
    int64_t node = plan.nodes[i];
    auto wait = [&](uint8_t semaphore, uint16_t amount) {
      Descriptor d;
      d.kind = Descriptor::Kind::Wait;
      d.ownSemaphore = semaphore, d.amount = amount;
      list.push_back(d);
    };
    auto signal = [&](int64_t to, uint8_t semaphore) {
      Descriptor d;
      d.kind = Descriptor::Kind::Signal;
      d.amount = 1;
      if (to == node)
        d.ownSemaphore = semaphore;
      else
        d.hasFarSemaphore = true, d.farSemaphore = semaphore, d.node = uint16_t(to);
      list.push_back(d);
    };
    for (int32_t l = 0; l + 1 < plan.options.layers; ++l) {
      wait(RingPlan::Done, 1);
      transfers(list, i, l);
      if (!plan.barrierAfter(l))
        continue;
      // A binary tree over the nodes in order.
      size_t count = plan.nodes.size();
      std::vector<int64_t> children;
      for (size_t c = 2 * i + 1; c <= 2 * i + 2 && c < count; ++c)
        children.push_back(plan.nodes[c]);
      if (!children.empty())
        wait(RingPlan::Up, uint16_t(children.size()));
      if (i > 0) {
        signal(plan.nodes[(i - 1) / 2], RingPlan::Up);
        wait(RingPlan::Down, 1);
      }
      for (int64_t child : children)
        signal(child, RingPlan::Down);
      signal(node, RingPlan::Epoch);
    }
    wait(RingPlan::Done, 1);
    list.push_back({});
    plan.list[node] = list;
    std::vector<uint8_t> bytes(list.size() * Descriptor::bytes);
    for (size_t k = 0; k < list.size(); ++k)
      list[k].encode(bytes.data() + k * Descriptor::bytes);
    return bytes;
  }

  void transfers(std::vector<Descriptor> &list, size_t i, int32_t l) const {
    int64_t node = plan.nodes[i], next = plan.nodes[(i + 1) % plan.nodes.size()];
    Position p = target.position(node);
    Descriptor d;
    d.hasFarSemaphore = true;
    d.farSemaphore = uint8_t(RingPlan::FirstArrival + l + 1);
    d.localAddress = plan.tensor[l];
    d.runBytes = RingPlan::tensorBytes;
    d.kind = Descriptor::Kind::Copy;
    d.remoteAddress = plan.patch[l + 1];
    list.push_back(d);
    // Four pieces, last first.
    d.kind = Descriptor::Kind::Push;
    d.node = uint16_t(next);
    d.runBytes = 64;
    d.count[0] = 4;
    d.localAddress += 192;
    d.localStride[0] = d.remoteStride[0] = -64;
    d.remoteAddress = plan.patch[l + 1] + 256 + 192;
    list.push_back(d);
    if (!firstOfRow(node))
      return;
    d = Descriptor();
    d.hasFarSemaphore = true;
    d.farSemaphore = uint8_t(RingPlan::FirstArrival + l + 1);
    d.localAddress = plan.tensor[l];
    d.runBytes = RingPlan::tensorBytes;
    d.remoteAddress = plan.patch[l + 1] + 512;
    d.kind = Descriptor::Kind::Push;
    d.node = uint16_t(node); // a push to the own node is a copy
    list.push_back(d);
    if (p.column + 1 == target.partitionColumns)
      return;
    d.node = 0;
    d.multicast = true;
    d.run = Descriptor::Run::Row;
    d.first = uint8_t(p.column + 1);
    d.last = uint8_t(target.partitionColumns - 1);
    list.push_back(d);
  }

  bool firstOfRow(int64_t node) const {
    Position p = target.position(node);
    for (int64_t c = 0; c < p.column; ++c)
      if (target.isUsable(Position{p.row, c}))
        return false;
    return true;
  }

  void ports(image::Builder &builder) {
    Image &image = builder.image();
    int64_t count = int64_t(plan.nodes.size());
    image::TensorRef in{"x", "f32", {count, 208}, {count, 208}, -1, 1, {}, -1, 0};
    image::TensorRef out{"y",
                         "f32",
                         {count, 64},
                         {count, 64},
                         -1,
                         1,
                         {},
                         plan.options.layers - 1,
                         plan.options.layers - 1};
    for (int64_t i = 0; i < count; ++i) {
      uint32_t set = builder.addNodeSet(std::vector<int64_t>{plan.nodes[i]});
      in.boxes.push_back({set, plan.patch[0], {i, 0}, {1, 208}, {832, 4}});
      out.boxes.push_back({set, plan.tensor.back(), {i, 0}, {1, 64}, {256, 4}});
    }
    image.inputs = {in};
    image.outputs = {out};
  }

  RingPlan &plan;
  Target target;
};

} // namespace

Image ringImage(const RingOptions &options, RingPlan &plan) {
  return RingBuilder(options, plan).build();
}

Editable::Editable(const Image &original)
    : image(original), code(original.code.begin(), original.code.end()),
      data(original.data.begin(), original.data.end()) {
  image.code = code;
  image.data = data;
}

uint8_t *Editable::at(int64_t node, uint32_t address) {
  for (const image::Load &load : image.loads) {
    const image::Blob &blob = image.blobs[load.blob];
    if (image.nodeSets[load.nodeSet].contains(node) && load.address <= address &&
        address < load.address + blob.bytes)
      return (blob.code ? code : data).data() + blob.offset + (address - load.address);
  }
  ADD_FAILURE() << "nothing is placed at " << address;
  return nullptr;
}

Descriptor Editable::descriptor(int64_t node, uint32_t address) {
  Descriptor d;
  EXPECT_TRUE(Descriptor::decode(at(node, address), d, nullptr));
  return d;
}

void Editable::put(int64_t node, uint32_t address, const Descriptor &d) {
  d.encode(at(node, address));
}

void Editable::put(int64_t node, uint32_t address, const std::string &line) {
  std::vector<uint8_t> bytes = assemble(line, address);
  std::memcpy(at(node, address), bytes.data(), bytes.size());
}

void Editable::put32(int64_t node, uint32_t address, uint32_t value) {
  std::memcpy(at(node, address), &value, 4);
}

} // namespace dojo::verify
