# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the tests of the tools' contracts share: a folder to work in, models from text, runs of
tools that must end in a given status and leave no files behind when they fail."""
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from onnx import parser

SMALL = """<ir_version: 8, opset_import: ["": 13]>
g (float[n,3] a, float[n,3] b) => (float[n,3] y) {
  s = Add (a, b)
  y = Relu (s)
}"""


class Bench:
    def __init__(self, tools: str, folder: str):
        self.tools, self.folder = Path(tools).resolve(), Path(folder).resolve()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.output = ""
        self.checks = 0

    def fail(self, what: str) -> None:
        sys.exit(f"{what}\n{self.output}")

    def hold(self, condition: bool, what: str) -> None:
        self.checks += 1
        if not condition:
            self.fail(what)

    def model(self, name: str, text: str, change=None) -> Path:
        """An ONNX file from the text form; `change` may alter the model."""
        model = parser.parse_model(text)
        if change:
            change(model)
        path = self.folder / name
        path.write_bytes(model.SerializeToString())
        return path

    def array(self, name: str, values: np.ndarray) -> Path:
        np.save(self.folder / name, values)
        return self.folder / name

    def files(self) -> dict:
        return {p: p.stat().st_mtime_ns for p in self.folder.rglob("*") if p.is_file()}

    def run(self, status: int, tool: str, *arguments, says: str = "", leaves: bool = False) -> str:
        """Runs a tool in the folder. What it prints must hold `says`. A failure leaves no file new or
        changed, unless `leaves`."""
        before = self.files()
        command = [str(self.tools / tool), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, timeout=120)
        self.output = f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        self.hold(done.returncode == status, f"ended with {done.returncode}, not {status}")
        self.hold(says in self.output, f"does not say: {says}")
        if status:
            self.hold(done.stderr.strip() != "" or status == 5, "fails without a word")
        if status and status != 5 and not leaves:
            self.hold(self.files() == before, "a failure leaves or changes files")
        for path in self.files().keys() - before.keys():
            self.hold(".part" not in path.name and ".tmp" not in path.name, f"{path} is left")
        return self.output
