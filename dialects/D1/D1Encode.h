// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Between d1 ops with physical registers and decoded instructions. Both directions follow the
// operand tables; no choice is made.

#ifndef DOJO_DIALECTS_D1_D1ENCODE_H
#define DOJO_DIALECTS_D1_D1ENCODE_H

#include "dialects/D1/D1Ops.h"

namespace mlir::d1 {

/// Distance in bytes from the instruction to a label; nothing if there is no such label.
using LabelDistance = function_ref<std::optional<int64_t>(StringRef label)>;

/// The instruction that `op` stands for. Fails with an error on the op if it is no instruction, a
/// register is virtual, a label unknown or a field out of range.
LogicalResult toInst(Operation *op, LabelDistance distance, ::dojo::isa::Inst &out);

/// Makes the value of a register that an instruction reads; `type` is physical.
using RegisterReader = function_ref<Value(Type type)>;

/// The label of a branch target, `distance` bytes from the instruction.
using LabelName = function_ref<StringRef(int64_t distance)>;

/// Creates the op of an instruction at the builder's insertion point; its results have physical
/// register types. `inst` must be encodable.
Operation *fromInst(OpBuilder &builder, Location loc, const ::dojo::isa::Inst &inst,
                    RegisterReader read, LabelName label);

} // namespace mlir::d1

#endif // DOJO_DIALECTS_D1_D1ENCODE_H
