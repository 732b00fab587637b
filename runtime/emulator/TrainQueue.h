// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Trains that wait for their turn. They are few, at most one for each thread and answer, and most
// are due soon: looking at the issue cycles of all is faster than to keep them in order.
#ifndef DOJO_EMULATOR_TRAINQUEUE_H
#define DOJO_EMULATOR_TRAINQUEUE_H

#include "Transfer.h"

#include <algorithm>
#include <tuple>
#include <vector>

namespace dojo::emu {

/// The order of the fields is the order of service.
struct WaitingTrain {
  uint64_t issue;
  uint32_t node;
  uint32_t thread; // 4 + the asker's thread for an answer
  uint32_t asker;
  uint64_t number;
  Transfer *transfer;
  bool operator<(const WaitingTrain &other) const {
    if (issue != other.issue)
      return issue < other.issue;
    return std::tuple(node, thread, asker, number) <
           std::tuple(other.node, other.thread, other.asker, other.number);
  }
};

class TrainQueue {
public:
  void push(const WaitingTrain &train) {
    issues.push_back(train.issue);
    trains.push_back(train);
    least = std::min(least, train.issue);
  }
  /// The least issue cycle; `never` without trains.
  uint64_t first() const { return least; }
  /// Takes those that issue up to `until`, in order.
  void take(uint64_t until, std::vector<WaitingTrain> &out) {
    out.clear();
    least = never;
    for (size_t i = 0; i < issues.size();) {
      if (issues[i] > until) {
        least = std::min(least, issues[i++]);
        continue;
      }
      out.push_back(trains[i]);
      issues[i] = issues.back();
      trains[i] = trains.back();
      issues.pop_back();
      trains.pop_back();
    }
    std::sort(out.begin(), out.end());
  }
  /// In no order.
  const std::vector<WaitingTrain> &all() const { return trains; }

private:
  std::vector<uint64_t> issues;
  std::vector<WaitingTrain> trains; // as many
  uint64_t least = never;
};

} // namespace dojo::emu

#endif
