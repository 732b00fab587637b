// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Npy/Npy.h"
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace dojo {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

/// Reads the dictionary of the header, a Python literal with three known keys.
#include "dojo/Npy/Npy.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <sys/stat.h>

namespace dojo::npy {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr int64_t maxBytes = int64_t(1) << 40;

// The header: a Python dictionary with the keys descr, fortran_order and shape, in any order.
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
  // Empty, or what is wrong.
  std::string parse(Array &out) {
    if (!take('{'))
      return malformed;
    bool haveDescr = false, haveOrder = false, haveShape = false;
    while (!take('}')) {
      std::string key;
      if (!string(key) || !take(':'))
        return malformed;
      if (key == "descr" && !haveDescr) {
        if (peek() != '\'' && peek() != '"')
          return "holds records, not plain elements";
        if (!string(out.descr))
          return malformed;
        haveDescr = true;
      } else if (key == "fortran_order" && !haveOrder) {
        if (word("True"))
          fortran = true;
        else if (!word("False"))
          return malformed;
        haveOrder = true;
      } else if (key == "shape" && !haveShape) {
        if (!tuple(out.shape))
          return malformed;
        haveShape = true;
      } else {
        return malformed;
      }
      if (!take(',') && peek() != '}')
        return malformed;
    }
    skipSpace();
    if (!haveDescr || !haveOrder || !haveShape || at != text.size())
      return malformed;
    return "";
  }

  bool fortran = false;

private:
  static constexpr const char *malformed = "has a malformed .npy header";

  void skipSpace() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t'))
      ++at;
  }
  char peek() {
    skipSpace();
    return at < text.size() ? text[at] : '\0';
  }
  bool take(char c) {
    if (peek() != c)
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
  bool word(std::string_view w) {
    skipSpace();
    if (text.substr(at, w.size()) != w)
      return false;
    at += w.size();
    return true;
  }
  bool string(std::string &out) {
    char quote = peek();
    if (quote != '\'' && quote != '"')
      return false;
    size_t end = text.find(quote, at + 1);
    if (end == text.npos)
      return false;
    out = text.substr(at + 1, end - at - 1);
    at = end + 1;
    return true;
  }
  bool tuple(std::vector<int64_t> &out) {
    if (!take('('))
      return false;
    while (!take(')')) {
      if (peek() < '0' || peek() > '9' || out.size() == 32)
        return false;
      int64_t value = 0;
      for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
        value = value * 10 + (text[at] - '0');
        if (value > maxBytes)
          return false;
      }
      out.push_back(value);
      if (!take(',') && peek() != ')')
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

  const std::string temporary = path + ".tmp" + std::to_string(getpid());
  std::FILE *file = std::fopen(temporary.c_str(), "wb");
  bool ok = file != nullptr;
  if (ok) {
    std::string start(kMagic);
    start += {char(1), char(0), char(header.size() & 0xff), char(header.size() >> 8)};
    start += header;
    ok = std::fwrite(start.data(), 1, start.size(), file) == start.size() &&
         std::fwrite(array.bytes.data(), 1, array.bytes.size(), file) == array.bytes.size();
    ok &= std::fclose(file) == 0;
    ok = ok && std::rename(temporary.c_str(), path.c_str()) == 0;
  }
  if (!ok) {
    error = "cannot write '" + path + "': " + std::strerror(errno);
    std::remove(temporary.c_str());
  }
  return ok;
}

} // namespace dojo
} // namespace

int64_t descrBytes(const std::string &descr) {
  for (const char *known :
       {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "V1", "V2"})
    if (descr == known)
      return descr[1] - '0';
  return 0;
}

bool descrFits(const std::string &descr, const image::ElementType &type) {
  if (descr == type.numpy)
    return true;
  return type.numpy[0] == 'V' && descr[0] == 'u' && descrBytes(descr) == type.bytes;
}

bool parseNpy(std::span<const uint8_t> file, Array &out, std::string &error) {
  static_assert(std::endian::native == std::endian::little);
  out = Array();
  auto fail = [&](const std::string &what) {
    error = what;
    return false;
  };
  std::string_view text(reinterpret_cast<const char *>(file.data()), file.size());
  if (text.substr(0, magic.size()) != magic)
    return fail("is not a .npy file");
  if (file.size() < 12)
    return fail("is truncated");
  int version = file[6];
  if (version < 1 || version > 3)
    return fail("has the unknown .npy version " + std::to_string(version));
  size_t start = version == 1 ? 10 : 12;
  uint64_t length = file[8] | uint64_t(file[9]) << 8;
  if (version > 1)
    length |= uint64_t(file[10]) << 16 | uint64_t(file[11]) << 24;
  if (length > file.size() - start)
    return fail("is truncated");

  HeaderParser header(text.substr(start, length));
  if (std::string problem = header.parse(out); !problem.empty())
    return fail(problem);
  if (!out.descr.empty() && out.descr[0] == '>' && descrBytes(out.descr.substr(1)) != 1)
    return fail("is big-endian (" + out.descr +
                "); only little-endian files are read: convert it "
                "with a.astype(a.dtype.newbyteorder('<'))");
  if (!out.descr.empty() && std::strchr("<>|=", out.descr[0]))
    out.descr.erase(0, 1);
  int64_t elementBytes = descrBytes(out.descr);
  if (!elementBytes)
    return fail("has elements of the unsupported type '" + out.descr + "'");
  if (header.fortran)
    return fail("is in Fortran order; only C order is read: convert it with "
                "numpy.ascontiguousarray(a)");

  uint64_t bytes = elementBytes;
  bool empty = std::count(out.shape.begin(), out.shape.end(), 0) > 0;
  for (int64_t extent : out.shape) {
    if (empty)
      break;
    bytes *= extent; // both below 2^41
    if (bytes > uint64_t(maxBytes))
      return fail("has the absurd shape " + showShape(out.shape));
  }
  if (empty)
    bytes = 0;
  std::span<const uint8_t> data = file.subspan(start + length);
  if (data.size() != bytes)
    return fail((data.size() < bytes ? "is truncated: it has " : "is too long: it has ") +
                std::to_string(data.size()) + " bytes of data where its shape " +
                showShape(out.shape) + " needs " + std::to_string(bytes));
  out.data.assign(data.begin(), data.end());
  return true;
}

bool readNpy(const std::string &path, Array &out, std::string &error) {
  std::FILE *file = std::fopen(path.c_str(), "rb");
  struct stat status;
  if (!file || fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode)) {
    error = path + ": cannot read the file" +
            (file ? ": it is not a regular file" : std::string(": ") + std::strerror(errno));
    if (file)
      std::fclose(file);
    return false;
  }
  std::vector<uint8_t> bytes(status.st_size);
  size_t read = bytes.empty() ? 0 : std::fread(bytes.data(), 1, bytes.size(), file);
  std::fclose(file);
  bytes.resize(read);
  std::string problem;
  if (parseNpy(bytes, out, problem))
    return true;
  error = path + " " + problem;
  return false;
}

std::string npyHeader(const std::string &descr, std::span<const int64_t> shape) {
  bool ordered = descrBytes(descr) > 1 && descr[0] != 'V';
  std::string text = std::string("{'descr': '") + (ordered ? '<' : '|') + descr +
                     "', 'fortran_order': False, 'shape': (";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  text += shape.size() == 1 ? ",), }" : "), }";
  // Magic, version 1.0, length of the padded text with its newline.
  size_t total = (magic.size() + 4 + text.size() + 1 + 63) / 64 * 64;
  text.append(total - magic.size() - 4 - text.size() - 1, ' ');
  text += '\n';
  std::string header(magic);
  header += '\1';
  header += '\0';
  header += char(text.size() & 255);
  header += char(text.size() >> 8);
  return header + text;
}

std::string showShape(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

} // namespace dojo::npy
