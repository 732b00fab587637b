// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The programs of examples/asm: assembled, run on the emulator, compared with results worked out
// here; and printed and assembled again.

#include "dojo/Assembler/Assembler.h"
#include "dojo/Runtime/Runtime.h"
#include <bit>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <random>
#include <sstream>

using namespace dojo;

namespace {

image::Image assembleText(const std::string &text) {
  image::Image image;
  std::vector<assembler::Error> errors;
  EXPECT_TRUE(assembler::assemble(text, image, errors));
  for (const assembler::Error &error : errors)
    ADD_FAILURE() << error.line << ": " << error.message;
  return image;
}

std::string readExample(const std::string &name) {
  std::ifstream file(DOJO_EXAMPLES + name);
  EXPECT_TRUE(file.good()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A loaded example, or null after a failure.
std::unique_ptr<Runtime> load(const std::string &name) {
  std::string error;
  std::unique_ptr<Runtime> runtime = Runtime::create(assembleText(readExample(name)), error);
  EXPECT_TRUE(runtime) << error;
  return runtime;
}

template <typename T>
void setInput(Runtime &runtime, const char *name, const std::vector<T> &data) {
  std::string error;
  auto *bytes = reinterpret_cast<const uint8_t *>(data.data());
  EXPECT_TRUE(runtime.setInput(name, {bytes, data.size() * sizeof(T)}, error)) << error;
}

template <typename T> std::vector<T> getOutput(Runtime &runtime, const char *name) {
  std::vector<uint8_t> bytes;
  std::string error;
  EXPECT_TRUE(runtime.getOutput(name, bytes, error)) << error;
  std::vector<T> data(bytes.size() / sizeof(T));
  std::memcpy(data.data(), bytes.data(), data.size() * sizeof(T));
  return data;
}

void run(Runtime &runtime, const emu::RunOptions &options = {}) {
  std::string error;
  EXPECT_EQ(runtime.run(options, error), Runtime::Status::Ok) << error;
}

std::vector<float> randomIntegers(size_t count, uint64_t seed) {
  std::mt19937_64 rng(seed);
  std::vector<float> values(count);
  for (float &value : values)
    value = float(int(rng() % 17) - 8);
  return values;
}

std::vector<uint16_t> toBf16(const std::vector<float> &values) {
  std::vector<uint16_t> out;
  for (float value : values)
    out.push_back(uint16_t(std::bit_cast<uint32_t>(value) >> 16)); // exact for small integers
  return out;
}

TEST(Examples, Hello) {
  auto runtime = load("hello.s");
  ASSERT_TRUE(runtime);
  run(*runtime);
  std::vector<char> text = getOutput<char>(*runtime, "greeting");
  EXPECT_EQ(std::string(text.begin(), text.end()), "Hello, D1!");
}

TEST(Examples, VectorAdd) {
  auto runtime = load("vector-add.s");
  ASSERT_TRUE(runtime);
  std::vector<float> x = randomIntegers(40, 1), y = randomIntegers(40, 2), sum(40);
  setInput(*runtime, "x", x);
  setInput(*runtime, "y", y);
  run(*runtime);
  for (size_t i = 0; i < 40; ++i)
    sum[i] = x[i] + y[i];
  EXPECT_EQ(getOutput<float>(*runtime, "sum"), sum);
}

TEST(Examples, Product8x8) {
  auto runtime = load("product-8x8.s");
  ASSERT_TRUE(runtime);
  std::vector<float> a = randomIntegers(64, 3), bt = randomIntegers(64, 4), c(64);
  setInput(*runtime, "a", toBf16(a));
  setInput(*runtime, "bt", toBf16(bt));
  run(*runtime);
  for (int row = 0; row < 8; ++row)
    for (int column = 0; column < 8; ++column)
      for (int k = 0; k < 8; ++k)
        c[8 * row + column] += a[8 * row + k] * bt[8 * column + k];
  EXPECT_EQ(getOutput<float>(*runtime, "c"), c);
  EXPECT_EQ(runtime->counters().matrixSteps, 2u);
}

TEST(Examples, RingAllReduce) {
  auto runtime = load("ring-allreduce.s");
  ASSERT_TRUE(runtime);
  std::vector<float> x = randomIntegers(4 * 64, 5), want(4 * 64);
  for (size_t place = 0; place < 4; ++place)
    for (size_t i = 0; i < 64; ++i)
      want[64 * place + i] = x[i] + x[64 + i] + x[128 + i] + x[192 + i];
  setInput(*runtime, "x", x);
  run(*runtime);
  EXPECT_EQ(getOutput<float>(*runtime, "sum"), want);
  uint64_t cycles = runtime->counters().cycles;
  run(*runtime);
  EXPECT_EQ(runtime->counters().cycles, cycles);
  EXPECT_EQ(runtime->counters().packets, 4u * 6u);
  // Nothing depends on time.
  for (uint64_t seed = 0; seed < 20; ++seed) {
    emu::RunOptions options;
    options.jitterSeed = seed;
    run(*runtime, options);
    EXPECT_EQ(getOutput<float>(*runtime, "sum"), want) << "jitter seed " << seed;
  }
}

/// What an image places on each node, byte by byte, and where threads start.
struct Placement {
  std::map<std::pair<int64_t, uint32_t>, std::pair<uint8_t, bool>> bytes;
  std::map<int64_t, std::array<int32_t, 4>> starts;
  bool operator==(const Placement &) const = default;
};

Placement placement(const image::Image &image) {
  Placement placed;
  for (const image::Load &load : image.loads) {
    const image::Blob &blob = image.blobs[load.blob];
    for (int64_t node : image.nodeSets[load.nodeSet].nodes())
      for (uint32_t i = 0; i < blob.bytes; ++i)
        placed.bytes[{node, load.address + i}] = {image.content(blob)[i], blob.code};
  }
  for (const image::Entry &entry : image.entries)
    for (int64_t node : image.nodeSets[entry.nodeSet].nodes())
      placed.starts[node] = entry.pc;
  return placed;
}

TEST(Examples, PrintedAssemblyPlacesTheSame) {
  for (const char *name : {"hello.s", "vector-add.s", "product-8x8.s", "ring-allreduce.s"}) {
    SCOPED_TRACE(name);
    image::Image image = assembleText(readExample(name));
    std::ostringstream text;
    assembler::print(image, {.data = true, .bytes = true}, text);
    image::Image again = assembleText(text.str());
    EXPECT_TRUE(placement(image) == placement(again)) << text.str();
  }
}

} // namespace
