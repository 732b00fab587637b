// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a file to a checked, ordered ONNX graph without local functions.

#ifndef DOJO_LIB_IMPORT_ONNX_MODEL_H
#define DOJO_LIB_IMPORT_ONNX_MODEL_H

#include "Files.h"
#include "dojo/Import/ONNX.h"
#include "onnx/onnx_pb.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"

namespace onnx {
class OpSchema;
} // namespace onnx

namespace mlir::dojo::onnximport {

/// Tells whether the importer lowers (domain, op) as defined in opset version `since`.
using LowersNode = llvm::function_ref<bool(llvm::StringRef domain, llvm::StringRef op, int since)>;

struct Model {
  std::string path;
  onnx::ModelProto proto;
  /// Nodes that the ONNX checker refuses: its reason, by the name of the first output.
  llvm::StringMap<std::string> refused;

  /// The version in which the model uses `domain`, 0 if it does not. The default domain is "".
  int opset(llvm::StringRef domain) const;
  /// The version that defined the form of the op that `node` has, 0 if ONNX does not know it.
  int since(const onnx::NodeProto &node) const;
  /// Whether ONNX defines the op of `node` by other ops.
  bool hasFunction(const onnx::NodeProto &node) const;
};

/// Reads the model at `path` and brings it into order: every node has a name and the default
/// domain the name ""; nodes come after those they need; nodes that no output needs are gone.
/// Returns false if report got an error; refused nodes alone are not one.
bool loadModel(llvm::StringRef path, FileStore &files, Model &model, ImportReport &report);

/// Replaces calls of the model's own functions by their bodies and converts the model to the newest
/// opset as `conversion` says; `lowers` tells which forms of ops need that.
bool simplifyModel(Model &model, VersionConversion conversion, LowersNode lowers,
                   ImportReport &report);

/// Gives the default domain the name "" and nodes without a name the name `where` + Op_index, in
/// subgraphs too.
void normaliseNames(onnx::GraphProto &graph, llvm::StringRef where);

/// Appends the names a node reads: its inputs and whatever its graphs read, which includes names
/// they define.
void collectReads(const onnx::NodeProto &node, llvm::SmallVectorImpl<llvm::StringRef> &names);

/// Runs the ONNX checker piece by piece, so that all findings are reported and not only the first:
/// errors to `report`, reasons against nodes to model.refused. False if there were errors.
bool checkModel(Model &model, ImportReport &report);

/// A message of the ONNX library in one line and without its context.
std::string libraryMessage(llvm::StringRef text);

/// Puts the nodes of the graph in order and removes those that no output needs. Returns false with
/// an error for a cycle, a value that is defined twice or read but never defined.
bool orderGraph(onnx::GraphProto &graph, ImportReport &report);

/// States the values that attributes of `node` have by default: in the op's function body, a
/// reference to an attribute that the node lacks would be none at all.
void stateDefaults(onnx::NodeProto &node, const onnx::OpSchema &schema);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_MODEL_H
