// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lists of nodes on the command line.
#ifndef DOJO_TOOLS_DOJORUN_NODELIST_H
#define DOJO_TOOLS_DOJORUN_NODELIST_H

#include "dojo/Target/Target.h"

#include <string>
#include <vector>

namespace dojo::run {

/// The usable nodes that a list such as "0,20-25,1:2-3:8" names, ascending: numbers, ranges of
/// numbers, positions row:column, and boxes between two positions, ends included. False with
/// \p error if an item is malformed or leaves the die, or no usable node is named.
[[nodiscard]] bool parseNodeList(const std::string &text, const Target &target,
                                 std::vector<uint32_t> &out, std::string &error);

} // namespace dojo::run

#endif
