// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations of the vector dialect other than memory accesses.

#include "KernelLowering.h"
#include "MathExpansion.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::dojo;

Value KernelLowering::combine(vector::CombiningKind kind, Type element, Value a, Value c) {
  using vector::CombiningKind;
  switch (kind) {
  case CombiningKind::ADD:
    return isa<FloatType>(element) ? d.fadd(a, c) : d.iadd(a, c);
  case CombiningKind::MUL:
    return isa<FloatType>(element) ? d.fmul(a, c) : d.imul(a, c);
  case CombiningKind::MAXIMUMF:
    return d.fmax(a, c);
  case CombiningKind::MINIMUMF:
    return d.fmin(a, c);
  case CombiningKind::MAXNUMF:
    return expandNumber(d, a, c, true);
  case CombiningKind::MINNUMF:
    return expandNumber(d, a, c, false);
  case CombiningKind::MAXSI:
    return d.op<d1::VIMaxOp>(a, c);
  case CombiningKind::MINSI:
    return d.op<d1::VIMinOp>(a, c);
  case CombiningKind::MAXUI:
    return d.op<d1::VIMaxUOp>(a, c);
  case CombiningKind::MINUI:
    return d.op<d1::VIMinUOp>(a, c);
  case CombiningKind::AND:
    return d.iand(a, c);
  case CombiningKind::OR:
    return d.ior(a, c);
  case CombiningKind::XOR:
    return d.ixor(a, c);
  }
  return {};
}

Value KernelLowering::shuffle(vector::ShuffleOp op) {
  ArrayRef<int64_t> mask = op.getMask();
  if (mask.size() != numLanes || fileOf(op.getV1().getType()) != RegisterFile::V)
    return {};
  std::array<int32_t, 16> index{};
  bool rotates = true, first = true, second = true;
  for (int l = 0; l < numLanes; ++l) {
    index[l] = mask[l] < 0 ? l : mask[l];
    first &= index[l] < numLanes;
    second &= index[l] >= numLanes;
    rotates &= index[l] % numLanes == (index[0] + l) % numLanes;
  }
  if (op.getV1() == op.getV2()) {
    for (int32_t &i : index)
      i %= numLanes;
    first = true;
  }
  if (first || second) {
    Value source = get(first ? op.getV1() : op.getV2());
    return rotates ? d.slide(source, index[0] % numLanes)
                   : d.op<d1::VPermOp>(source, d.lanes(index));
  }
  return d.op<d1::VPerm2Op>(get(op.getV1()), get(op.getV2()), d.lanes(index));
}

LogicalResult KernelLowering::lowerVectorOp(Operation *op) {
  Value result =
      TypeSwitch<Operation *, Value>(op)
          .Case([&](vector::BroadcastOp o) -> Value {
            Type from = o.getSourceType();
            if (isa<VectorType>(from))
              return from == o.getType() ? get(o.getSource()) : Value();
            Value scalar = get(o.getSource());
            if (fileOf(o.getType()) == RegisterFile::M)
              return d.op<d1::MMovXOp>(d.op<d1::SubOp>(d.x0(), scalar));
            if (fileOf(from) == RegisterFile::V)
              return scalar;
            broadcasts[o] = scalar;
            return d.op<d1::VMovXOp>(scalar);
          })
          .Case([&](vector::ShuffleOp o) { return shuffle(o); })
          .Case([&](vector::FMAOp o) {
            return d.fma(get(o.getLhs()), get(o.getRhs()), get(o.getAcc()));
          })
          .Case([&](vector::CreateMaskOp o) { return d.op<d1::MLanesOp>(get(o.getOperand(0))); })
          .Case([&](vector::ExtractOp o) -> Value {
            if (o.hasDynamicPosition() || o.getNumIndices() != 1)
              return {};
            int lane = o.getStaticPosition()[0];
            Value source = get(o.getSource());
            switch (fileOf(o.getSource().getType())) {
            case RegisterFile::M:
              return d.andi(d.srli(d.op<d1::MMovMOp>(source), lane), 1);
            case RegisterFile::V:
              if (isa<FloatType>(o.getType()))
                return d.op<d1::VPermOp>(source, d.splat(lane));
              return d.op<d1::VExtractOp>(source, lane);
            default:
              return {};
            }
          })
          .Case([&](vector::InsertOp o) -> Value {
            if (o.hasDynamicPosition() || o.getStaticPosition().size() != 1 ||
                fileOf(o.getDest().getType()) != RegisterFile::V)
              return {};
            int lane = o.getStaticPosition()[0];
            Value scalar = get(o.getValueToStore()), dest = get(o.getDest());
            if (isa<d1::XType>(scalar.getType()))
              return d.op<d1::VInsertOp>(dest, scalar, lane);
            return d.vsel(d.laneSet(uint16_t(1u << lane)), scalar, dest);
          })
          .Case([&](vector::ReductionOp o) -> Value {
            Type element = o.getDest().getType();
            Value lanes = get(o.getVector());
            if (fileOf(o.getVector().getType()) != RegisterFile::V)
              return {};
            for (int s = numLanes / 2; s > 0 && lanes; s /= 2)
              lanes = combine(o.getKind(), element, lanes, d.slide(lanes, s));
            if (o.getAcc()) {
              Value acc = get(o.getAcc());
              lanes = combine(o.getKind(), element,
                              isa<d1::XType>(acc.getType()) ? d.op<d1::VMovXOp>(acc) : acc, lanes);
            }
            if (isa<FloatType>(element))
              return lanes;
            return normalize(d.op<d1::VExtractOp>(lanes, 0), element);
          })
          .Default([](Operation *) { return Value(); });
  if (!result)
    return unsupported(op);
  set(op->getResult(0), result);
  return success();
}
