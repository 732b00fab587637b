// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Little-endian tables in sections.
#ifndef DOJO_RUNTIME_IMAGE_BYTES_H
#define DOJO_RUNTIME_IMAGE_BYTES_H

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace dojo::image {

static_assert(std::endian::native == std::endian::little,
              "the image format is little endian and is copied, not converted");

class ByteWriter {
public:
  template <class T> void put(T value) {
    auto *p = reinterpret_cast<const uint8_t *>(&value);
    bytes.insert(bytes.end(), p, p + sizeof(T));
  }
  std::vector<uint8_t> bytes;
};

/// Reads past the end give zero and leave the reader not ok().
class ByteReader {
public:
  explicit ByteReader(std::span<const uint8_t> bytes) : bytes(bytes) {}

  template <class T> T get() {
    T value{};
    if (bytes.size() - at < sizeof(T)) {
      failed = true;
      at = bytes.size();
      return value;
    }
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    at += sizeof(T);
    return value;
  }
  size_t left() const { return bytes.size() - at; }
  bool ok() const { return !failed; }
  /// All read, nothing left.
  bool done() const { return !failed && left() == 0; }

private:
  std::span<const uint8_t> bytes;
  size_t at = 0;
  bool failed = false;
};

} // namespace dojo::image

#endif
