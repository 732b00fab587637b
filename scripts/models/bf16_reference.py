#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The reference for bf16: onnxruntime on the graph with both operands of every convolution and matrix
product rounded to bfloat16 (nearest even) and back; biases, accumulation and all else stay fp32.

    bf16_reference.py MODEL.onnx OUT.onnx
"""
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import AttributeProto, TensorProto, helper, version_converter

PRODUCTS = {"Conv", "ConvTranspose", "Gemm", "MatMul"}


def _round_operands(graph: onnx.GraphProto) -> None:
    nodes, rounded = [], {}
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                _round_operands(attribute.g)
        if node.op_type in PRODUCTS and node.domain == "":
            for i in range(2):
                name = node.input[i]
                if name not in rounded:
                    rounded[name] = f"{name}/bf16/{node.name or node.output[0]}"
                    half = rounded[name] + "/half"
                    nodes += [helper.make_node("Cast", [name], [half], to=TensorProto.BFLOAT16),
                              helper.make_node("Cast", [half], [rounded[name]], to=TensorProto.FLOAT)]
                node.input[i] = rounded[name]
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


def rewrite(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the model with the casts, brought to opset 13 first if older (bfloat16 comes there)."""
    opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    copy = onnx.ModelProto()
    copy.CopyFrom(model if opset >= 13 else version_converter.convert_version(model, 13))
    _round_operands(copy.graph)
    return copy


def session(model: onnx.ModelProto, optimize: bool) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    if not optimize:  # an optimiser may take a pair of casts for nothing
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run(model: onnx.ModelProto, inputs: np.ndarray, bf16: bool) -> np.ndarray:
    """The first output for each slice of inputs (its leading dimension more than the model's), stacked."""
    s = session(rewrite(model) if bf16 else model, optimize=not bf16)
    name = s.get_inputs()[0].name
    return np.stack([s.run(None, {name: x})[0] for x in inputs])


if __name__ == "__main__":
    onnx.save(rewrite(onnx.load(sys.argv[1])), sys.argv[2])
