// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layouts of whole tensors: the order of the dimensions in memory, and a block of channels.

#ifndef DOJO_TRANSFORMS_LAYOUT_H
#define DOJO_TRANSFORMS_LAYOUT_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Support/LLVM.h"

namespace mlir::dojo {

/// How a tensor of rank r lies in memory: its dimensions in the order `order` (a permutation of
/// 0..r-1, slowest first); if `blockDim` is not -1, that dimension is divided by `block` in its
/// place, and the position in the block is a further, innermost dimension. If the block does not
/// divide the size, the elements behind the end are padding and zero.
///
/// NCHW images on the matrix unit have order [0, 1, 2, 3], blockDim 1, block 4: physical shape
/// [N, ceil(C/4), H, W, 4]. The rows of a matrix [M, K] have order [1, 0], blockDim 1, block 4:
/// [ceil(K/4), M, 4].
struct Layout {
  SmallVector<int64_t, 6> order;
  int64_t blockDim = -1;
  int64_t block = 1;

  /// Row-major, the layout of the model.
  static Layout plain(int64_t rank);
  /// Dimensions in their order, `blockDim` blocked.
  static Layout blocked(int64_t rank, int64_t blockDim, int64_t block);

  bool isPlain() const;
  int64_t rank() const { return order.size(); }
  bool operator==(const Layout &) const = default;

  /// Sizes in memory of a tensor of this shape.
  SmallVector<int64_t> physicalShape(ArrayRef<int64_t> shape) const;
  RankedTensorType physicalType(RankedTensorType type) const;
  /// Whether the last block of a tensor of this shape has padding.
  bool isRagged(ArrayRef<int64_t> shape) const {
    return blockDim >= 0 && shape[blockDim] % block != 0;
  }
};

/// Whether a tensor of this shape is the same bytes in both layouts: they differ at most in where
/// dimensions of size one stand.
bool sameBytes(const Layout &a, const Layout &b, ArrayRef<int64_t> shape);

/// The layout of the result of a row-major reshape from `from` to `to` whose operand has the layout
/// `layout`, such that the reshape moves no byte; nothing if there is none.
std::optional<Layout> reshapeLayout(const Layout &layout, ArrayRef<int64_t> from,
                                    ArrayRef<int64_t> to);

} // namespace mlir::dojo

#endif // DOJO_TRANSFORMS_LAYOUT_H
