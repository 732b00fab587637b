#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles a model, runs it on the emulated die and holds the outputs to the reference.

    run_models.py TOOLS MODELS CASE [KEEP]

TOOLS holds dojo-compile and dojo-run, MODELS what prepare.py made. Each case is a list of
(model, precision, mesh, dead positions, target, inputs): `all` inputs, or `one`. A target `silent`
is d1 with the dead positions in its file and no router forwarding at any disabled or dead position.
Prints a line per run: error, cycles, utilisation, bytes, seconds to compile and to emulate one
input. Leaves the images in KEEP, as MODEL.PRECISION.MESH.TARGET.NUMBER.d1. Fails if an output is too
far from the reference, a run beyond what MARKS allows the case, or the checks of a run (docs/checks.md)
have something to report; the large model is not checked.
"""
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMPARE = HERE.parent.parent / "scripts" / "models" / "compare.py"
INPUTS = {"digits": ("image", []), "ppocr-cls": ("x", ["--shape", "x=1x3x48x192"]),
          "ppocr-logits": ("x", ["--shape", "x=1x3x48x192"]), "resnet50": ("input", [])}
# Of resnet50 in bf16: cycles, bytes of the file, bytes of code and tables of a node, seconds.
MARKS = {"resnet50": {"cycles": 1_000_000, "file": 70_000_000, "program": 128 * 1024,
                      "compile": 60, "emulate": 120}}
DISABLED = {(1, 6), (4, 15), (7, 2), (10, 18), (13, 9), (16, 12)}


def dead_positions(seed: int) -> list[str]:
    """Six more positions that are dead, by seed."""
    positions = [(r, c) for r in range(18) for c in range(20) if (r, c) not in DISABLED]
    return [f"{r},{c}" for r, c in random.Random(seed).sample(positions, 6)]


def silent_target(path: Path, dead: list[str]) -> Path:
    """A target file: d1 with these positions dead, no disabled or dead router forwarding."""
    dead = sorted([int(x) for x in position.split(",")] for position in dead)
    silent = {"value": sorted([*map(list, DISABLED), *dead]), "unit": "row, column", "label": "X"}
    path.write_text(json.dumps({
        "format": "dojo-target-1", "name": "silent", "description": "Dead positions do not forward.",
        "base": "d1", "values": {"die.not_forwarding": silent}, "dead": dead}))
    return path


def explicit_routes(tools: Path, image: Path) -> int:
    """How many routes the image's table has."""
    dump = run([tools / "dojo-objdump", "--manifest", image], "routes").stdout
    return len(json.loads(dump)["routes"])


def cases(name: str):
    both = ("bf16", "fp32")
    if name == "digits":
        for precision in both:
            for mesh in ("1x1", "2x2", "4x5", ""):
                yield "digits", precision, mesh, [], "d1", "all"
    elif name == "digits-damaged":
        for seed in range(5):
            yield "digits", "bf16", "", dead_positions(seed), "d1", "all"
    elif name == "digits-silent":
        for precision in both:
            for seed in range(5):
                yield "digits", precision, "", dead_positions(seed), "silent", "one" if seed else "all"
        yield "ppocr-cls", "bf16", "", dead_positions(1), "silent", "one"
    elif name == "digits-pessimistic":
        for mesh in ("2x2", "4x5", ""):
            yield "digits", "bf16", mesh, [], "d1-pessimistic", "all"
    elif name == "ppocr":
        for precision in both:
            for mesh in ("2x2", "4x5", ""):
                yield "ppocr-cls", precision, mesh, [], "d1", "all"
            yield "ppocr-logits", precision, "", [], "d1", "all"
    elif name == "resnet50":
        yield "resnet50", "bf16", "", [], "d1", "all"
    elif name == "resnet50-fp32":
        yield "resnet50", "fp32", "", [], "d1", "one"
    else:
        sys.exit(f"no case is called '{name}'")


def run(command: list, where: str) -> subprocess.CompletedProcess:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{where}: {Path(command[0]).name} ended with status {done.returncode}\n"
                 f"{done.stdout}{done.stderr}")
    return done


def check(case, tools: Path, models: Path, keep, model, precision, mesh, dead, target, inputs) -> None:
    where = f"{model} {precision} {mesh or 'die'} {target}" + (f" without {' '.join(dead)}" if dead else "")
    name, options = INPUTS[model]
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "model.d1"
        machine = silent_target(Path(folder) / "target.json", dead) if target == "silent" else target
        command = [tools / "dojo-compile", models / f"{model}.onnx", "-o", image, "--precision",
                   precision, "--target", machine, *options]
        command += ["--nodes", mesh] if mesh else []
        for position in dead if target != "silent" else []:
            command += ["--dead", position]
        start = time.monotonic()
        run(command, where)
        compiled = time.monotonic() - start
        if target == "silent" and not explicit_routes(tools, image):
            sys.exit(f"{where}: no transfer has an explicit route")
        stem = f"{model}-one-input.npy" if inputs == "one" else f"{model}-input.npy"
        stats = Path(folder) / "stats.json"
        run([tools / "dojo-run", image, "--input", f"{name}={models / stem}", "--output-dir",
             Path(folder) / "out", "--stats", stats, "--threads", "2"], where)
        outputs = sorted((Path(folder) / "out").glob("*.npy"))
        if len(outputs) != 1:
            sys.exit(f"{where}: expected one output, found {len(outputs)}")
        done = run([sys.executable, COMPARE, models, model, outputs[0], "--precision", precision]
                   + (["--one"] if inputs == "one" else []), where)
        if model != "resnet50":
            run([tools / "dojo-run", image, "--input", f"{name}={models / model}-one-input.npy",
                 "--check", "memory,races"], where)
        figures = json.loads(stats.read_text())
        layers = [layer["emulated_cycles"] for layer in figures["layers"]]
        if sum(layers) != figures["cycles"]:
            sys.exit(f"{where}: layers' cycles sum to {sum(layers)}, not {figures['cycles']}")
        measured = {"cycles": figures["cycles"], "file": image.stat().st_size,
                    "program": figures["code_bytes"] + figures["table_bytes"], "compile": compiled,
                    "emulate": figures["wall_seconds"] / figures["runs"]}
        print(f"{where}: {done.stdout.strip()}; {measured['cycles']} cycles, "
              f"{100 * figures['utilization']:.2f} % of peak, file of {measured['file'] / 1e6:.1f} MB, "
              f"code and tables of {measured['program']} B, compiled in {compiled:.1f} s, emulated in "
              f"{measured['emulate']:.2f} s", flush=True)
        for what, most in MARKS.get(case, {}).items():
            if measured[what] > most:
                sys.exit(f"{where}: {what} is {measured[what]}, more than {most}")
        if keep:
            shutil.move(image, keep)


def check_refusal(tools: Path, models: Path, precision: str) -> None:
    """A model that is too large for its partition: by how much, and which layers."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "model.d1"
        done = subprocess.run([tools / "dojo-compile", models / "resnet50.onnx", "-o", image,
                               "--nodes", "4x5", "--precision", precision],
                              capture_output=True, text=True)
        said = all(part in done.stderr for part in ("bytes a node", "more than there are", "'layer4."))
        if done.returncode != 2 or not said or image.exists():
            sys.exit(f"resnet50 {precision} 4x5: status {done.returncode}, {done.stderr}")
        print(f"resnet50 {precision} 4x5: refused: {done.stderr.strip()}", flush=True)


def main() -> None:
    tools, models, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    keep = Path(sys.argv[4]) if len(sys.argv) > 4 else None
    if keep:
        shutil.rmtree(keep, ignore_errors=True)
        keep.mkdir(parents=True)
    for number, case in enumerate(cases(name)):
        model, precision, mesh, _, target, _ = case
        check(name, tools, models, keep and keep / f"{model}.{precision}.{mesh or 'die'}.{target}.{number}.d1", *case)
    if name.startswith("resnet50"):
        check_refusal(tools, models, "fp32" if name.endswith("fp32") else "bf16")


if __name__ == "__main__":
    main()
