// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers, names and their sums and products: 64, 0x40, buffer + 2 * stride, @1:3 (the number of
// the node in row 1, column 3).
#ifndef DOJO_ASSEMBLER_EXPRESSION_H
#define DOJO_ASSEMBLER_EXPRESSION_H

#include "dojo/Target/Target.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dojo::assembler {

/// The value of a name, or nothing.
using NameLookup = std::function<std::optional<int64_t>(std::string_view)>;

/// Largest magnitude of an expression and of everything inside it.
constexpr int64_t maxValue = int64_t(1) << 40;

/// Evaluates an expression; nothing with a reason if it cannot.
std::optional<int64_t> evaluate(std::string_view text, const Target &target,
                                const NameLookup &lookup, std::string &error);

/// Reads a node set: `all`, numbers and positions @ROW:COLUMN between spaces, either of both a
/// range FIRST..LAST. Positions of a range that are not usable are left out; one that is named
/// alone must be usable. The nodes ascend.
bool parseNodeSet(std::string_view text, const Target &target, std::vector<int64_t> &out,
                  std::string &error);

/// Letters, digits, '_', '.', '$', not starting with a digit.
bool isName(std::string_view text);

std::string_view trim(std::string_view text);

/// Splits at a separator outside quotes and trims the parts; an empty text has none.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Splits at runs of blanks.
std::vector<std::string_view> words(std::string_view text);

} // namespace dojo::assembler

#endif
