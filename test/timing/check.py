#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures the machine from inside and holds what is measured to the target files.

    check.py TOOLS FOLDER [--changed] [--only WORD] [--show] [TARGET...]

Without --changed: every value and rule on each TARGET (d1 and d1-pessimistic). With it: for every
measured value a target that differs from d1 in what the program measures; the measurement must then give
the changed value, so it can fail; and values that have one form only are refused in another. --show prints
every measurement.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from programs import Machine, Wrong, applies, expectation, load, programs
from untimed import FORM, reason


def plain(value) -> str:
    return str(value) if not hasattr(value, "denominator") or value.denominator == 1 else f"{float(value):.4g}"


def compare(machine: Machine, program, expected) -> str:
    """One line of result, with FAIL where the measurement is another than expected."""
    try:
        found = machine.measure(program, expected)
    except Wrong as error:
        return f"FAIL {program.name}: {error}"
    word = "ok  " if all(value == expected for value in found) else "FAIL"
    shown = ", ".join(sorted({plain(value) for value in found}))
    return f"{word} {program.name}: measured {shown}, expected {plain(expected)} ({program.expect})"


def check(tools: Path, folder: Path, name: str, chosen: list) -> list[str]:
    values = load(folder / f"{name}.json", folder)
    chosen = [program for program in chosen if applies(program, values)]
    for program in chosen:  # All values of one measurement are one value.
        first, *rest = [values[key]["value"] for key in program.measures] or [None]
        if any(other != first for other in rest):
            return [f"FAIL {program.name}: {', '.join(program.measures)} differ in {name}"]
    machine = Machine(tools, str(folder / f"{name}.json"), values)
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda p: compare(machine, p, expectation(p, values)), chosen))


def changed_value(program, value):
    if program.change:
        return int(program.change)
    return not value if isinstance(value, bool) else value + 1


class Changed:
    """Files of targets that are d1 but for some values."""

    def __init__(self, folder: Path, scratch: Path):
        self.values, self.scratch = load(folder / "d1.json", folder), scratch

    def with_values(self, name: str, new: dict) -> tuple[Path, dict]:
        changed = {key: {**self.values[key], "value": value} for key, value in new.items()}
        file = self.scratch / f"{name}.json"
        file.write_text(json.dumps({"format": "dojo-target-1", "name": "changed", "base": "d1",
                                    "description": "d1, other values.", "values": changed}))
        return file, {**self.values, **changed}


def check_changed(tools: Path, folder: Path, chosen: list, scratch: Path) -> list[str]:
    changed = Changed(folder, scratch)

    def one(program) -> str:
        old = changed.values
        new = {key: changed_value(program, old[key]["value"]) for key in program.measures}
        if new.keys() & {"node.decode_threads", "node.decode_per_thread"}:  # What a node decodes is their product.
            figures = {key: entry["value"] for key, entry in old.items()} | new
            new["node.decode"] = figures["node.decode_threads"] * figures["node.decode_per_thread"]
        file, values = changed.with_values(program.name, new)
        return compare(Machine(tools, str(file), values), program, expectation(program, values))

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, [p for p in chosen if p.measures and p.change != "none"]))


def check_fixed(tools: Path, folder: Path, scratch: Path) -> list[str]:
    """A value that the machine has in one form only is refused in another, so no file says what the
    emulator does not do."""
    changed = Changed(folder, scratch)
    several = [p.measures[1:] if p.change != "none" else p.measures for p in programs()]
    fixed = [key for keys in several for key in keys] + [key for key in changed.values if reason(key) == FORM]
    lines = []
    for key in fixed:
        value = changed.values[key]["value"]
        if isinstance(value, list):
            continue
        file, _ = changed.with_values(key, {key: not value if isinstance(value, bool) else value + 1})
        text = f".target {file} 1x1\n.node @0:0\n.thread 0\nhalt\n"
        done = subprocess.run([tools / "dojo-as", "-", "-o", scratch / "fixed.d1"], input=text, text=True,
                              capture_output=True, timeout=60)
        refused = done.returncode == 2 and f'value "{key}" must be' in done.stderr
        lines.append(f"{'ok  ' if refused else 'FAIL'} {key}: another value is {'' if refused else 'not '}refused")
    return lines


def uncovered(folder: Path) -> list[str]:
    """Every value of the machine is measured or has a reason why not, never both."""
    measured = {key for program in programs() for key in program.measures}
    lines = []
    for key in load(folder / "d1.json", folder):
        if (key in measured) == bool(reason(key)):
            lines.append(f"FAIL {key}: measured {key in measured}, untimed.py says '{reason(key)}'")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("tools", type=Path)
    parser.add_argument("folder", type=lambda text: Path(text).resolve())
    parser.add_argument("targets", nargs="*", default=["d1", "d1-pessimistic"])
    parser.add_argument("--changed", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    chosen = [program for program in programs() if options.only in program.name]
    failed = total = 0
    if options.changed:
        with tempfile.TemporaryDirectory() as scratch:
            results = {"changed": check_changed(options.tools, options.folder, chosen, Path(scratch))}
            if not options.only:
                results["fixed"] = check_fixed(options.tools, options.folder, Path(scratch))
    else:
        results = {name: check(options.tools, options.folder, name, chosen) for name in options.targets}
        if not options.only:
            results["all values"] = uncovered(options.folder)
    for name, lines in results.items():
        for line in lines:
            total += 1
            failed += line.startswith("FAIL")
            if options.show or line.startswith("FAIL"):
                print(f"{name}: {line}")
    print(f"{total} measurements, {failed} differ")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
