// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A node's addresses, divided wherever code, a layer, or a declaration of accesses begins or ends.
// Nodes that were given the same share the division.
#ifndef DOJO_EMULATOR_CODERANGES_H
#define DOJO_EMULATOR_CODERANGES_H

#include "Code.h"
#include "dojo/Emulator/Machine.h"

namespace dojo::emu {

/// Accesses that code in [begin, end) may make.
struct Declaration {
  uint32_t begin = 0, end = 0;
  std::vector<Interval> reads, writes; // by address, merged
  std::vector<Interval> ignored;       // part of `reads`: loads there have no effect
};

/// Addresses [begin, end) that are all alike.
struct CodeRange {
  uint32_t begin = 1, end = 0;
  int32_t layer = -1;                       // as PcRange::layer
  const CodeImage *image = nullptr;         // null: no code
  const Declaration *declaration = nullptr; // null: none
  const CodeRange *next = nullptr;          // begins at `end`; the last one's is itself
  bool holds(uint32_t pc) const { return pc >= begin && pc < end; }
};

/// Holds nothing.
inline const CodeRange noCodeRange = {.next = &noCodeRange};

/// Its ranges stay where they are.
class CodeRanges {
public:
  /// All three by address, without overlaps. What is pointed to has to live as long.
  struct Parts {
    std::vector<CodeSegment> segments;
    std::shared_ptr<const std::vector<PcRange>> layers; // null: none
    std::vector<std::shared_ptr<const Declaration>> declarations;
    auto operator<=>(const Parts &) const = default;
  };
  explicit CodeRanges(const Parts &parts);
  CodeRanges(const CodeRanges &) = delete;
  CodeRanges &operator=(const CodeRanges &) = delete;

  /// The range that holds `pc`, any but the greatest address; fastest if it is `other`, or follows
  /// `current` or `other`.
  const CodeRange &find(uint32_t pc, const CodeRange &current, const CodeRange &other) const {
    for (const CodeRange *near : {&other, current.next, other.next})
      if (near->holds(pc))
        return *near;
    return ranges[search(pc)];
  }

private:
  size_t search(uint32_t pc) const;

  std::vector<CodeRange> ranges; // without gaps
  std::vector<uint32_t> begins;  // of the ranges: all that a search has to look at
};

} // namespace dojo::emu

#endif
