// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Layout.h"

#include "dojo/ISA/Descriptor.h"
#include "dojo/ISA/ISA.h"

#include <algorithm>
#include <charconv>

namespace dojo::assembler {

std::optional<int64_t> Layout::find(size_t section, std::string_view name) const {
  if (section < sections.size())
    if (auto it = sections[section].names.find(name); it != sections[section].names.end())
      return it->second;
  if (auto it = names.find(name); it != names.end())
    return it->second;
  return std::nullopt;
}

namespace {

/// Bytes of one value of a data directive with a list of values; 0: not one.
unsigned valueBytes(std::string_view directive) {
  if (directive == ".byte")
    return 1;
  if (directive == ".half" || directive == ".bf16")
    return 2;
  if (directive == ".word" || directive == ".float")
    return 4;
  return directive == ".quad" ? 8 : 0;
}

class Reader {
public:
  Reader(Layout &out, std::vector<Error> &errors) : out(out), errors(errors) {}

  void read(std::string_view source) {
    while (canGoOn && !source.empty()) {
      size_t end = source.find('\n');
      ++line;
      std::string_view text = source.substr(0, end);
      statement(trim(text.substr(0, text.find('#'))));
      source.remove_prefix(end == std::string_view::npos ? source.size() : end + 1);
    }
    if (canGoOn && !hasStatement)
      useTarget("d1");
  }

private:
  Layout &out;
  std::vector<Error> &errors;
  unsigned line = 0;
  bool canGoOn = true;       // false after an error with the target
  bool hasStatement = false; // another than `.target`
  int64_t at = 0;
  int32_t layer = -1;
  std::string_view symbol;

  void fail(std::string message) { errors.push_back({line, std::move(message)}); }

  size_t current() const { return out.sections.size() - 1; }

  /// What stands before the first `.node` goes to all nodes.
  Section &section() {
    if (out.sections.empty())
      out.sections.push_back({line, out.target.usableNodes(), {}, {}});
    return out.sections.back();
  }

  std::optional<int64_t> value(std::string_view text, int64_t low, int64_t high) {
    std::string error;
    size_t from = out.sections.size() - !out.sections.empty();
    auto lookup = [&](std::string_view name) { return out.find(from, name); };
    std::optional<int64_t> number = evaluate(text, out.target, lookup, error);
    if (!number) {
      fail(error);
    } else if (*number < low || *number > high) {
      fail(std::to_string(*number) + " is not in " + std::to_string(low) + " to " +
           std::to_string(high));
      number.reset();
    }
    return number;
  }

  void define(std::string_view name, int64_t number) {
    auto &names = out.sections.empty() ? out.names : out.sections.back().names;
    if (!isName(name))
      fail("'" + std::string(name) + "' is not a name");
    else if (out.names.count(name) || !names.emplace(name, number).second)
      fail("'" + std::string(name) + "' is already defined");
  }

  bool useTarget(std::string_view name) {
    std::string error;
    canGoOn = loadTarget(std::string(name), out.target, error);
    if (!canGoOn)
      fail(error);
    return canGoOn;
  }

  void statement(std::string_view text) {
    if (text.empty())
      return;
    if (words(text)[0] == ".describe")
      return describe(trim(text.substr(std::string_view(".describe").size())));
    if (words(text)[0] == ".target")
      return target(trim(text.substr(std::string_view(".target").size())));
    if (!hasStatement && !out.target.rows && !useTarget("d1"))
      return;
    hasStatement = true;
    for (size_t colon; (colon = text.find(':')) != std::string_view::npos;) {
      std::string_view name = trim(text.substr(0, colon));
      if (!isName(name))
        break;
      section();
      define(name, at);
      symbol = name;
      text = trim(text.substr(colon + 1));
    }
    if (text.empty())
      return;
    size_t blank = text.find_first_of(" \t");
    std::string_view first = text.substr(0, blank);
    std::string_view rest = blank == std::string_view::npos ? "" : trim(text.substr(blank));
    if (first[0] == '.')
      directive(first, rest);
    else
      instruction(first, text);
  }

  void instruction(std::string_view mnemonic, std::string_view text) {
    std::optional<isa::Opcode> opcode = isa::findMnemonic(mnemonic);
    if (!opcode)
      return fail("unknown instruction '" + std::string(mnemonic) + "'");
    if (at % 4)
      return fail("an instruction at address " + std::to_string(at) + ", not a multiple of 4");
    add(isa::info(*opcode).bytes, true, {}, text);
  }

  void add(int64_t bytes, bool code, std::string_view directive, std::string_view text) {
    Section &to = section();
    if (!reserve(bytes))
      return;
    to.items.push_back(
        {line, uint32_t(at - bytes), uint32_t(bytes), code, layer, symbol, directive, text});
  }

  bool reserve(int64_t bytes) {
    if (bytes > out.target.sramBytes - at) {
      fail(std::to_string(bytes) + " bytes at address " + std::to_string(at) +
           " do not fit in the node's " + std::to_string(out.target.sramBytes) + " bytes");
      return false;
    }
    at += bytes;
    return true;
  }

  void directive(std::string_view name, std::string_view rest) {
    if (unsigned bytes = valueBytes(name)) {
      size_t count = split(rest, ',').size();
      return count ? add(int64_t(count) * bytes, false, name, rest) : fail("a value is missing");
    }
    if (name == ".descriptor")
      return add(isa::Descriptor::bytes, false, name, rest);
    if (name == ".zero") {
      if (std::optional<int64_t> bytes = value(rest, 1, out.target.sramBytes))
        add(*bytes, false, name, rest);
      return;
    }
    if (name == ".space")
      return space(rest);
    if (name == ".org") {
      section();
      if (std::optional<int64_t> address = value(rest, 0, out.target.sramBytes)) {
        at = *address;
        symbol = {};
      }
      return;
    }
    if (name == ".align") {
      section();
      if (std::optional<int64_t> unit = value(rest, 1, out.target.sramBytes))
        reserve((*unit - at % *unit) % *unit);
      return;
    }
    if (name == ".equ")
      return equ(rest);
    if (name == ".node")
      return node(rest);
    if (name == ".thread")
      return thread(rest);
    if (name == ".layer")
      return newLayer(rest);
    if (name == ".input" || name == ".output") {
      section();
      out.tensors.push_back({line, name == ".input", current(), rest});
      return;
    }
    fail("unknown directive '" + std::string(name) + "'");
  }

  void space(std::string_view rest) {
    section();
    std::optional<int64_t> bytes = value(rest, 1, out.target.sramBytes);
    if (bytes && reserve(*bytes))
      out.spaces.push_back({current(), uint32_t(at - *bytes), uint32_t(*bytes), symbol, layer});
  }

  void equ(std::string_view rest) {
    std::vector<std::string_view> parts = split(rest, ',');
    if (parts.size() != 2)
      return fail("write `.equ NAME, VALUE`");
    if (std::optional<int64_t> number = value(parts[1], -maxValue, maxValue))
      define(parts[0], *number);
  }

  void target(std::string_view rest) {
    std::vector<std::string_view> parts = words(rest);
    if (hasStatement || out.target.rows)
      return fail("`.target` must come first, and once");
    if (parts.empty() || parts.size() > 2)
      return fail("write `.target NAME` or `.target NAME ROWSxCOLUMNS`");
    if (!useTarget(parts[0]) || parts.size() == 1)
      return;
    int64_t rows = 0, columns = 0;
    const char *end = parts[1].data() + parts[1].size();
    auto first = std::from_chars(parts[1].data(), end, rows);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != 'x')
      return fail("'" + std::string(parts[1]) + "' is not ROWSxCOLUMNS");
    auto second = std::from_chars(first.ptr + 1, end, columns);
    if (second.ec != std::errc() || second.ptr != end)
      return fail("'" + std::string(parts[1]) + "' is not ROWSxCOLUMNS");
    std::string error;
    canGoOn = out.target.withPartition(rows, columns, out.target, error);
    if (!canGoOn)
      fail(error);
  }

  void describe(std::string_view rest) {
    std::string error;
    bool first = out.description.empty();
    if (first && (hasStatement || out.target.rows))
      return fail("`.describe` must come first, instead of `.target`");
    if (!out.description.add(rest, error)) {
      canGoOn = false;
      return fail(error);
    }
    out.target = out.description.target();
    hasStatement = true;
  }

  void node(std::string_view rest) {
    Section next{line, {}, {}, {}};
    std::string error;
    if (!parseNodeSet(rest, out.target, next.nodes, error))
      fail(error);
    out.sections.push_back(std::move(next));
    at = 0;
    symbol = {};
  }

  void thread(std::string_view rest) {
    section();
    if (std::optional<int64_t> number = value(rest, 0, out.target.threads - 1))
      out.starts.push_back({line, current(), unsigned(*number), uint32_t(at)});
  }

  void newLayer(std::string_view rest) {
    std::vector<std::string_view> parts = words(rest);
    constexpr std::string_view macs = "macs=";
    bool hasMacs = parts.size() == 2 && parts[1].substr(0, macs.size()) == macs;
    if (parts.empty() || (parts.size() > 1 && !hasMacs))
      return fail("write `.layer NAME` or `.layer NAME macs=NUMBER`");
    image::Layer next;
    next.onnxNames = {std::string(parts[0])};
    next.op = "asm";
    if (hasMacs)
      next.macs = uint64_t(value(parts[1].substr(macs.size()), 0, maxValue).value_or(0));
    layer = int32_t(out.layers.size());
    out.layers.push_back(std::move(next));
  }
};

} // namespace

void layOut(std::string_view source, Layout &out, std::vector<Error> &errors) {
  Reader(out, errors).read(source);
}

} // namespace dojo::assembler
