// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "CheckMemory.h"

#include "Checks.h"

#include <algorithm>

namespace dojo::emu {

MemoryCheck::MemoryCheck(const Node &node, uint32_t sramBytes, ReportList &reports)
    : written(sramBytes), reports(reports) {
  for (const Interval &i : node.placed)
    written.set(i.begin, i.end);
}

void MemoryCheck::report(const AccessPlace &who, uint32_t begin, uint32_t end, uint64_t cycle,
                         const Declaration *declaration) {
  Interval missing = unwritten(begin, end);
  if (declaration)
    for (const Interval &i : declaration->ignored)
      if (i.begin <= missing.begin && missing.begin < i.end)
        missing = unwritten(std::min(i.end, end), end);
  if (missing.begin < missing.end)
    reports.add(CheckReport::Kind::UnwrittenRead, missing.begin, missing.end, cycle, who, nullptr);
}

} // namespace dojo::emu
