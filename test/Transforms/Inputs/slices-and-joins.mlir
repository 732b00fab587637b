// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Slices, joins and padding that cut blocks of channels, a transpose, an upsampling.
module {
  func.func @main(%arg0: tensor<1x6x7x9xf32> {dojo.name = "x", dojo.type = "f32"} loc("x")) -> (tensor<1x5x8x11xf32> {dojo.name = "conv2_out", dojo.type = "f32"}, tensor<1x8x11x20xf32> {dojo.name = "transpose1_out", dojo.type = "f32"}) {
    %0 = dojo.weight blob<"random", 0, 2160> : tensor<10x6x3x3xf32> loc("w1")
    %1 = dojo.weight blob<"random", 0, 1600> : tensor<5x20x2x2xf32> loc("w11")
    %cst = arith.constant dense<[0.896194994, -1.46120119, 0.201411992, 2.27465606, 0.498010844]> : tensor<5xf32>
    %cst_0 = arith.constant 0.000000e+00 : f32
    %padded = tensor.pad %arg0 low[0, 0, 1, 1] high[0, 0, 1, 1] {
    ^bb0(%arg1: index, %arg2: index, %arg3: index, %arg4: index):
      tensor.yield %cst_0 : f32 loc("conv1")
    } : tensor<1x6x7x9xf32> to tensor<1x6x9x11xf32> loc("conv1")
    %cst_1 = arith.constant 0.000000e+00 : f32
    %2 = tensor.empty() : tensor<1x10x7x9xf32> loc("conv1")
    %3 = linalg.fill ins(%cst_1 : f32) outs(%2 : tensor<1x10x7x9xf32>) -> tensor<1x10x7x9xf32> loc("conv1")
    %4 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 + d5, d3 + d6)>, affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6)>, affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]} ins(%padded, %0 : tensor<1x6x9x11xf32>, tensor<10x6x3x3xf32>) outs(%3 : tensor<1x10x7x9xf32>) attrs =  {dojo.macs = 34020 : i64, dojo.op = "conv", dojo.value = "conv1_out"} {
    ^bb0(%in: f32, %in_7: f32, %out: f32):
      %19 = arith.mulf %in, %in_7 fastmath<contract> : f32
      %20 = arith.addf %out, %19 fastmath<contract> : f32
      linalg.yield %20 : f32
    } -> tensor<1x10x7x9xf32> loc("conv1")
    %5 = tensor.empty() : tensor<1x3x7x9xf32> loc("slice1")
    %6 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1 * 2 + 1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%4 : tensor<1x10x7x9xf32>) outs(%5 : tensor<1x3x7x9xf32>) attrs =  {dojo.value = "slice1_out"} {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x3x7x9xf32> loc("slice1")
    %extracted_slice = tensor.extract_slice %4[0, 4, 0, 0] [1, 4, 7, 9] [1, 1, 1, 1] {dojo.value = "slice2_out"} : tensor<1x10x7x9xf32> to tensor<1x4x7x9xf32> loc("slice2")
    %7 = tensor.empty() : tensor<1x17x7x9xf32> loc("concat1")
    %inserted_slice = tensor.insert_slice %6 into %7[0, 0, 0, 0] [1, 3, 7, 9] [1, 1, 1, 1] : tensor<1x3x7x9xf32> into tensor<1x17x7x9xf32> loc("concat1")
    %inserted_slice_2 = tensor.insert_slice %extracted_slice into %inserted_slice[0, 3, 0, 0] [1, 4, 7, 9] [1, 1, 1, 1] : tensor<1x4x7x9xf32> into tensor<1x17x7x9xf32> loc("concat1")
    %inserted_slice_3 = tensor.insert_slice %4 into %inserted_slice_2[0, 7, 0, 0] [1, 10, 7, 9] [1, 1, 1, 1] {dojo.value = "concat1_out"} : tensor<1x10x7x9xf32> into tensor<1x17x7x9xf32> loc("concat1")
    %cst_4 = arith.constant 5.000000e-01 : f32
    %padded_5 = tensor.pad %inserted_slice_3 low[0, 1, 0, 2] high[0, 2, 1, 0] {
    ^bb0(%arg1: index, %arg2: index, %arg3: index, %arg4: index):
      tensor.yield %cst_4 : f32 loc("pad1")
    } {dojo.value = "pad1_out"} : tensor<1x17x7x9xf32> to tensor<1x20x8x11xf32> loc("pad1")
    %8 = tensor.empty() : tensor<1x20x8x11xf32> loc("relu1")
    %9 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%padded_5 : tensor<1x20x8x11xf32>) outs(%8 : tensor<1x20x8x11xf32>) attrs =  {dojo.value = "relu1_out"} {
    ^bb0(%in: f32, %out: f32):
      %cst_7 = arith.constant 0.000000e+00 : f32
      %19 = arith.maximumf %in, %cst_7 fastmath<contract> : f32
      linalg.yield %19 : f32
    } -> tensor<1x20x8x11xf32> loc("relu1")
    %10 = tensor.empty() : tensor<1x8x11x20xf32> loc("transpose1")
    %11 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d3, d1, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%9 : tensor<1x20x8x11xf32>) outs(%10 : tensor<1x8x11x20xf32>) attrs =  {dojo.value = "transpose1_out"} {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x8x11x20xf32> loc("transpose1")
    %12 = tensor.empty() : tensor<1x20x8x2x11x2xf32> loc("resize1")
    %13 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%9 : tensor<1x20x8x11xf32>) outs(%12 : tensor<1x20x8x2x11x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x20x8x2x11x2xf32> loc("resize1")
    %collapsed = tensor.collapse_shape %13 [[0], [1], [2, 3], [4, 5]] {dojo.value = "resize1_out"} : tensor<1x20x8x2x11x2xf32> into tensor<1x20x16x22xf32> loc("resize1")
    %cst_6 = arith.constant 0.000000e+00 : f32
    %14 = tensor.empty() : tensor<1x5x8x11xf32> loc("conv2")
    %15 = linalg.fill ins(%cst_6 : f32) outs(%14 : tensor<1x5x8x11xf32>) -> tensor<1x5x8x11xf32> loc("conv2")
    %16 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 * 2 + d5, d3 * 2 + d6)>, affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6)>, affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]} ins(%collapsed, %1 : tensor<1x20x16x22xf32>, tensor<5x20x2x2xf32>) outs(%15 : tensor<1x5x8x11xf32>) attrs =  {dojo.macs = 35200 : i64, dojo.op = "conv"} {
    ^bb0(%in: f32, %in_7: f32, %out: f32):
      %19 = arith.mulf %in, %in_7 fastmath<contract> : f32
      %20 = arith.addf %out, %19 fastmath<contract> : f32
      linalg.yield %20 : f32
    } -> tensor<1x5x8x11xf32> loc("conv2")
    %17 = tensor.empty() : tensor<1x5x8x11xf32> loc("conv2")
    %18 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d1)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%16, %cst : tensor<1x5x8x11xf32>, tensor<5xf32>) outs(%17 : tensor<1x5x8x11xf32>) attrs =  {dojo.value = "conv2_out"} {
    ^bb0(%in: f32, %in_7: f32, %out: f32):
      %19 = arith.addf %in, %in_7 fastmath<contract> : f32
      linalg.yield %19 : f32
    } -> tensor<1x5x8x11xf32> loc("conv2")
    return %18, %11 : tensor<1x5x8x11xf32>, tensor<1x8x11x20xf32> loc("transpose1_out")
  } loc("g")
} loc("/tmp/lt/cases2/slices-and-joins.onnx")
