// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Assembler/Assembler.h"
#include "dojo/ISA/Descriptor.h"
#include <gtest/gtest.h>
#include <random>
#include <sstream>

using namespace dojo;
using assembler::Error;

namespace {

image::Image assembleText(const std::string &text) {
  image::Image image;
  std::vector<Error> errors;
  EXPECT_TRUE(assembler::assemble(text, image, errors));
  for (const Error &error : errors)
    ADD_FAILURE() << error.line << ": " << error.message;
  return image;
}

std::string errorsOf(const std::string &text) {
  image::Image image;
  std::vector<Error> errors;
  EXPECT_FALSE(assembler::assemble(text, image, errors)) << text;
  std::string list;
  for (const Error &error : errors)
    list += std::to_string(error.line) + ": " + error.message + "\n";
  return list;
}

/// Bytes of the one load at an address.
std::vector<uint8_t> bytesAt(const image::Image &image, uint32_t address) {
  for (const image::Load &load : image.loads)
    if (load.address == address) {
      auto bytes = image.content(image.blobs[load.blob]);
      return {bytes.begin(), bytes.end()};
    }
  ADD_FAILURE() << "nothing is placed at " << address;
  return {};
}

TEST(Assembler, DataDirectives) {
  image::Image image = assembleText(".org 0x100\n"
                                    ".byte 1, -1, 0xff\n"
                                    ".align 4\n"
                                    ".org 0x200\n"
                                    "here: .half 258, here\n"
                                    ".word -2, here + 4 * 2\n"
                                    ".org 0x300\n"
                                    ".quad -1\n"
                                    ".float 1.5, -0.0\n"
                                    ".bf16 1.0, 1.00390625, 1.01171875, 1e-40\n"
                                    ".zero 3\n");
  EXPECT_EQ(bytesAt(image, 0x100), (std::vector<uint8_t>{1, 0xff, 0xff}));
  EXPECT_EQ(bytesAt(image, 0x200),
            (std::vector<uint8_t>{2, 1, 0, 2, 0xfe, 0xff, 0xff, 0xff, 8, 2, 0, 0}));
  EXPECT_EQ(bytesAt(image, 0x300),
            (std::vector<uint8_t>{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, //
                                  0, 0, 0xc0, 0x3f, 0, 0, 0, 0x80,                //
                                  // 1 + 1/256 is a tie and goes to even, 1 + 3/256 up; 1e-40 is
                                  // denormal
                                  0x80, 0x3f, 0x80, 0x3f, 0x82, 0x3f, 0, 0, //
                                  0, 0, 0}));
}

TEST(Assembler, DescriptorFields) {
  image::Image image = assembleText(
      ".target d1 4x4\n.equ size, 128\n.node @1:2\n"
      ".org 64\n"
      ".descriptor push local=size+4 node=@3:1 die=2 remote=0x400 bytes=size count=3,2 "
      "local_stride=-64,8,4 remote_stride=64 far=s7 own=s255 route=12\n"
      ".descriptor push local_reg=x5 count_reg=x31 bytes=4 column=3:2..0\n"
      ".descriptor push bytes=4 row=3..3 far=s1\n"
      ".descriptor wait own=s9 amount=300\n"
      ".descriptor end\n");
  std::vector<uint8_t> bytes = bytesAt(image, 64);
  ASSERT_EQ(bytes.size(), 5 * isa::Descriptor::bytes);
  std::vector<isa::Descriptor> list(5);
  for (size_t i = 0; i < 5; ++i)
    ASSERT_TRUE(isa::Descriptor::decode(bytes.data() + 64 * i, list[i], nullptr));
  isa::Descriptor push;
  push.kind = isa::Descriptor::Kind::Push;
  push.hasFarSemaphore = push.hasOwnSemaphore = true;
  push.localAddress = 132;
  push.node = 61; // 3 * 20 + 1: numbers are the whole die's
  push.die = 2;
  push.remoteAddress = 0x400;
  push.runBytes = 128;
  push.count[0] = 3, push.count[1] = 2;
  push.localStride[0] = -64, push.localStride[1] = 8, push.localStride[2] = 4;
  push.remoteStride[0] = 64;
  push.farSemaphore = 7, push.ownSemaphore = 255;
  push.route = 12;
  EXPECT_TRUE(list[0] == push);
  EXPECT_TRUE(list[1].multicast && list[1].addressFromRegister && list[1].countFromRegister);
  EXPECT_EQ(list[1].run, isa::Descriptor::Run::Column);
  EXPECT_EQ(list[1].addressRegister, 5);
  EXPECT_EQ(list[1].countRegister, 31);
  EXPECT_EQ(list[1].column, 3);
  EXPECT_EQ(list[1].first, 2);
  EXPECT_EQ(list[1].last, 0);
  EXPECT_EQ(list[2].run, isa::Descriptor::Run::Row);
  EXPECT_EQ(list[2].first, 3);
  EXPECT_EQ(list[3].kind, isa::Descriptor::Kind::Wait);
  EXPECT_EQ(list[3].ownSemaphore, 9);
  EXPECT_EQ(list[3].amount, 300);
  EXPECT_TRUE(list[4] == isa::Descriptor());
}

TEST(Assembler, NodesThreadsLayersAndSymbols) {
  image::Image image = assembleText(".target d1 4x4\n"
                                    ".layer first macs=10\n"
                                    ".node all\n"
                                    ".thread 0\n"
                                    "main: nop\n"
                                    ".layer second macs=5\n"
                                    "      nop\n"
                                    "end:  halt\n"
                                    ".node @0:0..1 @3:3\n"
                                    ".org 0x40\n"
                                    ".thread 2\n"
                                    "comm: halt\n");
  ASSERT_EQ(image.entries.size(), 2u);
  // 15 nodes: position (1,6) is outside, no disabled position is inside 4x4.
  EXPECT_EQ(image.nodeSets[image.entries[0].nodeSet].size() +
                image.nodeSets[image.entries[1].nodeSet].size(),
            16);
  for (const image::Entry &entry : image.entries) {
    bool isSpecial = image.nodeSets[entry.nodeSet].contains(63);
    EXPECT_EQ(entry.pc[0], 0);
    EXPECT_EQ(entry.pc[2], isSpecial ? 0x40 : -1);
  }
  EXPECT_EQ(image.modelMacs, 15u);
  ASSERT_EQ(image.layers.size(), 2u);
  ASSERT_EQ(image.pcRanges.size(), 4u);
  const std::tuple<uint32_t, uint32_t, int32_t, std::string> want[] = {
      {0, 4, 0, "main"}, {4, 8, 1, "main"}, {8, 12, 1, "end"}, {0x40, 0x44, 1, "comm"}};
  for (size_t i = 0; i < 4; ++i) {
    const image::PcRange &range = image.pcRanges[i];
    EXPECT_EQ(std::tuple(range.begin, range.end, range.layer, image.symbols[range.symbol]),
              want[i]);
  }
  EXPECT_EQ(assembler::nodeSetText(image.nodeSets[image.pcRanges[3].nodeSet], image.target),
            "@0:0..1 @3:3");
}

TEST(Assembler, TensorsInParts) {
  image::Image image = assembleText(".target d1 2x2\n"
                                    ".equ at_, 0x100\n"
                                    ".input x f32 4x6 part 0,0 4x3 at @0:0 at_\n"
                                    ".input x f32 4x6 part 0,3 4x3 at @1:1 at_ + 64\n"
                                    ".output y i64 scalar at @0:1 8\n"
                                    "halt\n");
  ASSERT_EQ(image.inputs.size(), 1u);
  const image::TensorRef &x = image.inputs[0];
  ASSERT_EQ(x.boxes.size(), 2u);
  EXPECT_EQ(x.boxes[1].lo, (std::vector<int64_t>{0, 3}));
  EXPECT_EQ(x.boxes[1].strides, (std::vector<int64_t>{12, 4}));
  EXPECT_EQ(x.boxes[1].address, 0x140u);
  EXPECT_TRUE(image.nodeSets[x.boxes[1].nodeSet].contains(21));
  EXPECT_TRUE(image.outputs[0].shape.empty());
}

TEST(Assembler, MistakesAreNamedWithTheirLine) {
  const char *cases[][2] = {
      {".target d2", "1: target d2: cannot read the file"},
      {".target d1 2by2", "1: '2by2' is not ROWSxCOLUMNS"},
      {".target d1 30x2", "1: "},
      {"nop\n.target d1", "2: `.target` must come first"},
      {"fmul v1, v2", "1: unknown instruction 'fmul'"},
      {".frob 1", "1: unknown directive '.frob'"},
      {"add x1, x2", "1: 'add' lacks operand xb"},
      {"j nowhere", "1: operand target: 'nowhere' is not a label or an address"},
      {"a: nop\na: nop", "2: 'a' is already defined"},
      {".equ a, 1\na: nop", "2: 'a' is already defined"},
      {".equ 1a, 1", "1: '1a' is not a name"},
      {".equ a", "1: write `.equ NAME, VALUE`"},
      {".equ a, b", "1: 'b' is not defined"},
      {".equ a, 1 +", "1: a value is missing"},
      {".equ a, 1 2", "1: unexpected '2'"},
      {".equ a, 0x10000000000 * 0x10000000000", "1: a value is out of range"},
      {".equ a, 99999999999999999999999", "1: a number is out of range"},
      {".equ a, @99:0", "1: node @99:0 is not on the die"},
      {".org 1310724", "1: 1310724 is not in 0 to 1310720"},
      {".org 1310720\nnop", "2: 4 bytes at address 1310720 do not fit"},
      {".zero 99999999", "1: 99999999 is not in 1 to 1310720"},
      {".zero 0", "1: 0 is not in 1 to 1310720"},
      {".byte 1\nnop", "2: an instruction at address 1, not a multiple of 4"},
      {".byte 256", "1: 256 does not fit 1 byte"},
      {".half -32769", "1: -32769 does not fit 2 bytes"},
      {".word", "1: a value is missing"},
      {".word 1,", "1: a value is missing"},
      {".float one", "1: 'one' is not a number that fp32 holds"},
      {".node", "1: a node set is missing"},
      {".node @1:6", "1: node @1:6 is not usable on this target"},
      {".target d1 2x2\n.node @0:2", "2: node @0:2 is not usable on this target"},
      {".node 3", "1: '3' is not a position @ROW:COLUMN on the die, or a range"},
      {".node @3..1:0", "1: '@3..1:0' is not a position"},
      {".thread 4", "1: 4 is not in 0 to 3"},
      {".thread 0\n.thread 0\nnop", "2: thread 0 of node 0 already starts elsewhere"},
      {"nop\n.node @0:0\nnop", "3: address 0 of node 0 is already taken by line 1"},
      {".descriptor shove", "1: a descriptor is of kind end, push"},
      {".descriptor push bytes", "1: 'bytes' is not of the form name=value"},
      {".descriptor push bytes=1 bytes=2", "1: 'bytes' is given twice"},
      {".descriptor push weight=1", "1: 'weight' is no field of a descriptor"},
      {".descriptor push count=1,2,3,4", "1: count: one to three numbers"},
      {".descriptor push far=7", "1: far: '7' is not one of s0 to s255"},
      {".descriptor push local_reg=x32", "1: local_reg: 'x32' is not one of x0 to x31"},
      {".descriptor push row=1..2 node=3", "1: a multicast names no node"},
      {".descriptor push row=1..2 column=1:2..3", "1: a multicast goes to a row or to a column"},
      {".descriptor push amount=65536", "1: amount: 65536 does not fit the field"},
      {".input x f32 4", "1: write NAME TYPE SHAPE"},
      {".input x f33 4 at @0:0 0", "1: unknown element type 'f33'"},
      {".input x f32 4by4 at @0:0 0", "1: '4by4' is not a shape"},
      {".input x f32 4x4 part 0 4x4 at @0:0 0", "1: a part of a tensor with 2 dimensions"},
      {".input x f32 4 part 2 3 at @0:0 0", "1: the part lies outside the tensor or is empty"},
      {".input x f32 2000000000x2000000000 at @0:0 0", "1: the part does not fit"},
      {".input x f32 4 at all 0", "1: a part of an input or output lies on one node"},
      {".input x f32 4 at @0:0 1310708", "1: address 1310708 does not leave room for 16 bytes"},
      {".input x f32 4 part 0 2 at @0:0 0\n.input x f32 5 part 2 2 at @0:0 8",
       "2: 'x' has another type or shape in an earlier line"},
      {".input x f32 4 part 0 2 at @0:0 0", "0: tensor \"x\" has an element in no box"},
      {".layer a macs=x", "1: 'x' is not defined"},
      {".layer", "1: write `.layer NAME`"},
  };
  for (auto [text, message] : cases) {
    std::string errors = errorsOf(text);
    EXPECT_EQ(errors.substr(0, std::string(message).size()), message) << text << "\n" << errors;
  }
}

TEST(Assembler, EveryMistakeIsReported) {
  EXPECT_EQ(errorsOf("add x1\nnop\nfrob\n.org -1\n"), "3: unknown instruction 'frob'\n"
                                                      "4: -1 is not in 0 to 1310720\n");
  EXPECT_EQ(errorsOf("add x1\nnop\nj away\n"),
            "1: 'add' lacks operand xa\n"
            "3: operand target: 'away' is not a label or an address\n");
}

TEST(Assembler, BrokenTextNeverCrashes) {
  constexpr uint64_t seed = 20260105;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 rng(seed);
  const std::string source =
      ".target d1 2x2\n.equ a, 4*16+@1:0\n.input x f32 4x4 part 0,0 4x4 at "
      "@0:0 a\n.node @0..1:0 @1:1\n.org 0x80\n.thread 1\nm: vld v1, (x2)+64, "
      "bf16, m1\nloop x1, m\n.align 64\n.descriptor push local=a node=@0:1 "
      "bytes=64 count=2,3 column=1:0..1 far=s3\n.word 1, m+4\n.float 1.5\n";
  for (int i = 0; i < 5000; ++i) {
    std::string text = source;
    for (unsigned edits = 1 + rng() % 4; edits; --edits) {
      size_t at = rng() % text.size();
      switch (rng() % 3) {
      case 0:
        text[at] = char(rng());
        break;
      case 1:
        text.erase(at, 1 + rng() % 8);
        break;
      default:
        text.insert(at, text.substr(rng() % text.size(), rng() % 12));
      }
    }
    image::Image image;
    std::vector<Error> errors;
    if (!assembler::assemble(text, image, errors)) {
      EXPECT_FALSE(errors.empty());
      continue;
    }
    EXPECT_EQ(image::validate(image), "");
  }
}

} // namespace
