// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The D1 instruction set in plain C++: what docs/isa.md says, as tables and functions. Everything
// here comes from the records in dialects/D1. No dependency on LLVM.
//
// State of a node: per thread x0..x31 (64 bits, x0 reads 0), v0..v31 (64 bytes), m0..m7 (64 bits,
// m0 reads all ones); per node acc0..acc7 (8x8 fp32), 256 semaphores, SRAM bytes 0..1310719.
// Instructions are little endian, 4 or 8 bytes long, 4-byte aligned.

#ifndef DOJO_ISA_ISA_H
#define DOJO_ISA_ISA_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dojo::isa {

// Opcode, TimingClass, MemAccess, EType, Cond, MatFormat; numOpcodes, maxFields.
#include "dojo/ISA/ISAEnums.inc"

/// What a field of an instruction holds. UseDef operands are read and written.
enum class OperandKind : uint8_t {
  XDef,
  XUse,
  XUseDef, ///< x register 0..31
  VDef,
  VUse,
  VUseDef, ///< v register 0..31
  MDef,
  MUse, ///< mask register 0..7
  AccUse,
  AccDef,
  AccUseDef, ///< accumulator 0..7
  Simm,      ///< signed immediate
  Uimm,      ///< unsigned immediate
  Target,    ///< branch target: signed bytes from the address of the branch, a multiple of 4
  Sem,       ///< semaphore 0..255
  EType,     ///< enum EType
  Cond,      ///< enum Cond
  MatFormat, ///< enum MatFormat
  MemBase,   ///< x register that holds the address
  MemMode,   ///< 0: address is base + offset; 1: address is base, then base += offset
  MemOff     ///< signed bytes
};

/// One field of an instruction: its place in the word and its legal values.
struct OperandInfo {
  const char *name;
  OperandKind kind;
  uint8_t lo, width; ///< bits lo .. lo+width-1 of the word
  uint8_t shift;     ///< encoded number = value >> shift
  bool isSigned;
  int64_t min, max; ///< legal values
  uint32_t allowed; ///< enumerations: bit i set if value i is defined; 0: not an enumeration
};

/// The static properties of an opcode.
struct InstInfo {
  const char *mnemonic;
  TimingClass timing;
  MemAccess access;    ///< what each memory operand touches
  char label;          ///< 'D' documented, 'I' inferred, 'X' invented
  uint8_t bytes;       ///< 4 or 8
  uint8_t accessBytes; ///< bytes of a scalar access, a granule or a matrix block; else 0
  uint8_t numOperands; ///< fields in use of Inst::f and of `ops`
  bool isBranch;       ///< may set the PC
  bool isTerminator;   ///< never goes on to the next instruction
  bool readsMem, writesMem;
  bool reserved; ///< decodes as undefined, cannot be encoded
  uint64_t opcodeMask, opcodeMatch;
  uint64_t usedMask; ///< bits outside are zero
  OperandInfo ops[maxFields];
  const char *semantic; ///< name of the emulator's function
  const char *doc;
};

/// A decoded instruction. The fields are in assembly order; a memory operand is three of them:
/// base, mode, offset. `vld vd, mem, etype, mk` has f = {vd, base, mode, off, etype, mk}.
struct Inst {
  Opcode op;
  uint8_t bytes;
  int32_t f[maxFields];
};

bool operator==(const Inst &a, const Inst &b);

const InstInfo &info(Opcode op);

/// The opcode of a mnemonic (reserved ones included).
std::optional<Opcode> findMnemonic(std::string_view mnemonic);

const char *name(EType type);
const char *name(Cond cond);
const char *name(MatFormat format);

/// Bytes of one element in memory.
unsigned elementBytes(EType type);

/// Bytes that each memory operand of `inst` touches; 0 without one. For gathers the bytes of all
/// granules, for lists 0.
unsigned accessBytes(const Inst &inst);

/// Decodes the instruction at `p`, of which `avail` bytes may be read. False: undefined (unknown or
/// reserved opcode, bits that must be zero, undefined enumeration value, cut off).
bool decode(const uint8_t *p, size_t avail, Inst &out);

/// Appends the bytes of `inst`. Every field is range-checked; on failure nothing is appended and
/// `error` (may be null) says which field is wrong.
bool encode(const Inst &inst, std::vector<uint8_t> &out, std::string *error);

/// One line of assembly. Branch targets are printed as absolute addresses, `pc` being the address
/// of the instruction.
std::string disassemble(const Inst &inst, uint64_t pc);

/// The address of a label; nothing if there is no such label.
using LabelResolver = std::function<std::optional<int64_t>(std::string_view)>;

/// Parses one instruction, without label definitions or comments: mnemonic, then operands between
/// commas. Registers are x5, v3, m1, acc2, semaphores s12; numbers decimal or hexadecimal; memory
/// operands `8(x5)`, `(x5)`, post-increment `(x5)+8`, `(x5)-8`; a branch target is a label or an
/// absolute address. `labels` may be empty if there are none.
bool parseInst(std::string_view line, uint64_t pc, const LabelResolver &labels, Inst &out,
               std::string *error);

} // namespace dojo::isa

#endif // DOJO_ISA_ISA_H
