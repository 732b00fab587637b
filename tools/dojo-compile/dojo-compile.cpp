// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler driver, see dojo-compile --help.
// Status: 0 done, 1 usage, 2 the model cannot be compiled.

#include "Options.h"
#include "Report.h"
#include "dojo/Assembler/Assembler.h"
#include "dojo/Conversion/ImageWriter.h"
#include "dojo/Conversion/Machine.h"
#include "dojo/Image/Image.h"
#include "dojo/Pipelines/Pipelines.h"
#include "dojo/Pipelines/Registration.h"
#include "dojo/Verify/Verify.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include <sstream>

using namespace mlir;
using namespace mlir::dojo;
using namespace ::dojo::tool;

namespace {
enum Status { done = 0, usage = 1, badModel = 2 };

int fail(int status, const Twine &message) {
  llvm::errs() << "dojo-compile: " << message << "\n";
  return status;
}

/// Writes aside and renames, so that nothing half-written is left.
bool writeText(const std::string &path, llvm::function_ref<void(llvm::raw_ostream &)> write,
               std::string &error) {
  std::string temporary = path + ".tmp";
  {
    std::error_code code;
    llvm::raw_fd_ostream os(temporary, code);
    if (!code)
      write(os);
    os.close();
    if (code || os.has_error()) {
      error = "cannot write '" + path + "': " + (code ? code : os.error()).message();
      os.clear_error();
      llvm::sys::fs::remove(temporary);
      return false;
    }
  }
  if (std::error_code code = llvm::sys::fs::rename(temporary, path)) {
    error = "cannot write '" + path + "': " + code.message();
    llvm::sys::fs::remove(temporary);
    return false;
  }
  return true;
}

/// The import form of the model, or the module of an IR file. Null after a message.
OwningOpRef<ModuleOp> load(MLIRContext &context, const Options &options, ImportReport &report) {
  if (llvm::sys::path::extension(options.input) == ".mlir")
    return parseSourceFile<ModuleOp>(options.input, ParserConfig(&context));
  ImportOptions import;
  import.shapes = options.shapes;
  import.constants = options.constants;
  import.sideFile = (options.output.empty() ? options.input : options.output) + ".consts";
  return importOnnx(context, options.input, import, report);
}

Level lastLevel(Emit emit) {
  switch (emit) {
  case Emit::Import:
    return Level::Import;
  case Emit::Placed:
    return Level::Placed;
  case Emit::Mesh:
    return Level::Mesh;
  default:
    return Level::D1;
  }
}

int emitImage(ModuleOp module, const Options &options) {
  ::dojo::image::Image image;
  if (failed(buildImage(module, image)))
    return badModel;
  if (options.verify) {
    ::dojo::verify::Report report;
    ::dojo::verify::verifyImage(image, report);
    if (report.verdict() != ::dojo::verify::Verdict::Accept)
      return fail(badModel, "the image failed its own check:\n" + report.toString());
  }
  std::string error;
  if (options.emit == Emit::Asm) {
    std::ostringstream text;
    ::dojo::assembler::print(image, {}, text);
    return writeText(
               options.output, [&](llvm::raw_ostream &os) { os << text.str(); }, error)
               ? done
               : fail(usage, error);
  }
  if (!::dojo::image::writeImage(image, options.output, error))
    return fail(usage, error);
  return done;
}
} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  Options options = parseOptions(argc, argv);
  ::dojo::Target machine;
  std::string error;
  if (!loadMachine(options.target, options.nodes, options.dead, machine, error))
    return fail(usage, error);
  if (!llvm::sys::fs::exists(options.input))
    return fail(badModel, "'" + options.input + "' does not exist");

  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler handler(sources, &context, llvm::errs());
  ImportReport imported;
  OwningOpRef<ModuleOp> module = load(context, options, imported);
  if (options.check || !imported.ok() || !module) {
    llvm::errs() << imported.text();
    if (!options.report.empty() &&
        !writeText(
            options.report,
            [&](llvm::raw_ostream &os) { os << llvm::formatv("{0:2}\n", imported.json()); }, error))
      return fail(usage, error);
    if (!imported.ok() || !module)
      return badModel;
  }
  std::string constants = options.output + ".consts";
  auto finish = [&](int status) {
    // An image holds its constants; only IR still needs the side file.
    if (options.emit == Emit::Image || options.plan || options.check || status != done)
      if (!options.output.empty())
        llvm::sys::fs::remove(constants);
    return status;
  };

  PipelineOptions pipeline;
  pipeline.precision = options.precision;
  pipeline.store = options.store;
  pipeline.target = options.target;
  pipeline.nodes = options.nodes;
  for (const std::string &position : options.dead)
    pipeline.dead.push_back(position);
  pipeline.optLevel = options.optLevel;
  Level last = options.plan || options.check ? Level::Placed : lastLevel(options.emit);
  PassManager pm(&context);
  if (options.timing)
    pm.enableTiming();
  for (int level = int(levelOf(*module)) + 1; level <= int(last); ++level)
    addPassesTo(Level(level), pm, pipeline);
  if (failed(pm.run(*module)))
    return finish(badModel);
  if (options.check)
    return finish(done);
  if (!options.report.empty() && last >= Level::Placed &&
      !writeText(options.report, [&](llvm::raw_ostream &os) { printReport(os, *module); }, error))
    return finish(fail(usage, error));
  if (options.plan) {
    printPlan(llvm::outs(), *module);
    return finish(done);
  }
  if (options.emit == Emit::Image || options.emit == Emit::Asm)
    return finish(emitImage(*module, options));
  if (!writeText(
          options.output,
          [&](llvm::raw_ostream &os) {
            module->print(os, OpPrintingFlags().enableDebugInfo(true, false));
          },
          error))
    return finish(fail(usage, error));
  return finish(done);
}
