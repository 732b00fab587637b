// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The import level: a function of linalg on tensors, from no ONNX model. Two nodes add the two rows
// of x; each keeps the sum. The other files of this folder say the same on the levels below.
//
// RUN: %python %S/Inputs/arrays.py %t
// RUN: dojo-compile %s -o %t/out.d1 --nodes 1x2 --precision fp32
// RUN: dojo-run %t/out.d1 --input x=%t/x.npy --expect y=%t/y.npy

func.func @main(%x: tensor<2x16xf32> {dojo.name = "x"}) -> (tensor<2x16xf32> {dojo.name = "y"}) {
  %e = tensor.empty() : tensor<2x16xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (0, j)>, affine_map<(i, j) -> (1, j)>,
                                        affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %x : tensor<2x16xf32>, tensor<2x16xf32>) outs(%e : tensor<2x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<2x16xf32>
  return %y : tensor<2x16xf32>
}
