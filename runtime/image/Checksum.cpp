// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Format.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace dojo::image {

// Each step maps the state one to one for a given word, and words one to one for a given state, so
// two inputs that differ in one word end in different states of that lane.
static uint64_t step(uint64_t state, uint64_t word) {
  return std::rotl(state ^ word, 29) * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u;
}

static uint64_t load(const uint8_t *p) {
  uint64_t word;
  std::memcpy(&word, p, 8);
  return word;
}

uint64_t checksum(std::span<const uint8_t> bytes) {
  // Four lanes, so that the multiplications of one do not wait for those of another.
  uint64_t lane[4] = {1, 2, 3, 4};
  size_t i = 0;
  for (; i + 32 <= bytes.size(); i += 32)
    for (int k = 0; k < 4; ++k)
      lane[k] = step(lane[k], load(bytes.data() + i + 8 * k));
  for (int k = 0; i < bytes.size(); i += 8, ++k) {
    uint8_t tail[8] = {};
    std::memcpy(tail, bytes.data() + i, std::min<size_t>(8, bytes.size() - i));
    lane[k] = step(lane[k], load(tail));
  }
  uint64_t sum = bytes.size();
  for (uint64_t value : lane)
    sum = step(sum, value);
  return sum ^ sum >> 32;
}

uint64_t checksumOutside(std::span<const uint8_t> file, std::pair<uint64_t, uint64_t> a,
                         std::pair<uint64_t, uint64_t> b) {
  if (b < a)
    std::swap(a, b);
  uint64_t ends[4] = {a.first, a.first + a.second, b.first, b.first + b.second};
  for (uint64_t &end : ends)
    end = std::min<uint64_t>(end, file.size());
  ends[2] = std::max(ends[1], ends[2]);
  ends[3] = std::max(ends[2], ends[3]);
  uint64_t sum = step(0, checksum(file.first(ends[0])));
  sum = step(sum, checksum(file.subspan(ends[1], ends[2] - ends[1])));
  return step(sum, checksum(file.subspan(ends[3])));
}

} // namespace dojo::image
