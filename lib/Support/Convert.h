// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LIB_SUPPORT_CONVERT_H
#define LIB_SUPPORT_CONVERT_H

#include "dojo/Support/Transform.h"

namespace dojo {

/// Converts `count` elements of type `from` at `in` to type `to` at `out`.
void convertElements(const uint8_t *in, ElementType from, uint8_t *out, ElementType to,
                     uint64_t count);

} // namespace dojo

#endif // LIB_SUPPORT_CONVERT_H
