// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs of a few lines of assembly on a few nodes. Loads and stores of the text are the
// accesses; no segments, and all of SRAM counts as one buffer.
#ifndef DOJO_TEST_UNIT_VERIFY_TINYIMAGE_H
#define DOJO_TEST_UNIT_VERIFY_TINYIMAGE_H

#include "dojo/ISA/Descriptor.h"
#include "dojo/ISA/ISA.h"
#include "dojo/Image/Builder.h"
#include "dojo/Verify/Verify.h"

#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

namespace dojo::verify {

class TinyImage {
public:
  /// Nodes 0 to 3 in a row.
  TinyImage() : target(onRow()), builder(target) {}

  /// Text of a thread; lines end with ';' or a line end, "name:" is a label.
  void thread(int64_t node, int number, const std::string &text) {
    uint32_t base = 0x1000 + 0x1000 * number;
    std::map<std::string, int64_t> labels;
    std::vector<uint8_t> code;
    for (int pass = 0; pass < 2; ++pass) {
      code.clear();
      std::string line;
      for (char c : text + ";") {
        if (c != ';' && c != '\n') {
          line += c;
          continue;
        }
        line.erase(0, line.find_first_not_of(' '));
        if (!line.empty() && line.back() == ':')
          labels[line.substr(0, line.size() - 1)] = base + int64_t(code.size());
        else if (!line.empty())
          assemble(line, base + uint32_t(code.size()), labels, code);
        line.clear();
      }
    }
    builder.place(node, base, code, true);
    auto it = entries.try_emplace(node, std::array<int32_t, 4>{-1, -1, -1, -1}).first;
    it->second[number] = int32_t(base);
  }

  void data(int64_t node, uint32_t address, const std::vector<uint32_t> &words) {
    std::vector<uint8_t> bytes(4 * words.size());
    std::memcpy(bytes.data(), words.data(), bytes.size());
    builder.place(node, address, bytes, false);
  }

  void list(int64_t node, uint32_t address, std::vector<isa::Descriptor> list) {
    list.push_back({});
    std::vector<uint8_t> bytes(64 * list.size());
    for (size_t i = 0; i < list.size(); ++i)
      list[i].encode(bytes.data() + 64 * i);
    builder.place(node, address, bytes, false);
  }

  image::Image take() {
    for (const auto &[node, pcs] : entries)
      builder.image().entries.push_back({builder.addNodeSet(std::vector<int64_t>{node}), pcs});
    return builder.take();
  }
  Report verify() {
    image::Image image = take();
    EXPECT_EQ(image::validate(image), "");
    Report report;
    verifyImage(image, report);
    return report;
  }

  image::Builder &images() { return builder; }

private:
  static Target onRow() {
    Target target;
    std::string error;
    EXPECT_TRUE(loadTarget("d1", target, error)) << error;
    EXPECT_TRUE(target.withPartition(1, 4, target, error)) << error;
    return target;
  }
  static void assemble(const std::string &line, uint32_t pc,
                       const std::map<std::string, int64_t> &labels, std::vector<uint8_t> &code) {
    isa::Inst inst;
    std::string error;
    auto resolve = [&](std::string_view name) -> std::optional<int64_t> {
      auto it = labels.find(std::string(name));
      return it == labels.end() ? pc : it->second; // the first pass only takes the size
    };
    EXPECT_TRUE(isa::parseInst(line, pc, resolve, inst, &error)) << line << ": " << error;
    EXPECT_TRUE(isa::encode(inst, code, &error)) << line << ": " << error;
  }

  Target target;
  image::Builder builder;
  std::map<int64_t, std::array<int32_t, 4>> entries;
};

inline isa::Descriptor transfer(isa::Descriptor::Kind kind, uint16_t node, uint32_t local,
                                uint32_t remote, uint32_t bytes) {
  isa::Descriptor d;
  d.kind = kind;
  d.node = node, d.localAddress = local, d.remoteAddress = remote, d.runBytes = bytes;
  return d;
}
inline isa::Descriptor push(uint16_t node, uint32_t local, uint32_t remote, uint32_t bytes) {
  return transfer(isa::Descriptor::Kind::Push, node, local, remote, bytes);
}
inline isa::Descriptor announcing(isa::Descriptor d, uint8_t far) {
  d.hasFarSemaphore = true, d.farSemaphore = far;
  return d;
}
inline isa::Descriptor freeing(isa::Descriptor d, uint8_t own) {
  d.hasOwnSemaphore = true, d.ownSemaphore = own;
  return d;
}
inline isa::Descriptor waiting(uint8_t semaphore, uint16_t amount) {
  isa::Descriptor d;
  d.kind = isa::Descriptor::Kind::Wait;
  d.ownSemaphore = semaphore, d.amount = amount;
  return d;
}

} // namespace dojo::verify

#endif
