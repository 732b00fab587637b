# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random models of products of matrices, normalisations and reductions, for op_cases.py."""
import numpy as np

from op_draw import Case, Draw, simple


def gemm(d: Draw, op: str) -> Case:
    m, k, n = d.batch() if d.flip() else d.int(1, 9), d.channels(20), d.channels(20)
    attrs = {}
    a, b = [m, k], [k, n]
    if d.flip():
        attrs["transA"], a = 1, a[::-1]
    if d.flip():
        attrs["transB"], b = 1, b[::-1]
    for name in ("alpha", "beta"):
        if d.flip(0.3):
            attrs[name] = d.pick(0.5, 2.0, -1.5)
    arrays = [d.array(a), d.array(b)]
    if d.opset < 11 or d.flip(0.7):
        arrays.append(d.array(d.pick([m, n], [1, n], [m, 1], [n], [1], [])))
    return simple(d, op, arrays, constant=d.pick((1, 2), (1,), ()), **attrs)


def matmul(d: Draw, op: str) -> Case:
    m, k, n = d.batch() if d.flip() else d.int(1, 9), d.channels(20), d.channels(20)
    batch = d.dims(0, 2, 3)
    kind = d.pick("mm", "mm", "mm", "vm", "mv", "vv")
    a = [k] if kind[0] == "v" else d.shrink(batch) + [m, k]
    b = [k] if kind[1] == "v" else d.shrink(batch) + [k, n]
    dtype = np.float32 if d.opset < 9 or d.flip(0.8) else np.int32
    return simple(d, op, [d.array(a, dtype), d.array(b, dtype)], constant=d.pick((), (1,)))


def batch_norm(d: Draw, op: str) -> Case:
    c = d.int(1, 20)
    arrays = [d.array([d.batch(), c, *d.dims(0, 3)])] + [d.array([c]) for _ in range(4)]
    arrays[4] = np.abs(arrays[4]) + np.float32(0.1)
    attrs = {"epsilon": 1e-3} if d.flip() else {}
    return simple(d, op, arrays, constant=d.pick((1, 2, 3, 4), (1, 2, 3, 4), ()), **attrs)


def instance_norm(d: Draw, op: str) -> Case:
    c = d.int(1, 20)
    x = d.array([d.int(1, 2), c, d.int(2, 6), *d.dims(0, 2)])
    return simple(d, op, [x, d.array([c]), d.array([c])], constant=d.pick((1, 2), ()))


def layer_norm(d: Draw, op: str) -> Case:
    dims = d.dims(1, 3) + [d.int(4, 9)]
    axis = d.int(0, len(dims) - 1)
    tail = dims[axis:]
    arrays = [d.array(dims), d.array(tail)] + ([d.array(tail)] if d.flip() else [])
    return simple(d, op, arrays, constant=d.pick((1, 2), ()), axis=axis - d.pick(0, len(dims)))


def group_norm(d: Draw, op: str) -> Case:
    groups, per = d.int(1, 3), d.int(1, 3)
    x = d.array([d.int(1, 2), groups * per, d.int(3, 6), d.int(1, 4)])
    size = groups * per if d.opset >= 21 else groups
    return simple(d, op, [x, d.array([size]), d.array([size])], constant=(1, 2), num_groups=groups)


def softmax(d: Draw, op: str) -> Case:
    dims = d.dims(1, 4)
    attrs = {}
    if d.flip(0.7):
        low = -len(dims) if d.opset >= 11 else 0
        attrs["axis"] = d.int(low, len(dims) - 1)
    elif d.opset < 13 and len(dims) < 2:
        dims.append(3)
    return simple(d, op, [d.array(dims) * 3], **attrs)


def reduction_of(d: Draw, op: str, dims: list[int]) -> Case:
    axes = [a - (len(dims) if d.flip(0.3) and d.opset >= 11 else 0)
            for a in range(len(dims)) if d.flip()]
    x = d.array(dims)
    if op in ("ReduceLogSum",):
        x = np.abs(x) + np.float32(0.1)
    if op in ("ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceMean") and d.flip(0.2) and (
            op != "ReduceMean" or x.size):  # the mean of no integers is open
        x = d.array(dims, np.int32) % 4
    attrs = {} if d.flip() else {"keepdims": d.int(0, 1)}
    if d.opset >= (13 if op == "ReduceSum" else 18):
        if axes and d.flip(0.8):
            return simple(d, op, [x, np.asarray(axes, np.int64)], constant=(1,), **attrs)
        if d.flip(0.3):
            attrs["noop_with_empty_axes"] = 1
        return simple(d, op, [x], **attrs)
    if axes:
        attrs["axes"] = axes
    return simple(d, op, [x], **attrs)


def reduction(d: Draw, op: str) -> Case:
    dims = d.dims(1, 4)
    case = reduction_of(d, op, dims)
    # onnxruntime keeps a dimension of zero that is reduced.
    case.trusted = 0 not in dims
    return case
