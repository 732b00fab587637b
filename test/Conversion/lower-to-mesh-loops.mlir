// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --pass-pipeline='builtin.module(dojo-place{target=d1 nodes=1x2},dojo-lower-to-mesh)' | FileCheck %s
// RUN: dojo-opt %s --pass-pipeline='builtin.module(dojo-place{target=d1 nodes=1x2})' | dojo-opt | FileCheck %s --check-prefix=PLACED
// RUN: dojo-opt %s --pass-pipeline='builtin.module(dojo-place{target=d1 nodes=1x2},dojo-lower-to-mesh,dojo-route,dojo-allocate-sram,d1-generate-kernels,d1-build-programs)' | FileCheck %s --check-prefix=TEXT

// Layers of bodies are planned like others; one without loops has no splits.
// PLACED-LABEL: func.func private @step
// PLACED: dojo.layer "add" {{.*}}splits = [2], nodes = [0, 1]
// PLACED: dojo.layer "more" {{.*}}#dojo.plan<1 x 1 x 1 x 1, nodes = [0]

// Layer 0 brings in what the loop carries and what it reads, each step begins with 1; 2 and 3 are
// the body, 4 brings its results to where they are carried, 5 is behind the loop.
// CHECK-DAG: dojo.buffer @step.carried0 {{.*}}first = 0 : i64, kind = "tensor", last = 5 : i64
// CHECK-DAG: dojo.buffer @step.while {align = 64 : i64, bytes = 1 : i64, first = 0 : i64, kind = "condition", last = 5 : i64}
// What comes from outside is brought once and stays.
// CHECK-DAG: dojo.buffer @add.patch1 {{.*}}first = 0 : i64, kind = "patch", last = 4 : i64
// CHECK: dojo.exchange {after = -1 : i64, buffers = [@in.w, @add.patch1], layer = 0 : i64
// CHECK: dojo.exchange {after = 3 : i64, buffers = [@more, @step.while], layer = 4 : i64
// CHECK: dojo.exchange {after = 3 : i64, buffers = [@add, @step.carried0], layer = 4 : i64
// CHECK: dojo.repeat {condition = @step.while, first = 1 : i64, last = 4 : i64}
// CHECK: dojo.port {{.*}}buffer = @step.carried0, {{.*}}kind = "output"

// TEXT: dojo.barrier {after = 0 : i64}
// TEXT: dojo.barrier {after = 3 : i64}
// TEXT: dojo.barrier {after = 4 : i64}
// TEXT: d1.func @main.0
// TEXT: d1.label @done0
// TEXT-NEXT: d1.signal 2
// Behind the barrier, and again after each step, the byte says whether to go on.
// TEXT-NEXT: d1.wait 3, 1
// TEXT-NEXT: d1.label @again0
// TEXT: d1.lbu
// TEXT: d1.bne {{.*}}@go0
// TEXT: d1.j @leave0
// TEXT-NEXT: d1.label @go0
// TEXT-NEXT: d1.label @layer1
// TEXT-NOT: d1.wait 3, 1
// TEXT: d1.label @layer4
// TEXT-NEXT: d1.wait 3, 1
// TEXT: d1.label @done4
// TEXT-NEXT: d1.signal 2
// TEXT-NEXT: d1.wait 3, 1
// TEXT-NEXT: d1.li
// TEXT-NEXT: d1.j @again0
// TEXT-NEXT: d1.label @leave0
// TEXT-NEXT: d1.li
// TEXT-NEXT: d1.label @layer5
// TEXT-NOT: d1.wait 3, 1
// The list comes in parts: before the loop, a step, behind it.
// TEXT: d1.func @main.2
// TEXT: d1.list
// TEXT-NEXT: d1.label @again0
// TEXT: d1.lbu
// TEXT: d1.label @go0
// TEXT-NEXT: d1.list
// TEXT-NEXT: d1.j @again0
// TEXT-NEXT: d1.label @leave0
// TEXT-NEXT: d1.list
// TEXT-NEXT: d1.halt
#id = affine_map<(d0) -> (d0)>
#first = affine_map<(d0) -> (0)>
#scalar = affine_map<() -> ()>
func.func @main(%c: tensor<i1> {dojo.name = "c"}, %x: tensor<64xf32> {dojo.name = "x"}, %w: tensor<1xf32> {dojo.name = "w"})
    -> (tensor<64xf32> {dojo.name = "y"}) {
  %r = dojo.loop @step while(%c : tensor<i1>) carries(%x : tensor<64xf32>) reads(%w, %c : tensor<1xf32>, tensor<i1>) -> tensor<64xf32>
  return %r : tensor<64xf32>
}
func.func private @step(%x: tensor<64xf32>, %w: tensor<1xf32>, %c: tensor<i1>) -> (tensor<i1>, tensor<64xf32>) {
  %sum = dojo.layer "add" ins(%x, %w : tensor<64xf32>, tensor<1xf32>) -> tensor<64xf32> attributes {op = "Add"} {
  ^bb0(%a: tensor<64xf32>, %b: tensor<1xf32>):
    %e = tensor.empty() : tensor<64xf32>
    %s = linalg.generic {indexing_maps = [#id, #first, #id], iterator_types = ["parallel"]}
        ins(%a, %b : tensor<64xf32>, tensor<1xf32>) outs(%e : tensor<64xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %t = arith.addf %p, %q : f32
      linalg.yield %t : f32
    } -> tensor<64xf32>
    dojo.yield %s : tensor<64xf32>
  }
  %more = dojo.layer "more" ins(%c : tensor<i1>) -> tensor<i1> attributes {op = "Not"} {
  ^bb0(%a: tensor<i1>):
    %e = tensor.empty() : tensor<i1>
    %s = linalg.generic {indexing_maps = [#scalar, #scalar], iterator_types = []} ins(%a : tensor<i1>) outs(%e : tensor<i1>) {
    ^bb0(%p: i1, %o: i1):
      %one = arith.constant true
      %t = arith.xori %p, %one : i1
      linalg.yield %t : i1
    } -> tensor<i1>
    dojo.yield %s : tensor<i1>
  }
  return %more, %sum : tensor<i1>, tensor<64xf32>
}
