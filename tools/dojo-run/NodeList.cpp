// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "NodeList.h"

#include <charconv>
#include <optional>
#include <set>
#include <sstream>

namespace dojo::run {

namespace {

// A number, or row:column.
struct Point {
  bool position = false;
  int64_t row = 0, column = 0; // a number stands in `column`
};

bool parseNumber(const std::string &text, int64_t &out) {
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
  return code == std::errc() && end == text.data() + text.size() && out >= 0;
}

std::optional<Point> parsePoint(const std::string &text) {
  Point p;
  size_t colon = text.find(':');
  p.position = colon != text.npos;
  if (p.position && !parseNumber(text.substr(0, colon), p.row))
    return std::nullopt;
  if (!parseNumber(p.position ? text.substr(colon + 1) : text, p.column))
    return std::nullopt;
  return p;
}

} // namespace

bool parseNodeList(const std::string &text, const Target &target, std::vector<uint32_t> &out,
                   std::string &error) {
  std::vector<int64_t> usableNodes = target.usableNodes();
  std::set<int64_t> usable(usableNodes.begin(), usableNodes.end()), named;
  auto bad = [&](const std::string &item, const std::string &why) {
    error = "in the list of nodes '" + text + "': '" + item + "' " + why;
    return false;
  };
  std::istringstream items(text);
  std::string item;
  while (std::getline(items, item, ',')) {
    size_t dash = item.find('-');
    std::optional<Point> first = parsePoint(item.substr(0, dash)),
                         last = dash == item.npos ? first : parsePoint(item.substr(dash + 1));
    if (!first || !last || first->position != last->position)
      return bad(item, "is neither N, N-M, ROW:COLUMN nor ROW:COLUMN-ROW:COLUMN");
    if (last->row < first->row || last->column < first->column)
      return bad(item, "ends before it begins");
    if (first->position ? last->row >= target.rows || last->column >= target.columns
                        : last->column >= target.rows * target.columns)
      return bad(item, "leaves the die of " + std::to_string(target.rows) + " rows and " +
                           std::to_string(target.columns) + " columns");
    for (int64_t row = first->row; row <= last->row; ++row)
      for (int64_t column = first->column; column <= last->column; ++column)
        if (int64_t node = row * target.columns + column; usable.count(node))
          named.insert(node);
  }
  if (named.empty()) {
    error = "the list of nodes '" + text + "' names no usable node of target " + target.name;
    return false;
  }
  out.assign(named.begin(), named.end());
  return true;
}

} // namespace dojo::run
