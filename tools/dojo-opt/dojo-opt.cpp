// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs passes and named pipelines on IR from a file, see dojo-opt --help.

#include "dojo/Pipelines/Registration.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::dojo::registerDialects(registry);
  mlir::dojo::registerPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Compiler for the D1 chip: pass driver\n", registry));
}
