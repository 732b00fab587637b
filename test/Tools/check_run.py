#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Holds dojo-run to its options and statuses on compiled images.

    check_run.py TOOLS MODELS FOLDER
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np
from bench import SMALL, Bench

KEYS = {"cycles", "instructions", "matmul_steps", "model_macs", "utilization", "wall_seconds",
        "load_seconds", "nodes_used", "sram_peak_bytes", "sram_lower_bound_bytes", "code_bytes",
        "table_bytes", "packets", "link_bytes", "target", "target_hash", "layers"}
LAYER_KEYS = {"onnx", "op", "estimated_cycles", "emulated_cycles", "macs", "plan", "busiest_over_mean"}
CLASH = """<ir_version: 8, opset_import: ["": 13]>
g (float[4] x) => (float[4] p, float[4] q) {
  p = Relu (x)
  q = Neg (x)
}"""
# Types of .npy files by type of the tensor in IR and of the model.
TYPES = [("bf16", "bf16", np.uint16, "V2"), ("f16", "f16", np.float16, "<f2"),
         ("f8E4M3FN", "f8e4m3fn", np.uint8, "|V1"), ("f8E5M2", "f8e5m2", np.uint8, "|V1"),
         ("i4", "i4", np.int8, "|V1"), ("i4", "u4", np.uint8, "|V1"), ("i8", "u8", np.uint8, "|u1"),
         ("i8", "i8", np.int8, "|i1"), ("i16", "u16", np.uint16, "<u2"),
         ("i32", "i32", np.int32, "<i4"), ("i64", "u64", np.uint64, "<u8"),
         ("i1", "bool", np.bool_, "|b1"), ("f64", "f64", np.float64, "<f8")]


def stats(bench: Bench, name: str = "s.json") -> dict:
    return json.loads((bench.folder / name).read_text())


def figures(record: dict) -> dict:
    """What two runs must have in common."""
    return {key: value for key, value in record.items()
            if key not in ("wall_seconds", "load_seconds", "outputs", "runs", "expected")}


def digits(bench: Bench, models: Path) -> None:
    bench.run(0, "dojo-compile", models / "digits.onnx", "-o", "d.d1", "--nodes", "2x2")
    images = np.load(models / "digits-input.npy")[:3]
    single, scores, counted = [], [], []
    for i in range(3):
        bench.array(f"{i}.npy", images[i])
        text = bench.run(0, "dojo-run", "d.d1", "--input", f"image={i}.npy", "--output-dir", f"o{i}",
                         "--stats", "s.json", "--threads", "1")
        single.append((bench.folder / f"o{i}/scores.npy").read_bytes())
        scores.append(np.load(bench.folder / f"o{i}/scores.npy"))
        counted.append(figures(stats(bench)))
        bench.hold("cycles" in text, "the summary")
    record = stats(bench)
    bench.hold(KEYS <= set(record) and all(record[key] is not None for key in KEYS), "keys of the stats")
    bench.hold(all(set(layer) == LAYER_KEYS for layer in record["layers"]), "keys of layers")
    bench.hold(sum(layer["emulated_cycles"] for layer in record["layers"]) == record["cycles"],
               "layers' cycles do not sum to the total")
    bench.hold(record["outputs"] == {"scores": "o2/scores.npy"}, "output to file")
    bench.hold(record["model_macs"] > 0 and 0 < record["utilization"] < 1 and record["nodes_used"] == 4
               and 0 < record["sram_lower_bound_bytes"] <= record["sram_peak_bytes"] <= 1310720
               and record["matmul_steps"] > 0 and record["packets"] > 0
               and record["link_bytes"] >= 64 * record["packets"] / 2 and record["target"] == "d1",
               "figures of the stats")
    # Slices in one process: each as if alone, also behind another, and the same figures.
    bench.array("all.npy", np.stack([images[0], images[1], images[0], images[2]]))
    for threads in ("1", "2"):
        bench.run(0, "dojo-run", "d.d1", "--input", "image=all.npy", "--output-dir", "all", "--threads",
                  threads, "--stats", "s.json")
        stacked = np.load(bench.folder / "all/scores.npy")
        bench.hold(stacked.shape == (4, *scores[0].shape), "the shape of stacked outputs")
        for at, i in enumerate((0, 1, 0, 2)):
            bench.hold(stacked[at].tobytes() == scores[i].tobytes(), f"slice {at} differs from a run of its own")
        bench.hold(figures(stats(bench)) == counted[2], f"figures of a later run, {threads} threads")
    bench.run(0, "dojo-run", "d.d1", "--input", "image=0.npy", "--output-dir", "t", "--threads", "2",
              "--stats", "s.json")
    bench.hold((bench.folder / "t/scores.npy").read_bytes() == single[0]
               and figures(stats(bench)) == counted[0], "two threads differ from one")
    bench.run(0, "dojo-run", "d.d1", "--input", "image=0.npy", "--output-dir", "t", "--timing", "off",
              "--stats", "s.json")
    record = stats(bench)
    bench.hold((bench.folder / "t/scores.npy").read_bytes() == single[0], "--timing off changes results")
    bench.hold(KEYS <= set(record) and record["cycles"] is None and record["utilization"] is None
               and all(layer["emulated_cycles"] is None for layer in record["layers"]),
               "cycle keys with --timing off")
    bench.hold(record["instructions"] == counted[0]["instructions"]
               and record["packets"] == counted[0]["packets"], "counters with --timing off")
    for seed in ("1", "2"):
        bench.run(0, "dojo-run", "d.d1", "--input", "image=0.npy", "--output-dir", "t", "--jitter", seed)
        bench.hold((bench.folder / "t/scores.npy").read_bytes() == single[0], f"jitter {seed} changes results")
    expected = models / "digits-one-expected.npy"
    common = ["d.d1", "--input", f"image={models / 'digits-one-input.npy'}", "--expect", f"scores={expected}"]
    bench.run(0, "dojo-run", *common, "--max-rel-l2", "2e-2")
    bench.run(0, "dojo-run", *common, "--rtol", "1e-1", "--atol", "1")
    bench.run(5, "dojo-run", *common, "--max-rel-l2", "1e-7", "--output-dir", "differs")
    bench.run(5, "dojo-run", *common)
    bench.run(5, "dojo-run", *common, "--rtol", "1e-9", "--atol", "1e-9")
    bench.hold((bench.folder / "differs/scores.npy").exists(), "outputs that differ are kept")


def types(bench: Bench) -> None:
    """Each type goes in and comes out as it is; random values are of the kind that was promised."""
    for ir, name, memory, descr in TYPES:
        # Placed without a layer: bytes move, no code touches them.
        (bench.folder / "id.mlir").write_text(f"""
module attributes {{dojo.machine = {{target = "d1", nodes = "1x2"}}}} {{
func.func @main(%x: tensor<3x1000x{ir}> {{dojo.name = "x", dojo.type = "{name}"}})
    -> (tensor<3x1000x{ir}> {{dojo.name = "y", dojo.type = "{name}"}}) {{
  return %x : tensor<3x1000x{ir}>
}}
}}""")
        bench.run(0, "dojo-compile", "id.mlir", "-o", "id.d1")
        bench.run(0, "dojo-run", "id.d1", "--input", "x=random:5", "--output-dir", "id")
        out = np.load(bench.folder / "id/y.npy")
        bench.hold(out.dtype == np.dtype(descr) and out.shape == (3, 1000), f"{name} comes as {out.dtype}")
        values = out.view(memory)
        if name == "bool":
            bench.hold(0.45 < values.mean() < 0.55, "booleans are not even")
        elif name[0] in "iu":
            high = {"i4": 7}.get(name, 9)
            bench.hold(set(values.ravel()) == set(range(0, 10)) or values.max() <= high, f"integers of {name}")
            bench.hold(values.min() == 0 and values.max() in (high, 9), f"range of {name}")
        else:
            wide = {"bf16": lambda v: (v.astype(np.uint32) << 16).view(np.float32)}.get(name)
            if name[:2] != "f8":
                real = (wide(values) if wide else values).astype(float)
                bench.hold(abs(real.mean()) < 0.1 and 0.9 < real.std() < 1.1, f"{name} is not normal")
        # A file of the same type; bfloat16 and float8 also as unsigned integers.
        rng = np.random.default_rng(1)
        file = (rng.random((3, 1000)) < 0.5 if name == "bool" else
                rng.integers(0, 7, (3, 1000)).astype(memory))
        bench.array("x.npy", file)
        bench.run(0, "dojo-run", "id.d1", "--input", "x=x.npy", "--output-dir", "id")
        bench.hold(np.load(bench.folder / "id/y.npy").tobytes() == file.tobytes(), f"{name} is changed")
    bench.run(0, "dojo-run", "id.d1", "--input", "x=random:5", "--output-dir", "same")
    bench.run(0, "dojo-run", "id.d1", "--input", "x=random:6", "--output-dir", "other")
    bench.run(0, "dojo-run", "id.d1", "--input", "x=random:5", "--output-dir", "id")
    one, two, three = (np.load(bench.folder / f / "y.npy") for f in ("id", "same", "other"))
    bench.hold((one == two).all() and (one != three).any(), "seeds")


def clear_code(data: bytes) -> bytes:
    """An image with zeros for code."""
    table, = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", data, table + i * size) for i in range(count)]
    strings = headers[names][4]
    for name, _, _, _, offset, length in headers:
        if data[strings + name:].startswith(b".dojo.code\0"):
            return data[:offset] + bytes(length) + data[offset + length:]
    raise ValueError("no code")


def bad_input(bench: Bench) -> None:
    small = bench.model("small.onnx", SMALL)
    bench.run(0, "dojo-compile", small, "-o", "s.d1", "--shape", "a=2x3")
    ones = np.ones((2, 3), np.float32)
    good = bench.array("good.npy", ones)
    bench.array("fortran.npy", np.asfortranarray(ones))
    bench.array("big.npy", ones.astype(">f4"))
    bench.array("double.npy", ones.astype(np.float64))
    bench.array("wide.npy", np.ones((2, 4), np.float32))
    bench.array("deep.npy", np.ones((1, 1, 2, 3), np.float32))
    bench.array("none.npy", np.ones((0, 2, 3), np.float32))
    (bench.folder / "short.npy").write_bytes(good.read_bytes()[:-4])
    (bench.folder / "junk.npy").write_bytes(b"junk")
    b = ["--input", "b=good.npy", "--output-dir", "out", "--stats", "stats.json"]
    for value, says in (("a=fortran.npy", "Fortran order"), ("a=big.npy", "big-endian"),
                        ("a=double.npy", "holds elements of the type 'f8'"), ("a=wide.npy", "has the shape [2, 4]"),
                        ("a=deep.npy", "has the shape"), ("a=none.npy", "no slice"), ("a=short.npy", "short.npy"),
                        ("a=junk.npy", "is not a .npy file"), ("a=missing.npy", "No such file"),
                        ("c=good.npy", "no input 'c'"), ("a=random:x", "not a number")):
        bench.run(3, "dojo-run", "s.d1", "--input", value, *b, says=says)
    bench.run(3, "dojo-run", "s.d1", *b, says="has no --input")
    bench.run(3, "dojo-run", "missing.d1", says="cannot open the image")
    bench.run(3, "dojo-run", good, says="good.npy")
    bench.run(3, "dojo-run", "s.d1", "--input", "a=good.npy", *b, "--expect", "z=good.npy", says="no output 'z'")
    both = ["s.d1", "--input", "a=good.npy", "--input", "b=good.npy"]
    bench.run(3, "dojo-run", *both, "--expect", "y=wide.npy", "--output-dir", "out", says="has the shape")
    (bench.folder / "cleared.d1").write_bytes(clear_code((bench.folder / "s.d1").read_bytes()))
    text = bench.run(4, "dojo-run", "cleared.d1", *both[1:], "--output-dir", "out", "--stats", "stats.json",
                     says="undefined instruction")
    bench.hold("node" in text and "thread" in text and "pc" in text.lower(), "where the fault is")
    for arguments in ([], ["s.d1", "s.d1"], [*both, "--frob"], [*both, "--threads", "0"],
                      [*both, "--timing", "no"], [*both, "--rtol", "1"], [*both, "--input", "a=good.npy"],
                      ["s.d1", "--input", "a"], [*both, "--output-dir", "/proc/none"],
                      [*both, "--output-dir", "good.npy"], [*both, "--stats", "none/s.json"],
                      [*both, "--stats", "."]):
        bench.run(1, "dojo-run", *arguments)
    rename = {"p": "y/1", "q": "y:1"}

    def change(model):
        for value in model.graph.output:
            value.name = rename[value.name]
        for node in model.graph.node:
            node.output[0] = rename[node.output[0]]
    bench.run(0, "dojo-compile", bench.model("clash.onnx", CLASH, change), "-o", "clash.d1")
    bench.run(3, "dojo-run", "clash.d1", "--input", "x=random:1", "--output-dir", "out",
              says="would both be written to y_1.npy")
    rename["q"] = "z (a)"
    bench.run(0, "dojo-compile", bench.model("names.onnx", CLASH, change), "-o", "names.d1")
    bench.run(0, "dojo-run", "names.d1", "--input", "x=random:1", "--output-dir", "out", "--stats", "n.json")
    bench.hold(sorted(p.name for p in (bench.folder / "out").iterdir()) == ["y_1.npy", "z__a_.npy"],
               "names of output files")
    bench.hold(stats(bench, "n.json")["outputs"] == {"y/1": "out/y_1.npy", "z (a)": "out/z__a_.npy"},
               "name to file in the stats")


def main() -> None:
    tools, models, folder = sys.argv[1:]
    bench = Bench(tools, folder)
    digits(bench, Path(models).resolve())
    types(bench)
    bad_input(bench)
    print(f"{bench.checks} checks")


if __name__ == "__main__":
    main()
