#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A model whose external data are larger than 2 GB: they are mapped, and only what is used is read.

    check_large.py TOOLS WORK_FOLDER

Two sparse files of 1.5 GB each hold two tables, of which the model takes a few rows by constant
indices. The compiler may not become larger than LIMIT; the image must compute the right values.
"""
import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

ROWS, WIDTH = 3_000_000, 128  # 1.536 GB a table
TAKEN = (2, 17, ROWS - 1)
LIMIT = 600  # MB


def table(name: str, file: Path, rows: np.ndarray) -> onnx.TensorProto:
    with file.open("wb") as out:
        for row, values in zip(TAKEN, rows):
            out.seek(4 * WIDTH * row)
            out.write(values.tobytes())
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[ROWS, WIDTH],
                         data_location=TensorProto.EXTERNAL)
    for key, value in (("location", file.name), ("offset", "0"), ("length", str(4 * ROWS * WIDTH))):
        tensor.external_data.add(key=key, value=value)
    return tensor


def model(folder: Path, rows: np.ndarray) -> onnx.ModelProto:
    ints = [helper.make_tensor(name, TensorProto.INT64, [len(values)], values) for name, values in
            (("taken", TAKEN), ("start", [ROWS - 1]), ("end", [ROWS]), ("axis", [0]))]
    nodes = [helper.make_node("Gather", ["a", "taken"], ["some"]),
             helper.make_node("Slice", ["b", "start", "end", "axis"], ["last"]),
             helper.make_node("Mul", ["x", "some"], ["scaled"]),
             helper.make_node("Add", ["scaled", "last"], ["y"])]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [len(TAKEN), WIDTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [len(TAKEN), WIDTH])],
        ints + [table("a", folder / "a.bin", rows), table("b", folder / "b.bin", rows + 1)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def main() -> int:
    tools, folder = Path(sys.argv[1]), Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    rows, x = (rng.standard_normal((len(TAKEN), WIDTH)).astype(np.float32) for _ in range(2))
    onnx.save(model(folder, rows), folder / "m.onnx")
    np.save(folder / "x.npy", x)
    data = sum((folder / f).stat().st_size for f in ("a.bin", "b.bin"))
    subprocess.run([tools / "dojo-compile", folder / "m.onnx", "-o", folder / "m.d1", "--nodes", "2x2",
                    "--precision", "fp32"], check=True)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    subprocess.run([tools / "dojo-run", folder / "m.d1", "--input", f"x={folder / 'x.npy'}", "--output-dir",
                    folder / "out", "--stats", folder / "s.json"], check=True, stdout=subprocess.DEVNULL)
    got = np.load(json.loads((folder / "s.json").read_text())["outputs"]["y"])
    want = x * rows + (rows[-1:] + 1)
    shutil.rmtree(folder)
    print(f"{data / 1e9:.2f} GB of external data; the compiler took {largest:.0f} MB")
    if data < 2**31 or largest > LIMIT:
        print(f"FAIL: more than {LIMIT} MB")
        return 1
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    return 0


if __name__ == "__main__":
    sys.exit(main())
