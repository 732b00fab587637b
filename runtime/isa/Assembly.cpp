// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/ISA/ISA.h"
#include <charconv>

namespace dojo::isa {
namespace {

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

std::string hex(uint64_t value) {
  char buffer[16];
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, 16).ptr;
  return "0x" + std::string(buffer, end);
}

/// Prefix of register-like operands, "" for the others.
std::string_view registerPrefix(OperandKind kind) {
  switch (kind) {
  case OperandKind::XDef:
  case OperandKind::XUse:
  case OperandKind::XUseDef:
  case OperandKind::MemBase:
    return "x";
  case OperandKind::VDef:
  case OperandKind::VUse:
  case OperandKind::VUseDef:
    return "v";
  case OperandKind::MDef:
  case OperandKind::MUse:
    return "m";
  case OperandKind::AccUse:
  case OperandKind::AccDef:
  case OperandKind::AccUseDef:
    return "acc";
  case OperandKind::Sem:
    return "s";
  default:
    return "";
  }
}

const char *enumName(OperandKind kind, int64_t value) {
  switch (kind) {
  case OperandKind::EType:
    return name(EType(value));
  case OperandKind::Cond:
    return name(Cond(value));
  default:
    return name(MatFormat(value));
  }
}

std::string printMemory(int32_t base, int32_t mode, int32_t offset) {
  std::string reg = "(x" + std::to_string(base) + ")";
  if (!mode)
    return std::to_string(offset) + reg;
  return reg + (offset < 0 ? "" : "+") + std::to_string(offset);
}

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t'))
    s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r'))
    s.remove_suffix(1);
  return s;
}

/// Decimal or 0x number with an optional sign.
std::optional<int64_t> parseNumber(std::string_view s) {
  bool negative = false;
  if (!s.empty() && (s[0] == '-' || s[0] == '+')) {
    negative = s[0] == '-';
    s.remove_prefix(1);
  }
  int base = 10;
  if (s.size() > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
    base = 16;
    s.remove_prefix(2);
  }
  uint64_t magnitude = 0;
  auto [end, status] = std::from_chars(s.data(), s.data() + s.size(), magnitude, base);
  if (s.empty() || status != std::errc() || end != s.data() + s.size() || magnitude >> 62)
    return std::nullopt;
  return negative ? -int64_t(magnitude) : int64_t(magnitude);
}

class InstParser {
public:
  InstParser(uint64_t pc, const LabelResolver &labels, Inst &out, std::string *error)
      : pc(pc), labels(labels), out(out), error(error) {}

  bool parse(std::string_view line) {
    line = trim(line);
    size_t space = line.find_first_of(" \t");
    std::string_view mnemonic = line.substr(0, space);
    std::optional<Opcode> op = findMnemonic(mnemonic);
    if (!op)
      return fail("unknown instruction '" + std::string(mnemonic) + "'");
    const InstInfo &in = info(*op);
    if (in.reserved)
      return fail("'" + std::string(mnemonic) + "' is reserved");
    out = Inst{*op, in.bytes, {}};
    rest = space == std::string_view::npos ? std::string_view() : trim(line.substr(space));
    bool any = !rest.empty();
    for (unsigned i = 0; i < in.numOperands; ++i) {
      std::string_view text = nextOperand();
      if (text.empty())
        return fail("'" + std::string(mnemonic) + "' lacks operand " + in.ops[i].name);
      if (in.ops[i].kind == OperandKind::MemBase) {
        if (!parseMemory(text, in.ops + i, out.f + i))
          return false;
        i += 2;
      } else if (!parseOperand(text, in.ops[i], out.f[i])) {
        return false;
      }
    }
    if (any && (!rest.empty() || trailingComma || in.numOperands == 0))
      return fail("too many operands for '" + std::string(mnemonic) + "'");
    return true;
  }

private:
  uint64_t pc;
  const LabelResolver &labels;
  Inst &out;
  std::string *error;
  std::string_view rest;
  bool trailingComma = false;

  bool fail(std::string text) {
    if (error)
      *error = std::move(text);
    return false;
  }

  bool fail(const OperandInfo &op, std::string_view text, const std::string &expected) {
    return fail("operand " + std::string(op.name) + ": '" + std::string(text) + "' is not " +
                expected);
  }

  std::string_view nextOperand() {
    size_t comma = rest.find(',');
    std::string_view text = trim(rest.substr(0, comma));
    trailingComma = comma != std::string_view::npos;
    rest = trailingComma ? trim(rest.substr(comma + 1)) : std::string_view();
    return text;
  }

  bool store(const OperandInfo &op, std::string_view text, int64_t value, int32_t &field) {
    // A 32-bit immediate may be written as an unsigned bit pattern.
    if (op.width == 32 && value > op.max && value <= int64_t(UINT32_MAX))
      value -= int64_t(1) << 32;
    if (value < op.min || value > op.max)
      return fail(op, text, "in " + std::to_string(op.min) + " to " + std::to_string(op.max));
    if (value & ((int64_t(1) << op.shift) - 1))
      return fail(op, text, "a multiple of 4 bytes away");
    field = int32_t(value);
    return true;
  }

  bool parseRegister(std::string_view text, const OperandInfo &op, int32_t &field) {
    std::string_view prefix = registerPrefix(op.kind);
    std::optional<int64_t> number;
    if (text.substr(0, prefix.size()) == prefix && text.size() > prefix.size() &&
        text[prefix.size()] >= '0' && text[prefix.size()] <= '9')
      number = parseNumber(text.substr(prefix.size()));
    else if (op.kind == OperandKind::Sem)
      number = parseNumber(text);
    if (!number || *number < op.min || *number > op.max)
      return fail(op, text,
                  "one of " + std::string(prefix) + std::to_string(op.min) + " to " +
                      std::string(prefix) + std::to_string(op.max));
    field = int32_t(*number);
    return true;
  }

  bool parseOperand(std::string_view text, const OperandInfo &op, int32_t &field) {
    if (!registerPrefix(op.kind).empty())
      return parseRegister(text, op, field);
    if (op.allowed) {
      for (int value = 0; value < 32; ++value)
        if (op.allowed >> value & 1 && text == enumName(op.kind, value)) {
          field = value;
          return true;
        }
      std::string names;
      for (int value = 0; value < 32; ++value)
        if (op.allowed >> value & 1)
          names += (names.empty() ? "" : ", ") + std::string(enumName(op.kind, value));
      return fail(op, text, "one of " + names);
    }
    std::optional<int64_t> number = parseNumber(text);
    if (op.kind == OperandKind::Target) {
      if (!number && labels)
        number = labels(text);
      if (!number)
        return fail(op, text, "a label or an address");
      return store(op, text, *number - int64_t(pc), field);
    }
    // Addresses of lists may be labels.
    if (!number && op.kind == OperandKind::Uimm && labels)
      number = labels(text);
    if (!number && op.kind == OperandKind::Simm && labels)
      number = labels(text);
    if (!number)
      return fail(op, text, "a number");
    return store(op, text, *number, field);
  }

  bool parseMemory(std::string_view text, const OperandInfo *ops, int32_t *fields) {
    size_t open = text.find('('), close = text.find(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open)
      return fail(ops[0], text, "a memory operand: off(xN) or (xN)+inc");
    std::string_view before = trim(text.substr(0, open)), after = trim(text.substr(close + 1));
    if (!parseRegister(trim(text.substr(open + 1, close - open - 1)), ops[0], fields[0]))
      return false;
    bool isPostIncrement = !after.empty();
    if (isPostIncrement && (!before.empty() || (after[0] != '+' && after[0] != '-')))
      return fail(ops[0], text, "a memory operand: off(xN) or (xN)+inc");
    fields[1] = isPostIncrement;
    std::optional<int64_t> offset = 0;
    if (isPostIncrement) {
      bool isNegative = after[0] == '-';
      offset = parseNumber(trim(after.substr(1)));
      if (offset && isNegative)
        offset = -*offset;
    } else if (!before.empty()) {
      offset = parseNumber(before);
    }
    if (!offset)
      return fail(ops[2], text, "a memory operand with a number");
    return store(ops[2], text, *offset, fields[2]);
  }
};

} // namespace

std::string disassemble(const Inst &inst, uint64_t pc) {
  const InstInfo &in = info(inst.op);
  std::string text = in.mnemonic;
  for (unsigned i = 0; i < in.numOperands; ++i) {
    text += i ? ", " : " ";
    const OperandInfo &op = in.ops[i];
    int32_t value = inst.f[i];
    if (op.kind == OperandKind::MemBase) {
      text += printMemory(value, inst.f[i + 1], inst.f[i + 2]);
      i += 2;
    } else if (op.kind == OperandKind::Target) {
      text += hex(pc + int64_t(value));
    } else if (op.allowed) {
      text += enumName(op.kind, value);
    } else {
      text += std::string(registerPrefix(op.kind)) + std::to_string(value);
    }
  }
  return text;
}

bool parseInst(std::string_view line, uint64_t pc, const LabelResolver &labels, Inst &out,
               std::string *error) {
  return InstParser(pc, labels, out, error).parse(line);
}

} // namespace dojo::isa
