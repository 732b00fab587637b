// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Register types: `!d1.x` virtual, `!d1.x<5>` physical register x5.

#ifndef DOJO_D1_TYPES_TD
#define DOJO_D1_TYPES_TD

include "mlir/IR/AttrTypeBase.td"
include "dialects/D1/D1Dialect.td"

class D1_RegisterType<string typeName, string typeMnemonic, int registers, string what>
    : TypeDef<D1_Dialect, typeName> {
  let mnemonic = typeMnemonic;
  let summary = what;
  let description = what # ". The index, if present, names one of the " # registers
                    # " physical registers of a thread.";
  let parameters = (ins DefaultValuedParameter<"int", "-1">:$index);
  let assemblyFormat = "(`<` $index^ `>`)?";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Number of physical registers of this kind a thread has.
    static constexpr int numRegisters = }] # registers # [{;
    bool isPhysical() const { return getIndex() >= 0; }
  }];
}

def D1_X : D1_RegisterType<"X", "x", 32, "64-bit scalar register">;
def D1_V : D1_RegisterType<"V", "v", 32, "64-byte vector register">;
def D1_M : D1_RegisterType<"M", "m", 8, "64-bit mask register">;

#endif // DOJO_D1_TYPES_TD
