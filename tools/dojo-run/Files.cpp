// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Files.h"

#include "dojo/Image/OutputFile.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace dojo::run {

std::string outputFileName(const std::string &name) {
  std::string file;
  for (char c : name) {
    bool keep = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                c == '.' || c == '_' || c == '-';
    file += keep ? c : '_';
  }
  return file + ".npy";
}

bool outputFileNames(const std::vector<image::TensorRef> &outputs,
                     std::map<std::string, std::string> &out, std::string &error) {
  std::map<std::string, std::string> ownerOf;
  for (const image::TensorRef &output : outputs) {
    std::string file = outputFileName(output.name);
    auto [owner, added] = ownerOf.try_emplace(file, output.name);
    if (!added) {
      error = "the outputs '" + owner->second + "' and '" + output.name +
              "' would both be written to " + file;
      return false;
    }
    out[output.name] = file;
  }
  return true;
}

static std::string cannotWrite(const std::string &path) {
  return "cannot write '" + path + "': " + std::strerror(errno);
}

FileSet::~FileSet() {
  if (!committed)
    for (const File &file : files)
      dropTemporary(file.temporary, file.path);
}

int FileSet::add(const std::string &path, std::string &error) {
  std::string temporary = temporaryFor(path);
  std::FILE *file = std::fopen(temporary.c_str(), "wb");
  if (!file) {
    error = cannotWrite(path);
    return -1;
  }
  std::fclose(file);
  files.push_back({path, temporary});
  return int(files.size()) - 1;
}

bool FileSet::write(int index, const std::string &content, std::string &error) {
  std::FILE *file = std::fopen(files[index].temporary.c_str(), "wb");
  bool good = file && std::fwrite(content.data(), 1, content.size(), file) == content.size();
  if (file && std::fclose(file) != 0)
    good = false;
  if (!good)
    error = cannotWrite(files[index].path);
  return good;
}

bool FileSet::commit(std::string &error) {
  for (size_t i = 0; i < files.size(); ++i)
    if (!keepTemporary(files[i].temporary, files[i].path)) {
      error = cannotWrite(files[i].path);
      for (size_t k = 0; k < i; ++k)
        dropTemporary(files[k].path, files[k].temporary);
      return false;
    }
  committed = true;
  return true;
}

} // namespace dojo::run
