// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector instructions: memory, gather, SIMD on 16 lanes of 32 bits, masks. Which 32-bit numbers the
// lanes hold is the instruction's business: 'f' fp32, 'i' int32.

#ifndef DOJO_D1_VECTOR_TD
#define DOJO_D1_VECTOR_TD

include "dialects/D1/D1Formats.td"

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

defvar EType_ = ETypeOperand<"etype">;

let group = "Vector memory", label = "D", access = MA_Lanes in {
let timing = TC_VLoad in {
def D1_VLdOp : D1Load<"vld", F_VMem, 8, 0, [VDef<"vd">, Mem<>, EType_, MUse<"mk">],
    "load 16 elements, widened to 32-bit lanes; masked lanes read 0"> {
  let semantic = "vload";
}
let access = MA_Element in
def D1_VLdbOp : D1Load<"vldb", F_VMemB, 8, 1, [VDef<"vd">, Mem<>, EType_],
    "load one element, widened, into every lane"> {
  let semantic = "vloadBroadcast";
}
}
let timing = TC_VStore in {
def D1_VStOp : D1Store<"vst", F_VMem, 8, 2, [VUse<"vs">, Mem<>, EType_, MUse<"mk">],
    "store 16 elements, narrowed (integers wrap, floats round to nearest even); masked lanes are not written"> {
  let semantic = "vstore";
}
def D1_VStSatOp : D1Store<"vst.sat", F_VMem, 8, 3, [VUse<"vs">, Mem<>, EType_, MUse<"mk">],
    "store 16 elements, narrowed with saturation; masked lanes are not written"> {
  let semantic = "vstoreSat";
}
}
}

let group = "Gather", label = "D", timing = TC_Gather, access = MA_Granules in {
class Gather<string mnemonic, int funct, int bytes, string text>
    : D1Load<mnemonic, F_Gather, 48, funct,
             [VDef<"vd">, XUse<"xbase">, VUse<"voff">, MUse<"mk">], text> {
  let semantic = "vgather";
  let accessBytes = bytes;
}
def D1_VGather8Op : Gather<"vgather8", 0, 8,
    "8 granules of 8 B: granule i from xbase + low 16 bits of lane i of voff; masked granules are 0">;
def D1_VGather16Op : Gather<"vgather16", 1, 16,
    "4 granules of 16 B: granule i from xbase + low 16 bits of lane i of voff; masked granules are 0">;
}

//===----------------------------------------------------------------------===//
// Binary operations: vector, scalar (.x) or memory (.m 16 elements, .b one for all lanes) as the
// second operand
//===----------------------------------------------------------------------===//

let group = "SIMD binary", timing = TC_Simd, label = "I" in
multiclass Binary<string stem, int funct, string text> {
  def Op : D1Pure<stem, F_R3, 32, funct, [VDef<"vd">, VUse<"va">, VUse<"vb">],
                  "vd = " # !subst("B", "vb", text)> {
    let semantic = stem;
  }
  def XOp : D1Pure<stem # ".x", F_R3, 33, funct, [VDef<"vd">, VUse<"va">, XUse<"xb">],
                   "vd = " # !subst("B", "xb", text)> {
    let semantic = stem;
  }
  def MOp : D1Load<stem # ".m", F_VVM, 16, funct, [VDef<"vd">, VUse<"va">, Mem<>, EType_],
                   "vd = " # !subst("B", "mem", text)> {
    let semantic = stem;
    let access = MA_Lanes;
  }
  def BOp : D1Load<stem # ".b", F_VVM, 17, funct, [VDef<"vd">, VUse<"va">, Mem<>, EType_],
                   "vd = " # !subst("B", "broadcast mem", text)> {
    let semantic = stem;
    let access = MA_Element;
  }
}

defm D1_VFAdd : Binary<"vfadd", 0, "va + B">;
defm D1_VFSub : Binary<"vfsub", 1, "va - B">;
defm D1_VFMul : Binary<"vfmul", 2, "va * B">;
defm D1_VFMin : Binary<"vfmin", 3, "min(va, B); NaN if either is, -0 < +0">;
defm D1_VFMax : Binary<"vfmax", 4, "max(va, B); NaN if either is, -0 < +0">;
defm D1_VIAdd : Binary<"viadd", 8, "va + B, wrapping">;
defm D1_VISub : Binary<"visub", 9, "va - B, wrapping">;
defm D1_VIMul : Binary<"vimul", 10, "low 32 bits of va * B">;
defm D1_VIMin : Binary<"vimin", 11, "min(va, B), signed">;
defm D1_VIMax : Binary<"vimax", 12, "max(va, B), signed">;
defm D1_VIMinU : Binary<"viminu", 13, "min(va, B), unsigned">;
defm D1_VIMaxU : Binary<"vimaxu", 14, "max(va, B), unsigned">;
defm D1_VIAnd : Binary<"viand", 15, "va & B">;
defm D1_VIOr : Binary<"vior", 16, "va | B">;
defm D1_VIXor : Binary<"vixor", 17, "va ^ B">;
defm D1_VIShl : Binary<"vishl", 18, "va << (B mod 32)">;
defm D1_VIShr : Binary<"vishr", 19, "va >> (B mod 32), zeros in">;
defm D1_VISra : Binary<"visra", 20, "va >> (B mod 32), sign in">;

let group = "SIMD binary", timing = TC_Simd, label = "I" in {
def D1_VFSubXROp : D1Pure<"vfsub.xr", F_R3, 33, 32, [VDef<"vd">, VUse<"va">, XUse<"xb">],
                          "vd = xb - va"> {
  let semantic = "vfsubReverse";
}
def D1_VISubXROp : D1Pure<"visub.xr", F_R3, 33, 33, [VDef<"vd">, VUse<"va">, XUse<"xb">],
                          "vd = xb - va, wrapping"> {
  let semantic = "visubReverse";
}
}

//===----------------------------------------------------------------------===//
// Fused multiply-add and clamp
//===----------------------------------------------------------------------===//

let group = "SIMD multiply-add and clamp", timing = TC_Simd, label = "I" in {
class Fma<string mnemonic, int funct, InstOperand b, InstOperand c, string semanticName,
          string text>
    : D1Pure<mnemonic, F_R4, 34, funct, [VDef<"vd">, VUse<"va">, b, c], text> {
  let semantic = semanticName;
}
def D1_VFmaOp   : Fma<"vfma", 0, VUse<"vb">, VUse<"vc">, "vfma", "vd = va * vb + vc">;
def D1_VFmaXOp  : Fma<"vfma.x", 1, XUse<"xb">, VUse<"vc">, "vfma", "vd = va * xb + vc">;
def D1_VFmaCXOp : Fma<"vfma.cx", 2, VUse<"vb">, XUse<"xc">, "vfma", "vd = va * vb + xc">;
def D1_VFnmaOp  : Fma<"vfnma", 3, VUse<"vb">, VUse<"vc">, "vfnma", "vd = -(va * vb) + vc">;
def D1_VFnmaXOp : Fma<"vfnma.x", 4, XUse<"xb">, VUse<"vc">, "vfnma", "vd = -(va * xb) + vc">;
def D1_VFClampOp : Fma<"vfclamp", 5, VUse<"vlo">, VUse<"vhi">, "vfclamp",
                       "vd = min(max(va, vlo), vhi)">;
def D1_VFClampXOp : Fma<"vfclamp.x", 6, XUse<"xlo">, XUse<"xhi">, "vfclamp",
                        "vd = min(max(va, xlo), xhi)">;

def D1_VFmaMOp : D1Load<"vfma.m", F_VVMV, 18, 0,
    [VDef<"vd">, VUse<"va">, Mem<>, VUse<"vc">, EType_], "vd = va * mem + vc"> {
  let semantic = "vfma";
  let access = MA_Lanes;
}
def D1_VFmaBOp : D1Load<"vfma.b", F_VVMV, 18, 1,
    [VDef<"vd">, VUse<"va">, Mem<>, VUse<"vc">, EType_], "vd = va * broadcast mem + vc"> {
  let semantic = "vfma";
  let access = MA_Element;
}
def D1_VFmaCMOp : D1Load<"vfma.cm", F_VVVM, 18, 2,
    [VDef<"vd">, VUse<"va">, VUse<"vb">, Mem<>, EType_], "vd = va * vb + mem"> {
  let semantic = "vfma";
  let access = MA_Lanes;
}
}

//===----------------------------------------------------------------------===//
// Unary operations
//===----------------------------------------------------------------------===//

let group = "SIMD unary", timing = TC_Simd in {
class Unary<string mnemonic, int funct, string semanticName, string text>
    : D1Pure<mnemonic, F_R2, 36, funct, [VDef<"vd">, VUse<"va">], text> {
  let semantic = semanticName;
}
let label = "I" in {
def D1_VMovOp    : Unary<"vmov", 0, "vmov", "vd = va">;
def D1_VFNegOp   : Unary<"vfneg", 1, "vfneg", "vd = va with the sign bit turned">;
def D1_VFAbsOp   : Unary<"vfabs", 2, "vfabs", "vd = va with the sign bit cleared">;
def D1_VFFloorOp : Unary<"vffloor", 3, "vffloor", "vd = va rounded down">;
def D1_VFCeilOp  : Unary<"vfceil", 4, "vfceil", "vd = va rounded up">;
def D1_VFTruncOp : Unary<"vftrunc", 5, "vftrunc", "vd = va rounded towards zero">;
def D1_VFRintOp  : Unary<"vfrint", 6, "vfrint", "vd = va rounded to the nearest integer, ties to even">;
def D1_VNotOp    : Unary<"vnot", 7, "vnot", "vd = ~va">;
}
let label = "D" in {
def D1_VCvtF2IOp : Unary<"vcvt.f2i", 8, "vcvtF2I",
    "fp32 to int32: towards zero, saturating, NaN to 0">;
def D1_VCvtF2UOp : Unary<"vcvt.f2u", 9, "vcvtF2U",
    "fp32 to unsigned 32 bits: towards zero, saturating, NaN to 0">;
def D1_VCvtI2FOp : Unary<"vcvt.i2f", 10, "vcvtI2F", "int32 to fp32, nearest even">;
def D1_VCvtU2FOp : Unary<"vcvt.u2f", 11, "vcvtU2F", "unsigned 32 bits to fp32, nearest even">;
}
let timing = TC_Estimate, label = "X" in {
def D1_VRcpEOp   : Unary<"vrcpe", 16, "vrcpe", "estimate of 1 / va, 12 bits">;
def D1_VRsqrtEOp : Unary<"vrsqrte", 17, "vrsqrte", "estimate of 1 / sqrt(va), 12 bits">;
def D1_VExp2EOp  : Unary<"vexp2e", 18, "vexp2e", "estimate of 2 to the va, 12 bits">;
def D1_VLog2EOp  : Unary<"vlog2e", 19, "vlog2e", "estimate of the base-2 logarithm of va, 12 bits">;
}
}

//===----------------------------------------------------------------------===//
// Between scalar and vector registers, lane numbers
//===----------------------------------------------------------------------===//

let group = "Lanes", timing = TC_Simd, label = "D" in {
def D1_VMovXOp : D1Pure<"vmov.x", F_R2, 36, 32, [VDef<"vd">, XUse<"xa">],
                        "every lane of vd = low 32 bits of xa"> {
  let semantic = "vmov";
}
def D1_VIotaOp : D1Pure<"viota", F_R1, 36, 33, [VDef<"vd">], "lane i of vd = i"> {
  let semantic = "viota";
}
def D1_VExtractOp : D1Pure<"vextract", F_VLane, 39, 0,
    [XDef<"xd">, VUse<"va">, Uimm<"lane">], "xd = the lane of va, sign-extended from 32 bits"> {
  let semantic = "vextract";
}
def D1_VInsertOp : D1Pure<"vinsert", F_VLane, 39, 1,
    [VUseDef<"vd">, XUse<"xa">, Uimm<"lane">], "the lane of vd = low 32 bits of xa; others stay"> {
  let semantic = "vinsert";
}
def D1_VSlideOp : D1Pure<"vslide", F_VLane, 39, 2, [VDef<"vd">, VUse<"va">, Uimm<"imm">],
                         "lane i of vd = lane (i + imm) mod 16 of va"> {
  let semantic = "vslide";
}
def D1_VPermOp : D1Pure<"vperm", F_R3, 40, 0, [VDef<"vd">, VUse<"va">, VUse<"vidx">],
                        "lane i of vd = lane vidx[i] mod 16 of va"> {
  let semantic = "vperm";
}
def D1_VPerm2Op : D1Pure<"vperm2", F_R3, 40, 1, [VUseDef<"vd">, VUse<"vb">, VUse<"vidx">],
    "lane i of vd = entry vidx[i] mod 32 of the lanes of the old vd, then of vb"> {
  let semantic = "vperm2";
}
def D1_VPackBF16Op : D1Pure<"vpack.bf16", F_R3, 40, 2, [VDef<"vd">, VUse<"va">, VUse<"vb">],
    "32 bf16 numbers: the lanes of va, then of vb, rounded to nearest even"> {
  let semantic = "vpackBF16";
}
def D1_VUnpackLoBF16Op : D1Pure<"vunpack.lo.bf16", F_R2, 40, 3, [VDef<"vd">, VUse<"va">],
                                "lanes of vd = bf16 numbers 0 to 15 of va as fp32"> {
  let semantic = "vunpackLoBF16";
}
def D1_VUnpackHiBF16Op : D1Pure<"vunpack.hi.bf16", F_R2, 40, 4, [VDef<"vd">, VUse<"va">],
                                "lanes of vd = bf16 numbers 16 to 31 of va as fp32"> {
  let semantic = "vunpackHiBF16";
}
class Trn<string mnemonic, int funct, string semanticName, string text>
    : D1Pure<mnemonic, F_VTrn, 41, funct, [VDef<"vd">, VUse<"va">, VUse<"vb">, Uimm<"log2">],
             text> {
  let semantic = semanticName;
}
def D1_VTrnLoOp : Trn<"vtrnlo", 0, "vtrnLo",
    "groups of 2^log2 lanes: group 2j of vd = group 2j of va, group 2j+1 = group 2j of vb">;
def D1_VTrnHiOp : Trn<"vtrnhi", 1, "vtrnHi",
    "groups of 2^log2 lanes: group 2j of vd = group 2j+1 of va, group 2j+1 = group 2j+1 of vb">;
}

//===----------------------------------------------------------------------===//
// Compare and select
//===----------------------------------------------------------------------===//

let group = "SIMD compare and select", timing = TC_Simd, label = "I" in {
multiclass Compare<string stem, int funct, InstOperand cond> {
  def Op : D1Pure<stem, F_VCmp, 37, funct, [MDef<"md">, VUse<"va">, VUse<"vb">, cond],
                  "bit i of md = lane i of va cond lane i of vb; bits 16 to 63 = 0"> {
    let semantic = stem;
  }
  def XOp : D1Pure<stem # ".x", F_VCmp, 38, funct, [MDef<"md">, VUse<"va">, XUse<"xb">, cond],
                   "bit i of md = lane i of va cond low 32 bits of xb; bits 16 to 63 = 0"> {
    let semantic = stem;
  }
  def MOp : D1Load<stem # ".m", F_CmpM, 19, funct,
                   [MDef<"md">, VUse<"va">, Mem<>, EType_, cond],
                   "bit i of md = lane i of va cond element i; bits 16 to 63 = 0"> {
    let semantic = stem;
    let access = MA_Lanes;
  }
}
defm D1_VFCmp : Compare<"vfcmp", 0, FloatCond<"cond">>;
defm D1_VICmp : Compare<"vicmp", 1, IntCond<"cond">>;

def D1_VSelOp : D1Pure<"vsel", F_VSel, 42, 0, [VDef<"vd">, MUse<"mk">, VUse<"va">, VUse<"vb">],
                       "lane i of vd = bit i of mk ? lane i of va : lane i of vb"> {
  let semantic = "vsel";
}
def D1_VSelXOp : D1Pure<"vsel.x", F_VSel, 42, 1, [VDef<"vd">, MUse<"mk">, VUse<"va">, XUse<"xb">],
                        "lane i of vd = bit i of mk ? lane i of va : low 32 bits of xb"> {
  let semantic = "vsel";
}
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

let group = "Masks", label = "X" in {
let timing = TC_Simd in {
def D1_MLanesOp : D1Pure<"mlanes", F_MX, 43, 0, [MDef<"md">, XUse<"xn">],
    "the first min(xn, 16) bits of md = 1, the rest 0; none if xn is 0 or negative"> {
  let semantic = "mlanes";
}
def D1_MLanesIOp : D1Pure<"mlanes.i", F_MI, 43, 1, [MDef<"md">, Uimm<"imm", [0, 16]>],
                          "the first imm bits of md = 1, the rest 0"> {
  let semantic = "mlanes";
}
}
let timing = TC_Alu in {
class MaskBinary<string stem, int funct, string text>
    : D1Pure<stem, F_M3, 43, funct, [MDef<"md">, MUse<"ma">, MUse<"mb">], text> {
  let semantic = stem;
}
def D1_MAndOp  : MaskBinary<"mand", 2, "md = ma & mb">;
def D1_MOrOp   : MaskBinary<"mor", 3, "md = ma | mb">;
def D1_MXorOp  : MaskBinary<"mxor", 4, "md = ma ^ mb">;
def D1_MAndNOp : MaskBinary<"mandn", 5, "md = ma & ~mb">;
def D1_MMovXOp : D1Pure<"mmov.x", F_MX, 43, 6, [MDef<"md">, XUse<"xa">], "md = xa"> {
  let semantic = "mmovFromX";
}
def D1_MMovMOp : D1Pure<"mmov.m", F_XM, 43, 7, [XDef<"xd">, MUse<"ma">], "xd = ma"> {
  let semantic = "mmovToX";
}
}
}

#endif // DOJO_D1_VECTOR_TD
