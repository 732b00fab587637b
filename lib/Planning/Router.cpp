// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Planning/Router.h"

#include "ChannelGraph.h"

#include <algorithm>
#include <map>
#include <queue>
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

constexpr Direction allDirections[] = {Direction::East, Direction::West, Direction::South,
                                       Direction::North};

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

/// The shortest detour whose dependences close no cycle with those in the graph.
class DetourSearch {
public:
  DetourSearch(const Mesh &mesh, ChannelGraph &graph, size_t maxLinks)
      : mesh(mesh), graph(graph), maxLinks(maxLinks) {}

  /// Adds the route's dependences to the graph.
  bool run(int32_t source, int32_t target, RoutePath &path) {
    // Dependences that are harmless one by one may close a cycle together; then one of them is
    // forbidden and the search starts again.
    std::vector<std::pair<int32_t, int32_t>> forbidden;
    constexpr int attempts = 32;
    for (int i = 0; i < attempts; ++i) {
      std::vector<int32_t> channels;
      if (!shortest(source, target, forbidden, channels))
        return false;
      std::pair<int32_t, int32_t> culprit;
      if (graph.tryAdd(channels, culprit)) {
        path.clear();
        for (int32_t c : channels)
          path.push_back(static_cast<Direction>(c % 4));
        return true;
      }
      forbidden.push_back(culprit);
    }
    return false;
  }

private:
  /// Dijkstra over channels: fewest links, then fewest new dependences.
  bool shortest(int32_t source, int32_t target,
                const std::vector<std::pair<int32_t, int32_t>> &forbidden,
                std::vector<int32_t> &channels) const {
    constexpr int64_t perLink = 1024;
    std::vector<int64_t> cost(4 * static_cast<size_t>(mesh.positions()), INT64_MAX);
    std::vector<int32_t> before(cost.size(), -1);
    std::priority_queue<std::pair<int64_t, int32_t>, std::vector<std::pair<int64_t, int32_t>>,
                        std::greater<>>
        open;
    auto reach = [&](int32_t channel, int64_t c, int32_t from) {
      if (c >= cost[channel])
        return;
      cost[channel] = c;
      before[channel] = from;
      open.push({c, channel});
    };
    for (Direction d : allDirections)
      if (neighbour(mesh, source, d) >= 0)
        reach(4 * source + static_cast<int32_t>(d), perLink, -1);
    while (!open.empty()) {
      auto [c, channel] = open.top();
      open.pop();
      if (c > cost[channel])
        continue;
      auto heading = static_cast<Direction>(channel % 4);
      int32_t at = neighbour(mesh, channel / 4, heading);
      if (at == target) {
        for (int32_t k = channel; k >= 0; k = before[k])
          channels.push_back(k);
        std::reverse(channels.begin(), channels.end());
        return channels.size() <= maxLinks;
      }
      if (!mesh.forwards[at])
        continue;
      for (Direction d : allDirections) {
        bool back = static_cast<int>(d) == (static_cast<int>(heading) ^ 1);
        int32_t next = 4 * at + static_cast<int32_t>(d);
        if (back || neighbour(mesh, at, d) < 0)
          continue;
        bool known = graph.has(channel, next);
        if (!known && (graph.reaches(next, channel) ||
                       std::find(forbidden.begin(), forbidden.end(), std::pair(channel, next)) !=
                           forbidden.end()))
          continue;
        reach(next, c + perLink + !known, channel);
      }
    }
    return false;
  }

  const Mesh &mesh;
  ChannelGraph &graph;
  size_t maxLinks;
};

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
    for (const RouteDemand &d : demands)
      distinct.try_emplace({d.source, d.to}, Routing::rowThenColumn);
    ChannelGraph graph(4 * mesh.positions());
    if (withDetours(graph))
      return finish(graph);
    std::string first = std::move(error);
    ChannelGraph fresh(4 * mesh.positions());
    if (!withUpDown(fresh)) {
      error = first + "; " + error;
      return false;
    }
    return finish(fresh);
  }

private:
  using Key = std::pair<int32_t, Destination>;

  bool fail(const Key &key, const std::string &what) {
    std::vector<int32_t> reached = receivers(mesh, key.first, key.second);
    error = "no route from " + position(mesh, key.first) + " to " +
            (reached.empty() ? "an empty run" : position(mesh, reached.back())) + ": " + what;
    return false;
  }

  bool withDetours(ChannelGraph &graph) {
    std::vector<std::map<Key, int32_t>::iterator> blocked;
    for (auto it = distinct.begin(); it != distinct.end(); ++it) {
      RoutePath path = defaultPath(mesh, it->first.first, it->first.second);
      if (!forwardsAll(mesh, it->first.first, path)) {
        if (it->first.second.kind != Destination::Kind::Node)
          return fail(it->first, "a multicast run meets a router that does not forward");
        blocked.push_back(it);
        continue;
      }
      graph.add(channelsOf(mesh, it->first.first, path));
    }
    graph.sort(); // row-then-column routes have no cycle
    DetourSearch search(mesh, graph, options.maxLinks);
    for (auto it : blocked) {
      RoutePath path;
      if (!search.run(it->first.first, it->first.second.node, path))
        return fail(it->first, "every detour would close a cycle of channels or is too long");
      if (!record(it, path))
        return false;
    }
    return true;
  }

  bool withUpDown(ChannelGraph &graph) {
    UpDown tree(mesh);
    out.paths.clear();
    index.clear();
    for (auto it = distinct.begin(); it != distinct.end(); ++it) {
      if (it->first.second.kind != Destination::Kind::Node)
        return fail(it->first, "multicasts cannot take up*/down* routes; plan without multicast");
      RoutePath path;
      if (!tree.route(it->first.first, it->first.second.node, path))
        return fail(it->first, "the mesh is cut in two");
      if (path.size() > options.maxLinks)
        return fail(it->first, "it has " + std::to_string(path.size()) + " links");
      graph.add(channelsOf(mesh, it->first.first, path));
      if (!record(it, path))
        return false;
    }
    return graph.sort();
  }

  bool record(std::map<Key, int32_t>::iterator it, const RoutePath &path) {
    auto [known, added] = index.try_emplace(path, static_cast<int32_t>(out.paths.size()));
    if (added)
      out.paths.push_back(path);
    it->second = known->second;
    if (out.paths.size() > options.maxPaths)
      return fail(it->first, "the table of routes is full");
    return true;
  }

  bool finish(ChannelGraph &graph) {
    graph.sort();
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
  std::map<RoutePath, int32_t> index;
};

} // namespace

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
