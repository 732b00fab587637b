# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Micro-benchmarks of the machine: what the files of programs/ say of themselves, and their runs.

A program is assembly (docs/assembly.md) with two additions, so that one text gives runs that differ by
a known count: `{expression}` stands for its value in Python, of the settings of a run, and the lines
from `.repeat NAME COUNT` to `.endr` are repeated with NAME = 0, 1, ... Lines of comment that begin with
`#:` say what is measured:

    #: measures KEY ...          values of the target file, all equal to what is measured
    #: rule TEXT                 the rule that is measured, for docs/timing.md
    #: label D|I|X               of the rule; absent: those of the values
    #: machine RxC               part of the die (1x1 if absent)
    #: only KEY                  nothing to measure on a target whose flag KEY is not set
    #: each NAME = A ; B ...     the program is measured once with each text for {NAME}; several such
                                 lines change together
    #: run NAME SETTING=N ...    one run, N an expression, also of values of the target. NAME is then its
                                 cycles: of the whole run, or where a program has a layer "probe", up to
                                 the end of that layer; None after a fault
    #: value EXPRESSION          what is measured, from the names of runs and of what is searched
    #: search NAME LO HI STEP    instead: the greatest setting NAME for which EXPRESSION holds
    #: expect EXPRESSION         of values of the target file; absent: the value of the first KEY
    #: change N                  the values in the test of changed targets (absent: one more); `change
                                 none` where the emulator has one value only
"""
import json
import re
import subprocess
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

HERE = Path(__file__).resolve().parent
KEY = re.compile(r"\b[a-z]+\.[a-z_]+[a-z0-9_]*\b")


class Wrong(Exception):
    """A program that does not say what it must, or does not assemble."""


@dataclass
class Program:
    path: Path
    text: str
    measures: list = field(default_factory=list)
    rule: str = ""
    label: str = ""
    machine: str = "1x1"
    only: str = ""
    each: dict = field(default_factory=dict)
    runs: dict = field(default_factory=dict)
    value: str = ""
    search: tuple = ()
    expect: str = ""
    change: str = ""

    @property
    def name(self) -> str:
        return self.path.stem


def read(path: Path) -> Program:
    program = Program(path, path.read_text())
    for line in program.text.splitlines():
        if not line.startswith("#:"):
            continue
        word, _, rest = line[2:].strip().partition(" ")
        rest = rest.strip()
        if word == "measures":
            program.measures = rest.split()
        elif word == "run":
            name, *settings = rest.split()
            program.runs[name] = dict(setting.split("=") for setting in settings)
        elif word == "each":
            name, _, texts = rest.partition(" = ")
            program.each[name] = [text.strip() for text in texts.split(";")]
        elif word == "search":
            name, *numbers = rest.split()
            program.search = (name, *map(int, numbers))
        elif word == "rule":
            program.rule = f"{program.rule} {rest}".strip()
        elif word in ("label", "machine", "only", "value", "expect", "change"):
            setattr(program, word, rest)
        else:
            raise Wrong(f"{path}: '#: {word}' is not known")
    if not (program.rule and program.runs and program.value and (program.measures or program.expect)):
        raise Wrong(f"{path}: lacks a rule, a run, a value or what it measures")
    if not program.measures and not program.label:
        raise Wrong(f"{path}: a rule without a value of the target needs a label")
    if not program.expect:
        program.expect = program.measures[0]
    return program


def programs() -> list[Program]:
    return [read(path) for path in sorted((HERE / "programs").glob("*.s"))]


def evaluate(expression: str, names: dict):
    return eval(expression, {"__builtins__": {}}, names)  # Expressions are those of programs/.


def expand(lines: list[str], settings: dict) -> list[str]:
    """The assembly of one run. Settings that a run does not name are 0."""
    def put(text: str) -> str:
        return re.sub(r"\{([^}]*)\}", lambda m: str(evaluate(m[1], defaultdict(int, settings))), text)

    out, at = [], 0
    while at < len(lines):
        words = lines[at].split(maxsplit=2)
        at += 1
        if words[:1] != [".repeat"]:
            out.append(put(lines[at - 1]))
            continue
        begin, depth = at, 1
        while depth:
            depth += {".repeat": 1, ".endr": -1}.get((lines[at].split() or [""])[0], 0)
            at += 1
        for i in range(int(put(words[2]))):
            out += expand(lines[begin:at - 1], {**settings, words[1]: i})
    return out


class Machine:
    """Runs programs with a target: a built-in name or the path of a file, and its values."""

    def __init__(self, tools: Path, target: str, values: dict):
        self.tools, self.target, self.values = Path(tools), target, values

    def assemble(self, program: Program, lines: list[str], image: Path) -> None:
        text = "\n".join([f".target {self.target} {program.machine}", *lines, ""])
        done = subprocess.run([self.tools / "dojo-as", "-", "-o", image], input=text, text=True,
                              capture_output=True, timeout=60)
        if done.returncode:
            raise Wrong(f"{program.path}: does not assemble\n{done.stderr}")

    def run(self, program: Program, image: Path, engine: str):
        stats = image.with_suffix(".json")
        done = subprocess.run([self.tools / "dojo-run", image, "--threads", "1", "--engine", engine, "--stats", stats],
                              text=True, capture_output=True, timeout=60)
        if done.returncode == 4 and "None" in program.value:
            return None
        if done.returncode:
            raise Wrong(f"{program.path}: fails\n{done.stderr}")
        record = json.loads(stats.read_text())
        layers = record["layers"]
        probe = layers and layers[0]["onnx"] == ["probe"]
        return Fraction(int(layers[0]["emulated_cycles"] if probe else record["cycles"]))

    def cycles(self, program: Program, source: str, settings: dict):
        """Of the run with these settings, in which both engines must agree."""
        lines = [line for line in source.splitlines() if not line.startswith("#")]
        with tempfile.TemporaryDirectory() as folder:
            image = Path(folder) / "a.d1"
            self.assemble(program, expand(lines, settings), image)
            plain, fast = (self.run(program, image, engine) for engine in ("plain", "fast"))
        if plain != fast:
            raise Wrong(f"{program.path}: {plain} cycles with --engine plain, {fast} with fast, for {settings}")
        return plain

    def value(self, program: Program, texts: dict, searched: dict):
        def chosen(source: str) -> str:
            for name, text in texts.items():
                source = source.replace(f"{{{name}}}", text)
            return source

        source, times = chosen(program.text), {}
        for name, settings in program.runs.items():
            values = {key: int(of_target(chosen(value), self.values, searched)) for key, value in settings.items()}
            times[name] = self.cycles(program, source, {**searched, **values})
        return evaluate(chosen(program.value), {**searched, **times})

    def measure(self, program: Program, expected) -> list:
        """The measured values, one for each text of `each`."""
        found = []
        for choice in zip(*program.each.values()) if program.each else [()]:
            texts = dict(zip(program.each, choice))
            if not program.search:
                found.append(self.value(program, texts, {}))
                continue
            name, low, high, step = program.search

            def holds(n: int) -> bool:
                return low <= n <= high and bool(self.value(program, texts, {name: n}))

            if holds(int(expected)) and not holds(int(expected) + step):
                found.append(expected)
                continue
            while high - low > step:  # The condition holds up to some number and not above it.
                middle = low + (high - low) // 2 // step * step
                low, high = (middle, high) if holds(middle) else (low, middle)
            found.append(low)
        return found


def load(path: Path, folder: Path) -> dict:
    """The values of a target file with those of its base: key to {value, unit, label}."""
    target = json.loads(path.read_text())
    base = load(folder / f"{target['base']}.json", folder) if "base" in target else {}
    return {**base, **target["values"]}


def of_target(expression: str, values: dict, names: dict):
    """The value of an expression in which keys of the target file stand for their values."""
    names = dict(names)

    def name_of(match):
        name, value = match[0].replace(".", "_"), values[match[0]]["value"]
        names[name] = Fraction(value) if isinstance(value, int) and not isinstance(value, bool) else value
        return name

    return evaluate(KEY.sub(name_of, expression), names)


def expectation(program: Program, values: dict):
    return of_target(program.expect, values, {})


def applies(program: Program, values: dict) -> bool:
    return not program.only or bool(values[program.only]["value"])
