# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What became of each seed: a file of one JSON object a line, by which a run can go on, and the summary."""
import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import onnx
from onnx import helper

import graphs

HERE = Path(__file__).resolve().parent
REGRESSIONS = HERE / "regressions"
FOUND = REGRESSIONS / "found.txt"  # a line for each: its name and what was wrong

HEAD = """\
# Random graphs against onnxruntime

Written by `test/differential/run.py --seeds FIRST-LAST --summary docs/differential.md`.

Each seed draws a small graph (a random model of an op in a random opset version, with ops before and after it, or a graph
of 3 to 12 float ops), a mesh, dead positions, -O0 or -O2, a target and a jitter. Each op has element types that its schema
allows in that opset. The outputs of the emulated die are held to those of onnxruntime, or of onnx.reference where
onnxruntime has no kernel or is known to be wrong: integers and booleans exactly, floats to a relative error of 2e-4 of the
largest value of an output. A graph that the compiler refuses for a reason of its closed list is no failure. What failed was
made smaller by the program, and is kept in `test/differential/regressions` as a test.
"""


@dataclass
class Result:
    seed: int
    outcome: str  # agree, oracle died, refused: REASON of the closed list; else a failure
    text: str = ""
    ops: list = field(default_factory=list)
    types: list = field(default_factory=list)
    options: dict = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return self.outcome not in ("agree", "oracle died") and not self.outcome.startswith("refused:")


def graphs_of(graph: onnx.GraphProto):
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from graphs_of(attribute.g)


def ops_of(model: onnx.ModelProto) -> list[str]:
    return sorted({node.op_type for graph in graphs_of(model.graph) for node in graph.node})


def types_of(model: onnx.ModelProto) -> list[str]:
    """The element types of all values."""
    inferred = onnx.shape_inference.infer_shapes(model)
    types = {t.data_type for t in inferred.graph.initializer}
    for graph in graphs_of(inferred.graph):
        for value in (*graph.input, *graph.output, *graph.value_info):
            types.add(value.type.tensor_type.elem_type)
    return sorted(helper.tensor_dtype_to_string(t).rpartition(".")[2].lower() for t in types - {0})


def generator() -> str:
    """A digest of which graphs are drawn, by a case of each op and some graphs."""
    digest = hashlib.sha256()
    for model, arrays in graphs.examples():
        digest.update(model.SerializeToString(deterministic=True))
        for array in arrays:
            digest.update(array.tobytes())
    return digest.hexdigest()[:16]


class Ledger:
    """The results in a file; those of an earlier run that did not fail stay if it goes on."""

    def __init__(self, path: Path, again: bool):
        self.path, self.results, self.generator = path, {}, generator()
        if again and path.exists():
            head, *lines = path.read_text().splitlines()
            if json.loads(head) != {"generator": self.generator}:
                raise SystemExit(f"{path} is of other graphs: the generator has changed since. Start without --resume.")
            for line in lines:
                try:
                    result = Result(**json.loads(line))
                except ValueError:  # cut off in the middle of a line
                    break
                if not result.failed:
                    self.results[result.seed] = result
        self.write()

    def write(self) -> None:
        """All results by seed."""
        temporary = self.path.with_suffix(".new")
        lines = [{"generator": self.generator}, *(asdict(self.results[seed]) for seed in sorted(self.results))]
        temporary.write_text("".join(json.dumps(line) + "\n" for line in lines))
        temporary.replace(self.path)

    def add(self, result: Result) -> None:
        self.results[result.seed] = result
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(result)) + "\n")


def outcomes(results) -> list:
    return sorted(Counter(r.outcome for r in results).items())


def table(head: str, rows) -> list[str]:
    return ["", f"| {head} | graphs |", "|---|---|", *(f"| {name} | {n} |" for name, n in rows)]


def listed(what: str, counts: Counter) -> list[str]:
    return ["", f"{what}, each with the number of graphs that have it: "
            + ", ".join(f"{name} {n}" for name, n in sorted(counts.items())) + "."]


def found() -> dict[str, str]:
    """What each kept regression was."""
    lines = FOUND.read_text().splitlines() if FOUND.exists() else []
    return {name: text for name, _, text in (line.partition(": ") for line in lines)}


def summary(results: list[Result], first: int, last: int, drawn_by: str) -> str:
    ops, types = (Counter(name for r in results for name in getattr(r, what)) for what in ("ops", "types"))
    drawn = [r.options for r in results if r.options]
    options = Counter(o["level"] for o in drawn) + Counter(f"target {o['target']}" for o in drawn)
    options["dead positions"] = sum(bool(o["dead"]) for o in drawn)
    options["jitter"] = sum(bool(o["jitter"]) for o in drawn)
    lines = HEAD.splitlines() + ["", f"Seeds {first} to {last}: {len(results)} graphs of {len(ops)} ops and "
                                 f"{len(types)} element types, drawn by generator {drawn_by}",
                                 "(where random cases are added or changed, a seed draws another graph)."]
    lines += table("outcome", outcomes(results))
    lines += table("nodes", sorted(Counter(o["nodes"] or "die" for o in drawn).items()))
    lines += table("option", sorted(options.items()))
    lines += listed("Element types", types) + listed("Ops", ops)
    lines += ["", "Found and fixed, each kept as a test:", "",
              *(f"- {name}: {text}" for name, text in sorted(found().items()))]
    return "\n".join(lines) + "\n"
