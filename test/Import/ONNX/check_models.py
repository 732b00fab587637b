#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares the importer, run by MLIR's CPU lowering, with onnxruntime on whole models.

    check_models.py TOOL MODELS WORK_FOLDER

TOOL is dojo-host-run, MODELS the folder that scripts/models/prepare.py made. Every model there is
run on its first inputs; each output must be within a relative L2 error of 1e-5 of onnxruntime's.
"""
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx

BOUND = 1e-5
INPUTS = 3


def main() -> int:
    tool, models, work = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    work.mkdir(parents=True, exist_ok=True)
    cases, lines = [], []
    for path in sorted(models.glob("*.onnx")):
        stacked = np.load(models / f"{path.stem}-input.npy")
        expected = np.load(models / f"{path.stem}-expected.npy")
        name = onnx.load(path, load_external_data=False).graph.input[0].name
        for i in range(min(INPUTS, len(stacked))):
            folder = work / f"{path.stem}-{i}"
            folder.mkdir(exist_ok=True)
            np.save(folder / "input.npy", stacked[i])
            cases.append((path.stem, i, expected[i]))
            lines.append(f"{path}\t{folder}\ttime\t{name}={folder}/input.npy")
    (work / "cases").write_text("\n".join(lines) + "\n")
    answers = subprocess.run([tool, work / "cases"], stdout=subprocess.PIPE, text=True).stdout.splitlines()
    failures = 0
    for n, (model, i, want) in enumerate(cases):
        fields = (answers[n] if n < len(answers) else "crash").split("\t")
        if fields[0] != "ok":
            failures += 1
            print(f"FAIL {model} {i}: {' '.join(fields)}")
            continue
        got = np.load(fields[2].rsplit("=", 1)[1])
        error = np.linalg.norm(got.astype(np.float64) - want) / np.linalg.norm(want.astype(np.float64))
        good = got.shape == want.shape and error <= BOUND
        failures += not good
        print(f"{'ok  ' if good else 'FAIL'} {model} input {i}: relative L2 error {error:.2g}, {fields[1]}")
    models_seen = {model for model, *_ in cases}
    wanted = set(json.loads((models / "models.json").read_text()))
    if wanted - models_seen:
        print(f"FAIL: not run: {sorted(wanted - models_seen)}")
        failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
