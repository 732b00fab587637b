// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef DOJO_TOOLS_DOJORUN_FORMAT_H
#define DOJO_TOOLS_DOJORUN_FORMAT_H

#include <cstdarg>
#include <cstdio>
#include <string>

namespace dojo::run {

/// What printf would print, up to 511 characters.
[[gnu::format(printf, 1, 2)]] inline std::string format(const char *text, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, text);
  std::vsnprintf(line, sizeof line, text, arguments);
  va_end(arguments);
  return line;
}

} // namespace dojo::run

#endif
