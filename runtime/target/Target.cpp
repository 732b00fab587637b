// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dojo/Target/Target.h"

#include <algorithm>

namespace dojo {

static bool contains(const std::vector<Position> &sorted, Position p) {
  return std::binary_search(sorted.begin(), sorted.end(), p);
}

static std::string text(int64_t row, int64_t column, char between) {
  return std::to_string(row) + between + std::to_string(column);
}

bool Target::isDisabled(Position p) const { return contains(disabled, p); }

bool Target::isDead(Position p) const { return contains(dead, p); }

bool Target::isUsable(Position p) const { return inPartition(p) && !isDisabled(p) && !isDead(p); }

bool Target::forwards(Position p) const {
  if (p.row < 0 || p.column < 0 || p.row >= rows || p.column >= columns)
    return false;
  return !contains(notForwarding, p) || !(isDisabled(p) || isDead(p));
}

std::vector<int64_t> Target::usableNodes() const {
  std::vector<int64_t> nodes;
  for (int64_t row = 0; row < partitionRows; ++row)
    for (int64_t column = 0; column < partitionColumns; ++column)
      if (isUsable(Position{row, column}))
        nodes.push_back(node(row, column));
  return nodes;
}

bool Target::withPartition(int64_t r, int64_t c, Target &out, std::string &error) const {
  if (r < 1 || c < 1 || r > rows || c > columns) {
    error = "a partition of " + text(r, c, 'x') + " does not fit: the die of " + name + " has " +
            text(rows, columns, 'x') + " positions";
    return false;
  }
  Target part = *this;
  part.partitionRows = r, part.partitionColumns = c;
  if (part.usableNodes().empty()) {
    error = "the partition of " + text(r, c, 'x') + " of " + name + " has no usable node";
    return false;
  }
  out = std::move(part);
  return true;
}

bool Target::withDead(int64_t row, int64_t column, Target &out, std::string &error) const {
  if (row < 0 || column < 0 || row >= rows || column >= columns) {
    error = "the dead position " + text(row, column, ',') + " is not on the die of " + name +
            ": rows are 0 to " + std::to_string(rows - 1) + ", columns 0 to " +
            std::to_string(columns - 1);
    return false;
  }
  Target part = *this;
  if (Position p{row, column}; !part.isDead(p))
    part.dead.insert(std::upper_bound(part.dead.begin(), part.dead.end(), p), p);
  if (part.usableNodes().empty()) {
    error =
        "with position " + text(row, column, ',') + " dead, " + name + " has no usable node left";
    return false;
  }
  out = std::move(part);
  return true;
}

} // namespace dojo
