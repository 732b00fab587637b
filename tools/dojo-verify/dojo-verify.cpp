// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dojo-verify: checks an image from its bytes. Status 0 if every check accepts, 1 for bad usage, 3
// if the file is no image, a check finds an error, or one cannot decide.

#include "dojo/Verify/Verify.h"

#include <cstdio>
#include <string>

static const char usage[] = R"(usage: dojo-verify [--stats] [--inputs] IMAGE.d1

Checks layouts, transfers and routes, instructions, and the order of all accesses to
memory of a compiled image. Prints a verdict for each and what was found.

  --stats   also print how much was looked at
  --inputs  also print for each graph input whether the code or a transfer reads it
)";

int main(int argc, char **argv) {
  std::string path;
  bool stats = false, inputs = false;
  for (int i = 1; i < argc; ++i) {
    std::string arg = argv[i];
    if (arg == "--help" || arg == "-h") {
      std::fputs(usage, stdout);
      return 0;
    }
    if (arg == "--stats") {
      stats = true;
    } else if (arg == "--inputs") {
      inputs = true;
    } else if (arg.starts_with("-") || !path.empty()) {
      std::fprintf(stderr, "dojo-verify: error: unexpected argument '%s'\n%s", argv[i], usage);
      return 1;
    } else {
      path = arg;
    }
  }
  if (path.empty()) {
    std::fprintf(stderr, "dojo-verify: error: no image given\n%s", usage);
    return 1;
  }

  dojo::image::Image image;
  std::string error;
  if (!dojo::image::readImage(path, image, error)) {
    std::fprintf(stderr, "dojo-verify: error: %s\n", error.c_str());
    return 3;
  }
  dojo::verify::Report report;
  dojo::verify::verifyImage(image, report);
  std::fputs(report.toString().c_str(), stdout);
  if (stats)
    std::fputs(report.statistics.toString().c_str(), stdout);
  for (size_t i = 0; inputs && i < image.inputs.size(); ++i)
    std::printf("input \"%s\": %s\n", image.inputs[i].name.c_str(),
                report.inputsRead.empty() ? "unknown"
                : report.inputsRead[i]    ? "read"
                                          : "not read");
  return report.verdict() == dojo::verify::Verdict::Accept ? 0 : 3;
}
