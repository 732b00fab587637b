// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "DoublingImage.h"

#include "dojo/Npy/Npy.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace dojo;
namespace fs = std::filesystem;

namespace {

std::string contents(const fs::path &path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class RunTool : public testing::Test {
protected:
  void SetUp() override {
    const testing::TestInfo *info = testing::UnitTest::GetInstance()->current_test_info();
    folder = fs::path(testing::TempDir()) /
             ("dojo_tool_" + std::string(info->name()) + "_" + std::to_string(getpid()));
    fs::create_directories(folder / "out");
    std::string error;
    ASSERT_TRUE(image::writeImage(doublingImage(), folder / "a.d1", error)) << error;
  }
  void TearDown() override { fs::remove_all(folder); }

  // Runs the tool in the folder; the standard streams end in `out` and `err`.
  int run(const std::string &arguments) {
    std::string command =
        "cd '" + folder.string() + "' && '" DOJO_RUN "' " + arguments + " >stdout.txt 2>stderr.txt";
    int status = std::system(command.c_str());
    out = contents(folder / "stdout.txt");
    err = contents(folder / "stderr.txt");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  size_t outputsLeft() { return std::distance(fs::directory_iterator(folder / "out"), {}); }

  void writeFloats(const char *name, const std::vector<int64_t> &shape, float first) {
    std::vector<float> values(std::accumulate(shape.begin(), shape.end(), 1ll, std::multiplies()));
    std::iota(values.begin(), values.end(), first);
    NpyArray array{"f4", shape, std::vector<uint8_t>(values.size() * 4)};
    std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
    std::string error;
    ASSERT_TRUE(writeNpy(folder / name, array, error)) << error;
  }
  // The values of an output file.
  std::vector<float> readFloats(const char *name, std::vector<int64_t> &shape) {
    NpyArray array;
    std::string error;
    EXPECT_TRUE(readNpy(folder / name, array, error)) << error;
    std::vector<float> values(array.bytes.size() / 4);
    std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
    shape = array.shape;
    return values;
  }

  fs::path folder;
  std::string out, err;
};

} // namespace

TEST_F(RunTool, RunsAnImage) {
  writeFloats("x.npy", {2, 16}, 1);
  ASSERT_EQ(run("a.d1 --input x=x.npy --input k=random:3 --output-dir out --stats stats.json"), 0)
      << err;
  std::vector<int64_t> shape;
  std::vector<float> y = readFloats("out/y_0.npy", shape);
  EXPECT_EQ(shape, (std::vector<int64_t>{2, 16}));
  for (size_t i = 0; i < y.size(); ++i)
    EXPECT_EQ(y[i], 2.0f * float(i + 1));
  EXPECT_NE(out.find("cycles"), std::string::npos) << out;

  image::Json stats = image::Json::parse(contents(folder / "stats.json"));
  for (const char *key :
       {"cycles", "instructions", "matmul_steps", "model_macs", "utilization", "wall_seconds",
        "load_seconds", "nodes_used", "sram_peak_bytes", "sram_lower_bound_bytes", "code_bytes",
        "table_bytes", "packets", "link_bytes", "target", "target_hash", "layers"})
    EXPECT_TRUE(stats.contains(key)) << key;
  EXPECT_EQ(stats["instructions"], 16);
  EXPECT_EQ(stats["nodes_used"], 2);
  EXPECT_EQ(stats["target"], "d1");
  EXPECT_EQ(stats["target_hash"].get<std::string>().size(), 64u);
  EXPECT_EQ(stats["outputs"]["y/0"], "out/y_0.npy");
  EXPECT_EQ(stats["layers"][0]["onnx"][0], "twice");
  EXPECT_EQ(stats["layers"][0]["emulated_cycles"], stats["cycles"]);
  EXPECT_EQ(stats["layers"][0]["estimated_cycles"], 30);

  ASSERT_EQ(run("a.d1 --input x=x.npy --input k=random:3 --timing off --stats stats.json"), 0)
      << err;
  stats = image::Json::parse(contents(folder / "stats.json"));
  EXPECT_TRUE(stats["cycles"].is_null());
  EXPECT_TRUE(stats["utilization"].is_null());
  EXPECT_TRUE(stats["layers"][0]["emulated_cycles"].is_null());
}

TEST_F(RunTool, SlicesRunInTurnAndStack) {
  writeFloats("x.npy", {3, 2, 16}, 0);
  ASSERT_EQ(run("a.d1 --input x=x.npy --input k=random:3 --output-dir out --stats s.json"), 0)
      << err;
  std::vector<int64_t> shape;
  std::vector<float> y = readFloats("out/y_0.npy", shape);
  EXPECT_EQ(shape, (std::vector<int64_t>{3, 2, 16}));
  ASSERT_EQ(y.size(), 96u);
  for (size_t i = 0; i < y.size(); ++i)
    EXPECT_EQ(y[i], 2.0f * float(i));
  EXPECT_EQ(image::Json::parse(contents(folder / "s.json"))["runs"], 3);
  NpyArray n;
  std::string error;
  ASSERT_TRUE(readNpy(folder / "out/n.npy", n, error)) << error;
  EXPECT_EQ(n.shape, (std::vector<int64_t>{3}));
  EXPECT_EQ(n.descr, "i8");
}

TEST_F(RunTool, AnyThreadsAndJitterGiveTheSameBytes) {
  ASSERT_EQ(run("a.d1 --input x=random:1 --input k=random:1 --output-dir out"), 0) << err;
  std::string first = contents(folder / "out/y_0.npy");
  for (const char *options : {"--threads 1", "--threads 3", "--jitter 5", "--timing off"}) {
    ASSERT_EQ(
        run(std::string("a.d1 --input x=random:1 --input k=random:1 --output-dir out ") + options),
        0)
        << err;
    EXPECT_EQ(contents(folder / "out/y_0.npy"), first) << options;
  }
}

TEST_F(RunTool, ExpectedOutputs) {
  writeFloats("x.npy", {2, 16}, 1);
  std::string common = "a.d1 --input x=x.npy --input k=random:3 --output-dir out ";
  ASSERT_EQ(run(common), 0) << err;
  fs::copy(folder / "out/y_0.npy", folder / "y.npy");
  EXPECT_EQ(run(common + "--expect y/0=y.npy"), 0) << out << err;
  EXPECT_NE(out.find("output 'y/0': relative L2 0, largest difference 0: as expected"),
            std::string::npos)
      << out;

  // x itself: half of the output, relative L2 distance 1.
  EXPECT_EQ(run(common + "--expect y/0=x.npy"), 5);
  EXPECT_NE(
      out.find("largest difference 32 at element 31 (64, expected 32): DIFFERS in 32 elements"),
      std::string::npos)
      << out;
  EXPECT_EQ(run(common + "--expect y/0=x.npy --max-rel-l2 0.99"), 5);
  EXPECT_EQ(outputsLeft(), 2u) << "outputs that differ are kept";
  EXPECT_EQ(run(common + "--expect y/0=x.npy --max-rel-l2 1.01"), 0);
  EXPECT_EQ(run(common + "--expect y/0=x.npy --rtol 1"), 0);
  EXPECT_EQ(run(common + "--expect y/0=x.npy --atol 31"), 5);
  EXPECT_EQ(run(common + "--expect y/0=x.npy --atol 32"), 0);
}

TEST_F(RunTool, UsageErrors) {
  EXPECT_EQ(run(""), 1);
  EXPECT_EQ(err, "dojo-run: error: there is no image\nTry dojo-run --help.\n");
  EXPECT_EQ(run("a.d1 --frob"), 1);
  EXPECT_EQ(run("--help"), 0);
  EXPECT_NE(out.find("usage: dojo-run IMAGE.d1"), std::string::npos);
  std::string common = "a.d1 --input x=random:1 --input k=random:1 ";
  EXPECT_EQ(run(common + "--output-dir /proc/none"), 1);
  EXPECT_EQ(err, "dojo-run: error: cannot write '/proc/none/y_0.npy': No such file or directory\n");
  EXPECT_EQ(run(common + "--output-dir out --stats none/s.json"), 1);
  EXPECT_EQ(err, "dojo-run: error: cannot write 'none/s.json': No such file or directory\n");
  EXPECT_EQ(outputsLeft(), 0u);
}

TEST_F(RunTool, TracesAndCountersOfNodes) {
  std::string common = "a.d1 --input x=random:1 --input k=random:1 ";
  ASSERT_EQ(run(common + "--output-dir out --stats plain.json"), 0) << err;
  std::string y = contents(folder / "out/y_0.npy");
  ASSERT_EQ(run(common + "--output-dir out --trace t1 --threads 1 --stats s.json --stats-nodes on"),
            0)
      << err;
  std::string trace = contents(folder / "t1");
  EXPECT_NE(out.find("trace 't1': "), std::string::npos) << out;
  EXPECT_NE(out.find(" events, " + std::to_string(trace.size()) + " bytes\n"), std::string::npos)
      << out;
  EXPECT_NE(trace.find("0 Add twice"), std::string::npos) << "the layer's name";
  EXPECT_EQ(contents(folder / "out/y_0.npy"), y);
  image::Json plain = image::Json::parse(contents(folder / "plain.json")),
              stats = image::Json::parse(contents(folder / "s.json"));
  EXPECT_EQ(stats["cycles"], plain["cycles"]);
  EXPECT_FALSE(plain.contains("nodes"));
  uint64_t issued = 0;
  for (const image::Json &node : stats["nodes"])
    for (const image::Json &thread : node["threads"]) {
      uint64_t cycles = 0;
      for (const image::Json &count : thread["cycles"])
        cycles += count.get<uint64_t>();
      EXPECT_EQ(cycles, stats["cycles"]) << node;
      for (const image::Json &count : thread["issued"])
        issued += count.get<uint64_t>();
    }
  EXPECT_EQ(issued, stats["instructions"]);

  ASSERT_EQ(run(common + "--trace t2 --threads 2"), 0) << err;
  EXPECT_TRUE(contents(folder / "t2") == trace);
  ASSERT_EQ(run(common + "--trace t3 --trace-nodes 1"), 0) << err;
  EXPECT_LT(contents(folder / "t3").size(), trace.size());
  EXPECT_EQ(run(common + "--trace t4 --trace-nodes 1,z"), 1);
  EXPECT_NE(err.find("'z' is neither"), std::string::npos) << err;
  EXPECT_EQ(run(common + "--trace none/t5"), 1);
  EXPECT_EQ(err, "dojo-run: error: cannot write 'none/t5': No such file or directory\n");
  EXPECT_EQ(run(common + "--trace t6 --max-cycles 8"), 4) << "a fault";
  EXPECT_NE(contents(folder / "t6").find("fault: watchdog"), std::string::npos);
  for (const auto &entry : fs::directory_iterator(folder))
    EXPECT_NE(entry.path().extension(), ".part");
}

TEST_F(RunTool, StopsAndDumps) {
  std::string common = "a.d1 --input x=random:1 --input k=random:1 --dump-registers 0-40 ";
  // Code comes in cycle 6; until then no thread has a register.
  ASSERT_EQ(run(common + "--until 4"), 0) << err;
  EXPECT_TRUE(out.starts_with("stopped after cycle 4\nthreads: 2 run, 0 wait, 0 send, ")) << out;
  EXPECT_NE(out.find("thread 0: runs at pc 0x"), std::string::npos) << out;
  EXPECT_EQ(out.find("    v"), std::string::npos) << out;
  ASSERT_EQ(run(common + "--until 14"), 0) << err;
  EXPECT_NE(out.find("    v"), std::string::npos) << out;
  std::string state = out;
  ASSERT_EQ(run(common + "--until 14 --engine plain --threads 2"), 0) << err;
  EXPECT_EQ(out, state);
  ASSERT_EQ(run(common + "--until 100000"), 0) << err;
  EXPECT_NE(out.find("cycles, "), std::string::npos) << "the run ended before";
  EXPECT_EQ(out.find("stopped"), std::string::npos) << out;
  EXPECT_EQ(out.find("runs at"), std::string::npos) << out;

  common = "a.d1 --input x=random:1 --input k=random:1 ";
  ASSERT_EQ(run(common + "--dump-memory 0:0x0:20"), 0) << err;
  EXPECT_NE(out.find("node 0, memory\n  000000: "), std::string::npos) << out;
  EXPECT_NE(out.find("\n  000010: "), std::string::npos) << out;
  EXPECT_EQ(run(common + "--max-cycles 8 --dump-registers 0"), 4);
  EXPECT_NE(out.find("runs at pc"), std::string::npos) << "after a fault too: " << out;
  EXPECT_EQ(run(common + "--dump-memory 0:1"), 1);
  EXPECT_EQ(err, "dojo-run: error: --dump-memory needs NODE:ADDRESS:BYTES, not '0:1'\n");
  EXPECT_EQ(run(common + "--dump-memory 0:1310720:1"), 1);
  EXPECT_EQ(err, "dojo-run: error: --dump-memory 0:1310720:1 leaves the SRAM of 1310720 bytes\n");
  EXPECT_EQ(run(common + "--dump-memory 9999:0:1"), 1);
  EXPECT_EQ(err, "dojo-run: error: --dump-memory 9999:0:1: node 9999 is not usable on target d1\n");
}

TEST_F(RunTool, SnapshotsThatDoNotFit) {
  std::string common = "a.d1 --input x=random:1 --input k=random:1 ";
  std::string start = "dojo-run: error: ";
  auto refuses = [&](const std::string &arguments, int status, const std::string &message) {
    EXPECT_EQ(run(arguments), status) << arguments;
    EXPECT_TRUE(err.starts_with(start + message + "\n")) << err;
  };
  refuses(common + "--snapshot s", 1, "--snapshot needs --until, --break or --snapshot-every");
  refuses(common + "--snapshot-every 9", 1, "--snapshot-every needs --snapshot");
  refuses(common + "--snapshot s --snapshot-every 0", 1,
          "--snapshot-every needs a number of cycles, not '0'");
  refuses(common + "--snapshot s --snapshot-every 9 --timing off", 1,
          "--snapshot and --resume need --timing on");
  refuses(common + "--resume s", 1,
          "--resume goes without --input and --jitter: the snapshot has them");
  refuses("a.d1 --resume s --trace t", 1,
          "--resume goes without --trace, --stats-nodes and --check: they need the whole run");
  refuses(common + "--snapshot none/s --until 9", 1,
          "cannot write 'none/s': No such file or directory");
  refuses("a.d1 --resume none", 3, "none: cannot open the snapshot: No such file or directory");
  refuses("a.d1 --resume a.d1", 3, "a.d1: is no snapshot");
  writeFloats("two.npy", {2, 2, 16}, 0);
  refuses("a.d1 --input x=two.npy --input k=random:1 --snapshot s --until 9", 1,
          "--snapshot needs one run; the inputs have 2 slices");

  ASSERT_EQ(run(common + "--snapshot s --until 9"), 0) << err;
  EXPECT_TRUE(out.starts_with("stopped after cycle 9\n")) << out;
  ASSERT_EQ(run("a.d1 --resume s --output-dir out"), 0) << err;
  EXPECT_EQ(outputsLeft(), 2u);
  refuses("a.d1 --resume s --until 9", 1, "--until 9: the snapshot is of cycle 9");
  std::string good = contents(folder / "s");
  auto bad = [&](const std::string &text, const std::string &message) {
    std::ofstream(folder / "bad", std::ios::binary) << text;
    refuses("a.d1 --resume bad", 3, "bad: " + message);
  };
  bad(good.substr(0, 31), "is no snapshot");
  bad(good.substr(0, good.size() - 1), "the snapshot is cut off or damaged");
  bad(good + "x", "the snapshot is cut off or damaged");
  std::string text = good;
  text[8] = 5;
  bad(text, "is a snapshot of version 5; this program reads version 4");
  text = good;
  text[text.size() / 2] ^= 4;
  bad(text, "the checksum does not match: the snapshot is damaged");
  image::Image other = doublingImage();
  other.producer = "another";
  std::string error;
  ASSERT_TRUE(image::writeImage(other, folder / "b.d1", error)) << error;
  refuses("b.d1 --resume s", 3, "s: the snapshot is of another image");
  for (const auto &entry : fs::directory_iterator(folder))
    EXPECT_NE(entry.path().extension(), ".part");
}

TEST_F(RunTool, BadInputs) {
  EXPECT_EQ(run("none.d1"), 3);
  EXPECT_EQ(err, "dojo-run: error: none.d1: cannot open the image: No such file or directory\n");
  EXPECT_EQ(run("a.d1 --input x=random:1 --output-dir out"), 3);
  EXPECT_EQ(err, "dojo-run: error: input 'k' (i64 []) has no --input\n");
  EXPECT_EQ(run("a.d1 --input z=random:1"), 3);
  EXPECT_EQ(err, "dojo-run: error: the model has no input 'z'; it has 'x', 'k'\n");
  std::string text = contents(folder / "a.d1");
  std::ofstream(folder / "cut.d1", std::ios::binary) << text.substr(0, text.size() / 2);
  EXPECT_EQ(run("cut.d1"), 3);
  text[text.size() / 2] ^= 1;
  std::ofstream(folder / "flipped.d1", std::ios::binary) << text;
  EXPECT_EQ(run("flipped.d1"), 3);
  EXPECT_EQ(err, "dojo-run: error: flipped.d1: the checksum does not match: the file is damaged\n");
  EXPECT_EQ(outputsLeft(), 0u);

  image::Image clash = doublingImage();
  clash.outputs[1].name = "y:0";
  std::string error;
  ASSERT_TRUE(image::writeImage(clash, folder / "clash.d1", error)) << error;
  EXPECT_EQ(run("clash.d1 --input x=random:1 --input k=random:1 --output-dir out"), 3);
  EXPECT_EQ(err, "dojo-run: error: the outputs 'y/0' and 'y:0' would both be written to y_0.npy\n");
  EXPECT_EQ(run("clash.d1 --input x=random:1 --input k=random:1"), 0) << err;
}

TEST_F(RunTool, ErasedCodeIsAFaultOfTheMachine) {
  std::string text = contents(folder / "a.d1");
  image::Image image = doublingImage();
  auto at = std::search(text.begin(), text.end(), image.code.begin(), image.code.end(),
                        [](char a, uint8_t b) { return uint8_t(a) == b; });
  ASSERT_NE(at, text.end());
  std::fill(at, at + std::ptrdiff_t(image.code.size()), '\0');
  std::ofstream(folder / "erased.d1", std::ios::binary) << text;
  EXPECT_EQ(run("erased.d1 --input x=random:1 --input k=random:1 --output-dir out --stats s.json"),
            4);
  EXPECT_NE(err.find("undefined instruction"), std::string::npos) << err;
  EXPECT_EQ(outputsLeft(), 0u);
  EXPECT_FALSE(fs::exists(folder / "s.json"));
}
