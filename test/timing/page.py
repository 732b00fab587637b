#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes docs/timing.md: a text whose lines `@measured@`, `@rules@` and `@untimed@` become tables,
of the programs here and the target files.

    page.py OUT TEXT TARGETS
"""
import sys
from pathlib import Path

from programs import load, programs
from untimed import reason


def text_of(value) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def source(program) -> str:
    return f"[{program.name}](../test/timing/programs/{program.name}.s)"


def measured(values: dict, pessimistic: dict) -> list[str]:
    order = list(values)
    lines = ["| value | `d1` | `d1-pessimistic` | rule | label | measured by |", "|---|---|---|---|---|---|"]
    for program in sorted((p for p in programs() if p.measures), key=lambda p: order.index(p.measures[0])):
        first = program.measures[0]
        keys = ", ".join(f"`{key}`" for key in program.measures)
        label = program.label or ", ".join(dict.fromkeys(values[key]["label"] for key in program.measures))
        lines.append(f"| {keys} | {text_of(values[first]['value'])} | {text_of(pessimistic[first]['value'])} | "
                     f"{program.rule} | {label} | {source(program)} |")
    return lines


def rules() -> list[str]:
    return ["| rule | label | measured by | must give |", "|---|---|---|---|",
            *(f"| {p.rule} | {p.label} | {source(p)} | `{p.expect}` |" for p in programs() if not p.measures)]


def untimed(values: dict) -> list[str]:
    groups: dict[str, list[str]] = {}
    for key in values:
        if reason(key):
            groups.setdefault(reason(key), []).append(f"`{key}` {values[key]['label']}")
    return ["| values, labels | why |", "|---|---|",
            *(f"| {', '.join(keys)} | {why} |" for why, keys in groups.items())]


def main(out: str, text: str, folder: str) -> None:
    values, pessimistic = (load(Path(folder) / f"{name}.json", Path(folder)) for name in ("d1", "d1-pessimistic"))
    lines = []
    for line in Path(text).read_text().splitlines():
        lines += {"@measured@": lambda: measured(values, pessimistic),
                  "@rules@": rules,
                  "@untimed@": lambda: untimed(values)}.get(line, lambda line=line: [line])()
    Path(out).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
