// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A linalg operation on memrefs of static shape as a flat loop nest: every operand is an address
// that is a linear function of the loop indices, which makes dropping, merging, splitting and
// vectorising dimensions arithmetic on strides.

#ifndef DOJO_LIB_CONVERSION_KERNELNEST_H
#define DOJO_LIB_CONVERSION_KERNELNEST_H

#include "dojo/Transforms/IndexBounds.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

#include <optional>

namespace mlir::dojo {

/// Element `offset + sum(strides[d] * i_d) + residual(i)` of the kernel argument `root`. Offsets
/// and strides count elements. `residual` holds what is not linear (floordiv, mod), in the
/// dimensions of the nest, or is null. An operand that is no memref has a null root and is
/// `scalar`.
struct Access {
  BlockArgument root;
  Value scalar;
  Type element;
  int64_t offset = 0;
  SmallVector<int64_t> strides;
  AffineExpr residual;

  bool usesDim(unsigned dim) const {
    return strides[dim] != 0 || (residual && residual.isFunctionOfDim(dim));
  }
};

struct NestDim {
  int64_t extent;
  /// First index; greater than 0 after the nest was restricted to a range.
  int64_t origin = 0;
  bool reduction = false;
  /// The body reads the index, or an access is not linear in it: the dimension keeps its identity.
  bool pinned = false;
};

/// Where a loop dimension of the original operation went: a dimension of the nest, or a constant.
struct IndexSource {
  int dim = -1;
  int64_t constant = 0;
};

struct Nest {
  Operation *source = nullptr;
  Block *body = nullptr;
  SmallVector<NestDim> dims;
  SmallVector<Access> inputs, outputs;
  /// Value that an output holds before the operation, where it is a known constant.
  SmallVector<TypedAttr> inits;
  SmallVector<IndexSource> indices;
  /// Comparisons of loop indices with an end, in the dimensions of the nest, and the operations of
  /// the body that only they need: `indices` does not say what those compute.
  IndexBounds ends;
  /// Some input may overlap some output in memory.
  bool inPlace = false;

  unsigned numInputs() const { return inputs.size(); }
  bool readsOutput(unsigned i) const { return !body->getArgument(inputs.size() + i).use_empty(); }
  bool hasReduction() const;
  /// Product of the extents of all, or of the parallel dimensions.
  int64_t points(bool parallelOnly) const;
  /// The bound that the operation of the body is, or null.
  const IndexBound *getBound(Operation *op) const;
  /// Whether the operation is computed in a few iterations only, if at all: comparisons with ends,
  /// and what they select.
  bool isRare(Operation *op) const;
  /// Keep indices [lo, hi) of a dimension only.
  void restrict(unsigned dim, int64_t lo, int64_t hi);
};

/// The kernel argument behind a chain of subviews and casts, or null.
BlockArgument getRootArgument(Value memref);

/// Absolute byte address of a kernel argument (attribute `dojo.address`), if known.
std::optional<int64_t> getArgumentAddress(BlockArgument arg);

/// Elements of a kernel argument from its base to the end of its last element.
int64_t getArgumentSpan(BlockArgument arg);

/// True if the two arguments may share bytes: the same one, or overlapping address ranges.
bool mayOverlap(BlockArgument a, BlockArgument b);

/// Reads the operation into a nest without dimensions of extent 1 and with neighbouring dimensions
/// merged where all operands allow it. Reports an error if an operand has no static strides or does
/// not lead to a kernel argument.
FailureOr<Nest> buildNest(linalg::GenericOp op);

} // namespace mlir::dojo

#endif // DOJO_LIB_CONVERSION_KERNELNEST_H
