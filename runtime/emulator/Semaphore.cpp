// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Semaphore.h"

#include <algorithm>

namespace dojo::emu {

void Semaphore::insert(size_t at, Increment increment) {
  if (count == room) {
    Increment *larger = new Increment[2 * size_t(room)];
    std::copy_n(first, count, larger);
    if (first != own)
      delete[] first;
    first = larger;
    room *= 2;
  }
  std::move_backward(first + at, first + count, first + count + 1);
  first[at] = increment;
  ++count;
}

void Semaphore::add(uint64_t shows, uint32_t amount) {
  if (amount == 0)
    return;
  size_t at = count; // most come in order
  while (at > 0 && first[at - 1].shows > shows)
    --at;
  if (at > 0 && first[at - 1].shows == shows)
    first[at - 1].amount += amount;
  else
    insert(at, {shows, amount});
}

uint64_t Semaphore::passTime(uint64_t from, uint64_t need) const {
  uint64_t sum = value, time = from;
  for (size_t i = 0; sum < need; ++i) {
    if (i == count)
      return never;
    sum += first[i].amount;
    time = std::max(from, first[i].shows);
  }
  return time;
}

bool Semaphore::settle(uint64_t &at, uint32_t limit) {
  uint32_t shown = 0;
  while (shown < count && first[shown].shows <= at) {
    uint64_t sum = uint64_t(value) + first[shown].amount;
    value = static_cast<uint32_t>(std::min<uint64_t>(sum, ~uint32_t(0)));
    if (sum > limit) {
      at = first[shown].shows;
      return false;
    }
    ++shown;
  }
  if (shown) {
    std::move(first + shown, first + count, first);
    count -= shown;
  }
  return true;
}

uint64_t Semaphore::finalValue() const {
  uint64_t sum = value;
  for (const Increment &i : pending())
    sum += i.amount;
  return sum;
}

} // namespace dojo::emu
