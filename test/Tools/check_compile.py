#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Holds dojo-compile to its options and statuses.

    check_compile.py TOOLS MODELS TARGETS FOLDER
"""
import json
import shutil
import sys
from pathlib import Path

import numpy as np
from bench import SMALL, Bench

UNSUPPORTED = """<ir_version: 8, opset_import: ["": 13, "ai.onnx.ml": 1, "com.example": 1]>
g (float[3,3] x) => (float[3,3] a, float[3,3] b, float[3,3] c) {
  [first] a = ai.onnx.ml.CategoryMapper <cats_int64s = [1], cats_strings = ["one"]> (x)
  [second] b = com.example.Magic <level = 3> (x)
  [third] c = Relu (x)
}"""
SOFTMAX = """<ir_version: 8, opset_import: ["": 13]>
g (float[4,40] x) => (float[4,40] y) {
  h = Softmax (x)
  y = Relu (h)
}"""
SCALAR = """<ir_version: 8, opset_import: ["": 13]>
g (float x, float[2] v) => (float[2] y) {
  y = Add (x, v)
}"""
EMPTY = """<ir_version: 8, opset_import: ["": 13]>
g (float[n,8] a, float[4,n] b, float[4,8] c) => (float[n,8] y, float[4,8] z, float[m,8] w) {
  y = Relu (a)
  z = MatMul (b, a)
  d = Concat <axis = 0> (c, a)
  w = Neg (d)
}"""
CYCLE = """<ir_version: 8, opset_import: ["": 13]>
g (float[4] x) => (float[4] y) {
  a = Add (x, b)
  b = Relu (a)
  y = Neg (b)
}"""
MANY = ("<ir_version: 8, opset_import: [\"\": 13]>\ng ("
        + ", ".join(f"float[40] x{i}" for i in range(30)) + ") => (float[40] y) { y = Mean ("
        + ", ".join(f"x{i}" for i in range(30)) + ") }")

# Each convolution has a shape and so a kernel of its own, together more than the 80 KB that are kept at first. The
# large tensors fill the SRAM of a node if both are alive. Lanes read the weights, which are inputs, from far apart.
SIZES = [4 + i for i in range(56)]
KERNELS = ("<ir_version: 8, opset_import: [\"\": 13]>\ng (float[SIZE] a, float[1,4,3,5] x0, "
           + ", ".join(f"float[{n},{c},1,1] w{i}" for i, (c, n) in enumerate(zip(SIZES, SIZES[1:])))
           + ") => (float first, float[SIZE] b) { first = ReduceMean <keepdims = 0> (a) "
           + " ".join(f"x{i + 1} = Conv (x{i}, w{i})" for i in range(len(SIZES) - 1))
           + f" last = ReduceMean <keepdims = 0> (x{len(SIZES) - 1}) "
           + "size = Constant <value_ints = [SIZE]> () b = Expand (last, size) }")


def rename(old: str, new: str):
    def change(model):
        for value in [*model.graph.input, *model.graph.output]:
            value.name = new if value.name == old else value.name
        for node in model.graph.node:
            for names in (node.input, node.output):
                for i, name in enumerate(names):
                    names[i] = new if name == old else name
    return change


def check_option(bench: Bench) -> None:
    bad, good = bench.model("bad.onnx", UNSUPPORTED), bench.model("softmax.onnx", SOFTMAX)
    text = bench.run(2, "dojo-compile", bad, "--check", "--report", "bad.json", leaves=True)
    for part in ("node 'first' cannot be compiled", "op:         CategoryMapper (ai.onnx.ml, as of version 1)",
                 "inputs:     float[3,3]", "node 'second'", "Magic (com.example)", "attributes: level=3"):
        bench.hold(part in text, f"--check does not say: {part}")
    report = json.loads((bench.folder / "bad.json").read_text())
    bench.hold([n["node"] for n in report["unsupported"]] == ["first", "second"], "nodes of the report")
    for node in report["unsupported"]:
        for key in ("op", "domain", "since_version", "inputs", "outputs", "attributes", "reason", "category"):
            bench.hold(key in node, f"the report has no {key}")
    bench.hold(report["unsupported"][0]["inputs"] == ["float[3,3]"], "shapes and types of the report")
    bench.run(2, "dojo-compile", bad, "--check")
    bench.run(2, "dojo-compile", bad, "-o", "bad.d1")
    bench.run(0, "dojo-compile", good, "--check", "--report", "good.json")
    report = json.loads((bench.folder / "good.json").read_text())
    bench.hold(report == {"errors": [], "unsupported": [], "categories": []}, "the report of a supported model")
    bench.run(0, "dojo-compile", good, "--check", "-o", "checked.d1")
    bench.hold(not list(bench.folder.glob("checked*")), "--check writes an output")
    for node, category in zip(json.loads((bench.folder / "bad.json").read_text())["unsupported"], ("op", "op")):
        bench.hold(node["category"] == category and "suggestion" in node, "category and suggestion of a node")
    # What only code generation finds.
    (bench.folder / "f64.mlir").write_text("""
func.func @main(%x: tensor<4xf64>) -> tensor<4xf64> {
  %e = tensor.empty() : tensor<4xf64>
  %y = linalg.add ins(%x, %x : tensor<4xf64>, tensor<4xf64>) outs(%e : tensor<4xf64>) -> tensor<4xf64>
  return %y : tensor<4xf64>
}""")
    bench.run(2, "dojo-compile", "f64.mlir", "--check", "--report", "f64.json", leaves=True)
    errors = json.loads((bench.folder / "f64.json").read_text())["errors"]
    bench.hold(len(errors) == 1 and "there is no D1 code" in errors[0], "errors of the passes")


def plan_and_report(bench: Bench) -> None:
    model = bench.folder / "softmax.onnx"
    before = bench.files()
    text = bench.run(0, "dojo-compile", model, "--plan", "--nodes", "2x2")
    bench.hold(bench.files() == before, "--plan writes a file")
    rows = text.splitlines()[2:-1]
    bench.run(0, "dojo-compile", model, "-o", "r.d1", "--nodes", "2x2", "--report", "r.json")
    report = json.loads((bench.folder / "r.json").read_text())
    bench.hold(len(report["layers"]) == len(rows), "layers of --plan and --report")
    for layer, row in zip(report["layers"], rows):
        bench.hold(row.startswith(layer["name"][:40]) and layer["plan"] in row, "rows of --plan")
        bench.hold(layer["nodes"] >= 1 and layer["estimated_cycles"] > 0 and layer["type"] != "",
                   "a layer of the report")
    bench.hold(report["precision"] == "bf16" and report["store"] == "bf16"
               and report["target"] == "d1" and len(report["target_hash"]) == 64, "head of the report")
    for buffer in report["buffers"]:
        bench.hold(set(buffer) == {"name", "kind", "bytes", "first_layer", "last_layer", "address"}
                   and buffer["address"] is not None, "a buffer of the report")
    # Every fp32 tensor has its reason, and nothing else has.
    wide = [layer["name"] for layer in report["layers"] if layer["type"].endswith("f32")]
    kept = {entry["layer"]: entry["reason"] for entry in report["kept_in_fp32"]}
    bench.hold(sorted(kept) == sorted(wide) and len(wide) < len(rows), "tensors kept in fp32")
    reasons = " ".join(kept.values())
    bench.hold("only elementwise ops read these sums" in reasons
               and "graph outputs keep the type of the model" in reasons, "reasons for fp32")
    for options in (["--store", "fp32"], ["--precision", "fp32"]):
        bench.run(0, "dojo-compile", model, "-o", "r.d1", "--nodes", "2x2", "--report", "r.json",
                  *options)
        report = json.loads((bench.folder / "r.json").read_text())
        bench.hold(all(layer["type"].endswith("f32") for layer in report["layers"])
                   and report["kept_in_fp32"] == [] and report["store"] == "fp32", f"{options}")
    # From a level whose layers are gone.
    bench.run(0, "dojo-compile", model, "-o", "m.mlir", "--nodes", "2x2", "--emit", "mesh")
    bench.run(0, "dojo-compile", "m.mlir", "-o", "r.d1", "--report", "r.json")
    report = json.loads((bench.folder / "r.json").read_text())
    bench.hold(len(report["layers"]) == len(rows) and report["target"] == "d1"
               and all(layer["nodes"] >= 1 for layer in report["layers"]), "report from a mesh file")


def levels(bench: Bench, models: Path) -> None:
    digits, one = models / "digits.onnx", models / "digits-one-input.npy"
    count = {}
    for level in ("-O0", "-O2"):
        bench.run(0, "dojo-compile", digits, "-o", "d.d1", level, "--nodes", "2x2", "--report", "d.json")
        count[level] = len(json.loads((bench.folder / "d.json").read_text())["layers"])
        bench.run(0, "dojo-run", "d.d1", "--input", f"image={one}", "--max-rel-l2", "2e-2", "--expect",
                  f"scores={models / 'digits-one-expected.npy'}")
    bench.hold(count["-O0"] > count["-O2"], "-O0 fuses")
    text = bench.run(2, "dojo-compile", digits, "-o", "x.d1", "--code-bytes", "2000000")
    bench.hold("cannot keep 2000000 bytes for code" in text, "--code-bytes beyond the SRAM")
    compile_ = ["dojo-compile", "kernels.onnx", "-o", "k.d1", "--nodes", "1x1", "--precision", "fp32"]
    bench.model("kernels.onnx", KERNELS.replace("SIZE", "1000"))
    bench.run(0, *compile_)
    bench.model("kernels.onnx", KERNELS.replace("SIZE", "126000"))
    text = bench.run(2, *compile_, "--code-bytes", "81920")
    bench.hold("code and tables need" in text, f"--code-bytes that is too little: {text}")
    # Without the option room for all of the code is sought, and the memory map says what stands there.
    text = bench.run(2, *compile_)
    bench.hold("does not fit into the SRAM" in text and "code and tables:" in text, f"no room for code: {text}")
    bench.run(0, "dojo-compile", digits, "-o", "d.mlir", "-O0", "--nodes", "2x2", "--emit", "mesh")
    text = (bench.folder / "d.mlir").read_text()
    bench.hold(text.count("dojo.barrier") == text.count("dojo.layer_info") - 1,
               "-O0 lets layers overlap")
    bench.hold((bench.folder / "d.mlir.consts").exists(), "constants of IR are not kept")
    bench.hold(not (bench.folder / "d.d1.consts").exists(), "constants of an image are kept")


def bindings(bench: Bench) -> None:
    small = bench.model("small.onnx", SMALL)
    a = np.arange(6, dtype=np.float32).reshape(2, 3) - 2
    file_a, file_y = bench.array("a.npy", a), bench.array("y.npy", np.maximum(a + a, 0))
    bench.run(0, "dojo-compile", small, "-o", "s.d1", "--const", f"b={file_a}")
    bench.run(0, "dojo-run", "s.d1", "--input", f"a={file_a}", "--expect", f"y={file_y}")
    bench.run(3, "dojo-run", "s.d1", "--input", f"b={file_a}", says="no input 'b'")
    odd = bench.model("odd.onnx", SMALL, rename("a", "p=q"))
    bench.run(0, "dojo-compile", odd, "-o", "o.d1", "--shape", "p=q=2x3", "--const", "b=a.npy")
    bench.run(0, "dojo-run", "o.d1", "--input", "p=q=a.npy", "--expect", "y=y.npy")
    bench.run(0, "dojo-compile", odd, "-o", "o.d1", "--const", "p=q=a.npy", "--shape", "b=2x3")
    several = bench.model("several.onnx", SMALL)
    bench.run(0, "dojo-compile", several, "-o", "n.d1", "--dim", "n=2")
    bench.run(0, "dojo-run", "n.d1", "--input", "a=a.npy", "--input", "b=a.npy", "--expect", "y=y.npy")
    for value, says in (("n=3x", "is not a dimension"), ("n", "NAME=VALUE"), ("n=-1", "is not a dimension")):
        bench.run(1, "dojo-compile", several, "-o", "n2.d1", "--dim", value, says=says)
    bench.run(2, "dojo-compile", several, "-o", "n2.d1", "--dim", "m=2", says="there are 'n'")
    text = bench.run(0, "dojo-compile", "--list-ops")
    bench.hold("ai.onnx MatMul 1 13" in text.splitlines(), "--list-ops")
    bench.run(1, "dojo-compile", "-o", "n2.d1", says="no input given")
    scalar = bench.model("scalar.onnx", SCALAR, lambda m: m.graph.input[0].type.tensor_type.ClearField("shape"))
    bench.run(2, "dojo-compile", scalar, "-o", "x.d1", says="--shape x=")
    bench.run(0, "dojo-compile", scalar, "-o", "x.d1", "--shape", "x=")
    bench.array("five.npy", np.float32(5))
    bench.array("two.npy", np.float32([1, 2]))
    bench.array("sum.npy", np.float32([6, 7]))
    bench.run(0, "dojo-run", "x.d1", "--input", "x=five.npy", "--input", "v=two.npy", "--expect", "y=sum.npy")
    empty = bench.model("empty.onnx", EMPTY)
    bench.run(0, "dojo-compile", empty, "-o", "e.d1", "--shape", "a=0x8")
    c = np.arange(32, dtype=np.float32).reshape(4, 8)
    for name, value in (("a0", np.zeros((0, 8))), ("b0", np.zeros((4, 0))), ("c0", c), ("z0", np.zeros((4, 8))), ("w0", -c)):
        bench.array(f"{name}.npy", value.astype(np.float32))
    bench.run(0, "dojo-run", "e.d1", "--input", "a=a0.npy", "--input", "b=b0.npy", "--input", "c=c0.npy",
              "--expect", "y=a0.npy", "--expect", "z=z0.npy", "--expect", "w=w0.npy", "--output-dir", "e")
    bench.hold(np.load(bench.folder / "e/y.npy").shape == (0, 8), "the shape of an empty output")
    bench.run(0, "dojo-compile", small, "-o", "n.d1", "--shape", "a=0x3")
    bench.run(0, "dojo-run", "n.d1", "--input", "a=random:1", "--input", "b=random:1", "--stats", "n.json")
    stats = json.loads((bench.folder / "n.json").read_text())
    bench.hold(sum(l["emulated_cycles"] for l in stats["layers"]) == stats["cycles"], "cycles of nothing")
    many = bench.model("many.onnx", MANY)
    bench.run(0, "dojo-compile", many, "-o", "many.d1", "--nodes", "2x2")
    values = np.random.default_rng(7).standard_normal((30, 40)).astype(np.float32)
    inputs = [f"x{i}={bench.array(f'x{i}.npy', values[i])}" for i in range(30)]
    bench.array("mean.npy", values.mean(0))
    bench.run(0, "dojo-run", "many.d1", *[part for i in inputs for part in ("--input", i)], "--expect",
              "y=mean.npy", "--max-rel-l2", "2e-2")


def machine(bench: Bench, targets: Path) -> None:
    small, options = bench.folder / "small.onnx", ["--shape", "a=64x3", "--emit", "mesh", "-o", "k.mlir"]
    bench.run(0, "dojo-compile", small, *options, "--nodes", "2x2", "--dead", "0,1", "--dead", "1,0")
    text = (bench.folder / "k.mlir").read_text()
    bench.hold("nodes = array<i32: 0, 21>" in text and "array<i32: 1>" not in text, "--nodes and --dead")
    own = json.loads((targets / "d1.json").read_text())
    shutil.copy(targets / "d1.json", bench.folder / "own.json")
    bench.run(0, "dojo-compile", small, "--shape", "a=2x3", "-o", "own.d1", "--target", "own.json")
    bench.run(0, "dojo-compile", small, "--shape", "a=2x3", "-o", "d1.d1")
    bench.hold("name" in own, "a target has a name")
    for target in ("none", bench.folder / "a.npy", bench.folder):
        bench.run(1, "dojo-compile", small, "--shape", "a=2x3", "-o", "t.d1", "--target", target)


def bad_input(bench: Bench, models: Path) -> None:
    small = bench.folder / "small.onnx"
    shaped = [small, "--shape", "a=2x3"]
    good = bench.folder / "kept.d1"
    bench.run(0, "dojo-compile", *shaped, "-o", good)
    for arguments in ([], ["-o", "x.d1"], shaped, [*shaped, "-o", "x.d1", "--frob"],
                      [*shaped, "-o", "x.d1", "--emit", "none"], [*shaped, "-o", "x.d1", "-O1"],
                      [*shaped, "-o", "x.d1", "--code-bytes", "-1"],
                      [*shaped, "-o", "x.d1", "--precision", "int8"],
                      [*shaped, "-o", "x.d1", "--store", "bf16"], [small, "-o", "x.d1", "--shape", "a"],
                      [small, "-o", "x.d1", "--shape", "=2x3"], [small, "-o", "x.d1", "--shape", "a=2by3"],
                      [small, "-o", "x.d1", "--shape", "a=-2x3"], [small, "-o", "x.d1", "--const", "a"],
                      [*shaped, "-o", "x.d1", "--nodes", "2"], [*shaped, "-o", "x.d1", "--nodes", "0x1"],
                      [*shaped, "-o", "x.d1", "--nodes", "19x20"], [*shaped, "-o", "x.d1", "--dead", "1"],
                      [*shaped, "-o", "x.d1", "--dead", "18,0"],
                      [*shaped, "-o", "x.d1", "--nodes", "1x1", "--dead", "0,0"],
                      [*shaped, "-o", "none/x.d1"], [*shaped, "-o", bench.folder],
                      [*shaped, "-o", "/proc/none/x.d1"], [*shaped, "-o", "none/x.mlir", "--emit", "mesh"],
                      [*shaped, "-o", "none/x.s", "--emit", "asm"],
                      [*shaped, "-o", "x.d1", "--report", "none/r.json"],
                      [*shaped, "--check", "--report", "none/r.json"]):
        bench.run(1, "dojo-compile", *arguments)
    bench.array("fortran.npy", np.asfortranarray(np.ones((2, 3), np.float32)))
    bench.array("big.npy", np.ones((2, 3), ">f4"))
    bench.array("double.npy", np.ones((2, 3)))
    bench.array("wide.npy", np.ones((2, 4), np.float32))
    (bench.folder / "text.mlir").write_text("func.func @main(")
    (bench.folder / "nothing.mlir").write_text("")
    cases = [([small, "-o", good], "--shape a=Nx3"),
             ([*shaped, "--shape", "b=4x3", "-o", good], "input 'b' is bound to 4x3"),
             ([small, "--shape", "a=2x4", "-o", good], "input 'a' is bound to 2x4"),
             ([*shaped, "--shape", "c=1", "-o", good], "no input of the model"),
             ([small, "--const", "a=fortran.npy", "-o", good], "Fortran order"),
             ([small, "--const", "a=big.npy", "-o", good], "big-endian"),
             ([small, "--const", "a=double.npy", "-o", good], "type"),
             ([small, "--const", "a=wide.npy", "-o", good], "2x4"),
             ([small, "--const", "a=none.npy", "-o", good], "No such file"),
             (["none.onnx", "-o", good], "does not exist"), ([bench.folder, "-o", good], "regular file"),
             (["a.npy", "-o", good], "not an ONNX model"), (["text.mlir", "-o", good], "error"),
             (["nothing.mlir", "-o", good], "has no function @main"),
             ([bench.model("cycle.onnx", CYCLE), "-o", good], "the graph has a cycle"),
             (["bad.onnx", "-o", good], "Magic")]
    for arguments, says in cases:
        bench.run(2, "dojo-compile", *arguments, says=says)
    # By how much, and which layers.
    text = bench.run(2, "dojo-compile", models / "resnet50.onnx", "-o", good, "--nodes", "4x5",
                     says="does not fit on the machine: weights and tables need at least")
    bench.hold("more than there are; most of it in 'layer4" in text, "which layers are large")
    bench.hold(text.count("\n") > 50 and "bytes of a node" in text, "the memory map")
    large = bench.model("large.onnx", SMALL.replace("float[n,3]", "float[4000,4000]"))
    bench.run(2, "dojo-compile", large, "-o", good, "--nodes", "2x2", "--report", "large.json", says="bytes a node",
              leaves=True)
    bench.hold(json.loads((bench.folder / "large.json").read_text())["categories"] == ["too large"], "what is too large")


def main() -> None:
    tools, models, targets, folder = sys.argv[1:]
    bench, models = Bench(tools, folder), Path(models).resolve()
    check_option(bench)
    plan_and_report(bench)
    levels(bench, models)
    bindings(bench)
    machine(bench, Path(targets))
    bad_input(bench, models)
    print(f"{bench.checks} checks")


if __name__ == "__main__":
    main()
