#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every way from a model to an image ends in the same bytes.

    check_chain.py TOOLS MODELS FOLDER

For each case: dojo-compile at once, and again in another process; from the file that each --emit
level wrote; each pass of the pipeline alone, by dojo-opt on the file that the pass before printed;
all passes in dojo-opt on one host thread and on several. The list of passes is the one that
dojo-opt itself prints for the pipeline.
"""
import re
import shutil
import subprocess
import sys
from pathlib import Path

# Model, options of dojo-compile, options of the pipeline of the same meaning.
CASES = [
    ("digits", ["--nodes", "2x2"], "nodes=2x2"),
    ("digits", ["-O0", "--precision", "fp32", "--nodes", "1x2"],
     "opt-level=0 precision=fp32 nodes=1x2"),
    ("digits", ["--store", "fp32", "--target", "d1-pessimistic", "--nodes", "3x3", "--dead", "1,1"],
     "store=fp32 target=d1-pessimistic nodes=3x3 dead=1:1"),
]


def run(*command) -> subprocess.CompletedProcess:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\nended with status {done.returncode}\n{done.stderr}")
    return done


def closing(text: str, start: int) -> int:
    """Where the brace that opens at `start` closes."""
    depth = 0
    for i in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return i
    sys.exit("the options of a pass do not end")


def passes(dump: str) -> list[str]:
    """The pipelines of single passes of a pipeline that --dump-pass-pipeline printed."""
    text = dump[dump.index("builtin.module("):]
    result, nest, i = [], [], 0
    while i < len(text):
        if text[i] in " \n,":
            i += 1
        elif text[i] == ")":
            nest.pop()
            i += 1
            if not nest:
                return result
        else:
            name = re.match(r"[\w.-]+", text[i:]).group()
            i += len(name)
            if text[i] == "(":
                nest.append(name)
                i += 1
                continue
            if text[i] == "{":
                end = closing(text, i) + 1
                name += text[i:end]
                i = end
            result.append("(".join(nest) + f"({name}" + ")" * len(nest))
    sys.exit("the list of passes does not end")


def check(tools: Path, model: Path, options: list[str], pipeline: str, folder: Path) -> None:
    compile_, opt = tools / "dojo-compile", tools / "dojo-opt"
    where = f"{model.stem} {' '.join(options)}"
    whole = folder / "whole.d1"
    run(compile_, model, "-o", whole, *options)
    expected = whole.read_bytes()

    def same(image: Path, how: str) -> None:
        if image.read_bytes() != expected:
            sys.exit(f"{where}: {how} gives another image ({image}, {whole})")

    run(compile_, model, "-o", folder / "again.d1", *options)
    same(folder / "again.d1", "a second process")

    for level in ("import", "placed", "mesh", "d1", "asm"):
        file = folder / (f"{level}.s" if level == "asm" else f"{level}.mlir")
        run(compile_, model, "-o", file, "--emit", level, *options)
        # What was decided above the level stands in the file; options cannot change it.
        rest = options if level == "import" else [o for o in options if o == "-O0"]
        run(compile_, file, "-o", folder / "entered.d1", *rest)
        same(folder / "entered.d1", f"entry at the level {level}")
    run(tools / "dojo-as", folder / "asm.s", "-o", folder / "assembled.d1")
    same(folder / "assembled.d1", "dojo-as")

    dump = run(opt, f"--dojo-compile={pipeline}", "--dump-pass-pipeline", folder / "import.mlir",
               "-o", folder / "threads.mlir").stderr
    run(compile_, folder / "threads.mlir", "-o", folder / "threads.d1")
    same(folder / "threads.d1", "dojo-opt on several threads")
    run(opt, f"--dojo-compile={pipeline}", "--mlir-disable-threading", folder / "import.mlir", "-o",
        folder / "thread.mlir", "--mlir-print-debuginfo")
    run(compile_, folder / "thread.mlir", "-o", folder / "thread.d1")
    same(folder / "thread.d1", "dojo-opt on one thread")

    chain = passes(dump)
    if len(chain) < 10:
        sys.exit(f"{where}: found only {len(chain)} passes in\n{dump}")
    before = folder / "import.mlir"
    for i, step in enumerate(chain):
        after = folder / f"pass{i}.mlir"
        run(opt, f"--pass-pipeline={step}", "--mlir-print-debuginfo", before, "-o", after)
        before = after
    run(compile_, before, "-o", folder / "chain.d1")
    same(folder / "chain.d1", "the chain of single passes")
    print(f"{where}: {len(expected)} bytes, {len(chain)} passes one by one", flush=True)


def main() -> None:
    tools, models, folder = map(Path, sys.argv[1:])
    for i, (model, options, pipeline) in enumerate(CASES):
        shutil.rmtree(folder / str(i), ignore_errors=True)
        (folder / str(i)).mkdir(parents=True)
        check(tools, models / f"{model}.onnx", options, pipeline, folder / str(i))


if __name__ == "__main__":
    main()
