#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tests the parts of the differential test that need no compiler."""
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

import graphs
from minimise import minimise
from run import restore, store
from trial import Failure, Options, difference, draw_options

SEEDS = range(1, 25)


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
            self.assertLess(sum(a.size for a in small.inputs.values()), 1 + sum(a.size for a in sample.inputs.values()))
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
