// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-place='nodes=1x1' -split-input-file -verify-diagnostics
// RUN: not dojo-opt %s --dojo-place='target=none' -split-input-file 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: error: target none: cannot read the file, and no built-in target has this name (d1, d1-pessimistic)
// RUN: not dojo-opt %s --dojo-place='nodes=2by2' -split-input-file 2>&1 | FileCheck %s --check-prefix=NODES
// NODES: error: '2by2' is not a partition; write rows x columns, such as 4x5
// RUN: not dojo-opt %s --dojo-place='nodes=0x4' -split-input-file 2>&1 | FileCheck %s --check-prefix=SIZE
// SIZE: error: a partition of 0x4 does not fit: the die of d1 has 18x20 positions
// RUN: not dojo-opt %s --dojo-place='dead=1' -split-input-file 2>&1 | FileCheck %s --check-prefix=DEAD
// DEAD: error: '1' is not a position; write row,column, such as 3,7
// RUN: not dojo-opt %s --dojo-place='dead=18:0' -split-input-file 2>&1 | FileCheck %s --check-prefix=OUTSIDE
// OUTSIDE: error: the dead position 18,0 is not on the die of d1
// RUN: not dojo-opt %s --dojo-place='nodes=1x1 dead=0:0' -split-input-file 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: with position 0,0 dead, d1 has no usable node left

#id = affine_map<(i) -> (i)>
func.func @two_results(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error@+1 {{has 2 results; placed layers have one}}
  %y:2 = dojo.layer "a" ins(%x : tensor<8xf32>) -> tensor<8xf32>, tensor<8xf32> {
  ^bb0(%in: tensor<8xf32>):
    %e = tensor.empty() : tensor<8xf32>
    %r:2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
        ins(%in : tensor<8xf32>) outs(%e, %e : tensor<8xf32>, tensor<8xf32>) {
    ^bb0(%l: f32, %o: f32, %p: f32):
      linalg.yield %l, %l : f32, f32
    } -> (tensor<8xf32>, tensor<8xf32>)
    dojo.yield %r#0, %r#1 : tensor<8xf32>, tensor<8xf32>
  }
  return %y#0 : tensor<8xf32>
}

// -----

#id = affine_map<(i) -> (i)>
func.func @no_memory_type(%x: tensor<8xindex>) -> tensor<8xindex> {
  // expected-error@+1 {{has elements of type 'index', which memory does not hold}}
  %y = dojo.layer "a" ins(%x : tensor<8xindex>) -> tensor<8xindex> {
  ^bb0(%in: tensor<8xindex>):
    %e = tensor.empty() : tensor<8xindex>
    %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%in : tensor<8xindex>) outs(%e : tensor<8xindex>) {
    ^bb0(%l: index, %o: index):
      linalg.yield %l : index
    } -> tensor<8xindex>
    dojo.yield %r : tensor<8xindex>
  }
  return %y : tensor<8xindex>
}

// -----

#id = affine_map<(i) -> (i)>
func.func @nothing_to_do(%x: tensor<0xf32>) -> tensor<0xf32> {
  // expected-error@+1 {{cannot be planned: negative extent or granularity below one}}
  %y = dojo.layer "a" ins(%x : tensor<0xf32>) -> tensor<0xf32> {
  ^bb0(%in: tensor<0xf32>):
    %e = tensor.empty() : tensor<0xf32>
    %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%in : tensor<0xf32>) outs(%e : tensor<0xf32>) {
    ^bb0(%l: f32, %o: f32):
      linalg.yield %l : f32
    } -> tensor<0xf32>
    dojo.yield %r : tensor<0xf32>
  }
  return %y : tensor<0xf32>
}

// -----

// expected-error@+2 {{does not fit on the machine: layer 'big' needs 8000000 bytes a node}}
// expected-note@+1 {{8000000  big}}
module {
func.func @main(%x: tensor<1000x1000xf32>) -> tensor<1000x1000xf32> {
  %y = dojo.layer "big" ins(%x : tensor<1000x1000xf32>) -> tensor<1000x1000xf32> {
  ^bb0(%in: tensor<1000x1000xf32>):
    %e = tensor.empty() : tensor<1000x1000xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<1000x1000xf32>) outs(%e : tensor<1000x1000xf32>) {
    ^bb0(%l: f32, %o: f32):
      linalg.yield %l : f32
    } -> tensor<1000x1000xf32>
    dojo.yield %r : tensor<1000x1000xf32>
  }
  return %y : tensor<1000x1000xf32>
}
}
