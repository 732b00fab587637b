#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Renews the corpus of the fuzzer of snapshots: states of snapshot.s, one of them damaged.

    make_snapshots.py TOOLS FOLDER
"""
import subprocess
import sys
import tempfile
from pathlib import Path

STOPS = [("--until", str(cycle)) for cycle in (1, 20, 60, 80, 90, 97, 104, 112, 300)] + [("--break", "0@layer 1")]


def main() -> None:
    tools, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        image = Path(work) / "snapshot.d1"
        subprocess.run([tools / "dojo-as", Path(__file__).with_name("snapshot.s"), "-o", image], check=True)
        for number, stop in enumerate(STOPS):
            file = folder / f"{stop[0].strip('-')}-{number}.snap"
            subprocess.run([tools / "dojo-run", image, *stop, "--snapshot", file], check=True)
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 20] ^= 255
    (folder / "damaged.snap").write_bytes(damaged)


if __name__ == "__main__":
    main()
