// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions in groups, of whole blocks and of less, a residual, both poolings, two images.
module {
  func.func @main(%arg0: tensor<2x8x9x7xf32> {dojo.name = "x", dojo.type = "f32"} loc("x")) -> (tensor<2x32x3x4xf32> {dojo.name = "concat1_out", dojo.type = "f32"}) {
    %0 = dojo.weight blob<"random", 0, 2304> : tensor<16x4x3x3xf32> loc("w1")
    %1 = dojo.weight blob<"random", 0, 2304> : tensor<2x8x4x3x3xf32> loc("conv1")
    %cst = arith.constant dense<[1.08054411, -1.60767663, 0.456163615, -0.944870173, 0.570788503, 1.54279637, -4.17326402E-4, 0.374155074, 0.409551769, -0.799593508, 1.51163936, 1.70646822, 0.701783359, 0.0732854306, -0.461893827, -0.626490235]> : tensor<16xf32>
    %2 = dojo.weight blob<"random", 0, 512> : tensor<16x8x1x1xf32> loc("w3")
    %cst_0 = arith.constant dense<[-0.584375262, 0.365591466, -1.66777992, 0.588037729, 1.557010e+00, 0.884027183, -2.019540e+00, -9.842090e-01, -0.187794924, 0.486937314, -0.106652677, -0.493214399, 0.595300317, 1.16415179, -0.232294008, 0.728929877]> : tensor<16xf32>
    %3 = dojo.weight blob<"random", 0, 2304> : tensor<16x4x3x3xf32> loc("w5")
    %4 = dojo.weight blob<"random", 0, 2304> : tensor<4x4x4x3x3xf32> loc("conv3")
    %cst_1 = arith.constant dense<[[2.500000e-01, 0.166666672, 0.166666672, 2.500000e-01], [0.166666672, 0.111111112, 0.111111112, 0.166666672], [2.500000e-01, 0.166666672, 0.166666672, 2.500000e-01]]> : tensor<3x4xf32>
    %cst_2 = arith.constant 0.000000e+00 : f32
    %padded = tensor.pad %arg0 low[0, 0, 1, 1] high[0, 0, 1, 1] {
    ^bb0(%arg1: index, %arg2: index, %arg3: index, %arg4: index):
      tensor.yield %cst_2 : f32 loc("conv1")
    } : tensor<2x8x9x7xf32> to tensor<2x8x11x9xf32> loc("conv1")
    %expanded = tensor.expand_shape %padded [[0], [1, 2], [3], [4]] output_shape [2, 2, 4, 11, 9] : tensor<2x8x11x9xf32> into tensor<2x2x4x11x9xf32> loc("conv1")
    %cst_3 = arith.constant 0.000000e+00 : f32
    %5 = tensor.empty() : tensor<2x2x8x9x7xf32> loc("conv1")
    %6 = linalg.fill ins(%cst_3 : f32) outs(%5 : tensor<2x2x8x9x7xf32>) -> tensor<2x2x8x9x7xf32> loc("conv1")
    %7 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1, d5, d3 + d6, d4 + d7)>, affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d1, d2, d5, d6, d7)>, affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]} ins(%expanded, %1 : tensor<2x2x4x11x9xf32>, tensor<2x8x4x3x3xf32>) outs(%6 : tensor<2x2x8x9x7xf32>) attrs =  {dojo.macs = 72576 : i64, dojo.op = "conv"} {
    ^bb0(%in: f32, %in_17: f32, %out: f32):
      %35 = arith.mulf %in, %in_17 fastmath<contract> : f32
      %36 = arith.addf %out, %35 fastmath<contract> : f32
      linalg.yield %36 : f32
    } -> tensor<2x2x8x9x7xf32> loc("conv1")
    %collapsed = tensor.collapse_shape %7 [[0], [1, 2], [3], [4]] : tensor<2x2x8x9x7xf32> into tensor<2x16x9x7xf32> loc("conv1")
    %8 = tensor.empty() : tensor<2x16x9x7xf32> loc("conv1")
    %9 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d1)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed, %cst : tensor<2x16x9x7xf32>, tensor<16xf32>) outs(%8 : tensor<2x16x9x7xf32>) attrs =  {dojo.value = "conv1_out"} {
    ^bb0(%in: f32, %in_17: f32, %out: f32):
      %35 = arith.addf %in, %in_17 fastmath<contract> : f32
      linalg.yield %35 : f32
    } -> tensor<2x16x9x7xf32> loc("conv1")
    %10 = tensor.empty() : tensor<2x16x9x7xf32> loc("relu1")
    %11 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%9 : tensor<2x16x9x7xf32>) outs(%10 : tensor<2x16x9x7xf32>) attrs =  {dojo.value = "relu1_out"} {
    ^bb0(%in: f32, %out: f32):
      %cst_17 = arith.constant 0.000000e+00 : f32
      %35 = arith.maximumf %in, %cst_17 fastmath<contract> : f32
      linalg.yield %35 : f32
    } -> tensor<2x16x9x7xf32> loc("relu1")
    %cst_4 = arith.constant 0.000000e+00 : f32
    %12 = tensor.empty() : tensor<2x16x9x7xf32> loc("conv2")
    %13 = linalg.fill ins(%cst_4 : f32) outs(%12 : tensor<2x16x9x7xf32>) -> tensor<2x16x9x7xf32> loc("conv2")
    %14 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 + d5, d3 + d6)>, affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6)>, affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]} ins(%arg0, %2 : tensor<2x8x9x7xf32>, tensor<16x8x1x1xf32>) outs(%13 : tensor<2x16x9x7xf32>) attrs =  {dojo.macs = 16128 : i64, dojo.op = "conv"} {
    ^bb0(%in: f32, %in_17: f32, %out: f32):
      %35 = arith.mulf %in, %in_17 fastmath<contract> : f32
      %36 = arith.addf %out, %35 fastmath<contract> : f32
      linalg.yield %36 : f32
    } -> tensor<2x16x9x7xf32> loc("conv2")
    %15 = tensor.empty() : tensor<2x16x9x7xf32> loc("conv2")
    %16 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d1)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%14, %cst_0 : tensor<2x16x9x7xf32>, tensor<16xf32>) outs(%15 : tensor<2x16x9x7xf32>) attrs =  {dojo.value = "conv2_out"} {
    ^bb0(%in: f32, %in_17: f32, %out: f32):
      %35 = arith.addf %in, %in_17 fastmath<contract> : f32
      linalg.yield %35 : f32
    } -> tensor<2x16x9x7xf32> loc("conv2")
    %17 = tensor.empty() : tensor<2x16x9x7xf32> loc("add1")
    %18 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%11, %16 : tensor<2x16x9x7xf32>, tensor<2x16x9x7xf32>) outs(%17 : tensor<2x16x9x7xf32>) attrs =  {dojo.value = "add1_out"} {
    ^bb0(%in: f32, %in_17: f32, %out: f32):
      %35 = arith.addf %in, %in_17 fastmath<contract> : f32
      linalg.yield %35 : f32
    } -> tensor<2x16x9x7xf32> loc("add1")
    %19 = tensor.empty() : tensor<2x16x9x7xf32> loc("leakyrelu1")
    %20 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%18 : tensor<2x16x9x7xf32>) outs(%19 : tensor<2x16x9x7xf32>) attrs =  {dojo.value = "leakyrelu1_out"} {
    ^bb0(%in: f32, %out: f32):
      %cst_17 = arith.constant 0.00999999977 : f32
      %cst_18 = arith.constant 0.000000e+00 : f32
      %35 = arith.cmpf olt, %in, %cst_18 : f32
      %36 = arith.mulf %in, %cst_17 fastmath<contract> : f32
      %37 = arith.select %35, %36, %in : f32
      linalg.yield %37 : f32
    } -> tensor<2x16x9x7xf32> loc("leakyrelu1")
    %cst_5 = arith.constant 0.000000e+00 : f32
    %padded_6 = tensor.pad %20 low[0, 0, 0, 1] high[0, 0, 0, 1] {
    ^bb0(%arg1: index, %arg2: index, %arg3: index, %arg4: index):
      tensor.yield %cst_5 : f32 loc("conv3")
    } : tensor<2x16x9x7xf32> to tensor<2x16x9x9xf32> loc("conv3")
    %expanded_7 = tensor.expand_shape %padded_6 [[0], [1, 2], [3], [4]] output_shape [2, 4, 4, 9, 9] : tensor<2x16x9x9xf32> into tensor<2x4x4x9x9xf32> loc("conv3")
    %cst_8 = arith.constant 0.000000e+00 : f32
    %21 = tensor.empty() : tensor<2x4x4x5x7xf32> loc("conv3")
    %22 = linalg.fill ins(%cst_8 : f32) outs(%21 : tensor<2x4x4x5x7xf32>) -> tensor<2x4x4x5x7xf32> loc("conv3")
    %23 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1, d5, d3 + d6 * 2, d4 + d7)>, affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d1, d2, d5, d6, d7)>, affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1, d2, d3, d4)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]} ins(%expanded_7, %4 : tensor<2x4x4x9x9xf32>, tensor<4x4x4x3x3xf32>) outs(%22 : tensor<2x4x4x5x7xf32>) attrs =  {dojo.macs = 40320 : i64, dojo.op = "conv"} {
    ^bb0(%in: f32, %in_17: f32, %out: f32):
      %35 = arith.mulf %in, %in_17 fastmath<contract> : f32
      %36 = arith.addf %out, %35 fastmath<contract> : f32
      linalg.yield %36 : f32
    } -> tensor<2x4x4x5x7xf32> loc("conv3")
    %collapsed_9 = tensor.collapse_shape %23 [[0], [1, 2], [3], [4]] {dojo.value = "conv3_out"} : tensor<2x4x4x5x7xf32> into tensor<2x16x5x7xf32> loc("conv3")
    %cst_10 = arith.constant 0.000000e+00 : f32
    %padded_11 = tensor.pad %collapsed_9 low[0, 0, 1, 1] high[0, 0, 1, 1] {
    ^bb0(%arg1: index, %arg2: index, %arg3: index, %arg4: index):
      tensor.yield %cst_10 : f32 loc("averagepool1")
    } : tensor<2x16x5x7xf32> to tensor<2x16x7x9xf32> loc("averagepool1")
    %24 = tensor.empty() : tensor<3x3xf32> loc("averagepool1")
    %cst_12 = arith.constant 0.000000e+00 : f32
    %25 = tensor.empty() : tensor<2x16x3x4xf32> loc("averagepool1")
    %26 = linalg.fill ins(%cst_12 : f32) outs(%25 : tensor<2x16x3x4xf32>) -> tensor<2x16x3x4xf32> loc("averagepool1")
    %27 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2 * 2 + d4, d3 * 2 + d5)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d4, d5)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%padded_11, %24 : tensor<2x16x7x9xf32>, tensor<3x3xf32>) outs(%26 : tensor<2x16x3x4xf32>) {
    ^bb0(%in: f32, %in_17: f32, %out: f32):
      %35 = arith.addf %out, %in fastmath<contract> : f32
      linalg.yield %35 : f32
    } -> tensor<2x16x3x4xf32> loc("averagepool1")
    %28 = tensor.empty() : tensor<2x16x3x4xf32> loc("averagepool1")
    %29 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%27, %cst_1 : tensor<2x16x3x4xf32>, tensor<3x4xf32>) outs(%28 : tensor<2x16x3x4xf32>) attrs =  {dojo.value = "averagepool1_out"} {
    ^bb0(%in: f32, %in_17: f32, %out: f32):
      %35 = arith.mulf %in, %in_17 fastmath<contract> : f32
      linalg.yield %35 : f32
    } -> tensor<2x16x3x4xf32> loc("averagepool1")
    %cst_13 = arith.constant 0xFF800000 : f32
    %padded_14 = tensor.pad %collapsed_9 low[0, 0, 1, 1] high[0, 0, 1, 1] {
    ^bb0(%arg1: index, %arg2: index, %arg3: index, %arg4: index):
      tensor.yield %cst_13 : f32 loc("maxpool1")
    } : tensor<2x16x5x7xf32> to tensor<2x16x7x9xf32> loc("maxpool1")
    %30 = tensor.empty() : tensor<3x3xf32> loc("maxpool1")
    %cst_15 = arith.constant 0xFF800000 : f32
    %31 = tensor.empty() : tensor<2x16x3x4xf32> loc("maxpool1")
    %32 = linalg.fill ins(%cst_15 : f32) outs(%31 : tensor<2x16x3x4xf32>) -> tensor<2x16x3x4xf32> loc("maxpool1")
    %33 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2 * 2 + d4, d3 * 2 + d5)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d4, d5)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%padded_14, %30 : tensor<2x16x7x9xf32>, tensor<3x3xf32>) outs(%32 : tensor<2x16x3x4xf32>) attrs =  {dojo.value = "maxpool1_out"} {
    ^bb0(%in: f32, %in_17: f32, %out: f32):
      %35 = arith.maximumf %out, %in fastmath<contract> : f32
      linalg.yield %35 : f32
    } -> tensor<2x16x3x4xf32> loc("maxpool1")
    %34 = tensor.empty() : tensor<2x32x3x4xf32> loc("concat1")
    %inserted_slice = tensor.insert_slice %29 into %34[0, 0, 0, 0] [2, 16, 3, 4] [1, 1, 1, 1] : tensor<2x16x3x4xf32> into tensor<2x32x3x4xf32> loc("concat1")
    %inserted_slice_16 = tensor.insert_slice %33 into %inserted_slice[0, 16, 0, 0] [2, 16, 3, 4] [1, 1, 1, 1] {dojo.value = "concat1_out"} : tensor<2x16x3x4xf32> into tensor<2x32x3x4xf32> loc("concat1")
    return %inserted_slice_16 : tensor<2x32x3x4xf32> loc("concat1_out")
  } loc("g")
} loc("/tmp/lt/cases2/groups-and-pools.onnx")
