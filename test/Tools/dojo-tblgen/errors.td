// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: split-file %s %t
// RUN: not dojo-tblgen -gen-isa-tables -I %source_root -I %mlir_libs/../include %t/overlap.td 2>&1 | FileCheck %s --check-prefix=OVERLAP
// RUN: not dojo-tblgen -gen-isa-tables -I %source_root -I %mlir_libs/../include %t/twice.td 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not dojo-tblgen -gen-isa-tables -I %source_root -I %mlir_libs/../include %t/outside.td 2>&1 | FileCheck %s --check-prefix=OUTSIDE
// RUN: not dojo-tblgen -gen-isa-tables -I %source_root -I %mlir_libs/../include %t/crossing.td 2>&1 | FileCheck %s --check-prefix=CROSSING
// RUN: not dojo-tblgen -gen-isa-tables -I %source_root -I %mlir_libs/../include %t/missing.td 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not dojo-tblgen -gen-isa-tables -I %source_root -I %mlir_libs/../include %t/operands.td 2>&1 | FileCheck %s --check-prefix=OPERANDS
// RUN: not dojo-tblgen -gen-isa-tables -I %source_root -I %mlir_libs/../include %t/values.td 2>&1 | FileCheck %s --check-prefix=VALUES

//--- overlap.td
// OVERLAP: overlap.td:9:5: error: encoding of 'two' overlaps that of 'one'
// OVERLAP: overlap.td:6:5: note: the other record
include "dialects/D1/D1Formats.td"
let timing = TC_Alu, semantic = "f", group = "g" in {

def OneOp : D1Pure<"one", F_R3, 1, 7, [XDef<"xd">, XUse<"xa">, XUse<"xb">], "">;

// A format whose funct covers other bits of the same word.
def TwoOp : D1Pure<"two", F_I12, 1, 0, [XDef<"xd">, XUse<"xa">, Simm<"imm">], "">;
}

//--- twice.td
// TWICE: twice.td:5:5: error: mnemonic 'one' is already taken
// TWICE: twice.td:4:5: note: by this record
include "dialects/D1/D1Formats.td"
def OneOp : D1Pure<"one", F_C0, 1, 0, [], ""> { let timing = TC_Alu; let semantic = "f"; let group = "g"; }
def TwoOp : D1Pure<"one", F_C0, 2, 0, [], ""> { let timing = TC_Alu; let semantic = "f"; let group = "g"; }

//--- outside.td
// OUTSIDE: error: field 'imm' lies outside the word
include "dialects/D1/D1Formats.td"
def F_Bad : Format<"bad", 4, [Field<"imm", 28, 5>], NoFunct>;
def OneOp : D1Pure<"one", F_Bad, 1, 0, [Simm<"imm">], ""> { let timing = TC_Alu; let semantic = "f"; let group = "g"; }

//--- crossing.td
// CROSSING: error: field 'b' overlaps another field or the opcode
include "dialects/D1/D1Formats.td"
def F_Bad : Format<"bad", 4, [Field<"a", 8, 5>, Field<"b", 12, 5>], NoFunct>;
def OneOp : D1Pure<"one", F_Bad, 1, 0, [XUse<"xa">, XUse<"xb">], ""> { let timing = TC_Alu; let semantic = "f"; let group = "g"; }

//--- missing.td
// MISSING: error: has no group
// MISSING: error: has no semantic
// MISSING: error: has no timing
include "dialects/D1/D1Formats.td"
def OneOp : D1Pure<"one", F_C0, 1, 0, [], "">;

//--- operands.td
// OPERANDS: error: format 'r3' has no field left for operand 'xc'
// OPERANDS: error: leaves field 'b' of format 'r3' without an operand
// OPERANDS: error: operand 'xa' is of unknown kind 'YUse'
include "dialects/D1/D1Formats.td"
let timing = TC_Alu, semantic = "f", group = "g" in {
def OneOp : D1Pure<"one", F_R3, 1, 0, [XDef<"xd">, XUse<"xa">, XUse<"xb">, XUse<"xc">], "">;
def TwoOp : D1Pure<"two", F_R3, 1, 1, [XDef<"xd">, XUse<"xa">], "">;
def ThreeOp : D1Pure<"three", F_C1, 13, 1, [RegUse<"xa", "YUse", D1_X>], "">;
}

//--- values.td
// VALUES: error: label is 'Y', not D, I or X
// VALUES: error: funct 16 does not fit its field
// VALUES: error: major opcode 128 is not below 128
// VALUES: error: major opcode 0 must stay undefined
// VALUES: error: semantic 'a.b' is not the name of a function
// VALUES: error: range of operand 'n' does not fit its field
include "dialects/D1/D1Formats.td"
let timing = TC_Alu, semantic = "f", group = "g" in {
let label = "Y" in
def AOp : D1Pure<"a", F_C0, 1, 0, [], "">;
def BOp : D1Pure<"b", F_R4, 2, 16, [XDef<"xd">, XUse<"xa">, XUse<"xb">, XUse<"xc">], "">;
def COp : D1Pure<"c", F_C0, 128, 0, [], "">;
def DOp : D1Pure<"d", F_C0, 0, 0, [], "">;
def EOp : D1Pure<"e", F_C0, 3, 0, [], ""> { let semantic = "a.b"; }
def FOp : D1Pure<"f", F_Pred, 4, 0, [XUse<"xs">, Uimm<"n", [1, 8]>], "">;
}
