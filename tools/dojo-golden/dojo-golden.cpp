// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds where a run on the emulated die leaves what MLIR's CPU lowering computes, see
// dojo-golden --help.

#include "Session.h"
#include "llvm/Support/InitLLVM.h"

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  return dojo::golden::runSession(dojo::golden::parseOptions(argc, argv));
}
