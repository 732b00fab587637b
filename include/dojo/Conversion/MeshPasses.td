// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DOJO_CONVERSION_MESHPASSES
#define DOJO_CONVERSION_MESHPASSES

include "mlir/Pass/PassBase.td"

def Place : Pass<"dojo-place", "mlir::ModuleOp"> {
  let summary = "Divide each layer between the nodes of the target";
  let description = [{
    Asks the planner for each `dojo.layer` how to cut its loops and which nodes compute which part,
    and records the answer as `#dojo.plan` on the layer. The target goes to the module as
    `dojo.machine`, where later passes find it. Between a layer and a reader whose nodes need other
    boxes than the layer's nodes hold, a `dojo.redistribute` makes the change of layout explicit.

    Before:
    ```mlir
    %y = dojo.layer "conv1" ins(%x, %w : ...) -> tensor<1x16x28x28x4xbf16> {...}
    %z = dojo.layer "relu1" ins(%y : ...) -> tensor<1x16x28x28x4xbf16> {...}
    ```
    After:
    ```mlir
    %y = dojo.layer "conv1" ins(%x, %w : ...) -> tensor<1x16x28x28x4xbf16>
         attributes {plan = #dojo.plan<1 x 4 x 8 x 1, splits = [1, 8, 4, ...], nodes = [...], cycles = 1805>}
    %r = dojo.redistribute %y : tensor<1x16x28x28x4xbf16>
    %z = dojo.layer "relu1" ins(%r : ...) ...
    ```
    Afterwards every layer has a plan that the planner's verifier accepted.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"d1\"",
           "Name of a built-in target, or path of a target file">,
    Option<"nodes", "nodes", "std::string", "\"\"",
           "RxC: use the top-left R x C positions; empty for the whole die">,
    ListOption<"dead", "dead", "std::string",
               "R:C: a position that cannot compute, hold, inject or eject">
  ];
  let dependentDialects = ["mlir::dojo::DojoDialect"];
}

def LowerToMesh : Pass<"dojo-lower-to-mesh", "mlir::ModuleOp"> {
  let summary = "Turn placed layers into buffers, transfers and node kernels";
  let description = [{
    Replaces @main by the mesh form. Each layer's result, each operand that must be brought to its
    nodes (halo and padding included) and each constant becomes a `dojo.buffer`; each change of
    layout a `dojo.exchange`; each shape class of tiles a kernel, a `func.func` on memrefs whose
    strides are those of the buffers, and a `dojo.launch`. Padding is filled by a prologue kernel.
    A reader whose nodes already hold what they need uses the producer's buffer.

    Before:
    ```mlir
    %y = dojo.layer "relu1" ins(%x : tensor<1x4x8x8x4xbf16>) -> tensor<1x4x8x8x4xbf16>
         attributes {plan = ...} {...}
    ```
    After:
    ```mlir
    dojo.buffer @relu1 {bytes = 768, align = 64, kind = "tensor", first = 3, last = 4}
    func.func private @relu1.0(%in: memref<1x4x2x8x4xbf16, strided<[...]>>, %out: memref<...>)
        attributes {dojo.kernel, dojo.layer = 3} { linalg.generic ... }
    dojo.launch {layer = 3, kernel = @relu1.0, buffers = [@conv1, @relu1], offsets = [0, 0],
                 nodes = [0, 1, 20, 21]}
    ```
    Every exchange is checked by the exchange library's verifier.

    A `dojo.loop` becomes a `dojo.repeat` over the layers of its body, once, between layers without
    code: before the first step one brings in what is carried, the condition and what the body reads
    from outside; one begins each step; one ends it and brings what it returns to where it is
    carried and the next condition to all nodes; one stands behind the loop.
  }];
  let dependentDialects = [
    "mlir::dojo::DojoDialect", "mlir::arith::ArithDialect", "mlir::func::FuncDialect",
    "mlir::linalg::LinalgDialect", "mlir::memref::MemRefDialect"
  ];
}

def Route : Pass<"dojo-route", "mlir::ModuleOp"> {
  let summary = "Give transfers and signals a way round routers that do not forward";
  let description = [{
    Along the row, then the column, is the way of every transfer and signal, unless a router on it
    belongs to a disabled or dead position and does not forward. Then a multicast run is split, and
    a transfer or signal to one node takes an explicit route. Beside `dojo.routes`, which holds the
    explicit routes, stands the certificate for the whole program: a number for each link that
    ascends along every route, signals of a barrier included. Where multicast runs leave no detour
    without a cycle of links that wait for each other, every run becomes single transfers.

    Before, with node 22 dead and its router silent:
    `dojo.exchange {..., transfers = array<i64: 20, 0, 24, ..., 65535>}`
    After: `dojo.routes {paths = ["SEEEEN"], signals = array<i32>, channels = array<i32: ...>}` and
    `dojo.exchange {..., transfers = array<i64: 20, 0, 24, ..., 0>}`

    The result is checked by the router's verifier. Transfer lists may grow, so this comes before
    `dojo-allocate-sram`.
  }];
  let dependentDialects = ["mlir::dojo::DojoDialect"];
}

def AllocateSram : Pass<"dojo-allocate-sram", "mlir::ModuleOp"> {
  let summary = "Give every buffer an address and place the barriers that reuse needs";
  let description = [{
    Divides the layers into as few epochs as possible, ends each but the last with a
    `dojo.barrier`, and packs the buffers: two may share bytes only if no epoch sees both. Room for
    code, tables and transfer lists is kept at the end of SRAM. Fails with the memory map if the
    model does not fit. Before, in and behind the layers of a `dojo.repeat` stand barriers in any
    case.

    Before: `dojo.buffer @conv1 {bytes = 9216, ..., first = 1, last = 3}`
    After: `dojo.buffer @conv1 {bytes = 9216, ..., first = 1, last = 3, address = 4096}`
  }];
  let options = [
    Option<"codeBytes", "code-bytes", "int64_t", "81920",
           "Bytes kept for code on every node">,
    Option<"barrierPerLayer", "barrier-per-layer", "bool", "false",
           "End every layer with a barrier (no overlap of layers, for debugging)">
  ];
  let dependentDialects = ["mlir::dojo::DojoDialect"];
}

def GenerateKernels : Pass<"d1-generate-kernels", "mlir::ModuleOp"> {
  let summary = "Turn every kernel into instructions of the compute threads";
  let description = [{
    Replaces each function with `dojo.kernel` by `d1.func`s with the suffix `.t0` and, if the second
    thread has a part, `.t1`, that end in a return to x1. Buffers' addresses come in registers from
    x10 on, so equal kernels of several layers are one piece of code. Functions that differ only in
    names and locations are generated once.

    Before: `func.func private @conv1.0(%in: memref<...>, ...) attributes {dojo.kernel}`
    After: `d1.func @conv1.0.t0 {...}` and `d1.func @conv1.0.t1 {...}`
  }];
  let options = [
    Option<"threads", "threads", "unsigned", "2", "Compute threads that share a kernel: 1 or 2">
  ];
  let dependentDialects = [
    "mlir::dojo::DojoDialect", "mlir::d1::D1Dialect", "mlir::affine::AffineDialect",
    "mlir::arith::ArithDialect", "mlir::math::MathDialect", "mlir::memref::MemRefDialect",
    "mlir::scf::SCFDialect", "mlir::vector::VectorDialect"
  ];
}

def BuildPrograms : Pass<"d1-build-programs", "mlir::ModuleOp"> {
  let summary = "Write the programs of the threads around the kernels";
  let description = [{
    Adds `@main.0` and `@main.1` (compute threads) and `@main.2` (communication thread, control
    instructions only, but for a load of each condition of a loop). The text is the same on every node; what differs lies in tables: how many
    arrivals a layer waits for, where its kernels are. Thread 0 waits for a layer's arrivals, lets
    thread 1 start, runs its half of the kernel, joins thread 1 and announces the layer's end to the
    communication thread, whose transfer list sends what others wait for. At a `dojo.barrier` the
    communication threads signal up and down a tree. At a `dojo.repeat` each thread looks at the
    condition and leaves the loop or goes on; the transfer list comes in parts, one for each stretch
    of layers between the ends of loops.

    Before: kernels as `d1.func`, `dojo.launch`, `dojo.exchange`.
    After: the same, and the main programs, each instruction in its final place.
  }];
  let dependentDialects = ["mlir::dojo::DojoDialect"];
}

#endif // DOJO_CONVERSION_MESHPASSES
