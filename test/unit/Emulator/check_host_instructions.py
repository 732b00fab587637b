# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What runs on every x86-64 host may have no instruction that only some have.

    check_host_instructions.py OBJECT...

Disassembles object files that are compiled for any host and fails if a function that is not called
behind a look at the host's features has one with 256 or 512 bits, or vzeroupper.
"""
import re
import subprocess
import sys

GUARDED = ("pairsAreFaster", "settleNaNs")
# One register operand of the newer encodings is enough to tell.
NEWER = re.compile(r"%[yz]mm\d|\bvzeroupper\b")

seen, wrong = set(), set()
for path in sys.argv[1:]:
    text = subprocess.run(["objdump", "-d", "-C", "--no-show-raw-insn", path], check=True,
                          capture_output=True, text=True).stdout
    function = ""
    for line in text.splitlines():
        if begin := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            function = begin[1]
        elif NEWER.search(line):
            guard = next((name for name in GUARDED if name in function), None)
            seen.add(guard) if guard else wrong.add(f"{function} in {path}")
for place in sorted(wrong):
    print(f"instructions of some hosts alone: {place}")
missing = set(GUARDED) - seen
if missing:
    print("found none where there must be some:", *sorted(missing))
sys.exit(bool(wrong or missing))
