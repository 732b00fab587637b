// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a layer reads and writes, as boxes: the bridge between the IR of a layer (one
// linalg.generic or dojo.conv) and the planner, which knows only loop extents and boxes.
//
// All boxes are half open per dimension in units of elements: [lo, lo + size).

#ifndef DOJO_TRANSFORMS_LAYERACCESS_H
#define DOJO_TRANSFORMS_LAYERACCESS_H

#include "dojo/Transforms/IndexBounds.h"

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir::dojo {

/// A box of integer coordinates; `lo` and `size` have one entry a dimension.
struct IndexBox {
  llvm::SmallVector<int64_t> lo, size;
  bool operator==(const IndexBox &other) const { return lo == other.lo && size == other.size; }
  int64_t volume() const;
};

/// How the root operation of a layer walks its operands.
struct LayerAccess {
  struct Operand {
    /// Index of the layer's operand, or -1 for a shape-only operand (a pooling window).
    int layerOperand;
    /// The root's operand number; of a captured operand it has none.
    unsigned rootOperand;
    AffineMap map; ///< loop indices to operand indices; no symbols
    RankedTensorType type;
    /// The root never looks at the elements (only the shape counts).
    bool unused;
    /// Operands that read the same tensor share a slot: it is brought to a node once.
    unsigned slot = 0;
    /// The body reads single elements of it by tensor.extract.
    bool captured = false;
    /// Of a captured operand: dimensions whose index only the body knows. The map has 0 there.
    llvm::SmallVector<bool> whole = {};

    /// The part that the loop box touches: the image of the map, and all of the dimensions that
    /// are read as a whole.
    IndexBox box(const IndexBox &loops) const;
  };

  /// linalg.generic or dojo.conv
  Operation *root = nullptr;
  llvm::SmallVector<int64_t> extents; ///< per loop dimension
  llvm::SmallVector<bool> parallel;   ///< per loop dimension
  /// Smallest unit by which the dimension may be divided between nodes; the extent where it
  /// may not be divided. A reduction that may be divided leaves partial sums, to be added by a
  /// layer of their own; there is at most one such loop.
  llvm::SmallVector<int64_t> granularity;
  llvm::SmallVector<Operand> inputs;
  unsigned numSlots = 0;
  AffineMap outputMap;
  RankedTensorType outputType;
  /// Loop dimensions whose index the body computes with (linalg.index): tiles that differ in them
  /// need code of their own. An index that only says where tensor.extract reads does not count.
  /// Nor one that is only compared with an end: tiles that lie before it are alike.
  llvm::SmallVector<bool> indexRead;
  llvm::SmallVector<IndexBound> bounds;

  unsigned numLoops() const { return extents.size(); }
  bool isStructured() const; ///< dojo.conv: matrix kernels
  /// The loop that moves to the next element of the operand in memory, if there is one.
  std::optional<unsigned> loopAlongMemory(const Operand &operand) const;
  /// Neighbours in memory are added up, or reduced otherwise, in every operand, and many of them:
  /// vectors are filled by the reduction, whatever the size of the result.
  bool reducesAlongMemory() const;

  /// The part of an operand of shape `shape` that the loop box touches: interval arithmetic on
  /// the map, clipped to the shape. A box may cover more than is read, never less.
  static IndexBox image(AffineMap map, const IndexBox &loops, llvm::ArrayRef<int64_t> shape);
  /// `expr` with the quotients and remainders that are constant or trivial for loop indices in
  /// [0, sizes) replaced by what they are there.
  static AffineExpr simplify(AffineExpr expr, llvm::ArrayRef<int64_t> sizes);
};

class LayerOp;

/// A value in the body of a linalg.generic as an expression of its loop indices; nothing unless it
/// is a sum of scaled linalg.index and constants.
std::optional<AffineExpr> affineIndex(Value index);

/// Whether arrays in memory have elements of this type: integers and floats of at most 64 bits.
bool isStorable(Type element);

/// Reads the access structure off the root operation of a layer's body. Fails, with an error on
/// the root, for a loop whose extent is not known, several results, or elements that memory does
/// not hold.
FailureOr<LayerAccess> analyzeLayer(LayerOp layer);

} // namespace mlir::dojo

#endif // DOJO_TRANSFORMS_LAYERACCESS_H
