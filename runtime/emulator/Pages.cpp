// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Pages.h"

#include <string_view>
#include <unordered_map>

namespace dojo::emu {

namespace {

constexpr size_t pageBytes = 1024;

size_t sizeOfPage(size_t page, size_t total) {
  return std::min(pageBytes, total - page * pageBytes);
}

bool isZero(std::span<const uint8_t> bytes) {
  // Equal to itself one byte on, and the first is zero.
  return bytes.empty() ||
         (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

} // namespace

// For each page: 0 for zeros, else the number of its content, from 1 on; a number that is new is
// followed by the content.
void savePages(std::span<const uint8_t> memory, std::vector<uint8_t> &out) {
  std::unordered_map<std::string_view, uint32_t> known;
  std::vector<uint32_t> numbers((memory.size() + pageBytes - 1) / pageBytes);
  auto content = [memory](size_t page) {
    return memory.subspan(page * pageBytes, sizeOfPage(page, memory.size()));
  };
  for (size_t page = 0; page < numbers.size(); ++page)
    if (auto bytes = content(page); !isZero(bytes)) {
      std::string_view key(reinterpret_cast<const char *>(bytes.data()), bytes.size());
      auto number = static_cast<uint32_t>(known.size() + 1);
      numbers[page] = known.try_emplace(key, number).first->second;
    }
  // There may be little memory left: no more than is needed.
  out.reserve(out.size() + known.size() * pageBytes + 5 * numbers.size() + 64);
  ArchiveWriter a(out, 0);
  uint32_t written = 0;
  for (size_t page = 0; page < numbers.size(); ++page) {
    a(numbers[page]);
    if (numbers[page] <= written)
      continue;
    ++written;
    a.words(content(page).data(), content(page).size());
  }
}

bool SavedPages::read(ArchiveReader &a, size_t bytes) {
  size_t pages = (bytes + pageBytes - 1) / pageBytes;
  a.require(pages <= a.left());
  numbers.resize(a.ok() ? pages : 0);
  for (size_t page = 0; page < numbers.size() && a.ok(); ++page) {
    size_t size = sizeOfPage(page, bytes);
    a(numbers[page]);
    a.require(numbers[page] <= contents.size() + 1);
    if (numbers[page] == contents.size() + 1)
      contents.push_back(a.take(size));
    if (a.ok() && numbers[page])
      a.require(contents[numbers[page] - 1].size() == size);
  }
  return a.ok();
}

void SavedPages::place(std::span<uint8_t> memory) const {
  for (size_t page = 0; page < numbers.size(); ++page) {
    std::span<uint8_t> bytes = memory.subspan(page * pageBytes, sizeOfPage(page, memory.size()));
    // Pages that were never touched are left to the host.
    if (numbers[page])
      std::memcpy(bytes.data(), contents[numbers[page] - 1].data(), bytes.size());
    else if (!isZero(bytes))
      std::memset(bytes.data(), 0, bytes.size());
  }
}

} // namespace dojo::emu
