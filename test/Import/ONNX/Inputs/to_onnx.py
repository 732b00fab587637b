#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes a model file from ONNX's text form.

    to_onnx.py TEXT OUT [--variants FILE] [--raw] [--external FILE] [--random] [--set STATEMENT]...

Lines of TEXT that begin with # are left out. --raw: initializers as raw data, not in typed fields.
--external: initializers of 4 elements or more as external data in FILE beside OUT. --random: fills
every initializer written as {0} with random values. --set: Python statements on `model`, for what
the text form cannot say. --variants: each line "NAME: STATEMENT" of FILE makes a model OUT/NAME.onnx;
OUT is then a folder. All statements see model, onnx, np, external (below) and w, the first
initializer.
"""
import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper, parser


def external(tensor: onnx.TensorProto, location: str, offset: int, length: int | str) -> None:
    """Says that the tensor's data are elsewhere, without looking whether they are."""
    del tensor.external_data[:]
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(value))


def run(statement: str, model: onnx.ModelProto) -> None:
    w = model.graph.initializer[0] if model.graph.initializer else None
    exec(statement, {"model": model, "onnx": onnx, "np": np, "w": w, "external": external})


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("text", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--raw", action="store_true")
    arguments.add_argument("--external")
    arguments.add_argument("--random", action="store_true")
    arguments.add_argument("--set", action="append", default=[])
    arguments.add_argument("--variants", type=Path)
    options = arguments.parse_args()
    lines = options.text.read_text().splitlines()
    model = parser.parse_model("\n".join(line for line in lines if not line.startswith("#")))
    rng = np.random.default_rng(0)
    for tensor in model.graph.initializer:
        if options.random and len(tensor.float_data) == 1:
            del tensor.float_data[:]
            tensor.float_data.extend(rng.standard_normal(np.prod(list(tensor.dims))).astype(np.float32))
        if options.raw or options.external:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), name))
    for statement in options.set:
        run(statement, model)
    if options.external:
        folder = options.out if options.variants else options.out.parent
        onnx.external_data_helper.convert_model_to_external_data(model, location=options.external,
                                                                 size_threshold=16)
        model = onnx.external_data_helper.write_external_data_tensors(model, str(folder))
    if not options.variants:
        options.out.write_bytes(model.SerializeToString())
        return
    for line in options.variants.read_text().splitlines():
        name, statement = line.split(": ", 1)
        variant = onnx.ModelProto()
        variant.CopyFrom(model)
        run(statement, variant)
        (options.out / f"{name}.onnx").write_bytes(variant.SerializeToString())


if __name__ == "__main__":
    main()
