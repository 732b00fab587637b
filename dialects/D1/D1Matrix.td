// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Matrix instructions: acc (8x8 fp32) += A (8x4) B (4x8). Both operand blocks are 8 rows of 4
// consecutive k, row after row: A's rows are rows of the product, B's rows its columns.

#ifndef DOJO_D1_MATRIX_TD
#define DOJO_D1_MATRIX_TD

include "dialects/D1/D1Formats.td"

defvar AccReads = MemoryEffects<[MemRead<D1_AccResource>]>;
defvar AccWrites = MemoryEffects<[MemRead<D1_AccResource>, MemWrite<D1_AccResource>]>;
defvar AccWritesMemReads = MemoryEffects<[MemRead<D1_AccResource>, MemWrite<D1_AccResource>,
                                          MemRead]>;

class MatrixStep<string mnemonic, Format format, int major, int funct, InstOperand a,
                 InstOperand b, list<Trait> traits>
    : D1Inst<mnemonic, format, major, funct,
             [AccUseDef<"acc">, a, b, Uimm<"first">, MatFormatOperand<"fmt">],
             "acc = (first ? 0 : acc) + " # a.name # " x " # b.name # ", 8x4 by 4x8", traits> {
  let group = "Matrix";
  let timing = TC_Matrix;
  let label = "D";
  let semantic = "matrixStep";
}

def D1_MmOp : MatrixStep<"mm", F_MM, 49, 0, VUse<"va">, VUse<"vb">, [AccWrites]>;

let access = MA_Block, accessBytes = 64, readsMem = 1 in {
def D1_MmVMOp : MatrixStep<"mm.vm", F_MMVM, 24, 0, VUse<"va">, Mem<"B">, [AccWritesMemReads]>;
def D1_MmMVOp : MatrixStep<"mm.mv", F_MMMV, 24, 1, Mem<"A">, VUse<"vb">, [AccWritesMemReads]>;
def D1_MmMMOp : MatrixStep<"mm.mm", F_MMMM, 24, 2, Mem<"A">, Mem<"B">, [AccWritesMemReads]>;
}

let group = "Matrix", label = "X" in {
def D1_DrainOp : D1Inst<"drain", F_Drain, 50, 0, [VDef<"vd">, AccUse<"acc">, Uimm<"q">],
    "vd = quarter q of acc: rows 4(q&1)..+3, columns 4(q>>1)..+3, row after row", [AccReads]> {
  let timing = TC_Drain;
  let semantic = "drain";
}
def D1_FillOp : D1Inst<"fill", F_Fill, 50, 1, [AccUseDef<"acc">, Uimm<"q">, VUse<"vs">],
    "quarter q of acc = vs", [AccWrites]> {
  let timing = TC_Fill;
  let semantic = "fill";
}
}

#endif // DOJO_D1_MATRIX_TD
