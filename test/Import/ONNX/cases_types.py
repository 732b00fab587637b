# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random models of conversions, quantisation and arithmetic in narrow types, for op_cases.py."""
import ml_dtypes
import numpy as np
from onnx import helper

from op_draw import Case, Draw, simple

FLOATS = [np.dtype(t) for t in (np.float32, np.float16, ml_dtypes.bfloat16)]
BYTE_FLOATS = [np.dtype(t) for t in (ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e4m3fnuz,
                                     ml_dtypes.float8_e5m2, ml_dtypes.float8_e5m2fnuz)]
SMALL_FLOATS = [np.dtype(ml_dtypes.float4_e2m1fn)]
SIX_BITS = [np.dtype(t) for t in (ml_dtypes.float6_e2m3fn, ml_dtypes.float6_e3m2fn)]
SMALL_INTS = [np.dtype(t) for t in (ml_dtypes.int4, ml_dtypes.uint4, ml_dtypes.int2, ml_dtypes.uint2)]
INTS = [np.dtype(k + s) for k in "iu" for s in "1248"]
RANGES = {np.dtype(t): r for t, r in ((ml_dtypes.int4, (-8, 7)), (ml_dtypes.uint4, (0, 15)),
                                      (ml_dtypes.int2, (-2, 1)), (ml_dtypes.uint2, (0, 3)))}


def onnx_type(dtype) -> int:
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def numbers(d: Draw, dims, dtype) -> np.ndarray:
    """Small integers, or floats over the range that all formats share, some beyond it."""
    dtype = np.dtype(dtype)
    if dtype in RANGES:
        low, high = RANGES[dtype]
        return d.rng.integers(low, high + 1, dims).astype(dtype)
    if dtype.kind in "iub":
        return d.array(dims, dtype)
    x = d.rng.standard_normal(dims) * 2.0 ** d.rng.integers(-6, 6, dims)
    return np.asarray(np.asarray(x, np.float32).astype(dtype))


def convert(d: Draw, op: str) -> Case:
    """Cast or CastLike between two types; out of range only where ONNX says what happens."""
    types = FLOATS + BYTE_FLOATS + INTS + [np.dtype(np.bool_), np.dtype(np.float64)]
    if d.opset >= 21:
        types = types + SMALL_INTS[:2]
    if d.opset >= 23:
        types = types + SMALL_FLOATS
    if d.opset >= 25:
        types = types + SMALL_INTS
    if d.opset >= 28 and op == "Cast":
        types = types + SIX_BITS
    if d.opset < 19:
        types = [t for t in types if t not in BYTE_FLOATS]
    source, target = d.pick(*types), d.pick(*types)
    dims = d.dims(0, 3)
    x = numbers(d, dims, source)
    isFloat = lambda t: t.kind == "f" or t in FLOATS + BYTE_FLOATS + SMALL_FLOATS + SIX_BITS  # noqa: E731
    if isFloat(source) and not isFloat(target) and target != np.bool_:
        low, high = RANGES.get(target, (0 if target.kind == "u" else -15, 15))
        x = np.clip(x.astype(np.float32), low, high).astype(source)
    attrs = {}
    if d.opset >= 19 and d.flip():
        attrs["saturate"] = 0
    if op == "CastLike":
        case = simple(d, op, [x, numbers(d, [], target)], **attrs)
    else:
        case = simple(d, op, [x], to=onnx_type(target), **attrs)
    case.exact, case.trusted = True, False
    return case


def bit_cast(d: Draw, op: str) -> Case:
    sizes = {1: [np.int8, np.uint8, *BYTE_FLOATS], 2: [np.int16, np.uint16, np.float16, ml_dtypes.bfloat16],
             4: [np.int32, np.uint32, np.float32], 8: [np.int64, np.uint64, np.float64]}
    size = d.pick(1, 2, 4, 8)
    source, target = d.pick(*sizes[size]), d.pick(*sizes[size])
    dims = d.dims(0, 3)
    x = d.rng.integers(0, 256, [*dims, size]).astype(np.uint8).view(source).reshape(dims)
    case = simple(d, op, [x], to=onnx_type(target))
    case.exact, case.trusted = True, False
    return case


def granular(d: Draw, dims: list) -> tuple[list, dict]:
    """Dimensions of the scale and attributes: for the tensor, an axis or blocks of it."""
    kind = d.pick("tensor", "axis", "block" if d.opset >= 21 else "axis")
    if kind == "tensor" or not dims:
        return [], {}
    axis = d.int(0, len(dims) - 1) if len(dims) > 1 else 0
    named = {"axis": axis - len(dims) if d.flip() else axis}
    if kind == "axis":
        return [dims[axis]], named
    block = d.int(1, max(dims[axis], 1))
    scale = list(dims)
    scale[axis] = -(-dims[axis] // block)
    return scale, {**named, "block_size": block}


def quantised_types(d: Draw) -> list:
    types = [np.dtype(np.uint8), np.dtype(np.int8)]
    if d.opset >= 19:
        types = types + BYTE_FLOATS
    if d.opset >= 21:
        types = types + [np.dtype(np.int16), np.dtype(np.uint16), *SMALL_INTS[:2]]
    if d.opset >= 23:
        types = types + SMALL_FLOATS
    if d.opset >= 25:
        types = types + SMALL_INTS
    if d.opset >= 28:
        types = types + SIX_BITS
    return types


def quantize(d: Draw, op: str) -> Case:
    target = d.pick(*quantised_types(d))
    dims = [n for n in d.dims(1, 4) if n] or [3]
    scaleDims, attrs = granular(d, dims)
    kind = d.pick(*FLOATS) if d.opset >= 19 and d.flip(0.3) else np.dtype(np.float32)
    x = d.array(dims).astype(np.float32) * np.float32(d.pick(1, 10, 200))
    scale = np.abs(d.array(scaleDims)) + np.float32(0.1)
    if d.flip(0.3):  # halves
        x, scale = np.round(x) + np.float32(0.5), np.ones(scaleDims, np.float32)
    zero = np.zeros(scaleDims, target) if target in BYTE_FLOATS + SMALL_FLOATS + SIX_BITS else numbers(
        d, scaleDims, target)
    if target in BYTE_FLOATS and d.flip():
        attrs["saturate"] = 0
    case = simple(d, op, [x.astype(kind), scale.astype(kind), zero], constant=d.pick((), (2,), (1, 2)),
                  **attrs)
    case.exact, case.trusted = True, False
    return case


def dequantize(d: Draw, op: str) -> Case:
    source = d.pick(*quantised_types(d), np.dtype(np.int32))
    dims = [n for n in d.dims(1, 4) if n] or [3]
    scaleDims, attrs = granular(d, dims)
    kind = d.pick(*FLOATS) if d.opset >= 19 and d.flip(0.3) else np.dtype(np.float32)
    scale = np.abs(d.array(scaleDims)) + np.float32(0.1)
    zero = None
    if source not in BYTE_FLOATS + SMALL_FLOATS + SIX_BITS and source != np.int32 and d.flip(0.7):
        zero = numbers(d, scaleDims, source)
    case = simple(d, op, [numbers(d, dims, source), scale.astype(kind), zero], **attrs)
    case.trusted = False
    return case


def dynamic_quantize(d: Draw, op: str) -> Case:
    x = d.array([n for n in d.dims(1, 4) if n] or [3]) + np.float32(d.pick(-3, 0, 3))
    return simple(d, op, [x], outputs=("y", "s", "z"))


def moved(d: Draw, op: str) -> Case:
    """A chain of moves of a type that only moves, or any other."""
    dtype = d.pick(*FLOATS, np.dtype(np.float64), *BYTE_FLOATS, *SMALL_INTS, *SMALL_FLOATS)
    dims = [d.int(1, 6), d.int(1, 9), d.int(1, 5)]
    bits = d.rng.integers(0, 256, [*dims, dtype.itemsize]).astype(np.uint8)
    x = numbers(d, dims, dtype) if dtype.itemsize == 1 else bits.view(dtype).reshape(dims)
    if dtype.itemsize == 1:  # ONNX does not let all moves have these
        shape = np.array([dims[2] * dims[0], dims[1]], np.int64)
        nodes = [helper.make_node("Transpose", ["x"], ["a"], perm=[2, 0, 1]),
                 helper.make_node("Reshape", ["a", "shape"], ["y"], name="the_Reshape")]
        return Case(op, nodes, {"x": x}, {"shape": shape}, exact=True, trusted=False)
    y = numbers(d, [dims[0], d.int(1, 4), dims[2]], dtype)
    nodes = [helper.make_node("Concat", ["x", "w"], ["a"], axis=1),
             helper.make_node("Transpose", ["a"], ["b"], perm=[2, 0, 1]),
             helper.make_node("Slice", ["b", "start", "end"], ["y"], name="the_Slice")]
    cut = np.array([d.int(0, dims[2] - 1)], np.int64)
    return Case(op, nodes, {"x": x, "w": y}, {"start": cut, "end": np.array([99], np.int64)},
                exact=True, trusted=False)


def narrow_arithmetic(d: Draw, op: str) -> Case:
    """What computes, in float16 or bfloat16."""
    dtype = d.pick(np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16))
    kinds = ["Add", "Mul", "Max", "Relu", "ReduceSum", "Softmax", "MatMul"]
    # Older forms of Where have no bfloat16.
    kind = d.pick(*kinds, *(["Where"] if d.opset >= 16 or dtype == np.float16 else []))
    dims = [d.int(1, 5), d.int(1, 17)]
    x, y = (d.array(dims).astype(dtype) for _ in range(2))
    if kind in ("Relu", "Softmax"):
        case = simple(d, kind, [x])
    elif kind == "ReduceSum":
        case = simple(d, kind, [x, np.array([1], np.int64)], constant=(1,))
    elif kind == "MatMul":
        case = simple(d, kind, [x, np.ascontiguousarray(y.T)])
    elif kind == "Where":
        case = simple(d, kind, [d.array(dims, np.bool_), x, y])
    else:
        case = simple(d, kind, [x, y], constant=d.pick((), (1,)))
    case.trusted = False
    return case


def double_arithmetic(d: Draw, op: str) -> Case:
    """What computes in double: to a few units of its last place."""
    kind = d.pick("Div", "Mod", "Sqrt", "Floor", "Ceil", "Round", "Exp", "Log", "Softmax", "LogSoftmax", "Sigmoid",
                  "Reciprocal", "MatMul", "Gemm", "ReduceMax", "ReduceMean", "ReduceL2", "ReduceLogSumExp", "ReduceProd",
                  "Clip", "LeakyRelu", "Elu", "Mean", "IsNaN")
    dims = [d.int(1, 5), d.int(1, 9)]
    x, y = (d.array(dims, np.float64) * d.pick(1.0, 3.7) for _ in range(2))
    if kind in ("Div", "Mod", "Mean"):
        case = simple(d, kind, [x, y], **({"fmod": 1} if kind == "Mod" else {}))
    elif kind == "Clip":
        case = simple(d, kind, [x, np.array(-0.5), np.array(1.25)])
    elif kind in ("MatMul", "Gemm"):
        case = simple(d, kind, [x, np.ascontiguousarray(y.T)], **({"alpha": 0.5} if kind == "Gemm" else {}))
    elif kind.startswith("Reduce"):
        case = simple(d, kind, [x, np.array([d.int(0, 1)])], constant=(1,), keepdims=d.int(0, 1))
    else:
        case = simple(d, kind, [np.abs(x) if kind in ("Sqrt", "Log") else x])
    case.rtol = case.atol = 1e-14
    return case


TYPE_CASES = [
    ("convert", 13, lambda d, op: convert(d, d.pick("Cast", "CastLike") if d.opset >= 15 else "Cast")),
    ("BitCast", 26, bit_cast), ("QuantizeLinear", 13, quantize), ("DequantizeLinear", 19, dequantize),
    ("DynamicQuantizeLinear", 11, dynamic_quantize), ("moved", 25, moved),
    ("narrow_arithmetic", 14, narrow_arithmetic), ("double_arithmetic", 22, double_arithmetic),
]
