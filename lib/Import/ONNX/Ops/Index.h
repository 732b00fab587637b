// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Indices computed from elements, and tensors read at them: what ops that gather, scatter, sort and
// select are made of. Indices of elements are i32 or i64 in tensors and `index` in bodies.

#ifndef DOJO_LIB_IMPORT_ONNX_OPS_INDEX_H
#define DOJO_LIB_IMPORT_ONNX_OPS_INDEX_H

#include "../Lowering.h"

namespace mlir::dojo::onnximport {

/// Ops on indices in the body of a linalg.generic.
class IndexBody {
public:
  IndexBody(OpBuilder &b, Location loc) : b(b), loc(loc) {}

  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value i32(int64_t value) { return arith::ConstantIntOp::create(b, loc, value, 32); }
  /// Index of loop `loop`.
  Value loop(unsigned loop) { return linalg::IndexOp::create(b, loc, loop); }
  Value loop32(unsigned loop) { return toInt(this->loop(loop), 32); }
  /// An index or integer in another width.
  Value toInt(Value value, unsigned bits);
  Value toIndex(Value value);
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulIOp::create(b, loc, x, y); }
  /// Of numbers that are not negative.
  Value quotient(Value x, Value y) { return arith::DivSIOp::create(b, loc, x, y); }
  Value remainder(Value x, Value y) { return arith::RemSIOp::create(b, loc, x, y); }
  Value min(Value x, Value y) { return arith::MinSIOp::create(b, loc, x, y); }
  Value max(Value x, Value y) { return arith::MaxSIOp::create(b, loc, x, y); }
  Value both(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
  Value either(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value compare(arith::CmpIPredicate predicate, Value x, Value y) {
    return arith::CmpIOp::create(b, loc, predicate, x, y);
  }
  Value less(Value x, Value y) { return compare(arith::CmpIPredicate::slt, x, y); }
  Value equal(Value x, Value y) { return compare(arith::CmpIPredicate::eq, x, y); }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  Value constant(TypedAttr value) { return arith::ConstantOp::create(b, loc, value); }
  /// A constant of the type of `like`.
  Value same(Value like, int64_t value) {
    return like.getType().isIndex() ? index(value) : constant(scalarAttr(like.getType(), value));
  }
  /// An integer with a negative number counted from the end of a dimension.
  Value wrapped(Value value, int64_t extent);
  /// The same as index inside of the dimension, which has elements.
  Value place(Value value, int64_t extent) { return inside(wrapped(value, extent), extent); }
  /// An integer as index, brought into 0..extent-1.
  Value inside(Value value, int64_t extent);
  Value read(Value tensor, ValueRange indices);
  /// Number of elements up to `m` of the vector `sorted`, which ascends.
  Value countUpTo(Value sorted, Value m);

  OpBuilder &b;
  Location loc;
};

using IndexBodyFn = llvm::function_ref<Value(IndexBody &, ValueRange)>;

/// TensorBuilder::elementwise and reduce with such a body.
Value mapIndices(TensorBuilder &b, ArrayRef<int64_t> dims, Type element, ArrayRef<Operand> operands,
                 IndexBodyFn body);
/// The loops are `dims` and one more over `extent`, which is reduced.
Value reduceLast(TensorBuilder &b, ArrayRef<int64_t> dims, int64_t extent,
                 ArrayRef<Operand> operands, TypedAttr init, IndexBodyFn body);

/// Operand for loops `dims` and one more, which takes the place of loop `axis`.
Operand withLastAs(TensorBuilder &b, Value tensor, int64_t axis);
/// Operand with the first loops of `loopCount`.
Operand firstLoops(TensorBuilder &b, Value tensor, int64_t loopCount);

/// Sums (products) of the elements up to each along `axis`, without that one if `exclusive`, from
/// the end if `reverse`. Blocks of a long axis are done at the same time.
Value cumulate(TensorBuilder &b, ElemClass kind, Value tensor, int64_t axis, bool exclusive,
               bool reverse, bool product);

/// The places of the first `count` ones in a vector of i32 zeros and ones, i32; its length where
/// there are fewer.
Value placesOfOnes(TensorBuilder &b, Value ones, int64_t count);

/// Integers that are in the order of the elements, greater for what comes first: for greater
/// elements if `largest`, else for smaller ones. Zeros are equal; NaN counts as the greatest, or
/// comes first in any case if `nanFirst`.
Value orderKeys(Lowering &l, Value tensor, ElemClass kind, bool largest, bool nanFirst);

/// Places along `axis` of the elements in the order of their keys, of equal ones the lower place
/// first; the first `count` of them, i32.
Value sortedPlaces(TensorBuilder &b, Value keys, int64_t axis, int64_t count);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_OPS_INDEX_H
