// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Expression.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace dojo::assembler {

std::string_view trim(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && blank(text.back()))
    text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  text = trim(text);
  while (!text.empty()) {
    size_t end = text.find(separator);
    parts.push_back(trim(text.substr(0, end)));
    if (end == std::string_view::npos)
      return parts;
    text.remove_prefix(end + 1);
    if (trim(text).empty())
      parts.push_back({}); // a separator with nothing behind it
  }
  return parts;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> parts;
  for (text = trim(text); !text.empty(); text = trim(text)) {
    size_t end = text.find_first_of(" \t");
    parts.push_back(text.substr(0, end));
    text.remove_prefix(parts.back().size());
  }
  return parts;
}

static bool startsName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '$';
}

static bool isDigit(char c) { return c >= '0' && c <= '9'; }

bool isName(std::string_view text) {
  return !text.empty() && startsName(text[0]) &&
         std::all_of(text.begin(), text.end(), [](char c) { return startsName(c) || isDigit(c); });
}

namespace {

class Parser {
public:
  Parser(std::string_view text, const Target &target, const NameLookup &lookup, std::string &error)
      : text(text), target(target), lookup(lookup), error(error) {}

  std::optional<int64_t> parse() {
    std::optional<int64_t> value = sum();
    skip();
    if (value && !text.empty())
      return fail("unexpected '" + std::string(text) + "'");
    return value;
  }

private:
  std::string_view text;
  const Target &target;
  const NameLookup &lookup;
  std::string &error;

  std::optional<int64_t> fail(std::string what) {
    error = std::move(what);
    return std::nullopt;
  }

  void skip() { text = trim(text); }

  bool take(char c) {
    skip();
    if (text.empty() || text[0] != c)
      return false;
    text.remove_prefix(1);
    return true;
  }

  std::optional<int64_t> bounded(__int128 value) {
    if (value > maxValue || value < -maxValue)
      return fail("a value is out of range");
    return int64_t(value);
  }

  std::optional<int64_t> sum() {
    std::optional<int64_t> left = product();
    while (left) {
      bool plus = take('+');
      if (!plus && !take('-'))
        return left;
      std::optional<int64_t> right = product();
      if (!right)
        return right;
      left = bounded(__int128(*left) + (plus ? *right : -*right));
    }
    return left;
  }

  std::optional<int64_t> product() {
    std::optional<int64_t> left = atom();
    while (left && take('*')) {
      std::optional<int64_t> right = atom();
      if (!right)
        return right;
      left = bounded(__int128(*left) * *right);
    }
    return left;
  }

  std::optional<int64_t> atom() {
    // A row of signs is no use and would recurse without bound.
    bool negative = take('-');
    skip();
    if (text.empty())
      return fail("a value is missing");
    std::optional<int64_t> value;
    if (isDigit(text[0]))
      value = number();
    else if (text[0] == '@')
      value = node();
    else if (startsName(text[0]))
      value = name();
    else
      return fail("unexpected '" + std::string(text) + "'");
    return value && negative ? -*value : value;
  }

  std::optional<int64_t> number() {
    int base = 10;
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
      base = 16;
      text.remove_prefix(2);
    }
    uint64_t value = 0;
    auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (status == std::errc::invalid_argument)
      return fail("a number is missing");
    if (status != std::errc() || value > uint64_t(maxValue))
      return fail("a number is out of range");
    text.remove_prefix(end - text.data());
    return int64_t(value);
  }

  std::optional<int64_t> node() {
    text.remove_prefix(1);
    std::optional<int64_t> row = number();
    if (!row)
      return row;
    if (!take(':'))
      return fail("a node is written @ROW:COLUMN");
    std::optional<int64_t> column = number();
    if (!column)
      return column;
    if (*row >= target.rows || *column >= target.columns)
      return fail("node @" + std::to_string(*row) + ":" + std::to_string(*column) +
                  " is not on the die");
    return target.node(*row, *column);
  }

  std::optional<int64_t> name() {
    size_t length = 1;
    while (length < text.size() && (startsName(text[length]) || isDigit(text[length])))
      ++length;
    std::string_view symbol = text.substr(0, length);
    text.remove_prefix(length);
    if (std::optional<int64_t> value = lookup(symbol))
      return value;
    return fail("'" + std::string(symbol) + "' is not defined");
  }
};

/// "3" or "1..4".
bool parseRange(std::string_view text, int64_t limit, int64_t &first, int64_t &last) {
  size_t dots = text.find("..");
  auto number = [&](std::string_view s, int64_t &value) {
    auto [end, status] = std::from_chars(s.data(), s.data() + s.size(), value);
    return status == std::errc() && end == s.data() + s.size() && value >= 0 && value < limit;
  };
  if (dots == std::string_view::npos)
    return number(text, first) && number(text, last);
  return number(text.substr(0, dots), first) && number(text.substr(dots + 2), last) &&
         first <= last;
}

} // namespace

std::optional<int64_t> evaluate(std::string_view text, const Target &target,
                                const NameLookup &lookup, std::string &error) {
  return Parser(text, target, lookup, error).parse();
}

bool parseNodeSet(std::string_view text, const Target &target, std::vector<int64_t> &out,
                  std::string &error) {
  std::set<int64_t> nodes;
  std::vector<std::string_view> items = words(text);
  if (items.empty()) {
    error = "a node set is missing: `all` or positions @ROW:COLUMN";
    return false;
  }
  for (std::string_view item : items) {
    if (item == "all") {
      for (int64_t node : target.usableNodes())
        nodes.insert(node);
      continue;
    }
    int64_t row[2], column[2];
    size_t colon = item.find(':');
    if (item[0] != '@' || colon == std::string_view::npos ||
        !parseRange(item.substr(1, colon - 1), target.rows, row[0], row[1]) ||
        !parseRange(item.substr(colon + 1), target.columns, column[0], column[1])) {
      error = "'" + std::string(item) + "' is not a position @ROW:COLUMN on the die, or a range";
      return false;
    }
    size_t before = nodes.size();
    for (int64_t r = row[0]; r <= row[1]; ++r)
      for (int64_t c = column[0]; c <= column[1]; ++c)
        if (target.isUsable(Position{r, c}))
          nodes.insert(target.node(r, c));
    bool isSingle = row[0] == row[1] && column[0] == column[1];
    if (isSingle && nodes.size() == before && !nodes.count(target.node(row[0], column[0]))) {
      error = "node " + std::string(item) + " is not usable on this target";
      return false;
    }
  }
  out.assign(nodes.begin(), nodes.end());
  if (out.empty())
    error = "no node of the set is usable";
  return !out.empty();
}

} // namespace dojo::assembler
