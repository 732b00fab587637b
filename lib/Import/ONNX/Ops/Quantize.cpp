// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers by scale and zero point: y = x / scale + zero rounded and saturated, and back. One scale
// for the tensor, for each index along an axis, or for each block of indices along it.

#include "../Formats.h"
#include "../Lowering.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// How operands 1 and 2, scale and zero point, belong to the elements of operand 0.
struct Granularity {
  /// The loops: the dimensions of operand 0, with an axis of whole blocks in two, (block, place).
  Dims loops;
  int64_t axis = -1;  ///< of the loops; -1: one scale for all
  int64_t block = 1;  ///< elements along the axis that share a scale
  bool split = false; ///< the axis is two loops
};

std::optional<Granularity> granularity(Lowering &l) {
  ArrayRef<int64_t> dims = l.node.dims(0), scale = l.node.dims(1);
  auto fail = [&](const Twine &why) {
    (void)l.fail(why);
    return std::nullopt;
  };
  if (l.node.has(2) && l.node.dims(2) != scale && elementCount(l.node.dims(2)) != 1)
    return fail("the zero point must have the dimensions of the scale");
  Granularity g;
  g.loops.assign(dims.begin(), dims.end());
  if (elementCount(scale) == 1)
    return g;
  // A tensor of one dimension has no other axis.
  auto axis = dims.size() == 1 ? std::optional<int64_t>(0)
                               : normaliseAxis(l.node.intAttr("axis", 1), dims.size());
  if (!axis)
    return fail("axis is outside the dimensions of the input");
  g.axis = *axis;
  const int64_t block = l.node.intAttr("block_size", 0);
  if (block == 0) {
    if (scale != ArrayRef<int64_t>{dims[*axis]})
      return fail("the scale must have one element for each index along the axis");
    return g;
  }
  Dims blocks(dims);
  if (block > 0)
    blocks[*axis] = divideCeil(dims[*axis], block);
  if (block < 0 || scale != ArrayRef(blocks))
    return fail("the scale must have one element for each block along the axis");
  g.block = block;
  g.split = dims[*axis] % block == 0;
  if (g.split) {
    g.loops[*axis] = blocks[*axis];
    g.loops.insert(g.loops.begin() + *axis + 1, block);
  }
  return g;
}

/// Scale or zero point as operand of loops g.loops.
Operand granularOperand(Lowering &l, unsigned i, const Granularity &g) {
  TensorBuilder &b = l.b;
  if (elementCount(l.node.dims(i)) == 1) {
    if (const Constant *constant = l.node.constant(i))
      return l.constantOperand(constant->reshaped({}), g.loops, g.loops.size(), l.operandLoc(i));
    return b.broadcast(b.reshape(l.in(i), {}), g.loops);
  }
  if (l.node.rank(i) == 1 && l.node.intAttr("block_size", 0) == 0)
    return b.along(l.in(i), {g.axis}, g.loops.size());
  SmallVector<int64_t> loops;
  for (int64_t d = 0; d < l.node.rank(i); ++d)
    loops.push_back(d > g.axis && g.split ? d + 1 : d);
  if (g.split)
    return b.along(l.in(i), loops, g.loops.size());
  // The last block is not whole: each element gets a scale of its own.
  Dims repeated(l.node.dims(i));
  repeated.insert(repeated.begin() + g.axis + 1, g.block);
  for (int64_t &loop : loops)
    loop += loop > g.axis;
  Value all = b.elementwise(repeated, l.elementType(i), b.along(l.in(i), loops, repeated.size()),
                            [](OpBuilder &, Location, ValueRange v) { return v[0]; });
  Dims joined(l.node.dims(i));
  joined[g.axis] *= g.block;
  SliceSpec cut{Dims(joined.size(), 0), Dims(joined.size(), 1), g.loops};
  return b.broadcast(b.slice(b.reshape(all, joined), cut), g.loops);
}

/// Operand 0 for loops g.loops.
Operand elements(Lowering &l, const Granularity &g) {
  if (!g.split)
    return l.operand(0, g.loops);
  if (const Constant *constant = l.node.constant(0))
    return l.constantOperand(constant->reshaped(g.loops), g.loops, 0, l.operandLoc(0));
  return l.b.broadcast(l.b.reshape(l.in(0), g.loops), g.loops);
}

/// The least and the greatest number of an integer type of at most 16 bits.
std::pair<double, double> rangeOf(int32_t elem) {
  const ElemInfo info = elemInfo(elem);
  const auto small = smallInt(elem);
  const bool isSigned = small ? small->isSigned : info.kind == ElemClass::Signed;
  const double count = double(int64_t(1) << info.bits());
  return isSigned ? std::pair(-count / 2, count / 2 - 1) : std::pair(0.0, count - 1);
}

LogicalResult quantize(Lowering &l) {
  auto g = granularity(l);
  if (!g)
    return failure();
  const int32_t from = l.node.elem(0), scaleElem = l.node.elem(1);
  const int32_t to = l.node.outputs[0].elem;
  const bool hasZero = l.node.has(2);
  if (hasZero && l.node.elem(2) != to)
    return l.fail("the zero point must have the type of the result");
  int32_t precision = int32_t(l.node.intAttr("precision", 0));
  if (precision == TensorProto::UNDEFINED)
    precision = scaleElem;
  const bool isNarrow = precision == TensorProto::FLOAT16 || precision == TensorProto::BFLOAT16;
  if (precision == TensorProto::DOUBLE)
    return l.fail("a division of the element type double is not supported");
  CastRules rules;
  rules.saturate = l.node.intAttr("saturate", 1);
  const bool isInteger = !smallFloat(to);

  SmallVector<Operand> operands{elements(l, *g), granularOperand(l, 1, *g)};
  if (hasZero)
    operands.push_back(granularOperand(l, 2, *g));
  Value result = l.b.elementwise(
      g->loops, l.resultElement(), operands, [&](OpBuilder &b, Location loc, ValueRange v) {
        auto rounded = [&](Value x, int32_t elem) {
          Value wide = castScalar(b, loc, x, elem, TensorProto::FLOAT);
          if (!isNarrow)
            return wide;
          Value narrow = castScalar(b, loc, wide, TensorProto::FLOAT, precision);
          return castScalar(b, loc, narrow, precision, TensorProto::FLOAT);
        };
        auto constant = [&](double value) {
          return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(float(value))).getResult();
        };
        Value x = rounded(v[0], from), scale = rounded(v[1], scaleElem);
        Value quotient = rounded(arith::DivFOp::create(b, loc, x, scale), TensorProto::FLOAT);
        Value zero = hasZero ? castScalar(b, loc, v[2], to, TensorProto::FLOAT) : Value();
        if (!isInteger) {
          // Adding a zero would lose the sign of -0.
          if (hasZero) {
            Value isZero =
                arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, zero, constant(0));
            Value sum = arith::AddFOp::create(b, loc, quotient, zero);
            quotient = arith::SelectOp::create(b, loc, isZero, quotient, sum);
          }
          return castScalar(b, loc, quotient, TensorProto::FLOAT, to, rules);
        }
        // Numbers of up to 16 bits and their sums are exact in f32, and what is not is cut off.
        Value y = math::RoundEvenOp::create(b, loc, quotient);
        if (hasZero)
          y = arith::AddFOp::create(b, loc, y, zero);
        auto [low, high] = rangeOf(to);
        y = arith::MaxNumFOp::create(b, loc, y, constant(low));
        y = arith::MinimumFOp::create(b, loc, y, constant(high));
        Value whole = arith::FPToSIOp::create(b, loc, b.getI32Type(), y);
        return castScalar(b, loc, whole, TensorProto::INT32, to);
      });
  return l.set(l.b.reshape(result, l.node.dims(0)));
}

LogicalResult dequantize(Lowering &l) {
  auto g = granularity(l);
  if (!g)
    return failure();
  const int32_t from = l.node.elem(0), scaleElem = l.node.elem(1);
  const int32_t to = l.node.outputs[0].elem;
  const bool hasZero = l.node.has(2);
  if (hasZero && l.node.elem(2) != from)
    return l.fail("the zero point must have the type of the input");
  SmallVector<Operand> operands{elements(l, *g), granularOperand(l, 1, *g)};
  if (hasZero)
    operands.push_back(granularOperand(l, 2, *g));
  Value result = l.b.elementwise(
      g->loops, l.resultElement(), operands, [&](OpBuilder &b, Location loc, ValueRange v) {
        auto wide = [&](Value x, int32_t elem) {
          return castScalar(b, loc, x, elem, TensorProto::FLOAT);
        };
        Value x;
        if (hasZero && from == TensorProto::INT32)
          x = wide(arith::SubIOp::create(b, loc, v[0], v[2]), from);
        else if (hasZero)
          x = arith::SubFOp::create(b, loc, wide(v[0], from), wide(v[2], from));
        else
          x = wide(v[0], from);
        Value y = arith::MulFOp::create(b, loc, x, wide(v[1], scaleElem));
        return castScalar(b, loc, y, TensorProto::FLOAT, to);
      });
  return l.set(l.b.reshape(result, l.node.dims(0)));
}

} // namespace

ArrayRef<OpEntry> quantizeOps() {
  static const OpEntry entries[] = {
      {"QuantizeLinear", 10, 28, quantize},
      {"DequantizeLinear", 10, 28, dequantize},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
