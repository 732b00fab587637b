#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Holds the emulated mesh to what is known of two-dimensional meshes with routes along the row, then the
column (W. J. Dally, B. Towles, Principles and Practices of Interconnection Networks, chapters 3, 5, 23).

    mesh.py TOOLS FOLDER [--show]

Latency: one transfer at a time wanders over every node of the die; the cycles must be the closed form
(links + 1) x hop + packets - 1, and the fixed costs between arrival and the next departure, to the cycle.

Throughput, on a SIDE x SIDE mesh without disabled positions, every node sending as fast as it can:
  uniform    to a random other node, train by train: the bisection carries at most 4 / SIDE packets a
             cycle and node, when half of the packets cross it
  transpose  from (r, c) to (c, r): the last link before the diagonal carries the packets of SIDE - 1 nodes
  neighbour  from (r, c) to (r, c + 1), the last column to the first: no link carries two nodes' packets
No run may be faster than the load of its busiest link or port, counted here from the routes, nor slower
than a fraction of the known saturation.
"""
import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from programs import load

SIDE = 8
TRAIN = 16
# The least part of the known saturation throughput that each pattern must reach.
LEAST = {"uniform": 0.45, "transpose": 0.98, "neighbour": 0.98}


class Die:
    def __init__(self, tools: Path, folder: Path, name: str, scratch: Path):
        self.tools, self.scratch = tools, scratch
        self.values = load(folder / f"{name}.json", folder)
        self.name = name
        whole = dict(self.values)
        whole["die.disabled"] = {**whole["die.disabled"], "value": []}
        whole["die.usable_nodes"] = {**whole["die.usable_nodes"], "value": self["die.rows"] * self["die.columns"]}
        self.whole = scratch / f"{name}-whole.json"
        self.whole.write_text(json.dumps({"format": "dojo-target-1", "name": f"{name}-whole", "values": whole,
                                          "description": "No position disabled."}))

    def __getitem__(self, key: str):
        return self.values[key]["value"]

    def tool(self, name: str, *arguments, text: str = "") -> None:
        done = subprocess.run([self.tools / name, *arguments], input=text, text=True, capture_output=True, timeout=120)
        if done.returncode:
            sys.exit(f"{name} fails: {done.stderr}")

    def cycles(self, text: str) -> int:
        """Of the assembly, with both engines."""
        image, stats, found = self.scratch / "mesh.d1", self.scratch / "mesh.json", set()
        self.tool("dojo-as", "-", "-o", image, text=text)
        for engine in ("plain", "fast"):
            self.tool("dojo-run", image, "--engine", engine, "--stats", stats)
            found.add(json.loads(stats.read_text())["cycles"])
        if len(found) > 1:
            sys.exit(f"the engines differ: {found} cycles")
        return found.pop()


def distance(a: tuple, b: tuple) -> int:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def push(node: tuple, packets: int, more: str = "") -> str:
    return f".descriptor push local=0x20000 node=@{node[0]}:{node[1]} remote=0x80000 bytes={64 * packets} {more}"


def wander(die: Die, way: list, sizes: list) -> int:
    """Cycles of transfers from each node of the way to the next, each sent when the one before is there."""
    lines = [f".target {die.name}", ".node all", ".org 0x20000", ".space 4096", ".org 0x80000", ".space 4096"]
    for i, (row, column) in enumerate(way):
        lines += [f".node @{row}:{column}", ".thread 0"]
        lines += ["wait s0, 1"] if i else []
        lines += ["list table"] if i + 1 < len(way) else []
        lines += ["halt", ".org 0x800"]
        lines += ["table:", push(way[i + 1], sizes[i], "far=s0"), ".descriptor end"] if i + 1 < len(way) else []
    return die.cycles("\n".join(lines) + "\n")


def latency(die: Die, show: bool) -> list[str]:
    positions = [(r, c) for r in range(die["die.rows"]) for c in range(die["die.columns"])
                 if [r, c] not in die["die.disabled"]]
    generator = random.Random(1)
    way = generator.sample(positions, len(positions))
    sizes = [generator.choice([1, 2, 15, 16, 17, 33, 64]) for _ in way]
    found = wander(die, way, sizes) - wander(die, way[:2], sizes)
    links = sum(distance(a, b) for a, b in zip(way[1:], way[2:]))
    steps = len(way) - 2
    between = 1 + die["mesh.list_start"] + die["mesh.arrival"]  # The thread goes on a cycle after its wait.
    expected = steps * between + (links + steps) * die["mesh.hop"] + sum(sizes[1:-1]) - steps
    if show:
        print(f"{die.name}: {steps} transfers over {links} links: {found} cycles, closed form {expected}")
    return [] if found == expected else [f"{die.name}: latency {found}, closed form {expected}"]


def destinations(pattern: str, node: tuple, count: int, generator: random.Random) -> list:
    """Where a node sends `count` trains."""
    row, column = node
    if pattern == "uniform":
        others = [(r, c) for r in range(SIDE) for c in range(SIDE) if (r, c) != node]
        return [generator.choice(others) for _ in range(count)]
    to = (column, row) if pattern == "transpose" else (row, (column + 1) % SIDE)
    return [to] * count if to != node else []


def busiest(sent: dict) -> int:
    """Packets over the busiest link or port."""
    load_of: Counter = Counter()
    for (row, column), targets in sent.items():
        for to_row, to_column in targets:
            load_of["in", row, column] += TRAIN
            load_of["out", to_row, to_column] += TRAIN
            step = 1 if to_column > column else -1
            for c in range(column, to_column, step):
                load_of["link", row, c, 0, step] += TRAIN
            step = 1 if to_row > row else -1
            for r in range(row, to_row, step):
                load_of["link", r, to_column, step, 0] += TRAIN
    return max(load_of.values())


def traffic(die: Die, sent: dict) -> int:
    lines = [f".target {die.whole} {SIDE}x{SIDE}", ".node all", ".org 0x20000", ".space 0x40000", ".org 0x80000",
             ".space 0x40000"]
    for (row, column), targets in sent.items():
        lines += [f".node @{row}:{column}", ".thread 0", "list table", "halt", ".org 0x800", "table:"]
        if len(set(targets)) == 1:
            lines.append(push(targets[0], TRAIN * len(targets)))
        else:
            lines += [push(target, TRAIN) for target in targets]
        lines.append(".descriptor end")
    return die.cycles("\n".join(lines) + "\n")


def throughput(die: Die, pattern: str, show: bool) -> list[str]:
    generator = random.Random(7)
    nodes = [(r, c) for r in range(SIDE) for c in range(SIDE)]
    trains = {node: destinations(pattern, node, 96, generator) for node in nodes}
    runs = []
    for count in (32, 96):
        sent = {node: targets[:count] for node, targets in trains.items()}
        runs.append((traffic(die, sent), busiest(sent)))
    senders = sum(bool(targets) for targets in trains.values())
    rate = 64 * TRAIN / (runs[1][0] - runs[0][0])  # Packets a cycle and sender, without start and end.
    known = {"uniform": 4 / SIDE * (len(nodes) - 1) / len(nodes), "transpose": 1 / (SIDE - 1), "neighbour": 1}[pattern]
    if show:
        print(f"{die.name}: {pattern}, {senders} senders: {rate:.3f} packets a cycle and sender, {rate / known:.0%} of "
              f"{known:.3f}; {runs[1][0]} cycles, busiest link {runs[1][1]}")
    wrong = []
    if any(cycles < least for cycles, least in runs):
        wrong.append(f"{die.name}: {pattern} is faster than its busiest link: {runs}")
    if not LEAST[pattern] * known <= rate:
        wrong.append(f"{die.name}: {pattern} gives {rate:.3f}, known saturation {known:.3f}")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("tools", type=lambda text: Path(text).resolve())
    parser.add_argument("folder", type=lambda text: Path(text).resolve())
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    wrong = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("d1", "d1-pessimistic"):
            die = Die(options.tools, options.folder, name, Path(scratch))
            wrong += latency(die, options.show)
            for pattern in LEAST:
                wrong += throughput(die, pattern, options.show)
    print("\n".join(wrong) or "the mesh is as known")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
