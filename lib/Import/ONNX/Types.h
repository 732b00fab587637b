// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which element types an op may have, and how a lowering that computes in float sees a node of
// narrower floats.
//
//   ONNX                    in the IR   arithmetic
//   float                   f32         in itself
//   float16, bfloat16       f16, bf16   in f32: operands are widened, results rounded once a node
//   double                  i64, bits   in itself, by integers; ops that takesDouble() lacks: none
//   float8, float6, float4,
//   int4, int2 and the like i8, codes   none: moved and converted only
//   other integers, bool    iN, i1      in itself

#ifndef DOJO_LIB_IMPORT_ONNX_TYPES_H
#define DOJO_LIB_IMPORT_ONNX_TYPES_H

#include "Build.h"
#include "Node.h"
#include <deque>

namespace mlir::dojo::onnximport {

/// What a lowering does with its operands' elements.
enum class TypeUse {
  Arithmetic, ///< computes; sees float instead of float16 and bfloat16
  Moves,      ///< hands on whole elements, of whatever type
  Own,        ///< looks at the types itself
};
TypeUse typeUse(llvm::StringRef domain, llvm::StringRef op);
/// Whether an op that computes has a lowering that is right for doubles: one that uses only what
/// Scalars has for them, and starts sums from zero.
bool takesDouble(llvm::StringRef domain, llvm::StringRef op);

/// The same for a node; if doubles are computed in float, so is what only moves or casts them.
TypeUse typeUse(const Node &node, bool demoteDoubles);

/// Why the node's op cannot have its types, or an empty string.
std::string refusedType(const Node &node, bool demoteDoubles);

/// True if the elements of this type are codes that no arithmetic is done on.
bool isCoded(int32_t elem);

/// `constant` in float32.
Constant toFloat(const Constant &constant);

/// A node as a lowering sees it that computes in float: float16 and bfloat16 operands are converted
/// before the node, and results after it, so that a node rounds once, whatever it is made of. With
/// `demoteDoubles` the same is done with doubles, but what reads such a result takes it as it is.
class FloatNode {
public:
  FloatNode(Node &original, TensorBuilder &b, bool demoteDoubles);
  static bool isNeeded(const Node &node, bool demoteDoubles);

  Node &get() { return node; }
  /// `value`, a result of the lowering of get(), as result `i` of the original node.
  ValueInfo result(Value value, unsigned i);

private:
  Value converted(Value value, int32_t from, int32_t to);
  bool isConverted(int32_t elem) const { return isConverted(elem, demoteDoubles); }
  static bool isConverted(int32_t elem, bool demoteDoubles);

  Node &original;
  TensorBuilder &b;
  const bool demoteDoubles;
  Node node;
  std::deque<ValueInfo> operands;
};

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_TYPES_H
