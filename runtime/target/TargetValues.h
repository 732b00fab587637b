// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table that ties the keys of a target file to the members of Target.
#ifndef DOJO_RUNTIME_TARGET_TARGETVALUES_H
#define DOJO_RUNTIME_TARGET_TARGETVALUES_H

#include "dojo/Target/Target.h"

#include <span>
#include <variant>

namespace dojo {

using TargetMember =
    std::variant<int64_t Target::*, bool Target::*, std::vector<std::string> Target::*,
                 std::vector<Position> Target::*>;

/// One value of a target file. Numbers and flags must lie in [min, max]; where both are equal, the
/// instruction encoding or the timing rules know no other value.
struct TargetValue {
  const char *key, *unit;
  TargetMember member;
  int64_t min = 0, max = 0;
};

std::span<const TargetValue> targetValues();

} // namespace dojo

#endif
