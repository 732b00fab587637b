# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random small graphs from seeds, with the outputs that an oracle computes. Every op has types that its
schema allows in the opset of the graph.

A third are the float graphs of test/EndToEnd/random_graphs.py. The others are made around a random
case of test/Import/ONNX/op_cases.py, of a random opset: ops before its inputs and after its outputs
(moves, arithmetic, reductions, casts), some of its inputs made initializers.
"""
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "Import" / "ONNX"), str(TESTS / "EndToEnd")]
import op_models  # noqa: E402
import oracles  # noqa: E402
import random_graphs  # noqa: E402
from op_cases import CASES  # noqa: E402
from op_draw import Draw  # noqa: E402

LARGEST = 20000  # elements of all values together
EMPTY = 0.04  # share of shapes with a dimension of zero


@dataclass
class Sample:
    """A model, its run-time inputs and what is expected of each output."""
    model: onnx.ModelProto
    inputs: dict
    expected: list
    rtol: float = 2e-4
    atol: float = 1e-5
    trusted: bool = True  # onnxruntime computes what the standard says


def evaluate(model: onnx.ModelProto, inputs: dict, trusted: bool = True) -> list:
    results, _ = op_models.reference(model, inputs, trusted)
    return [np.asarray(r) for r in results]


class Grower:
    """Adds nodes to a model, one at a time, each accepted if an oracle can run the graph so far."""

    def __init__(self, rng, model, inputs, expected, trusted):
        self.rng, self.inputs, self.trusted = rng, dict(inputs), trusted
        self.model, self.number = model, 0
        self.values = dict(zip((o.name for o in model.graph.output), expected))

    def pick(self, options):
        options = list(options)
        return options[int(self.rng.integers(len(options)))]

    def name(self):
        self.number += 1
        return f"z{self.number}"

    def constant(self, graph, array):
        name = self.name()
        graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node_after(self, graph, x: str, value: np.ndarray, opset: int):
        """A node that reads x; None if nothing fits."""
        kind = self.pick("transpose reshape concat slice unary binary reduce cast split where".split())
        rank, y = value.ndim, self.name()
        is_float = value.dtype == np.float32
        if kind == "transpose" and rank > 1:
            return helper.make_node("Transpose", [x], [y], perm=[int(i) for i in self.rng.permutation(rank)])
        if kind == "reshape" and opset >= 5 and value.size:
            shape = self.pick(([-1], [1, -1], [value.size, 1], [0, -1] if rank > 1 else [-1]))
            return helper.make_node("Reshape", [x, self.constant(graph, np.int64(shape))], [y])
        if kind == "concat" and rank and value.dtype.kind in "fiu":
            return helper.make_node("Concat", [x, x], [y], axis=int(self.rng.integers(rank)))
        if kind == "slice" and rank and opset >= 10 and value.size:
            axis = int(self.rng.integers(rank))
            n = value.shape[axis]
            start, step = int(self.rng.integers(n)), self.pick((1, 1, 2, -1))
            ends = n if step > 0 else -n - 1
            arrays = (np.int64([v]) for v in (start, ends, axis, step))
            return helper.make_node("Slice", [x, *(self.constant(graph, a) for a in arrays)], [y])
        if kind == "unary" and is_float:
            return helper.make_node(self.pick("Relu Neg Abs Tanh Sigmoid".split()), [x], [y])
        if kind == "binary" and value.dtype in (np.float32, np.int32, np.int64):
            shape = [d if self.rng.random() < 0.6 else 1 for d in value.shape]
            other = self.constant(graph, (self.rng.integers(1, 4, shape)).astype(value.dtype))
            op = self.pick(("Add", "Sub", "Mul") if not is_float else ("Add", "Sub", "Mul", "Div"))
            return helper.make_node(op, [x, other], [y])
        if kind == "reduce" and is_float and rank and value.size:
            op = self.pick(("ReduceMax", "ReduceMean", "ReduceMin"))
            axis = int(self.rng.integers(rank))
            if opset >= 18:
                return helper.make_node(op, [x, self.constant(graph, np.int64([axis]))], [y], keepdims=1)
            return helper.make_node(op, [x], [y], axes=[axis], keepdims=1)
        if kind == "cast" and value.dtype.kind in "fbiu" and opset >= 9:
            to = self.pick((TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL))
            if value.dtype.kind == "f" and to != TensorProto.FLOAT:
                return None  # a neighbouring float could decide, and what NaN becomes is open
            return helper.make_node("Cast", [x], [y], to=to)
        if kind == "split" and rank and value.shape[-1] % 2 == 0 and value.size and opset < 18:
            return helper.make_node("Split", [x], [y, self.name()], axis=rank - 1)
        if kind == "where" and is_float and opset >= 9:
            mask = self.constant(graph, self.rng.integers(0, 2, value.shape).astype(bool))
            return helper.make_node("Where", [mask, x, self.constant(graph, np.float32(0.5))], [y])
        return None

    def try_model(self, model) -> bool:
        try:
            results = evaluate(op_models.typed(model), self.inputs, self.trusted)
        except Exception:  # types that an op does not have in this opset, or neither oracle has it
            return False
        if sum(r.size for r in results) > LARGEST:
            return False
        self.model, self.values = model, dict(zip((o.name for o in model.graph.output), results))
        return True

    def after(self, opset: int) -> None:
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        x = self.pick(self.values)
        node = self.node_after(model.graph, x, self.values[x], opset)
        if node is None:
            return
        node.name = f"after_{node.output[0]}"
        model.graph.node.append(node)
        kept = [o for o in model.graph.output if o.name != x or self.rng.random() < 0.3]
        del model.graph.output[:]
        model.graph.output.extend(kept)
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in node.output)
        self.try_model(model)

    def before(self) -> None:
        """A transposed or negated input in place of an input."""
        if not self.inputs:
            return
        x = self.pick(self.inputs)
        value = self.inputs[x]
        if value.dtype not in (np.float32, np.int32, np.int64):
            return
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        new = self.name()
        if value.ndim > 1 and self.rng.random() < 0.6:
            perm = [int(i) for i in self.rng.permutation(value.ndim)]
            node = helper.make_node("Transpose", [new], [x], perm=perm, name=f"before_{x}")
            given = np.transpose(value, np.argsort(perm))
        else:
            node, given = helper.make_node("Neg", [new], [x], name=f"before_{x}"), -value
        model.graph.node.insert(0, node)
        for info in model.graph.input:
            if info.name == x:
                info.CopyFrom(helper.make_tensor_value_info(new, info.type.tensor_type.elem_type, given.shape))
        given = np.asarray(given)  # the negative of a scalar is none of NumPy's arrays
        inputs = dict(self.inputs)
        self.inputs = {new if name == x else name: given if name == x else array for name, array in inputs.items()}
        if not self.try_model(model):
            self.inputs = inputs

    def bind(self) -> None:
        """Makes an input an initializer."""
        if len(self.inputs) < 2:
            return
        x = self.pick(self.inputs)
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        kept = [i for i in model.graph.input if i.name != x]
        del model.graph.input[:]
        model.graph.input.extend(kept)
        model.graph.initializer.append(numpy_helper.from_array(self.inputs[x], x))
        value = self.inputs.pop(x)
        if not self.try_model(model):
            self.inputs[x] = value


def chain(rng: np.random.Generator, seed: int) -> Sample:
    for attempt in range(40):
        op, first, make = CASES[int(rng.integers(len(CASES)))]
        opsets = op_models.opsets_of(op, max(first, op_models.FIRST_OPSET))
        opset = opsets[int(rng.integers(len(opsets)))]
        try:
            case, model, inputs, expected, _ = op_models.draw(make, op, opset, f"graph {seed} {attempt}", EMPTY)
        except RuntimeError:  # no oracle
            continue
        if sum(np.asarray(e).size for e in expected) > LARGEST:
            continue
        grower = Grower(rng, model, inputs, [np.asarray(e) for e in expected], case.trusted)
        for _ in range(int(rng.integers(0, 5))):
            grower.after(opset)
        for _ in range(int(rng.integers(0, 3))):
            grower.before()
        if rng.random() < 0.15:
            grower.bind()
        return Sample(grower.model, grower.inputs, list(grower.values.values()), max(2e-4, 10 * case.rtol),
                      max(1e-5, 10 * case.atol), case.trusted)
    raise RuntimeError(f"seed {seed}: no case can be drawn")


def draw(seed: int) -> Sample:
    rng = np.random.default_rng(seed)
    if seed % 3:
        return chain(rng, seed)
    for attempt in range(20):
        model, inputs = random_graphs.draw([seed, attempt] if attempt else seed, op_models.runtime)
        try:
            return Sample(model, inputs, op_models.runtime(model, inputs))
        except oracles.Failed:  # it has each step, but infers other shapes for the whole
            continue
    raise RuntimeError(f"seed {seed}: no graph can be drawn")


def examples():
    """A model of each case in each opset and some graphs, with their input arrays: what tells generators apart."""
    for op, first, make in CASES:
        for opset in op_models.opsets_of(op, max(first, op_models.FIRST_OPSET)):
            case = make(Draw(np.random.default_rng(opset), opset, EMPTY), op)
            yield op_models.model_of(case, opset), [np.asarray(array) for array in case.inputs.values()]
    for seed in range(1, 13):
        sample = draw(seed)
        yield sample.model, sample.inputs.values()
