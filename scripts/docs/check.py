#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks the documentation: links lead to files of the tree, README's figures are the target's.

    check.py
"""
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def broken_links(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    return [f"{page.relative_to(ROOT)}: there is no {target}" for target in targets
            if "://" not in target and not (page.parent / target).exists()]


def figures() -> str:
    values = json.loads((ROOT / "targets/d1.json").read_text())["values"].values()
    labels = [value["label"] for value in values]
    return (f"Of the {len(labels)} values that describe the machine {labels.count('D')} are **documented**, "
            f"{labels.count('I')} **inferred** and {labels.count('X')} **invented**")


def main() -> int:
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard",
                             "*.md"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    faults = [fault for name in listed.split("\0") if name for fault in broken_links(ROOT / name)]
    readme = " ".join((ROOT / "README.md").read_text().split())
    if figures() not in readme:
        faults.append(f"README.md: does not say '{figures()}'")
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
