// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes from the import form to the layer form.

#ifndef DOJO_TRANSFORMS_PASSES_TD
#define DOJO_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def FormViews : Pass<"dojo-form-views", "::mlir::func::FuncOp"> {
  let summary = "Turn ops that only move elements into views and weights";
  let description = [{
    `tensor.pad`, slices with unit steps, insertions and concatenations become `dojo.assemble`,
    changes of shape `dojo.reshape`, slices with larger steps copies by `linalg.generic`, constants
    `dojo.weight`. Views of weights become part of the weight's transform. Named linalg ops become
    generic. Ops on tensors without elements go away: their results are a `dojo.assemble` of nothing
    or, where they reduce over nothing, the constant that the result starts from.

    ```mlir
    %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {...}
        : tensor<1x3x8x8xf32> to tensor<1x3x10x10xf32>
    // becomes
    %p = dojo.assemble fill(0.0 : f32) (%x at [0, 0, 1, 1])
        : (tensor<1x3x8x8xf32>) -> tensor<1x3x10x10xf32>
    ```

    Afterwards the function holds `linalg.generic`, the destinations they need, views and weights,
    and whatever cannot become a layer. Fails on places and sizes known only at run time.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::dojo::DojoDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def UnflattenProducts : Pass<"dojo-unflatten-products", "::mlir::func::FuncOp"> {
  let summary = "Multiply images instead of flattened images";
  let description = [{
    A product of a flattened image with a constant matrix becomes a product over channels and
    pixels, that is, a convolution with a kernel as large as the image. The flattening, which would
    move every element of an image in blocks of channels, goes away; the kernel is rearranged when
    the image file is written.

    ```mlir
    %v = dojo.reshape %x : tensor<1x8x2x2xf32> -> tensor<1x32xf32>
    %y = linalg.generic {... (n, f, k) -> (n, k), (f, k), (n, f)} ins(%v, %w : ..., tensor<10x32xf32>)
    // becomes
    %u = dojo.weight ... transform <[reshape = [10, 8, 2, 2]]> : tensor<10x8x2x2xf32>
    %y = linalg.generic {... (n, f, c, h, w) -> (n, c, h, w), (f, c, h, w), (n, f)} ins(%x, %u : ...)
    ```
  }];
  let dependentDialects = ["::mlir::dojo::DojoDialect", "::mlir::linalg::LinalgDialect"];
}

def SetPrecision : Pass<"dojo-set-precision", "::mlir::func::FuncOp"> {
  let summary = "Choose the types in which tensors are stored";
  let description = [{
    With `precision=bf16` the operands of convolutions and matrix products are rounded to bf16; they
    are summed in fp32. With `store=bf16` every fp32 tensor between ops, and every constant, is
    stored in bf16 too, while bodies go on computing in fp32: they widen what they read and round
    what they store. The casts carry `contract`, so that those between fused ops fold away. Kept in
    fp32 are graph inputs and outputs, and sums that only elementwise ops read, such as those of a
    mean or a softmax: rounding them would put the same error on every element. An op whose result
    stays in fp32 says why in `dojo.fp32`. Maxima and minima of bf16 are exact in bf16. With `precision=fp32` nothing changes.

    ```mlir
    %y = linalg.generic ... ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = arith.addf %a, %a : f32
      linalg.yield %0 : f32
    } -> tensor<8xf32>
    // becomes, if %x is stored in bf16 as well
    %y = linalg.generic ... ins(%x : tensor<8xbf16>) outs(%e : tensor<8xbf16>) {
    ^bb0(%a: bf16, %o: bf16):
      %0 = arith.extf %a fastmath<contract> : bf16 to f32
      %1 = arith.addf %0, %0 : f32
      %2 = arith.truncf %1 fastmath<contract> : f32 to bf16
      linalg.yield %2 : bf16
    } -> tensor<8xbf16>
    ```

    Integers, booleans and the other floating point types of the model keep their types.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::dojo::DojoDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let options = [
    Option<"precision", "precision", "::mlir::dojo::Precision", "::mlir::dojo::Precision::BF16",
           "Type of the operands of convolutions and matrix products; with fp32 the matrix unit is "
           "not used.",
           [{::llvm::cl::values(
               clEnumValN(::mlir::dojo::Precision::BF16, "bf16", "bf16, sums in fp32"),
               clEnumValN(::mlir::dojo::Precision::FP32, "fp32", "fp32"))}]>,
    Option<"store", "store", "::mlir::dojo::Precision", "::mlir::dojo::Precision::BF16",
           "Type in which precision=bf16 stores tensors between ops: half the memory and the "
           "transfers by default.",
           [{::llvm::cl::values(
               clEnumValN(::mlir::dojo::Precision::BF16, "bf16", "bf16"),
               clEnumValN(::mlir::dojo::Precision::FP32, "fp32", "fp32"))}]>
  ];
}

def FuseElementwise : Pass<"dojo-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Fuse chains of elementwise ops";
  let description = [{
    An elementwise op goes into the op that reads its result if nothing is computed twice thereby:
    into an elementwise op, or a reduction that reads each element once; conversions between types
    and single operations with a constant go into every reader. None goes into the operand of a convolution or matrix product, where it
    would be computed once per output channel. What follows a product for the matrix unit becomes
    one op with the shape of the product, which `dojo-assign-layouts` takes as its epilogue; where
    the results of two products meet, the later takes the other as an operand.

    ```mlir
    %b = linalg.generic ... ins(%sum, %bias) { addf }
    %y = linalg.generic ... ins(%b, %residual) { addf, maximumf }
    // becomes
    %y = linalg.generic ... ins(%sum, %bias, %residual) { addf, addf, maximumf }
    ```

    The location of a fused op names all its ONNX nodes.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def AssignLayouts : Pass<"dojo-assign-layouts", "::mlir::func::FuncOp"> {
  let summary = "Give every tensor its physical shape and make dojo.conv";
  let description = [{
    Images are laid out in blocks of channels, [N][C/b][H][W][b], with b = 4 where the matrix unit
    works on them and 16, the lanes of the SIMD unit, where it does not. The rows of a matrix
    product are the pixels of an image with one row, [K/4][M][4]. Ops around them work in the layout
    of their operands, which also makes most transposes and reshapes views; where layouts differ a
    copy is inserted. Padding at the end of the last block holds zeros: bodies select by the index
    of the channel where they would put something else there. Graph inputs and outputs are
    row-major.

    Convolutions and matrix products of bf16 become `dojo.conv` with the elementwise op that alone
    reads their result as epilogue; their weights are rearranged by transforms. A convolution in
    groups becomes one `dojo.conv` a group if the groups are whole blocks. Other products stay
    `linalg.generic`; where the SIMD unit works on images the innermost loop runs over output
    channels.

    ```mlir
    %y = linalg.generic ... ins(%x, %w : tensor<1x8x10x10xbf16>, tensor<16x8x3x3xbf16>)
                            outs(%z : tensor<1x16x8x8xf32>) { mulf, addf }
    // becomes
    %y = dojo.conv ins(%x, %w : tensor<1x2x10x10x4xbf16>, tensor<2x3x3x2x8x4xbf16>)
                   outs(%e : tensor<1x4x8x8x4xf32>) strides [1, 1] dilations [1, 1] {...}
    ```

    Afterwards the function holds structured ops with empty or constant destinations, views, and
    weights. Fails on any other op.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::dojo::DojoDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let options = [
    Option<"block", "block", "int64_t", "0",
           "Channels in a block: 4 for the matrix unit, 16 for the SIMD unit, 0 for 4 if there is "
           "work for the matrix unit, else 16.">,
    Option<"epilogues", "epilogues", "bool", "true",
           "Compute elementwise ops as epilogues of convolutions.">
  ];
}

def FormLayers : Pass<"dojo-form-layers", "::mlir::func::FuncOp"> {
  let summary = "Wrap structured ops into layers";
  let description = [{
    Each structured op becomes the root of a `dojo.layer` named after its ONNX nodes. A view that the
    function returns is copied by a layer.

    ```mlir
    %r = linalg.generic {...} ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {...} -> tensor<8xf32>
    // becomes
    %r = dojo.layer "relu1" ins(%x : tensor<8xf32>) -> tensor<8xf32>
        attributes {onnx = ["relu1"], op = "Elementwise"} {
    ^bb0(%in: tensor<8xf32>):
      %e = tensor.empty() : tensor<8xf32>
      %r = linalg.generic {...} ins(%in : tensor<8xf32>) outs(%e : tensor<8xf32>) {...}
      dojo.yield %r : tensor<8xf32>
    }
    ```

    Afterwards the function is in layer form: layers, views, weights. Fails, naming the ONNX node,
    on anything that cannot become one.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::dojo::DojoDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

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
