// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Results of layers that are written over before the run ends.
#include "DoublingImage.h"
#include "dojo/Runtime/Runtime.h"

#include <cstring>
#include <numeric>

using namespace dojo;

namespace {

constexpr uint32_t inputAt = 4096, resultAt = 8192;

/// Two layers on two nodes, a row of 16 fp32 each: the second writes 4 x over the first's 2 x. The
/// tensors: 2 x, its right half held in a box of its own; 4 x; and 2 x as both nodes hold it in
/// their first element.
image::Image reusingImage() {
  Target target;
  std::string error;
  EXPECT_TRUE(loadTarget("d1", target, error)) << error;
  EXPECT_TRUE(target.withPartition(1, 2, target, error)) << error;
  image::Builder builder(target);
  std::vector<uint8_t> first = assemble({"li x1, 4096", "li x2, 8192", "vld v0, 0(x1), w32, m0",
                                         "vfadd v1, v0, v0", "vst v1, 0(x2), w32, m0"});
  std::vector<uint8_t> second =
      assemble({"nop", "vfadd v1, v1, v1", "vst v1, 0(x2), w32, m0", "halt"});
  auto end = int32_t(first.size());
  std::vector<uint8_t> code = first;
  code.insert(code.end(), second.begin(), second.end());
  for (int64_t node : {0, 1})
    builder.place(node, 0, code, true);
  uint32_t both = builder.addNodeSet(std::vector<int64_t>{0, 1});
  uint32_t left = builder.addNodeSet(std::vector<int64_t>{0});
  uint32_t right = builder.addNodeSet(std::vector<int64_t>{1});

  image::Image &image = builder.image();
  image.producer = "a test";
  image.layers = {{{"twice"}, "Add", "by hand", 0, 30, 1, end, "twice"},
                  {{"again"}, "Add", "by hand", 0, 30, 1, int32_t(code.size()) - 4, "again"}};
  image.entries = {{both, {0, -1, -1, -1}}};
  uint32_t symbol = builder.addSymbol("main");
  image.pcRanges = {{both, 0, uint32_t(end), 0, symbol},
                    {both, uint32_t(end), uint32_t(code.size()), 1, symbol}};
  auto rows = [&](uint32_t address) {
    return std::vector<image::Box>{{left, address, {0, 0}, {1, 16}, {64, 4}},
                                   {right, address, {1, 0}, {1, 16}, {64, 4}}};
  };
  std::vector<image::Box> parts = {{left, resultAt, {0, 0}, {1, 16}, {64, 4}},
                                   {right, resultAt, {1, 0}, {1, 8}, {64, 4}},
                                   {right, resultAt + 32, {1, 8}, {1, 8}, {64, 4}}};
  image.inputs = {{"x", "f32", {2, 16}, {2, 16}, -1, 1, rows(inputAt), -1, 0}};
  image.outputs = {{"y", "f32", {2, 16}, {2, 16}, -1, 1, rows(resultAt), 1, 1}};
  image.tensors = {{"two", "f32", {2, 16}, {2, 16}, -1, 1, parts, 0, 0},
                   {"four", "f32", {2, 16}, {2, 16}, -1, 1, rows(resultAt), 1, 1},
                   {"first", "f32", {1}, {1}, -1, 1, {{both, resultAt, {0}, {1}, {4}}}, 0, 0},
                   {"input", "f32", {2, 16}, {2, 16}, -1, 1, rows(inputAt), -1, 1}};
  image.codeBytes = code.size();
  return builder.take();
}

std::vector<float> ramp(float scale) {
  std::vector<float> values(32);
  std::iota(values.begin(), values.end(), 1.0f);
  for (float &value : values)
    value *= scale;
  return values;
}

std::vector<uint8_t> bytesOf(std::span<const float> values) {
  std::vector<uint8_t> bytes(values.size() * 4);
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

class Capture : public testing::Test {
protected:
  void SetUp() override {
    runtime = Runtime::create(reusingImage(), error);
    ASSERT_TRUE(runtime) << error;
    ASSERT_TRUE(runtime->setInput("x", bytesOf(ramp(1)), error)) << error;
  }
  /// Runs; the output is always 4 x. Returns the cycles.
  uint64_t run(bool timing = true, unsigned threads = 1) {
    emu::RunOptions options;
    options.timing = timing;
    options.threads = threads;
    EXPECT_EQ(runtime->run(options, error), Runtime::Status::Ok) << error;
    std::vector<uint8_t> y;
    EXPECT_TRUE(runtime->getOutput("y", y, error)) << error;
    EXPECT_EQ(y, bytesOf(ramp(4)));
    return runtime->counters().cycles;
  }
  bool ask(std::vector<uint32_t> tensors) { return runtime->captureTensors(tensors, error); }

  std::unique_ptr<Runtime> runtime;
  std::string error;
  std::vector<uint8_t> bytes;
};

} // namespace

TEST_F(Capture, TakesResultsBeforeTheirBytesAreUsedAgain) {
  for (bool timing : {true, false})
    for (unsigned threads : {1u, 2u}) {
      ASSERT_TRUE(ask({0, 1})) << error;
      run(timing, threads);
      ASSERT_TRUE(runtime->getCaptured(0, bytes, error)) << error;
      EXPECT_EQ(bytes, bytesOf(ramp(2)));
      ASSERT_TRUE(runtime->getCaptured(1, bytes, error)) << error;
      EXPECT_EQ(bytes, bytesOf(ramp(4)));
    }
}

TEST_F(Capture, SaysWhichNodeHeldWhat) {
  ASSERT_TRUE(ask({0, 2})) << error;
  run();
  std::vector<float> two = ramp(2);
  auto boxes = runtime->captured(0);
  ASSERT_EQ(boxes.size(), 3u);
  EXPECT_EQ(boxes[2].node, 1);
  EXPECT_EQ(boxes[2].box->lo, (std::vector<int64_t>{1, 8}));
  EXPECT_EQ(boxes[2].bytes, bytesOf(std::span(two).subspan(24, 8)));
  // A box of a set of nodes appears once for each; here they do not even agree.
  auto shared = runtime->captured(2);
  ASSERT_EQ(shared.size(), 2u);
  EXPECT_EQ(shared[0].bytes, bytesOf(std::span(two).subspan(0, 1)));
  EXPECT_EQ(shared[1].bytes, bytesOf(std::span(two).subspan(16, 1)));
  EXPECT_TRUE(runtime->captured(1).empty());
}

TEST_F(Capture, ChangesNothingElse) {
  uint64_t cycles = run();
  emu::Counters before = runtime->counters();
  ASSERT_TRUE(ask({0, 1, 2})) << error;
  EXPECT_EQ(run(), cycles);
  EXPECT_EQ(runtime->counters().instructions, before.instructions);
  EXPECT_EQ(runtime->counters().layers[0].end, before.layers[0].end);
  ASSERT_TRUE(ask({})) << error;
  EXPECT_EQ(run(), cycles);
  EXPECT_FALSE(runtime->getCaptured(0, bytes, error));
  EXPECT_EQ(error, "tensor 0 was not captured");
}

TEST_F(Capture, RefusesWhatNoLayerMakes) {
  EXPECT_FALSE(ask({7}));
  EXPECT_EQ(error, "there is no tensor 7");
  EXPECT_FALSE(ask({3}));
  EXPECT_EQ(error, "tensor \"input\" cannot be captured: it is no result of a layer");
  image::Image image = reusingImage();
  image.layers[1].endPc = -1;
  runtime = Runtime::create(image, error);
  ASSERT_TRUE(runtime) << error;
  EXPECT_FALSE(ask({1}));
  EXPECT_EQ(error,
            "tensor \"four\" cannot be captured: the image does not say where its layer ends");
}

TEST_F(Capture, AFaultLeavesWhatWasCaptured) {
  image::Image image = reusingImage();
  std::vector<uint8_t> code(image.code.begin(), image.code.end());
  size_t end = size_t(image.layers[0].endPc);
  std::fill(code.begin() + end + 4, code.end(), 0); // no instruction behind the first of layer 1
  image.code = code;
  runtime = Runtime::create(image, error);
  ASSERT_TRUE(runtime) << error;
  ASSERT_TRUE(runtime->setInput("x", bytesOf(ramp(1)), error)) << error;
  ASSERT_TRUE(ask({0, 1})) << error;
  EXPECT_EQ(runtime->run({}, error), Runtime::Status::Fault);
  ASSERT_TRUE(runtime->getCaptured(0, bytes, error)) << error;
  EXPECT_EQ(bytes, bytesOf(ramp(2)));
  EXPECT_FALSE(runtime->getCaptured(1, bytes, error));
  EXPECT_EQ(error, "node 0 did not reach the end of layer 1");
}
