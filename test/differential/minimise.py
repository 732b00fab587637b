# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes a failing sample smaller as long as it fails in the same way.

Steps, each tried until none helps: simpler options; fewer outputs; graphs cut at a value, which becomes
an input with what the oracle computes for it; every dimension of one size made smaller. A step counts
only if an oracle can run what is left.
"""
from dataclasses import replace

import numpy as np
import onnx
from onnx import helper, numpy_helper

from graphs import Sample, evaluate
from op_models import typed

MOST = 150  # attempts


def copy(model: onnx.ModelProto) -> onnx.ModelProto:
    new = onnx.ModelProto()
    new.CopyFrom(model)
    return new


def used_only(model: onnx.ModelProto, inputs: dict) -> tuple[onnx.ModelProto, dict]:
    """Without nodes, inputs and initializers that no output needs."""
    model = copy(model)
    needed = {o.name for o in model.graph.output}
    nodes = []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            nodes.insert(0, node)
            needed |= set(node.input) | {i for a in node.attribute if a.HasField("g") for n in a.g.node for i in n.input}
    for field, keep in ((model.graph.node, nodes),
                        (model.graph.input, [i for i in model.graph.input if i.name in needed]),
                        (model.graph.initializer, [t for t in model.graph.initializer if t.name in needed])):
        keep = [copy_of(k) for k in keep]
        del field[:]
        field.extend(keep)
    return model, {name: array for name, array in inputs.items() if name in needed}


def copy_of(message):
    new = type(message)()
    new.CopyFrom(message)
    return new


def with_outputs(model: onnx.ModelProto, names) -> onnx.ModelProto:
    model = copy(model)
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return typed(model)


def sampled(sample: Sample, model, inputs) -> Sample | None:
    """The sample of another model, or nothing if no oracle can run it."""
    try:
        model, inputs = used_only(model, inputs)
        if not model.graph.node:
            return None
        return replace(sample, model=model, inputs=inputs, expected=evaluate(model, inputs, sample.trusted))
    except Exception:
        return None


def fewer_outputs(sample: Sample):
    names = [o.name for o in sample.model.graph.output]
    if len(names) > 1:
        for name in names:
            yield sampled(sample, with_outputs(sample.model, [name]), sample.inputs)


def earlier_values(sample: Sample):
    final = {o.name for o in sample.model.graph.output}
    for node in sample.model.graph.node:
        for name in node.output:
            if name and name not in final:
                yield sampled(sample, with_outputs(sample.model, [name]), sample.inputs)


def cut_inputs(sample: Sample):
    """The last values before the end as inputs."""
    final = {o.name for o in sample.model.graph.output}
    for node in reversed(sample.model.graph.node):
        for name in node.output:
            if not name or name in final:
                continue
            try:
                value = evaluate(with_outputs(sample.model, [name]), sample.inputs, sample.trusted)[0]
                model = copy(sample.model)
                rest = [copy_of(n) for n in model.graph.node if name not in n.output]
                del model.graph.node[:]
                model.graph.node.extend(rest)
                model.graph.input.append(helper.make_tensor_value_info(
                    name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape))
            except Exception:
                continue
            yield sampled(sample, model, sample.inputs | {name: value})


def smaller_dims(sample: Sample):
    """One size wherever it occurs in inputs and initializers, made smaller."""
    constants = {t.name: numpy_helper.to_array(t) for t in sample.model.graph.initializer}
    sizes = sorted({d for array in (*sample.inputs.values(), *constants.values()) for d in array.shape if d > 1},
                   reverse=True)
    for size in sizes:
        for less in dict.fromkeys((1, size // 2, size - 1)):
            if not 0 < less < size:
                continue

            def cut(array):
                return np.ascontiguousarray(array[tuple(slice(0, less if d == size else d) for d in array.shape)]) \
                    if array.ndim else array

            model, inputs = copy(sample.model), {n: cut(a) for n, a in sample.inputs.items()}
            for info in model.graph.input:
                if info.name in inputs:
                    info.CopyFrom(helper.make_tensor_value_info(
                        info.name, info.type.tensor_type.elem_type, inputs[info.name].shape))
            for tensor in model.graph.initializer:
                tensor.CopyFrom(numpy_helper.from_array(cut(constants[tensor.name]), tensor.name))
            for output in model.graph.output:
                output.type.tensor_type.ClearField("shape")
            del model.graph.value_info[:]
            yield sampled(sample, model, inputs)


def minimise(sample: Sample, options, failure, fails) -> tuple:
    """The smallest sample and options found that fail with the kind of `failure`; `fails(sample, options)`
    gives a failure or nothing."""
    left = MOST

    def same(candidate, chosen):
        nonlocal left
        if candidate is None or left <= 0:
            return False
        left -= 1
        found = fails(candidate, chosen)
        return found is not None and found.kind == failure.kind

    again = True
    while again and left > 0:
        again = False
        for simpler in options.simpler():
            if same(sample, simpler):
                options, again = simpler, True
                break
        for step in (fewer_outputs, earlier_values, cut_inputs, smaller_dims):
            for candidate in step(sample):
                if same(candidate, options):
                    sample, again = candidate, True
                    break
    return sample, options, fails(sample, options)
