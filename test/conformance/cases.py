# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The cases that prepare.py wrote, and which of their inputs the table of operands singles out."""
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import onnx

from operands import BOUND, EXACT, RANDOM, UNREAD


@dataclass
class Case:
    key: str  # KIND/NAME
    folder: Path
    entry: dict  # of cases.json
    base: "Case | None"  # the case of the op that this one expands

    @property
    def kind(self) -> str:
        return self.key.partition("/")[0]

    @cached_property
    def model(self) -> onnx.ModelProto:
        return onnx.load(self.folder / "model.onnx")

    @property
    def nodes(self):
        """The nodes whose operands the table speaks of: of an expanded case those of the op it expands."""
        return (self.base or self).model.graph.node

    @property
    def op(self) -> str:
        """What the case is listed under: its op, or its kind if it is a model of several."""
        if self.kind != "node":
            return self.kind
        entry = (self.base or self).entry
        return entry["main"]

    @property
    def ineligible(self) -> str:
        """The type for which the case does not count; empty if it counts."""
        return self.entry["ineligible"]

    @property
    def is_double(self) -> bool:
        return "double" in self.entry["types"]

    @property
    def is_exact(self) -> bool:
        return all(node.op_type in EXACT or node.op_type == "Constant" for node in self.nodes)

    @property
    def random_op(self) -> str:
        return next((node.op_type for node in self.nodes if node.op_type in RANDOM), "")

    def _operands(self, chosen) -> set[str]:
        """Inputs that are read only as operands that `chosen(node)` gives the positions of."""
        graph = (self.base or self).model.graph
        names = dict(zip((i.name for i in graph.input), (i.name for i in self.model.graph.input)))
        once, other = set(), set()
        for node in graph.node:
            positions = chosen(node)
            for i, name in enumerate(node.input):
                (once if i in positions else other).add(name)
        return {names[name] for name in once - other if name in names} & set(self.entry["inputs"])

    @property
    def bindable(self) -> set[str]:
        return self._operands(lambda node: BOUND.get(node.op_type, ()))

    @property
    def unread(self) -> set[str]:
        return self._operands(lambda node: [i for i, holds in UNREAD.get(node.op_type, ()) if holds(node)])

    def arrays(self, number: int, what: str) -> dict[str, np.ndarray]:
        """The inputs or outputs ("input", "output") of data set `number` by name, in their own types."""
        infos = {i.name: i.type.tensor_type.elem_type
                 for i in getattr(self.model.graph, what)}
        arrays = {}
        for i, name in enumerate(self.entry[what + "s"]):
            array = np.load(self.folder / str(number) / f"{what}-{i}.npy")
            dtype = onnx.helper.tensor_dtype_to_np_dtype(infos[name])
            arrays[name] = array.view(dtype) if array.dtype.kind == "V" else array
        return arrays


def load(folder: Path) -> list[Case]:
    entries = json.loads((folder / "cases.json").read_text())["cases"]

    def case(key, base=None):
        return Case(key, folder / key, entries[key], base)

    return [case(key, case(entry["expands"]) if entry["expands"] else None)
            for key, entry in sorted(entries.items())]
