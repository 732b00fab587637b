#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes docs/targets.md, the table of the machine, from target files.

    targets.py OUT BASE.json VARIANT.json...
"""
import json
import sys
from pathlib import Path

LABELS = {"D": "documented", "I": "inferred", "X": "invented"}
GROUPS = {
    "die": "Die", "node": "Node: fetch, decode, control", "scalar": "Scalar side",
    "vector": "Vector side", "matrix": "Matrix unit", "sram": "SRAM", "mesh": "Mesh",
    "sync": "Synchronisation", "edge": "Edge of the die", "dip": "Interface processor and host",
}
INTRODUCTION = """\
# The machine

Generated from `targets/*.json` by `scripts/docs/targets.py`; `ninja -C build update-docs` renews it.

Every number that the compiler and the emulator use of the machine is a value of a target file; code
keeps no copy. Each has a label: **D** documented (stated by Tesla or by press on Tesla's talks),
**I** inferred from such figures, **X** invented, on the cautious side. The instruction set has labels
of its own, see [isa.md](isa.md). A file of another machine is passed with `--target FILE`; with a
`base` it lists only what differs. [timing.md](timing.md) has the rules that use them and measures them from inside the machine.
"""


def text_of(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        items = [f"({', '.join(map(str, v))})" if isinstance(v, list) else str(v) for v in value]
        return ", ".join(items) or "none"
    return str(value)


def unit_of(entry: dict) -> str:
    return "" if entry["unit"] == "flag" else entry["unit"]


def counts(values: dict) -> str:
    number = {label: sum(v["label"] == label for v in values.values()) for label in LABELS}
    return ", ".join(f"{number[label]} {word}" for label, word in LABELS.items())


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def base_page(target: dict) -> list[str]:
    values = target["values"]
    lines = [f"## `{target['name']}`", "", target["description"], "",
             f"{len(values)} values: {counts(values)}."]
    groups: dict[str, list[str]] = {}
    for key in values:
        groups.setdefault(key.split(".")[0], []).append(key)
    for group, keys in groups.items():
        lines += ["", f"### {GROUPS.get(group, group.capitalize())}", "",
                  "| value | | unit | label | note |", "|---|---|---|---|---|"]
        for key in keys:
            entry = values[key]
            lines.append(f"| `{key}` | {cell(text_of(entry['value']))} | {cell(unit_of(entry))} | "
                         f"{entry['label']} | {cell(entry.get('note', ''))} |")
    return lines


def variant_page(target: dict, base: dict) -> list[str]:
    lines = [f"## `{target['name']}`", "", target["description"], "",
             f"| value | `{target['name']}` | `{base['name']}` | unit | label | note |",
             "|---|---|---|---|---|---|"]
    for key, entry in target["values"].items():
        lines.append(f"| `{key}` | {cell(text_of(entry['value']))} | "
                     f"{cell(text_of(base['values'][key]['value']))} | {cell(unit_of(entry))} | "
                     f"{entry['label']} | {cell(entry.get('note', ''))} |")
    return lines


def main(out: str, base_file: str, *variant_files: str) -> None:
    base = json.loads(Path(base_file).read_text())
    sections = [INTRODUCTION.rstrip(), "\n".join(base_page(base))]
    for file in variant_files:
        target = json.loads(Path(file).read_text())
        if target["base"] != base["name"]:
            sys.exit(f"{file}: its base is {target['base']}, not {base['name']}")
        sections.append("\n".join(variant_page(target, base)))
    Path(out).write_text("\n\n".join(sections) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
