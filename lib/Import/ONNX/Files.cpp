// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Files.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace mlir::dojo::onnximport {

static Error fileError(StringRef path, std::error_code code) {
  return createStringError(code, "'" + path + "': " + code.message());
}

Expected<StringRef> FileStore::open(StringRef path) {
  auto it = files.find(path);
  if (it != files.end())
    return it->second->getBuffer();
  sys::fs::file_status status;
  if (std::error_code code = sys::fs::status(path, status))
    return fileError(path, code);
  if (!sys::fs::is_regular_file(status))
    return createStringError("'" + path + "' is not a regular file");
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return fileError(path, buffer.getError());
  return (files[path] = std::move(*buffer))->getBuffer();
}

uint64_t SideFile::add(StringRef bytes) {
  auto hash = SHA256::hash(arrayRefFromStringRef(bytes));
  std::string key(reinterpret_cast<const char *>(hash.data()), hash.size());
  key += std::to_string(bytes.size());
  auto [it, isNew] = offsets.try_emplace(key, alignTo(contents.size(), 64));
  if (isNew) {
    contents.resize(it->second, '\0');
    contents.append(bytes.data(), bytes.size());
  }
  return it->second;
}

Error SideFile::write() {
  if (offsets.empty())
    return Error::success();
  if (path.empty())
    return createStringError("the model needs a file for computed constants, and none was named");
  Error error = writeToOutput(path, [&](raw_ostream &os) {
    os << contents;
    return Error::success();
  });
  if (error)
    return createStringError("cannot write '" + path + "': " + toString(std::move(error)));
  return Error::success();
}

} // namespace mlir::dojo::onnximport
