// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which channels wait for which (private to the library).
#ifndef DOJO_PLANNING_CHANNELGRAPH_H
#define DOJO_PLANNING_CHANNELGRAPH_H

#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace dojo::planning {

class ChannelGraph {
public:
  explicit ChannelGraph(int32_t size) : next(size), used(size, 0), number(size, -1) {}

  bool has(int32_t a, int32_t b) const {
    return std::find(next[a].begin(), next[a].end(), b) != next[a].end();
  }

  /// The channels that wait for a, in the order in which they were added.
  const std::vector<int32_t> &after(int32_t a) const { return next[a]; }

  /// Adds a route's channels and dependences without looking for cycles.
  void add(const std::vector<int32_t> &channels) {
    for (size_t i = 0; i < channels.size(); ++i) {
      used[channels[i]] = 1;
      if (i && !has(channels[i - 1], channels[i]))
        next[channels[i - 1]].push_back(channels[i]);
    }
  }

  /// Makes `reaches` and `tryAdd` usable; call it again after `add`. False on a cycle.
  bool close() {
    if (!sort())
      return false;
    words = (next.size() + 63) / 64;
    behind.assign(next.size() * words, 0);
    std::vector<int32_t> order(next.size());
    for (size_t c = 0; c < next.size(); ++c)
      order[number[c]] = static_cast<int32_t>(c);
    for (size_t i = order.size(); i-- > 0;)
      for (int32_t n : next[order[i]])
        putBehind(order[i], n);
    return true;
  }

  /// Adds a dependence unless it closes a cycle. The graph must be closed, and stays so.
  bool tryAdd(int32_t a, int32_t b) {
    if (has(a, b))
      return true;
    if (reaches(b, a))
      return false;
    next[a].push_back(b);
    for (int32_t c = 0; c < static_cast<int32_t>(next.size()); ++c)
      if (reaches(c, a) && !reaches(c, b))
        putBehind(c, b);
    return true;
  }

  /// A chain of dependences leads from a to b. The graph must be closed.
  bool reaches(int32_t a, int32_t b) const {
    return a == b || (behind[a * words + b / 64] >> (b % 64) & 1);
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
  /// Channel b, and what comes behind it, comes behind a.
  void putBehind(int32_t a, int32_t b) {
    for (size_t w = 0; w < words; ++w)
      behind[a * words + w] |= behind[b * words + w];
    behind[a * words + b / 64] |= uint64_t(1) << (b % 64);
  }

  std::vector<std::vector<int32_t>> next;
  std::vector<uint8_t> used;
  std::vector<int32_t> number;
  size_t words = 0;             // of a row of `behind`
  std::vector<uint64_t> behind; // per channel: bit c set if channel c can be reached
};

} // namespace dojo::planning

#endif
