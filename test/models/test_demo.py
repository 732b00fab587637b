# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What scripts/demo.py says of tools that do well and of tools that do not:  test_demo.py FOLDER

FOLDER is build/models. The tools are replaced by scripts that write given outputs.
"""
import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(sys.argv.pop(1)).resolve()
OUTPUT = json.loads((FOLDER / "models.json").read_text())["ppocr-cls"]["output"]
LAYERS = [{"onnx": [f"conv{i}"], "op": "Conv", "plan": "1x4x8x1", "estimated_cycles": 90 * i,
           "emulated_cycles": 100 * i} for i in range(1, 10)]
STATS = {"cycles": 4500, "utilization": 0.25, "model_macs": 1000, "nodes_used": 350, "layers": LAYERS,
         "sram_peak_bytes": 2000, "sram_lower_bound_bytes": 1900, "clock_hz": 2_000_000_000}


class Demo(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def tool(self, name: str, script: str) -> None:
        file = self.folder / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def demo(self, outputs: np.ndarray, compiler: str = "exit 0") -> subprocess.CompletedProcess:
        np.save(self.folder / "y.npy", outputs)
        stats = STATS | {"outputs": {OUTPUT: str(self.folder / "y.npy")}}
        (self.folder / "made.json").write_text(json.dumps(stats))
        self.tool("dojo-compile", compiler)
        self.tool("dojo-run", f'for last; do :; done; cp "{self.folder}/made.json" "$last"')
        return subprocess.run(
            [sys.executable, ROOT / "scripts/demo.py", "--tools", self.folder, "--models", FOLDER,
             "--out", self.folder / "out"], capture_output=True, text=True,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"})

    def test_tells_what_came_out(self):
        run = self.demo(np.load(FOLDER / "ppocr-cls-bf16.npy"))
        self.assertEqual(run.returncode, 0, run.stderr)
        for text in ("16 of 16 right", "4,500 for an input: 2.25 us at 2 GHz", "25.00%", "350 of 354",
                     "peak 2,000 bytes", "lower bound 1,900", "invented"):
            self.assertIn(text, run.stdout)
        # The five costliest, costliest first: 900 of 4500 cycles are 20 %.
        names = [line.split()[0] for line in run.stdout.splitlines() if line.startswith("  conv")]
        self.assertEqual(names, ["conv9", "conv8", "conv7", "conv6", "conv5"])
        self.assertIn("810       900  (20%)", run.stdout)

    def test_fails_if_a_line_is_wrong(self):
        outputs = np.load(FOLDER / "ppocr-cls-bf16.npy")
        outputs[3] = outputs[3, :, ::-1]
        run = self.demo(outputs)
        self.assertEqual(run.returncode, 1)
        self.assertIn("1 of 16 lines are classified WRONG", run.stderr)

    def test_fails_if_outputs_are_too_far(self):
        outputs = np.load(FOLDER / "ppocr-cls-expected.npy")
        outputs[5] *= 1.03
        run = self.demo(outputs)
        self.assertEqual(run.returncode, 1)
        self.assertIn("too far", run.stderr)

    def test_shows_why_a_tool_failed(self):
        run = self.demo(np.zeros((16, 1, 2)), compiler="echo no such op >&2; exit 2")
        self.assertEqual(run.returncode, 1)
        self.assertIn("no such op", run.stderr)
        self.assertIn("dojo-compile ended with status 2", run.stderr)


if __name__ == "__main__":
    unittest.main()
