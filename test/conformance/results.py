# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Results of cases: one line each in expected.txt, which may only improve.

    KEY | OP | TYPES | RESULT | WHY

OP is the op that a case of kind node is about (of an expanded case the one it expands), TYPES are the
element types of its values, WHY says what the compiler refused, for people. RESULT is one of
  passed                    all inputs were given at run time
  passed, bound             operands that BOUND of operands.py lists were given to the compiler
  passed, whole die         too large for 2x2 nodes; run on the whole die instead
  passed, double as float   with --demote-f64; does not count as passed
  unsupported: REASON       refused by the compiler
  wrong, crashed, timed out
  not eligible: TYPE
"""
from dataclasses import dataclass
from pathlib import Path

PASSED, BOUND, DEMOTED = "passed", "passed, bound", "passed, double as float"
ON_DIE = "passed, whole die"
FAULTS = ("wrong", "crashed", "timed out")
HEAD = """\
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Results of the ONNX conformance suite, see results.py. `run.py --renew` writes this file.
"""


@dataclass
class Entry:
    op: str
    types: str
    result: str
    why: str = ""


def rank(result: str) -> int:
    """Greater is better."""
    if result in FAULTS:
        return 0
    if result.startswith("unsupported"):
        return 1
    return {DEMOTED: 2, ON_DIE: 3, BOUND: 3, PASSED: 4}.get(result, 5)


def read(path: Path) -> dict[str, Entry]:
    """By key; empty if there is no file."""
    if not path.exists():
        return {}
    lines = (line.split(" | ", 4) for line in path.read_text().splitlines() if not line.startswith("#"))
    return {key: Entry(*rest) for key, *rest in lines}


def line(key: str, entry: Entry) -> str:
    fields = [key, entry.op, entry.types, entry.result]
    return " | ".join(fields + [entry.why] * bool(entry.why and entry.result.startswith("unsupported")))


def write(path: Path, results: dict[str, Entry]) -> None:
    path.write_text(HEAD + "".join(line(key, entry) + "\n" for key, entry in sorted(results.items())))
