// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Network.h"

#include <algorithm>

namespace dojo::verify {
namespace {

using image::Step;

constexpr int64_t rowStep[] = {0, 0, 1, -1}, columnStep[] = {1, -1, 0, 0};

std::string show(Position p) {
  return "(row " + std::to_string(p.row) + ", column " + std::to_string(p.column) + ")";
}

/// Walks over links and collects them; stops at routers that do not forward.
class Walk {
public:
  Walk(const Target &target, int64_t from, std::vector<Channel> &channels, std::string &problem)
      : target(target), channels(channels), problem(problem), at(target.position(from)) {}

  bool step(Step s) {
    if (!channels.empty() && !target.forwards(at)) {
      problem = "passes the router at " + show(at) + ", which does not forward";
      return false;
    }
    channels.push_back(Channel(4 * target.node(at) + int64_t(s)));
    at.row += rowStep[int(s)], at.column += columnStep[int(s)];
    if (at.row < 0 || at.column < 0 || at.row >= target.rows || at.column >= target.columns) {
      problem = "leaves the die";
      return false;
    }
    return true;
  }
  bool toColumn(int64_t column) {
    while (at.column != column)
      if (!step(at.column < column ? Step::East : Step::West))
        return false;
    return true;
  }
  bool toRow(int64_t row) {
    while (at.row != row)
      if (!step(at.row < row ? Step::South : Step::North))
        return false;
    return true;
  }
  Position position() const { return at; }

private:
  const Target &target;
  std::vector<Channel> &channels;
  std::string &problem;
  Position at;
};

bool multicastPath(const Target &target, int64_t from, const isa::Descriptor &d, Path &path,
                   std::string &problem) {
  if (!target.multicast) {
    problem = "is a multicast, which the target does not have";
    return false;
  }
  if (d.route != isa::Descriptor::rowThenColumn) {
    problem = "is a multicast with an explicit route";
    return false;
  }
  Position own = target.position(from);
  bool alongRow = d.run == isa::Descriptor::Run::Row;
  int64_t limit = alongRow ? target.columns : target.rows, start = alongRow ? own.column : own.row;
  if (d.first >= limit || d.last >= limit || (!alongRow && d.column >= target.columns)) {
    problem = "runs over the edge of the die";
    return false;
  }
  int64_t first = d.first - start, last = d.last - start;
  if (first * last < 0 || std::abs(first) > std::abs(last) || (alongRow && first == 0)) {
    problem = "has a multicast run that is not on one side of the sender, the near end first";
    return false;
  }
  auto receive = [&](int64_t row, int64_t column) {
    Position p{row, column};
    if (target.isUsable(p) && p != own)
      path.receivers.push_back(uint32_t(target.node(p)));
  };
  int64_t direction = d.last >= d.first ? 1 : -1;
  for (int64_t i = d.first;; i += direction) {
    alongRow ? receive(own.row, i) : receive(i, d.column);
    if (i == d.last)
      break;
  }
  if (path.receivers.empty()) {
    problem = "has a multicast run without a usable node";
    return false;
  }
  Walk walk(target, from, path.channels, problem);
  return alongRow ? walk.toColumn(d.last) : walk.toColumn(d.column) && walk.toRow(d.last);
}

} // namespace

bool plainPath(const Target &target, int64_t from, int64_t to, std::vector<Channel> &channels,
               std::string &problem) {
  Walk walk(target, from, channels, problem);
  Position goal = target.position(to);
  return walk.toColumn(goal.column) && walk.toRow(goal.row);
}

bool pathOf(const image::Image &image, int64_t from, const isa::Descriptor &d, Path &path,
            std::string &problem) {
  const Target &target = image.target;
  path.channels.clear();
  path.receivers.clear();
  if (d.kind == isa::Descriptor::Kind::Copy) {
    path.receivers.push_back(uint32_t(from));
    return true;
  }
  if (d.multicast) {
    if (d.kind == isa::Descriptor::Kind::Pull) {
      problem = "is a pull from many nodes";
      return false;
    }
    return multicastPath(target, from, d, path, problem);
  }
  if (d.die != 0) {
    problem = "goes to die " + std::to_string(d.die) + ", but there is only one";
    return false;
  }
  if (d.node >= target.positions() || !target.isUsable(d.node)) {
    problem = "goes to node " + std::to_string(d.node) + ", which is not usable";
    return false;
  }
  path.receivers.push_back(d.node);
  if (d.node == from)
    return true;
  if (d.route == isa::Descriptor::rowThenColumn)
    return plainPath(target, from, d.node, path.channels, problem);
  if (d.route >= image.routes.size()) {
    problem = "names route " + std::to_string(d.route) + ", which does not exist";
    return false;
  }
  Walk walk(target, from, path.channels, problem);
  for (Step s : image.routes[d.route])
    if (!walk.step(s))
      return false;
  if (target.node(walk.position()) != d.node) {
    problem = "names route " + std::to_string(d.route) + ", which ends at " +
              show(walk.position()) + " and not at " + show(target.position(d.node));
    return false;
  }
  return true;
}

void ChannelGraph::add(const std::vector<Channel> &path) {
  for (size_t i = 0; i < path.size(); ++i) {
    used[path[i]] = true;
    if (i + 1 < path.size())
      next[path[i]] |= 1 << (path[i + 1] % 4);
  }
}

Position ChannelGraph::endOf(const Target &target, Channel channel) {
  Position p = target.position(channel / 4);
  p.row += rowStep[channel % 4], p.column += columnStep[channel % 4];
  return p;
}

std::vector<Channel> ChannelGraph::cycle() const {
  // Depth-first search; the stack is the current chain of links.
  enum : uint8_t { Fresh, Open, Done };
  std::vector<uint8_t> state(next.size(), Fresh);
  std::vector<std::pair<Channel, int>> stack;
  for (Channel root = 0; root < next.size(); ++root) {
    if (state[root] != Fresh || !next[root])
      continue;
    stack.push_back({root, 0});
    state[root] = Open;
    while (!stack.empty()) {
      auto &[channel, tried] = stack.back();
      if (tried == 4) {
        state[channel] = Done;
        stack.pop_back();
        continue;
      }
      int s = tried++;
      if (!(next[channel] >> s & 1))
        continue;
      Channel to = Channel(4 * target.node(endOf(target, channel)) + s);
      if (state[to] == Open) {
        std::vector<Channel> found;
        auto it = std::find_if(stack.begin(), stack.end(),
                               [&](const auto &entry) { return entry.first == to; });
        for (; it != stack.end(); ++it)
          found.push_back(it->first);
        return found;
      }
      if (state[to] == Fresh) {
        state[to] = Open;
        stack.push_back({to, 0});
      }
    }
  }
  return {};
}

std::string ChannelGraph::channelName(Channel channel) const {
  static const char *const names[] = {"east", "west", "south", "north"};
  Position p = target.position(channel / 4);
  return "row " + std::to_string(p.row) + ", column " + std::to_string(p.column) + " " +
         names[channel % 4];
}

} // namespace dojo::verify
