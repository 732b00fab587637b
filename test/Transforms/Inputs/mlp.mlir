// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Three products with activations and a softmax, sizes that are no multiples of the blocks.
module {
  func.func @main(%arg0: tensor<8x30xf32> {dojo.name = "x", dojo.type = "f32"} loc("x")) -> (tensor<8x10xf32> {dojo.name = "softmax1_out", dojo.type = "f32"}) {
    %0 = dojo.weight blob<"random", 0, 6000> : tensor<50x30xf32> loc("w1")
    %1 = dojo.weight blob<"random", 0, 200> : tensor<50xf32> loc("w2")
    %2 = dojo.weight blob<"random", 0, 10000> : tensor<50x50xf32> loc("w3")
    %3 = dojo.weight blob<"random", 0, 200> : tensor<50xf32> loc("w4")
    %4 = dojo.weight blob<"random", 0, 2000> : tensor<50x10xf32> loc("w5")
    %cst = arith.constant dense<[1.30064833, 2.90035439, 1.51464069, -1.14705336, -1.24515367, -0.587998748, 0.581278265, 2.12538695, -0.0506866947, 0.401113719]> : tensor<10xf32>
    %cst_0 = arith.constant 0.000000e+00 : f32
    %5 = tensor.empty() : tensor<8x50xf32> loc("gemm1")
    %6 = linalg.fill ins(%cst_0 : f32) outs(%5 : tensor<8x50xf32>) -> tensor<8x50xf32> loc("gemm1")
    %7 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%arg0, %0 : tensor<8x30xf32>, tensor<50x30xf32>) outs(%6 : tensor<8x50xf32>) attrs =  {dojo.macs = 12000 : i64, dojo.op = "matmul"} {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.mulf %in, %in_5 fastmath<contract> : f32
      %35 = arith.addf %out, %34 fastmath<contract> : f32
      linalg.yield %35 : f32
    } -> tensor<8x50xf32> loc("gemm1")
    %8 = tensor.empty() : tensor<8x50xf32> loc("gemm1")
    %9 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%7, %1 : tensor<8x50xf32>, tensor<50xf32>) outs(%8 : tensor<8x50xf32>) attrs =  {dojo.value = "gemm1_out"} {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.addf %in, %in_5 fastmath<contract> : f32
      linalg.yield %34 : f32
    } -> tensor<8x50xf32> loc("gemm1")
    %10 = tensor.empty() : tensor<8x50xf32> loc("relu1")
    %11 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%9 : tensor<8x50xf32>) outs(%10 : tensor<8x50xf32>) attrs =  {dojo.value = "relu1_out"} {
    ^bb0(%in: f32, %out: f32):
      %cst_5 = arith.constant 0.000000e+00 : f32
      %34 = arith.maximumf %in, %cst_5 fastmath<contract> : f32
      linalg.yield %34 : f32
    } -> tensor<8x50xf32> loc("relu1")
    %cst_1 = arith.constant 0.000000e+00 : f32
    %12 = tensor.empty() : tensor<8x50xf32> loc("gemm2")
    %13 = linalg.fill ins(%cst_1 : f32) outs(%12 : tensor<8x50xf32>) -> tensor<8x50xf32> loc("gemm2")
    %14 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%11, %2 : tensor<8x50xf32>, tensor<50x50xf32>) outs(%13 : tensor<8x50xf32>) attrs =  {dojo.macs = 20000 : i64, dojo.op = "matmul"} {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.mulf %in, %in_5 fastmath<contract> : f32
      %35 = arith.addf %out, %34 fastmath<contract> : f32
      linalg.yield %35 : f32
    } -> tensor<8x50xf32> loc("gemm2")
    %15 = tensor.empty() : tensor<8x50xf32> loc("gemm2")
    %16 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%14, %3 : tensor<8x50xf32>, tensor<50xf32>) outs(%15 : tensor<8x50xf32>) attrs =  {dojo.value = "gemm2_out"} {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %cst_6 = arith.constant 5.000000e-01 : f32
      %34 = arith.mulf %in, %cst_6 fastmath<contract> : f32
      %35 = arith.addf %34, %in_5 fastmath<contract> : f32
      linalg.yield %35 : f32
    } -> tensor<8x50xf32> loc("gemm2")
    %17 = tensor.empty() : tensor<8x50xf32> loc("gelu1")
    %18 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%16 : tensor<8x50xf32>) outs(%17 : tensor<8x50xf32>) attrs =  {dojo.value = "gelu1_out"} {
    ^bb0(%in: f32, %out: f32):
      %cst_5 = arith.constant 0.707106769 : f32
      %34 = arith.mulf %in, %cst_5 fastmath<contract> : f32
      %35 = math.erf %34 fastmath<contract> : f32
      %cst_6 = arith.constant 5.000000e-01 : f32
      %36 = arith.mulf %in, %cst_6 fastmath<contract> : f32
      %cst_7 = arith.constant 1.000000e+00 : f32
      %37 = arith.addf %cst_7, %35 fastmath<contract> : f32
      %38 = arith.mulf %36, %37 fastmath<contract> : f32
      linalg.yield %38 : f32
    } -> tensor<8x50xf32> loc("gelu1")
    %cst_2 = arith.constant 0.000000e+00 : f32
    %19 = tensor.empty() : tensor<8x10xf32> loc("gemm3")
    %20 = linalg.fill ins(%cst_2 : f32) outs(%19 : tensor<8x10xf32>) -> tensor<8x10xf32> loc("gemm3")
    %21 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%18, %4 : tensor<8x50xf32>, tensor<50x10xf32>) outs(%20 : tensor<8x10xf32>) attrs =  {dojo.macs = 4000 : i64, dojo.op = "matmul"} {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.mulf %in, %in_5 fastmath<contract> : f32
      %35 = arith.addf %out, %34 fastmath<contract> : f32
      linalg.yield %35 : f32
    } -> tensor<8x10xf32> loc("gemm3")
    %22 = tensor.empty() : tensor<8x10xf32> loc("gemm3")
    %23 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%21, %cst : tensor<8x10xf32>, tensor<10xf32>) outs(%22 : tensor<8x10xf32>) attrs =  {dojo.value = "gemm3_out"} {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.addf %in, %in_5 fastmath<contract> : f32
      linalg.yield %34 : f32
    } -> tensor<8x10xf32> loc("gemm3")
    %cst_3 = arith.constant 0xFF800000 : f32
    %24 = tensor.empty() : tensor<8xf32> loc("softmax1")
    %25 = linalg.fill ins(%cst_3 : f32) outs(%24 : tensor<8xf32>) -> tensor<8xf32> loc("softmax1")
    %26 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%23 : tensor<8x10xf32>) outs(%25 : tensor<8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.maximumf %out, %in fastmath<contract> : f32
      linalg.yield %34 : f32
    } -> tensor<8xf32> loc("softmax1")
    %27 = tensor.empty() : tensor<8x10xf32> loc("softmax1")
    %28 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%23, %26 : tensor<8x10xf32>, tensor<8xf32>) outs(%27 : tensor<8x10xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.subf %in, %in_5 fastmath<contract> : f32
      %35 = math.exp %34 fastmath<contract> : f32
      linalg.yield %35 : f32
    } -> tensor<8x10xf32> loc("softmax1")
    %cst_4 = arith.constant 0.000000e+00 : f32
    %29 = tensor.empty() : tensor<8xf32> loc("softmax1")
    %30 = linalg.fill ins(%cst_4 : f32) outs(%29 : tensor<8xf32>) -> tensor<8xf32> loc("softmax1")
    %31 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%28 : tensor<8x10xf32>) outs(%30 : tensor<8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.addf %out, %in fastmath<contract> : f32
      linalg.yield %34 : f32
    } -> tensor<8xf32> loc("softmax1")
    %32 = tensor.empty() : tensor<8x10xf32> loc("softmax1")
    %33 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%28, %31 : tensor<8x10xf32>, tensor<8xf32>) outs(%32 : tensor<8x10xf32>) attrs =  {dojo.value = "softmax1_out"} {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.divf %in, %in_5 fastmath<contract> : f32
      linalg.yield %34 : f32
    } -> tensor<8x10xf32> loc("softmax1")
    return %33 : tensor<8x10xf32> loc("softmax1_out")
  } loc("g")
} loc("/tmp/lt/cases2/mlp.onnx")
