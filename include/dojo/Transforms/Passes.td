// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes from the import form to the layer form.

#ifndef DOJO_TRANSFORMS_PASSES_TD
#define DOJO_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandLayers : Pass<"dojo-expand-layers", "::mlir::func::FuncOp"> {
  let summary = "Rewrite layers and views to linalg and tensor ops";
  let description = [{
    The inverse of the layer form, and its meaning: each layer becomes its structured op in the
    function's body, `dojo.conv` a contraction and an elementwise `linalg.generic`,
    `dojo.assemble` a filled tensor with the pieces inserted, `dojo.reshape` a collapse and an
    expansion of dimensions. What results runs through any lowering of linalg, so that the layer
    form can be checked against the import form by numbers.

    ```mlir
    %r = dojo.reshape %x : tensor<2x6xf32> -> tensor<3x4xf32>
    // becomes
    %0 = tensor.collapse_shape %x [[0, 1]] : tensor<2x6xf32> into tensor<12xf32>
    %r = tensor.expand_shape %0 [[0, 1]] output_shape [3, 4] : tensor<12xf32> into tensor<3x4xf32>
    ```

    Afterwards no op of the dojo dialect is left but `dojo.weight`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // DOJO_TRANSFORMS_PASSES_TD
