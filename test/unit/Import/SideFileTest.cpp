// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/Import/ONNX/Files.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

using namespace mlir::dojo::onnximport;

namespace {

TEST(SideFile, ContentsAreAlignedAndKeptOnce) {
  std::string path = testing::TempDir() + "/side-file-test.consts";
  SideFile file(path);
  EXPECT_EQ(file.add(std::string(70, 'a')), 0u);
  EXPECT_EQ(file.add(std::string(10, 'b')), 128u); // 70 rounded up to a multiple of 64
  EXPECT_EQ(file.add(std::string(70, 'a')), 0u);
  EXPECT_EQ(file.add(std::string(1, 'c')), 192u);
  ASSERT_FALSE(bool(file.write()));
  auto written = llvm::MemoryBuffer::getFile(path);
  ASSERT_TRUE(bool(written));
  llvm::StringRef contents = (*written)->getBuffer();
  EXPECT_EQ(contents.size(), 193u);
  EXPECT_EQ(contents.substr(128, 10), std::string(10, 'b'));
  EXPECT_EQ(contents[192], 'c');
  llvm::sys::fs::remove(path);
}

TEST(SideFile, NothingAddedIsNoFile) {
  std::string path = testing::TempDir() + "/side-file-test.none";
  SideFile file(path);
  ASSERT_FALSE(bool(file.write()));
  EXPECT_FALSE(llvm::sys::fs::exists(path));
}

} // namespace
