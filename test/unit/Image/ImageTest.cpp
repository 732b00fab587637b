// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "SampleImage.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <unistd.h>

using namespace dojo;
using namespace dojo::image;

static std::vector<uint8_t> bytesOf(const Image &image) {
  std::vector<uint8_t> bytes;
  std::string error;
  EXPECT_TRUE(serialize(image, bytes, error)) << error;
  return bytes;
}

static std::string parseError(std::vector<uint8_t> bytes) {
  Image image;
  std::string error;
  EXPECT_FALSE(parseImage(bytes, nullptr, image, error));
  EXPECT_FALSE(error.empty());
  return error;
}

TEST(Image, RoundTrip) {
  Image image = sampleImage(), back;
  ASSERT_EQ(validate(image), "");
  std::vector<uint8_t> bytes = bytesOf(image);
  std::string error;
  ASSERT_TRUE(parseImage(bytes, nullptr, back, error)) << error;
  EXPECT_EQ(bytesOf(back), bytes) << "everything read is written again";

  // Code and weights shared, and one table for each of the four nodes.
  ASSERT_EQ(back.blobs.size(), 6u);
  ASSERT_EQ(back.loads.size(), 6u);
  EXPECT_EQ(back.nodeSets[back.loads[0].nodeSet].nodes(), (std::vector<int64_t>{0, 1, 20, 21}));
  EXPECT_EQ(back.content(back.blobs[0]).size(), 64u);
  EXPECT_EQ(back.content(back.blobs[back.loads[1].blob])[99], 2);
  EXPECT_EQ(back.entries[0].pc, (std::array<int32_t, 4>{0, -1, 32, -1}));
  EXPECT_EQ(back.layers[0].onnxNames, (std::vector<std::string>{"conv", "relu"}));
  EXPECT_EQ(back.layers[0].name, "conv");
  EXPECT_EQ(back.layers[0].endPc, 60);
  EXPECT_EQ(back.inputs[0].boxes[1].lo, (std::vector<int64_t>{0, 3}));
  EXPECT_EQ(back.tensors[0].blockDim, 0);
  EXPECT_EQ(back.segments[0].reads[0].count[0], 2u);
  EXPECT_EQ(back.segments[0].ignored[0].address, 4200u);
  EXPECT_EQ(back.routes[0][1], Step::South);
  EXPECT_EQ(back.target.partitionRows, 2);
  EXPECT_EQ(back.certificate["cycle_free"], true);
}

TEST(Image, BuilderStoresEqualContentOnce) {
  Image image = sampleImage();
  // 64 bytes of code; 100 of weights rounded up to 104, then four tables of 16.
  EXPECT_EQ(image.code.size(), 64u);
  EXPECT_EQ(image.data.size(), 104u + 4 * 16u);
}

TEST(Image, FileIsWrittenAsideAndRead) {
  std::string path = testing::TempDir() + "dojo_image_test_" + std::to_string(getpid()) + ".d1";
  std::string error;
  ASSERT_TRUE(writeImage(sampleImage(), path, error)) << error;
  Image image;
  ASSERT_TRUE(readImage(path, image, error)) << error;
  EXPECT_EQ(bytesOf(image), bytesOf(sampleImage()));
  std::remove(path.c_str());

  EXPECT_FALSE(readImage(path, image, error));
  EXPECT_EQ(error, path + ": cannot open the image: No such file or directory");
  EXPECT_FALSE(readImage(testing::TempDir(), image, error));
  EXPECT_FALSE(writeImage(sampleImage(), "/nonexistent/x.d1", error));
  EXPECT_EQ(error, "cannot write /nonexistent/x.d1: No such file or directory");
}

TEST(Image, ReadelfAcceptsIt) {
  std::string path = testing::TempDir() + "dojo_readelf_" + std::to_string(getpid()) + ".d1";
  std::string error;
  ASSERT_TRUE(writeImage(sampleImage(), path, error)) << error;
  // Warnings go to the error stream; "Warning" and "Error" must not appear in either.
  std::string command = "readelf -a -W " + path + " 2>&1";
  std::FILE *pipe = popen(command.c_str(), "r");
  ASSERT_TRUE(pipe);
  std::string text;
  for (int c; (c = std::fgetc(pipe)) != EOF;)
    text += char(c);
  EXPECT_EQ(pclose(pipe), 0) << text;
  std::remove(path.c_str());
  EXPECT_EQ(text.find("arning"), std::string::npos) << text;
  EXPECT_EQ(text.find("rror"), std::string::npos) << text;
  EXPECT_NE(text.find(".dojo.manifest"), std::string::npos) << text;
  EXPECT_NE(text.find("FUNC    LOCAL  DEFAULT  ABS conv"), std::string::npos) << text;
}

TEST(Image, EachBrokenPromiseIsNamed) {
  auto problem = [](auto change) {
    Image image = sampleImage();
    change(image);
    return validate(image);
  };
  EXPECT_EQ(problem([](Image &i) { i.nodeSets[0].insert(2); }),
            "node set 0 holds a node that is not usable");
  EXPECT_EQ(problem([](Image &i) { i.blobs[1].bytes = 1000; }), "blob 1 lies outside its section");
  EXPECT_EQ(problem([](Image &i) { i.loads[1].address = 1310720 - 99; }),
            "load 1 does not fit in SRAM");
  EXPECT_EQ(problem([](Image &i) { i.loads[1].address = 60; }),
            "load 1 overlaps another on node 0");
  EXPECT_EQ(problem([](Image &i) { i.entries.push_back(i.entries[0]); }),
            "entry 1 starts a node that another entry starts");
  EXPECT_EQ(problem([](Image &i) { i.entries[0].pc[0] = 2; }), "entry 0 has a bad start address");
  EXPECT_EQ(problem([](Image &i) { i.pcRanges[0].layer = 1; }), "code range 0 names no layer");
  EXPECT_EQ(problem([](Image &i) { i.pcRanges.push_back(i.pcRanges[0]); }),
            "code range 1 overlaps another on node 0");
  EXPECT_EQ(problem([](Image &i) {
              i.segments.push_back(i.segments[0]);
              i.segments[0].begin = 60;
            }),
            "segment 0 overlaps another on node 0");
  EXPECT_EQ(problem([](Image &i) { i.segments.push_back(i.segments[0]); }),
            "segment 1 overlaps another on node 0");
  EXPECT_EQ(problem([](Image &i) {
              i.segments.push_back(i.segments[0]);
              i.segments[1].layer = -1;
            }),
            "")
      << "code shared by layers";
  EXPECT_EQ(problem([](Image &i) { i.inputs[0].type = "f33"; }),
            "tensor \"x\" has the unknown element type \"f33\"");
  EXPECT_EQ(problem([](Image &i) { i.inputs[0].boxes.pop_back(); }),
            "tensor \"x\" has an element in no box");
  EXPECT_EQ(problem([](Image &i) { i.inputs[0].boxes[1].lo[1] = 2; }),
            "tensor \"x\" has an element in two boxes");
  EXPECT_EQ(problem([](Image &i) { i.inputs[0].boxes[1].size[1] = 3; }),
            "tensor \"x\" has a box 1 that lies outside the tensor");
  EXPECT_EQ(problem([](Image &i) { i.inputs[0].boxes[1].strides[0] = INT32_MAX; }),
            "tensor \"x\" has a box 1 that does not fit in SRAM");
  EXPECT_EQ(
      problem([](Image &i) { i.tensors[0].shape[0] = 2; }),
      "tensor \"t\" has the shape [2, 5, 4] where its logical shape and block give [1, 5, 4]");
  EXPECT_EQ(problem([](Image &i) { i.inputs.push_back(i.inputs[0]); }),
            "two inputs are named \"x\"");
  EXPECT_EQ(problem([](Image &i) { i.segments[0].reads[0].stride[0] = -5000; }),
            "segment 0 declares bytes outside SRAM");
  EXPECT_EQ(problem([](Image &i) {
              i.segments[0].reads[0].stride = {0, 0, 0};
              i.segments[0].reads[0].count = {1 << 12, 1 << 12, 1 << 12};
            }),
            "segment 0 brings the declared runs above 2^26");
  EXPECT_EQ(problem([](Image &i) { i.routes[0].resize(65); }),
            "route 0 has more links than the target allows");
  EXPECT_EQ(problem([](Image &i) { i.layers[0].endPc = 62; }), "layer 0 has a bad end");
  EXPECT_EQ(problem([](Image &i) { i.layers[0].endPc = int32_t(i.target.sramBytes); }),
            "layer 0 has a bad end");
  EXPECT_EQ(problem([](Image &i) { i.layers.push_back(i.layers[0]); }),
            "layer 1 has the name of another, \"conv\"");
  std::string error;
  std::vector<uint8_t> bytes;
  Image broken = sampleImage();
  broken.blobs[1].bytes = 1000;
  EXPECT_FALSE(serialize(broken, bytes, error)) << "nothing unsound is written";
}

TEST(Image, EveryTruncationIsAnError) {
  std::vector<uint8_t> bytes = bytesOf(sampleImage());
  for (size_t size = 0; size < bytes.size(); size += size < 256 ? 1 : 37)
    parseError({bytes.begin(), bytes.begin() + size});
}

TEST(Image, EveryBitFlipIsAnError) {
  std::vector<uint8_t> bytes = bytesOf(sampleImage());
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::vector<uint8_t> flipped = bytes;
    flipped[i] ^= 1 << (i % 8);
    parseError(std::move(flipped));
  }
}

TEST(Image, RandomBytesAreAnError) {
  uint64_t state = 1;
  for (int round = 0; round < 200; ++round) {
    std::vector<uint8_t> bytes(round * 7);
    for (uint8_t &b : bytes)
      b = uint8_t((state = state * 6364136223846793005u + 1442695040888963407u) >> 56);
    if (round % 2 && bytes.size() > 4)
      std::copy_n("\177ELF", 4, bytes.begin());
    parseError(std::move(bytes));
  }
}

// Damage behind a checksum that fits: what is read is sound or refused, never a crash.
TEST(Image, ResealedMutationsAreSoundOrRefused) {
  const std::vector<uint8_t> bytes = bytesOf(sampleImage());
  uint64_t state = 2026;
  auto next = [&](uint64_t n) {
    return ((state = state * 6364136223846793005u + 1442695040888963407u) >> 33) % n;
  };
  int refused = 0;
  for (int round = 0; round < 5000; ++round) {
    std::vector<uint8_t> changed = bytes;
    for (uint64_t k = 0; k <= next(4); ++k)
      changed[next(changed.size())] ^= uint8_t(1 << next(8));
    (void)reseal(changed);
    Image image;
    std::string error;
    if (parseImage(changed, nullptr, image, error))
      EXPECT_EQ(validate(image), "");
    else
      ++refused;
  }
  EXPECT_GT(refused, 1000);
}

TEST(Image, ErasedCodeIsLeftToTheMachine) {
  Image image = sampleImage(), back;
  std::vector<uint8_t> bytes = bytesOf(image);
  auto code = std::search(bytes.begin(), bytes.end(), image.code.begin(), image.code.end());
  ASSERT_NE(code, bytes.end());
  std::fill(code, code + image.code.size(), 0);
  std::string error;
  EXPECT_TRUE(parseImage(bytes, nullptr, back, error)) << error;
  *code = 1;
  EXPECT_FALSE(parseImage(bytes, nullptr, back, error));
  EXPECT_EQ(error, "the checksum of the code does not match: the file is damaged");
}

TEST(Image, DeepManifestIsRefused) {
  Image image = sampleImage(), back;
  Json nested = 0;
  for (int i = 0; i < 100; ++i)
    nested = Json::array({nested});
  image.certificate = nested;
  EXPECT_EQ(parseError(bytesOf(image)), "the manifest is nested too deep");
}

// The fuzzer's starting inputs: a sound image, and what of it is left after damage. After a change
// of the format, run this test with DOJO_UPDATE_CORPUS=1.
TEST(Image, CorpusIsCurrent) {
  std::vector<uint8_t> sound = bytesOf(sampleImage()), flipped = sound;
  flipped[sound.size() / 2] ^= 1;
  std::vector<uint8_t> truncated(sound.begin(), sound.begin() + sound.size() / 3);
  for (const auto &[name, bytes] :
       {std::pair("sound.d1", sound), {"flipped.d1", flipped}, {"truncated.d1", truncated}}) {
    std::string path = std::string(DOJO_IMAGE_CORPUS) + "/" + name;
    if (std::getenv("DOJO_UPDATE_CORPUS"))
      std::ofstream(path, std::ios::binary)
          .write(reinterpret_cast<const char *>(bytes.data()), std::streamsize(bytes.size()));
    std::ifstream file(path, std::ios::binary);
    std::vector<uint8_t> kept((std::istreambuf_iterator<char>(file)), {});
    EXPECT_EQ(kept, bytes) << path;
  }
}
