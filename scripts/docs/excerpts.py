#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes a page of a template whose lines `@excerpt FILE: TEXT` stand for pieces of sources.

    excerpts.py OUT.md TEMPLATE ROOT

A piece begins with the line of FILE that begins with TEXT and with the comment before it. If that line
ends a table entry ("},"), it is the line alone, else the piece ends before the first empty line that is
followed by a line without indentation.
"""
import sys
from pathlib import Path

MARK = "@excerpt "


def piece(root: Path, mark: str) -> list[str]:
    file, _, text = mark.removeprefix(MARK).partition(": ")
    lines = (root / file).read_text().splitlines()
    found = [i for i, line in enumerate(lines) if line.strip().startswith(text)]
    if len(found) != 1:
        raise SystemExit(f"{file}: {len(found)} lines begin with '{text}', not one")
    first = last = found[0]
    if lines[first].endswith("},"):
        return [lines[first].strip()]
    while lines[first - 1].startswith(("///", "//", "#")):
        first -= 1
    while last + 1 < len(lines) and (lines[last].strip() or lines[last + 1].startswith((" ", "\t"))):
        last += 1
    return [line for line in lines[first:last + 1]] if lines[last].strip() else lines[first:last]


def main() -> int:
    out, template, root = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    lines = []
    for line in template.read_text().splitlines():
        lines += piece(root, line) if line.startswith(MARK) else [line]
    Path(out).write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
