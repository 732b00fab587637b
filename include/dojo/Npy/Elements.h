// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements at the edge of the machine, on the host: reading them as numbers to compare and print,
// and making random ones. Nothing here is on the machine's value path.
#ifndef DOJO_NPY_ELEMENTS_H
#define DOJO_NPY_ELEMENTS_H

#include "dojo/Image/ElementType.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace dojo::npy {

/// Whether a .npy file with elements of NumPy's type \p descr (no byte order) holds elements of a
/// type: the type's own descr; for types that NumPy lacks (bfloat16, float8, int4) void or unsigned
/// elements of the same size, for signed integers signed ones too, for floats of a byte "f1", which
/// is what ml_dtypes calls some of them.
bool descrFits(std::string_view descr, const image::ElementType &type);

/// The element's value; 64-bit integers beyond 2^53 are rounded.
double elementValue(const uint8_t *element, const image::ElementType &type);

/// Stores a value, rounded to nearest even in the type's format. Values beyond the format become
/// infinity, or NaN in formats without one, or the greatest number in formats with neither; f8e8m0
/// stores the magnitude. For float types only.
void storeFloat(double value, const image::ElementType &type, uint8_t *element);

/// Reproducible random elements, the same on every host.
///
/// Words w1, w2, ... are SplitMix64's, its state starting at seed XOR (FNV-1a, 64 bit, of the
/// tensor's name). Elements are made in row-major order:
/// - bool: the highest bit of one word; integers: (w >> 32) * 10 >> 32 of one word, 0 to 9, or
///   with 2, 4 or 8 in place of 10 what an i2, u2 or i4 holds of that;
/// - floats: standard normal by Marsaglia's polar method: u = (w >> 11) * 2^-52 - 1 from one word,
///   v from the next, again while s = u*u + v*v is 0 or not below 1; then u * f and v * f are the
///   next two values, f = sqrt(-2 * log(s) / s), rounded to the element type. log(s), with
///   s = m * 2^e and m in [0.5, 1): z = (m - 1) / (m + 1), t = z * z,
///   e * 0x1.62e42fefa39efp-1 + 2 * z * (1 + t * (1/3 + t * (1/5 + ... + t * (1/41)))).
///   All in IEEE double without fused operations.
std::vector<uint8_t> randomElements(uint64_t seed, std::string_view name,
                                    const image::ElementType &type, int64_t count);

} // namespace dojo::npy

#endif
