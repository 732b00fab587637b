// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What stands around instructions: the program of a thread, loops before they are flattened, labels
// after.

#ifndef DOJO_D1_STRUCTUREOPS_TD
#define DOJO_D1_STRUCTUREOPS_TD

include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/D1/D1Dialect.td"
include "dialects/D1/D1Types.td"

def D1_Register : AnyTypeOf<[D1_X, D1_V, D1_M], "register">;

class D1_StructureOp<string mnemonic, list<Trait> traits = []> : Op<D1_Dialect, mnemonic, traits>;

def D1_FuncOp : D1_StructureOp<"func", [IsolatedFromAbove, Symbol, SymbolTable, NoTerminator,
                                        SingleBlock]> {
  let summary = "program of one thread";
  let description = [{
    Before `d1-finalize` the body holds instructions and `d1.repeat`, after it instructions and
    labels only, in the order in which they are encoded. Control leaves at the end of the body, so
    other instructions may be put before and after.

    `spill` is the byte address of memory where registers may be kept, `spill_bytes` its size.

    ```mlir
    d1.func @conv1 {thread = 0 : i32} {
      %p = d1.li 4096 : () -> !d1.x
      %n = d1.li 8 : () -> !d1.x
      %r:2 = d1.repeat %n(%p) : (!d1.x, !d1.x) -> (!d1.x, !d1.x) {
      ^bb0(%q: !d1.x):
        ...
        d1.yield %next : !d1.x
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I32Attr:$thread, OptionalAttr<I64Attr>:$spill,
                       OptionalAttr<I64Attr>:$spill_bytes);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name, "unsigned":$thread)>];
}

def D1_RepeatOp : D1_StructureOp<"repeat", [SingleBlock]> {
  let summary = "run the body count times, at least once";
  let description = [{
    The structured form of the `loop` instruction. The first result is the counter after the last
    iteration (0); it is the register of `count`. The others are the values that the last iteration
    yielded; they start as `inits`. After register allocation an init, the argument of the body,
    the value yielded for it and the result are one register. Without a body it waits for as many
    cycles, so it is never dead.
  }];
  let arguments = (ins D1_X:$count, Variadic<D1_Register>:$inits);
  let results = (outs D1_X:$counter, Variadic<D1_Register>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $count `(` $inits `)` attr-dict `:` functional-type(operands, results) $body
  }];
  let extraClassDeclaration = [{
    ::mlir::Block *getBodyBlock() { return &getBody().front(); }
    ::mlir::Operation *getYield() { return getBodyBlock()->getTerminator(); }
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$count, "::mlir::ValueRange":$inits)>];
  let skipDefaultBuilders = 1;
  let hasVerifier = 1;
}

def D1_IfOp : D1_StructureOp<"if", [NoRegionArguments]> {
  let summary = "run one of two bodies";
  let description = [{
    The first body if `condition` is not 0, else the second. Each yields the results; after register
    allocation a result and what the bodies yield for it are one register. A body may be empty but
    for its terminator.
  }];
  let arguments = (ins D1_X:$condition);
  let results = (outs Variadic<D1_Register>:$results);
  let regions = (region SizedRegion<1>:$then, SizedRegion<1>:$otherwise);
  let assemblyFormat = [{
    $condition attr-dict `:` functional-type(operands, results) $then `else` $otherwise
  }];
  let extraClassDeclaration = [{
    ::mlir::Block *getThenBlock() { return &getThen().front(); }
    ::mlir::Block *getElseBlock() { return &getOtherwise().front(); }
  }];
  let builders = [OpBuilder<(ins "::mlir::TypeRange":$results, "::mlir::Value":$condition)>];
  let skipDefaultBuilders = 1;
  let hasVerifier = 1;
}

def D1_WhileOp : D1_StructureOp<"while", []> {
  let summary = "run two bodies in turn until the first says stop";
  let description = [{
    The first body starts with the inits, later with what the second yields, and ends in
    `d1.condition`: if its condition is not 0, the second body goes on with the values named there,
    else they are the results. After register allocation an init, the argument of the first body
    and what the second yields for it are one register; so are a value of the condition, the
    argument of the second body and the result.
  }];
  let arguments = (ins Variadic<D1_Register>:$inits);
  let results = (outs Variadic<D1_Register>:$results);
  let regions = (region SizedRegion<1>:$before, SizedRegion<1>:$after);
  let assemblyFormat = [{
    `(` $inits `)` attr-dict `:` functional-type(operands, results) $before `do` $after
  }];
  let extraClassDeclaration = [{
    ::mlir::Block *getBeforeBlock() { return &getBefore().front(); }
    ::mlir::Block *getAfterBlock() { return &getAfter().front(); }
    ::mlir::Operation *getCondition() { return getBeforeBlock()->getTerminator(); }
    ::mlir::Operation *getYield() { return getAfterBlock()->getTerminator(); }
  }];
  let builders = [OpBuilder<(ins "::mlir::TypeRange":$results, "::mlir::ValueRange":$inits)>];
  let skipDefaultBuilders = 1;
  let hasVerifier = 1;
}

def D1_ConditionOp : D1_StructureOp<"condition", [Terminator, Pure, HasParent<"WhileOp">]> {
  let summary = "whether a loop goes on";
  let arguments = (ins D1_X:$condition, Variadic<D1_Register>:$values);
  let assemblyFormat = "$condition `(` $values `)` attr-dict `:` type(operands)";
}

def D1_YieldOp : D1_StructureOp<"yield", [Terminator, Pure,
                                          ParentOneOf<["RepeatOp", "IfOp", "WhileOp"]>]> {
  let summary = "end of a body";
  let arguments = (ins Variadic<D1_Register>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def D1_RegisterOp : D1_StructureOp<"register", [Pure]> {
  let summary = "a physical register as a value";
  let description = [{
    Takes no instruction. Gives access to what a register holds: x0 and m0, which are constants, or
    a register that an instruction before this one wrote.
  }];
  let results = (outs D1_Register:$value);
  let assemblyFormat = "attr-dict `:` type($value)";
  let hasVerifier = 1;
}

def D1_LabelOp : D1_StructureOp<"label", [Symbol]> {
  let summary = "target of branches";
  let description = [{
    The address of the next instruction, or, with `address`, that byte address elsewhere in SRAM.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, OptionalAttr<I64Attr>:$address);
  let assemblyFormat = "$sym_name attr-dict";
}

#endif // DOJO_D1_STRUCTUREOPS_TD
