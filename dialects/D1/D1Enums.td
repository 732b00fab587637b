// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Enumerations that appear as operands of instructions. The values are the encoded ones.

#ifndef DOJO_D1_ENUMS_TD
#define DOJO_D1_ENUMS_TD

include "mlir/IR/EnumAttr.td"

// An element type in memory. The last three are reserved: an instruction that names one is undefined.
def D1_EType : I32EnumAttr<"EType", "element type in memory", [
    I32EnumAttrCase<"w32", 0>, I32EnumAttrCase<"bf16", 1>, I32EnumAttrCase<"f16", 2>,
    I32EnumAttrCase<"i8", 3>, I32EnumAttrCase<"u8", 4>, I32EnumAttrCase<"i16", 5>,
    I32EnumAttrCase<"u16", 6>, I32EnumAttrCase<"cf8a", 7>, I32EnumAttrCase<"cf8b", 8>,
    I32EnumAttrCase<"cf16", 9>]> {
  let cppNamespace = "::mlir::d1";
}

// A condition of a lane compare. Floating point: the first six are ordered except ne, which is
// 'unordered or not equal'; uno and ord ask for a NaN. Integer: the last four are unsigned.
def D1_Cond : I32EnumAttr<"Cond", "condition of a lane compare", [
    I32EnumAttrCase<"eq", 0>, I32EnumAttrCase<"ne", 1>, I32EnumAttrCase<"lt", 2>,
    I32EnumAttrCase<"le", 3>, I32EnumAttrCase<"gt", 4>, I32EnumAttrCase<"ge", 5>,
    I32EnumAttrCase<"uno", 6>, I32EnumAttrCase<"ord", 7>, I32EnumAttrCase<"ltu", 8>,
    I32EnumAttrCase<"leu", 9>, I32EnumAttrCase<"gtu", 10>, I32EnumAttrCase<"geu", 11>]> {
  let cppNamespace = "::mlir::d1";
}

// The operand format of a matrix step. All but the first are reserved.
def D1_MatFormat : I32EnumAttr<"MatFormat", "operand format of a matrix step", [
    I32EnumAttrCase<"bf16", 0>, I32EnumAttrCase<"cf8a", 1>, I32EnumAttrCase<"cf8b", 2>,
    I32EnumAttrCase<"cf16", 3>]> {
  let cppNamespace = "::mlir::d1";
}

#endif // DOJO_D1_ENUMS_TD
