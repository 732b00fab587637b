// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading and writing of NumPy's .npy files (format versions 1 to 3), little-endian and row-major.

#ifndef DOJO_NPY_NPY_H
#define DOJO_NPY_NPY_H

#include <cstdint>
#include <string>
#include <vector>

namespace dojo {

struct NpyArray {
  std::string descr;          ///< NumPy's type without byte order: "f4", "i8", "b1", "V2"
  std::vector<int64_t> shape; ///< empty for a scalar
  std::vector<uint8_t> bytes; ///< row-major, little-endian

  uint64_t elementBytes() const; ///< 0 if descr is not a letter and a number
};

/// Reads `path`. False, with a sentence in `error` that names the file, if it cannot be read, is
/// not a .npy file, is big-endian, in Fortran order, of structured or object type, or if its
/// length does not fit its header.
bool readNpy(const std::string &path, NpyArray &array, std::string &error);

/// Writes `array` beside `path` and renames it. False, with a sentence in `error`, if it cannot.
bool writeNpy(const std::string &path, const NpyArray &array, std::string &error);

} // namespace dojo

#endif // DOJO_NPY_NPY_H
// NumPy's .npy files, format versions 1 to 3: little-endian, row-major (C order) arrays of plain
// elements. Everything else is refused with an error that says what it is.
#ifndef DOJO_NPY_NPY_H
#define DOJO_NPY_NPY_H

#include "dojo/Image/ElementType.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dojo::npy {

struct Array {
  std::string descr; // kind and bytes without byte order: "f4", "i8", "b1", "V2"
  std::vector<int64_t> shape;
  std::vector<uint8_t> data; // row-major
};

/// Bytes of one element of a descr, or 0 if it is none this reader knows.
int64_t descrBytes(const std::string &descr);

/// Whether a file of this descr holds elements of a type: the type's own descr; for types that
/// numpy lacks (bfloat16, float8) void or unsigned elements of the same size.
bool descrFits(const std::string &descr, const image::ElementType &type);

/// Parses a file's bytes. False with \p error: malformed, truncated, longer than its shape says,
/// big-endian, Fortran order, or elements that are not plain numbers.
[[nodiscard]] bool parseNpy(std::span<const uint8_t> file, Array &out, std::string &error);

/// Reads a file; errors begin with its path.
[[nodiscard]] bool readNpy(const std::string &path, Array &out, std::string &error);

/// The bytes before the data of a file, a multiple of 64.
std::string npyHeader(const std::string &descr, std::span<const int64_t> shape);

/// "[2, 3]".
std::string showShape(std::span<const int64_t> shape);

} // namespace dojo::npy

#endif
