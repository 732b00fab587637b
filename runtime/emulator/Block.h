// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code translated for the fast engine: blocks of instructions that follow each other, up to and
// including a branch, a wait or a signal. What starts lists, halts or predicates is in no block.
// Nodes that share code share its blocks.
#ifndef DOJO_EMULATOR_BLOCK_H
#define DOJO_EMULATOR_BLOCK_H

#include "NativeCode.h"

#include "dojo/Emulator/Machine.h"

#include <atomic>
#include <cstddef>
#include <mutex>

namespace dojo::emu {

class Translation;

/// What every run of it looks at comes first, in one line of the host's cache.
struct alignas(64) Block {
  uint32_t begin = 0, end = 0; // addresses
  const Op *first = nullptr;   // of `ops`
  uint32_t lastPc = 0;         // of the last instruction
  uint32_t vectorsWritten = 0; // bits
  uint32_t firstLine = 0;
  uint16_t numOps = 0, matrixSteps = 0, simdOperations = 0;
  uint8_t numLines = 0;
  ControlKind ending = ControlKind::None; // of the branch, wait or signal at the end
  bool cut = false;                       // would be longer but for the end of the range
  bool usesAccumulators = false;
  uint8_t wrongGuesses = 0; // of the branch at the end: bit 0 if it is not taken, bit 1 if it is
  // Of the same code, what followed first, if it did: most have but one.
  mutable std::atomic<const Block *> next = nullptr;
  // Once it has often been run. Host threads count seldom, so as not to take the line from each
  // other.
  mutable std::atomic<const NativeCode *> native = nullptr;
  alignas(64) mutable std::atomic<uint32_t> samples = 0;
  mutable std::atomic<bool> asked = false; // for native code

  std::vector<Op> ops; // with handlers
  Translation *owner = nullptr;
  const Block *otherCut = nullptr; // begins here, too
  /// Of each op: the code lines it lies in, as distances from the block's first.
  struct Lines {
    uint8_t first, last;
  };
  std::vector<Lines> lines;

  bool guessedWrong(bool taken) const { return wrongGuesses >> taken & 1; }
  /// Whether it is the block of its address for code that goes on up to `limit`.
  bool fits(uint32_t limit) const { return end <= limit && (!cut || end == limit); }
};
static_assert(offsetof(Block, samples) == 64);

/// The blocks of one piece of code, made when they are first asked for. Thread-safe.
class Translation {
public:
  Translation(const CodeImage &image, const Parameters &parameters, HostPath path);
  Translation(const Translation &) = delete;
  Translation &operator=(const Translation &) = delete;

  /// The block that begins at `pc` and ends by `limit`; null if there is none.
  const Block *find(uint32_t pc, uint32_t limit) {
    for (const Block *b = blocks[(pc - address) / 4].load(std::memory_order_acquire); b;
         b = b->otherCut)
      if (b->fits(limit))
        return b->ops.empty() ? nullptr : b;
    return make(pc, limit);
  }

  /// The native code for a block that is run now, if it is to have some.
  static const NativeCode *native(const Block &block, Tier tier, uint32_t &blocksRun) {
    if (tier == Tier::Handlers)
      return nullptr;
    if (const NativeCode *code = block.native.load(std::memory_order_acquire))
      return code;
    constexpr uint32_t sampled = 16, many = 2048 / sampled; // one of `sampled` times is counted
    if (tier == Tier::Mixed && ++blocksRun % sampled != 0)
      return nullptr;
    if (block.asked.load(std::memory_order_relaxed))
      return nullptr;
    bool hot =
        tier == Tier::Native || block.samples.fetch_add(1, std::memory_order_relaxed) + 1 >= many;
    if (hot && !block.asked.exchange(true, std::memory_order_relaxed))
      block.owner->write(block);
    return block.native.load(std::memory_order_acquire);
  }

  const HostPath path;

private:
  void write(const Block &block);
  const Block *make(uint32_t pc, uint32_t limit);

  const CodeImage &image;
  const uint32_t address;
  const Parameters &p;
  std::vector<std::atomic<const Block *>> blocks; // one for every 4 bytes
  std::mutex making;
  std::vector<std::unique_ptr<const Block>> owned;
  std::vector<std::unique_ptr<const NativeCode>> written;
};

} // namespace dojo::emu

#endif
