# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random models of ops that move elements, for op_cases.py."""
import numpy as np
from onnx import helper

from op_draw import Case, Draw, simple


def concat(d: Draw, op: str) -> Case:
    dims = d.dims(1, 4)
    axis = d.int(0, len(dims) - 1)
    dtype = d.pick(np.float32, np.int64)
    arrays = []
    for _ in range(d.int(1, 4)):
        own = list(dims)
        own[axis] = d.int(1, 5)
        arrays.append(d.array(own, dtype))
    constant = (0,) if len(arrays) > 1 and d.flip(0.3) else ()
    return simple(d, op, arrays, constant=constant,
                  axis=axis - (len(dims) if d.opset >= 11 and d.flip() else 0))


def split(d: Draw, op: str) -> Case:
    parts = [d.int(1, 4) for _ in range(d.int(1, 4))]
    equal = d.flip(0.3)
    if equal:
        parts = [parts[0]] * len(parts)
    dims = d.dims(1, 3)
    axis = d.int(0, len(dims) - 1)
    dims[axis] = sum(parts)
    outputs = [f"y{i}" for i in range(len(parts))]
    x = d.array(dims)
    if equal:
        attrs = {"num_outputs": len(parts)} if d.opset >= 18 else {}
        return simple(d, op, [x], outputs=outputs, axis=axis, **attrs)
    if d.opset >= 13:
        return simple(d, op, [x, np.asarray(parts, np.int64)], constant=(1,), outputs=outputs, axis=axis)
    return simple(d, op, [x], outputs=outputs, axis=axis, split=parts)


def reshape(d: Draw, op: str) -> Case:
    dims = d.dims(1, 4, 4)
    total = int(np.prod(dims))
    factors = []
    while total > 1 and len(factors) < 4:
        f = d.pick(*[k for k in range(1, total + 1) if total % k == 0])
        factors.append(f)
        total //= f
    factors.append(total)
    for _ in range(d.int(0, 2)):
        factors.insert(d.int(0, len(factors)), 1)
    if factors[0] == dims[0] and d.flip():
        factors[0] = 0
    if d.flip():
        factors[d.int(1 if factors[0] == 0 and len(factors) > 1 else 0, len(factors) - 1)] = -1
    return simple(d, op, [d.array(dims, d.pick(np.float32, np.int64, np.bool_)),
                          np.asarray(factors, np.int64)], constant=(1,))


def flatten(d: Draw, op: str) -> Case:
    dims = d.dims(0, 4)
    low = -len(dims) if d.opset >= 11 else 0
    return simple(d, op, [d.array(dims)], axis=d.int(low, len(dims)))


def transpose(d: Draw, op: str) -> Case:
    dims = d.dims(0, 5)
    attrs = {"perm": [int(p) for p in d.rng.permutation(len(dims))]} if dims and d.flip(0.8) else {}
    return simple(d, op, [d.array(dims, d.pick(np.float32, np.uint8))], **attrs)


def slice_(d: Draw, op: str) -> Case:
    dims = d.dims(1, 4, 9)
    axes = [a for a in range(len(dims)) if d.flip(0.6)]
    starts, ends, steps = [], [], []
    for a in axes:
        n = max(dims[a], 1)
        step = d.pick(1, 1, 2, 3, -1, -2) if d.opset >= 10 else 1
        i, j = sorted([d.int(0, n - 1), d.int(0, n - 1)])
        start, end = (i, j + 1) if step > 0 else (j, i - 1 if i else -n - 5)
        if d.flip(0.2):
            start, end = (-2**60, 2**60) if step > 0 else (2**60, -2**60)
        elif d.flip(0.3):
            start -= n
        starts.append(start)
        ends.append(end)
        steps.append(step)
    x = d.array(dims)
    if d.opset < 10:
        if not axes:
            axes, starts, ends = [0], [0], [1]
        return simple(d, op, [x], axes=axes, starts=starts, ends=ends)
    arrays = [np.asarray(v, np.int64) for v in (starts, ends, axes, steps)]
    if all(s == 1 for s in steps):
        arrays.pop()
    return simple(d, op, [x, *arrays], constant=(1, 2, 3, 4))


def pad(d: Draw, op: str) -> Case:
    dims = [n + 2 for n in d.dims(1, 4, 5)]
    mode = d.pick("constant", "constant", "edge", "reflect")
    low = -1 if mode == "constant" else 0
    pads = [d.int(low, 2) for _ in range(2 * len(dims))]
    x = d.array(dims)
    if d.opset < 11:
        attrs = {"value": 1.5} if d.flip() else {}
        return simple(d, op, [x], pads=pads, mode=mode, **attrs)
    arrays = [x, np.asarray(pads, np.int64)]
    if d.flip() and mode == "constant":
        arrays.append(np.float32(d.pick(-1.5, 0.25)))
    if d.opset >= 18 and d.flip(0.4):
        axes = sorted(int(a) for a in d.rng.permutation(len(dims))[: d.int(1, len(dims))])
        arrays[1] = np.asarray([pads[a] for a in axes] + [pads[len(dims) + a] for a in axes], np.int64)
        arrays += [None] * (3 - len(arrays)) + [np.asarray(axes, np.int64)]
    return simple(d, op, arrays, constant=(1, 2, 3), mode=mode)


def squeeze(d: Draw, op: str) -> Case:
    dims = d.dims(1, 4)
    axes = [a for a in range(len(dims)) if d.flip(0.4)]
    for a in axes:
        dims[a] = 1
    x = d.array(dims)
    if not axes:
        return simple(d, op, [x])
    if d.opset >= 13:
        return simple(d, op, [x, np.asarray(axes, np.int64)], constant=(1,))
    return simple(d, op, [x], axes=axes)


def unsqueeze(d: Draw, op: str) -> Case:
    dims = d.dims(0, 3)
    count = d.int(1, 2)
    rank = len(dims) + count
    axes = sorted(int(a) for a in d.rng.permutation(rank)[:count])
    if d.opset >= 13:
        return simple(d, op, [d.array(dims), np.asarray(axes, np.int64)], constant=(1,))
    return simple(d, op, [d.array(dims)], axes=axes)


def identity(d: Draw, op: str) -> Case:
    return simple(d, op, [d.array(d.dims(0, 4))])


def expand(d: Draw, op: str) -> Case:
    dims = d.dims(0, 4)
    return simple(d, op, [d.array(d.shrink(dims)), np.asarray(dims, np.int64)], constant=(1,))


def tile(d: Draw, op: str) -> Case:
    dims = d.dims(1, 4, 4)
    return simple(d, op, [d.array(dims), np.asarray([d.int(1, 3) for _ in dims], np.int64)], constant=(1,))


def gather(d: Draw, op: str) -> Case:
    dims = d.dims(1, 3)
    axis = d.int(0, len(dims) - 1)
    dims[axis] = max(dims[axis], 1)
    low = -dims[axis] if d.opset >= 11 else 0
    dtype = d.pick(np.int64, np.int32)
    indices = np.asarray(d.rng.integers(low, dims[axis], d.dims(0, 2)), dtype)
    return simple(d, op, [d.array(dims), indices], constant=d.pick((), (1,)), axis=axis)


def depth_space(d: Draw, op: str) -> Case:
    s = d.int(1, 3)
    if op == "SpaceToDepth":
        return simple(d, op, [d.array([1, d.int(1, 3), s * d.int(1, 3), s * d.int(1, 3)])], blocksize=s)
    attrs = {"mode": d.pick("DCR", "CRD")} if d.opset >= 11 else {}
    return simple(d, op, [d.array([1, s * s * d.int(1, 3), d.int(1, 4), d.int(1, 4)])], blocksize=s, **attrs)


def shape_chain(d: Draw, op: str) -> Case:
    """Reshape to a shape computed from the input's, as exporters of dynamic models write it."""
    dims = [d.int(1, 3), d.int(1, 4), d.int(1, 4), d.int(1, 4)]
    one = np.asarray([1], np.int64)
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["batch"], axis=0),
        helper.make_node("Slice", ["shape", "one", "three"], ["middle"]) if d.opset >= 10 else
        helper.make_node("Slice", ["shape"], ["middle"], starts=[1], ends=[3]),
        helper.make_node("ReduceProd", ["middle"], ["product"], keepdims=1),
        helper.make_node("Mul", ["product", "two"], ["wide"]),
        helper.make_node("Div", ["wide", "two"], ["narrow"]),
        helper.make_node("Cast", ["narrow"], ["as_float"], to=1),
        helper.make_node("Floor", ["as_float"], ["floored"]),
        helper.make_node("Cast", ["floored"], ["back"], to=7),
        helper.make_node("Concat", ["batch", "back", "minus"], ["new_shape"], axis=0),
        helper.make_node("Reshape", ["x", "new_shape"], ["r"]),
        helper.make_node("Transpose", ["w"], ["wt"]),
        helper.make_node("Mul", ["r", "wt"], ["y"]),
    ]
    if d.opset < 10:
        nodes = [n for n in nodes]
    constants = {"zero": np.asarray([0], np.int64), "one": one, "three": one * 3, "two": one * 2,
                 "minus": -one, "w": d.array([1, dims[1] * dims[2]])}
    if d.opset < 10:
        del constants["one"], constants["three"]
    return Case(op, nodes, {"x": d.array(dims)}, constants)
