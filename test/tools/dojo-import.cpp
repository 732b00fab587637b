// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prints the import form of an ONNX model. Status 0, 1 for wrong usage, 2 if the model cannot be
// imported.

#include "Bindings.h"
#include "dojo/Import/ONNX.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using mlir::dojo::VersionConversion;

static cl::opt<std::string> model(cl::Positional, cl::desc("MODEL.onnx"), cl::Required);
static cl::opt<std::string> output("o", cl::desc("Output file, - for stdout"),
                                   cl::value_desc("FILE.mlir"), cl::init("-"));
static cl::list<std::string> shapes("shape", cl::desc("Dimensions of an input"),
                                    cl::value_desc("NAME=1x3x224x224"));
static cl::list<std::string> dims("dim", cl::desc("Value of a symbolic dimension"),
                                  cl::value_desc("NAME=N"));
static cl::list<std::string> constants("const", cl::desc("Bind an input at compile time"),
                                       cl::value_desc("NAME=FILE.npy"));
static cl::opt<std::string> sideFile("side-file",
                                     cl::desc("File for computed constants (default: OUT.consts)"),
                                     cl::value_desc("FILE"));
static cl::opt<VersionConversion> conversion(
    "version-conversion", cl::desc("When to convert the model to the newest opset:"),
    cl::init(VersionConversion::WhereNeeded),
    cl::values(clEnumValN(VersionConversion::Never, "never", "read each node in its own version"),
               clEnumValN(VersionConversion::WhereNeeded, "needed",
                          "if a node has a form that is not read (default)"),
               clEnumValN(VersionConversion::Always, "always", "wherever there are adapters")));
static cl::opt<bool> check("check", cl::desc("List everything unsupported and stop"));
static cl::opt<std::string> report("report", cl::desc("Write what is unsupported as JSON"),
                                   cl::value_desc("FILE.json"));

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "Prints the import form of an ONNX model\n");

  mlir::dojo::ImportOptions options;
  options.conversion = conversion;
  std::string error;
  if (!mlir::dojo::parseBindings(shapes, dims, constants, options, error)) {
    errs() << "error: " << error << '\n';
    return 1;
  }
  options.sideFile = sideFile.empty() && output != "-" ? output + ".consts" : sideFile;

  mlir::MLIRContext context;
  mlir::dojo::ImportReport found;
  auto module = mlir::dojo::importOnnx(context, model, options, found);
  if (!report.empty())
    if (Error failed = writeToOutput(report, [&](raw_ostream &os) {
          os << formatv("{0:2}\n", found.json());
          return Error::success();
        })) {
      errs() << "error: cannot write '" << report << "': " << toString(std::move(failed)) << '\n';
      return 1;
    }
  if (!module) {
    errs() << found.text();
    return 2;
  }
  if (check)
    return 0;
  mlir::OpPrintingFlags flags;
  flags.enableDebugInfo(true, /*prettyForm=*/false).useLocalScope();
  if (Error failed = writeToOutput(output, [&](raw_ostream &os) {
        module->print(os, flags);
        return Error::success();
      })) {
    errs() << "error: cannot write '" << output << "': " << toString(std::move(failed)) << '\n';
    return 1;
  }
  return 0;
}
