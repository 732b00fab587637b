// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DOJO_ATTRS_TD
#define DOJO_ATTRS_TD

include "dialects/Dojo/DojoDialect.td"
include "mlir/IR/AttrTypeBase.td"

class Dojo_Attr<string name, string attrMnemonic> : AttrDef<Dojo_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def Dojo_BlobAttr : Dojo_Attr<"FileBlob", "blob"> {
  let summary = "a range of bytes in a file";
  let description = [{
    Names `bytes` bytes at `offset` of the file `file`. The bytes are a little-endian row-major
    array whose type the user of the attribute gives; booleans are one byte each. A relative path
    is relative to the folder the compiler runs in.

    Example: `#dojo.blob<"model.onnx", 4096, 37632>`
  }];
  let parameters = (ins StringRefParameter<"path of the file">:$file,
                        "uint64_t":$offset, "uint64_t":$bytes);
  let assemblyFormat = "`<` $file `,` $offset `,` $bytes `>`";
}

def Dojo_TransformAttr : Dojo_Attr<"Transform", "transform"> {
  let summary = "steps that rearrange an array";
  let description = [{
    A list of steps, applied in order to a row-major array by `dojo::applyTransform`:

    | step | meaning |
    |---|---|
    | `pad = [sizes]` | grow each dimension to the given size, zeros behind |
    | `reshape = [sizes]` | the same elements in row-major order under another shape |
    | `transpose = [perm]` | dimension `i` of the result is dimension `perm[i]` of the operand |
    | `slice = [o : n, ...]` | keep `n` elements from `o` on in each dimension |
    | `cast = type` | convert each element; to a narrower float by round to nearest even |

    Example: `#dojo.transform<[cast = bf16, pad = [8, 4, 7, 7], reshape = [1, 8, 1, 4, 7, 7]]>`
  }];
  // Flat encoding of the steps, see TransformAttr::getSteps.
  let parameters = (ins ArrayRefParameter<"int64_t">:$encoded);
  let hasCustomAssemblyFormat = 1;
  let builders = [
    AttrBuilder<(ins "::llvm::ArrayRef<::dojo::TransformStep>":$steps)>
  ];
  let extraClassDeclaration = [{
    ::llvm::SmallVector<::dojo::TransformStep> getSteps() const;
  }];
}

def Dojo_PlanAttr : Dojo_Attr<"Plan", "plan"> {
  let summary = "how a layer's loops are divided between nodes";
  let description = [{
    `splits` has one entry per loop dimension of the layer's root operation: into how many
    balanced parts (in units of the dimension's granularity) it is divided; it is left out where there
    is no loop. Cell (i0, i1, ...) of
    that grid, numbered row-major, is computed by `nodes[cell]`. `copies`, `m`, `n`, `k` name the
    same division in the planner's terms: batch, pixels, output channels, reduction slices.
    `cycles` is the planner's estimate.

    Example: `#dojo.plan<1 x 4 x 8 x 1, splits = [1, 8, 4, 1], nodes = [...], cycles = 1805>`
  }];
  let parameters = (ins
    "int64_t":$copies, "int64_t":$m, "int64_t":$n, "int64_t":$k,
    OptionalArrayRefParameter<"int64_t">:$splits,
    ArrayRefParameter<"int32_t">:$nodes,
    "int64_t":$cycles
  );
  let assemblyFormat = [{
    `<` $copies `x` $m `x` $n `x` $k `,` (`splits` `=` `[` $splits^ `]` `,`)?
    `nodes` `=` `[` $nodes `]` `,` `cycles` `=` $cycles `>`
  }];
  let genVerifyDecl = 1;
}

#endif // DOJO_ATTRS_TD
