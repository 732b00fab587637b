#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tests the parts of the differential test that need no compiler."""
import json
import sys
import tempfile
import unittest
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
from onnx import helper

import graphs
import op_models
from minimise import minimise
from oracles import Died, Failed, Oracles, ask
from results import REGRESSIONS, Ledger, Result, found, summary, types_of
from run import restore, store
from trial import Failure, Options, difference, draw_options

SEEDS = range(1, 25)
# Answers with what it was sent, if a file is not there that it makes on its first start.
MORTAL = """
import os, pickle, sys
if not os.path.exists({0!r}):
    open({0!r}, "w").close()
    os.abort()
while True:
    sys.stdout.buffer.write(pickle.dumps((True, pickle.load(sys.stdin.buffer)[0])))
    sys.stdout.flush()
"""


def slice_model(dtype, opset: int) -> onnx.ModelProto:
    constants = [helper.make_tensor(name, onnx.TensorProto.INT64, [1], [at]) for name, at in (("s", 0), ("e", 2))]
    graph = helper.make_graph(
        [helper.make_node("Slice", ["x", "s", "e"], ["y"])], "g",
        [helper.make_tensor_value_info("x", helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), [3])],
        [onnx.ValueInfoProto(name="y")], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


class Rules(unittest.TestCase):
    def test_same_seed_same_graph(self):
        for seed in (3, 4, 5):
            a, b = graphs.draw(seed), graphs.draw(seed)
            self.assertEqual(a.model.SerializeToString(deterministic=True), b.model.SerializeToString(deterministic=True))
            for x, y in zip(a.expected, b.expected):
                np.testing.assert_array_equal(x, y)

    def test_many_forms(self):
        samples = [graphs.draw(seed) for seed in SEEDS]
        self.assertGreater(len({n.op_type for s in samples for n in s.model.graph.node}), 25)
        self.assertGreater(len({o.version for s in samples for o in s.model.opset_import}), 3)
        drawn = {draw_options(np.random.default_rng([seed, 1])) for seed in SEEDS}
        self.assertGreater(len({o.nodes for o in drawn}), 3)

    def test_types_of_schemas(self):
        """No op gets types that its version does not have."""
        self.assertEqual(op_models.typed(slice_model(np.float32, 13)).graph.output[0].type.tensor_type.elem_type,
                         onnx.TensorProto.FLOAT)
        for dtype, opset in ((ml_dtypes.int4, 13), (ml_dtypes.float8_e4m3fn, 25), (ml_dtypes.bfloat16, 11)):
            with self.assertRaises(onnx.shape_inference.InferenceError):
                op_models.typed(slice_model(dtype, opset))
        for seed in (1234, 1555, 1949):
            model = graphs.draw(seed).model
            onnx.shape_inference.infer_shapes(model, check_type=True)
            self.assertTrue(types_of(model))

    def test_oracle_dies(self):
        """What dies once is asked again; what always dies, or hangs, is given up."""
        model = slice_model(np.float32, 13)
        x = {"x": np.float32([1, 2, 3])}
        np.testing.assert_array_equal(ask("onnxruntime", op_models.typed(model), x)[0], x["x"][:2])
        with self.assertRaises(Failed):
            ask("onnxruntime", model, {"x": np.int64([1])})
        with tempfile.TemporaryDirectory() as folder:
            once = Oracles([sys.executable, "-c", MORTAL.format(f"{folder}/started")])
            self.assertEqual(once.ask("first"), "first")
            self.assertEqual(once.ask("second"), "second")
            once.stop()
        for program, patience in (("import os; os.abort()", 60), ("import time; time.sleep(99)", 0.3)):
            oracles = Oracles([sys.executable, "-c", program], patience)
            with self.assertRaises(Died):
                oracles.ask("x")

    def test_ledger(self):
        """A run that goes on keeps what did not fail, whatever the file ends with; the file is in order."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "results.jsonl"
            ledger = Ledger(path, again=False)
            for seed, outcome in ((1, "agree"), (2, "wrong"), (3, "refused: type"), (4, "agree")):
                ledger.add(Result(seed, outcome, "", ["Add"], ["float"], vars(Options())))
            path.write_text(path.read_text()[:-20])
            ledger = Ledger(path, again=True)
            self.assertEqual(sorted(ledger.results), [1, 3])
            for seed in (4, 2):
                ledger.add(Result(seed, "agree", "", ["Add", "Mul"], ["int64"], vars(Options("", "-O0"))))
            ledger.write()
            self.assertEqual([json.loads(line).get("seed") for line in path.read_text().splitlines()],
                             [None, 1, 2, 3, 4])
            text = summary([ledger.results[seed] for seed in range(1, 5)], 1, 4, ledger.generator)
            self.assertIn(ledger.generator, text)
            for line in ("| agree | 3 |", "| refused: type | 1 |", "| die | 2 |", "| -O0 | 2 |"):
                self.assertIn(line, text)
            self.assertIn("Add 4, Mul 2.", text)
            path.write_text(json.dumps({"generator": "another"}) + "\n")
            with self.assertRaises(SystemExit):
                Ledger(path, again=True)

    def test_regressions_are_described(self):
        self.assertEqual(sorted(found()), sorted(path.stem for path in REGRESSIONS.glob("*.onnx")))

    def test_difference(self):
        sample = graphs.draw(4)
        one = np.ones(3, np.float32)
        self.assertEqual(difference(one, one + np.float32(1e-5), sample), "")
        self.assertNotEqual(difference(one, one + np.float32(1e-1), sample), "")
        self.assertNotEqual(difference(one, one.astype(np.int32), sample), "")
        self.assertNotEqual(difference(np.int32([1, 2]), np.int32([1, 3]), sample), "")
        self.assertNotEqual(difference(np.float32([np.nan]), np.float32([1]), sample), "")

    def test_minimise(self):
        """What fails because of one op ends up as that op on few elements."""
        tried = 0
        for seed in SEEDS:
            sample = graphs.draw(seed)
            ops = [n.op_type for n in sample.model.graph.node]
            unary = next((op for op in ops if op in ("Tanh", "Sigmoid", "Abs", "Neg", "Relu")), None)
            if unary is None or len(ops) < 3:
                continue
            tried += 1

            def fails(candidate, options, op=unary):
                return Failure("wrong", "") if any(n.op_type == op for n in candidate.model.graph.node) else None

            small, options, _ = minimise(sample, Options("4x5", "-O0"), Failure("wrong", ""), fails)
            self.assertLessEqual(len(small.model.graph.node), 2, f"seed {seed}")
            self.assertEqual(options.level, "-O2")
            self.assertLessEqual(sum(a.size for a in small.inputs.values()),
                                 max(1, sum(a.size for a in sample.inputs.values())))
        self.assertGreater(tried, 3)

    def test_store(self):
        sample, options = graphs.draw(7), Options("1x3", "-O0", "", "d1", 5)
        with tempfile.TemporaryDirectory() as folder:
            store(Path(folder) / "m.onnx", sample, options)
            again, same = restore(Path(folder) / "m.onnx")
        self.assertEqual(same, options)
        self.assertEqual(again.model.graph, sample.model.graph)
        for name, array in sample.inputs.items():
            np.testing.assert_array_equal(again.inputs[name], array)
        for got, want in zip(again.expected, sample.expected):
            np.testing.assert_array_equal(got, want)


if __name__ == "__main__":
    sys.exit(unittest.main())
