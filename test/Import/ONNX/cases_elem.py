# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random models of elementwise ops, reductions, normalisations and losses, for op_cases.py."""
import numpy as np
from onnx import helper

from op_draw import Case, Draw, simple

INTEGERS = [np.dtype(kind + size) for kind in "iu" for size in "1248"]
UNSIGNED = INTEGERS[4:]


def special(d: Draw, x: np.ndarray) -> np.ndarray:
    """x with infinities, NaN and zeros of both signs at some places."""
    x = np.array(x)
    for value in (np.inf, -np.inf, np.nan, 0.0, -0.0):
        if x.size and d.flip():
            x.reshape(-1)[d.int(0, x.size - 1)] = value
    return x


def function(d: Draw, op: str) -> Case:
    x = d.array(d.dims(0, 5))
    if op in ("Asin", "Acos", "Atanh"):
        x = np.float32(0.98) * np.tanh(x)
    elif op == "Acosh":
        x = np.abs(x) + np.float32(1.001)
    elif op == "Tan":
        x = np.clip(x, -1.4, 1.4)
    elif op in ("Atan", "Asinh"):
        x = x * np.float32(d.pick(1, 100))
    return simple(d, op, [x])


def shrink(d: Draw, op: str) -> Case:
    attrs = {name: d.pick(0.25, 1.0, -0.5) for name in ("lambd", "bias") if d.flip()}
    return simple(d, op, [d.array(d.dims(0, 4), d.pick(np.float32, np.float32, np.int32))], **attrs)


def is_special(d: Draw, op: str) -> Case:
    attrs = {}
    if op == "IsInf":
        attrs = {name: d.int(0, 1) for name in ("detect_positive", "detect_negative") if d.flip()}
    return simple(d, op, [special(d, d.array(d.dims(0, 4)))], **attrs)


def bits(d: Draw, dims: list, dtype: np.dtype) -> np.ndarray:
    """Integers of all sizes that the type has."""
    limits = np.iinfo(dtype)
    return d.rng.integers(limits.min, limits.max, dims, dtype, endpoint=True)


def bitwise(d: Draw, op: str) -> Case:
    dims, dtype = d.dims(0, 4), d.pick(*INTEGERS)
    arrays = [bits(d, d.shrink(dims), dtype) for _ in range(1 if op == "BitwiseNot" else 2)]
    return simple(d, op, arrays)


def bit_shift(d: Draw, op: str) -> Case:
    dims, dtype = d.dims(0, 4), d.pick(*(INTEGERS if d.opset >= 28 else UNSIGNED))
    amounts = d.rng.integers(0, 8 * dtype.itemsize, d.shrink(dims)).astype(dtype)
    return simple(d, op, [bits(d, d.shrink(dims), dtype), amounts], direction=d.pick("LEFT", "RIGHT"))


def mixed_power(d: Draw, op: str) -> Case:
    dims = d.dims(0, 3)
    if d.flip():
        base = d.rng.integers(1, 9, d.shrink(dims)).astype(d.pick(np.int32, np.int64))
        exponent = d.rng.integers(0, 5, d.shrink(dims)).astype(np.float32)
        if d.flip():
            exponent = exponent + np.float32(0.5)
    else:
        base = np.abs(d.array(d.shrink(dims))) + np.float32(0.1)
        exponent = d.rng.integers(-3, 4, d.shrink(dims)).astype(d.pick(np.int32, np.int64))
    return simple(d, "Pow", [base, exponent])


def wide_binary(d: Draw, op: str) -> Case:
    """Arithmetic and comparisons in all integer types."""
    op = op.split("_")[0]
    dims, dtype = d.dims(0, 4), d.pick(*INTEGERS)
    a, b = bits(d, d.shrink(dims), dtype), bits(d, d.shrink(dims), dtype)
    if op in ("Div", "Mod"):
        small = dtype.type(d.int(1, 9))
        b = np.where((b == 0) | (b == dtype.type(-1) if dtype.kind == "i" else b == 0), small, b)
    if op in ("Equal", "Less", "LessOrEqual") and a.size and b.size and d.flip():
        b = np.broadcast_to(a.reshape(-1)[0], b.shape).copy()
    return simple(d, op, [a, b])


def float_mod(d: Draw, op: str) -> Case:
    dims = d.dims(0, 4)
    b = d.array(d.shrink(dims))
    b = np.where(np.abs(b) < 0.1, np.float32(-0.75), b)
    # onnxruntime has no such Mod; both operands are multiples of 1/8, so that no quotient is rounded.
    a, b = (np.float32(np.round(x * 8) / 8 + (np.abs(x) < 0.1)) for x in (d.array(d.shrink(dims)), b))
    return simple(d, "Mod", [a, b], fmod=d.pick(0, 0, 1))


def loss(d: Draw, op: str) -> Case:
    classes = d.channels(6)
    dims = [d.int(1, 4), classes, *(d.int(1, 4) for _ in range(d.int(0, 3)))]
    labels = d.rng.integers(0, classes, [dims[0], *dims[2:]]).astype(d.pick(np.int32, np.int64))
    attrs = {"reduction": d.pick("none", "sum", "mean")} if d.flip(0.8) else {}
    if d.flip():
        attrs["ignore_index"] = d.pick(0, classes - 1)
        if not np.any(labels != attrs["ignore_index"]):
            del attrs["ignore_index"]
    arrays = [d.array(dims), labels]
    if d.flip():
        arrays.append(np.abs(d.array([classes])) + np.float32(0.1))
    outputs = ("y", "log_prob") if op == "SoftmaxCrossEntropyLoss" and d.flip() else ("y",)
    return simple(d, op, arrays, constant=d.pick((), (2,)), outputs=outputs, **attrs)


def batch_training(d: Draw, op: str) -> Case:
    c = d.channels(5)
    arrays = [d.array([d.int(2, 3), c, *d.dims(0, 3)])] + [d.array([c]) for _ in range(4)]
    arrays[4] = np.abs(arrays[4])
    attrs = {"momentum": 0.75} if d.flip() else {}
    case = simple(d, "BatchNormalization", arrays, outputs=("y", "mean", "variance"), training_mode=1,
                  epsilon=1e-2, **attrs)
    case.trusted = False  # onnxruntime divides the variance that is carried on by one element less
    return case


def mean_variance(d: Draw, op: str) -> Case:
    dims = [d.int(2, 4) for _ in range(4)]
    attrs = {"axes": sorted(int(a) for a in d.rng.permutation(4)[: d.int(1, 4)])} if d.flip() else {}
    return simple(d, op, [d.array(dims)], **attrs)


def rms_norm(d: Draw, op: str) -> Case:
    dims = d.dims(1, 4)
    axis = d.int(0, len(dims) - 1)
    return simple(d, op, [d.array(dims), d.array(d.shrink(dims[axis:]))], axis=axis - d.pick(0, len(dims)))


def lp_norm(d: Draw, op: str) -> Case:
    x = d.array(d.dims(1, 4))
    if x.size and x.ndim > 1 and d.flip():
        x[0] = 0
    case = simple(d, op, [x], axis=d.int(-x.ndim, x.ndim - 1), p=d.int(1, 2))
    case.trusted = 0 not in x.shape  # onnxruntime faults on them
    return case


def response_norm(d: Draw, op: str) -> Case:
    attrs = {name: d.pick(0.5, 1.25) for name in ("alpha", "beta", "bias") if d.flip()}
    x = d.array([d.batch(), d.channels(9), d.int(1, 5), d.int(1, 5)])
    case = simple(d, op, [x], size=d.pick(1, 3, 5, 7, 9), **attrs)
    case.trusted = x.size > 0
    return case


def optimiser(d: Draw, op: str) -> Case:
    """A step for one tensor or two; the states that are squares are not negative."""
    states = {"Adagrad": "H", "Momentum": "V", "Adam": "VH"}[op]
    tensors = [d.dims(0, 3) for _ in range(d.int(1, 2))]
    inputs = {"r": np.float32(d.pick(0.1, 0.01)), "t": np.int64(d.pick(0, 0, 1, 5))}
    outputs = []
    for kind in "XG" + states:
        for i, dims in enumerate(tensors):
            value = d.array(dims)
            inputs[f"{kind}{i}"] = np.abs(value) if kind == "H" else value
            if kind != "G":
                outputs.append(f"{kind}{i}_new")
    attrs = {"Adagrad": {"epsilon": 1e-3, "decay_factor": 0.1, "norm_coefficient": 0.01},
             "Momentum": {"alpha": 0.9, "beta": 0.5, "norm_coefficient": 0.01,
                          "mode": d.pick("standard", "nesterov")},
             "Adam": {"alpha": 0.9, "beta": 0.8, "epsilon": 1e-2, "norm_coefficient": 0.01}}[op]
    node = helper.make_node(op, list(inputs), outputs, domain="ai.onnx.preview.training", **attrs)
    return Case(op, [node], inputs, outputs=tuple(outputs))


def determinant(d: Draw, op: str) -> Case:
    n = d.int(1, 6)
    x = d.array([*d.dims(0, 2, 3), n, n])
    if x.size and d.flip():
        x[..., 0, 0] = 0  # a pivot must be found
    case = simple(d, op, [x])
    case.rtol = case.atol = 1e-4
    return case


def integer_reduction(d: Draw, op: str) -> Case:
    """Reductions of integers; roots and logarithms of sums are cut."""
    op = op.split("_")[0]
    dims = [n or 1 for n in d.dims(1, 4)]
    axes = [a for a in range(len(dims)) if d.flip()]
    x = d.rng.integers(1, 9, dims).astype(d.pick(np.int32, np.int64))
    case = simple(d, op, [x, np.asarray(axes or [0], np.int64)], constant=(1,), keepdims=d.int(0, 1))
    case.trusted = op != "ReduceProd"  # whose products do not wrap in onnxruntime
    return case


def sequence_chain(d: Draw, op: str) -> Case:
    """Sequences put together, taken apart and changed."""
    dims = [d.int(1, 4), d.int(1, 4), d.int(1, 4)]
    axis = d.int(0, 2)
    nodes = [
        helper.make_node("SequenceConstruct", ["x", "w"], ["s0"]),
        helper.make_node("SequenceInsert", ["s0", "b", "one"], ["s1"]),
        helper.make_node("SequenceErase", ["s1", "zero"], ["s2"]),
        helper.make_node("SequenceAt", ["s2", "position"], ["t"]),
        helper.make_node("SplitToSequence", ["t"], ["s3"], axis=axis),
        helper.make_node("SequenceInsert", ["s3", "t"], ["s4"]),
        helper.make_node("ConcatFromSequence", ["s4"], ["y"], axis=axis),
        helper.make_node("ConcatFromSequence", ["s2"], ["z"], axis=d.int(0, 3), new_axis=1),
        helper.make_node("SequenceLength", ["s4"], ["n"]),
    ]
    position = {"position": np.asarray(d.int(-2, 1), np.int64)}
    constants = {"one": np.asarray(1, np.int64), "zero": np.asarray(0, np.int64)}
    inputs = {name: d.array(dims) for name in "xwb"}
    (inputs if d.flip() else constants).update(position)
    return Case(op, nodes, inputs, constants, outputs=("y", "z", "n"))


ELEM_CASES = [
    ("Det", 11, determinant), ("sequence_chain", 11, sequence_chain),
    *((f"Reduce{kind}_int", 18, integer_reduction)
      for kind in "Sum Mean Max Min Prod L1 L2 SumSquare".split()),
    ("batch_training", 14, batch_training), ("MeanVarianceNormalization", 9, mean_variance),
    ("RMSNormalization", 23, rms_norm), ("LpNormalization", 7, lp_norm), ("LRN", 7, response_norm),
    ("Adagrad", 12, optimiser), ("Momentum", 12, optimiser), ("Adam", 12, optimiser),
    *((op, 7, function) for op in "Tan Asin Acos Atan".split()),
    *((op, 9, function) for op in "Sinh Cosh Asinh Acosh Atanh".split()),
    ("Shrink", 9, shrink), ("IsNaN", 9, is_special), ("IsInf", 10, is_special), ("BitShift", 11, bit_shift),
    *(("Bitwise" + op, 18, bitwise) for op in "And Or Xor Not".split()),
    ("mixed_power", 12, mixed_power), ("float_mod", 13, float_mod),
    *((op + "_wide", 14, wide_binary) for op in "Add Sub Mul Div".split()),
    *((op + "_wide", 19, wide_binary) for op in "Mod Equal Less LessOrEqual Greater GreaterOrEqual Min Max".split()),
    ("NegativeLogLikelihoodLoss", 12, loss), ("SoftmaxCrossEntropyLoss", 12, loss),
]
