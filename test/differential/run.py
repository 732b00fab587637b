#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random small graphs, compiled at random options and meshes, against onnxruntime or onnx.reference.

    run.py TOOLS WORK_FOLDER [--seeds FIRST-LAST] [--jobs N] [--summary FILE] [--keep]

TOOLS holds dojo-compile and dojo-run. The regressions of earlier failures run first. A failure is made
smaller (see minimise.py) and printed with its seed; --keep stores it in regressions/, where it stays as
a test. Refusals for a reason of the compiler's closed list are counted and are no failures. --summary
writes what was run and found as Markdown.
"""
import argparse
import json
import os
import shutil
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

import graphs
from minimise import minimise
from trial import Options, attempt, draw_options

REGRESSIONS = Path(__file__).with_name("regressions")

HEAD = """\
# Random graphs against onnxruntime

Written by `test/differential/run.py --seeds FIRST-LAST --summary docs/differential.md`.

Each seed draws a small graph (a random model of an op in a random opset version, with ops before and after it, or a graph
of 3 to 12 float ops), a mesh, dead positions, -O0 or -O2, a target and a jitter. The outputs of the emulated die are held
to those of onnxruntime, or of onnx.reference where onnxruntime has no kernel or is known to be wrong: integers and booleans
exactly, floats to a relative error of 2e-4 of the largest value of an output. A graph that the compiler refuses for a reason
of its closed list is no failure. What failed was made smaller by the program, and is kept in `test/differential/regressions`
as a test.
"""


def store(path: Path, sample: graphs.Sample, options: Options) -> None:
    """A sample as one model file: its inputs and outputs are in the metadata of the model."""
    model = onnx.ModelProto()
    model.CopyFrom(sample.model)
    for name, array in sample.inputs.items():
        model.metadata_props.add(key=f"input:{name}", value=numpy_helper.from_array(array).SerializeToString().hex())
    for i, array in enumerate(sample.expected):
        model.metadata_props.add(
            key=f"output:{i}", value=numpy_helper.from_array(np.asarray(array)).SerializeToString().hex())
    model.metadata_props.add(key="options", value=json.dumps(vars(options)))
    model.metadata_props.add(key="bounds", value=json.dumps([sample.rtol, sample.atol]))
    path.write_bytes(model.SerializeToString())


def restore(path: Path) -> tuple[graphs.Sample, Options]:
    model = onnx.load(path)
    meta = {p.key: p.value for p in model.metadata_props}

    def array(text):
        return numpy_helper.to_array(onnx.TensorProto.FromString(bytes.fromhex(text)))

    inputs = {key.partition(":")[2]: array(value) for key, value in meta.items() if key.startswith("input:")}
    outputs = [array(meta[f"output:{i}"]) for i in range(len(model.graph.output))]
    del model.metadata_props[:]
    return graphs.Sample(model, inputs, outputs, *json.loads(meta["bounds"])), Options(**json.loads(meta["options"]))


def shown(sample: graphs.Sample) -> str:
    arrays = {n: f"{a.dtype}{list(a.shape)}" for n, a in sample.inputs.items()}
    versions = ", ".join(f"{o.domain or 'ai.onnx'} {o.version}" for o in sample.model.opset_import)
    return f"{' '.join(n.op_type for n in sample.model.graph.node)}; inputs {arrays}; {versions}"


class Session:
    def __init__(self, options):
        self.options, self.found, self.ops, self.meshes = options, Counter(), Counter(), Counter()
        self.failures = []

    def seed(self, seed: int):
        sample = graphs.draw(seed)
        chosen = draw_options(np.random.default_rng([seed, 1]))
        folder = self.options.work / f"seed-{seed}"
        failure = attempt(self.options.tools, folder, sample, chosen)
        if failure is None or not failure.counts:
            shutil.rmtree(folder, ignore_errors=True)
            return sample, chosen, failure, None
        small = self.options.work / f"small-{seed}"
        smaller = minimise(sample, chosen, failure, lambda s, o: attempt(self.options.tools, small, s, o))
        return sample, chosen, failure, smaller

    def count(self, seed, sample, chosen, failure, smaller) -> None:
        kind = failure.kind if failure else "agree"
        self.found[kind] += 1
        self.meshes[chosen.nodes or "die"] += 1
        self.ops.update({node.op_type for node in sample.model.graph.node})
        if smaller is None:
            return
        sample, chosen, last = smaller
        self.failures.append(seed)
        print(f"FAIL seed {seed}: {kind}: {(last or failure).text}\n  {shown(sample)}\n  {' '.join(chosen.compiler())}"
              f"{f' --jitter {chosen.jitter}' if chosen.jitter else ''}\n  {self.options.work}/small-{seed}/again; "
              f"again: --seeds {seed}", flush=True)
        if self.options.keep:
            op = sample.model.graph.node[-1].op_type.lower()
            store(REGRESSIONS / f"{op}-{seed}.onnx", sample, chosen)

    def regressions(self) -> int:
        files, bad = sorted(REGRESSIONS.glob("*.onnx")), 0
        for file in files:
            failure = attempt(self.options.tools, self.options.work / file.stem, *restore(file))
            if failure:
                bad += 1
                print(f"FAIL regression {file.name}: {failure.kind}: {failure.text}", flush=True)
        print(f"{len(files) - bad} of {len(files)} kept regressions agree", flush=True)
        return bad

    def summary(self, first: int, last: int) -> str:
        lines = HEAD.splitlines() + [
            "", f"Seeds {first} to {last}: {sum(self.found.values())} graphs of {len(self.ops)} ops.", "",
            "| outcome | graphs |", "|---|---|"]
        lines += [f"| {kind} | {n} |" for kind, n in sorted(self.found.items())]
        lines += ["", "| nodes | graphs |", "|---|---|", *(f"| {mesh} | {n} |" for mesh, n in sorted(self.meshes.items()))]
        lines += ["", "Ops, each with the number of graphs that have it: " +
                  ", ".join(f"{op} {n}" for op, n in sorted(self.ops.items())) + "."]
        return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("tools", type=lambda text: Path(text).resolve())
    parser.add_argument("work", type=lambda text: Path(text).resolve())
    parser.add_argument("--seeds", default="1-1000")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--summary", type=Path)
    parser.add_argument("--keep", action="store_true", help="store what fails in regressions/")
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    first, last = int(first), int(last or first)
    shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True)
    session, start = Session(options), time.monotonic()
    bad = session.regressions()
    with ThreadPoolExecutor(options.jobs) as pool:
        futures = {pool.submit(session.seed, seed): seed for seed in range(first, last + 1)}
        for done, future in enumerate(as_completed(futures), 1):
            session.count(futures.pop(future), *future.result())
            if done % 200 == 0:
                print(f"[{time.monotonic() - start:5.0f} s] {done} graphs, {len(session.failures)} failures", flush=True)
    print(f"seeds {first}-{last}: " + ", ".join(f"{n} {kind}" for kind, n in sorted(session.found.items()))
          + f", {len(session.ops)} ops")
    if options.summary:
        options.summary.write_text(session.summary(first, last))
    return 1 if session.failures or bad else 0


if __name__ == "__main__":
    sys.exit(main())
