#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles models that draw random numbers, runs them on the emulated die and tests what they draw.

    check_random.py TOOLS WORK_FOLDER [--elements N]

TOOLS holds dojo-compile and dojo-run. Uniform numbers are compared bit by bit with Threefry-2x32-20
(docs/rationale/random.md), itself compared with its authors' known answers. Then mean, variance and
correlation of neighbours are tested, and bytes, classes and quantiles by chi-square; the generators are
deterministic, so a test that passes does so in every run.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

MASK = np.uint32(0xFFFFFFFF)
SIGMAS = 5  # of the estimate, allowed for means and the like


def threefry(counter: tuple, key: tuple) -> tuple:
    """Threefry-2x32 with 20 rounds, on arrays."""
    keys = [np.uint32(k) for k in key] + [np.uint32(0x1BD11BDA) ^ np.uint32(key[0]) ^ np.uint32(key[1])]
    with np.errstate(over="ignore"):
        x, y = np.uint32(counter[0]) + keys[0], np.uint32(counter[1]) + keys[1]
        for i in range(20):
            x = x + y
            turn = np.uint32([13, 15, 26, 6, 17, 29, 16, 24][i % 8])
            y = ((y << turn) | (y >> (np.uint32(32) - turn))) ^ x
            if i % 4 == 3:
                step = i // 4 + 1
                x, y = x + keys[step % 3], y + keys[(step + 1) % 3] + np.uint32(step)
    return x, y


def known_answers():
    """Those of the authors' library, Random123."""
    ones = (MASK, MASK)
    for counter, key, words in [((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
                                (ones, ones, (0x1CB996FC, 0xBB002BE7)),
                                ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0))]:
        assert tuple(int(w) for w in threefry(counter, key)) == words, "Threefry itself is wrong"


def run(tools: Path, folder: Path, node: onnx.NodeProto, inputs: dict, mesh: str = "2x2") -> list:
    folder.mkdir(parents=True, exist_ok=True)
    info = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
            for n, a in inputs.items()]
    graph = helper.make_graph([node], "g", info, [onnx.ValueInfoProto(name=n) for n in node.output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    inferred = onnx.shape_inference.infer_shapes(model)
    del model.graph.output[:]
    model.graph.output.extend(inferred.graph.output)
    onnx.save(model, folder / "model.onnx")
    subprocess.run([tools / "dojo-compile", folder / "model.onnx", "-o", folder / "model.d1", "--nodes", mesh,
                    "--precision", "fp32"], check=True)
    command = [tools / "dojo-run", folder / "model.d1", "--output-dir", folder / "out", "--stats",
               folder / "stats.json"]
    for name, array in inputs.items():
        np.save(folder / f"{name}.npy", array)
        command += ["--input", f"{name}={folder / name}.npy"]
    subprocess.run(command, check=True, capture_output=True)
    files = json.loads((folder / "stats.json").read_text())["outputs"]
    return [np.load(folder / "out" / files[name]) for name in node.output]


class Findings:
    def __init__(self):
        self.failures = self.count = 0

    def expect(self, ok: bool, what: str):
        self.count += 1
        if not ok:
            self.failures += 1
            print("FAIL", what)

    def near(self, value: float, expected: float, sigma: float, what: str):
        self.expect(abs(value - expected) <= SIGMAS * sigma, f"{what} is {value:.6g}, expected {expected:.6g} "
                    f"within {SIGMAS} of {sigma:.3g}")

    def chi_square(self, counts: np.ndarray, shares: np.ndarray, what: str):
        """The statistic lies within SIGMAS of its mean, for many degrees of freedom nearly normal."""
        expected = counts.sum() * np.asarray(shares)
        statistic, freedom = float(((counts - expected) ** 2 / expected).sum()), len(counts) - 1
        self.near(statistic, freedom, np.sqrt(2 * freedom) + 1, f"chi-square of {what}")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("tools", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--elements", type=int, default=20000)
    options = parser.parse_args()
    known_answers()
    find, n = Findings(), options.elements

    def draw(op, inputs=(), outputs=("y",), mesh="2x2", arrays=None, **attrs):
        node = helper.make_node(op, list(inputs), list(outputs), **attrs)
        return run(options.tools, options.work / f"{op}-{mesh}", node, arrays or {}, mesh)

    shape = [5, n // 5]
    words = [w.reshape(shape) for w in threefry((np.arange(n, dtype=np.uint32), np.zeros(n, np.uint32)),
                                                (int(np.float32(7).view(np.uint32)), 0))]
    fractions = [(w >> np.uint32(8)).astype(np.float32) * np.float32(2.0 ** -24) for w in words]
    for mesh in ("1x1", "2x2"):
        (uniform,) = draw("RandomUniform", shape=shape, seed=7.0, mesh=mesh)
        find.expect(np.array_equal(uniform, fractions[0]), f"uniform numbers are Threefry's on {mesh}")
    find.near(uniform.mean(), 0.5, np.sqrt(1 / 12 / n), "the mean of uniform numbers")
    find.near(uniform.var(), 1 / 12, np.sqrt(1 / 180 / n), "their variance")
    flat = uniform.reshape(-1).astype(np.float64) - 0.5
    find.near((flat[1:] * flat[:-1]).mean() * 12, 0, 1 / np.sqrt(n), "the correlation of neighbours")
    for byte in (0, 1):
        values = (fractions[0] * 2.0 ** 24).astype(np.uint32).reshape(-1) >> np.uint32(16 - 8 * byte)
        find.chi_square(np.bincount(values & np.uint32(255), minlength=256), np.full(256, 1 / 256), f"byte {byte}")

    (other,) = draw("RandomUniformLike", ["x"], arrays={"x": np.zeros(shape, np.float32)}, low=-2.0, high=4.0)
    find.near(other.mean(), 1, 6 * np.sqrt(1 / 12 / n), "the mean of -2 to 4")
    find.expect(other.min() >= -2 and other.max() <= 4, "the limits of -2 to 4")
    find.expect(not np.array_equal(other, uniform * 6 - 2), "nodes without seed have keys of their own")

    (normal,) = draw("RandomNormal", shape=shape, seed=7.0, mean=3.0, scale=2.0)
    exact = np.sqrt(-2 * np.log(((words[0] >> np.uint32(8)) | np.uint32(1)) * 2.0 ** -24)) * np.cos(
        2 * np.pi * fractions[1].astype(np.float64))
    find.expect(np.allclose(normal, 3 + 2 * exact, rtol=1e-4, atol=1e-4), "normal numbers are Box and Muller's")
    z = (normal.reshape(-1).astype(np.float64) - 3) / 2
    find.near(z.mean(), 0, 1 / np.sqrt(n), "the mean of normal numbers")
    find.near(z.var(), 1, np.sqrt(2 / n), "their variance")
    find.near((z ** 3).mean(), 0, np.sqrt(15 / n), "their third moment")
    find.near((z ** 4).mean(), 3, np.sqrt(96 / n), "their fourth moment")

    p = np.tile(np.float32([0, 0.1, 0.5, 0.9, 1]), n // 5).reshape(shape)
    (chosen,) = draw("Bernoulli", ["p"], arrays={"p": p}, seed=1.0)
    find.expect(set(np.unique(chosen)) <= {0.0, 1.0}, "Bernoulli draws zeros and ones")
    for q in np.unique(p):
        find.near(chosen[p == q].mean(), q, np.sqrt(q * (1 - q) / (n // 5)), f"the share of ones at {q}")

    shares = np.asarray([0.5, 0.3, 0.15, 0.05])
    (classes,) = draw("Multinomial", ["x"], arrays={"x": np.tile(np.log(shares).astype(np.float32), (2, 1))},
                      sample_size=n // 8, dtype=TensorProto.INT64, seed=3.0)
    find.expect(classes.shape == (2, n // 8) and classes.dtype == np.int64, "the type of Multinomial")
    for row in classes:
        find.chi_square(np.bincount(row, minlength=4), shares, "classes")

    x = np.ones(shape, np.float32)
    for ratio in (0.0, 0.25, 0.9):
        y, mask = draw("Dropout", ["x", "ratio", "training"], ["y", "mask"], seed=5,
                       arrays={"x": x, "ratio": np.float32(ratio), "training": np.bool_(True)})
        find.near(mask.mean(), 1 - ratio, np.sqrt(ratio * (1 - ratio) / n), f"the share kept at {ratio}")
        find.expect(np.allclose(y, mask / np.float32(1 - ratio), rtol=1e-5), f"what is kept at {ratio}")
    y, mask = draw("Dropout", ["x", "ratio", "training"], ["y", "mask"], seed=5,
                   arrays={"x": x, "ratio": np.float32(0.5), "training": np.bool_(False)})
    find.expect(mask.all() and np.array_equal(x, y), "nothing is dropped in inference")
    print(f"{find.count - find.failures} of {find.count} tests of random numbers pass")
    return 1 if find.failures else 0


if __name__ == "__main__":
    sys.exit(main())
