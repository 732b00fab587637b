// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds reads of bytes that nothing has written since the loader placed the image and the inputs.
// Code may load what its segment declares to be without effect, such as what lies behind the last
// element of a block; what it then stores counts as written.
#ifndef DOJO_EMULATOR_CHECKMEMORY_H
#define DOJO_EMULATOR_CHECKMEMORY_H

#include "WrittenBytes.h"
#include "dojo/Emulator/Checks.h"
#include "dojo/Emulator/Machine.h"

namespace dojo::emu {

class Node;
struct Declaration;
class ReportList;

class MemoryCheck {
public:
  MemoryCheck(const Node &node, uint32_t sramBytes, ReportList &reports);

  /// `declaration`: of the code that makes the access, or null.
  void access(const AccessPlace &who, uint32_t address, uint32_t bytes, uint64_t cycle,
              const Declaration *declaration) {
    if (who.kind == AccessPlace::Kind::Store || who.kind == AccessPlace::Kind::TransferWrite)
      written.set(address, address + bytes);
    else if (written.firstClear(address, address + bytes) != address + bytes)
      report(who, address, address + bytes, cycle, declaration);
  }
  /// The first bytes of [begin, end) that are not written; empty: all are.
  Interval unwritten(uint32_t begin, uint32_t end) const {
    uint32_t first = written.firstClear(begin, end);
    return {first, written.firstSet(first, end)};
  }
  uint64_t hostBytes() const { return written.hostBytes(); }

private:
  void report(const AccessPlace &who, uint32_t begin, uint32_t end, uint64_t cycle,
              const Declaration *declaration);

  WrittenBytes written;
  ReportList &reports;
};

} // namespace dojo::emu

#endif
