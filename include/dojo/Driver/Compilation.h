// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One compilation, from a model or IR file down to an image: what dojo-compile does, for every tool
// that starts from a model. Functions print what is wrong and return a status of Options.h.

#ifndef DOJO_DRIVER_COMPILATION_H
#define DOJO_DRIVER_COMPILATION_H

#include "dojo/Driver/Options.h"
#include "dojo/Image/Image.h"
#include "dojo/Import/ONNX.h"
#include "dojo/Pipelines/Pipelines.h"
#include "mlir/IR/MLIRContext.h"
#include <memory>

namespace dojo::driver {

class Diagnostics;

class Compilation {
public:
  /// `options` must outlive the compilation.
  explicit Compilation(const Options &options);
  /// Removes the side file of constants unless it was kept.
  ~Compilation();

  /// Checks the machine and reads the input: the import form of a model, or the module of an IR
  /// file. What cannot be imported goes to stderr and to the report, if one is wanted.
  int load();
  mlir::ModuleOp module() { return *ir; }

  /// Runs the passes from the module's level to `level`; none if it is there already.
  int lowerTo(mlir::dojo::Level level);

  /// Runs all passes and writes to the report, if one is wanted, what they find unsupported.
  int check();

  /// The image of a module at level d1, checked unless --verify=false. If there is more code than
  /// room was kept for and the options do not say how much to keep, starts again from the input;
  /// module() is another one then.
  int buildImage(image::Image &image);

  /// IR names its constants by the side file OUTPUT.consts: leaves that file in place.
  void keepConstants() { constantsKept = true; }

private:
  int writeReasons();

  const Options &options;
  std::unique_ptr<mlir::MLIRContext> context;
  std::unique_ptr<Diagnostics> diagnostics;
  mlir::dojo::ImportReport imported;
  mlir::OwningOpRef<mlir::ModuleOp> ir;
  std::optional<int64_t> codeBytes; ///< to keep for code; the default of the pipeline if absent
  std::string constants;            ///< the side file; empty if there is none
  bool constantsKept = false;
};

/// Writes aside and renames, so that nothing half-written is left. False with `error`.
bool writeText(const std::string &path, llvm::function_ref<void(llvm::raw_ostream &)> write,
               std::string &error);

} // namespace dojo::driver

#endif // DOJO_DRIVER_COMPILATION_H
