#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Gives damaged files to the tools: each ends soon, with a status that says so and a message.

    check_damage.py TOOLS MODELS FOLDER [SEED]

Models and images are cut off, have bits flipped, pieces copied, or are random bytes. The seed of
each file is printed with a failure; SEED makes the first of them (default 1).
"""
import random
import subprocess
import sys
import time
from pathlib import Path

from bench import SMALL, Bench

MODEL = """<ir_version: 8, opset_import: ["": 13]>
g (float[1,3,8,8] x) => (float[1,10] y)
<float[4,3,3,3] w = {W}, float[4] c = {1, 2, 3, 4}, float[64,10] m = {M}> {
  a = Conv <pads = [1, 1, 1, 1]> (x, w, c)
  b = Relu (a)
  d = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (b)
  e = Flatten (d)
  f = MatMul (e, m)
  y = Softmax (f)
}"""
CASES = {"model": 200, "image": 400, "ir": 100, "assembly": 40}
LEVELS = ["import", "placed", "mesh", "d1"]
SECONDS = 60


def damaged(good: bytes, rng: random.Random, text: bool) -> bytes:
    how = rng.choice(["cut", "flips", "flip", "copy", "head"] + ([] if text else ["random"]))
    data = bytearray(good)
    if how == "cut":
        return bytes(data[:rng.randrange(len(data))])
    if how == "random":
        return rng.randbytes(rng.randrange(4096))
    if how == "copy":
        size = rng.randrange(1, 64)
        to, source = rng.randrange(len(data) - size), rng.randrange(len(data) - size)
        data[to:to + size] = data[source:source + size]
        return bytes(data)
    for _ in range(1 if how == "flip" else rng.randrange(2, 16)):
        data[rng.randrange(min(len(data), 600) if how == "head" else len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def main() -> None:
    bench = Bench(sys.argv[1], sys.argv[3])
    first = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    rng = random.Random(0)
    values = lambda n: ", ".join(f"{rng.uniform(-1, 1):.3f}" for _ in range(n))
    bench.model("good.onnx", MODEL.replace("{W}", f"{{{values(108)}}}").replace("{M}", f"{{{values(640)}}}"))
    bench.run(0, "dojo-compile", "good.onnx", "-o", "good.d1", "--nodes", "2x2")
    for level in LEVELS:
        bench.run(0, "dojo-compile", "good.onnx", "-o", f"{level}.mlir", "--nodes", "2x2", "--emit", level)
    bench.run(0, "dojo-compile", "good.onnx", "-o", "asm.s", "--nodes", "2x2", "--emit", "asm")
    compile_, run = bench.tools / "dojo-compile", bench.tools / "dojo-run"
    counts = {}
    for kind, number in CASES.items():
        for seed in range(first, first + number):
            rng = random.Random(f"{kind} {seed}")
            if kind == "image":
                source, file = "good.d1", "bad.d1"
                command = [run, file, "--input", "x=random:1", "--output-dir", "out", "--timing", "off"]
                allowed = (3, 4)
            else:
                source, file = {"model": ("good.onnx", "bad.onnx"), "assembly": ("asm.s", "bad.s"),
                                "ir": (rng.choice(LEVELS) + ".mlir", "bad.mlir")}[kind]
                command = [compile_, file, "-o", "out.d1", "--nodes", "2x2"]
                allowed = (0, 2)
            good = (bench.folder / source).read_bytes()
            bad = damaged(good, rng, kind in ("ir", "assembly"))
            if bad == good:
                continue
            (bench.folder / file).write_bytes(bad)
            start = time.monotonic()
            try:
                done = subprocess.run(command, capture_output=True, cwd=bench.folder, timeout=SECONDS)
            except subprocess.TimeoutExpired:
                sys.exit(f"{kind} {seed} (from {source}): no end after {SECONDS} s: {bench.folder / file}")
            where = f"{kind} {seed} (from {source}, {time.monotonic() - start:.1f} s): {bench.folder / file}"
            if done.returncode not in allowed:
                sys.exit(f"{where}: status {done.returncode}\n{done.stderr.decode(errors='replace')[-2000:]}")
            if done.returncode and not done.stderr.strip():
                sys.exit(f"{where}: status {done.returncode} without a word")
            left = [p for p in (bench.folder / "out.d1", bench.folder / "out") if p.exists() and (p.is_file() or any(p.iterdir()))]
            if done.returncode and left:
                sys.exit(f"{where}: leaves {left}")
            (bench.folder / "out.d1").unlink(missing_ok=True)
            counts[kind, done.returncode] = counts.get((kind, done.returncode), 0) + 1
    print(", ".join(f"{number} x {kind} with status {status}" for (kind, status), number in sorted(counts.items())))


if __name__ == "__main__":
    main()
