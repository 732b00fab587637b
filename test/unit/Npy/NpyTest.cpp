// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Npy/Npy.h"
#include "gtest/gtest.h"
#include <fstream>

using namespace dojo;

namespace {

std::string scratch(const char *name) { return testing::TempDir() + "/npy-test-" + name; }

/// A version 1 file with this header text and data.
std::string fileWith(const char *name, const std::string &header, const std::string &data) {
  std::string path = scratch(name);
  std::ofstream file(path, std::ios::binary);
  file << "\x93NUMPY" << '\1' << '\0' << char(header.size() & 0xff) << char(header.size() >> 8)
       << header << data;
  return path;
}

std::string errorOf(const std::string &path) {
  NpyArray array;
  std::string error;
  EXPECT_FALSE(readNpy(path, array, error));
  return error;
}

TEST(Npy, WhatIsWrittenIsReadBack) {
  for (std::vector<int64_t> shape : {std::vector<int64_t>{}, {3}, {2, 3}, {2, 0, 4}}) {
    NpyArray array{"f4", shape, {}};
    int64_t count = 1;
    for (int64_t d : shape)
      count *= d;
    for (int64_t i = 0; i < 4 * count; ++i)
      array.bytes.push_back(uint8_t(i));
    std::string path = scratch("round"), error;
    ASSERT_TRUE(writeNpy(path, array, error)) << error;
    NpyArray back;
    ASSERT_TRUE(readNpy(path, back, error)) << error;
    EXPECT_EQ(back.descr, "f4");
    EXPECT_EQ(back.shape, shape);
    EXPECT_EQ(back.bytes, array.bytes);
  }
}

TEST(Npy, HeaderOfNumpyIsRead) {
  std::string path = fileWith(
      "numpy", "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }   \n", "\1\2\3\4");
  NpyArray array;
  std::string error;
  ASSERT_TRUE(readNpy(path, array, error)) << error;
  EXPECT_EQ(array.descr, "i2");
  EXPECT_EQ(array.shape, std::vector<int64_t>{2});
  EXPECT_EQ(array.bytes, (std::vector<uint8_t>{1, 2, 3, 4}));
}

TEST(Npy, WhatCannotBeReadIsAnError) {
  auto header = [](const char *descr, const char *order, const char *shape) {
    return std::string("{'descr': ") + descr + ", 'fortran_order': " + order +
           ", 'shape': " + shape + ", }\n";
  };
  EXPECT_NE(errorOf(fileWith("f", header("'<f4'", "True", "(1, 2)"), "12345678")).find("Fortran"),
            std::string::npos);
  EXPECT_NE(errorOf(fileWith("b", header("'>f4'", "False", "(2,)"), "12345678")).find("big-endian"),
            std::string::npos);
  EXPECT_NE(errorOf(fileWith("o", header("'|O'", "False", "(2,)"), "12345678")).find("type"),
            std::string::npos);
  EXPECT_NE(errorOf(fileWith("s", header("[('a', '<f4')]", "False", "(2,)"), "12345678"))
                .find("not understood"),
            std::string::npos);
  EXPECT_NE(errorOf(fileWith("t", header("'<f4'", "False", "(3,)"), "12345678")).find("fit"),
            std::string::npos);
  EXPECT_NE(errorOf(fileWith("h", header("'<f4'", "False", "(4611686018427387904, 4)"), "12345678"))
                .find("fit"),
            std::string::npos);
  EXPECT_NE(errorOf(scratch("missing")).find("No such file"), std::string::npos);
  EXPECT_NE(errorOf(testing::TempDir()).find("regular"), std::string::npos);
}

TEST(Npy, EveryTruncationIsAnError) {
  NpyArray array{"f4", {2, 3}, std::vector<uint8_t>(24, 7)};
  std::string path = scratch("whole"), cut = scratch("cut"), error;
  ASSERT_TRUE(writeNpy(path, array, error));
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  for (size_t n = 0; n < bytes.size(); ++n) {
    std::ofstream(cut, std::ios::binary) << bytes.substr(0, n);
    EXPECT_FALSE(readNpy(cut, array, error)) << n;
  }
}

TEST(Npy, UnwritableFolderIsAnError) {
  NpyArray array{"f4", {}, std::vector<uint8_t>(4)};
  std::string error;
  EXPECT_FALSE(writeNpy(scratch("no/such/folder"), array, error));
  EXPECT_NE(error.find("cannot write"), std::string::npos);
}

} // namespace
