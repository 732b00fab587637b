// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Losses against class numbers. Scores are [N, C, D1, ...], classes [N, D1, ...]. What a class
// number selects is found by comparing it with the index of the class while summing over classes.

#include "Reduce.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// The class numbers as int32; -1, which is no class, for those to ignore or out of range.
Value classNumbers(Lowering &l, int64_t classes) {
  ArrayRef<int64_t> dims = l.node.dims(1);
  const bool ignores = l.node.hasAttr("ignore_index");
  const int64_t ignored = l.node.intAttr("ignore_index", 0);
  Type type = l.elementType(1), narrow = l.b.getI32Type();
  return l.b.elementwise(
      dims, narrow, l.b.broadcast(l.in(1), dims),
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        auto constant = [&](Type t, int64_t value) -> Value {
          return arith::ConstantOp::create(b, loc, scalarAttr(t, value));
        };
        auto is = [&](arith::CmpIPredicate predicate, int64_t value) -> Value {
          return arith::CmpIOp::create(b, loc, predicate, v[0], constant(type, value));
        };
        Value valid = is(arith::CmpIPredicate::ult, classes);
        if (ignores)
          valid = arith::AndIOp::create(b, loc, valid, is(arith::CmpIPredicate::ne, ignored));
        Value number = v[0];
        if (type != narrow)
          number = arith::TruncIOp::create(b, loc, narrow, number);
        return arith::SelectOp::create(b, loc, valid, number, constant(narrow, -1));
      });
}

/// The loss of `logits`, logarithms of probabilities, as output 0.
LogicalResult negativeLogLikelihood(Lowering &l, Value logits) {
  TensorBuilder &b = l.b;
  Dims dims(l.node.dims(0));
  const int64_t rank = dims.size();
  if (rank < 2)
    return l.fail("the scores must have a batch and a class dimension");
  Dims kept(dims);
  kept.erase(kept.begin() + 1);
  if (l.node.dims(1) != ArrayRef<int64_t>(kept))
    return l.fail("the classes must have the dimensions of the scores without the second");
  const bool weighted = l.node.has(2);
  if (weighted && l.node.dims(2) != ArrayRef<int64_t>{dims[1]})
    return l.fail("there must be one weight for each class");
  if (dims[1] > INT32_MAX)
    return l.fail("there are too many classes");
  StringRef reduction = l.node.stringAttr("reduction", "mean");
  if (reduction != "none" && reduction != "sum" && reduction != "mean")
    return l.fail("the reduction '" + reduction + "' is not supported");

  Type element = TensorBuilder::elementOf(logits);
  Value numbers = classNumbers(l, dims[1]);
  SmallVector<int64_t> loops;
  for (int64_t d = 0; d < rank; ++d)
    if (d != 1)
      loops.push_back(d);
  Operand number = b.along(numbers, loops, rank);
  TypedAttr zero = scalarAttr(element, int64_t(0));
  auto isClass = [&](OpBuilder &ob, Location loc, Value wanted) -> Value {
    Value index =
        arith::IndexCastOp::create(ob, loc, wanted.getType(), linalg::IndexOp::create(ob, loc, 1));
    return arith::CmpIOp::create(ob, loc, arith::CmpIPredicate::eq, index, wanted);
  };
  // The sum over classes of what `term` makes of the operands where the class is the wanted one.
  auto select = [&](ArrayRef<Operand> operands,
                    function_ref<Value(Scalars &, ValueRange)> term) -> Value {
    SmallVector<Operand> all{number};
    append_range(all, operands);
    return b.reduce(dims, {1}, all, zero, [&](OpBuilder &ob, Location loc, ValueRange v) {
      Scalars s(ob, loc, ElemClass::Float);
      Value chosen = s.select(isClass(ob, loc, v[0]), term(s, v.drop_front().drop_back()),
                              s.constant(element, 0));
      return s.add(v.back(), chosen);
    });
  };
  SmallVector<Operand> operands{b.broadcast(logits, dims)};
  if (weighted)
    operands.push_back(l.node.constant(2) ? l.constantOperand(*l.node.constant(2), dims, 1)
                                          : b.along(l.in(2), {1}, rank));
  Value losses = select(operands, [&](Scalars &s, ValueRange v) {
    return s.neg(weighted ? s.mul(v[0], v[1]) : v[0]);
  });
  if (reduction == "none")
    return l.set(losses);

  SmallVector<int64_t> all = llvm::to_vector(seq<int64_t>(0, rank - 1));
  auto total = [&](Value values) {
    return b.reduce(kept, all, b.broadcast(values, kept), zero,
                    [](OpBuilder &ob, Location loc, ValueRange v) {
                      return Scalars(ob, loc, ElemClass::Float).add(v[1], v[0]);
                    });
  };
  Value sum = total(losses);
  if (reduction == "sum")
    return l.set(sum);
  // The mean is over the weights of the classes that count.
  Value weights;
  if (weighted)
    weights = select(operands, [](Scalars &, ValueRange v) { return v[1]; });
  else
    weights = b.elementwise(kept, element, b.broadcast(numbers, kept),
                            [&](OpBuilder &ob, Location loc, ValueRange v) {
                              Scalars s(ob, loc, ElemClass::Signed), f(ob, loc, ElemClass::Float);
                              return f.select(s.less(v[0], s.constant(v[0].getType(), 0)),
                                              f.constant(element, 0), f.constant(element, 1));
                            });
  return l.set(b.elementwise({}, element, {b.broadcast(sum, {}), b.broadcast(total(weights), {})},
                             [](OpBuilder &ob, Location loc, ValueRange v) {
                               return Scalars(ob, loc, ElemClass::Float).div(v[0], v[1]);
                             }));
}

LogicalResult negativeLogLikelihoodLoss(Lowering &l) { return negativeLogLikelihood(l, l.in(0)); }

LogicalResult softmaxCrossEntropyLoss(Lowering &l) {
  if (l.node.rank(0) < 2)
    return l.fail("the scores must have a batch and a class dimension");
  Value logits = logSoftmaxOver(l.b, l.in(0), {1});
  if (l.node.outputUsed(1))
    (void)l.set(logits, 1);
  return negativeLogLikelihood(l, logits);
}

} // namespace

ArrayRef<OpEntry> lossOps() {
  static const OpEntry entries[] = {
      {"NegativeLogLikelihoodLoss", 12, 22, negativeLogLikelihoodLoss},
      {"SoftmaxCrossEntropyLoss", 12, 13, softmaxCrossEntropyLoss},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
