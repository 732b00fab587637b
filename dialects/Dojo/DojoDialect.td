// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dojo dialect: weights, layers and views (layer form), placement and the mesh.

#ifndef DOJO_DIALECT_TD
#define DOJO_DIALECT_TD

include "mlir/IR/OpBase.td"

def Dojo_Dialect : Dialect {
  let name = "dojo";
  let cppNamespace = "::mlir::dojo";
  let summary = "Layers, their placement on the mesh, and the transfers between nodes";
  let description = [{
    The dialect carries a model from whole tensors to the programs of the nodes.

    In *layer form* a function is a straight line of `dojo.layer` (one structured op each),
    of views that move no byte by themselves (`dojo.assemble`, `dojo.reshape`) and of
    `dojo.weight`, which names bytes in a file and how they are rearranged when the image is
    written. Tensors have their physical shape: what is blocked by channels has the block as its
    last dimension, so that row-major order is the order in memory.
  }];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{ void registerAttributes(); }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

#endif // DOJO_DIALECT_TD
