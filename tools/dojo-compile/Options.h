// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TOOLS_DOJO_COMPILE_OPTIONS_H
#define TOOLS_DOJO_COMPILE_OPTIONS_H

#include "dojo/Import/ONNX.h"
#include "dojo/Pipelines/Pipelines.h"
#include <string>
#include <vector>

namespace dojo::tool {

enum class Emit { Import, Placed, Mesh, D1, Asm, Image };

struct Options {
  std::string input, output, report;
  std::vector<std::pair<std::string, std::vector<int64_t>>> shapes;
  std::vector<std::pair<std::string, std::string>> constants;
  std::string precision, store, target, nodes;
  std::vector<std::string> dead; ///< "row:column"
  unsigned optLevel = 2;
  Emit emit = Emit::Image;
  bool plan = false, check = false, verify = true, timing = false;
};

/// Parses the command line; prints what is wrong and ends with status 1 if it makes no sense.
Options parseOptions(int argc, char **argv);

} // namespace dojo::tool

#endif // TOOLS_DOJO_COMPILE_OPTIONS_H
