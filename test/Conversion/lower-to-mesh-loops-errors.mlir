// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --pass-pipeline='builtin.module(dojo-place{target=d1 nodes=1x2},dojo-lower-to-mesh)' -split-input-file -verify-diagnostics

func.func @main(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %r = dojo.loop @step while(%c : tensor<i1>) carries(%x : tensor<4xf32>) reads(%c : tensor<i1>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
// expected-error@+1 {{result 0 is made by no layer; give it to one that copies it}}
func.func private @step(%x: tensor<4xf32>, %c: tensor<i1>) -> (tensor<i1>, tensor<4xf32>) {
  return %c, %x : tensor<i1>, tensor<4xf32>
}

// -----

func.func @main(%c: tensor<i1>) {
  dojo.loop @step while(%c : tensor<i1>) reads(%c : tensor<i1>)
  return
}
func.func private @step(%c: tensor<i1>) -> tensor<i1> {
  // expected-error@+1 {{is reached from its own body @step}}
  dojo.loop @step while(%c : tensor<i1>) reads(%c : tensor<i1>)
  return %c : tensor<i1>
}

// -----

func.func @main(%c: tensor<i1>, %x: tensor<2xcomplex<f32>>) -> tensor<i1> {
  return %c : tensor<i1>
}
// expected-error@+1 {{would be lost: only @main is compiled, and the bodies of loops}}
func.func private @other(%c: tensor<i1>) -> tensor<i1> {
  return %c : tensor<i1>
}

// -----

func.func @main(%c: tensor<i1>) {
  dojo.loop @step while(%c : tensor<i1>) reads(%c : tensor<i1>)
  return
}
// expected-error@+1 {{is no straight line of layers}}
func.func private @step(%c: tensor<i1>) -> tensor<i1> {
  cf.br ^bb1
^bb1:
  return %c : tensor<i1>
}

// -----

func.func @main(%c: tensor<i1>, %x: tensor<4xf32>) {
  %p = dojo.assemble fill(0.0 : f32) (%x at [2]) : (tensor<4xf32>) -> tensor<8xf32>
  // expected-error@+1 {{operand 0 is padding in part; give it to a layer that copies it}}
  %r = dojo.loop @step while(%c : tensor<i1>) carries(%p : tensor<8xf32>) reads(%c : tensor<i1>) -> tensor<8xf32>
  return
}
func.func private @step(%x: tensor<8xf32>, %c: tensor<i1>) -> (tensor<i1>, tensor<8xf32>) {
  return %c, %x : tensor<i1>, tensor<8xf32>
}
