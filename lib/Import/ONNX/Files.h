// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The files an import reads and the one it may write.

#ifndef DOJO_LIB_IMPORT_ONNX_FILES_H
#define DOJO_LIB_IMPORT_ONNX_FILES_H

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>
#include <string>

namespace mlir::dojo::onnximport {

/// Maps files into memory, each once. The contents live as long as the store.
class FileStore {
public:
  /// The contents of the regular file at `path`.
  llvm::Expected<llvm::StringRef> open(llvm::StringRef path);

private:
  llvm::StringMap<std::unique_ptr<llvm::MemoryBuffer>> files;
};

/// Collects constants and writes them as one file at the end.
class SideFile {
public:
  explicit SideFile(llvm::StringRef path) : path(path.str()) {}

  const std::string &getPath() const { return path; }
  /// Returns the offset of `bytes` in the file, a multiple of 64. Equal contents are kept once.
  uint64_t add(llvm::StringRef bytes);
  /// Writes the file beside its place and renames it; does nothing if nothing was added.
  llvm::Error write();

private:
  std::string path;
  std::string contents;
  llvm::StringMap<uint64_t> offsets; // by SHA-256 and length
};

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_FILES_H
