// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Makes the code of one node's tile of a layer: the layer's root operation on local memrefs.

#ifndef DOJO_CONVERSION_MESH_KERNELBUILDER_H
#define DOJO_CONVERSION_MESH_KERNELBUILDER_H

#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Transforms/LayerAccess.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include <vector>

namespace mlir::dojo {

/// Elements of an operand's buffer that its own node fills with a constant: padding. Offset and
/// strides in elements.
struct KernelFill {
  int64_t offset = 0;
  llvm::SmallVector<int64_t> size, strides;
  TypedAttr value;
};

/// One memref argument of a kernel, the same for every tile of a shape class.
struct KernelOperand {
  IndexBox box;                       ///< what the tile touches, in tensor coordinates
  llvm::SmallVector<int64_t> strides; ///< of the node's buffer, in elements
  Type elementType;
  std::vector<KernelFill> fills; ///< parts of `box` that no transfer fills
};

/// A tile of a layer: which loops it computes and the operands it does so on.
struct KernelTile {
  IndexBox loops;
  std::vector<KernelOperand> inputs; ///< per slot of LayerAccess
  KernelOperand output;
};

/// A text that is equal for two tiles exactly if they can run the same kernel.
std::string kernelKey(const LayerAccess &access, const KernelTile &tile);

/// The same for the prologues of tiles whose kernels are the same.
std::string prologueKey(const KernelTile &tile);

/// `func.func private @name(inputs..., output)` whose body is the root operation over the
/// tile's loops, every index relative to the tile. Marked `dojo.kernel`.
func::FuncOp buildKernel(OpBuilder &builder, StringRef name, const LayerAccess &access,
                         const KernelTile &tile);

/// The fills of the tile's padding with the same arguments; null if there is none.
func::FuncOp buildPrologue(OpBuilder &builder, StringRef name, const LayerAccess &access,
                           const KernelTile &tile);

} // namespace mlir::dojo

#endif // DOJO_CONVERSION_MESH_KERNELBUILDER_H
