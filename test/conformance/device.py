# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles a case, runs it on the emulated die and judges the result."""
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cases import Case
from compare import difference
from prepare import storable
from random_ops import CHECKS

TIMEOUT = 120  # seconds for each tool
CLOSED_LIST = ("data-dependent shape", "type", "decoder", "too large")
BUGS = ("failed its own check", "made an invalid module")  # in what a compiler says that went wrong itself


@dataclass
class Verdict:
    status: str  # passed, wrong, unsupported, crashed, timed out
    text: str = ""  # what went wrong
    reason: str = ""  # why it is unsupported: of the closed list, "op" or "other"


def call(command: list, timeout: float = TIMEOUT) -> tuple[int | None, str]:
    """Status (None if it took too long) and what was printed."""
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, errors="replace",
                              timeout=timeout)
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, (done.stdout + done.stderr).strip()


def reason_of(report: Path) -> tuple[str, str]:
    """Why the compiler refused: a reason of the closed list, or "op" or "other", and its own words."""
    try:
        found = json.loads(report.read_text())
        reasons, errors, nodes = found["categories"], found["errors"], found["unsupported"]
    except (OSError, ValueError, KeyError):
        return "other", ""
    words = " ".join((errors or [f"{nodes[0]['op']}: {nodes[0]['reason']}"])[0].split())
    return next((reason for reason in ("op", *CLOSED_LIST) if reason in reasons), "other"), words


class Device:
    def __init__(self, tools: Path, work: Path):
        self.tools, self.work = tools, work

    def run(self, case: Case, nodes: str, bound: set[str] = frozenset(), options=()) -> Verdict:
        """All data sets of a case on `nodes` (RxC, or empty for the whole die); inputs in `bound` are
        given to the compiler, all others when it runs."""
        for number in range(case.entry["sets"]):
            folder = self.work / f"{case.key.replace('/', '-')}-{nodes or 'die'}-{number}{'-bound' if bound else ''}"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            verdict = self._run(case, number, nodes, bound, options, folder)
            if verdict.status != "passed":
                return verdict
            shutil.rmtree(folder)
        return Verdict("passed")

    def _run(self, case, number, nodes, bound, options, folder) -> Verdict:
        inputs = case.arrays(number, "input")
        image, stats, report = folder / "model.d1", folder / "stats.json", folder / "report.json"
        compile_ = [self.tools / "dojo-compile", case.folder / "model.onnx", "-o", image, "--precision", "fp32",
                    "--report", report, *options]
        if nodes:
            compile_ += ["--nodes", nodes]
        execute = [self.tools / "dojo-run", image, "--output-dir", folder / "out", "--stats", stats,
                   "--threads", "1"]
        for i, (name, array) in enumerate(inputs.items()):
            file = folder / f"input-{i}.npy"
            np.save(file, storable(array))
            if name in bound:
                compile_ += ["--const", f"{name}={file}"]
            else:
                execute += ["--input", f"{name}={file}"]
                compile_ += ["--shape", f"{name}={'x'.join(map(str, array.shape))}"]
        (folder / "again").write_text("".join(" ".join(map(str, c)) + "\n" for c in (compile_, execute)))
        status, text = call(compile_)
        if status is None:
            return Verdict("timed out", "dojo-compile")
        if status == 2 and not any(bug in text for bug in BUGS):
            reason, words = reason_of(report)
            return Verdict("unsupported", words, reason)
        if status:
            return Verdict("crashed", f"dojo-compile ended with status {status}: {text[-600:]}")
        unread = self.unread(case, image, bound, inputs)
        if unread:
            return Verdict("wrong", f"the image does not read {', '.join(sorted(unread))}")
        status, text = call(execute)
        if status is None:
            return Verdict("timed out", "dojo-run")
        if status:
            return Verdict("crashed", f"dojo-run ended with status {status}: {text[-600:]}")
        files = json.loads(stats.read_text())["outputs"]
        got = {name: np.load(file) for name, file in files.items()}
        return self.judge(case, number, inputs, got)

    def unread(self, case, image, bound, inputs) -> set[str]:
        """Inputs given at run time that no instruction and no transfer of the image reads, other than
        those on whose elements no output depends."""
        _, text = call([self.tools / "dojo-verify", "--inputs", image])
        read = dict(re.findall(r'^input "(.*)": (read|not read|unknown)$', text, re.MULTILINE))
        if all(array.size == 0 for array in case.arrays(0, "output").values()):
            return set()
        return {name for name in inputs if name not in bound and read.get(name) != "read"} - case.unread

    def judge(self, case, number, inputs, got) -> Verdict:
        outputs = case.arrays(number, "output")
        wrong = ""
        for name, want in outputs.items():
            if name not in got:
                return Verdict("wrong", f"there is no output {name}")
            why = difference(got[name], want, case.entry["rtol"], case.entry["atol"], case.is_exact)
            wrong = wrong or (why and f"output {name}: {why}")
        if wrong and case.random_op in CHECKS:
            shapes = [name for name, want in outputs.items()
                      if got[name].shape != want.shape or got[name].dtype != want.dtype]
            node = case.nodes[0]
            wrong = wrong if shapes else CHECKS[case.random_op](
                node, list(inputs.values()), [got[name] for name in outputs])
        return Verdict("wrong", wrong) if wrong else Verdict("passed")
