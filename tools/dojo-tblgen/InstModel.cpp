// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "InstModel.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"
#include "llvm/TableGen/Error.h"
#include <algorithm>
#include <map>

using namespace llvm;

namespace dojo::tblgen {
namespace {

const StringSet<> &operandKinds() {
  static const StringSet<> kinds = {"XDef",      "XUse", "XUseDef",   "VDef",   "VUse",
                                    "VUseDef",   "MDef", "MUse",      "AccUse", "AccDef",
                                    "AccUseDef", "Simm", "Uimm",      "Target", "Sem",
                                    "EType",     "Cond", "MatFormat", "Mem"};
  return kinds;
}

bool isIdentifier(StringRef s) {
  return !s.empty() && !isDigit(s[0]) && all_of(s, [](char c) { return isAlnum(c) || c == '_'; });
}

/// Reads and checks one record after the other; `ok` turns false with the first error.
class Reader {
public:
  explicit Reader(std::vector<InstModel> &out) : out(out) {}

  void read(const Record *record) {
    InstModel inst;
    inst.record = record;
    readHeader(inst);
    if (!readFormat(inst))
      return;
    readOperands(inst);
    checkEncoding(inst);
    out.push_back(std::move(inst));
  }

  /// Two records overlap if some word carries the opcode of both.
  void checkOverlaps() {
    std::map<std::string, const InstModel *> byName;
    for (size_t i = 0; i < out.size(); ++i) {
      auto [it, isNew] = byName.try_emplace(out[i].opcode, &out[i]);
      if (!isNew) {
        error(out[i].record, "mnemonic '" + out[i].mnemonic + "' is already taken");
        PrintNote(it->second->record->getLoc(), "by this record");
      }
      for (size_t j = 0; j < i; ++j) {
        uint64_t common = out[i].opcodeMask & out[j].opcodeMask;
        if ((out[i].opcodeMatch ^ out[j].opcodeMatch) & common)
          continue;
        error(out[i].record,
              "encoding of '" + out[i].mnemonic + "' overlaps that of '" + out[j].mnemonic + "'");
        PrintNote(out[j].record->getLoc(), "the other record");
      }
    }
  }

  bool ok = true;

private:
  std::vector<InstModel> &out;

  void error(const Record *record, const Twine &message) {
    PrintError(record, message);
    ok = false;
  }

  std::string text(const Record *record, StringRef field) {
    const RecordVal *value = record->getValue(field);
    if (const auto *s = value ? dyn_cast<StringInit>(value->getValue()) : nullptr)
      return s->getValue().str();
    error(record, "has no " + field);
    return "";
  }

  const Record *def(const Record *record, StringRef field) {
    const RecordVal *value = record->getValue(field);
    if (const auto *d = value ? dyn_cast<DefInit>(value->getValue()) : nullptr)
      return d->getDef();
    error(record, "has no " + field);
    return nullptr;
  }

  void readHeader(InstModel &inst) {
    const Record *r = inst.record;
    inst.mnemonic = text(r, "mnemonic");
    inst.opcode = StringRef(inst.mnemonic).upper();
    std::replace(inst.opcode.begin(), inst.opcode.end(), '.', '_');
    if (!isIdentifier(inst.opcode))
      error(r, "mnemonic '" + inst.mnemonic + "' is not made of letters, digits and dots");
    inst.doc = text(r, "doc");
    inst.group = text(r, "group");
    inst.label = text(r, "label");
    if (inst.label != "D" && inst.label != "I" && inst.label != "X")
      error(r, "label is '" + inst.label + "', not D, I or X");
    inst.semantic = text(r, "semantic");
    if (!isIdentifier(inst.semantic))
      error(r, "semantic '" + inst.semantic + "' is not the name of a function");
    if (const Record *timing = def(r, "timing"))
      inst.timing = timing->getName().drop_front(3).str();
    if (const Record *access = def(r, "access"))
      inst.access = access->getName().drop_front(3).str();
    inst.major = r->getValueAsInt("major");
    inst.funct = r->getValueAsInt("funct");
    inst.accessBytes = r->getValueAsInt("accessBytes");
    inst.readsMem = r->getValueAsBit("readsMem");
    inst.writesMem = r->getValueAsBit("writesMem");
    inst.isBranch = r->getValueAsBit("isBranch");
    inst.isTerminator = r->getValueAsBit("isTerminator");
    inst.reserved = r->isSubClassOf("D1Reserved");
  }

  bool readFormat(InstModel &inst) {
    const Record *format = def(inst.record, "format");
    if (!format)
      return false;
    inst.format.record = format;
    inst.format.name = format->getValueAsString("name").str();
    inst.format.bytes = format->getValueAsInt("bytes");
    if (inst.format.bytes != 4 && inst.format.bytes != 8) {
      error(inst.record, "format '" + inst.format.name + "' is neither 4 nor 8 bytes long");
      return false;
    }
    const Record *funct = format->getValueAsDef("funct");
    inst.functLo = funct->getValueAsInt("lo");
    inst.functWidth = funct->getValueAsInt("width");
    return true;
  }

  void readOperands(InstModel &inst) {
    std::vector<const Record *> fields = inst.format.record->getValueAsListOfDefs("fields");
    size_t next = 0;
    auto bind = [&](const Record *operand, StringRef name, StringRef kind, bool isSigned) {
      OperandModel model;
      model.name = name.str();
      model.kind = kind.str();
      model.isSigned = isSigned;
      model.shift = kind == "Target" ? operand->getValueAsInt("shift") : 0;
      if (next == fields.size()) {
        error(inst.record,
              "format '" + inst.format.name + "' has no field left for operand '" + name + "'");
        return;
      }
      const Record *field = fields[next++];
      model.field = field->getValueAsString("name").str();
      model.lo = field->getValueAsInt("lo");
      model.width = field->getValueAsInt("width");
      if (model.width < 1 || model.width > 32) {
        error(inst.record, "field '" + model.field + "' is " + Twine(model.width) + " bits wide");
        return;
      }
      setRange(inst, operand, model);
      inst.operands.push_back(std::move(model));
    };
    for (const Record *operand : inst.record->getValueAsListOfDefs("operands")) {
      StringRef name = operand->getValueAsString("name"), kind = operand->getValueAsString("kind");
      if (!operandKinds().contains(kind)) {
        error(inst.record, "operand '" + name + "' is of unknown kind '" + kind + "'");
        continue;
      }
      if (kind != "Mem") {
        bind(operand, name, kind, operand->getValueAsBit("isSigned"));
        continue;
      }
      StringRef suffix = name.drop_front(3);
      bind(operand, ("base" + suffix).str(), "MemBase", false);
      bind(operand, ("mode" + suffix).str(), "MemMode", false);
      bind(operand, ("off" + suffix).str(), "MemOff", true);
    }
    if (!inst.reserved && next != fields.size())
      error(inst.record, "leaves field '" + fields[next]->getValueAsString("name") +
                             "' of format '" + inst.format.name + "' without an operand");
    if (inst.operands.size() > maxFields)
      error(inst.record,
            "has " + Twine(inst.operands.size()) + " fields; the limit is " + Twine(maxFields));
  }

  void setRange(const InstModel &inst, const Record *operand, OperandModel &model) {
    int64_t unit = int64_t(1) << model.shift;
    model.min = model.isSigned ? -(int64_t(1) << (model.width - 1)) * unit : 0;
    model.max =
        (model.isSigned ? (int64_t(1) << (model.width - 1)) - 1 : (int64_t(1) << model.width) - 1) *
        unit;
    if (model.kind == "Uimm" && model.width == 32)
      error(inst.record, "a 32-bit immediate must be signed");
    std::vector<int64_t> range = operand->getValueAsListOfInts("range");
    if (!range.empty()) {
      if (range.size() != 2 || range[0] < model.min || range[1] > model.max || range[0] > range[1])
        error(inst.record, "range of operand '" + model.name + "' does not fit its field");
      else
        model.min = range[0], model.max = range[1];
    }
    for (int64_t value : operand->getValueAsListOfInts("allowed")) {
      if (value < 0 || value > model.max || value > 31)
        error(inst.record,
              "value " + Twine(value) + " of operand '" + model.name + "' does not fit its field");
      else
        model.allowed |= uint32_t(1) << value;
    }
  }

  static uint64_t bits(unsigned lo, unsigned width) {
    return (width == 64 ? ~uint64_t(0) : (uint64_t(1) << width) - 1) << lo;
  }

  void checkEncoding(InstModel &inst) {
    unsigned size = inst.format.bytes * 8;
    if (inst.major > 127)
      error(inst.record, "major opcode " + Twine(inst.major) + " is not below 128");
    if (inst.major == 0)
      error(inst.record, "major opcode 0 must stay undefined");
    inst.opcodeMask = bits(0, 8);
    inst.opcodeMatch = (inst.format.bytes == 8 ? 1 : 0) | uint64_t(inst.major) << 1;
    if (inst.functWidth) {
      if (inst.functLo < 8 || inst.functLo + inst.functWidth > size)
        error(inst.record, "the funct field lies outside the word");
      inst.opcodeMask |= bits(inst.functLo, inst.functWidth);
      inst.opcodeMatch |= uint64_t(inst.funct) << inst.functLo;
    }
    if (inst.funct >= (1u << inst.functWidth))
      error(inst.record, "funct " + Twine(inst.funct) + " does not fit its field");
    inst.usedMask = inst.opcodeMask;
    for (const OperandModel &operand : inst.operands) {
      if (operand.lo + operand.width > size) {
        error(inst.record, "field '" + operand.field + "' lies outside the word");
        continue;
      }
      uint64_t mask = bits(operand.lo, operand.width);
      if (inst.usedMask & mask)
        error(inst.record, "field '" + operand.field + "' overlaps another field or the opcode");
      inst.usedMask |= mask;
    }
  }
};

} // namespace

bool readInstructions(const RecordKeeper &records, std::vector<InstModel> &out) {
  std::vector<const Record *> defs(records.getAllDerivedDefinitions("D1Encoding"));
  llvm::sort(defs, [](const Record *a, const Record *b) { return a->getID() < b->getID(); });
  Reader reader(out);
  for (const Record *record : defs)
    reader.read(record);
  if (reader.ok)
    reader.checkOverlaps();
  return reader.ok;
}

std::vector<std::pair<std::string, int64_t>> readEnum(const RecordKeeper &records,
                                                      StringRef enumName) {
  std::vector<std::pair<std::string, int64_t>> cases;
  if (const Record *record = records.getDef(enumName))
    for (const Record *c : record->getValueAsListOfDefs("enumerants"))
      cases.emplace_back(c->getValueAsString("symbol").str(), c->getValueAsInt("value"));
  return cases;
}

std::vector<std::pair<std::string, std::string>> readValues(const RecordKeeper &records,
                                                            StringRef className, StringRef prefix) {
  std::map<int64_t, std::pair<std::string, std::string>> byValue;
  for (const Record *record : records.getAllDerivedDefinitions(className)) {
    StringRef name = record->getName();
    name.consume_front(prefix);
    byValue[record->getValueAsInt("value")] = {name.str(), record->getValueAsString("doc").str()};
  }
  std::vector<std::pair<std::string, std::string>> values;
  for (auto &[value, entry] : byValue)
    values.push_back(std::move(entry));
  return values;
}

} // namespace dojo::tblgen
