// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dojo/Runtime/Runtime.h"

#include "DoublingImage.h"
#include "dojo-c/dojo.h"

#include <cstdio>
#include <cstring>
#include <numeric>
#include <unistd.h>

using namespace dojo;

namespace {

std::unique_ptr<Runtime> doubling() {
  std::string error;
  std::unique_ptr<Runtime> runtime = Runtime::create(doublingImage(), error);
  EXPECT_TRUE(runtime) << error;
  return runtime;
}

std::vector<uint8_t> bytesOf(const std::vector<float> &values) {
  std::vector<uint8_t> bytes(values.size() * 4);
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::vector<float> ramp() {
  std::vector<float> values(32);
  std::iota(values.begin(), values.end(), 1.0f);
  return values;
}

} // namespace

TEST(Runtime, RunsAndRunsAgain) {
  std::unique_ptr<Runtime> runtime = doubling();
  std::string error;
  std::vector<uint8_t> k = {1, 2, 3, 4, 5, 6, 7, 8}, y, n;
  std::vector<float> x = ramp(), twice = x;
  for (float &v : twice)
    v += v;
  EXPECT_EQ(runtime->run({}, error), Runtime::Status::BadInput);
  EXPECT_EQ(error, "input \"x\" was not set");
  ASSERT_TRUE(runtime->setInput("x", bytesOf(x), error)) << error;
  ASSERT_TRUE(runtime->setInput("k", k, error)) << error;

  uint64_t cycles = 0;
  for (unsigned threads : {1, 2, 4}) {
    emu::RunOptions options;
    options.threads = threads;
    ASSERT_EQ(runtime->run(options, error), Runtime::Status::Ok) << error;
    ASSERT_TRUE(runtime->getOutput("y/0", y, error)) << error;
    ASSERT_TRUE(runtime->getOutput("n", n, error)) << error;
    EXPECT_EQ(y, bytesOf(twice));
    EXPECT_EQ(n, k);
    if (cycles) {
      EXPECT_EQ(runtime->counters().cycles, cycles);
    }
    cycles = runtime->counters().cycles;
  }
  EXPECT_GT(cycles, 10u);
  EXPECT_EQ(runtime->counters().instructions, 2 * 8u);
  EXPECT_EQ(runtime->counters().nodesUsed, 2u);
  EXPECT_EQ(runtime->layerCycles(), (std::vector<uint64_t>{cycles}));
  EXPECT_DOUBLE_EQ(runtime->utilization(), 1000.0 / (double(cycles) * 256 * 354));
  EXPECT_DOUBLE_EQ(runtime->busiestOverMean(0), 1);

  emu::RunOptions untimed;
  untimed.timing = false;
  ASSERT_EQ(runtime->run(untimed, error), Runtime::Status::Ok) << error;
  ASSERT_TRUE(runtime->getOutput("y/0", y, error)) << error;
  EXPECT_EQ(y, bytesOf(twice));
  EXPECT_TRUE(runtime->layerCycles().empty());
  EXPECT_EQ(runtime->utilization(), 0);
}

TEST(Runtime, ScatterFollowsStridesAndBoxes) {
  image::Image image = doublingImage();
  // The first row's box in two halves, the second with a gap between them.
  image::Box left = image.inputs[0].boxes[0], right = left;
  left.size[1] = right.size[1] = right.lo[1] = 8;
  right.address = 4096 + 32;
  image.inputs[0].boxes[0] = left;
  image.inputs[0].boxes.push_back(right);
  // A view of node 1's row as 2 x 8 with every other element, as a tensor of the image.
  image::TensorRef even{"even", "f32", {2, 4}, {2, 4}, -1, 1, {}, 0, 0};
  even.boxes = {{image.outputs[0].boxes[1].nodeSet, 8192, {0, 0}, {2, 4}, {32, 8}}};
  image.tensors = {even};
  ASSERT_EQ(image::validate(image), "");
  std::string error;
  std::unique_ptr<Runtime> runtime = Runtime::create(image, error);
  ASSERT_TRUE(runtime) << error;
  ASSERT_TRUE(runtime->setInput("x", bytesOf(ramp()), error)) << error;
  ASSERT_TRUE(runtime->setInput("k", std::vector<uint8_t>(8), error)) << error;
  ASSERT_EQ(runtime->run({}, error), Runtime::Status::Ok) << error;
  std::vector<uint8_t> bytes;
  ASSERT_TRUE(runtime->getOutput("y/0", bytes, error)) << error;
  std::vector<float> twice = ramp();
  for (float &v : twice)
    v += v;
  EXPECT_EQ(bytes, bytesOf(twice));
  // Row 1 holds 17 .. 32, doubled.
  ASSERT_TRUE(runtime->readTensor(runtime->image().tensors[0], bytes, error)) << error;
  EXPECT_EQ(bytes, bytesOf({34, 38, 42, 46, 50, 54, 58, 62}));
}

TEST(Runtime, BadRequestsAreErrors) {
  std::unique_ptr<Runtime> runtime = doubling();
  std::string error;
  std::vector<uint8_t> bytes;
  EXPECT_FALSE(runtime->setInput("z", bytes, error));
  EXPECT_EQ(error, "there is no input \"z\"; the inputs are: x, k");
  EXPECT_FALSE(runtime->setInput("x", bytes, error));
  EXPECT_EQ(error, "input \"x\" has 128 bytes, not 0");
  EXPECT_FALSE(runtime->getOutput("x", bytes, error));
  EXPECT_EQ(error, "there is no output \"x\"; the outputs are: y/0, n");
}

TEST(Runtime, FaultsNameTheOnnxNode) {
  image::Image image = doublingImage();
  std::vector<uint8_t> erased(image.code.size(), 0);
  image.code = erased;
  std::string error;
  std::unique_ptr<Runtime> runtime = Runtime::create(image, error);
  ASSERT_TRUE(runtime) << error;
  ASSERT_TRUE(runtime->setInput("x", bytesOf(ramp()), error));
  ASSERT_TRUE(runtime->setInput("k", std::vector<uint8_t>(8), error));
  EXPECT_EQ(runtime->run({}, error), Runtime::Status::Fault);
  EXPECT_NE(error.find("undefined instruction"), std::string::npos) << error;
  EXPECT_NE(error.find("[layer 0, Add, ONNX node \"twice\"]"), std::string::npos) << error;
}

TEST(Runtime, EndlessLoopsAreStopped) {
  image::Image image = doublingImage();
  image.layers[0].estimatedCycles = 1000;
  std::vector<uint8_t> code = assemble({"nop", "j 0"});
  code.resize(image.code.size());
  image.code = code;
  std::string error;
  std::unique_ptr<Runtime> runtime = Runtime::create(image, error);
  ASSERT_TRUE(runtime) << error;
  ASSERT_TRUE(runtime->setInput("x", bytesOf(ramp()), error));
  ASSERT_TRUE(runtime->setInput("k", std::vector<uint8_t>(8), error));
  EXPECT_EQ(runtime->watchdog(), 20'100'000u);
  emu::RunOptions options;
  options.watchdog = 10000;
  EXPECT_EQ(runtime->run(options, error), Runtime::Status::Fault);
  EXPECT_NE(error.find("watchdog"), std::string::npos) << error;
}

TEST(Runtime, AccessesOutsideTheDeclaredOnesAreFaults) {
  image::Image image = doublingImage();
  image::Segment segment{0, 0, uint32_t(image.codeBytes), 0, {}, {}};
  segment.nodeSet = image.entries[0].nodeSet;
  segment.reads = {{4096, 64, {1, 1, 1}, {0, 0, 0}}, {4096 + 128, 8, {1, 1, 1}, {0, 0, 0}}};
  segment.writes = {{8192, 32, {2, 1, 1}, {32, 0, 0}}, {8192 + 128, 8, {1, 1, 1}, {0, 0, 0}}};
  auto run = [&](const image::Segment &declared, std::string &error) {
    image.segments = {declared};
    std::unique_ptr<Runtime> runtime = Runtime::create(image, error);
    EXPECT_TRUE(runtime) << error;
    EXPECT_TRUE(runtime->setInput("x", bytesOf(ramp()), error));
    EXPECT_TRUE(runtime->setInput("k", std::vector<uint8_t>(8), error));
    return runtime->run({}, error);
  };
  std::string error;
  EXPECT_EQ(run(segment, error), Runtime::Status::Ok) << error;
  segment.writes[0].count[0] = 1;
  EXPECT_EQ(run(segment, error), Runtime::Status::Fault);
}

extern "C" int useFromC(const char *path, const float *x, float *y);

TEST(CApi, RunsAnImageFromC) {
  std::string path = testing::TempDir() + "dojo_capi_" + std::to_string(getpid()) + ".d1", error;
  ASSERT_TRUE(image::writeImage(doublingImage(), path, error)) << error;
  std::vector<float> x = ramp(), y(32);
  EXPECT_EQ(useFromC(path.c_str(), x.data(), y.data()), 0) << dojo_last_error();
  for (size_t i = 0; i < 32; ++i)
    EXPECT_EQ(y[i], 2 * x[i]);

  dojo_runtime *runtime = nullptr;
  ASSERT_EQ(dojo_load(path.c_str(), &runtime), DOJO_OK) << dojo_last_error();
  dojo_tensor_info info;
  EXPECT_EQ(dojo_input_info(runtime, 2, &info), DOJO_BAD_ARGUMENT);
  EXPECT_STREQ(dojo_last_error(), "there is no tensor with this index");
  EXPECT_EQ(dojo_set_input(runtime, "x", x.data(), 4), DOJO_BAD_IMAGE);
  EXPECT_STREQ(dojo_last_error(), "input \"x\" has 128 bytes, not 4");
  EXPECT_EQ(dojo_run(runtime, nullptr), DOJO_BAD_IMAGE);
  EXPECT_EQ(dojo_get_output(runtime, "y/0", y.data(), 1), DOJO_BAD_ARGUMENT);
  dojo_free(runtime);
  std::remove(path.c_str());

  EXPECT_EQ(dojo_load(path.c_str(), &runtime), DOJO_BAD_IMAGE);
  EXPECT_EQ(runtime, nullptr);
  EXPECT_EQ(dojo_load(nullptr, &runtime), DOJO_BAD_ARGUMENT);
  EXPECT_EQ(dojo_num_inputs(nullptr), 0u);
  dojo_free(nullptr);
}
