// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An ONNX node with what is known of its operands, as folding and lowering see it.

#ifndef DOJO_LIB_IMPORT_ONNX_NODE_H
#define DOJO_LIB_IMPORT_ONNX_NODE_H

#include "Constant.h"
#include "mlir/IR/Value.h"
#include <memory>
#include <vector>

namespace mlir::dojo::onnximport {

/// A value of the ONNX graph.
struct ValueInfo {
  TensorType type;
  bool known = false; ///< type is complete; false after a node that could not be imported
  std::optional<Constant> constant;
  mlir::Value value; ///< null until a constant is first used
  /// Of a sequence, which is not `known`, as it is no tensor.
  std::shared_ptr<std::vector<ValueInfo>> elements = nullptr;
  /// The value in f32 where a double is computed in that; null if nothing made it yet.
  mlir::Value inFloat = {};
};

/// A node, its operands and its results' types. Absent optional operands are null.
class Node {
public:
  Node(const onnx::NodeProto &proto, int since) : proto(proto), since(since) {}

  const onnx::NodeProto &proto;
  const int since; ///< the opset version that defined this form of the op
  llvm::SmallVector<ValueInfo *, 4> inputs;
  llvm::SmallVector<TensorType, 2> outputs; ///< by shape inference
  llvm::SmallVector<unsigned, 1> leftOut;   ///< outputs that are not made: nothing reads them

  llvm::StringRef op() const { return proto.op_type(); }
  bool has(unsigned i) const { return i < inputs.size() && inputs[i]; }
  const TensorType &type(unsigned i) const { return inputs[i]->type; }
  llvm::ArrayRef<int64_t> dims(unsigned i) const { return inputs[i]->type.dims; }
  int64_t rank(unsigned i) const { return inputs[i]->type.dims.size(); }
  int32_t elem(unsigned i) const { return inputs[i]->type.elem; }
  ElemInfo info(unsigned i) const { return elemInfo(inputs[i]->type.elem); }
  /// The constant operand `i`, or null.
  const Constant *constant(unsigned i) const {
    return has(i) && inputs[i]->constant ? &*inputs[i]->constant : nullptr;
  }
  bool outputUsed(unsigned i) const {
    return i < unsigned(proto.output_size()) && !proto.output(i).empty() &&
           !llvm::is_contained(leftOut, i);
  }

  const onnx::AttributeProto *attr(llvm::StringRef name) const;
  bool hasAttr(llvm::StringRef name) const { return attr(name); }
  int64_t intAttr(llvm::StringRef name, int64_t otherwise) const;
  float floatAttr(llvm::StringRef name, float otherwise) const;
  llvm::StringRef stringAttr(llvm::StringRef name, llvm::StringRef otherwise) const;
  std::optional<llvm::SmallVector<int64_t>> intsAttr(llvm::StringRef name) const;

  /// Integers that are attribute `name` in old versions of an op and constant operand `i` in new
  /// ones. Nothing if both are absent or the operand is not constant: see isDynamic.
  std::optional<llvm::SmallVector<int64_t>> ints(llvm::StringRef name, unsigned i) const;
  /// True if operand `i` is there but not known at compile time.
  bool isDynamic(unsigned i) const { return has(i) && !constant(i); }
};

/// Brings each axis into 0..rank-1. Nothing if one is outside -rank..rank-1 or occurs twice.
std::optional<llvm::SmallVector<int64_t>> normaliseAxes(llvm::ArrayRef<int64_t> axes, int64_t rank);
std::optional<int64_t> normaliseAxis(int64_t axis, int64_t rank);
/// The dimensions of the multidirectional broadcast of `a` and `b`, if there is one.
std::optional<Dims> broadcastDims(llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);

/// Where Slice starts, how it steps and how many elements it takes, per dimension of its input.
struct SliceSpec {
  Dims starts, steps, sizes;
};
/// Reads the attributes or constant operands of a Slice node. Nothing if they are not constant or
/// make no sense.
std::optional<SliceSpec> sliceSpec(const Node &node);

/// Row-major strides of `dims`, in elements.
Dims stridesOf(llvm::ArrayRef<int64_t> dims);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_NODE_H
