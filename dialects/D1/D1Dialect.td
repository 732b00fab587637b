// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The d1 dialect: one op for each instruction of the D1 machine, and its register types.

#ifndef DOJO_D1_DIALECT_TD
#define DOJO_D1_DIALECT_TD

include "mlir/IR/OpBase.td"

def D1_Dialect : Dialect {
  let name = "d1";
  let cppNamespace = "::mlir::d1";
  let summary = "Instructions of the Tesla D1 node";
  let description = [{
    One op for each record of the instruction set. Register operands and results have the types
    `!d1.x` (scalar), `!d1.v` (64 B vector) and `!d1.m` (mask); a type with an index names a
    physical register, one without is virtual. Results are the registers an instruction writes. A
    register that is read and written is an operand and a result with the same index. A memory
    operand is a base register and an offset in bytes; its post-increment form has one more result,
    the new base. Accumulators are always physical and stand as integer attributes.

    A d1 op with physical registers everywhere is encoded without any choice.
  }];
  let useDefaultTypePrinterParser = 1;
  let extraClassDeclaration = [{
    void registerTypes();
    void registerStructureOps();
  }];
}

#endif // DOJO_D1_DIALECT_TD
