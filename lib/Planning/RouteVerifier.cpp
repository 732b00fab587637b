// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Routes checked by walking coordinates, apart from the router's channels and graph.

#include "dojo/Planning/Router.h"

#include <algorithm>

namespace dojo::planning {

namespace {

struct Walk {
  int32_t row, column;
  std::vector<int32_t> numbers; // of the channels taken
  std::vector<int32_t> taken;
};

} // namespace

std::string verifyRouting(const Mesh &mesh, const std::vector<RouteDemand> &demands,
                          const Routing &routing, const RouterOptions &options) {
  if (routing.route.size() != demands.size())
    return "routes for " + std::to_string(routing.route.size()) + " of " +
           std::to_string(demands.size()) + " demands";
  if (routing.certificate.size() != 4 * static_cast<size_t>(mesh.positions()))
    return "the certificate does not number the channels";
  if (routing.paths.size() > options.maxPaths)
    return "too many explicit routes";
  for (size_t i = 0; i < demands.size(); ++i) {
    const RouteDemand &d = demands[i];
    std::string name = "demand " + std::to_string(i) + ": ";
    Walk w{d.source / mesh.columns, d.source % mesh.columns, {}, {}};
    std::string fault;
    // One link; the router left must forward, except the source's.
    auto step = [&](int dr, int dc) {
      int32_t at = w.row * mesh.columns + w.column;
      if (!w.taken.empty() && !mesh.forwards[at])
        fault = "passes router " + std::to_string(at) + ", which does not forward";
      int32_t channel = 4 * at + (dc > 0 ? 0 : dc < 0 ? 1 : dr > 0 ? 2 : 3);
      w.taken.push_back(channel);
      w.numbers.push_back(routing.certificate[channel]);
      w.row += dr;
      w.column += dc;
      if (w.row < 0 || w.row >= mesh.rows || w.column < 0 || w.column >= mesh.columns)
        fault = "leaves the mesh";
      return fault.empty();
    };
    int32_t endRow = 0, endColumn = 0;
    std::vector<int32_t> reached = receivers(mesh, d.source, d.to);
    if (reached.empty())
      return name + "reaches no node";
    switch (d.to.kind) {
    case Destination::Kind::Node:
      endRow = d.to.node / mesh.columns;
      endColumn = d.to.node % mesh.columns;
      break;
    case Destination::Kind::RowRun:
      endRow = w.row;
      endColumn = d.to.last;
      break;
    case Destination::Kind::ColumnRun:
      endRow = d.to.last;
      endColumn = d.to.column;
      break;
    }
    int32_t route = routing.route[i];
    if (route == Routing::rowThenColumn) {
      while (fault.empty() && w.column != endColumn)
        step(0, w.column < endColumn ? 1 : -1);
      while (fault.empty() && w.row != endRow)
        step(w.row < endRow ? 1 : -1, 0);
    } else {
      if (route < 0 || route >= static_cast<int32_t>(routing.paths.size()))
        return name + "has no such route";
      if (d.to.kind != Destination::Kind::Node)
        return name + "is a multicast on an explicit route";
      const RoutePath &path = routing.paths[static_cast<size_t>(route)];
      if (path.size() > options.maxLinks)
        return name + "has " + std::to_string(path.size()) + " links";
      for (Direction dir : path)
        if (!step((dir == Direction::South) - (dir == Direction::North),
                  (dir == Direction::East) - (dir == Direction::West)))
          break;
    }
    if (!fault.empty())
      return name + fault;
    if (w.row != endRow || w.column != endColumn)
      return name + "ends at (" + std::to_string(w.row) + ", " + std::to_string(w.column) + ")";
    if (!mesh.usable[reached.back()])
      return name + "ends at a node that is not usable";
    for (size_t k = 0; k < w.numbers.size(); ++k) {
      if (w.numbers[k] < 0)
        return name + "takes channel " + std::to_string(w.taken[k]) + ", which has no number";
      if (k && w.numbers[k] <= w.numbers[k - 1])
        return name + "takes channel " + std::to_string(w.taken[k]) + " after " +
               std::to_string(w.taken[k - 1]) + " against their numbers";
    }
  }
  std::vector<int32_t> numbers;
  for (int32_t n : routing.certificate)
    if (n >= 0)
      numbers.push_back(n);
  std::sort(numbers.begin(), numbers.end());
  if (std::adjacent_find(numbers.begin(), numbers.end()) != numbers.end())
    return "two channels have one number";
  return static_cast<int64_t>(numbers.size()) == routing.channels ? "" : "wrong count of channels";
}

} // namespace dojo::planning
