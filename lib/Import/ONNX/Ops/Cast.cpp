// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions of whole tensors between element types.

#include "../BodyInts.h"
#include "../Lowering.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

LogicalResult cast(Lowering &l) {
  const int32_t from = l.node.elem(0), to = l.node.outputs[0].elem;
  CastRules rules;
  rules.saturate = l.node.intAttr("saturate", 1);
  StringRef round = l.node.stringAttr("round_mode", "up");
  if (round != "up" && round != "down" && round != "nearest")
    return l.fail("the round_mode '" + round + "' does not exist");
  rules.round = round == "up"     ? CastRules::Up
                : round == "down" ? CastRules::Down
                                  : CastRules::Nearest;
  if (from == to)
    return l.set(l.in(0));
  ArrayRef<int64_t> dims = l.node.dims(0);
  return l.set(l.b.elementwise(dims, l.resultElement(), l.operand(0, dims),
                               [&](OpBuilder &b, Location loc, ValueRange v) {
                                 return castScalar(b, loc, v[0], from, to, rules);
                               }));
}

/// A bool is a byte; any other element is what the IR has for it.
LogicalResult bitCast(Lowering &l) {
  const Type from = l.elementType(0), to = l.resultElement();
  if (l.node.info(0).bits() != elemInfo(l.node.outputs[0].elem).bits())
    return l.fail("elements of different sizes cannot have the same bits");
  if (from == to)
    return l.set(l.in(0));
  ArrayRef<int64_t> dims = l.node.dims(0);
  return l.set(l.b.elementwise(dims, to, l.operand(0, dims),
                               [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                                 BodyInts i(b, loc, 8);
                                 if (to.isInteger(1))
                                   return i.notEqual(v[0], 0);
                                 if (from.isInteger(1))
                                   return i.zeroExtend(v[0]);
                                 return i.bitcast(to, v[0]);
                               }));
}

} // namespace

ArrayRef<OpEntry> castOps() {
  static const OpEntry entries[] = {
      {"Cast", 1, 28, cast},
      {"CastLike", 15, 28, cast},
      {"BitCast", 26, 28, bitCast},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
