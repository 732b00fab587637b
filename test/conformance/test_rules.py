#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tests what the conformance suite judges by: comparison, distribution, order of results."""
import sys
import unittest

import ml_dtypes
import numpy as np

import results
from compare import difference, ulp
from random_ops import bernoulli, dropout


class Comparison(unittest.TestCase):
    def check(self, good: bool, got, want, exact=False, rtol=1e-3, atol=1e-7):
        self.assertEqual(difference(np.asarray(got), np.asarray(want), rtol, atol, exact) == "", good)

    def test_floats(self):
        one = np.float32(1)
        self.check(True, one, one + np.float32(9e-4))
        self.check(False, one, one + np.float32(1.1e-3))
        self.check(False, one, one + np.float32(9e-4), exact=True)
        self.check(True, np.float32([np.nan, np.inf, 0.0]), np.float32([np.nan, np.inf, -0.0]))
        self.check(False, np.float32([np.inf]), np.float32([-np.inf]))
        self.check(False, np.float32([3e38]), np.float32([np.inf]))
        self.check(False, np.float32([np.nan]), np.float32([0]))

    def test_types_and_shapes(self):
        self.check(False, np.float32([1]), np.float64([1]))
        self.check(False, np.float32([1]), np.float32([[1]]))
        self.check(True, np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32))

    def test_integers(self):
        big = np.int64(2**62)
        self.check(True, big, big)
        self.check(False, big, big + 1)
        self.check(False, np.uint8([255]), np.uint8([254]))
        self.check(False, np.array([1], ml_dtypes.int4), np.array([2], ml_dtypes.int4))

    def test_narrow(self):
        half = np.float16(1)
        self.check(True, half, np.float16(1 + 4 * 2**-10), rtol=0)
        self.check(False, half, np.float16(1 + 5 * 2**-10), rtol=0)
        self.check(False, half, np.float16(1 + 2**-10), exact=True)
        brain = np.array([1], ml_dtypes.bfloat16)
        self.check(True, brain, np.array([1 + 4 * 2**-7], ml_dtypes.bfloat16))
        self.check(False, brain, np.array([1 + 5 * 2**-7], ml_dtypes.bfloat16))
        self.check(True, brain.view("V2"), brain)

    def test_ulp(self):
        for dtype in (np.float16, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2):
            values = np.array([1, 1.5, 0.5, 2, 4], dtype)
            steps = np.nextafter(values, np.array(100, dtype)).astype(float) - values.astype(float)
            np.testing.assert_array_equal(ulp(values.astype(float), np.dtype(dtype)), steps)
        self.assertEqual(ulp(np.zeros(1), np.dtype(np.float16))[0], 2.0**-24)


class Distribution(unittest.TestCase):
    def test_bernoulli(self):
        p = np.full(1000, 0.5, np.float32)
        draw = (np.arange(1000) % 2).astype(np.float32)
        self.assertEqual(bernoulli(None, [p], [draw]), "")
        self.assertNotEqual(bernoulli(None, [p], [np.ones(1000, np.float32)]), "")
        self.assertNotEqual(bernoulli(None, [p], [draw / 2]), "")
        self.assertNotEqual(bernoulli(None, [np.zeros(4)], [np.float32([0, 1, 0, 0])]), "")

    def test_dropout(self):
        data = np.arange(1, 1001).astype(np.float32)
        mask = np.arange(1000) % 4 == 0
        inputs = [data, np.float32(0.75), np.bool_(True)]
        self.assertEqual(dropout(None, inputs, [np.where(mask, data * 4, 0), mask]), "")
        self.assertNotEqual(dropout(None, inputs, [np.where(mask, data, 0), mask]), "")
        self.assertNotEqual(dropout(None, inputs, [data * 4, np.ones(1000, bool)]), "")
        self.assertEqual(dropout(None, inputs[:2], [data]), "")
        self.assertNotEqual(dropout(None, inputs[:2], [np.where(mask, data, 0)]), "")


class Order(unittest.TestCase):
    def test_rank(self):
        order = ["wrong", "unsupported: type", results.DEMOTED, results.BOUND, results.PASSED]
        self.assertEqual(sorted(order, key=results.rank), order)
        self.assertEqual({results.rank(r) for r in results.FAULTS}, {0})


if __name__ == "__main__":
    sys.exit(unittest.main())
