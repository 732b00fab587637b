// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dojo-tblgen: from the instruction records in dialects/D1 to tables, dispatch and manual. The
// generators register themselves.

#include "llvm/Support/CommandLine.h"
#include "llvm/TableGen/Main.h"

int main(int argc, char **argv) {
  llvm::cl::ParseCommandLineOptions(argc, argv, "generators over the D1 instruction records\n");
  return llvm::TableGenMain(argv[0], llvm::MultiFileTableGenMainFn());
}
