// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random numbers that are functions of a key and a counter: Threefry-2x32 with 20 rounds, of
// J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
// It needs sums, rotations and exclusive ors only, so that every element of a tensor computes its
// own numbers from its place, on whatever node it is. See docs/rationale/random.md.

#ifndef DOJO_LIB_IMPORT_ONNX_OPS_RANDOM_H
#define DOJO_LIB_IMPORT_ONNX_OPS_RANDOM_H

#include "../Lowering.h"
#include <array>

namespace mlir::dojo::onnximport {

using RandomKey = std::array<uint32_t, 2>;

/// The key of a node: its seed, or if it has none a hash of the name of its first output.
RandomKey randomKey(const Node &node);

/// Numbers for the element at hand, in the body of an op whose loops are the dimensions `dims` of
/// a tensor. All in fp32.
class RandomElement {
public:
  RandomElement(OpBuilder &b, Location loc, ArrayRef<int64_t> dims, RandomKey key);
  /// A multiple of 2^-24 in [0, 1).
  Value uniform();
  /// An odd multiple of 2^-24 in (0, 1).
  Value openUniform();
  /// Of mean 0 and variance 1, by Box and Muller's transform; at most 5.8 in magnitude.
  Value normal();

private:
  Value fraction(Value bits, bool open);

  Scalars f;
  std::array<Value, 2> words; ///< 32 random bits each
};

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_OPS_RANDOM_H
