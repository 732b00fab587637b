#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes docs/errors.md from the sources: statuses of the tools, fault classes of the machine.

    errors.py OUT SOURCE_ROOT
"""
import re
import sys
from pathlib import Path

STATUSES = {
    0: "done", 1: "the command line makes no sense, or an output cannot be written",
    2: "the model or source is malformed or cannot be compiled, every reason is listed; "
       "`dojo-bench`: a mark is exceeded",
    3: "the image or a run-time input is bad", 4: "a fault on the machine, see below, or reports of `--check`",
    5: "the outputs differ from what was expected",
}
INTRODUCTION = """\
# Errors

Generated from the sources by `scripts/docs/errors.py`; `ninja -C build update-docs` renews it.

## Statuses of the tools

On 1 to 4 no output file is left: outputs are written aside and renamed at the end.
"""
FAULTS = """\
## Faults of the machine

A fault stops the run with status 4. Its message names the class, node, thread, program counter, cycle
(with timing on) and the layer with its ONNX nodes. The numbers are stable;
`include/dojo/Emulator/Machine.h` declares them.

| class | name | |
|---|---|---|
"""


def statuses(root: Path) -> dict[str, dict[int, str]]:
    """What each tool says of its statuses: '... Status: 0 ok, 1 usage, ...' up to the full stop."""
    found = {}
    for tool in sorted((root / "tools").iterdir()):
        for file in sorted(tool.glob("*.cpp")):
            text = re.sub(r"\n// ?", " ", file.read_text())
            for match in re.finditer(r"\bStatus:? (0 [^.]*)\.", text):
                if tool.name in found:
                    sys.exit(f"{file}: the statuses of {tool.name} are described twice")
                parts = re.split(r", (?=\d )", match[1])
                found[tool.name] = {int(p.split(" ", 1)[0]): p.split(" ", 1)[1] for p in parts}
    return found


def faults(root: Path) -> list[tuple[int, str, str]]:
    header = (root / "include/dojo/Emulator/Machine.h").read_text()
    body = re.search(r"enum class FaultClass[^{]*\{(.*?)\};", header, re.DOTALL)[1]
    names = dict(re.findall(r'case FaultClass::(\w+):\s*return "([^"]+)";',
                            (root / "runtime/emulator/Machine.cpp").read_text()))
    rows = []
    for line in body.strip().splitlines():
        match = re.fullmatch(r"\s*(\w+) = (\d+),\s*///< (.*)", line)
        if not match:
            sys.exit(f"FaultClass: '{line.strip()}' has no number or no comment")
        rows.append((int(match[2]), names[match[1]], match[3]))
    return rows


def main(out: str, source_root: str) -> None:
    root = Path(source_root)
    tools = statuses(root)
    unknown = {s for table in tools.values() for s in table} - STATUSES.keys()
    if unknown:
        sys.exit(f"tools use statuses without a meaning here: {sorted(unknown)}")
    text = INTRODUCTION + "\n| status | | tools |\n|---|---|---|\n"
    for status, meaning in STATUSES.items():
        users = [f"`{tool}`" for tool, table in tools.items() if status in table]
        text += f"| {status} | {meaning} | {', '.join(users)} |\n"
    text += "\n" + FAULTS
    for number, name, meaning in faults(root):
        text += f"| {number} | {name} | {meaning} |\n"
    Path(out).write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
