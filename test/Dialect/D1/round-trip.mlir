// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s | dojo-opt | FileCheck %s
// RUN: dojo-opt %s --mlir-print-op-generic | dojo-opt | FileCheck %s

// CHECK-LABEL: func @scalar
func.func @scalar(%a: !d1.x, %b: !d1.x<5>) {
  // CHECK: %{{.*}} = d1.add %{{.*}}, %{{.*}} : (!d1.x, !d1.x<5>) -> !d1.x
  %0 = d1.add %a, %b : (!d1.x, !d1.x<5>) -> !d1.x
  // CHECK: d1.sel %{{.*}}, %{{.*}}, %{{.*}} : (!d1.x, !d1.x, !d1.x<5>) -> !d1.x<31>
  %1 = d1.sel %0, %a, %b : (!d1.x, !d1.x, !d1.x<5>) -> !d1.x<31>
  // CHECK: d1.addi %{{.*}}, -2048 : (!d1.x) -> !d1.x
  %2 = d1.addi %a, -2048 : (!d1.x) -> !d1.x
  // CHECK: d1.li 100000 : () -> !d1.x
  %3 = d1.li 100000 : () -> !d1.x
  // CHECK: d1.lih %{{.*}}, -1 : (!d1.x) -> !d1.x
  %4 = d1.lih %3, -1 : (!d1.x) -> !d1.x
  return
}

// CHECK-LABEL: func @memory
func.func @memory(%p: !d1.x, %q: !d1.x<9>, %m: !d1.m<0>) {
  // CHECK: %{{.*}} = d1.lw 8(%{{.*}}) : (!d1.x) -> !d1.x
  %0 = d1.lw 8(%p) : (!d1.x) -> !d1.x
  // CHECK: %{{.*}}, %{{.*}} = d1.ld (%{{.*}})-16 : (!d1.x<9>) -> (!d1.x, !d1.x<9>)
  %1:2 = d1.ld (%q)-16 : (!d1.x<9>) -> (!d1.x, !d1.x<9>)
  // CHECK: d1.sw %{{.*}}, 0(%{{.*}}) : (!d1.x, !d1.x) -> ()
  d1.sw %0, 0(%p) : (!d1.x, !d1.x) -> ()
  // CHECK: %{{.*}} = d1.sd %{{.*}}, (%{{.*}})+8 : (!d1.x, !d1.x) -> !d1.x
  %2 = d1.sd %0, (%p)+8 : (!d1.x, !d1.x) -> !d1.x
  // CHECK: %{{.*}} = d1.vld -64(%{{.*}}), bf16, %{{.*}} : (!d1.x, !d1.m<0>) -> !d1.v
  %3 = d1.vld -64(%p), bf16, %m : (!d1.x, !d1.m<0>) -> !d1.v
  // CHECK: %{{.*}}, %{{.*}} = d1.vldb (%{{.*}})+4, w32 : (!d1.x) -> (!d1.v<3>, !d1.x)
  %4:2 = d1.vldb (%p)+4, w32 : (!d1.x) -> (!d1.v<3>, !d1.x)
  // CHECK: d1.vst.sat %{{.*}}, 2(%{{.*}}), u8, %{{.*}} : (!d1.v, !d1.x, !d1.m<0>) -> ()
  d1.vst.sat %3, 2(%p), u8, %m : (!d1.v, !d1.x, !d1.m<0>) -> ()
  // CHECK: d1.vgather8 %{{.*}}, %{{.*}}, %{{.*}} : (!d1.x, !d1.v, !d1.m<0>) -> !d1.v
  %5 = d1.vgather8 %p, %3, %m : (!d1.x, !d1.v, !d1.m<0>) -> !d1.v
  return
}

// CHECK-LABEL: func @simd
func.func @simd(%a: !d1.v, %b: !d1.v<7>, %x: !d1.x, %m: !d1.m) {
  // CHECK: d1.vfadd %{{.*}}, %{{.*}} : (!d1.v, !d1.v<7>) -> !d1.v
  %0 = d1.vfadd %a, %b : (!d1.v, !d1.v<7>) -> !d1.v
  // CHECK: d1.vfsub.xr %{{.*}}, %{{.*}} : (!d1.v, !d1.x) -> !d1.v
  %1 = d1.vfsub.xr %a, %x : (!d1.v, !d1.x) -> !d1.v
  // CHECK: d1.vfmul.m %{{.*}}, 64(%{{.*}}), bf16 : (!d1.v, !d1.x) -> !d1.v
  %2 = d1.vfmul.m %a, 64(%x), bf16 : (!d1.v, !d1.x) -> !d1.v
  // CHECK: %{{.*}}, %{{.*}} = d1.vfma.b %{{.*}}, (%{{.*}})+2, %{{.*}}, bf16 : (!d1.v, !d1.x, !d1.v<7>) -> (!d1.v, !d1.x)
  %3:2 = d1.vfma.b %a, (%x)+2, %b, bf16 : (!d1.v, !d1.x, !d1.v<7>) -> (!d1.v, !d1.x)
  // CHECK: d1.vfcmp %{{.*}}, %{{.*}}, uno : (!d1.v, !d1.v<7>) -> !d1.m<1>
  %4 = d1.vfcmp %a, %b, uno : (!d1.v, !d1.v<7>) -> !d1.m<1>
  // CHECK: d1.vsel %{{.*}}, %{{.*}}, %{{.*}} : (!d1.m<1>, !d1.v, !d1.v<7>) -> !d1.v
  %5 = d1.vsel %4, %a, %b : (!d1.m<1>, !d1.v, !d1.v<7>) -> !d1.v
  // CHECK: d1.vperm2 %{{.*}}, %{{.*}}, %{{.*}} : (!d1.v<7>, !d1.v, !d1.v) -> !d1.v<7>
  %6 = d1.vperm2 %b, %a, %a : (!d1.v<7>, !d1.v, !d1.v) -> !d1.v<7>
  // CHECK: d1.vextract %{{.*}}, 15 : (!d1.v) -> !d1.x
  %7 = d1.vextract %a, 15 : (!d1.v) -> !d1.x
  // CHECK: d1.mlanes.i 16 : () -> !d1.m
  %8 = d1.mlanes.i 16 : () -> !d1.m
  return
}

// CHECK-LABEL: func @matrix
func.func @matrix(%a: !d1.v, %b: !d1.v, %p: !d1.x, %q: !d1.x) {
  // CHECK: d1.mm 3, %{{.*}}, %{{.*}}, 1, bf16 : (!d1.v, !d1.v) -> ()
  d1.mm 3, %a, %b, 1, bf16 : (!d1.v, !d1.v) -> ()
  // CHECK: %{{.*}} = d1.mm.vm 3, %{{.*}}, (%{{.*}})+64, 0, bf16 : (!d1.v, !d1.x) -> !d1.x
  %0 = d1.mm.vm 3, %a, (%p)+64, 0, bf16 : (!d1.v, !d1.x) -> !d1.x
  // CHECK: d1.mm.mm 7, 0(%{{.*}}), 64(%{{.*}}), 0, bf16 : (!d1.x, !d1.x) -> ()
  d1.mm.mm 7, 0(%p), 64(%q), 0, bf16 : (!d1.x, !d1.x) -> ()
  // CHECK: %{{.*}} = d1.mm.mm 7, 0(%{{.*}}), (%{{.*}})+64, 0, bf16 : (!d1.x, !d1.x) -> !d1.x
  %1 = d1.mm.mm 7, 0(%p), (%q)+64, 0, bf16 : (!d1.x, !d1.x) -> !d1.x
  // CHECK: %{{.*}}:2 = d1.mm.mm 7, (%{{.*}})-64, (%{{.*}})+64, 0, bf16 : (!d1.x, !d1.x) -> (!d1.x, !d1.x)
  %2:2 = d1.mm.mm 7, (%p)-64, (%q)+64, 0, bf16 : (!d1.x, !d1.x) -> (!d1.x, !d1.x)
  // CHECK: d1.drain 3, 2 : () -> !d1.v
  %3 = d1.drain 3, 2 : () -> !d1.v
  // CHECK: d1.fill 3, 0, %{{.*}} : (!d1.v) -> ()
  d1.fill 3, 0, %a : (!d1.v) -> ()
  return
}

// CHECK-LABEL: func @control
func.func @control(%a: !d1.x, %b: !d1.x) {
  // CHECK: d1.j @loop
  d1.j @loop
  // CHECK: %{{.*}} = d1.loop %{{.*}}, @loop : (!d1.x) -> !d1.x
  %0 = d1.loop %a, @loop : (!d1.x) -> !d1.x
  // CHECK: d1.blt %{{.*}}, %{{.*}}, @loop : (!d1.x, !d1.x) -> ()
  d1.blt %a, %b, @loop : (!d1.x, !d1.x) -> ()
  // CHECK: d1.pred %{{.*}}, 7 : (!d1.x) -> ()
  d1.pred %a, 7 : (!d1.x) -> ()
  // CHECK: d1.wait 255, 65535
  d1.wait 255, 65535
  // CHECK: d1.waitx 1, %{{.*}} : (!d1.x) -> ()
  d1.waitx 1, %a : (!d1.x) -> ()
  // CHECK: d1.signal 4
  d1.signal 4
  // CHECK: d1.list 1310656
  d1.list 1310656
  // CHECK: d1.nodeid : () -> !d1.x
  %1 = d1.nodeid : () -> !d1.x
  // CHECK: d1.halt
  d1.halt
  return
}
