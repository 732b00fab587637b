// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The walk over a model's graphs that makes the import form.

#ifndef DOJO_LIB_IMPORT_ONNX_IMPORTER_H
#define DOJO_LIB_IMPORT_ONNX_IMPORTER_H

#include "Lowering.h"
#include "MeshLoop.h"
#include "Model.h"
#include "dojo/Import/ONNX.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::dojo::onnximport {

/// The values that the names of a graph stand for. The graph of a node sees those of the graph
/// around it; the body of a function sees only its own.
struct Scope {
  Scope *outer = nullptr;
  /// What the names of the graph's nodes get in front, such as "Loop_0/iter3/", in place of
  /// `oldPrefix`, with which they were made unique in the file.
  std::string prefix, oldPrefix;
  std::map<std::string, ValueInfo> values;

  /// The value `name`; an unknown one of this scope if no graph defines it.
  ValueInfo &find(const std::string &name);
  std::string nameOf(const onnx::NodeProto &proto) const;
};

class Importer {
public:
  Importer(MLIRContext &context, Model &model, FileStore &files, const ImportOptions &options,
           ImportReport &report)
      : model(model), files(files), options(options), report(report), sideFile(options.sideFile),
        b(UnknownLoc::get(&context), &context) {}

  OwningOpRef<ModuleOp> run();

private:
  bool readConstants(llvm::StringMap<Constant> &bound);
  bool makeFunction();
  void importNode(const onnx::NodeProto &proto, Scope &scope);
  /// Whether a node or an output of the model reads the value `name` of a node of `scope`.
  bool isRead(const std::string &name, const Scope &scope);
  bool finish();
  void unsupported(const onnx::NodeProto &proto, const Node &node, const Scope &scope,
                   const Twine &reason);
  Category categoryOf(const onnx::NodeProto &proto, const Node &node, StringRef reason);
  /// Why the node cannot be lowered, or an empty string.
  std::string lower(const onnx::NodeProto &proto, Node &node, Scope &scope);
  void tag(const std::string &name, Value value, Operation *before);
  Location nameLoc(StringRef name) { return NameLoc::get(b.getStringAttr(name)); }
  DictionaryAttr boundary(StringRef name, int32_t elem);

  // Functions.cpp
  /// Imports the body by which ONNX defines the op of `node`. False if it has none for it.
  bool expandFunction(const onnx::NodeProto &proto, Node &node, Scope &scope);
  /// Imports the nodes that `outputs` need. False if one of the outputs is not known then.
  bool importBody(ArrayRef<const onnx::NodeProto *> nodes, ArrayRef<StringRef> outputs,
                  Scope &scope);

  /// Makes `to` of `scope` a name of the value `from` of a graph in it.
  void handOut(Scope &inner, const std::string &from, Scope &scope, const std::string &to);

  // Subgraphs.cpp
  using Results = SmallVector<ValueInfo, 2>;
  /// Imports an If, Loop or Scan.
  void importControlFlow(const onnx::NodeProto &proto, Node &node, Scope &scope);
  /// Each makes the results by position and returns an empty string, or why it cannot be done. If
  /// a node inside is to blame, that is in the report and results may be unknown.
  std::string importIf(Node &node, Scope &scope, Results &results);
  std::string importLoop(Node &node, Scope &scope, Results &results);
  /// The steps of a Loop written out. What ends it at run time masks what it carries; where
  /// `givesUp`, that is set instead and nothing made.
  std::string unrollLoop(Node &node, Scope &scope, Results &results, bool *givesUp);
  std::string importScan(Node &node, Scope &scope, Results &results);
  std::string importBatchedScan(Node &node, Scope &scope, Results &results);
  /// Imports `graph` of `node` with `inputs`, in a scope of the names `step`; its outputs by
  /// position. Results that a node inside keeps from being made are unknown.
  Results importGraph(const Node &node, const onnx::GraphProto &graph, ArrayRef<ValueInfo> inputs,
                      const Twine &step, Scope &scope);
  /// Why the loop may not go on for another step, or an empty string.
  std::string checkUnrolling() const;
  /// The number of rows the model states for the value `name` of the main graph.
  std::optional<int64_t> statedRows(StringRef name, const Scope &scope) const;

  // Sequences.cpp
  struct SequenceNode;
  /// Does the work of a node that makes or reads a sequence. False if it is none.
  bool importSequence(const onnx::NodeProto &proto, Node &node, Scope &scope);
  /// Each returns an empty string, or why it cannot be done.
  std::string splitToSequence(const SequenceNode &n, std::vector<ValueInfo> &parts);
  std::string concatFromSequence(const SequenceNode &n, ValueInfo &result);
  std::string sequenceAt(const SequenceNode &n, ValueInfo &result);

  // Gradient.cpp
  /// Imports a Gradient. Why it cannot be done, or an empty string.
  std::string importGradient(const onnx::NodeProto &proto, const Node &node, Scope &scope);
  /// Gives `add` the derivatives of the operands of `node`, `slope` being that of its result.
  std::string differentiate(const onnx::NodeProto &node, Value slope, Scope &scope,
                            llvm::function_ref<void(const std::string &, Value)> add);

  // DeviceLoop.cpp
  /// Makes a Loop with `body` that runs on the device; false if the body has a form that cannot.
  bool importDeviceLoop(Node &node, const onnx::GraphProto &body, Scope &scope, Results &results);
  /// Carried value `which` of it: `outputs` are those of the body, on tensors in `block`.
  ValueInfo deviceLoop(Node &node, Block &block, Results &outputs, ArrayRef<int64_t> dims,
                       size_t which);

  /// What was made so far, to undo what follows.
  struct Checkpoint {
    Block *block;
    Operation *last;
    size_t findings, bodies;
    int64_t unrolled;
  };
  Checkpoint checkpoint();
  void rollBack(const Checkpoint &point);

  // MeshControlFlow.cpp
  /// The axes of a Scan, each inside of its tensor, and directions: not 0 is from the end.
  struct ScanForm {
    int64_t states, steps;
    SmallVector<int64_t> inAxes, inBack, outAxes, outBack;
  };
  /// Each makes what it is named by with the body once, for the whole mesh to run step by step. As
  /// importLoop and its like.
  std::string importMeshLoop(Node &node, const onnx::GraphProto &graph, Scope &scope,
                             Results &results);
  std::string importMeshScan(Node &node, const onnx::GraphProto &graph, const ScanForm &form,
                             Scope &scope, Results &results);
  /// Where both branches are small they are computed, and one is chosen.
  std::string importBranches(Node &node, const onnx::GraphProto &then,
                             const onnx::GraphProto &other, Scope &scope, Results &results);
  Results importInto(MeshLoops::Body &body, const Node &node, const onnx::GraphProto &graph,
                     ArrayRef<ValueInfo> inputs, const Twine &step, Scope &scope);
  MeshLoops meshLoops(const Node &node, const Scope &scope);

  // Pieces of unrolled loops
  Value materialise(ValueInfo &info) { return pool->materialise(info, b.getLoc()); }
  /// A scalar made from others by `body`, whose operands are elements.
  ValueInfo scalar(int32_t elem, MutableArrayRef<ValueInfo> operands, BodyFn body) {
    return scalarOf(b, *pool, elem, operands, body);
  }
  /// `chosen` where the scalar `condition` holds, else `other`; they have one type.
  ValueInfo select(ValueInfo &condition, ValueInfo &chosen, ValueInfo &other);
  /// Element `index` along `axis`, without that dimension.
  ValueInfo takeIndex(ValueInfo &from, int64_t axis, int64_t index);
  /// `parts`, all of type `type`, side by side along a new dimension `axis`.
  ValueInfo stack(MutableArrayRef<ValueInfo> parts, TensorType type, int64_t axis);
  /// The same for the results of a body's output: nothing if their types differ, or if there are
  /// none and the body does not state the type.
  std::optional<ValueInfo> stackResults(MutableArrayRef<ValueInfo> parts,
                                        const onnx::ValueInfoProto &stated, int64_t axis);

  Model &model;
  FileStore &files;
  const ImportOptions &options;
  ImportReport &report;
  SideFile sideFile;
  TensorBuilder b;
  Scope main;
  int64_t unrolledNodes = 0;
  llvm::StringSet<> reads; ///< for isRead, empty until that is first asked
  func::FuncOp func;
  SmallVector<func::FuncOp> loopBodies; ///< in the order in which they were made
  std::unique_ptr<ConstantPool> pool;
  std::optional<Category> category; ///< what the last lowering that failed said
};

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_IMPORTER_H
