#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Puts every code of the narrow formats through Cast and moves on the emulated die.

    check_formats.py TOOLS WORK_FOLDER [--op NAME]...

TOOLS holds dojo-compile and dojo-run. What a code stands for, and which code a number becomes, is
worked out here from the layout of the format (sign, exponent, mantissa, bias, what the top of the
range means) with exact fractions. Doubles are held to the host's, bit by bit.
"""
import argparse
import shutil
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import ml_dtypes
import numpy as np
from onnx import helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parent))
from compiled import Run, check  # noqa: E402


@dataclass
class Format:
    """top: "ieee", "last" (all ones is NaN), "zero" (the code of -0 is NaN) or "numbers"."""
    dtype: type
    exponent: int
    mantissa: int
    bias: int
    top: str

    def value(self, code: int) -> float:
        sign = code >> (self.exponent + self.mantissa) & 1
        e, m = code >> self.mantissa & (1 << self.exponent) - 1, code & (1 << self.mantissa) - 1
        ones = e == (1 << self.exponent) - 1
        if self.top == "ieee" and ones:
            return float("nan") if m else float("-inf" if sign else "inf")
        if self.top == "last" and ones and m == (1 << self.mantissa) - 1:
            return float("nan")
        if self.top == "zero" and sign and not e and not m:
            return float("nan")
        scale = Fraction(2) ** (max(e, 1) - self.bias - self.mantissa)
        magnitude = float(scale * (m + ((1 << self.mantissa) if e else 0)))
        return -magnitude if sign else magnitude

    @property
    def bits(self) -> int:
        return 1 + self.exponent + self.mantissa

    def positive(self) -> list[tuple[int, Fraction]]:
        """Codes of numbers without sign and what they stand for, ascending."""
        values = ((c, self.value(c)) for c in range(1 << (self.bits - 1)))
        return [(c, Fraction(v)) for c, v in values if np.isfinite(v)]

    def nearest(self, x: float, saturate: bool) -> float:
        """Round to nearest, ties to the even code."""
        if np.isnan(x):
            return 0.0 if self.top == "numbers" else x
        codes = self.positive()
        step, most = codes[-1][1] - codes[-2][1], codes[-1][1]
        clamps = saturate or self.top == "numbers"
        past = np.inf if self.top == "ieee" else np.nan
        if np.isinf(x):
            return float(np.copysign(float(most) if clamps else past, x))
        magnitude = abs(Fraction(x))
        tie = most + step / 2
        if magnitude > tie or (magnitude == tie and codes[-1][0] & 1):
            return float(np.copysign(float(most) if clamps else past, x))
        if magnitude >= most:
            return float(np.copysign(float(most), x))
        low = max((c for c in codes if c[1] <= magnitude), key=lambda c: c[1])
        high = min((c for c in codes if c[1] >= magnitude), key=lambda c: c[1])
        down, up = magnitude - low[1], high[1] - magnitude
        chosen = low if down < up or (down == up and not low[0] & 1) else high
        return float(np.copysign(float(chosen[1]), x))


FORMATS = {
    "float8e4m3fn": Format(ml_dtypes.float8_e4m3fn, 4, 3, 7, "last"),
    "float8e4m3fnuz": Format(ml_dtypes.float8_e4m3fnuz, 4, 3, 8, "zero"),
    "float8e5m2": Format(ml_dtypes.float8_e5m2, 5, 2, 15, "ieee"),
    "float8e5m2fnuz": Format(ml_dtypes.float8_e5m2fnuz, 5, 2, 16, "zero"),
    "float6e2m3": Format(ml_dtypes.float6_e2m3fn, 2, 3, 1, "numbers"),
    "float6e3m2": Format(ml_dtypes.float6_e3m2fn, 3, 2, 3, "numbers"),
    "float4e2m1": Format(ml_dtypes.float4_e2m1fn, 2, 1, 1, "numbers"),
    "float16": Format(np.float16, 5, 10, 15, "ieee"),
    "bfloat16": Format(ml_dtypes.bfloat16, 8, 7, 127, "ieee"),
}
HALVES = ("float16", "bfloat16")


def onnx_type(dtype) -> int:
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def run_of(label: str, nodes: list, inputs: dict, outputs: dict) -> Run:
    def info(name, array):
        return helper.make_tensor_value_info(name, onnx_type(array.dtype), array.shape)

    graph = helper.make_graph(nodes, "g", [info(n, a) for n, a in inputs.items()],
                              [info(n, a) for n, a in outputs.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 28)])
    return Run(label, model, inputs, list(outputs.values()), "fp32", "2x2", [0] * len(outputs), timeout=600)


def cast(source: str, result: str, dtype, **attrs):
    return helper.make_node("Cast", [source], [result], to=onnx_type(dtype), **attrs)


def all_codes(f: Format) -> np.ndarray:
    codes = np.arange(1 << f.bits)
    return codes.astype(np.uint8 if f.bits <= 8 else np.uint16).view(f.dtype)


def numbers_around(f: Format) -> np.ndarray:
    """Every number of the format, every tie, their neighbours in float32, and what lies beyond."""
    values = [float(v) for _, v in f.positive()]
    ties = [float((Fraction(a) + Fraction(b)) / 2) for a, b in zip(values, values[1:])]
    ties.append(values[-1] + (values[-1] - values[-2]) / 2)
    special = [np.inf, np.nan, values[-1] * 2, values[1] / 2, values[1] / 4, 1e-40, 3e38]
    x = np.array(values + ties + special, np.float32)
    x = np.concatenate([x, np.nextafter(x, np.float32(np.inf)), np.nextafter(x, np.float32(-np.inf))])
    return np.concatenate([x, -x])


def format_run(name: str) -> Run:
    """Every code to float32, moved, and numbers to the format."""
    f = FORMATS[name]
    codes = all_codes(f)
    unsigned = np.uint8 if f.bits <= 8 else np.uint16
    nodes = [cast("codes", "wide", np.float32)]
    codes = codes.reshape(2, -1)
    inputs = {"codes": codes}
    wide = np.array([f.value(c) for c in range(1 << f.bits)], np.float32).reshape(2, -1)
    outputs = {"wide": wide}
    if f.bits != 6:  # which ONNX converts and does not move
        nodes.append(helper.make_node("Transpose", ["codes"], ["moved"]))
        outputs["moved"] = np.ascontiguousarray(codes.T)
    if f.bits >= 8:
        nodes.append(helper.make_node("BitCast", ["moved"], ["bits"], to=onnx_type(unsigned)))
        outputs["bits"] = np.ascontiguousarray(codes.T).view(unsigned)
    if name not in HALVES:
        inputs["x"] = numbers_around(f)
        for saturate in (0, 1):
            nodes.append(cast("x", f"y{saturate}", f.dtype, saturate=saturate))
            y = np.array([f.nearest(float(v), bool(saturate)) for v in inputs["x"]], np.float32)
            outputs[f"y{saturate}"] = y.astype(f.dtype)
    else:
        # Ties and neighbours of every number; the host's conversion, which is IEEE's.
        values = np.sort(wide[np.isfinite(wide) & (wide >= 0)].astype(np.float64))
        x = np.concatenate([values, (values[1:] + values[:-1]) / 2]).astype(np.float32)
        x = np.concatenate([x, np.nextafter(x, np.float32(np.inf)), [np.float32(np.inf), np.nan]])
        inputs["x"] = x = np.concatenate([x, -x]).astype(np.float32)
        nodes += [cast("x", "y", f.dtype),
                  helper.make_node("BitCast", ["y"], ["y_bits"], to=onnx_type(np.uint16))]
        bits = x.view(np.uint32).astype(np.uint64)
        if name == "float16":
            y = x.astype(np.float16)
        else:
            y = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)
            y = np.where(np.isnan(x), np.uint16(0x7FC0), y).view(ml_dtypes.bfloat16)
        outputs["y"] = y
        # Which NaN a NaN becomes is open.
        nodes[-1:] = [helper.make_node("IsNaN", ["x"], ["odd"]), nodes[-1],
                      helper.make_node("Where", ["odd", "none", "y_bits"], ["y_bits_of_numbers"])]
        inputs["none"] = np.array(0, np.uint16)
        outputs["y_bits_of_numbers"] = np.where(np.isnan(x), 0, y.view(np.uint16)).astype(np.uint16)
    return run_of(name, nodes, inputs, outputs)


def doubles(count: int) -> np.ndarray:
    rng = np.random.default_rng(7)
    bits = rng.integers(0, 1 << 64, count, dtype=np.uint64)
    near = (rng.standard_normal(count) * 2.0 ** rng.integers(-60, 60, count)).view(np.uint64)
    small = bits & np.uint64(0x801FFFFFFFFFFFFF)
    edge = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 1.0, -1.0, 2.0 ** 53, 1.7e308]).view(np.uint64)
    kind = rng.integers(0, 4, count)
    return np.choose(kind, [bits, near, small, np.resize(edge, count)]).astype(np.uint64).view(np.float64)


def double_run(_: str) -> Run:
    """Arithmetic, comparison and conversions of doubles."""
    x, y = doubles(3000), np.random.default_rng(8).permutation(doubles(3000))
    with np.errstate(all="ignore"):
        whole = np.where(np.abs(x) < 2.0 ** 62, x, 3.5)
        outputs = {"add": x + y, "sub": x - y, "mul": x * y, "max": np.maximum(x, y), "min": np.minimum(x, y),
                   "div": x / y, "mod": np.fmod(x, y), "sqrt": np.sqrt(x), "floor": np.floor(x), "ceil": np.ceil(x),
                   "round": np.rint(x), "isnan": np.isnan(x), "isinf": np.isinf(x), "less": x < y, "equal": x == y, "single": x.astype(np.float32), "half": x.astype(np.float16),
                   "integer": whole.astype(np.int64), "back": whole.astype(np.int64).astype(np.float64),
                   "wide": x.astype(np.float32).astype(np.float64), "true": x.astype(np.bool_)}
    nodes = [helper.make_node(op, ["x", "y"], [op.lower()]) for op in "Add Sub Mul Div Max Min Less Equal".split()]
    nodes += [helper.make_node(op, ["x"], [op.lower()]) for op in "Sqrt Floor Ceil Round IsNaN IsInf".split()]
    nodes += [helper.make_node("Mod", ["x", "y"], ["mod"], fmod=1)]
    nodes += [cast("x", "single", np.float32), cast("x", "half", np.float16), cast("whole", "integer", np.int64),
              cast("integer", "back", np.float64), cast("single", "wide", np.float64), cast("x", "true", np.bool_)]
    return run_of("double", nodes, {"x": x, "y": y, "whole": whole}, outputs)


def function_run(_: str) -> Run:
    """Exponentials and logarithms of doubles: not two units in the last place from the host's."""
    x = np.resize(doubles(1500), 3000)
    x[1500:] = np.random.default_rng(9).uniform(-760, 760, 1500) * 2.0 ** -np.arange(0, 30, 0.02)
    x[2000:2500] = 1 + np.random.default_rng(10).standard_normal(500) * 2.0 ** -np.linspace(0, 52, 500)
    with np.errstate(all="ignore"):
        outputs, nodes = {}, []
        for op, want in (("Exp", np.exp(x)), ("Log", np.log(x))):
            name = op.lower()
            outputs[name + "_near"] = np.ones(len(x), np.bool_)
            nodes += [helper.make_node(op, ["x"], [name])]
            # Between the values two steps below and above the host's; NaN where that has it.
            low, high = (np.nextafter(np.nextafter(want, e), e) for e in (-np.inf, np.inf))
            for bound, values in (("low", low), ("high", high)):
                nodes += [helper.make_node("Constant", [], [f"{name}_{bound}"], value=numpy_helper.from_array(values))]
            nodes += [helper.make_node("LessOrEqual", [f"{name}_low", name], [f"{name}_above"]),
                      helper.make_node("LessOrEqual", [name, f"{name}_high"], [f"{name}_below"]),
                      helper.make_node("And", [f"{name}_above", f"{name}_below"], [f"{name}_between"]),
                      helper.make_node("IsNaN", [name], [f"{name}_odd"]),
                      helper.make_node("IsNaN", [f"{name}_low"], [f"{name}_expected_odd"]),
                      helper.make_node("And", [f"{name}_odd", f"{name}_expected_odd"], [f"{name}_both_odd"]),
                      helper.make_node("Or", [f"{name}_between", f"{name}_both_odd"], [f"{name}_near"])]
    return run_of("functions", nodes, {"x": x}, outputs)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("tools", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--op", action="append", help="a format, double or functions")
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)
    makers = {**{name: format_run for name in FORMATS}, "double": double_run, "functions": function_run}
    failures = 0
    for name, make in makers.items():
        if options.op and name not in options.op:
            continue
        why = check(options.tools, options.work / name, make(name))
        failures += bool(why)
        print(f"{name}: {why or 'right'}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
