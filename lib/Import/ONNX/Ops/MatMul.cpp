// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "MatMul.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

using utils::IteratorType;

Value multiplyAdd(Scalars &s, ValueRange v) { return s.add(v[2], s.mul(v[0], v[1])); }

} // namespace

Value multiplyMatrices(TensorBuilder &b, Value x, Value y, ElemClass kind, std::string &error) {
  ArrayRef<int64_t> left = TensorBuilder::dimsOf(x), right = TensorBuilder::dimsOf(y);
  auto fail = [&](const char *why) {
    error = why;
    return Value();
  };
  if (left.empty() || right.empty())
    return fail("scalars cannot be multiplied as matrices");
  const bool hasM = left.size() > 1, hasN = right.size() > 1;
  const int64_t k = left.back();
  if (k != (hasN ? right[right.size() - 2] : right[0]))
    return fail("the inner dimensions differ");
  ArrayRef<int64_t> leftBatch = left.drop_back(hasM ? 2 : 1);
  ArrayRef<int64_t> rightBatch = right.drop_back(hasN ? 2 : 1);
  auto batch = broadcastDims(leftBatch, rightBatch);
  if (!batch)
    return fail("the batch dimensions do not broadcast to each other");

  Dims out = *batch;
  SmallVector<AffineExpr> outMap;
  for (size_t d = 0; d < out.size(); ++d)
    outMap.push_back(b.getAffineDimExpr(d));
  AffineExpr m, n;
  if (hasM) {
    m = b.getAffineDimExpr(out.size());
    out.push_back(left[left.size() - 2]);
    outMap.push_back(m);
  }
  if (hasN) {
    n = b.getAffineDimExpr(out.size());
    out.push_back(right.back());
    outMap.push_back(n);
  }
  AffineExpr kLoop = b.getAffineDimExpr(out.size());
  SmallVector<IteratorType> iterators(out.size(), IteratorType::parallel);
  iterators.push_back(IteratorType::reduction);

  auto batchMap = [&](ArrayRef<int64_t> own) {
    SmallVector<AffineExpr> exprs;
    const size_t lead = batch->size() - own.size();
    for (size_t d = 0; d < own.size(); ++d)
      exprs.push_back(own[d] == (*batch)[lead + d] ? b.getAffineDimExpr(lead + d)
                                                   : b.getAffineConstantExpr(0));
    return exprs;
  };
  SmallVector<AffineExpr> leftMap = batchMap(leftBatch), rightMap = batchMap(rightBatch);
  if (hasM)
    leftMap.push_back(m);
  leftMap.push_back(kLoop);
  rightMap.push_back(kLoop);
  if (hasN)
    rightMap.push_back(n);
  auto map = [&](ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(iterators.size(), 0, exprs, b.getContext());
  };
  auto op = b.generic({{x, map(leftMap), {}}, {y, map(rightMap), {}}},
                      b.filled(out, scalarAttr(TensorBuilder::elementOf(x), int64_t(0))),
                      map(outMap), iterators, [&](OpBuilder &ob, Location loc, ValueRange v) {
                        Scalars s(ob, loc, kind);
                        return multiplyAdd(s, v);
                      });
  Dims factors = out;
  factors.push_back(k);
  markContraction(op, "matmul", saturatedProduct(factors));
  return op.getResult(0);
}

namespace {

LogicalResult matmul(Lowering &l) {
  std::string error;
  Value product = multiplyMatrices(l.b, l.in(0), l.in(1), l.node.info(0).kind, error);
  return product ? l.set(product) : l.fail(error);
}

/// alpha * A' * B' + beta * C.
LogicalResult gemm(Lowering &l) {
  TensorBuilder &b = l.b;
  if (l.node.rank(0) != 2 || l.node.rank(1) != 2)
    return l.fail("the operands must be matrices");
  const bool transA = l.node.intAttr("transA", 0), transB = l.node.intAttr("transB", 0);
  ArrayRef<int64_t> left = l.node.dims(0), right = l.node.dims(1);
  const int64_t m = left[transA ? 1 : 0], k = left[transA ? 0 : 1], n = right[transB ? 0 : 1];
  if (right[transB ? 1 : 0] != k)
    return l.fail("the inner dimensions differ");
  Dims out{m, n};
  if (l.node.has(2) && broadcastDims(out, l.node.dims(2)) != out)
    return l.fail("the third operand does not broadcast to the product");
  const ElemClass kind = l.node.info(0).kind;
  const float alpha = l.node.floatAttr("alpha", 1.0f), beta = l.node.floatAttr("beta", 1.0f);
  if (kind != ElemClass::Float && (alpha != 1.0f || (l.node.has(2) && beta != 1.0f)))
    return l.fail("alpha and beta of integers are not supported");

  Operand a = b.along(l.in(0), transA ? ArrayRef<int64_t>{2, 0} : ArrayRef<int64_t>{0, 2}, 3);
  Operand w = b.along(l.in(1), transB ? ArrayRef<int64_t>{1, 2} : ArrayRef<int64_t>{2, 1}, 3);
  auto op = b.generic({a, w}, b.filled(out, scalarAttr(l.resultElement(), int64_t(0))),
                      b.getMultiDimIdentityMap(3).getMajorSubMap(2),
                      {IteratorType::parallel, IteratorType::parallel, IteratorType::reduction},
                      [&](OpBuilder &ob, Location loc, ValueRange v) {
                        Scalars s(ob, loc, kind);
                        return multiplyAdd(s, v);
                      });
  markContraction(op, "matmul", saturatedProduct({m, n, k}));
  Value product = op.getResult(0);
  const bool addC = l.node.has(2) && beta != 0.0f;
  if (!addC && alpha == 1.0f)
    return l.set(product);
  SmallVector<Operand> operands{b.broadcast(product, out)};
  if (addC)
    operands.push_back(l.operand(2, out));
  return l.set(b.elementwise(out, l.resultElement(), operands,
                             [&](OpBuilder &ob, Location loc, ValueRange v) {
                               Scalars s(ob, loc, kind);
                               Value x = v[0], c = v[1];
                               if (alpha != 1.0f)
                                 x = s.mul(x, s.constant(x.getType(), alpha));
                               if (!addC)
                                 return x;
                               if (beta != 1.0f)
                                 c = s.mul(c, s.constant(c.getType(), beta));
                               return s.add(x, c);
                             }));
}

} // namespace

ArrayRef<OpEntry> matmulOps() {
  static const OpEntry entries[] = {{"MatMul", 1, 13, matmul}, {"Gemm", 1, 13, gemm}};
  return entries;
}

} // namespace mlir::dojo::onnximport
