// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Control instructions: branches, predication, semaphores, transfer lists. All of them are done in
// the front end.

#ifndef DOJO_D1_CONTROL_TD
#define DOJO_D1_CONTROL_TD

include "dialects/D1/D1Formats.td"

class Control<string mnemonic, Format format, int major, int funct, list<InstOperand> operands,
              string semanticName, string text, list<Trait> traits = []>
    : D1Inst<mnemonic, format, major, funct, operands, text, traits> {
  let timing = TC_Control;
  let label = "D";
  let semantic = semanticName;
}

//===----------------------------------------------------------------------===//
// Branches. Targets are relative to the address of the branch, in bytes.
//===----------------------------------------------------------------------===//

let group = "Branches", isBranch = 1 in {
let isTerminator = 1 in {
def D1_JOp : Control<"j", F_J24, 8, 0, [Target<"target">], "jump", "jump to target">;
def D1_JrOp : Control<"jr", F_C1, 13, 0, [XUse<"xs">], "jumpReg",
                      "jump to the address in xs, a multiple of 4">;
}
def D1_JalOp : Control<"jal", F_J19, 9, 0, [XDef<"xd">, Target<"target">], "jumpLink",
                       "xd = address of the next instruction; jump to target">;
def D1_LoopOp : Control<"loop", F_J19, 10, 0, [XUseDef<"xd">, Target<"target">], "loopX",
                        "xd = xd - 1; jump to target if xd is not 0; always guessed right">;

class Branch<string mnemonic, int major, int funct, string semanticName, string text>
    : Control<mnemonic, F_B12, major, funct, [XUse<"xa">, XUse<"xb">, Target<"target">],
              semanticName, text>;

def D1_BeqOp  : Branch<"beq", 11, 0, "branchEq", "jump to target if xa = xb">;
def D1_BneOp  : Branch<"bne", 11, 1, "branchNe", "jump to target if xa != xb">;
def D1_BltOp  : Branch<"blt", 11, 2, "branchLt", "jump to target if xa < xb, signed">;
def D1_BgeOp  : Branch<"bge", 11, 3, "branchGe", "jump to target if xa >= xb, signed">;
def D1_BltuOp : Branch<"bltu", 12, 0, "branchLtu", "jump to target if xa < xb, unsigned">;
def D1_BgeuOp : Branch<"bgeu", 12, 1, "branchGeu", "jump to target if xa >= xb, unsigned">;
}

//===----------------------------------------------------------------------===//
// Predication
//===----------------------------------------------------------------------===//

let group = "Predication" in {
def D1_PredOp  : Control<"pred", F_Pred, 13, 1, [XUse<"xs">, Uimm<"n", [1, 7]>], "predNonZero",
    "the next n instructions take effect only if xs is not 0">;
def D1_PredzOp : Control<"predz", F_Pred, 13, 2, [XUse<"xs">, Uimm<"n", [1, 7]>], "predZero",
    "the next n instructions take effect only if xs is 0">;
}

//===----------------------------------------------------------------------===//
// Semaphores
//===----------------------------------------------------------------------===//

let group = "Semaphores" in {
def D1_WaitOp : Control<"wait", F_Wait, 14, 0, [Sem<"sem">, Uimm<"n">], "waitSem",
    "stop until the own semaphore is at least n, then subtract n from it">;
def D1_WaitxOp : Control<"waitx", F_SemX, 13, 3, [Sem<"sem">, XUse<"xn">], "waitSem",
    "stop until the own semaphore is at least xn, then subtract xn from it">;
def D1_SignalOp : Control<"signal", F_Sem, 13, 4, [Sem<"sem">], "signalSem",
    "add 1 to the own semaphore">;
def D1_SignalrOp : Control<"signalr", F_XSem, 13, 5, [XUse<"xnode">, Sem<"sem">], "signalRemote",
    "add 1 to the semaphore of node xnode (row * columns + column, die << 12) by a packet">;
}

//===----------------------------------------------------------------------===//
// Lists and the rest
//===----------------------------------------------------------------------===//

let group = "Transfer lists", access = MA_List in {
def D1_ListOp : Control<"list", F_U21, 15, 0, [Uimm<"addr">], "startList",
    "execute the transfer list at SRAM address addr, up to its end">;
def D1_ListxOp : Control<"listx", F_C1, 13, 6, [XUse<"xaddr">], "startList",
    "execute the transfer list at the SRAM address in xaddr, up to its end">;
}

let group = "Other control" in {
let isTerminator = 1 in
def D1_HaltOp : Control<"halt", F_C0, 13, 7, [], "halt", "the thread ends">;
def D1_NopOp : Control<"nop", F_C0, 13, 8, [], "nop", "no effect">;
def D1_NodeidOp : Control<"nodeid", F_C1, 13, 9, [XDef<"xd">], "nodeId",
    "xd = own node number: row * columns + column, die << 12", [Pure]>;
}

#endif // DOJO_D1_CONTROL_TD
