// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an instruction record is made of: formats (named bit fields), operands, timing classes, and
// the class D1Inst, from which mlir-tblgen makes the d1 ops and dojo-tblgen the encoder, decoder,
// assembler, emulator dispatch and manual.
//
// An instruction is one little-endian word of 4 or 8 bytes, 4-byte aligned.
//   bit 0      0: 4 bytes, 1: 8 bytes
//   bits 1..7  major opcode; 4-byte major 0 is never defined, so zeroed memory is no program
// The rest is laid out by the format. Bits that neither the format nor the opcode uses are zero.

#ifndef DOJO_D1_ENCODING_TD
#define DOJO_D1_ENCODING_TD

include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/D1/D1Dialect.td"
include "dialects/D1/D1Enums.td"
include "dialects/D1/D1Types.td"

//===----------------------------------------------------------------------===//
// Formats
//===----------------------------------------------------------------------===//

// `fieldWidth` bits from bit `lowBit` up.
class Field<string fieldName, int lowBit, int fieldWidth> {
  string name = fieldName;
  int lo = lowBit;
  int width = fieldWidth;
}

// The fields stand in the order in which an instruction's operands (as written in assembly) are
// bound to them; a memory operand takes three: base, mode, offset. `funct` distinguishes
// instructions that share format and major opcode; a width of 0 means there is none.
class Format<string formatName, int sizeInBytes, list<Field> operandFields, Field functField> {
  string name = formatName;
  int bytes = sizeInBytes;
  list<Field> fields = operandFields;
  Field funct = functField;
}

//===----------------------------------------------------------------------===//
// Timing classes
//===----------------------------------------------------------------------===//

// The enumerators of dojo::isa::TimingClass are these names without 'TC_'.
class TimingClass<int enumValue, string text> {
  int value = enumValue;
  string doc = text;
}

def TC_Alu      : TimingClass<0,  "one scalar ALU slot">;
def TC_Mul      : TimingClass<1,  "one scalar ALU slot, multiplier latency">;
def TC_Div      : TimingClass<2,  "one scalar ALU slot; the divider is busy for its whole latency">;
def TC_Load     : TimingClass<3,  "one AGU slot, scalar load latency">;
def TC_Store    : TimingClass<4,  "one AGU slot, at most one store a cycle">;
def TC_VLoad    : TimingClass<5,  "one AGU slot (two if the access crosses a 64 B line), vector load latency">;
def TC_VStore   : TimingClass<6,  "one AGU slot (two if the access crosses a 64 B line), at most one store a cycle">;
def TC_Gather   : TimingClass<7,  "one AGU slot in each of several cycles">;
def TC_Simd     : TimingClass<8,  "one SIMD slot; a memory operand adds an AGU slot and the vector load latency">;
def TC_Estimate : TimingClass<9,  "one SIMD slot; the estimate unit is busy for several cycles">;
def TC_Matrix   : TimingClass<10, "one matrix slot; each memory operand takes an AGU slot; all steps take the same time">;
def TC_Drain    : TimingClass<11, "one SIMD slot, drain latency">;
def TC_Fill     : TimingClass<12, "one SIMD slot, fill latency">;
def TC_Control  : TimingClass<13, "front end: no slot; results are ready in the next cycle">;

//===----------------------------------------------------------------------===//
// Memory behaviour
//===----------------------------------------------------------------------===//

// What one memory operand (or the gather's base) touches. Enumerators of dojo::isa::MemAccess
// without 'MA_'.
class MemAccess<int enumValue, string text> {
  int value = enumValue;
  string doc = text;
}

def MA_None     : MemAccess<0, "no memory">;
def MA_Scalar   : MemAccess<1, "one naturally aligned scalar">;
def MA_Lanes    : MemAccess<2, "16 elements of the element type, 2-byte aligned">;
def MA_Element  : MemAccess<3, "one element of the element type, broadcast to the lanes, 2-byte aligned">;
def MA_Block    : MemAccess<4, "64 bytes: a matrix operand block, 2-byte aligned">;
def MA_Granules : MemAccess<5, "granules at base plus 16-bit offsets, 2-byte aligned">;
def MA_List     : MemAccess<6, "an array of transfer descriptors">;

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

class InstOperand<string operandName, string operandKind> {
  string name = operandName;
  string kind = operandKind;     // enumerator of dojo::isa::OperandKind; 'Mem' stands for three
  bit isSigned = 0;
  int shift = 0;                 // the encoded value is the operand >> shift; the rest must be zero
  list<int> range = [];          // [least, greatest] where narrower than the field
  list<int> allowed = [];        // enumerations: the defined values
  dag uses = (ins);              // ODS operands and attributes
  dag defs = (outs);             // ODS results
  string piece = "$" # name;     // piece of the op's assembly; empty for a pure result
  dag params = (ins);            // parameters of the op's builder
  list<string> values = [];      // of them: register operands
  list<string> numbers = [];     // of them: attributes given as numbers
}

class RegUse<string n, string k, TypeDef type> : InstOperand<n, k> {
  let uses = !dag(ins, [type], [n]);
  let params = !dag(ins, ["::mlir::Value"], [n]);
  let values = [n];
}
class RegDef<string n, string k, TypeDef type> : InstOperand<n, k> {
  let defs = !dag(outs, [type], [n]);
  let piece = "";
}
class RegUseDef<string n, string k, TypeDef type> : InstOperand<n, k> {
  let uses = !dag(ins, [type], [n # "_in"]);
  let defs = !dag(outs, [type], [n]);
  let piece = "$" # n # "_in";
  let params = !dag(ins, ["::mlir::Value"], [n]);
  let values = [n];
}
class AttrUse<string n, string k, AttrConstraint attr, string cppType = "int32_t">
    : InstOperand<n, k> {
  let uses = !dag(ins, [attr], [n]);
  let params = !dag(ins, [cppType], [n]);
  let numbers = ["int64_t(" # n # ")"];
}

class XUse<string n> : RegUse<n, "XUse", D1_X>;
class XDef<string n> : RegDef<n, "XDef", D1_X>;
class XUseDef<string n> : RegUseDef<n, "XUseDef", D1_X>;
class VUse<string n> : RegUse<n, "VUse", D1_V>;
class VDef<string n> : RegDef<n, "VDef", D1_V>;
class VUseDef<string n> : RegUseDef<n, "VUseDef", D1_V>;
class MUse<string n> : RegUse<n, "MUse", D1_M>;
class MDef<string n> : RegDef<n, "MDef", D1_M>;
class AccUse<string n> : AttrUse<n, "AccUse", I32Attr>;
class AccDef<string n> : AttrUse<n, "AccDef", I32Attr>;
class AccUseDef<string n> : AttrUse<n, "AccUseDef", I32Attr>;

class Simm<string n> : AttrUse<n, "Simm", I32Attr> { let isSigned = 1; }
class Uimm<string n, list<int> limits = []> : AttrUse<n, "Uimm", I32Attr> { let range = limits; }
class Sem<string n> : AttrUse<n, "Sem", I32Attr>;
class Target<string n> : AttrUse<n, "Target", FlatSymbolRefAttr, "::llvm::StringRef"> {
  let isSigned = 1;
  let shift = 2;
  let numbers = [];
}
class ETypeOperand<string n> : AttrUse<n, "EType", D1_EType, "::mlir::d1::EType"> { let allowed = [0, 1, 2, 3, 4, 5, 6]; }
class FloatCond<string n> : AttrUse<n, "Cond", D1_Cond, "::mlir::d1::Cond"> { let allowed = [0, 1, 2, 3, 4, 5, 6, 7]; }
class IntCond<string n> : AttrUse<n, "Cond", D1_Cond, "::mlir::d1::Cond"> { let allowed = [0, 1, 2, 3, 4, 5, 8, 9, 10, 11]; }
class MatFormatOperand<string n>
    : AttrUse<n, "MatFormat", D1_MatFormat, "::mlir::d1::MatFormat"> { let allowed = [0]; }

// Base register, mode (0 offset, 1 post-increment) and signed offset in bytes. `suffix` tells two
// memory operands of an instruction apart.
class Mem<string suffix = ""> : InstOperand<"mem" # suffix, "Mem"> {
  let isSigned = 1;
  let uses = !dag(ins, [D1_X, I32Attr, UnitAttr],
                  ["base" # suffix, "off" # suffix, "postinc" # suffix]);
  let params = !dag(ins, ["::mlir::Value", "int32_t", "bool"],
                    ["base" # suffix, "off" # suffix, "postinc" # suffix]);
  let values = ["base" # suffix];
  let numbers = ["int64_t(off" # suffix # ")", "int64_t(postinc" # suffix # ")"];
  let piece = "custom<MemOperand>($base" # suffix # ", $off" # suffix # ", $postinc" # suffix # ")";
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

// Everything but the op: a record of this class alone is a reserved opcode.
class D1Encoding<string instMnemonic, Format instFormat, int majorOpcode, int functValue,
                 list<InstOperand> instOperands, string text> {
  string mnemonic = instMnemonic;
  Format format = instFormat;
  int major = majorOpcode;
  int funct = functValue;
  list<InstOperand> operands = instOperands;   // in assembly order
  string doc = text;                           // one line for the manual
  string group = ?;                            // section of the manual
  TimingClass timing = ?;
  string label = "X";                          // D documented, I inferred, X invented
  string semantic = ?;                         // name of the emulator's function
  MemAccess access = MA_None;
  int accessBytes = 0;                         // bytes of a scalar access or a granule
  bit readsMem = 0;
  bit writesMem = 0;
  bit isBranch = 0;                            // may set the PC
  bit isTerminator = 0;                        // the next instruction is never reached from here
}

class D1Reserved<string instMnemonic, Format instFormat, int majorOpcode, int functValue,
                 string text>
    : D1Encoding<instMnemonic, instFormat, majorOpcode, functValue, [], text>;

// Marks the ops that are instructions and verifies them against the tables.
def D1_InstTrait : NativeOpTrait<"InstTrait"> {
  let cppNamespace = "::mlir::d1";
}

// SRAM is the default resource; the node's accumulators are one of their own.
def D1_AccResource : Resource<"::mlir::d1::AccumulatorResource">;

class D1Inst<string instMnemonic, Format instFormat, int majorOpcode, int functValue,
             list<InstOperand> instOperands, string text, list<Trait> traits = []>
    : Op<D1_Dialect, instMnemonic, !listconcat([D1_InstTrait], traits)>,
      D1Encoding<instMnemonic, instFormat, majorOpcode, functValue, instOperands, text> {
  let summary = text;
  let arguments = !foldl((ins), instOperands, acc, o, !con(acc, o.uses));
  defvar hasMem = !not(!empty(!filter(o, instOperands, !eq(o.kind, "Mem"))));
  // The new bases of post-incremented memory operands, in operand order.
  let results = !con(!foldl((outs), instOperands, acc, o, !con(acc, o.defs)),
                     !if(hasMem, (outs Variadic<D1_X>:$next), (outs)));
  defvar pieces = !foreach(o, !filter(p, instOperands, !ne(p.piece, "")), o.piece);
  defvar hasRegisters = !not(!empty(!filter(o, instOperands,
      !or(!gt(!size(o.defs), 0), !eq(o.kind, "Mem"), !eq(o.kind, "XUse"), !eq(o.kind, "VUse"),
          !eq(o.kind, "MUse")))));
  let assemblyFormat = !interleave(pieces, " `,` ") # " attr-dict"
                       # !if(hasRegisters, " `:` functional-type(operands, results)", "");
  // The first builder makes virtual result registers (the operand's own where one is read and
  // written); the second takes everything as it comes.
  let skipDefaultBuilders = 1;
  defvar values = !foldl([]<string>, instOperands, acc, o, !listconcat(acc, o.values));
  defvar numbers = !foldl([]<string>, instOperands, acc, o, !listconcat(acc, o.numbers));
  defvar hasTarget = !not(!empty(!filter(o, instOperands, !eq(o.kind, "Target"))));
  let builders = [
    OpBuilder<!foldl((ins), instOperands, acc, o, !con(acc, o.params)),
              "::mlir::d1::buildInst($_state, opcode, {" # !interleave(values, ", ") # "}, {"
              # !interleave(numbers, ", ") # "}" # !if(hasTarget, ", target", "") # ");">,
    OpBuilder<(ins "::mlir::TypeRange":$results, "::mlir::ValueRange":$operands,
                   "::llvm::ArrayRef<::mlir::NamedAttribute>":$attributes),
              "$_state.addTypes(results); $_state.addOperands(operands);"
              "$_state.addAttributes(attributes);">];
  let extraClassDeclaration = "static constexpr ::dojo::isa::Opcode opcode = ::dojo::isa::Opcode::"
                              # !toupper(!subst(".", "_", instMnemonic)) # ";";
}

// An instruction with no effect but its results.
class D1Pure<string instMnemonic, Format instFormat, int majorOpcode, int functValue,
             list<InstOperand> instOperands, string text>
    : D1Inst<instMnemonic, instFormat, majorOpcode, functValue, instOperands, text, [Pure]>;

class D1Load<string instMnemonic, Format instFormat, int majorOpcode, int functValue,
             list<InstOperand> instOperands, string text>
    : D1Inst<instMnemonic, instFormat, majorOpcode, functValue, instOperands, text,
             [MemoryEffects<[MemRead]>]> {
  let readsMem = 1;
}

class D1Store<string instMnemonic, Format instFormat, int majorOpcode, int functValue,
              list<InstOperand> instOperands, string text>
    : D1Inst<instMnemonic, instFormat, majorOpcode, functValue, instOperands, text,
             [MemoryEffects<[MemWrite]>]> {
  let writesMem = 1;
}

#endif // DOJO_D1_ENCODING_TD
