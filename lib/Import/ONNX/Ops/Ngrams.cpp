// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TfIdfVectorizer on integers: how often each n-gram of a constant pool occurs.

#include "Index.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// The n-grams of one length in the order of the results, with what is at each place of them.
struct Grams {
  int64_t length;
  SmallVector<bool> present;
  SmallVector<SmallVector<int64_t>> items; ///< per place, then per result
};

LogicalResult readPool(Lowering &l, int64_t results, std::vector<Grams> &all) {
  auto pool = l.node.intsAttr("pool_int64s"), starts = l.node.intsAttr("ngram_counts"),
       places = l.node.intsAttr("ngram_indexes");
  const int64_t least = l.node.intAttr("min_gram_length", 1),
                most = l.node.intAttr("max_gram_length", 1);
  if (!pool || !starts || !places)
    return l.fail("only a pool of integers is supported");
  size_t gram = 0;
  for (size_t n = 1; n <= starts->size(); ++n) {
    const int64_t from = (*starts)[n - 1],
                  to = n < starts->size() ? (*starts)[n] : int64_t(pool->size());
    if (from < 0 || to < from || to > int64_t(pool->size()) || (to - from) % int64_t(n))
      return l.fail("ngram_counts does not fit the pool");
    Grams grams{int64_t(n), SmallVector<bool>(results, false),
                SmallVector<SmallVector<int64_t>>(n, SmallVector<int64_t>(results, 0))};
    for (int64_t at = from; at < to; at += n, ++gram) {
      if (gram >= places->size())
        return l.fail("ngram_indexes does not fit the pool");
      const int64_t place = (*places)[gram];
      if (place < 0 || place >= results || grams.present[place])
        return l.fail("ngram_indexes must be different and fit the result");
      grams.present[place] = true;
      for (size_t k = 0; k < n; ++k)
        grams.items[k][place] = (*pool)[at + k];
    }
    if (int64_t(n) >= least && int64_t(n) <= most && is_contained(grams.present, true))
      all.push_back(std::move(grams));
  }
  return success();
}

Value vectorOf(Lowering &l, int32_t elem, ArrayRef<int64_t> values) {
  std::string bytes;
  for (int64_t value : values)
    appendElement(bytes, elem, value);
  return l.materialise(Constant({elem, {int64_t(values.size())}}, bytes));
}

/// How often the n-grams occur in the rows [rows, length] of `words`: fp32 [rows, results].
Value countGrams(Lowering &l, Value words, const Grams &grams, int64_t skips) {
  TensorBuilder &b = l.b;
  const int64_t rows = TensorBuilder::dimsOf(words)[0], length = TensorBuilder::dimsOf(words)[1];
  const int64_t n = grams.length, results = grams.present.size();
  if (n == 1)
    skips = 0;
  // Loops: row, result, skip, start. Item k stands at start + k * (skip + 1).
  Dims domain{rows, results, skips + 1, length}, low(2, 0), high{0, (n - 1) * (skips + 1)};
  Type element = TensorBuilder::elementOf(words);
  Value padded = b.pad(words, low, high, scalarAttr(element, int64_t(0)));
  const int32_t elem = l.node.elem(0);
  SmallVector<Operand> operands;
  for (int64_t k = 0; k < n; ++k) {
    AffineExpr place =
        b.getAffineDimExpr(3) + b.getAffineDimExpr(2) * k + b.getAffineConstantExpr(k);
    operands.push_back({k == 0 ? words : padded,
                        AffineMap::get(4, 0, {b.getAffineDimExpr(0), place}, b.getContext()),
                        {}});
    operands.push_back(b.along(vectorOf(l, elem, grams.items[k]), {1}, 4));
  }
  SmallVector<int64_t> present(grams.present.begin(), grams.present.end());
  operands.push_back(b.along(vectorOf(l, TensorProto::INT32, present), {1}, 4));
  for (unsigned loop : {2, 3})
    operands.push_back({b.empty({domain[loop]}, b.getI32Type()),
                        AffineMap::get(4, 0, {b.getAffineDimExpr(loop)}, b.getContext()),
                        {}});
  return b.reduce(domain, {2, 3}, operands, b.getF32FloatAttr(0.0f),
                  [&](OpBuilder &ob, Location loc, ValueRange v) -> Value {
                    IndexBody body(ob, loc);
                    Value last =
                        body.add(body.loop32(3),
                                 body.mul(body.add(body.loop32(2), body.i32(1)), body.i32(n - 1)));
                    Value found =
                        body.both(body.less(last, body.i32(length)),
                                  body.compare(arith::CmpIPredicate::ne, v[2 * n], body.i32(0)));
                    for (int64_t k = 0; k < n; ++k)
                      found = body.both(found, body.equal(v[2 * k], v[2 * k + 1]));
                    Value one = body.select(found, body.constant(ob.getF32FloatAttr(1.0f)),
                                            body.constant(ob.getF32FloatAttr(0.0f)));
                    return arith::AddFOp::create(ob, loc, v.back(), one);
                  });
}

LogicalResult tfIdf(Lowering &l) {
  TensorBuilder &b = l.b;
  const ElemClass kind = l.node.info(0).kind;
  ArrayRef<int64_t> dims = l.node.dims(0);
  if (kind == ElemClass::Float || kind == ElemClass::Bool || dims.empty() || dims.size() > 2)
    return l.fail("only rows of integers are supported");
  StringRef mode = l.node.stringAttr("mode", "");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
    return l.fail("the mode '" + mode + "' is not supported");
  const int64_t skips = l.node.intAttr("max_skip_count", 0);
  if (skips < 0 || skips > 1 << 16)
    return l.fail("max_skip_count is out of range");
  const int64_t results = l.resultDims().back();
  std::vector<Grams> grams;
  if (failed(readPool(l, results, grams)))
    return failure();
  Value words = dims.size() == 1 ? b.reshape(l.in(0), {1, dims[0]}) : l.in(0);
  const Dims out{dims.size() == 1 ? 1 : dims[0], results};
  Value counts = b.filled(out, b.getF32FloatAttr(0.0f));
  if (elementCount(dims) != 0)
    for (const Grams &list : grams)
      counts = b.elementwise(
          out, b.getF32Type(),
          {b.broadcast(counts, out), b.broadcast(countGrams(l, words, list, skips), out)},
          [](OpBuilder &ob, Location loc, ValueRange v) -> Value {
            return arith::AddFOp::create(ob, loc, v[0], v[1]);
          });
  if (mode != "TF") {
    SmallVector<float> weights(results, 1.0f);
    auto places = l.node.intsAttr("ngram_indexes");
    if (const auto *attribute = l.node.attr("weights")) {
      if (attribute->floats_size() != int(places->size()))
        return l.fail("there must be a weight for each n-gram");
      for (auto [i, place] : enumerate(*places))
        if (place >= 0 && place < results)
          weights[place] = attribute->floats(int(i));
    }
    Value weight = l.materialise(Constant::ofFloats(weights, {results}));
    counts = b.elementwise(out, b.getF32Type(), {b.broadcast(counts, out), b.along(weight, {1}, 2)},
                           [&](OpBuilder &ob, Location loc, ValueRange v) -> Value {
                             Scalars s(ob, loc, ElemClass::Float);
                             if (mode == "TFIDF")
                               return s.mul(v[0], v[1]);
                             Value zero = s.constant(v[0].getType(), 0);
                             return s.select(s.less(zero, v[0]), v[1], zero);
                           });
  }
  return l.set(b.reshape(counts, l.resultDims()));
}

} // namespace

ArrayRef<OpEntry> ngramOps() {
  static const OpEntry entries[] = {{"TfIdfVectorizer", 9, 9, tfIdf}};
  return entries;
}

} // namespace mlir::dojo::onnximport
