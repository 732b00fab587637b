#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ResNet-50 v1.5 (stride on the 3x3) with seeded weights, as an ONNX file of about 102 MB.

    make_resnet50.py OUT.onnx

Input "input" 1x3x224x224, output "logits" 1x1000, batch normalisation folded into the convolutions as
exporters do. Weights are normal, their variance by fan-in such that activations keep their size (2.4
where a ReLU follows, 1.2 each for the two convolutions a downsampling block adds, BRANCH with a bias in
the other blocks, whose shortcut adds). A part CENTRE of each filter's mean is taken off: without it the
positive activations behind ReLUs drown what differs between images; with all of it rounding errors grow.
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SEED = 50
BRANCH, BRANCH_BIAS, CENTRE = 0.5, -0.3, 0.3
STAGES = [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]  # width, blocks, stride of the first


class Builder:
    def __init__(self):
        self.rng = np.random.default_rng(SEED)
        self.nodes, self.weights = [], []

    def constant(self, name, array):
        self.weights.append(numpy_helper.from_array(array.astype(np.float32), name))
        return name

    def node(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def conv(self, x, name, inputs, outputs, kernel, stride=1, gain=2.4, bias=0.0):
        shape = (outputs, inputs, kernel, kernel)
        std = np.sqrt(gain / (inputs * kernel * kernel))
        w = self.rng.standard_normal(shape, dtype=np.float32) * np.float32(std)
        if inputs > 3:
            w -= np.float32(CENTRE) * w.mean(axis=(1, 2, 3), keepdims=True)
        b = self.rng.standard_normal(outputs, dtype=np.float32) * np.float32(0.1) + np.float32(bias)
        return self.node("Conv", [x, self.constant(f"{name}.weight", w), self.constant(f"{name}.bias", b)],
                         name, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[kernel // 2] * 4)

    def block(self, x, name, inputs, width, stride):
        first = inputs != 4 * width
        y = self.node("Relu", [self.conv(x, f"{name}.conv1", inputs, width, 1)], f"{name}.relu1")
        y = self.node("Relu", [self.conv(y, f"{name}.conv2", width, width, 3, stride)], f"{name}.relu2")
        y = self.conv(y, f"{name}.conv3", width, 4 * width, 1, gain=1.2 if first else BRANCH,
                      bias=0.0 if first else BRANCH_BIAS)
        if first:
            x = self.conv(x, f"{name}.downsample", inputs, 4 * width, 1, stride, gain=1.2)
        return self.node("Relu", [self.node("Add", [y, x], f"{name}.add")], f"{name}.relu3")


def build() -> onnx.ModelProto:
    b = Builder()
    x = b.node("Relu", [b.conv("input", "conv1", 3, 64, 7, 2)], "relu1")
    x = b.node("MaxPool", [x], "maxpool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for i, (width, blocks, stride) in enumerate(STAGES, 1):
        for j in range(blocks):
            x = b.block(x, f"layer{i}.{j}", channels, width, stride if j == 0 else 1)
            channels = 4 * width
    x = b.node("Flatten", [b.node("GlobalAveragePool", [x], "avgpool")], "flatten")
    w = b.rng.standard_normal((1000, channels), dtype=np.float32) / np.float32(np.sqrt(channels))
    bias = b.rng.standard_normal(1000, dtype=np.float32) * np.float32(0.1)
    b.node("Gemm", [x, b.constant("fc.weight", w), b.constant("fc.bias", bias)], "logits", transB=1)
    graph = helper.make_graph(
        b.nodes, "resnet50",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 224, 224])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1000])], b.weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
                             producer_name="make_resnet50")


def images(count: int, seed: int = 0) -> np.ndarray:
    """Seeded images [count,1,3,224,224], mean 0, mean square 1: coarse patches with fine noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.standard_normal((count, 1, 3, 7, 7), dtype=np.float32)
    fine = rng.standard_normal((count, 1, 3, 224, 224), dtype=np.float32)
    return np.float32(0.8) * coarse.repeat(32, axis=3).repeat(32, axis=4) + np.float32(0.6) * fine


if __name__ == "__main__":
    onnx.save(build(), sys.argv[1])
