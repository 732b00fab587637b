// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pieces of the import form: tensors and linalg ops with static shapes.

#ifndef DOJO_LIB_IMPORT_ONNX_BUILD_H
#define DOJO_LIB_IMPORT_ONNX_BUILD_H

#include "Node.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::dojo::onnximport {

/// The MLIR type of elements that values at run time may have, as Types.h lists them; null for
/// other ONNX types.
Type runtimeType(MLIRContext *context, int32_t elem);
/// Element `i` of `constant` as an attribute of its runtimeType.
TypedAttr storedAttr(MLIRContext *context, const Constant &constant, int64_t i);
/// `value` as an element of a Float, Signed, Unsigned or Bool type, as an attribute of its
/// runtimeType.
TypedAttr storedAttr(MLIRContext *context, int32_t elem, double value);
/// A float, integer or bool constant of type `type`.
TypedAttr scalarAttr(Type type, double value);
TypedAttr scalarAttr(Type type, int64_t value);
/// `value` for elements of class `kind` held as `type`: the bits of a double where that is so.
TypedAttr scalarAttr(Type type, ElemClass kind, double value);
/// The smallest (greatest if `greatest`) value of `type`, an infinity for floats.
TypedAttr extremeAttr(Type type, bool isUnsigned, bool greatest);
/// The same for elements of class `kind`, of which a double is held by its bits.
TypedAttr extremeAttr(Type type, ElemClass kind, bool greatest);

/// Arithmetic on scalars of one element type. Float ops carry fastmath<contract>, so that products
/// and sums may become fused; integers wrap; bool is i1. Doubles are their bits, i64: see
/// takesDouble in Types.h for the ops that may have them.
class Scalars {
public:
  Scalars(OpBuilder &b, Location loc, ElemClass kind) : b(b), loc(loc), kind(kind) {}

  bool isFloat() const { return kind == ElemClass::Float; }
  bool isDouble(Value x) const { return isFloat() && x.getType().isInteger(64); }
  bool isUnsigned() const { return kind == ElemClass::Unsigned || kind == ElemClass::Bool; }
  Value constant(Type type, double value);
  Value add(Value x, Value y);
  Value sub(Value x, Value y);
  Value mul(Value x, Value y);
  Value div(Value x, Value y);
  Value min(Value x, Value y); ///< NaN if either is NaN
  Value max(Value x, Value y);
  Value neg(Value x);
  Value abs(Value x);
  /// Of floats: the remainder with the sign of x, and x with the sign of y.
  Value rem(Value x, Value y);
  Value copySign(Value x, Value y);
  /// Ordered comparison; for integers by their sign.
  Value less(Value x, Value y);
  Value lessOrEqual(Value x, Value y);
  Value equal(Value x, Value y);
  Value select(Value condition, Value x, Value y);
  /// A unary op of the math dialect on floats; of those on doubles absf, ceil, exp, floor, log,
  /// roundeven and sqrt.
  template <typename Op> Value math(Value x) {
    if (isDouble(x))
      return doubleMath(Op::getOperationName(), x);
    return Op::create(b, loc, x, arith::FastMathFlags::contract);
  }

  OpBuilder &b;
  Location loc;
  const ElemClass kind;

private:
  arith::FastMathFlagsAttr contract();
  Value doubleMath(llvm::StringRef op, Value x);
};

/// What Cast's attributes choose.
struct CastRules {
  bool saturate = true;
  enum Round { Up, Down, Nearest } round = Up; ///< to float8e8m0 only
};

/// `x`, of runtimeType(from), converted to `to` as ONNX's Cast does.
Value castScalar(OpBuilder &b, Location loc, Value x, int32_t from, int32_t to,
                 CastRules rules = {});

/// An operand of a linalg.generic: a tensor read through a map, or one value for all elements,
/// which becomes a constant in the body.
struct Operand {
  Value tensor;
  AffineMap map;
  TypedAttr splat;
};

using BodyFn = llvm::function_ref<Value(OpBuilder &, Location, ValueRange)>;

/// Builders of whole-tensor ops at the insertion point and location of `b`.
class TensorBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  static ArrayRef<int64_t> dimsOf(Value tensor) {
    return cast<RankedTensorType>(tensor.getType()).getShape();
  }
  static Type elementOf(Value tensor) {
    return cast<RankedTensorType>(tensor.getType()).getElementType();
  }

  Value empty(ArrayRef<int64_t> dims, Type element);
  Value filled(ArrayRef<int64_t> dims, TypedAttr value);
  /// linalg.generic with one result, which takes its type and initial value from `init`. The body
  /// gets the operands' elements (splats too) and then init's.
  linalg::GenericOp generic(ArrayRef<Operand> operands, Value init, AffineMap initMap,
                            ArrayRef<utils::IteratorType> iterators, BodyFn body);
  /// All loops parallel, the result indexed by them in order.
  Value elementwise(ArrayRef<int64_t> dims, Type element, ArrayRef<Operand> operands, BodyFn body);
  /// Reduces `operand` over `axes` of `domain`, its loops; the result has the other dimensions.
  /// The body gets the operands' elements and then the accumulator.
  Value reduce(ArrayRef<int64_t> domain, ArrayRef<int64_t> axes, ArrayRef<Operand> operands,
               TypedAttr init, BodyFn body);
  /// The same elements in row-major order with other dimensions; null if those hold another
  /// number, as where inference and a damaged node disagree.
  Value reshape(Value tensor, ArrayRef<int64_t> dims);
  Value transpose(Value tensor, ArrayRef<int64_t> perm);
  /// `low` and `high` are not negative.
  Value pad(Value tensor, ArrayRef<int64_t> low, ArrayRef<int64_t> high, TypedAttr value);
  Value slice(Value tensor, const SliceSpec &spec);
  /// `tensors` side by side along `axis`; at least one.
  Value concat(ArrayRef<Value> tensors, int64_t axis);
  /// A new tensor with the same contents.
  Value copy(Value tensor);

  /// `tensor` as operand of an elementwise op with the loops `dims`, to which it broadcasts.
  Operand broadcast(Value tensor, ArrayRef<int64_t> dims);
  /// `tensor` as operand, its dimension i being loop loops[i].
  Operand along(Value tensor, ArrayRef<int64_t> loops, int64_t loopCount);
};

/// Marks `op` as a contraction of `macs` multiply-accumulate steps.
void markContraction(linalg::GenericOp op, llvm::StringRef kind, int64_t macs);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_BUILD_H
