#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the cases of ONNX's backend test suite into a folder; scripts/setup runs it.

    prepare.py FOLDER

The cases are those of onnx.backend.test.loader in the pinned onnx package, of the kinds node, simple,
pytorch-converted and pytorch-operator. For each:
  KIND/NAME/model.onnx
  KIND/NAME/SET/input-N.npy, output-N.npy    its data sets; types that NumPy lacks as raw bytes
and cases.json, which describes all of them (see cases.py). Nothing is done if the folder was made by
the same script from the same package. Fewer than 1,500 cases of the kind node are an error.
"""
import hashlib
import json
import re
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, numpy_helper
from onnx.backend.test import loader

KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")
FEWEST = 1500
EXPANDED = re.compile(r"_expanded(_ver\d+)?$")
NO_TENSORS = {"sequence_type": "sequence", "optional_type": "optional", "map_type": "map",
              "sparse_tensor_type": "sparse"}
ODD_TYPES = {TensorProto.STRING: "string", TensorProto.COMPLEX64: "complex", TensorProto.COMPLEX128: "complex"}


def key() -> str:
    return hashlib.sha256(Path(__file__).read_bytes() + onnx.__version__.encode()).hexdigest()


def subgraphs(graph):
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in [attribute.g] if attribute.type == AttributeProto.GRAPH else attribute.graphs:
                yield from subgraphs(inner)


def type_of(info: onnx.TypeProto) -> str | None:
    """The name of an ineligible type, of a tensor's element type, or nothing if it is not known."""
    kind = info.WhichOneof("value")
    if kind in NO_TENSORS:
        return NO_TENSORS[kind]
    if kind != "tensor_type":
        return None
    elem = info.tensor_type.elem_type
    return ODD_TYPES.get(elem) or TensorProto.DataType.Name(elem).lower()


def types_of(model: onnx.ModelProto) -> list[str]:
    """The types of all values, in subgraphs too, as far as inference finds them."""
    try:
        model = onnx.shape_inference.infer_shapes(model)
    except Exception:  # models that inference does not accept: what they declare
        pass
    found = set()
    for graph in subgraphs(model.graph):
        for info in (*graph.input, *graph.output, *graph.value_info):
            found.add(type_of(info.type))
        for tensor in graph.initializer:
            found.add(ODD_TYPES.get(tensor.data_type) or TensorProto.DataType.Name(tensor.data_type).lower())
    return sorted(found - {None, "undefined"})


def array(value):
    """A tensor of a data set as an array; None for what is no tensor."""
    if value is None or isinstance(value, (list, dict)):
        return None
    return numpy_helper.to_array(value) if isinstance(value, TensorProto) else np.asarray(value)


def storable(values: np.ndarray) -> np.ndarray:
    """Types that NumPy does not have itself as raw bytes: that is their form in .npy files."""
    return values if values.dtype.isbuiltin == 1 else values.view(f"V{values.dtype.itemsize}")


def read(path: Path):
    tensor = TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return tensor


def data_sets(case, eligible: bool):
    if not eligible:
        return
    if case.model_dir is None:
        yield from case.data_sets
        return
    for folder in sorted(Path(case.model_dir).glob("test_data_set_*")):
        def tensors(stem):
            return [read(folder / f"{stem}_{i}.pb") for i in range(len(list(folder.glob(f"{stem}_*.pb"))))]
        yield tensors("input"), tensors("output")


def write(folder: Path, case) -> dict:
    model = case.model or onnx.load(Path(case.model_dir) / "model.onnx")
    folder.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    types = types_of(model)
    odd = sorted({*NO_TENSORS.values(), *ODD_TYPES.values()} & set(types))
    initial = {tensor.name for tensor in model.graph.initializer}
    names = {"input": [i.name for i in model.graph.input if i.name not in initial],
             "output": [o.name for o in model.graph.output]}
    sets = 0
    for number, data in enumerate(data_sets(case, not odd)):
        sets += 1
        (folder / str(number)).mkdir()
        for what, values in zip(("input", "output"), data):
            if isinstance(values, dict):
                values = [values[name] for name in names[what]]
            if len(values) != len(names[what]):
                raise SystemExit(f"{case.name}: {len(values)} {what}s for {len(names[what])} names")
            for i, value in enumerate(values):
                np.save(folder / str(number) / f"{what}-{i}.npy", storable(array(value)))
    domains = {o.domain: o.version for o in model.opset_import}
    return {"rtol": case.rtol, "atol": case.atol, "types": types, "ineligible": odd[0] if odd else "",
            "sets": sets, "inputs": names["input"], "outputs": names["output"], "opsets": domains,
            "main": model.graph.node[0].op_type,
            "nodes": sorted({node.op_type for graph in subgraphs(model.graph) for node in graph.node})}


def main() -> int:
    folder, stamp = Path(sys.argv[1]), key()
    index = folder / "cases.json"
    if index.exists() and json.loads(index.read_text())["key"] == stamp:
        return 0
    warnings.simplefilter("ignore")
    shutil.rmtree(folder, ignore_errors=True)
    cases = {}
    for kind in KINDS:
        for case in loader.load_model_tests(kind=kind):
            cases[f"{kind}/{case.name}"] = write(folder / kind / case.name, case)
    of_nodes = sum(name.startswith("node/") for name in cases)
    if of_nodes < FEWEST:
        raise SystemExit(f"only {of_nodes} cases of kind node; there must be at least {FEWEST}")
    for name, entry in cases.items():
        base = EXPANDED.sub("", name)
        entry["expands"] = base if base != name and base in cases else ""
    index.write_text(json.dumps({"key": stamp, "onnx": onnx.__version__, "cases": cases}, indent=1) + "\n")
    print(f"{len(cases)} cases, {of_nodes} of them of single ops", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
