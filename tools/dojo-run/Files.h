// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Output files, all or none.
#ifndef DOJO_TOOLS_DOJORUN_FILES_H
#define DOJO_TOOLS_DOJORUN_FILES_H

#include "dojo/Image/Image.h"

#include <map>
#include <string>
#include <vector>

namespace dojo::run {

/// "NAME.npy" with every character outside A-Za-z0-9._- replaced by '_'.
std::string outputFileName(const std::string &name);

/// File names of all outputs, by output. False with \p error if two outputs would share one.
[[nodiscard]] bool outputFileNames(const std::vector<image::TensorRef> &outputs,
                                   std::map<std::string, std::string> &out, std::string &error);

/// Files that are written aside and take their names together. Destruction without a commit leaves
/// none of them.
class FileSet {
public:
  FileSet() = default;
  FileSet(const FileSet &) = delete;
  FileSet &operator=(const FileSet &) = delete;
  ~FileSet();

  /// Makes sure that \p path can be written. Index of the file, or -1 with \p error.
  int add(const std::string &path, std::string &error);
  /// Where the content of a file is to be written.
  const std::string &temporary(int index) const { return files[index].temporary; }
  /// Writes the content of a file.
  [[nodiscard]] bool write(int index, const std::string &content, std::string &error);
  /// Renames all files. On failure none is left.
  [[nodiscard]] bool commit(std::string &error);

private:
  struct File {
    std::string path, temporary;
  };
  std::vector<File> files;
  bool committed = false;
};

} // namespace dojo::run

#endif
