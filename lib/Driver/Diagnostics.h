// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prints what passes say: errors in IR files with their line, others with their ONNX node.

#ifndef LIB_DRIVER_DIAGNOSTICS_H
#define LIB_DRIVER_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/SourceMgr.h"
#include <string>
#include <vector>

namespace dojo::driver {

class Diagnostics {
public:
  /// Handles the diagnostics of `context` from now on. What has no place in a file begins with
  /// `model`, the path of the input.
  Diagnostics(mlir::MLIRContext &context, llvm::StringRef model);

  /// Every error so far, without the place in an IR file.
  const std::vector<std::string> &errors() const { return messages; }

private:
  void print(mlir::Diagnostic &diagnostic);
  std::string textOf(mlir::Diagnostic &diagnostic) const;

  std::string model;
  llvm::SourceMgr sources;
  mlir::SourceMgrDiagnosticHandler inFiles;
  mlir::ScopedDiagnosticHandler handler; ///< before the other: handlers form a stack
  std::vector<std::string> messages;
};

} // namespace dojo::driver

#endif // LIB_DRIVER_DIAGNOSTICS_H
