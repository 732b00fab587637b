// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ops of the d1 dialect that stand for instructions, one class for each record. Each has a
// constant `opcode`.

#ifndef DOJO_DIALECTS_D1_D1OPS_H
#define DOJO_DIALECTS_D1_D1OPS_H

#include "dialects/D1/D1Dialect.h"
#include "dojo/ISA/ISA.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::d1 {

/// The node's accumulators, as a resource of memory effects.
struct AccumulatorResource : SideEffects::Resource::Base<AccumulatorResource> {
  StringRef getName() final { return "D1Accumulator"; }
};

/// Checks an instruction op against the tables: ranges of immediates, registers that are read and
/// written, results of post-increments.
LogicalResult verifyInst(Operation *op);

/// Carried by every op that is an instruction.
template <typename ConcreteOp> class InstTrait : public OpTrait::TraitBase<ConcreteOp, InstTrait> {
public:
  static LogicalResult verifyTrait(Operation *op) { return verifyInst(op); }
};

/// What the builders of the instruction ops do: `values` are the register operands, `numbers` the
/// attributes but for a branch target, both in record order; result registers are virtual, or the
/// operand's own where a register is read and written.
void buildInst(OperationState &state, ::dojo::isa::Opcode opcode, ArrayRef<Value> values,
               ArrayRef<int64_t> numbers, StringRef target = {});

/// The opcode of an instruction op; nothing for other ops.
std::optional<::dojo::isa::Opcode> getOpcode(Operation *op);

} // namespace mlir::d1

#define GET_OP_CLASSES
#include "dialects/D1/D1Inst.h.inc"

#endif // DOJO_DIALECTS_D1_D1OPS_H
