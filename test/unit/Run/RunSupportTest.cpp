// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dojo/Npy/Npy.h"
#include "tools/dojo-run/Compare.h"
#include "tools/dojo-run/Files.h"
#include "tools/dojo-run/Inputs.h"
#include "tools/dojo-run/NodeList.h"

#include <algorithm>
#include <cmath>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>

using namespace dojo;
using namespace dojo::run;

namespace {

class Folder : public testing::Test {
protected:
  void SetUp() override {
    const testing::TestInfo *info = testing::UnitTest::GetInstance()->current_test_info();
    folder = testing::TempDir() + "dojo_run_" + info->name() + "_" + std::to_string(getpid());
    std::filesystem::create_directory(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string file(const std::string &name, const std::string &descr,
                   const std::vector<int64_t> &shape, const std::vector<float> &values) {
    NpyArray array{descr, shape, std::vector<uint8_t>(values.size() * 4)};
    std::copy_n(reinterpret_cast<const uint8_t *>(values.data()), array.bytes.size(),
                array.bytes.begin());
    std::string error;
    EXPECT_TRUE(writeNpy(folder + "/" + name, array, error)) << error;
    return folder + "/" + name;
  }
  size_t filesLeft() { return std::distance(std::filesystem::directory_iterator(folder), {}); }

  std::string folder, error;
};

std::string optionsError(std::vector<std::string> arguments) {
  Options options;
  std::string error;
  EXPECT_FALSE(parseOptions(arguments, options, error));
  return error;
}

image::Image twoInputs() {
  image::Image image;
  image.inputs = {{"x", "f32", {2}, {2}, -1, 1, {}, -1, -1},
                  {"k", "i64", {}, {}, -1, 1, {}, -1, -1}};
  image.outputs = {{"y", "f32", {3}, {3}, -1, 1, {}, -1, -1}};
  return image;
}

} // namespace

TEST(RunOptions, NamesSplitAtTheLastEqualsSign) {
  Options o;
  std::string error;
  ASSERT_TRUE(parseOptions({"a.d1",        "--input",      "x=y=f.npy", "--input=z=random:3",
                            "--expect",    "y=e.npy",      "--rtol",    "1e-3",
                            "--threads=4", "--timing",     "on",        "--jitter",
                            "9",           "--max-cycles", "500",       "--engine",
                            "plain",       "--stats",      "s.json",    "--output-dir=out"},
                           o, error))
      << error;
  EXPECT_EQ(o.image, "a.d1");
  EXPECT_EQ(o.inputs[0].name, "x=y");
  EXPECT_EQ(o.inputs[0].value, "f.npy");
  EXPECT_EQ(o.inputs[1].value, "random:3");
  EXPECT_EQ(o.rtol, 1e-3);
  EXPECT_EQ(o.threads, 4u);
  EXPECT_EQ(o.jitter, 9u);
  EXPECT_EQ(o.maxCycles, 500u);
  EXPECT_TRUE(o.plain);
  EXPECT_EQ(o.outputDir, "out");
}

TEST(RunOptions, EachMistakeIsNamed) {
  EXPECT_EQ(optionsError({}), "there is no image");
  EXPECT_EQ(optionsError({"a", "b"}), "there are two images: 'a' and 'b'");
  EXPECT_EQ(optionsError({"a", "--frob"}), "unknown option '--frob'");
  EXPECT_EQ(optionsError({"a", "--input"}), "--input needs a value");
  EXPECT_EQ(optionsError({"a", "--input", "x"}), "--input needs NAME=FILE, not 'x'");
  EXPECT_EQ(optionsError({"a", "--input", "x=1", "--input", "x=2"}),
            "--input is given twice for 'x'");
  EXPECT_EQ(optionsError({"a", "--threads", "0"}),
            "--threads needs a number from 1 to 1024, not '0'");
  EXPECT_EQ(optionsError({"a", "--threads", "two"}),
            "--threads needs a number from 1 to 1024, not 'two'");
  EXPECT_EQ(optionsError({"a", "--timing", "maybe"}), "--timing needs on or off, not 'maybe'");
  EXPECT_EQ(optionsError({"a", "--engine", "x"}), "--engine needs fast or plain, not 'x'");
  EXPECT_EQ(optionsError({"a", "--jitter", "-1"}), "--jitter needs a number, not '-1'");
  EXPECT_EQ(optionsError({"a", "--max-cycles", "0"}),
            "--max-cycles needs a number from 1 on, not '0'");
  EXPECT_EQ(optionsError({"a", "--jitter", "1", "--timing", "off"}), "--jitter needs --timing on");
  EXPECT_EQ(optionsError({"a", "--rtol", "1"}), "a tolerance needs --expect");
  EXPECT_EQ(optionsError({"a", "--expect", "y=f", "--rtol", "-1"}),
            "--rtol needs a number that is not negative, not '-1'");
  EXPECT_EQ(optionsError({"a", "--expect", "y=f", "--rtol", "nan"}),
            "--rtol needs a number that is not negative, not 'nan'");
  EXPECT_EQ(optionsError({"a", "--expect", "y=f", "--rtol", "1", "--max-rel-l2", "1"}),
            "--max-rel-l2 does not go with --rtol and --atol");
  EXPECT_EQ(optionsError({"a", "--stats", ""}), "--stats needs a path");
  EXPECT_EQ(optionsError({"a", "--trace", ""}), "--trace needs a path");
  EXPECT_EQ(optionsError({"a", "--trace", "t", "--timing", "off"}), "--trace needs --timing on");
  EXPECT_EQ(optionsError({"a", "--trace-nodes", "1"}),
            "--trace-nodes and --trace-bytes need --trace");
  EXPECT_EQ(optionsError({"a", "--trace-bytes", "2000000"}),
            "--trace-nodes and --trace-bytes need --trace");
  EXPECT_EQ(optionsError({"a", "--trace", "t", "--trace-bytes", "1048575"}),
            "--trace-bytes needs a number from 1048576 on, not '1048575'");
  EXPECT_EQ(optionsError({"a", "--trace", "t", "--trace-nodes", ""}),
            "--trace-nodes needs a list of nodes");
  EXPECT_EQ(optionsError({"a", "--until", "0"}), "--until needs a cycle from 1 on, not '0'");
  EXPECT_EQ(optionsError({"a", "--until", "9", "--stats", "s"}),
            "--until needs --timing on and goes without --output-dir, --expect and --stats");
  EXPECT_EQ(optionsError({"a", "--dump-registers", ""}), "--dump-registers needs a list of nodes");
  EXPECT_EQ(optionsError({"a", "--stats-nodes", "on"}),
            "--stats-nodes needs --stats and --timing on");
  EXPECT_EQ(optionsError({"a", "--stats", "s", "--stats-nodes", "yes"}),
            "--stats-nodes needs on or off, not 'yes'");
}

TEST(RunNodeList, NumbersRangesAndBoxes) {
  Target target;
  std::string error;
  ASSERT_TRUE(loadTarget("d1", target, error)) << error;
  const auto columns = uint32_t(target.columns);
  auto nodes = [&](const std::string &text) {
    std::vector<uint32_t> list;
    EXPECT_TRUE(parseNodeList(text, target, list, error)) << error;
    return list;
  };
  using List = std::vector<uint32_t>;
  EXPECT_EQ(nodes("0,1,20-22"), (List{0, 1, 20, 21, 22}));
  EXPECT_EQ(nodes("3,1-3,0"), (List{0, 1, 2, 3}));
  EXPECT_EQ(nodes("1:2"), (List{columns + 2}));
  EXPECT_EQ(nodes("0:1-1:2"), (List{1, 2, columns + 1, columns + 2}));
  auto last = uint32_t(target.rows * target.columns - 1);
  EXPECT_EQ(int64_t(nodes("0-" + std::to_string(last)).size()), target.dieUsableNodes)
      << "nodes that are not usable are passed over";
  auto failure = [&](const std::string &text) {
    List list;
    EXPECT_FALSE(parseNodeList(text, target, list, error)) << text;
    return error;
  };
  EXPECT_EQ(
      failure("1,x"),
      "in the list of nodes '1,x': 'x' is neither N, N-M, ROW:COLUMN nor ROW:COLUMN-ROW:COLUMN");
  for (const char *text :
       {"", ",", "1-", "-1", "1:2-3", "1:2-3:", "0:0-", "1-2-3", "99999999999999999999"})
    failure(text);
  EXPECT_EQ(failure("5-4"), "in the list of nodes '5-4': '5-4' ends before it begins");
  EXPECT_EQ(failure(std::to_string(last + 1)),
            "in the list of nodes '360': '360' leaves the die of " + std::to_string(target.rows) +
                " rows and " + std::to_string(columns) + " columns");
  failure("0:" + std::to_string(columns));
}

TEST_F(Folder, InputsAreBoundAndSliced) {
  image::Image image = twoInputs();
  BoundInputs bound;
  std::string x = file("x.npy", "f4", {3, 2}, {1, 2, 3, 4, 5, 6});
  ASSERT_TRUE(bindInputs(image, {{"x", x}, {"k", "random:1"}}, bound, error)) << error;
  EXPECT_EQ(bound.runs(), 3);
  EXPECT_EQ(bound.inputs[0].slices, 3);
  EXPECT_EQ(bound.inputs[1].slices, -1);
  EXPECT_EQ(bound.inputs[1].bytes.size(), 8u);
  EXPECT_EQ(stackedShape(image.outputs[0], bound), (std::vector<int64_t>{3, 3}));

  bound = {};
  x = file("x.npy", "f4", {2}, {1, 2});
  ASSERT_TRUE(bindInputs(image, {{"x", x}, {"k", "random:1"}}, bound, error)) << error;
  EXPECT_EQ(bound.runs(), 1);
  EXPECT_EQ(stackedShape(image.outputs[0], bound), (std::vector<int64_t>{3}));
}

TEST_F(Folder, BadInputsAreNamed) {
  image::Image image = twoInputs();
  auto problem = [&](const std::vector<Binding> &bindings) {
    BoundInputs bound;
    EXPECT_FALSE(bindInputs(image, bindings, bound, error));
    return error;
  };
  EXPECT_EQ(problem({{"z", "random:1"}}), "the model has no input 'z'; it has 'x', 'k'");
  EXPECT_EQ(problem({{"x", "random:1"}}), "input 'k' (i64 []) has no --input");
  EXPECT_EQ(problem({{"x", "random:one"}}), "the seed in 'random:one' is not a number");
  std::string path = file("a.npy", "i4", {2}, {0, 0});
  EXPECT_EQ(problem({{"x", path}}), "'" + path +
                                        "' holds elements of the type 'i4'; input 'x' is f32, in "
                                        ".npy files 'f4'");
  path = file("a.npy", "f4", {3}, {0, 0, 0});
  EXPECT_EQ(problem({{"x", path}}),
            "'" + path + "' has the shape [3]; input 'x' has [2], or one more leading dimension");
  path = file("a.npy", "f4", {0, 2}, {});
  EXPECT_EQ(problem({{"x", path}}), "'" + path + "' has no slice to run: its shape is [0, 2]");
  path = file("a.npy", "f4", {1, 1, 2}, {0, 0});
  EXPECT_NE(problem({{"x", path}}).find("one more leading dimension"), std::string::npos);
  EXPECT_NE(problem({{"x", folder + "/none.npy"}}).find("No such file"), std::string::npos);

  image.inputs[1] = image.inputs[0];
  image.inputs[1].name = "k";
  std::string two = file("2.npy", "f4", {2, 2}, {0, 0, 0, 0}),
              one = file("1.npy", "f4", {1, 2}, {0, 0});
  EXPECT_EQ(problem({{"x", two}, {"k", one}}), "input 'k' has 1 slices, another input 2");
}

TEST_F(Folder, ExpectedOutputsMustFit) {
  image::Image image = twoInputs();
  BoundInputs bound;
  std::vector<Expected> expected;
  std::string path = file("y.npy", "f4", {3}, {1, 2, 3});
  ASSERT_TRUE(readExpected(image, {{"y", path}}, bound, expected, error)) << error;
  EXPECT_EQ(expected[0].values, (std::vector<double>{1, 2, 3}));
  image.outputs[0].type = "bf16";
  EXPECT_TRUE(readExpected(image, {{"y", path}}, bound, expected, error)) << "another float type";
  image.outputs[0].type = "i32";
  EXPECT_FALSE(readExpected(image, {{"y", path}}, bound, expected, error));
  EXPECT_EQ(error, "'" + path + "' holds elements of the type 'f4'; output 'y' is i32");
  image.outputs[0].type = "f32";
  bound.slices = 2;
  EXPECT_FALSE(readExpected(image, {{"y", path}}, bound, expected, error));
  EXPECT_EQ(error, "'" + path + "' has the shape [3]; output 'y' has [2, 3]");
  EXPECT_FALSE(readExpected(image, {{"z", path}}, bound, expected, error));
  EXPECT_EQ(error, "the model has no output 'z'; it has 'y'");
}

TEST(RunCompare, Tolerances) {
  const image::ElementType &f32 = *image::findElementType("f32");
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = NAN;
  auto run = [&](std::vector<float> output, std::vector<double> expected, Options options) {
    auto *bytes = reinterpret_cast<const uint8_t *>(output.data());
    return compare({bytes, output.size() * 4}, f32, expected, options);
  };
  Options exact, loose, norm;
  loose.rtol = 0.1, loose.atol = 0.5;
  norm.maxRelL2 = 0.1;

  EXPECT_TRUE(run({1, nan, inf}, {1, NAN, INFINITY}, exact).good);
  EXPECT_TRUE(run({}, {}, exact).good);
  Comparison c = run({1, 2.5, 4}, {1, 2, 3}, exact);
  EXPECT_FALSE(c.good);
  EXPECT_EQ(c.outside, 2);
  EXPECT_EQ(c.worst, 2);
  EXPECT_EQ(c.maxAbsolute, 1);
  EXPECT_DOUBLE_EQ(c.relL2, std::sqrt(1.25 / 14));

  EXPECT_TRUE(run({11.5}, {10}, loose).good) << "0.5 + 0.1 * 10 = 1.5";
  EXPECT_FALSE(run({11.6f}, {10}, loose).good);
  EXPECT_FALSE(run({1}, {INFINITY}, loose).good);
  EXPECT_FALSE(run({inf}, {1}, loose).good);
  EXPECT_FALSE(run({nan}, {1}, loose).good);

  EXPECT_TRUE(run({3, 4.4f}, {3, 4}, norm).good) << "0.4 / 5 = 0.08";
  EXPECT_FALSE(run({3, 4.6f}, {3, 4}, norm).good);
  EXPECT_FALSE(run({nan, 4}, {3, 4}, norm).good);
  EXPECT_FALSE(run({1}, {0}, norm).good);
  EXPECT_TRUE(run({0}, {0}, norm).good);
}

TEST(RunFiles, NamesAreSafeAndDistinct) {
  EXPECT_EQ(outputFileName("a/b:0 é.x-y_z"), "a_b_0___.x-y_z.npy");
  EXPECT_EQ(outputFileName("../up"), ".._up.npy");
  std::map<std::string, std::string> names;
  std::string error;
  image::Image image = twoInputs();
  image.outputs[0].name = "a/b";
  ASSERT_TRUE(outputFileNames(image.outputs, names, error));
  EXPECT_EQ(names["a/b"], "a_b.npy");
  image.outputs.push_back(image.outputs[0]);
  image.outputs[1].name = "a:b";
  EXPECT_FALSE(outputFileNames(image.outputs, names, error));
  EXPECT_EQ(error, "the outputs 'a/b' and 'a:b' would both be written to a_b.npy");
}

TEST_F(Folder, FilesAppearTogetherOrNotAtAll) {
  {
    FileSet files;
    ASSERT_EQ(files.add(folder + "/a", error), 0) << error;
    ASSERT_EQ(files.add(folder + "/b", error), 1) << error;
    ASSERT_TRUE(files.write(0, "one", error));
    EXPECT_FALSE(std::filesystem::exists(folder + "/a"));
    EXPECT_EQ(files.add(folder + "/none/c", error), -1);
    EXPECT_EQ(error, "cannot write '" + folder + "/none/c': No such file or directory");
  }
  EXPECT_EQ(filesLeft(), 0u);
  {
    FileSet files;
    std::filesystem::create_directory(folder + "/b");
    ASSERT_EQ(files.add(folder + "/a", error), 0);
    ASSERT_EQ(files.add(folder + "/b", error), 1);
    EXPECT_FALSE(files.commit(error)) << "b is a folder";
  }
  EXPECT_FALSE(std::filesystem::exists(folder + "/a"));
  EXPECT_EQ(filesLeft(), 1u);
  {
    FileSet files;
    ASSERT_EQ(files.add(folder + "/a", error), 0);
    ASSERT_TRUE(files.write(0, "one", error));
    ASSERT_TRUE(files.commit(error)) << error;
  }
  std::string text;
  std::ifstream(folder + "/a") >> text;
  EXPECT_EQ(text, "one");
}

/// The bytes that `write` puts into a pipe of that name, which stays one.
static std::string throughPipe(const std::string &path,
                               const std::function<bool(std::string &)> &write) {
  EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
  int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  std::string error, bytes(4096, '\0');
  EXPECT_TRUE(write(error)) << error;
  ssize_t size = read(reader, bytes.data(), bytes.size());
  close(reader);
  bytes.resize(std::max<ssize_t>(size, 0));
  EXPECT_TRUE(std::filesystem::is_fifo(path));
  return bytes;
}

using OutputFile = Folder;

TEST_F(OutputFile, WhatIsNoFileIsNotReplaced) {
  NpyArray array;
  array.descr = "u1";
  array.shape = {3};
  array.bytes = {1, 2, 3};
  std::string bytes = throughPipe(folder + "/array", [&](std::string &error) {
    return writeNpy(folder + "/array", array, error);
  });
  EXPECT_EQ(bytes.substr(1, 5), "NUMPY");
  bytes = throughPipe(folder + "/stats", [&](std::string &error) {
    FileSet set;
    int index = set.add(folder + "/stats", error);
    return index >= 0 && set.write(index, "{}", error) && set.commit(error);
  });
  EXPECT_EQ(bytes, "{}");
}
