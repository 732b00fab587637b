// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Depthwise convolution and squeeze-and-excitation on 18 channels, which are no whole blocks.
module {
  func.func @main(%arg0: tensor<1x3x12x16xf32> {dojo.name = "x", dojo.type = "f32"} loc("x")) -> (tensor<1x18x6x8xf32> {dojo.name = "add1_out", dojo.type = "f32"}) {
    %0 = dojo.weight blob<"random", 0, 1944> : tensor<18x3x3x3xf32> loc("w1")
    %1 = dojo.weight blob<"random", 0, 1800> : tensor<18x1x5x5xf32> loc("w2")
    %2 = dojo.weight blob<"random", 0, 1800> : tensor<18x5x5xf32> loc("conv2")
    %3 = dojo.weight blob<"random", 0, 72> : tensor<18xf32> loc("w3")
    %4 = dojo.weight blob<"random", 0, 432> : tensor<6x18x1x1xf32> loc("w4")
    %cst = arith.constant dense<[0.222463161, -0.0883755237, 0.0983779057, 0.381416261, 0.0674922541, 0.0163380839]> : tensor<6xf32>
    %5 = dojo.weight blob<"random", 0, 432> : tensor<18x6x1x1xf32> loc("w6")
    %6 = dojo.weight blob<"random", 0, 72> : tensor<18xf32> loc("w7")
    %7 = dojo.weight blob<"random", 0, 1296> : tensor<18x18x1x1xf32> loc("w8")
    %cst_0 = arith.constant 0.000000e+00 : f32
    %padded = tensor.pad %arg0 low[0, 0, 1, 1] high[0, 0, 1, 1] {
    ^bb0(%arg1: index, %arg2: index, %arg3: index, %arg4: index):
      tensor.yield %cst_0 : f32 loc("conv1")
    } : tensor<1x3x12x16xf32> to tensor<1x3x14x18xf32> loc("conv1")
    %cst_1 = arith.constant 0.000000e+00 : f32
    %8 = tensor.empty() : tensor<1x18x6x8xf32> loc("conv1")
    %9 = linalg.fill ins(%cst_1 : f32) outs(%8 : tensor<1x18x6x8xf32>) -> tensor<1x18x6x8xf32> loc("conv1")
    %10 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 * 2 + d5, d3 * 2 + d6)>, affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6)>, affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]} ins(%padded, %0 : tensor<1x3x14x18xf32>, tensor<18x3x3x3xf32>) outs(%9 : tensor<1x18x6x8xf32>) attrs =  {dojo.macs = 23328 : i64, dojo.op = "conv", dojo.value = "conv1_out"} {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %46 = arith.mulf %in, %in_9 fastmath<contract> : f32
      %47 = arith.addf %out, %46 fastmath<contract> : f32
      linalg.yield %47 : f32
    } -> tensor<1x18x6x8xf32> loc("conv1")
    %11 = tensor.empty() : tensor<1x18x6x8xf32> loc("hardswish1")
    %12 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%10 : tensor<1x18x6x8xf32>) outs(%11 : tensor<1x18x6x8xf32>) attrs =  {dojo.value = "hardswish1_out"} {
    ^bb0(%in: f32, %out: f32):
      %cst_9 = arith.constant 0.166666672 : f32
      %46 = arith.mulf %in, %cst_9 fastmath<contract> : f32
      %cst_10 = arith.constant 5.000000e-01 : f32
      %47 = arith.addf %46, %cst_10 fastmath<contract> : f32
      %cst_11 = arith.constant 0.000000e+00 : f32
      %48 = arith.maximumf %47, %cst_11 fastmath<contract> : f32
      %cst_12 = arith.constant 1.000000e+00 : f32
      %49 = arith.minimumf %48, %cst_12 fastmath<contract> : f32
      %50 = arith.mulf %in, %49 fastmath<contract> : f32
      linalg.yield %50 : f32
    } -> tensor<1x18x6x8xf32> loc("hardswish1")
    %cst_2 = arith.constant 0.000000e+00 : f32
    %padded_3 = tensor.pad %12 low[0, 0, 2, 2] high[0, 0, 2, 2] {
    ^bb0(%arg1: index, %arg2: index, %arg3: index, %arg4: index):
      tensor.yield %cst_2 : f32 loc("conv2")
    } : tensor<1x18x6x8xf32> to tensor<1x18x10x12xf32> loc("conv2")
    %cst_4 = arith.constant 0.000000e+00 : f32
    %13 = tensor.empty() : tensor<1x18x6x8xf32> loc("conv2")
    %14 = linalg.fill ins(%cst_4 : f32) outs(%13 : tensor<1x18x6x8xf32>) -> tensor<1x18x6x8xf32> loc("conv2")
    %15 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2 + d4, d3 + d5)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d4, d5)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%padded_3, %2 : tensor<1x18x10x12xf32>, tensor<18x5x5xf32>) outs(%14 : tensor<1x18x6x8xf32>) attrs =  {dojo.macs = 21600 : i64, dojo.op = "depthwise"} {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %46 = arith.mulf %in, %in_9 fastmath<contract> : f32
      %47 = arith.addf %out, %46 fastmath<contract> : f32
      linalg.yield %47 : f32
    } -> tensor<1x18x6x8xf32> loc("conv2")
    %16 = tensor.empty() : tensor<1x18x6x8xf32> loc("conv2")
    %17 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d1)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%15, %3 : tensor<1x18x6x8xf32>, tensor<18xf32>) outs(%16 : tensor<1x18x6x8xf32>) attrs =  {dojo.value = "conv2_out"} {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %46 = arith.addf %in, %in_9 fastmath<contract> : f32
      linalg.yield %46 : f32
    } -> tensor<1x18x6x8xf32> loc("conv2")
    %18 = tensor.empty() : tensor<1x18x6x8xf32> loc("relu1")
    %19 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%17 : tensor<1x18x6x8xf32>) outs(%18 : tensor<1x18x6x8xf32>) attrs =  {dojo.value = "relu1_out"} {
    ^bb0(%in: f32, %out: f32):
      %cst_9 = arith.constant 0.000000e+00 : f32
      %46 = arith.maximumf %in, %cst_9 fastmath<contract> : f32
      linalg.yield %46 : f32
    } -> tensor<1x18x6x8xf32> loc("relu1")
    %cst_5 = arith.constant 0.000000e+00 : f32
    %20 = tensor.empty() : tensor<1x18xf32> loc("globalaveragepool1")
    %21 = linalg.fill ins(%cst_5 : f32) outs(%20 : tensor<1x18xf32>) -> tensor<1x18xf32> loc("globalaveragepool1")
    %22 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction", "reduction"]} ins(%19 : tensor<1x18x6x8xf32>) outs(%21 : tensor<1x18xf32>) {
    ^bb0(%in: f32, %out: f32):
      %46 = arith.addf %out, %in fastmath<contract> : f32
      linalg.yield %46 : f32
    } -> tensor<1x18xf32> loc("globalaveragepool1")
    %23 = tensor.empty() : tensor<1x18xf32> loc("globalaveragepool1")
    %24 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%22 : tensor<1x18xf32>) outs(%23 : tensor<1x18xf32>) {
    ^bb0(%in: f32, %out: f32):
      %cst_9 = arith.constant 0.020833334 : f32
      %46 = arith.mulf %in, %cst_9 fastmath<contract> : f32
      linalg.yield %46 : f32
    } -> tensor<1x18xf32> loc("globalaveragepool1")
    %expanded = tensor.expand_shape %24 [[0], [1, 2, 3]] output_shape [1, 18, 1, 1] {dojo.value = "globalaveragepool1_out"} : tensor<1x18xf32> into tensor<1x18x1x1xf32> loc("globalaveragepool1")
    %cst_6 = arith.constant 0.000000e+00 : f32
    %25 = tensor.empty() : tensor<1x6x1x1xf32> loc("conv3")
    %26 = linalg.fill ins(%cst_6 : f32) outs(%25 : tensor<1x6x1x1xf32>) -> tensor<1x6x1x1xf32> loc("conv3")
    %27 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 + d5, d3 + d6)>, affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6)>, affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]} ins(%expanded, %4 : tensor<1x18x1x1xf32>, tensor<6x18x1x1xf32>) outs(%26 : tensor<1x6x1x1xf32>) attrs =  {dojo.macs = 108 : i64, dojo.op = "conv"} {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %46 = arith.mulf %in, %in_9 fastmath<contract> : f32
      %47 = arith.addf %out, %46 fastmath<contract> : f32
      linalg.yield %47 : f32
    } -> tensor<1x6x1x1xf32> loc("conv3")
    %28 = tensor.empty() : tensor<1x6x1x1xf32> loc("conv3")
    %29 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d1)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%27, %cst : tensor<1x6x1x1xf32>, tensor<6xf32>) outs(%28 : tensor<1x6x1x1xf32>) attrs =  {dojo.value = "conv3_out"} {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %46 = arith.addf %in, %in_9 fastmath<contract> : f32
      linalg.yield %46 : f32
    } -> tensor<1x6x1x1xf32> loc("conv3")
    %30 = tensor.empty() : tensor<1x6x1x1xf32> loc("relu2")
    %31 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%29 : tensor<1x6x1x1xf32>) outs(%30 : tensor<1x6x1x1xf32>) attrs =  {dojo.value = "relu2_out"} {
    ^bb0(%in: f32, %out: f32):
      %cst_9 = arith.constant 0.000000e+00 : f32
      %46 = arith.maximumf %in, %cst_9 fastmath<contract> : f32
      linalg.yield %46 : f32
    } -> tensor<1x6x1x1xf32> loc("relu2")
    %cst_7 = arith.constant 0.000000e+00 : f32
    %32 = tensor.empty() : tensor<1x18x1x1xf32> loc("conv4")
    %33 = linalg.fill ins(%cst_7 : f32) outs(%32 : tensor<1x18x1x1xf32>) -> tensor<1x18x1x1xf32> loc("conv4")
    %34 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 + d5, d3 + d6)>, affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6)>, affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]} ins(%31, %5 : tensor<1x6x1x1xf32>, tensor<18x6x1x1xf32>) outs(%33 : tensor<1x18x1x1xf32>) attrs =  {dojo.macs = 108 : i64, dojo.op = "conv"} {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %46 = arith.mulf %in, %in_9 fastmath<contract> : f32
      %47 = arith.addf %out, %46 fastmath<contract> : f32
      linalg.yield %47 : f32
    } -> tensor<1x18x1x1xf32> loc("conv4")
    %35 = tensor.empty() : tensor<1x18x1x1xf32> loc("conv4")
    %36 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d1)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%34, %6 : tensor<1x18x1x1xf32>, tensor<18xf32>) outs(%35 : tensor<1x18x1x1xf32>) attrs =  {dojo.value = "conv4_out"} {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %46 = arith.addf %in, %in_9 fastmath<contract> : f32
      linalg.yield %46 : f32
    } -> tensor<1x18x1x1xf32> loc("conv4")
    %37 = tensor.empty() : tensor<1x18x1x1xf32> loc("hardsigmoid1")
    %38 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%36 : tensor<1x18x1x1xf32>) outs(%37 : tensor<1x18x1x1xf32>) attrs =  {dojo.value = "hardsigmoid1_out"} {
    ^bb0(%in: f32, %out: f32):
      %cst_9 = arith.constant 2.000000e-01 : f32
      %46 = arith.mulf %in, %cst_9 fastmath<contract> : f32
      %cst_10 = arith.constant 5.000000e-01 : f32
      %47 = arith.addf %46, %cst_10 fastmath<contract> : f32
      %cst_11 = arith.constant 0.000000e+00 : f32
      %48 = arith.maximumf %47, %cst_11 fastmath<contract> : f32
      %cst_12 = arith.constant 1.000000e+00 : f32
      %49 = arith.minimumf %48, %cst_12 fastmath<contract> : f32
      linalg.yield %49 : f32
    } -> tensor<1x18x1x1xf32> loc("hardsigmoid1")
    %39 = tensor.empty() : tensor<1x18x6x8xf32> loc("mul1")
    %40 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, 0, 0)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%19, %38 : tensor<1x18x6x8xf32>, tensor<1x18x1x1xf32>) outs(%39 : tensor<1x18x6x8xf32>) attrs =  {dojo.value = "mul1_out"} {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %46 = arith.mulf %in, %in_9 fastmath<contract> : f32
      linalg.yield %46 : f32
    } -> tensor<1x18x6x8xf32> loc("mul1")
    %cst_8 = arith.constant 0.000000e+00 : f32
    %41 = tensor.empty() : tensor<1x18x6x8xf32> loc("conv5")
    %42 = linalg.fill ins(%cst_8 : f32) outs(%41 : tensor<1x18x6x8xf32>) -> tensor<1x18x6x8xf32> loc("conv5")
    %43 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 + d5, d3 + d6)>, affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6)>, affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]} ins(%40, %7 : tensor<1x18x6x8xf32>, tensor<18x18x1x1xf32>) outs(%42 : tensor<1x18x6x8xf32>) attrs =  {dojo.macs = 15552 : i64, dojo.op = "conv", dojo.value = "conv5_out"} {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %46 = arith.mulf %in, %in_9 fastmath<contract> : f32
      %47 = arith.addf %out, %46 fastmath<contract> : f32
      linalg.yield %47 : f32
    } -> tensor<1x18x6x8xf32> loc("conv5")
    %44 = tensor.empty() : tensor<1x18x6x8xf32> loc("add1")
    %45 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%43, %12 : tensor<1x18x6x8xf32>, tensor<1x18x6x8xf32>) outs(%44 : tensor<1x18x6x8xf32>) attrs =  {dojo.value = "add1_out"} {
    ^bb0(%in: f32, %in_9: f32, %out: f32):
      %46 = arith.addf %in, %in_9 fastmath<contract> : f32
      linalg.yield %46 : f32
    } -> tensor<1x18x6x8xf32> loc("add1")
    return %45 : tensor<1x18x6x8xf32> loc("add1_out")
  } loc("g")
} loc("/tmp/lt/cases2/inverted-residual.onnx")
