// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Npy/Npy.h"
#include "dojo/Image/OutputFile.h"
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string_view>
#include <sys/stat.h>

namespace dojo {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

/// Reads the dictionary of the header, a Python literal with three known keys.
class HeaderParser {
public:
  explicit HeaderParser(std::string_view text) : text(text) {}

  bool parse(std::string &descr, bool &fortran, std::vector<int64_t> &shape) {
    if (!eat('{'))
      return false;
    bool hasDescr = false, hasOrder = false, hasShape = false;
    while (!eat('}')) {
      std::string key;
      if (!string(key) || !eat(':'))
        return false;
      if (key == "descr")
        hasDescr = string(descr);
      else if (key == "fortran_order")
        hasOrder = boolean(fortran);
      else if (key == "shape")
        hasShape = tuple(shape);
      else
        return false;
      if (!eat(',') && (skip(), at >= text.size() || text[at] != '}'))
        return false;
    }
    return hasDescr && hasOrder && hasShape;
  }

private:
  void skip() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n'))
      ++at;
  }
  bool eat(char c) {
    skip();
    if (at >= text.size() || text[at] != c)
      return false;
    ++at;
    return true;
  }
  bool string(std::string &value) {
    skip();
    if (at >= text.size() || (text[at] != '\'' && text[at] != '"'))
      return false;
    const size_t end = text.find(text[at], at + 1);
    if (end == std::string_view::npos)
      return false;
    value = text.substr(at + 1, end - at - 1);
    at = end + 1;
    return true;
  }
  bool boolean(bool &value) {
    skip();
    for (std::string_view word : {"True", "False"})
      if (text.substr(at, word.size()) == word) {
        value = word == "True";
        at += word.size();
        return true;
      }
    return false;
  }
  bool tuple(std::vector<int64_t> &values) {
    if (!eat('('))
      return false;
    while (!eat(')')) {
      skip();
      int64_t value = 0;
      auto [end, code] = std::from_chars(text.data() + at, text.data() + text.size(), value);
      if (code != std::errc() || value < 0)
        return false;
      at = end - text.data();
      values.push_back(value);
      if (!eat(',') && (skip(), at >= text.size() || text[at] != ')'))
        return false;
    }
    return true;
  }

  std::string_view text;
  size_t at = 0;
};

/// The product of `shape` and `elementBytes` if it is below 2^62.
bool byteCount(const NpyArray &array, uint64_t &bytes) {
  bytes = array.elementBytes();
  for (int64_t d : array.shape)
    if (d == 0) {
      bytes = 0;
      return true;
    }
  for (int64_t d : array.shape) {
    if (bytes > (uint64_t(1) << 62) / uint64_t(d))
      return false;
    bytes *= uint64_t(d);
  }
  return true;
}

} // namespace

uint64_t NpyArray::elementBytes() const {
  uint64_t size = 0;
  if (descr.size() < 2)
    return 0;
  auto [end, code] = std::from_chars(descr.data() + 1, descr.data() + descr.size(), size);
  return code == std::errc() && end == descr.data() + descr.size() && size <= 16 ? size : 0;
}

bool readNpy(const std::string &path, NpyArray &array, std::string &error) {
  auto fail = [&](const std::string &what) {
    error = "'" + path + "': " + what;
    return false;
  };
  struct stat status;
  if (stat(path.c_str(), &status) != 0)
    return fail(std::strerror(errno));
  if (!S_ISREG(status.st_mode))
    return fail("is not a regular file");
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return fail(std::strerror(errno));
  const uint64_t fileBytes = status.st_size;

  char start[10];
  if (!file.read(start, sizeof start) || std::string_view(start, 6) != kMagic)
    return fail("is not a .npy file");
  const unsigned major = uint8_t(start[6]);
  if (major < 1 || major > 3)
    return fail("has the .npy format version " + std::to_string(major) + "; 1 to 3 are read");
  uint64_t headerBytes = uint8_t(start[8]) | uint8_t(start[9]) << 8;
  uint64_t headerStart = 10;
  if (major > 1) {
    char high[2];
    if (!file.read(high, 2))
      return fail("ends within its header");
    headerBytes |= uint64_t(uint8_t(high[0])) << 16 | uint64_t(uint8_t(high[1])) << 24;
    headerStart = 12;
  }
  if (headerBytes > fileBytes - headerStart)
    return fail("ends within its header");
  std::string header(headerBytes, '\0');
  if (!file.read(header.data(), headerBytes))
    return fail("ends within its header");

  array = NpyArray();
  std::string descr;
  bool fortran = false;
  if (!HeaderParser(header).parse(descr, fortran, array.shape))
    return fail("has a header that is not understood (structured types are not supported)");
  if (fortran && array.shape.size() > 1)
    return fail("is in Fortran order; save it with numpy.ascontiguousarray");
  if (descr.starts_with('>'))
    return fail("is big-endian; save it with array.astype(array.dtype.newbyteorder('<'))");
  if (descr.starts_with('<') || descr.starts_with('|') || descr.starts_with('='))
    descr.erase(0, 1);
  array.descr = descr;
  if (descr.empty() || std::string_view("fiubV").find(descr[0]) == std::string_view::npos ||
      array.elementBytes() == 0)
    return fail("has the type '" + descr + "', which is not supported");
  uint64_t bytes;
  if (!byteCount(array, bytes) || bytes != fileBytes - headerStart - headerBytes)
    return fail("has " + std::to_string(fileBytes - headerStart - headerBytes) +
                " bytes of data, which does not fit the shape in its header");
  array.bytes.resize(bytes);
  if (!file.read(reinterpret_cast<char *>(array.bytes.data()), bytes))
    return fail("cannot be read to its end");
  return true;
}

bool writeNpy(const std::string &path, const NpyArray &array, std::string &error) {
  std::string shape;
  for (int64_t d : array.shape)
    shape += std::to_string(d) + (array.shape.size() == 1 ? "," : ", ");
  if (array.shape.size() > 1)
    shape.resize(shape.size() - 2);
  const char *order = array.elementBytes() == 1 || array.descr[0] == 'V' ? "|" : "<";
  std::string header = "{'descr': '" + (order + array.descr) +
                       "', 'fortran_order': False, 'shape': (" + shape + "), }";
  // The data start at a multiple of 64 bytes; the header ends with a line break.
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';

  const std::string temporary = temporaryFor(path);
  std::FILE *file = std::fopen(temporary.c_str(), "wb");
  bool ok = file != nullptr;
  if (ok) {
    std::string start(kMagic);
    start += {char(1), char(0), char(header.size() & 0xff), char(header.size() >> 8)};
    start += header;
    ok = std::fwrite(start.data(), 1, start.size(), file) == start.size() &&
         std::fwrite(array.bytes.data(), 1, array.bytes.size(), file) == array.bytes.size();
    ok &= std::fclose(file) == 0;
    ok = ok && keepTemporary(temporary, path);
  }
  if (!ok) {
    error = "cannot write '" + path + "': " + std::strerror(errno);
    dropTemporary(temporary, path);
  }
  return ok;
}

} // namespace dojo
