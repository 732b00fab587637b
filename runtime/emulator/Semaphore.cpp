// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Semaphore.h"

#include <algorithm>

namespace dojo::emu {

void Semaphore::add(uint64_t shows, uint32_t amount) {
  if (amount == 0)
    return;
  auto after = std::upper_bound(pending.begin(), pending.end(), shows,
                                [](uint64_t c, const Increment &i) { return c < i.shows; });
  if (after != pending.begin() && std::prev(after)->shows == shows)
    std::prev(after)->amount += amount;
  else
    pending.insert(after, {shows, amount});
}

uint64_t Semaphore::passTime(uint64_t from, uint64_t need) const {
  uint64_t sum = value, time = from;
  for (size_t i = 0; sum < need; ++i) {
    if (i == pending.size())
      return never;
    sum += pending[i].amount;
    time = std::max(from, pending[i].shows);
  }
  return time;
}

bool Semaphore::settle(uint64_t &at, uint32_t limit) {
  size_t shown = 0;
  while (shown < pending.size() && pending[shown].shows <= at) {
    value += pending[shown].amount;
    if (value > limit) {
      at = pending[shown].shows;
      return false;
    }
    ++shown;
  }
  pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(shown));
  return true;
}

uint64_t Semaphore::finalValue() const {
  uint64_t sum = value;
  for (const Increment &i : pending)
    sum += i.amount;
  return sum;
}

} // namespace dojo::emu
