// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which 16-bit floats of a kernel are only moved. Loads and stores as floats lose denormals (bf16)
// and what a NaN carries; values that no arithmetic touches are moved as 16-bit integers instead.

#ifndef DOJO_LIB_CONVERSION_NARROWBITS_H
#define DOJO_LIB_CONVERSION_NARROWBITS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::dojo {

/// Makes two casts, with integers between, of each that takes the bits of one 16-bit float for
/// another: the two may be held in different ways.
void castThroughIntegers(func::FuncOp kernel);

class NarrowBits {
public:
  explicit NarrowBits(func::FuncOp kernel);

  /// Whether `value`, which is no constant, is held as the bits of its elements, as integers of 16
  /// bits are. All that it meets in selections and loops is held so too.
  bool contains(Value value) const { return bits.contains(value); }

private:
  DenseSet<Value> bits;
};

/// The bits of a 16-bit float constant that is the same in all lanes, sign-extended.
std::optional<int64_t> narrowConstantBits(Value value);

} // namespace mlir::dojo

#endif // DOJO_LIB_CONVERSION_NARROWBITS_H
