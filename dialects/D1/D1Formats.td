// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The instruction formats. Operand fields are listed in assembly order, wherever their bits are.

#ifndef DOJO_D1_FORMATS_TD
#define DOJO_D1_FORMATS_TD

include "dialects/D1/D1Encoding.td"

def NoFunct : Field<"", 0, 0>;

//===----------------------------------------------------------------------===//
// 4-byte formats
//===----------------------------------------------------------------------===//

defvar FieldD = Field<"d", 8, 5>;
defvar FieldA = Field<"a", 13, 5>;
defvar FieldB = Field<"b", 18, 5>;

def F_R3    : Format<"r3", 4, [FieldD, FieldA, FieldB], Field<"funct", 23, 9>>;
def F_R2    : Format<"r2", 4, [FieldD, FieldA], Field<"funct", 23, 9>>;
def F_R1    : Format<"r1", 4, [FieldD], Field<"funct", 23, 9>>;
def F_R4    : Format<"r4", 4, [FieldD, FieldA, FieldB, Field<"c", 23, 5>], Field<"funct", 28, 4>>;
def F_I12   : Format<"i12", 4, [FieldD, FieldA, Field<"imm", 18, 12>], Field<"funct", 30, 2>>;
def F_Shift : Format<"shift", 4, [FieldD, FieldA, Field<"imm", 18, 6>], Field<"funct", 24, 8>>;
def F_I16   : Format<"i16", 4, [FieldD, Field<"imm", 13, 16>], Field<"funct", 29, 3>>;
def F_J24   : Format<"j24", 4, [Field<"target", 8, 24>], NoFunct>;
def F_J19   : Format<"j19", 4, [FieldD, Field<"target", 13, 19>], NoFunct>;
def F_B12   : Format<"b12", 4, [Field<"a", 8, 5>, Field<"b", 13, 5>, Field<"target", 18, 12>],
                     Field<"funct", 30, 2>>;
def F_Wait  : Format<"wait", 4, [Field<"sem", 8, 8>, Field<"n", 16, 16>], NoFunct>;
def F_U21   : Format<"u21", 4, [Field<"imm", 8, 21>], Field<"funct", 29, 3>>;

// Control instructions of one major opcode.
defvar ControlFunct = Field<"funct", 24, 8>;
def F_C0    : Format<"c0", 4, [], ControlFunct>;
def F_C1    : Format<"c1", 4, [FieldD], ControlFunct>;
def F_Pred  : Format<"pred", 4, [FieldD, Field<"n", 13, 3>], ControlFunct>;
def F_Sem   : Format<"sem", 4, [Field<"sem", 13, 8>], ControlFunct>;
def F_SemX  : Format<"semx", 4, [Field<"sem", 13, 8>, FieldD], ControlFunct>;
def F_XSem  : Format<"xsem", 4, [FieldD, Field<"sem", 13, 8>], ControlFunct>;

// Vector instructions with a mask, a condition or a small immediate.
def F_VSel  : Format<"vsel", 4, [FieldD, Field<"mk", 23, 3>, FieldA, FieldB],
                     Field<"funct", 26, 6>>;
def F_VCmp  : Format<"vcmp", 4, [Field<"md", 8, 3>, FieldA, FieldB, Field<"cond", 23, 4>],
                     Field<"funct", 27, 5>>;
def F_VLane : Format<"vlane", 4, [FieldD, FieldA, Field<"imm", 18, 4>], Field<"funct", 23, 9>>;
def F_VTrn  : Format<"vtrn", 4, [FieldD, FieldA, FieldB, Field<"log2", 23, 2>],
                     Field<"funct", 25, 7>>;
def F_Gather : Format<"gather", 4, [FieldD, FieldA, FieldB, Field<"mk", 23, 3>],
                      Field<"funct", 26, 6>>;

// Masks.
defvar MaskFunct = Field<"funct", 24, 8>;
def F_M3    : Format<"m3", 4, [Field<"md", 8, 3>, Field<"ma", 13, 3>, Field<"mb", 18, 3>],
                     MaskFunct>;
def F_MX    : Format<"mx", 4, [Field<"md", 8, 3>, FieldA], MaskFunct>;
def F_XM    : Format<"xm", 4, [FieldD, Field<"ma", 13, 3>], MaskFunct>;
def F_MI    : Format<"mi", 4, [Field<"md", 8, 3>, Field<"imm", 13, 5>], MaskFunct>;

// Matrix unit.
def F_MM    : Format<"mm", 4, [Field<"acc", 8, 3>, FieldA, FieldB, Field<"first", 11, 1>,
                               Field<"fmt", 23, 2>], Field<"funct", 25, 7>>;
def F_Drain : Format<"drain", 4, [FieldD, Field<"acc", 13, 3>, Field<"q", 16, 2>],
                     Field<"funct", 24, 8>>;
def F_Fill  : Format<"fill", 4, [Field<"acc", 13, 3>, Field<"q", 16, 2>, FieldD],
                     Field<"funct", 24, 8>>;

//===----------------------------------------------------------------------===//
// 8-byte formats
//===----------------------------------------------------------------------===//

defvar FieldBase = Field<"base", 32, 5>;
defvar FieldMode = Field<"mode", 37, 1>;
defvar FieldOff = Field<"off", 52, 12>;
defvar FieldEType = Field<"etype", 38, 4>;
defvar LongFunct = Field<"funct", 23, 9>;

def F_LI32  : Format<"li32", 8, [FieldD, Field<"imm", 32, 32>], LongFunct>;
def F_I32   : Format<"i32", 8, [FieldD, FieldA, Field<"imm", 32, 32>], LongFunct>;
def F_Mem   : Format<"mem", 8, [FieldD, FieldBase, FieldMode, FieldOff], LongFunct>;
def F_VMemB : Format<"vmemb", 8, [FieldD, FieldBase, FieldMode, FieldOff, FieldEType], LongFunct>;
def F_VMem  : Format<"vmem", 8, [FieldD, FieldBase, FieldMode, FieldOff, FieldEType,
                                 Field<"mk", 42, 3>], LongFunct>;
// One, two and three register operands beside the destination; the memory operand stands where the
// assembly has it.
def F_VVM   : Format<"vvm", 8, [FieldD, FieldA, FieldBase, FieldMode, FieldOff, FieldEType],
                     LongFunct>;
def F_VVMV  : Format<"vvmv", 8, [FieldD, FieldA, FieldBase, FieldMode, FieldOff, FieldB,
                                 FieldEType], LongFunct>;
def F_VVVM  : Format<"vvvm", 8, [FieldD, FieldA, FieldB, FieldBase, FieldMode, FieldOff,
                                 FieldEType], LongFunct>;
def F_CmpM  : Format<"cmpm", 8, [Field<"md", 8, 3>, FieldA, FieldBase, FieldMode, FieldOff,
                                 FieldEType, Field<"cond", 42, 4>], LongFunct>;

// Matrix steps with one or both operands in memory; a second memory operand has its base and mode
// in the first word.
defvar FieldAcc = Field<"acc", 8, 3>;
defvar FieldFirst = Field<"first", 11, 1>;
defvar FieldFmt = Field<"fmt", 38, 2>;
def F_MMVM  : Format<"mmvm", 8, [FieldAcc, FieldA, FieldBase, FieldMode, FieldOff, FieldFirst,
                                 FieldFmt], LongFunct>;
def F_MMMV  : Format<"mmmv", 8, [FieldAcc, FieldBase, FieldMode, FieldOff, FieldA, FieldFirst,
                                 FieldFmt], LongFunct>;
def F_MMMM  : Format<"mmmm", 8, [FieldAcc, FieldBase, FieldMode, FieldOff, FieldA,
                                 Field<"modeB", 18, 1>, Field<"offB", 40, 12>, FieldFirst,
                                 FieldFmt], LongFunct>;

#endif // DOJO_D1_FORMATS_TD
