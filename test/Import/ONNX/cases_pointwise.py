# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random models of elementwise ops of floats and a few integer types, for op_cases.py."""
import numpy as np
from onnx import helper

from op_draw import Case, Draw, simple


def unary(d: Draw, op: str) -> Case:
    x = d.array(d.dims(0, 5))
    if op in ("Sqrt", "Log"):
        x = np.abs(x) + np.float32(1e-3)
    if op == "Reciprocal":
        x = x + np.copysign(np.float32(0.1), x)
    if op == "Round" and x.size:
        x = x * 3
        x.reshape(-1)[0] = d.pick(0.5, 1.5, -0.5, 2.5)
    attrs = {}
    if op in ("LeakyRelu", "Elu", "ThresholdedRelu", "HardSigmoid", "Selu", "Celu") and d.flip():
        attrs["alpha"] = d.pick(0.2, 0.5, 1.25)
    if op == "HardSigmoid" and d.flip():
        attrs["beta"] = 0.3
    if op == "Selu" and d.flip():
        attrs["gamma"] = 1.5
    if op == "Gelu" and d.flip():
        attrs["approximate"] = "tanh"
    if op in ("Neg", "Abs", "Sign") and d.flip(0.3):
        x = d.array(x.shape, d.pick(np.int32, np.int64, np.int8))
    return simple(d, op, [x], **attrs)


def binary(d: Draw, op: str) -> Case:
    dims = d.dims(0, 4)
    dtype = np.float32
    if op in ("And", "Or", "Xor"):
        dtype = np.bool_
    elif op == "Mod":
        dtype = d.pick(np.int32, np.int64, np.float32)
    elif op == "Equal" and d.opset < 11 or (
            op != "PRelu" and d.opset >= (12 if op == "Pow" else 9) and d.flip(0.3)):
        dtype = d.pick(np.int32, np.int64)
    a, b = d.array(d.shrink(dims), dtype), d.array(d.shrink(dims), dtype)
    attrs = {}
    if op == "PRelu":
        a = d.array(dims)
        if len(b.shape) > len(dims):
            b = d.array([1])
    if op in ("Div", "Mod"):
        b = np.where(np.abs(b) < 0.1, np.asarray(3, dtype), b).astype(dtype)
    if op == "Mod" and (dtype == np.float32 or d.flip(0.3)):
        attrs["fmod"] = 1
    if op == "Pow":
        if dtype == np.float32:
            a = np.abs(a) + np.float32(0.1)
            if d.flip():
                b = np.asarray(d.pick(2, 3, 0.5, -1, 1, 4, -0.5, 1.7), np.float32)
                return simple(d, op, [a, b], constant=(1,))
        else:
            a, b = d.array(a.shape, dtype) % 5, np.abs(b) % 4
    constant = d.pick((), (0,), (1,))
    return simple(d, op, [a, b], constant=constant, **attrs)


def variadic(d: Draw, op: str) -> Case:
    dims = d.dims(0, 4)
    dtype = np.float32
    if op in ("Min", "Max") and d.opset >= 12 and d.flip(0.3):
        dtype = d.pick(np.int32, np.int64, np.uint8)
    arrays = [d.array(d.shrink(dims), dtype) for _ in range(d.int(1, 4))]
    return simple(d, op, arrays, constant=(len(arrays) - 1,) if len(arrays) > 1 and d.flip() else ())


def where(d: Draw, op: str) -> Case:
    dims = d.dims(0, 4)
    dtype = d.pick(np.float32, np.int64)
    return simple(d, op, [d.array(d.shrink(dims), np.bool_), d.array(d.shrink(dims), dtype),
                          d.array(d.shrink(dims), dtype)], constant=d.pick((), (1,), (2,)))


def clip(d: Draw, op: str) -> Case:
    x = d.array(d.dims(0, 4))
    low, high = sorted(np.float32(v) for v in d.rng.standard_normal(2))
    if d.opset < 11:
        attrs = {k: float(v) for k, v in (("min", low), ("max", high)) if d.flip(0.7)}
        return simple(d, op, [x], **attrs)
    arrays = [x, low if d.flip(0.7) else None, high if d.flip(0.7) else None]
    while arrays[-1] is None:
        arrays.pop()
    return simple(d, op, arrays, constant=d.pick((), (1, 2)))


def logical_not(d: Draw, op: str) -> Case:
    return simple(d, op, [d.array(d.dims(0, 4), np.bool_)])


TYPES = [np.float32, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32,
         np.uint64, np.bool_]


def cast(d: Draw, op: str) -> Case:
    source, target = d.pick(*TYPES), d.pick(*TYPES)
    x = d.array(d.dims(0, 3), source)
    if np.dtype(source).kind == "f":
        x = x * 20
        if np.dtype(target).kind == "u":
            x = np.abs(x)
    return simple(d, op, [x], to=helper.np_dtype_to_tensor_dtype(np.dtype(target)))
