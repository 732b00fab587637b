// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Generators of the C++ tables that encoder, decoder, assembler and emulator stand on.

#include "InstModel.h"
#include "llvm/Support/Format.h"
#include "llvm/TableGen/TableGenBackend.h"

using namespace llvm;

namespace dojo::tblgen {
namespace {

void emitEnum(raw_ostream &os, StringRef name,
              const std::vector<std::pair<std::string, int64_t>> &cases) {
  os << "enum class " << name << " : uint8_t {\n";
  for (const auto &[symbol, value] : cases)
    os << "  " << symbol << " = " << value << ",\n";
  os << "};\n\n";
}

void emitValues(raw_ostream &os, StringRef name,
                const std::vector<std::pair<std::string, std::string>> &values) {
  os << "enum class " << name << " : uint8_t {\n";
  for (const auto &[symbol, doc] : values)
    os << "  " << symbol << ", ///< " << doc << "\n";
  os << "};\n";
  os << "constexpr unsigned num" << name << " = " << values.size() << ";\n\n";
}

void emitNames(raw_ostream &os, StringRef name,
               const std::vector<std::pair<std::string, int64_t>> &cases) {
  os << "static const char *const " << name << "[] = {";
  for (const auto &[symbol, value] : cases)
    os << "\"" << symbol << "\", ";
  os << "};\n";
}

void emitOperand(raw_ostream &os, const OperandModel &operand) {
  os << "{\"" << operand.name << "\", OperandKind::" << operand.kind << ", " << operand.lo << ", "
     << operand.width << ", " << operand.shift << ", " << (operand.isSigned ? "true" : "false")
     << ", " << operand.min << "LL, " << operand.max << "LL, " << format_hex(operand.allowed, 1)
     << "}";
}

void emitEnums(const RecordKeeper &records, raw_ostream &os) {
  std::vector<InstModel> insts;
  if (!readInstructions(records, insts))
    return;
  emitSourceFileHeader("Enumerations of the D1 instruction set", os, records);
  emitValues(os, "TimingClass", readValues(records, "TimingClass", "TC_"));
  emitValues(os, "MemAccess", readValues(records, "MemAccess", "MA_"));
  emitEnum(os, "EType", readEnum(records, "D1_EType"));
  emitEnum(os, "Cond", readEnum(records, "D1_Cond"));
  emitEnum(os, "MatFormat", readEnum(records, "D1_MatFormat"));
  os << "enum class Opcode : uint16_t {\n";
  for (const InstModel &inst : insts)
    os << "  " << inst.opcode << ", ///< " << inst.mnemonic << ": " << inst.doc << "\n";
  os << "};\n";
  os << "constexpr unsigned numOpcodes = " << insts.size() << ";\n";
  os << "constexpr unsigned maxFields = " << maxFields << ";\n";
}

void emitTables(const RecordKeeper &records, raw_ostream &os) {
  std::vector<InstModel> insts;
  if (!readInstructions(records, insts))
    return;
  emitSourceFileHeader("Tables of the D1 instruction set", os, records);
  emitNames(os, "etypeNames", readEnum(records, "D1_EType"));
  emitNames(os, "condNames", readEnum(records, "D1_Cond"));
  emitNames(os, "matFormatNames", readEnum(records, "D1_MatFormat"));
  os << "static const InstInfo instTable[] = {\n";
  auto flag = [](bool b) { return b ? "true, " : "false, "; };
  for (const InstModel &inst : insts) {
    os << "  {\"" << inst.mnemonic << "\", TimingClass::" << inst.timing
       << ", MemAccess::" << inst.access << ", '" << inst.label << "', " << inst.format.bytes
       << ", " << inst.accessBytes << ", " << inst.operands.size() << ", " << flag(inst.isBranch)
       << flag(inst.isTerminator) << flag(inst.readsMem) << flag(inst.writesMem)
       << flag(inst.reserved) << format_hex(inst.opcodeMask, 18) << "ULL, "
       << format_hex(inst.opcodeMatch, 18) << "ULL, " << format_hex(inst.usedMask, 18)
       << "ULL,\n   {";
    interleave(inst.operands, os, [&](const OperandModel &o) { emitOperand(os, o); }, ",\n    ");
    os << "},\n   \"" << inst.semantic << "\", \"";
    os.write_escaped(inst.doc);
    os << "\"},\n";
  }
  os << "};\n";
}

void emitDispatch(const RecordKeeper &records, raw_ostream &os) {
  std::vector<InstModel> insts;
  if (!readInstructions(records, insts))
    return;
  emitSourceFileHeader("DOJO_SEMANTIC(opcode, function) for every defined instruction", os,
                       records);
  for (const InstModel &inst : insts)
    if (!inst.reserved)
      os << "DOJO_SEMANTIC(" << inst.opcode << ", " << inst.semantic << ")\n";
  os << "#undef DOJO_SEMANTIC\n";
}

TableGen::Emitter::Opt enums("gen-isa-enums", emitEnums, "opcode, operand and class enumerations");
TableGen::Emitter::Opt tables("gen-isa-tables", emitTables, "encoding and operand tables");
TableGen::Emitter::Opt dispatch("gen-emulator-dispatch", emitDispatch,
                                "opcode to semantic function");

} // namespace
} // namespace dojo::tblgen
