// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Saved state as a stream of fields. A class with state has one function that names its fields,
//   template <class Archive> void archive(Archive &a)
// which writes them with an ArchiveWriter and reads them with an ArchiveReader; what a reader has
// to check stands between them as a.require(...). Integers are little-endian groups of 7 bits, the
// highest bit set in all but the last.
#ifndef DOJO_EMULATOR_ARCHIVE_H
#define DOJO_EMULATOR_ARCHIVE_H

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace dojo::emu {

static_assert(std::endian::native == std::endian::little, "words are copied, not converted");

class ArchiveWriter {
public:
  static constexpr bool reading = false;
  /// `now`: the cycle up to which everything has happened.
  ArchiveWriter(std::vector<uint8_t> &out, uint64_t now) : out(out), now(now) {}

  template <class T> void operator()(T value) { put(static_cast<uint64_t>(value)); }
  /// A cycle before which something is not ready; in the past it is all the same.
  void readyAt(uint64_t cycle, uint64_t = 0) { put(cycle >= now ? cycle - now + 1 : 0); }
  /// A cycle that may be `never`.
  void cycle(uint64_t value) { put(value + 1); }
  void words(const void *data, size_t bytes) {
    auto *p = static_cast<const uint8_t *>(data);
    out.insert(out.end(), p, p + bytes);
  }
  void text(const std::string &s) {
    put(s.size());
    out.insert(out.end(), s.begin(), s.end());
  }
  /// The number of elements that follow.
  size_t count(size_t n, size_t) {
    put(n);
    return n;
  }
  void require(bool) {}
  bool ok() const { return true; }

private:
  void put(uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      out.push_back(static_cast<uint8_t>(value | 0x80));
    out.push_back(static_cast<uint8_t>(value));
  }

  std::vector<uint8_t> &out;
  const uint64_t now;
};

/// Once something was missing or wrong it is not ok() and gives zeros.
class ArchiveReader {
public:
  static constexpr bool reading = true;
  /// No cycle is later, so that sums of two do not overflow.
  static constexpr uint64_t maxCycle = uint64_t(1) << 60;

  ArchiveReader(std::span<const uint8_t> bytes, uint64_t now) : bytes(bytes), now(now) {}

  template <class T> void operator()(T &value) {
    uint64_t raw = get();
    value = static_cast<T>(raw);
    if constexpr (std::is_signed_v<T>)
      require(value >= 0);
    if constexpr (std::is_same_v<T, bool>)
      require(raw <= 1);
    else
      require(static_cast<uint64_t>(value) == raw);
    if (failed)
      value = T();
  }
  void readyAt(uint64_t &cycle, uint64_t longest = maxCycle) {
    uint64_t wait = get();
    require(wait <= longest);
    cycle = wait && !failed ? now + wait - 1 : 0;
  }
  void cycle(uint64_t &value) {
    value = get() - 1;
    require(value <= maxCycle || value == std::numeric_limits<uint64_t>::max());
  }
  void words(void *data, size_t size) {
    require(size <= left());
    if (failed)
      return;
    std::memcpy(data, bytes.data() + at, size);
    at += size;
  }
  void text(std::string &s) {
    s.assign(count(0, 1 << 16), '\0');
    words(s.data(), s.size());
  }
  /// At most `limit`, nor more than there are bytes left.
  size_t count(size_t, size_t limit) {
    uint64_t n = get();
    require(n <= limit && n <= left());
    return failed ? 0 : static_cast<size_t>(n);
  }
  void require(bool good) { failed |= !good; }
  bool ok() const { return !failed; }
  size_t left() const { return bytes.size() - at; }
  /// The next `size` bytes, which stay where they are.
  std::span<const uint8_t> take(size_t size) {
    require(size <= left());
    if (failed)
      return {};
    at += size;
    return bytes.subspan(at - size, size);
  }
  void setNow(uint64_t cycle) { now = cycle; }

private:
  uint64_t get() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !failed; shift += 7) {
      require(at < bytes.size());
      if (failed)
        return 0;
      uint8_t byte = bytes[at++];
      value |= uint64_t(byte & 0x7F) << shift;
      require(shift < 63 || byte <= 1);
      if (byte < 0x80)
        return failed ? 0 : value;
    }
    failed = true;
    return 0;
  }

  std::span<const uint8_t> bytes;
  uint64_t now;
  size_t at = 0;
  bool failed = false;
};

} // namespace dojo::emu

#endif
