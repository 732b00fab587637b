// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Generator of the instruction set manual (Markdown).

#include "InstModel.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TableGen/TableGenBackend.h"

using namespace llvm;

namespace dojo::tblgen {
namespace {

/// Text in a cell of a Markdown table.
std::string cell(StringRef text) {
  std::string out;
  for (char c : text)
    out += c == '|' ? std::string("\\|") : c == '<' ? "&lt;" : std::string(1, c);
  return out;
}

struct Bits {
  unsigned lo, width;
  std::string name;
};

std::string bitRange(const Bits &bits) {
  std::string text = std::to_string(bits.lo + bits.width - 1);
  return bits.width == 1 ? text : text + ".." + std::to_string(bits.lo);
}

void emitFormats(raw_ostream &os, const std::vector<InstModel> &insts) {
  MapVector<const Record *, const InstModel *> formats;
  for (const InstModel &inst : insts)
    formats.insert({inst.format.record, &inst});
  os << "| format | fields in operand order | bits |\n|---|---|---|\n";
  for (const auto &[record, inst] : formats) {
    std::vector<Bits> bits;
    SmallVector<std::string> order;
    for (const Record *field : record->getValueAsListOfDefs("fields")) {
      bits.push_back({unsigned(field->getValueAsInt("lo")), unsigned(field->getValueAsInt("width")),
                      field->getValueAsString("name").str()});
      order.push_back(bits.back().name);
    }
    if (inst->functWidth)
      bits.push_back({inst->functLo, inst->functWidth, "*funct*"});
    bits.push_back({1, 7, "*major*"});
    bits.push_back({0, 1, inst->format.bytes == 8 ? "1" : "0"});
    llvm::sort(bits, [](const Bits &a, const Bits &b) { return a.lo > b.lo; });
    os << "| " << inst->format.name << " | " << join(order, ", ") << " | ";
    interleave(bits, os, [&](const Bits &b) { os << bitRange(b) << " " << b.name; }, " · ");
    os << " |\n";
  }
}

void emitEnumeration(raw_ostream &os, const RecordKeeper &records, StringRef enumName,
                     StringRef what) {
  os << "* " << what << ": ";
  interleave(
      readEnum(records, enumName), os,
      [&](const auto &entry) { os << entry.second << " `" << entry.first << "`"; }, ", ");
  os << "\n";
}

std::string syntax(const InstModel &inst) {
  std::string text = inst.mnemonic;
  bool isFirst = true;
  for (const OperandModel &operand : inst.operands) {
    if (operand.kind == "MemMode" || operand.kind == "MemOff")
      continue;
    StringRef name = operand.name;
    text += isFirst ? " " : ", ";
    text += operand.isMemoryBase() ? "mem" + name.drop_front(4).str() : name.str();
    isFirst = false;
  }
  return text;
}

void emitInstructions(raw_ostream &os, const std::vector<InstModel> &insts) {
  MapVector<StringRef, std::vector<const InstModel *>> groups;
  for (const InstModel &inst : insts)
    groups[inst.group].push_back(&inst);
  for (const auto &[group, members] : groups) {
    os << "\n### " << group << "\n\n"
       << "| instruction | meaning | class | label | format | major | funct |\n"
       << "|---|---|---|---|---|---|---|\n";
    for (const InstModel *inst : members) {
      os << "| `" << syntax(*inst) << "` | " << cell(inst->doc) << " | " << inst->timing << " | "
         << inst->label << " | " << inst->format.name << " | " << inst->major << " | ";
      if (inst->functWidth)
        os << inst->funct;
      os << " |\n";
    }
  }
}

void emitLimits(raw_ostream &os, const std::vector<InstModel> &insts) {
  os << "\n### Ranges narrower than the field\n\n| instruction | operand | values "
        "|\n|---|---|---|\n";
  for (const InstModel &inst : insts)
    for (const OperandModel &operand : inst.operands)
      if (operand.kind == "Uimm" && (operand.min != 0 || operand.max + 1 != 1LL << operand.width))
        os << "| `" << inst.mnemonic << "` | " << operand.name << " | " << operand.min << " to "
           << operand.max << " |\n";
}

void emitManual(const RecordKeeper &records, raw_ostream &os) {
  std::vector<InstModel> insts;
  if (!readInstructions(records, insts))
    return;
  auto text = [&](StringRef name) { os << records.getDef(name)->getValueAsString("text"); };
  text("ManualIntro");
  os << "\n## Enumerations\n\n";
  emitEnumeration(os, records, "D1_EType", "`etype` (the last three are reserved: undefined)");
  emitEnumeration(os, records, "D1_Cond",
                  "`cond` (vfcmp takes 0 to 7; vicmp 0 to 5 and 8 to 11, the last four unsigned)");
  emitEnumeration(os, records, "D1_MatFormat", "`fmt` (all but the first are reserved: undefined)");
  text("ManualFormats");
  emitFormats(os, insts);
  text("ManualInstructions");
  os << "| class | |\n|---|---|\n";
  for (const auto &[name, doc] : readValues(records, "TimingClass", "TC_"))
    os << "| " << name << " | " << doc << " |\n";
  emitInstructions(os, insts);
  emitLimits(os, insts);
  text("ManualDescriptors");
}

TableGen::Emitter::Opt manual("gen-isa-manual", emitManual, "the instruction set manual");

} // namespace
} // namespace dojo::tblgen
