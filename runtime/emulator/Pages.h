// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The memory of all nodes in saved state: page by page, zeros left out, and what several pages hold
// (code, tables, weights that many nodes have) written once.
#ifndef DOJO_EMULATOR_PAGES_H
#define DOJO_EMULATOR_PAGES_H

#include "Archive.h"

namespace dojo::emu {

/// Appends `memory` to `out`.
void savePages(std::span<const uint8_t> memory, std::vector<uint8_t> &out);

/// What savePages wrote, checked; the reader's bytes have to stay until they are placed.
class SavedPages {
public:
  /// False if it does not fill `bytes` bytes of memory exactly.
  [[nodiscard]] bool read(ArchiveReader &a, size_t bytes);
  void place(std::span<uint8_t> memory) const;

private:
  std::vector<uint32_t> numbers; // by page: 0 for zeros, or one more than the index
  std::vector<std::span<const uint8_t>> contents;
};

} // namespace dojo::emu

#endif
