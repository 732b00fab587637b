// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From an ONNX file to the import form: one func.func @main on static tensors made of linalg,
// tensor, arith, math and dojo.weight ops, each located by the name of its ONNX node.

#ifndef DOJO_IMPORT_ONNX_H
#define DOJO_IMPORT_ONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/JSON.h"
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mlir::dojo {

enum class VersionConversion { Never, WhereNeeded, Always };

struct ImportOptions {
  /// Dimensions of graph inputs by name. An empty list is a scalar; 0 is a legal dimension.
  /// Symbolic dimensions of the model take the value they get here, in every input that has them.
  std::vector<std::pair<std::string, std::vector<int64_t>>> shapes;
  /// Symbolic dimensions by name, as `shapes` bind them through the inputs that have them.
  std::vector<std::pair<std::string, int64_t>> dims;
  /// Graph inputs bound at compile time to the contents of a .npy file; they are no longer
  /// arguments of @main.
  std::vector<std::pair<std::string, std::string>> constants;
  /// The file that takes every constant of more than 16 elements that is not raw data of the
  /// model or of its external data files. Each starts at a multiple of 64 bytes. The file is
  /// written aside and renamed at the end of a successful import; if there is nothing to write it
  /// is not made.
  std::string sideFile;
  /// When to convert the model to the newest opset the ONNX library knows, if it has adapters for
  /// all its nodes. By default only if a node has a form that the importer does not read while it
  /// reads the newest one of that op: conversion renames values. Models with ops whose adapters
  /// change results are never converted.
  VersionConversion conversion = VersionConversion::WhereNeeded;
  /// Computes doubles in float32. They are doubles only where they enter and leave the program;
  /// else arithmetic on them is not supported.
  bool demoteDoubles = false;
};

/// Why something cannot be compiled.
enum class Category {
  Op,                 ///< an op, or a form of it, that the importer does not lower
  DataDependentShape, ///< a shape, or how much of an op is to be done, is known only at run time
  Type,               ///< an element type, or a value that is not a tensor
  Decoder,            ///< compressed images
  TooLarge            ///< it does not fit on the machine
};
/// "op", "data-dependent shape", "type", "decoder", "too large".
llvm::StringRef toString(Category category);

/// A node that cannot be imported.
struct UnsupportedNode {
  std::string name; ///< of the node, or Op_index if it has none
  std::string op;
  std::string domain; ///< "ai.onnx" for the default one
  int64_t since = 0;  ///< the opset version that defined this form of the op, 0 if unknown
  std::vector<std::string> inputs; ///< types such as "float[1,3,224,224]"
  std::vector<std::string> outputs;
  std::vector<std::string> attributes; ///< such as "kernel_shape=[3,3]"
  std::string reason;
  Category category = Category::Op;
  std::string suggestion; ///< the nearest form that could be compiled, empty if none is known
};

/// What was found in one run. The import succeeded if there are neither errors nor unsupported
/// nodes.
struct ImportReport {
  std::vector<std::string> errors;
  std::vector<UnsupportedNode> unsupported;
  /// Categories of those errors that are limits of the compiler and no mistakes of the user.
  std::set<Category> limits;

  /// Adds an error that is such a limit.
  void refuse(Category category, std::string error) {
    limits.insert(category);
    errors.push_back(std::move(error));
  }

  bool ok() const { return errors.empty() && unsupported.empty(); }
  /// One paragraph per finding, each line ended; empty if the import succeeded.
  std::string text() const;
  /// {"errors": [...], "unsupported": [{"node", "op", "domain", "since_version", "inputs",
  /// "outputs", "attributes", "reason", "category", "suggestion"}], "categories": [...]}, the last
  /// one of nodes and limits together
  llvm::json::Value json() const;
};

/// An op in the forms that versions first..last of its domain's opset define.
struct ReadOp {
  std::string domain; ///< "ai.onnx" for the default one
  std::string op;
  int first, last;
};

/// Everything that the importer lowers itself, sorted. Other ops are read if ONNX defines them by
/// a function body of such ops.
std::vector<ReadOp> readOps();

/// Loads the dialects of the import form into `context` and imports the model at `path`.
/// Arguments and results of @main carry dojo.name (the ONNX name) and dojo.type (the element type:
/// "f32", "i64", "u8", "bool"...; MLIR's own type does not tell signed from unsigned).
/// The op that makes a value of the ONNX graph carries dojo.value, the name of that value.
/// On failure the result is null, `report` says why, and no file has been written.
OwningOpRef<ModuleOp> importOnnx(MLIRContext &context, llvm::StringRef path,
                                 const ImportOptions &options, ImportReport &report);

} // namespace mlir::dojo

#endif // DOJO_IMPORT_ONNX_H
