// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dojo-bench: how fast the project's own parts are on this host.
#include "Marks.h"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>

using namespace dojo::bench;

namespace {

const char *const helpText =
    R"(usage: dojo-bench emulator [options] [IMAGE.d1 ...]

Times the emulator on the images, with random inputs, and on two programs of its own, beside kernels
of the host that do the same kinds of work. The ratio is a run's time over what the host's kernels
take for the same number of matrix steps, other instructions and packets. Of resnet50, ppocr-cls and
digits (names of files up to the first dot) a table says what must be and is aimed at.

  --repetitions N    rounds of all settings; of each its fastest run counts (default: 12)
  --plain            the plain engine in place of the fast one
  --gate MARKS.json  time what the file has marks for, up to three times, and fail if a ratio is
                     above its mark
  --json FILE.json   write the figures; with --gate those of the last time
  --help             this text

Status: 0 ok, 1 usage, 2 a mark is exceeded, 3 image is bad or faults.
)";

int usage(const std::string &error) {
  std::fprintf(stderr, "dojo-bench: error: %s\n", error.c_str());
  return 1;
}

} // namespace

int main(int argc, char **argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  EmulatorOptions options;
  std::string jsonFile, gateFile;
  bool named = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string &a = arguments[i];
    if (a == "--help" || a == "-h") {
      std::fputs(helpText, stdout);
      return 0;
    }
    if (a == "--plain") {
      options.plain = true;
      continue;
    }
    if (a == "--json" || a == "--gate" || a == "--repetitions") {
      if (++i == arguments.size())
        return usage(a + " needs a value");
      const std::string &value = arguments[i];
      if (a != "--repetitions") {
        (a == "--json" ? jsonFile : gateFile) = value;
        continue;
      }
      auto [end, code] =
          std::from_chars(value.data(), value.data() + value.size(), options.repetitions);
      if (code != std::errc() || end != value.data() + value.size() || options.repetitions < 1 ||
          options.repetitions > 1000)
        return usage("--repetitions needs a number from 1 to 1000, not '" + value + "'");
    } else if (a.starts_with("-")) {
      return usage("unknown option '" + a + "'");
    } else if (!named) {
      if (a != "emulator")
        return usage("there is no benchmark '" + a + "'; there is emulator");
      named = true;
    } else {
      options.images.push_back(a);
    }
  }
  if (!named)
    return usage("what to time is missing; there is emulator");

  Results results;
  Marks marks;
  std::string error, report;
  bool met = true;
  if (!gateFile.empty() && !readMarks(gateFile, marks, error))
    return usage(error);
  bool good = gateFile.empty() ? measureLoads(options, results.loads, error) &&
                                     measureEmulator(options, results, error)
                               : holdToMarks(options, marks, results, met, report, error);
  if (!good) {
    std::fprintf(stderr, "dojo-bench: error: %s\n", error.c_str());
    return 3;
  }
  std::fputs((table(results) + (report.empty() ? "" : "\n" + report)).c_str(), stdout);
  if (!jsonFile.empty()) {
    std::ofstream file(jsonFile);
    file << json(results);
    if (!file.flush())
      return usage("cannot write '" + jsonFile + "'");
  }
  return met ? 0 : 2;
}
