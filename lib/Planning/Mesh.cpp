// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Planning/Mesh.h"

#include "dojo/Target/Target.h"

#include <algorithm>
#include <cstdlib>

namespace dojo::planning {

Mesh Mesh::full(int32_t rows, int32_t columns, bool multicast) {
  size_t n = static_cast<size_t>(rows) * columns;
  Mesh mesh;
  mesh.rows = rows;
  mesh.columns = columns;
  mesh.usable.assign(n, 1);
  mesh.forwards.assign(n, 1);
  mesh.multicast = multicast;
  return mesh;
}

Mesh Mesh::fromTarget(const Target &target) {
  Mesh mesh = full(static_cast<int32_t>(target.rows), static_cast<int32_t>(target.columns),
                   target.multicast);
  mesh.hopCycles = target.hopCycles;
  mesh.arrivalLatency = target.arrivalLatency;
  mesh.listStart = target.listStart;
  mesh.listNext = target.listNext;
  for (int32_t n = 0; n < mesh.positions(); ++n) {
    mesh.usable[n] = target.isUsable(n);
    // What lies outside the partition belongs to others.
    mesh.forwards[n] = target.forwards(n) && target.inPartition(target.position(n));
  }
  return mesh;
}

int32_t Mesh::hops(int32_t a, int32_t b) const {
  return std::abs(row(a) - row(b)) + std::abs(column(a) - column(b));
}

std::vector<int32_t> Mesh::nodesByColumn() const {
  std::vector<int32_t> nodes;
  for (int32_t c = 0; c < columns; ++c)
    for (int32_t r = 0; r < rows; ++r)
      if (usable[node(r, c)])
        nodes.push_back(node(r, c));
  return nodes;
}

std::vector<std::vector<int32_t>> connectedParts(const Mesh &mesh) {
  std::vector<std::vector<int32_t>> parts;
  std::vector<uint8_t> seen(mesh.positions(), 0);
  for (int32_t start = 0; start < mesh.positions(); ++start) {
    if (seen[start] || !mesh.usable[start])
      continue;
    std::vector<int32_t> &part = parts.emplace_back(), open{start};
    seen[start] = 1;
    while (!open.empty()) {
      int32_t at = open.back(), r = mesh.row(at), c = mesh.column(at);
      open.pop_back();
      if (mesh.usable[at])
        part.push_back(at);
      if (at != start && !mesh.forwards[at])
        continue;
      auto visit = [&](int32_t row, int32_t column) {
        if (row < 0 || row >= mesh.rows || column < 0 || column >= mesh.columns)
          return;
        int32_t n = mesh.node(row, column);
        if (!seen[n] && (mesh.usable[n] || mesh.forwards[n])) {
          seen[n] = 1;
          open.push_back(n);
        }
      };
      visit(r, c + 1);
      visit(r, c - 1);
      visit(r + 1, c);
      visit(r - 1, c);
    }
    std::sort(part.begin(), part.end());
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const auto &a, const auto &b) { return a.size() > b.size(); });
  return parts;
}

std::vector<int32_t> receivers(const Mesh &mesh, int32_t source, const Destination &to) {
  if (to.kind == Destination::Kind::Node)
    return {to.node};
  std::vector<int32_t> nodes;
  int32_t step = to.first <= to.last ? 1 : -1;
  for (int32_t i = to.first;; i += step) {
    int32_t n = to.kind == Destination::Kind::RowRun ? mesh.node(mesh.row(source), i)
                                                     : mesh.node(i, to.column);
    if (mesh.usable[n])
      nodes.push_back(n);
    if (i == to.last)
      return nodes;
  }
}

namespace {

/// Walks lines of the mesh away from one sender and collects runs of wanted nodes.
class RunBuilder {
public:
  RunBuilder(const Mesh &mesh, int32_t source, const std::vector<int32_t> &targets)
      : mesh(mesh), source(source), wanted(mesh.positions(), 0) {
    for (int32_t t : targets)
      wanted[t] = 1;
  }

  std::vector<Destination> build() {
    for (int32_t c = 0; c < mesh.columns; ++c)
      if (rowPathForwards(c)) {
        // The turn itself may open either run; the downward one takes it if it can.
        bool own = c == mesh.column(source);
        columnRuns(c, own ? mesh.row(source) + 1 : mesh.row(source), 1);
        columnRuns(c, own ? mesh.row(source) - 1 : mesh.row(source), -1);
      }
    rowRuns(1);
    rowRuns(-1);
    for (int32_t n = 0; n < mesh.positions(); ++n)
      if (wanted[n])
        result.push_back(Destination::toNode(n));
    return std::move(result);
  }

private:
  /// Packets can pass from the sender along its row to column c and turn there.
  bool rowPathForwards(int32_t c) const {
    int32_t from = mesh.column(source), step = c >= from ? 1 : -1;
    for (int32_t i = from; i != c; i += step)
      if (i != from && !mesh.forwards[mesh.node(mesh.row(source), i)])
        return false;
    return c == from || mesh.forwards[mesh.node(mesh.row(source), c)];
  }

  /// Runs of column c from row `start` in direction `step`. A run of one node becomes a plain
  /// transfer, except that a lone node in the sender's row is left to the row runs.
  void columnRuns(int32_t c, int32_t start, int32_t step) {
    std::vector<int32_t> run;
    auto flush = [&] {
      bool onlyTurn = run.size() == 1 && run[0] == mesh.row(source);
      if (!run.empty() && !onlyTurn) {
        for (int32_t r : run)
          wanted[mesh.node(r, c)] = 0;
        result.push_back(run.size() == 1 ? Destination::toNode(mesh.node(run[0], c))
                                         : Destination::columnRun(c, run.front(), run.back()));
      }
      run.clear();
    };
    for (int32_t r = start; r >= 0 && r < mesh.rows; r += step) {
      int32_t n = mesh.node(r, c);
      if (wanted[n])
        run.push_back(r);
      else if (mesh.usable[n])
        flush();
      if (!mesh.forwards[n])
        break;
    }
    flush();
  }

  void rowRuns(int32_t step) {
    std::vector<int32_t> run;
    auto flush = [&] {
      for (int32_t c : run)
        wanted[mesh.node(mesh.row(source), c)] = 0;
      if (run.size() == 1)
        result.push_back(Destination::toNode(mesh.node(mesh.row(source), run[0])));
      else if (!run.empty())
        result.push_back(Destination::rowRun(run.front(), run.back()));
      run.clear();
    };
    for (int32_t c = mesh.column(source) + step; c >= 0 && c < mesh.columns; c += step) {
      int32_t n = mesh.node(mesh.row(source), c);
      if (wanted[n])
        run.push_back(c);
      else if (mesh.usable[n])
        flush();
      if (!mesh.forwards[n])
        break;
    }
    flush();
  }

  const Mesh &mesh;
  int32_t source;
  std::vector<uint8_t> wanted;
  std::vector<Destination> result;
};

} // namespace

std::vector<Destination> multicastRuns(const Mesh &mesh, int32_t source,
                                       const std::vector<int32_t> &targets) {
  if (mesh.multicast && targets.size() > 1)
    return RunBuilder(mesh, source, targets).build();
  std::vector<Destination> result;
  for (int32_t t : targets)
    result.push_back(Destination::toNode(t));
  return result;
}

} // namespace dojo::planning
