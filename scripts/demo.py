#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles the text-direction classifier of PP-OCR, runs it on the emulated die and shows the result.

    demo.py [--elapsed SECONDS] [--tools FOLDER] [--models FOLDER] [--out FOLDER]

scripts/demo runs it after scripts/setup, which makes the tools, the model, its inputs (16 lines of
text, upright and upside down) and onnxruntime's outputs for them. Ends with status 1 if a tool fails,
a line is classified wrong or an output is too far from onnxruntime's (compare.py has the rule).
"""
import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts/models"))
import compare
import make_ocr_inputs

MODEL = "ppocr-cls"
CLASSES = ("upright", "upside down")
COSTLIEST = 5
TICK_SECONDS = 1 if sys.stdout.isatty() else 10


class Failure(Exception):
    pass


class Stages:
    """Runs commands one after the other and says how long since the start."""

    def __init__(self, elapsed: float, log: Path):
        self.start = time.monotonic() - elapsed
        self.log = log
        self.log.write_text("")

    def say(self, text: str, end: str = "\n") -> None:
        print(f"[{time.monotonic() - self.start:5.0f} s] {text}", end=end, flush=True)

    def run(self, title: str, command: list) -> float:
        """Output goes to the log. Gives the seconds it took."""
        self.say(title)
        began = time.monotonic()
        with self.log.open("a") as log:
            log.write(f"== {' '.join(map(str, command))}\n")
            log.flush()
            try:
                process = subprocess.Popen(command, stdout=log, stderr=log)
            except OSError as error:
                raise Failure(f"cannot run {command[0]}: {error.strerror}") from error
            try:
                while True:
                    try:
                        status = process.wait(TICK_SECONDS)
                        break
                    except subprocess.TimeoutExpired:
                        self.tick()
            except BaseException:
                process.kill()
                process.wait()
                raise
        if sys.stdout.isatty():
            print("\r\033[K", end="")
        if status != 0:
            tail = self.log.read_text(errors="replace").splitlines()[-30:]
            raise Failure("\n".join([*tail, f"{Path(command[0]).name} ended with status {status}; "
                                            f"docs/errors.md says what that means"]))
        return time.monotonic() - began

    def tick(self) -> None:
        if sys.stdout.isatty():
            self.say("  ...", end="\r")
        else:
            self.say("  ...")


def print_predictions(got: np.ndarray, expected: np.ndarray, labels: np.ndarray) -> int:
    """The table of inputs; gives the number of wrong predictions."""
    texts = [line[0] for line in make_ocr_inputs.LINES] * 2
    wrong = 0
    print(f"\n  {'line of text':14}{'rendered':13}{'predicted':13}{'score':>7}{'onnxruntime':>13}")
    for text, label, scores, reference in zip(texts, labels, got, expected, strict=True):
        best = int(scores.argmax())
        wrong += best != label
        print(f"  {text:14}{CLASSES[label]:13}{CLASSES[best]:13}{scores[best]:7.4f}"
              f"{reference[best]:13.4f}{'' if best == label else '   WRONG'}")
    print(f"  {len(labels) - wrong} of {len(labels)} right")
    return wrong


def shorten(text: str, width: int) -> str:
    return text if len(text) <= width else text[:width - 3] + "..."


def print_layers(layers: list[dict], cycles: int) -> None:
    costliest = sorted(layers, key=lambda layer: -layer["emulated_cycles"])[:COSTLIEST]
    print(f"\n  {f'the {COSTLIEST} costliest layers':32}{'op':16}{'plan':>14}"
          f"{'estimated':>11}{'emulated':>10}  cycles")
    for layer in costliest:
        name = shorten(" ".join(layer["onnx"]) or "-", 30)
        print(f"  {name:32}{shorten(layer['op'], 15):16}{layer['plan']:>14}"
              f"{layer['estimated_cycles']:11,.0f}{layer['emulated_cycles']:10,}"
              f"  ({layer['emulated_cycles'] / cycles:.0%})")
    estimated = sum(layer["estimated_cycles"] for layer in layers)
    print(f"  {f'all {len(layers)}':62}{estimated:11,.0f}{cycles:10,}")


def print_facts(stats: dict, target: dict, verdict: compare.Verdict, whole: float) -> None:
    values = target["values"]
    labels = [value["label"] for value in values.values()]
    cycles, clock = stats["cycles"], stats["clock_hz"]
    facts = [
        ("outputs", f"relative L2 to onnxruntime {whole:.1e} over all inputs, {verdict.worst:.1e} for "
                    f"the worst (allowed {verdict.allowed:.1e})"),
        ("cycles", f"{cycles:,} for an input: {cycles * 1e6 / clock:.2f} us at {clock / 1e9:g} GHz"),
        ("utilisation", f"{stats['utilization']:.2%} of the matrix units of all usable nodes, "
                        f"{stats['model_macs']:,} MACs"),
        ("nodes used", f"{stats['nodes_used']} of {values['die.usable_nodes']['value']}"),
        ("SRAM", f"peak {stats['sram_peak_bytes']:,} bytes of {values['sram.bytes']['value']:,} on the "
                 f"fullest node, lower bound {stats['sram_lower_bound_bytes']:,}"),
        ("D1", f"of {len(labels)} values of the machine {labels.count('D')} are documented, "
               f"{labels.count('I')} inferred, {labels.count('X')} invented (docs/targets.md)"),
    ]
    print()
    for name, text in facts:
        print(f"  {name:13}{text}")


def demo(arguments: argparse.Namespace) -> None:
    out, models = arguments.out, arguments.models
    out.mkdir(parents=True, exist_ok=True)
    stages = Stages(arguments.elapsed, out / "log.txt")
    about = json.loads((models / "models.json").read_text())[MODEL]
    target = json.loads((ROOT / "targets/d1.json").read_text())
    image, stats_file = out / f"{MODEL}.d1", out / "stats.json"
    shape = "x".join(map(str, about["input_shape"]))

    compiled = stages.run(
        f"Compiling {MODEL}.onnx for {target['values']['die.usable_nodes']['value']} nodes, bf16",
        [arguments.tools / "dojo-compile", models / f"{MODEL}.onnx", "--shape",
         f"{about['input']}={shape}", "-o", image])
    emulated = stages.run(
        f"Running it on the emulated die on {about['slices']} lines of text",
        [arguments.tools / "dojo-run", image, "--input",
         f"{about['input']}={models / f'{MODEL}-input.npy'}", "--output-dir", out / "outputs",
         "--stats", stats_file])
    stages.say(f"Done: compiled in {compiled:.1f} s, emulated in {emulated:.1f} s")

    stats = json.loads(stats_file.read_text())
    expected, bf16, labels = (np.load(models / f"{MODEL}-{what}.npy")
                              for what in ("expected", "bf16", "labels"))
    got = np.load(stats["outputs"][about["output"]])
    verdict = compare.compare(got, expected, bf16, "bf16")
    wrong = print_predictions(got.reshape(len(labels), -1), expected.reshape(len(labels), -1), labels)
    print_facts(stats, target, verdict, float(compare.relative_l2(got[None], expected[None])[0]))
    print_layers(stats["layers"], stats["cycles"])
    if wrong:
        raise Failure(f"{wrong} of {len(labels)} lines are classified WRONG")
    if not verdict.ok:
        raise Failure(f"the outputs are too far from onnxruntime's: {verdict}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--elapsed", type=float, default=0, help="seconds already gone")
    for name, default in (("tools", "build/bin"), ("models", "build/models"), ("out", "build/demo")):
        parser.add_argument(f"--{name}", type=Path, default=Path(default))
    try:
        demo(parser.parse_args())
    except Failure as failure:
        print(f"\nscripts/demo: FAILED\n{failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
