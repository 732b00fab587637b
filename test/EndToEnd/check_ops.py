#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles random models of each op, runs them on the emulated die and compares with onnxruntime.

    check_ops.py TOOLS WORK_FOLDER [--seed N] [--rounds N] [--op OP]... [--all] [--jobs N]

TOOLS holds dojo-compile and dojo-run. The models are those of test/Import/ONNX/op_cases.py, in the
newest opset. A round draws a model of each op for fp32 and another for bf16, whose inputs are values
of bf16, and runs each on one mesh, or with --all on every mesh. Outputs are held to a relative L2
error of 1e-4 and 2e-2, integers and booleans to the bit. A failure leaves its model, inputs and
commands and prints what to run to see it again.
"""
import argparse
import os
import shutil
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from onnx import helper

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Import" / "ONNX"))
from compiled import MESHES, Run, check, to_bf16  # noqa: E402
from op_cases import CASES  # noqa: E402
from op_models import FIRST_OPSET, draw, opsets_of  # noqa: E402

EMPTY = 0.06  # share of shapes with a dimension of zero


def shown(run: Run) -> str:
    nodes = "; ".join(f"{n.op_type} {[helper.printable_attribute(a) for a in n.attribute]}"
                      for n in run.model.graph.node)
    arrays = {n: f"{a.dtype}{list(a.shape)}" for n, a in run.inputs.items()}
    constants = {t.name: list(t.dims) for t in run.model.graph.initializer}
    return f"{nodes} inputs {arrays} constants {constants}"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("tools", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--op", action="append")
    parser.add_argument("--all", action="store_true", help="every model on every mesh")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)

    runs = []
    for op, first, make in CASES:
        if options.op and op not in options.op:
            continue
        opset = opsets_of(op, max(first, FIRST_OPSET))[-1]
        for number in range(options.rounds):
            for precision in ("fp32", "bf16"):
                label = f"{options.seed} {number} {precision}"
                rounded = to_bf16 if precision == "bf16" else np.asarray
                case, model, inputs, expected, _ = draw(make, op, opset, label, EMPTY, rounded)
                meshes = MESHES if options.all else [MESHES[zlib.crc32(f"{label} {op}".encode()) % 3]]
                bounds = [0] * len(expected) if case.exact else None
                runs += [Run(f"{op}-{number}-{precision}-{mesh}", model, inputs, expected, precision, mesh, bounds)
                         for mesh in meshes]
    with ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda run: check(options.tools, options.work / run.label, run), runs)
        failures = 0
        for run, why in zip(runs, results):
            if why:
                failures += 1
                print(f"FAIL {options.work / run.label}: {why}\n  {shown(run)}\n  again: --seed {options.seed} "
                      f"--rounds {options.rounds} --op {run.label.split('-')[0]}", flush=True)
    ops = {run.label.split("-")[0] for run in runs}
    print(f"seed {options.seed}: {len(runs) - failures} of {len(runs)} runs agree, {len(ops)} ops")
    return 1 if failures or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
