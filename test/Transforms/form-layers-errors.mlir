// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-form-layers -split-input-file -verify-diagnostics

#id = affine_map<(i) -> (i)>

func.func @foreign(%x: tensor<4xf32>) -> tensor<2xf32> {
  // expected-error@unknown {{ONNX node 'cut': tensor.extract_slice cannot become a layer}}
  %y = tensor.extract_slice %x[0] [2] [1] : tensor<4xf32> to tensor<2xf32> loc("cut")
  return %y : tensor<2xf32>
}

// -----

#id = affine_map<(i) -> (i)>
func.func @in_place(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@unknown {{ONNX node 'neg': works in place on a tensor; its destination must be empty or filled with a constant}}
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%x : tensor<4xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = arith.negf %l : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32> loc("neg")
  return %y : tensor<4xf32>
}

// -----

#id = affine_map<(i) -> (i)>
func.func @scalar(%x: tensor<4xf32>, %s: f32) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  // expected-error@+1 {{needs a value of type 'f32' that is computed outside of it}}
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%l: f32, %o: f32):
    %0 = arith.addf %l, %s : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
