#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs ONNX's backend test suite on the emulated die and compares the results with expected.txt.

    run.py TOOLS CASES [REGEX] [--work DIR] [--jobs N] [--renew] [--no-die] [--open] [--list]

TOOLS holds dojo-compile, dojo-run and dojo-verify, CASES is what prepare.py made. Each case whose key
matches REGEX is compiled in fp32 for 2x2 nodes and run, its inputs at run time; a seeded tenth, but at
least five cases of each op, on the whole die too. Operands of the table in operands.py are given to the
compiler only if it refuses the case without. An image must read each input that it is given.

The results go to WORK/results.json. Ends with status 1 if a case is worse than expected.txt says, or
better: `--renew` writes what has improved into that file, never what has become worse.
"""
import argparse
import json
import os
import re
import shutil
import sys
import time
import zlib
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import results
from cases import Case, load
from device import Device, Verdict

MESH, DIE = "2x2", ""
DIE_SHARE, DIE_LEAST = 10, 5
EXPECTED = Path(__file__).with_name("expected.txt")


def for_the_die(cases: list[Case]) -> set[str]:
    """The cases that run on the whole die too: chosen by their names alone."""
    families = defaultdict(list)
    for case in cases:
        families[case.op].append(case.key)
    chosen = set()
    for keys in families.values():
        keys.sort(key=lambda key: zlib.crc32(key.encode()))
        chosen.update(keys[:max(DIE_LEAST, -(-len(keys) // DIE_SHARE))])
    return chosen


def judge(device: Device, case: Case, on_die: bool) -> tuple[str, str]:
    """The result of a case as expected.txt has it, and details."""
    if case.ineligible:
        return f"not eligible: {case.ineligible}", ""
    verdict, ways = device.run(case, MESH), ((results.PASSED, {}),)
    if case.bindable:
        way = {"bound": case.bindable}
        bound = device.run(case, MESH, **way)
        if verdict.status == "unsupported":
            verdict, ways = bound, ((results.BOUND, way),)
        elif bound.status in results.FAULTS:
            verdict = bound
    if verdict.status == "unsupported" and case.is_double and verdict.reason == "type":
        way = {"bound": case.bindable, "options": ("--demote-f64",)}
        demoted = device.run(case, MESH, **way)
        if demoted.status == "passed" or demoted.status == "wrong":
            verdict, ways = demoted, ((results.DEMOTED, way),)
    if verdict.status == "unsupported" and verdict.reason == "too large":
        whole = device.run(case, DIE)
        if whole.status != "unsupported":
            verdict, ways, on_die = whole, ((results.ON_DIE, {}),), False
    if verdict.status == "passed" and on_die:
        result, way = ways[0]
        verdict = device.run(case, DIE, **way)
        if verdict.status == "unsupported":
            verdict = Verdict("crashed", f"runs on {MESH} nodes, but is refused for the die: {verdict.text}")
    if verdict.status == "passed":
        return ways[0][0], ""
    if verdict.status == "unsupported":
        return f"unsupported: {verdict.reason}", verdict.text
    return verdict.status, verdict.text


def safely(device, case, on_die):
    try:
        return judge(device, case, on_die)
    except Exception as error:  # of this script: counts against the case
        return "crashed", f"the runner: {error!r}"


def compare(found: dict, expected: dict) -> tuple[list, list]:
    """Keys that are worse than expected, and those that are better or not listed."""
    worse, better = [], []
    for key, entry in found.items():
        result, was = entry.result, expected[key].result if key in expected else ""
        if result == was:
            continue
        if was and results.rank(result) < results.rank(was):
            worse.append(key)
            print(f"WORSE {key}: {result}, expected {was}\n  {entry.why}".rstrip())
        else:
            better.append(key)
    return worse, better


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("tools", type=lambda text: Path(text).resolve())
    parser.add_argument("cases", type=lambda text: Path(text).resolve())
    parser.add_argument("regex", nargs="?", default="")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--renew", action="store_true", help="write improvements into expected.txt")
    parser.add_argument("--no-die", action="store_true", help="2x2 nodes only")
    parser.add_argument("--open", action="store_true", help="only cases that are not recorded as passed")
    parser.add_argument("--list", action="store_true", help="print each case that did not pass")
    options = parser.parse_args()
    work = options.work.resolve() if options.work else options.cases / "run"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)

    every = load(options.cases)
    die = set() if options.no_die else for_the_die([case for case in every if not case.ineligible])
    expected = results.read(EXPECTED)
    settled = {key for key, entry in expected.items() if options.open and entry.result.startswith("passed")}
    chosen = [case for case in every if re.search(options.regex, case.key) and case.key not in settled]
    device, found, start = Device(options.tools, work), {}, time.monotonic()
    with ThreadPoolExecutor(options.jobs) as pool:
        futures = {pool.submit(safely, device, case, case.key in die): case for case in chosen}
        for done, future in enumerate(as_completed(futures), 1):
            case, (result, text) = futures[future], future.result()
            found[case.key] = results.Entry(case.op, ",".join(case.entry["types"]), result, text)
            if options.list and not result.startswith(("passed", "not eligible")):
                print(f"{case.key}: {result} {text}".rstrip(), flush=True)
            if done % 200 == 0 or done == len(chosen):
                passed = sum(entry.result.startswith("passed") for entry in found.values())
                print(f"[{time.monotonic() - start:5.0f} s] {done} of {len(chosen)} cases, {passed} passed", flush=True)
    (work / "results.json").write_text(json.dumps(
        {key: vars(entry) | {"die": key in die} for key, entry in sorted(found.items())}, indent=1) + "\n")
    for result, count in sorted(Counter(entry.result for entry in found.values()).items()):
        print(f"{count:5} {result}")

    worse, better = compare(found, expected)
    if not options.regex and not options.open:
        for key in sorted(set(expected) - set(found)):
            worse.append(key)
            print(f"WORSE {key}: expected {expected[key].result}, but there is no such case")
    if options.renew:
        results.write(EXPECTED, expected | {key: entry for key, entry in found.items() if key not in worse})
        print(f"{len(better)} better results written to {EXPECTED}; renew the pages by ninja -C build update-docs")
    if worse:
        print(f"{len(worse)} cases are worse than test/conformance/expected.txt says; each with its commands in "
              f"{work}/CASE/again")
        return 1
    if better and not options.renew:
        for key in better[:20]:
            print(f"BETTER {key}: {found[key].result}, expected {expected[key].result if key in expected else 'nothing'}")
        print(f"{len(better)} cases are better than test/conformance/expected.txt says; write them down with\n"
              f"  ninja -C build renew-conformance")
        return 1
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
