// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Einsum as sums over single operands and contractions of two at a time.

#include "../Infer.h"
#include "../Lowering.h"
#include "llvm/ADT/StringExtras.h"
#include <set>

using namespace llvm;

namespace mlir::dojo::onnximport {
namespace {

using utils::IteratorType;

// A label is a letter, or this plus the place of a dimension of the ellipsis, counted from the end.
constexpr int kEllipsis = 256;

using Labels = SmallVector<int, 6>;

/// A tensor whose dimensions have these labels, each once.
struct Term {
  Value value;
  Labels labels;
};

class Equation {
public:
  /// Reads the node's equation for its operands; false, with `error`, if it is wrong.
  bool parse(const Node &node);

  std::vector<Labels> operands;
  Labels output;
  std::map<int, int64_t> extents;
  std::string error;

private:
  bool readTerm(StringRef text, int64_t ellipsis, Labels &labels);
  bool fail(const Twine &why) {
    error = why.str();
    return false;
  }
};

bool Equation::readTerm(StringRef text, int64_t ellipsis, Labels &labels) {
  bool seen = false;
  while (!text.empty()) {
    if (text.consume_front("...")) {
      if (seen)
        return fail("a term has two ellipses");
      seen = true;
      for (int64_t i = ellipsis; i-- > 0;)
        labels.push_back(kEllipsis + int(i));
    } else if (isAlpha(text.front())) {
      labels.push_back(text.front());
      text = text.drop_front();
    } else {
      return fail("the equation has a character that is no letter");
    }
  }
  return true;
}

bool Equation::parse(const Node &node) {
  const auto *text = node.attr("equation");
  if (!text)
    return fail("there must be an equation");
  for (unsigned i = 0; i < node.inputs.size(); ++i)
    if (!node.has(i))
      return fail("an operand is missing");
  std::string packed;
  for (char c : text->s())
    if (c != ' ')
      packed.push_back(c);
  auto [left, right] = StringRef(packed).split("->");
  const bool isExplicit = StringRef(packed).contains("->");
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (terms.size() != node.inputs.size())
    return fail("the equation is for another number of operands");
  int64_t longest = 0;
  for (auto [i, term] : enumerate(terms)) {
    int64_t ellipsis = 0;
    if (term.contains("...")) {
      ellipsis = node.rank(i) - int64_t(term.size()) + 3;
      if (ellipsis < 0)
        return fail("a term has more letters than its operand has dimensions");
    }
    longest = std::max(longest, ellipsis);
    if (!readTerm(term, ellipsis, operands.emplace_back()))
      return false;
    if (int64_t(operands.back().size()) != node.rank(i))
      return fail("a term does not fit the rank of its operand");
    for (auto [label, extent] : zip(operands.back(), node.dims(i))) {
      int64_t &known = extents.try_emplace(label, extent).first->second;
      if (known != extent && known != 1 && extent != 1)
        return fail("a letter stands for dimensions of different sizes");
      if (known == 1)
        known = extent;
    }
  }
  if (isExplicit) {
    if (!readTerm(right, longest, output))
      return false;
    std::set<int> seen;
    for (int label : output)
      if (!extents.count(label) || !seen.insert(label).second)
        return fail("the result names a letter twice or one that no operand has");
    return true;
  }
  for (int64_t i = longest; i-- > 0;)
    output.push_back(kEllipsis + int(i));
  for (auto [label, extent] : extents)
    if (label < kEllipsis &&
        std::accumulate(
            operands.begin(), operands.end(), int64_t(0),
            [&](int64_t n, const Labels &own) { return n + count(own, label); }) == 1)
      output.push_back(label);
  return true;
}

class Contraction {
public:
  Contraction(Lowering &l, const Equation &equation)
      : b(l.b), equation(equation), element(l.resultElement()), kind(l.node.info(0).kind) {}

  Term diagonal(Value value, const Labels &labels);
  Term sum(const Term &term, const Labels &kept);
  Term contract(const Term &x, const Term &y, const Labels &needed);
  Value arrange(const Term &term);

private:
  Dims dimsOf(const Labels &labels) const {
    Dims dims;
    for (int label : labels)
      dims.push_back(equation.extents.at(label));
    return dims;
  }
  /// `term` in loops that have the labels `loops`.
  Operand operand(const Term &term, const Labels &loops) {
    SmallVector<int64_t> places;
    for (int label : term.labels)
      places.push_back(find(loops, label) - loops.begin());
    return b.along(term.value, places, loops.size());
  }
  TypedAttr zero() { return scalarAttr(element, int64_t(0)); }

  TensorBuilder &b;
  const Equation &equation;
  const Type element;
  const ElemClass kind;
};

/// Leaves out dimensions that broadcast and takes diagonals of those with one label.
Term Contraction::diagonal(Value value, const Labels &labels) {
  Term term;
  Labels kept;
  Dims squeezed;
  for (auto [label, extent] : zip(labels, TensorBuilder::dimsOf(value)))
    if (extent == equation.extents.at(label)) {
      kept.push_back(label);
      squeezed.push_back(extent);
      if (!is_contained(term.labels, label))
        term.labels.push_back(label);
    }
  term.value = b.reshape(value, squeezed);
  if (kept.size() == term.labels.size())
    return term;
  term.value = b.elementwise(dimsOf(term.labels), element, operand({term.value, kept}, term.labels),
                             [](OpBuilder &, Location, ValueRange v) { return v[0]; });
  return term;
}

Term Contraction::sum(const Term &term, const Labels &needed) {
  Labels kept;
  SmallVector<int64_t> axes;
  for (auto [d, label] : enumerate(term.labels))
    if (is_contained(needed, label))
      kept.push_back(label);
    else
      axes.push_back(d);
  if (axes.empty())
    return term;
  Value value = b.reduce(dimsOf(term.labels), axes, operand(term, term.labels), zero(),
                         [&](OpBuilder &ob, Location loc, ValueRange v) {
                           return Scalars(ob, loc, kind).add(v[1], v[0]);
                         });
  return {value, kept};
}

/// The product of both, summed over the labels that are not needed. Loops: those of both, of the
/// first, of the second, and the summed ones, as a product of matrices has them.
Term Contraction::contract(const Term &x, const Term &y, const Labels &needed) {
  Labels loops;
  auto add = [&](const Labels &from, const Labels &other, bool inOther, bool kept) {
    for (int label : from)
      if (is_contained(other, label) == inOther && is_contained(needed, label) == kept)
        loops.push_back(label);
  };
  add(x.labels, y.labels, true, true);
  add(x.labels, y.labels, false, true);
  add(y.labels, x.labels, false, true);
  const size_t parallel = loops.size();
  add(x.labels, y.labels, true, false);
  const Labels kept(loops.begin(), loops.begin() + parallel);
  if (parallel == loops.size())
    return {b.elementwise(dimsOf(kept), element, {operand(x, loops), operand(y, loops)},
                          [&](OpBuilder &ob, Location loc, ValueRange v) {
                            return Scalars(ob, loc, kind).mul(v[0], v[1]);
                          }),
            kept};
  SmallVector<IteratorType> iterators(parallel, IteratorType::parallel);
  iterators.append(loops.size() - parallel, IteratorType::reduction);
  SmallVector<AffineExpr> out;
  for (size_t i = 0; i < parallel; ++i)
    out.push_back(b.getAffineDimExpr(i));
  auto op = b.generic({operand(x, loops), operand(y, loops)}, b.filled(dimsOf(kept), zero()),
                      AffineMap::get(loops.size(), 0, out, b.getContext()), iterators,
                      [&](OpBuilder &ob, Location loc, ValueRange v) {
                        Scalars s(ob, loc, kind);
                        return s.add(v[2], s.mul(v[0], v[1]));
                      });
  markContraction(op, "matmul", saturatedProduct(dimsOf(loops)));
  return {op.getResult(0), kept};
}

Value Contraction::arrange(const Term &term) {
  if (term.labels == equation.output)
    return term.value;
  return b.elementwise(dimsOf(equation.output), element, operand(term, equation.output),
                       [](OpBuilder &, Location, ValueRange v) { return v[0]; });
}

/// The labels that the result or a term other than `x` and `y` has.
Labels neededWithout(const Equation &equation, ArrayRef<Term> terms, size_t x, size_t y) {
  Labels needed = equation.output;
  for (auto [i, term] : enumerate(terms))
    if (i != x && i != y)
      needed.append(term.labels.begin(), term.labels.end());
  return needed;
}

/// The loops of the contraction of two terms, multiplied.
int64_t costOf(const Equation &equation, const Term &x, const Term &y) {
  std::set<int> labels(x.labels.begin(), x.labels.end());
  labels.insert(y.labels.begin(), y.labels.end());
  Dims extents;
  for (int label : labels)
    extents.push_back(equation.extents.at(label));
  return saturatedProduct(extents);
}

LogicalResult einsum(Lowering &l) {
  Equation equation;
  if (!equation.parse(l.node))
    return l.fail(equation.error);
  Contraction contraction(l, equation);
  SmallVector<Term> terms;
  for (auto [i, labels] : enumerate(equation.operands))
    terms.push_back(contraction.diagonal(l.in(i), labels));
  for (size_t i = 0; i < terms.size(); ++i)
    terms[i] = contraction.sum(terms[i], neededWithout(equation, terms, i, i));
  while (terms.size() > 1) {
    // The cheapest pair first.
    size_t x = 0, y = 1;
    for (size_t i = 0; i < terms.size(); ++i)
      for (size_t j = i + 1; j < terms.size(); ++j)
        if (costOf(equation, terms[i], terms[j]) < costOf(equation, terms[x], terms[y]))
          std::tie(x, y) = std::pair(i, j);
    const Labels needed = neededWithout(equation, terms, x, y);
    terms[x] = contraction.contract(terms[x], terms[y], needed);
    terms.erase(terms.begin() + y);
  }
  return l.set(contraction.arrange(terms[0]));
}

} // namespace

std::string checkEquation(const Node &node) {
  Equation equation;
  return equation.parse(node) ? "" : equation.error;
}

ArrayRef<OpEntry> einsumOps() {
  static const OpEntry entries[] = {{"Einsum", 12, 28, einsum}};
  return entries;
}

} // namespace mlir::dojo::onnximport
