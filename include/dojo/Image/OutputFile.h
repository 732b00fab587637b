// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Output files appear whole or not at all: they are written under another name and renamed. What is
// there and no file, such as /dev/null or a pipe, is written to directly and never replaced.
#ifndef DOJO_IMAGE_OUTPUTFILE_H
#define DOJO_IMAGE_OUTPUTFILE_H

#include <cstdio>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace dojo {

/// The name to write `path` under; `path` itself if that is no file.
inline std::string temporaryFor(const std::string &path) {
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
    return path;
  return path + "." + std::to_string(getpid()) + ".part";
}

/// Gives a finished temporary its name. False with errno.
inline bool keepTemporary(const std::string &temporary, const std::string &path) {
  return temporary == path || std::rename(temporary.c_str(), path.c_str()) == 0;
}

inline void dropTemporary(const std::string &temporary, const std::string &path) {
  if (temporary != path)
    std::remove(temporary.c_str());
}

} // namespace dojo

#endif
