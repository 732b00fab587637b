# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random graphs of 3 to 12 ops: chains, diamonds, values read twice, several outputs.

Ops and sizes are drawn so that values keep their size and neighbouring floats do not decide
between branches (no rounding, no comparison), so that a relative error can be stated.
"""
import numpy as np
import onnx
from onnx import helper, numpy_helper

UNARY = ("Relu LeakyRelu Sigmoid Tanh HardSigmoid HardSwish Gelu Erf Neg Abs Softplus Clip Elu Identity "
         "Exp Sqrt Cast").split()
LARGEST = 6000  # elements of a value
OPSET = 20


class Graph:
    """The graph as it grows: `values` maps each float value to what it is for the inputs drawn."""

    def __init__(self, rng: np.random.Generator, rounded):
        self.rng, self.rounded = rng, rounded
        self.nodes, self.initializers, self.inputs, self.values, self.read = [], [], {}, {}, set()
        self.number = 0

    def pick(self, options):
        options = list(options)
        return options[self.rng.integers(len(options))]

    def int(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def flip(self, p=0.5):
        return bool(self.rng.random() < p)

    def name(self, stem):
        self.number += 1
        return f"{stem}{self.number}"

    def normal(self, dims, scale=1.0):
        return self.rounded(np.asarray(self.rng.standard_normal(dims) * scale, np.float32))

    def constant(self, array):
        name = self.name("c")
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def ints(self, *values):
        return self.constant(np.asarray(values, np.int64))

    def input(self):
        dims = [self.int(1, 3), self.pick((1, 3, 4, 5, 8, 16, 17)), self.int(1, 9), self.int(1, 9)]
        dims = dims[: self.pick((4, 4, 4, 3, 2, 1, 0))] if self.flip(0.8) else [self.int(1, 4) for _ in range(5)]
        name = self.name("x")
        self.inputs[name] = self.values[name] = self.normal(dims)

    def value(self, rank=None):
        """A value, rather a late one, of at least `rank` dimensions; None if there is none."""
        names = [n for n, v in self.values.items() if rank is None or v.ndim == rank]
        return names[max(self.int(0, len(names) - 1), self.int(0, len(names) - 1))] if names else None

    def add(self, op, inputs, outputs=1, **attributes):
        names = [self.name("v") for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=f"{op}_{names[0]}", **attributes))
        return names

    def grow(self):
        """One op more (some take two nodes); False if nothing fits the values there are."""
        x = self.value()
        dims = list(self.values[x].shape)
        kind = self.pick("unary unary unary binary binary image image image image matmul matmul softmax reduce concat "
                         "split slice pad transpose reshape squeeze norm".split())
        return getattr(self, "make_" + kind)(x, dims)

    def make_unary(self, x, dims):
        op = self.pick(UNARY)
        if op == "Exp":  # of what is not large
            x = self.add("Tanh", [x])[0]
        if op == "Sqrt":
            x = self.add("Sigmoid", [x])[0]
        if op == "Cast":
            return self.add("Cast", [self.add("Cast", [x], to=onnx.TensorProto.FLOAT)[0]], to=onnx.TensorProto.FLOAT)
        if op == "Clip":
            return self.add("Clip", [x, self.constant(np.float32(-0.5)), self.constant(np.float32(1.5))])
        return self.add(op, [x])

    def make_binary(self, x, dims):
        op = self.pick("Add Add Sub Mul Mul Min Max Div".split())
        others = [n for n, v in self.values.items() if broadcasts(v.shape, dims)]
        if self.flip(0.6) and others:
            y = self.pick(others)
        else:
            shape = [1 if self.flip(0.3) else d for d in dims][self.int(0, len(dims)) if self.flip(0.3) else 0:]
            y = self.constant(self.normal(shape))
        if op == "Div":  # by what is not near zero
            y = self.add("Add", [self.add("Abs", [y])[0], self.constant(np.float32(1))])[0]
        return self.add(op, [x, y] if self.flip() else [y, x]) if op != "Div" else self.add(op, [x, y])

    def make_image(self, x, dims):
        x = self.value(4)
        if x is None:
            return None
        n, c, h, w = self.values[x].shape
        op = self.pick("conv conv conv depthwise group max average global batch resize".split())
        kernel = [self.int(1, min(3, h)), self.int(1, min(3, w))]
        window = {"kernel_shape": kernel}
        if self.flip():
            window["strides"] = [self.int(1, 2), self.int(1, 2)]
        if self.flip():
            window["auto_pad"] = self.pick(("SAME_UPPER", "SAME_LOWER", "VALID"))
            if any(s > k for s, k in zip(window.get("strides", [1, 1]), kernel)):
                del window["auto_pad"]
        elif self.flip():
            window["pads"] = [self.int(0, k - 1) for k in kernel * 2]
        if op in ("conv", "depthwise", "group"):
            groups = {"conv": 1, "depthwise": c, "group": self.pick([g for g in range(1, c + 1) if c % g == 0])}[op]
            filters = groups if op == "depthwise" else groups * self.int(1, 9 if groups == 1 else 3)
            weights = [filters, c // groups, *kernel]
            inputs = [x, self.constant(self.normal(weights, 1 / np.sqrt(np.prod(weights[1:]))))]
            if self.flip():
                inputs.append(self.constant(self.normal([filters], 0.3)))
            return self.add("Conv", inputs, group=groups, **window)
        if op == "max":
            return self.add("MaxPool", [x], **window)
        if op == "average":
            if "auto_pad" not in window and self.flip(0.3):
                window["ceil_mode"] = 1
            return self.add("AveragePool", [x], count_include_pad=self.int(0, 1), **window)
        if op == "global":
            return self.add(self.pick(("GlobalAveragePool", "GlobalMaxPool")), [x])
        if op == "batch":
            tables = [self.normal([c]), self.normal([c], 0.3), self.normal([c], 0.3),
                      np.abs(self.normal([c])) + np.float32(0.5)]
            return self.add("BatchNormalization", [x] + [self.constant(t) for t in tables])
        return self.add("Resize", [x, "", self.constant(np.asarray([1, 1, self.pick((1, 2)), self.pick((1, 2, 3))],
                                                                  np.float32))],
                        mode="nearest", nearest_mode="floor", coordinate_transformation_mode="asymmetric")

    def make_matmul(self, x, dims):
        if len(dims) < 1 or dims[-1] == 0:
            return None
        n = self.pick((1, 2, 5, 8, 16, 19))
        weights = self.normal([dims[-1], n], 1 / np.sqrt(dims[-1]))
        if len(dims) == 2 and self.flip():
            bias = [self.constant(self.normal(self.pick(([n], [1, n]))))] if self.flip() else []
            if self.flip():
                return self.add("Gemm", [x, self.constant(weights.T), *bias], transB=1)
            return self.add("Gemm", [x, self.constant(weights), *bias])
        others = [m for m, v in self.values.items() if v.ndim == 2 and v.shape[0] == dims[-1]]
        y = self.pick(others) if others and self.flip() else self.constant(weights)
        return self.add("MatMul", [x, y])

    def make_softmax(self, x, dims):
        return self.add("Softmax", [x], axis=self.int(-len(dims), len(dims) - 1)) if dims else None

    def make_reduce(self, x, dims):
        axes = [a for a in range(len(dims)) if self.flip(0.4)] or [0]
        if not dims:
            return None
        op = self.pick("ReduceMean ReduceMean ReduceMax ReduceMin ReduceL2".split())
        return self.add(op, [x, self.ints(*axes)], keepdims=self.int(0, 1))

    def make_concat(self, x, dims):
        if not dims:
            return None
        axis = self.int(0, len(dims) - 1)
        same = [n for n, v in self.values.items() if v.ndim == len(dims)
                and all(a == b for d, (a, b) in enumerate(zip(v.shape, dims)) if d != axis)]
        pieces = [self.pick(same) for _ in range(self.int(1, 3))]
        if self.flip(0.3):
            pieces.append(self.constant(self.normal([self.int(1, 3) if d == axis else n for d, n in enumerate(dims)])))
        return self.add("Concat", pieces, axis=axis)

    def make_split(self, x, dims):
        axes = [a for a, n in enumerate(dims) if n > 1]
        if not axes:
            return None
        axis = self.pick(axes)
        cut = self.int(1, dims[axis] - 1)
        return self.add("Split", [x, self.ints(cut, dims[axis] - cut)], outputs=2, axis=axis)

    def make_slice(self, x, dims):
        if not dims or 0 in dims:
            return None
        axes = [a for a in range(len(dims)) if self.flip()] or [0]
        starts = [self.int(0, dims[a] - 1) for a in axes]
        steps = [self.pick((1, 1, 2, -1)) for _ in axes]
        ends = [self.int(s + 1, dims[a]) if step > 0 else -1000 for a, s, step in zip(axes, starts, steps)]
        return self.add("Slice", [x, self.ints(*starts), self.ints(*ends), self.ints(*axes), self.ints(*steps)])

    def make_pad(self, x, dims):
        if not dims:
            return None
        pads = [self.int(0, 2) if self.flip() else 0 for _ in range(2 * len(dims))]
        inputs = [x, self.ints(*pads)]
        if self.flip():
            inputs.append(self.constant(np.float32(self.pick((0.5, -1)))))
        return self.add("Pad", inputs)

    def make_transpose(self, x, dims):
        return self.add("Transpose", [x], perm=[int(p) for p in self.rng.permutation(len(dims))]) if dims else None

    def make_reshape(self, x, dims):
        if self.flip(0.3):
            return self.add("Flatten", [x], axis=self.int(0, len(dims)))
        total, shape = int(np.prod(dims)), []
        while total > 1 and len(shape) < 4:
            factor = self.pick([k for k in range(1, total + 1) if total % k == 0])
            shape.append(factor)
            total //= factor
        return self.add("Reshape", [x, self.ints(*shape, total)])

    def make_squeeze(self, x, dims):
        ones = [a for a, n in enumerate(dims) if n == 1]
        if ones and self.flip(0.6):
            return self.add("Squeeze", [x, self.ints(self.pick(ones))])
        return self.add("Unsqueeze", [x, self.ints(self.int(0, len(dims)))]) if len(dims) < 5 else None

    def make_norm(self, x, dims):
        if not dims or dims[-1] < 4:
            return None
        return self.add("LayerNormalization", [x, self.constant(self.normal(dims[-1:])),
                                               self.constant(self.normal(dims[-1:], 0.3))], axis=-1)


def broadcasts(shape, dims) -> bool:
    return len(shape) <= len(dims) and all(a in (1, b) for a, b in zip(shape[::-1], dims[::-1]))


def model_of(graph: Graph, nodes, outputs) -> onnx.ModelProto:
    info = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, a.shape) for n, a in graph.inputs.items()]
    return helper.make_model(helper.make_graph(
        nodes, "g", info, [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) for n in outputs],
        graph.initializers), opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def draw(seed, evaluate, rounded=np.asarray) -> tuple[onnx.ModelProto, dict]:
    """A model and its inputs. `evaluate(model, inputs)` gives the outputs of one; `rounded` is applied to
    constants and inputs."""
    graph = Graph(np.random.default_rng(seed), rounded)
    for _ in range(graph.int(1, 3)):
        graph.input()
    wanted = graph.int(3, 12)
    for _ in range(200):
        if len(graph.nodes) >= wanted:
            break
        before = len(graph.nodes)
        made = graph.grow()
        if made is None:
            del graph.nodes[before:]
            continue
        new = [o for node in graph.nodes[before:] for o in node.output]
        # Only the new nodes, on the values that they read.
        step = Graph(graph.rng, rounded)
        step.initializers = graph.initializers
        constants = {t.name for t in graph.initializers}
        step.inputs = {i: graph.values[i] for node in graph.nodes[before:] for i in node.input
                       if i and i not in constants and i not in new}
        try:
            results = evaluate(model_of(step, graph.nodes[before:], new), step.inputs)
        except Exception:  # onnxruntime does not have it for these attributes
            results = None
        if results is None or any(r.size > LARGEST or not np.isfinite(r).all() or (r.size and np.abs(r).max() > 1e3)
                                  for r in results):
            del graph.nodes[before:]
            continue
        graph.values.update(zip(new, results))
        graph.read.update(i for node in graph.nodes[before:] for i in node.input)
    computed = [o for node in graph.nodes for o in node.output]
    outputs = [o for o in computed if o not in graph.read]
    outputs += [o for o in computed if o in graph.read and graph.flip(0.1)]
    used = {i for node in graph.nodes for i in node.input}
    graph.inputs = {n: a for n, a in graph.inputs.items() if n in used}
    graph.initializers = [t for t in graph.initializers if t.name in used]
    return model_of(graph, graph.nodes, outputs), graph.inputs


def stored_in_bf16(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with every value that an op computes rounded to bf16."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    nodes = []
    outputs = {o.name for o in model.graph.output}
    for node in copy.graph.node:
        nodes.append(node)
        for i, name in enumerate(node.output):
            if name in outputs:
                continue
            node.output[i] = name + "/wide"
            nodes += [helper.make_node("Cast", [name + "/wide"], [name + "/half"], to=onnx.TensorProto.BFLOAT16),
                      helper.make_node("Cast", [name + "/half"], [name], to=onnx.TensorProto.FLOAT)]
    del copy.graph.node[:]
    copy.graph.node.extend(nodes)
    return copy
