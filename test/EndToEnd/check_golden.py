#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs dojo-golden on random models of each element type: the die and the host agree layer by layer.

    check_golden.py TOOLS WORK_FOLDER [--seed N] [--rounds N] [--op OP]...

TOOLS holds dojo-golden. The models are those of test/Import/ONNX/cases_types.py, in the newest opset,
and arithmetic in double; each must be equal in layers and against the imported model. Every element
type must have been met.
"""
import argparse
import shutil
import sys
import zlib
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
from onnx import helper

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Import" / "ONNX"))
from cases_types import BYTE_FLOATS, SIX_BITS, SMALL_FLOATS, SMALL_INTS, TYPE_CASES  # noqa: E402
from compiled import MESHES, call  # noqa: E402
from op_draw import Draw, simple  # noqa: E402
from op_models import draw, opsets_of  # noqa: E402

TYPES = {np.dtype(t) for t in (np.float16, ml_dtypes.bfloat16, np.float64)} | {
    *BYTE_FLOATS, *SIX_BITS, *SMALL_FLOATS, *SMALL_INTS}


def double(d: Draw, op: str):
    dims = [d.int(1, 6), d.int(1, 20)]
    return simple(d, d.pick("Add", "Sub", "Mul", "Div", "Max", "Min"), [d.array(dims, np.float64) for _ in range(2)])


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("tools", type=lambda text: Path(text).resolve())
    parser.add_argument("work", type=lambda text: Path(text).resolve())
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--op", action="append")
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True)
    met, runs, failures = set(), 0, 0
    for op, first, make in [*TYPE_CASES, ("double", 14, double)]:
        if options.op and op not in options.op:
            continue
        opset = opsets_of(op, first)[-1]
        for number in range(options.rounds):
            label = f"{options.seed} {number}"
            _, model, inputs, expected, _ = draw(make, op, opset, label)
            met |= {np.asarray(a).dtype for a in (*inputs.values(), *expected)}
            path = options.work / f"{op}-{number}.onnx"
            onnx.save(model, path)
            command = [options.tools / "dojo-golden", path, "--precision", ("fp32", "bf16")[number % 2], "--nodes",
                       MESHES[zlib.crc32(f"{label} {op}".encode()) % 3]]
            for name, array in inputs.items():
                file = options.work / f"{op}-{number}-{name}.npy"
                array = np.array(array, order="C")
                np.save(file, array if array.dtype.isbuiltin == 1 else array.view(f"V{array.dtype.itemsize}"))
                command += ["--input", f"{name}={file}"]
            for reference in ("layers", "model"):
                runs += 1
                status, text = call([*command, "--reference", reference], 120)
                if status:
                    failures += 1
                    print(f"FAIL {' '.join(map(str, command))} --reference {reference}\n  status {status}: {text[:1500]}\n  "
                          f"{[helper.printable_node(n) for n in model.graph.node]}", flush=True)
    missing = sorted(str(t) for t in TYPES - met) if not options.op else []
    print(f"seed {options.seed}: {runs - failures} of {runs} runs agree, {len(met)} element types"
          + (f"; no model had {', '.join(missing)}" if missing else ""))
    return 1 if failures or missing else 0


if __name__ == "__main__":
    sys.exit(main())
