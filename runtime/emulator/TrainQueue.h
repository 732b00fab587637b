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
  uint64_t who; // 36 bits: of the node, then of the thread, then of the asker
  uint64_t number;
  Transfer *transfer;

  WaitingTrain() = default;
  /// `thread`: 4 + the asker's for an answer.
  WaitingTrain(uint64_t issue, uint32_t node, unsigned thread, uint32_t asker, uint64_t number,
               Transfer *transfer)
      : issue(issue), who(uint64_t(node) << 20 | uint64_t(thread) << 16 | asker), number(number),
        transfer(transfer) {}
  unsigned thread() const { return who >> 16 & 0xF; }
  bool operator<(const WaitingTrain &other) const {
    return std::tuple(issue, who, number) < std::tuple(other.issue, other.who, other.number);
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
    sort(out);
  }
  /// In no order.
  const std::vector<WaitingTrain> &all() const { return trains; }

private:
  // Numbers that say the order, with the place in `list` in their last bits, are sorted faster than
  // trains.
  void sort(std::vector<WaitingTrain> &list) {
    keys.clear();
    bool all = list.size() < maxKeys;
    for (const WaitingTrain &train : list) {
      uint64_t after = train.issue - list.front().issue + maxKeys / 2;
      all &= after < maxKeys;
      keys.push_back(after << 50 | train.who << 14 | keys.size());
    }
    std::sort(keys.begin(), keys.end());
    for (size_t i = 1; i < keys.size(); ++i)
      all &= keys[i - 1] >> 14 != keys[i] >> 14;
    if (!all) {
      std::sort(list.begin(), list.end());
      return;
    }
    sorted.clear();
    for (uint64_t key : keys)
      sorted.push_back(list[key % maxKeys]);
    list.swap(sorted);
  }

  static constexpr uint64_t maxKeys = 1 << 14;
  std::vector<uint64_t> keys;       // scratch
  std::vector<WaitingTrain> sorted; // scratch
  std::vector<uint64_t> issues;
  std::vector<WaitingTrain> trains; // as many
  uint64_t least = never;
};

} // namespace dojo::emu

#endif
