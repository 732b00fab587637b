#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares the importer, run by MLIR's CPU lowering, with onnxruntime on random models of each op.

    check_ops.py TOOL WORK_FOLDER [--seed N] [--rounds N] [--op OP] [--keep]

TOOL is dojo-host-run. Each round draws one model for each form of an op that some opset defines. A
model is run three times: as it is, after conversion to the newest opset, and with its inputs made
initializers, so that what can be is computed at compile time. Where onnxruntime has no kernel, onnx.reference is the oracle.
A failure prints what to run to see it again. No op may be missing from a run.
"""
import argparse
import shutil
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
from onnx import helper

from differences import difference, is_integer
from op_cases import CASES
from op_draw import Case
from op_models import FIRST_OPSET, draw, opsets_of, run_tool, with_constants


EMPTY = 0.05  # share of shapes with a dimension of zero


def why_wrong(answer: str, case: Case, expected: list) -> str:
    """Why the answer is wrong, or nothing."""
    status, *fields = answer.split("\t")
    if status != "ok":
        return answer
    for field, want in zip(fields, expected):
        want = np.asarray(want)
        step = 0 if is_integer(want.dtype) else float(ml_dtypes.finfo(want.dtype).eps)
        rtol = max(case.rtol, 4 * step)

        def allowed(w):
            return case.atol + rtol * (np.max(np.abs(w), initial=0) + np.abs(w))

        why = difference(np.load(field.rsplit("=", 1)[1]), want, None if case.exact else allowed)
        if why:
            return why
    return ""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("work", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--op")
    parser.add_argument("--keep", action="store_true", help="keep the models of cases that pass")
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True)

    cases, lines = [], []
    for op, first, make in CASES:
        if options.op and op != options.op:
            continue
        for opset in opsets_of(op, max(first, FIRST_OPSET)):
            for number in range(options.rounds):
                case, model, inputs, expected, oracle = draw(make, op, opset, f"{options.seed} {number}", EMPTY)
                for mode in ("own", "new", "const"):
                    folder = options.work / f"{op}-{opset}-{number}-{mode}"
                    folder.mkdir()
                    fields = [str(folder / "model.onnx"), str(folder), "convert" if mode == "new" else "-"]
                    if mode == "const":
                        onnx.save(with_constants(model, inputs), folder / "model.onnx")
                    else:
                        onnx.save(model, folder / "model.onnx")
                        for name, array in inputs.items():
                            np.save(folder / f"in-{name}.npy", array)
                            fields.append(f"{name}={folder}/in-{name}.npy")
                    cases.append((op, folder, case, expected, oracle))
                    lines.append("\t".join(fields))
    failures, oracles = 0, {}
    for (op, folder, case, expected, oracle), answer in zip(cases, run_tool(options.tool, options.work, lines)):
        why = why_wrong(answer, case, expected)
        oracles[oracle] = oracles.get(oracle, 0) + 1
        if why:
            failures += 1
            print(f"FAIL {folder}: {why}\n  attributes: "
                  f"{[helper.printable_attribute(a) for n in case.nodes for a in n.attribute]} inputs: "
                  f"{ {n: f'{np.asarray(a).dtype}{list(np.shape(a))}' for n, a in {**case.inputs, **case.constants}.items()} } "
                  f"oracle: {oracle}\n  again: --seed {options.seed} --rounds {options.rounds} --op {op}")
        elif not options.keep:
            shutil.rmtree(folder)
    covered = {op for op, *_ in cases}
    print(f"seed {options.seed}: {len(cases) - failures} of {len(cases)} runs agree, {len(covered)} ops, "
          f"oracles {oracles}")
    return 1 if failures or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
