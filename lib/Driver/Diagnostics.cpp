// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Diagnostics.h"

#include "dojo/Transforms/NodeNames.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace ::dojo::driver;

/// The message with the names of its ONNX nodes in front; some messages name them themselves.
std::string Diagnostics::textOf(Diagnostic &diagnostic) const {
  std::string message = diagnostic.str(), text;
  SmallVector<StringAttr> names = mlir::dojo::getNodeNames(diagnostic.getLocation());
  llvm::erase_if(names, [&](StringAttr name) { return name == model; });
  if (names.empty() || StringRef(message).starts_with("ONNX node"))
    return message;
  llvm::raw_string_ostream os(text);
  os << "ONNX node ";
  llvm::interleaveComma(names, os, [&](StringAttr name) { os << "'" << name.getValue() << "'"; });
  os << ": " << message;
  return text;
}

Diagnostics::Diagnostics(MLIRContext &context, StringRef model)
    : model(model), inFiles(sources, &context, llvm::errs()),
      handler(&context, [this](Diagnostic &diagnostic) {
        print(diagnostic);
        return success();
      }) {
  context.printOpOnDiagnostic(false);
}

void Diagnostics::print(Diagnostic &diagnostic) {
  bool inFile = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>() != nullptr;
  if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
    messages.push_back(textOf(diagnostic));
  auto show = [&](Diagnostic &part, StringRef kind) {
    if (inFile)
      inFiles.emitDiagnostic(part.getLocation(), part.str(), part.getSeverity());
    else
      llvm::errs() << model << ": " << kind << ": "
                   << (&part == &diagnostic ? textOf(part) : part.str()) << "\n";
  };
  switch (diagnostic.getSeverity()) {
  case DiagnosticSeverity::Error:
    show(diagnostic, "error");
    break;
  case DiagnosticSeverity::Warning:
    show(diagnostic, "warning");
    break;
  default:
    show(diagnostic, "note");
  }
  for (Diagnostic &note : diagnostic.getNotes())
    show(note, "note");
}
