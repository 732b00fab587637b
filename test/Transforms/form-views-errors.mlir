// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-form-views -split-input-file -verify-diagnostics

func.func @pad(%x: tensor<4xf32>, %v: f32) -> tensor<6xf32> {
  // expected-error@unknown {{ONNX node 'pad1': padding by sizes or values known only at run time}}
  %p = tensor.pad %x low[1] high[1] {
  ^bb0(%a: index):
    tensor.yield %v : f32
  } : tensor<4xf32> to tensor<6xf32> loc("pad1")
  return %p : tensor<6xf32>
}

// -----

func.func @slice(%x: tensor<4xf32>, %i: index) -> tensor<2xf32> {
  // expected-error@unknown {{ONNX node 'slice1': a slice whose place is known only at run time}}
  %s = tensor.extract_slice %x[%i] [2] [1] : tensor<4xf32> to tensor<2xf32> loc("slice1")
  return %s : tensor<2xf32>
}

// -----

func.func @insert(%x: tensor<4xf32>, %y: tensor<2xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{with gaps between elements}}
  %s = tensor.insert_slice %y into %x[0] [2] [2] : tensor<2xf32> into tensor<4xf32>
  return %s : tensor<4xf32>
}

// -----

func.func @fill(%v: f32) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  // expected-error@unknown {{ONNX node 'fill1': a tensor filled with a value known only at run time}}
  %f = linalg.fill ins(%v : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32> loc("fill1")
  return %f : tensor<4xf32>
}

// -----

// expected-error@+1 {{has control flow between blocks}}
func.func @blocks(%x: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^bb1
^bb1:
  return %x : tensor<4xf32>
}
