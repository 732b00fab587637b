// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SHA-256 (FIPS 180-4).
#ifndef DOJO_TARGET_SHA256_H
#define DOJO_TARGET_SHA256_H

#include <string>
#include <string_view>

namespace dojo {

/// The digest of \p bytes as 64 lower-case hex digits.
std::string sha256Hex(std::string_view bytes);

} // namespace dojo

#endif
