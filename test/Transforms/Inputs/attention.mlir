// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Self-attention with three heads, residual and layer normalisation.
module {
  func.func @main(%arg0: tensor<2x7x24xf32> {dojo.name = "x", dojo.type = "f32"} loc("x")) -> (tensor<2x7x24xf32> {dojo.name = "mul3_out", dojo.type = "f32"}) {
    %0 = dojo.weight blob<"random", 0, 2304> : tensor<24x24xf32> loc("w1")
    %1 = dojo.weight blob<"random", 0, 96> : tensor<24xf32> loc("w2")
    %2 = dojo.weight blob<"random", 0, 2304> : tensor<24x24xf32> loc("w3")
    %3 = dojo.weight blob<"random", 0, 2304> : tensor<24x24xf32> loc("w4")
    %4 = dojo.weight blob<"random", 0, 2304> : tensor<24x24xf32> loc("w10")
    %5 = dojo.weight blob<"random", 0, 96> : tensor<24xf32> loc("w14")
    %cst = arith.constant 0.000000e+00 : f32
    %6 = tensor.empty() : tensor<2x7x24xf32> loc("matmul1")
    %7 = linalg.fill ins(%cst : f32) outs(%6 : tensor<2x7x24xf32>) -> tensor<2x7x24xf32> loc("matmul1")
    %8 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (d3, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%arg0, %0 : tensor<2x7x24xf32>, tensor<24x24xf32>) outs(%7 : tensor<2x7x24xf32>) attrs =  {dojo.macs = 8064 : i64, dojo.op = "matmul", dojo.value = "matmul1_out"} {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %70 = arith.mulf %in, %in_13 fastmath<contract> : f32
      %71 = arith.addf %out, %70 fastmath<contract> : f32
      linalg.yield %71 : f32
    } -> tensor<2x7x24xf32> loc("matmul1")
    %9 = tensor.empty() : tensor<2x7x24xf32> loc("add1")
    %10 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%8, %1 : tensor<2x7x24xf32>, tensor<24xf32>) outs(%9 : tensor<2x7x24xf32>) attrs =  {dojo.value = "add1_out"} {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %70 = arith.addf %in, %in_13 fastmath<contract> : f32
      linalg.yield %70 : f32
    } -> tensor<2x7x24xf32> loc("add1")
    %cst_0 = arith.constant 0.000000e+00 : f32
    %11 = tensor.empty() : tensor<2x7x24xf32> loc("matmul2")
    %12 = linalg.fill ins(%cst_0 : f32) outs(%11 : tensor<2x7x24xf32>) -> tensor<2x7x24xf32> loc("matmul2")
    %13 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (d3, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%arg0, %2 : tensor<2x7x24xf32>, tensor<24x24xf32>) outs(%12 : tensor<2x7x24xf32>) attrs =  {dojo.macs = 8064 : i64, dojo.op = "matmul", dojo.value = "matmul2_out"} {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %70 = arith.mulf %in, %in_13 fastmath<contract> : f32
      %71 = arith.addf %out, %70 fastmath<contract> : f32
      linalg.yield %71 : f32
    } -> tensor<2x7x24xf32> loc("matmul2")
    %cst_1 = arith.constant 0.000000e+00 : f32
    %14 = tensor.empty() : tensor<2x7x24xf32> loc("matmul3")
    %15 = linalg.fill ins(%cst_1 : f32) outs(%14 : tensor<2x7x24xf32>) -> tensor<2x7x24xf32> loc("matmul3")
    %16 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (d3, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%arg0, %3 : tensor<2x7x24xf32>, tensor<24x24xf32>) outs(%15 : tensor<2x7x24xf32>) attrs =  {dojo.macs = 8064 : i64, dojo.op = "matmul", dojo.value = "matmul3_out"} {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %70 = arith.mulf %in, %in_13 fastmath<contract> : f32
      %71 = arith.addf %out, %70 fastmath<contract> : f32
      linalg.yield %71 : f32
    } -> tensor<2x7x24xf32> loc("matmul3")
    %expanded = tensor.expand_shape %10 [[0], [1], [2, 3]] output_shape [2, 7, 3, 8] {dojo.value = "reshape1_out"} : tensor<2x7x24xf32> into tensor<2x7x3x8xf32> loc("reshape1")
    %17 = tensor.empty() : tensor<2x3x7x8xf32> loc("transpose1")
    %18 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d2, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded : tensor<2x7x3x8xf32>) outs(%17 : tensor<2x3x7x8xf32>) attrs =  {dojo.value = "transpose1_out"} {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<2x3x7x8xf32> loc("transpose1")
    %expanded_2 = tensor.expand_shape %13 [[0], [1], [2, 3]] output_shape [2, 7, 3, 8] {dojo.value = "reshape2_out"} : tensor<2x7x24xf32> into tensor<2x7x3x8xf32> loc("reshape2")
    %19 = tensor.empty() : tensor<2x3x8x7xf32> loc("transpose2")
    %20 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d3, d1, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_2 : tensor<2x7x3x8xf32>) outs(%19 : tensor<2x3x8x7xf32>) attrs =  {dojo.value = "transpose2_out"} {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<2x3x8x7xf32> loc("transpose2")
    %cst_3 = arith.constant 0.000000e+00 : f32
    %21 = tensor.empty() : tensor<2x3x7x7xf32> loc("matmul4")
    %22 = linalg.fill ins(%cst_3 : f32) outs(%21 : tensor<2x3x7x7xf32>) -> tensor<2x3x7x7xf32> loc("matmul4")
    %23 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d4, d3)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%18, %20 : tensor<2x3x7x8xf32>, tensor<2x3x8x7xf32>) outs(%22 : tensor<2x3x7x7xf32>) attrs =  {dojo.macs = 2352 : i64, dojo.op = "matmul", dojo.value = "matmul4_out"} {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %70 = arith.mulf %in, %in_13 fastmath<contract> : f32
      %71 = arith.addf %out, %70 fastmath<contract> : f32
      linalg.yield %71 : f32
    } -> tensor<2x3x7x7xf32> loc("matmul4")
    %24 = tensor.empty() : tensor<2x3x7x7xf32> loc("mul1")
    %25 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%23 : tensor<2x3x7x7xf32>) outs(%24 : tensor<2x3x7x7xf32>) attrs =  {dojo.value = "mul1_out"} {
    ^bb0(%in: f32, %out: f32):
      %cst_13 = arith.constant 3.500000e-01 : f32
      %70 = arith.mulf %in, %cst_13 fastmath<contract> : f32
      linalg.yield %70 : f32
    } -> tensor<2x3x7x7xf32> loc("mul1")
    %cst_4 = arith.constant 0xFF800000 : f32
    %26 = tensor.empty() : tensor<2x3x7xf32> loc("softmax1")
    %27 = linalg.fill ins(%cst_4 : f32) outs(%26 : tensor<2x3x7xf32>) -> tensor<2x3x7xf32> loc("softmax1")
    %28 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%25 : tensor<2x3x7x7xf32>) outs(%27 : tensor<2x3x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %70 = arith.maximumf %out, %in fastmath<contract> : f32
      linalg.yield %70 : f32
    } -> tensor<2x3x7xf32> loc("softmax1")
    %29 = tensor.empty() : tensor<2x3x7x7xf32> loc("softmax1")
    %30 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%25, %28 : tensor<2x3x7x7xf32>, tensor<2x3x7xf32>) outs(%29 : tensor<2x3x7x7xf32>) {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %70 = arith.subf %in, %in_13 fastmath<contract> : f32
      %71 = math.exp %70 fastmath<contract> : f32
      linalg.yield %71 : f32
    } -> tensor<2x3x7x7xf32> loc("softmax1")
    %cst_5 = arith.constant 0.000000e+00 : f32
    %31 = tensor.empty() : tensor<2x3x7xf32> loc("softmax1")
    %32 = linalg.fill ins(%cst_5 : f32) outs(%31 : tensor<2x3x7xf32>) -> tensor<2x3x7xf32> loc("softmax1")
    %33 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%30 : tensor<2x3x7x7xf32>) outs(%32 : tensor<2x3x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %70 = arith.addf %out, %in fastmath<contract> : f32
      linalg.yield %70 : f32
    } -> tensor<2x3x7xf32> loc("softmax1")
    %34 = tensor.empty() : tensor<2x3x7x7xf32> loc("softmax1")
    %35 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%30, %33 : tensor<2x3x7x7xf32>, tensor<2x3x7xf32>) outs(%34 : tensor<2x3x7x7xf32>) attrs =  {dojo.value = "softmax1_out"} {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %70 = arith.divf %in, %in_13 fastmath<contract> : f32
      linalg.yield %70 : f32
    } -> tensor<2x3x7x7xf32> loc("softmax1")
    %expanded_6 = tensor.expand_shape %16 [[0], [1], [2, 3]] output_shape [2, 7, 3, 8] {dojo.value = "reshape3_out"} : tensor<2x7x24xf32> into tensor<2x7x3x8xf32> loc("reshape3")
    %36 = tensor.empty() : tensor<2x3x7x8xf32> loc("transpose3")
    %37 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d2, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_6 : tensor<2x7x3x8xf32>) outs(%36 : tensor<2x3x7x8xf32>) attrs =  {dojo.value = "transpose3_out"} {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<2x3x7x8xf32> loc("transpose3")
    %cst_7 = arith.constant 0.000000e+00 : f32
    %38 = tensor.empty() : tensor<2x3x7x8xf32> loc("matmul5")
    %39 = linalg.fill ins(%cst_7 : f32) outs(%38 : tensor<2x3x7x8xf32>) -> tensor<2x3x7x8xf32> loc("matmul5")
    %40 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d4, d3)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%35, %37 : tensor<2x3x7x7xf32>, tensor<2x3x7x8xf32>) outs(%39 : tensor<2x3x7x8xf32>) attrs =  {dojo.macs = 2352 : i64, dojo.op = "matmul", dojo.value = "matmul5_out"} {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %70 = arith.mulf %in, %in_13 fastmath<contract> : f32
      %71 = arith.addf %out, %70 fastmath<contract> : f32
      linalg.yield %71 : f32
    } -> tensor<2x3x7x8xf32> loc("matmul5")
    %41 = tensor.empty() : tensor<2x7x3x8xf32> loc("transpose4")
    %42 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d2, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%40 : tensor<2x3x7x8xf32>) outs(%41 : tensor<2x7x3x8xf32>) attrs =  {dojo.value = "transpose4_out"} {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<2x7x3x8xf32> loc("transpose4")
    %collapsed = tensor.collapse_shape %42 [[0], [1], [2, 3]] {dojo.value = "reshape4_out"} : tensor<2x7x3x8xf32> into tensor<2x7x24xf32> loc("reshape4")
    %cst_8 = arith.constant 0.000000e+00 : f32
    %43 = tensor.empty() : tensor<2x7x24xf32> loc("matmul6")
    %44 = linalg.fill ins(%cst_8 : f32) outs(%43 : tensor<2x7x24xf32>) -> tensor<2x7x24xf32> loc("matmul6")
    %45 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (d3, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed, %4 : tensor<2x7x24xf32>, tensor<24x24xf32>) outs(%44 : tensor<2x7x24xf32>) attrs =  {dojo.macs = 8064 : i64, dojo.op = "matmul", dojo.value = "matmul6_out"} {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %70 = arith.mulf %in, %in_13 fastmath<contract> : f32
      %71 = arith.addf %out, %70 fastmath<contract> : f32
      linalg.yield %71 : f32
    } -> tensor<2x7x24xf32> loc("matmul6")
    %46 = tensor.empty() : tensor<2x7x24xf32> loc("add2")
    %47 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%45, %arg0 : tensor<2x7x24xf32>, tensor<2x7x24xf32>) outs(%46 : tensor<2x7x24xf32>) attrs =  {dojo.value = "add2_out"} {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %70 = arith.addf %in, %in_13 fastmath<contract> : f32
      linalg.yield %70 : f32
    } -> tensor<2x7x24xf32> loc("add2")
    %cst_9 = arith.constant 0.000000e+00 : f32
    %48 = tensor.empty() : tensor<2x7xf32> loc("reducemean1")
    %49 = linalg.fill ins(%cst_9 : f32) outs(%48 : tensor<2x7xf32>) -> tensor<2x7xf32> loc("reducemean1")
    %50 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%47 : tensor<2x7x24xf32>) outs(%49 : tensor<2x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %70 = arith.addf %out, %in fastmath<contract> : f32
      linalg.yield %70 : f32
    } -> tensor<2x7xf32> loc("reducemean1")
    %51 = tensor.empty() : tensor<2x7xf32> loc("reducemean1")
    %52 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%50 : tensor<2x7xf32>) outs(%51 : tensor<2x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %cst_13 = arith.constant 0.0416666679 : f32
      %70 = arith.mulf %in, %cst_13 fastmath<contract> : f32
      linalg.yield %70 : f32
    } -> tensor<2x7xf32> loc("reducemean1")
    %expanded_10 = tensor.expand_shape %52 [[0], [1, 2]] output_shape [2, 7, 1] {dojo.value = "reducemean1_out"} : tensor<2x7xf32> into tensor<2x7x1xf32> loc("reducemean1")
    %53 = tensor.empty() : tensor<2x7x24xf32> loc("sub1")
    %54 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, 0)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%47, %expanded_10 : tensor<2x7x24xf32>, tensor<2x7x1xf32>) outs(%53 : tensor<2x7x24xf32>) attrs =  {dojo.value = "sub1_out"} {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %70 = arith.subf %in, %in_13 fastmath<contract> : f32
      linalg.yield %70 : f32
    } -> tensor<2x7x24xf32> loc("sub1")
    %55 = tensor.empty() : tensor<2x7x24xf32> loc("mul2")
    %56 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%54, %54 : tensor<2x7x24xf32>, tensor<2x7x24xf32>) outs(%55 : tensor<2x7x24xf32>) attrs =  {dojo.value = "mul2_out"} {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %70 = arith.mulf %in, %in_13 fastmath<contract> : f32
      linalg.yield %70 : f32
    } -> tensor<2x7x24xf32> loc("mul2")
    %cst_11 = arith.constant 0.000000e+00 : f32
    %57 = tensor.empty() : tensor<2x7xf32> loc("reducemean2")
    %58 = linalg.fill ins(%cst_11 : f32) outs(%57 : tensor<2x7xf32>) -> tensor<2x7xf32> loc("reducemean2")
    %59 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%56 : tensor<2x7x24xf32>) outs(%58 : tensor<2x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %70 = arith.addf %out, %in fastmath<contract> : f32
      linalg.yield %70 : f32
    } -> tensor<2x7xf32> loc("reducemean2")
    %60 = tensor.empty() : tensor<2x7xf32> loc("reducemean2")
    %61 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%59 : tensor<2x7xf32>) outs(%60 : tensor<2x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %cst_13 = arith.constant 0.0416666679 : f32
      %70 = arith.mulf %in, %cst_13 fastmath<contract> : f32
      linalg.yield %70 : f32
    } -> tensor<2x7xf32> loc("reducemean2")
    %expanded_12 = tensor.expand_shape %61 [[0], [1, 2]] output_shape [2, 7, 1] {dojo.value = "reducemean2_out"} : tensor<2x7xf32> into tensor<2x7x1xf32> loc("reducemean2")
    %62 = tensor.empty() : tensor<2x7x1xf32> loc("add3")
    %63 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_12 : tensor<2x7x1xf32>) outs(%62 : tensor<2x7x1xf32>) attrs =  {dojo.value = "add3_out"} {
    ^bb0(%in: f32, %out: f32):
      %cst_13 = arith.constant 9.99999974E-6 : f32
      %70 = arith.addf %in, %cst_13 fastmath<contract> : f32
      linalg.yield %70 : f32
    } -> tensor<2x7x1xf32> loc("add3")
    %64 = tensor.empty() : tensor<2x7x1xf32> loc("sqrt1")
    %65 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%63 : tensor<2x7x1xf32>) outs(%64 : tensor<2x7x1xf32>) attrs =  {dojo.value = "sqrt1_out"} {
    ^bb0(%in: f32, %out: f32):
      %70 = math.sqrt %in fastmath<contract> : f32
      linalg.yield %70 : f32
    } -> tensor<2x7x1xf32> loc("sqrt1")
    %66 = tensor.empty() : tensor<2x7x24xf32> loc("div1")
    %67 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, 0)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%54, %65 : tensor<2x7x24xf32>, tensor<2x7x1xf32>) outs(%66 : tensor<2x7x24xf32>) attrs =  {dojo.value = "div1_out"} {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %70 = arith.divf %in, %in_13 fastmath<contract> : f32
      linalg.yield %70 : f32
    } -> tensor<2x7x24xf32> loc("div1")
    %68 = tensor.empty() : tensor<2x7x24xf32> loc("mul3")
    %69 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%67, %5 : tensor<2x7x24xf32>, tensor<24xf32>) outs(%68 : tensor<2x7x24xf32>) attrs =  {dojo.value = "mul3_out"} {
    ^bb0(%in: f32, %in_13: f32, %out: f32):
      %70 = arith.mulf %in, %in_13 fastmath<contract> : f32
      linalg.yield %70 : f32
    } -> tensor<2x7x24xf32> loc("mul3")
    return %69 : tensor<2x7x24xf32> loc("mul3_out")
  } loc("g")
} loc("/tmp/lt/cases2/attention.onnx")
