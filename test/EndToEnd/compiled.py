# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles a small model, runs it on the emulated die and says how its outputs differ from expected ones."""
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Import" / "ONNX"))
from differences import as_written, is_integer  # noqa: E402

MESHES = ("1x1", "2x2", "4x5")
BOUNDS = {"fp32": 1e-4, "bf16": 2e-2}  # relative L2 over each output


@dataclass
class Run:
    """One compilation and its run. What is random in it follows from `label`, which is unique."""
    label: str
    model: onnx.ModelProto
    inputs: dict
    expected: list
    precision: str
    mesh: str
    bounds: list = None  # one for each output; BOUNDS if absent
    options: tuple = ()  # of dojo-compile
    timeout: float = 120  # seconds for each of the tools


def to_bf16(array: np.ndarray) -> np.ndarray:
    """Floats rounded to bf16 (nearest even) and back; other types as they are."""
    array = np.asarray(array)
    if array.dtype != np.float32:
        return array
    bits = np.ascontiguousarray(array).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isfinite(array), rounded.view(np.float32), array).astype(np.float32).reshape(array.shape)


def as_numbers(got: np.ndarray, want: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Both in types of NumPy's own, and the step between floats just above 1 (0 for integers)."""
    own = {np.dtype(t) for t in (np.float16, np.float32, np.float64)}
    if want.dtype.kind in "biu":
        return got, want, 0.0
    if want.dtype not in own and is_integer(want.dtype):
        return got.astype(np.int64), want.astype(np.int64), 0.0
    step = float(ml_dtypes.finfo(want.dtype).eps)
    return (got, want, step) if want.dtype in own else (got.astype(np.float32), want.astype(np.float32), step)


def difference(got: np.ndarray, want: np.ndarray, bound: float) -> str:
    """Why the output is wrong, or nothing."""
    got, want = as_written(got, np.asarray(want))
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype}{list(got.shape)} instead of {want.dtype}{list(want.shape)}"
    got, want, step = as_numbers(got, want)
    if bound:
        bound = max(bound, step)
    if want.dtype.kind != "f":
        wrong = np.count_nonzero(got != want)
        return f"{wrong} of {want.size} values differ" if wrong else ""
    finite = np.isfinite(want)
    if not np.array_equal(got[~finite], want[~finite], equal_nan=True):
        return "infinities or NaN differ"
    g, w = got[finite].astype(np.float64), want[finite].astype(np.float64)
    if not np.isfinite(g).all():
        return f"{np.count_nonzero(~np.isfinite(g))} of {g.size} values are not finite"
    if not bound:
        wrong = np.count_nonzero(got[finite] != want[finite])
        return f"{wrong} of {want.size} values differ" if wrong else ""
    error, size = np.linalg.norm(g - w), np.linalg.norm(w)
    if error > bound * size:
        return f"relative L2 error {error / size if size else np.inf:.3g}, allowed {bound:.3g}"
    return ""


def call(command: list, timeout: float) -> tuple[int, str]:
    """Status and what was printed; None as status if it took too long."""
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, (done.stdout + done.stderr).strip()


def check(tools: Path, folder: Path, run: Run) -> str:
    """Why the run failed, or nothing. Leaves model, inputs and a script that repeats the run in
    `folder` on failure and removes it else."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    onnx.save(run.model, folder / "model.onnx")
    compile_ = [tools / "dojo-compile", folder / "model.onnx", "-o", folder / "model.d1", "--nodes",
                run.mesh, "--precision", run.precision, *run.options]
    stats = folder / "stats.json"
    execute = [tools / "dojo-run", folder / "model.d1", "--output-dir", folder / "out", "--stats",
               stats, "--threads", "1"]
    for name, array in run.inputs.items():
        np.save(folder / f"in-{name}.npy", array)
        execute += ["--input", f"{name}={folder / f'in-{name}.npy'}"]
    (folder / "again").write_text("".join(" ".join(map(str, c)) + "\n" for c in (compile_, execute)))
    for i, array in enumerate(run.expected):
        np.save(folder / f"expected-{i}.npy", array)
    for command in (compile_, execute):
        status, text = call(command, run.timeout)
        if status is None:
            return f"{command[0].name} took more than {run.timeout} s"
        if status:
            return f"{command[0].name} ended with status {status}: {text[:600]}"
    names = [output.name for output in run.model.graph.output]
    files = json.loads(stats.read_text())["outputs"]
    bounds = run.bounds or [BOUNDS[run.precision]] * len(names)
    for name, want, bound in zip(names, run.expected, bounds):
        why = difference(np.load(folder / "out" / files[name]), want, bound)
        if why:
            return f"output {name}: {why}"
    shutil.rmtree(folder)
    return ""
