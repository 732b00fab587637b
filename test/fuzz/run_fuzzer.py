#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Replays the kept inputs of a libFuzzer target, then lets it look for new ones.

    run_fuzzer.py FUZZER INPUTS WORK_FOLDER SECONDS

INPUTS/corpus/NAME holds valid and broken files, INPUTS/regressions/NAME what once failed, NAME being
FUZZER's without -fuzzer. The input of a failure is left in WORK_FOLDER; once the fault is fixed it
belongs into regressions.
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path


def main() -> int:
    fuzzer, inputs, work = (Path(argument).resolve() for argument in sys.argv[1:4])
    seconds = int(sys.argv[4])
    if not fuzzer.exists():
        print(f"{fuzzer} is not built; run scripts/sanitize --fuzzers")
        return 1
    name = fuzzer.name.removesuffix("-fuzzer")
    kept = [inputs / kind / name for kind in ("corpus", "regressions")]
    kept = [str(folder) for folder in kept if folder.is_dir()]
    shutil.rmtree(work, ignore_errors=True)
    found = work / "found"
    found.mkdir(parents=True)
    # LLVM and protobuf come without instrumentation: what they share with it in containers and
    # arenas is not marked.
    options = "detect_container_overflow=0:allow_user_poisoning=0:handle_abort=1:" + os.environ.get("ASAN_OPTIONS", "")
    environment = {**os.environ, "ASAN_OPTIONS": options, "UBSAN_OPTIONS": "print_stacktrace=1"}
    limits = ["-timeout=20", "-rss_limit_mb=4096", f"-artifact_prefix={work}/"]
    for command in (["-runs=0", *limits, *kept], [f"-max_total_time={seconds}", "-print_final_stats=1", *limits,
                                                  str(found), *kept]):
        done = subprocess.run([str(fuzzer), *command], env=environment, capture_output=True, text=True,
                              errors="replace", cwd=work)
        lines = (done.stdout + done.stderr).splitlines()
        if done.returncode:
            print("\n".join(lines[-80:]))
            return 1
        print("\n".join(line for line in lines if "Seed:" in line or "stat::" in line or "DONE" in line))
    return 0


if __name__ == "__main__":
    sys.exit(main())
