#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random small graphs, compiled at random options and meshes, against onnxruntime or onnx.reference.

    run.py TOOLS WORK_FOLDER [--seeds FIRST-LAST] [--jobs N] [--resume] [--summary FILE] [--keep]

TOOLS holds dojo-compile and dojo-run. The regressions of earlier failures run first. A failure is made
smaller (see minimise.py) and printed with its seed; --keep stores it in regressions/, where it stays as
a test. Refusals for a reason of the compiler's closed list are counted and are no failures. WORK_FOLDER
has what became of each seed, in order, in results.jsonl; --resume runs only seeds that are not there or
that failed. --summary writes what was run and found as Markdown.
"""
import argparse
import json
import os
import shutil
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

import graphs
import oracles
from minimise import minimise
from results import FOUND, REGRESSIONS, Ledger, Result, found, ops_of, outcomes, summary, types_of
from trial import Failure, Options, attempt, draw_options


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
        self.options = options

    def seed(self, seed: int) -> Result:
        try:
            sample = graphs.draw(seed)
        except oracles.Died as error:
            return Result(seed, "oracle died", str(error))
        except Exception:
            return Result(seed, "not drawn", traceback.format_exc())
        chosen = draw_options(np.random.default_rng([seed, 1]))
        result = Result(seed, "agree", "", ops_of(sample.model), types_of(sample.model), vars(chosen))
        folder = self.options.work / f"seed-{seed}"
        failure = attempt(self.options.tools, folder, sample, chosen)
        if failure:
            result.outcome, result.text = failure.kind, failure.text
        if result.failed:
            result.text = self.describe(seed, sample, chosen, failure)
        else:
            shutil.rmtree(folder, ignore_errors=True)
        return result

    def describe(self, seed: int, sample: graphs.Sample, chosen: Options, failure: Failure) -> str:
        """The failure made smaller, in words."""
        small = self.options.work / f"small-{seed}"
        sample, chosen, last = minimise(sample, chosen, failure,
                                        lambda s, o: attempt(self.options.tools, small, s, o))
        failure = last or failure
        if self.options.keep:
            name = f"{sample.model.graph.node[-1].op_type.lower()}-{seed}"
            store(REGRESSIONS / f"{name}.onnx", sample, chosen)
            lines = found() | {name: f"{failure.kind}: {' '.join(failure.text.split())}"}
            FOUND.write_text("".join(f"{key}: {text}\n" for key, text in sorted(lines.items())))
        return (f"{failure.text}\n  {shown(sample)}\n  {' '.join(chosen.compiler())}"
                f"{f' --jitter {chosen.jitter}' if chosen.jitter else ''}\n  {small}/again")

    def regressions(self) -> int:
        files, bad = sorted(REGRESSIONS.glob("*.onnx")), 0
        for file in files:
            failure = attempt(self.options.tools, self.options.work / file.stem, *restore(file))
            if failure:
                bad += 1
                print(f"FAIL regression {file.name}: {failure.kind}: {failure.text}", flush=True)
        print(f"{len(files) - bad} of {len(files)} kept regressions agree", flush=True)
        return bad


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("tools", type=lambda text: Path(text).resolve())
    parser.add_argument("work", type=lambda text: Path(text).resolve())
    parser.add_argument("--seeds", default="1-1000")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--resume", action="store_true", help="keep what agreed in WORK_FOLDER, run the rest")
    parser.add_argument("--summary", type=Path)
    parser.add_argument("--keep", action="store_true", help="store what fails in regressions/")
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    first, last = int(first), int(last or first)
    if not options.resume:
        shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(options.work / "results.jsonl", options.resume)
    session, start, failures = Session(options), time.monotonic(), 0
    bad = session.regressions()
    seeds = [seed for seed in range(first, last + 1) if seed not in ledger.results]
    with ThreadPoolExecutor(options.jobs) as pool:
        for done, result in enumerate(pool.map(session.seed, seeds), 1):
            ledger.add(result)
            if result.failed:
                failures += 1
                print(f"FAIL seed {result.seed}: {result.outcome}: {result.text}; again: --seeds {result.seed}", flush=True)
            if done % 200 == 0:
                print(f"[{time.monotonic() - start:5.0f} s] {done} graphs, {failures} failures", flush=True)
    ledger.write()
    results = [ledger.results[seed] for seed in range(first, last + 1)]
    print(f"seeds {first}-{last}: " + ", ".join(f"{n} {outcome}" for outcome, n in outcomes(results))
          + f", {len({op for r in results for op in r.ops})} ops")
    if options.summary:
        options.summary.write_text(summary(results, first, last, ledger.generator))
    return 1 if failures or bad else 0


if __name__ == "__main__":
    sys.exit(main())
