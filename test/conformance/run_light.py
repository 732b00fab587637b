#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the light models of ONNX's backend tests (kind `real`) on the whole emulated die.

    run_light.py TOOLS [MODEL...] [--work DIR] [--renew]

TOOLS holds dojo-compile and dojo-run. MODEL is a name such as vgg19; without one all run. The input is
what the package's Runner.generate_dummy_data makes, the expected output the one stored beside the model.
Every model is compiled in fp32, vgg19 in bf16 too; one that does not fit in fp32 must be refused with a
reason. fp32 is held to the case's own tolerances, bf16 to a relative L2 error of 2e-2. --renew writes
the results into light.txt, from which docs/conformance.md is made.
"""
import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test import loader
from onnx.backend.test.runner import Runner

RESULTS = Path(__file__).with_name("light.txt")
LIGHT = Path(loader.DATA_DIR) / "light"
IN_BF16 = ("vgg19",)
BF16_ERROR = 2e-2


def call(command, limit) -> tuple[int | None, str]:
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return None, "took too long"
    return done.returncode, (done.stdout + done.stderr).strip()


def run(tools: Path, folder: Path, file: Path, case, precision: str) -> tuple[str, str, str]:
    """Result, greatest error, cycles."""
    model = onnx.load(file)
    initial = {t.name for t in model.graph.initializer}
    inputs = {i.name: Runner.generate_dummy_data(i, seed=0, name=case.model_name)
              for i in model.graph.input if i.name not in initial}
    folder.mkdir(parents=True)
    image, stats = folder / "model.d1", folder / "stats.json"
    execute = [tools / "dojo-run", image, "--output-dir", folder / "out", "--stats", stats]
    for i, (name, array) in enumerate(inputs.items()):
        np.save(folder / f"input-{i}.npy", array)
        execute += ["--input", f"{name}={folder / f'input-{i}.npy'}"]
    status, text = call([tools / "dojo-compile", file, "-o", image, "--precision", precision], 3600)
    if status == 2:
        print(text[-3000:], flush=True)
        return f"refused: {text.splitlines()[0].partition('error: ')[2]}", "", ""
    if status == 0:
        status, text = call(execute, 7200)
    if status:
        return f"failed with status {status}: {' '.join(text.split())[:300]}", "", ""
    counted = json.loads(stats.read_text())
    tensor = onnx.TensorProto.FromString(file.with_name(f"{file.stem}_output_0.pb").read_bytes())
    want = numpy_helper.to_array(tensor)
    got = np.load(next(iter(counted["outputs"].values())))
    error = np.abs(got - want).max()
    if precision == "fp32":
        good = np.allclose(got, want, rtol=case.rtol, atol=case.atol)
    else:
        good = np.linalg.norm(got - want) <= BF16_ERROR * np.linalg.norm(want)
    return "passed" if good else "wrong", f"{error:.1e}", f"{counted['cycles']:,}"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("tools", type=Path)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--work", type=Path, default=Path("build/conformance/light"))
    parser.add_argument("--renew", action="store_true")
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)
    known = {}
    if RESULTS.exists():
        lines = (line.split(" | ") for line in RESULTS.read_text().splitlines() if not line.startswith("#"))
        known = {(line[0], line[1]): line[2:] for line in lines}
    bad = 0
    for case in sorted(loader.load_model_tests(kind="real"), key=lambda case: case.name):
        file = LIGHT / Path(case.url or "").name
        name = file.stem.removeprefix("light_")
        if not file.exists() or options.models and name not in options.models:
            continue
        for precision in ("fp32", "bf16") if name in IN_BF16 else ("fp32",):
            start = time.monotonic()
            result = run(options.tools.resolve(), options.work.resolve() / f"{name}-{precision}", file, case, precision)
            known[name, precision] = [field or "-" for field in result]
            may_refuse = name in IN_BF16 and precision == "fp32"
            good = result[0] == "passed" or may_refuse and result[0].startswith("refused: does not fit")
            bad += not good
            print(f"{name} {precision}: {', '.join(filter(None, result))} ({time.monotonic() - start:.0f} s)", flush=True)
    if options.renew:
        head = RESULTS.read_text().splitlines()[:2] if RESULTS.exists() else []
        head = [line for line in head if line.startswith("#")]
        RESULTS.write_text("\n".join([*head, *(" | ".join([*key, *value]) for key, value in sorted(known.items()))]) + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
