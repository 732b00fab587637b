// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line that the compiling tools share.

#ifndef DOJO_DRIVER_OPTIONS_H
#define DOJO_DRIVER_OPTIONS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/CommandLine.h"
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dojo::driver {

/// Exit statuses of the tools.
enum Status {
  Done = 0,
  Usage = 1,
  BadModel = 2,
  BadInput = 3,
  MachineFault = 4,
  OutputsDiffer = 5
};

enum class Emit { Import, Placed, Mesh, D1, Asm, Image };

struct Options {
  std::string input, output, report;
  std::vector<std::pair<std::string, std::vector<int64_t>>> shapes;
  std::vector<std::pair<std::string, int64_t>> dims; ///< symbolic ones by name
  std::vector<std::pair<std::string, std::string>> constants;
  bool demoteDoubles = false;
  std::string precision, store, target, nodes;
  std::vector<std::string> dead; ///< "row:column"
  unsigned optLevel = 2;
  std::optional<int64_t> codeBytes; ///< of a node's SRAM, kept for code; absent: what it takes
  Emit emit = Emit::Image;
  bool plan = false, check = false, listOps = false, verify = true, timing = false;
};

/// Parses the command line: the options above and those a tool declared itself in `own`. Prints
/// what is wrong and ends with status 1 if it makes no sense. `overview` begins --help.
Options parseOptions(int argc, char **argv, llvm::StringRef overview,
                     llvm::ArrayRef<const llvm::cl::OptionCategory *> own = {});

/// Prints "TOOL: message" to stderr, TOOL being the name that `parseOptions` was called by.
/// Returns `status`.
int fail(int status, const llvm::Twine &message);

} // namespace dojo::driver

#endif // DOJO_DRIVER_OPTIONS_H
