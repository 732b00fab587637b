# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the generators of random models (cases_*.py) draw from and give.

Every generator takes a Draw, which wraps a seeded random generator, and an op, and gives one Case: the
nodes, the arrays of inputs that are known at run time only, and those of initializers.
"""
from dataclasses import dataclass, field

import numpy as np
from onnx import helper


@dataclass
class Case:
    op: str
    nodes: list
    inputs: dict
    constants: dict = field(default_factory=dict)
    outputs: tuple = ("y",)
    rtol: float = 1e-5
    atol: float = 1e-5
    trusted: bool = True  # onnxruntime computes what the standard says
    exact: bool = False  # floats too
    types: tuple = ()  # NumPy's types of the outputs, where the library does not infer them


class Draw:
    """`empty` is the probability that a shape has a dimension of zero where the op allows it."""

    def __init__(self, rng: np.random.Generator, opset: int, empty: float = 0.0):
        self.rng, self.opset, self.empty = rng, opset, empty

    def pick(self, *values):
        return values[self.rng.integers(len(values))]

    def flip(self, p: float = 0.5) -> bool:
        return bool(self.rng.random() < p)

    def int(self, low: int, high: int) -> int:
        """low..high, both included."""
        return int(self.rng.integers(low, high + 1))

    def dims(self, low: int, high: int, top: int = 7) -> list[int]:
        dims = [self.int(1, top) for _ in range(self.int(low, high))]
        if dims and self.flip(self.empty):
            dims[self.int(0, len(dims) - 1)] = 0
        elif dims and self.flip(0.1):  # past a block of lanes or channels
            dims[self.int(0, len(dims) - 1)] = self.int(15, 37)
        return dims

    def batch(self) -> int:
        return 0 if self.flip(self.empty) else self.int(1, 3)

    def channels(self, top: int) -> int:
        return self.int(15, 37) if self.flip(0.2) else self.int(1, top)

    def array(self, dims, dtype=np.float32) -> np.ndarray:
        dtype = np.dtype(dtype)
        if dtype.kind == "f":
            return np.asarray(self.rng.standard_normal(dims), dtype)
        if dtype.kind == "b":
            return np.asarray(self.rng.integers(0, 2, dims), dtype)
        low = 0 if dtype.kind == "u" else -20
        return np.asarray(self.rng.integers(low, 21, dims), dtype)

    def shrink(self, dims: list[int]) -> list[int]:
        """Dimensions that broadcast to dims."""
        dims = [1 if self.flip(0.3) else d for d in dims]
        return dims[self.int(0, len(dims)) if self.flip(0.4) else 0:]


def simple(d: Draw, op: str, arrays: list, constant=(), outputs=("y",), **attrs) -> Case:
    """One node; arrays with an index in `constant` are initializers, None is an absent operand."""
    inputs, constants, names = {}, {}, []
    for i, array in enumerate(arrays):
        if array is None:
            names.append("")
            continue
        name = "xwbcdefg"[i] if i < 8 else f"x{i}"
        names.append(name)
        (constants if i in constant else inputs)[name] = array
    node = helper.make_node(op, names, list(outputs), name=f"the_{op}", **attrs)
    return Case(op, [node], inputs, constants, tuple(outputs))
