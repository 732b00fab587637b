// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function for every semantic name of the instruction records.
#ifndef DOJO_EMULATOR_SEMANTICS_H
#define DOJO_EMULATOR_SEMANTICS_H

#include "Execute.h"

namespace dojo::emu::DOJO_HOST::semantics {

using C = ExecContext;

// Scalar (ExecuteScalar.cpp)
void addX(C &, const Op &);
void subX(C &, const Op &);
void andX(C &, const Op &);
void orX(C &, const Op &);
void xorX(C &, const Op &);
void sllX(C &, const Op &);
void srlX(C &, const Op &);
void sraX(C &, const Op &);
void sltX(C &, const Op &);
void sltuX(C &, const Op &);
void minX(C &, const Op &);
void maxX(C &, const Op &);
void minuX(C &, const Op &);
void maxuX(C &, const Op &);
void mulX(C &, const Op &);
void mulhX(C &, const Op &);
void divX(C &, const Op &);
void divuX(C &, const Op &);
void remX(C &, const Op &);
void remuX(C &, const Op &);
void selX(C &, const Op &);
void liX(C &, const Op &);
void lihX(C &, const Op &);
void loadSignedX(C &, const Op &);
void loadUnsignedX(C &, const Op &);
void storeX(C &, const Op &);

// Control: results go to the context, the issue logic acts on them (ExecuteControl.cpp)
void jump(C &, const Op &);
void jumpLink(C &, const Op &);
void jumpReg(C &, const Op &);
void loopX(C &, const Op &);
void branchEq(C &, const Op &);
void branchNe(C &, const Op &);
void branchLt(C &, const Op &);
void branchGe(C &, const Op &);
void branchLtu(C &, const Op &);
void branchGeu(C &, const Op &);
void predNonZero(C &, const Op &);
void predZero(C &, const Op &);
void waitSem(C &, const Op &);
void signalSem(C &, const Op &);
void signalRemote(C &, const Op &);
void startList(C &, const Op &);
void halt(C &, const Op &);
void nop(C &, const Op &);
void nodeId(C &, const Op &);

// Vector memory and the matrix unit (ExecuteMemory.cpp)
void vload(C &, const Op &);
void vloadBroadcast(C &, const Op &);
void vstore(C &, const Op &);
void vstoreSat(C &, const Op &);
void vgather(C &, const Op &);
void matrixStep(C &, const Op &);
void drain(C &, const Op &);
void fill(C &, const Op &);

// Lanes: arithmetic (ExecuteSimd.cpp)
void vfadd(C &, const Op &);
void vfsub(C &, const Op &);
void vfsubReverse(C &, const Op &);
void vfmul(C &, const Op &);
void vfmin(C &, const Op &);
void vfmax(C &, const Op &);
void viadd(C &, const Op &);
void visub(C &, const Op &);
void visubReverse(C &, const Op &);
void vimul(C &, const Op &);
void vimin(C &, const Op &);
void vimax(C &, const Op &);
void viminu(C &, const Op &);
void vimaxu(C &, const Op &);
void viand(C &, const Op &);
void vior(C &, const Op &);
void vixor(C &, const Op &);
void vishl(C &, const Op &);
void vishr(C &, const Op &);
void visra(C &, const Op &);
void vfma(C &, const Op &);
void vfnma(C &, const Op &);
void vfclamp(C &, const Op &);
void vmov(C &, const Op &);
void vfneg(C &, const Op &);
void vfabs(C &, const Op &);
void vffloor(C &, const Op &);
void vfceil(C &, const Op &);
void vftrunc(C &, const Op &);
void vfrint(C &, const Op &);
void vnot(C &, const Op &);
void vcvtF2I(C &, const Op &);
void vcvtF2U(C &, const Op &);
void vcvtI2F(C &, const Op &);
void vcvtU2F(C &, const Op &);
void vrcpe(C &, const Op &);
void vrsqrte(C &, const Op &);
void vexp2e(C &, const Op &);
void vlog2e(C &, const Op &);

// Lanes: movement, comparison, masks (ExecuteLanes.cpp)
void viota(C &, const Op &);
void vextract(C &, const Op &);
void vinsert(C &, const Op &);
void vslide(C &, const Op &);
void vperm(C &, const Op &);
void vperm2(C &, const Op &);
void vpackBF16(C &, const Op &);
void vunpackLoBF16(C &, const Op &);
void vunpackHiBF16(C &, const Op &);
void vtrnLo(C &, const Op &);
void vtrnHi(C &, const Op &);
void vfcmp(C &, const Op &);
void vicmp(C &, const Op &);
void vsel(C &, const Op &);
void mlanes(C &, const Op &);
void mand(C &, const Op &);
void mor(C &, const Op &);
void mxor(C &, const Op &);
void mandn(C &, const Op &);
void mmovFromX(C &, const Op &);
void mmovToX(C &, const Op &);

} // namespace dojo::emu::DOJO_HOST::semantics

#endif
