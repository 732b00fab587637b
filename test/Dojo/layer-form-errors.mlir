// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: dojo-opt %s -split-input-file -verify-diagnostics

func.func @unknown_step() {
  // expected-error@+1 {{expected a step: pad, reshape, transpose, slice or cast}}
  %0 = dojo.weight blob<"f", 0, 16> source tensor<4xf32> transform <[shift = [4]]> : tensor<4xf32>
}

// -----

func.func @neither_blob_nor_inline() {
  // expected-error@+1 {{expected 'blob' or 'inline'}}
  %0 = dojo.weight "f" : tensor<4xf32>
}

// -----

func.func @blob_size() {
  // expected-error@+1 {{names 15 bytes, but 'tensor<4xf32>' takes 16}}
  %0 = dojo.weight blob<"f", 0, 15> : tensor<4xf32>
  return
}

// -----

func.func @source_without_transform() {
  // expected-error@+1 {{has source 'tensor<4xf32>' but no transform to 'tensor<2x2xf32>'}}
  %0 = dojo.weight blob<"f", 0, 16> source tensor<4xf32> : tensor<2x2xf32>
  return
}

// -----

func.func @transform_does_not_fit() {
  // expected-error@+1 {{has a transform that does not fit: reshape to another number of elements of an array 4xf32}}
  %0 = dojo.weight blob<"f", 0, 16> source tensor<4xf32> transform <[reshape = [5]]> : tensor<5xf32>
  return
}

// -----

func.func @transform_to_another_type() {
  // expected-error@+1 {{transforms 'tensor<4xf32>' to 4xbf16, not to 'tensor<4xf32>'}}
  %0 = dojo.weight blob<"f", 0, 16> source tensor<4xf32> transform <[cast = bf16]> : tensor<4xf32>
  return
}

// -----

func.func @elements_without_bytes() {
  // expected-error@+1 {{cannot hold elements of type 'i4'}}
  %0 = dojo.weight blob<"f", 0, 2> : tensor<4xi4>
  return
}

// -----

func.func @inline_type() {
  // expected-error@+1 {{has data of another type than 'tensor<2xf32>'}}
  %0 = dojo.weight inline dense<1.0> : tensor<3xf32> : tensor<2xf32>
  return
}

// -----

func.func @conv_channels(%in: tensor<1x2x8x8x4xbf16>, %w: tensor<1x3x3x1x8x4xbf16>,
                         %out: tensor<1x2x6x6x4xf32>) {
  // expected-error@+1 {{has 2 channel groups in the input and 1 in the weight}}
  %0 = dojo.conv ins(%in, %w : tensor<1x2x8x8x4xbf16>, tensor<1x3x3x1x8x4xbf16>)
                 outs(%out : tensor<1x2x6x6x4xf32>) strides [1, 1] dilations [1, 1] {
  ^bb0(%acc: f32):
    dojo.yield %acc : f32
  } -> tensor<1x2x6x6x4xf32>
  return
}

// -----

func.func @conv_parts_of_groups(%in: tensor<1x3x8x8x4xbf16>, %w: tensor<1x3x3x3x8x4xbf16>,
                                %out: tensor<2x2x6x6x4xf32>) {
  // expected-error@+1 {{cannot sum 3 channel groups in 2 equal parts}}
  %0 = dojo.conv ins(%in, %w : tensor<1x3x8x8x4xbf16>, tensor<1x3x3x3x8x4xbf16>)
                 outs(%out : tensor<2x2x6x6x4xf32>) strides [1, 1] dilations [1, 1] parts 2 {
  ^bb0(%acc: f32):
    dojo.yield %acc : f32
  } -> tensor<2x2x6x6x4xf32>
  return
}

// -----

func.func @conv_parts_of_images(%in: tensor<1x2x8x8x4xbf16>, %w: tensor<1x3x3x2x8x4xbf16>,
                                %out: tensor<1x2x6x6x4xf32>) {
  // expected-error@+1 {{has 1 images in and 1 out, of 2 parts each}}
  %0 = dojo.conv ins(%in, %w : tensor<1x2x8x8x4xbf16>, tensor<1x3x3x2x8x4xbf16>)
                 outs(%out : tensor<1x2x6x6x4xf32>) strides [1, 1] dilations [1, 1] parts 2 {
  ^bb0(%acc: f32):
    dojo.yield %acc : f32
  } -> tensor<1x2x6x6x4xf32>
  return
}

// -----

func.func @conv_parts_in_memory(%in: memref<1x2x8x8x4xbf16>, %w: memref<1x3x3x2x8x4xbf16>,
                                %out: memref<2x2x6x6x4xf32>) {
  // expected-error@+1 {{has 2 parts; on memrefs it has one}}
  dojo.conv ins(%in, %w : memref<1x2x8x8x4xbf16>, memref<1x3x3x2x8x4xbf16>)
            outs(%out : memref<2x2x6x6x4xf32>) strides [1, 1] dilations [1, 1] parts 2 {
  ^bb0(%acc: f32):
    dojo.yield %acc : f32
  }
  return
}

// -----

func.func @conv_reads_beyond(%in: tensor<1x1x8x8x4xbf16>, %w: tensor<1x3x3x1x8x4xbf16>,
                             %out: tensor<1x2x6x7x4xf32>) {
  // expected-error@+1 {{reads 9 columns of an input of 8}}
  %0 = dojo.conv ins(%in, %w : tensor<1x1x8x8x4xbf16>, tensor<1x3x3x1x8x4xbf16>)
                 outs(%out : tensor<1x2x6x7x4xf32>) strides [1, 1] dilations [1, 1] {
  ^bb0(%acc: f32):
    dojo.yield %acc : f32
  } -> tensor<1x2x6x7x4xf32>
  return
}

// -----

func.func @conv_element_type(%in: tensor<1x1x8x8x4xf32>, %w: tensor<1x3x3x1x8x4xf32>,
                             %out: tensor<1x2x6x6x4xf32>) {
  // expected-error@+1 {{multiplies bf16 only, not 'f32' by 'f32'}}
  %0 = dojo.conv ins(%in, %w : tensor<1x1x8x8x4xf32>, tensor<1x3x3x1x8x4xf32>)
                 outs(%out : tensor<1x2x6x6x4xf32>) strides [1, 1] dilations [1, 1] {
  ^bb0(%acc: f32):
    dojo.yield %acc : f32
  } -> tensor<1x2x6x6x4xf32>
  return
}

// -----

func.func @conv_output_groups(%in: tensor<1x1x8x8x4xbf16>, %w: tensor<1x3x3x1x8x4xbf16>,
                              %out: tensor<1x3x6x6x4xf32>) {
  // expected-error@+1 {{has 1 groups of 8 output channels in the weight and 3 groups of 4 in the destination}}
  %0 = dojo.conv ins(%in, %w : tensor<1x1x8x8x4xbf16>, tensor<1x3x3x1x8x4xbf16>)
                 outs(%out : tensor<1x3x6x6x4xf32>) strides [1, 1] dilations [1, 1] {
  ^bb0(%acc: f32):
    dojo.yield %acc : f32
  } -> tensor<1x3x6x6x4xf32>
  return
}

// -----

func.func @conv_extra_outside(%in: tensor<1x1x8x8x4xbf16>, %w: tensor<1x3x3x1x8x4xbf16>,
                              %b: tensor<7xf32>, %out: tensor<1x2x6x6x4xf32>) {
  // expected-error@+1 {{reads extra operand 0 outside of 'tensor<7xf32>'}}
  %0 = dojo.conv ins(%in, %w : tensor<1x1x8x8x4xbf16>, tensor<1x3x3x1x8x4xbf16>)
                 extras(%b : tensor<7xf32>) outs(%out : tensor<1x2x6x6x4xf32>)
                 strides [1, 1] dilations [1, 1]
                 extra_maps [affine_map<(n, fq, y, x, f4) -> (fq * 4 + f4)>] {
  ^bb0(%acc: f32, %e: f32):
    dojo.yield %acc : f32
  } -> tensor<1x2x6x6x4xf32>
  return
}

// -----

func.func @conv_epilogue_type(%in: tensor<1x1x8x8x4xbf16>, %w: tensor<1x3x3x1x8x4xbf16>,
                              %out: tensor<1x2x6x6x4xbf16>) {
  // expected-error@+1 {{epilogue must yield one 'bf16'}}
  %0 = dojo.conv ins(%in, %w : tensor<1x1x8x8x4xbf16>, tensor<1x3x3x1x8x4xbf16>)
                 outs(%out : tensor<1x2x6x6x4xbf16>) strides [1, 1] dilations [1, 1] {
  ^bb0(%acc: f32):
    dojo.yield %acc : f32
  } -> tensor<1x2x6x6x4xbf16>
  return
}

// -----

func.func @conv_mixed(%in: tensor<1x1x8x8x4xbf16>, %w: tensor<1x3x3x1x8x4xbf16>,
                      %out: memref<1x2x6x6x4xf32>) {
  // expected-error@+1 {{mixes tensors and memrefs}}
  dojo.conv ins(%in, %w : tensor<1x1x8x8x4xbf16>, tensor<1x3x3x1x8x4xbf16>)
            outs(%out : memref<1x2x6x6x4xf32>) strides [1, 1] dilations [1, 1] {
  ^bb0(%acc: f32):
    dojo.yield %acc : f32
  }
  return
}

// -----

func.func @assemble_overlap(%a: tensor<4x4xf32>) {
  // expected-error@+1 {{has piece 1 over an earlier piece}}
  %0 = dojo.assemble fill(0.0 : f32) (%a at [0, 0], %a at [3, 0])
         : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @assemble_rank(%a: tensor<4x4xf32>) {
  // expected-error@+1 {{has piece 0 of type 'tensor<4x4xf32>' at 1 offsets in 'tensor<8x4xf32>'}}
  %0 = dojo.assemble fill(0.0 : f32) (%a at [0]) : (tensor<4x4xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @assemble_fill(%a: tensor<4xf32>) {
  // expected-error@+1 {{fills with 'f16' a tensor of 'f32'}}
  %0 = dojo.assemble fill(0.0 : f16) (%a at [0]) : (tensor<4xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @reshape_count(%a: tensor<4xf32>) {
  // expected-error@+1 {{changes the number of elements from 4 to 6}}
  %0 = dojo.reshape %a : tensor<4xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @layer_without_root(%a: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{holds no linalg.generic and no dojo.conv}}
  %0 = dojo.layer "l" ins(%a : tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%in: tensor<4xf32>):
    dojo.yield %in : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

#id = affine_map<(i) -> (i)>
func.func @layer_in_place(%a: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{destinations must be empty or filled with a constant}}
  %0 = dojo.layer "l" ins(%a : tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%in: tensor<4xf32>):
    %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%in : tensor<4xf32>) outs(%in : tensor<4xf32>) {
    ^bb0(%x: f32, %o: f32):
      linalg.yield %x : f32
    } -> tensor<4xf32>
    dojo.yield %r : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

func.func @layer_foreign_op(%a: tensor<4xf32>) -> tensor<2xf32> {
  // expected-error@+1 {{must not hold tensor.extract_slice}}
  %0 = dojo.layer "l" ins(%a : tensor<4xf32>) -> tensor<2xf32> {
  ^bb0(%in: tensor<4xf32>):
    %r = tensor.extract_slice %in[0] [2] [1] : tensor<4xf32> to tensor<2xf32>
    dojo.yield %r : tensor<2xf32>
  }
  return %0 : tensor<2xf32>
}

// -----

func.func @main(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<2xf32> {
  // expected-error@+1 {{'dojo.loop' op must result in what it carries}}
  %r = dojo.loop @step while(%c : tensor<i1>) carries(%x : tensor<4xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}

// -----

func.func @main(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'dojo.loop' op has no body @step}}
  %r = dojo.loop @step while(%c : tensor<i1>) carries(%x : tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

func.func @main(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'dojo.loop' op needs a body of type '(tensor<4xf32>) -> (tensor<i1>, tensor<4xf32>)'; @step has '(tensor<4xf32>) -> tensor<4xf32>'}}
  %r = dojo.loop @step while(%c : tensor<i1>) carries(%x : tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
func.func private @step(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
