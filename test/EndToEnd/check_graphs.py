#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares random graphs with onnxruntime: their layer form on the host, or their images on the emulated die.

    check_graphs.py TOOLS HOST_RUN WORK_FOLDER [--seeds FIRST-LAST] [--images N] [--jobs N]

HOST_RUN is dojo-host-run, TOOLS holds dojo-compile and dojo-run. Every seed is run in its layer form in
both precisions; N of them, evenly spread, also on the emulator in one precision and on one mesh. The
outputs of fp32 are held to a relative L2 error of 1e-4, those of bf16 to 2e-2 or, if larger, 1.5 times
the error of onnxruntime on the graph with every value rounded to bf16.
"""
import argparse
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Import" / "ONNX"))
from compiled import BOUNDS, MESHES, Run, check, difference, to_bf16  # noqa: E402
from op_models import run_tool, runtime  # noqa: E402
from random_graphs import draw, stored_in_bf16  # noqa: E402

CHUNK = 40  # seeds whose files exist at once


def bounds_of(model, inputs, expected, precision) -> list:
    if precision == "fp32":
        return [BOUNDS["fp32"]] * len(expected)
    bounds = []
    for want, rounded in zip(expected, runtime(stored_in_bf16(model), inputs)):
        size = np.linalg.norm(want.astype(np.float64))
        error = np.linalg.norm(want.astype(np.float64) - rounded) / size if size else 0
        bounds.append(max(BOUNDS["bf16"], 1.5 * error))
    return bounds


def shown(model: onnx.ModelProto) -> str:
    return " ".join(node.op_type for node in model.graph.node)


class Check:
    def __init__(self, options):
        self.options, self.failures, self.forms, self.runs = options, 0, 0, []

    def fail(self, seed, folder, why, model):
        self.failures += 1
        print(f"FAIL {folder}: {why}\n  {shown(model)}\n  again: --seeds {seed}-{seed} --images 1", flush=True)

    def layer_forms(self, seeds) -> None:
        """Checks the layer forms of the seeds and puts down which images to check."""
        lines, drawn = [], []
        for seed in seeds:
            for number, precision in enumerate(("fp32", "bf16")):
                model, inputs = draw(seed, runtime, to_bf16 if precision == "bf16" else np.asarray)
                expected = runtime(model, inputs)
                bounds = bounds_of(model, inputs, expected, precision)
                folder = self.options.work / f"{seed}-{precision}"
                folder.mkdir()
                onnx.save(model, folder / "model.onnx")
                fields = [str(folder / "model.onnx"), str(folder), f"layers-{precision}"]
                for name, array in inputs.items():
                    np.save(folder / f"in-{name}.npy", array)
                    fields.append(f"{name}={folder}/in-{name}.npy")
                lines.append("\t".join(fields))
                drawn.append((seed, folder, model, expected, bounds))
                step = self.options.step
                if step and seed % step == 0 and seed // step % 2 == number:
                    mesh = MESHES[seed // step % 3]
                    self.runs.append(
                        Run(f"{seed}-{precision}-{mesh}", model, inputs, expected, precision, mesh, bounds))
        self.forms += len(lines)
        answers = run_tool(self.options.host_run, self.options.work, lines)
        for (seed, folder, model, expected, bounds), answer in zip(drawn, answers):
            status, *files = answer.split("\t")
            why = answer if status != "ok" else next(filter(None, (
                difference(np.load(file.rsplit("=", 1)[1]), want, bound)
                for file, want, bound in zip(files, expected, bounds))), "")
            if why:
                self.fail(seed, folder, why, model)
            else:
                shutil.rmtree(folder)

    def images(self) -> None:
        tools, work = self.options.tools, self.options.work
        with ThreadPoolExecutor(self.options.jobs) as pool:
            for run, why in zip(self.runs, pool.map(lambda run: check(tools, work / run.label, run), self.runs)):
                if why:
                    self.fail(run.label.split("-")[0], work / run.label, why, run.model)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("tools", type=Path)
    parser.add_argument("host_run", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--seeds", default="1-60")
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    options.step = max(1, len(seeds) // options.images) if options.images else 0
    shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True)
    checks = Check(options)
    for start in range(0, len(seeds), CHUNK):
        checks.layer_forms(seeds[start : start + CHUNK])
    wrong = checks.failures
    print(f"seeds {options.seeds}: {checks.forms - wrong} of {checks.forms} layer forms agree", flush=True)
    checks.images()
    print(f"seeds {options.seeds}: {len(checks.runs) - (checks.failures - wrong)} of {len(checks.runs)} images agree")
    return 1 if checks.failures or not checks.forms else 0


if __name__ == "__main__":
    sys.exit(main())
