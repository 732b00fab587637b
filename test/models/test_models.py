# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The model scripts and what they left in build/models:  test_models.py FOLDER"""
import json
import sys
import unittest
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts/models"))
import bf16_reference
import compare
import make_ocr_inputs
import make_resnet50

FOLDER = Path(sys.argv.pop(1))


class Compare(unittest.TestCase):
    def test_relative_l2(self):
        expected = np.array([[3.0, 4.0], [0.0, 2.0], [0.0, 0.0]])
        got = np.array([[3.0, 4.5], [np.nan, 2.0], [0.0, 0.0]])
        self.assertEqual(compare.relative_l2(got, expected).tolist(), [0.1, np.inf, 0.0])

    def test_bound(self):
        expected = np.array([[1.0, 0.0], [0.0, 1.0]])
        self.assertEqual(compare.bound("bf16", expected, expected), 2e-2)
        self.assertAlmostEqual(compare.bound("bf16", expected, expected * [[1.0], [1.04]]), 0.06)
        self.assertEqual(compare.bound("fp32", expected, expected * 2), 1e-4)

    def test_top1_counts_where_it_is_decided(self):
        expected = np.array([[10.0, 0.0, 0.0], [10.0, 9.9, 0.0]])
        swapped = expected[:, [1, 0, 2]]
        agree, must = compare.top1(swapped, expected, 0.02)
        self.assertEqual((agree.tolist(), must.tolist()), ([False, False], [True, False]))

    def test_verdict(self):
        expected = np.array([[10.0, 0.0], [5.0, 1.0]])
        self.assertTrue(compare.compare(expected[:1] * 1.01, expected, expected, "bf16").ok)
        self.assertFalse(compare.compare(expected[:1] * 1.01, expected, expected, "fp32").ok)
        self.assertEqual(compare.compare(expected[:, ::-1], expected, expected, "bf16").wrong, 2)
        with self.assertRaises(ValueError):
            compare.compare(expected[:, :1], expected, expected, "bf16")


class Bf16Reference(unittest.TestCase):
    def test_gemm_rounds_both_operands_and_not_the_bias(self):
        rng = np.random.default_rng(1)
        a, b = (rng.standard_normal((4, 4), dtype=np.float32) for _ in range(2))
        a[0] = [1 + 2**-8, 1 + 3 * 2**-8, -1 - 2**-8, 0]  # ties: to even
        c = np.float32(rng.standard_normal(4)) * np.float32(1e-3)
        graph = helper.make_graph(
            [helper.make_node("Gemm", ["a", "b", "c"], ["y"])], "g",
            [helper.make_tensor_value_info("a", TensorProto.FLOAT, [4, 4])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4, 4])],
            [numpy_helper.from_array(b, "b"), numpy_helper.from_array(c, "c")])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        got = bf16_reference.run(model, a[None], bf16=True)[0]
        ra, rb = (x.astype(ml_dtypes.bfloat16).astype(np.float64) for x in (a, b))
        np.testing.assert_allclose(got, ra @ rb + c, rtol=1e-6, atol=1e-6)

    def test_every_product_of_a_real_model(self):
        model = bf16_reference.rewrite(onnx.load(FOLDER / "ppocr-cls.onnx"))
        makers = {o: n for n in model.graph.node for o in n.output}
        products = [n for n in model.graph.node if n.op_type in ("Conv", "MatMul", "Gemm")]
        self.assertEqual(len(products), 54)
        for node in products:
            for name in node.input[:2]:
                back = makers[name]
                self.assertEqual((back.op_type, back.attribute[0].i), ("Cast", TensorProto.FLOAT))
                half = makers[back.input[0]]
                self.assertEqual((half.op_type, half.attribute[0].i), ("Cast", TensorProto.BFLOAT16))


class Models(unittest.TestCase):
    def setUp(self):
        self.models = json.loads((FOLDER / "models.json").read_text())

    def test_digits(self):
        files = list((ROOT / "test/models").glob("digits*"))
        self.assertEqual(len(files), 3)
        self.assertLess(sum(f.stat().st_size for f in files), 300_000)
        images = np.load(FOLDER / "digits-input.npy")
        self.assertEqual((images.shape, images.dtype), ((360, 1, 1, 8, 8), np.float32))
        self.assertTrue(0 <= images.min() and images.max() == 1)
        self.assertGreaterEqual(self.models["digits"]["right"], 354)
        self.assertLessEqual(abs(self.models["digits"]["right"] - self.models["digits"]["right_bf16"]), 1)

    def test_text_direction(self):
        x, labels = make_ocr_inputs.inputs()
        np.testing.assert_array_equal(x, np.load(FOLDER / "ppocr-cls-input.npy"))
        self.assertEqual(sorted(labels), [0] * 8 + [1] * 8)
        for name in ("ppocr-cls", "ppocr-logits"):
            self.assertEqual((self.models[name]["right"], self.models[name]["right_bf16"]), (16, 16))
        logits = np.load(FOLDER / "ppocr-logits-expected.npy").astype(np.float64)
        softmax = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(softmax, np.load(FOLDER / "ppocr-cls-expected.npy"), atol=1e-4)

    def test_resnet50(self):
        model = make_resnet50.build()
        self.assertEqual(model.SerializeToString(), (FOLDER / "resnet50.onnx").read_bytes())
        onnx.checker.check_model(model, full_check=True)
        count = sum(int(np.prod(w.dims)) for w in model.graph.initializer)
        self.assertEqual(count, 25_530_472)  # torchvision's 25,557,032 less one vector per normalisation
        strided = {}
        for node in model.graph.node:
            attributes = {a.name: list(a.ints) for a in node.attribute}
            if node.op_type == "Conv" and attributes["strides"] == [2, 2]:
                strided[node.name] = attributes["kernel_shape"]
        self.assertEqual(len(strided), 7)
        self.assertEqual(strided["layer2.0.conv2"], [3, 3])

        ends = [n.output[0] for n in model.graph.node if n.name.endswith(".relu3")]
        self.assertEqual(len(ends), 16)
        del model.graph.output[:]
        model.graph.output.extend(helper.make_tensor_value_info(e, TensorProto.FLOAT, None) for e in ends)
        image = np.load(FOLDER / "resnet50-one-input.npy")
        for name, x in zip(ends, bf16_reference.session(model, optimize=True).run(None, {"input": image})):
            self.assertTrue(1 < np.sqrt((x.astype(np.float64)**2).mean()) < 4, name)
        logits = np.load(FOLDER / "resnet50-expected.npy")[:, 0]
        self.assertGreater(compare.relative_l2(logits[1:], logits[:-1]).min(), 0.05)
        self.assertLess(self.models["resnet50"]["bf16_error"], 0.013)


if __name__ == "__main__":
    unittest.main()
