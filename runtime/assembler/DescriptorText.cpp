// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "DescriptorText.h"

#include <limits>
#include <set>

namespace dojo::assembler {
namespace {

using isa::Descriptor;

class Parser {
public:
  Parser(const Target &target, const NameLookup &lookup, Descriptor &out, std::string &error)
      : target(target), lookup(lookup), d(out), error(error) {}

  bool parse(std::string_view text) {
    std::vector<std::string_view> parts = words(text);
    if (parts.empty() || !kind(parts[0]))
      return fail("a descriptor is of kind end, push, pull, copy, wait or signal");
    for (size_t i = 1; i < parts.size(); ++i) {
      size_t equals = parts[i].find('=');
      std::string_view key = parts[i].substr(0, equals);
      if (equals == std::string_view::npos)
        return fail("'" + std::string(parts[i]) + "' is not of the form name=value");
      if (!seen.insert(key).second)
        return fail("'" + std::string(key) + "' is given twice");
      if (!field(key, parts[i].substr(equals + 1)))
        return false;
    }
    if (d.multicast && (seen.count("node") || seen.count("die")))
      return fail("a multicast names no node");
    if (seen.count("row") && seen.count("column"))
      return fail("a multicast goes to a row or to a column");
    return true;
  }

private:
  const Target &target;
  const NameLookup &lookup;
  Descriptor &d;
  std::string &error;
  std::set<std::string_view> seen;

  bool fail(std::string what) {
    error = std::move(what);
    return false;
  }

  bool kind(std::string_view name) {
    static const char *const names[] = {"end", "push", "pull", "copy", "wait", "signal"};
    for (unsigned i = 0; i < std::size(names); ++i)
      if (name == names[i]) {
        d.kind = Descriptor::Kind(i);
        return true;
      }
    return false;
  }

  template <typename T> bool number(std::string_view key, std::string_view text, T &out) {
    std::optional<int64_t> value = evaluate(text, target, lookup, error);
    if (!value)
      return fail(std::string(key) + ": " + error);
    if (*value < int64_t(std::numeric_limits<T>::min()) ||
        *value > int64_t(std::numeric_limits<T>::max()))
      return fail(std::string(key) + ": " + std::to_string(*value) + " does not fit the field");
    out = T(*value);
    return true;
  }

  template <typename T> bool list(std::string_view key, std::string_view text, T (&out)[3]) {
    std::vector<std::string_view> items = split(text, ',');
    if (items.empty() || items.size() > 3)
      return fail(std::string(key) + ": one to three numbers, the innermost first");
    for (size_t i = 0; i < items.size(); ++i)
      if (!number(key, items[i], out[i]))
        return false;
    return true;
  }

  /// "x5" or "s12": the prefix, then a number below `limit`.
  bool prefixed(std::string_view key, std::string_view text, char prefix, int64_t limit,
                uint8_t &out) {
    std::string ignored;
    std::optional<int64_t> value;
    if (text.size() > 1 && text[0] == prefix && text[1] >= '0' && text[1] <= '9')
      value = evaluate(text.substr(1), target, lookup, ignored);
    if (!value || *value >= limit)
      return fail(std::string(key) + ": '" + std::string(text) + "' is not one of " + prefix +
                  "0 to " + prefix + std::to_string(limit - 1));
    out = uint8_t(*value);
    return true;
  }

  bool semaphore(std::string_view key, std::string_view text, bool &has, uint8_t &out) {
    has = true;
    return prefixed(key, text, 's', 256, out);
  }

  /// "FIRST..LAST".
  bool run(std::string_view key, std::string_view text) {
    size_t dots = text.find("..");
    if (dots == std::string_view::npos)
      return fail(std::string(key) + ": '" + std::string(text) + "' is not FIRST..LAST");
    d.multicast = true;
    return number(key, text.substr(0, dots), d.first) && number(key, text.substr(dots + 2), d.last);
  }

  bool field(std::string_view key, std::string_view text) {
    if (key == "local")
      return number(key, text, d.localAddress);
    if (key == "local_reg")
      return (d.addressFromRegister = true) && prefixed(key, text, 'x', 32, d.addressRegister);
    if (key == "node")
      return number(key, text, d.node);
    if (key == "die")
      return number(key, text, d.die);
    if (key == "remote")
      return number(key, text, d.remoteAddress);
    if (key == "bytes")
      return number(key, text, d.runBytes);
    if (key == "count")
      return list(key, text, d.count);
    if (key == "count_reg")
      return (d.countFromRegister = true) && prefixed(key, text, 'x', 32, d.countRegister);
    if (key == "local_stride")
      return list(key, text, d.localStride);
    if (key == "remote_stride")
      return list(key, text, d.remoteStride);
    if (key == "far")
      return semaphore(key, text, d.hasFarSemaphore, d.farSemaphore);
    if (key == "own")
      return semaphore(key, text, d.hasOwnSemaphore, d.ownSemaphore);
    if (key == "amount")
      return number(key, text, d.amount);
    if (key == "route")
      return number(key, text, d.route);
    if (key == "row")
      return (d.run = Descriptor::Run::Row, run(key, text));
    if (key == "column") {
      size_t colon = text.find(':');
      if (colon == std::string_view::npos)
        return fail("column: '" + std::string(text) + "' is not COLUMN:FIRST..LAST");
      d.run = Descriptor::Run::Column;
      return number(key, text.substr(0, colon), d.column) && run(key, text.substr(colon + 1));
    }
    return fail("'" + std::string(key) + "' is no field of a descriptor");
  }
};

} // namespace

bool parseDescriptor(std::string_view text, const Target &target, const NameLookup &lookup,
                     isa::Descriptor &out, std::string &error) {
  out = isa::Descriptor();
  return Parser(target, lookup, out, error).parse(text);
}

} // namespace dojo::assembler
