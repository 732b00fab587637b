// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TurnModel.h"

#include <algorithm>
#include <tuple>

namespace dojo::planning {

static Direction directionOf(int32_t channel) { return static_cast<Direction>(channel % 4); }
static bool isRow(Direction d) { return d == Direction::East || d == Direction::West; }

template <typename Fn> void TurnModel::eachDependence(Fn fn) const {
  for (int32_t a = 0; a < 4 * mesh.positions(); ++a) {
    int32_t at = neighbour(mesh, a / 4, directionOf(a));
    if (at < 0 || !mesh.forwards[at])
      continue;
    for (int32_t d = 0; d < 4; ++d)
      if (d != (a % 4 ^ 1) && neighbour(mesh, at, static_cast<Direction>(d)) >= 0)
        fn(a, 4 * at + d);
  }
}

TurnModel::TurnModel(const Mesh &mesh, const std::vector<int64_t> &wanted)
    : mesh(mesh), graph(4 * mesh.positions()) {
  std::vector<std::tuple<int, int64_t, int32_t, int32_t>> turns; // in order of precedence
  eachDependence([&](int32_t a, int32_t b) {
    Direction from = directionOf(a), to = directionOf(b);
    bool intoColumn = isRow(from);
    bool northToEast = from == Direction::North && to == Direction::East;
    if (from == to)
      graph.add({a, b});
    else if (from == Direction::East && to == Direction::North)
      turns.push_back({1, -wanted[a], a, b});
    else
      turns.push_back({intoColumn || northToEast ? 0 : 2, 0, a, b});
  });
  graph.close(); // straight lines have no cycle
  for (const Block &block : silentBlocks())
    turnsRound(block);
  std::sort(turns.begin(), turns.end());
  for (auto [order, weight, a, b] : turns)
    graph.tryAdd(a, b);
}

bool TurnModel::allows(const std::vector<int32_t> &channels) const {
  for (size_t i = 1; i < channels.size(); ++i)
    if (!graph.has(channels[i - 1], channels[i]))
      return false;
  return true;
}

bool TurnModel::route(int32_t source, int32_t target, std::vector<int32_t> &channels) {
  if (source != root)
    search(source);
  channels.clear();
  for (int32_t c = arrival[target]; c >= 0; c = before[c])
    channels.push_back(c);
  std::reverse(channels.begin(), channels.end());
  return !channels.empty();
}

/// The rectangle of all routers that forward: a partition, mostly.
TurnModel::Block TurnModel::region() const {
  Block all{mesh.rows, mesh.columns, -1, -1};
  for (int32_t n = 0; n < mesh.positions(); ++n)
    if (mesh.forwards[n])
      all = {std::min(all.top, mesh.row(n)), std::min(all.left, mesh.column(n)),
             std::max(all.bottom, mesh.row(n)), std::max(all.right, mesh.column(n))};
  return all;
}

/// Rectangles round silent routers that touch, also by their corners.
std::vector<TurnModel::Block> TurnModel::silentBlocks() const {
  std::vector<Block> blocks;
  Block all = region();
  for (int32_t n = 0; n < mesh.positions(); ++n) {
    if (mesh.forwards[n] || mesh.row(n) < all.top || mesh.row(n) > all.bottom ||
        mesh.column(n) < all.left || mesh.column(n) > all.right)
      continue;
    Block block{mesh.row(n), mesh.column(n), mesh.row(n), mesh.column(n)};
    for (size_t i = 0; i < blocks.size();) {
      const Block &b = blocks[i];
      if (b.bottom + 1 < block.top || block.bottom + 1 < b.top || b.right + 1 < block.left ||
          block.right + 1 < b.left) {
        ++i;
        continue;
      }
      block = {std::min(b.top, block.top), std::min(b.left, block.left),
               std::max(b.bottom, block.bottom), std::max(b.right, block.right)};
      blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(i));
      i = 0; // it may touch others now
    }
    blocks.push_back(block);
  }
  return blocks;
}

void TurnModel::turnsRound(const Block &b) {
  bool northEast = addTurn(b.top - 1, b.right + 1, Direction::North, Direction::West);
  bool southWest = addTurn(b.bottom + 1, b.left - 1, Direction::South, Direction::East);
  if (!northEast || !southWest)
    addTurn(b.bottom + 1, b.right + 1, Direction::South, Direction::West);
}

bool TurnModel::addTurn(int32_t row, int32_t column, Direction in, Direction out) {
  if (row < 0 || column < 0 || row >= mesh.rows || column >= mesh.columns ||
      !mesh.forwards[mesh.node(row, column)])
    return false;
  int32_t from = mesh.node(row + (in == Direction::North ? 1 : -1), column);
  return graph.tryAdd(4 * from + static_cast<int32_t>(in),
                      4 * mesh.node(row, column) + static_cast<int32_t>(out));
}

void TurnModel::search(int32_t source) {
  root = source;
  before.assign(4 * static_cast<size_t>(mesh.positions()), -2);
  arrival.assign(mesh.positions(), -1);
  std::vector<int32_t> queue;
  auto reach = [&](int32_t channel, int32_t from) {
    if (before[channel] != -2)
      return;
    before[channel] = from;
    queue.push_back(channel);
  };
  for (Direction d : allDirections)
    if (neighbour(mesh, source, d) >= 0)
      reach(4 * source + static_cast<int32_t>(d), -1);
  for (size_t i = 0; i < queue.size(); ++i) {
    int32_t channel = queue[i];
    int32_t at = neighbour(mesh, channel / 4, static_cast<Direction>(channel % 4));
    if (arrival[at] < 0)
      arrival[at] = channel;
    for (int32_t next : graph.after(channel))
      reach(next, channel);
  }
}

} // namespace dojo::planning
