// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolution, bias and ReLU, max pooling, flattened product, softmax.

#img = affine_map<(n, f, y, x, c, kh, kw) -> (n, c, y + kh, x + kw)>
#img2 = affine_map<(n, f, y, x, c, kh, kw) -> (n, c, y * 2 + kh, x * 2 + kw)>
#ker = affine_map<(n, f, y, x, c, kh, kw) -> (f, c, kh, kw)>
#out = affine_map<(n, f, y, x, c, kh, kw) -> (n, f, y, x)>
#id4 = affine_map<(n, f, y, x) -> (n, f, y, x)>
#ch = affine_map<(n, f, y, x) -> (f)>
#pin = affine_map<(n, c, y, x, kh, kw) -> (n, c, y * 2 + kh, x * 2 + kw)>
#pw = affine_map<(n, c, y, x, kh, kw) -> (kh, kw)>
#po = affine_map<(n, c, y, x, kh, kw) -> (n, c, y, x)>
func.func @main(%x: tensor<1x3x9x9xf32> {dojo.name = "x"}) -> (tensor<1x10xf32> {dojo.name = "y"}) {
  %c0 = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %w1 = dojo.weight blob<"random", 0, 864> : tensor<8x3x3x3xf32> loc("w1")
  %b1 = dojo.weight blob<"random", 864, 32> : tensor<8xf32> loc("b1")
  %p1 = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %c0 : f32
  } : tensor<1x3x9x9xf32> to tensor<1x3x11x11xf32> loc("conv1")
  %e1 = tensor.empty() : tensor<1x8x9x9xf32> loc("conv1")
  %f1 = linalg.fill ins(%c0 : f32) outs(%e1 : tensor<1x8x9x9xf32>) -> tensor<1x8x9x9xf32> loc("conv1")
  %c1 = linalg.generic {indexing_maps = [#img, #ker, #out], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]} ins(%p1, %w1 : tensor<1x3x11x11xf32>, tensor<8x3x3x3xf32>) outs(%f1 : tensor<1x8x9x9xf32>) attrs = {dojo.op = "conv", dojo.macs = 17496 : i64} {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.mulf %a, %b fastmath<contract> : f32
    %1 = arith.addf %o, %0 fastmath<contract> : f32
    linalg.yield %1 : f32
  } -> tensor<1x8x9x9xf32> loc("conv1")
  %r1 = linalg.generic {indexing_maps = [#id4, #ch, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%c1, %b1 : tensor<1x8x9x9xf32>, tensor<8xf32>) outs(%e1 : tensor<1x8x9x9xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.addf %a, %b fastmath<contract> : f32
    linalg.yield %0 : f32
  } -> tensor<1x8x9x9xf32> loc("conv1")
  %r2 = linalg.generic {indexing_maps = [#id4, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%r1 : tensor<1x8x9x9xf32>) outs(%e1 : tensor<1x8x9x9xf32>) {
  ^bb0(%a: f32, %o: f32):
    %z = arith.constant 0.0 : f32
    %0 = arith.maximumf %a, %z fastmath<contract> : f32
    linalg.yield %0 : f32
  } -> tensor<1x8x9x9xf32> loc("relu1")
  %pp = tensor.pad %r2 low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %ninf : f32
  } : tensor<1x8x9x9xf32> to tensor<1x8x11x11xf32> loc("pool1")
  %pe = tensor.empty() : tensor<1x8x5x5xf32> loc("pool1")
  %pwin = tensor.empty() : tensor<3x3xf32> loc("pool1")
  %pf = linalg.fill ins(%ninf : f32) outs(%pe : tensor<1x8x5x5xf32>) -> tensor<1x8x5x5xf32> loc("pool1")
  %pool = linalg.generic {indexing_maps = [#pin, #pw, #po], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%pp, %pwin : tensor<1x8x11x11xf32>, tensor<3x3xf32>) outs(%pf : tensor<1x8x5x5xf32>) {
  ^bb0(%a: f32, %w: f32, %o: f32):
    %0 = arith.maximumf %o, %a fastmath<contract> : f32
    linalg.yield %0 : f32
  } -> tensor<1x8x5x5xf32> loc("pool1")
  %flat = tensor.collapse_shape %pool [[0], [1, 2, 3]] : tensor<1x8x5x5xf32> into tensor<1x200xf32> loc("flatten")
  %w2 = dojo.weight blob<"random", 896, 8000> : tensor<10x200xf32> loc("w2")
  %b2 = dojo.weight blob<"random", 8896, 40> : tensor<10xf32> loc("b2")
  %ge = tensor.empty() : tensor<1x10xf32> loc("gemm")
  %gf = linalg.fill ins(%c0 : f32) outs(%ge : tensor<1x10xf32>) -> tensor<1x10xf32> loc("gemm")
  %g = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%flat, %w2 : tensor<1x200xf32>, tensor<10x200xf32>) outs(%gf : tensor<1x10xf32>) attrs = {dojo.op = "matmul", dojo.macs = 2000 : i64} {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.mulf %a, %b fastmath<contract> : f32
    %1 = arith.addf %o, %0 fastmath<contract> : f32
    linalg.yield %1 : f32
  } -> tensor<1x10xf32> loc("gemm")
  %gb = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]} ins(%g, %b2 : tensor<1x10xf32>, tensor<10xf32>) outs(%ge : tensor<1x10xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.addf %a, %b fastmath<contract> : f32
    linalg.yield %0 : f32
  } -> tensor<1x10xf32> loc("gemm")
  // softmax
  %me = tensor.empty() : tensor<1xf32> loc("softmax")
  %mf = linalg.fill ins(%ninf : f32) outs(%me : tensor<1xf32>) -> tensor<1xf32> loc("softmax")
  %m = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>], iterator_types = ["parallel", "reduction"]} ins(%gb : tensor<1x10xf32>) outs(%mf : tensor<1xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.maximumf %o, %a : f32
    linalg.yield %0 : f32
  } -> tensor<1xf32> loc("softmax")
  %ex = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]} ins(%gb, %m : tensor<1x10xf32>, tensor<1xf32>) outs(%ge : tensor<1x10xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.subf %a, %b : f32
    %1 = math.exp %0 : f32
    linalg.yield %1 : f32
  } -> tensor<1x10xf32> loc("softmax")
  %sf = linalg.fill ins(%c0 : f32) outs(%me : tensor<1xf32>) -> tensor<1xf32> loc("softmax")
  %s = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>], iterator_types = ["parallel", "reduction"]} ins(%ex : tensor<1x10xf32>) outs(%sf : tensor<1xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.addf %o, %a : f32
    linalg.yield %0 : f32
  } -> tensor<1xf32> loc("softmax")
  %y = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]} ins(%ex, %s : tensor<1x10xf32>, tensor<1xf32>) outs(%ge : tensor<1x10xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.divf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<1x10xf32> loc("softmax")
  return %y : tensor<1x10xf32>
}
