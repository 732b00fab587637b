// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dojo-bench: how fast the project's own parts are on this host.
#include "Emulator.h"

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
take for the same number of matrix steps, other instructions and packets.

  --repetitions N    runs of each setting, of which the fastest counts (default: 3)
  --plain            the plain engine in place of the fast one
  --json FILE.json   write the figures
  --help             this text

Status: 0 ok, 1 usage, 3 image is bad or faults.
)";

int usage(const std::string &error) {
  std::fprintf(stderr, "dojo-bench: error: %s\n", error.c_str());
  return 1;
}

} // namespace

int main(int argc, char **argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  EmulatorOptions options;
  std::string jsonFile;
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
    if (a == "--json" || a == "--repetitions") {
      if (++i == arguments.size())
        return usage(a + " needs a value");
      const std::string &value = arguments[i];
      if (a == "--json") {
        jsonFile = value;
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
  std::string error;
  if (!measureEmulator(options, results, error)) {
    std::fprintf(stderr, "dojo-bench: error: %s\n", error.c_str());
    return 3;
  }
  std::fputs(table(results).c_str(), stdout);
  if (!jsonFile.empty()) {
    std::ofstream file(jsonFile);
    file << json(results);
    if (!file.flush())
      return usage("cannot write '" + jsonFile + "'");
  }
  return 0;
}
