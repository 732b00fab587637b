// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The mesh form of the dojo dialect: buffers with one address for all nodes, transfers between
// nodes, and which kernel each node runs for each layer.

#ifndef DOJO_MESH_OPS
#define DOJO_MESH_OPS

include "dialects/Dojo/DojoAttrs.td"
include "dialects/Dojo/DojoDialect.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class DojoMesh_Op<string mnemonic, list<Trait> traits = []> : Op<Dojo_Dialect, mnemonic, traits>;

def Dojo_RedistributeOp : DojoMesh_Op<"redistribute", [Pure, SameOperandsAndResultType]> {
  let summary = "change which nodes hold a tensor";
  let description = [{
    Stands between a producer and one layer that reads its result, wherever the boxes that the
    reader's nodes need are not the boxes that the producer's nodes hold. The boxes themselves
    follow from the two plans; the values do not change. `dojo-lower-to-mesh` turns it into an
    exchange.
  }];
  let arguments = (ins AnyRankedTensor:$source);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$source attr-dict `:` type($source)";
}

def Dojo_BufferOp : DojoMesh_Op<"buffer", [Symbol]> {
  let summary = "bytes in the SRAM of every node, at one address on all of them";
  let description = [{
    A buffer lives from layer `first` to layer `last`, both included: from the first layer during
    which it may be written to the last that may read it. `address` is given by
    `dojo-allocate-sram`. `kind` is one of input, output, tensor (a layer's result, or what a loop
    carries), patch (what a layer reads, halo and padding included), weight, table, stack, condition
    (the byte that decides about a loop).

    ```mlir
    dojo.buffer @conv1.patch {bytes = 13456 : i64, align = 64 : i64, kind = "patch",
                              first = 0 : i64, last = 1 : i64, address = 4096 : i64}
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$bytes, I64Attr:$align, StrAttr:$kind,
                       I64Attr:$first, I64Attr:$last, OptionalAttr<I64Attr>:$address);
  let assemblyFormat = "$sym_name attr-dict";
  let hasVerifier = 1;
}

def Dojo_PlaceOp : DojoMesh_Op<"place"> {
  let summary = "a slice of a constant that the loader puts into a buffer";
  let description = [{
    The constant is `blob` read as `source`, transformed by `transform` (see `dojo.weight`) into
    the row-major array `type`. Of it the box [lo, lo + size) goes to the start of `buffer` on
    every node of `nodes`, with `strides` (bytes) per dimension.
  }];
  let arguments = (ins FlatSymbolRefAttr:$buffer, AnyAttr:$blob, TypeAttr:$source,
                       OptionalAttr<AnyAttr>:$transform, TypeAttr:$type,
                       DenseI64ArrayAttr:$lo, DenseI64ArrayAttr:$size, DenseI64ArrayAttr:$strides,
                       DenseI32ArrayAttr:$nodes);
  let assemblyFormat = "$buffer attr-dict";
}

def Dojo_ExchangeOp : DojoMesh_Op<"exchange"> {
  let summary = "the transfers by which one operand of a layer reaches its nodes";
  let description = [{
    Sent once layer `after` (-1: the inputs, present from the start) is done on the sending node;
    each transfer's arrival counts towards the start of layer `layer` on each receiving node.

    `transfers` holds records of 20 numbers: source node; kind (0 push to a node, 1 run of the own
    row, 2 run of a column, 3 copy within the node); three numbers of the destination (kind 0:
    node, 0, 0; kind 1: first and last column, 0; kind 2: column, first and last row; kind 3:
    zeros); index into `buffers` and byte offset at the source; the same at the destination; bytes
    of the innermost run; three counts; three source strides; three destination strides (bytes);
    route index: a path of `dojo.routes`, or 65535: along the row, then the column.
  }];
  let arguments = (ins I64Attr:$layer, I64Attr:$after, TypedArrayAttrBase<FlatSymbolRefAttr, "buffers">:$buffers,
                       DenseI64ArrayAttr:$transfers);
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Numbers in one record of `transfers`.
    static constexpr unsigned recordSize = 20;
    unsigned getNumTransfers() { return getTransfers().size() / recordSize; }
  }];
}

def Dojo_RoutesOp : DojoMesh_Op<"routes"> {
  let summary = "the explicit routes of the program, and the proof that no routes block each other";
  let description = [{
    `paths` are the explicit routes, one letter a link: E and W along a row, S and N along a column.
    A transfer's route index is a place in this list. `signals` are triples of numbers: a signal of
    a barrier from one node to another takes a path of the list; all others go along the row, then
    the column. There is at most one such op in a module.

    `channels` has a number for each link (four for each position: east, west, south, north), -1 for
    one not in use. Along every route of the program these numbers ascend, so no two transfers can
    wait for each other.

    ```mlir
    dojo.routes {paths = ["SEEN"], signals = array<i32: 24, 22, 0>, channels = array<i32: ...>}
    ```
  }];
  let arguments = (ins StrArrayAttr:$paths, DenseI32ArrayAttr:$signals,
                       DenseI32ArrayAttr:$channels);
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}

def Dojo_LaunchOp : DojoMesh_Op<"launch"> {
  let summary = "the kernel that some nodes run for a layer";
  let description = [{
    `kernel` runs on the compute threads of each of `nodes`, `prologue` (fills of padding) before
    it on the first thread alone. Argument i of either is the memref at `buffers[i]` plus
    `offsets[i]` bytes; `unit` stands for an operand of which only the shape counts.

    `accesses` declares which bytes the two touch, for the checks of order: records of 11 numbers:
    0 for the prologue or 1 for the kernel; 0 for a read, 1 for a write, 2 for loads without effect; index into `buffers`;
    byte offset; bytes of a run; three counts of runs and their strides (bytes).
  }];
  let arguments = (ins I64Attr:$layer, FlatSymbolRefAttr:$kernel,
                       OptionalAttr<FlatSymbolRefAttr>:$prologue,
                       ArrayAttr:$buffers, DenseI64ArrayAttr:$offsets,
                       DenseI64ArrayAttr:$accesses, DenseI32ArrayAttr:$nodes);
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Numbers in one record of `accesses`.
    static constexpr unsigned accessSize = 11;
  }];
}

def Dojo_PortOp : DojoMesh_Op<"port"> {
  let summary = "a graph input or output, or a named tensor that exists in SRAM";
  let description = [{
    `kind` is input, output or tensor (a layer's result; each layer has one port of this kind). The tensor of type `type` (physical shape) lies in `buffer`;
    box i covers [los[i], los[i] + sizes[i]) on node `nodes[i]`, `strides` (bytes) per dimension.
    Whole from the end of layer `first` until layer `last` has been done (-1: from the start).
    `element` is the ONNX element type where MLIR's does not tell it (u8, say).
    `blockDim` and `block` say how the physical shape comes from the logical one (-1: not blocked).
  }];
  let arguments = (ins StrAttr:$kind, StrAttr:$name, TypeAttr:$type, TypeAttr:$logical,
                       FlatSymbolRefAttr:$buffer, I64Attr:$blockDim, I64Attr:$block,
                       DenseI32ArrayAttr:$nodes, DenseI64ArrayAttr:$los, DenseI64ArrayAttr:$sizes,
                       DenseI64ArrayAttr:$strides, I64Attr:$first, I64Attr:$last,
                       OptionalAttr<StrAttr>:$element);
  let assemblyFormat = "attr-dict";
}

def Dojo_LayerInfoOp : DojoMesh_Op<"layer_info"> {
  let summary = "what the reports say of a layer";
  let description = [{
    `name` is that of the `dojo.layer`; empty for a layer without one, which only gathers a result
    of the model.
  }];
  let arguments = (ins I64Attr:$layer, StrAttr:$name, StrAttr:$op, StrArrayAttr:$onnx,
                       I64Attr:$macs, I64Attr:$cycles, StrAttr:$plan);
  let assemblyFormat = "attr-dict";
}

def Dojo_BarrierOp : DojoMesh_Op<"barrier"> {
  let summary = "no node goes on with a later layer before all are done with `after`";
  let description = [{
    Placed by `dojo-allocate-sram` where bytes are used again: buffers may share bytes only if a
    barrier lies between their lives.
  }];
  let arguments = (ins I64Attr:$after);
  let assemblyFormat = "attr-dict";
}

def Dojo_RepeatOp : DojoMesh_Op<"repeat"> {
  let summary = "layers that the mesh runs again and again";
  let description = [{
    Before layer `first`, and again after layer `last`, each node looks at the byte in `condition`:
    it goes on with layer `first` if that is not zero, else with the layer behind `last`. Barriers
    stand before `first`, before `last` (which brings what the next step carries to its place and
    the next condition to all nodes) and after `last`. Ranges contain each other or are disjoint.

    ```mlir
    dojo.repeat {first = 3 : i64, last = 7 : i64, condition = @while.1}
    ```
  }];
  let arguments = (ins I64Attr:$first, I64Attr:$last, FlatSymbolRefAttr:$condition);
  let assemblyFormat = "attr-dict";
}

#endif // DOJO_MESH_OPS
