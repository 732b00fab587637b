// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sets of bytes of one node's SRAM: strided runs, and bitmaps with one bit a byte.
#ifndef DOJO_LIB_VERIFY_STRIDED_H
#define DOJO_LIB_VERIFY_STRIDED_H

#include "dojo/ISA/Descriptor.h"
#include "dojo/Image/Image.h"

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <span>
#include <vector>

namespace dojo::verify {

/// Addresses [lo, hi).
struct Interval {
  int64_t lo, hi;
  friend auto operator<=>(const Interval &, const Interval &) = default;
};

/// count[0] x count[1] x count[2] runs of `bytes` bytes from `address`.
struct Strided {
  int64_t address = 0, bytes = 0;
  std::array<int64_t, 3> count = {1, 1, 1}, stride = {0, 0, 0};

  static Strided of(const image::Region &region);
  static Strided localOf(const isa::Descriptor &d);
  static Strided remoteOf(const isa::Descriptor &d);

  bool empty() const { return bytes == 0 || !count[0] || !count[1] || !count[2]; }
  /// [lo, hi) holds all bytes; saturates far outside of any SRAM. Not for empty sets.
  void bounds(int64_t &lo, int64_t &hi) const;
  /// The same bytes in the fewest and longest runs, strides positive and ascending. The bounds must
  /// lie in SRAM.
  Strided simplified() const;
  /// Of a simplified set: runs do not overlap. May be false for some that do not either.
  bool clearlyDisjoint() const;
  int64_t runs() const { return count[0] * count[1] * count[2]; }

  /// Calls fn(lo, hi) for each run until it returns false; false if one did.
  template <typename Fn> bool eachRun(Fn fn) const {
    for (int64_t i2 = 0; i2 < count[2]; ++i2)
      for (int64_t i1 = 0; i1 < count[1]; ++i1) {
        int64_t at = address + i2 * stride[2] + i1 * stride[1];
        for (int64_t i0 = 0; i0 < count[0]; ++i0, at += stride[0])
          if (!fn(at, at + bytes))
            return false;
      }
    return true;
  }
};

/// Bytes either as strided runs or as a list, which must outlive this.
class ByteSet {
public:
  ByteSet(const Strided &strided) : strided(strided) {}
  ByteSet(std::span<const Interval> list) : list(list), listed(true) {}

  bool empty() const { return listed ? list.empty() : strided.empty(); }
  int64_t runs() const { return listed ? int64_t(list.size()) : strided.runs(); }
  void bounds(int64_t &lo, int64_t &hi) const {
    if (!listed)
      return strided.bounds(lo, hi);
    lo = list.front().lo, hi = list.back().hi;
  }
  /// Calls fn(lo, hi) for each run until it returns false; false if one did.
  template <typename Fn> bool eachRun(Fn fn) const {
    if (!listed)
      return strided.eachRun(fn);
    for (const Interval &i : list)
      if (!fn(i.lo, i.hi))
        return false;
    return true;
  }

private:
  Strided strided;
  std::span<const Interval> list; // ascending
  bool listed = false;
};

/// Calls fn(lo, hi) for each run of a tensor box's bytes until it returns false; false if one did.
template <typename Fn> bool eachRun(const image::Box &box, int64_t elementBytes, Fn fn) {
  size_t rank = box.size.size();
  int64_t bytes = elementBytes;
  while (rank > 0 && (box.size[rank - 1] == 1 || box.strides[rank - 1] == bytes))
    bytes *= box.size[--rank];
  std::vector<int64_t> at(rank, 0);
  int64_t address = box.address;
  for (;;) {
    if (!fn(address, address + bytes))
      return false;
    size_t d = rank;
    while (d > 0) {
      --d;
      address += box.strides[d];
      if (++at[d] < box.size[d])
        break;
      address -= box.size[d] * box.strides[d];
      at[d] = 0;
      if (d == 0)
        return true;
    }
    if (rank == 0)
      return true;
  }
}

/// The bytes of a box end before this address.
inline int64_t endOf(const image::Box &box, int64_t elementBytes) {
  int64_t end = box.address + elementBytes;
  for (size_t d = 0; d < box.size.size(); ++d)
    end += (box.size[d] - 1) * box.strides[d];
  return end;
}

/// A set of byte addresses.
class Bitmap {
public:
  explicit Bitmap(int64_t size = 0) : words((size + 63) / 64) {}

  /// Sets [lo, hi); true if a bit of it was set before.
  bool set(int64_t lo, int64_t hi) {
    uint64_t before = 0;
    eachWord(lo, hi, [&](size_t w, uint64_t mask) {
      before |= words[w] & mask;
      words[w] |= mask;
      return true;
    });
    return before != 0;
  }
  void clear(int64_t lo, int64_t hi) {
    eachWord(lo, hi, [&](size_t w, uint64_t mask) {
      words[w] &= ~mask;
      return true;
    });
  }
  /// Bits of up to 64 addresses from lo on.
  uint64_t bits(int64_t lo, unsigned count) const {
    size_t w = size_t(lo) / 64, shift = size_t(lo) % 64;
    uint64_t value = words[w] >> shift;
    if (shift + count > 64)
      value |= words[w + 1] << (64 - shift);
    return count < 64 ? value & ((uint64_t(1) << count) - 1) : value;
  }
  /// Sets those of the 64 addresses from lo on whose bit is set in `mask`.
  void setBits(int64_t lo, uint64_t mask) {
    size_t w = size_t(lo) / 64, shift = size_t(lo) % 64;
    words[w] |= mask << shift;
    if (shift && mask >> (64 - shift))
      words[w + 1] |= mask >> (64 - shift);
  }
  void clearBits(int64_t lo, uint64_t mask) {
    size_t w = size_t(lo) / 64, shift = size_t(lo) % 64;
    words[w] &= ~(mask << shift);
    if (shift && mask >> (64 - shift))
      words[w + 1] &= ~(mask >> (64 - shift));
  }
  /// The maximal runs of the set inside [lo, hi).
  std::vector<Interval> intervals(int64_t lo, int64_t hi) const {
    std::vector<Interval> list;
    for (int64_t at = lo; at < hi && (at = firstSet(at, hi)) >= 0;) {
      int64_t end = firstClear(at, hi);
      if (end < 0)
        end = hi;
      list.push_back({at, end});
      at = end;
    }
    return list;
  }
  /// The first address of [lo, hi) that is (not) in the set, or -1.
  int64_t firstSet(int64_t lo, int64_t hi) const { return first(lo, hi, 0); }
  int64_t firstClear(int64_t lo, int64_t hi) const { return first(lo, hi, ~uint64_t(0)); }

private:
  template <typename Fn> void eachWord(int64_t lo, int64_t hi, Fn fn) const {
    if (lo >= hi)
      return;
    size_t w = size_t(lo) / 64, last = size_t(hi - 1) / 64;
    uint64_t mask = ~uint64_t(0) << (lo % 64);
    for (; w < last; ++w, mask = ~uint64_t(0))
      if (!fn(w, mask))
        return;
    fn(w, mask & (~uint64_t(0) >> (63 - (hi - 1) % 64)));
  }
  int64_t first(int64_t lo, int64_t hi, uint64_t flip) const {
    int64_t found = -1;
    eachWord(lo, hi, [&](size_t w, uint64_t mask) {
      if (uint64_t hit = (words[w] ^ flip) & mask)
        found = int64_t(w) * 64 + std::countr_zero(hit);
      return found < 0;
    });
    return found;
  }

  std::vector<uint64_t> words;
};

} // namespace dojo::verify

#endif
