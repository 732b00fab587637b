// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Driver/Compilation.h"

#include "Diagnostics.h"

#include "dojo/Conversion/ImageWriter.h"
#include "dojo/Conversion/Machine.h"
#include "dojo/Image/OutputFile.h"
#include "dojo/Pipelines/Registration.h"
#include "dojo/Verify/Verify.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include <cerrno>
#include <cstring>

using namespace mlir;
using namespace mlir::dojo;
using namespace ::dojo::driver;

bool ::dojo::driver::writeText(const std::string &path,
                               llvm::function_ref<void(llvm::raw_ostream &)> write,
                               std::string &error) {
  std::string temporary = ::dojo::temporaryFor(path);
  {
    std::error_code code;
    llvm::raw_fd_ostream os(temporary, code);
    if (!code)
      write(os);
    os.close();
    if (code || os.has_error()) {
      error = "cannot write '" + path + "': " + (code ? code : os.error()).message();
      os.clear_error();
      ::dojo::dropTemporary(temporary, path);
      return false;
    }
  }
  if (::dojo::keepTemporary(temporary, path))
    return true;
  error = "cannot write '" + path + "': " + std::strerror(errno);
  ::dojo::dropTemporary(temporary, path);
  return false;
}

Compilation::Compilation(const Options &options) : options(options), codeBytes(options.codeBytes) {
  DialectRegistry registry;
  registerDialects(registry);
  context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  diagnostics = std::make_unique<Diagnostics>(*context, options.input);
}

Compilation::~Compilation() {
  if (!constantsKept && !constants.empty())
    llvm::sys::fs::remove(constants);
}

int Compilation::load() {
  ::dojo::Target machine;
  std::string error;
  if (!loadMachine(options.target, options.nodes, options.dead, machine, error))
    return fail(Usage, error);
  if (!llvm::sys::fs::exists(options.input))
    return fail(BadModel, "'" + options.input + "' does not exist");
  if (llvm::sys::path::extension(options.input) == ".mlir") {
    ir = parseSourceFile<ModuleOp>(options.input, ParserConfig(context.get()));
  } else {
    ImportOptions import;
    import.shapes = options.shapes;
    import.dims = options.dims;
    import.constants = options.constants;
    import.demoteDoubles = options.demoteDoubles;
    if (options.output.empty()) {
      SmallString<128> path;
      if (std::error_code code = llvm::sys::fs::createTemporaryFile("dojo", "consts", path))
        return fail(Usage, "cannot make a temporary file for constants: " + code.message());
      constants = path.str();
    } else {
      // Only IR names the file. Any other output may stand beside that of IR.
      bool isIR = !options.plan && !options.check && options.emit < Emit::Asm;
      std::string process = std::to_string(llvm::sys::Process::getProcessId());
      constants = options.output + (isIR ? "" : "." + process) + ".consts";
    }
    import.sideFile = constants;
    ir = importOnnx(*context, options.input, import, imported);
    llvm::errs() << imported.text();
  }
  if (imported.ok() && ir)
    return Done;
  int status = writeReasons();
  return status ? status : BadModel;
}

/// Whether a pass found that a model needs more of the machine than there is.
static bool isTooLarge(StringRef error) {
  return error.contains("does not fit on the machine") ||
         error.contains("does not fit into the SRAM") ||
         error.contains("bytes more than the SRAM has left");
}

int Compilation::writeReasons() {
  if (options.report.empty())
    return Done;
  ImportReport all = imported;
  for (const std::string &error : diagnostics->errors())
    if (isTooLarge(error))
      all.refuse(Category::TooLarge, error);
    else
      all.errors.push_back(error);
  std::string error;
  auto print = [&](llvm::raw_ostream &os) { os << llvm::formatv("{0:2}\n", all.json()); };
  return writeText(options.report, print, error) ? Done : fail(Usage, error);
}

int Compilation::check() {
  if (int found = lowerTo(Level::D1))
    return found;
  return writeReasons();
}

int Compilation::lowerTo(Level level) {
  PipelineOptions pipeline;
  pipeline.precision = options.precision;
  pipeline.store = options.store;
  pipeline.target = options.target;
  pipeline.nodes = options.nodes;
  for (const std::string &position : options.dead)
    pipeline.dead.push_back(position);
  pipeline.optLevel = options.optLevel;
  if (codeBytes)
    pipeline.codeBytes = *codeBytes;
  PassManager passes(context.get());
  if (options.timing)
    passes.enableTiming();
  for (int next = int(levelOf(*ir)) + 1; next <= int(level); ++next)
    addPassesTo(Level(next), passes, pipeline);
  if (succeeded(passes.run(*ir)))
    return Done;
  int status = writeReasons();
  return status ? status : BadModel;
}

int Compilation::buildImage(image::Image &image) {
  ::dojo::verify::Intent intent;
  auto build = [&](int64_t *codeNeeded) {
    intent = {};
    image = {};
    return ::mlir::dojo::buildImage(*ir, image, options.verify ? &intent : nullptr, codeNeeded);
  };
  // How much code there is shows at the end only. Another allocation may make a little more of it.
  int64_t codeNeeded = 0;
  if (failed(build(options.codeBytes ? nullptr : &codeNeeded))) {
    if (codeNeeded == 0)
      return BadModel;
    codeBytes = llvm::alignTo(codeNeeded + codeNeeded / 64, 1024);
    int status = load();
    if (status == Done)
      status = lowerTo(Level::D1);
    if (status != Done)
      return status;
    if (failed(build(nullptr)))
      return BadModel;
  }
  if (!options.verify)
    return Done;
  ::dojo::verify::Report report;
  ::dojo::verify::verifyCompiled(image, intent, report);
  if (report.verdict() != ::dojo::verify::Verdict::Accept)
    return fail(BadModel, "the image failed its own check:\n" + report.toString());
  return Done;
}
