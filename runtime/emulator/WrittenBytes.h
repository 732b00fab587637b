// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which bytes of a node's memory hold something: a bit each.
#ifndef DOJO_EMULATOR_WRITTENBYTES_H
#define DOJO_EMULATOR_WRITTENBYTES_H

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace dojo::emu {

class WrittenBytes {
public:
  /// Nothing is written. The host gives pages when bits are first set.
  explicit WrittenBytes(uint32_t bytes)
      : words(static_cast<uint64_t *>(std::calloc(bytes / 64 + 1, sizeof(uint64_t))), std::free),
        numWords(bytes / 64 + 1) {
    if (!words)
      throw std::bad_alloc();
  }

  void set(uint32_t begin, uint32_t end) {
    forWords(begin, end, [](uint64_t &word, uint64_t mask) {
      word |= mask;
      return true;
    });
  }
  void clear(uint32_t begin, uint32_t end) {
    forWords(begin, end, [](uint64_t &word, uint64_t mask) {
      word &= ~mask;
      return true;
    });
  }
  /// The first byte of [begin, end) that is not written; `end` if all are.
  uint32_t firstClear(uint32_t begin, uint32_t end) const {
    uint32_t found = end;
    forWords(begin, end, [&](uint64_t &word, uint64_t mask) {
      uint64_t clear = mask & ~word;
      if (clear)
        found = static_cast<uint32_t>(&word - words.get()) * 64 +
                static_cast<uint32_t>(std::countr_zero(clear));
      return clear == 0;
    });
    return found;
  }
  /// The first byte of [begin, end) that is written; `end` if none is.
  uint32_t firstSet(uint32_t begin, uint32_t end) const {
    uint32_t found = end;
    forWords(begin, end, [&](uint64_t &word, uint64_t mask) {
      uint64_t set = mask & word;
      if (set)
        found = static_cast<uint32_t>(&word - words.get()) * 64 +
                static_cast<uint32_t>(std::countr_zero(set));
      return set == 0;
    });
    return found;
  }
  uint64_t hostBytes() const { return numWords * sizeof(uint64_t); }

private:
  // Calls f(word, mask) for the words of [begin, end), until it gives false.
  template <typename F> void forWords(uint32_t begin, uint32_t end, F f) const {
    while (begin < end) {
      uint32_t low = begin % 64, count = end - begin < 64 - low ? end - begin : 64 - low;
      uint64_t mask = (count == 64 ? ~uint64_t(0) : (uint64_t(1) << count) - 1) << low;
      if (!f(words[begin / 64], mask))
        return;
      begin += count;
    }
  }

  std::unique_ptr<uint64_t[], void (*)(void *)> words;
  uint64_t numWords;
};

} // namespace dojo::emu

#endif
