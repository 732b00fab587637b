// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The placed level: the outer loop of the layer is cut in two, node 0 computes the first row, node 1
// the second. What they read lies elsewhere: each holds one row of x and needs both.
//
// RUN: %python %S/Inputs/arrays.py %t
// RUN: dojo-compile %s -o %t/out.d1
// RUN: dojo-run %t/out.d1 --input x=%t/x.npy --expect y=%t/y.npy

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
func.func @main(%x: tensor<2x16xf32> {dojo.name = "x"}) -> (tensor<2x16xf32> {dojo.name = "y"}) {
  %both = dojo.redistribute %x : tensor<2x16xf32>
  %y = dojo.layer "sum" ins(%both : tensor<2x16xf32>) -> tensor<2x16xf32>
      attributes {op = "Elementwise",
                  plan = #dojo.plan<1 x 2 x 1 x 1, splits = [2, 1], nodes = [0, 1], cycles = 200>} {
  ^bb0(%in: tensor<2x16xf32>):
    %e = tensor.empty() : tensor<2x16xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (0, j)>, affine_map<(i, j) -> (1, j)>,
                                          affine_map<(i, j) -> (i, j)>],
                         iterator_types = ["parallel", "parallel"]}
        ins(%in, %in : tensor<2x16xf32>, tensor<2x16xf32>) outs(%e : tensor<2x16xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %s = arith.addf %a, %b : f32
      linalg.yield %s : f32
    } -> tensor<2x16xf32>
    dojo.yield %r : tensor<2x16xf32>
  }
  return %y : tensor<2x16xf32>
}
}
