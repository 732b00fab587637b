// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar instructions: 64-bit ALU, immediates, scalar memory.

#ifndef DOJO_D1_SCALAR_TD
#define DOJO_D1_SCALAR_TD

include "dialects/D1/D1Formats.td"

//===----------------------------------------------------------------------===//
// ALU
//===----------------------------------------------------------------------===//

class ScalarBinary<string mnemonic, int funct, string semanticName, string text>
    : D1Pure<mnemonic, F_R3, 1, funct, [XDef<"xd">, XUse<"xa">, XUse<"xb">], text> {
  let group = "Scalar arithmetic";
  let timing = TC_Alu;
  let label = "I";
  let semantic = semanticName;
}

def D1_AddOp  : ScalarBinary<"add", 0, "addX", "xd = xa + xb">;
def D1_SubOp  : ScalarBinary<"sub", 1, "subX", "xd = xa - xb">;
def D1_AndOp  : ScalarBinary<"and", 2, "andX", "xd = xa & xb">;
def D1_OrOp   : ScalarBinary<"or", 3, "orX", "xd = xa | xb">;
def D1_XorOp  : ScalarBinary<"xor", 4, "xorX", "xd = xa ^ xb">;
def D1_SllOp  : ScalarBinary<"sll", 5, "sllX", "xd = xa << (xb mod 64)">;
def D1_SrlOp  : ScalarBinary<"srl", 6, "srlX", "xd = xa >> (xb mod 64), zeros in">;
def D1_SraOp  : ScalarBinary<"sra", 7, "sraX", "xd = xa >> (xb mod 64), sign in">;
def D1_SltOp  : ScalarBinary<"slt", 8, "sltX", "xd = xa < xb ? 1 : 0, signed">;
def D1_SltuOp : ScalarBinary<"sltu", 9, "sltuX", "xd = xa < xb ? 1 : 0, unsigned">;
def D1_MinOp  : ScalarBinary<"min", 10, "minX", "xd = the lesser of xa and xb, signed">;
def D1_MaxOp  : ScalarBinary<"max", 11, "maxX", "xd = the greater of xa and xb, signed">;
def D1_MinuOp : ScalarBinary<"minu", 12, "minuX", "xd = the lesser of xa and xb, unsigned">;
def D1_MaxuOp : ScalarBinary<"maxu", 13, "maxuX", "xd = the greater of xa and xb, unsigned">;

let timing = TC_Mul in {
def D1_MulOp  : ScalarBinary<"mul", 14, "mulX", "xd = low 64 bits of xa * xb">;
def D1_MulhOp : ScalarBinary<"mulh", 15, "mulhX", "xd = high 64 bits of xa * xb, signed">;
}

let timing = TC_Div in {
def D1_DivOp  : ScalarBinary<"div", 16, "divX",
    "xd = xa / xb, signed, towards zero; x / 0 = -1, least / -1 = least">;
def D1_DivuOp : ScalarBinary<"divu", 17, "divuX",
    "xd = xa / xb, unsigned; x / 0 = all ones">;
def D1_RemOp  : ScalarBinary<"rem", 18, "remX",
    "xd = xa mod xb, signed, sign of xa; x mod 0 = x, least mod -1 = 0">;
def D1_RemuOp : ScalarBinary<"remu", 19, "remuX", "xd = xa mod xb, unsigned; x mod 0 = x">;
}

def D1_SelOp : D1Pure<"sel", F_R4, 2, 0, [XDef<"xd">, XUse<"xc">, XUse<"xa">, XUse<"xb">],
                      "xd = xc != 0 ? xa : xb"> {
  let group = "Scalar arithmetic";
  let timing = TC_Alu;
  let label = "I";
  let semantic = "selX";
}

//===----------------------------------------------------------------------===//
// Immediates
//===----------------------------------------------------------------------===//

class ScalarImm<string mnemonic, Format format, int major, int funct, InstOperand imm,
                string semanticName, string text>
    : D1Pure<mnemonic, format, major, funct, [XDef<"xd">, XUse<"xa">, imm], text> {
  let group = "Scalar arithmetic with an immediate";
  let timing = TC_Alu;
  let label = "I";
  let semantic = semanticName;
}

defvar Imm = Simm<"imm">;
defvar ShiftImm = Uimm<"imm">;

def D1_AddiOp  : ScalarImm<"addi", F_I12, 3, 0, Imm, "addX", "xd = xa + imm">;
def D1_SltiOp  : ScalarImm<"slti", F_I12, 3, 1, Imm, "sltX", "xd = xa < imm ? 1 : 0, signed">;
def D1_SltiuOp : ScalarImm<"sltiu", F_I12, 3, 2, Imm, "sltuX",
    "xd = xa < imm ? 1 : 0, the sign-extended imm taken as unsigned">;
def D1_AndiOp  : ScalarImm<"andi", F_I12, 4, 0, Imm, "andX", "xd = xa & imm, sign-extended">;
def D1_OriOp   : ScalarImm<"ori", F_I12, 4, 1, Imm, "orX", "xd = xa | imm, sign-extended">;
def D1_XoriOp  : ScalarImm<"xori", F_I12, 4, 2, Imm, "xorX", "xd = xa ^ imm, sign-extended">;
def D1_SlliOp  : ScalarImm<"slli", F_Shift, 5, 0, ShiftImm, "sllX", "xd = xa << imm">;
def D1_SrliOp  : ScalarImm<"srli", F_Shift, 5, 1, ShiftImm, "srlX", "xd = xa >> imm, zeros in">;
def D1_SraiOp  : ScalarImm<"srai", F_Shift, 5, 2, ShiftImm, "sraX", "xd = xa >> imm, sign in">;

def D1_AddiLOp : ScalarImm<"addi.l", F_I32, 2, 0, Imm, "addX", "xd = xa + imm, sign-extended">;
def D1_AndiLOp : ScalarImm<"andi.l", F_I32, 2, 1, Imm, "andX", "xd = xa & imm, sign-extended">;
def D1_OriLOp  : ScalarImm<"ori.l", F_I32, 2, 2, Imm, "orX", "xd = xa | imm, sign-extended">;
def D1_XoriLOp : ScalarImm<"xori.l", F_I32, 2, 3, Imm, "xorX", "xd = xa ^ imm, sign-extended">;

// Immediate to register is done in the front end.
let group = "Scalar arithmetic with an immediate", timing = TC_Control, label = "D" in {
def D1_LiSOp : D1Pure<"li.s", F_I16, 16, 0, [XDef<"xd">, Imm], "xd = imm, sign-extended"> {
  let semantic = "liX";
}
def D1_LiOp : D1Pure<"li", F_LI32, 1, 0, [XDef<"xd">, Imm], "xd = imm, sign-extended"> {
  let semantic = "liX";
}
def D1_LihOp : D1Pure<"lih", F_LI32, 1, 1, [XUseDef<"xd">, Imm],
                      "bits 63..32 of xd = imm; bits 31..0 stay"> {
  let semantic = "lihX";
}
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

class ScalarLoad<string mnemonic, int funct, int bytes, string semanticName, string text>
    : D1Load<mnemonic, F_Mem, 3, funct, [XDef<"xd">, Mem<>], text> {
  let group = "Scalar memory";
  let timing = TC_Load;
  let label = "D";
  let semantic = semanticName;
  let access = MA_Scalar;
  let accessBytes = bytes;
}

class ScalarStore<string mnemonic, int funct, int bytes, string text>
    : D1Store<mnemonic, F_Mem, 3, funct, [XUse<"xs">, Mem<>], text> {
  let group = "Scalar memory";
  let timing = TC_Store;
  let label = "D";
  let semantic = "storeX";
  let access = MA_Scalar;
  let accessBytes = bytes;
}

def D1_LbOp  : ScalarLoad<"lb", 0, 1, "loadSignedX", "xd = 1 byte, sign-extended">;
def D1_LbuOp : ScalarLoad<"lbu", 1, 1, "loadUnsignedX", "xd = 1 byte, zero-extended">;
def D1_LhOp  : ScalarLoad<"lh", 2, 2, "loadSignedX", "xd = 2 bytes, sign-extended">;
def D1_LhuOp : ScalarLoad<"lhu", 3, 2, "loadUnsignedX", "xd = 2 bytes, zero-extended">;
def D1_LwOp  : ScalarLoad<"lw", 4, 4, "loadSignedX", "xd = 4 bytes, sign-extended">;
def D1_LwuOp : ScalarLoad<"lwu", 5, 4, "loadUnsignedX", "xd = 4 bytes, zero-extended">;
def D1_LdOp  : ScalarLoad<"ld", 6, 8, "loadSignedX", "xd = 8 bytes">;
def D1_SbOp  : ScalarStore<"sb", 8, 1, "store the low byte of xs">;
def D1_ShOp  : ScalarStore<"sh", 9, 2, "store the low 2 bytes of xs">;
def D1_SwOp  : ScalarStore<"sw", 10, 4, "store the low 4 bytes of xs">;
def D1_SdOp  : ScalarStore<"sd", 11, 8, "store xs">;

#endif // DOJO_D1_SCALAR_TD
