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
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from op_cases import CASES, LAST_OPSET, Case, Draw

FIRST_OPSET = 7  # the oldest that onnxruntime knows


def opsets_of(op: str, first: int) -> list[int]:
    """The version of each form of the op that is in use from opset `first` on."""
    forms = sorted({s.since_version for s in onnx.defs.get_all_schemas_with_history()
                    if s.name == op and s.domain == ""}) or [first, 10, 13, 18]
    last = LAST_OPSET.get(op, onnx.defs.onnx_opset_version())
    return sorted({max(s, first) for i, s in enumerate(forms)
                   if (forms + [last + 1])[i + 1] > first and s <= last})


def model_of(case: Case, opset: int) -> onnx.ModelProto:
    def info(name, array):
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)

    graph = helper.make_graph(
        case.nodes, "g", [info(n, np.asarray(a)) for n, a in case.inputs.items()],
        [onnx.ValueInfoProto(name=n) for n in case.outputs],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in case.constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    # Types only: the shapes that inference finds for old forms of the pools are not what they compute.
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    for output, known in zip(model.graph.output, inferred.graph.output):
        output.type.tensor_type.elem_type = known.type.tensor_type.elem_type
    return model


def with_constants(model: onnx.ModelProto, inputs: dict) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.input[:]
    copy.graph.initializer.extend(numpy_helper.from_array(a, n) for n, a in inputs.items())
    return copy


def reference(model: onnx.ModelProto, inputs: dict) -> tuple[list, str]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        return session.run(None, inputs), "onnxruntime"
    except Exception:  # no kernel for these types or this version
        return ReferenceEvaluator(model).run(None, inputs), "onnx.reference"


def draw(make, op: str, opset: int, seed: str):
    """A model that at least one oracle can run, its inputs and outputs."""
    for attempt in range(50):
        rng = np.random.default_rng(zlib.crc32(f"{seed} {op} {opset} {attempt}".encode()))
        case = make(Draw(rng, opset), op)
        model = model_of(case, opset)
        inputs = {n: np.asarray(a) for n, a in case.inputs.items()}
        try:
            return case, model, inputs, *reference(model, inputs)
        except Exception as error:  # neither has it for these attributes
            last = error
    raise RuntimeError(f"no oracle for {op} in opset {opset}: {last}")


def run_tool(tool: str, work: Path, lines: list[str]) -> list[str]:
    """One answer per line; a crash is the answer of the line it happened in."""
    answers = []
    while len(answers) < len(lines):
        (work / "cases").write_text("\n".join(lines[len(answers):]) + "\n")
        done = subprocess.run([tool, str(work / "cases")], capture_output=True, text=True)
        answers += done.stdout.splitlines()
        if len(answers) < len(lines):
            answers.append("crash\t" + done.stderr.strip()[-500:])
    return answers


def difference(answer: str, case: Case, expected: list) -> str:
    """Why the answer is wrong, or nothing."""
    status, *fields = answer.split("\t")
    if status != "ok":
        return answer
    for field, want in zip(fields, expected):
        got, want = np.load(field.rsplit("=", 1)[1]), np.asarray(want)
        if got.shape != want.shape or got.dtype != want.dtype:
            return f"{got.dtype}{list(got.shape)} instead of {want.dtype}{list(want.shape)}"
        if want.dtype.kind == "f":
            with np.errstate(invalid="ignore"):
                scale = case.atol + case.rtol * np.max(np.abs(want), initial=0)
                if not np.allclose(got, want, rtol=case.rtol, atol=scale, equal_nan=True):
                    return f"values differ by up to {np.nanmax(np.abs(got - want))}"
        elif not np.array_equal(got, want):
            return f"{np.count_nonzero(got != want)} of {want.size} values differ"
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
                case, model, inputs, expected, oracle = draw(make, op, opset, f"{options.seed} {number}")
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
        why = difference(answer, case, expected)
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
