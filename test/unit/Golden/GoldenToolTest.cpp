// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dojo-golden as a program: sound models are equal on both sides, and damage done to an image on
// purpose is found in the layer, on the node and at the element where it was done.
#include "dojo/ISA/ISA.h"
#include "dojo/Image/Image.h"
#include "dojo/Npy/Elements.h"
#include "dojo/Npy/Npy.h"
#include "dojo/Runtime/Runtime.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <numeric>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace dojo;
namespace fs = std::filesystem;

namespace {

const std::string models = DOJO_MODELS;
const std::string digits =
    models + "/digits.onnx --input image=" + models + "/digits-one-input.npy";

std::string contents(const fs::path &path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class GoldenTool : public testing::Test {
protected:
  void SetUp() override {
    const testing::TestInfo *info = testing::UnitTest::GetInstance()->current_test_info();
    folder = fs::path(testing::TempDir()) /
             ("dojo_golden_" + std::string(info->name()) + "_" + std::to_string(getpid()));
    fs::create_directories(folder);
  }
  void TearDown() override { fs::remove_all(folder); }

  int run(const std::string &arguments) {
    std::string command =
        "cd '" + folder.string() + "' && '" DOJO_GOLDEN "' " + arguments + " >stdout 2>stderr";
    int status = std::system(command.c_str());
    out = contents(folder / "stdout");
    err = contents(folder / "stderr");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  bool printed(const std::string &text) const { return out.find(text) != std::string::npos; }

  image::Image sound() {
    image::Image image;
    std::string error;
    EXPECT_EQ(run(digits + " --nodes 2x2 -o sound.d1"), 0) << err;
    EXPECT_TRUE(image::readImage(folder / "sound.d1", image, error)) << error;
    return image;
  }
  /// Writes the image, runs it in place of the compiled one.
  int runDamaged(const image::Image &image) {
    std::string error;
    EXPECT_TRUE(image::writeImage(image, folder / "damaged.d1", error)) << error;
    return run(digits + " --nodes 2x2 --image damaged.d1");
  }

  fs::path folder;
  std::string out, err;
};

int32_t layerNamed(const image::Image &image, const std::string &name) {
  for (size_t l = 0; l < image.layers.size(); ++l)
    if (image.layers[l].name == name)
      return int32_t(l);
  ADD_FAILURE() << "no layer " << name;
  return 0;
}

uint32_t resultOf(const image::Image &image, int32_t layer) {
  for (size_t t = 0; t < image.tensors.size(); ++t)
    if (image.tensors[t].firstLayer == layer)
      return uint32_t(t);
  ADD_FAILURE() << "no result of layer " << layer;
  return 0;
}

/// The longest code of a layer: its kernel.
const image::Segment *kernelOf(const image::Image &image, int32_t layer) {
  const image::Segment *longest = nullptr;
  for (const image::Segment &segment : image.segments)
    if (segment.layer == layer &&
        (!longest || segment.end - segment.begin > longest->end - longest->begin))
      longest = &segment;
  return longest;
}

/// The blob that a node gets at an address.
const image::Blob &blobAt(const image::Image &image, int64_t node, uint32_t address) {
  for (const image::Load &load : image.loads)
    if (load.address == address && image.nodeSets[load.nodeSet].contains(node))
      return image.blobs[load.blob];
  ADD_FAILURE() << "nothing is loaded at " << address;
  return image.blobs[0];
}

} // namespace

TEST_F(GoldenTool, DigitsAreEqual) {
  for (const char *mesh : {"--nodes 1x1", "--nodes 2x2", ""})
    for (const char *precision : {"bf16", "fp32"}) {
      std::string options = std::string(" ") + mesh + " --precision " + precision;
      EXPECT_EQ(run(digits + options), 0) << options << "\n" << out << err;
      EXPECT_TRUE(printed("/14/Gemm")) << out;
      EXPECT_TRUE(printed("  scores  ")) << out;
      EXPECT_TRUE(printed(" layers compared: all ")) << out;
    }
}

TEST_F(GoldenTool, DigitsAreEqualWithoutOptimisation) {
  EXPECT_EQ(run(digits + " --nodes 2x2 -O0"), 0) << out << err;
  EXPECT_EQ(run(digits + " --nodes 4x5 --dead 1,2 --store fp32"), 0) << out << err;
}

TEST_F(GoldenTool, DigitsAgreeWithTheModelAndInAChain) {
  for (const char *options : {"--reference chain", "--reference model",
                              "--reference model --precision fp32 --max-rel-l2 1e-5"})
    EXPECT_EQ(run(digits + " --nodes 2x2 " + options), 0) << options << "\n" << out << err;
  // Rounding to bf16 shows against the model.
  EXPECT_EQ(run(digits + " --nodes 2x2 --reference model --max-rel-l2 1e-5"), 5) << out << err;
  EXPECT_TRUE(printed("first difference: layer 1, \"/0/Conv\" (Conv, ")) << out;
  EXPECT_TRUE(printed("  value      /2/Relu_output_0\n")) << out;
}

TEST_F(GoldenTool, CapturesChangeNothing) {
  std::string error;
  std::unique_ptr<Runtime> runtime = Runtime::create(sound(), error);
  ASSERT_TRUE(runtime) << error;
  NpyArray input;
  ASSERT_TRUE(readNpy(models + "/digits-one-input.npy", input, error)) << error;
  ASSERT_TRUE(runtime->setInput("image", input.bytes, error)) << error;
  std::vector<uint32_t> all(runtime->image().tensors.size());
  std::iota(all.begin(), all.end(), 0);
  std::vector<uint8_t> outputs[3];
  uint64_t cycles[3], instructions[3];
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(runtime->captureTensors(i == 1 ? all : std::vector<uint32_t>(), error)) << error;
    ASSERT_EQ(runtime->run({}, error), Runtime::Status::Ok) << error;
    ASSERT_TRUE(runtime->getOutput("scores", outputs[i], error)) << error;
    cycles[i] = runtime->counters().cycles;
    instructions[i] = runtime->counters().instructions;
  }
  for (int i : {1, 2}) {
    EXPECT_EQ(outputs[i], outputs[0]);
    EXPECT_EQ(cycles[i], cycles[0]);
    EXPECT_EQ(instructions[i], instructions[0]);
  }
}

TEST_F(GoldenTool, TextDirectionIsEqual) {
  EXPECT_EQ(run(models + "/ppocr-cls.onnx --shape x=1x3x48x192 --input x=" + models +
                "/ppocr-cls-one-input.npy"),
            0)
      << out << err;
}

TEST_F(GoldenTool, ResNet50IsEqual) {
  EXPECT_EQ(run(models + "/resnet50.onnx --input input=" + models + "/resnet50-one-input.npy"), 0)
      << out << err;
}

TEST_F(GoldenTool, FindsADamagedWeight) {
  image::Image image = sound();
  const int32_t layer = layerNamed(image, "/14/Gemm");
  const std::vector<image::Box> &boxes = image.tensors[resultOf(image, layer)].boxes;
  ASSERT_GT(boxes.size(), 1u) << "the layer is divided between nodes";
  const image::Box &box = boxes[1];
  const int64_t node = image.nodeSets[box.nodeSet].nodes().front();

  // The input channel with the largest value.
  std::string error;
  std::unique_ptr<Runtime> runtime = Runtime::create(image, error);
  ASSERT_TRUE(runtime) << error;
  NpyArray input;
  ASSERT_TRUE(readNpy(models + "/digits-one-input.npy", input, error)) << error;
  ASSERT_TRUE(runtime->setInput("image", input.bytes, error)) << error;
  uint32_t operand = resultOf(image, layerNamed(image, "/12/Gemm"));
  ASSERT_TRUE(runtime->captureTensors({&operand, 1}, error)) << error;
  ASSERT_EQ(runtime->run({}, error), Runtime::Status::Ok) << error;
  std::vector<uint8_t> bytes;
  ASSERT_TRUE(runtime->getCaptured(operand, bytes, error)) << error;
  const image::ElementType &bf16 = *image::findElementType("bf16");
  int64_t channel = 0;
  auto value = [&](int64_t c) { return npy::elementValue(bytes.data() + 2 * c, bf16); };
  for (int64_t c = 0; c < int64_t(bytes.size() / 2); ++c)
    if (value(c) > value(channel))
      channel = c;
  ASSERT_GT(value(channel), 0);

  // Weights of a node are [outputs / 8][1][1][inputs / 4][8][4]: the one of its output 1 and that
  // channel gets another exponent.
  auto weights = std::find_if(image.buffers.begin(), image.buffers.end(),
                              [](auto &buffer) { return buffer.name == "/14/Gemm.const1"; });
  ASSERT_NE(weights, image.buffers.end());
  const image::Blob &blob = blobAt(image, node, weights->address);
  std::vector<uint8_t> data(image.data.begin(), image.data.end());
  data[blob.offset + 2 * ((channel / 4 * 8 + 1) * 4 + channel % 4) + 1] ^= 0x02;
  image.data = data;

  ASSERT_EQ(runDamaged(image), 5) << out << err;
  auto text = [](int64_t number) { return std::to_string(number); };
  const int64_t output = box.lo[1] * 4 + 1, columns = image.target.columns;
  EXPECT_TRUE(printed("first difference: layer " + text(layer) + ", \"/14/Gemm\" (MatMul,")) << out;
  EXPECT_TRUE(printed("  ONNX node  /14/Gemm\n")) << out;
  EXPECT_TRUE(printed("  element    [0," + text(output) + ",0,0] of 1x10x1x1 f32\n")) << out;
  EXPECT_TRUE(printed("  node       " + text(node / columns) + "," + text(node % columns) + " ("))
      << out;
  EXPECT_TRUE(printed("  in all     1 of 12 elements on 1 of the nodes")) << out;
  // The layer behind it copied what it got: it is not to blame.
  size_t last = out.find("/14/Gemm  ", out.find("/14/Gemm  ") + 1);
  EXPECT_EQ(out.substr(last, out.find('\n', last) - last).find("DIFFERS"), std::string::npos);
}

TEST_F(GoldenTool, FindsDamagedInstructions) {
  image::Image image = sound();
  const int32_t layer = layerNamed(image, "/6/MaxPool");
  const image::Segment *kernel = kernelOf(image, layer);
  ASSERT_TRUE(kernel);
  const int64_t node = image.nodeSets[kernel->nodeSet].nodes().front();
  const image::Blob &blob = blobAt(image, node, kernel->begin);

  // The first dozen immediates and address offsets of the kernel, each eight more than it was. That
  // faults, changes nothing, or must be found in this layer.
  const std::vector<uint8_t> code(image.code.begin(), image.code.end());
  const std::string found = "first difference: layer " + std::to_string(layer) + ", \"/6/MaxPool\"";
  const uint64_t end = blob.offset + blob.bytes;
  int tried = 0, differences = 0;
  for (uint64_t at = blob.offset; at < end && tried < 12;) {
    isa::Inst inst;
    ASSERT_TRUE(isa::decode(code.data() + at, end - at, inst));
    const isa::InstInfo &info = isa::info(inst.op);
    for (unsigned i = 0; i < info.numOperands; ++i) {
      if (info.ops[i].kind != isa::OperandKind::Simm &&
          info.ops[i].kind != isa::OperandKind::MemOff)
        continue;
      isa::Inst changed = inst;
      changed.f[i] += 8;
      std::vector<uint8_t> encoded, damaged = code;
      std::string error;
      ASSERT_TRUE(isa::encode(changed, encoded, &error)) << error;
      std::copy(encoded.begin(), encoded.end(), damaged.begin() + int64_t(at));
      image.code = damaged;
      int status = runDamaged(image);
      EXPECT_TRUE(status == 0 || status == 4 || status == 5) << status << err;
      EXPECT_TRUE(status != 5 || printed(found)) << isa::disassemble(changed, 0) << "\n" << out;
      differences += status == 5;
      ++tried;
    }
    at += info.bytes;
  }
  EXPECT_GT(differences, 0) << "of " << tried;
}

TEST_F(GoldenTool, NeedsNoOnnxModel) {
  std::ofstream(folder / "f.mlir") << R"(
func.func @main(%x: tensor<6xf32> {dojo.name = "x"}) -> (tensor<6xf32> {dojo.name = "y"},
                                                         tensor<6xf32> {dojo.name = "z"}) {
  %e = tensor.empty() : tensor<6xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
                       iterator_types = ["parallel"]}
      ins(%x : tensor<6xf32>) outs(%e : tensor<6xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.exp %a : f32
    linalg.yield %s : f32
  } -> tensor<6xf32>
  return %y, %x : tensor<6xf32>, tensor<6xf32>
})";
  for (const char *reference : {"layers", "chain", "model"}) {
    EXPECT_EQ(run(std::string("f.mlir --input x=random:1 --nodes 1x2 --reference ") + reference), 0)
        << out << err;
    EXPECT_TRUE(printed("  y  ") && printed("  z  ")) << out;
  }
}

TEST_F(GoldenTool, ComparesUpToAFault) {
  image::Image image = sound();
  const int32_t layer = layerNamed(image, "/12/Gemm");
  std::vector<uint8_t> code(image.code.begin(), image.code.end());
  const image::Segment *kernel = kernelOf(image, layer);
  ASSERT_TRUE(kernel);
  const image::Blob &blob =
      blobAt(image, image.nodeSets[kernel->nodeSet].nodes().front(), kernel->begin);
  std::fill_n(code.begin() + int64_t(blob.offset), blob.bytes, 0);
  image.code = code;
  EXPECT_EQ(runDamaged(image), 4) << out << err;
  EXPECT_NE(err.find("undefined instruction"), std::string::npos) << err;
  EXPECT_TRUE(printed(std::to_string(layer) + " of " + std::to_string(image.layers.size()) +
                      " layers compared: all "))
      << out;
}

TEST_F(GoldenTool, SaysWhatIsWrongWithTheCommand) {
  EXPECT_EQ(run(models + "/digits.onnx --nodes 2x2"), 3);
  EXPECT_NE(err.find("input 'image' (f32 [1, 1, 8, 8]) has no --input"), std::string::npos) << err;
  EXPECT_EQ(run(digits + " --emit mesh"), 1);
  EXPECT_EQ(run(digits + " --max-rel-l2 1e-3"), 1);
  EXPECT_EQ(run(digits + " --reference model --max-rel-l2 no"), 1);
  EXPECT_EQ(run(digits + " --nodes 99x99"), 1);
  EXPECT_EQ(run("nothing.onnx --input x=random:1"), 2);
  EXPECT_EQ(run(digits + " --image nothing.d1"), 3);
  EXPECT_EQ(run(models + "/digits.onnx --input image=" + models +
                "/digits-input.npy --slice 360 --nodes 1x1"),
            3);
  EXPECT_NE(err.find("there is no slice 360; the inputs have 360"), std::string::npos) << err;
  EXPECT_EQ(run(models + "/digits.onnx --input image=" + models +
                "/digits-input.npy --slice 359 --nodes 1x1"),
            0)
      << err;
  // An image of other options.
  sound();
  EXPECT_EQ(run(digits + " --nodes 2x2 --precision fp32 --image sound.d1"), 3);
  EXPECT_NE(err.find("the image has no result of layer "), std::string::npos) << err;
}
