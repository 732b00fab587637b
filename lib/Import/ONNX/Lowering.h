// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of ops that the importer lowers, and what a lowering works with.

#ifndef DOJO_LIB_IMPORT_ONNX_LOWERING_H
#define DOJO_LIB_IMPORT_ONNX_LOWERING_H

#include "Build.h"
#include "Node.h"
#include "dojo/Import/ONNX.h"
#include "llvm/ADT/DenseMap.h"
#include <map>

namespace mlir::dojo::onnximport {

/// Turns constants into ops at the start of @main, each content and shape once.
class ConstantPool {
public:
  ConstantPool(Block *entry, SideFile &sideFile) : entry(entry), sideFile(sideFile) {}
  /// An arith.constant for up to 16 elements (tensor.empty if there are none), else a dojo.weight
  /// that names bytes of the file the constant comes from, or of the side file. `loc` is the
  /// location of a new op.
  Value get(const Constant &constant, Location loc);
  /// The IR value of `info`, made now if there is none yet.
  Value materialise(ValueInfo &info, Location loc) {
    return info.value ? info.value : info.value = get(*info.constant, loc);
  }
  /// The last op of those it made, which no other op precedes; null if there is none.
  Operation *getLast() const { return last; }

private:
  Block *entry;
  SideFile &sideFile;
  Operation *last = nullptr;
  std::map<std::string, Value> made;
};

/// A constant, or a tensor of elements `elem`, as a value of the graph.
inline ValueInfo info(const Constant &constant) { return {constant.getType(), true, constant, {}}; }
inline ValueInfo info(Value value, int32_t elem) {
  return {{elem, Dims(TensorBuilder::dimsOf(value))}, true, std::nullopt, value};
}
/// A scalar made from others by `body`, whose operands are elements.
ValueInfo scalarOf(TensorBuilder &b, ConstantPool &pool, int32_t elem,
                   MutableArrayRef<ValueInfo> operands, BodyFn body);

class MeshLoops;

/// One node being lowered: operands as IR values, results to be set.
class Lowering {
public:
  Lowering(Node &node, TensorBuilder &b, ConstantPool &pool, MeshLoops &loops)
      : node(node), b(b), loops(loops), pool(pool), results(node.outputs.size()) {}

  Node &node;
  TensorBuilder &b;
  MeshLoops &loops; ///< for ops of many steps

  Value in(unsigned i);
  /// `constant` as an IR value.
  Value materialise(const Constant &constant) { return pool.get(constant, b.getLoc()); }
  /// Operand `i` of an elementwise op with the loops `dims`. Splats become constants in the body,
  /// constants lose the dimensions along which they broadcast.
  Operand operand(unsigned i, ArrayRef<int64_t> dims);
  /// `constant` as an operand whose dimension d is loop firstLoop + d.
  Operand constantOperand(const Constant &constant, ArrayRef<int64_t> dims, int64_t firstLoop,
                          std::optional<Location> loc = std::nullopt);
  /// The location of constants that operand `i` is made of: its name.
  Location operandLoc(unsigned i);
  Type elementType(unsigned i) { return runtimeType(b.getContext(), node.elem(i)); }
  Type resultElement(unsigned i = 0) { return runtimeType(b.getContext(), node.outputs[i].elem); }
  ArrayRef<int64_t> resultDims(unsigned i = 0) const { return node.outputs[i].dims; }

  LogicalResult set(Value value, unsigned i = 0) {
    results[i] = value;
    return success();
  }
  /// The node cannot be lowered: says why.
  LogicalResult fail(const Twine &why, std::optional<Category> kind = std::nullopt) {
    reason = why.str();
    category = kind;
    return failure();
  }
  ArrayRef<Value> getResults() const { return results; }
  const std::string &getReason() const { return reason; }
  std::optional<Category> getCategory() const { return category; }

private:
  ConstantPool &pool;
  SmallVector<Value, 2> results;
  std::string reason;
  std::optional<Category> category; ///< none: what the node's types and op say
};

using LowerFn = LogicalResult (*)(Lowering &);

/// An op in the forms that versions first..last of its domain's opset define.
struct OpEntry {
  llvm::StringLiteral op;
  int first, last;
  LowerFn lower;
  llvm::StringLiteral domain = ""; ///< "" is ai.onnx
};

/// The entry for a form of an op, or null.
const OpEntry *findLowering(llvm::StringRef domain, llvm::StringRef op, int since);
/// All entries, sorted by name.
llvm::ArrayRef<OpEntry> allLowerings();

#define DOJO_ONNX_FAMILY(name) llvm::ArrayRef<OpEntry> name();
#include "Families.def"

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_LOWERING_H
