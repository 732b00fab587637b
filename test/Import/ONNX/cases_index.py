# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random models of ops that read, write, order or choose elements by indices."""
import numpy as np

from op_draw import Case, Draw, simple

FLOAT, INT = np.float32, np.int64


def axis_of(d: Draw, rank: int) -> int:
    return d.int(-rank, rank - 1)


def distinct(d: Draw, dims, dtype=np.float32) -> np.ndarray:
    """No two elements are equal: their order does not depend on how ties are broken."""
    count = int(np.prod(dims))
    return d.rng.permutation(count).reshape(dims).astype(dtype) - count // 2


def few(d: Draw, dims, dtype=np.float32) -> np.ndarray:
    """Many equal elements."""
    return d.rng.integers(-2, 3, dims).astype(dtype)


def gather_elements(d: Draw, op: str) -> Case:
    dims = [d.int(1, 6) for _ in range(d.int(1, 3))]
    axis = axis_of(d, len(dims))
    own = [d.int(1, n) for n in dims]
    own[axis] = d.int(1, 20)
    indices = d.rng.integers(-dims[axis], dims[axis], own).astype(d.pick(INT, np.int32))
    return simple(d, op, [d.array(dims, d.pick(FLOAT, INT, bool)), indices], axis=axis)


def gather_nd(d: Draw, op: str) -> Case:
    dims = [d.int(1, 5) for _ in range(d.int(2, 4))]
    batch = d.int(0, 1) if d.opset >= 12 else 0
    depth = d.int(1, len(dims) - batch)
    outer = dims[:batch] + [d.int(1, 5) for _ in range(d.int(1, 2))]
    indices = np.stack([d.rng.integers(-n, n, outer) for n in dims[batch:batch + depth]], -1)
    attrs = {"batch_dims": batch} if d.opset >= 12 else {}
    return simple(d, op, [d.array(dims), indices.astype(INT)], **attrs)


def reverse_sequence(d: Draw, op: str) -> Case:
    dims = [d.int(1, 6), d.int(1, 6)] + d.dims(0, 2, 4)
    time = d.int(0, 1)
    lengths = d.rng.integers(1, dims[time] + 1, dims[1 - time]).astype(INT)
    return simple(d, op, [d.array(dims), lengths], time_axis=time, batch_axis=1 - time)


def one_hot(d: Draw, op: str) -> Case:
    dims, depth = d.dims(1, 3, 5), d.int(1, 9)
    indices = d.rng.integers(-depth - 1 if d.opset >= 11 else 0, depth + 2, dims).astype(d.pick(INT, FLOAT))
    values = d.array([2], d.pick(FLOAT, INT))
    return simple(d, op, [indices, np.asarray(depth, INT), values], constant=(1,),
                  axis=axis_of(d, len(dims) + 1))


def eye_like(d: Draw, op: str) -> Case:
    return simple(d, op, [d.array([d.int(1, 7), d.int(1, 20)])], k=d.int(-3, 3))


def trilu(d: Draw, op: str) -> Case:
    x = d.array(d.dims(0, 1, 3) + [d.int(1, 7), d.int(1, 20)], d.pick(FLOAT, INT))
    if d.flip():
        return simple(d, op, [x], upper=d.int(0, 1))
    return simple(d, op, [x, np.asarray(d.int(-4, 4), INT)], constant=d.pick((), (1,)),
                  upper=d.int(0, 1))


def cumulative(d: Draw, op: str) -> Case:
    dims = [d.int(1, 4) for _ in range(d.int(1, 3))]
    axis = axis_of(d, len(dims))
    dims[axis] = d.pick(1, 5, 17, 64, 65, 150)
    x = d.array(dims, d.pick(FLOAT, np.int32, INT))
    if op == "CumProd":
        x = np.where(np.abs(x) > 1, 1 / x, x).astype(FLOAT)
    case = simple(d, op, [x, np.asarray(axis, INT)], constant=(1,), exclusive=d.int(0, 1),
                  reverse=d.int(0, 1))
    case.atol = 1e-4
    return case


def scatter_elements(d: Draw, op: str) -> Case:
    dims = [d.int(1, 6) for _ in range(d.int(1, 3))]
    axis = axis_of(d, len(dims))
    own = [d.int(1, n) for n in dims]
    reductions = ["none"] + ["add", "mul"] * (d.opset >= 16) + ["min", "max"] * (d.opset >= 18)
    reduction = d.pick(*reductions)
    if reduction == "none":
        indices = np.argsort(d.rng.random(own[:axis % len(dims)] + [dims[axis]] +
                                          own[axis % len(dims) + 1:]), axis)
        indices = np.take(indices, np.arange(own[axis]), axis).astype(INT)
    else:
        indices = d.rng.integers(-dims[axis], dims[axis], own).astype(INT)
    attrs = {"reduction": reduction} if d.opset >= 16 else {}
    dtype = d.pick(FLOAT, INT)
    return simple(d, op, [d.array(dims, dtype), indices, d.array(own, dtype)], axis=axis, **attrs)


def scatter_nd(d: Draw, op: str) -> Case:
    dims = [d.int(1, 5) for _ in range(d.int(1, 3))]
    depth, count = d.int(1, len(dims)), d.int(1, 9)
    reductions = ["none"] + ["add", "mul"] * (d.opset >= 16) + ["min", "max"] * (d.opset >= 18)
    reduction = d.pick(*reductions)
    places = int(np.prod(dims[:depth]))
    if reduction == "none":
        flat = d.rng.permutation(places)[:count]
    else:
        flat = d.rng.integers(0, places, count)
    indices = np.stack(np.unravel_index(flat, dims[:depth]), -1).astype(INT)
    attrs = {"reduction": reduction} if d.opset >= 16 else {}
    dtype = d.pick(FLOAT, INT)
    updates = d.array([len(flat)] + dims[depth:], dtype)
    return simple(d, op, [d.array(dims, dtype), indices, updates], **attrs)


def top_k(d: Draw, op: str) -> Case:
    dims = [d.int(1, 4) for _ in range(d.int(1, 3))]
    axis = axis_of(d, len(dims))
    dims[axis] = d.pick(1, 4, 16, 40)
    dtype = d.pick(FLOAT, np.int32, INT)
    x = distinct(d, dims, dtype) if d.flip() else few(d, dims, dtype)
    attrs = {"largest": d.int(0, 1), "sorted": 1} if d.opset >= 11 else {}
    k = d.int(1, dims[axis])
    if d.opset < 10:
        return simple(d, op, [x.astype(FLOAT)], outputs=("y", "z"), axis=axis % len(dims), k=k)
    return simple(d, op, [x.astype(FLOAT) if d.opset < 11 else x, np.asarray([k], INT)],
                  constant=(1,), outputs=("y", "z"), axis=axis % len(dims), **attrs)


def arg_best(d: Draw, op: str) -> Case:
    dims = [d.int(1, 4) for _ in range(d.int(1, 3))]
    axis = d.int(0, len(dims) - 1)
    dims[axis] = d.pick(1, 4, 16, 40)
    attrs = {"select_last_index": d.int(0, 1)} if d.opset >= 12 else {}
    return simple(d, op, [few(d, dims, d.pick(FLOAT, np.int32))], axis=axis, keepdims=d.int(0, 1),
                  **attrs)


def hardmax(d: Draw, op: str) -> Case:
    dims = [d.int(1, 5) for _ in range(d.int(2, 3))]
    return simple(d, op, [few(d, dims)], axis=d.int(0, len(dims) - 1))


def compress(d: Draw, op: str) -> Case:
    """With a constant condition; one known at run time needs a declared shape."""
    dims = [d.int(1, 6) for _ in range(d.int(1, 3))]
    axis = d.int(0, len(dims) - 1)
    condition = np.asarray(d.rng.integers(0, 2, d.int(1, dims[axis])), bool)
    condition[0] = True
    return simple(d, op, [d.array(dims), condition], constant=(1,), axis=axis)


INDEX_CASES = [
    ("GatherElements", 11, gather_elements), ("GatherND", 11, gather_nd),
    ("ReverseSequence", 10, reverse_sequence), ("OneHot", 9, one_hot), ("EyeLike", 9, eye_like),
    ("Trilu", 14, trilu), ("CumSum", 11, cumulative), ("ScatterElements", 11, scatter_elements),
    ("ScatterND", 11, scatter_nd), ("TopK", 7, top_k), ("ArgMax", 7, arg_best),
    ("ArgMin", 7, arg_best), ("Hardmax", 7, hardmax), ("Compress", 9, compress),
]
