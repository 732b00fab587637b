// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes of the golden path: the import form to code for the host, without any pass of the chip's
// path.

#ifndef DOJO_GOLDEN_PASSES_TD
#define DOJO_GOLDEN_PASSES_TD

include "mlir/Pass/PassBase.td"

def InlineLoops : Pass<"dojo-inline-loops", "::mlir::ModuleOp"> {
  let summary = "Turn the loops of the mesh into loops of the host";
  let description = [{
    Each `dojo.loop` that `@main` reaches becomes an `scf.while` on the tensors that it carries, with
    its body in place of the call; the functions of bodies are erased. Weights of bodies go to the
    start of `@main`.

    ```mlir
    %r = dojo.loop @step while(%more : tensor<i1>) carries(%x : tensor<4xf32>) -> tensor<4xf32>
    // becomes
    %r:2 = scf.while (%c = %more, %s = %x) : (tensor<i1>, tensor<4xf32>) -> (...) {
      %go = tensor.extract %c[] : tensor<i1>
      scf.condition(%go) %c, %s : tensor<i1>, tensor<4xf32>
    } do {
    ^bb0(%c: tensor<i1>, %s: tensor<4xf32>):
      // what @step does
      scf.yield %next_condition, %next : tensor<i1>, tensor<4xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect"];
}

def HoistWeights : Pass<"dojo-hoist-weights", "::mlir::ModuleOp"> {
  let summary = "Turn weights into function arguments";
  let description = [{
    Each `dojo.weight` of `@main` becomes an argument after the inputs. The argument carries what
    the op named: `dojo.data`, and `dojo.source` and `dojo.transform` if the op has them. The code
    then gets pointers to the data and holds none itself.

    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %w = dojo.weight blob<"m.onnx", 64, 16> : tensor<4xf32>
    // becomes
    func.func @main(%x: tensor<4xf32>,
                    %w: tensor<4xf32> {dojo.data = #dojo.blob<"m.onnx", 64, 16>})
    ```

    Inputs and weights get `bufferization.writable = false`. Functions other than `@main` must not
    have weights.
  }];
}

def ReorderContractions : Pass<"dojo-reorder-contractions", "::mlir::func::FuncOp"> {
  let summary = "Give contractions an innermost loop that the host can vectorise";
  let description = [{
    The output channel, or the column of a matrix product, becomes the innermost loop; weights and
    result are transposed so that it is their last dimension, where they are used often enough to
    repay that. Depthwise convolutions get the last position of the result as the innermost loop. Sums keep
    the order of their terms, so the result has the same bits.

    ```mlir
    (n, f, y, x, c, ky, kx): out[n,f,y,x] += in[n,c,y+ky,x+kx] * w[f,c,ky,kx]
    // becomes, w' and out' being transposed copies
    (n, y, x, c, ky, kx, f): out'[n,y,x,f] += in[n,c,y+ky,x+kx] * w'[c,ky,kx,f]
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def GuardDivision : Pass<"dojo-guard-division", "::mlir::func::FuncOp"> {
  let summary = "Keep integer division from trapping on the host";
  let description = [{
    Where an integer division or remainder could have the divisor 0, or the divisor -1 and the
    smallest dividend, the divisor becomes 1. ONNX leaves the first undefined; the second then
    wraps, as on the chip.

    ```mlir
    %q = arith.divui %a, %b : i32
    // becomes
    %zero = arith.cmpi eq, %b, %c0 : i32
    %safe = arith.select %zero, %c1, %b : i32
    %q = arith.divui %a, %safe : i32
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def OutlineKernels : Pass<"dojo-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Give each linalg op on buffers a function of its own";
  let description = [{
    LLVM's loop passes take time that grows with the square of the number of loops in a function.
    Ops that are equal but for the buffers they work on share a function.

    ```mlir
    linalg.generic ... ins(%a : memref<4xf32>) outs(%b : memref<4xf32>) {...}
    // becomes
    func.call @kernel_0(%a, %b) : (memref<4xf32>, memref<4xf32>) -> ()
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def ExpandCopies : Pass<"dojo-expand-copies", "::mlir::func::FuncOp"> {
  let summary = "Turn copies of buffers into linalg ops";
  let description = [{
    The upstream lowering of a copy between strided buffers calls a runtime library; loops need
    none.

    ```mlir
    memref.copy %a, %b : memref<4x4xf32> to memref<4x4xf32, strided<[8, 1]>>
    // becomes
    linalg.generic ... ins(%a) outs(%b) { ^bb0(%x: f32, %y: f32): linalg.yield %x : f32 }
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

#endif // DOJO_GOLDEN_PASSES_TD
