// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-assign-layouts=block=4 --mlir-print-local-scope -split-input-file | FileCheck %s
// RUN: dojo-opt %s --dojo-assign-layouts=block=16 --mlir-print-local-scope -split-input-file \
// RUN:   | FileCheck %s --check-prefix=SIMD

#image = affine_map<(n, f, y, x, c, kh, kw) -> (n, c, y * 2 + kh, x * 2 + kw)>
#kernel = affine_map<(n, f, y, x, c, kh, kw) -> (f, c, kh, kw)>
#result = affine_map<(n, f, y, x, c, kh, kw) -> (n, f, y, x)>
#id = affine_map<(n, f, y, x) -> (n, f, y, x)>
#channel = affine_map<(n, f, y, x) -> (f)>

// 10 output channels are 3 blocks of 4, 2 of 8; 8 input channels 2 blocks of 4. Bias and residual
// are operands of the epilogue; its maximum makes zero of the zeros of the padding, so no mask.
// CHECK-LABEL: func @conv(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<1x8x9x9xbf16>, %[[R:[a-z0-9]+]]: tensor<1x10x4x4xbf16>)
func.func @conv(%x: tensor<1x8x9x9xbf16>, %r: tensor<1x10x4x4xbf16>) -> tensor<1x10x4x4xbf16> {
  // CHECK-DAG: dojo.weight blob<"f", 0, 1440> source tensor<10x8x3x3xbf16> transform <[pad = [16, 8, 3, 3], reshape = [2, 8, 2, 4, 3, 3], transpose = [0, 4, 5, 2, 1, 3]]> : tensor<2x3x3x2x8x4xbf16>
  // CHECK-DAG: dojo.weight blob<"f", 1440, 20> source tensor<10xbf16> transform <[pad = [12], reshape = [3, 4]]> : tensor<3x4xbf16>
  // The residual of 10 channels is filled up to 12 with zeros first.
  // CHECK: dojo.assemble fill(0.000000e+00 : bf16) (%[[R]] at [0, 0, 0, 0]) : (tensor<1x10x4x4xbf16>) -> tensor<1x12x4x4xbf16>
  // CHECK: %[[XB:.*]] = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1 * 4 + d4, d2, d3)>, {{.*}} ins(%[[X]] : tensor<1x8x9x9xbf16>) outs(%{{.*}} : tensor<1x2x9x9x4xbf16>)
  // CHECK: %[[Y:.*]] = dojo.conv ins(%[[XB]], %{{.*}} : tensor<1x2x9x9x4xbf16>, tensor<2x3x3x2x8x4xbf16>)
  // CHECK-SAME: extras(%{{.*}}, %{{.*}} : tensor<3x4xbf16>, tensor<1x3x4x4x4xbf16>)
  // CHECK-SAME: strides [2, 2] dilations [1, 1]
  // CHECK-SAME: extra_maps [affine_map<(d0, d1, d2, d3, d4) -> (d1, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>]
  // CHECK-SAME: attributes {dojo.block = array<i64: 1, 4>, dojo.logical = tensor<1x10x4x4xbf16>, dojo.value = "y"}
  // CHECK-NOT: arith.select
  // CHECK: linalg.generic {{.*}} ins(%[[Y]] : tensor<1x3x4x4x4xbf16>) outs(%{{.*}} : tensor<1x12x4x4xbf16>)
  // CHECK: dojo.assemble {{.*}} : (tensor<1x12x4x4xbf16>) -> tensor<1x10x4x4xbf16>
  %zero = arith.constant 0.0 : f32
  %w = dojo.weight blob<"f", 0, 1440> : tensor<10x8x3x3xbf16>
  %b = dojo.weight blob<"f", 1440, 20> : tensor<10xbf16>
  %e = tensor.empty() : tensor<1x10x4x4xf32>
  %h = tensor.empty() : tensor<1x10x4x4xbf16>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x10x4x4xf32>) -> tensor<1x10x4x4xf32>
  %s = linalg.generic {indexing_maps = [#image, #kernel, #result],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x8x9x9xbf16>, tensor<10x8x3x3xbf16>) outs(%f : tensor<1x10x4x4xf32>) {
  ^bb0(%l: bf16, %k: bf16, %o: f32):
    %le = arith.extf %l : bf16 to f32
    %ke = arith.extf %k : bf16 to f32
    %0 = arith.mulf %le, %ke : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<1x10x4x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #channel, #id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %b, %r : tensor<1x10x4x4xf32>, tensor<10xbf16>, tensor<1x10x4x4xbf16>) outs(%h : tensor<1x10x4x4xbf16>)
      attrs = {dojo.value = "y"} {
  ^bb0(%l: f32, %c: bf16, %d: bf16, %o: bf16):
    %z = arith.constant 0.0 : f32
    %ce = arith.extf %c : bf16 to f32
    %de = arith.extf %d : bf16 to f32
    %0 = arith.addf %l, %ce : f32
    %1 = arith.addf %0, %de : f32
    %2 = arith.maximumf %1, %z : f32
    %3 = arith.truncf %2 : f32 to bf16
    linalg.yield %3 : bf16
  } -> tensor<1x10x4x4xbf16>
  return %y : tensor<1x10x4x4xbf16>
}

// -----

#image = affine_map<(n, f, y, x, c, kh, kw) -> (n, c, y + kh, x + kw)>
#kernel = affine_map<(n, f, y, x, c, kh, kw) -> (f, c, kh, kw)>
#result = affine_map<(n, f, y, x, c, kh, kw) -> (n, f, y, x)>
#id = affine_map<(n, f, y, x) -> (n, f, y, x)>

// exp(0) is 1: the padding of 6 channels is masked, by a weight of six ones, and for the next op
// nothing else is needed.
// CHECK-LABEL: func @masked_epilogue(
// On the SIMD unit: the kernel has the output channels innermost, in blocks of 16 lanes. 6 channels
// fill less than half of a block: the result stays as it is in the model.
// SIMD-LABEL: func @masked_epilogue(
func.func @masked_epilogue(%x: tensor<1x4x5x5xbf16>) -> tensor<1x6x5x5xbf16> {
  // CHECK: dojo.weight inline dense<1.000000e+00> : tensor<6xbf16> source tensor<6xbf16> transform <[pad = [8], reshape = [2, 4]]> : tensor<2x4xbf16>
  // CHECK: dojo.conv
  // CHECK-NEXT: ^bb0(%[[ACC:.*]]: f32, %[[IN:.*]]: bf16):
  // CHECK: math.exp %[[ACC]]
  // CHECK: %[[IS:.*]] = arith.cmpf une, %[[IN]]
  // CHECK: arith.select %[[IS]]
  // SIMD-NOT: dojo.conv
  // SIMD: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x6x5x5xf32>)
  %zero = arith.constant 0.0 : f32
  %w = dojo.weight blob<"f", 0, 48> : tensor<6x4x1x1xbf16>
  %e = tensor.empty() : tensor<1x6x5x5xf32>
  %h = tensor.empty() : tensor<1x6x5x5xbf16>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x6x5x5xf32>) -> tensor<1x6x5x5xf32>
  %s = linalg.generic {indexing_maps = [#image, #kernel, #result],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x4x5x5xbf16>, tensor<6x4x1x1xbf16>) outs(%f : tensor<1x6x5x5xf32>) {
  ^bb0(%l: bf16, %k: bf16, %o: f32):
    %le = arith.extf %l : bf16 to f32
    %ke = arith.extf %k : bf16 to f32
    %0 = arith.mulf %le, %ke : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<1x6x5x5xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%s : tensor<1x6x5x5xf32>) outs(%h : tensor<1x6x5x5xbf16>) {
  ^bb0(%l: f32, %o: bf16):
    %0 = math.exp %l : f32
    %1 = arith.truncf %0 : f32 to bf16
    linalg.yield %1 : bf16
  } -> tensor<1x6x5x5xbf16>
  return %y : tensor<1x6x5x5xbf16>
}

// -----

#image = affine_map<(n, f, y, x, c, kh, kw) -> (n, c, y + kh, x + kw)>
#kernel = affine_map<(n, f, y, x, c, kh, kw) -> (f, c, kh, kw)>
#result = affine_map<(n, f, y, x, c, kh, kw) -> (n, f, y, x)>

// CHECK-LABEL: func @simd_conv(
// SIMD-LABEL: func @simd_conv(
// SIMD-SAME: %[[X:[a-z0-9]+]]: tensor<1x3x7x7xf32>)
func.func @simd_conv(%x: tensor<1x3x7x7xf32>) -> tensor<1x32x5x5xf32> {
  // CHECK-NOT: dojo.conv
  // Three input channels are read as they come.
  // SIMD: dojo.weight {{.*}} transform <[reshape = [2, 16, 3, 3, 3], transpose = [0, 2, 3, 4, 1]]> : tensor<2x3x3x3x16xf32>
  // SIMD: %[[S:.*]] = linalg.generic {indexing_maps = [
  // SIMD-SAME: affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d5, d2 + d6, d3 + d7)>,
  // SIMD-SAME: affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d1, d5, d6, d7, d4)>,
  // SIMD-SAME: affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1, d2, d3, d4)>]
  // SIMD-SAME: ins(%[[X]], %{{.*}}) outs(%{{.*}} : tensor<1x2x5x5x16xf32>)
  // SIMD: linalg.generic {{.*}} ins(%[[S]] : tensor<1x2x5x5x16xf32>) outs(%{{.*}} : tensor<1x32x5x5xf32>)
  %zero = arith.constant 0.0 : f32
  %w = dojo.weight blob<"f", 0, 3456> : tensor<32x3x3x3xf32>
  %e = tensor.empty() : tensor<1x32x5x5xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x32x5x5xf32>) -> tensor<1x32x5x5xf32>
  %s = linalg.generic {indexing_maps = [#image, #kernel, #result],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x3x7x7xf32>, tensor<32x3x3x3xf32>) outs(%f : tensor<1x32x5x5xf32>) {
  ^bb0(%l: f32, %k: f32, %o: f32):
    %0 = arith.mulf %l, %k : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<1x32x5x5xf32>
  return %s : tensor<1x32x5x5xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#kernel = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// The rows of the matrix are pixels. Between two products nothing is converted; the last result
// goes to row-major order.
// CHECK-LABEL: func @products(
func.func @products(%x: tensor<6x8xbf16>) -> tensor<6x8xf32> {
  // CHECK: %[[X:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<2x6x4xbf16>)
  // CHECK: dojo.reshape %[[X]] : tensor<2x6x4xbf16> -> tensor<1x2x1x6x4xbf16>
  // CHECK: %[[Y:.*]] = dojo.conv ins({{.*}} : tensor<1x2x1x6x4xbf16>, tensor<1x1x1x2x8x4xbf16>) outs({{.*}} : tensor<1x2x1x6x4xbf16>)
  // CHECK: %[[Z:.*]] = dojo.conv ins(%[[Y]], {{.*}} outs({{.*}} : tensor<1x2x1x6x4xf32>)
  // CHECK: %[[ZR:.*]] = dojo.reshape %[[Z]] : tensor<1x2x1x6x4xf32> -> tensor<2x6x4xf32>
  // CHECK: linalg.generic
  // CHECK-SAME: affine_map<(d0, d1, d2) -> (d1, d0, d2)>, affine_map<(d0, d1, d2) -> (d0, d1 * 4 + d2)>
  // CHECK-SAME: ins(%[[ZR]] : tensor<2x6x4xf32>) outs(%{{.*}} : tensor<6x8xf32>)
  %zero = arith.constant 0.0 : f32
  %w = dojo.weight blob<"f", 0, 128> : tensor<8x8xbf16>
  %e = tensor.empty() : tensor<6x8xf32>
  %h = tensor.empty() : tensor<6x8xbf16>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<6x8xf32>) -> tensor<6x8xf32>
  %s = linalg.generic {indexing_maps = [#rows, #kernel, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<6x8xbf16>, tensor<8x8xbf16>) outs(%f : tensor<6x8xf32>) {
  ^bb0(%l: bf16, %k: bf16, %o: f32):
    %le = arith.extf %l : bf16 to f32
    %ke = arith.extf %k : bf16 to f32
    %0 = arith.mulf %le, %ke : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<6x8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s : tensor<6x8xf32>) outs(%h : tensor<6x8xbf16>) {
  ^bb0(%l: f32, %o: bf16):
    %0 = arith.truncf %l : f32 to bf16
    linalg.yield %0 : bf16
  } -> tensor<6x8xbf16>
  %z = linalg.generic {indexing_maps = [#rows, #kernel, #result], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%y, %w : tensor<6x8xbf16>, tensor<8x8xbf16>) outs(%f : tensor<6x8xf32>) {
  ^bb0(%l: bf16, %k: bf16, %o: f32):
    %le = arith.extf %l : bf16 to f32
    %ke = arith.extf %k : bf16 to f32
    %0 = arith.mulf %le, %ke : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<6x8xf32>
  return %z : tensor<6x8xf32>
}

// -----

#image = affine_map<(n, f, y, x, c, kh, kw) -> (n, c, y + kh, x + kw)>
#kernel = affine_map<(n, f, y, x, c, kh, kw) -> (f, c, kh, kw)>
#result = affine_map<(n, f, y, x, c, kh, kw) -> (n, f, y, x)>
#window = affine_map<(n, c, y, x, kh, kw) -> (n, c, y * 2 + kh, x * 2 + kw)>
#size = affine_map<(n, c, y, x, kh, kw) -> (kh, kw)>
#pooled = affine_map<(n, c, y, x, kh, kw) -> (n, c, y, x)>

// Padding, pooling and the join stay in blocks. Padding with -inf would end up in the padding of
// the 6 channels, so the pooling masks it.
// CHECK-LABEL: func @stays_blocked(
func.func @stays_blocked(%x: tensor<1x4x5x5xbf16>) -> tensor<1x8x3x3xf32> {
  // CHECK: %[[Y:.*]] = dojo.conv {{.*}} outs(%{{.*}} : tensor<1x2x5x5x4xf32>)
  // CHECK: %[[P:.*]] = dojo.assemble fill(0xFF800000 : f32) (%[[Y]] at [0, 0, 1, 1, 0]) : (tensor<1x2x5x5x4xf32>) -> tensor<1x2x7x7x4xf32>
  // CHECK: %[[M:.*]] = linalg.generic {{.*}} ins(%[[P]], %{{.*}} : tensor<1x2x7x7x4xf32>, tensor<3x3xf32>) outs(%{{.*}} : tensor<1x2x3x3x4xf32>)
  // CHECK: arith.maximumf
  // CHECK: %[[B:.*]] = linalg.index 1 : index
  // CHECK: %[[C:.*]] = linalg.index 4 : index
  // CHECK: arith.cmpi ult, %{{.*}}, %c6
  // CHECK: arith.select
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %w = dojo.weight blob<"f", 0, 48> : tensor<6x4x1x1xbf16>
  %e = tensor.empty() : tensor<1x6x5x5xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x6x5x5xf32>) -> tensor<1x6x5x5xf32>
  %s = linalg.generic {indexing_maps = [#image, #kernel, #result],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x4x5x5xbf16>, tensor<6x4x1x1xbf16>) outs(%f : tensor<1x6x5x5xf32>) {
  ^bb0(%l: bf16, %k: bf16, %o: f32):
    %le = arith.extf %l : bf16 to f32
    %ke = arith.extf %k : bf16 to f32
    %0 = arith.mulf %le, %ke : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<1x6x5x5xf32>
  %p = dojo.assemble fill(0xFF800000 : f32) (%s at [0, 0, 1, 1]) : (tensor<1x6x5x5xf32>) -> tensor<1x6x7x7xf32>
  %k = tensor.empty() : tensor<3x3xf32>
  %pe = tensor.empty() : tensor<1x6x3x3xf32>
  %pf = linalg.fill ins(%least : f32) outs(%pe : tensor<1x6x3x3xf32>) -> tensor<1x6x3x3xf32>
  %m = linalg.generic {indexing_maps = [#window, #size, #pooled],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %k : tensor<1x6x7x7xf32>, tensor<3x3xf32>) outs(%pf : tensor<1x6x3x3xf32>) {
  ^bb0(%l: f32, %i: f32, %o: f32):
    %0 = arith.maximumf %o, %l : f32
    linalg.yield %0 : f32
  } -> tensor<1x6x3x3xf32>
  %j = dojo.assemble fill(0.0 : f32) (%m at [0, 0, 0, 0]) : (tensor<1x6x3x3xf32>) -> tensor<1x8x3x3xf32>
  return %j : tensor<1x8x3x3xf32>
}

// -----

#copy = affine_map<(a, b, c) -> (a, c, b)>
#id3 = affine_map<(a, b, c) -> (a, b, c)>
#rows = affine_map<(b, m, n, k) -> (b, m, k)>
#kernel = affine_map<(b, m, n, k) -> (n, k)>
#result = affine_map<(b, m, n, k) -> (b, m, n)>
#image = affine_map<(n, f, y, x, c, kh, kw) -> (n, c, y + kh, x + kw)>
#conv = affine_map<(n, f, y, x, c, kh, kw) -> (f, c, kh, kw)>
#pixels = affine_map<(n, f, y, x, c, kh, kw) -> (n, f, y, x)>

// From an image to the rows of a matrix, a row a pixel: the reshape and the transpose of the model
// move no element.
// CHECK-LABEL: func @image_to_rows(
func.func @image_to_rows(%x: tensor<1x4x3x5xbf16>) -> tensor<1x15x4xf32> {
  // CHECK: %[[Y:.*]] = dojo.conv {{.*}} outs(%{{.*}} : tensor<1x2x3x5x4xbf16>)
  // CHECK: %[[R:.*]] = dojo.reshape %[[Y]] : tensor<1x2x3x5x4xbf16> -> tensor<1x2x1x15x4xbf16>
  // CHECK: dojo.conv ins(%[[R]], %{{.*}} : tensor<1x2x1x15x4xbf16>, tensor<1x1x1x2x8x4xbf16>)
  %zero = arith.constant 0.0 : f32
  %w = dojo.weight blob<"f", 0, 64> : tensor<8x4x1x1xbf16>
  %v = dojo.weight blob<"f", 64, 64> : tensor<4x8xbf16>
  %e = tensor.empty() : tensor<1x8x3x5xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x8x3x5xf32>) -> tensor<1x8x3x5xf32>
  %s = linalg.generic {indexing_maps = [#image, #conv, #pixels],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x4x3x5xbf16>, tensor<8x4x1x1xbf16>) outs(%f : tensor<1x8x3x5xf32>) {
  ^bb0(%l: bf16, %k: bf16, %o: f32):
    %le = arith.extf %l : bf16 to f32
    %ke = arith.extf %k : bf16 to f32
    %0 = arith.mulf %le, %ke : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<1x8x3x5xf32>
  %h = tensor.empty() : tensor<1x8x3x5xbf16>
  %y = linalg.generic {indexing_maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>, affine_map<(a, b, c, d) -> (a, b, c, d)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%s : tensor<1x8x3x5xf32>) outs(%h : tensor<1x8x3x5xbf16>) {
  ^bb0(%l: f32, %o: bf16):
    %0 = arith.truncf %l : f32 to bf16
    linalg.yield %0 : bf16
  } -> tensor<1x8x3x5xbf16>
  %r = dojo.reshape %y : tensor<1x8x3x5xbf16> -> tensor<1x8x15xbf16>
  %te = tensor.empty() : tensor<1x15x8xbf16>
  %t = linalg.generic {indexing_maps = [#copy, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%r : tensor<1x8x15xbf16>) outs(%te : tensor<1x15x8xbf16>) {
  ^bb0(%l: bf16, %o: bf16):
    linalg.yield %l : bf16
  } -> tensor<1x15x8xbf16>
  %pe = tensor.empty() : tensor<1x15x4xf32>
  %pf = linalg.fill ins(%zero : f32) outs(%pe : tensor<1x15x4xf32>) -> tensor<1x15x4xf32>
  %p = linalg.generic {indexing_maps = [#rows, #kernel, #result], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%t, %v : tensor<1x15x8xbf16>, tensor<4x8xbf16>) outs(%pf : tensor<1x15x4xf32>) {
  ^bb0(%l: bf16, %k: bf16, %o: f32):
    %le = arith.extf %l : bf16 to f32
    %ke = arith.extf %k : bf16 to f32
    %0 = arith.mulf %le, %ke : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<1x15x4xf32>
  return %p : tensor<1x15x4xf32>
}

// -----

#image = affine_map<(n, g, f, y, x, c, kh, kw) -> (n, g, c, y + kh, x + kw)>
#kernel = affine_map<(n, g, f, y, x, c, kh, kw) -> (g, f, c, kh, kw)>
#result = affine_map<(n, g, f, y, x, c, kh, kw) -> (n, g, f, y, x)>

// One convolution a group, on slices.
// CHECK-LABEL: func @groups(
func.func @groups(%x: tensor<1x8x5x5xbf16>) -> tensor<1x2x8x3x3xf32> {
  // CHECK-DAG: dojo.weight {{.*}} transform <[slice = [0:1, 0:8, 0:4, 0:3, 0:3],
  // CHECK-DAG: dojo.weight {{.*}} transform <[slice = [1:1, 0:8, 0:4, 0:3, 0:3],
  // CHECK: dojo.assemble {{.*}} at [0, 0, 0, 0, 0, 0]) : (tensor<1x2x1x5x5x4xbf16>) -> tensor<1x1x1x5x5x4xbf16>
  // CHECK: dojo.conv ins({{.*}} : tensor<1x1x5x5x4xbf16>, tensor<1x3x3x1x8x4xbf16>)
  // CHECK: dojo.assemble {{.*}} at [0, -1, 0, 0, 0, 0]) : (tensor<1x2x1x5x5x4xbf16>) -> tensor<1x1x1x5x5x4xbf16>
  // CHECK: dojo.conv
  // CHECK: dojo.assemble {{.*}} (%{{.*}} at [0, 0, 0, 0, 0, 0], %{{.*}} at [0, 1, 0, 0, 0, 0]) : (tensor<1x1x2x3x3x4xf32>, tensor<1x1x2x3x3x4xf32>) -> tensor<1x2x2x3x3x4xf32>
  %zero = arith.constant 0.0 : f32
  %w = dojo.weight blob<"f", 0, 1152> : tensor<2x8x4x3x3xbf16>
  %g = dojo.reshape %x : tensor<1x8x5x5xbf16> -> tensor<1x2x4x5x5xbf16>
  %e = tensor.empty() : tensor<1x2x8x3x3xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2x8x3x3xf32>) -> tensor<1x2x8x3x3xf32>
  %s = linalg.generic {indexing_maps = [#image, #kernel, #result],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%g, %w : tensor<1x2x4x5x5xbf16>, tensor<2x8x4x3x3xbf16>) outs(%f : tensor<1x2x8x3x3xf32>) {
  ^bb0(%l: bf16, %k: bf16, %o: f32):
    %le = arith.extf %l : bf16 to f32
    %ke = arith.extf %k : bf16 to f32
    %0 = arith.mulf %le, %ke : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<1x2x8x3x3xf32>
  return %s : tensor<1x2x8x3x3xf32>
}
