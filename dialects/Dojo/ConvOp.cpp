// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Dojo/DojoDialect.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::dojo;

void ConvOp::build(OpBuilder &builder, OperationState &state, Value input, Value weight,
                   ValueRange extras, Value init, ArrayRef<int64_t> strides,
                   ArrayRef<int64_t> dilations, ArrayRef<AffineMap> extraMaps, int64_t parts) {
  SmallVector<Type, 1> results;
  if (isa<RankedTensorType>(init.getType()))
    results.push_back(init.getType());
  build(builder, state, results, input, weight, extras, init, builder.getDenseI64ArrayAttr(strides),
        builder.getDenseI64ArrayAttr(dilations), builder.getI64IntegerAttr(parts),
        builder.getAffineMapArrayAttr(extraMaps));
}

SmallVector<AffineMap> ConvOp::getExtraMapValues() {
  return llvm::to_vector(getExtraMaps().getAsValueRange<AffineMapAttr>());
}

void ConvOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  for (BlockArgument argument : region.getArguments())
    setName(argument, argument.getArgNumber() == 0 ? "acc" : "in");
}

void ConvOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : getOperation()->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (&operand == &getInitMutable())
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

/// Largest value of `expr` for dimensions from 0 to their upper limit, if it is a sum of dimensions
/// with constant factors >= 0 and a constant >= 0; nothing otherwise.
static std::optional<int64_t> maximum(AffineExpr expr, ArrayRef<int64_t> limits) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue() >= 0 ? std::optional(constant.getValue()) : std::nullopt;
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return limits[dim.getPosition()];
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return std::nullopt;
  std::optional<int64_t> lhs = maximum(binary.getLHS(), limits);
  std::optional<int64_t> rhs = maximum(binary.getRHS(), limits);
  if (!lhs || !rhs)
    return std::nullopt;
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return *lhs + *rhs;
  case AffineExprKind::Mul:
    return *lhs * *rhs;
  case AffineExprKind::FloorDiv:
    // The largest quotient: only for a constant divisor.
    return isa<AffineConstantExpr>(binary.getRHS()) && *rhs > 0 ? std::optional(*lhs / *rhs)
                                                                : std::nullopt;
  case AffineExprKind::Mod:
    return isa<AffineConstantExpr>(binary.getRHS()) && *rhs > 0
               ? std::optional(std::min(*lhs, *rhs - 1))
               : std::nullopt;
  default:
    return std::nullopt;
  }
}

LogicalResult ConvOp::verify() {
  ShapedType input = getInputType(), weight = getWeightType(), init = getInitType();
  bool tensors = isa<RankedTensorType>(init);
  for (Type type : getOperandTypes())
    if (isa<RankedTensorType>(type) != tensors)
      return emitOpError("mixes tensors and memrefs");
  if (getResult() ? getResult().getType() != init : tensors)
    return emitOpError("has ") << (tensors ? "no result of the type of its tensor destination"
                                           : "a result although its destination is a memref");
  if (input.getRank() != 5 || input.getDimSize(4) != 4)
    return emitOpError("input must be [N, Cq, H, W, 4], but is ") << input;
  if (weight.getRank() != 6 || weight.getDimSize(4) != 8 || weight.getDimSize(5) != 4)
    return emitOpError("weight must be [Fo, KH, KW, Cq, 8, 4], but is ") << weight;
  if (init.getRank() != 5 || init.getDimSize(4) != 4)
    return emitOpError("destination must be [N, Fq, OH, OW, 4], but is ") << init;
  if (!input.getElementType().isBF16() || !weight.getElementType().isBF16())
    return emitOpError("multiplies bf16 only, not ")
           << input.getElementType() << " by " << weight.getElementType();
  int64_t parts = getParts();
  if (parts < 1 || input.getDimSize(1) % parts != 0)
    return emitOpError("cannot sum ")
           << input.getDimSize(1) << " channel groups in " << parts << " equal parts";
  if (parts != 1 && !tensors)
    return emitOpError("has ") << parts << " parts; on memrefs it has one";
  if (input.getDimSize(0) * parts != init.getDimSize(0))
    return emitOpError("has ") << input.getDimSize(0) << " images in and " << init.getDimSize(0)
                               << " out, of " << parts << " parts each";
  if (input.getDimSize(1) != weight.getDimSize(3))
    return emitOpError("has ") << input.getDimSize(1) << " channel groups in the input and "
                               << weight.getDimSize(3) << " in the weight";
  if (weight.getDimSize(0) != (init.getDimSize(1) + 1) / 2)
    return emitOpError("has ") << weight.getDimSize(0) << " groups of 8 output channels in the "
                               << "weight and " << init.getDimSize(1)
                               << " groups of 4 in the destination";
  if (getStrides().size() != 2 || getDilations().size() != 2)
    return emitOpError("needs two strides and two dilations");
  for (unsigned d = 0; d < 2; ++d) {
    int64_t stride = getStrides()[d], dilation = getDilations()[d];
    if (stride < 1 || dilation < 1)
      return emitOpError("needs strides and dilations of at least 1");
    int64_t need =
        (init.getDimSize(2 + d) - 1) * stride + (weight.getDimSize(1 + d) - 1) * dilation + 1;
    if (init.getDimSize(2 + d) > 0 && input.getDimSize(2 + d) < need)
      return emitOpError("reads ")
             << need << (d ? " columns" : " rows") << " of an input of " << input.getDimSize(2 + d);
  }
  if (getExtraMaps().size() != getExtras().size())
    return emitOpError("has ") << getExtras().size() << " extra operands and "
                               << getExtraMaps().size() << " maps";
  SmallVector<int64_t> limits;
  for (int64_t size : init.getShape())
    limits.push_back(std::max<int64_t>(size - 1, 0));
  for (auto [index, map] : llvm::enumerate(getExtraMapValues())) {
    auto type = cast<ShapedType>(getExtras()[index].getType());
    if (map.getNumDims() != 5 || map.getNumSymbols() != 0 ||
        int64_t(map.getNumResults()) != type.getRank())
      return emitOpError("needs a map from 5 dimensions to ")
             << type.getRank() << " for extra operand " << index;
    for (auto [expr, size] : llvm::zip_equal(map.getResults(), type.getShape())) {
      std::optional<int64_t> last = maximum(expr, limits);
      if (!last || *last >= size)
        return emitOpError("reads extra operand ") << index << " outside of " << type;
    }
  }
  return success();
}

LogicalResult ConvOp::verifyRegions() {
  Block &block = getEpilogue().front();
  SmallVector<Type> expected{Float32Type::get(getContext())};
  for (Value extra : getExtras())
    expected.push_back(cast<ShapedType>(extra.getType()).getElementType());
  if (block.getArgumentTypes() != TypeRange(expected))
    return emitOpError("epilogue must take an f32 sum and an element of each extra operand");
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield || yield.getValues().size() != 1 ||
      yield.getValues()[0].getType() != getInitType().getElementType())
    return emitOpError("epilogue must yield one ") << getInitType().getElementType();
  return success();
}
