// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which channels wait for which (private to the library).
#ifndef DOJO_PLANNING_CHANNELGRAPH_H
#define DOJO_PLANNING_CHANNELGRAPH_H

#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace dojo::planning {

class ChannelGraph {
public:
  explicit ChannelGraph(int32_t size) : next(size), used(size, 0), number(size, -1) {}

  bool has(int32_t a, int32_t b) const {
    return std::find(next[a].begin(), next[a].end(), b) != next[a].end();
  }

  /// Adds a route's channels and dependences without looking for cycles.
  void add(const std::vector<int32_t> &channels) {
    for (size_t i = 0; i < channels.size(); ++i) {
      used[channels[i]] = 1;
      if (i && !has(channels[i - 1], channels[i]))
        next[channels[i - 1]].push_back(channels[i]);
    }
  }

  /// Adds a route unless it closes a cycle; then nothing is added and \p culprit is the dependence
  /// that would close it. The graph must be sorted, and is again.
  bool tryAdd(const std::vector<int32_t> &channels, std::pair<int32_t, int32_t> &culprit) {
    std::vector<std::pair<int32_t, int32_t>> added;
    for (size_t i = 1; i < channels.size(); ++i) {
      int32_t a = channels[i - 1], b = channels[i];
      if (has(a, b))
        continue;
      if (reaches(b, a)) {
        for (auto [x, y] : added)
          next[x].erase(std::find(next[x].begin(), next[x].end(), y));
        sort();
        culprit = {a, b};
        return false;
      }
      next[a].push_back(b);
      added.push_back({a, b});
      sort();
    }
    for (int32_t c : channels)
      used[c] = 1;
    return true;
  }

  /// A chain of dependences leads from a to b. The graph must be sorted: numbers only ascend.
  bool reaches(int32_t a, int32_t b) const {
    if (a == b)
      return true;
    if (number[a] >= number[b])
      return false;
    std::vector<uint8_t> seen(next.size(), 0);
    std::vector<int32_t> open{a};
    while (!open.empty()) {
      int32_t c = open.back();
      open.pop_back();
      for (int32_t n : next[c]) {
        if (n == b)
          return true;
        if (!seen[n] && number[n] < number[b]) {
          seen[n] = 1;
          open.push_back(n);
        }
      }
    }
    return false;
  }

  /// Numbers the channels so that dependences ascend, smallest channel first. False on a cycle.
  bool sort() {
    std::vector<int32_t> waiting(next.size(), 0);
    for (const auto &list : next)
      for (int32_t n : list)
        ++waiting[n];
    std::priority_queue<int32_t, std::vector<int32_t>, std::greater<>> ready;
    for (size_t c = 0; c < next.size(); ++c)
      if (!waiting[c])
        ready.push(static_cast<int32_t>(c));
    int32_t count = 0;
    for (; !ready.empty(); ++count) {
      int32_t c = ready.top();
      ready.pop();
      number[c] = count;
      for (int32_t n : next[c])
        if (--waiting[n] == 0)
          ready.push(n);
    }
    return count == static_cast<int32_t>(next.size());
  }

  /// Per channel: its number, -1 if unused.
  std::vector<int32_t> numbers() const {
    std::vector<int32_t> result = number;
    for (size_t c = 0; c < result.size(); ++c)
      if (!used[c])
        result[c] = -1;
    return result;
  }

  int64_t channels() const { return std::count(used.begin(), used.end(), 1); }
  int64_t dependences() const {
    int64_t n = 0;
    for (const auto &list : next)
      n += static_cast<int64_t>(list.size());
    return n;
  }

private:
  std::vector<std::vector<int32_t>> next;
  std::vector<uint8_t> used;
  std::vector<int32_t> number;
};

} // namespace dojo::planning

#endif
