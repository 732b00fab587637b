// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise ops and reductions on constants.

#include "Fold.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include <cmath>

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

enum class Fn {
  None,
  Add,
  Sub,
  Mul,
  Div,
  Mod,
  Pow,
  Min,
  Max,
  Equal,
  Less,
  LessOrEqual,
  Greater,
  GreaterOrEqual,
  And,
  Or,
  Xor,
  Where,
  Neg,
  Abs,
  Sign,
  Not,
  Floor,
  Ceil,
  Round,
  Sqrt,
  Reciprocal,
  Relu,
  Exp,
  Log,
  Cast
};

Fn functionOf(StringRef op) {
  return StringSwitch<Fn>(op)
      .Cases({"Add", "Sum"}, Fn::Add)
      .Case("Sub", Fn::Sub)
      .Case("Mul", Fn::Mul)
      .Case("Div", Fn::Div)
      .Case("Mod", Fn::Mod)
      .Case("Pow", Fn::Pow)
      .Case("Min", Fn::Min)
      .Case("Max", Fn::Max)
      .Case("Equal", Fn::Equal)
      .Case("Less", Fn::Less)
      .Case("LessOrEqual", Fn::LessOrEqual)
      .Case("Greater", Fn::Greater)
      .Case("GreaterOrEqual", Fn::GreaterOrEqual)
      .Case("And", Fn::And)
      .Case("Or", Fn::Or)
      .Case("Xor", Fn::Xor)
      .Case("Where", Fn::Where)
      .Case("Neg", Fn::Neg)
      .Case("Abs", Fn::Abs)
      .Case("Sign", Fn::Sign)
      .Case("Not", Fn::Not)
      .Case("Floor", Fn::Floor)
      .Case("Ceil", Fn::Ceil)
      .Case("Round", Fn::Round)
      .Case("Sqrt", Fn::Sqrt)
      .Case("Reciprocal", Fn::Reciprocal)
      .Case("Relu", Fn::Relu)
      .Case("Exp", Fn::Exp)
      .Case("Log", Fn::Log)
      .Cases({"Cast", "CastLike"}, Fn::Cast)
      .Default(Fn::None);
}

unsigned arityOf(Fn fn) {
  if (fn == Fn::Where)
    return 3;
  return fn >= Fn::Neg ? 1 : 2;
}

bool isComparison(Fn fn) { return fn >= Fn::Equal && fn <= Fn::GreaterOrEqual; }

/// Comparisons, logic and selection, the same for every type of `a` and `b`.
template <typename T> std::optional<bool> compare(Fn fn, T a, T b) {
  switch (fn) {
  case Fn::Equal:
    return a == b;
  case Fn::Less:
    return a < b;
  case Fn::LessOrEqual:
    return a <= b;
  case Fn::Greater:
    return a > b;
  case Fn::GreaterOrEqual:
    return a >= b;
  default:
    return std::nullopt;
  }
}

/// float32 operands give the float32 result when this is rounded: double has more than twice the
/// bits plus two, so rounding twice is rounding once for + - * / and sqrt.
std::optional<double> evaluate(const Node &node, Fn fn, double a, double b) {
  switch (fn) {
  case Fn::Add:
    return a + b;
  case Fn::Sub:
    return a - b;
  case Fn::Mul:
    return a * b;
  case Fn::Div:
    return a / b;
  case Fn::Mod:
    return node.intAttr("fmod", 0) ? std::optional(std::fmod(a, b)) : std::nullopt;
  case Fn::Pow:
    return std::pow(a, b);
  case Fn::Min:
    return std::isnan(a) || std::isnan(b) ? a + b : std::min(a, b);
  case Fn::Max:
    return std::isnan(a) || std::isnan(b) ? a + b : std::max(a, b);
  case Fn::Relu:
    return a < 0 ? 0 : a;
  case Fn::Neg:
    return -a;
  case Fn::Abs:
    return std::fabs(a);
  case Fn::Sign:
    return a > 0 ? 1 : a < 0 ? -1 : a;
  case Fn::Floor:
    return std::floor(a);
  case Fn::Ceil:
    return std::ceil(a);
  case Fn::Round:
    return std::nearbyint(a);
  case Fn::Sqrt:
    return std::sqrt(a);
  case Fn::Reciprocal:
    return 1 / a;
  case Fn::Exp:
    return std::exp(a);
  case Fn::Log:
    return std::log(a);
  case Fn::Cast:
    return a;
  default:
    return std::nullopt;
  }
}

/// Integers of at most 64 bits in two's complement; the caller keeps the low bits.
std::optional<int64_t> evaluate(const Node &node, Fn fn, int64_t a, int64_t b, bool isUnsigned) {
  const auto ua = uint64_t(a), ub = uint64_t(b);
  switch (fn) {
  case Fn::Add:
    return int64_t(ua + ub);
  case Fn::Sub:
    return int64_t(ua - ub);
  case Fn::Mul:
    return int64_t(ua * ub);
  case Fn::Div:
  case Fn::Mod: {
    if (b == 0)
      return std::nullopt;
    if (isUnsigned)
      return int64_t(fn == Fn::Div ? ua / ub : ua % ub);
    if (b == -1)
      return fn == Fn::Div ? int64_t(-ua) : 0;
    if (fn == Fn::Div)
      return a / b;
    const int64_t remainder = a % b;
    // Without fmod the result has the divisor's sign, as in Python.
    const bool adjust = !node.intAttr("fmod", 0) && remainder != 0 && (remainder < 0) != (b < 0);
    return adjust ? remainder + b : remainder;
  }
  case Fn::Pow: {
    if (b < 0)
      return std::nullopt;
    uint64_t result = 1;
    for (uint64_t base = ua, exponent = ub; exponent; exponent >>= 1, base *= base)
      if (exponent & 1)
        result *= base;
    return int64_t(result);
  }
  case Fn::Min:
    return (isUnsigned ? ua < ub : a < b) ? a : b;
  case Fn::Max:
    return (isUnsigned ? ua > ub : a > b) ? a : b;
  case Fn::And:
    return a && b;
  case Fn::Or:
    return a || b;
  case Fn::Xor:
    return (a != 0) != (b != 0);
  case Fn::Not:
    return !a;
  case Fn::Relu:
    return a < 0 && !isUnsigned ? 0 : a;
  case Fn::Neg:
    return int64_t(-ua);
  case Fn::Abs:
    return a < 0 && !isUnsigned ? int64_t(-ua) : a;
  case Fn::Sign:
    return isUnsigned ? a != 0 : (a > 0) - (a < 0);
  case Fn::Floor:
  case Fn::Ceil:
  case Fn::Round:
  case Fn::Cast:
    return a;
  default:
    return std::nullopt;
  }
}

/// Walks several operands in the order of one broadcast result.
class Broadcast {
public:
  Broadcast(ArrayRef<int64_t> dims, ArrayRef<const Constant *> operands)
      : dims(dims), index(dims.size(), 0), at(operands.size(), 0) {
    for (const Constant *operand : operands) {
      Dims own = stridesOf(operand->dims()), padded(dims.size(), 0);
      const size_t lead = dims.size() - own.size();
      for (size_t d = 0; d < own.size(); ++d)
        padded[lead + d] = operand->dims()[d] == 1 ? 0 : own[d];
      strides.push_back(padded);
    }
  }
  int64_t operator[](unsigned operand) const { return at[operand]; }
  void next() {
    for (int d = int(dims.size()) - 1; d >= 0; --d) {
      const bool wraps = ++index[d] == dims[d];
      for (auto [position, stride] : zip(at, strides))
        position += wraps ? -stride[d] * (dims[d] - 1) : stride[d];
      if (!wraps)
        return;
      index[d] = 0;
    }
  }

private:
  ArrayRef<int64_t> dims;
  Dims index, at;
  SmallVector<Dims> strides;
};

std::optional<Constant> apply(const Node &node, Fn fn, ArrayRef<const Constant *> operands) {
  std::optional<Dims> dims = Dims();
  for (const Constant *operand : operands) {
    dims = broadcastDims(*dims, operand->dims());
    if (!dims)
      return std::nullopt;
  }
  TensorType type{node.outputs[0].elem, *dims};
  auto count = elementCount(*dims);
  if (!count)
    return std::nullopt;
  const Constant &a = *operands[0], &b = *operands[operands.size() > 1 ? 1 : 0];
  const ElemInfo operandInfo = elemInfo(a.elem());
  const bool isFloat = operandInfo.kind == ElemClass::Float;
  const bool isUnsigned = operandInfo.kind == ElemClass::Unsigned;
  const unsigned size = elemInfo(type.elem).bytes;
  std::string bytes;
  bytes.reserve(*count * size);
  Broadcast at(type.dims, operands);
  for (int64_t i = 0; i < *count; ++i, at.next()) {
    if (fn == Fn::Where) {
      const unsigned chosen = a.asInt(at[0]) ? 1 : 2;
      bytes += operands[chosen]->bytes().substr(at[chosen] * size, size);
    } else if (isComparison(fn)) {
      std::optional<bool> result;
      if (isFloat)
        result = compare(fn, a.asDouble(at[0]), b.asDouble(at[1]));
      else if (isUnsigned)
        result = compare(fn, uint64_t(a.asInt(at[0])), uint64_t(b.asInt(at[1])));
      else
        result = compare(fn, a.asInt(at[0]), b.asInt(at[1]));
      appendElement(bytes, type.elem, int64_t(*result));
    } else if (isFloat) {
      auto result =
          evaluate(node, fn, a.asDouble(at[0]), operands.size() > 1 ? b.asDouble(at[1]) : 0);
      if (!result)
        return std::nullopt;
      appendElement(bytes, type.elem, *result);
    } else if (fn == Fn::Cast && a.elem() == TensorProto::UINT64) {
      if (elemInfo(type.elem).kind == ElemClass::Float)
        appendElement(bytes, type.elem, a.asDouble(at[0]));
      else
        appendElement(bytes, type.elem, a.asInt(at[0]));
    } else {
      auto result =
          evaluate(node, fn, a.asInt(at[0]), operands.size() > 1 ? b.asInt(at[1]) : 0, isUnsigned);
      if (!result)
        return std::nullopt;
      appendElement(bytes, type.elem, *result);
    }
  }
  return Constant(type, std::move(bytes));
}

} // namespace

std::optional<Constant> foldElementwise(const Node &node) {
  const Fn fn = functionOf(node.op());
  SmallVector<const Constant *> operands;
  const unsigned count = node.op() == "CastLike" ? 1 : node.inputs.size();
  for (unsigned i = 0; i < count; ++i) {
    if (!node.constant(i) || elemInfo(node.elem(i)).kind == ElemClass::Other)
      return std::nullopt;
    operands.push_back(node.constant(i));
  }
  if (fn == Fn::None || operands.empty())
    return std::nullopt;
  if (elemInfo(node.outputs[0].elem).kind == ElemClass::Other)
    return std::nullopt;
  // Old versions broadcast along an axis that an attribute names.
  if (node.since < 7 && arityOf(fn) == 2 && operands.size() == 2 &&
      operands[0]->dims() != operands[1]->dims())
    return std::nullopt;
  const bool isVariadic = is_contained({"Sum", "Min", "Max"}, node.op());
  if (!isVariadic) {
    if (operands.size() != arityOf(fn))
      return std::nullopt;
    if (fn == Fn::Where
            ? operands[1]->elem() != operands[2]->elem() || operands[0]->elem() != TensorProto::BOOL
            : fn != Fn::Pow && operands.size() == 2 && operands[0]->elem() != operands[1]->elem())
      return std::nullopt;
    // A float exponent of an integer base, or the other way round, is left to the chip.
    if (fn == Fn::Pow && elemInfo(operands[0]->elem()).kind != elemInfo(operands[1]->elem()).kind)
      return std::nullopt;
    return apply(node, fn, operands);
  }
  Constant sum = *operands[0];
  for (const Constant *operand : ArrayRef(operands).drop_front()) {
    if (operand->elem() != sum.elem())
      return std::nullopt;
    const Constant *pair[] = {&sum, operand};
    auto next = apply(node, fn, pair);
    if (!next)
      return std::nullopt;
    sum = *next;
  }
  return sum;
}

std::optional<Constant> foldReduction(const Node &node) {
  const Fn fn = StringSwitch<Fn>(node.op())
                    .Case("ReduceSum", Fn::Add)
                    .Case("ReduceProd", Fn::Mul)
                    .Case("ReduceMax", Fn::Max)
                    .Case("ReduceMin", Fn::Min)
                    .Default(Fn::None);
  if (fn == Fn::None || !node.constant(0) || node.info(0).kind == ElemClass::Other)
    return std::nullopt;
  const Constant &in = *node.constant(0);
  auto requested = node.ints("axes", 1);
  if (!requested || requested->empty()) {
    if (node.intAttr("noop_with_empty_axes", 0))
      return std::nullopt;
    requested = llvm::to_vector(seq<int64_t>(0, node.rank(0)));
  }
  auto axes = normaliseAxes(*requested, node.rank(0));
  if (!axes || in.count() == 0)
    return std::nullopt;

  // Folding one axis at a time keeps the order of additions simple: ascending index.
  Constant current = in;
  for (int64_t axis : *axes) {
    TensorType type = current.getType();
    const int64_t extent = type.dims[axis];
    type.dims[axis] = 1;
    const int64_t inner = *elementCount(ArrayRef(type.dims).drop_front(axis + 1));
    const int64_t outer = *elementCount(ArrayRef(type.dims).take_front(axis));
    std::string bytes;
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i) {
        auto at = [&](int64_t k) { return (o * extent + k) * inner + i; };
        if (node.info(0).kind == ElemClass::Float) {
          std::string rounded;
          double value = current.asDouble(at(0));
          for (int64_t k = 1; k < extent; ++k) {
            rounded.clear();
            appendElement(rounded, type.elem, *evaluate(node, fn, value, current.asDouble(at(k))));
            value = Constant({type.elem, {}}, rounded).asDouble(0);
          }
          appendElement(bytes, type.elem, value);
        } else {
          int64_t value = current.asInt(at(0));
          for (int64_t k = 1; k < extent; ++k)
            value = *evaluate(node, fn, value, current.asInt(at(k)),
                              node.info(0).kind == ElemClass::Unsigned);
          appendElement(bytes, type.elem, value);
        }
      }
    current = Constant(type, std::move(bytes));
  }
  if (elementCount(node.outputs[0].dims) != current.count())
    return std::nullopt;
  return current.reshaped(node.outputs[0].dims);
}

} // namespace mlir::dojo::onnximport
