// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-vectorize-kernels --canonicalize --cse --split-input-file | FileCheck %s
// RUN: dojo-opt %s --dojo-vectorize-kernels="thread=1 threads=2" --canonicalize --cse --split-input-file \
// RUN:   | FileCheck %s --check-prefix=SECOND

// 2 x 6 x 49 pixels of 4 channels, one operand per channel. The 49 pixels merge; a vector is 4
// pixels by 4 channels: 12 vectors, four side by side, in 3 iterations, and a tail of one pixel.
// The channels' operand is loaded once for all pixels.
// CHECK-LABEL: func.func @per_channel
// CHECK-DAG: %[[REPEAT:.*]] = arith.constant dense<[0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]>
// CHECK-DAG: %[[C48:.*]] = arith.constant 48 : index
// CHECK: scf.for %{{.*}} = %c0 to %c2
// CHECK: scf.for %[[Q:.*]] = %c0 to %c6
// CHECK: vector.gather %{{.*}}[%{{.*}}] [%[[REPEAT]]]
// CHECK: scf.for %{{.*}} = %c0 to %[[C48]] step %c16
// CHECK-COUNT-4: vector.load {{.*}} vector<16xbf16>
// CHECK-COUNT-4: arith.addf
// CHECK-COUNT-4: vector.store
// CHECK: %[[TAIL:.*]] = vector.constant_mask [4]
// CHECK: vector.maskedload {{.*}}, %[[TAIL]]
// CHECK: vector.maskedstore {{.*}}, %[[TAIL]]

// The second thread has the second image.
// SECOND-LABEL: func.func @per_channel
// SECOND-NOT: scf.for %{{.*}} = %c0 to %c2
// SECOND: scf.for %[[Q:.*]] = %c0 to %c6
// SECOND: affine_map
func.func @per_channel(%a: memref<2x6x7x7x4xbf16> {dojo.address = 4096 : i64},
    %c: memref<6x4xf32> {dojo.address = 8192 : i64},
    %o: memref<2x6x7x7x4xbf16> {dojo.address = 16384 : i64}) attributes {dojo.kernel} {
  linalg.generic {
      indexing_maps = [affine_map<(n,c,y,x,f) -> (n,c,y,x,f)>, affine_map<(n,c,y,x,f) -> (c,f)>,
                       affine_map<(n,c,y,x,f) -> (n,c,y,x,f)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%a, %c : memref<2x6x7x7x4xbf16>, memref<6x4xf32>) outs(%o : memref<2x6x7x7x4xbf16>) {
  ^bb0(%x: bf16, %s: f32, %y: bf16):
    %0 = arith.extf %x : bf16 to f32
    %1 = arith.addf %0, %s : f32
    %2 = arith.truncf %1 : f32 to bf16
    linalg.yield %2 : bf16
  }
  return
}

// -----

// Sums of rows of 50, four rows side by side: lanes along the row, 3 vectors and 2 elements; the
// lanes are added in four steps. The fill is the value to start from, not a loop of its own.
// CHECK-LABEL: func.func @row_sums
// CHECK-NOT: linalg.fill
// CHECK: scf.for %{{.*}} = %c0 to %c40 step %c4
// CHECK-COUNT-12: vector.load
// CHECK: %[[REST:.*]] = vector.constant_mask [2]
// CHECK: vector.maskedload {{.*}}, %[[REST]]
// CHECK: %[[NEW:.*]] = arith.addf
// CHECK: arith.select %[[REST]], %[[NEW]]
// CHECK: vector.shuffle {{.*}} [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7]
// CHECK: vector.shuffle {{.*}} [4, 5, 6
// CHECK: vector.shuffle {{.*}} [2, 3, 4
// CHECK: vector.shuffle {{.*}} [1, 2, 3
// CHECK: %[[ONE:.*]] = vector.constant_mask [1]
// CHECK: vector.maskedstore {{.*}}, %[[ONE]]
// SECOND-LABEL: func.func @row_sums
func.func @row_sums(%a: memref<40x50xf32> {dojo.address = 4096 : i64},
    %o: memref<40xf32> {dojo.address = 16384 : i64}) attributes {dojo.kernel} {
  %z = arith.constant 0.0 : f32
  linalg.fill ins(%z : f32) outs(%o : memref<40xf32>)
  linalg.generic {indexing_maps = [affine_map<(n,c) -> (n,c)>, affine_map<(n,c) -> (n)>],
      iterator_types = ["parallel", "reduction"]}
      ins(%a : memref<40x50xf32>) outs(%o : memref<40xf32>) {
  ^bb0(%x: f32, %y: f32):
    %1 = arith.addf %x, %y : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// 64-bit integers are scalar code; two operations are the first thread's alone.
// CHECK-LABEL: func.func @scalar
// CHECK: memref.load
// CHECK: arith.divsi
// CHECK: memref.store
// CHECK-NOT: vector
// SECOND-LABEL: func.func @scalar
// SECOND-NEXT: return
func.func @scalar(%a: memref<3xi64> {dojo.address = 4096 : i64},
    %o: memref<3xi64> {dojo.address = 8192 : i64}) attributes {dojo.kernel} {
  linalg.generic {indexing_maps = [affine_map<(n) -> (n)>, affine_map<(n) -> (2 - n)>],
      iterator_types = ["parallel"]} ins(%a : memref<3xi64>) outs(%o : memref<3xi64>) {
  ^bb0(%x: i64, %y: i64):
    linalg.yield %x : i64
  }
  linalg.generic {indexing_maps = [affine_map<(n) -> (n)>, affine_map<(n) -> (n)>],
      iterator_types = ["parallel"]} ins(%a : memref<3xi64>) outs(%o : memref<3xi64>) {
  ^bb0(%x: i64, %y: i64):
    %0 = arith.divsi %y, %x : i64
    linalg.yield %0 : i64
  }
  return
}

// -----

// Rows at indices known at run time: the index is a scalar, the columns are one load. Elements at
// indices that differ from lane to lane are gathered.
// CHECK-LABEL: func.func @rows
// CHECK: %[[INDEX:.*]] = memref.load %{{.*}} : memref<{{.*}}xi64>
// CHECK: %[[ROW:.*]] = arith.index_cast %[[INDEX]] : i64 to index
// CHECK: arith.muli %[[ROW]]
// CHECK: vector.load %{{.*}} : memref<3200xf32>, vector<16xf32>
// CHECK: vector.store
// CHECK-LABEL: func.func @elements
// CHECK: %[[INDEX:.*]] = vector.load %{{.*}} : memref<{{.*}}xi32>, vector<16xi32>
// CHECK: %[[AT:.*]] = arith.index_cast %[[INDEX]] : vector<16xi32> to vector<16xindex>
// CHECK: vector.gather %{{.*}}[%{{.*}}] [%{{.*}}]
func.func @rows(%i: memref<8xi64>, %t: memref<100x32xf32>, %o: memref<8x32xf32>) attributes {dojo.kernel} {
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      ins(%i : memref<8xi64>) outs(%o : memref<8x32xf32>) {
  ^bb0(%k: i64, %x: f32):
    %row = arith.index_cast %k : i64 to index
    %column = linalg.index 1 : index
    %v = memref.load %t[%row, %column] : memref<100x32xf32>
    linalg.yield %v : f32
  }
  return
}
func.func @elements(%i: memref<64xi32>, %t: memref<100xf32>, %o: memref<64xf32>) attributes {dojo.kernel} {
  linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%i : memref<64xi32>) outs(%o : memref<64xf32>) {
  ^bb0(%k: i32, %x: f32):
    %at = arith.index_cast %k : i32 to index
    %v = memref.load %t[%at] : memref<100xf32>
    linalg.yield %v : f32
  }
  return
}

// -----

// Places of the last block that do not count: a reduction ends before them, where a row's blocks
// follow each other. Else, and where they are written, only the last block compares.
// CHECK-LABEL: func.func @row
// CHECK-NOT: arith.cmpi
// CHECK: arith.maximumf %{{.*}} : vector<16xbf16>
// CHECK-NOT: arith.cmpi
// CHECK-LABEL: func.func @rows
// CHECK: scf.for
// CHECK-NOT: arith.cmpi
// CHECK: arith.maximumf %{{.*}} : vector<16xbf16>
// CHECK: scf.yield
// CHECK: arith.select %{{.*}} : vector<16xi1>
// CHECK-NOT: scf.for
// CHECK: vector.shuffle
// CHECK-LABEL: func.func @zeros
// CHECK: scf.for
// CHECK-NOT: arith.cmpi
// CHECK: vector.store
// CHECK: arith.select %{{.*}} : vector<16xi1>
#moved = affine_map<(d0, d1, d2) -> (d1, d0, d2)>
#same = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#first = affine_map<(d0, d1, d2) -> (d0)>
func.func @row(%a: memref<100x1x4xbf16>, %o: memref<1xbf16>) attributes {dojo.kernel} {
  linalg.generic {indexing_maps = [#moved, #first], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%a : memref<100x1x4xbf16>) outs(%o : memref<1xbf16>) {
  ^bb0(%x: bf16, %y: bf16):
    %c4 = arith.constant 4 : index
    %end = arith.constant 397 : index
    %low = arith.constant 0xFF80 : bf16
    %b = linalg.index 1 : index
    %i = linalg.index 2 : index
    %first = arith.muli %b, %c4 : index
    %place = arith.addi %first, %i : index
    %in = arith.cmpi ult, %place, %end : index
    %v = arith.select %in, %x, %low : bf16
    %m = arith.maximumf %y, %v : bf16
    linalg.yield %m : bf16
  }
  return
}
func.func @rows(%a: memref<100x4x4xbf16>, %o: memref<4xbf16>) attributes {dojo.kernel} {
  linalg.generic {indexing_maps = [#moved, #first], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%a : memref<100x4x4xbf16>) outs(%o : memref<4xbf16>) {
  ^bb0(%x: bf16, %y: bf16):
    %c4 = arith.constant 4 : index
    %end = arith.constant 397 : index
    %low = arith.constant 0xFF80 : bf16
    %b = linalg.index 1 : index
    %i = linalg.index 2 : index
    %first = arith.muli %b, %c4 : index
    %place = arith.addi %first, %i : index
    %in = arith.cmpi ult, %place, %end : index
    %v = arith.select %in, %x, %low : bf16
    %m = arith.maximumf %y, %v : bf16
    linalg.yield %m : bf16
  }
  return
}
func.func @zeros(%a: memref<100x8x4xf32>, %o: memref<100x8x4xf32>) attributes {dojo.kernel} {
  linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%a : memref<100x8x4xf32>) outs(%o : memref<100x8x4xf32>) {
  ^bb0(%x: f32, %y: f32):
    %c4 = arith.constant 4 : index
    %end = arith.constant 397 : index
    %zero = arith.constant 0.0 : f32
    %b = linalg.index 0 : index
    %i = linalg.index 2 : index
    %first = arith.muli %b, %c4 : index
    %place = arith.addi %first, %i : index
    %in = arith.cmpi ult, %place, %end : index
    %e = math.exp %x : f32
    %v = arith.select %in, %e, %zero : f32
    linalg.yield %v : f32
  }
  return
}
