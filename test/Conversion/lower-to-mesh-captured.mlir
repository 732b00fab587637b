// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-place='nodes=1x2' --dojo-lower-to-mesh | FileCheck %s

// Rows of a table at indices known at run time. A node reads all rows, but only the columns that it
// computes; in them it reads where it writes, whatever columns they are: one kernel for both.
// CHECK: dojo.buffer @rows.patch1 {{.*}}bytes = 4096
// CHECK: func.func private @rows.kernel0(%{{.*}}: memref<{{.*}}xi64{{.*}}>, %[[TABLE:.*]]: memref<30x32xf32, strided<[32, 1]>>, %{{.*}}: memref<{{.*}}xf32{{.*}}>)
// CHECK: linalg.generic
// CHECK: %[[ROW:.*]] = arith.index_cast %{{.*}} : i64 to index
// CHECK: memref.load %[[TABLE]][%[[ROW]], %{{.*}}]
// CHECK-NOT: rows.kernel1
func.func @main(%x: tensor<30x64xf32> {dojo.name = "x"}, %i: tensor<1xi64> {dojo.name = "i"}) -> (tensor<1x64xf32> {dojo.name = "y"}) {
  %y = dojo.layer "rows" ins(%i, %x : tensor<1xi64>, tensor<30x64xf32>) -> tensor<1x64xf32> attributes {op = "Elementwise", onnx = ["rows"], macs = 0 : i64} {
  ^bb0(%a: tensor<1xi64>, %t: tensor<30x64xf32>):
    %e = tensor.empty() : tensor<1x64xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
        ins(%a : tensor<1xi64>) outs(%e : tensor<1x64xf32>) {
    ^bb0(%k: i64, %o: f32):
      %row = arith.index_cast %k : i64 to index
      %column = linalg.index 1 : index
      %v = tensor.extract %t[%row, %column] : tensor<30x64xf32>
      linalg.yield %v : f32
    } -> tensor<1x64xf32>
    dojo.yield %r : tensor<1x64xf32>
  }
  return %y : tensor<1x64xf32>
}
