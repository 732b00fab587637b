// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "IssueModel.h"
#include "D1Builder.h"

using namespace mlir;
using namespace mlir::dojo;
namespace d1isa = ::dojo::isa;
using d1isa::OperandKind;
using d1isa::TimingClass;

/// Integer value of an attribute of the op.
static int64_t field(Operation *op, StringRef name) {
  std::optional<Attribute> attr = op->getInherentAttr(name);
  auto integer = attr ? dyn_cast_or_null<IntegerAttr>(*attr) : IntegerAttr();
  return integer ? integer.getInt() : 0;
}

static int64_t bytesOf(Operation *op, const d1isa::InstInfo &info) {
  switch (info.access) {
  case d1isa::MemAccess::Scalar:
  case d1isa::MemAccess::Block:
    return info.accessBytes;
  case d1isa::MemAccess::Lanes:
    return 16 * d1isa::elementBytes(d1isa::EType(field(op, "etype")));
  case d1isa::MemAccess::Element:
    return d1isa::elementBytes(d1isa::EType(field(op, "etype")));
  default:
    return -1;
  }
}

std::optional<IssueInfo> IssueModel::describe(Operation *op) const {
  std::optional<d1isa::Opcode> opcode = d1::getOpcode(op);
  if (!opcode)
    return std::nullopt;
  const d1isa::InstInfo &info = d1isa::info(*opcode);
  IssueInfo result;
  result.reads = info.readsMem;
  result.writes = info.writesMem;
  if (auto region = op->getAttrOfType<IntegerAttr>(memoryRegionAttr))
    result.region = region.getInt();
  unsigned operand = 0, memory = 0, moves = 0;
  for (unsigned i = 0; i < info.numOperands; ++i) {
    const d1isa::OperandInfo &o = info.ops[i];
    switch (o.kind) {
    case OperandKind::XUse:
    case OperandKind::VUse:
    case OperandKind::MUse:
      ++operand;
      break;
    case OperandKind::XUseDef:
    case OperandKind::VUseDef:
      result.overwritten.push_back(op->getOperand(operand++));
      break;
    case OperandKind::MemBase: {
      ++memory;
      StringRef suffix = StringRef(o.name).substr(4);
      std::optional<Attribute> mode = op->getInherentAttr(("postinc" + suffix).str());
      bool moving = mode && *mode;
      moves += moving;
      Value base = op->getOperand(operand++);
      if (moving)
        result.overwritten.push_back(base);
      result.ranges.push_back(
          {base, moving ? 0 : field(op, ("off" + suffix).str()), bytesOf(op, info)});
      break;
    }
    case OperandKind::AccUse:
    case OperandKind::AccDef:
    case OperandKind::AccUseDef:
      result.accumulator = field(op, o.name);
      break;
    default:
      break;
    }
  }
  for (unsigned i = op->getNumResults() - moves; i < op->getNumResults(); ++i)
    result.moved.push_back(op->getResult(i));
  result.slots[Decode] = 1;
  result.slots[Agu] = memory;
  switch (info.timing) {
  case TimingClass::Alu:
    result.latency = target.addLatency;
    result.slots[Alu] = 1;
    break;
  case TimingClass::Mul:
    result.latency = target.multiplyLatency;
    result.slots[Alu] = 1;
    break;
  case TimingClass::Div:
    result.latency = target.divideLatency;
    result.slots[Alu] = 1;
    break;
  case TimingClass::Load:
    result.latency = target.scalarLoadLatency;
    break;
  case TimingClass::VLoad:
    // One more where the access crosses a line, which most do.
    result.latency = target.vectorLoadLatency + 1;
    break;
  case TimingClass::Store:
  case TimingClass::VStore:
    break;
  case TimingClass::Gather:
    result.latency = target.gatherLatency;
    result.slots[Agu] = 1;
    break;
  case TimingClass::Simd:
    result.latency = target.simdLatency + (memory ? target.vectorLoadLatency : 0);
    result.slots[Simd] = 1;
    break;
  case TimingClass::Estimate:
    result.latency = target.estimateLatency;
    result.slots[Simd] = 1;
    break;
  case TimingClass::Matrix:
    result.latency = target.controlLatency; // of the moved bases
    result.slots[Matrix] = 1;
    result.step = true;
    break;
  case TimingClass::Drain:
    result.latency = target.drainLatency;
    result.slots[Simd] = 1;
    result.drain = true;
    break;
  case TimingClass::Fill:
    result.latency = target.fillLatency;
    result.slots[Simd] = 1;
    result.fill = true;
    break;
  case TimingClass::Control:
    // Immediates are made in the front end; everything else stays where it is.
    if (info.isBranch || !isMemoryEffectFree(op))
      return std::nullopt;
    result.latency = target.controlLatency;
    break;
  }
  return result;
}

int IssueModel::accumulatorLatency(const IssueInfo &write, const IssueInfo &use) const {
  if (write.drain)
    return use.drain ? 0 : 1;
  if (write.fill)
    return target.fillLatency;
  return use.drain ? target.stepToDrain : 1;
}

std::array<int, numSlots> IssueModel::slotsPerCycle() const {
  std::array<int, numSlots> slots{};
  slots[Decode] = target.decodePerThread;
  slots[Alu] = target.aluSlots;
  slots[Agu] = target.aguSlots;
  slots[Simd] = target.simdSlots;
  slots[Matrix] = target.matrixSlots;
  return slots;
}

bool mlir::dojo::conflict(const IssueInfo &a, const IssueInfo &b) {
  bool touches = (a.reads || a.writes) && (b.reads || b.writes);
  if (!touches || (!a.writes && !b.writes))
    return false;
  if (a.region >= 0 && b.region >= 0 && a.region != b.region)
    return false;
  for (const MemoryRange &x : a.ranges)
    for (const MemoryRange &y : b.ranges)
      if (x.base != y.base || x.bytes < 0 || y.bytes < 0 ||
          (x.offset < y.offset + y.bytes && y.offset < x.offset + x.bytes))
        return true;
  return a.ranges.empty() || b.ranges.empty();
}
