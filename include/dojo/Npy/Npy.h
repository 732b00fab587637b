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
