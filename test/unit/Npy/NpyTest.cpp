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
#include "dojo/Npy/Npy.h"

#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace dojo;
using namespace dojo::npy;

static std::vector<uint8_t> file(const std::string &header, size_t dataBytes, int version = 1) {
  std::string text = "\x93NUMPY";
  text += char(version);
  text += '\0';
  text += char(header.size() & 255);
  text += char(header.size() >> 8);
  if (version > 1)
    text += std::string(2, '\0');
  text += header;
  std::vector<uint8_t> bytes(text.begin(), text.end());
  for (size_t i = 0; i < dataBytes; ++i)
    bytes.push_back(uint8_t(i));
  return bytes;
}

static std::string parseError(const std::vector<uint8_t> &bytes) {
  Array array;
  std::string error;
  EXPECT_FALSE(parseNpy(bytes, array, error));
  return error;
}

TEST(Npy, HeaderIsWhatNumpyWrites) {
  int64_t shape[] = {2, 3};
  std::string expected = std::string("\x93NUMPY\x01\x00v\x00", 10) +
                         "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" +
                         std::string(58, ' ') + "\n";
  EXPECT_EQ(npyHeader("f4", shape), expected);
  EXPECT_EQ(npyHeader("f4", shape).size(), 128u);
  int64_t one[] = {7};
  EXPECT_NE(npyHeader("b1", one).find("'|b1', 'fortran_order': False, 'shape': (7,), }"),
            std::string::npos);
  EXPECT_NE(npyHeader("V2", {}).find("'|V2', 'fortran_order': False, 'shape': (), }"),
            std::string::npos);
}

TEST(Npy, ReadsWhatItWrites) {
  int64_t shape[] = {2, 3};
  std::string header = npyHeader("i2", shape);
  std::vector<uint8_t> bytes(header.begin(), header.end());
  for (int i = 0; i < 12; ++i)
    bytes.push_back(uint8_t(i));
  Array array;
  std::string error;
  ASSERT_TRUE(parseNpy(bytes, array, error)) << error;
  EXPECT_EQ(array.descr, "i2");
  EXPECT_EQ(array.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(array.data.size(), 12u);
  EXPECT_EQ(array.data[11], 11);
}

TEST(Npy, ReadsVersionsOrdersAndEmptyArrays) {
  Array array;
  std::string error;
  for (int version : {1, 2, 3})
    EXPECT_TRUE(parseNpy(file("{'shape':(3,),'fortran_order':False,'descr':'<f8'}\n", 24, version),
                         array, error))
        << error;
  EXPECT_TRUE(
      parseNpy(file("{'descr': '>i1', 'fortran_order': False, 'shape': ()}", 1), array, error))
      << "one byte has no order: " << error;
  EXPECT_TRUE(parseNpy(file("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 0, "
                            "1099511627776), }",
                            0),
                       array, error))
      << error;
}

TEST(Npy, BadFilesAreErrors) {
  EXPECT_EQ(parseError({}), "is not a .npy file");
  EXPECT_EQ(parseError(file("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", 16)),
            "is in Fortran order; only C order is read: convert it with "
            "numpy.ascontiguousarray(a)");
  EXPECT_EQ(parseError(file("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", 8)),
            "is big-endian (>f4); only little-endian files are read: convert it with "
            "a.astype(a.dtype.newbyteorder('<'))");
  EXPECT_EQ(parseError(file("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", 8)),
            "has elements of the unsupported type 'O'");
  EXPECT_EQ(parseError(file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", 8)),
            "holds records, not plain elements");
  EXPECT_EQ(parseError(file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 7)),
            "is truncated: it has 7 bytes of data where its shape [2] needs 8");
  EXPECT_EQ(parseError(file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 9)),
            "is too long: it has 9 bytes of data where its shape [2] needs 8");
  EXPECT_EQ(parseError(file("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, "
                            "1000000000), }",
                            9)),
            "has the absurd shape [1000000000, 1000000000]");
  const char *malformed = "has a malformed .npy header";
  for (const char *header :
       {"", "{", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
        "{'descr: '<f4', 'fortran_order': False, 'shape': (2,)}"})
    EXPECT_EQ(parseError(file(header, 8)), malformed) << header;
  std::vector<uint8_t> good = file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8);
  for (size_t size = 0; size < good.size(); ++size)
    parseError({good.begin(), good.begin() + size});
  good[6] = 9;
  EXPECT_EQ(parseError(good), "has the unknown .npy version 9");

  Array array;
  std::string error;
  EXPECT_FALSE(readNpy("/nonexistent.npy", array, error));
  EXPECT_EQ(error, "/nonexistent.npy: cannot read the file: No such file or directory");
  EXPECT_FALSE(readNpy("/tmp", array, error));
  EXPECT_EQ(error, "/tmp: cannot read the file: it is not a regular file");
}

TEST(Npy, DescrsThatFitATypeNumpyLacks) {
  const image::ElementType &bf16 = *image::findElementType("bf16");
  EXPECT_TRUE(descrFits("V2", bf16));
  EXPECT_TRUE(descrFits("u2", bf16));
  EXPECT_FALSE(descrFits("f2", bf16));
  EXPECT_TRUE(descrFits("u1", *image::findElementType("f8e5m2")));
  EXPECT_TRUE(descrFits("i1", *image::findElementType("i4")));
  EXPECT_FALSE(descrFits("u2", *image::findElementType("i16")));
}
