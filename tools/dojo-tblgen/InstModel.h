// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The instruction records as the generators see them: read from TableGen and checked.

#ifndef DOJO_TBLGEN_INSTMODEL_H
#define DOJO_TBLGEN_INSTMODEL_H

#include "llvm/TableGen/Record.h"
#include <cstdint>
#include <string>
#include <vector>

namespace dojo::tblgen {

/// One field of an instruction. A memory operand of a record becomes three of these.
struct OperandModel {
  std::string name;
  std::string kind;   ///< enumerator of dojo::isa::OperandKind
  std::string field;  ///< name of the format's field
  unsigned lo = 0;    ///< lowest bit
  unsigned width = 0; ///< bits
  unsigned shift = 0; ///< the encoded number is the value >> shift
  bool isSigned = false;
  int64_t min = 0, max = 0; ///< legal values
  uint32_t allowed = 0;     ///< bit i: enumeration value i is defined; 0: not an enumeration

  bool isMemoryBase() const { return kind == "MemBase"; }
};

struct FormatModel {
  const llvm::Record *record = nullptr;
  std::string name;
  unsigned bytes = 0;
};

/// One instruction (or reserved opcode).
struct InstModel {
  const llvm::Record *record = nullptr;
  std::string mnemonic, opcode; ///< `vfadd.x`, `VFADD_X`
  std::string timing, label, semantic, access, group, doc;
  FormatModel format;
  unsigned major = 0, funct = 0, functWidth = 0, functLo = 0;
  std::vector<OperandModel> operands;
  unsigned accessBytes = 0;
  bool readsMem = false, writesMem = false, isBranch = false, isTerminator = false;
  bool reserved = false;
  uint64_t opcodeMask = 0;  ///< bits that hold length flag, major opcode and funct
  uint64_t opcodeMatch = 0; ///< their values
  uint64_t usedMask = 0;    ///< opcodeMask and all operand bits; the others must be zero
};

/// The most fields an instruction may have; the size of dojo::isa::Inst::f.
constexpr unsigned maxFields = 9;

/// Reads every record of class D1Encoding in the order of definition. Contradictions (overlapping
/// encodings or fields, fields outside the word, unknown kinds, missing entries) are reported as
/// TableGen errors at the record's source location; returns false if there were any.
bool readInstructions(const llvm::RecordKeeper &records, std::vector<InstModel> &out);

/// The records of `className` that lie in a list field `enumerants` order (I32EnumAttr).
std::vector<std::pair<std::string, int64_t>> readEnum(const llvm::RecordKeeper &records,
                                                      llvm::StringRef enumName);

/// Records of a class with `value` and `doc` fields (timing classes, memory accesses), by value.
/// `prefix` is taken off the names.
std::vector<std::pair<std::string, std::string>>
readValues(const llvm::RecordKeeper &records, llvm::StringRef className, llvm::StringRef prefix);

} // namespace dojo::tblgen

#endif // DOJO_TBLGEN_INSTMODEL_H
