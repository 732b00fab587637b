# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles a sample with options, runs it on the emulated die and says how it fails, if it does."""
import json
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx

import differences
from graphs import Sample

TIMEOUT = 120
CLOSED_LIST = ("data-dependent shape", "type", "decoder", "too large")


@dataclass(frozen=True)
class Options:
    nodes: str = "2x2"
    level: str = "-O2"
    dead: str = ""
    target: str = "d1"
    jitter: int = 0

    def compiler(self) -> list[str]:
        return ["--precision", "fp32", self.level, "--target", self.target,
                *(["--nodes", self.nodes] if self.nodes else []), *(["--dead", self.dead] if self.dead else [])]

    def simpler(self):
        """Options with one thing less each."""
        plain = Options()
        for field in ("jitter", "dead", "target", "level", "nodes"):
            if getattr(self, field) != getattr(plain, field):
                yield replace(self, **{field: getattr(plain, field)})
        if self.nodes != "1x1" and not self.dead:
            yield replace(self, nodes="1x1")


def draw_options(rng: np.random.Generator) -> Options:
    nodes = str(rng.choice(["1x1", "2x2", "2x2", "1x3", "3x2", "4x5", "6x6", ""], p=[.15, .2, .2, .1, .1, .14, .1, .01]))
    dead = ""
    if nodes in ("3x2", "4x5", "6x6") and rng.random() < 0.3:
        rows, columns = map(int, nodes.split("x"))
        dead = f"{rng.integers(rows)},{rng.integers(columns)}"
    return Options(nodes, "-O0" if rng.random() < 0.2 else "-O2", dead,
                   "d1-pessimistic" if rng.random() < 0.15 else "d1",
                   int(rng.integers(1, 1000)) if rng.random() < 0.3 else 0)


@dataclass
class Failure:
    kind: str  # refused, crashed, timed out, wrong, refused: REASON of the closed list
    text: str

    @property
    def counts(self) -> bool:
        """A refusal for a reason of the closed list is no fault."""
        return not self.kind.startswith("refused:")


def call(command) -> tuple[int | None, str]:
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, errors="replace",
                              timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, (done.stdout + done.stderr).strip()


def difference(got: np.ndarray, want: np.ndarray, sample: Sample) -> str:
    """Why the output is wrong, or nothing. Floats are held to the largest value of the output."""
    narrow = 1 if want.dtype in (np.float32, np.float64) else 100

    def allowed(w):
        return narrow * (sample.atol + sample.rtol * np.max(np.abs(w), initial=0))

    return differences.difference(got, want, allowed)


def attempt(tools: Path, folder: Path, sample: Sample, options: Options) -> Failure | None:
    """What goes wrong, or nothing. The folder keeps model, inputs and commands of a failure."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    onnx.save(sample.model, folder / "model.onnx")
    report, stats = folder / "report.json", folder / "stats.json"
    compile_ = [tools / "dojo-compile", folder / "model.onnx", "-o", folder / "model.d1", "--report", report,
                *options.compiler()]
    execute = [tools / "dojo-run", folder / "model.d1", "--output-dir", folder / "out", "--stats", stats,
               "--threads", "1", *(["--jitter", options.jitter] if options.jitter else [])]
    for i, (name, array) in enumerate(sample.inputs.items()):
        file = folder / f"input-{i}.npy"
        array = np.array(array, order="C")
        np.save(file, array if array.dtype.isbuiltin == 1 else array.view(f"V{array.dtype.itemsize}"))
        execute += ["--input", f"{name}={file}"]
    (folder / "again").write_text("".join(" ".join(map(str, c)) + "\n" for c in (compile_, execute)))
    for command in (compile_, execute):
        status, text = call(command)
        if status is None:
            return Failure("timed out", command[0].name)
        if status == 2 and "failed its own check" not in text:
            found = json.loads(report.read_text()) if report.exists() else {"categories": []}
            reasons = [r for r in found["categories"] if r in CLOSED_LIST]
            return Failure(f"refused: {reasons[0]}" if reasons and "op" not in found["categories"] else "refused",
                           " ".join(text.split())[:400])
        if status:
            return Failure("crashed", f"{command[0].name} ended with status {status}: {text[-500:]}")
    files = json.loads(stats.read_text())["outputs"]
    for output, want in zip(sample.model.graph.output, sample.expected):
        why = difference(np.load(files[output.name]), np.asarray(want), sample)
        if why:
            return Failure("wrong", f"output {output.name}: {why}")
    shutil.rmtree(folder)
    return None
