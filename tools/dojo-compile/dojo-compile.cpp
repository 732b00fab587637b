// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler, see dojo-compile --help.
// Status: 0 done, 1 usage, 2 the model cannot be compiled.

#include "Report.h"
#include "dojo/Assembler/Assembler.h"
#include "dojo/Driver/Compilation.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <sstream>

using namespace mlir;
using namespace mlir::dojo;
using namespace ::dojo::driver;

static Level lastLevel(const Options &options) {
  if (options.plan)
    return Level::Placed;
  switch (options.emit) {
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

static int write(const Options &options, llvm::function_ref<void(llvm::raw_ostream &)> print) {
  std::string error;
  return writeText(options.output, print, error) ? Done : fail(Usage, error);
}

static int emitImage(Compilation &compilation, const Options &options) {
  ::dojo::image::Image image;
  if (int status = compilation.buildImage(image))
    return status;
  if (options.emit == Emit::Asm) {
    std::ostringstream text;
    ::dojo::assembler::print(image, {.data = true, .description = true}, text);
    return write(options, [&](llvm::raw_ostream &os) { os << text.str(); });
  }
  std::string error;
  return ::dojo::image::writeImage(image, options.output, error) ? Done : fail(Usage, error);
}

/// Makes an image of assembly, as dojo-as does.
static int assemble(const Options &options) {
  if (options.plan || options.check || options.emit != Emit::Image)
    return fail(Usage, "assembly becomes an image and nothing else");
  auto source = llvm::MemoryBuffer::getFile(options.input);
  if (!source)
    return fail(BadModel, "cannot read '" + options.input + "': " + source.getError().message());
  ::dojo::image::Image image;
  std::vector<::dojo::assembler::Error> errors;
  if (!::dojo::assembler::assemble((*source)->getBuffer(), image, errors)) {
    for (const ::dojo::assembler::Error &e : errors)
      llvm::errs() << options.input << (e.line ? ":" + std::to_string(e.line) : "")
                   << ": error: " << e.message << "\n";
    return BadModel;
  }
  std::string error;
  return ::dojo::image::writeImage(image, options.output, error) ? Done : fail(Usage, error);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  Options options =
      parseOptions(argc, argv,
                   "Compiles an ONNX model, or IR of any level, to machine code of the D1 chip.\n\n"
                   "  dojo-compile model.onnx -o model.d1 && dojo-run model.d1 --input x=x.npy\n");
  if (options.listOps) {
    for (const ReadOp &op : readOps())
      llvm::outs() << op.domain << " " << op.op << " " << op.first << " " << op.last << "\n";
    return Done;
  }
  if (options.output.empty() && !options.plan && !options.check)
    return fail(Usage, "no output given; say where the result goes with -o");
  if (llvm::sys::path::extension(options.input) == ".s")
    return assemble(options);
  Compilation compilation(options);
  if (int status = compilation.load())
    return status;
  if (options.check)
    return compilation.check();
  ModuleOp module = compilation.module();
  Report report(options);
  Level last = lastLevel(options);
  for (Level level : {std::min(last, Level::Placed), last}) {
    if (int status = compilation.lowerTo(level))
      return status;
    report.read(module);
  }
  std::string error;
  auto printReport = [&](llvm::raw_ostream &os) { os << llvm::formatv("{0:2}\n", report.json()); };
  if (!options.report.empty() && !writeText(options.report, printReport, error))
    return fail(Usage, error);
  if (options.plan) {
    report.print(llvm::outs());
    return Done;
  }
  if (options.emit == Emit::Image || options.emit == Emit::Asm)
    return emitImage(compilation, options);
  int status = write(options, [&](llvm::raw_ostream &os) {
    module->print(os, OpPrintingFlags().enableDebugInfo(true, false));
  });
  if (status == Done)
    compilation.keepConstants();
  return status;
}
