// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s --dojo-lower-to-mesh -split-input-file -verify-diagnostics

// expected-error@+1 {{names no machine (attribute dojo.machine); run dojo-place first}}
module {
func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %y = dojo.layer "a" ins(%x : tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan = #dojo.plan<1 x 2 x 1 x 1, splits = [2, 1], nodes = [0, 1], cycles = 1>} {
  ^bb0(%in: tensor<8x16xf32>):
    %e = tensor.empty() : tensor<8x16xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.negf %l : f32
      linalg.yield %0 : f32
    } -> tensor<8x16xf32>
    dojo.yield %r : tensor<8x16xf32>
  }
  return %y : tensor<8x16xf32>
}
}

// -----

// expected-error@+1 {{dojo.machine: target nowhere: cannot read the file}}
module attributes {dojo.machine = {target = "nowhere"}} {
func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %y = dojo.layer "a" ins(%x : tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan = #dojo.plan<1 x 2 x 1 x 1, splits = [2, 1], nodes = [0, 1], cycles = 1>} {
  ^bb0(%in: tensor<8x16xf32>):
    %e = tensor.empty() : tensor<8x16xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.negf %l : f32
      linalg.yield %0 : f32
    } -> tensor<8x16xf32>
    dojo.yield %r : tensor<8x16xf32>
  }
  return %y : tensor<8x16xf32>
}
}

// -----

// expected-error@+1 {{was placed for another version of target 'd1'; place it again}}
module attributes {dojo.machine = {target = "d1", hash = "0"}} {
func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %y = dojo.layer "a" ins(%x : tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan = #dojo.plan<1 x 2 x 1 x 1, splits = [2, 1], nodes = [0, 1], cycles = 1>} {
  ^bb0(%in: tensor<8x16xf32>):
    %e = tensor.empty() : tensor<8x16xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.negf %l : f32
      linalg.yield %0 : f32
    } -> tensor<8x16xf32>
    dojo.yield %r : tensor<8x16xf32>
  }
  return %y : tensor<8x16xf32>
}
}

// -----

// expected-error@+1 {{has no function @main}}
module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
// expected-error@+1 {{is no straight line of layers}}
func.func private @main(tensor<8x16xf32>) -> tensor<8x16xf32>
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
// expected-error@+1 {{is no straight line of layers}}
func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  cf.br ^bb1
^bb1:
  return %x : tensor<8x16xf32>
}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %y = dojo.layer "a" ins(%x : tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan = #dojo.plan<1 x 2 x 1 x 1, splits = [2, 1], nodes = [0, 1], cycles = 1>} {
  ^bb0(%in: tensor<8x16xf32>):
    %e = tensor.empty() : tensor<8x16xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.negf %l : f32
      linalg.yield %0 : f32
    } -> tensor<8x16xf32>
    dojo.yield %r : tensor<8x16xf32>
  }
  return %y : tensor<8x16xf32>
}
// expected-error@+1 {{would be lost: only @main is compiled}}
func.func @other() {
  return
}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
// expected-error@+1 {{argument 1 is no tensor of fixed shape that memory holds}}
func.func @main(%x: tensor<8x16xf32>, %z: f32) -> tensor<8x16xf32> {
  %y = dojo.layer "a" ins(%x : tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan = #dojo.plan<1 x 2 x 1 x 1, splits = [2, 1], nodes = [0, 1], cycles = 1>} {
  ^bb0(%in: tensor<8x16xf32>):
    %e = tensor.empty() : tensor<8x16xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.negf %l : f32
      linalg.yield %0 : f32
    } -> tensor<8x16xf32>
    dojo.yield %r : tensor<8x16xf32>
  }
  return %y : tensor<8x16xf32>
}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
// expected-error@+1 {{argument 1 is no tensor of fixed shape that memory holds}}
func.func @main(%x: tensor<8x16xf32>, %z: tensor<?xf32>) -> tensor<8x16xf32> {
  %y = dojo.layer "a" ins(%x : tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan = #dojo.plan<1 x 2 x 1 x 1, splits = [2, 1], nodes = [0, 1], cycles = 1>} {
  ^bb0(%in: tensor<8x16xf32>):
    %e = tensor.empty() : tensor<8x16xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.negf %l : f32
      linalg.yield %0 : f32
    } -> tensor<8x16xf32>
    dojo.yield %r : tensor<8x16xf32>
  }
  return %y : tensor<8x16xf32>
}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{is not in placed form; run the layer passes first}}
  %none = tensor.empty() : tensor<4xf32>
  %y = dojo.layer "a" ins(%x : tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan = #dojo.plan<1 x 2 x 1 x 1, splits = [2, 1], nodes = [0, 1], cycles = 1>} {
  ^bb0(%in: tensor<8x16xf32>):
    %e = tensor.empty() : tensor<8x16xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.negf %l : f32
      linalg.yield %0 : f32
    } -> tensor<8x16xf32>
    dojo.yield %r : tensor<8x16xf32>
  }
  return %y : tensor<8x16xf32>
}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{has no plan; run dojo-place first}}
  %y = dojo.layer "a" ins(%x : tensor<8x16xf32>) -> tensor<8x16xf32> {
  ^bb0(%in: tensor<8x16xf32>):
    %e = tensor.empty() : tensor<8x16xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.negf %l : f32
      linalg.yield %0 : f32
    } -> tensor<8x16xf32>
    dojo.yield %r : tensor<8x16xf32>
  }
  return %y : tensor<8x16xf32>
}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{has an unsound plan: splits for 1 of 2 loops}}
  %y = dojo.layer "a" ins(%x : tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan = #dojo.plan<1 x 2 x 1 x 1, splits = [2], nodes = [0, 1], cycles = 1>} {
  ^bb0(%in: tensor<8x16xf32>):
    %e = tensor.empty() : tensor<8x16xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.negf %l : f32
      linalg.yield %0 : f32
    } -> tensor<8x16xf32>
    dojo.yield %r : tensor<8x16xf32>
  }
  return %y : tensor<8x16xf32>
}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{has an unsound plan: node 400 is not usable}}
  %y = dojo.layer "a" ins(%x : tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan = #dojo.plan<1 x 2 x 1 x 1, splits = [2, 1], nodes = [0, 400], cycles = 1>} {
  ^bb0(%in: tensor<8x16xf32>):
    %e = tensor.empty() : tensor<8x16xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.negf %l : f32
      linalg.yield %0 : f32
    } -> tensor<8x16xf32>
    dojo.yield %r : tensor<8x16xf32>
  }
  return %y : tensor<8x16xf32>
}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{has an unsound plan: node 5 is not usable}}
  %y = dojo.layer "a" ins(%x : tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan = #dojo.plan<1 x 2 x 1 x 1, splits = [2, 1], nodes = [0, 5], cycles = 1>} {
  ^bb0(%in: tensor<8x16xf32>):
    %e = tensor.empty() : tensor<8x16xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.negf %l : f32
      linalg.yield %0 : f32
    } -> tensor<8x16xf32>
    dojo.yield %r : tensor<8x16xf32>
  }
  return %y : tensor<8x16xf32>
}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{has an unsound plan: 2 cells on 1 nodes}}
  %y = dojo.layer "a" ins(%x : tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan = #dojo.plan<1 x 1 x 1 x 1, splits = [2, 1], nodes = [0], cycles = 1>} {
  ^bb0(%in: tensor<8x16xf32>):
    %e = tensor.empty() : tensor<8x16xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.negf %l : f32
      linalg.yield %0 : f32
    } -> tensor<8x16xf32>
    dojo.yield %r : tensor<8x16xf32>
  }
  return %y : tensor<8x16xf32>
}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{has an unsound plan: loop 0 is divided into 9 parts}}
  %y = dojo.layer "a" ins(%x : tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan = #dojo.plan<1 x 9 x 1 x 1, splits = [9, 1], nodes = [0, 1, 2, 3, 4, 5, 6, 7, 8], cycles = 1>} {
  ^bb0(%in: tensor<8x16xf32>):
    %e = tensor.empty() : tensor<8x16xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.negf %l : f32
      linalg.yield %0 : f32
    } -> tensor<8x16xf32>
    dojo.yield %r : tensor<8x16xf32>
  }
  return %y : tensor<8x16xf32>
}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
func.func @main(%x: tensor<8x16xf32>) -> tensor<8xf32> {
  // expected-error@+1 {{has an unsound plan: loop 1 is a reduction and cannot be divided}}
  %y = dojo.layer "sum" ins(%x : tensor<8x16xf32>) -> tensor<8xf32> attributes {plan = #dojo.plan<1 x 1 x 1 x 2, splits = [1, 2], nodes = [0, 1], cycles = 1>} {
  ^bb0(%in: tensor<8x16xf32>):
    %c = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<8xf32>
    %f = linalg.fill ins(%c : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
        ins(%in : tensor<8x16xf32>) outs(%f : tensor<8xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.addf %l, %o : f32
      linalg.yield %0 : f32
    } -> tensor<8xf32>
    dojo.yield %r : tensor<8xf32>
  }
  return %y : tensor<8xf32>
}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %w = dojo.weight inline dense<1.0> : tensor<4xf32> : tensor<4xf32>
  // expected-error@+1 {{reads a value that neither a layer nor an input makes}}
  return %w : tensor<4xf32>
}
}

// -----

module attributes {dojo.machine = {target = "d1", nodes = "1x2"}} {
func.func @main(%x: tensor<4xf32>) -> tensor<8xf32> {
  %p = dojo.assemble fill(0.0 : f32) (%x at [2]) : (tensor<4xf32>) -> tensor<8xf32>
  // expected-error@+1 {{result 0 is padding in part; give it to a layer that copies it}}
  return %p : tensor<8xf32>
}
}
