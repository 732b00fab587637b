# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random models of one op each (a few for chains), for check_ops.py.

Every generator takes a Draw, which wraps a seeded random generator, and yields one Case: the nodes,
the arrays of inputs that are known at run time only, and those of initializers.
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


def window(d: Draw, rank: int) -> tuple[dict, list[int], list[int]]:
    """Attributes of a window, its kernel and the spatial dimensions of an input for it."""
    kernel = [d.int(1, 4) for _ in range(rank)]
    attrs, dilations = {}, [1] * rank
    if d.flip():
        attrs["strides"] = [d.int(1, 3) for _ in range(rank)]
    mode = d.pick("pads", "pads", "none", "SAME_UPPER", "SAME_LOWER", "VALID")
    if mode == "pads":
        attrs["pads"] = [d.int(0, k - 1) for k in kernel] + [d.int(0, k - 1) for k in kernel]
    elif mode != "none":
        attrs["auto_pad"] = mode
    if d.flip(0.4) and not mode.startswith("SAME"):
        dilations = attrs["dilations"] = [d.int(1, 3) for _ in range(rank)]
    spatial = [(k - 1) * dil + 1 + d.int(0, 8 if rank < 3 else 4) for k, dil in zip(kernel, dilations)]
    return attrs, kernel, spatial


def conv(d: Draw, op: str) -> Case:
    rank = d.pick(1, 2, 2, 2, 3)
    attrs, kernel, spatial = window(d, rank)
    groups, per, filters = d.pick((1, d.channels(6), d.channels(9)), (2, d.int(1, 3), d.int(1, 3)),
                                  (d.channels(6), 1, 1), (3, 1, 2), (3, 2, 1))
    if groups > 1:
        filters *= groups
        attrs["group"] = groups
    if d.flip():
        attrs["kernel_shape"] = kernel
    arrays = [d.array([d.batch(), per * groups, *spatial]), d.array([filters, per, *kernel])]
    if d.flip():
        arrays.append(d.array([filters]))
    return simple(d, op, arrays, constant=d.pick((1, 2), (1, 2), (), (1,)), **attrs)


def pool(d: Draw, op: str) -> Case:
    rank = d.pick(1, 2, 2, 3)
    attrs, kernel, spatial = window(d, rank)
    if op == "AveragePool" and d.opset < 19 or op == "MaxPool" and d.opset < 10:
        attrs.pop("dilations", None)
    if d.opset >= 10 and d.flip(0.4) and "auto_pad" not in attrs:
        attrs["ceil_mode"] = 1
    if op == "AveragePool" and d.flip():
        attrs["count_include_pad"] = 1
    return simple(d, op, [d.array([d.batch(), d.channels(5), *spatial])], kernel_shape=kernel, **attrs)


def global_pool(d: Draw, op: str) -> Case:
    return simple(d, op, [d.array([d.batch(), d.channels(5), *d.dims(1, 3)])])


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
    if op in ("ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceMean") and d.flip(0.2):
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


def resize(d: Draw, op: str) -> Case:
    dims = [1, d.int(1, 3), d.int(2, 6), d.int(2, 6)]
    mode = d.pick("nearest", "nearest", "nearest", "linear")
    if d.opset < 11 or op == "Upsample":
        grow = [2.0, 3.0, 1.0, 1.5]
        scales = np.asarray([1, 1, d.pick(*grow), d.pick(*grow)], np.float32)
        if d.opset < 9:
            return simple(d, op, [d.array(dims)], scales=[float(s) for s in scales], mode=mode)
        return simple(d, op, [d.array(dims), scales], constant=(1,), mode=mode)
    attrs = {"mode": d.pick(mode, mode, "cubic"),
             "coordinate_transformation_mode": d.pick("half_pixel", "asymmetric", "align_corners",
                                                      "pytorch_half_pixel")}
    if attrs["mode"] == "nearest":
        attrs["nearest_mode"] = d.pick("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
    if attrs["mode"] == "cubic":
        attrs["cubic_coeff_a"] = d.pick(-0.5, -0.75)
    empty = np.zeros([0], np.float32)
    absent = empty if d.opset < 13 else None
    if d.flip():
        sizes = np.asarray(dims[:2] + [d.int(1, 12), d.int(1, 12)], np.int64)
        return simple(d, op, [d.array(dims), absent, absent, sizes], constant=(1, 2, 3), **attrs)
    choices = [2.0, 3.0, 1.0, 0.5, 4.0]
    scales = np.asarray([1, 1, d.pick(*choices), d.pick(*choices)], np.float32)
    return simple(d, op, [d.array(dims), absent, scales], constant=(1, 2), **attrs)


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


CASES = [
    *((op, 7, unary) for op in ("Relu LeakyRelu Sigmoid Tanh HardSigmoid Elu Selu Softplus Softsign Neg "
                                "Abs Reciprocal Floor Ceil Sqrt Exp Log Sin Cos").split()),
    ("Erf", 9, unary), ("Sign", 9, unary), ("ThresholdedRelu", 10, unary), ("Round", 11, unary),
    ("Celu", 12, unary), ("HardSwish", 14, unary), ("Mish", 18, unary), ("Gelu", 20, unary),
    *((op, 7, binary) for op in "Add Sub Mul Div Pow Less Greater Equal And Or Xor PRelu".split()),
    ("Mod", 10, binary), ("LessOrEqual", 12, binary), ("GreaterOrEqual", 12, binary),
    *((op, 8, variadic) for op in "Sum Mean Min Max".split()),
    ("Where", 9, where), ("Clip", 7, clip), ("Not", 7, logical_not), ("Cast", 9, cast),
    ("Conv", 7, conv), ("Gemm", 7, gemm), ("MatMul", 7, matmul), ("BatchNormalization", 7, batch_norm),
    ("InstanceNormalization", 7, instance_norm), ("LayerNormalization", 17, layer_norm),
    ("GroupNormalization", 21, group_norm),
    ("AveragePool", 7, pool), ("GlobalMaxPool", 7, global_pool),
    ("GlobalAveragePool", 7, global_pool), ("Softmax", 7, softmax), ("LogSoftmax", 7, softmax),
    *(("Reduce" + op, 7, reduction) for op in ("Sum Mean Max Min Prod L1 L2 SumSquare LogSum "
                                               "LogSumExp").split()),
    ("Concat", 7, concat), ("Split", 7, split), ("Reshape", 7, reshape), ("Flatten", 9, flatten),
    ("Transpose", 7, transpose), ("Slice", 7, slice_), ("Squeeze", 7, squeeze),
    ("Unsqueeze", 7, unsqueeze), ("Upsample", 7, resize),
    ("Identity", 7, identity), ("Dropout", 7, identity), ("Expand", 8, expand), ("Tile", 7, tile),
    ("Gather", 7, gather), ("DepthToSpace", 7, depth_space), ("SpaceToDepth", 7, depth_space),
    ("shape_chain", 7, shape_chain),
]
LAST_OPSET = {"Upsample": 9, "GlobalLpPool": 21, "MaxRoiPool": 21}

from cases_elem import ELEM_CASES  # noqa: E402  (it needs what stands above)

from cases_ml import ML_CASES  # noqa: E402

CASES += ELEM_CASES + ML_CASES

from cases_signal import SIGNAL_CASES  # noqa: E402

CASES += SIGNAL_CASES

from cases_flow import FLOW_CASES  # noqa: E402

CASES += FLOW_CASES

from cases_index import INDEX_CASES  # noqa: E402

CASES += INDEX_CASES

from cases_types import TYPE_CASES  # noqa: E402

CASES += TYPE_CASES
