#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs that are stopped, or killed, and resumed from a snapshot: the same bytes, cycles, counters and
faults as one that goes through, whichever engine and host threads come before and after.

    check_snapshots.py TOOLS MODELS FOLDER
"""
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from bench import Bench

IGNORED = ("wall_seconds", "load_seconds", "outputs", "runs")
WAYS = [("plain", "1"), ("fast", "1"), ("plain", "2"), ("fast", "2")]


def figures(bench: Bench, name: str) -> dict:
    record = json.loads((bench.folder / name).read_text())
    return {key: value for key, value in record.items() if key not in IGNORED}


class Program:
    """An image with its input, and what a run without a stop gives."""

    def __init__(self, bench: Bench, image: str, inputs: list, output: str):
        self.bench, self.image, self.inputs, self.output = bench, image, inputs, output
        bench.run(0, "dojo-run", image, *inputs, "--output-dir", "whole", "--stats", "whole.json")
        self.bytes = (bench.folder / "whole" / output).read_bytes()
        self.figures = figures(bench, "whole.json")
        self.cycles = self.figures["cycles"]

    def resume(self, what: str, way: tuple) -> None:
        self.bench.run(0, "dojo-run", self.image, "--resume", "s.snap", "--engine", way[0], "--threads", way[1],
                       "--output-dir", "rest", "--stats", "rest.json")
        self.bench.hold((self.bench.folder / "rest" / self.output).read_bytes() == self.bytes,
                        f"{what}: outputs differ")
        self.bench.hold(figures(self.bench, "rest.json") == self.figures, f"{what}: figures differ")


def stops(bench: Bench, program: Program) -> None:
    for i, part in enumerate((0.003, 0.2, 0.45, 0.7, 0.995)):
        at = max(1, int(program.cycles * part))
        states = []
        for engine, threads in WAYS:
            bench.run(0, "dojo-run", program.image, *program.inputs, "--until", str(at), "--snapshot", "s.snap",
                      "--engine", engine, "--threads", threads, says=f"stopped after cycle {at}\n")
            states.append((bench.folder / "s.snap").read_bytes())
        bench.hold(all(state == states[0] for state in states), f"snapshots of cycle {at} differ")
        program.resume(f"cycle {at}", WAYS[i % 4])
    # From stop to stop, and with jitter.
    bench.run(0, "dojo-run", program.image, *program.inputs, "--until", "300", "--snapshot", "s.snap")
    for at in range(600, min(program.cycles, 1500), 300):
        bench.run(0, "dojo-run", program.image, "--resume", "s.snap", "--until", str(at), "--snapshot", "s.snap",
                  says=f"stopped after cycle {at}\n")
    program.resume("several stops", WAYS[3])
    bench.run(0, "dojo-run", program.image, *program.inputs, "--jitter", "5", "--stats", "whole.json")
    bench.run(0, "dojo-run", program.image, *program.inputs, "--jitter", "5", "--until", "700", "--snapshot", "j.snap")
    bench.run(0, "dojo-run", program.image, "--resume", "j.snap", "--stats", "rest.json")
    bench.hold(figures(bench, "rest.json") == figures(bench, "whole.json"), "with jitter")


def kills(bench: Bench, program: Program) -> None:
    """Kills runs at any time after their first snapshot. As they write one after every cycle, most of their
    time passes then, on a host of any speed."""
    snapshot = bench.folder / "s.snap"
    generator = random.Random(1)
    often = [*program.inputs, "--snapshot", "s.snap", "--snapshot-every", "1"]
    start = time.monotonic()
    bench.run(0, "dojo-run", program.image, *often)
    whole = time.monotonic() - start
    killed = 0
    for i in range(8):
        snapshot.unlink(missing_ok=True)
        way = WAYS[i % 4]
        run = subprocess.Popen([bench.tools / "dojo-run", program.image, *map(str, often), "--engine", way[0],
                                "--threads", way[1]], cwd=bench.folder, stdout=subprocess.DEVNULL)
        while run.poll() is None and not snapshot.exists():
            time.sleep(0.001)
        time.sleep(generator.random() * 0.8 * whole)
        run.send_signal(signal.SIGKILL)
        killed += run.wait() == -signal.SIGKILL
        program.resume("a run that was killed", WAYS[(i + 3) % 4])
        for left in bench.folder.glob("*.part"):
            left.unlink()
    bench.hold(killed >= 4, f"only {killed} runs were killed in time")


def faults(bench: Bench, program: Program) -> None:
    at = program.cycles // 2
    limit = ["--max-cycles", str(at)]
    whole = bench.run(4, "dojo-run", program.image, *program.inputs, *limit)
    bench.run(0, "dojo-run", program.image, *program.inputs, *limit, "--until", str(at // 2), "--snapshot", "s.snap")
    rest = bench.run(4, "dojo-run", program.image, "--resume", "s.snap", *limit)
    bench.hold(whole.splitlines()[1:] == rest.splitlines()[1:] and "watchdog" in rest, "the fault differs")
    # A run that ends before the stop writes no snapshot.
    bench.run(0, "dojo-run", program.image, *program.inputs, "--until", str(2 * program.cycles), "--snapshot", "n.snap",
              says="cycles")
    bench.hold(not (bench.folder / "n.snap").exists(), "a snapshot of a run that has ended")


def main() -> None:
    tools, models, folder = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    bench = Bench(tools, folder)
    bench.run(0, "dojo-compile", models / "digits.onnx", "-o", "d.d1", "--nodes", "2x2")
    program = Program(bench, "d.d1", ["--input", "image=random:1"], "scores.npy")
    stops(bench, program)
    kills(bench, program)
    faults(bench, program)
    print(f"{bench.checks} checks")


if __name__ == "__main__":
    main()
