// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-hoist-weights --split-input-file --verify-diagnostics

func.func @main() {
  return
}
func.func @other() -> tensor<4xf32> {
  // expected-error@+1 {{a weight must be in the body of @main}}
  %w = dojo.weight blob<"m.onnx", 64, 16> : tensor<4xf32>
  return %w : tensor<4xf32>
}

// -----

// expected-error@+1 {{there is no function @main}}
module {
  func.func private @main()
}
