# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The cases of op_cases.py as ONNX models, with what an oracle says about them."""
import subprocess
import zlib
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

import oracles
from op_cases import LAST_OPSET
from op_draw import Case, Draw

FIRST_OPSET = 7  # the oldest that onnxruntime knows
# onnx.reference gets the output shape of windows with auto_pad and strides wrong.
RUNTIME_ONLY = {"Conv", "MaxPool", "AveragePool", "LpPool"}


def other_opsets(nodes: list) -> list:
    """The opsets that the nodes are from besides the default one."""
    versions = {"ai.onnx.preview": 1, "ai.onnx.preview.training": 1, "ai.onnx.ml": 3}
    if any(n.op_type == "TreeEnsemble" for n in nodes):  # which takes the place of those in version 3
        versions["ai.onnx.ml"] = 5
    return [helper.make_opsetid(d, versions[d]) for d in sorted({n.domain for n in nodes} - {""})]


def opsets_of(op: str, first: int) -> list[int]:
    """The version of each form of the op that is in use from opset `first` on."""
    forms = sorted({s.since_version for s in onnx.defs.get_all_schemas_with_history()
                    if s.name == op and s.domain == ""}) or [first, 10, 13, 18]
    last = LAST_OPSET.get(op, onnx.defs.onnx_opset_version())
    return sorted({max(s, first) for i, s in enumerate(forms)
                   if (forms + [last + 1])[i + 1] > first and s <= last})


def typed(model: onnx.ModelProto) -> onnx.ModelProto:
    """The outputs get their element types, their shapes are left open: the shapes that inference finds for
    old forms of the pools are not what they compute. Raises if an op of the model does not have the types
    that it is given, by its schema in the opset of the model."""
    known = {o.name: o for o in onnx.shape_inference.infer_shapes(model, True, data_prop=True).graph.output}
    for output in model.graph.output:
        output.type.tensor_type.elem_type = known[output.name].type.tensor_type.elem_type
    return model


def model_of(case: Case, opset: int) -> onnx.ModelProto:
    def info(name, array):
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)

    graph = helper.make_graph(
        case.nodes, "g", [info(n, np.asarray(a)) for n, a in case.inputs.items()],
        [onnx.ValueInfoProto(name=n) for n in case.outputs],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in case.constants.items()])
    imports = [helper.make_opsetid("", opset), *other_opsets(case.nodes)]
    model = typed(helper.make_model(graph, opset_imports=imports, ir_version=8))
    for output, dtype in zip(model.graph.output, case.types):
        output.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return model


def with_constants(model: onnx.ModelProto, inputs: dict) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.input[:]
    copy.graph.initializer.extend(numpy_helper.from_array(a, n) for n, a in inputs.items())
    return copy


def runtime(model: onnx.ModelProto, inputs: dict) -> list:
    """The outputs that onnxruntime computes."""
    return oracles.ask("onnxruntime", model, inputs)


def reference(model: onnx.ModelProto, inputs: dict, trusted: bool) -> tuple[list, str]:
    """The outputs of the first oracle that has the model, and its name."""
    try:
        if not trusted:
            raise oracles.Failed("onnxruntime is wrong about it")
        return runtime(model, inputs), "onnxruntime"
    except oracles.Failed:  # no kernel for these types or this version
        if any(node.op_type in RUNTIME_ONLY for node in model.graph.node):
            raise
        # It computes some ops in float64 whatever the type is.
        outputs = oracles.ask("onnx.reference", model, inputs)
        types = [o.type.tensor_type.elem_type for o in model.graph.output]
        return [np.asarray(o).astype(helper.tensor_dtype_to_np_dtype(t)) if t else np.asarray(o)
                for o, t in zip(outputs, types)], "onnx.reference"


def draw(make, op: str, opset: int, seed: str, empty: float = 0.0, rounded=lambda array: array):
    """A model that at least one oracle can run, its inputs and outputs. `rounded` is applied to every array."""
    for attempt in range(50):
        rng = np.random.default_rng(zlib.crc32(f"{seed} {op} {opset} {attempt}".encode()))
        case = make(Draw(rng, opset, empty), op)
        for arrays in (case.inputs, case.constants):
            arrays.update({n: rounded(np.asarray(a)) for n, a in arrays.items()})
        inputs = {n: np.asarray(a) for n, a in case.inputs.items()}
        try:
            model = model_of(case, opset)
            return case, model, inputs, *reference(model, inputs, case.trusted)
        except Exception as error:  # not these types in this opset, or no oracle has these attributes
            last = error
    raise RuntimeError(f"no oracle for {op} in opset {opset}: {last}")


def run_tool(tool: str, work: Path, lines: list[str]) -> list[str]:
    """What dojo-host-run says of each line; a crash is the answer of the line it happened in."""
    answers = []
    while len(answers) < len(lines):
        (work / "cases").write_text("\n".join(lines[len(answers):]) + "\n")
        done = subprocess.run([tool, str(work / "cases")], capture_output=True, text=True)
        answers += done.stdout.splitlines()
        if len(answers) < len(lines):
            answers.append("crash\t" + done.stderr.strip()[-500:])
    return answers
