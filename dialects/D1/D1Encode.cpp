// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The walk over the operand tables that verifier, encoding and decoding of d1 ops share: operands,
// results and attributes of an op stand in the order of the record's operands, with the new bases
// of post-increments after all other results.

#include "dialects/D1/D1Encode.h"
#include "mlir/IR/Builders.h"

namespace isa = ::dojo::isa;
using isa::OperandInfo;
using isa::OperandKind;

namespace mlir::d1 {
namespace {

bool isUse(OperandKind kind) {
  switch (kind) {
  case OperandKind::XUse:
  case OperandKind::XUseDef:
  case OperandKind::VUse:
  case OperandKind::VUseDef:
  case OperandKind::MUse:
  case OperandKind::MemBase:
    return true;
  default:
    return false;
  }
}

bool isDef(OperandKind kind) {
  switch (kind) {
  case OperandKind::XDef:
  case OperandKind::XUseDef:
  case OperandKind::VDef:
  case OperandKind::VUseDef:
  case OperandKind::MDef:
    return true;
  default:
    return false;
  }
}

bool isX(OperandKind kind) {
  return kind == OperandKind::XDef || kind == OperandKind::XUse || kind == OperandKind::XUseDef ||
         kind == OperandKind::MemBase;
}

bool isV(OperandKind kind) {
  return kind == OperandKind::VDef || kind == OperandKind::VUse || kind == OperandKind::VUseDef;
}

Type registerType(MLIRContext *context, OperandKind kind, int index) {
  if (isX(kind))
    return XType::get(context, index);
  if (isV(kind))
    return VType::get(context, index);
  return MType::get(context, index);
}

/// The unit attribute of the memory operand whose mode field is `mode`.
std::string postIncrementName(const OperandInfo &mode) {
  return "postinc" + std::string(mode.name).substr(StringRef("mode").size());
}

bool isPostIncrement(Operation *op, const OperandInfo &mode) {
  std::optional<Attribute> attr = op->getInherentAttr(postIncrementName(mode));
  return attr && *attr;
}

unsigned numPlainResults(const isa::InstInfo &info) {
  return llvm::count_if(ArrayRef(info.ops, info.numOperands),
                        [](const OperandInfo &o) { return isDef(o.kind); });
}

LogicalResult verifyInteger(Operation *op, const OperandInfo &field) {
  std::optional<Attribute> attr = op->getInherentAttr(field.name);
  auto integer = attr ? dyn_cast_or_null<IntegerAttr>(*attr) : IntegerAttr();
  if (!integer)
    return op->emitOpError() << "needs the integer attribute '" << field.name << "'";
  int64_t value = integer.getInt();
  if (field.allowed && (value < 0 || value > 31 || !(field.allowed >> value & 1)))
    return op->emitOpError() << "'" << field.name << "' has a value that is undefined here";
  if (value < field.min || value > field.max)
    return op->emitOpError() << "'" << field.name << "' = " << value << " is not in " << field.min
                             << " to " << field.max;
  return success();
}

/// An operand and a result that must be one register.
LogicalResult verifyTied(Operation *op, Type use, Type def, StringRef what) {
  if (use == def)
    return success();
  return op->emitOpError() << what << " is read as " << use << " and written as " << def
                           << "; both must be the same register";
}

} // namespace

LogicalResult verifyInst(Operation *op) {
  std::optional<isa::Opcode> opcode = isa::findMnemonic(op->getName().stripDialect());
  if (!opcode)
    return op->emitOpError("is not an instruction");
  const isa::InstInfo &info = isa::info(*opcode);
  unsigned operand = 0, result = 0, next = numPlainResults(info);
  for (unsigned i = 0; i < info.numOperands; ++i) {
    const OperandInfo &field = info.ops[i];
    unsigned used = operand, defined = result;
    operand += isUse(field.kind);
    result += isDef(field.kind);
    if (operand > op->getNumOperands() || result > op->getNumResults())
      return op->emitOpError("lacks operands or results");
    if (isUse(field.kind) && isDef(field.kind) &&
        failed(verifyTied(op, op->getOperand(used).getType(), op->getResult(defined).getType(),
                          field.name)))
      return failure();
    if (field.kind == OperandKind::MemMode && isPostIncrement(op, field)) {
      if (next == op->getNumResults())
        return op->emitOpError("lacks the result for the new base of a post-increment");
      if (failed(verifyTied(op, op->getOperand(operand - 1).getType(),
                            op->getResult(next++).getType(), "the base of a post-increment")))
        return failure();
    }
    if (isUse(field.kind) || isDef(field.kind) || field.kind == OperandKind::MemMode ||
        field.kind == OperandKind::Target)
      continue;
    if (failed(verifyInteger(op, field)))
      return failure();
  }
  if (next != op->getNumResults())
    return op->emitOpError("has a result for a new base but no post-increment");
  return success();
}

void buildInst(OperationState &state, isa::Opcode opcode, ArrayRef<Value> values,
               ArrayRef<int64_t> numbers, StringRef target) {
  const isa::InstInfo &info = isa::info(opcode);
  Builder builder(state.getContext());
  SmallVector<Type> newBases;
  for (unsigned i = 0; i < info.numOperands; ++i) {
    const OperandInfo &field = info.ops[i];
    if (isUse(field.kind))
      state.addOperands(values.front());
    if (isDef(field.kind))
      state.addTypes(isUse(field.kind) ? values.front().getType()
                                       : registerType(state.getContext(), field.kind, -1));
    if (isUse(field.kind) || isDef(field.kind)) {
      // The mode follows the offset among the numbers, as in the op's arguments.
      if (field.kind == OperandKind::MemBase) {
        state.addAttribute(info.ops[i + 2].name, builder.getI32IntegerAttr(int32_t(numbers[0])));
        if (numbers[1]) {
          state.addAttribute(postIncrementName(info.ops[i + 1]), builder.getUnitAttr());
          newBases.push_back(values.front().getType());
        }
        numbers = numbers.drop_front(2);
        i += 2;
      }
      values = values.drop_front(isUse(field.kind));
    } else if (field.kind == OperandKind::Target) {
      state.addAttribute(field.name, FlatSymbolRefAttr::get(state.getContext(), target));
    } else {
      state.addAttribute(field.name, builder.getI32IntegerAttr(int32_t(numbers.front())));
      numbers = numbers.drop_front();
    }
  }
  state.addTypes(newBases);
}

LogicalResult toInst(Operation *op, LabelDistance distance, isa::Inst &out) {
  std::optional<isa::Opcode> opcode = getOpcode(op);
  if (!opcode)
    return op->emitOpError("is not an instruction");
  const isa::InstInfo &info = isa::info(*opcode);
  out = isa::Inst{*opcode, info.bytes, {}};
  unsigned operand = 0, result = 0;
  for (unsigned i = 0; i < info.numOperands; ++i) {
    const OperandInfo &field = info.ops[i];
    if (isUse(field.kind) || isDef(field.kind)) {
      // For a register that is read and written the verifier holds both types equal.
      Type type;
      if (isUse(field.kind))
        type = op->getOperand(operand++).getType();
      if (isDef(field.kind))
        type = op->getResult(result++).getType();
      out.f[i] = getRegisterIndex(type);
      if (out.f[i] < 0)
        return op->emitOpError() << field.name << " is the virtual register " << type
                                 << "; allocate registers before encoding";
    } else if (field.kind == OperandKind::MemMode) {
      out.f[i] = isPostIncrement(op, field);
    } else if (field.kind == OperandKind::Target) {
      auto label = cast<FlatSymbolRefAttr>(*op->getInherentAttr(field.name));
      std::optional<int64_t> bytes = distance(label.getValue());
      if (!bytes)
        return op->emitOpError() << "jumps to " << label << ", which is not a label here";
      if (*bytes < field.min || *bytes > field.max)
        return op->emitOpError() << "jumps " << *bytes << " bytes to " << label
                                 << "; it reaches from " << field.min << " to " << field.max;
      out.f[i] = int32_t(*bytes);
    } else {
      out.f[i] = int32_t(cast<IntegerAttr>(*op->getInherentAttr(field.name)).getInt());
    }
  }
  return success();
}

Operation *fromInst(OpBuilder &builder, Location loc, const isa::Inst &inst, RegisterReader read,
                    LabelName label) {
  const isa::InstInfo &info = isa::info(inst.op);
  MLIRContext *context = builder.getContext();
  OperationState state(loc, ("d1." + StringRef(info.mnemonic)).str());
  SmallVector<Type> newBases;
  for (unsigned i = 0; i < info.numOperands; ++i) {
    const OperandInfo &field = info.ops[i];
    int32_t value = inst.f[i];
    if (isUse(field.kind))
      state.addOperands(read(registerType(context, field.kind, value)));
    if (isDef(field.kind))
      state.addTypes(registerType(context, field.kind, value));
    if (isUse(field.kind) || isDef(field.kind))
      continue;
    if (field.kind == OperandKind::MemMode) {
      if (!value)
        continue;
      state.addAttribute(postIncrementName(field), builder.getUnitAttr());
      newBases.push_back(XType::get(context, inst.f[i - 1]));
    } else if (field.kind == OperandKind::Target) {
      state.addAttribute(field.name, FlatSymbolRefAttr::get(context, label(value)));
    } else {
      state.addAttribute(field.name, builder.getI32IntegerAttr(value));
    }
  }
  state.addTypes(newBases);
  return builder.create(state);
}

} // namespace mlir::d1
