// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-assign-layouts -split-input-file -verify-diagnostics

func.func @foreign(%x: tensor<4xf32>) -> tensor<2xf32> {
  // expected-error@unknown {{ONNX node 'cut': tensor.extract_slice cannot become part of a layer}}
  %y = tensor.extract_slice %x[0] [2] [1] : tensor<4xf32> to tensor<2xf32> loc("cut")
  return %y : tensor<2xf32>
}

// -----

// expected-error@+1 {{takes 'f32', which is no tensor of fixed shape}}
func.func @scalar(%x: f32) {
  return
}

// -----

#id = affine_map<(i) -> (i)>
func.func @fill_read(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%c : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  // expected-error@unknown {{ONNX node 'add': reads the result of linalg.fill, which is neither a layer nor a view}}
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %f : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %0 = arith.addf %l, %r : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32> loc("add")
  return %y : tensor<4xf32>
}
