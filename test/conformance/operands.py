# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the conformance suite knows of operands, by op and position. The only such table."""

# Operands that the ONNX text makes a shape, axis, size, resize scale, pad, split, depth, count, diagonal or
# step, or that are bounds of Range. Only these may be bound at compile time, by --const.
BOUND = {
    "AffineGrid": (1,),  # size
    "BlackmanWindow": (0,),  # size
    "CenterCropPad": (1,),  # shape
    "Col2Im": (1, 2),  # image_shape, block_shape
    "ConstantOfShape": (0,),  # shape
    "CumProd": (1,),  # axis
    "CumSum": (1,),  # axis
    "DFT": (1, 2),  # dft_length, axis
    "Expand": (1,),  # shape
    "HammingWindow": (0,),  # size
    "HannWindow": (0,),  # size
    "MaxUnpool": (2,),  # output_shape
    "MelWeightMatrix": (0, 1),  # num_mel_bins, dft_length
    "NonMaxSuppression": (2,),  # max_output_boxes_per_class
    "OneHot": (1,),  # depth
    "Pad": (1, 3),  # pads, axes
    "Range": (0, 1, 2),  # start, limit, delta
    "Reshape": (1,),  # shape
    "Resize": (2, 3),  # scales, sizes
    "STFT": (1, 3),  # frame_step, frame_length
    "Slice": (1, 2, 3, 4),  # starts, ends, axes, steps
    "Split": (1,),  # split
    "Squeeze": (1,),  # axes
    "Tile": (1,),  # repeats
    "TopK": (1,),  # k
    "Trilu": (1,),  # k
    "Unsqueeze": (1,),  # axes
    "Upsample": (1,),  # scales
} | {"Reduce" + kind: (1,) for kind in  # axes
     "L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare".split()}


def _attribute(node, name, default):
    return next((a.s.decode() for a in node.attribute if a.name == name), default)


def _number(node, name, default):
    return next((a.f for a in node.attribute if a.name == name), default)


def _always(node):
    return True


# Operands on whose elements no output depends: (position, whether that holds for a node).
UNREAD = {
    "CastLike": [(1, _always)],
    "Dropout": [(1, lambda node: len(node.input) < 3)],  # ratio, where nothing is dropped
    "EyeLike": [(0, _always)],
    "Momentum": [(1, lambda node: _number(node, "beta", 0.0) == 1)],  # T only tells whether beta counts
    "OptionalHasElement": [(0, _always)],
    "RandomNormalLike": [(0, _always)],
    "RandomUniformLike": [(0, _always)],
    "Resize": [(1, lambda node: _attribute(node, "coordinate_transformation_mode", "half_pixel")
                != "tf_crop_and_resize")],  # roi
    "Shape": [(0, _always)],
    "Size": [(0, _always)],
    "SplitToSequence": [(0, _always), (1, _always)],  # where only the number of parts is asked for
}

# Ops that move, convert or quantise values: their outputs are compared exactly in every type.
EXACT = set("""
    BitCast Cast CastLike Compress Concat DepthToSpace Expand Flatten Gather GatherElements GatherND Identity
    QuantizeLinear Reshape ReverseSequence ScatterElements ScatterND Slice SpaceToDepth Split Squeeze Tile
    TopK Transpose Trilu Unsqueeze Where""".split())

# Ops that draw random numbers. Their outputs are compared by distribution (see random_ops.py).
RANDOM = {"Bernoulli", "Dropout", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
          "RandomUniformLike"}
