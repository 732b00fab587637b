// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Planning/Router.h"

#include "ChannelGraph.h"
#include "TurnModel.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace dojo::planning {

int32_t neighbour(const Mesh &mesh, int32_t node, Direction direction) {
  int32_t r = mesh.row(node), c = mesh.column(node);
  switch (direction) {
  case Direction::East:
    return c + 1 < mesh.columns ? node + 1 : -1;
  case Direction::West:
    return c > 0 ? node - 1 : -1;
  case Direction::South:
    return r + 1 < mesh.rows ? node + mesh.columns : -1;
  case Direction::North:
    return r > 0 ? node - mesh.columns : -1;
  }
  return -1;
}

std::vector<RouteDemand> demandsOf(const Exchange &exchange, int32_t layer, int64_t packetBytes) {
  std::vector<RouteDemand> demands;
  for (const Transfer &t : exchange.transfers)
    demands.push_back({t.srcNode, t.to, t.data.packets(packetBytes), layer});
  return demands;
}

namespace {

std::string position(const Mesh &mesh, int32_t node) {
  return "(" + std::to_string(mesh.row(node)) + ", " + std::to_string(mesh.column(node)) + ")";
}

/// Where the default route of a destination turns and ends.
void corners(const Mesh &mesh, int32_t source, const Destination &to, int32_t &column,
             int32_t &row) {
  switch (to.kind) {
  case Destination::Kind::Node:
    column = mesh.column(to.node);
    row = mesh.row(to.node);
    return;
  case Destination::Kind::RowRun:
    column = to.last;
    row = mesh.row(source);
    return;
  case Destination::Kind::ColumnRun:
    column = to.column;
    row = to.last;
    return;
  }
}

RoutePath defaultPath(const Mesh &mesh, int32_t source, const Destination &to) {
  int32_t column = 0, row = 0;
  corners(mesh, source, to, column, row);
  int32_t dc = column - mesh.column(source), dr = row - mesh.row(source);
  RoutePath path(static_cast<size_t>(std::abs(dc)), dc > 0 ? Direction::East : Direction::West);
  path.insert(path.end(), static_cast<size_t>(std::abs(dr)),
              dr > 0 ? Direction::South : Direction::North);
  return path;
}

std::vector<int32_t> channelsOf(const Mesh &mesh, int32_t source, const RoutePath &path) {
  std::vector<int32_t> channels;
  for (Direction d : path) {
    channels.push_back(4 * source + static_cast<int32_t>(d));
    source = neighbour(mesh, source, d);
  }
  return channels;
}

bool forwardsAll(const Mesh &mesh, int32_t source, const RoutePath &path) {
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    source = neighbour(mesh, source, path[i]);
    if (!mesh.forwards[source])
      return false;
  }
  return true;
}

/// Routes that first climb towards the root of a spanning tree's levels, then descend.
class UpDown {
public:
  explicit UpDown(const Mesh &mesh) : mesh(mesh), level(mesh.positions(), -1) {
    std::vector<int32_t> queue;
    // Parts of the mesh that do not touch each other get a root each.
    for (int32_t start = 0; start < mesh.positions(); ++start) {
      int32_t root = (start + mesh.node(mesh.rows / 2, mesh.columns / 2)) % mesh.positions();
      if (level[root] >= 0 || !mesh.forwards[root])
        continue;
      level[root] = 0;
      queue.assign(1, root);
      for (size_t i = 0; i < queue.size(); ++i)
        for (Direction d : allDirections) {
          int32_t n = neighbour(mesh, queue[i], d);
          if (n >= 0 && level[n] < 0 && mesh.forwards[n]) {
            level[n] = level[queue[i]] + 1;
            queue.push_back(n);
          }
        }
    }
  }

  bool route(int32_t source, int32_t target, RoutePath &path) const {
    // Breadth first over (position, descending yet).
    std::vector<int32_t> before(2 * static_cast<size_t>(mesh.positions()), -2);
    std::vector<int32_t> queue{2 * source};
    before[2 * source] = -1;
    for (size_t i = 0; i < queue.size(); ++i) {
      int32_t state = queue[i], at = state / 2;
      if (at == target) {
        path.clear();
        for (int32_t s = state; before[s] >= 0; s = before[s] / 4)
          path.push_back(static_cast<Direction>(before[s] % 4));
        std::reverse(path.begin(), path.end());
        return true;
      }
      for (Direction d : allDirections) {
        int32_t n = neighbour(mesh, at, d);
        if (n < 0 || level[n] < 0)
          continue;
        bool up = std::pair(level[n], n) < std::pair(level[at], at);
        if (up && state % 2)
          continue;
        int32_t next = 2 * n + !up;
        if (before[next] != -2)
          continue;
        before[next] = 4 * state + static_cast<int32_t>(d);
        queue.push_back(next);
      }
    }
    return false;
  }

private:
  const Mesh &mesh;
  std::vector<int32_t> level;
};

class Solver {
public:
  Solver(const Mesh &mesh, const std::vector<RouteDemand> &demands, const RouterOptions &options,
         Routing &out, std::string &error)
      : mesh(mesh), demands(demands), options(options), out(out), error(error) {}

  bool run() {
    bool anyBlocked = false;
    for (const RouteDemand &d : demands) {
      auto it = distinct.try_emplace({d.source, d.to}, Routing::rowThenColumn).first;
      anyBlocked |= isBlocked(it);
    }
    if (!anyBlocked)
      return finish();
    if (withDetours())
      return finish();
    if (inTheWay.empty()) {
      std::string first = std::move(error);
      if (withUpDown())
        return finish();
      if (error != first)
        error = first + "; " + error;
      // Without runs there is another way.
      for (auto it = distinct.begin(); it != distinct.end(); ++it)
        if (isRun(it))
          inTheWay.insert(it->first);
    }
    for (size_t i = 0; i < demands.size(); ++i)
      if (inTheWay.contains({demands[i].source, demands[i].to}))
        out.split.push_back(static_cast<int32_t>(i));
    return false;
  }

private:
  using Key = std::pair<int32_t, Destination>;
  using Entry = std::map<Key, int32_t>::iterator;

  bool fail(const Key &key, const std::string &what) {
    std::vector<int32_t> reached = receivers(mesh, key.first, key.second);
    error = "no route from " + position(mesh, key.first) + " to " +
            (reached.empty() ? "an empty run" : position(mesh, reached.back())) + ": " + what;
    return false;
  }

  bool withDetours() {
    // A run that has to be split costs more than a transfer on a longer way.
    constexpr int64_t runWeight = 64;
    std::vector<int64_t> wanted(4 * static_cast<size_t>(mesh.positions()), 0);
    for (auto it = distinct.begin(); it != distinct.end(); ++it) {
      std::vector<int32_t> channels = defaultChannels(it);
      for (size_t i = 1; i < channels.size() && !isBlocked(it); ++i)
        if (channels[i] % 4 == static_cast<int32_t>(Direction::North))
          wanted[channels[i - 1]] += isRun(it) ? runWeight : 1;
    }
    TurnModel model(mesh, wanted);
    std::vector<int32_t> channels;
    for (auto it = distinct.begin(); it != distinct.end(); ++it) {
      if (!isBlocked(it) && model.allows(defaultChannels(it)))
        continue;
      if (isRun(it)) {
        if (isBlocked(it))
          return fail(it->first, "a multicast run meets a router that does not forward");
        inTheWay.insert(it->first);
        continue;
      }
      if (!model.route(it->first.first, it->first.second.node, channels))
        return fail(it->first, "every detour would close a cycle of channels");
      if (channels.size() > options.maxLinks)
        return fail(it->first, "it has " + std::to_string(channels.size()) + " links");
      RoutePath path;
      for (int32_t c : channels)
        path.push_back(static_cast<Direction>(c % 4));
      if (!record(it, path))
        return false;
    }
    return inTheWay.empty() ||
           fail(*inTheWay.begin(), "the multicast run would close a cycle of channels");
  }

  static bool isRun(Entry it) { return it->first.second.kind != Destination::Kind::Node; }
  std::vector<int32_t> defaultChannels(Entry it) const {
    const auto &[source, to] = it->first;
    return channelsOf(mesh, source, defaultPath(mesh, source, to));
  }
  bool isBlocked(Entry it) const {
    const auto &[source, to] = it->first;
    return !forwardsAll(mesh, source, defaultPath(mesh, source, to));
  }

  /// No default routes at all.
  bool withUpDown() {
    UpDown tree(mesh);
    out.paths.clear();
    index.clear();
    for (auto it = distinct.begin(); it != distinct.end(); ++it) {
      if (isRun(it))
        return fail(it->first, "multicasts cannot take up*/down* routes; plan without multicast");
      RoutePath path;
      if (!tree.route(it->first.first, it->first.second.node, path))
        return fail(it->first, "the mesh is cut in two");
      if (path.size() > options.maxLinks)
        return fail(it->first, "it has " + std::to_string(path.size()) + " links");
      if (!record(it, path))
        return false;
    }
    return true;
  }

  bool record(Entry it, const RoutePath &path) {
    auto [known, added] = index.try_emplace(path, static_cast<int32_t>(out.paths.size()));
    if (added)
      out.paths.push_back(path);
    it->second = known->second;
    if (out.paths.size() > options.maxPaths)
      return fail(it->first, "the table of routes is full");
    return true;
  }

  bool finish() {
    ChannelGraph graph(4 * mesh.positions());
    for (auto it = distinct.begin(); it != distinct.end(); ++it)
      graph.add(
          it->second == Routing::rowThenColumn
              ? defaultChannels(it)
              : channelsOf(mesh, it->first.first, out.paths[static_cast<size_t>(it->second)]));
    if (!graph.sort()) {
      error = "the routes close a cycle of channels";
      return false;
    }
    out.certificate = graph.numbers();
    out.channels = graph.channels();
    out.dependences = graph.dependences();
    for (const RouteDemand &d : demands)
      out.route.push_back(distinct.at({d.source, d.to}));
    return true;
  }

  const Mesh &mesh;
  const std::vector<RouteDemand> &demands;
  const RouterOptions &options;
  Routing &out;
  std::string &error;
  std::map<Key, int32_t> distinct;
  std::set<Key> inTheWay; // runs to split
  std::map<RoutePath, int32_t> index;
};

} // namespace

std::vector<Destination> splitRun(const Mesh &mesh, int32_t source, const Destination &to,
                                  bool copies) {
  if (!copies && forwardsAll(mesh, source, defaultPath(mesh, source, to)))
    return {to};
  std::vector<int32_t> targets = receivers(mesh, source, to);
  std::erase(targets, source);
  std::sort(targets.begin(), targets.end());
  if (!copies)
    return multicastRuns(mesh, source, targets);
  std::vector<Destination> result;
  for (int32_t t : targets)
    result.push_back(Destination::toNode(t));
  return result;
}

bool solveRouting(const Mesh &mesh, const std::vector<RouteDemand> &demands, Routing &out,
                  std::string &error, const RouterOptions &options) {
  out = {};
  return Solver(mesh, demands, options, out, error).run();
}

std::vector<LinkLoad> linkLoads(const Mesh &mesh, const std::vector<RouteDemand> &demands,
                                const Routing &routing) {
  std::map<int32_t, std::vector<int64_t>> loads;
  for (size_t i = 0; i < demands.size(); ++i) {
    const RouteDemand &d = demands[i];
    auto &links = loads[d.layer];
    links.resize(4 * static_cast<size_t>(mesh.positions()), 0);
    RoutePath path = routing.route[i] == Routing::rowThenColumn
                         ? defaultPath(mesh, d.source, d.to)
                         : routing.paths[static_cast<size_t>(routing.route[i])];
    for (int32_t c : channelsOf(mesh, d.source, path))
      links[c] += d.packets;
  }
  std::vector<LinkLoad> result;
  for (const auto &[layer, links] : loads) {
    LinkLoad load{layer, 0, 0, 0};
    for (size_t c = 0; c < links.size(); ++c) {
      load.total += links[c];
      if (links[c] > load.busiest) {
        load.busiest = links[c];
        load.channel = static_cast<int32_t>(c);
      }
    }
    result.push_back(load);
  }
  return result;
}

} // namespace dojo::planning
