// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops of the layer form.

#ifndef DOJO_OPS_TD
#define DOJO_OPS_TD

include "dialects/Dojo/DojoAttrs.td"
include "dialects/Dojo/DojoDialect.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Dojo_Op<string mnemonic, list<Trait> traits = []> : Op<Dojo_Dialect, mnemonic, traits>;

def Dojo_WeightOp : Dojo_Op<"weight", [Pure]> {
  let summary = "a constant tensor by name of its bytes";
  let description = [{
    The value is an array of type `source` (the result's type if absent), whose bytes are `data`,
    rearranged by the steps of `transform`. The bytes stay in their file until an image is written.
    Small constants without a file are written in place as an elements attribute.

    ```mlir
    %w = dojo.weight blob<"model.onnx", 4096, 37632> : tensor<64x3x7x7xf32>
    %p = dojo.weight blob<"model.onnx", 4096, 37632>
           source tensor<64x3x7x7xf32>
           transform <[cast = bf16, pad = [64, 4, 7, 7], reshape = [8, 8, 1, 4, 7, 7],
                       transpose = [0, 4, 5, 2, 1, 3]]> : tensor<8x7x7x1x8x4xbf16>
    %s = dojo.weight inline dense<[1.0, 2.0]> : tensor<2xf32> : tensor<2xf32>
    ```
  }];
  let arguments = (ins AnyAttrOf<[Dojo_BlobAttr, ElementsAttr]>:$data,
                       OptionalAttr<TypeAttrOf<AnyStaticShapeTensor>>:$source,
                       OptionalAttr<Dojo_TransformAttr>:$transform);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = [{
    custom<WeightData>($data) (`source` $source^)? (`transform` $transform^)? attr-dict
    `:` type($result)
  }];
  let extraClassDeclaration = [{
    /// Type of the array in `data`, before the transform.
    ::mlir::RankedTensorType getSourceType();
    /// Steps of the transform; none if absent.
    ::llvm::SmallVector<::dojo::TransformStep> getTransformSteps();
  }];
  let hasVerifier = 1;
}

def Dojo_YieldOp : Dojo_Op<"yield", [Pure, ReturnLike, Terminator,
                                     ParentOneOf<["ConvOp", "LayerOp"]>]> {
  let summary = "ends the region of a layer or an epilogue";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange{}); }]>];
}

def Dojo_ConvOp : Dojo_Op<"conv", [
    DestinationStyleOpInterface, SingleBlock,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "convolution or matrix product in the order of the matrix unit";
  let description = [{
    The contraction of the matrix unit on operands in its own order, with a fused epilogue. With
    the shapes

    | operand | shape |
    |---|---|
    | `input` | `[N, Cq, H, W, 4]` |
    | `weight` | `[Fo, KH, KW, Cq, 8, 4]` |
    | `init` | `[parts * N, Fq, OH, OW, 4]`, `Fo = ceil(Fq / 2)` |

    the result is, for output channel group `fq = 2 fo + f2` and channel `f4` within it,

    ```
    out[n, fq, y, x, f4] = epilogue(sum over kh, kw, cq, c4 of
        input[n, cq, y * sy + kh * dy, x * sx + kw * dx, c4] * weight[fo, kh, kw, cq, 4 f2 + f4, c4])
    ```

    With more than one of `parts`, the channel groups are summed in so many equal, consecutive
    shares, and `out[p * N + n, ...]` has the sum over share `p`. Only layers have parts: each node
    computes one of them, so that on memrefs there is one.

    Products are summed in fp32. The input is already padded: every tap is inside it. If `Fq` is
    odd, the last half of `weight` has no result. A matrix product is the case `H = OH = KH = KW = 1`.
    Channels are padded to whole blocks; the padding holds zeros in the input and the weight, and
    the epilogue leaves zeros in the result.

    The region computes one element of the result from the fp32 sum and one element of each of
    `extras`, which `extra_maps` selects from `(n, fq, y, x, f4)`. On tensors `init` only gives the
    shape, its elements are not read; on memrefs it is the buffer written.

    ```mlir
    %r = dojo.conv ins(%in, %w : tensor<1x2x58x58x4xbf16>, tensor<8x3x3x2x8x4xbf16>)
                   extras(%bias : tensor<16x4xbf16>)
                   outs(%out : tensor<1x16x56x56x4xbf16>)
                   strides [1, 1] dilations [1, 1]
                   extra_maps [affine_map<(n, fq, y, x, f4) -> (fq, f4)>] {
    ^bb0(%acc: f32, %b: bf16):
      %0 = arith.extf %b : bf16 to f32
      %1 = arith.addf %acc, %0 : f32
      %2 = arith.truncf %1 : f32 to bf16
      dojo.yield %2 : bf16
    } -> tensor<1x16x56x56x4xbf16>
    ```
  }];
  let arguments = (ins
    AnyTypeOf<[AnyStaticShapeTensor, AnyStaticShapeMemRef]>:$input,
    AnyTypeOf<[AnyStaticShapeTensor, AnyStaticShapeMemRef]>:$weight,
    Variadic<AnyTypeOf<[AnyStaticShapeTensor, AnyStaticShapeMemRef]>>:$extras,
    AnyTypeOf<[AnyStaticShapeTensor, AnyStaticShapeMemRef]>:$init,
    DenseI64ArrayAttr:$strides,
    DenseI64ArrayAttr:$dilations,
    DefaultValuedAttr<I64Attr, "1">:$parts,
    DefaultValuedAttr<AffineMapArrayAttr, "{}">:$extra_maps);
  let results = (outs Optional<AnyStaticShapeTensor>:$result);
  let regions = (region SizedRegion<1>:$epilogue);
  let assemblyFormat = [{
    `ins` `(` $input `,` $weight `:` type($input) `,` type($weight) `)`
    (`extras` `(` $extras^ `:` type($extras) `)`)?
    `outs` `(` $init `:` type($init) `)`
    `strides` $strides `dilations` $dilations (`parts` $parts^)? (`extra_maps` $extra_maps^)?
    attr-dict-with-keyword $epilogue (`->` type($result)^)?
  }];
  let builders = [
    // The result type follows from `init`; the region is empty.
    OpBuilder<(ins "::mlir::Value":$input, "::mlir::Value":$weight, "::mlir::ValueRange":$extras,
                   "::mlir::Value":$init, "::llvm::ArrayRef<int64_t>":$strides,
                   "::llvm::ArrayRef<int64_t>":$dilations,
                   "::llvm::ArrayRef<::mlir::AffineMap>":$extraMaps,
                   CArg<"int64_t", "1">:$parts)>
  ];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getInitMutable());
    }
    ::mlir::ShapedType getInputType() { return ::llvm::cast<::mlir::ShapedType>(getInput().getType()); }
    ::mlir::ShapedType getWeightType() { return ::llvm::cast<::mlir::ShapedType>(getWeight().getType()); }
    ::mlir::ShapedType getInitType() { return ::llvm::cast<::mlir::ShapedType>(getInit().getType()); }
    ::llvm::SmallVector<::mlir::AffineMap> getExtraMapValues();
    /// Taps of the kernel window, rows and columns.
    int64_t getKernelHeight() { return getWeightType().getDimSize(1); }
    int64_t getKernelWidth() { return getWeightType().getDimSize(2); }
    /// Groups of four input channels.
    int64_t getInputGroups() { return getInputType().getDimSize(1); }
    /// Groups of four output channels that are stored.
    int64_t getOutputGroups() { return getInitType().getDimSize(1); }
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Dojo_LayerOp : Dojo_Op<"layer", [
    IsolatedFromAbove, SingleBlock, RecursiveMemoryEffects,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "one unit of work that is planned as a whole";
  let description = [{
    Holds exactly one structured op, the *root*: a `linalg.generic` or a `dojo.conv`, together with
    the `tensor.empty`, `linalg.fill` and `arith.constant` that make its destinations. The root
    reads the arguments of the block (and empty tensors, which only give the size of a window), its
    destinations are empty or filled with one constant, and its results are what the layer yields.
    Indexing maps of a generic may hold sums of products with constants; the maps of its results
    are injective on the parallel dimensions.

    | attribute | meaning |
    |---|---|
    | `name` | unique in the function |
    | `op` | kind of the leading ONNX node, e.g. `Conv` |
    | `onnx` | names of all ONNX nodes computed here |
    | `macs` | multiplications of the model counted in this layer |

    For tools that look into tensors a layer whose result is a value of the model carries its name
    as `dojo.value`. If the result is in blocks, `dojo.logical` is the type it has in the model
    (dimensions of size one may stand elsewhere), and `dojo.block = array<i64: dim, size>` says which
    dimension of that is divided.

    `dojo.units = array<i64: ...>`, one a loop of the root, allows to divide loops between nodes at
    multiples of these only.

    ```mlir
    %y = dojo.layer "relu1" ins(%x : tensor<1x4x8x8x4xbf16>) -> tensor<1x4x8x8x4xbf16>
        attributes {op = "Relu", onnx = ["relu1"], macs = 0 : i64} {
    ^bb0(%a: tensor<1x4x8x8x4xbf16>):
      %e = tensor.empty() : tensor<1x4x8x8x4xbf16>
      %r = linalg.generic {...} ins(%a : ...) outs(%e : ...) {...} -> tensor<1x4x8x8x4xbf16>
      dojo.yield %r : tensor<1x4x8x8x4xbf16>
    }
    ```
  }];
  let arguments = (ins StrAttr:$name, Variadic<AnyStaticShapeTensor>:$inputs,
                       DefaultValuedStrAttr<StrAttr, "">:$op,
                       DefaultValuedAttr<StrArrayAttr, "{}">:$onnx,
                       DefaultValuedAttr<I64Attr, "0">:$macs);
  let results = (outs Variadic<AnyStaticShapeTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $name (`ins` `(` $inputs^ `:` type($inputs) `)`)? `->` type($results)
    attr-dict-with-keyword $body
  }];
  let extraClassDeclaration = [{
    /// The one structured op of the layer.
    ::mlir::Operation *getRoot();
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Dojo_LoopOp : Dojo_Op<"loop", [
    AttrSizedOperandSegments, NoMemoryEffect,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "run a function of layers on the whole mesh while a condition holds";
  let description = [{
    As long as the condition holds, `body` is called with what is carried and what is only read; it
    returns the next condition and what the next step carries. The results are what is carried when
    the condition no longer holds: the operands, if it never did.

    `body` is a function of the module, in the same form as the one that holds the loop. It is
    lowered once, whatever the number of steps; the nodes agree on the condition, which data decide,
    after each. Loops may stand in bodies of loops, a body must not reach itself.

    A branch is a loop of at most one step: its body returns false.

    ```mlir
    %r = dojo.loop @step while(%more : tensor<i1>) carries(%x : tensor<4x8xf32>)
                         reads(%w : tensor<8x8xf32>) -> tensor<4x8xf32>

    func.func private @step(%x: tensor<4x8xf32>, %w: tensor<8x8xf32>)
        -> (tensor<i1>, tensor<4x8xf32>)
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$body, 0DTensorOf<[I1]>:$condition,
                       Variadic<AnyStaticShapeTensor>:$inits,
                       Variadic<AnyStaticShapeTensor>:$invariants);
  let results = (outs Variadic<AnyStaticShapeTensor>:$results);
  let assemblyFormat = [{
    $body `while` `(` $condition `:` type($condition) `)`
    (`carries` `(` $inits^ `:` type($inits) `)`)?
    (`reads` `(` $invariants^ `:` type($invariants) `)`)?
    (`->` type($results)^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Dojo_AssembleOp : Dojo_Op<"assemble", [Pure]> {
  let summary = "place pieces in a tensor filled with a constant";
  let description = [{
    Pad, concatenation and slice in one: piece `i` lies with its first element at `offsets[i]` of
    the result; what of it lies outside (offsets may be negative) is cut off. Elements that no piece
    covers have the value `fill`. Within the result no two pieces overlap. The op is a view: it is
    composed with the exchange that brings the elements to their consumer.

    ```mlir
    // Padding by one row and column on each side.
    %p = dojo.assemble fill(0.0 : bf16) (%x at [0, 0, 1, 1, 0])
           : (tensor<1x4x8x8x4xbf16>) -> tensor<1x4x10x10x4xbf16>
    // Rows 2 to 5.
    %s = dojo.assemble fill(0.0 : bf16) (%x at [-2, 0]) : (tensor<8x4xbf16>) -> tensor<4x4xbf16>
    // Concatenation.
    %c = dojo.assemble fill(0.0 : bf16) (%a at [0, 0], %b at [8, 0])
           : (tensor<8x4xbf16>, tensor<2x4xbf16>) -> tensor<10x4xbf16>
    ```
  }];
  let arguments = (ins TypedAttrInterface:$fill, Variadic<AnyStaticShapeTensor>:$pieces,
                       TypedArrayAttrBase<DenseI64ArrayAttr, "offsets, one array a piece">:$offsets);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = [{
    `fill` `(` $fill `)` custom<Pieces>($pieces, $offsets) attr-dict
    `:` functional-type($pieces, $result)
  }];
  let builders = [
    OpBuilder<(ins "::mlir::Type":$result, "::mlir::TypedAttr":$fill, "::mlir::ValueRange":$pieces,
                   "::llvm::ArrayRef<::llvm::SmallVector<int64_t>>":$offsets)>
  ];
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<int64_t> getOffsetsOf(unsigned piece) {
      return ::llvm::cast<::mlir::DenseI64ArrayAttr>(getOffsets()[piece]).asArrayRef();
    }
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Dojo_ReshapeOp : Dojo_Op<"reshape", [Pure]> {
  let summary = "the same elements in row-major order under another shape";
  let description = [{
    A view: element `i` of the result in row-major order is element `i` of the operand.

    ```mlir
    %r = dojo.reshape %x : tensor<1x16x1x1x4xbf16> -> tensor<1x64xbf16>
    ```
  }];
  let arguments = (ins AnyStaticShapeTensor:$input);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

#endif // DOJO_OPS_TD
