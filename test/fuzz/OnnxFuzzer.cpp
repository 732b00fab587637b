// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// libFuzzer target of the ONNX importer: any bytes are a model or an error.
#include "dojo/Import/ONNX.h"
#include "mlir/IR/MLIRContext.h"

#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

using namespace mlir::dojo;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  int file = memfd_create("model.onnx", 0);
  if (file < 0 || write(file, data, size) != ssize_t(size))
    std::abort();
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  ImportOptions options;
  options.sideFile = "/dev/null";
  ImportReport report;
  const bool imported = bool(importOnnx(context, path, options, report));
  if (imported != report.ok() || imported != report.text().empty())
    std::abort();
  (void)report.json();
  close(file);
  return 0;
}
